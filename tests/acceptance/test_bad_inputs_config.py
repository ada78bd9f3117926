"""Unsafe configuration, one row each: ConfigError at the start, and nothing runs (section 7)."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from razorpay_hardened import Client, Settings
from razorpay_hardened.errors import ConfigError
from support.bad_inputs import params

TEST_ID, LIVE_ID = "rzp_test_29QQoUBi66xm2f", "rzp_live_29QQoUBi66xm2f"
KEY, HOOK, OLD = "kEy9Canary7Xw2Qm4Zt", "hOoK8Canary5Rv3Nb6Ly", "oLd4Canary1Pd9Gs7Hj"
ENV = {"RAZORPAY_KEY_ID": TEST_ID, "RAZORPAY_KEY_SECRET": KEY, "RAZORPAY_WEBHOOK_SECRET": HOOK}
LIVE = {"RAZORPAY_KEY_ID": LIVE_ID, "RAZORPAY_STORE_URL": "sqlite:///razorpay.db"}
_ID, _KEY, _HOOK = "RAZORPAY_KEY_ID", "RAZORPAY_KEY_SECRET", "RAZORPAY_WEBHOOK_SECRET"
_PREVIOUS, _UNTIL = f"{_HOOK}_PREVIOUS", f"{_HOOK}_PREVIOUS_UNTIL"
_URL, _TOTAL, _TRIES = "RAZORPAY_BASE_URL", "RAZORPAY_TOTAL_TIMEOUT_S", "RAZORPAY_MAX_ATTEMPTS"


class Row(NamedTuple):
    """What differs from a good environment (None: absent), and the variable that must be named."""

    id: str
    change: dict[str, str | None]
    named: str
    mark: str | None = None


ROWS = [
    Row("key id empty", {_ID: ""}, _ID),
    Row("key id absent", {_ID: None}, _ID),
    Row("key secret absent", {_KEY: None}, _KEY),
    Row("live with a test key", {"RAZORPAY_ENV": "live"}, "RAZORPAY_ENV"),
    Row("test with a live key", {**LIVE, "RAZORPAY_ENV": "test"}, "RAZORPAY_ENV"),
    Row("webhook secret is the key secret", {_HOOK: KEY}, _HOOK),
    Row("webhook secret is the key id", {_HOOK: TEST_ID}, _HOOK),
    Row("newline at the end", {_HOOK: f"{HOOK}\n"}, _HOOK),
    Row("newline at the end of the key", {_KEY: f"{KEY}\n"}, _KEY),
    Row("BOM", {_HOOK: f"\ufeff{HOOK}"}, _HOOK),
    Row("non-printing", {_HOOK: f"{HOOK}\x07{HOOK}"}, _HOOK),
    Row("5 characters, live", {**LIVE, _HOOK: "a1b2c"}, _HOOK),
    Row("5 characters, test", {_HOOK: "a1b2c"}, _HOOK),
    Row("empty webhook secret", {_HOOK: ""}, _HOOK),
    Row("placeholder", {_HOOK: "your_webhook_secret"}, _HOOK),
    Row("http", {_URL: "http://api.razorpay.com"}, _URL),
    Row("evil suffix, live", {**LIVE, _URL: "https://api.razorpay.com.evil.example"}, _URL),
    Row("user and password", {_URL: "https://user:pw@api.razorpay.com"}, _URL),
    Row("emulator, live", {**LIVE, _URL: "http://127.0.0.1:8700"}, _URL),
    *(Row(f"timeout {value}", {_TOTAL: value}, _TOTAL) for value in ("0", "-1", "inf", "NaN", "None", "1e3", "३०")),
    *(Row(f"attempts {value}", {_TRIES: value}, _TRIES) for value in ("-1", "0", "1000", "1_0", "2.5")),
    Row("previous is current", {_PREVIOUS: HOOK, _UNTIL: "2026-03-31T18:30:00Z"}, _PREVIOUS),
    Row("previous without an end", {_PREVIOUS: OLD}, _UNTIL),
    Row("proxies 0.0.0.0/0", {"RAZORPAY_TRUSTED_PROXIES": "0.0.0.0/0"}, "RAZORPAY_TRUSTED_PROXIES"),
    Row("proxies ::/0", {"RAZORPAY_TRUSTED_PROXIES": "::/0"}, "RAZORPAY_TRUSTED_PROXIES"),
]


@pytest.mark.parametrize("row", params(ROWS))
def test_unsafe_configuration(row: Row) -> None:
    """One error that names the variable and the rule, and no secret."""
    environ = {name: value for name, value in {**ENV, **row.change}.items() if value is not None}
    with pytest.raises(ConfigError) as caught:
        Settings.from_env(environ)
    text = str(caught.value)
    assert row.named in text
    assert not any(secret in text for secret in (KEY, HOOK, OLD, "pw@"))


def test_an_emulator_in_test_mode_is_allowed() -> None:
    """On this machine only."""
    assert Settings.from_env({**ENV, _URL: "http://127.0.0.1:8700"}).base_url == "http://127.0.0.1:8700"


def test_tls_cannot_be_switched_off() -> None:
    """There is no such option."""
    options: dict[str, Any] = {"verify_tls": False}
    with pytest.raises(TypeError):
        Client(TEST_ID, KEY, **options)

"""`webhook explain` and `webhook send`: what they say without a network; and `emulate` as far as it is no process."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli_shop import Terminal
from razorpay_hardened import parse_event, verify_webhook
from razorpay_hardened.cli.webhook import sample
from razorpay_hardened.clock import SystemClock
from razorpay_hardened.signing import sign_for_test

SECRET = "whsec-0123456789-abcdef"
KEY_SECRET = "thisisnotthekey-9f8e7d"
FULL = {
    "RAZORPAY_KEY_ID": "rzp_test_1DP5mmOlF5G5ag",
    "RAZORPAY_KEY_SECRET": KEY_SECRET,
    "RAZORPAY_WEBHOOK_SECRET": SECRET,
}
BODY = b'{"entity":"event","event":"payment.captured","payload":{}}'


@pytest.fixture
def asked(terminal: Callable[..., Terminal]) -> Terminal:
    return terminal({"RAZORPAY_WEBHOOK_SECRET": SECRET})


@pytest.fixture
def received(tmp_path: Path) -> str:
    """A file with a body as it came."""
    path = tmp_path / "body.json"
    path.write_bytes(BODY)
    return str(path)


# --- explain


def test_a_signature_that_matches(asked: Terminal, received: str) -> None:
    """Exit code 0, and which secret made it."""
    said = asked("webhook", "explain", received, "--signature", sign_for_test(BODY, SECRET))
    assert (said.code, "the signature matches" in said.out) == (0, True)
    found = asked("webhook", "explain", received, "--signature", sign_for_test(BODY, SECRET), "--json").json
    assert (set(found), found["matches"]) == ({"matches", "explanation"}, True)


@pytest.mark.parametrize(
    ("signature", "says"),
    [
        (sign_for_test(BODY, KEY_SECRET), "key secret"),
        (sign_for_test(BODY + b"\n", SECRET), "newline"),
        (sign_for_test(BODY, "another-secret-entirely"), ""),
        ("not hex", ""),
        ("", ""),
    ],
    ids=["key-secret", "newline", "other-secret", "malformed", "empty"],
)
def test_a_signature_that_does_not_match(asked: Terminal, received: str, signature: str, says: str) -> None:
    """Exit code 1 and a reason; no secret and no right signature in it."""
    asked.environ(**FULL)
    said = asked("webhook", "explain", received, "--signature", signature)
    assert said.code == 1
    assert said.out.strip()
    assert says in said.out
    for hidden in (SECRET, KEY_SECRET, sign_for_test(BODY, SECRET)):
        assert hidden not in said.out + said.err
    found = asked("webhook", "explain", received, "--signature", signature, "--json")
    assert (found.code, found.json["matches"]) == (1, False)


def test_the_body_may_come_from_stdin(asked: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is, with its last newline."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BODY + b"\n")))
    said = asked("webhook", "explain", "-", "--signature", sign_for_test(BODY + b"\n", SECRET))
    assert said.code == 0


def test_without_a_secret_it_says_which(terminal: Callable[..., Terminal], received: str) -> None:
    """It is the webhook's own."""
    said = terminal({})("webhook", "explain", received, "--signature", "a" * 64)
    assert said.code == 2
    assert "RAZORPAY_WEBHOOK_SECRET is not set" in said.err


def test_a_body_that_is_too_large_is_refused(asked: Terminal, tmp_path: Path) -> None:
    """One byte past the megabyte; the megabyte itself is looked at."""
    path = tmp_path / "big.json"
    path.write_bytes(b" " * (1 << 20))
    assert asked("webhook", "explain", str(path), "--signature", "a" * 64).code == 1
    path.write_bytes(b" " * ((1 << 20) + 1))
    said = asked("webhook", "explain", str(path), "--signature", "a" * 64)
    assert (said.code, "larger than 1,048,576 bytes" in said.err) == (2, True)


# --- send


@pytest.mark.parametrize("live", [{"RAZORPAY_ENV": "live"}, {"RAZORPAY_KEY_ID": "rzp_live_1DP5mmOlF5G5ag"}])
def test_no_event_is_made_up_in_live_mode(asked: Terminal, live: dict[str, str]) -> None:
    """It would be believed: exit code 2, and nothing is sent."""
    said = asked.environ(**live)("webhook", "send", "http://127.0.0.1:1/")
    assert (said.code, said.out) == (2, "")
    assert "events replay" in said.err


def test_an_endpoint_that_is_not_there(asked: Terminal) -> None:
    """Exit code 1: nobody listens on port 1."""
    said = asked("webhook", "send", "http://127.0.0.1:1/hook", "--json")
    assert said.code == 1
    assert set(said.json) == {"url", "event_id", "bytes", "status", "text", "seconds"}
    assert said.json["status"] is None
    assert "no answer" in asked("webhook", "send", "http://127.0.0.1:1/hook").out


@pytest.mark.parametrize("amount", ["abc", "1.001", "-1", "1e3", "१००", "NaN"])
def test_an_amount_that_is_none_is_told(asked: Terminal, amount: str) -> None:
    """With the name of the error; nothing is sent."""
    said = asked("webhook", "send", "http://127.0.0.1:1/hook", f"--amount={amount}")
    assert said.code in (1, 2)
    assert said.out == ""
    assert "Traceback" not in said.err


def test_the_sample_is_an_event_as_the_library_reads_it() -> None:
    """A captured payment about the order and the amount that were asked for."""
    raw = sample("order_0123456789abcd", "1234.50", SystemClock().now())
    event = parse_event(verify_webhook(raw, sign_for_test(raw, SECRET), secret=SECRET), "evt_1")
    assert event.name == "payment.captured"
    payment = json.loads(raw)["payload"]["payment"]["entity"]
    assert (payment["order_id"], payment["amount"], payment["status"]) == ("order_0123456789abcd", 123450, "captured")
    assert event.facts()


# --- emulate


def test_serving_tells_of_every_delivery_and_lets_time_pass() -> None:
    """Each attempt once, as the emulated clock brings it."""
    from razorpay_hardened.cli.emulate import serve
    from razorpay_hardened.emulator import Emulator

    rz = Emulator(in_process=True)
    rz.deliver.to(lambda method, headers, body: 200)
    order = rz.request("POST", "/v1/orders", {"amount": 49900, "currency": "INR"}).json()["id"]
    rz.pay(order)
    begun, told, stop = rz.clock.now(), [], threading.Event()

    def tell(attempt: Any) -> None:
        told.append(attempt.event)
        if len(told) == 3:
            stop.set()

    serve(rz, 3600, tell, stop)
    assert sorted(told) == ["order.paid", "payment.authorized", "payment.captured"]
    assert rz.clock.now() > begun

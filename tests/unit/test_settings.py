"""Settings: everything wrong is told at once, by name, and no value ever shows (FAULTS rule 11, section 7)."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from datetime import UTC, datetime

import pytest

from razorpay_hardened import Ours
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.settings import BASE_URL, Settings
from razorpay_hardened.signing import Secret

KEY_ID = "rzp_test_29QQoUBi66xm2f"
LIVE_ID = "rzp_live_29QQoUBi66xm2f"
KEY = "kEy9Canary7Xw2Qm4Zt"
HOOK = "hOoK8Canary5Rv3Nb6Ly"
OLD = "oLd4Canary1Pd9Gs7Hj"
CANARIES = (KEY, HOOK, OLD)
UNTIL = "2026-03-31T18:30:00Z"
ENV = {"RAZORPAY_KEY_ID": KEY_ID, "RAZORPAY_KEY_SECRET": KEY, "RAZORPAY_WEBHOOK_SECRET": HOOK}
LIVE = {**ENV, "RAZORPAY_KEY_ID": LIVE_ID}
ROTATED = {**ENV, "RAZORPAY_WEBHOOK_SECRET_PREVIOUS": OLD, "RAZORPAY_WEBHOOK_SECRET_PREVIOUS_UNTIL": UNTIL}


def direct(**changes):
    """Settings made without an environment."""
    values = {
        "key_id": KEY_ID,
        "key_secret": Secret(KEY, name="key_secret"),
        "webhook_secrets": (Secret(HOOK),),
        "mode": "test",
    }
    return Settings(**{**values, **changes})


def problems(environ):
    """The lines of the one error that this environment gives."""
    with pytest.raises(ConfigError) as caught:
        Settings.from_env(environ)
    return str(caught.value).splitlines()[1:]


def test_the_script_of_checkout_follows_the_base_url():
    """Razorpay's own, or the emulator's."""
    emulated = {**ENV, "RAZORPAY_BASE_URL": "http://127.0.0.1:8765"}

    assert Settings.from_env(ENV).checkout_script == "https://checkout.razorpay.com/v1/checkout.js"
    assert Settings.from_env(emulated).checkout_script == "http://127.0.0.1:8765/v1/checkout.js"


def test_the_least_that_is_needed():
    """Three variables are enough; the rest has documented defaults."""
    settings = Settings.from_env(ENV)

    assert settings.key_id == KEY_ID
    assert settings.key_secret.reveal() == KEY
    assert [(slot.name, slot.reveal()) for slot in settings.webhook_secrets] == [("current", HOOK)]
    assert (settings.mode, settings.base_url, settings.store_label) == ("test", BASE_URL, "sqlite:///razorpay.db")
    assert (settings.app, settings.account_id, settings.unknown_order) == (None, None, "park")
    assert (settings.our_receipt_prefix, settings.our_notes) == (None, {})
    assert (settings.trusted_proxies, settings.source_check) == ((), "off")
    assert (settings.trusted_hops, settings.trust_socket, settings.sources_file) == (0, False, None)
    assert (settings.bad_signature_budget, settings.rate_limit) == (30, None)
    assert settings.rate_limit_url.reveal() == "memory://"
    assert (settings.connect_timeout_s, settings.read_timeout_s, settings.total_timeout_s) == (5, 20, 30)
    assert (settings.max_attempts, settings.max_body_bytes) == (4, 1 << 20)


def test_the_environment_is_os_environ(monkeypatch):
    """Without an argument the process's own environment is read."""
    for name, value in LIVE.items():
        monkeypatch.setenv(name, value)

    assert Settings.from_env().mode == "live"


def test_every_variable():
    """Each field can be set by its variable."""
    settings = Settings.from_env(
        {
            **ENV,
            "RAZORPAY_ENV": "test",
            "RAZORPAY_BASE_URL": "http://127.0.0.1:8700/",
            "RAZORPAY_STORE_URL": "postgresql://shop:pass-word@db.example:5432/shop?sslmode=require",
            "RAZORPAY_APP": "shop.app:rzp",
            "RAZORPAY_ACCOUNT_ID": "acc_BFQ7uQEaa7j2z7",
            "RAZORPAY_UNKNOWN_ORDER": "accept",
            "RAZORPAY_TRUSTED_PROXIES": "10.0.0.0/8, fd00::/16",
            "RAZORPAY_SOURCE_CHECK": "Enforce",
            "RAZORPAY_SOURCES_FILE": "/etc/shop/razorpay-sources.txt",
            "RAZORPAY_TRUSTED_HOPS": "1",
            "RAZORPAY_TRUST_SOCKET": "on",
            "RAZORPAY_BAD_SIGNATURE_BUDGET": "0",
            "RAZORPAY_RATE_LIMIT": "50/second;600/minute",
            "RAZORPAY_RATE_LIMIT_URL": "redis://:pass-word@cache.example:6379/0",
            "RAZORPAY_CONNECT_TIMEOUT_S": "1.5",
            "RAZORPAY_READ_TIMEOUT_S": "10",
            "RAZORPAY_TOTAL_TIMEOUT_S": "15",
            "RAZORPAY_MAX_ATTEMPTS": "2",
            "RAZORPAY_MAX_BODY_BYTES": "65536",
        }
    )

    assert settings.base_url == "http://127.0.0.1:8700"
    assert settings.store_url.reveal().startswith("postgresql://shop:pass-word@")
    assert settings.store_label == "postgresql://db.example:5432/shop"
    assert (settings.app, settings.account_id) == ("shop.app:rzp", "acc_BFQ7uQEaa7j2z7")
    assert (settings.unknown_order, settings.trusted_proxies) == ("accept", ("10.0.0.0/8", "fd00::/16"))
    assert (settings.source_check, settings.connect_timeout_s, settings.total_timeout_s) == ("enforce", 1.5, 15)
    assert (settings.trusted_hops, settings.trust_socket) == (1, True)
    assert settings.sources_file == "/etc/shop/razorpay-sources.txt"
    assert (settings.bad_signature_budget, settings.rate_limit) == (0, "50/second;600/minute")
    assert settings.rate_limit_url.reveal() == "redis://:pass-word@cache.example:6379/0"
    assert "pass-word" not in repr(settings)
    assert (settings.read_timeout_s, settings.max_attempts, settings.max_body_bytes) == (10, 2, 65536)


def test_empty_variables_count_as_absent():
    """An optional variable that is set to nothing, as container files do, has its default."""
    names = ("RAZORPAY_ENV", "RAZORPAY_BASE_URL", "RAZORPAY_STORE_URL", "RAZORPAY_WEBHOOK_SECRET_PREVIOUS")

    assert Settings.from_env({**ENV, **dict.fromkeys(names, "")}).mode == "test"


def test_all_problems_at_once():
    """Whatever is missing or wrong is listed together, one line each, with its variable's name."""
    found = problems({"RAZORPAY_ENV": "prod", "RAZORPAY_MAX_ATTEMPTS": "many", "RAZORPAY_WEBHOOK_SECRET": "12345"})

    assert [line.split(":")[0].strip() for line in found] == [
        "RAZORPAY_KEY_ID",
        "RAZORPAY_KEY_SECRET",
        "RAZORPAY_ENV",
        "RAZORPAY_MAX_ATTEMPTS",
        "RAZORPAY_WEBHOOK_SECRET",
    ]


SECRET_FAULTS = {
    "absent": "",
    "five characters": "abcde",
    "15 characters": "aB3dE6gH9jK2mN5",
    "trailing newline": HOOK + "\n",
    "leading space": " " + HOOK,
    "byte order mark": "\ufeff" + HOOK,
    "non-printing": HOOK[:9] + "\x07" + HOOK[9:],
    "newline inside": HOOK[:9] + "\n" + HOOK[9:],
    "not ASCII": HOOK + "é",
    "not text": HOOK + "\udcff",
    "one character": "x" * 24,
    "placeholder": "your_webhook_secret",
    "placeholder in capitals": "<YOUR_RAZORPAY_WEBHOOK_SECRET>",
    "changeme": "change-me-change-me",
    "words": "razorpay_webhook_secret_123",
    "template": "${RAZORPAY_WEBHOOK_SECRET}",
    "template of the deploy tool": "{{ razorpay_webhook }}",
    "key secret": KEY,
    "key id": KEY_ID,
}


@pytest.mark.parametrize("value", SECRET_FAULTS.values(), ids=SECRET_FAULTS.keys())
def test_unsafe_webhook_secrets(value):
    """Each unsafe webhook secret is one problem, under its variable, without the value."""
    found = problems({**ENV, "RAZORPAY_WEBHOOK_SECRET": value})

    assert len(found) == 1
    assert found[0].startswith("  RAZORPAY_WEBHOOK_SECRET: ")
    assert not value or value not in found[0]


@pytest.mark.parametrize("value", ["", "short", KEY + "\n", "your_key_secret_here", KEY_ID])
def test_unsafe_key_secrets(value):
    """The API key secret is held to the same rules."""
    found = problems({**ENV, "RAZORPAY_KEY_SECRET": value})

    assert [line.split(":")[0] for line in found] == ["  RAZORPAY_KEY_SECRET"]


@pytest.mark.parametrize(
    "secret", ["thisIsMyS3cretFr0mTheDashboard", "EnLs21M47BllR3X8PSFtjtbd", "shop-2026-hook-4711"]
)
def test_real_secrets_pass(secret):
    """Secrets that people really choose, and those that Razorpay makes, are not taken for placeholders."""
    assert Settings.from_env({**ENV, "RAZORPAY_WEBHOOK_SECRET": secret})


ENV_FAULTS = [
    ("RAZORPAY_KEY_ID", ""),
    ("RAZORPAY_KEY_ID", "rzp_prod_29QQoUBi66xm2f"),
    ("RAZORPAY_KEY_ID", KEY_ID + "\n"),
    ("RAZORPAY_ENV", "live"),
    ("RAZORPAY_ENV", "LIVE"),
    ("RAZORPAY_BASE_URL", "http://api.razorpay.com"),
    ("RAZORPAY_BASE_URL", "https://user:pw@api.razorpay.com"),
    ("RAZORPAY_BASE_URL", "https://api.razorpay.com/v1"),
    ("RAZORPAY_BASE_URL", "https://api.razorpay.com?x=1"),
    ("RAZORPAY_BASE_URL", "https://api.razorpay.com\n"),
    ("RAZORPAY_BASE_URL", "http://127.0.0.1.evil.example:80"),
    ("RAZORPAY_BASE_URL", "ftp://127.0.0.1"),
    ("RAZORPAY_STORE_URL", "mysql://localhost/shop"),
    ("RAZORPAY_STORE_URL", "razorpay.db"),
    ("RAZORPAY_STORE_URL", "sqlite:///razorpay.db\n"),
    ("RAZORPAY_APP", "shop.app"),
    ("RAZORPAY_APP", "os;x:y"),
    ("RAZORPAY_ACCOUNT_ID", "pay_BFQ7uQEaa7j2z7"),
    ("RAZORPAY_UNKNOWN_ORDER", "drop"),
    ("RAZORPAY_TRUSTED_PROXIES", "0.0.0.0/0"),
    ("RAZORPAY_TRUSTED_PROXIES", "10.0.0.0/8,::/0"),
    ("RAZORPAY_TRUSTED_PROXIES", "10.0.0.0/7"),
    ("RAZORPAY_TRUSTED_PROXIES", "10.0.0.0/8,,"),
    ("RAZORPAY_TRUSTED_PROXIES", "proxy.internal"),
    ("RAZORPAY_SOURCE_CHECK", "maybe"),
    ("RAZORPAY_SOURCE_CHECK", "true"),
    ("RAZORPAY_SOURCES_FILE", "a\0b"),
    ("RAZORPAY_TRUSTED_HOPS", "32"),
    ("RAZORPAY_TRUSTED_HOPS", "-1"),
    ("RAZORPAY_TRUST_SOCKET", "perhaps"),
    ("RAZORPAY_BAD_SIGNATURE_BUDGET", "many"),
    ("RAZORPAY_RATE_LIMIT", "600 per minute"),
    ("RAZORPAY_RATE_LIMIT", "0/second"),
    ("RAZORPAY_RATE_LIMIT", "5/second;"),
    ("RAZORPAY_RATE_LIMIT", "5/second\n"),
    ("RAZORPAY_RATE_LIMIT_URL", "http://cache.example"),
    ("RAZORPAY_RATE_LIMIT_URL", "redis://cache example"),
    ("RAZORPAY_CONNECT_TIMEOUT_S", "0"),
    ("RAZORPAY_READ_TIMEOUT_S", "-1"),
    ("RAZORPAY_TOTAL_TIMEOUT_S", "inf"),
    ("RAZORPAY_TOTAL_TIMEOUT_S", "nan"),
    ("RAZORPAY_TOTAL_TIMEOUT_S", "301"),
    ("RAZORPAY_TOTAL_TIMEOUT_S", "३०"),
    ("RAZORPAY_MAX_ATTEMPTS", "-1"),
    ("RAZORPAY_MAX_ATTEMPTS", "0"),
    ("RAZORPAY_MAX_ATTEMPTS", "1000"),
    ("RAZORPAY_MAX_ATTEMPTS", "2.5"),
    ("RAZORPAY_MAX_BODY_BYTES", "1048577"),
]


@pytest.mark.parametrize(("name", "value"), ENV_FAULTS)
def test_unsafe_variables(name, value):
    """Each unsafe value is one problem, under its variable's name."""
    found = problems({**ENV, name: value})

    assert [line.split(":")[0].strip() for line in found] == [name]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8700", "https://127.0.0.1:8700", "https://api.razorpay.com.evil.example", "http://x"]
)
def test_live_mode_has_one_address(url):
    """In live mode the credentials go to api.razorpay.com and nowhere else."""
    found = problems({**LIVE, "RAZORPAY_BASE_URL": url})

    assert found == ["  RAZORPAY_BASE_URL: must be https://api.razorpay.com, except in test mode"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:8700", "http://[::1]:8700", "http://localhost", "https://rzp.test"])
def test_test_mode_may_use_an_emulator(url):
    """In test mode a local emulator, or another host over TLS, may stand in for Razorpay."""
    assert Settings.from_env({**ENV, "RAZORPAY_BASE_URL": url}).base_url == url


@pytest.mark.parametrize(("key_id", "mode"), [(KEY_ID, "live"), (LIVE_ID, "test")])
def test_mode_and_key_agree(key_id, mode):
    """A live process refuses a test key, and the other way round."""
    found = problems({**ENV, "RAZORPAY_KEY_ID": key_id, "RAZORPAY_ENV": mode})

    assert [line.split(":")[0].strip() for line in found] == ["RAZORPAY_ENV"]


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("sqlite:///razorpay.db", "sqlite:///razorpay.db"),
        ("sqlite:////var/lib/shop data/größe.db?mode=rwc", "sqlite:////var/lib/shop data/größe.db"),
        ("memory://", "memory://"),
        ("postgresql://db/shop", "postgresql://db/shop"),
        ("postgresql://shop:dbCanary@db-1.example:5432/shop?sslmode=require", "postgresql://db-1.example:5432/shop"),
        ("postgresql+psycopg://shop:dbCanary@db/shop", "postgresql://…"),
        ("postgres://shop@/shop?password=dbCanary", "postgres:///shop"),
        ("postgresql://shop:db/Canary@db/shop", "postgresql://…"),
        ("postgresql://shop:dbCanary?x@db/shop", "postgresql://…"),
        ("postgresql://[dbCanary", "postgresql://…"),
        ("postgresql://shop:db@Canary@db/shop", "postgresql://…"),
    ],
)
def test_the_label_of_a_store(url, label):
    """Where the store is can be shown; where a password cannot be told from it for sure, nothing is."""
    settings = Settings.from_env({**ENV, "RAZORPAY_STORE_URL": url})

    assert settings.store_label == label
    assert settings.store_url.reveal() == url
    assert "Canary" not in repr(settings)


@pytest.mark.parametrize("url", ["memory://", "sqlite://", "sqlite:///:memory:"])
def test_live_mode_needs_a_store_that_lasts(url):
    """A live process that forgets what it did would do it again; in test mode it may."""
    assert problems({**LIVE, "RAZORPAY_STORE_URL": url})[0].startswith("  RAZORPAY_STORE_URL: must outlive")
    assert Settings.from_env({**ENV, "RAZORPAY_STORE_URL": url})


# --- rotation ---------------------------------------------------------------------------------------------------


def test_previous_secret():
    """The previous secret counts until its end date, which is kept in UTC."""
    environ = {**ROTATED, "RAZORPAY_WEBHOOK_SECRET_PREVIOUS_UNTIL": "2026-04-01T00:00:00+05:30"}

    slots = Settings.from_env(environ).webhook_secrets

    assert [slot.name for slot in slots] == ["current", "previous"]
    assert slots[1].until == datetime(2026, 3, 31, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize("until", ["", "soon", "2026-03-31", "2026-03-31T18:30:00", "0001-01-01T00:00:00+14:00"])
def test_previous_secret_needs_its_end(until):
    """A previous secret without an end date, or with one that could mean two moments, is refused."""
    found = problems({**ROTATED, "RAZORPAY_WEBHOOK_SECRET_PREVIOUS_UNTIL": until})

    assert [line.split(":")[0].strip() for line in found] == ["RAZORPAY_WEBHOOK_SECRET_PREVIOUS_UNTIL"]


def test_end_date_without_previous_secret():
    """An end date alone means that the secret was forgotten."""
    found = problems({**ENV, "RAZORPAY_WEBHOOK_SECRET_PREVIOUS_UNTIL": UNTIL})

    assert [line.split(":")[0].strip() for line in found] == ["RAZORPAY_WEBHOOK_SECRET_PREVIOUS"]


def test_previous_equals_current():
    """A rotation that changed nothing is refused."""
    found = problems({**ROTATED, "RAZORPAY_WEBHOOK_SECRET_PREVIOUS": HOOK})

    assert found == ["  RAZORPAY_WEBHOOK_SECRET_PREVIOUS: is the same as another secret"]


def test_list_of_secrets():
    """A JSON list alone is enough, each entry with or without an end date."""
    listed = json.dumps([{"secret": HOOK}, {"secret": OLD, "until": UNTIL}])

    slots = Settings.from_env(
        {**ENV, "RAZORPAY_WEBHOOK_SECRET": "", "RAZORPAY_WEBHOOK_SECRETS": listed}
    ).webhook_secrets

    assert [(slot.name, slot.until is None) for slot in slots] == [("listed-0", True), ("listed-1", False)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("not json", "RAZORPAY_WEBHOOK_SECRETS"),
        ("{}", "RAZORPAY_WEBHOOK_SECRETS"),
        ("[" * 100_000, "RAZORPAY_WEBHOOK_SECRETS"),
        (f'["{OLD}"]', "RAZORPAY_WEBHOOK_SECRETS[0]"),
        (f'[{{"secret": "{OLD}", "expires": "{UNTIL}"}}]', "RAZORPAY_WEBHOOK_SECRETS[0]"),
        ('[{"until": null}]', "RAZORPAY_WEBHOOK_SECRETS[0]"),
        ('[{"secret": ""}]', "RAZORPAY_WEBHOOK_SECRETS[0]"),
        ('[{"secret": 5}]', "RAZORPAY_WEBHOOK_SECRETS[0]"),
        (f'[{{"secret": "{OLD}", "until": 1760000000}}]', "RAZORPAY_WEBHOOK_SECRETS[0]"),
        (f'[{{"secret": "{OLD}"}}, {{"secret": "short"}}]', "RAZORPAY_WEBHOOK_SECRETS[1]"),
    ],
)
def test_bad_lists(text, name):
    """A list that cannot be read is one problem, under the entry that is wrong."""
    found = problems({**ENV, "RAZORPAY_WEBHOOK_SECRETS": text})

    assert [line.split(":")[0].strip() for line in found] == [name]


def test_too_many_secrets():
    """Each secret costs every delivery a hash, so their number is bounded."""
    listed = json.dumps([{"secret": f"{OLD}-{number}"} for number in range(20)])

    found = problems({**ENV, "RAZORPAY_WEBHOOK_SECRETS": listed})

    assert found == ["  RAZORPAY_WEBHOOK_SECRET: are more than 8"]


def test_one_secret_must_last():
    """If every secret had an end date, one day nothing would verify."""
    listed = json.dumps([{"secret": HOOK, "until": UNTIL}])

    found = problems({**ENV, "RAZORPAY_WEBHOOK_SECRET": "", "RAZORPAY_WEBHOOK_SECRETS": listed})

    assert found == ["  RAZORPAY_WEBHOOK_SECRET: must hold one without an end date"]


# --- made directly ------------------------------------------------------------------------------------------------


def test_direct_settings():
    """The same rules hold without an environment, and the error names the field."""
    assert direct().mode == "test"
    with pytest.raises(ConfigError, match=r"\n  total_timeout_s: must be a number of seconds"):
        direct(total_timeout_s=float("nan"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key_id", None),
        ("key_secret", KEY),
        ("key_secret", None),
        ("webhook_secrets", ()),
        ("webhook_secrets", HOOK),
        ("webhook_secrets", (HOOK,)),
        ("webhook_secrets", [Secret(HOOK)]),
        ("webhook_secrets", (Secret(HOOK), Secret(OLD))),
        ("mode", None),
        ("base_url", None),
        ("base_url", b"https://api.razorpay.com"),
        ("store_url", "sqlite:///razorpay.db"),
        ("store_url", Secret(b"\xff\xfe")),
        ("trusted_proxies", "10.0.0.0/8"),
        ("trusted_proxies", (10,)),
        ("trusted_proxies", None),
        ("source_check", 1),
        ("source_check", True),
        ("trusted_hops", True),
        ("sources_file", 1),
        ("rate_limit_url", "memory://"),
        ("total_timeout_s", True),
        ("total_timeout_s", None),
        ("read_timeout_s", "20"),
        ("connect_timeout_s", float("inf")),
        ("max_attempts", True),
        ("max_attempts", 3.0),
    ],
)
def test_direct_values_of_the_wrong_kind(field, value):
    """A value of another type is a problem with its field, never a TypeError."""
    with pytest.raises(ConfigError, match=rf"\n  {field}: ") as caught:
        direct(**{field: value})

    assert not any(canary in str(caught.value) for canary in CANARIES)


def test_there_is_no_way_to_switch_off_tls():
    """No option of that name exists (FAULTS section 7)."""
    with pytest.raises(TypeError):
        direct(verify_tls=False)


def test_settings_cannot_be_changed():
    """Settings are one agreed truth for the life of the process."""
    settings = direct()

    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.mode = "live"


# --- no secret out (FAULTS P6) ---------------------------------------------------------------------------------------


def test_nothing_that_prints_settings_shows_a_secret(caplog):
    """repr, str, format, asdict, copies, JSON and logging show names and places, never a value."""
    settings = Settings.from_env(
        {**ROTATED, "RAZORPAY_STORE_URL": "postgresql://shop:dbCanary42@db/shop?password=dbCanary42"}
    )
    logging.getLogger("test").warning("%r %s", settings, settings)
    shown = [
        repr(settings),
        str(settings),
        f"{settings} {settings!r}",
        repr(dataclasses.asdict(settings)),
        repr(dataclasses.astuple(settings)),
        repr(copy.copy(settings)),
        repr(copy.deepcopy(settings)),
        json.dumps(dataclasses.asdict(settings), default=str),
        json.dumps({"settings": settings}, default=repr),
        caplog.text,
    ]

    text = "\n".join(shown)

    assert KEY_ID in text
    assert "'current', 'previous'" in text
    assert not any(canary in text for canary in (*CANARIES, "dbCanary42"))
    with pytest.raises(TypeError):
        vars(settings)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_settings_refuse_to_travel(protocol):
    """Pickling is refused under every protocol."""
    with pytest.raises(TypeError, match="own environment"):
        pickle.dumps(direct(), protocol)


@pytest.mark.parametrize(
    "change", [{"RAZORPAY_ENV": "live"}, {"RAZORPAY_WEBHOOK_SECRET": KEY}, {"RAZORPAY_KEY_ID": ""}]
)
def test_no_secret_in_a_traceback_with_locals(change):
    """A crash reporter that records the locals of our frames finds no secret in them."""
    try:
        Settings.from_env({**ROTATED, **change})
    except ConfigError as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        ours = [frame for frame in report.stack if "razorpay_hardened" in frame.filename]
    text = "".join(report.format_exception_only()) + "".join(str(frame.locals) for frame in ours)

    assert len(ours) >= 2
    assert not any(canary in text for canary in CANARIES)


# --- the rule that tells ours from theirs -------------------------------------------------------------------------


def test_the_rule_of_a_shared_account():
    """A prefix, notes as JSON, or both; without either there is none."""
    rule = {"RAZORPAY_OUR_RECEIPT_PREFIX": "shop-", "RAZORPAY_OUR_NOTES": '{"app": "shop"}'}

    assert Settings.from_env(ENV).ours is None
    assert Settings.from_env({**ENV, **rule}).ours == Ours("shop-", {"app": "shop"})
    assert Settings.from_env({**ENV, "RAZORPAY_OUR_RECEIPT_PREFIX": "shop-"}).ours == Ours("shop-")
    assert direct(our_notes={"app": "shop"}).ours == Ours(notes={"app": "shop"})


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("RAZORPAY_OUR_RECEIPT_PREFIX", "a prefix"),
        ("RAZORPAY_OUR_RECEIPT_PREFIX", "local_"),
        ("RAZORPAY_OUR_RECEIPT_PREFIX", "fifteen-letters"),
        ("RAZORPAY_OUR_NOTES", "app=shop"),
        ("RAZORPAY_OUR_NOTES", '["app"]'),
        ("RAZORPAY_OUR_NOTES", '{"app": 7}'),
        ("RAZORPAY_OUR_NOTES", '{"app": ""}'),
        ("RAZORPAY_OUR_NOTES", '{"app": "shop", "app": "cafe"}'),
        ("RAZORPAY_OUR_NOTES", "[" * 100_000),
    ],
)
def test_a_rule_that_cannot_tell_is_refused(variable, text):
    """By its variable, without its value."""
    (problem,) = problems({**ENV, variable: text})

    assert problem.strip().startswith(f"{variable}: must be")
    assert text not in problem

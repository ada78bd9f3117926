"""`webhook explain` and `webhook send`: what they say without a network; and `emulate` as far as it is no process."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli_shop import Terminal
from razorpay_hardened import parse_event, verify_webhook
from razorpay_hardened.cli._listen import Listener
from razorpay_hardened.cli._post import post
from razorpay_hardened.cli.webhook import sample
from razorpay_hardened.clock import SystemClock
from razorpay_hardened.signing import Secret, sign_for_test

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
    said = asked.environ(**live)("webhook", "send", "--to", "http://127.0.0.1:1/")
    assert (said.code, said.out) == (2, "")
    assert "events replay" in said.err


def test_an_endpoint_that_is_not_there(asked: Terminal) -> None:
    """Exit code 1: nobody listens on port 1."""
    said = asked("webhook", "send", "--to", "http://127.0.0.1:1/hook", "--json")
    assert said.code == 1
    assert set(said.json) == {"url", "event_id", "bytes", "status", "text", "seconds"}
    assert said.json["status"] is None
    assert "no answer" in asked("webhook", "send", "--to", "http://127.0.0.1:1/hook").out


@pytest.mark.parametrize("amount", ["abc", "1.001", "-1", "1e3", "१००", "NaN"])
def test_an_amount_that_is_none_is_told(asked: Terminal, amount: str) -> None:
    """With the name of the error; nothing is sent."""
    said = asked("webhook", "send", "--to", "http://127.0.0.1:1/hook", f"--amount={amount}")
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


def test_any_documented_event_can_be_sent() -> None:
    """Each call is about other entities; an order that is asked for is that of order and payment."""
    now = SystemClock().now()
    paid = json.loads(sample("order_0123456789abcd", None, now, "order.paid"))["payload"]

    assert paid["order"]["entity"]["id"] == paid["payment"]["entity"]["order_id"] == "order_0123456789abcd"
    assert json.loads(sample(None, None, now, "settlement.processed"))["event"] == "settlement.processed"
    assert sample(None, None, now) != sample(None, None, now)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("payment.capture", "--to", "http://127.0.0.1:1/"), "payment.captured"),
        (("http://127.0.0.1:1/", "--to", "http://127.0.0.1:1/"), "--to http://127.0.0.1:1/"),
        (("settlement.processed", "--to", "http://127.0.0.1:1/", "--amount", "5"), "of a payment"),
        (("payment.captured",), "--to"),
    ],
    ids=["unknown", "url-as-event", "no-payment", "no-endpoint"],
)
def test_what_cannot_be_sent(asked: Terminal, arguments: tuple[str, ...], says: str) -> None:
    """A usage error that says what to write instead."""
    said = asked("webhook", "send", *arguments)
    assert (said.code, said.out) == (2, "")
    assert says in " ".join(said.err.split())


# --- listen


@contextmanager
def listening(secret: str | None = SECRET, **how: Any) -> Iterator[Listener]:
    """A listener that ends after ``count`` deliveries, in a thread of its own."""
    count = how.pop("count", 1)
    settings = {"forward": None, "status": 200, "as_json": True, **how}
    with Listener("127.0.0.1", 0, secret=None if secret is None else Secret(secret), **settings) as listener:
        thread = threading.Thread(target=listener.serve, args=(count,))
        thread.start()
        yield listener
        thread.join(30)


def sent(url: str, body: bytes, signature: str | None = None, **headers: str) -> int | None:
    given = {} if signature is None else {"X-Razorpay-Signature": signature}
    return post(url, body, {"X-Razorpay-Event-Id": "0123456789abcd", **given, **headers}).status


def told(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_listening_tells_of_each_delivery(capfd: pytest.CaptureFixture[str]) -> None:
    """Event, id, whether the signature matches; no body and no secret."""
    with listening(count=4) as listener:
        statuses = [
            sent(listener.url, BODY, sign_for_test(BODY, SECRET)),
            sent(listener.url, BODY, sign_for_test(BODY, "another-secret-entirely")),
            sent(listener.url, b"nonsense \x1b[2J"),
            sent(listener.url, b'["event"]', sign_for_test(b'["event"]', SECRET)),
        ]
    lines = told(capfd)

    assert statuses == [200] * 4
    assert [line["event"] for line in lines] == ["payment.captured"] * 2 + ["(no event)"] * 2
    assert [line["signature"] == "matches" for line in lines] == [True, False, False, True]
    assert lines[2]["signature"] == "missing"
    assert {line["event_id"] for line in lines} == {"0123456789abcd"}
    assert SECRET not in json.dumps(lines)


def test_listening_passes_on_every_byte(capfd: pytest.CaptureFixture[str]) -> None:
    """The application behind it gets the same body and headers, and its answer is what the sender gets."""
    with listening(status=201, count=1) as behind, listening(forward=behind.url) as front:
        assert sent(front.url, BODY, sign_for_test(BODY, SECRET)) == 201
    seen = told(capfd)

    assert [line["status"] for line in seen] == [201, 201]
    assert [line["signature"] for line in seen] == ["matches", "matches"]
    assert {line["bytes"] for line in seen} == {len(BODY)}


def test_nobody_behind_is_504(capfd: pytest.CaptureFixture[str]) -> None:
    """So that the sender tries again."""
    with listening(forward="http://127.0.0.1:1/hook", secret=None) as listener:
        assert sent(listener.url, BODY) == 504
    assert told(capfd)[0]["signature"] == "not checked"


def test_listening_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    """A line each, with control characters made harmless."""
    evil = json.dumps({"event": "payment.\x1b[2J"}).encode()
    with listening(as_json=False) as listener:
        listener.announce()
        sent(listener.url, evil)
    said = capfd.readouterr().out

    assert listener.url in said
    assert "\x1b[2J" not in said
    assert "answered 200" in said


def test_listen_refuses_what_it_cannot_do(asked: Terminal) -> None:
    """An endpoint that is none, an address that is not ours."""
    assert asked("webhook", "listen", "--port", "0", "--forward", "nowhere").code == 2
    assert asked("webhook", "listen", "--host", "192.0.2.1", "--port", "0").code == 2


# --- emulate


def test_faults_from_the_command_line(asked: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules and files are in force from the start; a bad one is told before anything is served."""
    from razorpay_hardened.cli import emulate

    seen: list[str] = []
    monkeypatch.setattr(emulate, "serve", lambda rz, *_: seen.extend(rule.text for rule in rz.faults.rules))
    path = tmp_path / "faults.toml"
    path.write_text("rules = ['on GET *: 429 5%']", "utf-8")
    rules = ("--fault", "on POST /orders: 502 once", "--fault", "on EVENT *: doubled 50%")
    done = asked("emulate", "--port", "0", "--faults", str(path), *rules)

    assert (done.code, seen) == (0, ["on GET *: 429 5%", "on POST /orders: 502 once", "on EVENT *: doubled 50%"])
    assert "/_emulator/" in done.out
    assert asked("emulate", "--port", "0", "--fault", "on POST /orders: teapot").code == 2


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

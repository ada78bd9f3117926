"""Odd headers and methods on a webhook, one row each (section 7, fourth table)."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from bodies import WEBHOOK_SECRET, body, order_id, payment, request
from razorpay_hardened import sign_for_test, web
from razorpay_hardened.errors import RawBodyRequired
from razorpay_hardened.signals import Alarm
from support.bad_inputs import Row, arrive, params, shop

CAPTURED = body("payment.captured", payment=payment(1, "captured"))
OTHER = body("payment.authorized", payment=payment(1, "authorized"))
GOOD = sign_for_test(CAPTURED, WEBHOOK_SECRET)


def sent(method: str = "POST", *more: tuple[str, str], **options: Any) -> Callable[[], web.Request]:
    return lambda: web.Request(method, [("X-Razorpay-Signature", GOOD), *more], CAPTURED, **options)


def id_(value: str) -> tuple[str, str]:
    return "x-razorpay-event-id", value


def no_event_id(ours: Any) -> None:
    assert [row.event_id for row in ours.store.deliveries()] == [None]


def refused(id_: str, status: int, reason: str, sent: Callable[[], web.Request], **more: Any) -> Row:
    return Row(id_, sent, status, "R0", reason, **more)


METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "post", "POST ", "")
OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
TYPES = (
    "application/json; charset=utf-16",
    "application/json; charset=latin-1",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "nonsense",
    "",
)
ODD_IDS = {
    "1,000 characters": "x" * 1000,
    "129 characters": "x" * 129,
    "empty": "",
    "a space inside": "a b",
    "a control character": "a\x01b",
    "not ASCII": "evt-é",
}

ROWS = [
    Row("event id absent", sent(), 200, "RS", then=no_event_id),
    Row("128 characters", sent("POST", id_("x" * 128)), 200, "RS"),
    *(Row(f"event id: {name}", sent("POST", id_(odd)), 200, "RS", then=no_event_id) for name, odd in ODD_IDS.items()),
    Row("two event ids", sent("POST", id_("evt-1"), id_("evt-2")), 200, "RS", then=no_event_id),
    Row("one event id twice", sent("POST", id_("evt-1"), id_("evt-1")), 200, "RS", then=no_event_id),
    Row("same body, fresh event id", sent("POST", id_("evt-9")), 200, "RD", before=(CAPTURED,)),
    *(refused(f"method {method!r}", 405, "MethodRefused", sent(method)) for method in METHODS),
    *(Row(name, sent("POST", (name, "GET")), 200, "RS") for name in OVERRIDES),
    *(Row(f"type {kind!r}", sent("POST", ("Content-Type", kind)), 200, "RS") for kind in TYPES),
    refused("underscore twin", 401, "SignatureMalformed", sent("POST", ("X_Razorpay_Signature", GOOD))),
    refused("underscore twin, bad", 401, "SignatureMalformed", sent("POST", ("x_razorpay_signature", "0" * 64))),
    refused("half a twin", 401, "SignatureMalformed", sent("POST", ("X-Razorpay_Signature", GOOD))),
    refused("the other half", 401, "SignatureMalformed", sent("POST", ("X_Razorpay-Signature", GOOD))),
    refused("in the query", 401, "SignatureMissing",
            lambda: web.Request("POST", {}, CAPTURED, query=f"secret={WEBHOOK_SECRET}&signature={GOOD}")),
    refused("in a cookie", 401, "SignatureMissing",
            lambda: web.Request("POST", {"Cookie": f"X-Razorpay-Signature={GOOD}"}, CAPTURED)),
    refused("as Authorization", 401, "SignatureMissing",
            lambda: web.Request("POST", {"Authorization": f"Bearer {GOOD}"}, CAPTURED)),
    refused("X-Signature", 401, "SignatureMissing", lambda: web.Request("POST", {"X-Signature": GOOD}, CAPTURED)),
]  # fmt: skip


@pytest.mark.parametrize("row", params(ROWS))
def test_headers_and_methods(row: Row) -> None:
    """The status, the record and the signals of the row; nothing else changes."""
    arrive(row)


def test_another_method_is_told_which_one_is_allowed() -> None:
    """405 names it."""
    assert shop().rzp.webhooks.handle(web.Request("GET", {}, b"")).headers.get("Allow") == "POST"


def test_a_known_event_id_with_another_body_is_processed_and_alarmed() -> None:
    """The id is not signed: it may never make us drop a signed body."""
    ours = shop()
    assert [ours.deliver(CAPTURED, event_id="evt-1"), ours.deliver(OTHER, event_id="evt-1")] == [200, 200]
    assert sorted(row.state for row in ours.store.deliveries()) == ["done", "done"]
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["event_id_conflict"]


def test_a_fresh_event_id_buys_no_second_effect() -> None:
    """Whoever saw one delivery can send it again under any id."""
    ours = shop()
    granted: list[str] = []
    ours.rzp.on("order.paid", name="grant")(lambda change, tx: granted.append(change.order.order_id))
    assert {ours.deliver(CAPTURED, event_id=f"evt-{number}") for number in range(20)} == {200}
    assert granted == [order_id(1)]


def test_a_body_that_was_consumed_is_never_verified_as_an_empty_one() -> None:
    """The adapter says what happened, in place of a mismatch that nobody could explain."""
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": str(len(CAPTURED)),
        "wsgi.input": io.BytesIO(b""),
        "HTTP_X_RAZORPAY_SIGNATURE": sign_for_test(b"", WEBHOOK_SECRET),
    }
    with pytest.raises(RawBodyRequired):
        web.Request.from_wsgi(environ)
    assert request(CAPTURED).body == CAPTURED

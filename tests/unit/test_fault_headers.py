"""FAULTS section 7, "HTTP headers and methods": each line, with its code, its status and its record."""

from __future__ import annotations

from typing import Any

import pytest

from bodies import Shop, body, payment, request
from razorpay_hardened import MemoryStore, web
from razorpay_hardened.signals import Alarm, EventDuplicate, EventProcessed, EventRejected

CAPTURED = body("payment.captured", payment=payment(1, "captured"))
NOTED = body("payment.captured", payment=payment(1, "captured", notes={"a": "b"}))
GOOD = request(CAPTURED).headers.get("X-Razorpay-Signature")


def shop() -> Shop:
    ours = Shop(MemoryStore())
    ours.adopt(1)
    return ours


def came(lines: list[tuple[str, str]], raw: bytes = CAPTURED, method: str = "POST", **more: Any) -> tuple[Shop, Any]:
    """One request with just these headers: the shop, and its answer."""
    ours = shop()
    return ours, ours.rzp.webhooks.handle(web.Request(method, lines, raw, **more))


def signed(*more: tuple[str, str]) -> list[tuple[str, str]]:
    return [("X-Razorpay-Signature", str(GOOD)), *more]


PROCESSED = {
    "x-razorpay-event-id absent": signed(),
    "event id of 1,000 characters": signed(("x-razorpay-event-id", "e" * 1000)),
    "two different event-id lines": signed(("x-razorpay-event-id", "evt_1"), ("x-razorpay-event-id", "evt_2")),
    "X-HTTP-Method-Override: GET": signed(("X-HTTP-Method-Override", "GET")),
    "Content-Type: charset=utf-16, UTF-8 body": signed(("Content-Type", "application/json; charset=utf-16")),
}


@pytest.mark.parametrize("line", PROCESSED)
def test_processed(line: str) -> None:
    """200 · RS: stored once, under the digest of the body alone; an odd event id counts as absent."""
    ours, reply = came(PROCESSED[line])
    (row,) = ours.store.deliveries()
    assert (reply.status, row.state, row.event_id) == (200, "done", None)
    assert len(ours.told(EventProcessed)) == 1


REFUSED: dict[str, tuple[Any, int, str]] = {
    "GET": (lambda: came(signed(), method="GET"), 405, "MethodRefused"),
    "underscore twin of the signature": (
        lambda: came(signed(("X_Razorpay_Signature", str(GOOD)))),
        401,
        "SignatureMalformed",
    ),
    "two signature lines": (lambda: came(signed(*signed())), 401, "SignatureMalformed"),
    "secret and signature in the query": (
        lambda: came([], query=f"secret=x&signature={GOOD}"),
        401,
        "SignatureMissing",
    ),
}


@pytest.mark.parametrize("line", REFUSED)
def test_refused(line: str) -> None:
    """R0: a counter, an empty answer, nothing stored."""
    make, status, reason = REFUSED[line]
    ours, reply = make()
    assert (reply.status, reply.body) == (status, b"")
    assert [signal.reason for signal in ours.told(EventRejected)] == [reason]
    assert ours.store.deliveries() == []
    assert reply.headers.get("Allow") == ("POST" if status == 405 else None)


def test_same_signed_body_fresh_event_id() -> None:
    """Duplicate, no second effect · 200 · RD: the header is not signed."""
    ours = shop()
    assert [ours.deliver(CAPTURED, event_id=name) for name in ("evt_1", "evt_2")] == [200, 200]
    assert len(ours.store.deliveries()) == 1
    assert len(ours.told(EventDuplicate)) == 1


def test_known_event_id_different_signed_body() -> None:
    """Both processed · 200 · RS + alarm event_id_conflict: never dropped."""
    ours = shop()
    assert [ours.deliver(raw, event_id="evt_1") for raw in (CAPTURED, NOTED)] == [200, 200]
    assert [row.state for row in ours.store.deliveries()] == ["done", "done"]
    assert [alarm.key for alarm in ours.told(Alarm)] == ["event_id_conflict:evt_1"]


def test_middleware_consumed_the_body() -> None:
    """RawBodyRequired at the adapter · 500 · R0 + alarm: an empty body is never verified in place of the one sent."""
    import io

    ours = shop()
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": str(len(CAPTURED)),
        "HTTP_X_RAZORPAY_SIGNATURE": GOOD,
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "https",
    }
    list(ours.rzp.webhooks.wsgi()(environ, lambda status, headers: statuses.append(status)))
    assert statuses == ["500 Internal Server Error"]
    assert [signal.reason for signal in ours.told(EventRejected)] == ["RawBodyRequired"]
    assert [alarm.key for alarm in ours.told(Alarm)] == ["raw_body"]
    assert ours.store.deliveries() == []

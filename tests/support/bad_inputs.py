"""One bad input: what is sent, what must be answered, and what must be on record afterwards.

The codes of the records are those of the specification: R0 nothing; RQ quarantined; RS stored and processed; RI stored,
type ignored; RD duplicate; RP parked. Whatever is not named by a code must be as it was before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from bodies import Shop, request
from razorpay_hardened import MemoryStore, web
from razorpay_hardened.ports.store import Store
from razorpay_hardened.signals import (
    Alarm,
    EventDuplicate,
    EventIgnored,
    EventParked,
    EventProcessed,
    EventQuarantined,
    EventRejected,
    Signal,
)

__all__ = ["Record", "Row", "arrive", "holdings", "params", "shop"]

Record = Literal["R0", "RQ", "RS", "RI", "RD", "RP"]

_STATES: dict[str, str] = {"RQ": "quarantined", "RS": "done", "RI": "ignored", "RP": "parked"}
_SIGNALS: dict[str, type[Signal]] = {
    "R0": EventRejected,
    "RQ": EventQuarantined,
    "RS": EventProcessed,
    "RI": EventIgnored,
    "RD": EventDuplicate,
    "RP": EventParked,
}
_MANY = 10_000


@dataclass(frozen=True)
class Row:
    """One listed input. ``sent`` is a request, or the bytes of a body that is signed rightly.

    ``reason`` is the code that is counted (R0) or kept (RQ); of two, either. ``before`` are bodies that came earlier;
    ``alarms`` the reasons of the alarms beyond that of a quarantine.
    """

    id: str
    sent: bytes | Callable[[], web.Request]
    status: int
    record: Record
    reason: str | tuple[str, ...] = ""
    before: tuple[bytes, ...] = ()
    alarms: tuple[str, ...] = ()
    mark: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    then: Callable[[Shop], None] | None = None


def params(rows: list[Any]) -> list[Any]:
    """The rows for pytest, each under its id; ``xfail`` those that the code does not do yet, with the reason."""
    return [
        pytest.param(row, id=row.id, marks=[pytest.mark.xfail(strict=True, reason=row.mark)] if row.mark else [])
        for row in rows
    ]


def shop(**options: Any) -> Shop:
    """A shop on an empty store, with order 1 registered."""
    made = Shop(MemoryStore(), options=options)
    made.store.migrate()
    made.adopt(1)
    return made


def holdings(store: Store) -> dict[str, Any]:
    """Everything on record, to be compared as a whole."""
    anchors = store.anchors(limit=_MANY)
    keys = {anchor.key for anchor in anchors} | {row.digest for row in store.deliveries(limit=_MANY)}
    return {
        "inbox": {row.digest: row for row in store.deliveries(limit=_MANY)},
        "orders": store.orders(limit=_MANY),
        "payments": store.payments(limit=_MANY),
        "refunds": store.refunds(limit=_MANY),
        "entities": store.entities(limit=_MANY),
        "effects": [row for row in store.effects(limit=_MANY) if row.milestone != "delivery.doubted"],
        "audit": {key: store.audit(key) for key in sorted(keys)},
    }


def arrive(row: Row, ours: Shop | None = None) -> Shop:
    """Let the row's input arrive, and hold what followed against what the row demands."""
    ours = shop(**row.options) if ours is None else ours
    for raw in row.before:
        assert ours.deliver(raw) == 200
    before = holdings(ours.store)
    ours.heard.clear()
    sent = request(row.sent) if isinstance(row.sent, bytes) else row.sent()
    reply = ours.rzp.webhooks.handle(sent)
    assert reply.status == row.status
    _check_signals(row, ours)
    _check_record(row, sent, before, holdings(ours.store))
    assert ours.rzp.audit.verify().whole
    if row.then is not None:
        row.then(ours)
    return ours


def _check_signals(row: Row, ours: Shop) -> None:
    told = ours.told(_SIGNALS[row.record])
    assert len(told) == 1, [type(signal).__name__ for signal in ours.heard]
    for other in set(_SIGNALS.values()) - {_SIGNALS[row.record]}:
        assert ours.told(other) == []
    reasons = [alarm.reason for alarm in ours.told(Alarm)]
    if row.record in ("R0", "RQ"):
        assert told[0].reason in ((row.reason,) if isinstance(row.reason, str) else row.reason)
    expected = [told[0].reason] if row.record == "RQ" else []
    assert reasons == [*expected, *row.alarms]


def _check_record(row: Row, sent: web.Request, before: dict[str, Any], after: dict[str, Any]) -> None:
    if row.record in ("R0", "RD"):
        assert after == before
        return
    (digest,) = after["inbox"].keys() - before["inbox"].keys()
    kept = after["inbox"][digest]
    assert (kept.state, kept.body) == (_STATES[row.record], sent.body)
    assert all(after["inbox"][key] == was for key, was in before["inbox"].items())
    for key, rows in before["audit"].items():
        assert after["audit"][key][: len(rows)] == rows
    if row.record == "RS":
        return  # what a right event changes is for the row's ``then``; the trail below it stands as it was
    for what in ("orders", "payments", "refunds", "entities", "effects"):
        assert after[what] == before[what], what
    new = {key: rows for key, rows in after["audit"].items() if rows and rows != before["audit"].get(key)}
    if row.record == "RQ":
        assert [(one.what, one.entity_id) for one in new.pop(digest)] == [("quarantined", digest)]
        assert kept.reason.startswith(row.reason)
    assert new == {}

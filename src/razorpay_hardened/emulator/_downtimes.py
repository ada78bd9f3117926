"""Downtimes: Razorpay says that a method does badly (FACTS section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator._listing import collection
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES", "resolve", "start", "update"]

_KIND = "payment.downtime"


def start(world: World, method: str, severity: str, instrument: Entity, *, scheduled: bool) -> Entity:
    """A method begins to fail."""
    now = world.clock.unix()
    downtime: Entity = {
        "id": world.mint("down", method),
        "entity": _KIND,
        "method": method,
        "begin": now,
        "end": None,
        "status": "started",
        "scheduled": scheduled,
        "severity": severity,
        "instrument": instrument,
        "instrument_schema": list(instrument),
        "created_at": now,
        "updated_at": now,
    }
    _changed(world, downtime, "started")
    return downtime


def update(world: World, downtime: Entity, severity: str) -> None:
    """It gets better or worse."""
    downtime.update(severity=severity, status="updated", updated_at=world.clock.unix())
    _changed(world, downtime, "updated")


def resolve(world: World, downtime: Entity) -> None:
    """It is over."""
    now = world.clock.unix()
    downtime.update(status="resolved", end=now, updated_at=now)
    _changed(world, downtime, "resolved")


def _changed(world: World, downtime: Entity, what: str) -> None:
    world.save(downtime)
    world.emit(f"{_KIND}.{what}", **{_KIND: downtime})


def _shown(downtime: Entity) -> Entity:
    """The API leaves out two fields that events carry."""
    return {key: value for key, value in downtime.items() if key not in ("entity", "instrument_schema")}


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/payments/downtimes``: those that are not over. That resolved ones are left out is UNCONFIRMED."""
    rows = world.newest_first(world.table(_KIND), call.as_of)
    return collection(_shown(row) for row in rows if row["status"] != "resolved")


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/payments/downtimes/:id``."""
    return _shown(world.seen(_KIND, call.ids[0], call.as_of))


ROUTES = (
    Route("GET", "/v1/payments/downtimes", list_all),
    Route("GET", "/v1/payments/downtimes/:id", fetch),
)
EVENTS = tuple(EventKind(f"{_KIND}.{name}", ((_KIND,),)) for name in ("started", "updated", "resolved"))

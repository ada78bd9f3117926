"""Plans: what a subscription charges, and how often (FACTS section 8)."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks, _items
from razorpay_hardened.emulator._listing import collection, page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES", "later"]

_IST = timedelta(seconds=19_800)
_DAYS = {"daily": 1, "weekly": 7}
_MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}
_DAILY_MIN = 7


def later(unix: int, plan: Entity, cycles: int) -> int:
    """The same hour ``cycles`` billing cycles later; a month without that day gives its last one."""
    count = plan["interval"] * cycles
    moment = datetime.fromtimestamp(unix, UTC) + _IST
    if plan["period"] in _DAYS:
        moment += timedelta(days=_DAYS[plan["period"]] * count)
    else:
        months = moment.year * 12 + moment.month - 1 + _MONTHS[plan["period"]] * count
        year, month = divmod(months, 12)
        day = min(moment.day, calendar.monthrange(year, month + 1)[1])
        moment = moment.replace(year=year, month=month + 1, day=day)
    return int((moment - _IST).timestamp())


def create(world: World, call: Call) -> Entity:
    """``POST /v1/plans``. No plan is ever changed or deleted."""
    body = call.body
    _checks.known_fields(body, {"period", "interval", "item", "notes"})
    period = _checks.choice_in(body, "period", (*_DAYS, *_MONTHS))
    interval = _checks.whole_in(body, "interval")
    if period == "daily" and interval < _DAILY_MIN:  # text: not published
        raise refusal(f"The interval must be at least {_DAILY_MIN} for daily plans.", field="interval")
    said = _checks.object_in(body, "item")
    plan: Entity = {
        "id": world.mint("plan", said.get("name")),
        "entity": "plan",
        "interval": interval,
        "period": period,
        "item": _items.make(world, said, "plan", said.get("name")),
        "notes": _checks.notes_in(body),
        "created_at": world.clock.unix(),
    }
    world.save(plan)
    return dict(plan)


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/plans/:id``."""
    return world.seen("plan", call.ids[0], call.as_of)


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/plans``, newest first."""
    return collection(page(world.newest_first(world.table("plan"), call.as_of), call.query))


ROUTES = (
    Route("POST", "/v1/plans", create),
    Route("GET", "/v1/plans", list_all),
    Route("GET", "/v1/plans/:id", fetch),
)
EVENTS: tuple[EventKind, ...] = ()

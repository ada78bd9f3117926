"""Items: what invoices, plans and add-ons are about (FACTS section 8). They have no field ``entity``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks
from razorpay_hardened.emulator._listing import collection, page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES", "make"]

_NAME_MAX = 512  # not published


def make(world: World, body: Entity, kind: str, *about: object, known: set[str] | None = None) -> Entity:
    """An item of type ``invoice``, ``plan`` or ``addon`` from what a request says of it."""
    _checks.known_fields(body, known or {"name", "description", "amount", "currency"})
    name = _checks.text_in(body, "name", _NAME_MAX, needed=True)
    currency = _checks.currency_in(body)
    amount = _checks.amount_in(body)
    if amount < _checks.minimum(currency):
        raise refusal("The amount must be at least INR 1.00", field="amount")
    now = world.clock.unix()
    item: Entity = {
        "id": world.mint("item", *about),
        "active": True,
        "name": name,
        "description": _checks.text_in(body, "description", 2048),
        "amount": amount,
        "unit_amount": amount,
        "currency": currency,
        "type": kind,
        "unit": None,
        "tax_inclusive": False,
        "hsn_code": None,
        "sac_code": None,
        "tax_rate": None,
        "tax_id": None,
        "tax_group_id": None,
        "created_at": now,
    }
    return item if kind == "invoice" else {**item, "updated_at": now}


def create(world: World, call: Call) -> Entity:
    """``POST /v1/items``."""
    item = make(world, call.body, "invoice")
    world.save(item)
    return dict(item)


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/items/:id``."""
    return world.seen("item", call.ids[0], call.as_of)


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/items``, newest first."""
    return collection(page(world.newest_first(world.table("item"), call.as_of), call.query))


def update(world: World, call: Call) -> Entity:
    """``PATCH /v1/items/:id``."""
    item = world.live("item", call.ids[0])
    _checks.known_fields(call.body, {"name", "description", "amount", "currency", "active"})
    same = {key: item[key] for key in ("name", "description", "amount", "currency")}
    asked = {**same, **{key: value for key, value in call.body.items() if key != "active"}}
    changed = make(world, asked, "invoice", "changed", item["id"])
    active = _checks.flag_in(call.body, "active", item["active"])
    item.update(changed, id=item["id"], created_at=item["created_at"], active=active)
    world.save(item)
    return dict(item)


def delete(world: World, call: Call) -> list[object]:
    """``DELETE /v1/items/:id``."""
    world.live("item", call.ids[0])
    world.remove(call.ids[0])
    return []


ROUTES = (
    Route("POST", "/v1/items", create),
    Route("GET", "/v1/items", list_all),
    Route("GET", "/v1/items/:id", fetch),
    Route("PATCH", "/v1/items/:id", update),
    Route("DELETE", "/v1/items/:id", delete),
)
EVENTS: tuple[EventKind, ...] = ()

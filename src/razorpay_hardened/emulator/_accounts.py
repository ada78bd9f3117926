"""Linked accounts, as far as transfers need them (FACTS section 8): made, changed, shown.

Stakeholders, documents and product configurations are not emulated: a linked account can take money at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES"]

_TEXTS = (
    ("email", 132),
    ("phone", 15),
    ("legal_business_name", 200),
    ("business_type", 64),
    ("customer_facing_business_name", 255),
    ("reference_id", 20),
    ("contact_name", 255),
)
_NEEDED = ("email", "phone", "legal_business_name", "business_type", "contact_name")
_OBJECTS = ("profile", "legal_info", "contact_info", "apps")


def create(world: World, call: Call) -> Entity:
    """``POST /v2/accounts``."""
    body = call.body
    _checks.known_fields(body, {"type", "notes", *_OBJECTS, *(field for field, _ in _TEXTS)})
    kind = body.get("type", "route")
    if kind not in ("route", "standard"):
        raise refusal(f"Invalid type: {kind}", field="type")
    twin = next((one for one in world.table("account").values() if one["email"] == body.get("email")), None)
    if twin is not None:
        bare = twin["id"].removeprefix("acc_")
        raise refusal(f"Merchant email already exists for account - {bare}", field="email")
    account: Entity = {
        "id": world.mint("acc", body.get("email")),
        "type": kind,
        "status": "created",
        **_details(body, needed=True),
        "notes": _checks.notes_in(body),
        "created_at": world.clock.unix(),
    }
    world.save(account)
    return dict(account)


def _details(body: Entity, *, needed: bool) -> Entity:
    found: Entity = {}
    for field, longest in _TEXTS:
        if (needed and field in _NEEDED) or field in body:
            found[field] = _checks.text_in(body, field, longest, needed=field in _NEEDED)
    for field in _OBJECTS:
        if needed or field in body:
            found[field] = _checks.object_in(body, field)
    return found


def fetch(world: World, call: Call) -> Entity:
    """``GET /v2/accounts/:id``."""
    return dict(_linked(world, call.ids[0]))


def _linked(world: World, account_id: str) -> Entity:
    account = world.table("account").get(account_id)
    if account is None:
        raise refusal("Linked account does not exist")
    return account


def update(world: World, call: Call) -> Entity:
    """``PATCH /v2/accounts/:id``."""
    account = _linked(world, call.ids[0])
    _checks.known_fields(call.body, {"notes", *_OBJECTS, *(field for field, _ in _TEXTS)})
    account.update(_details(call.body, needed=False))
    if "notes" in call.body:
        account["notes"] = _checks.notes_in(call.body)
    world.save(account)
    return dict(account)


ROUTES = (
    Route("POST", "/v2/accounts", create),
    Route("GET", "/v2/accounts/:id", fetch),
    Route("PATCH", "/v2/accounts/:id", update),
)
EVENTS: tuple[EventKind, ...] = ()

"""Linked accounts (FACTS section 8): made, changed, shown, deleted. They can take transfers at once.

Who owns them, what they sell and where their money goes is in the modules of stakeholders and products.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks
from razorpay_hardened.emulator._review import look
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "LOCKED", "ROUTES", "linked"]

LOCKED = "Merchant activation form has been locked for editing by admin."

_BUSINESS_TYPES = (
    "proprietorship",
    "partnership",
    "private_limited",
    "public_limited",
    "llp",
    "ngo",
    "trust",
    "society",
    "not_yet_registered",
    "huf",
    "individual",  # this one is in the samples only
)
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
_OBJECTS = ("profile", "legal_info", "contact_info", "apps", "brand")
_CONTACT = ("email", "phone", "policy_url")


def linked(world: World, account_id: str) -> Entity:
    """The linked account itself, or the refusal that all of its pages print."""
    account = world.table("account").get(account_id)
    if account is None:
        raise refusal("Linked account does not exist", source="", step="", reason="linked_account_id_does_not_exist")
    return account


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
    if "business_type" in found and found["business_type"] not in _BUSINESS_TYPES:
        raise refusal(f"Invalid business type: {found['business_type']}", field="business_type")
    for field in _OBJECTS:
        if needed or field in body:
            found[field] = _checks.object_in(body, field)
    if found.get("contact_info"):
        found["contact_info"] = {
            desk: {**dict.fromkeys(_CONTACT), **said} if isinstance(said, dict) else said
            for desk, said in found["contact_info"].items()
        }
    if color := found.get("brand", {}).get("color"):
        found["brand"] = {**found["brand"], "color": f"#{str(color).removeprefix('#')}"}
    return found


def fetch(world: World, call: Call) -> Entity:
    """``GET /v2/accounts/:id``."""
    return dict(linked(world, call.ids[0]))


def update(world: World, call: Call) -> Entity:
    """``PATCH /v2/accounts/:id``. The type of business and a suspended account stay as they are."""
    account = linked(world, call.ids[0])
    changing = {field for field, _ in _TEXTS} - {"email", "business_type"}
    _checks.known_fields(call.body, {"notes", *_OBJECTS, *changing})
    if account["status"] == "suspended":
        raise refusal(LOCKED)
    account.update(_details(call.body, needed=False))
    if "notes" in call.body:
        account["notes"] = _checks.notes_in(call.body)
    world.save(account)
    look(world, account["id"])
    return dict(account)


def delete(world: World, call: Call) -> Entity:
    """``DELETE /v2/accounts/:id``: it stays, suspended."""
    account = linked(world, call.ids[0])
    if account["status"] != "suspended":
        account.update(status="suspended", suspended_at=world.clock.unix())
        world.save(account)
    return dict(account)


ROUTES = (
    Route("POST", "/v2/accounts", create),
    Route("GET", "/v2/accounts/:id", fetch),
    Route("PATCH", "/v2/accounts/:id", update),
    Route("DELETE", "/v2/accounts/:id", delete),
)
EVENTS: tuple[EventKind, ...] = ()

"""Stakeholders: who owns or runs a linked account (FACTS section 8). They have no ``created_at``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks
from razorpay_hardened.emulator._accounts import LOCKED, linked
from razorpay_hardened.emulator._listing import collection
from razorpay_hardened.emulator._review import look
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES", "stakeholder_of"]

_FIELDS = {"name", "email", "percentage_ownership", "relationship", "phone", "addresses", "kyc", "notes"}
_RELATIONS = ("director", "executive")
_PHONES = ("primary", "secondary")
_RESIDENCE = {"street": (10, 255), "city": (2, 32), "state": (2, 32), "postal_code": (2, 10), "country": (2, 64)}


def stakeholder_of(world: World, account_id: str, stakeholder_id: str) -> Entity:
    """The stakeholder itself, of this linked account; another's does not exist."""
    linked(world, account_id)
    if stakeholder_id not in world.owned(account_id, "stakeholder"):
        raise refusal("The id provided does not exist.")
    return world.live("stakeholder", stakeholder_id)


def create(world: World, call: Call) -> Entity:
    """``POST /v2/accounts/:id/stakeholders``. The e-mail is mandatory for Route, for partners the name."""
    account, body = linked(world, call.ids[0]), call.body
    _open(account)
    needed = "email" if account["type"] == "route" else "name"
    said = _said(body, needed)
    if account["type"] == "route" and world.owned(account["id"], "stakeholder"):
        raise refusal("Stakeholders cannot be more than one for Route product.")
    stakeholder: Entity = {
        "entity": "stakeholder",
        "relationship": {},
        "phone": {},
        "notes": [],
        "kyc": {},
        "id": world.mint("sth", account["id"]),
        "name": None,
        "email": None,
        "percentage_ownership": None,
        "addresses": {},
        **said,
    }
    world.save(stakeholder)
    world.own(account["id"], stakeholder["id"])
    look(world, account["id"])
    return dict(stakeholder)


def _open(account: Entity) -> None:
    if account["status"] == "suspended":
        raise refusal(LOCKED)


def _said(body: Entity, *needed: str) -> Entity:
    """What the request says, as the API shows it."""
    _checks.known_fields(body, _FIELDS)
    found: Entity = {}
    for field, longest in (("name", 255), ("email", 64)):
        if field in body or field in needed:
            found[field] = _checks.text_in(body, field, longest, needed=field in needed)
    if "percentage_ownership" in body:
        found["percentage_ownership"] = _share(body)
    if "relationship" in body:
        said = _checks.object_in(body, "relationship")
        _checks.known_fields(said, _RELATIONS)
        found["relationship"] = {one: True for one in _RELATIONS if _checks.flag_in(said, one)}  # only what is true
    if "phone" in body:
        said = _checks.object_in(body, "phone")
        _checks.known_fields(said, _PHONES)
        found["phone"] = {one: _phone(said, one) for one in _PHONES if said.get(one) is not None}
    if "addresses" in body:
        found["addresses"] = _addresses(_checks.object_in(body, "addresses"))
    if "kyc" in body:
        said = _checks.object_in(body, "kyc")
        _checks.known_fields(said, ("pan",))
        found["kyc"] = {"pan": _checks.text_in(said, "pan", 10)} if "pan" in said else {}
    if "notes" in body:
        found["notes"] = _checks.notes_in(body)
    return found


def _share(body: Entity) -> float | None:
    value: float | None = body["percentage_ownership"]
    if value is None or (type(value) in (int, float) and 0 <= value <= 100):
        return value
    raise refusal("The percentage ownership must be between 0 and 100.", field="percentage_ownership")  # unpublished


def _phone(said: Entity, field: str) -> str:
    """A number or its digits; samples show both."""
    digits = str(said[field])
    if not (digits.isascii() and digits.isdigit() and 8 <= len(digits) <= 11):  # text: not published
        raise refusal(f"The {field} must be between 8 and 11 digits.", field=field)
    return digits


def _addresses(said: Entity) -> Entity:
    _checks.known_fields(said, ("residential",))
    home = _checks.object_in(said, "residential")
    _checks.known_fields(home, _RESIDENCE)
    shown = {
        field: _checks.text_in(home, field, longest, shortest=shortest)
        for field, (shortest, longest) in _RESIDENCE.items()
        if field in home
    }
    return {"residential": shown} if "residential" in said else {}


def list_all(world: World, call: Call) -> Entity:
    """``GET /v2/accounts/:id/stakeholders``, newest first."""
    account = linked(world, call.ids[0])
    return collection(dict(one) for one in world.newest_first(world.owned(account["id"], "stakeholder"), call.as_of))


def fetch(world: World, call: Call) -> Entity:
    """``GET /v2/accounts/:id/stakeholders/:id``."""
    return dict(stakeholder_of(world, *call.ids))


def update(world: World, call: Call) -> Entity:
    """``PATCH /v2/accounts/:id/stakeholders/:id``."""
    stakeholder = stakeholder_of(world, *call.ids)
    _open(linked(world, call.ids[0]))
    stakeholder.update(_said(call.body))
    world.save(stakeholder)
    look(world, call.ids[0])
    return dict(stakeholder)


ROUTES = (
    Route("POST", "/v2/accounts/:id/stakeholders", create),
    Route("GET", "/v2/accounts/:id/stakeholders", list_all),
    Route("GET", "/v2/accounts/:id/stakeholders/:id", fetch),
    Route("PATCH", "/v2/accounts/:id/stakeholders/:id", update),
)
EVENTS: tuple[EventKind, ...] = ()

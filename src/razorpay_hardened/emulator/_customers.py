"""Customers, and the tokens with which they are charged again (FACTS sections 7.3, 8 and 9)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks, _hash
from razorpay_hardened.emulator._listing import collection, page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES", "make", "make_token", "same", "token_becomes"]

_TOKEN_LIFE_S = 10 * 365 * 86_400  # not published
_NOT_RIGHT = "Contact number should be at least 8 digits, including country code"


def create(world: World, call: Call) -> Entity:
    """``POST /v1/customers``. Whoever is there already is refused, unless ``fail_existing`` is 0."""
    body = call.body
    _checks.known_fields(body, {"name", "contact", "email", "fail_existing", "gstin", "notes"})
    _contact(body)
    twin = same(world, body)
    if twin is not None:
        if str(body.get("fail_existing", "1")) == "0":
            return dict(twin)
        raise refusal("Customer already exists for the merchant")  # text: not published
    return dict(make(world, body))


def make(world: World, body: Entity) -> Entity:
    """A customer from what is said of one, in an invoice perhaps."""
    customer: Entity = {
        "id": world.mint("cust", body.get("contact"), body.get("email")),
        "entity": "customer",
        "name": _checks.text_in(body, "name", 50, shortest=3),
        "email": _checks.text_in(body, "email", 64),
        "contact": _contact(body),
        "gstin": _checks.text_in(body, "gstin", 15),
        "notes": _checks.notes_in(body),
        "created_at": world.clock.unix(),
    }
    world.save(customer)
    return customer


def _contact(body: Entity) -> str | None:
    value = body.get("contact")
    if value is None:
        return None
    text = str(value)
    if len(text) > 15 or not re.fullmatch(r"\+?[0-9]{8,}", text, re.ASCII):
        raise refusal(_NOT_RIGHT, field="contact", step="NA", reason="invalid_contact_number")
    return text


def same(world: World, body: Entity) -> Entity | None:
    """A customer with this contact and e-mail address."""
    who = (body.get("contact"), body.get("email"))
    if who == (None, None):
        return None
    return next((one for one in world.table("customer").values() if (one["contact"], one["email"]) == who), None)


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/customers/:id``."""
    return world.seen("customer", call.ids[0], call.as_of)


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/customers``, newest first."""
    return collection(page(world.newest_first(world.table("customer"), call.as_of), call.query))


def update(world: World, call: Call) -> Entity:
    """``PUT /v1/customers/:id``."""
    customer = world.live("customer", call.ids[0])
    body = call.body
    _checks.known_fields(body, {"name", "contact", "email", "gstin", "notes"})
    changes: Entity = {"contact": _contact(body), "name": _checks.text_in(body, "name", 50, shortest=3)}
    changes["email"] = _checks.text_in(body, "email", 64)
    changes["gstin"] = _checks.text_in(body, "gstin", 15)
    customer.update({key: value for key, value in changes.items() if value is not None})
    if "notes" in body:
        customer["notes"] = _checks.notes_in(body)
    world.save(customer)
    return dict(customer)


# --- tokens ---------------------------------------------------------------------------------------------------------


def make_token(
    world: World,
    customer_id: str | None,
    payment: Entity,
    *,
    expires: int | None = None,
    most: int | None = None,
    recurring: bool = True,
) -> Entity:
    """What the bank gives after an authentication payment: the right to charge again, until ``expires``, not more
    than ``most`` subunits at once (``max_amount``, shown where the mandate named one).

    One that is not ``recurring`` only saves the customer some typing, and no event tells of it.
    """
    now = world.clock.unix()
    vpa = (payment["vpa"] or "").partition("@")
    token: Entity = {
        "id": world.mint("token", customer_id),
        "entity": "token",
        "token": _hash.token(world.seed, "token", payment["id"]),
        "bank": payment["bank"],
        "wallet": None,
        "method": payment["method"],
        "vpa": {"username": vpa[0], "handle": vpa[2], "name": None} if payment["vpa"] else None,
        "recurring": recurring,
        "recurring_details": {"status": "confirmed" if recurring else "not_applicable", "failure_reason": None},
        "auth_type": None,
        "mrn": None,
        "used_at": now,
        "created_at": now,
        "expired_at": now + _TOKEN_LIFE_S if expires is None else expires,
        "status": None,
        "notes": [],
        "dcc_enabled": False,
        "compliant_with_tokenisation_guidelines": False,
    }
    if most is not None:
        token["max_amount"] = most
    if "card" in payment:
        token["card"] = {**payment["card"], "expiry_month": 12, "expiry_year": 2030, "flows": {"recurring": True}}
        del token["card"]["id"]
    world.save(token)
    if customer_id is not None:
        world.own(customer_id, token["id"])
    if recurring:
        world.emit("token.confirmed", token=token)
    return token


def token_becomes(world: World, token: Entity, status: str) -> None:
    """``paused``, ``confirmed`` (resumed), ``cancelled`` or ``rejected``, with its event."""
    event = {"confirmed": "resumed"}.get(status, status)
    token["recurring_details"] = {**token["recurring_details"], "status": status}
    world.save(token)
    world.emit(f"token.{event}", token=token)


def _token(world: World, call: Call) -> Entity:
    world.live("customer", call.ids[0])
    if call.ids[1] not in world.owned(call.ids[0], "token"):
        raise refusal("The id provided does not exist")
    return world.live("token", call.ids[1])


def list_tokens(world: World, call: Call) -> Entity:
    """``GET /v1/customers/:id/tokens``."""
    world.live("customer", call.ids[0])
    return collection(dict(one) for one in world.newest_first(world.owned(call.ids[0], "token"), call.as_of))


def fetch_token(world: World, call: Call) -> Entity:
    """``GET /v1/customers/:id/tokens/:id``."""
    return dict(_token(world, call))


def delete_token(world: World, call: Call) -> Entity:
    """``DELETE /v1/customers/:id/tokens/:id``."""
    token = _token(world, call)
    world.disown(call.ids[0], "token", {token["id"]})
    world.remove(token["id"])
    return {"deleted": True}


def cancel_token(world: World, call: Call) -> Entity:
    """``PUT /v1/customers/:id/tokens/:id/cancel``: asked for now, cancelled at once."""
    token = _token(world, call)
    if "recurring_details" not in token:  # text: not published
        raise refusal("The token is not a mandate")
    if token["recurring_details"]["status"] == "cancelled":
        raise refusal("The token is already cancelled")  # text: not published
    world.emit("token.cancellation_initiated", token=token)
    token_becomes(world, token, "cancelled")
    return {"status": "cancellation_initiated"}


ROUTES = (
    Route("POST", "/v1/customers", create),
    Route("GET", "/v1/customers", list_all),
    Route("GET", "/v1/customers/:id", fetch),
    Route("PUT", "/v1/customers/:id", update),
    Route("GET", "/v1/customers/:id/tokens", list_tokens),
    Route("GET", "/v1/customers/:id/tokens/:id", fetch_token),
    Route("DELETE", "/v1/customers/:id/tokens/:id", delete_token),
    Route("PUT", "/v1/customers/:id/tokens/:id/cancel", cancel_token),
)
EVENTS = tuple(
    EventKind(f"token.{name}", (("token",),))
    for name in ("confirmed", "rejected", "paused", "resumed", "cancellation_initiated", "cancelled")
)

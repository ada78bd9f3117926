"""Payment links: a page at which somebody pays (FACTS sections 8 and 9). They have no field ``entity``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks, _hash
from razorpay_hardened.emulator._listing import page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator._terms import Terms
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES", "order_for"]

_QUARTER_HOUR_S, _SIX_MONTHS_S = 900, 183 * 86_400
_FIELDS = {
    "amount",
    "currency",
    "accept_partial",
    "first_min_partial_amount",
    "upi_link",
    "description",
    "reference_id",
    "customer",
    "expire_by",
    "notify",
    "notes",
    "callback_url",
    "callback_method",
    "reminder_enable",
    "options",
}
_WRONG = "wrong input fields sent"


def create(world: World, call: Call) -> Entity:
    """``POST /v1/payment_links``."""
    body = call.body
    if set(body) - _FIELDS:
        raise refusal(_WRONG)
    amount = _checks.amount_in(body, missing="The amount is required")
    currency = _checks.currency_in({"currency": body.get("currency", "INR")})
    if amount < _checks.minimum(currency):
        raise refusal("The amount must be at least INR 1.00", field="amount")
    partial_ok, upi = _checks.flag_in(body, "accept_partial"), _checks.flag_in(body, "upi_link")
    if upi and not world.options.upi_links:
        raise refusal("UPI Payment Links is not supported in Test Mode. Please experience the product in Live Mode")
    if upi and currency != "INR":
        raise refusal("upi is currently supported only in indian currency")
    if upi and partial_ok:
        raise refusal("partial payment not supported in upi link")
    now = world.clock.unix()
    notify = _checks.object_in(body, "notify")
    link: Entity = {
        "accept_partial": partial_ok,
        "amount": amount,
        "amount_paid": 0,
        "callback_method": _checks.text_in(body, "callback_method", 8) or "",
        "callback_url": _checks.text_in(body, "callback_url", 2048) or "",
        "cancelled_at": 0,
        "created_at": now,
        "currency": currency,
        "customer": _customer(body),
        "description": _checks.text_in(body, "description", 2048) or "",
        "expire_by": _expiry(world, body) or 0,
        "expired_at": 0,
        "first_min_partial_amount": _checks.whole_in(body, "first_min_partial_amount", 0, least=0),
        "id": world.mint("plink", body.get("reference_id")),
        "notes": _notes(body),
        "notify": {key: _checks.flag_in(notify, key) for key in ("email", "sms", "whatsapp")},
        "payments": None,
        "reference_id": _reference(world, body) or "",
        "reminder_enable": _checks.flag_in(body, "reminder_enable"),
        "reminders": [],
        "short_url": "",
        "status": "created",
        "updated_at": now,
        "upi_link": upi,
        "user_id": "",
        "whatsapp_link": False,
    }
    if link["callback_method"] not in ("", "get"):
        raise refusal(_WRONG, field="callback_method")
    link["short_url"] = f"https://rzp.io/rzp/{_hash.token(world.seed, 'short', link['id'], length=7)}"
    world.save(link)
    life_ends = link["expire_by"] or now + _SIX_MONTHS_S
    world.clock.plan(life_ends * 1000, partial(_expire, world, link["id"]))
    return dict(link)


def _customer(body: Entity) -> Entity:
    customer = _checks.object_in(body, "customer")
    return {key: str(customer[key]) for key in ("contact", "email", "name") if customer.get(key) is not None}


def _notes(body: Entity) -> Entity | None:
    notes = _checks.notes_in(body)
    if isinstance(notes, dict) and any(len(str(note)) > 255 for note in notes.values()):
        raise refusal("value: the length must not be greater than 255.")
    return notes if isinstance(notes, dict) else None


def _reference(world: World, body: Entity, own: str | None = None) -> str | None:
    reference = _checks.text_in(body, "reference_id", 40)
    if reference:
        same = (link for link in world.table("payment_link").values() if link["reference_id"] == reference)
        if any(link["id"] != own for link in same):
            raise refusal("payment link creation with reference ID already attempted")
    return reference


def _expiry(world: World, body: Entity) -> int | None:
    expire_by = _checks.time_in({"expire_by": body["expire_by"] or None}, "expire_by") if "expire_by" in body else None
    if expire_by is not None:
        if expire_by < world.clock.unix() + _QUARTER_HOUR_S:
            raise refusal("timestamp must be atleast 15 minutes in future", field="expire_by")
        if expire_by > world.clock.unix() + _SIX_MONTHS_S:  # text: not published
            raise refusal("timestamp must not be more than six months in future", field="expire_by")
    return expire_by


def _expire(world: World, link_id: str) -> None:
    link = world.table("payment_link").get(link_id)
    if link is None or link["status"] not in ("created", "partially_paid"):
        return
    if link["expire_by"] > world.clock.unix():  # it was given more time
        world.clock.plan(link["expire_by"] * 1000, partial(_expire, world, link_id))
        return
    now = world.clock.unix()
    link.update(status="expired", expired_at=now, updated_at=now)
    world.save(link)
    world.emit("payment_link.expired", payment_link=_in_event(link))


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/payment_links/:id``."""
    return world.seen("payment_link", call.ids[0], call.as_of)


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/payment_links``. The collection is an object with ``payment_links`` (FACTS section 1)."""
    rows = world.newest_first(world.table("payment_link"), call.as_of)
    if (reference := call.query.get("reference_id")) is not None:
        rows = (link for link in rows if link["reference_id"] == reference[-1])
    if (payment := call.query.get("payment_id")) is not None:
        rows = (link for link in rows if payment[-1] in world.owned(link["id"], "payment"))
    return {"payment_links": [dict(row) for row in page(rows, call.query, ("reference_id", "payment_id"))]}


def update(world: World, call: Call) -> Entity:
    """``PATCH /v1/payment_links/:id``."""
    link = world.live("payment_link", call.ids[0])
    body = call.body
    if set(body) - {"reference_id", "expire_by", "notes", "reminder_enable", "accept_partial"}:
        raise refusal(_WRONG)
    if link["status"] not in ("created", "partially_paid"):
        raise refusal("update can only be made in created or partially paid state")
    changes: Entity = {"updated_at": world.clock.unix()}
    if "reference_id" in body:
        changes["reference_id"] = _reference(world, body, own=link["id"]) or ""
    if "expire_by" in body:
        changes["expire_by"] = _expiry(world, body) or 0
    if "notes" in body:
        changes["notes"] = _notes(body)
    for flag in ("reminder_enable", "accept_partial"):
        if flag in body:
            changes[flag] = _checks.flag_in(body, flag)
    link.update(changes)
    if "expire_by" in body and link["expire_by"]:
        world.clock.plan(link["expire_by"] * 1000, partial(_expire, world, link["id"]))
    world.save(link)
    return dict(link)


def cancel(world: World, call: Call) -> Entity:
    """``POST /v1/payment_links/:id/cancel``."""
    link = world.live("payment_link", call.ids[0])
    if link["status"] in ("paid", "partially_paid"):
        raise refusal("cannot cancel or expire an already paid/partially paid link")
    if link["status"] == "expired":
        raise refusal("cannot cancel or expire an expired link")
    if link["status"] == "cancelled":  # text: not published
        raise refusal("cannot cancel or expire a cancelled link")
    now = world.clock.unix()
    link.update(status="cancelled", cancelled_at=now, updated_at=now)
    world.save(link)
    world.emit("payment_link.cancelled", payment_link=_in_event(link))
    return dict(link)


def notify(world: World, call: Call) -> Entity:
    """``POST /v1/payment_links/:id/notify_by/:medium``."""
    link = world.live("payment_link", call.ids[0])
    if call.ids[1] not in ("sms", "email"):
        raise refusal("not a valid notification medium")
    link["notify"] = {**link["notify"], call.ids[1]: True}
    world.save(link)
    return {"success": True}


# --- being paid -----------------------------------------------------------------------------------------------------


def order_for(world: World, link: Entity) -> Entity:
    """The order behind the link, made at the first attempt. Its amount is the link's. Refused where nobody can pay."""
    if link["status"] not in ("created", "partially_paid"):  # text: not published
        raise refusal(f"This payment link is {link['status']}")
    order_id = world.private[link["id"]].get("order_id")
    if order_id is not None:
        return world.orders[order_id]
    order: Entity = {
        "id": world.mint("order", link["id"]),
        "entity": "order",
        "amount": link["amount"],
        "amount_paid": 0,
        "amount_due": link["amount"],
        "currency": link["currency"],
        "receipt": link["reference_id"] or None,
        "offer_id": None,
        "status": "created",
        "attempts": 0,
        "notes": link["notes"] or [],
        "created_at": world.clock.unix(),
    }
    window = world.options.capture_window_s
    world.terms[order["id"]] = Terms(
        auto=True,
        auto_until_s=window,
        window_s=window,
        partial=link["accept_partial"],
        first_minimum=link["first_min_partial_amount"] or None,
    )
    world.private[link["id"]]["order_id"] = order["id"]
    world.private[order["id"]]["payment"] = {"description": f"#{link['id'].removeprefix('plink_')}"}
    world.on_captured[order["id"]] = partial(_credited, world, link["id"])
    link["order_id"] = order["id"]
    world.save(order, link)
    return order


def _credited(world: World, link_id: str, payment: Entity, order: Entity) -> None:
    link = world.table("payment_link")[link_id]
    now = world.clock.unix()
    paid = {
        "amount": payment["amount"],
        "created_at": payment["created_at"],
        "method": payment["method"],
        "payment_id": payment["id"],
        "plink_id": link_id,
        "status": "captured",
        "updated_at": now,
    }
    world.own(link_id, payment["id"])
    status = "paid" if order["status"] == "paid" else "partially_paid"
    link.update(
        amount_paid=order["amount_paid"], status=status, updated_at=now, payments=[*(link["payments"] or []), paid]
    )
    world.save(link)
    world.emit(f"payment_link.{status}", payment_link=_in_event(link), order=order, payment=payment)


def _in_event(link: Entity) -> Entity:
    """Events do not carry the list of payments; they carry payment and order themselves."""
    return {key: value for key, value in link.items() if key != "payments"}


_BAD_ID = "invalid input [id] = [{}]"
ROUTES = (
    Route("POST", "/v1/payment_links", create),
    Route("GET", "/v1/payment_links", list_all),
    Route("GET", "/v1/payment_links/:id", fetch, bad_id="invalid input [strippedId] = [{}]"),
    Route("PATCH", "/v1/payment_links/:id", update, bad_id=_BAD_ID),
    Route("POST", "/v1/payment_links/:id/cancel", cancel, bad_id=_BAD_ID),
    Route("POST", "/v1/payment_links/:id/notify_by/:medium", notify, bad_id=_BAD_ID),
)
EVENTS = (
    *(
        EventKind(f"payment_link.{name}", (("payment_link", "order", "payment"),))
        for name in ("paid", "partially_paid")
    ),
    *(EventKind(f"payment_link.{name}", (("payment_link",),)) for name in ("cancelled", "expired")),
)

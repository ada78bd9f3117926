"""QR codes: what customers scan and pay (FACTS sections 8 and 9)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _bank, _checks, _hash
from razorpay_hardened.emulator._listing import collection, page
from razorpay_hardened.emulator._payments import shown
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.instruments import Instrument
from razorpay_hardened.emulator.wire import Call, Entity, refusal
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES", "credit"]

_FIELDS = {
    "type",
    "name",
    "usage",
    "fixed_amount",
    "payment_amount",
    "description",
    "customer_id",
    "close_by",
    "notes",
    "tax_invoice",
}
_CLOSE_MIN_S = 120  # two minutes on the page of the call, fifteen on that of the entity


def create(world: World, call: Call) -> Entity:
    """``POST /v1/payments/qr_codes``."""
    body = call.body
    _checks.known_fields(body, _FIELDS)
    kind = _checks.choice_in(body, "type", ("upi_qr", "bharat_qr"))
    usage = _checks.choice_in(body, "usage", ("single_use", "multiple_use"))
    fixed = _checks.flag_in(body, "fixed_amount")
    amount = _checks.whole_in(body, "payment_amount") if fixed or body.get("payment_amount") is not None else None
    close_by = _checks.time_in(body, "close_by")
    if close_by is not None and close_by < world.clock.unix() + _CLOSE_MIN_S:  # text: not published
        raise refusal("close_by should be at least 2 minutes after current time", field="close_by")
    customer = None if body.get("customer_id") is None else world.live("customer", body["customer_id"])
    qr_id = world.mint("qr", body.get("name"))
    qr: Entity = {
        "id": qr_id,
        "entity": "qr_code",
        "created_at": world.clock.unix(),
        "name": _checks.text_in(body, "name", 255) or "",
        "usage": usage,
        "type": kind,
        "image_url": f"https://rzp.io/i/{_hash.token(world.seed, 'image', qr_id, length=7)}",
        "payment_amount": amount,
        "status": "active",
        "description": _checks.text_in(body, "description", 2048) or "",
        "fixed_amount": fixed,
        "payments_amount_received": 0,
        "payments_count_received": 0,
        "notes": _checks.notes_in(body),
        "customer_id": customer and customer["id"],
        "close_by": close_by,
        "closed_at": None,
        "close_reason": None,
    }
    if "tax_invoice" in body:
        qr["tax_invoice"] = _checks.object_in(body, "tax_invoice")
    world.save(qr)
    world.emit("qr_code.created", qr_code=qr)
    if close_by is not None:
        world.clock.plan(close_by * 1000, partial(_time_is_up, world, qr_id))
    return dict(qr)


def _time_is_up(world: World, qr_id: str) -> None:
    qr = world.table("qr_code").get(qr_id)
    if qr is not None and qr["status"] == "active":
        _close(world, qr, None)


def _close(world: World, qr: Entity, reason: str | None) -> None:
    qr.update(status="closed", closed_at=world.clock.unix(), close_reason=reason)
    world.save(qr)
    world.emit("qr_code.closed", qr_code=qr)


def credit(world: World, qr: Entity, amount: int, vpa: str, person: Entity) -> Entity:
    """A customer scans and pays; captured at once. Raises :class:`ConfigError` where the code would refuse it."""
    if qr["status"] == "closed":
        raise ConfigError("the QR code is closed: nobody can pay at it")
    if qr["fixed_amount"] and amount != qr["payment_amount"]:
        raise ConfigError(f"the QR code takes {qr['payment_amount']}, not {amount}")
    shared: Entity = {"description": "QRv2 Payment", "notes": qr["notes"]}
    if qr["customer_id"] is not None:
        shared["customer_id"] = qr["customer_id"]
    payment = _bank.begin(world, None, Instrument("upi", vpa=vpa), amount, "INR", **{**person, **shared})
    world.own(qr["id"], payment["id"])
    _bank.receive(world, payment)
    qr.update(
        payments_amount_received=qr["payments_amount_received"] + amount,
        payments_count_received=qr["payments_count_received"] + 1,
    )
    world.save(qr)
    world.emit("qr_code.credited", payment=payment, qr_code=qr)
    if qr["usage"] == "single_use":
        _close(world, qr, "paid")
    return payment


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/payments/qr_codes/:id``."""
    return world.seen("qr_code", call.ids[0], call.as_of)


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/payments/qr_codes``, of a customer or of a payment."""
    rows = world.newest_first(world.table("qr_code"), call.as_of)
    if (customer := call.query.get("customer_id")) is not None:
        rows = (row for row in rows if row["customer_id"] == customer[-1])
    if (payment := call.query.get("payment_id")) is not None:
        rows = (row for row in rows if payment[-1] in world.owned(row["id"], "payment"))
    return collection(page(rows, call.query, ("customer_id", "payment_id")))


def payments(world: World, call: Call) -> Entity:
    """``GET /v1/payments/qr_codes/:id/payments``."""
    qr = world.live("qr_code", call.ids[0])
    rows = page(world.newest_first(world.owned(qr["id"], "payment"), call.as_of), call.query)
    return collection(shown(row) for row in rows)


def update(world: World, call: Call) -> Entity:
    """``PATCH /v1/payments/qr_codes/:id``: only notes change."""
    qr = world.live("qr_code", call.ids[0])
    _checks.known_fields(call.body, {"notes"})
    qr["notes"] = _checks.notes_in(call.body)
    world.save(qr)
    return dict(qr)


def close(world: World, call: Call) -> Entity:
    """``POST /v1/payments/qr_codes/:id/close``."""
    qr = world.live("qr_code", call.ids[0])
    if qr["status"] == "closed":  # text: not published
        raise refusal("The QR code is already closed")
    _close(world, qr, "on_demand")
    return dict(qr)


ROUTES = (
    Route("POST", "/v1/payments/qr_codes", create),
    Route("GET", "/v1/payments/qr_codes", list_all),
    Route("GET", "/v1/payments/qr_codes/:id", fetch),
    Route("PATCH", "/v1/payments/qr_codes/:id", update),
    Route("GET", "/v1/payments/qr_codes/:id/payments", payments),
    Route("POST", "/v1/payments/qr_codes/:id/close", close),
)
EVENTS = (
    EventKind("qr_code.created", (("qr_code",),)),
    EventKind("qr_code.credited", (("payment", "qr_code"),)),
    EventKind("qr_code.closed", (("qr_code",),)),
)

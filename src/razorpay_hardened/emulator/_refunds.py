"""The refunds endpoints, and the key that makes a refund repeatable (FACTS sections 3 and 7.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _books, _checks, _payments, _settle, _transfers
from razorpay_hardened.emulator._idempotency import once
from razorpay_hardened.emulator._listing import collection, page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, not_applicable, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["create", "fetch", "fetch_of_payment", "list_all", "list_of_payment", "update"]

_FIELDS = {"amount", "speed", "notes", "receipt", "reverse_all"}
_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_KEY_MIN = 10
_SIX_MONTHS_S = 183 * 86_400  # "more than 6 months": the day count is our reading


def create(world: World, call: Call) -> Entity:
    """``POST /v1/payments/:id/refund``, with or without ``X-Refund-Idempotency``."""
    return once(world, "refund", _key(call), call, _refund)


def create_by_body(world: World, call: Call) -> Entity:
    """``POST /v1/refunds``, which only the SDKs know: the payment is named in the body. That it takes the same
    idempotency key is UNCONFIRMED (FACTS section 7.1)."""
    body = dict(call.body)
    payment = world.live("payment", body.pop("payment_id", None))
    return create(world, call._replace(ids=(payment["id"],), body=body))


def _key(call: Call) -> str | None:
    key = call.headers.get("x-refund-idempotency")
    if key is None:
        return None
    if len(key) < _KEY_MIN:
        raise not_applicable("The idempotency key must be at least 10 characters long.")
    if not _KEY.fullmatch(key):
        raise not_applicable("The idempotency key must only contain alphanumeric characters, underscores, and hyphens")
    return key


def _refund(world: World, call: Call) -> Entity:
    _payments.find(world, call, call.ids[0])
    payment = world.payments[call.ids[0]]
    _checks.known_fields(call.body, _FIELDS)
    speed = call.body.get("speed", "normal")
    if speed not in ("normal", "optimum"):
        raise refusal("The selected speed is invalid", field="speed")  # text: published for other fields
    notes = _checks.notes_in(call.body)
    amount = _amount(payment, call.body, speed)
    _refundable(world, payment, amount, speed)
    receipt = _checks.receipt_in(call.body)
    reverse_all = _checks.flag_in(call.body, "reverse_all")
    refund = _settle.open_refund(world, payment, amount, speed=speed, notes=notes, receipt=receipt)
    if reverse_all:
        _transfers.reverse_all(world, payment, refund["id"])
    return dict(refund)


def _amount(payment: Entity, body: Entity, speed: str) -> int:
    """What is asked for; without ``amount``, all that is left. Instant refunds may be below one rupee."""
    if body.get("amount") is None:
        return _settle.left(payment)
    amount = _checks.amount_in(body)
    least = 1 if speed == "optimum" else _checks.minimum(payment["currency"])
    if amount < least:
        raise refusal("The amount must be at least INR 1.00.", field="amount")
    return amount


def _refundable(world: World, payment: Entity, amount: int, speed: str) -> None:
    if _settle.left(payment) == 0:
        raise refusal("The payment has been fully refunded already.")
    if not payment["captured"]:  # text: not published
        raise refusal("The payment status should be captured for action to be taken")
    if amount > _settle.left(payment):
        raise refusal("The refund amount provided is greater than amount captured.", field="amount")
    cost = _books.in_paise(world, amount, payment["currency"])
    if world.options.refunds_need_balance and cost > world.books.balance:  # text: not published
        raise refusal("Your account does not have enough balance to carry out the refund operation.")
    if speed == "normal" and world.clock.unix() - payment["created_at"] > _SIX_MONTHS_S:
        raise refusal("Refund is not supported by the bank because the payment is more than 6 months old")


def _find(world: World, call: Call, refund_id: str) -> Entity:
    refund = world.version(refund_id, call.as_of) or world.first_version(refund_id)
    if refund is None or refund["entity"] != "refund":
        raise refusal("The id provided does not exist")
    return refund


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/refunds/:id``."""
    return _find(world, call, call.ids[0])


def fetch_of_payment(world: World, call: Call) -> Entity:
    """``GET /v1/payments/:id/refunds/:id``; another payment's refund does not exist here."""
    payment = _payments.find(world, call, call.ids[0])
    refund = _find(world, call, call.ids[1])
    if refund["payment_id"] != payment["id"]:
        raise refusal("The id provided does not exist")
    return refund


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/refunds``, newest first."""
    return collection(page(world.newest_first(world.refunds, call.as_of), call.query))


def list_of_payment(world: World, call: Call) -> Entity:
    """``GET /v1/payments/:id/refunds``, newest first."""
    payment = _payments.find(world, call, call.ids[0])
    return collection(page(world.newest_first(world.payment_refunds[payment["id"]], call.as_of), call.query))


def update(world: World, call: Call) -> Entity:
    """``PATCH /v1/refunds/:id``: only notes change, and they must be there."""
    _find(world, call, call.ids[0])
    _checks.known_fields(call.body, {"notes"})
    if "notes" not in call.body:
        raise refusal("The notes field is required", field="notes")
    refund = world.refunds[call.ids[0]]
    refund["notes"] = _checks.notes_in(call.body)
    world.save(refund)
    return dict(refund)


ROUTES = (
    Route("POST", "/v1/payments/:id/refund", create),
    Route("GET", "/v1/payments/:id/refunds", list_of_payment),
    Route("GET", "/v1/payments/:id/refunds/:id", fetch_of_payment),
    Route("POST", "/v1/refunds", create_by_body),
    Route("GET", "/v1/refunds", list_all),
    Route("GET", "/v1/refunds/:id", fetch),
    Route("PATCH", "/v1/refunds/:id", update),
)
EVENTS = tuple(
    EventKind(f"refund.{name}", (("refund", "payment"),))
    for name in ("created", "processed", "failed", "speed_changed")
)

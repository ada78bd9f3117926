"""How refunds live: opened, then processed or failed as time passes (FACTS section 9)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _books, _hash

if TYPE_CHECKING:
    from razorpay_hardened.emulator.wire import Entity
    from razorpay_hardened.emulator.world import World

__all__ = ["left", "open_refund", "settle"]

_ARN_AFTER_S = 86_400  # "filled later": the bank's reference comes after the refund is processed (SCENARIOS RH-69)
_FALLBACK_AMOUNT = 2468  # an optimum refund of this amount cannot be instant in test mode (FACTS section 12)


def left(payment: Entity) -> int:
    """Subunits that can still be refunded."""
    return int(payment["amount"] - payment["amount_refunded"])


def open_refund(
    world: World,
    payment: Entity,
    amount: int,
    *,
    speed: str = "normal",
    notes: object = None,
    receipt: str | None = None,
) -> Entity:
    """A refund of a captured payment, or Razorpay's own of an authorised one."""
    refund: Entity = {
        "id": world.mint("rfnd", payment["id"]),
        "entity": "refund",
        "amount": amount,
        "currency": payment["currency"],
        "payment_id": payment["id"],
        "notes": notes or [],
        "receipt": receipt,
        "acquirer_data": {_reference_field(payment): None},
        "created_at": world.clock.unix(),
        "batch_id": None,
        "status": "pending",
        "speed_processed": "instant" if speed == "optimum" else "normal",
        "speed_requested": speed,
    }
    world.payment_refunds[payment["id"]].append(refund["id"])
    _move(payment, amount)
    at_once = world.options.refund_after_s == 0
    if at_once:
        refund["status"] = "processed"
    world.save(payment, refund)
    if payment["captured"]:  # an authorised payment never came in: giving it back moves nothing of ours
        _row(world, payment, refund, -1)
    world.emit("refund.created", refund=refund, payment=payment)
    if at_once:
        _processed(world, refund)
    else:
        _plan(world, refund)
    return refund


def _row(world: World, payment: Entity, refund: Entity, sign: int) -> None:
    """The refund in the books; with ``sign`` 1 it comes back. How the report shows one that failed is not published."""
    change = sign * _books.in_paise(world, refund["amount"], refund["currency"])
    _books.move(world, refund["id"], "refund", change, payment)


def _reference_field(payment: Entity) -> str:
    return "rrn" if payment["method"] == "upi" else "arn"


def _move(payment: Entity, amount: int) -> None:
    """Add to what the payment gave back; a negative amount takes back a refund that failed."""
    refunded = payment["amount_refunded"] + amount
    full = refunded == payment["amount"]
    payment.update(amount_refunded=refunded, refund_status="full" if full else "partial" if refunded else None)
    if full:
        payment["status"] = "refunded"
    elif payment["status"] == "refunded":
        payment["status"] = "captured" if payment["captured"] else "authorized"


def _plan(world: World, refund: Entity) -> None:
    due = world.clock.ms + world.options.refund_after_s * 1000
    if refund["speed_requested"] == "optimum" and refund["amount"] == _FALLBACK_AMOUNT:
        world.clock.plan(world.clock.ms + world.options.refund_after_s * 500, partial(_fall_back, world, refund))
    world.clock.plan(due, partial(_due, world, refund))


def _fall_back(world: World, refund: Entity) -> None:
    if refund["status"] == "pending":
        refund["speed_processed"] = "normal"
        world.save(refund)
        world.emit("refund.speed_changed", refund=refund, payment=world.payments[refund["payment_id"]])


def _due(world: World, refund: Entity) -> None:
    if refund["status"] == "pending":
        settle(world, refund, "processed")


def settle(world: World, refund: Entity, outcome: str) -> None:
    """Processed or failed. A failed refund gives its amount back to what can be refunded; it never changes again."""
    if refund["status"] in ("failed", outcome):
        return
    refund["status"] = outcome
    payment = world.payments[refund["payment_id"]]
    if outcome == "failed":
        _move(payment, -refund["amount"])
        world.save(payment, refund)
        if payment["captured"]:
            _row(world, payment, refund, 1)
        world.emit("refund.failed", refund=refund, payment=payment)
        return
    world.save(refund)
    _processed(world, refund)


def _processed(world: World, refund: Entity) -> None:
    world.emit("refund.processed", refund=refund, payment=world.payments[refund["payment_id"]])
    world.clock.plan(world.clock.ms + _ARN_AFTER_S * 1000, partial(_reference, world, refund))


def _reference(world: World, refund: Entity) -> None:
    if refund["status"] == "processed":
        field = next(iter(refund["acquirer_data"]))
        refund["acquirer_data"] = {field: _hash.digits(world.seed, "arn", refund["id"])}
        world.save(refund)

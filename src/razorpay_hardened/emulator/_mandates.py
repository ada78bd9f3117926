"""Orders with a ``token`` block: who pays one lets the business charge again (API reference, recurring payments).

Cards and UPI. Mandates by eMandate and NACH begin with an order over 0, which is not emulated.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks, _customers
from razorpay_hardened.emulator.wire import Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["FIELDS", "attach", "block_in"]

FIELDS = {"customer_id", "method", "token"}
_LEAST = 100
_MOST = {"card": 1_500_000, "upi": 9_999_900}
_FREQUENCIES = ("weekly", "monthly", "yearly", "as_presented")


def block_in(world: World, body: Entity) -> Entity | None:
    """The mandate that an order asks for, or None. That its fields are needed is published, the texts are not."""
    if body.get("token") is None:
        _checks.known_fields(FIELDS & set(body), ())
        return None
    said = body["token"]
    if not isinstance(said, dict):
        raise refusal("The token must be an array.", field="token")
    _checks.known_fields(said, {"max_amount", "expire_at", "frequency", "notes"})
    customer = world.live("customer", body.get("customer_id"))
    method = _checks.choice_in(body, "method", tuple(_MOST), "card")
    most = _checks.whole_in(said, "max_amount", least=_LEAST)
    if most > _MOST[method]:
        raise refusal(f"The max_amount may not be greater than {_MOST[method]}.", field="max_amount")
    expire_at = _checks.time_in(said, "expire_at")
    if expire_at is None:
        raise refusal("The expire_at field is required", field="expire_at")
    if expire_at <= world.clock.unix():
        raise refusal("The expire_at must be in the future.", field="expire_at")
    return {
        "customer_id": customer["id"],
        "method": method,
        "max_amount": most,
        "expire_at": expire_at,
        "frequency": _checks.choice_in(said, "frequency", _FREQUENCIES),
        "notes": _checks.notes_in(said),
    }


def attach(world: World, order: Entity, block: Entity) -> None:
    """Let the order show its mandate, and let the payment that pays it make the token."""
    customer_id = block["customer_id"]
    shown = {key: value for key, value in block.items() if key != "customer_id"}
    order.update(
        method=block["method"],
        customer_id=customer_id,
        token={**shown, "recurring_status": None, "failure_reason": None, "currency": order["currency"]},
    )
    world.on_captured[order["id"]] = partial(_registered, world, block)


def _registered(world: World, block: Entity, payment: Entity, order: Entity) -> None:
    """The first payment was captured: the token is confirmed, up to the mandate's end."""
    if payment.get("token_id") is not None:
        return
    token = _customers.make_token(
        world, block["customer_id"], payment, expires=block["expire_at"], most=block["max_amount"]
    )
    payment.update(customer_id=block["customer_id"], token_id=token["id"])
    order["token"] = {**order["token"], "recurring_status": "confirmed"}
    world.save(payment, order)

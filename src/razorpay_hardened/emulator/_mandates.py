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

__all__ = ["FIELDS", "attach", "block_in", "notice_failed", "notice_in", "notify"]

FIELDS = {"customer_id", "method", "token"}
_AFTER_S = 36 * 3600
_NOTICE_S = 60  # how long a pre-debit notice takes; not published
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


# --- pre-debit notices ----------------------------------------------------------------------------------------------


def notice_in(world: World, body: Entity) -> Entity | None:
    """``notification`` of an order for a debit: whom to tell, and when the debit may come."""
    said = _checks.object_in(body, "notification")
    if not said:
        return None
    _checks.known_fields(said, {"token_id", "payment_after"})
    token = world.live("token", said.get("token_id"))
    after = _checks.time_in(said, "payment_after")
    return {"token_id": token["id"], "payment_after": world.clock.unix() + _AFTER_S if after is None else after}


def notify(world: World, order: Entity, said: Entity) -> None:
    """The customer is told of the debit to come: delivered or failed after a while, with its event."""
    order["notification"] = said
    notice = {
        "id": world.mint("notification", order["id"]),
        "entity": "notification",
        "order_id": order["id"],
        "token_id": said["token_id"],
        "delivered_at": None,
        "status": "created",
        "payment_after": said["payment_after"],
    }
    world.private[order["id"]]["notice"] = notice
    world.clock.plan(world.clock.ms + _NOTICE_S * 1000, partial(_noticed, world, order["id"]))


def _noticed(world: World, order_id: str) -> None:
    notice = world.private.get(order_id, {}).get("notice")
    if notice is None:
        return
    failed = world.private.get(notice["token_id"], {}).get("notices_fail", False)
    status = "failed" if failed else "delivered"
    notice = {**notice, "status": status, "delivered_at": None if failed else world.clock.unix()}
    world.private[order_id]["notice"] = notice
    world.emit(f"order.notification.{status}", notification=notice)


def notice_failed(world: World, order_id: str) -> bool:
    """Whether the debit of this order had a notice that could not be delivered: there is no debit then."""
    notice = world.private.get(order_id, {}).get("notice")
    return notice is not None and notice["status"] == "failed"

"""Orders that register a mandate, or that only one bank account may pay (FACTS section 8)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks, _customers
from razorpay_hardened.emulator.wire import Entity, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from razorpay_hardened.emulator.world import World

__all__ = ["expect", "notice_failed", "notice_in", "notify", "said_in"]

_AFTER_S = 36 * 3600
_NOTICE_S = 60  # how long a pre-debit notice takes; not published
_LEAST, _MOST = 100, {"card": 1_500_000, "upi": 9_999_900}
_FREQUENCIES = ("weekly", "monthly", "yearly", "as_presented")
_METHODS = ("card", "netbanking", "upi", "emandate", "nach")


def said_in(world: World, body: Entity) -> Entity:
    """``customer_id``, ``method``, ``bank_account`` and ``token`` of an order, shown again as they were sent."""
    said: Entity = {}
    if body.get("customer_id") is not None:
        said["customer_id"] = world.live("customer", body["customer_id"])["id"]
    if body.get("method") is not None:
        said["method"] = _checks.choice_in(body, "method", _METHODS)
    if body.get("bank_account") is not None:
        bank = _checks.object_in(body, "bank_account")
        for field in ("account_number", "name", "ifsc"):
            _checks.text_in(bank, field, 255, needed=True)
        said["bank_account"] = dict(bank)
    if body.get("token") is not None:
        said["token"] = dict(_checks.object_in(body, "token"))
        if "customer_id" not in said:  # text: not published
            raise refusal("The customer_id field is required when token is present", field="customer_id")
        if said.get("method") in _MOST:
            _check_limits(world, said["token"], _MOST[said["method"]])
    return said


def _check_limits(world: World, token: Entity, most: int) -> None:
    """What a card or UPI mandate must say (API reference, recurring payments); the texts are not published."""
    if _checks.whole_in(token, "max_amount", least=_LEAST) > most:
        raise refusal(f"The max_amount may not be greater than {most}.", field="max_amount")
    expire_at = _checks.time_in(token, "expire_at")
    if expire_at is None:
        raise refusal("The expire_at field is required", field="expire_at")
    if expire_at <= world.clock.unix():
        raise refusal("The expire_at must be in the future.", field="expire_at")
    _checks.choice_in(token, "frequency", _FREQUENCIES)


def expect(world: World, order: Entity, then: Callable[[Entity, Entity], None] | None = None) -> None:
    """When the order is paid, the customer has a token that can be charged again. ``then`` hears of it next."""
    about = world.private[order["id"]].get("payment", {})
    world.private[order["id"]]["payment"] = {**about, "customer_id": order["customer_id"]}
    world.on_captured[order["id"]] = partial(_registered, world, then)


def _registered(world: World, then: Callable[[Entity, Entity], None] | None, payment: Entity, order: Entity) -> None:
    limits = order["token"]
    token = _customers.make_token(
        world, order["customer_id"], payment, expires=limits.get("expire_at"), most=limits.get("max_amount")
    )
    payment["token_id"] = token["id"]
    world.save(payment)
    if then is not None:
        then(payment, order)


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

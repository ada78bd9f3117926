"""Orders that register a mandate, or that only one bank account may pay (FACTS section 8)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks, _customers
from razorpay_hardened.emulator.wire import Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["expect", "said_in"]

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
    return said


def expect(world: World, order: Entity) -> None:
    """When the order is paid, the customer has a token with which he can be charged again."""
    world.private[order["id"]]["payment"] = {"customer_id": order["customer_id"]}
    world.on_captured[order["id"]] = partial(_registered, world)


def _registered(world: World, payment: Entity, order: Entity) -> None:
    token = _customers.make_token(world, order["customer_id"], payment)
    payment["token_id"] = token["id"]
    world.save(payment)

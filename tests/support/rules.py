"""One row per write: how it is made, and how many times it was carried out. The rules are tested on these.

A row's ``arrange`` prepares the emulator and gives what ``act`` needs; ``act`` makes the call through the client;
``effects`` counts at the emulator, which alone knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from razorpay_hardened.client import Client
from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._values import Operation
from razorpay_hardened.domain.money import Money
from razorpay_hardened.emulator import Emulator

__all__ = ["ROWS", "Row", "order", "payment", "refund"]

INR = Money.inr("499.00")


@dataclass(frozen=True)
class Row:
    """A write to be tested."""

    operation: Operation
    arrange: Callable[[Emulator], Any]
    act: Callable[[Client, Any], Any]
    effects: Callable[[Emulator, Any], int]

    def __str__(self) -> str:
        return self.operation.name


def order(rz: Emulator) -> str:
    """An order over 499 rupees, made without the client."""
    reply = rz.request("POST", "/v1/orders", {"amount": 49900, "currency": "INR", "receipt": "arranged"})
    return str(reply.json()["id"])


def payment(rz: Emulator, outcome: str = "captured") -> str:
    """A payment of such an order."""
    return str(rz.pay(order(rz), outcome=outcome)["id"])


def refund(rz: Emulator) -> str:
    """A refund of a part of it."""
    return str(rz.refund(payment(rz), 500)["id"])


def _created(receipt: str | None) -> Row:
    return Row(
        op.ORDER_CREATE if receipt else op.ORDER_CREATE_ONCE,
        lambda rz: None,
        lambda client, _: client.orders.create(amount=INR, receipt=receipt, notes={"shop": "7"}),
        lambda rz, _: len(rz.world.orders),
    )


ROWS: list[Row] = [
    _created("inv-42"),
    _created(None),
    Row(
        op.ORDER_EDIT,
        order,
        lambda client, order_id: client.orders.edit(order_id, notes={"shop": "8"}),
        lambda rz, order_id: int(rz.world.orders[order_id]["notes"] == {"shop": "8"}),
    ),
    Row(
        op.PAYMENT_CAPTURE,
        lambda rz: payment(rz, "authorized"),
        lambda client, payment_id: client.payments.capture(payment_id, INR),
        lambda rz, payment_id: int(rz.world.payments[payment_id]["captured"]),
    ),
    Row(
        op.PAYMENT_EDIT,
        payment,
        lambda client, payment_id: client.payments.edit(payment_id, notes={"shop": "8"}),
        lambda rz, payment_id: int(rz.world.payments[payment_id]["notes"] == {"shop": "8"}),
    ),
    Row(
        op.PAYMENT_REFUND,
        payment,
        lambda client, payment_id: client.payments.refund(payment_id, Money(500)),
        lambda rz, _: len(rz.world.refunds),
    ),
    Row(
        op.REFUND_EDIT,
        refund,
        lambda client, refund_id: client.refunds.edit(refund_id, notes={"shop": "8"}),
        lambda rz, refund_id: int(rz.world.refunds[refund_id]["notes"] == {"shop": "8"}),
    ),
]

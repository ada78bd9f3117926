"""Reading answers: entities that echo what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from razorpay_hardened.client._caller import EchoMismatch

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Order, Payment, Refund
    from razorpay_hardened.domain.money import Money

__all__ = ["echo", "order", "orders", "payment", "payments", "refund", "refunds", "same_money"]

# The models are imported at the first answer: they cost more to load than all the rest of the client.


def echo(name: str, got: object, asked: object) -> None:
    """Raise :class:`EchoMismatch` unless the answer repeats what was asked (FAULTS rule 13)."""
    if got != asked:
        raise EchoMismatch(name)


def same_money(entity: Order | Payment | Refund, asked: Money) -> None:
    """The entity's amount and currency are the ones asked for."""
    echo("amount", entity.amount, asked.subunits)
    echo("currency", entity.currency, asked.currency)


def order(body: Any) -> Order:
    """One order."""
    from razorpay_hardened.domain.entities import Order, parse_as

    return parse_as(Order, body)


def payment(body: Any) -> Payment:
    """One payment."""
    from razorpay_hardened.domain.entities import Payment, parse_as

    return parse_as(Payment, body)


def refund(body: Any) -> Refund:
    """One refund."""
    from razorpay_hardened.domain.entities import Refund, parse_as

    return parse_as(Refund, body)


def orders(body: Any) -> tuple[Order, ...]:
    """A collection of orders."""
    from razorpay_hardened.domain.entities import Order, parse_collection

    return parse_collection(body, Order)


def payments(body: Any) -> tuple[Payment, ...]:
    """A collection of payments."""
    from razorpay_hardened.domain.entities import Payment, parse_collection

    return parse_collection(body, Payment)


def refunds(body: Any) -> tuple[Refund, ...]:
    """A collection of refunds."""
    from razorpay_hardened.domain.entities import Refund, parse_collection

    return parse_collection(body, Refund)

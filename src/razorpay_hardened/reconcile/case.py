"""What both sides say about one order: pairs of our row and Razorpay's entity, side by side.

Everything that a slice of the listings shows of one order (or of one payment without an order) is one case, so that it
is compared as a whole and repaired in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeAlias, TypeVar

from razorpay_hardened.domain.state import OrderState, PaymentState, RefundState

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Order, Payment, Refund

__all__ = ["Case", "OrderPair", "Pair", "PaymentPair", "RefundPair"]

HereT = TypeVar("HereT")
ThereT = TypeVar("ThereT")


class Pair(NamedTuple, Generic[HereT, ThereT]):
    """Our row and Razorpay's entity; None where that side has nothing.

    ``listed`` is false for what was only fetched as a detail of something else: it is compared, but not counted.
    """

    here: HereT | None
    there: ThereT | None
    listed: bool = True


OrderPair: TypeAlias = "Pair[OrderState, Order]"
PaymentPair: TypeAlias = "Pair[PaymentState, Payment]"
RefundPair: TypeAlias = "Pair[RefundState, Refund]"


@dataclass(frozen=True, slots=True)
class Case:
    """One order's pairs; ``payments`` and ``refunds`` are by id.

    ``anchor`` is Razorpay's order id, the local id of an order that has none yet, or the id of a payment that has no
    order.
    """

    anchor: str
    order: OrderPair | None = None
    payments: Mapping[str, PaymentPair] = field(default_factory=dict)
    refunds: Mapping[str, RefundPair] = field(default_factory=dict)

    def after(
        self,
        orders: Mapping[str, OrderState],
        payments: Mapping[str, PaymentState],
        refunds: Mapping[str, RefundState],
    ) -> Case:
        """The same case with our side as it is now: rows by local id, payment id and refund id."""
        order = self.order
        if order is not None and order.here is not None:
            order = order._replace(here=orders.get(order.here.local_id, order.here))
        return replace(
            self,
            order=order,
            payments={key: pair._replace(here=payments.get(key, pair.here)) for key, pair in self.payments.items()},
            refunds={key: pair._replace(here=refunds.get(key, pair.here)) for key, pair in self.refunds.items()},
        )

"""Magic Checkout: what was shipped, and the risk that it comes back (API_REFERENCE "Orders")."""

from __future__ import annotations

from typing import ClassVar, Literal

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import Loose, LooseList, Ref, Status, Text

__all__ = ["OrderFulfilment", "RtoReason", "RtoReview", "Shipping"]


class Shipping(Detail):
    """A parcel: its waybill, who carries it, and where it stands."""

    waybill: Text = None
    status: Text = None
    provider: Text = None


class OrderFulfilment(Entity):
    """How an order was fulfilled."""

    kind: ClassVar[str] = "order.fulfillment"
    entity: Literal["order.fulfillment"] = "order.fulfillment"
    order_id: Ref = None
    payment_method: Text = None
    shipping: Loose[Shipping] = None


class RtoReason(Detail):
    """One reason to expect the parcel back."""

    reason: Text = None
    description: Text = None
    bucket: Text = None


class RtoReview(Entity):
    """The risk that an order is returned to its origin. ``risk_tier`` is high, medium or low."""

    kind: ClassVar[str] = "order.rto_review"
    risk_tier: Status = None
    rto_reasons: LooseList[RtoReason] = None

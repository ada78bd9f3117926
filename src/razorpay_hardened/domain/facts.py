"""Facts: what we can learn, in one form, from wherever we learn it.

Razorpay tells us things by webhook, by API answer and in lists; we ourselves make local facts about an order
(asked for, outcome unknown, registered). ``ledger.apply`` takes facts and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from razorpay_hardened.domain.ids import OrderId, PaymentId, RefundId

__all__ = [
    "Cause",
    "EntityFact",
    "Fact",
    "OrderAsked",
    "OrderClosed",
    "OrderFact",
    "OrderRegistered",
    "OrderReopened",
    "OrderSetback",
    "PaymentFact",
    "RefundFact",
]


@dataclass(frozen=True, slots=True)
class Cause:
    """Where a fact comes from: it goes into the audit, never into a decision.

    ``source`` is ``webhook``, ``api``, ``checkout``, ``reconcile``, ``poll`` (an outage was made up for by listing),
    ``sweep`` or ``local``; ``actor`` is who or what
    acted for us; ``event_id`` is Razorpay's (unsigned) event id; ``digest`` the SHA-256 of the signed body.
    """

    source: str
    at: datetime
    actor: str = "system"
    event: str | None = None
    event_id: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentFact:
    """A payment as Razorpay showed it. Amounts in subunits; ``captured`` None where the answer did not say."""

    payment_id: PaymentId
    order_id: OrderId | None
    status: str
    amount: int
    currency: str
    captured: bool | None = None
    amount_refunded: int | None = None
    customer_fee: int | None = None
    """The fee that the customer bears on top of the order's amount (FACTS section 14), or None."""
    created_at: datetime | None = None
    """When Razorpay made it, UTC: for records and windows, never for a decision."""
    snapshot: str | None = None
    """The entity as JSON text."""


@dataclass(frozen=True, slots=True)
class OrderFact:
    """An order as Razorpay showed it. Amounts in subunits."""

    order_id: OrderId
    status: str
    amount: int
    currency: str
    receipt: str | None = None
    created_at: datetime | None = None
    """When Razorpay made it, UTC: for records and windows, never for a decision."""
    snapshot: str | None = None


@dataclass(frozen=True, slots=True)
class RefundFact:
    """A refund as Razorpay showed it. Amounts in subunits."""

    refund_id: RefundId
    payment_id: PaymentId
    status: str
    amount: int
    currency: str
    order_id: OrderId | None = None
    """Known where the payment came in the same body."""
    key: str | None = None
    """Our idempotency key, where the refund answers a request of ours."""
    created_at: datetime | None = None
    """When Razorpay made it, UTC: for records and windows, never for a decision."""
    snapshot: str | None = None


@dataclass(frozen=True, slots=True)
class EntityFact:
    """Anything else as Razorpay showed it: a dispute, a subscription, a settlement … ``kind`` is its entity's name.

    ``event`` is the type of the event that told it, None where nobody asked for one. ``told_at`` is when that event
    was made (aware, UTC), and ``occasion`` what tells it from other events of its type about the same entity.
    ``order_id`` and ``payment_id`` are the order and the payment that it belongs to, where they are known; ``paid`` is
    what was paid, subunits and currency, where the payment came beside it.
    """

    kind: str
    entity_id: str
    status: str
    event: str | None = None
    told_at: datetime | None = None
    occasion: str = ""
    phase: str | None = None
    """The phase of a dispute: its life begins again in each."""
    order_id: OrderId | None = None
    payment_id: PaymentId | None = None
    paid: tuple[int, str] | None = None
    created_at: datetime | None = None
    snapshot: str | None = None


@dataclass(frozen=True, slots=True)
class OrderAsked:
    """We want an order: the local row, written before Razorpay is asked (or adopted, with its Razorpay id)."""

    local_id: str
    owner: str
    amount: int
    currency: str
    receipt: str
    plan: str | None = None
    partial_payment: bool = False
    order_id: OrderId | None = None


@dataclass(frozen=True, slots=True)
class OrderRegistered:
    """Razorpay has the order: its id is known now."""

    local_id: str
    order_id: OrderId


@dataclass(frozen=True, slots=True)
class OrderSetback:
    """The request for the order went wrong (``outcome_unknown``, ``remote_failed``) or is made again (``pending``)."""

    local_id: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OrderClosed:
    """We no longer want this order paid: beside its status, never instead of it."""

    local_id: str


@dataclass(frozen=True, slots=True)
class OrderReopened:
    """We want it after all: what was held back because it was closed becomes true now."""

    local_id: str


Fact = (
    PaymentFact
    | OrderFact
    | RefundFact
    | EntityFact
    | OrderAsked
    | OrderRegistered
    | OrderSetback
    | OrderClosed
    | OrderReopened
)

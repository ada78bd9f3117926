"""What we hold: one frozen value per row of the store. Only ``ledger`` makes new ones from facts.

Amounts are integers in subunits with their currency beside them; times are aware and in UTC. ``snapshot`` is the
entity as Razorpay last showed it, in JSON; ``erased_at`` is when retention took the personal data out of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from razorpay_hardened.domain.money import Money

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import AnyEntity, Order, Payment, Refund

__all__ = ["AnchorState", "EntityState", "OrderState", "PaymentState", "RefundIntent", "RefundState"]


@dataclass(frozen=True, slots=True)
class AnchorState:
    """The row that serialises everything about one order (or about one payment without an order).

    ``captured`` is the running total of captures, in subunits, refunds not deducted. ``audit_seq`` and
    ``audit_head`` are the length and the last hash of this anchor's audit chain.
    """

    key: str
    version: int = 0
    captured: int = 0
    audit_seq: int = 0
    audit_head: str = ""


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order of ours. ``order_id`` is None until Razorpay's id is known."""

    local_id: str
    owner: str
    plan: str | None
    amount: int
    currency: str
    receipt: str
    status: str
    created_at: datetime
    updated_at: datetime
    order_id: str | None = None
    partial_payment: bool = False
    attempts: int = 0
    """How often Razorpay was asked to create it."""
    closed_at: datetime | None = None
    snapshot: str | None = None
    erased_at: datetime | None = None

    @property
    def razorpay_order_id(self) -> str | None:
        """Razorpay's id of this order, or None while it is not known."""
        return self.order_id

    @property
    def money(self) -> Money:
        """The amount with its currency."""
        return Money(self.amount, self.currency)

    @property
    def razorpay(self) -> Order | None:
        """The order as Razorpay last showed it, or None where it never did."""
        if self.snapshot is None:
            return None
        from razorpay_hardened.domain.entities import parse_entity  # models load when somebody looks

        return parse_entity(json.loads(self.snapshot), "order")


@dataclass(frozen=True, slots=True)
class PaymentState:
    """A payment. ``status`` is derived: see ``lifecycle.payment_status``.

    ``reach`` is the furthest status seen, not counting refunds; ``claimed`` the largest ``amount_refunded`` that
    Razorpay has shown; ``refunds_known`` and ``refunds_failed`` are running totals over the refunds that we know by id.
    ``milestones`` are those that have fired.
    """

    payment_id: str
    anchor: str
    order_id: str | None
    status: str
    reach: str
    amount: int
    currency: str
    created_at: datetime
    updated_at: datetime
    captured: bool = False
    claimed: int = 0
    refunds_known: int = 0
    refunds_failed: int = 0
    surplus: bool = False
    milestones: frozenset[str] = frozenset()
    snapshot: str | None = None
    erased_at: datetime | None = None

    @property
    def refunded(self) -> int:
        """Subunits given back: refunds that did not fail, plus what Razorpay claims beyond the refunds we know."""
        return self.refunds_known - self.refunds_failed + max(0, self.claimed - self.refunds_known)

    @property
    def money(self) -> Money:
        """The amount with its currency."""
        return Money(self.amount, self.currency)

    @property
    def razorpay(self) -> Payment | None:
        """The payment as Razorpay last showed it, or None where it never did."""
        if self.snapshot is None:
            return None
        from razorpay_hardened.domain.entities import parse_entity  # models load when somebody looks

        return parse_entity(json.loads(self.snapshot), "payment")


@dataclass(frozen=True, slots=True)
class RefundState:
    """A refund that Razorpay knows. ``key`` is our idempotency key, where we asked for it."""

    refund_id: str
    payment_id: str
    anchor: str
    status: str
    amount: int
    currency: str
    created_at: datetime
    updated_at: datetime
    key: str | None = None
    snapshot: str | None = None
    erased_at: datetime | None = None

    @property
    def money(self) -> Money:
        """The amount with its currency."""
        return Money(self.amount, self.currency)

    @property
    def razorpay(self) -> Refund | None:
        """The refund as Razorpay last showed it, or None where it never did."""
        if self.snapshot is None:
            return None
        from razorpay_hardened.domain.entities import parse_entity  # models load when somebody looks

        return parse_entity(json.loads(self.snapshot), "refund")


@dataclass(frozen=True, slots=True)
class EntityState:
    """Anything else that Razorpay tells of: a dispute, a subscription, a payment link … ``status`` is kept raw.

    ``told_at`` is when the news that made the status was made; ``phase`` is that of a dispute. ``anchor`` is the order
    that it belongs to, or its own id.
    """

    entity_id: str
    kind: str
    anchor: str
    status: str
    created_at: datetime
    updated_at: datetime
    told_at: datetime
    phase: str | None = None
    snapshot: str | None = None
    erased_at: datetime | None = None

    @property
    def razorpay(self) -> AnyEntity | None:
        """The entity as Razorpay last showed it, as the model of its kind; None where it never did."""
        if self.snapshot is None:
            return None
        from razorpay_hardened.domain.entities import parse_entity  # models load when somebody looks

        return parse_entity(json.loads(self.snapshot), self.kind)


@dataclass(frozen=True, slots=True)
class RefundIntent:
    """A refund that we want: stored with its key before Razorpay is asked, so that a crash can be finished.

    ``state`` is ``open`` (may or may not have been sent), ``bound`` (``refund_id`` is known) or ``refused``.
    """

    key: str
    payment_id: str
    anchor: str
    amount: int
    currency: str
    state: str
    created_at: datetime
    refund_id: str | None = None
    reason: str | None = None

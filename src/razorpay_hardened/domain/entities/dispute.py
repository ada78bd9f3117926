"""Disputes and their evidence (FACTS sections 8 and 9, API_REFERENCE "Disputes")."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from razorpay_hardened.domain.entities._base import Detail, Priced
from razorpay_hardened.domain.entities._fields import (
    Amount,
    AsSent,
    At,
    Id,
    Kept,
    Loose,
    LooseList,
    Ref,
    Status,
    Text,
    Texts,
    Whole,
    money_or_none,
)
from razorpay_hardened.domain.money import Money

__all__ = ["Dispute", "DisputeEvidence", "DisputeReason", "OtherEvidence"]


class OtherEvidence(Detail):
    """Documents of a type that the merchant names."""

    type: Text = None
    document_ids: Texts = None


class DisputeEvidence(Detail):
    """What the merchant holds against a dispute: lists of document ids, null where there are none.

    ``amount``, subunits, is the part that is contested.
    """

    amount: Whole = None
    summary: Text = None
    shipping_proof: Texts = None
    billing_proof: Texts = None
    cancellation_proof: Texts = None
    customer_communication: Texts = None
    proof_of_service: Texts = None
    explanation_letter: Texts = None
    refund_confirmation: Texts = None
    access_activity_log: Texts = None
    refund_cancellation_policy: Texts = None
    term_and_conditions: Texts = None
    terms_and_conditions: Texts = None
    others: LooseList[OtherEvidence] = None
    submitted_at: At = None


class DisputeReason(Detail):
    """The reason as the card network gives it."""

    code: Text = None
    description: Text = None
    gateway_code: Text = None
    gateway_description: Text = None
    network: Text = None


class Dispute(Priced):
    """A payment that the customer's bank wants back. Amounts are subunits.

    ``status`` is open, under_review, won, lost, closed, or new; ``phase`` fraud, retrieval, chargeback,
    pre_arbitration, arbitration. ``respond_by`` is the deadline for evidence. ``payment`` and ``transaction`` come
    with ``expand[]``.
    """

    kind: ClassVar[str] = "dispute"
    id: Id
    entity: Literal["dispute"] = "dispute"
    status: Status = None
    payment_id: Ref = None
    amount_deducted: Amount | None = None
    gateway_dispute_id: Text = None
    reason_code: Text = None
    reason_description: Text = None
    reason: Loose[DisputeReason] = None
    respond_by: At = None
    phase: Text = None
    comments: Text = None
    evidence: Loose[DisputeEvidence] = None
    lifecycle: Kept[list[dict[str, Any]]] = None
    payment: Kept[dict[str, Any]] = None
    transaction: AsSent = None
    created_at: At = None

    @property
    def deducted(self) -> Money | None:
        """What was taken from the merchant's balance; None when Razorpay did not say."""
        return money_or_none(self.amount_deducted, self.currency)

"""Razorpay's refund (FACTS section 8 and appendix A)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import MoneyEntity
from razorpay_hardened.domain.entities._fields import Loose, Notes, NotesField, PaymentIdField, RefundIdField, Text
from razorpay_hardened.domain.entities.payment_details import AcquirerData

__all__ = ["Refund"]


class Refund(MoneyEntity):
    """A refund. ``amount`` is subunits; ``status`` is kept raw: pending, processed, failed, or new."""

    kind: ClassVar[str] = "refund"
    id: RefundIdField
    entity: Literal["refund"] = "refund"
    payment_id: PaymentIdField
    receipt: str | None = None
    notes: NotesField = Field(default_factory=Notes)
    acquirer_data: Loose[AcquirerData] = None
    batch_id: Text = None
    speed_requested: Text = None
    speed_processed: Text = None

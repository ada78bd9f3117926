"""Razorpay's QR codes (FACTS section 8, API_REFERENCE "QR codes")."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Entity
from razorpay_hardened.domain.entities._fields import (
    Amount,
    At,
    Flag,
    Id,
    Kept,
    Loose,
    Notes,
    NotesField,
    Status,
    Text,
    Whole,
    money_or_none,
)
from razorpay_hardened.domain.entities.tax_invoice import TaxInvoice
from razorpay_hardened.domain.money import Money

__all__ = ["QrCode"]


class QrCode(Entity):
    """A QR code to pay with. Amounts are subunits of rupees; ``status`` is active or closed.

    ``reference`` and ``short_url`` are of codes that belong to a virtual account (the old kind).
    """

    kind: ClassVar[str] = "qr_code"
    id: Id
    entity: Literal["qr_code"] = "qr_code"
    status: Status = None
    name: Text = None
    usage: Text = None
    type: Text = None
    image_url: Text = None
    image_content: Text = None
    payment_amount: Amount | None = None
    payments_amount_received: Amount | None = None
    payments_count_received: Whole = None
    fixed_amount: Flag = None
    description: Text = None
    customer_id: Text = None
    tax_invoice: Loose[TaxInvoice] = None
    notes: NotesField = Field(default_factory=Notes)
    reference: Text = None
    short_url: Text = None
    close_by: Kept[int | str] = None
    closed_at: At = None
    close_reason: Text = None
    created_at: At = None

    @property
    def received(self) -> Money | None:
        """What was received by captured payments, in rupees; None when Razorpay did not say."""
        return money_or_none(self.payments_amount_received, "INR")

    @property
    def asked(self) -> Money | None:
        """The amount of a code with a fixed amount, in rupees; else None."""
        return money_or_none(self.payment_amount, "INR")

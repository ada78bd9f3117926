"""Razorpay's order (FACTS section 8 and appendix A)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import MoneyEntity
from razorpay_hardened.domain.entities._fields import Amount, AsSent, Notes, NotesField, OrderIdField
from razorpay_hardened.domain.money import Money

__all__ = ["Order"]


class Order(MoneyEntity):
    """An order. Amounts are subunits; ``status`` is kept raw: created, attempted, paid, or one we do not know."""

    kind: ClassVar[str] = "order"
    id: OrderIdField
    entity: Literal["order"] = "order"
    amount_paid: Amount | None = None
    amount_due: Amount | None = None
    attempts: int | None = Field(default=None, strict=True)
    receipt: str | None = None
    notes: NotesField = Field(default_factory=Notes)
    offer_id: AsSent = None
    customer_id: AsSent = None
    partial_payment: AsSent = None
    first_payment_min_amount: AsSent = None
    payments: AsSent = None
    offers: AsSent = None
    transfers: AsSent = None
    token: AsSent = None
    bank_account: AsSent = None
    method: AsSent = None
    description: AsSent = None
    tax_invoice: AsSent = None

    @property
    def due(self) -> Money | None:
        """What is still to be paid; None when Razorpay did not say."""
        return None if self.amount_due is None else Money(self.amount_due, self.currency)

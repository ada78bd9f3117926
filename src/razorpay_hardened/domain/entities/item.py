"""Items: what plans, add-ons and invoices are made of (FACTS section 8, API_REFERENCE "Items")."""

from __future__ import annotations

from typing import ClassVar

from razorpay_hardened.domain.entities._base import Entity
from razorpay_hardened.domain.entities._fields import (
    Amount,
    At,
    Flag,
    Id,
    OpenCurrency,
    Text,
    Whole,
    money_or_none,
)
from razorpay_hardened.domain.money import Money

__all__ = ["Item"]


class Item(Entity):
    """A good or a service with a price. Razorpay sends no ``entity`` field; ``type`` is invoice, plan or addon."""

    kind: ClassVar[str] = "item"
    id: Id
    active: Flag = None
    name: Text = None
    description: Text = None
    amount: Amount | None = None
    unit_amount: Amount | None = None
    currency: OpenCurrency = None
    type: Text = None
    unit: Text = None
    tax_inclusive: Flag = None
    hsn_code: Text = None
    sac_code: Text = None
    tax_rate: Whole = None
    tax_id: Text = None
    tax_group_id: Text = None
    created_at: At = None
    updated_at: At = None

    @property
    def money(self) -> Money | None:
        """The price; None when Razorpay did not say."""
        return money_or_none(self.amount, self.currency)

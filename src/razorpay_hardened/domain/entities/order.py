"""Razorpay's order (FACTS section 8 and appendix A)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Collection, MoneyEntity
from razorpay_hardened.domain.entities._fields import (
    Amount,
    Flag,
    Kept,
    Loose,
    Notes,
    NotesField,
    OrderIdField,
    Text,
    Whole,
    money_or_none,
)
from razorpay_hardened.domain.entities.mandate import MandateBankAccount, MandateRequest
from razorpay_hardened.domain.entities.tax_invoice import TaxInvoice
from razorpay_hardened.domain.money import Money

__all__ = ["Order"]


class Order(MoneyEntity):
    """An order. Amounts are subunits; ``status`` is kept raw: created, attempted, paid, or one we do not know.

    ``payments``, ``offers``, ``transfers`` and ``virtual_account`` come with ``expand[]`` only; ``offers`` is a list
    of ids or a collection, ``transfers`` a list or a collection of transfers.
    """

    kind: ClassVar[str] = "order"
    id: OrderIdField
    entity: Literal["order"] = "order"
    amount_paid: Amount | None = None
    amount_due: Amount | None = None
    attempts: int | None = Field(default=None, strict=True)
    receipt: str | None = None
    notes: NotesField = Field(default_factory=Notes)
    offer_id: Text = None
    customer_id: Text = None
    partial_payment: Flag = None
    first_payment_min_amount: Whole = None
    payments: Loose[Collection] = None
    offers: Kept[dict[str, Any] | list[Any]] = None
    transfers: Kept[dict[str, Any] | list[Any]] = None
    virtual_account: Kept[dict[str, Any]] = None
    token: Loose[MandateRequest] = None
    bank_account: Loose[MandateBankAccount] = None
    method: Text = None
    description: Text = None
    tax_invoice: Loose[TaxInvoice] = None
    notification: Kept[dict[str, Any]] = None
    products: Kept[list[dict[str, Any]]] = None

    @property
    def paid(self) -> Money | None:
        """What has been paid; None when Razorpay did not say."""
        return money_or_none(self.amount_paid, self.currency)

    @property
    def due(self) -> Money | None:
        """What is still to be paid; None when Razorpay did not say."""
        return money_or_none(self.amount_due, self.currency)

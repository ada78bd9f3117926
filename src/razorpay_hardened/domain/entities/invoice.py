"""Invoices, and the registration links that Razorpay sends as invoices (FACTS section 8, API_REFERENCE "Invoices")."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import (
    Amount,
    AsSent,
    At,
    Flag,
    Id,
    Kept,
    Loose,
    LooseList,
    Notes,
    NotesField,
    OpenCurrency,
    Ref,
    Status,
    Text,
    Whole,
    money_or_none,
)
from razorpay_hardened.domain.entities.mandate import MandateRequest
from razorpay_hardened.domain.money import Money

__all__ = ["Invoice", "InvoiceAddress", "InvoiceCustomer", "LineItem"]


class InvoiceAddress(Detail):
    """A billing or shipping address."""

    id: Text = None
    type: Text = None
    primary: Flag = None
    line1: Text = None
    line2: Text = None
    zipcode: Text = None
    city: Text = None
    state: Text = None
    country: Text = None


class InvoiceCustomer(Detail):
    """The customer as the invoice was made out. ``customer_name``, ``_email`` and ``_contact`` repeat the others."""

    id: Text = None
    name: Text = None
    email: Text = None
    contact: Text = None
    gstin: Text = None
    billing_address: Loose[InvoiceAddress] = None
    shipping_address: Loose[InvoiceAddress] = None
    customer_name: Text = None
    customer_email: Text = None
    customer_contact: Text = None
    customer_address: AsSent = None


class LineItem(Entity):
    """One line of an invoice. Amounts are subunits; Razorpay sends no ``entity`` field."""

    kind: ClassVar[str] = "line_item"
    id: Text = None
    item_id: Text = None
    ref_id: Text = None
    ref_type: Text = None
    name: Text = None
    description: Text = None
    amount: Amount | None = None
    unit_amount: Amount | None = None
    gross_amount: Amount | None = None
    tax_amount: Amount | None = None
    taxable_amount: Amount | None = None
    net_amount: Amount | None = None
    currency: OpenCurrency = None
    type: Text = None
    tax_inclusive: Flag = None
    hsn_code: Text = None
    sac_code: Text = None
    tax_rate: Whole = None
    unit: Text = None
    quantity: Whole = None
    taxes: Kept[list[Any]] = None

    @property
    def money(self) -> Money | None:
        """The amount of the line; None when Razorpay did not say."""
        return money_or_none(self.amount, self.currency)


class Invoice(Entity):
    """An invoice. Amounts are subunits; ``status`` is kept raw: draft, issued, partially_paid, paid, cancelled,
    expired, deleted, or new.

    ``type`` is ``link`` for registration links and what a subscription bills; a registration link has the mandate
    that it asks for in ``token`` and, for paper NACH, ``nach_form_url``.
    """

    kind: ClassVar[str] = "invoice"
    id: Id
    entity: Literal["invoice"] = "invoice"
    status: Status = None
    type: Text = None
    receipt: Text = None
    invoice_number: Text = None
    customer_id: Text = None
    customer_details: Loose[InvoiceCustomer] = None
    order_id: Ref = None
    payment_id: Ref = None
    subscription_id: Text = None
    subscription_status: Text = None
    line_items: LooseList[LineItem] = None
    currency: OpenCurrency = None
    currency_symbol: Text = None
    amount: Amount | None = None
    amount_paid: Amount | None = None
    amount_due: Amount | None = None
    gross_amount: Amount | None = None
    tax_amount: Amount | None = None
    taxable_amount: Amount | None = None
    partial_payment: Flag = None
    first_payment_min_amount: Amount | None = None
    date: At = None
    terms: Text = None
    comment: Text = None
    description: Text = None
    supply_state_code: Text = None
    group_taxes_discounts: Flag = None
    billing_start: At = None
    billing_end: At = None
    short_url: Text = None
    view_less: Flag = None
    sms_status: Text = None
    email_status: Text = None
    reminder_status: Text = None
    reminder_enable: Flag = None
    idempotency_key: Text = None
    user_id: Text = None
    token: Loose[MandateRequest] = None
    nach_form_url: Text = None
    auth_link_status: Text = None
    notes: NotesField = Field(default_factory=Notes)
    expire_by: At = None
    issued_at: At = None
    paid_at: At = None
    cancelled_at: At = None
    expired_at: At = None
    created_at: At = None

    @property
    def money(self) -> Money | None:
        """What the invoice is about; None when Razorpay did not say."""
        return money_or_none(self.amount, self.currency)

    @property
    def paid(self) -> Money | None:
        """What has been paid; None when Razorpay did not say."""
        return money_or_none(self.amount_paid, self.currency)

    @property
    def due(self) -> Money | None:
        """What is still to be paid; None when Razorpay did not say."""
        return money_or_none(self.amount_due, self.currency)

    @property
    def tax_money(self) -> Money | None:
        """The tax in the amount; None when Razorpay did not say."""
        return money_or_none(self.tax_amount, self.currency)

"""Bills: receipts of a shop's counter, with taxes and payments (Razorpay's Bills API; samples only)."""

from __future__ import annotations

from typing import Any, ClassVar

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import (
    Amount,
    At,
    Id,
    Kept,
    Loose,
    LooseList,
    OpenCurrency,
    Text,
    Texts,
    Whole,
    money_or_none,
)
from razorpay_hardened.domain.money import Money

__all__ = [
    "Bill",
    "BillAddress",
    "BillCustomer",
    "BillEvent",
    "BillLineItem",
    "BillLoyalty",
    "BillPayment",
    "BillSummary",
    "BillTax",
    "NamedAmount",
]


class BillAddress(Detail):
    """An address."""

    address_line_1: Text = None
    address_line_2: Text = None
    landmark: Text = None
    city: Text = None
    province: Text = None
    pin_code: Text = None
    country: Text = None


class BillCustomer(Detail):
    """Who bought."""

    customer_id: Text = None
    name: Text = None
    contact: Text = None
    email: Text = None
    age: Whole = None
    gender: Text = None
    date_of_birth: Text = None
    anniversary_date: Text = None
    marital_status: Text = None
    spouse_name: Text = None
    profession: Text = None
    company_name: Text = None
    gstin: Text = None
    billing_address: Loose[BillAddress] = None
    shipping_address: Loose[BillAddress] = None


class BillLoyalty(Detail):
    """The customer's loyalty card."""

    type: Text = None
    card_num: Text = None
    card_holder_name: Text = None
    points_redeemed: Whole = None


class BillTax(Detail):
    """One tax. ``amount`` is subunits."""

    name: Text = None
    percentage: Whole = None
    amount: Whole = None


class NamedAmount(Detail):
    """A charge or a discount. ``amount`` is subunits."""

    name: Text = None
    description: Text = None
    amount: Whole = None
    percent: Whole = None


class BillLineItem(Detail):
    """One line, or a part of one (``sub_items``). Amounts are subunits."""

    name: Text = None
    description: Text = None
    quantity: Whole = None
    unit: Text = None
    unit_amount: Whole = None
    total_amount: Whole = None
    hsn_code: Text = None
    product_code: Text = None
    product_uid: Text = None
    image_url: Text = None
    brand: Text = None
    style: Text = None
    colour: Text = None
    size: Text = None
    employee_id: Text = None
    financier_data: Kept[dict[str, Any]] = None
    taxes: LooseList[BillTax] = None
    tags: Texts = None
    sub_items: LooseList[BillLineItem] = None


class BillSummary(Detail):
    """The sums of a bill, in subunits of ``currency``."""

    currency: OpenCurrency = None
    total_quantity: Whole = None
    sub_total_amount: Amount | None = None
    total_tax_amount: Amount | None = None
    total_tax_percent: Whole = None
    total_discount_amount: Amount | None = None
    total_discount_percent: Whole = None
    delivery_charges: Amount | None = None
    cod_charges: Amount | None = None
    change_amount: Whole = None
    roundup_amount: Whole = None
    used_wallet_amount: Amount | None = None
    net_payable_amount: Amount | None = None
    payment_status: Text = None
    additional_charges: LooseList[NamedAmount] = None
    discounts: LooseList[NamedAmount] = None

    @property
    def payable(self) -> Money | None:
        """What the customer has to pay; None when Razorpay did not say."""
        return money_or_none(self.net_payable_amount, self.currency)


class BillPayment(Detail):
    """How a part was paid. ``amount`` is subunits."""

    method: Text = None
    currency: OpenCurrency = None
    amount: Amount | None = None
    payment_reference_id: Text = None
    financier_data: Kept[dict[str, Any]] = None


class BillEvent(Detail):
    """What a ticket is for."""

    name: Text = None
    start_timestamp: At = None
    end_timestamp: At = None
    location: Text = None
    room: Text = None
    seats: Texts = None


class Bill(Entity):
    """A bill. Razorpay sends no ``entity`` field."""

    kind: ClassVar[str] = "bill"
    id: Id
    business_type: Text = None
    business_category: Text = None
    store_code: Text = None
    receipt_number: Text = None
    receipt_type: Text = None
    receipt_delivery: Text = None
    receipt_timestamp: At = None
    receipt_url: Text = None
    order_number: Text = None
    order_service_type: Text = None
    delivery_status_url: Text = None
    bar_code_number: Text = None
    qr_code_number: Text = None
    billing_pos_number: Text = None
    pos_category: Text = None
    customer: Loose[BillCustomer] = None
    loyalty: Loose[BillLoyalty] = None
    line_items: LooseList[BillLineItem] = None
    receipt_summary: Loose[BillSummary] = None
    taxes: LooseList[BillTax] = None
    payments: LooseList[BillPayment] = None
    event: Loose[BillEvent] = None
    tags: Texts = None
    created_at: At = None

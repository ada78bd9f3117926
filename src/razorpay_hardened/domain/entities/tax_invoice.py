"""GST information beside a payment: the ``tax_invoice`` object of orders and QR codes (FACTS section 8)."""

from __future__ import annotations

from razorpay_hardened.domain.entities._base import Detail
from razorpay_hardened.domain.entities._fields import Kept, Loose, Text, Whole

__all__ = ["TaxInvoice"]


class TaxInvoice(Detail):
    """GST information. Amounts are subunits; ``date`` is Unix seconds, as a number or as text.

    Some of Razorpay's samples hold the same object once more, under ``tax_invoice``.
    """

    number: Text = None
    date: Kept[int | str] = None
    customer_name: Text = None
    business_gstin: Text = None
    gst_amount: Whole = None
    cess_amount: Whole = None
    supply_type: Text = None
    tax_invoice: Loose[TaxInvoice] = None

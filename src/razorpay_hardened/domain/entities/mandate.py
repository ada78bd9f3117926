"""The mandate that an order or a registration link asks for: its ``token`` object (API_REFERENCE, recurring)."""

from __future__ import annotations

from pydantic import Field

from razorpay_hardened.domain.entities._base import Detail
from razorpay_hardened.domain.entities._fields import At, Flag, Loose, Notes, NotesField, Text, Whole

__all__ = ["MandateBankAccount", "MandateRequest", "NachForm"]


class MandateBankAccount(Detail):
    """The account that a mandate debits, as the merchant gave it."""

    ifsc: Text = None
    bank_name: Text = None
    name: Text = None
    account_number: Text = None
    account_type: Text = None
    beneficiary_email: Text = None
    beneficiary_mobile: Text = None


class NachForm(Detail):
    """The paper form of a NACH mandate."""

    create_form: Flag = None
    form_reference1: Text = None
    form_reference2: Text = None
    prefilled_form: Text = None
    prefilled_form_transient: Text = None
    upload_form_url: Text = None
    description: Text = None


class MandateRequest(Detail):
    """What the customer is asked to allow: up to ``max_amount`` (subunits) per debit, until ``expire_at``."""

    method: Text = None
    recurring_status: Text = None
    failure_reason: Text = None
    currency: Text = None
    max_amount: Whole = None
    auth_type: Text = None
    expire_at: At = None
    frequency: Text = None
    first_payment_amount: Whole = None
    notes: NotesField = Field(default_factory=Notes)
    bank_account: Loose[MandateBankAccount] = None
    nach: Loose[NachForm] = None

"""An account as the events account.* of partners show it (FACTS appendix A): wider than ``Account``."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Entity
from razorpay_hardened.domain.entities._fields import (
    AsSent,
    At,
    Flag,
    Id,
    Kept,
    Loose,
    Notes,
    NotesField,
    Text,
    Texts,
    Whole,
)
from razorpay_hardened.domain.entities.methods import Methods

__all__ = ["Merchant"]


class Merchant(Entity):
    """A sub-merchant. Whether it may take payments: ``activated``, ``live``, ``hold_funds``, ``suspended_at``.

    ``merchant_detail`` is the form that the merchant filled in, as sent: a hundred fields, personal data among them.
    """

    kind: ClassVar[str] = "merchant"
    id: Id
    entity: Literal["merchant"] = "merchant"
    name: Text = None
    email: Text = None
    activated: Flag = None
    activated_at: At = None
    live: Flag = None
    hold_funds: Flag = None
    suspended_at: At = None
    archived_at: At = None
    parent_id: Text = None
    org_id: Text = None
    pricing_plan_id: Text = None
    website: Text = None
    category: Text = None
    category2: Text = None
    billing_label: Text = None
    international: Flag = None
    convert_currency: Flag = None
    max_payment_amount: Whole = None
    max_international_payment_amount: Whole = None
    auto_capture_late_auth: Flag = None
    auto_refund_delay: AsSent = None
    default_refund_speed: Text = None
    fee_bearer: Text = None
    fee_model: Text = None
    refund_source: Text = None
    has_key_access: Flag = None
    linked_account_kyc: Flag = None
    business_banking: Flag = None
    restricted: Flag = None
    risk_rating: Whole = None
    risk_threshold: Whole = None
    receipt_email_enabled: Flag = None
    transaction_report_email: Texts = None
    whitelisted_ips_live: Texts = None
    whitelisted_ips_test: Texts = None
    whitelisted_domains: Texts = None
    methods: Loose[Methods] = None
    merchant_detail: Kept[dict[str, Any]] = None
    notes: NotesField = Field(default_factory=Notes)
    created_at: At = None
    updated_at: At = None

"""What a linked account may use, and what is missing for it (FACTS section 8, API_REFERENCE "Route")."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import At, Flag, Id, Kept, Loose, LooseList, Status, Text, Texts, Whole

__all__ = [
    "MerchantProduct",
    "Product",
    "ProductCheckout",
    "ProductConfiguration",
    "ProductNotifications",
    "ProductOtp",
    "ProductPaymentCapture",
    "ProductRefund",
    "ProductRequirement",
    "ProductSettlements",
    "ProductTnc",
    "TncMap",
]


class ProductRequirement(Detail):
    """Something that is missing: which field, why, and the address to send it to."""

    field_reference: Text = None
    resolution_url: Text = None
    status: Text = None
    reason_code: Text = None
    description: Text = None


class ProductTnc(Detail):
    """Whether the terms were accepted."""

    id: Text = None
    accepted: Flag = None
    accepted_at: At = None


class ProductSettlements(Detail):
    """The bank account that is settled to; the number comes as text or as a number."""

    account_number: Kept[int | str] = None
    ifsc_code: Text = None
    beneficiary_name: Text = None


class ProductPaymentCapture(Detail):
    """How payments are captured; ``automatic_expiry_period`` is minutes."""

    mode: Text = None
    refund_speed: Text = None
    automatic_expiry_period: Whole = None
    manual_expiry_period: Whole = None


class ProductCheckout(Detail):
    """How checkout looks."""

    theme_color: Text = None
    flash_checkout: Flag = None
    logo: Text = None


class ProductRefund(Detail):
    """How refunds are made."""

    default_refund_speed: Text = None


class ProductNotifications(Detail):
    """Whom Razorpay tells of what happens."""

    whatsapp: Flag = None
    sms: Flag = None
    email: Texts = None


class ProductOtp(Detail):
    """The proof of a phone number. Times are text."""

    contact_mobile: Text = None
    external_reference_number: Text = None
    otp_submission_timestamp: Text = None
    otp_verification_timestamp: Text = None


class ProductConfiguration(Detail):
    """How a product is set up. ``payment_methods`` is by method: whether it is enabled, and which instruments."""

    settlements: Loose[ProductSettlements] = None
    payment_capture: Loose[ProductPaymentCapture] = None
    payment_methods: Kept[dict[str, Any]] = None
    checkout: Loose[ProductCheckout] = None
    refund: Loose[ProductRefund] = None
    notifications: Loose[ProductNotifications] = None
    otp: Loose[ProductOtp] = None


class Product(Entity):
    """A product that was asked for on behalf of an account. Razorpay sends no ``entity`` field.

    ``activation_status`` is requested, needs_clarification, under_review, activated, suspended, or new. Answers to a
    change may hold the two configurations only.
    """

    kind: ClassVar[str] = "product"
    id: Text = None
    account_id: Text = None
    product_name: Text = None
    activation_status: Status = None
    requested_configuration: Loose[ProductConfiguration] = None
    active_configuration: Loose[ProductConfiguration] = None
    requirements: LooseList[ProductRequirement] = None
    tnc: Loose[ProductTnc] = None
    requested_at: At = None


class MerchantProduct(Entity):
    """What the events product.* tell: a product's id, its account, and the new ``activation_status``."""

    kind: ClassVar[str] = "merchant_product"
    id: Id
    merchant_id: Text = None
    activation_status: Status = None


class TncMap(Entity):
    """The terms of a product: where to read them."""

    kind: ClassVar[str] = "tnc_map"
    id: Id
    entity: Literal["tnc_map"] = "tnc_map"
    product_name: Text = None
    tnc: Kept[dict[str, str]] = None
    last_published_at: At = None

"""Accounts under one's own: linked accounts of Route, sub-merchants of partners (FACTS section 8, API_REFERENCE
"Route linked accounts")."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import (
    At,
    Flag,
    Id,
    Kept,
    Loose,
    LooseList,
    Notes,
    NotesField,
    Status,
    Text,
    Texts,
    Whole,
)

__all__ = [
    "Account",
    "AccountActivation",
    "AccountAddress",
    "AccountAddresses",
    "AccountApp",
    "AccountApps",
    "AccountBrand",
    "AccountContact",
    "AccountContacts",
    "AccountLegalInfo",
    "AccountProfile",
    "FundTransfer",
    "GmvLimitWarning",
]


class AccountAddress(Detail):
    """An address. ``postal_code`` comes as a number or as text."""

    street1: Text = None
    street2: Text = None
    city: Text = None
    state: Text = None
    postal_code: Kept[int | str] = None
    country: Text = None


class AccountAddresses(Detail):
    """Where the business is registered, and where it works."""

    registered: Loose[AccountAddress] = None
    operation: Loose[AccountAddress] = None


class AccountProfile(Detail):
    """What the business does."""

    category: Text = None
    subcategory: Text = None
    business_model: Text = None
    addresses: Loose[AccountAddresses] = None


class AccountLegalInfo(Detail):
    """Tax numbers."""

    pan: Text = None
    gst: Text = None


class AccountBrand(Detail):
    """How the business looks at checkout."""

    color: Text = None


class AccountContact(Detail):
    """Whom customers reach for one matter."""

    email: Text = None
    phone: Text = None
    policy_url: Text = None


class AccountContacts(Detail):
    """Whom customers reach for charge-backs, refunds and support."""

    chargeback: Loose[AccountContact] = None
    refund: Loose[AccountContact] = None
    support: Loose[AccountContact] = None


class AccountApp(Detail):
    """An app in a store."""

    name: Text = None
    url: Text = None


class AccountApps(Detail):
    """Where the business sells."""

    websites: Texts = None
    android: LooseList[AccountApp] = None
    ios: LooseList[AccountApp] = None


class AccountActivation(Detail):
    """Where the activation of an account of the first version stands."""

    status: Text = None
    activated_at: At = None
    can_submit: Flag = None
    fields_pending: Texts = None
    bank_details_verification_error: Text = None


class FundTransfer(Detail):
    """The bank account that is settled to."""

    destination: Text = None


class Account(Entity):
    """A linked account or a sub-merchant.

    Version 2 (``/v2/accounts``) sends no ``entity`` field; ``type`` is route or standard, ``status`` created or
    suspended, and activation is told by the account's products. Version 1 sends ``entity``, ``live``,
    ``managed``, ``activation_details``, ``account_details`` and ``fund_transfer`` instead.
    """

    kind: ClassVar[str] = "account"
    id: Id
    entity: Literal["account"] = "account"
    status: Status = None
    type: Text = None
    reference_id: Text = None
    email: Text = None
    phone: Kept[int | str] = None
    legal_business_name: Text = None
    customer_facing_business_name: Text = None
    business_type: Text = None
    profile: Loose[AccountProfile] = None
    legal_info: Loose[AccountLegalInfo] = None
    brand: Loose[AccountBrand] = None
    apps: Loose[AccountApps] = None
    contact_name: Text = None
    contact_info: Loose[AccountContacts] = None
    hold_funds: Flag = None
    activated_at: At = None
    notes: NotesField = Field(default_factory=Notes)
    created_at: At = None
    name: Text = None
    live: Flag = None
    managed: Flag = None
    tnc_accepted: Flag = None
    dashboard_access: Flag = None
    allow_reversals: Flag = None
    activation_details: Loose[AccountActivation] = None
    secondary_emails: Kept[dict[str, Any]] = None
    account_details: Kept[dict[str, Any]] = None
    fund_transfer: Loose[FundTransfer] = None


class GmvLimitWarning(Entity):
    """The payload of account.instant_activation_gmv_limit_warning: not wrapped in an entity. Rupees, not paise."""

    kind: ClassVar[str] = "account.gmv_limit_warning"
    acc_id: Id
    gmv_limit: Whole = None
    current_gmv: Whole = None
    message: Text = None

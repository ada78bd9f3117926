"""Saved ways to pay, mandates among them (FACTS section 8, API_REFERENCE "Tokens")."""

from __future__ import annotations

from typing import ClassVar, Literal

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
    Ref,
    Status,
    Text,
    Whole,
    money_or_none,
)
from razorpay_hardened.domain.entities.card import Card
from razorpay_hardened.domain.entities.customer import Customer
from razorpay_hardened.domain.money import Money

__all__ = [
    "Notification",
    "ProviderData",
    "RecurringDetails",
    "ServiceProviderToken",
    "Token",
    "TokenBankDetails",
    "TokenVpa",
    "TransactionData",
]


class RecurringDetails(Detail):
    """Where a mandate stands: initiated, confirmed, rejected, cancelled, paused, and why it failed."""

    status: Text = None
    failure_reason: Text = None
    amount_blocked: Whole = None
    amount_debited: Whole = None


class TokenVpa(Detail):
    """The VPA of a UPI mandate."""

    username: Text = None
    handle: Text = None
    name: Text = None
    status: Text = None
    received_at: At = None


class TokenBankDetails(Detail):
    """The account that an e-mandate or NACH mandate debits."""

    beneficiary_name: Text = None
    account_number: Text = None
    ifsc: Text = None
    account_type: Text = None


class ProviderData(Detail):
    """What a card network or an aggregator says of its token."""

    token_reference_number: Text = None
    payment_account_reference: Text = None
    card_reference_number: Text = None
    token_iin: Text = None
    token_expiry_month: Whole = None
    token_expiry_year: Whole = None
    expired_at: At = None
    card: AsSent = None


class ServiceProviderToken(Entity):
    """A card token at a network or an aggregator. ``status`` is active, suspended, deactivated …"""

    kind: ClassVar[str] = "service_provider_token"
    id: Id
    entity: Literal["service_provider_token"] = "service_provider_token"
    status: Status = None
    provider_type: Text = None
    provider_name: Text = None
    interoperable: Flag = None
    provider_data: Loose[ProviderData] = None
    tokenised_terminal_id: Text = None


class Token(Entity):
    """A card, VPA or account that was saved, or that a mandate debits.

    ``status`` is that of a network token (initiated, active, suspended, deactivated, failed); that of a mandate is
    ``recurring_details.status``. ``max_amount``, subunits, is the most that one debit may take.
    """

    kind: ClassVar[str] = "token"
    id: Id
    entity: Literal["token"] = "token"
    status: Status = None
    status_reason: Text = None
    token: Text = None
    method: Text = None
    bank: Text = None
    wallet: Text = None
    card: Loose[Card] = None
    vpa: Loose[TokenVpa] = None
    bank_details: Loose[TokenBankDetails] = None
    customer: Loose[Customer] = None
    customer_id: Text = None
    entity_id: Text = None
    recurring: Flag = None
    recurring_details: Loose[RecurringDetails] = None
    auth_type: Text = None
    mrn: Text = None
    max_amount: Amount | None = None
    dcc_enabled: Flag = None
    billing_address: AsSent = None
    compliant_with_tokenisation_guidelines: Flag = None
    service_provider_tokens: LooseList[ServiceProviderToken] = None
    source: Text = None
    error_code: Text = None
    error_description: Text = None
    notes: NotesField = Field(default_factory=Notes)
    start_time: At = None
    used_at: At = None
    created_at: At = None
    expired_at: At = None

    @property
    def limit(self) -> Money | None:
        """The most that one debit may take, in rupees; None when Razorpay did not say."""
        return money_or_none(self.max_amount, "INR")


class TransactionData(Entity):
    """What another gateway needs to charge a network's token once. Never store it.

    The official SDK's own sample has ``number`` and the expiry in ``card`` instead.
    """

    kind: ClassVar[str] = "token.transaction_data"
    token_number: Text = None
    cryptogram_value: Text = None
    token_expiry_month: Kept[int | str] = None
    token_expiry_year: Kept[int | str] = None
    card: AsSent = None


class Notification(Entity):
    """The notice to a customer before a debit of a UPI or card mandate. ``status`` is delivered or failed.

    The debit may come after ``payment_after``. Source: the events order.notification.delivered and .failed.
    """

    kind: ClassVar[str] = "notification"
    id: Id
    entity: Literal["notification"] = "notification"
    status: Status = None
    order_id: Ref = None
    token_id: Text = None
    delivered_at: At = None
    payment_after: At = None

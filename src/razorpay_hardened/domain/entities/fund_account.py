"""Where money can be sent: fund accounts, their validation, contacts (FACTS section 8, API_REFERENCE "Customers")."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import (
    Amount,
    At,
    Flag,
    Id,
    Loose,
    Notes,
    NotesField,
    OpenCurrency,
    Status,
    Text,
    Whole,
    money_or_none,
)
from razorpay_hardened.domain.entities.bank_account import BankAccount, Vpa
from razorpay_hardened.domain.entities.card import Card
from razorpay_hardened.domain.money import Money

__all__ = ["Contact", "FundAccount", "FundAccountValidation", "ValidationResults"]


class Contact(Entity):
    """Somebody to be paid (RazorpayX). ``type`` is employee, customer, vendor, self, or a word of the merchant's."""

    kind: ClassVar[str] = "contact"
    id: Text = None
    entity: Literal["contact"] = "contact"
    name: Text = None
    contact: Text = None
    email: Text = None
    type: Text = None
    reference_id: Text = None
    batch_id: Text = None
    active: Flag = None
    notes: NotesField = Field(default_factory=Notes)
    created_at: At = None


class FundAccount(Entity):
    """An account that money can be sent to: a customer's (gateway) or a contact's (RazorpayX).

    ``account_type`` is bank_account, vpa, card or wallet, and names the field that holds the account.
    """

    kind: ClassVar[str] = "fund_account"
    id: Id
    entity: Literal["fund_account"] = "fund_account"
    customer_id: Text = None
    contact_id: Text = None
    contact: Loose[Contact] = None
    account_type: Text = None
    bank_account: Loose[BankAccount] = None
    vpa: Loose[Vpa] = None
    card: Loose[Card] = None
    batch_id: Text = None
    active: Flag = None
    created_at: At = None


class ValidationResults(Detail):
    """What the bank said of an account. ``name_match_score`` is 0 to 100."""

    account_status: Text = None
    registered_name: Text = None
    details: Text = None
    name_match_score: Whole = None
    bank_account: Loose[BankAccount] = None


class FundAccountValidation(Entity):
    """A check of an account, by sending it a small amount. ``status`` is created, completed or failed."""

    kind: ClassVar[str] = "fund_account.validation"
    id: Id
    entity: Literal["fund_account.validation"] = "fund_account.validation"
    status: Status = None
    fund_account: Loose[FundAccount] = None
    amount: Amount | None = None
    currency: OpenCurrency = None
    results: Loose[ValidationResults] = None
    utr: Text = None
    notes: NotesField = Field(default_factory=Notes)
    created_at: At = None

    @property
    def money(self) -> Money | None:
        """What was sent; None where Razorpay did not say."""
        return money_or_none(self.amount, self.currency)

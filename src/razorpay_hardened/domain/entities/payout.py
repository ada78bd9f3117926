"""RazorpayX: money that goes out, as far as its webhooks show it (FACTS sections 8 and 9)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Detail, Entity, Priced
from razorpay_hardened.domain.entities._fields import (
    Amount,
    At,
    Flag,
    Id,
    Kept,
    Loose,
    LooseList,
    Notes,
    NotesField,
    OpenCurrency,
    Signed,
    Status,
    Text,
    Whole,
    money_or_none,
)
from razorpay_hardened.domain.entities.fund_account import Contact, FundAccount
from razorpay_hardened.domain.money import Money

__all__ = ["BankingAccount", "BankingAccounts", "Payout", "PayoutLink", "PayoutStatusDetails", "Transaction"]


class PayoutStatusDetails(Detail):
    """Why a payout stands where it stands; ``source`` is gateway, beneficiary_bank, business or internal."""

    description: Text = None
    source: Text = None
    reason: Text = None


class Payout(Entity):
    """A payout. ``status`` is kept raw: pending, queued, scheduled, processing, processed, reversed, rejected,
    cancelled, failed, or new. processed is not the end: a payout can be reversed days later.

    Inside a transaction Razorpay sends no currency.
    """

    kind: ClassVar[str] = "payout"
    id: Id
    entity: Literal["payout"] = "payout"
    status: Status = None
    amount: Amount
    currency: OpenCurrency = None
    fees: Amount | None = None
    tax: Amount | None = None
    fund_account_id: Text = None
    fund_account: Loose[FundAccount] = None
    debit_account_number: Text = None
    mode: Text = None
    purpose: Text = None
    utr: Text = None
    reference_id: Text = None
    narration: Text = None
    batch_id: Text = None
    status_details: Loose[PayoutStatusDetails] = None
    fee_type: Text = None
    failure_reason: Text = None
    error: Kept[dict[str, Any]] = None
    notes: NotesField = Field(default_factory=Notes)
    created_at: At = None

    @property
    def money(self) -> Money:
        """The amount; in rupees unless Razorpay named a currency."""
        return Money(self.amount, self.currency or "INR")

    @property
    def fees_money(self) -> Money | None:
        """What it costs, tax included; None when Razorpay did not say."""
        return money_or_none(self.fees, self.currency or "INR")


class PayoutLink(Priced):
    """A link by which a contact says where to be paid. ``status`` is pending, issued, processing, processed,
    rejected, cancelled, expired, or new."""

    kind: ClassVar[str] = "payout_link"
    id: Id
    entity: Literal["payout_link"] = "payout_link"
    status: Status = None
    contact_id: Text = None
    contact: Loose[Contact] = None
    fund_account_id: Text = None
    purpose: Text = None
    description: Text = None
    receipt: Text = None
    attempt_count: Whole = None
    short_url: Text = None
    send_sms: Flag = None
    send_email: Flag = None
    notes: NotesField = Field(default_factory=Notes)
    expire_by: At = None
    expired_at: At = None
    cancelled_at: At = None
    created_at: At = None


class Transaction(Priced):
    """A line of a RazorpayX account's statement. ``source`` is what caused it, as sent: a payout, for one.

    ``balance``, subunits, is the account's after this line, and may be below zero.
    """

    kind: ClassVar[str] = "transaction"
    id: Id
    entity: Literal["transaction"] = "transaction"
    account_number: Text = None
    credit: Amount | None = None
    debit: Amount | None = None
    balance: Signed | None = None
    source: Kept[dict[str, Any]] = None
    created_at: At = None

    def cause(self) -> Entity:
        """``source`` as its own model, by its ``entity`` field. Raises as ``parse_entity``."""
        from razorpay_hardened.domain.entities.collection import parse_entity

        return parse_entity({} if self.source is None else self.source)


class BankingAccount(Detail):
    """An account number, and the bank behind it."""

    account_number: Text = None
    channel: Text = None


class BankingAccounts(Entity):
    """The payload of banking_accounts.issued: not wrapped in an entity."""

    kind: ClassVar[str] = "banking_accounts"
    virtual: Loose[BankingAccount] = None
    current: LooseList[BankingAccount] = None

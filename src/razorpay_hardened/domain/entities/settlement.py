"""Settlements, the lines of their report, and instant settlements (FACTS sections 8 and 14, API_REFERENCE
"Settlements and recon" and "Instant (on-demand) settlements")."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Detail, Entity
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
    Ref,
    Signed,
    Status,
    Text,
    Whole,
    money_or_none,
)
from razorpay_hardened.domain.money import Money

__all__ = ["InstantPayout", "InstantPayouts", "InstantSettlement", "ReconItem", "Settlement"]


class Settlement(Entity):
    """Money on its way to the merchant's bank. ``status`` is created, processed or failed; failed is not final.

    Razorpay sends no currency: settlements are in rupees (FACTS section 2). ``fees`` and ``tax`` are those of the
    settlement itself, 0 for normal ones; each payment's fee is in the report.
    """

    kind: ClassVar[str] = "settlement"
    id: Id
    entity: Literal["settlement"] = "settlement"
    status: Status = None
    amount: Amount
    currency: OpenCurrency = None
    fees: Amount | None = None
    tax: Amount | None = None
    utr: Text = None
    created_at: At = None

    @property
    def money(self) -> Money:
        """The amount; in rupees unless Razorpay named a currency."""
        return Money(self.amount, self.currency or "INR")

    @property
    def fees_money(self) -> Money | None:
        """What the settlement itself cost, tax included; None when Razorpay did not say."""
        return money_or_none(self.fees, self.currency or "INR")

    @property
    def tax_money(self) -> Money | None:
        """The tax in the fees; None when Razorpay did not say."""
        return money_or_none(self.tax, self.currency or "INR")


class ReconItem(Entity):
    """One line of the settlement report (``GET /settlements/recon/combined``): no ``id`` and no ``entity`` field.

    ``type`` is payment, refund, transfer, adjustment, or new; ``entity_id`` is the id of that thing. A line adds
    ``credit`` to the settlement, or takes ``debit`` from it; ``fee`` includes ``tax``. All are subunits of rupees,
    while ``amount`` is in ``currency``. ``notes`` come as text, as an object, or not at all.
    """

    kind: ClassVar[str] = "settlement.recon_item"
    entity_id: Id
    type: Status = None
    amount: Amount
    currency: OpenCurrency = None
    debit: Amount
    credit: Amount
    fee: Signed | None = None
    tax: Signed | None = None
    on_hold: Flag = None
    settled: Flag = None
    settlement_id: Text = None
    settlement_utr: Text = None
    payment_id: Ref = None
    order_id: Ref = None
    order_receipt: Text = None
    dispute_id: Text = None
    credit_type: Text = None
    description: Text = None
    notes: Kept[str | dict[str, Any]] = None
    method: Text = None
    card_network: Text = None
    card_issuer: Text = None
    card_type: Text = None
    created_at: At = None
    settled_at: At = None
    posted_at: At = None

    @property
    def money(self) -> Money | None:
        """The amount of the thing itself; None where Razorpay named no currency."""
        return money_or_none(self.amount, self.currency)

    @property
    def net(self) -> int:
        """What the line adds to the settlement, in paise; below zero where it takes away."""
        return self.credit - self.debit


class InstantPayout(Entity):
    """One transfer to the bank that an instant settlement is made of. Amounts are subunits of rupees."""

    kind: ClassVar[str] = "settlement.ondemand_payout"
    id: Id
    entity: Literal["settlement.ondemand_payout"] = "settlement.ondemand_payout"
    status: Status = None
    amount: Amount | None = None
    amount_settled: Amount | None = None
    fees: Amount | None = None
    tax: Amount | None = None
    utr: Text = None
    initiated_at: At = None
    processed_at: At = None
    reversed_at: At = None
    created_at: At = None

    @property
    def settled(self) -> Money | None:
        """What reached the bank, in rupees; None until then."""
        return money_or_none(self.amount_settled, "INR")


class InstantPayouts(Detail):
    """The payouts of an instant settlement: a collection (``expand[]=ondemand_payouts``)."""

    entity: Text = None
    count: Whole = None
    items: LooseList[InstantPayout] = None


class InstantSettlement(Entity):
    """A settlement asked for at once. Amounts are subunits; ``fees`` include ``tax``.

    ``status`` is created, initiated, partially_processed, processed, reversed, or new.
    """

    kind: ClassVar[str] = "settlement.ondemand"
    id: Id
    entity: Literal["settlement.ondemand"] = "settlement.ondemand"
    status: Status = None
    currency: OpenCurrency = None
    amount_requested: Amount | None = None
    amount_settled: Amount | None = None
    amount_pending: Amount | None = None
    amount_reversed: Amount | None = None
    fees: Amount | None = None
    tax: Amount | None = None
    settle_full_balance: Kept[bool | int] = None
    description: Text = None
    ondemand_payouts: Loose[InstantPayouts] = None
    notes: NotesField = Field(default_factory=Notes)
    created_at: At = None

    @property
    def requested(self) -> Money | None:
        """What was asked for; None when Razorpay did not say."""
        return money_or_none(self.amount_requested, self.currency)

    @property
    def settled(self) -> Money | None:
        """What reached the bank; None when Razorpay did not say."""
        return money_or_none(self.amount_settled, self.currency)

    @property
    def pending(self) -> Money | None:
        """What is on its way; None when Razorpay did not say."""
        return money_or_none(self.amount_pending, self.currency)

    @property
    def reversed(self) -> Money | None:
        """What came back; None when Razorpay did not say."""
        return money_or_none(self.amount_reversed, self.currency)

    @property
    def fees_money(self) -> Money | None:
        """What it cost, tax included; None when Razorpay did not say."""
        return money_or_none(self.fees, self.currency)

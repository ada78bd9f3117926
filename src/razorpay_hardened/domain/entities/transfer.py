"""Route: transfers to linked accounts, and their reversals (FACTS sections 8 and 9, API_REFERENCE "Route")."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Detail, Priced
from razorpay_hardened.domain.entities._fields import (
    Amount,
    At,
    Flag,
    Id,
    Kept,
    Loose,
    Notes,
    NotesField,
    Ref,
    Status,
    Text,
    Texts,
    Whole,
    money_or_none,
)
from razorpay_hardened.domain.entities.settlement import Settlement
from razorpay_hardened.domain.money import Money

__all__ = ["Reversal", "Transfer", "TransferError"]


class TransferError(Detail):
    """Why a transfer failed; all null where it did not."""

    code: Text = None
    description: Text = None
    reason: Text = None
    field: Text = None
    step: Text = None
    source: Text = None
    id: Text = None
    metadata: Kept[dict[str, Any]] = None


class Transfer(Priced):
    """Money passed on to a linked account. Amounts are subunits.

    ``status`` is created, pending, processed, failed, reversed or partially_reversed; some answers name it
    ``transfer_status``. ``settlement_status`` is pending, on_hold or settled.
    """

    kind: ClassVar[str] = "transfer"
    id: Id
    entity: Literal["transfer"] = "transfer"
    status: Status = None
    transfer_status: Status = None
    settlement_status: Status = None
    source: Text = None
    source_channel: Text = None
    recipient: Text = None
    account_code: Text = None
    amount_reversed: Amount | None = None
    fees: Amount | None = None
    tax: Amount | None = None
    service_tax: Whole = None
    on_hold: Flag = None
    on_hold_until: At = None
    recipient_settlement_id: Text = None
    recipient_settlement: Loose[Settlement] = None
    linked_account_notes: Texts = None
    error: Loose[TransferError] = None
    notes: NotesField = Field(default_factory=Notes)
    created_at: At = None
    processed_at: At = None

    @property
    def reversed(self) -> Money | None:
        """What was taken back; None when Razorpay did not say."""
        return money_or_none(self.amount_reversed, self.currency)

    @property
    def fees_money(self) -> Money | None:
        """What Razorpay keeps, tax included; None when Razorpay did not say."""
        return money_or_none(self.fees, self.currency)

    @property
    def tax_money(self) -> Money | None:
        """The tax in the fees; None when Razorpay did not say."""
        return money_or_none(self.tax, self.currency)


class Reversal(Priced):
    """Money taken back from a linked account; with a refund, ``customer_refund_id`` names it."""

    kind: ClassVar[str] = "reversal"
    id: Id
    entity: Literal["reversal"] = "reversal"
    transfer_id: Text = None
    fee: Amount | None = None
    tax: Amount | None = None
    initiator_id: Text = None
    customer_refund_id: Ref = None
    notes: NotesField = Field(default_factory=Notes)
    created_at: At = None

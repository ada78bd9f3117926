"""Virtual accounts, alias customer identifiers (FACTS section 8, API_REFERENCE "Virtual accounts")."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import (
    Amount,
    At,
    Id,
    Loose,
    LooseList,
    Notes,
    NotesField,
    Status,
    Text,
    money_or_none,
)
from razorpay_hardened.domain.entities.bank_account import BankAccount, Vpa
from razorpay_hardened.domain.entities.qr_code import QrCode
from razorpay_hardened.domain.money import Money

__all__ = ["AllowedPayer", "VirtualAccount"]


class AllowedPayer(Detail):
    """An account that may pay in; money from any other is sent back (third-party validation)."""

    id: Text = None
    type: Text = None
    bank_account: Loose[BankAccount] = None


class VirtualAccount(Entity):
    """An account to pay into. Amounts are subunits of rupees; ``status`` is active or closed.

    ``receivers`` are a bank account, a VPA, or a QR code of the old kind, told apart by their ``entity``.
    """

    kind: ClassVar[str] = "virtual_account"
    id: Id
    entity: Literal["virtual_account"] = "virtual_account"
    status: Status = None
    name: Text = None
    description: Text = None
    amount_expected: Amount | None = None
    amount_paid: Amount | None = None
    customer_id: Text = None
    receivers: LooseList[BankAccount | Vpa | QrCode] = None
    allowed_payers: LooseList[AllowedPayer] = None
    notes: NotesField = Field(default_factory=Notes)
    close_by: At = None
    closed_at: At = None
    created_at: At = None

    @property
    def paid(self) -> Money | None:
        """What has been paid in, in rupees; None when Razorpay did not say."""
        return money_or_none(self.amount_paid, "INR")

    @property
    def expected(self) -> Money | None:
        """What is expected, in rupees; None when any amount will do."""
        return money_or_none(self.amount_expected, "INR")

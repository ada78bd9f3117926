"""How money came into a virtual account (FACTS section 8, API_REFERENCE "Virtual accounts")."""

from __future__ import annotations

from typing import ClassVar, Literal

from razorpay_hardened.domain.entities._base import Entity
from razorpay_hardened.domain.entities._fields import Amount, Id, Loose, Ref, Text
from razorpay_hardened.domain.entities.bank_account import BankAccount
from razorpay_hardened.domain.entities.virtual_account import VirtualAccount
from razorpay_hardened.domain.money import Money

__all__ = ["BankTransfer", "UpiTransfer"]


class BankTransfer(Entity):
    """A transfer from a bank account. ``bank_reference`` is the UTR; ``mode`` NEFT, RTGS, IMPS or UPI."""

    kind: ClassVar[str] = "bank_transfer"
    id: Id
    entity: Literal["bank_transfer"] = "bank_transfer"
    amount: Amount
    payment_id: Ref = None
    mode: Text = None
    bank_reference: Text = None
    payer_bank_account: Loose[BankAccount] = None
    payer_name: Text = None
    payer_account: Text = None
    payer_ifsc: Text = None
    virtual_account_id: Text = None
    virtual_account: Loose[VirtualAccount] = None

    @property
    def money(self) -> Money:
        """The amount, in rupees: these transfers exist in India only, and Razorpay sends no currency."""
        return Money(self.amount, "INR")


class UpiTransfer(Entity):
    """A transfer over UPI. ``rrn`` (before: ``npci_reference_id``) is the network's reference."""

    kind: ClassVar[str] = "upi_transfer"
    id: Id
    entity: Literal["upi_transfer"] = "upi_transfer"
    amount: Amount
    payment_id: Ref = None
    payer_vpa: Text = None
    payer_bank: Text = None
    payer_account: Text = None
    payer_ifsc: Text = None
    rrn: Text = None
    npci_reference_id: Text = None
    virtual_account_id: Text = None
    virtual_account: Loose[VirtualAccount] = None

    @property
    def money(self) -> Money:
        """The amount, in rupees: UPI knows no other currency, and Razorpay sends none."""
        return Money(self.amount, "INR")

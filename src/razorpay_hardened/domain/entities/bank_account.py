"""Bank accounts and VPAs: of customers, of virtual accounts, of payers (FACTS section 8, API_REFERENCE "Customers")."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Entity
from razorpay_hardened.domain.entities._fields import Flag, Notes, NotesField, Status, Text

__all__ = ["BankAccount", "SettlementAccount", "Vpa", "VpaValidation"]


class BankAccount(Entity):
    """A bank account: a customer's, a payer's, or the receiver of a virtual account. ``status`` tells a deletion."""

    kind: ClassVar[str] = "bank_account"
    id: Text = None
    entity: Literal["bank_account"] = "bank_account"
    status: Status = None
    ifsc: Text = None
    bank_name: Text = None
    name: Text = None
    account_number: Text = None
    account_type: Text = None
    notes: NotesField = Field(default_factory=Notes)


class Vpa(Entity):
    """A virtual payment address: ``address`` is ``username@handle``."""

    kind: ClassVar[str] = "vpa"
    id: Text = None
    entity: Literal["vpa"] = "vpa"
    username: Text = None
    handle: Text = None
    address: Text = None


class VpaValidation(Entity):
    """Whether a VPA exists, and whose it is (``POST /payments/validate/vpa``)."""

    kind: ClassVar[str] = "vpa.validation"
    vpa: Text = None
    success: Flag = None
    customer_name: Text = None


class SettlementAccount(Entity):
    """The account that a linked account is settled to, after a change (API_REFERENCE "Update Bank Account Details")."""

    kind: ClassVar[str] = "settlement_account"
    status: Status = None
    beneficiary_name: Text = None
    account_number: Text = None
    ifsc_code: Text = None

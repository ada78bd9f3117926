"""What an account can be paid with (FACTS appendix A, API_REFERENCE "Recurring payments")."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import Flag, Kept, Loose, LooseList, Text, Texts, Whole

__all__ = ["Eligibility", "EligibilityVerdict", "EligibleInstrument", "Methods"]


class Methods(Entity):
    """Which methods, banks, networks and wallets are switched on (``GET /methods``). Wallets are fields of their own.

    ``recurring`` tells, per method and bank code, which mandates can be made.
    """

    kind: ClassVar[str] = "methods"
    entity: Literal["methods"] = "methods"
    merchant_id: Text = None
    card: Kept[bool | int] = None
    credit_card: Flag = None
    debit_card: Flag = None
    prepaid_card: Flag = None
    amex: Flag = None
    card_networks: Kept[dict[str, int]] = None
    card_subtype: Whole = None
    netbanking: Kept[bool | dict[str, str]] = None
    disabled_banks: Texts = None
    upi: Flag = None
    upi_type: Kept[dict[str, int]] = None
    emi: Kept[bool | list[Any]] = None
    debit_emi_providers: Kept[dict[str, int]] = None
    cardless_emi: Kept[bool | dict[str, bool]] = None
    paylater: Kept[bool | dict[str, bool]] = None
    emandate: Flag = None
    nach: Flag = None
    bank_transfer: Flag = None
    cod: Flag = None
    apps: Kept[dict[str, int]] = None
    recurring: Kept[dict[str, Any]] = None


class EligibilityVerdict(Detail):
    """``status`` is eligible or ineligible; ``error`` says why not, as errors of the API do."""

    status: Text = None
    error: Kept[dict[str, Any]] = None


class EligibleInstrument(Detail):
    """One way to pay, and whether this customer may use it."""

    method: Text = None
    issuer: Text = None
    provider: Text = None
    type: Text = None
    eligibility_req_id: Text = None
    eligibility: Loose[EligibilityVerdict] = None


class Eligibility(Entity):
    """Whether a customer may pay an amount in instalments or later. ``amount`` is an echo, in text."""

    kind: ClassVar[str] = "eligibility"
    amount: Kept[str | int] = None
    customer: Kept[dict[str, Any]] = None
    instruments: LooseList[EligibleInstrument] = None

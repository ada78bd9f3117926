"""Razorpay's ids: one type per kind, one strict form.

An id that reaches a URL, a signature or a query is checked first. Without strict forms the tag of one kind of
message passes for another's, and ``../refunds`` becomes a path (FAULTS rule 7).
The documented form is a prefix and 14 case-sensitive alphanumerics, which Razorpay's own samples break, so 10 to 40 are
accepted (FACTS section 1).
"""

from __future__ import annotations

import re
from typing import Final, NewType

from razorpay_hardened.errors import IdMalformed

__all__ = [
    "AT_TIMES_BARE",
    "BARE",
    "PREFIXES",
    "AccountId",
    "OrderId",
    "PaymentId",
    "PaymentLinkId",
    "RefundId",
    "SubscriptionId",
    "check_id",
    "is_id",
    "order_id",
    "payment_id",
    "payment_link_id",
    "refund_id",
    "subscription_id",
]

OrderId = NewType("OrderId", str)
PaymentId = NewType("PaymentId", str)
RefundId = NewType("RefundId", str)
SubscriptionId = NewType("SubscriptionId", str)
PaymentLinkId = NewType("PaymentLinkId", str)
AccountId = NewType("AccountId", str)

PREFIXES: Final[dict[str, str]] = {
    "account": "acc",
    "addon": "ao",
    "bank_account": "ba",
    "bank_transfer": "bt",
    "card": "card",
    "contact": "cont",
    "customer": "cust",
    "device.activity": "pda",
    "dispute": "disp",
    "document": "doc",
    "eligibility": "elig",
    "fund_account": "fa",
    "fund_account.validation": "fav",
    "invoice": "inv",
    "item": "item",
    "line_item": "li",
    "offer": "offer",
    "order": "order",
    "payment": "pay",
    "payment.downtime": "down",
    "payment_link": "plink",
    "payout": "pout",
    "payout_link": "poutlk",
    "plan": "plan",
    "product": "acc_prd",
    "qr_code": "qr",
    "refund": "rfnd",
    "reversal": "rvrsl",
    "service_provider_token": "spt",
    "settlement": "setl",
    "settlement.ondemand": "setlod",
    "settlement.ondemand_payout": "setlodp",
    "stakeholder": "sth",
    "subscription": "sub",
    "token": "token",
    "transaction": "txn",
    "transfer": "trf",
    "upi_transfer": "ut",
    "virtual_account": "va",
    "vpa": "vpa",
}
"""Kind of entity → prefix of its ids (FACTS section 1)."""

BARE: Final = frozenset({"webhook"})
"""Kinds whose ids have no prefix at all."""

AT_TIMES_BARE: Final = frozenset({"stakeholder"})
"""Kinds whose prefix some of Razorpay's published answers leave out."""


def _pattern(kind: str) -> re.Pattern[str]:
    prefix = "" if kind in BARE else f"{PREFIXES[kind]}_"
    return re.compile(rf"(?:{prefix}){'?' * (kind in AT_TIMES_BARE)}[A-Za-z0-9]{{10,40}}", re.ASCII)


_PATTERNS: Final[dict[str, re.Pattern[str]]] = {kind: _pattern(kind) for kind in (*PREFIXES, *BARE)}


def is_id(kind: str, value: object) -> bool:
    """Whether ``value`` is a well-formed id of ``kind``; True or False for any object at all."""
    return type(value) is str and _PATTERNS[kind].fullmatch(value) is not None


def check_id(kind: str, value: object) -> str:
    """``value`` itself if it is a well-formed id of ``kind``; else :class:`IdMalformed` (which never echoes it)."""
    if not is_id(kind, value):
        prefix = "" if kind in BARE else f"'{PREFIXES[kind]}_' and "
        raise IdMalformed(f"this must be a Razorpay {kind.replace('_', ' ')} id: {prefix}10 to 40 letters and digits")
    return value  # type: ignore[return-value]  # is_id has looked


def order_id(value: object) -> OrderId:
    """Check an order id (``order_…``)."""
    return OrderId(check_id("order", value))


def payment_id(value: object) -> PaymentId:
    """Check a payment id (``pay_…``)."""
    return PaymentId(check_id("payment", value))


def refund_id(value: object) -> RefundId:
    """Check a refund id (``rfnd_…``)."""
    return RefundId(check_id("refund", value))


def subscription_id(value: object) -> SubscriptionId:
    """Check a subscription id (``sub_…``)."""
    return SubscriptionId(check_id("subscription", value))


def payment_link_id(value: object) -> PaymentLinkId:
    """Check a payment link id (``plink_…``)."""
    return PaymentLinkId(check_id("payment_link", value))

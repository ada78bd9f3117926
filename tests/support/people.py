"""Customers, tokens, cards and their like, as Razorpay answers them."""

from __future__ import annotations

from typing import Any

from client_fakes import ORDER_ID, PAYMENT_ID
from support.billing import CUSTOMER_ID

__all__ = [
    "ACCOUNT_NUMBER",
    "BANK_ACCOUNT_ID",
    "CARD",
    "CARD_ID",
    "CARD_NUMBER",
    "DEVICE_ACTIVITY_ID",
    "FUND_ACCOUNT_ID",
    "PROVIDER_TOKEN_ID",
    "TOKEN_ID",
    "activity",
    "bank_account",
    "card",
    "created",
    "customer",
    "fund_account",
    "token",
]

BANK_ACCOUNT_ID = "ba_LSZht1Cm7xFTwF"
CARD_ID = "card_6krZ6bcjoeqyV9"
DEVICE_ACTIVITY_ID = "pda_NVTKa9PL0yessI"
FUND_ACCOUNT_ID = "fa_JcXaLomo4ck5IY"
PROVIDER_TOKEN_ID = "spt_4lsdksD31GaZ09"
TOKEN_ID = "token_4lsdksD31GaZ09"

CARD_NUMBER = "4539578763621486"
ACCOUNT_NUMBER = "98765432109876"
CARD = {"number": CARD_NUMBER, "name": "Asha", "expiry_month": 11, "expiry_year": "30", "cvv": "100"}
"""One that nobody published: these numbers are looked for in all that tests print."""


def customer(**changes: Any) -> dict[str, Any]:
    plain = {"id": CUSTOMER_ID, "entity": "customer", "name": "Asha Rao", "email": "asha@example.in"}
    return {**plain, "contact": "9123456780", "gstin": None, "notes": [], "created_at": 1582033731, **changes}


def token(**changes: Any) -> dict[str, Any]:
    plain = {"id": TOKEN_ID, "entity": "token", "method": "card", "card": card(), "recurring": True}
    return {**plain, "recurring_details": {"status": "confirmed", "failure_reason": None}, "notes": [], **changes}


def card(**changes: Any) -> dict[str, Any]:
    return {"id": CARD_ID, "entity": "card", "last4": "1486", "network": "Visa", "type": "debit", **changes}


def bank_account(**changes: Any) -> dict[str, Any]:
    plain = {"id": BANK_ACCOUNT_ID, "entity": "bank_account", "ifsc": "HDFC0000053", "bank_name": "HDFC Bank"}
    return {**plain, "name": "Asha", "notes": [], "account_number": "XXXXXXXXXX9876", **changes}


def fund_account(**changes: Any) -> dict[str, Any]:
    plain = {"id": FUND_ACCOUNT_ID, "entity": "fund_account", "customer_id": CUSTOMER_ID, "active": True}
    return {**plain, "account_type": "bank_account", "bank_account": bank_account(), "batch_id": None, **changes}


def activity(**changes: Any) -> dict[str, Any]:
    plain = {"id": DEVICE_ACTIVITY_ID, "entity": "device.activity", "device_id": "2841158834"}
    shown = {"name": "Acme Corp", "amount": 49900, "currency": "INR", "description": "Books", "order_id": ORDER_ID}
    return {**plain, "action": "initiate_checkout", "initiate_checkout": shown, "status": "processing", **changes}


def created(**changes: Any) -> dict[str, Any]:
    """The answer to a payment that a server made."""
    return {"razorpay_payment_id": PAYMENT_ID, **changes}

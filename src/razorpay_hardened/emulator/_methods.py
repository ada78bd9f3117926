"""Which methods the account has: those that the emulator pays by (the official page on the Methods API)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator._route import Route
from razorpay_hardened.emulator.wire import Call, Entity

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["BANKS", "EVENTS", "ROUTES"]

BANKS = {
    "BARB_R": "Bank of Baroda - Retail Banking",
    "CNRB": "Canara Bank",
    "HDFC": "HDFC Bank",
    "IBKL": "IDBI",
    "ICIC": "ICICI Bank",
    "IDFB": "IDFC FIRST Bank",
    "INDB": "Indusind Bank",
    "KKBK": "Kotak Mahindra Bank",
    "RATN": "RBL Bank",
    "SBIN": "State Bank of India",
    "UTIB": "Axis Bank",
    "YESB": "Yes Bank",
}
"""Some of India's banks by code; any other code is taken too."""

_EMI_MINIMUM, _EMI_MONTHS, _EMI_RATE = 300_000, (3, 6, 9, 12, 18, 24), 15  # HDFC's, as the page has them


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/methods``, which the SDK asks for without the version (FACTS section 5). The key id is enough."""
    plans: Entity = {"min_amount": _EMI_MINIMUM, "plans": {str(months): _EMI_RATE for months in _EMI_MONTHS}}
    return {
        "entity": "methods",
        "card": True,
        "debit_card": True,
        "credit_card": True,
        "prepaid_card": True,
        "card_networks": {"AMEX": 1, "DICL": 1, "MC": 1, "MAES": 1, "VISA": 1, "JCB": 0, "RUPAY": 1, "BAJAJ": 0},
        "card_subtype": {"consumer": 1, "business": 1},
        "amex": True,
        "netbanking": dict(BANKS),
        "wallet": {"payzapp": True},
        "emi": True,
        "upi": True,
        "cardless_emi": {"zestmoney": True},
        "paylater": {"lazypay": True},
        "google_pay_cards": False,
        "app": {"cred": 1, "twid": 0},
        "gpay": False,
        "emi_types": {"credit": True, "debit": False},
        "debit_emi_providers": {"HDFC": 0},
        "nach": True,
        "cod": True,
        "emi_subvention": "customer",
        "emi_plans": {"HDFC": plans},
    }


ROUTES = (
    Route("GET", "/v1/methods", fetch, public=True),
    Route("GET", "/methods", fetch, public=True),
)
EVENTS = ()

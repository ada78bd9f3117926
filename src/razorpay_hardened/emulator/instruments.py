"""Razorpay's published test instruments (FACTS section 12): which card or UPI id does what."""

from __future__ import annotations

import re
from typing import NamedTuple

from razorpay_hardened.emulator.wire import Entity
from razorpay_hardened.errors import ConfigError

__all__ = [
    "ANSWERS",
    "EXPIRED",
    "Failure",
    "Instrument",
    "METHODS",
    "OUTCOMES",
    "WRONG_OTP",
    "choose",
    "published_cards",
    "wrong_otp",
]

METHODS = (
    "upi",
    "card",
    "netbanking",
    "wallet",
    "emi",
    "cardless_emi",
    "paylater",
    "bank_transfer",
    "emandate",
    "nach",
    "cod",
    "app",
)
OUTCOMES = ("captured", "authorized", "failed", "late", "created")


class Failure(NamedTuple):
    """What a failed payment carries in its ``error_*`` fields."""

    code: str
    reason: str
    description: str = "Payment failed"
    source: str = "issuer"
    step: str = "payment_authorization"

    def fields(self) -> Entity:
        """The five fields of the payment entity."""
        return {
            "error_code": self.code,
            "error_description": self.description,
            "error_source": self.source,
            "error_step": self.step,
            "error_reason": self.reason,
        }


class Instrument(NamedTuple):
    """How the customer pays, and what the instrument itself decides (``failure`` is None where it succeeds)."""

    method: str
    card: Entity | None = None
    vpa: str | None = None
    failure: Failure | None = None
    bank: str | None = None
    wallet: str | None = None
    emi: Entity | None = None


ANSWERS = ("success", "failure", "silence", "cancel")
"""What a customer can do at the bank's page."""

_BAD = "BAD_REQUEST_ERROR"
_GATEWAY = "GATEWAY_ERROR"

PLAIN_FAILURE = Failure(_BAD, "payment_failed")
CARD_FAILURE = Failure(_GATEWAY, "gateway_technical_error", source="gateway")
"""Any card that is not in the tables, when the customer presses Failure (SCENARIOS A6)."""

SILENCE = Failure(_BAD, "payment_timed_out", source="customer", step="payment_authentication")
"""No answer from the bank in time. Only the reason is published."""

EXPIRED = Failure(_GATEWAY, "payment_collect_request_expired", source="customer", step="payment_authentication")
"""A UPI request that nobody answered before it ended. Only the reason is published."""

WRONG_OTP = Failure(_BAD, "incorrect_otp", source="customer", step="payment_authentication")
"""Fewer than 4 digits. That it fails is published; its reason is one of the published list."""

# Network and whether the card is international, for the published numbers that succeed.
_GOOD_CARDS = {
    "4100280000001007": ("Visa", False),
    "5500670000001002": ("MasterCard", False),
    "6527658900001005": ("RuPay", False),
    "36082800091007": ("Diners Club", False),
    "340256000401007": ("American Express", False),
    "5555555555554444": ("MasterCard", True),
    "5105105105105100": ("MasterCard", True),
    "5104060000000008": ("MasterCard", True),
    "4012888888881881": ("Visa", True),
    "4718609108204366": ("Visa", False),
    "5104015555555558": ("MasterCard", False),
    "5241810000000000": ("MasterCard", False),
}

# Only code and reason are published for these; source and step keep the sample's values.
_BAD_CARDS = {
    "4100280000090000": (_BAD, "payment_timed_out"),
    "5305620000060000": (_BAD, "payment_timed_out"),
    "4100280000080001": (_BAD, "insufficient_fund"),
    "5305620000050001": (_BAD, "insufficient_fund"),
    "4100280000070002": (_BAD, "payment_cancelled"),
    "5305620000040002": (_BAD, "payment_cancelled"),
    "4100280000060003": (_BAD, "card_declined"),
    "4100280000050004": (_BAD, "card_declined"),
    "4100280000040005": (_BAD, "card_declined"),
    "5305620000030003": (_BAD, "card_declined"),
    "5305620000020004": (_BAD, "card_declined"),
    "5305620000010005": (_BAD, "card_declined"),
    "4100280000030006": (_BAD, "card_disabled_for_online_payments"),
    "5305620000000006": (_BAD, "card_disabled_for_online_payments"),
    "4100280000010008": (_BAD, "card_number_invalid"),
    "5305620000080008": (_BAD, "card_number_invalid"),
    "4100280000020007": (_GATEWAY, "gateway_technical_error"),
    "5305620000090007": (_GATEWAY, "gateway_technical_error"),
    "4100280000000009": (_GATEWAY, "authentication_failed"),
    "5305620000070009": (_GATEWAY, "authentication_failed"),
}

# UPI without a test id: the amount in subunits decides (SCENARIOS A6).
_UPI_AMOUNTS = {
    201: Failure(
        _GATEWAY,
        "insufficient_funds",
        "Transaction failed due to insufficient funds.",
        "customer",
        "payment_debit_request",
    ),
    402: Failure(
        _GATEWAY,
        "payment_declined",
        "Payment failed. Please try again with another bank account.",
        "issuer_bank",
        "payment_debit_request",
    ),
}


def wrong_otp(otp: str) -> bool:
    """In test mode an OTP of 4 to 10 digits succeeds, a shorter one fails (FACTS section 12)."""
    return not re.fullmatch(r"[0-9]{4,10}", otp)


def published_cards() -> dict[str, list[tuple[str, str]]]:
    """Every published test card as (number, what to call it), by what it does."""

    def shown(number: str, what: str) -> tuple[str, str]:
        return number, f"…{number[-4:]}  {what}"

    good = [shown(n, f"{net}, international" if abroad else net) for n, (net, abroad) in _GOOD_CARDS.items()]
    return {"Succeeds": good, "Fails": [shown(n, reason) for n, (_, reason) in _BAD_CARDS.items()]}


def choose(*, method: str, card: str | None, vpa: str | None, amount: int) -> Instrument:
    """The instrument for these wishes. A card number or a UPI id settles the method. Raises :class:`ConfigError`."""
    if card is not None:
        return _card(re.sub(r"[ -]", "", card))
    if vpa is not None or method == "upi":
        return _upi(vpa, amount)
    if method == "card":
        return _card("4100280000001007")
    if method == "emi":
        return _card("5241810000000000")._replace(method="emi", emi={"issuer": "HDFC", "rate": 1300, "duration": 6})
    if method not in METHODS:
        raise ConfigError(f"the emulator pays by {', '.join(METHODS)}; not by {method!r}")
    return Instrument(method, bank=_BANKS.get(method), wallet=_WALLETS.get(method))


_BANKS = {"netbanking": "HDFC", "emandate": "HDFC", "nach": "UTIB"}
# that the provider of the last three stands in ``wallet`` is UNCONFIRMED (FACTS section 8)
_WALLETS = {"wallet": "payzapp", "cardless_emi": "zestmoney", "paylater": "lazypay", "app": "cred"}


def _card(number: str) -> Instrument:
    if not re.fullmatch(r"[0-9]{12,19}", number):
        raise ConfigError("a card number has 12 to 19 digits")
    network, international = _GOOD_CARDS.get(number, ("Visa" if number.startswith("4") else "MasterCard", False))
    card: Entity = {
        "entity": "card",
        "name": "Gaurav Kumar",
        "last4": number[-4:],
        "network": network,
        "type": "credit",
        "issuer": None,
        "international": international,
        "emi": False,
        "sub_type": "consumer",
        "token_iin": None,
    }
    bad = _BAD_CARDS.get(number)
    return Instrument("card", card=card, failure=Failure(*bad) if bad else None)


def _upi(vpa: str | None, amount: int) -> Instrument:
    if vpa == "failure@razorpay":
        return Instrument("upi", vpa=vpa, failure=PLAIN_FAILURE)
    failure = _UPI_AMOUNTS.get(amount) if vpa is None else None
    return Instrument("upi", vpa=vpa or "success@razorpay", failure=failure)

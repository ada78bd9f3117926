"""Fees that customers bear: on top of what they pay for, where the account has it so (``Options.fee_bearer``).

FACTS section 14, and the official pages on convenience fees and on the Customer Fee Bearer model, which FACTS does not
hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _books, _checks
from razorpay_hardened.emulator._route import Route
from razorpay_hardened.emulator.wire import Call, Entity, not_applicable, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES", "on_top"]

_METHODS = ("card", "netbanking", "wallet", "upi", "emi", "cardless_emi", "paylater")
_FIELDS = {
    *("amount", "currency", "method", "contact", "email", "description", "upi", "card", "payer_account_type"),
    *("recurring", "save"),
}


def on_top(
    world: World, order: Entity | None, method: str, amount: int, currency: str, *, international: bool
) -> tuple[int, int]:
    """The fee, and the GST in it, that the customer of this payment bears; (0, 0) where the business does.

    INR only, and neither for what comes without an order nor for one that is shared by Route.
    """
    if world.options.fee_bearer != "customer" or order is None or currency != "INR" or international:
        return 0, 0
    if world.owned(order["id"], "transfer"):
        return 0, 0
    return _fee(world, method, amount)


def _fee(world: World, method: str, amount: int) -> tuple[int, int]:
    about = {"amount": amount, "currency": "INR", "method": method, "international": False}
    return _books.fee_of(world, about)


def calculate(world: World, call: Call) -> Entity:
    """``POST /v1/payments/calculate/fees``: what to send with the payment (``input``, in paise), and what to show
    (``display``, in rupees)."""
    if world.options.fee_bearer != "customer":  # a feature that is not enabled (FACTS section 3)
        raise not_applicable("The requested URL was not found on the server.")
    body = call.body
    _checks.known_fields(body, _FIELDS)
    amount, currency = _checks.amount_in(body), _checks.currency_in(body)
    method = _checks.choice_in(body, "method", _METHODS)
    if currency != "INR":  # the rule is published, the text is not
        raise refusal("The selected currency is invalid", field="currency")
    if amount < _checks.minimum(currency):
        raise refusal("The amount must be at least INR 1.00.", field="amount")
    fee, tax = _fee(world, method, amount)
    secret = {"card"}  # is not said again
    said = {key: value for key, value in body.items() if key not in secret}
    return {
        "input": {**said, "amount": amount + fee, "fee": fee, "tax": tax},
        "display": {
            "originalAmount": _rupees(amount),
            "original_amount": _rupees(amount),
            "fees": _rupees(fee),
            "razorpay_fee": _rupees(fee - tax),
            "tax": _rupees(tax),
            "amount": _rupees(amount + fee),
            "currency": currency,
        },
    }


def _rupees(paise: int) -> int | float:
    """A number to be looked at, not calculated with."""
    return paise / 100 if paise % 100 else paise // 100


ROUTES = (Route("POST", "/v1/payments/calculate/fees", calculate),)
EVENTS = ()

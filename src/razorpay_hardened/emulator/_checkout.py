"""What a customer does to pay: presses Pay for an order, and answers at the bank's page.

Checkout and the calls by which a business makes a payment itself both pass here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _bank, _fees, _payments, instruments
from razorpay_hardened.emulator.instruments import Instrument
from razorpay_hardened.emulator.wire import refusal
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.signing import sign_checkout_for_test

if TYPE_CHECKING:
    from razorpay_hardened.emulator.wire import Entity
    from razorpay_hardened.emulator.world import World

__all__ = ["due", "finish", "form", "payable", "press_pay", "refused_otp"]

_LATE_AFTER_S = 3600


def payable(world: World, order_id: str | None, *, concurrent: bool = False) -> Entity | None:
    """The order, if it takes a payment now. ``concurrent`` pays all the same, as from a second tab."""
    if order_id is None:
        return None
    order = world.orders.get(order_id)
    if order is None:
        raise refusal("The id provided does not exist")
    held = [world.payments[one]["status"] for one in world.order_payments[order_id]]
    if world.options.attempts_per_order is not None and len(held) >= world.options.attempts_per_order:
        raise refusal("The order takes no further payment")  # text: not published
    if not concurrent and (order["status"] == "paid" or "authorized" in held):
        raise refusal(_payments.ALREADY_PAID, reason="order_already_paid")
    return order


def due(world: World, order: Entity | None, amount: int | None, currency: str | None) -> tuple[int, str]:
    """What this payment is over. Another amount than the order's is let through: somebody may tamper with it."""
    if order is None:
        if amount is None:
            raise ConfigError("a payment without an order needs an amount")
        return amount, currency or "INR"
    left: int = order["amount_due"] or order["amount"]
    terms = world.terms[order["id"]]
    if terms.partial and amount is not None and amount > left:
        raise refusal("The amount is greater than the amount due on the order", field="amount")  # unpublished
    if terms.first_minimum and not order["amount_paid"] and (amount or left) < min(terms.first_minimum, left):
        raise refusal("The amount is less than the first payment's minimum", field="amount")  # unpublished
    return (left if amount is None else amount), currency or order["currency"]


def press_pay(
    world: World,
    order: Entity | None,
    instrument: Instrument,
    amount: int,
    currency: str,
    *,
    outcome: str | None = None,
    otp: str | None = None,
    late_after_s: float = _LATE_AFTER_S,
    silence_s: int | None = None,
    **person: object,
) -> Entity:
    """The payment, as far as it comes: with the outcome ``created`` it waits for :func:`finish`.

    ``amount`` is what it pays for; a fee that the customer bears comes on top. ``silence_s`` is how long it waits; None
    is as long as any payment does.
    """
    abroad = instrument.card is not None and instrument.card["international"]
    fee, tax = _fees.on_top(world, order, instrument.method, amount, currency, international=abroad)
    payment = _bank.begin(world, order, instrument, amount + fee, currency, **person)
    if fee:
        payment["fee_bearer"] = "customer"
        world.private[payment["id"]]["borne"] = fee, tax
        world.save(payment)
    if outcome is None and otp is not None and refused_otp(instrument, otp):
        _bank.fail(world, payment, instruments.WRONG_OTP)
    else:
        _resolve(world, payment, instrument, outcome, late_after_s, silence_s)
    if payment["status"] == "created":
        world.waiting[payment["id"]] = instrument
    return payment


def finish(world: World, payment_id: str, answer: str, otp: str | None = None) -> Entity:
    """The customer's answer at the bank's page: one of :data:`instruments.ANSWERS`."""
    payment, instrument = world.payments.get(payment_id), world.waiting.get(payment_id)
    if payment is None or instrument is None or payment["status"] != "created":
        raise refusal("The payment does not wait for an answer")  # text: not published
    if answer == "cancel" and instrument.method != "upi":
        raise ConfigError("only UPI payments are cancelled at the bank's page: close the window instead")
    if answer == "success" and instrument.failure is None and refused_otp(instrument, otp or ""):
        _bank.fail(world, payment, instruments.WRONG_OTP)
    else:
        outcome = {"failure": "failed", "silence": "late"}.get(answer)
        _resolve(world, payment, instrument, outcome, _LATE_AFTER_S, None)
    if payment["status"] != "created":
        del world.waiting[payment_id]
    return payment


def refused_otp(instrument: Instrument, otp: str) -> bool:
    """Only cards ask for one."""
    return instrument.card is not None and instruments.wrong_otp(otp)


def _resolve(
    world: World,
    payment: Entity,
    instrument: Instrument,
    outcome: str | None,
    late_after_s: float,
    silence_s: int | None,
) -> None:
    failure = instrument.failure if outcome is None else None
    if outcome == "failed":
        fallback = instruments.CARD_FAILURE if instrument.card else instruments.PLAIN_FAILURE
        failure = instrument.failure or fallback
    if failure is not None:
        _bank.fail(world, payment, failure)
    elif instrument.method == "cod" and outcome is None:
        _bank.pend(world, payment)
    elif outcome in ("late", "created"):
        answers = late_after_s if outcome == "late" else None
        _bank.abandon(world, payment, answers_after_s=answers, capture_it=None, silence_s=silence_s)
    else:
        wish = {"captured": True, "authorized": False}.get(outcome or "")
        _bank.authorize(world, payment, capture_it=wish)


def form(world: World, payment: Entity) -> dict[str, str]:
    """What the shop gets of a payment that was authorised: three fields, or the id alone without an order."""
    if payment["order_id"] is None:
        return {"razorpay_payment_id": payment["id"]}
    secret = world.account.key_secret
    signature = sign_checkout_for_test(order_id=payment["order_id"], payment_id=payment["id"], secret=secret)
    return {
        "razorpay_order_id": payment["order_id"],
        "razorpay_payment_id": payment["id"],
        "razorpay_signature": signature,
    }

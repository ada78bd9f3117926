"""Payments that a server makes for the customer, and the one-time passwords of their cards.

Sources: the API reference ("Recurring payments", and the form post, whose fields these have), and the documents of the
official Python SDK. None of these calls has a key, so none is sent twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import check_notes
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources import _sealed
from razorpay_hardened.client.resources._body import flag, object_of, payable, said, text, whole
from razorpay_hardened.client.resources._read import CREATED_PAYMENT
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.domain.ids import order_id as check_order_id
from razorpay_hardened.domain.ids import payment_id as check_payment_id

if TYPE_CHECKING:
    from razorpay_hardened.client._values import Operation
    from razorpay_hardened.domain.entities import CreatedPayment
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.signing.keys import Secret

__all__ = [
    "VPA_MAX",
    "create_json",
    "create_recurring",
    "create_upi",
    "otp_generate",
    "otp_resend",
    "otp_submit",
]

EMAIL_MAX: Final = 64
CONTACT_MAX: Final = 15
VPA_MAX: Final = 320
IP_MAX: Final = 45


def create_json(
    *,
    amount: Money,
    order_id: str,
    email: str,
    contact: str,
    method: str,
    card: Mapping[str, Any] | None = None,
    bank: str | None = None,
    bank_account: Mapping[str, Any] | None = None,
    wallet: str | None = None,
    upi: Mapping[str, Any] | None = None,
    vpa: str | None = None,
    provider: str | None = None,
    emi_duration: int | None = None,
    customer_id: str | None = None,
    token: str | None = None,
    save: bool | None = None,
    recurring: bool | None = None,
    authentication: Mapping[str, Any] | None = None,
    browser: Mapping[str, Any] | None = None,
    ip: str | None = None,
    referrer: str | None = None,
    user_agent: str | None = None,
    callback_url: str | None = None,
    description: str | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[CreatedPayment]:
    """A payment that your server makes for the customer: its id, and the steps that are ``next`` for them.

    For accounts that Razorpay allows it. ``method`` says which of the other fields are needed: ``card`` has ``number``
    and ``cvv`` (text, or each a :class:`Secret`), ``expiry_month``, ``expiry_year`` and ``name``; with a ``token`` the
    ``cvv`` is enough. Numbers of cards and bank accounts are sealed at once: no ``repr``, error or frame of ours
    shows them; keep them out of your own. ``ip``, ``referrer`` and ``user_agent`` are those of the customer's browser.

    The payment counts once it is verified or fetched, not by this answer. Nothing is sent twice: after
    :class:`OutcomeUnknown`, ``orders.payments(order_id)`` shows whether the customer is being charged.
    """
    needs = () if token is not None else ("number", "expiry_month", "expiry_year")
    body = {
        **_charge(amount, order_id, email, contact, customer_id, token, description, notes),
        "method": text("method", method, 40),
        "card": _sealed.card(card, needs=needs),
        "bank": text("bank", bank, 40),
        "bank_account": _sealed.bank_account("bank_account", bank_account),
        "wallet": text("wallet", wallet, 40),
        "upi": object_of("upi", upi),
        "vpa": text("vpa", vpa, VPA_MAX),
        "provider": text("provider", provider, 40),
        "emi_duration": whole("emi_duration", emi_duration),
        "save": flag("save", save),
        "recurring": flag("recurring", recurring),
        "authentication": object_of("authentication", authentication),
        "browser": object_of("browser", browser),
        "referrer": text("referrer", referrer),
        **_from_browser(ip, user_agent, callback_url),
    }
    return _creation(op.PAYMENT_CREATE, said(body, extra, needs=("email", "contact", "method")))


def create_upi(
    *,
    amount: Money,
    order_id: str,
    email: str,
    contact: str,
    upi: Mapping[str, Any] | None = None,
    customer_id: str | None = None,
    token: str | None = None,
    save: bool | None = None,
    ip: str | None = None,
    referer: str | None = None,
    user_agent: str | None = None,
    callback_url: str | None = None,
    description: str | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[CreatedPayment]:
    """A UPI payment that your server makes: a request to the customer's app, or a ``link`` that opens one.

    ``upi`` has ``flow``: ``collect`` with ``vpa`` and perhaps ``expiry_time`` (minutes), or ``intent``. ``save`` keeps
    the address as a token of the customer. As ``create_json``, nothing is sent twice.
    """
    body = {
        **_charge(amount, order_id, email, contact, customer_id, token, description, notes),
        "method": "upi",
        "upi": object_of("upi", upi),
        "save": None if flag("save", save) is None else int(bool(save)),
        "referer": text("referer", referer),
        **_from_browser(ip, user_agent, callback_url),
    }
    return _creation(op.PAYMENT_CREATE_UPI, said(body, extra, needs=("email", "contact")))


def create_recurring(
    *,
    amount: Money,
    order_id: str,
    customer_id: str,
    token: str,
    email: str | None = None,
    contact: str | None = None,
    recurring: bool | None = True,
    description: str | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[CreatedPayment]:
    """Charge the customer by a mandate: ``token`` (``token_…``) is what they agreed to, ``order_id`` an order for it.

    The ``email`` and ``contact`` are the customer's. None for ``recurring`` leaves it out, as UPI's one-time mandates
    want it. The charge may take days: wait for its webhooks, or fetch it.

    Nothing is sent twice: after :class:`OutcomeUnknown`, ``orders.payments(order_id)`` shows whether the customer is
    being charged. Make one order for each charge, and look there before another attempt.
    """
    body = {
        **_charge(amount, order_id, email, contact, customer_id, token, description, notes),
        "recurring": flag("recurring", recurring),
    }
    return _creation(op.PAYMENT_CREATE_RECURRING, said(body, extra, needs=("customer_id", "token")))


def _charge(
    amount: Money,
    order_id: str,
    email: str | None,
    contact: str | None,
    customer_id: str | None,
    token: str | None,
    description: str | None,
    notes: Mapping[str, str] | None,
) -> dict[str, Any]:
    """What all payments that a server makes have in common."""
    return {
        "amount": payable("amount", amount).subunits,
        "currency": amount.currency,
        "order_id": check_order_id(order_id),
        "email": text("email", email, EMAIL_MAX),
        "contact": text("contact", contact, CONTACT_MAX),
        "customer_id": None if customer_id is None else check_id("customer", customer_id),
        "token": None if token is None else check_id("token", token),
        "description": text("description", description),
        "notes": None if notes is None else check_notes(notes),
    }


def _from_browser(ip: str | None, user_agent: str | None, callback_url: str | None) -> dict[str, Any]:
    return {
        "ip": text("ip", ip, IP_MAX),
        "user_agent": text("user_agent", user_agent),
        "callback_url": text("callback_url", callback_url),
    }


def _creation(operation: Operation, body: dict[str, Any]) -> Ask[CreatedPayment]:
    order_id = body["order_id"]

    def parse(answer: Any) -> CreatedPayment:
        created = CREATED_PAYMENT.one(answer)
        if created.razorpay_order_id is not None:
            read.echo("razorpay_order_id", created.razorpay_order_id, order_id)
        return created

    return Ask(Call(operation, data=body), parse)


def otp_generate(payment_id: str) -> Ask[CreatedPayment]:
    """Have the bank send the customer a one-time password. Nothing is sent twice: they would get another."""
    return _about(op.PAYMENT_OTP_GENERATE, payment_id)


def otp_resend(payment_id: str) -> Ask[CreatedPayment]:
    """Have the bank send another one-time password."""
    return _about(op.PAYMENT_OTP_RESEND, payment_id)


def otp_submit(payment_id: str, otp: str | Secret) -> Ask[CreatedPayment]:
    """Hand the customer's one-time password in (text of digits, or a :class:`Secret`): the ids, and the signature.

    Verify the signature (``verify_checkout``) or fetch the payment: the answer alone proves nothing. Raises
    :class:`ApiBadRequest` for a wrong password, which the customer may correct. Nothing is sent twice: after
    :class:`OutcomeUnknown`, fetch the payment.
    """
    return _about(op.PAYMENT_OTP_SUBMIT, payment_id, {"otp": _sealed.one_time_password(otp)})


def _about(operation: Operation, payment_id: str, body: Mapping[str, Any] | None = None) -> Ask[CreatedPayment]:
    payment_id = check_payment_id(payment_id)
    data = said(dict(body or {}), needs=tuple(body or ()))
    return Ask(Call(operation, (payment_id,), data), CREATED_PAYMENT.echoing(razorpay_payment_id=payment_id))

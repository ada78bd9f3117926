"""Refunding: the intent and its key are durable before Razorpay is asked.

A crash, a timeout or a second click meets the intent, and repeats the request with the same key: Razorpay answers it
with the first refund (FACTS section 7.1). The cap is checked under the payment's own anchor, so that two workers cannot
give back more than was paid (FAULTS section 5).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from razorpay_hardened.checkout._base import Tools
from razorpay_hardened.domain.entities import Refund
from razorpay_hardened.domain.events import refund_fact
from razorpay_hardened.domain.facts import Cause
from razorpay_hardened.domain.ids import payment_id as checked_payment_id
from razorpay_hardened.domain.money import Money
from razorpay_hardened.domain.state import PaymentState, RefundIntent, RefundState
from razorpay_hardened.errors import (
    ApiBadRequest,
    ApiError,
    CurrencyMismatch,
    FieldInvalid,
    IdempotencyConflict,
    OrderUnknown,
    OverRefund,
    TransitionRefused,
)
from razorpay_hardened.ledger import Applied
from razorpay_hardened.ports.store import Touches, Transaction
from razorpay_hardened.ports.unit import transact

__all__ = ["intend", "refund", "send"]

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{10,64}", re.ASCII)


def refund(
    tools: Tools,
    payment: str,
    amount: Money | None,
    key: str | None,
    speed: str | None,
    notes: Mapping[str, str] | None,
) -> RefundState:
    """See :meth:`Checkout.refund`."""
    payment_id = checked_payment_id(payment)
    chosen = _check_key(key) if key is not None else f"rh_{secrets.token_hex(16)}"
    intent = intend(tools, payment_id, amount, chosen)
    if intent.state == "bound" and intent.refund_id is not None:
        known = tools.store.refund(intent.refund_id)
        if known is not None:
            return known
    return send(tools, intent, speed=speed, notes=notes)


def _check_key(key: object) -> str:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise FieldInvalid("a refund key is 10 to 64 characters of A-Z a-z 0-9 _ -")
    return key


def intend(
    tools: Tools,
    payment_id: str,
    amount: Money | None,
    key: str,
    *,
    allow: Callable[[Transaction], None] = lambda tx: None,
) -> RefundIntent:
    """The stored intent for ``key``: the one that is there, or a new one if there is enough left to refund.

    ``allow`` is asked under the payment's lock, before anything is written: it may raise.
    """

    def work(tx: Transaction) -> RefundIntent:
        payment = _locked(tx, payment_id)
        allow(tx)
        intents = tx.intents(payment_id)
        for held in intents:
            if held.key == key:
                return _same(held, amount)
        open_amount = sum(held.amount for held in intents if held.state == "open")
        intent = RefundIntent(
            key=key,
            payment_id=payment_id,
            anchor=payment.anchor,
            amount=_amount(payment, amount, payment.amount - payment.refunded - open_amount),
            currency=payment.currency,
            state="open",
            created_at=tools.clock.now(),
        )
        tx.put_intent(intent)
        return intent

    return transact(tools.store, work, durable=True)


def _locked(tx: Transaction, payment_id: str) -> PaymentState:
    anchor = tx.anchors_of([payment_id]).get(payment_id)
    if anchor is None:
        raise OrderUnknown("this payment is not on record: reconcile it first")
    payment = tx.load(Touches((anchor,), payments=(payment_id,))).payments[payment_id]
    if not payment.captured:
        raise TransitionRefused(f"the payment is {payment.status}: only captured money can be refunded")
    return payment


def _same(held: RefundIntent, amount: Money | None) -> RefundIntent:
    if amount is not None and (held.amount, held.currency) != (amount.subunits, amount.currency):
        raise IdempotencyConflict("this key was used for a refund of another amount")
    if held.state == "refused":
        raise IdempotencyConflict(f"Razorpay refused this refund ({held.reason}): use a new key to ask again")
    return held


def _amount(payment: PaymentState, wanted: Money | None, left: int) -> int:
    chosen = left if wanted is None else wanted.require_positive().subunits
    if wanted is not None and wanted.currency != payment.currency:
        raise CurrencyMismatch(f"the payment is in {payment.currency}")
    if chosen > left or chosen <= 0:
        raise OverRefund
    return chosen


def send(
    tools: Tools, intent: RefundIntent, *, speed: str | None = None, notes: Mapping[str, str] | None = None
) -> RefundState:
    """Ask Razorpay for an intended refund, or again for one whose end is not known.

    An error that leaves the end open leaves the intent open: the sweeper repeats it with the same key.
    """
    try:
        refund = tools.gateway().payments.refund(
            intent.payment_id,
            Money(intent.amount, intent.currency),
            speed=speed,
            notes=notes,
            idempotency_key=intent.key,
        )
    except (ApiBadRequest, IdempotencyConflict) as error:
        _refused(tools, intent, error)
        raise
    return _bind(tools, intent, refund)


def _refused(tools: Tools, intent: RefundIntent, error: ApiError) -> None:
    refused = replace(intent, state="refused", reason=error.reason or error.code)
    transact(tools.store, lambda tx: tx.put_intent(refused), durable=True)


def _bind(tools: Tools, intent: RefundIntent, refund: Refund) -> RefundState:
    cause = Cause("api", tools.clock.now(), "refund")

    def work(tx: Transaction) -> Applied:
        applied = tools.ledger.apply(tx, refund_fact(refund, key=intent.key), cause=cause, inline=tools.inline)
        tx.put_intent(replace(intent, state="bound", refund_id=refund.id))
        return applied

    applied = transact(tools.store, work, durable=True)
    applied.announce(tools.bus)
    return applied.refunds[refund.id]

"""Payments: captured at most once, refunded at most once per key."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Plan, Settle
from razorpay_hardened.client._checks import check_key, check_notes, check_receipt, check_speed, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources._listing import Listing, Walk, one_page
from razorpay_hardened.client.resources._read import PAYMENT, REFUND
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import payment_id as check_payment_id
from razorpay_hardened.errors import AmountMismatch, PayloadInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Payment, Refund
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncPayments", "Payments"]


def _fetch(payment_id: str) -> Ask[Payment]:
    """The payment as Razorpay has it now."""
    payment_id = check_payment_id(payment_id)
    return Ask(Call(op.PAYMENT_FETCH, (payment_id,)), PAYMENT.echoing(id=payment_id))


def _list(
    *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, skip: int = 0
) -> Ask[Page[Payment]]:
    """One page of payments created in the window."""
    return one_page(op.PAYMENT_LIST, PAYMENT.many, from_=from_, to=to, count=count, skip=skip)


def _iter(
    *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, cursor: str | None = None
) -> Listing[Payment]:
    """Every payment in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    return Listing(op.PAYMENT_LIST, PAYMENT.many, query=window(from_, to), count=count, cursor=cursor)


def _edit(payment_id: str, *, notes: Mapping[str, str]) -> Ask[Payment]:
    """The payment with other notes; nothing else of a payment can change."""
    payment_id = check_payment_id(payment_id)
    call = Call(op.PAYMENT_EDIT, (payment_id,), {"notes": check_notes(notes)})
    return Ask(call, PAYMENT.echoing(id=payment_id))


def _capture(payment_id: str, amount: Money) -> Ask[Payment]:
    """The captured payment. ``amount`` must be the whole authorised amount.

    Capturing has no idempotency key; the payment's own state settles every doubt (FAULTS A9), so an answer that
    was lost, or a refusal because it was captured before, ends as success where amount and currency agree.
    Raises :class:`AmountMismatch` where they do not, :class:`OutcomeUnknown` when nobody could be asked.
    """
    payment_id = check_payment_id(payment_id)
    amount.require_payable()

    def parse(answer: Any) -> Payment:
        payment = PAYMENT.echoing(id=payment_id)(answer)
        read.same_money(payment, amount)
        if not _is_captured(payment):
            raise PayloadInvalid("the payment is not captured")  # a success that is none: ask again
        return payment

    call = Call(op.PAYMENT_CAPTURE, (payment_id,), {"amount": amount.subunits, "currency": amount.currency})
    # Any refusal may mean "already captured": the exact words are not documented, so the payment is asked.
    return Ask(call, parse, Settle(lambda: _captured(payment_id, amount), explains=lambda _: True))


def _captured(payment_id: str, amount: Money) -> Plan[Payment | None]:
    """The payment if it is captured; None if it is not (yet)."""
    found: Payment = yield _fetch(payment_id)
    if not _is_captured(found):
        return None
    if found.money != amount:
        raise AmountMismatch("the payment is captured with another amount than the one asked for")
    return found


def _refunds(payment_id: str) -> Plan[tuple[Refund, ...]]:
    """Every refund of the payment."""
    payment_id = check_payment_id(payment_id)

    def parse(answer: Any) -> tuple[Refund, ...]:
        found = REFUND.many(answer)
        for refund in found:
            read.echo("payment_id", refund.payment_id, payment_id)
        return found

    walk = Walk(Listing(op.PAYMENT_REFUNDS, parse, (payment_id,)))
    all_of_them: list[Refund] = []
    while not walk.done:
        page: Page[Refund] = yield walk.next_page()
        all_of_them += walk.take(page)
    return tuple(all_of_them)


def _refund(
    payment_id: str,
    amount: Money | None = None,
    *,
    speed: str | None = None,
    notes: Mapping[str, str] | None = None,
    receipt: str | None = None,
    idempotency_key: str | None = None,
) -> Ask[Refund]:
    """A refund of ``amount``, or of all that is left.

    ``speed`` is ``normal`` or ``optimum``. Every send carries one idempotency key (FACTS section 7.1): yours, which
    you stored before, or one made for this call. Raises :class:`OutcomeUnknown` with that key when the refund may
    have been made: repeat with the same key. Raises :class:`IdempotencyConflict` when the key was used for another
    request.
    """
    payment_id = check_payment_id(payment_id)
    body: dict[str, Any] = {}
    if amount is not None:
        body["amount"] = amount.require_payable().subunits
    if speed is not None:
        body["speed"] = check_speed(speed)
    if notes is not None:
        body["notes"] = check_notes(notes)
    if receipt is not None:
        body["receipt"] = check_receipt(receipt)
    key = check_key(idempotency_key) if idempotency_key is not None else str(uuid.uuid4())

    def parse(answer: Any) -> Refund:
        refund = REFUND.echoing(payment_id=payment_id)(answer)
        if amount is not None:
            read.same_money(refund, amount)
        return refund

    return Ask(Call(op.PAYMENT_REFUND, (payment_id,), body, key=key), parse)


def _is_captured(payment: Payment) -> bool:
    """Captured, whatever was refunded since. The flag decides; without it, the status."""
    return payment.status == "captured" if payment.captured is None else payment.captured


class Payments(Resource):
    """``client.payments``."""

    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)
    edit = sync(_edit)
    capture = sync(_capture)
    refund = sync(_refund)
    refunds = sync(_refunds)


class AsyncPayments(AsyncResource):
    """``client.payments``, awaited."""

    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)
    edit = awaited(_edit)
    capture = awaited(_capture)
    refund = awaited(_refund)
    refunds = awaited(_refunds)

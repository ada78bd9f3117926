"""Payments: captured at most once, refunded at most once per key."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._caller import Settle
from razorpay_hardened.client._checks import (
    check_count,
    check_key,
    check_notes,
    check_receipt,
    check_skip,
    check_speed,
    window,
)
from razorpay_hardened.client._values import Budget, Call, Failed
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources._listing import iterate, one_page
from razorpay_hardened.domain.ids import payment_id as check_payment_id
from razorpay_hardened.errors import AmountMismatch, PayloadInvalid

if TYPE_CHECKING:
    from razorpay_hardened.client._caller import Caller
    from razorpay_hardened.domain.entities import Payment, Refund
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["Payments"]


class Payments:
    """``client.payments``."""

    __slots__ = ("_caller",)

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def fetch(self, payment_id: str) -> Payment:
        """The payment as Razorpay has it now."""
        payment_id = check_payment_id(payment_id)
        return self._caller.read(Call(op.PAYMENT_FETCH, (payment_id,)), lambda answer: _payment(answer, payment_id))

    def list(
        self, *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, skip: int = 0
    ) -> Page[Payment]:
        """One page of payments created in the window."""
        query = {**window(from_, to), "count": check_count(count), "skip": check_skip(skip)}
        return one_page(self._caller, op.PAYMENT_LIST, (), query, read.payments)

    def iter(self, *, from_: Moment | None = None, to: Moment | None = None, count: int = 100) -> Iterator[Payment]:
        """Every payment in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
        check_count(count)
        return iterate(lambda skip: self.list(from_=from_, to=to, count=count, skip=skip), count)

    def capture(self, payment_id: str, amount: Money) -> Payment:
        """The captured payment. ``amount`` must be the whole authorised amount.

        Capturing has no idempotency key; the payment's own state settles every doubt (FAULTS A9), so an answer that
        was lost, or a refusal because it was captured before, ends as success where amount and currency agree.
        Raises :class:`AmountMismatch` where they do not, :class:`OutcomeUnknown` when nobody could be asked.
        """
        payment_id = check_payment_id(payment_id)
        amount.require_payable()

        def parse(answer: Any) -> Payment:
            payment = _payment(answer, payment_id)
            read.same_money(payment, amount)
            if not _is_captured(payment):
                raise PayloadInvalid("the payment is not captured")  # a success that is none: ask again
            return payment

        call = Call(op.PAYMENT_CAPTURE, (payment_id,), {"amount": amount.subunits, "currency": amount.currency})
        # Any refusal may mean "already captured": the exact words are not documented, so the payment is asked.
        settle = Settle(lambda budget: self._captured(payment_id, amount, budget), explains=lambda _: True)
        return self._caller.write(call, parse, settle)

    def _captured(self, payment_id: str, amount: Money, budget: Budget) -> Payment | Failed | None:
        """The payment if it is captured; None if it is not (yet)."""
        call = Call(op.PAYMENT_FETCH, (payment_id,))
        found = self._caller.once(call, lambda answer: _payment(answer, payment_id), budget, 1)
        if isinstance(found, Failed):
            return found
        if not _is_captured(found):
            return None
        if found.money != amount:
            raise AmountMismatch("the payment is captured with another amount than the one asked for")
        return found

    def refunds(self, payment_id: str) -> tuple[Refund, ...]:
        """Every refund of the payment."""
        payment_id = check_payment_id(payment_id)

        def parse(answer: Any) -> tuple[Refund, ...]:
            found = read.refunds(answer)
            for refund in found:
                read.echo("payment_id", refund.payment_id, payment_id)
            return found

        def page(skip: int) -> Page[Refund]:
            query = {"count": 100, "skip": skip}
            return one_page(self._caller, op.PAYMENT_REFUNDS, (payment_id,), query, parse)

        return tuple(iterate(page, 100))

    def refund(
        self,
        payment_id: str,
        amount: Money | None = None,
        *,
        speed: str | None = None,
        notes: Mapping[str, str] | None = None,
        receipt: str | None = None,
        idempotency_key: str | None = None,
    ) -> Refund:
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
        call = Call(op.PAYMENT_REFUND, (payment_id,), body, key=key)
        return self._caller.write(call, lambda answer: _refund(answer, payment_id, amount))


def _is_captured(payment: Payment) -> bool:
    """Captured, whatever was refunded since. The flag decides; without it, the status."""
    return payment.status == "captured" if payment.captured is None else payment.captured


def _payment(answer: Any, payment_id: str) -> Payment:
    payment = read.payment(answer)
    read.echo("id", payment.id, payment_id)
    return payment


def _refund(answer: Any, payment_id: str, amount: Money | None) -> Refund:
    refund = read.refund(answer)
    read.echo("payment_id", refund.payment_id, payment_id)
    if amount is not None:
        read.same_money(refund, amount)
    return refund

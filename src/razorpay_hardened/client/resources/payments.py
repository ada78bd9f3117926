"""Payments: captured at most once, refunded at most once per key."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Plan, Settle
from razorpay_hardened.client._checks import check_key, check_notes, check_receipt, check_speed, expanding, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _charges as charges
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources._body import said, text
from razorpay_hardened.client.resources._listing import Listing, Walk, one_page
from razorpay_hardened.client.resources._read import (
    BANK_TRANSFER,
    CARD,
    DOWNTIME,
    METHODS,
    PAYMENT,
    REFUND,
    TRANSFER,
    UPI_TRANSFER,
    VPA_VALIDATION,
)
from razorpay_hardened.client.resources._shares import shares
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.domain.ids import payment_id as check_payment_id
from razorpay_hardened.domain.ids import refund_id as check_refund_id
from razorpay_hardened.errors import AmountMismatch, PayloadInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import (
        BankTransfer,
        Card,
        Methods,
        Payment,
        PaymentDowntime,
        Refund,
        Transfer,
        UpiTransfer,
        VpaValidation,
    )
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncPayments", "Payments"]


def _fetch(payment_id: str, *, expand: Collection[str] = ()) -> Ask[Payment]:
    """The payment as Razorpay has it now.

    ``expand``: ``card``, ``emi``, ``offers``, ``refunds``, ``token``, ``transaction``, ``transaction.settlement``.
    """
    payment_id = check_payment_id(payment_id)
    return Ask(Call(op.PAYMENT_FETCH, (payment_id,), expanding(expand)), PAYMENT.echoing(id=payment_id))


def _list(
    *,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    skip: int = 0,
    customer_id: str | None = None,
    expand: Collection[str] = (),
) -> Ask[Page[Payment]]:
    """One page of payments created in the window: all, or a customer's. ``expand`` as in ``fetch``."""
    filters = _filters(customer_id, expand)
    return one_page(op.PAYMENT_LIST, PAYMENT.many, from_=from_, to=to, count=count, skip=skip, filters=filters)


def _iter(
    *,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    customer_id: str | None = None,
    expand: Collection[str] = (),
    cursor: str | None = None,
) -> Listing[Payment]:
    """Every such payment in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    query = {**window(from_, to), **_filters(customer_id, expand)}
    return Listing(op.PAYMENT_LIST, PAYMENT.many, query=query, count=count, cursor=cursor)


def _filters(customer_id: str | None, expand: Collection[str]) -> dict[str, Any]:
    known = {} if customer_id is None else {"customer_id": check_id("customer", customer_id)}
    return {**known, **expanding(expand)}


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


def _fetch_refund(payment_id: str, refund_id: str) -> Ask[Refund]:
    """One refund of the payment, as Razorpay has it now."""
    ids = (check_payment_id(payment_id), check_refund_id(refund_id))
    return Ask(Call(op.PAYMENT_REFUND_FETCH, ids), REFUND.echoing(id=ids[1], payment_id=ids[0]))


# --- how it was paid ------------------------------------------------------------------------------------------------


def _card(payment_id: str) -> Ask[Card]:
    """The card that it was paid with. Raises :class:`ApiBadRequest` for a payment by another method."""
    return Ask(Call(op.PAYMENT_CARD, (check_payment_id(payment_id),)), CARD.one)


def _bank_transfer(payment_id: str) -> Ask[BankTransfer]:
    """The transfer into a virtual account that it was paid by: who sent it, and the bank's reference."""
    payment_id = check_payment_id(payment_id)
    return Ask(Call(op.PAYMENT_BANK_TRANSFER, (payment_id,)), BANK_TRANSFER.echoing(payment_id=payment_id))


def _upi_transfer(payment_id: str) -> Ask[UpiTransfer]:
    """The UPI transfer into a virtual account that it was paid by."""
    payment_id = check_payment_id(payment_id)
    return Ask(Call(op.PAYMENT_UPI_TRANSFER, (payment_id,)), UPI_TRANSFER.echoing(payment_id=payment_id))


# --- shares of linked accounts (Route) ------------------------------------------------------------------------------


def _transfers(payment_id: str) -> Ask[tuple[Transfer, ...]]:
    """The transfers that were made of the payment."""
    return Ask(Call(op.PAYMENT_TRANSFERS, (check_payment_id(payment_id),)), TRANSFER.many)


def _transfer(payment_id: str, transfers: Sequence[Mapping[str, Any]]) -> Ask[tuple[Transfer, ...]]:
    """Pass shares of a captured payment on to linked accounts: the new transfers.

    Each of ``transfers`` has ``account`` (``acc_…``) and ``amount`` (Money, in rupees), and perhaps ``notes``,
    ``linked_account_notes`` (names of notes that the account sees), ``on_hold`` and ``on_hold_until``.

    These transfers have no idempotency key (FACTS section 7.1) and may be made again, so nothing is sent twice. Raises
    :class:`OutcomeUnknown` when money may have moved: look at ``transfers`` before you repeat it.
    """
    payment_id = check_payment_id(payment_id)
    sent = shares(transfers)
    asked = sorted((share["account"], share["amount"], share["currency"]) for share in sent)

    def parse(answer: Any) -> tuple[Transfer, ...]:
        made = TRANSFER.many(answer)
        read.echo("transfers", sorted((one.recipient or "", one.amount, one.currency) for one in made), asked)
        return made

    return Ask(Call(op.PAYMENT_TRANSFER, (payment_id,), {"transfers": sent}), parse)


# --- what can be paid with ------------------------------------------------------------------------------------------


def _validate_vpa(vpa: str) -> Ask[VpaValidation]:
    """Whether a UPI address exists, and whose it is. Raises :class:`ApiBadRequest` for one that is none."""
    body = said({"vpa": text("vpa", vpa, charges.VPA_MAX)}, needs=("vpa",))
    return Ask(Call(op.PAYMENT_VALIDATE_VPA, data=body), VPA_VALIDATION.one)


def _methods() -> Ask[Methods]:
    """Which methods, banks and wallets the account has switched on. The key id is shown without its secret."""
    return Ask(Call(op.PAYMENT_METHODS), METHODS.one)


def _downtimes() -> Ask[tuple[PaymentDowntime, ...]]:
    """The methods that fail now, or are about to."""
    return Ask(Call(op.DOWNTIME_LIST), DOWNTIME.many)


def _downtime(downtime_id: str) -> Ask[PaymentDowntime]:
    """One downtime as Razorpay has it now."""
    downtime_id = check_id("payment.downtime", downtime_id)
    return Ask(Call(op.DOWNTIME_FETCH, (downtime_id,)), DOWNTIME.echoing(id=downtime_id))


class Payments(Resource):
    """``client.payments``."""

    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)
    edit = sync(_edit)
    capture = sync(_capture)
    refund = sync(_refund)
    refunds = sync(_refunds)
    fetch_refund = sync(_fetch_refund)
    card = sync(_card)
    bank_transfer = sync(_bank_transfer)
    upi_transfer = sync(_upi_transfer)
    transfers = sync(_transfers)
    transfer = sync(_transfer)
    create_json = sync(charges.create_json)
    create_upi = sync(charges.create_upi)
    create_recurring = sync(charges.create_recurring)
    otp_generate = sync(charges.otp_generate)
    otp_resend = sync(charges.otp_resend)
    otp_submit = sync(charges.otp_submit)
    validate_vpa = sync(_validate_vpa)
    methods = sync(_methods)
    downtimes = sync(_downtimes)
    downtime = sync(_downtime)


class AsyncPayments(AsyncResource):
    """``client.payments``, awaited."""

    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)
    edit = awaited(_edit)
    capture = awaited(_capture)
    refund = awaited(_refund)
    refunds = awaited(_refunds)
    fetch_refund = awaited(_fetch_refund)
    card = awaited(_card)
    bank_transfer = awaited(_bank_transfer)
    upi_transfer = awaited(_upi_transfer)
    transfers = awaited(_transfers)
    transfer = awaited(_transfer)
    create_json = awaited(charges.create_json)
    create_upi = awaited(charges.create_upi)
    create_recurring = awaited(charges.create_recurring)
    otp_generate = awaited(charges.otp_generate)
    otp_resend = awaited(charges.otp_resend)
    otp_submit = awaited(charges.otp_submit)
    validate_vpa = awaited(_validate_vpa)
    methods = awaited(_methods)
    downtimes = awaited(_downtimes)
    downtime = awaited(_downtime)

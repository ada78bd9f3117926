"""Transfers of Route: money passed on to linked accounts, and taken back (FACTS sections 7.1, 8 and 9)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import check_notes, check_transfer_key, expanding, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources._body import flag, moment, rupees, said, text
from razorpay_hardened.client.resources._listing import Listing, one_page
from razorpay_hardened.client.resources._read import REVERSAL, TRANSFER
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Reversal, Transfer
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncTransfers", "Transfers"]


def _create(
    account_id: str,
    amount: Money,
    *,
    notes: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Transfer]:
    """A direct transfer of ``amount``, in rupees, from your balance to the linked account.

    Every send carries one idempotency key of 4 to 36 letters, digits, underscores, hyphens and spaces (FACTS section
    7.1): yours, which you stored before, or one made for this call. Raises :class:`OutcomeUnknown` with that key when
    the money may have moved: repeat with the same key. Raises :class:`IdempotencyConflict` when the key was used for
    another request. Transfers of a payment are ``payments.transfer``, and take no key.
    """
    account_id = check_id("account", account_id)
    body = said(
        {
            "account": account_id,
            "amount": rupees("amount", amount),
            "currency": "INR",
            "notes": None if notes is None else check_notes(notes),
        },
        extra,
        needs=("amount",),
    )
    key = check_transfer_key(idempotency_key) if idempotency_key is not None else str(uuid.uuid4())

    def parse(answer: Any) -> Transfer:
        transfer = TRANSFER.echoing(recipient=account_id)(answer)
        read.same_money(transfer, amount)
        return transfer

    return Ask(Call(op.TRANSFER_CREATE, data=body, key=key), parse)


def _fetch(transfer_id: str, *, expand: Collection[str] = ()) -> Ask[Transfer]:
    """The transfer as Razorpay has it now. ``expand``: ``recipient_settlement``."""
    transfer_id = check_id("transfer", transfer_id)
    return Ask(Call(op.TRANSFER_FETCH, (transfer_id,), expanding(expand)), TRANSFER.echoing(id=transfer_id))


def _list(
    *,
    recipient_settlement_id: str | None = None,
    transfer_type: str | None = None,
    expand: Collection[str] = (),
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    skip: int = 0,
) -> Ask[Page[Transfer]]:
    """One page of transfers: all, or those that a settlement of the linked account paid out.

    ``transfer_type`` is ``platform`` or ``regular``. ``expand``: ``recipient_settlement``.
    """
    filters = _filters(recipient_settlement_id, transfer_type, expand)
    return one_page(op.TRANSFER_LIST, TRANSFER.many, from_=from_, to=to, count=count, skip=skip, filters=filters)


def _iter(
    *,
    recipient_settlement_id: str | None = None,
    transfer_type: str | None = None,
    expand: Collection[str] = (),
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    cursor: str | None = None,
) -> Listing[Transfer]:
    """Every such transfer, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    query = {**window(from_, to), **_filters(recipient_settlement_id, transfer_type, expand)}
    return Listing(op.TRANSFER_LIST, TRANSFER.many, query=query, count=count, cursor=cursor)


def _filters(settlement_id: str | None, transfer_type: str | None, expand: Collection[str]) -> dict[str, Any]:
    fields = {
        "recipient_settlement_id": None if settlement_id is None else check_id("settlement", settlement_id),
        "transfer_type": text("transfer_type", transfer_type, 40),
    }
    return {**said(fields), **expanding(expand)}


def _edit(
    transfer_id: str,
    *,
    on_hold: bool,
    on_hold_until: Moment | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Transfer]:
    """The transfer, whose settlement is now held back or let go.

    ``on_hold_until`` is when a hold ends by itself; without it, a hold lasts until it is lifted.
    """
    transfer_id = check_id("transfer", transfer_id)
    fields = {"on_hold": flag("on_hold", on_hold), "on_hold_until": moment("on_hold_until", on_hold_until)}
    if on_hold_until is not None and not on_hold:
        raise FieldInvalid("on_hold_until needs on_hold=True")
    body = said(fields, extra, needs=("on_hold",))
    return Ask(Call(op.TRANSFER_EDIT, (transfer_id,), body), TRANSFER.echoing(id=transfer_id, on_hold=on_hold))


def _reverse(
    transfer_id: str,
    amount: Money | None = None,
    *,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Reversal]:
    """Take back ``amount``, in rupees, or all that is left of the transfer.

    A reversal has no idempotency key (FACTS section 7.1) and several may exist, so nothing is sent twice. Raises
    :class:`OutcomeUnknown` when it may have been made: look at ``reversals`` before you repeat it.
    """
    transfer_id = check_id("transfer", transfer_id)
    body = said(
        {"amount": rupees("amount", amount), "notes": None if notes is None else check_notes(notes)},
        extra,
    )

    def parse(answer: Any) -> Reversal:
        reversal = REVERSAL.echoing(transfer_id=transfer_id)(answer)
        if amount is not None:
            read.same_money(reversal, amount)
        return reversal

    return Ask(Call(op.TRANSFER_REVERSE, (transfer_id,), body), parse)


def _reversals(transfer_id: str) -> Ask[tuple[Reversal, ...]]:
    """The reversals of the transfer. Razorpay documents no paging for them."""
    transfer_id = check_id("transfer", transfer_id)

    def parse(answer: Any) -> tuple[Reversal, ...]:
        found = REVERSAL.many(answer)
        for reversal in found:
            read.echo("transfer_id", reversal.transfer_id, transfer_id)
        return found

    return Ask(Call(op.TRANSFER_REVERSALS, (transfer_id,)), parse)


class Transfers(Resource):
    """``client.transfers``."""

    create = sync(_create)
    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)
    edit = sync(_edit)
    reverse = sync(_reverse)
    reversals = sync(_reversals)


class AsyncTransfers(AsyncResource):
    """``client.transfers``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)
    edit = awaited(_edit)
    reverse = awaited(_reverse)
    reversals = awaited(_reversals)

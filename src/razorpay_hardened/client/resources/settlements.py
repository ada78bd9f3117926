"""Settlements: what reached the bank, line by line, and settlements at once (FACTS sections 8, 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import check_count, check_notes, check_skip, expanding, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources._body import flag, rupees, said
from razorpay_hardened.client.resources._listing import Listing, one_page
from razorpay_hardened.client.resources._read import INSTANT_SETTLEMENT, RECON_ITEM, SETTLEMENT
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import InstantSettlement, ReconItem, Settlement
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncSettlements", "Settlements"]

RECON_MAX: Final = 1000
"""Lines of a page of the report (FACTS section 13)."""
_DESCRIPTION = re.compile(r"[A-Za-z0-9 ]{1,30}", re.ASCII)


def _fetch(settlement_id: str) -> Ask[Settlement]:
    """The settlement as Razorpay has it now. ``utr`` is what the bank's statement shows."""
    settlement_id = check_id("settlement", settlement_id)
    return Ask(Call(op.SETTLEMENT_FETCH, (settlement_id,)), SETTLEMENT.echoing(id=settlement_id))


def _list(
    *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, skip: int = 0
) -> Ask[Page[Settlement]]:
    """One page of settlements created in the window."""
    return one_page(op.SETTLEMENT_LIST, SETTLEMENT.many, from_=from_, to=to, count=count, skip=skip)


def _iter(
    *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, cursor: str | None = None
) -> Listing[Settlement]:
    """Every settlement in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    return Listing(op.SETTLEMENT_LIST, SETTLEMENT.many, query=window(from_, to), count=count, cursor=cursor)


# --- the report -----------------------------------------------------------------------------------------------------


def _recon(
    *, year: int, month: int, day: int | None = None, count: int = RECON_MAX, skip: int = 0
) -> Ask[Page[ReconItem]]:
    """One page of the report: what was settled in a month, or on a day of it, each payment, refund, transfer and
    adjustment a line.

    ``count`` is 1 to 1,000. Days are those of India, by all appearances (FACTS section 13). Of each settlement, the sum
    of ``net`` over its lines is its amount (FACTS section 14).
    """
    check_count(count, RECON_MAX)
    return _report(year, month, day, count).page(check_skip(skip))


def _iter_recon(
    *, year: int, month: int, day: int | None = None, count: int = RECON_MAX, cursor: str | None = None
) -> Listing[ReconItem]:
    """Every line of the report for a month, or for a day of it, page by page as you go, each once.

    Raises :class:`ReconcileStalled`.
    """
    return _report(year, month, day, count, cursor)


def _report(year: int, month: int, day: int | None, count: int, cursor: str | None = None) -> Listing[ReconItem]:
    query = _period(year, month, day)
    return Listing(op.SETTLEMENT_RECON, RECON_ITEM.many, (), query, count, cursor, _line, RECON_MAX)


def _line(item: ReconItem) -> str:
    """What tells one line from another: they have no id. Two lines about one thing may both be right, in another
    settlement or with another amount, and neither may be lost."""
    return f"{item.type} {item.entity_id} {item.settlement_id} {item.debit} {item.credit}"


def _period(year: int, month: int, day: int | None) -> dict[str, Any]:
    """As the documentation writes it: yyyy, mm, dd."""
    parts = (year, month) if day is None else (year, month, day)
    if not all(type(part) is int for part in parts) or not 2000 <= year <= 9999:
        raise FieldInvalid("year, month and day must be ints, the year one of four digits")
    try:
        date(year, month, 1 if day is None else day)
    except ValueError:
        raise FieldInvalid("there is no such month or day") from None
    period = {"year": f"{year}", "month": f"{month:02}"}
    return period if day is None else {**period, "day": f"{day:02}"}


# --- at once --------------------------------------------------------------------------------------------------------


def _create_instant(
    amount: Money,
    *,
    settle_full_balance: bool = False,
    description: str | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[InstantSettlement]:
    """Have ``amount``, in rupees, settled at once, for a fee; with ``settle_full_balance``, all that there is.

    ``description`` has at most 30 letters, digits and spaces. There is no idempotency key, so nothing is sent twice.
    Raises :class:`OutcomeUnknown` when it may have been made: look for it through ``iter_instant`` before you repeat
    it; an id of your own in ``notes`` tells it from others.
    """
    if description is not None and (type(description) is not str or not _DESCRIPTION.fullmatch(description)):
        raise FieldInvalid("description must be 1 to 30 letters, digits and spaces")
    body = said(
        {
            "amount": rupees("amount", amount),
            "settle_full_balance": flag("settle_full_balance", settle_full_balance) or None,
            "description": description,
            "notes": None if notes is None else check_notes(notes),
        },
        extra,
        needs=("amount",),
    )

    def parse(answer: Any) -> InstantSettlement:
        instant = INSTANT_SETTLEMENT.one(answer)
        if not settle_full_balance:
            read.echo("amount_requested", instant.amount_requested, amount.subunits)
        read.echo("currency", instant.currency, "INR")
        return instant

    return Ask(Call(op.INSTANT_SETTLEMENT_CREATE, data=body), parse)


def _fetch_instant(settlement_id: str, *, expand: Collection[str] = ()) -> Ask[InstantSettlement]:
    """The instant settlement (``setlod_…``) as Razorpay has it now. ``expand``: ``ondemand_payouts``."""
    settlement_id = check_id("settlement.ondemand", settlement_id)
    call = Call(op.INSTANT_SETTLEMENT_FETCH, (settlement_id,), expanding(expand))
    return Ask(call, INSTANT_SETTLEMENT.echoing(id=settlement_id))


def _list_instant(
    *,
    expand: Collection[str] = (),
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    skip: int = 0,
) -> Ask[Page[InstantSettlement]]:
    """One page of instant settlements created in the window. ``expand``: ``ondemand_payouts``."""
    filters, read_many = expanding(expand), INSTANT_SETTLEMENT.many
    return one_page(op.INSTANT_SETTLEMENT_LIST, read_many, from_=from_, to=to, count=count, skip=skip, filters=filters)


def _iter_instant(
    *,
    expand: Collection[str] = (),
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    cursor: str | None = None,
) -> Listing[InstantSettlement]:
    """Every instant settlement in the window, page by page as you go, each id once."""
    query = {**window(from_, to), **expanding(expand)}
    return Listing(op.INSTANT_SETTLEMENT_LIST, INSTANT_SETTLEMENT.many, query=query, count=count, cursor=cursor)


class Settlements(Resource):
    """``client.settlements``."""

    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)
    recon = sync(_recon)
    iter_recon = walked(_iter_recon)
    create_instant = sync(_create_instant)
    fetch_instant = sync(_fetch_instant)
    list_instant = sync(_list_instant)
    iter_instant = walked(_iter_instant)


class AsyncSettlements(AsyncResource):
    """``client.settlements``, awaited."""

    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)
    recon = awaited(_recon)
    iter_recon = walked_async(_iter_recon)
    create_instant = awaited(_create_instant)
    fetch_instant = awaited(_fetch_instant)
    list_instant = awaited(_list_instant)
    iter_instant = walked_async(_iter_instant)

"""Refunds, wherever they were made. New ones are made on their payment: ``client.payments.refund``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import check_notes, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources._listing import Listing, one_page
from razorpay_hardened.client.resources._read import REFUND
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import refund_id as check_refund_id

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Refund
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncRefunds", "Refunds"]


def _fetch(refund_id: str) -> Ask[Refund]:
    """The refund as Razorpay has it now."""
    refund_id = check_refund_id(refund_id)
    return Ask(Call(op.REFUND_FETCH, (refund_id,)), REFUND.echoing(id=refund_id))


def _list(
    *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, skip: int = 0
) -> Ask[Page[Refund]]:
    """One page of refunds created in the window."""
    return one_page(op.REFUND_LIST, REFUND.many, from_=from_, to=to, count=count, skip=skip)


def _iter(
    *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, cursor: str | None = None
) -> Listing[Refund]:
    """Every refund in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    return Listing(op.REFUND_LIST, REFUND.many, query=window(from_, to), count=count, cursor=cursor)


def _edit(refund_id: str, *, notes: Mapping[str, str]) -> Ask[Refund]:
    """The refund with other notes; nothing else of a refund can change."""
    refund_id = check_refund_id(refund_id)
    call = Call(op.REFUND_EDIT, (refund_id,), {"notes": check_notes(notes)})
    return Ask(call, REFUND.echoing(id=refund_id))


class Refunds(Resource):
    """``client.refunds``."""

    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)
    edit = sync(_edit)


class AsyncRefunds(AsyncResource):
    """``client.refunds``, awaited."""

    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)
    edit = awaited(_edit)

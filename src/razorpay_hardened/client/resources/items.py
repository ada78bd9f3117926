"""Items: goods and services with a price, from which invoices are made (FACTS section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Plan
from razorpay_hardened.client._checks import window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources import _settle as settle
from razorpay_hardened.client.resources._body import changed, flag, payable, said, text
from razorpay_hardened.client.resources._listing import Listing, one_page
from razorpay_hardened.client.resources._read import ITEM
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Item
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncItems", "Items"]


def _create(
    *, name: str, amount: Money, description: str | None = None, extra: Mapping[str, Any] | None = None
) -> Ask[Item]:
    """A new item that costs ``amount``.

    Raises :class:`OutcomeUnknown` when it may exist, and sends nothing twice: look through ``iter`` for it.
    """
    price = payable("amount", amount)
    body = said(
        {
            "name": text("name", name),
            "description": text("description", description),
            "amount": price.subunits,
            "currency": price.currency,
        },
        extra,
        needs=("name",),
    )
    return Ask(Call(op.ITEM_CREATE, data=body), lambda answer: _priced(ITEM.one(answer), price))


def _priced(item: Item, price: Money | None) -> Item:
    if price is not None:
        read.same_money(item, price)
    return item


def _fetch(item_id: str) -> Ask[Item]:
    """The item as Razorpay has it now."""
    item_id = check_id("item", item_id)
    return Ask(Call(op.ITEM_FETCH, (item_id,)), ITEM.echoing(id=item_id))


def _edit(
    item_id: str,
    *,
    name: str | None = None,
    description: str | None = None,
    amount: Money | None = None,
    active: bool | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Item]:
    """The item, changed. Invoices that it is on already keep its old price. At least one change must be given."""
    item_id = check_id("item", item_id)
    price = None if amount is None else payable("amount", amount)
    body = changed(
        {
            "name": text("name", name),
            "description": text("description", description),
            "amount": price and price.subunits,
            "currency": price and price.currency,
            "active": flag("active", active),
        },
        extra,
    )
    read_it = ITEM.echoing(id=item_id)
    return Ask(Call(op.ITEM_EDIT, (item_id,), body), lambda answer: _priced(read_it(answer), price))


def _delete(item_id: str) -> Plan[None]:
    """Delete the item. Raises :class:`ApiBadRequest` for one that does not exist."""
    item_id = check_id("item", item_id)
    yield settle.deleted(Call(op.ITEM_DELETE, (item_id,)), _fetch(item_id))


def _list(*, from_: Moment | None = None, to: Moment | None = None, count: int = 100, skip: int = 0) -> Ask[Page[Item]]:
    """One page of items created in the window."""
    return one_page(op.ITEM_LIST, ITEM.many, from_=from_, to=to, count=count, skip=skip)


def _iter(
    *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, cursor: str | None = None
) -> Listing[Item]:
    """Every item in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    return Listing(op.ITEM_LIST, ITEM.many, query=window(from_, to), count=count, cursor=cursor)


class Items(Resource):
    """``client.items``."""

    create = sync(_create)
    fetch = sync(_fetch)
    edit = sync(_edit)
    delete = sync(_delete)
    list = sync(_list)
    iter = walked(_iter)


class AsyncItems(AsyncResource):
    """``client.items``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    edit = awaited(_edit)
    delete = awaited(_delete)
    list = awaited(_list)
    iter = walked_async(_iter)

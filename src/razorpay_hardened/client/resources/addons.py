"""Add-ons: amounts charged once with a subscription's next invoice. ``subscriptions.create_addon`` makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Plan
from razorpay_hardened.client._checks import window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _settle as settle
from razorpay_hardened.client.resources._listing import Listing, one_page
from razorpay_hardened.client.resources._read import ADDON
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Addon
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["Addons", "AsyncAddons"]


def _fetch(addon_id: str) -> Ask[Addon]:
    """The add-on; ``invoice_id`` is None until it is charged."""
    addon_id = check_id("addon", addon_id)
    return Ask(Call(op.ADDON_FETCH, (addon_id,)), ADDON.echoing(id=addon_id))


def _delete(addon_id: str) -> Plan[None]:
    """Delete the add-on, as long as no invoice has it. Raises :class:`ApiBadRequest` for one that does not exist."""
    addon_id = check_id("addon", addon_id)
    yield settle.deleted(Call(op.ADDON_DELETE, (addon_id,)), _fetch(addon_id))


def _list(
    *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, skip: int = 0
) -> Ask[Page[Addon]]:
    """One page of add-ons created in the window, of all subscriptions."""
    return one_page(op.ADDON_LIST, ADDON.many, from_=from_, to=to, count=count, skip=skip)


def _iter(
    *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, cursor: str | None = None
) -> Listing[Addon]:
    """Every add-on in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    return Listing(op.ADDON_LIST, ADDON.many, query=window(from_, to), count=count, cursor=cursor)


class Addons(Resource):
    """``client.addons``."""

    fetch = sync(_fetch)
    delete = sync(_delete)
    list = sync(_list)
    iter = walked(_iter)


class AsyncAddons(AsyncResource):
    """``client.addons``, awaited."""

    fetch = awaited(_fetch)
    delete = awaited(_delete)
    list = awaited(_list)
    iter = walked_async(_iter)

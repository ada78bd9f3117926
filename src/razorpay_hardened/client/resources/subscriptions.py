"""Subscriptions: a plan that a customer has agreed to, charged cycle by cycle (FACTS sections 8 and 9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import check_notes, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources import _settle as settle
from razorpay_hardened.client.resources._body import (
    changed,
    choice,
    each,
    flag,
    moment,
    object_of,
    priced,
    said,
    text,
    whole,
)
from razorpay_hardened.client.resources._listing import Listing, one_page
from razorpay_hardened.client.resources._read import ADDON, SUBSCRIPTION
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Addon, Subscription
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncSubscriptions", "Subscriptions"]


def _create(
    *,
    plan_id: str,
    total_count: int,
    quantity: int | None = None,
    start_at: Moment | None = None,
    expire_by: Moment | None = None,
    customer_notify: bool | None = None,
    addons: Sequence[Mapping[str, Any]] | None = None,
    offer_id: str | None = None,
    notes: Mapping[str, str] | None = None,
    notify_info: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Subscription]:
    """A new subscription to ``plan_id`` for ``total_count`` cycles; nothing is charged before the customer agrees.

    ``quantity`` units are charged in each cycle (1 unless you say so). Without ``start_at`` it starts when the
    customer pays. ``addons`` are charged once, with the first cycle: each is ``{"item": {"name": …, "amount": Money},
    "quantity": …}``. ``notify_info`` (``notify_phone``, ``notify_email``) makes it a link that Razorpay sends.

    Put an id of your own in ``notes``. Raises :class:`OutcomeUnknown` when the subscription may exist, and sends
    nothing twice: look for your id through ``iter(plan_id=…)`` before you make another (FACTS section 7.3).
    """
    body = said(
        {
            "plan_id": check_id("plan", plan_id),
            "total_count": whole("total_count", total_count),
            "quantity": whole("quantity", quantity),
            "start_at": moment("start_at", start_at),
            "expire_by": moment("expire_by", expire_by),
            "customer_notify": flag("customer_notify", customer_notify),
            "addons": [_addon(addon) for addon in each("addons", addons)] or None,
            "offer_id": None if offer_id is None else check_id("offer", offer_id),
            "notes": None if notes is None else check_notes(notes),
            "notify_info": object_of("notify_info", notify_info),
        },
        extra,
        needs=("total_count",),
    )
    asked = {name: body[name] for name in ("plan_id", "total_count", "quantity") if name in body}
    return Ask(Call(op.SUBSCRIPTION_CREATE, data=body), SUBSCRIPTION.echoing(**asked))


def _addon(addon: Mapping[str, Any]) -> dict[str, Any]:
    """``{"item": …, "quantity": …}`` with the item's price as Razorpay wants it."""
    rest = object_of("an add-on", {name: value for name, value in addon.items() if name != "item"}) or {}
    whole("the quantity of an add-on", rest.get("quantity"))
    return said({"item": priced("the item of an add-on", addon.get("item") or {})}, rest)


def _fetch(subscription_id: str) -> Ask[Subscription]:
    """The subscription as Razorpay has it now."""
    subscription_id = check_id("subscription", subscription_id)
    return Ask(Call(op.SUBSCRIPTION_FETCH, (subscription_id,)), SUBSCRIPTION.echoing(id=subscription_id))


def _list(
    *,
    plan_id: str | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    skip: int = 0,
) -> Ask[Page[Subscription]]:
    """One page of subscriptions created in the window, of all plans or of one."""
    filters = _filters(plan_id)
    return one_page(
        op.SUBSCRIPTION_LIST, SUBSCRIPTION.many, from_=from_, to=to, count=count, skip=skip, filters=filters
    )


def _iter(
    *,
    plan_id: str | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    cursor: str | None = None,
) -> Listing[Subscription]:
    """Every subscription in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    query = {**window(from_, to), **_filters(plan_id)}
    return Listing(op.SUBSCRIPTION_LIST, SUBSCRIPTION.many, query=query, count=count, cursor=cursor)


def _filters(plan_id: str | None) -> dict[str, Any]:
    return {} if plan_id is None else {"plan_id": check_id("plan", plan_id)}


# --- changes --------------------------------------------------------------------------------------------------------


def _edit(
    subscription_id: str,
    *,
    plan_id: str | None = None,
    offer_id: str | None = None,
    quantity: int | None = None,
    remaining_count: int | None = None,
    start_at: Moment | None = None,
    schedule_change_at: Literal["now", "cycle_end"] | None = None,
    customer_notify: bool | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Subscription]:
    """The subscription, changed now or at the end of the cycle; the answer shows scheduled changes as not yet made.

    Razorpay allows it in authenticated and active only, and not for UPI. A change now may charge the difference, so
    nothing is sent twice: after :class:`OutcomeUnknown`, ``fetch`` and ``pending_update`` tell what became of it.
    """
    subscription_id = check_id("subscription", subscription_id)
    when = choice("schedule_change_at", schedule_change_at, ("now", "cycle_end"))
    body = changed(
        {
            "plan_id": None if plan_id is None else check_id("plan", plan_id),
            "offer_id": None if offer_id is None else check_id("offer", offer_id),
            "quantity": whole("quantity", quantity),
            "remaining_count": whole("remaining_count", remaining_count),
            "start_at": moment("start_at", start_at),
            "customer_notify": flag("customer_notify", customer_notify),
        },
        extra,
    )
    if when is not None:
        body = {**body, "schedule_change_at": when}
    return Ask(Call(op.SUBSCRIPTION_EDIT, (subscription_id,), body), SUBSCRIPTION.echoing(id=subscription_id))


def _pending_update(subscription_id: str) -> Ask[Subscription]:
    """The subscription as it will be after its scheduled changes. Raises :class:`ApiBadRequest` where it has none."""
    subscription_id = check_id("subscription", subscription_id)
    return Ask(Call(op.SUBSCRIPTION_PENDING, (subscription_id,)), SUBSCRIPTION.echoing(id=subscription_id))


def _cancel_pending_update(subscription_id: str) -> Ask[Subscription]:
    """The subscription without scheduled changes. After :class:`OutcomeUnknown`, ``fetch`` tells whether it has any."""
    subscription_id = check_id("subscription", subscription_id)
    return Ask(Call(op.SUBSCRIPTION_CANCEL_PENDING, (subscription_id,)), SUBSCRIPTION.echoing(id=subscription_id))


def _cancel(subscription_id: str, *, cancel_at_cycle_end: bool | None = None) -> Ask[Subscription]:
    """The cancelled subscription: for good, and at once unless ``cancel_at_cycle_end``.

    One that is cancelled already counts as done. At the end of the cycle, a lost answer is asked for again: what the
    API shows of a subscription cannot tell a scheduled end from another scheduled change. Raises
    :class:`OutcomeUnknown` when the repeat is refused; it may still be charged until you have looked.
    """
    subscription_id = check_id("subscription", subscription_id)
    body = said({"cancel_at_cycle_end": flag("cancel_at_cycle_end", cancel_at_cycle_end)})
    fetch = _fetch(subscription_id)
    at_once = settle.moved(Call(op.SUBSCRIPTION_CANCEL, (subscription_id,), body), fetch, "cancelled")
    return replace(at_once, parse=fetch.parse) if cancel_at_cycle_end else at_once


def _pause(subscription_id: str, *, pause_at: str = "now") -> Ask[Subscription]:
    """The paused subscription: not charged until it is resumed. Paused already counts as done.

    Razorpay pauses active ones, and **cancels** one that is authenticated and has not started (FACTS section 9): look
    at the ``status`` of what comes back. ``now`` is the only documented ``pause_at``.
    """
    subscription_id = check_id("subscription", subscription_id)
    call = Call(op.SUBSCRIPTION_PAUSE, (subscription_id,), {"pause_at": text("pause_at", pause_at, 40)})
    return settle.moved(call, _fetch(subscription_id), "paused", may_end=("cancelled",))


def _resume(subscription_id: str, *, resume_at: str = "now") -> Ask[Subscription]:
    """The subscription, active again; active already counts as done. ``now`` is the only documented ``resume_at``."""
    subscription_id = check_id("subscription", subscription_id)
    call = Call(op.SUBSCRIPTION_RESUME, (subscription_id,), {"resume_at": text("resume_at", resume_at, 40)})
    return settle.moved(call, _fetch(subscription_id), "active")


def _create_addon(
    subscription_id: str,
    *,
    item: Mapping[str, Any],
    quantity: int | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Addon]:
    """An add-on, charged once with the next invoice: ``item`` has ``name``, ``amount`` (Money) and perhaps
    ``description``; ``quantity`` is 1 unless you say so.

    Not for UPI. Nothing is sent twice, because each one is charged: after :class:`OutcomeUnknown`, look for it through
    ``addons.iter``.
    """
    subscription_id = check_id("subscription", subscription_id)
    price = priced("item", item)
    body = said({"item": price, "quantity": whole("quantity", quantity)}, extra)

    def parse(answer: Any) -> Addon:
        addon = ADDON.echoing(subscription_id=subscription_id)(answer)
        read.same_price(addon.money, price)
        return addon

    return Ask(Call(op.SUBSCRIPTION_ADDON, (subscription_id,), body), parse)


def _delete_offer(subscription_id: str, offer_id: str) -> Ask[Subscription]:
    """The subscription without the offer. After :class:`OutcomeUnknown`, ``fetch`` tells whether it still has it."""
    subscription_id, offer_id = check_id("subscription", subscription_id), check_id("offer", offer_id)
    call = Call(op.SUBSCRIPTION_OFFER_DELETE, (subscription_id, offer_id))
    return Ask(call, SUBSCRIPTION.echoing(id=subscription_id))


class Subscriptions(Resource):
    """``client.subscriptions``. Its invoices are ``client.invoices.iter(subscription_id=…)``."""

    create = sync(_create)
    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)
    edit = sync(_edit)
    pending_update = sync(_pending_update)
    cancel_pending_update = sync(_cancel_pending_update)
    cancel = sync(_cancel)
    pause = sync(_pause)
    resume = sync(_resume)
    create_addon = sync(_create_addon)
    delete_offer = sync(_delete_offer)


class AsyncSubscriptions(AsyncResource):
    """``client.subscriptions``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)
    edit = awaited(_edit)
    pending_update = awaited(_pending_update)
    cancel_pending_update = awaited(_cancel_pending_update)
    cancel = awaited(_cancel)
    pause = awaited(_pause)
    resume = awaited(_resume)
    create_addon = awaited(_create_addon)
    delete_offer = awaited(_delete_offer)

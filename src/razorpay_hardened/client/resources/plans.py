"""Plans: what a subscription charges, and how often. No plan is ever changed or deleted (FACTS section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import check_notes, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources._body import priced, said, text, whole
from razorpay_hardened.client.resources._listing import Listing, one_page
from razorpay_hardened.client.resources._read import PLAN
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import SubscriptionPlan
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncPlans", "Plans"]

DAILY_MIN: Final = 7
"""The shortest interval of a daily plan, in days (FACTS section 8)."""


def _create(
    *,
    period: str,
    interval: int,
    item: Mapping[str, Any],
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[SubscriptionPlan]:
    """A new plan: ``item`` is charged every ``interval`` ``period``\\ s.

    ``period`` is ``daily``, ``weekly``, ``monthly``, ``quarterly`` or ``yearly``; a daily plan has an interval of 7 or
    more. ``item`` has ``name``, ``amount`` (Money, for one cycle and one unit) and perhaps ``description``.

    Raises :class:`OutcomeUnknown` when the plan may exist, and sends nothing twice: look through ``iter`` for it. A
    second plan charges nobody.
    """
    price = priced("item", item)
    if period == "daily" and type(interval) is int and interval < DAILY_MIN:
        raise FieldInvalid(f"the interval of a daily plan must be {DAILY_MIN} or more")
    body = said(
        {
            "period": text("period", period, 40),
            "interval": whole("interval", interval),
            "item": price,
            "notes": None if notes is None else check_notes(notes),
        },
        extra,
        needs=("period", "interval"),
    )

    def parse(answer: Any) -> SubscriptionPlan:
        plan = PLAN.echoing(period=period, interval=interval)(answer)
        read.same_price(plan.money, price)
        return plan

    return Ask(Call(op.PLAN_CREATE, data=body), parse)


def _fetch(plan_id: str) -> Ask[SubscriptionPlan]:
    """The plan."""
    plan_id = check_id("plan", plan_id)
    return Ask(Call(op.PLAN_FETCH, (plan_id,)), PLAN.echoing(id=plan_id))


def _list(
    *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, skip: int = 0
) -> Ask[Page[SubscriptionPlan]]:
    """One page of plans created in the window."""
    return one_page(op.PLAN_LIST, PLAN.many, from_=from_, to=to, count=count, skip=skip)


def _iter(
    *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, cursor: str | None = None
) -> Listing[SubscriptionPlan]:
    """Every plan in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    return Listing(op.PLAN_LIST, PLAN.many, query=window(from_, to), count=count, cursor=cursor)


class Plans(Resource):
    """``client.plans``."""

    create = sync(_create)
    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)


class AsyncPlans(AsyncResource):
    """``client.plans``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)

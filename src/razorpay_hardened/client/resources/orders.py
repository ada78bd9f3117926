"""Orders: created at most once per receipt, as far as anybody can see to that from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Plan, Settle
from razorpay_hardened.client._checks import check_notes, check_receipt, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources._listing import Listing, Walk, one_page
from razorpay_hardened.client.resources._read import ORDER, PAYMENT
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import order_id as check_order_id
from razorpay_hardened.domain.money import check_subunits
from razorpay_hardened.errors import ApiBadRequest, FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Order, Payment
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncOrders", "Orders"]

_PAGES_MAX = 10
"""Pages of one look for a receipt: 1,000 orders whose receipt contains it."""


def _create(
    *,
    amount: Money,
    receipt: str | None = None,
    notes: Mapping[str, str] | None = None,
    partial_payment: bool = False,
    first_payment_min_amount: int | None = None,
    capture: bool | None = None,
    unique_receipt: bool = False,
) -> Plan[Order]:
    """A new order over ``amount``.

    ``receipt`` is your own unique id for this order, at most 40 characters: with it an unanswered request is
    looked up before it is sent again, without it nothing is sent twice. ``capture`` overrides the account's
    capture setting; ``first_payment_min_amount`` is in subunits and needs ``partial_payment``. ``unique_receipt``
    asks Razorpay to keep receipts unique (FACTS section 7.2); an account that does not know the field gets the
    request without it.

    Raises :class:`OutcomeUnknown` with the receipt when the order may exist: ``find_by_receipt`` later.
    """
    body = _body(amount, receipt, notes, partial_payment, first_payment_min_amount, capture)
    if unique_receipt:
        if receipt is None:
            raise FieldInvalid("unique_receipt needs a receipt")
        try:
            unique: Order = yield _creation({**body, "unique_receipt": True}, amount, receipt)
        except ApiBadRequest as error:
            if "unique_receipt" not in (error.description or "") + (error.field or ""):
                raise
        else:
            return unique
    order: Order = yield _creation(body, amount, receipt)
    return order


def _creation(body: dict[str, Any], amount: Money, receipt: str | None) -> Ask[Order]:
    def parse(answer: Any) -> Order:
        order = ORDER.one(answer)
        read.same_money(order, amount)
        if receipt is not None:
            read.echo("receipt", order.receipt, receipt)
        return order

    if receipt is None:
        return Ask(Call(op.ORDER_CREATE_ONCE, data=body), parse)
    settle = Settle(
        lambda: _made_already(receipt, amount, body.get("notes")),
        explains=_about_the_receipt,
        looks=2,  # listings lag
    )
    return Ask(Call(op.ORDER_CREATE, data=body, receipt=receipt), parse, settle)


def _made_already(receipt: str, amount: Money, notes: Mapping[str, str] | None) -> Plan[Order | None]:
    """The order that an unanswered request made: its receipt, amount, currency and notes all agree."""
    found: list[Order] = []
    for page in range(_PAGES_MAX):
        query = {"receipt": receipt, "count": 100, "skip": 100 * page}
        items: tuple[Order, ...] = yield Ask(Call(op.ORDER_LIST, data=query), ORDER.many)
        # Razorpay's filter is described as "contains" (FACTS section 7.2).
        found += [order for order in items if order.receipt == receipt]
        if len(items) < 100:
            break
    return _oldest(order for order in found if order.money == amount and (notes is None or dict(order.notes) == notes))


def _fetch(order_id: str) -> Ask[Order]:
    """The order as Razorpay has it now."""
    order_id = check_order_id(order_id)
    return Ask(Call(op.ORDER_FETCH, (order_id,)), ORDER.echoing(id=order_id))


def _edit(order_id: str, *, notes: Mapping[str, str]) -> Ask[Order]:
    """The order with other notes; nothing else of an order can change."""
    order_id = check_order_id(order_id)
    call = Call(op.ORDER_EDIT, (order_id,), {"notes": check_notes(notes)})
    return Ask(call, ORDER.echoing(id=order_id))


def _list(
    *,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    skip: int = 0,
    receipt: str | None = None,
) -> Ask[Page[Order]]:
    """One page of orders created in the window. ``receipt`` is Razorpay's filter, which may match loosely."""
    filters = _filters(receipt)
    return one_page(op.ORDER_LIST, ORDER.many, from_=from_, to=to, count=count, skip=skip, filters=filters)


def _iter(
    *,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    receipt: str | None = None,
    cursor: str | None = None,
) -> Listing[Order]:
    """Every order in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    query = {**window(from_, to), **_filters(receipt)}
    return Listing(op.ORDER_LIST, ORDER.many, query=query, count=count, cursor=cursor)


def _filters(receipt: str | None) -> dict[str, Any]:
    return {} if receipt is None else {"receipt": check_receipt(receipt)}


def _find_by_receipt(receipt: str) -> Plan[Order | None]:
    """The order with exactly this receipt, or None.

    Of several, the oldest: receipts were not always unique (FACTS section 7.2), and whoever asks must get the
    same one each time. Listings may lag by minutes, so None is not proof.
    """
    walk = Walk(Listing(op.ORDER_LIST, ORDER.many, query=_filters(receipt)))
    found: list[Order] = []
    while not walk.done:
        page: Page[Order] = yield walk.next_page()
        found += [order for order in walk.take(page) if order.receipt == receipt]
    return _oldest(found)


def _payments(order_id: str) -> Ask[tuple[Payment, ...]]:
    """Every payment that was attempted for the order, as Razorpay has them now."""
    order_id = check_order_id(order_id)

    def parse(answer: Any) -> tuple[Payment, ...]:
        found = PAYMENT.many(answer)
        for payment in found:
            read.echo("order_id", payment.order_id, order_id)
        return found

    return Ask(Call(op.ORDER_PAYMENTS, (order_id,)), parse)


def _body(
    amount: Money,
    receipt: str | None,
    notes: Mapping[str, str] | None,
    partial_payment: bool,
    first_payment_min_amount: int | None,
    capture: bool | None,
) -> dict[str, Any]:
    """The request. Only what was said is sent: Razorpay refuses fields that it does not expect."""
    body: dict[str, Any] = {"amount": amount.require_payable().subunits, "currency": amount.currency}
    if receipt is not None:
        body["receipt"] = check_receipt(receipt)
    if notes is not None:
        body["notes"] = check_notes(notes)
    if partial_payment:
        body["partial_payment"] = True
    if first_payment_min_amount is not None:
        if not partial_payment or not 0 < check_subunits(first_payment_min_amount) <= amount.subunits:
            raise FieldInvalid("first_payment_min_amount needs partial_payment and must be from 1 to the amount")
        body["first_payment_min_amount"] = first_payment_min_amount
    if capture is not None:
        body["payment_capture"] = bool(capture)
    return body


def _about_the_receipt(error: ApiBadRequest) -> bool:
    """A refusal that may mean "this receipt exists": Razorpay has several texts for it (FACTS section 7.2)."""
    text = (error.description or "").lower().replace("unique_receipt", "")  # the field of that name is another matter
    return error.field == "receipt" or "receipt" in text


def _oldest(orders: Iterable[Order]) -> Order | None:
    return min(orders, key=lambda order: (order.created_at or 0, order.id), default=None)


class Orders(Resource):
    """``client.orders``."""

    create = sync(_create)
    fetch = sync(_fetch)
    edit = sync(_edit)
    list = sync(_list)
    iter = walked(_iter)
    find_by_receipt = sync(_find_by_receipt)
    payments = sync(_payments)


class AsyncOrders(AsyncResource):
    """``client.orders``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    edit = awaited(_edit)
    list = awaited(_list)
    iter = walked_async(_iter)
    find_by_receipt = awaited(_find_by_receipt)
    payments = awaited(_payments)

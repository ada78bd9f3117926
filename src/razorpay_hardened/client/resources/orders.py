"""Orders: created at most once per receipt, as far as anybody can see to that from outside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Plan, Settle
from razorpay_hardened.client._checks import check_notes, check_receipt, expanding, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources import _sealed
from razorpay_hardened.client.resources._body import changed, choice, each, flag, moment, object_of, said, text, whole
from razorpay_hardened.client.resources._listing import Listing, Walk, one_page
from razorpay_hardened.client.resources._mandate import FREE, asked, mandate
from razorpay_hardened.client.resources._read import FULFILMENT, ORDER, PAYMENT, RTO_REVIEW
from razorpay_hardened.client.resources._shares import shares
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.domain.ids import order_id as check_order_id
from razorpay_hardened.domain.money import check_subunits
from razorpay_hardened.errors import ApiBadRequest, FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Order, OrderFulfilment, Payment, RtoReview
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncOrders", "Orders"]

_FIELDS = (
    *("amount", "currency", "receipt", "notes", "partial_payment", "first_payment_min_amount", "payment_capture"),
    *("payment", "customer_id", "method", "token", "bank_account", "transfers", "offer_id", "notification"),
    *("products", "unique_receipt"),
)
"""The fields of a new order that have a parameter here."""

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
    capture_settings: Mapping[str, Any] | None = None,
    customer_id: str | None = None,
    method: str | None = None,
    token: Mapping[str, Any] | None = None,
    bank_account: Mapping[str, Any] | None = None,
    transfers: Sequence[Mapping[str, Any]] | None = None,
    offer_id: str | None = None,
    notification: Mapping[str, Any] | None = None,
    products: Sequence[Mapping[str, Any]] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Plan[Order]:
    """A new order over ``amount``.

    ``receipt`` is your own unique id for this order, at most 40 characters: with it an unanswered request is
    looked up before it is sent again, without it nothing is sent twice. ``capture`` overrides the account's
    capture setting; ``first_payment_min_amount`` is in subunits and needs ``partial_payment``. ``unique_receipt``
    asks Razorpay to keep receipts unique (FACTS section 7.2); an account that does not know the field gets the
    request without it.

    ``capture_settings`` is what Razorpay calls ``payment``, and says more than ``capture``: ``capture`` (automatic or
    manual) and ``capture_options`` with ``automatic_expiry_period`` and ``manual_expiry_period`` (minutes) and
    ``refund_speed``. ``method`` and ``bank_account`` (``account_number``, ``name``, ``ifsc``) bind the payment to one
    account of the customer. ``token`` asks for a mandate, with ``customer_id`` and ``method``: ``max_amount`` (Money),
    ``expire_at``, ``frequency`` …; the amount may be 0 where the method is emandate or nach. ``notification``
    (``token_id``, ``payment_after``) has the customer told before a debit. ``transfers`` pass shares of the payment on
    to linked accounts, as in ``payments.transfer``, and together come to no more than the amount.

    Raises :class:`OutcomeUnknown` with the receipt when the order may exist: ``find_by_receipt`` later.
    """
    body = {
        **_body(
            amount, receipt, notes, partial_payment, first_payment_min_amount, capture, free=_is_free(token, method)
        ),
        **said(
            {
                "payment": _capture_settings(capture_settings),
                "customer_id": None if customer_id is None else check_id("customer", customer_id),
                "method": text("method", method, 40),
                "token": mandate("token", token, amount.currency),
                "bank_account": _sealed.bank_account("bank_account", bank_account),
                "transfers": None if transfers is None else shares(transfers, of=amount),
                "offer_id": None if offer_id is None else check_id("offer", offer_id),
                "notification": _notification(notification),
                "products": [object_of("a product", product) for product in each("products", products)] or None,
            }
        ),
    }
    if capture is not None and capture_settings is not None:
        raise FieldInvalid("give either capture or capture_settings")
    if unique_receipt and receipt is None:
        raise FieldInvalid("unique_receipt needs a receipt")
    return _made({**body, **_more(extra)}, amount, receipt, unique=unique_receipt)


def _made(body: dict[str, Any], amount: Money, receipt: str | None, *, unique: bool) -> Plan[Order]:
    """The new order; where receipts are to be ``unique``, first as an account that can do so takes it."""
    if unique:
        try:
            first: Order = yield _creation({**body, "unique_receipt": True}, amount, receipt)
        except ApiBadRequest as error:
            if "unique_receipt" not in (error.description or "") + (error.field or ""):
                raise
        else:
            return first
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


def _fetch(order_id: str, *, expand: Collection[str] = ()) -> Ask[Order]:
    """The order as Razorpay has it now.

    ``expand``: ``payments``, ``payments.card``, ``transfers``, ``virtual_account``.
    """
    order_id = check_order_id(order_id)
    return Ask(Call(op.ORDER_FETCH, (order_id,), expanding(expand)), ORDER.echoing(id=order_id))


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
    authorized: bool | None = None,
    expand: Collection[str] = (),
) -> Ask[Page[Order]]:
    """One page of orders created in the window. ``receipt`` is Razorpay's filter, which may match loosely.

    ``authorized`` asks for the orders that have an authorised payment, or for those that have none. ``expand`` as in
    ``fetch``.
    """
    filters = _filters(receipt, authorized, expand)
    return one_page(op.ORDER_LIST, ORDER.many, from_=from_, to=to, count=count, skip=skip, filters=filters)


def _iter(
    *,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    receipt: str | None = None,
    authorized: bool | None = None,
    expand: Collection[str] = (),
    cursor: str | None = None,
) -> Listing[Order]:
    """Every such order in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    query = {**window(from_, to), **_filters(receipt, authorized, expand)}
    return Listing(op.ORDER_LIST, ORDER.many, query=query, count=count, cursor=cursor)


def _filters(receipt: str | None, authorized: bool | None = None, expand: Collection[str] = ()) -> dict[str, Any]:
    known = {
        "receipt": None if receipt is None else check_receipt(receipt),
        "authorized": None if flag("authorized", authorized) is None else int(bool(authorized)),
    }
    return {**said(known), **expanding(expand)}


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
    *,
    free: bool = False,
) -> dict[str, Any]:
    """The request. Only what was said is sent: Razorpay refuses fields that it does not expect."""
    asked(amount, free=free)
    body: dict[str, Any] = {"amount": amount.subunits, "currency": amount.currency}
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


def _is_free(token: object, method: str | None) -> bool:
    """Whether the order may be over 0: it only asks for a mandate (API reference, recurring payments)."""
    return token is not None and method in FREE


def _capture_settings(settings: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """When the payment is captured; the order's own words win over the account's (FACTS section 8)."""
    sent = object_of("capture_settings", settings)
    if sent is None:
        return None
    if choice("capture", sent.get("capture"), ("automatic", "manual")) is None:
        raise FieldInvalid("capture_settings needs capture: automatic or manual")
    options = object_of("capture_options", sent.get("capture_options")) or {}
    for name in ("automatic_expiry_period", "manual_expiry_period"):
        whole(name, options.get(name))
    return sent


def _notification(notification: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The notice to the customer before a debit."""
    if not isinstance(notification, Mapping | None):
        raise FieldInvalid("notification must be a mapping")
    if notification is None:
        return None
    given = dict(notification)
    after = moment("payment_after", given.pop("payment_after", None))
    check_id("token", given.get("token_id"))
    return {**said(object_of("notification", given) or {}), **said({"payment_after": after})}


def _more(extra: Mapping[str, Any] | None) -> dict[str, Any]:
    """Fields that have no parameter here."""
    return said(dict.fromkeys(_FIELDS), extra)


def _about_the_receipt(error: ApiBadRequest) -> bool:
    """A refusal that may mean "this receipt exists": Razorpay has several texts for it (FACTS section 7.2)."""
    text = (error.description or "").lower().replace("unique_receipt", "")  # the field of that name is another matter
    return error.field == "receipt" or "receipt" in text


def _oldest(orders: Iterable[Order]) -> Order | None:
    return min(orders, key=lambda order: (order.created_at or 0, order.id), default=None)


# --- Magic Checkout -------------------------------------------------------------------------------------------------


def _edit_fulfillment(
    order_id: str,
    *,
    payment_method: str | None = None,
    shipping: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[OrderFulfilment]:
    """How the order was fulfilled, with what was given changed.

    ``payment_method`` is how the customer paid in the end, such as ``cod``; ``shipping`` has ``waybill``, ``status``
    and ``provider``.
    """
    order_id = check_order_id(order_id)
    fields = {
        "payment_method": text("payment_method", payment_method, 40),
        "shipping": object_of("shipping", shipping),
    }

    def parse(answer: Any) -> OrderFulfilment:
        fulfilment = FULFILMENT.one(answer)
        if fulfilment.order_id is not None:  # with or without its prefix: Razorpay's own sample has none
            read.echo("order_id", fulfilment.order_id.removeprefix("order_"), order_id.removeprefix("order_"))
        return fulfilment

    return Ask(Call(op.ORDER_FULFILMENT, (order_id,), changed(fields, extra)), parse)


def _rto_review(order_id: str) -> Ask[RtoReview]:
    """How likely it is that the parcel comes back: ``risk_tier`` is high, medium or low, with the reasons."""
    return Ask(Call(op.ORDER_RTO_REVIEW, (check_order_id(order_id),)), RTO_REVIEW.one)


class Orders(Resource):
    """``client.orders``."""

    create = sync(_create)
    fetch = sync(_fetch)
    edit = sync(_edit)
    list = sync(_list)
    iter = walked(_iter)
    find_by_receipt = sync(_find_by_receipt)
    payments = sync(_payments)
    edit_fulfillment = sync(_edit_fulfillment)
    rto_review = sync(_rto_review)


class AsyncOrders(AsyncResource):
    """``client.orders``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    edit = awaited(_edit)
    list = awaited(_list)
    iter = walked_async(_iter)
    find_by_receipt = awaited(_find_by_receipt)
    payments = awaited(_payments)
    edit_fulfillment = awaited(_edit_fulfillment)
    rto_review = awaited(_rto_review)

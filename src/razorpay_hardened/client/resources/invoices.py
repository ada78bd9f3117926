"""Invoices: made at most once per receipt, paid through an order of their own (FACTS sections 8 and 9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Plan, Settle
from razorpay_hardened.client._checks import check_notes, check_receipt, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources import _settle as settle
from razorpay_hardened.client.resources._body import (
    changed,
    each,
    flag,
    medium,
    moment,
    object_of,
    priced,
    said,
    text,
    whole,
)
from razorpay_hardened.client.resources._listing import Listing, one_page
from razorpay_hardened.client.resources._read import INVOICE
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.domain.money import check_currency
from razorpay_hardened.errors import ApiBadRequest, CurrencyMismatch, FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Invoice
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncInvoices", "Invoices"]

LINES_MAX: Final = 50
NAME_MIN, NAME_MAX, EMAIL_MAX, CONTACT_MAX = 3, 50, 64, 15
_PRICE = frozenset({"name", "description", "amount", "currency", "quantity"})


def _create(
    *,
    line_items: Sequence[Mapping[str, Any]] | None = None,
    customer_id: str | None = None,
    customer: Mapping[str, Any] | None = None,
    receipt: str | None = None,
    type: str = "invoice",
    draft: bool = False,
    currency: str | None = None,
    description: str | None = None,
    date: Moment | None = None,
    expire_by: Moment | None = None,
    sms_notify: bool | None = None,
    email_notify: bool | None = None,
    partial_payment: bool | None = None,
    terms: str | None = None,
    comment: str | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Invoice]:
    """A new invoice, issued and sent to the customer at once, unless it is a ``draft``.

    ``line_items`` are at most 50: each has ``item_id``, or ``name`` and ``amount`` (Money, for one), and perhaps
    ``description`` and ``quantity``. All amounts are in one currency; ``currency`` is needed only where every line is
    an item of another one than rupees. The customer is ``customer_id``, or ``customer`` with ``name`` (3 to 50
    characters), ``email``, ``contact``, ``billing_address`` and ``shipping_address``; a draft may have neither yet.

    ``receipt`` is your own unique number for it, at most 40 characters: with it an unanswered request is looked up
    before it is sent again, without it nothing is sent twice.

    Raises :class:`OutcomeUnknown` with the receipt when the invoice may exist: ``find_by_receipt`` later.
    """
    lines = _lines(line_items)
    if not lines and not draft:
        raise FieldInvalid("line_items must hold at least one line, except in a draft")
    known = sum(said is not None for said in (customer_id, customer))
    if known > 1 or (known == 0 and not draft):
        raise FieldInvalid("give either customer_id or customer; only a draft can do without")
    body = said(
        {
            **_common(description, expire_by, sms_notify, email_notify, partial_payment, terms, comment, notes),
            "type": text("type", type, 40),
            "draft": "1" if flag("draft", draft) else None,
            "customer_id": None if customer_id is None else check_id("customer", customer_id),
            "customer": _customer(customer),
            "line_items": lines or None,
            "currency": _currency(lines, currency),
            "date": moment("date", date),
            "receipt": None if receipt is None else check_receipt(receipt),
        },
        extra,
        needs=("type",),
    )
    same = _same(body, lines)

    def parse(answer: Any) -> Invoice:
        invoice = INVOICE.one(answer)
        for name, value in same.items():
            read.echo(name, getattr(invoice, name), value)
        return invoice

    if receipt is None:
        return Ask(Call(op.INVOICE_CREATE_ONCE, data=body), parse)
    look = Settle(lambda: _made_already(same, draft, body.get("notes")), _about_the_receipt, looks=2)
    return Ask(Call(op.INVOICE_CREATE, data=body, receipt=receipt), parse, look)


def _common(
    description: str | None,
    expire_by: Moment | None,
    sms_notify: bool | None,
    email_notify: bool | None,
    partial_payment: bool | None,
    terms: str | None,
    comment: str | None,
    notes: Mapping[str, str] | None,
) -> dict[str, Any]:
    """What a new invoice and an edit have in common."""
    return {
        "description": text("description", description),
        "expire_by": moment("expire_by", expire_by),
        "sms_notify": flag("sms_notify", sms_notify),
        "email_notify": flag("email_notify", email_notify),
        "partial_payment": flag("partial_payment", partial_payment),
        "terms": text("terms", terms),
        "comment": text("comment", comment),
        "notes": None if notes is None else check_notes(notes),
    }


def _lines(line_items: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    return [_line(line) for line in each("line_items", line_items, LINES_MAX)]


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    item_id = line.get("item_id")
    sent = priced("a line", line, needs=() if item_id is not None else ("name", "amount"))
    if item_id is not None:
        check_id("item", item_id)
    whole("the quantity of a line", sent.get("quantity"))
    return sent


def _currency(lines: list[dict[str, Any]], currency: str | None) -> str | None:
    """The one currency of all amounts: Razorpay refuses a mixture."""
    found = {line["currency"] for line in lines if "currency" in line}
    if currency is not None:
        found.add(check_currency(currency))
    if len(found) > 1:
        raise CurrencyMismatch("all lines of an invoice must be in its currency")
    return found.pop() if found else None


def _customer(customer: Mapping[str, Any] | None) -> dict[str, Any] | None:
    checked = object_of("customer", customer)
    if checked is not None:
        text("the customer's name", checked.get("name"), NAME_MAX, shortest=NAME_MIN)
        text("the customer's email", checked.get("email"), EMAIL_MAX)
        text("the customer's contact", checked.get("contact"), CONTACT_MAX)
    return checked


def _same(body: Mapping[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    """What the invoice repeats of the request.

    Its amount only where that needs no arithmetic of Razorpay's: one of each line, without taxes and items.
    """
    same = {name: body[name] for name in ("receipt", "customer_id", "currency") if name in body}
    if lines and all(line.keys() <= _PRICE and line.get("quantity", 1) == 1 for line in lines):
        same["amount"] = sum(line["amount"] for line in lines)
    return same


def _made_already(same: Mapping[str, Any], draft: bool, notes: Mapping[str, str] | None) -> Plan[Invoice | None]:
    """The invoice that an unanswered request made. A cancelled or expired one is no answer to who wants one."""
    statuses = {"issued", "partially_paid", "paid", *(("draft",) if draft else ())}

    def is_same(invoice: Invoice) -> bool:
        repeats = all(getattr(invoice, name) == value for name, value in same.items())
        return repeats and invoice.status in statuses and (notes is None or dict(invoice.notes) == notes)

    return (yield from _first_with(same["receipt"], is_same))


def _first_with(receipt: str, same: Callable[[Invoice], bool]) -> Plan[Invoice | None]:
    """The oldest with exactly this receipt: whether Razorpay's filter is exact is not documented."""
    listing = Listing(op.INVOICE_LIST, INVOICE.many, query={"receipt": receipt})
    found = yield from settle.those(listing, lambda invoice: invoice.receipt == receipt and same(invoice))
    return settle.oldest(found)


def _about_the_receipt(error: ApiBadRequest) -> bool:
    """A refusal that may mean "this receipt exists". No text is published: such a look finds it, or changes nothing."""
    return error.field == "receipt" or "receipt" in (error.description or "").lower()


def _find_by_receipt(receipt: str) -> Plan[Invoice | None]:
    """The invoice with exactly this receipt, whatever its status, or None; of several, the oldest.

    Listings may lag, so None is not proof.
    """
    return (yield from _first_with(check_receipt(receipt), lambda _: True))


def _fetch(invoice_id: str) -> Ask[Invoice]:
    """The invoice as Razorpay has it now."""
    invoice_id = check_id("invoice", invoice_id)
    return Ask(Call(op.INVOICE_FETCH, (invoice_id,)), INVOICE.echoing(id=invoice_id))


def _list(
    *,
    type: str | None = None,
    payment_id: str | None = None,
    receipt: str | None = None,
    customer_id: str | None = None,
    subscription_id: str | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    skip: int = 0,
) -> Ask[Page[Invoice]]:
    """One page of invoices created in the window: all, or those of a payment, a customer, a subscription …"""
    filters = _filters(type, payment_id, receipt, customer_id, subscription_id)
    return one_page(op.INVOICE_LIST, INVOICE.many, from_=from_, to=to, count=count, skip=skip, filters=filters)


def _iter(
    *,
    type: str | None = None,
    payment_id: str | None = None,
    receipt: str | None = None,
    customer_id: str | None = None,
    subscription_id: str | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    cursor: str | None = None,
) -> Listing[Invoice]:
    """Every such invoice in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    query = {**window(from_, to), **_filters(type, payment_id, receipt, customer_id, subscription_id)}
    return Listing(op.INVOICE_LIST, INVOICE.many, query=query, count=count, cursor=cursor)


def _filters(
    type: str | None,
    payment_id: str | None,
    receipt: str | None,
    customer_id: str | None,
    subscription_id: str | None,
) -> dict[str, Any]:
    return said(
        {
            "type": text("type", type, 40),
            "payment_id": None if payment_id is None else check_id("payment", payment_id),
            "receipt": None if receipt is None else check_receipt(receipt),
            "customer_id": None if customer_id is None else check_id("customer", customer_id),
            "subscription_id": None if subscription_id is None else check_id("subscription", subscription_id),
        }
    )


# --- changes --------------------------------------------------------------------------------------------------------


def _edit(
    invoice_id: str,
    *,
    line_items: Sequence[Mapping[str, Any]] | None = None,
    customer_id: str | None = None,
    customer: Mapping[str, Any] | None = None,
    receipt: str | None = None,
    type: str | None = None,
    draft: bool | None = None,
    currency: str | None = None,
    description: str | None = None,
    date: Moment | None = None,
    expire_by: Moment | None = None,
    sms_notify: bool | None = None,
    email_notify: bool | None = None,
    partial_payment: bool | None = None,
    terms: str | None = None,
    comment: str | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Invoice]:
    """The invoice, changed: every part of a draft; of an issued one only what the customer has not been sent.

    The fields are those of ``create``, at least one of them; ``line_items`` replace all lines. Nothing is sent twice:
    after :class:`OutcomeUnknown`, ``fetch`` shows whether it was changed.
    """
    invoice_id = check_id("invoice", invoice_id)
    if customer_id is not None and customer is not None:
        raise FieldInvalid("give either customer_id or customer")
    lines = _lines(line_items)
    body = changed(
        {
            **_common(description, expire_by, sms_notify, email_notify, partial_payment, terms, comment, notes),
            "type": text("type", type, 40),
            "draft": None if flag("draft", draft) is None else str(int(bool(draft))),
            "customer_id": None if customer_id is None else check_id("customer", customer_id),
            "customer": _customer(customer),
            "line_items": lines or None,
            "currency": _currency(lines, currency),
            "date": moment("date", date),
            "receipt": None if receipt is None else check_receipt(receipt),
        },
        extra,
    )
    return Ask(Call(op.INVOICE_EDIT, (invoice_id,), body), INVOICE.echoing(id=invoice_id))


def _issue(invoice_id: str) -> Ask[Invoice]:
    """The issued invoice, which the customer is sent. Issued, partially paid or paid already counts as done."""
    invoice_id = check_id("invoice", invoice_id)
    call = Call(op.INVOICE_ISSUE, (invoice_id,))
    return settle.moved(call, _fetch(invoice_id), "issued", "partially_paid", "paid")


def _cancel(invoice_id: str) -> Ask[Invoice]:
    """The cancelled invoice: nobody can pay it any more. Cancelled already counts as done."""
    invoice_id = check_id("invoice", invoice_id)
    return settle.moved(Call(op.INVOICE_CANCEL, (invoice_id,)), _fetch(invoice_id), "cancelled")


def _delete(invoice_id: str) -> Plan[None]:
    """Delete a draft. Raises :class:`ApiBadRequest` for an invoice that is no draft, or does not exist."""
    invoice_id = check_id("invoice", invoice_id)
    yield settle.deleted(Call(op.INVOICE_DELETE, (invoice_id,)), _fetch(invoice_id), "deleted")


def _notify_by(invoice_id: str, by: Literal["sms", "email"]) -> Ask[None]:
    """Have Razorpay send it once more; nobody is told twice. After :class:`OutcomeUnknown` it may have gone."""
    invoice_id = check_id("invoice", invoice_id)
    return Ask(Call(op.INVOICE_NOTIFY, (invoice_id, medium(by))), read.success)


class Invoices(Resource):
    """``client.invoices``."""

    create = sync(_create)
    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)
    find_by_receipt = sync(_find_by_receipt)
    edit = sync(_edit)
    issue = sync(_issue)
    cancel = sync(_cancel)
    delete = sync(_delete)
    notify_by = sync(_notify_by)


class AsyncInvoices(AsyncResource):
    """``client.invoices``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)
    find_by_receipt = awaited(_find_by_receipt)
    edit = awaited(_edit)
    issue = awaited(_issue)
    cancel = awaited(_cancel)
    delete = awaited(_delete)
    notify_by = awaited(_notify_by)

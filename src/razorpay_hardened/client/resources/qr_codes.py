"""QR codes: what customers scan and pay. Amounts are in rupees (FACTS sections 8 and 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import check_notes, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _settle as settle
from razorpay_hardened.client.resources._body import choice, flag, moment, rupees, said, text
from razorpay_hardened.client.resources._listing import Listing, one_page
from razorpay_hardened.client.resources._read import PAYMENT, QR_CODE
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Payment, QrCode
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncQrCodes", "QrCodes"]


def _create(
    *,
    usage: Literal["single_use", "multiple_use"],
    type: str = "upi_qr",
    name: str | None = None,
    fixed_amount: bool = False,
    payment_amount: Money | None = None,
    description: str | None = None,
    customer_id: str | None = None,
    close_by: Moment | None = None,
    notes: Mapping[str, str] | None = None,
    tax_invoice: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[QrCode]:
    """A new code. A ``single_use`` one closes with the first payment.

    With ``fixed_amount`` nobody pays anything but ``payment_amount``; without it the customer names the amount.
    ``close_by`` lies some minutes ahead. ``tax_invoice`` has ``number``, ``date`` (a time), ``customer_name``,
    ``gst_amount`` and ``cess_amount`` (Money), ``supply_type`` (``interstate``, ``intrastate``), ``business_gstin``.

    Put an id of your own in ``notes``. Raises :class:`OutcomeUnknown` when the code may exist, and sends nothing
    twice: look for your id through ``iter`` before you make another (FACTS section 7.3).
    """
    if flag("fixed_amount", fixed_amount) is not (payment_amount is not None):
        raise FieldInvalid("fixed_amount and payment_amount must be given together, or neither")
    body = said(
        {
            "type": text("type", type, 40),
            "usage": choice("usage", usage, ("single_use", "multiple_use")),
            "name": text("name", name),
            "fixed_amount": fixed_amount or None,
            "payment_amount": rupees("payment_amount", payment_amount),
            "description": text("description", description),
            "customer_id": None if customer_id is None else check_id("customer", customer_id),
            "close_by": moment("close_by", close_by),
            "notes": None if notes is None else check_notes(notes),
            "tax_invoice": _tax_invoice(tax_invoice),
        },
        extra,
        needs=("type", "usage"),
    )
    asked = {name: body[name] for name in ("usage", "fixed_amount", "payment_amount") if name in body}
    return Ask(Call(op.QR_CODE_CREATE, data=body), QR_CODE.echoing(**asked))


def _tax_invoice(tax_invoice: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if tax_invoice is None:
        return None
    if not isinstance(tax_invoice, Mapping):
        raise FieldInvalid("tax_invoice must be a mapping")
    choice("supply_type", tax_invoice.get("supply_type"), ("interstate", "intrastate"))
    ours = {
        "date": moment("the date of tax_invoice", tax_invoice.get("date")),
        "gst_amount": rupees("gst_amount", tax_invoice.get("gst_amount")),
        "cess_amount": rupees("cess_amount", tax_invoice.get("cess_amount")),
    }
    return said(ours, {name: value for name, value in tax_invoice.items() if name not in ours})


def _fetch(qr_code_id: str) -> Ask[QrCode]:
    """The code as Razorpay has it now, with what it has received."""
    qr_code_id = check_id("qr_code", qr_code_id)
    return Ask(Call(op.QR_CODE_FETCH, (qr_code_id,)), QR_CODE.echoing(id=qr_code_id))


def _list(
    *,
    customer_id: str | None = None,
    payment_id: str | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    skip: int = 0,
) -> Ask[Page[QrCode]]:
    """One page of codes created in the window: all, those of a customer, or the one that a payment was made with."""
    filters = _filters(customer_id, payment_id)
    return one_page(op.QR_CODE_LIST, QR_CODE.many, from_=from_, to=to, count=count, skip=skip, filters=filters)


def _iter(
    *,
    customer_id: str | None = None,
    payment_id: str | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    cursor: str | None = None,
) -> Listing[QrCode]:
    """Every such code in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    query = {**window(from_, to), **_filters(customer_id, payment_id)}
    return Listing(op.QR_CODE_LIST, QR_CODE.many, query=query, count=count, cursor=cursor)


def _filters(customer_id: str | None, payment_id: str | None) -> dict[str, Any]:
    return said(
        {
            "customer_id": None if customer_id is None else check_id("customer", customer_id),
            "payment_id": None if payment_id is None else check_id("payment", payment_id),
        }
    )


def _payments(
    qr_code_id: str, *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, skip: int = 0
) -> Ask[Page[Payment]]:
    """One page of the payments made with the code in the window."""
    ids = (check_id("qr_code", qr_code_id),)
    return one_page(op.QR_CODE_PAYMENTS, PAYMENT.many, ids, from_=from_, to=to, count=count, skip=skip)


def _iter_payments(
    qr_code_id: str,
    *,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    cursor: str | None = None,
) -> Listing[Payment]:
    """Every payment made with the code in the window, page by page as you go, each id once."""
    ids = (check_id("qr_code", qr_code_id),)
    return Listing(op.QR_CODE_PAYMENTS, PAYMENT.many, ids, window(from_, to), count, cursor)


def _edit(qr_code_id: str, *, notes: Mapping[str, str]) -> Ask[QrCode]:
    """The code with other notes; nothing else of a code can change."""
    qr_code_id = check_id("qr_code", qr_code_id)
    call = Call(op.QR_CODE_EDIT, (qr_code_id,), {"notes": check_notes(notes)})
    return Ask(call, QR_CODE.echoing(id=qr_code_id))


def _close(qr_code_id: str) -> Ask[QrCode]:
    """The closed code: nobody can pay with it any more. Closed already counts as done, for whatever reason."""
    qr_code_id = check_id("qr_code", qr_code_id)
    return settle.moved(Call(op.QR_CODE_CLOSE, (qr_code_id,)), _fetch(qr_code_id), "closed")


class QrCodes(Resource):
    """``client.qr_codes``."""

    create = sync(_create)
    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)
    payments = sync(_payments)
    iter_payments = walked(_iter_payments)
    edit = sync(_edit)
    close = sync(_close)


class AsyncQrCodes(AsyncResource):
    """``client.qr_codes``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)
    payments = awaited(_payments)
    iter_payments = walked_async(_iter_payments)
    edit = awaited(_edit)
    close = awaited(_close)

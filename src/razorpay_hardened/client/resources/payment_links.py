"""Payment links: made at most once per ``reference_id``, which Razorpay keeps unique (FACTS section 7.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Plan, Settle
from razorpay_hardened.client._checks import check_count, check_notes, check_skip, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources import _settle as settle
from razorpay_hardened.client.resources._body import (
    changed,
    choice,
    flag,
    medium,
    moment,
    object_of,
    payable,
    said,
    text,
)
from razorpay_hardened.client.resources._listing import Listing
from razorpay_hardened.client.resources._read import PAYMENT_LINK
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import AmountError, ApiBadRequest, FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import PaymentLink
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncPaymentLinks", "PaymentLinks"]

REFERENCE_MAX: Final = 40
NOTE_MAX: Final = 255
"""Links take one character less than other entities (FACTS section 1)."""
COUNT_DEFAULT: Final = 10
_ALIVE: Final = ("created", "partially_paid", "paid")


def _create(
    *,
    amount: Money,
    reference_id: str | None = None,
    description: str | None = None,
    customer: Mapping[str, str] | None = None,
    notify: Mapping[str, bool] | None = None,
    reminder_enable: bool | None = None,
    accept_partial: bool = False,
    first_min_partial_amount: Money | None = None,
    upi_link: bool = False,
    expire_by: Moment | None = None,
    callback_url: str | None = None,
    callback_method: Literal["get"] = "get",
    notes: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[PaymentLink]:
    """A new link at which ``amount`` can be paid.

    ``reference_id`` is your own unique id for it, at most 40 characters: Razorpay refuses a second link with the same
    one, so an unanswered request is looked up and sent again; and a link that exists already, is not cancelled or
    expired, and has the same amount and notes is what comes back. Without it nothing is sent twice.

    ``customer`` has ``name``, ``email``, ``contact``; ``notify`` says who sends it: ``{"sms": True, "email": True}``.
    ``first_min_partial_amount`` needs ``accept_partial``. ``upi_link`` is for rupees, paid in one, in live mode only.
    ``expire_by`` lies 15 minutes to six months ahead. ``options`` is the documented object for checkout and the
    order, as it is: amounts in it are subunits.

    Raises :class:`OutcomeUnknown` with the reference as ``receipt`` when the link may exist: ``find_by_reference``.
    """
    amount = payable("amount", amount)
    _check_ways(amount, accept_partial, first_min_partial_amount, upi_link)
    body = said(
        {
            "amount": amount.subunits,
            "currency": amount.currency,
            "reference_id": None if reference_id is None else _reference(reference_id),
            "description": text("description", description),
            "customer": object_of("customer", customer),
            "notify": _notify(notify),
            "reminder_enable": flag("reminder_enable", reminder_enable),
            "accept_partial": flag("accept_partial", accept_partial) or None,
            "first_min_partial_amount": first_min_partial_amount and first_min_partial_amount.subunits,
            "upi_link": flag("upi_link", upi_link) or None,
            "expire_by": moment("expire_by", expire_by),
            "callback_url": _callback(callback_url),
            "callback_method": choice("callback_method", callback_method, ("get",)) if callback_url else None,
            "notes": _notes(notes),
            "options": object_of("options", options),
        },
        extra,
    )

    def parse(answer: Any) -> PaymentLink:
        link = PAYMENT_LINK.one(answer)
        read.same_money(link, amount)
        if reference_id is not None:
            read.echo("reference_id", link.reference_id, reference_id)
        return link

    if reference_id is None:
        return Ask(Call(op.PAYMENT_LINK_CREATE_ONCE, data=body), parse)
    look = Settle(lambda: _made_already(reference_id, amount, body.get("notes")), _about_the_reference, looks=2)
    return Ask(Call(op.PAYMENT_LINK_CREATE, data=body, receipt=reference_id), parse, look)


def _check_ways(amount: Money, partial: bool, least: Money | None, upi: bool) -> None:
    if upi and (partial or amount.currency != "INR"):
        raise FieldInvalid("a upi_link is in rupees and takes no partial payment")
    if least is None:
        return
    if not partial:
        raise FieldInvalid("first_min_partial_amount needs accept_partial")
    if payable("first_min_partial_amount", least) > amount:
        raise AmountError("first_min_partial_amount must not be more than the amount")


def _notify(notify: Mapping[str, bool] | None) -> dict[str, Any] | None:
    media = object_of("notify", notify)
    for wanted in (media or {}).values():
        flag("each medium in notify", wanted)
    return media


def _callback(url: str | None) -> str | None:
    if text("callback_url", url) is not None and not str(url).startswith(("https://", "http://")):
        raise FieldInvalid("callback_url must begin with https:// or http://")
    return url


def _notes(notes: Mapping[str, str] | None) -> dict[str, str] | None:
    if notes is None:
        return None
    checked = check_notes(notes)
    if any(len(note) > NOTE_MAX for note in checked.values()):
        raise FieldInvalid(f"each note of a payment link must be at most {NOTE_MAX} characters")
    return checked


def _reference(reference_id: str) -> str:
    if type(reference_id) is not str or not 1 <= len(reference_id) <= REFERENCE_MAX or not reference_id.isprintable():
        raise FieldInvalid(f"a reference_id must be 1 to {REFERENCE_MAX} printable characters")
    return reference_id


def _made_already(reference_id: str, amount: Money, notes: Mapping[str, str] | None) -> Plan[PaymentLink | None]:
    """The link that an unanswered request made. A cancelled or expired one is no answer to somebody who wants one."""
    found: tuple[PaymentLink, ...] = yield _with_reference(reference_id)
    same = (link for link in found if link.status in _ALIVE and link.money == amount)
    return settle.oldest(link for link in same if notes is None or dict(link.notes) == notes)


def _with_reference(reference_id: str) -> Ask[tuple[PaymentLink, ...]]:
    """The links with exactly this reference: one, as Razorpay keeps them unique. The page documents no paging."""
    call = Call(op.PAYMENT_LINK_LIST, data={"reference_id": reference_id})
    return Ask(call, lambda answer: tuple(link for link in _many(answer) if link.reference_id == reference_id))


def _about_the_reference(error: ApiBadRequest) -> bool:
    """A refusal that may mean "this reference exists": one text is published (FACTS section 7.3)."""
    return error.field == "reference_id" or "reference" in (error.description or "").lower()


def _find_by_reference(reference_id: str) -> Plan[PaymentLink | None]:
    """The link with exactly this reference, whatever its status, or None. Listings may lag: None is not proof."""
    found: tuple[PaymentLink, ...] = yield _with_reference(_reference(reference_id))
    return settle.oldest(found)


def _fetch(link_id: str) -> Ask[PaymentLink]:
    """The link as Razorpay has it now."""
    link_id = check_id("payment_link", link_id)
    return Ask(Call(op.PAYMENT_LINK_FETCH, (link_id,)), PAYMENT_LINK.echoing(id=link_id))


def _many(answer: Any) -> tuple[PaymentLink, ...]:
    """The rows of ``{"payment_links": […]}`` (FACTS section 1), null where there are none; or of a usual collection."""
    if isinstance(answer, Mapping) and "payment_links" in answer:
        answer = {"items": answer["payment_links"] if answer["payment_links"] is not None else []}
    return PAYMENT_LINK.many(answer)


def _list(
    *,
    payment_id: str | None = None,
    reference_id: str | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int | None = None,
    skip: int | None = None,
) -> Ask[Page[PaymentLink]]:
    """One page of links. ``payment_id`` and ``reference_id`` are documented here; window, ``count`` and ``skip`` only
    for listings in general, so they are sent only if you give them.
    """
    paging = {
        "count": None if count is None else check_count(count),
        "skip": None if skip is None else check_skip(skip),
    }
    query = {**window(from_, to), **_filters(payment_id, reference_id), **said(paging)}

    def parse(answer: Any) -> Page[PaymentLink]:
        from razorpay_hardened.ports.gateway import Page

        links = _many(answer)
        return Page(links, has_more=len(links) >= (count or COUNT_DEFAULT))

    return Ask(Call(op.PAYMENT_LINK_LIST, data=query), parse)


def _iter(
    *,
    payment_id: str | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    cursor: str | None = None,
) -> Listing[PaymentLink]:
    """Every link in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`.

    The paging is that of listings in general; the page of this endpoint documents none.
    """
    query = {**window(from_, to), **_filters(payment_id, None)}
    return Listing(op.PAYMENT_LINK_LIST, _many, query=query, count=count, cursor=cursor)


def _filters(payment_id: str | None, reference_id: str | None) -> dict[str, Any]:
    return said(
        {
            "payment_id": None if payment_id is None else check_id("payment", payment_id),
            "reference_id": None if reference_id is None else _reference(reference_id),
        }
    )


def _edit(
    link_id: str,
    *,
    reference_id: str | None = None,
    expire_by: Moment | None = None,
    reminder_enable: bool | None = None,
    accept_partial: bool | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[PaymentLink]:
    """The link, changed; its amount never changes. Only a created or partially paid one, and at least one change."""
    link_id = check_id("payment_link", link_id)
    body = changed(
        {
            "reference_id": None if reference_id is None else _reference(reference_id),
            "expire_by": moment("expire_by", expire_by),
            "reminder_enable": flag("reminder_enable", reminder_enable),
            "accept_partial": flag("accept_partial", accept_partial),
            "notes": _notes(notes),
        },
        extra,
    )
    return Ask(Call(op.PAYMENT_LINK_EDIT, (link_id,), body), PAYMENT_LINK.echoing(id=link_id))


def _cancel(link_id: str) -> Ask[PaymentLink]:
    """The cancelled link: nobody can pay at it any more. Cancelled already counts as done.

    Raises :class:`ApiBadRequest` for one that is paid, partially paid or expired.
    """
    link_id = check_id("payment_link", link_id)
    return settle.moved(Call(op.PAYMENT_LINK_CANCEL, (link_id,)), _fetch(link_id), "cancelled")


def _notify_by(link_id: str, by: Literal["sms", "email"]) -> Ask[None]:
    """Have Razorpay send it once more; nobody is told twice. After :class:`OutcomeUnknown` it may have gone."""
    link_id = check_id("payment_link", link_id)
    return Ask(Call(op.PAYMENT_LINK_NOTIFY, (link_id, medium(by))), read.success)


class PaymentLinks(Resource):
    """``client.payment_links``."""

    create = sync(_create)
    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)
    find_by_reference = sync(_find_by_reference)
    edit = sync(_edit)
    cancel = sync(_cancel)
    notify_by = sync(_notify_by)


class AsyncPaymentLinks(AsyncResource):
    """``client.payment_links``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)
    find_by_reference = awaited(_find_by_reference)
    edit = awaited(_edit)
    cancel = awaited(_cancel)
    notify_by = awaited(_notify_by)

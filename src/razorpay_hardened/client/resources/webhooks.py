"""Webhooks: where Razorpay sends events, for this account or, as a partner, for another (FACTS sections 5 and 10).

The two APIs differ. An account's own webhooks are under ``/v1``, are changed with PUT, and name their events in an
object, as the official WooCommerce plugin sends it. Those under ``/v2/accounts`` are changed with PATCH, name them in a
list, and are the only ones that can be deleted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Plan
from razorpay_hardened.client._checks import window
from razorpay_hardened.client._values import Call, Operation
from razorpay_hardened.client.resources import _settle as settle
from razorpay_hardened.client.resources._body import changed, flag, said, text
from razorpay_hardened.client.resources._listing import Listing, one_page
from razorpay_hardened.client.resources._read import WEBHOOK
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import FieldInvalid
from razorpay_hardened.signing.keys import Secret, as_secret

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Webhook
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncWebhooks", "Webhooks"]

URL_MAX: Final = 255
_EVENT = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)+", re.ASCII)


def _create(
    *,
    url: str,
    events: Collection[str],
    secret: str | Secret | None = None,
    alert_email: str | None = None,
    active: bool | None = None,
    account_id: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Webhook]:
    """A new webhook for ``events``, such as ``payment.captured``; for a sub-merchant with ``account_id``.

    ``secret`` is what signs the events; a :class:`Secret` shows itself in no crash report. Razorpay never shows it
    again. ``alert_email`` hears of failed deliveries. Nothing is sent twice: after :class:`OutcomeUnknown`, look for
    the ``url`` through ``list``.
    """
    hidden = None if secret is None else as_secret(secret, name="webhook")
    del secret  # a crash report would show this frame's variables
    fields = {"url": _url(url), **_fields(events, hidden, alert_email, active, account_id)}
    body = said(fields, extra, needs=("url", "events"))
    operation, ids = _at(account_id, op.WEBHOOK_CREATE, op.ACCOUNT_WEBHOOK_CREATE)
    return Ask(Call(operation, ids, body), WEBHOOK.echoing(url=url))


def _fetch(webhook_id: str, *, account_id: str | None = None) -> Ask[Webhook]:
    """The webhook as Razorpay has it now, without its secret."""
    webhook_id = check_id("webhook", webhook_id)
    operation, ids = _at(account_id, op.WEBHOOK_FETCH, op.ACCOUNT_WEBHOOK_FETCH)
    return Ask(Call(operation, (*ids, webhook_id)), WEBHOOK.echoing(id=webhook_id))


def _list(
    *,
    account_id: str | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    skip: int = 0,
) -> Ask[Page[Webhook]]:
    """One page of webhooks: of this account, or of a sub-merchant."""
    operation, ids = _at(account_id, op.WEBHOOK_LIST, op.ACCOUNT_WEBHOOK_LIST)
    return one_page(operation, WEBHOOK.many, ids, from_=from_, to=to, count=count, skip=skip)


def _iter(
    *,
    account_id: str | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    cursor: str | None = None,
) -> Listing[Webhook]:
    """Every such webhook, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    operation, ids = _at(account_id, op.WEBHOOK_LIST, op.ACCOUNT_WEBHOOK_LIST)
    return Listing(operation, WEBHOOK.many, ids, window(from_, to), count, cursor)


def _edit(
    webhook_id: str,
    *,
    url: str | None = None,
    events: Collection[str] | None = None,
    secret: str | Secret | None = None,
    alert_email: str | None = None,
    active: bool | None = None,
    account_id: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Webhook]:
    """The webhook with what was given changed; ``events`` replace those that it had.

    Without ``account_id`` this is a PUT, of which Razorpay does not document what becomes of the fields that are left
    out: give them all. After a new ``secret``, accept both for a day: events on their way keep the old signature.
    """
    hidden = None if secret is None else as_secret(secret, name="webhook")
    del secret  # a crash report would show this frame's variables
    webhook_id = check_id("webhook", webhook_id)
    new_url = None if url is None else _url(url)
    body = changed({"url": new_url, **_fields(events, hidden, alert_email, active, account_id)}, extra)
    operation, ids = _at(account_id, op.WEBHOOK_EDIT, op.ACCOUNT_WEBHOOK_EDIT)
    asked = {"id": webhook_id} if url is None else {"id": webhook_id, "url": url}
    return Ask(Call(operation, (*ids, webhook_id), body), WEBHOOK.echoing(**asked))


def _delete(webhook_id: str, *, account_id: str) -> Plan[None]:
    """Delete a sub-merchant's webhook. Raises :class:`ApiBadRequest` for one that does not exist.

    Razorpay documents no such call for an account's own webhooks: switch them off with ``edit(…, active=False)``.
    """
    webhook_id, account_id = check_id("webhook", webhook_id), check_id("account", account_id)
    call = Call(op.ACCOUNT_WEBHOOK_DELETE, (account_id, webhook_id))
    yield settle.deleted(call, _fetch(webhook_id, account_id=account_id))


def _at(account_id: str | None, own: Operation, theirs: Operation) -> tuple[Operation, tuple[str, ...]]:
    """Which of the two APIs."""
    return (own, ()) if account_id is None else (theirs, (check_id("account", account_id),))


def _fields(
    events: Collection[str] | None,
    secret: Secret | None,
    alert_email: str | None,
    active: bool | None,
    account_id: str | None,
) -> dict[str, Any]:
    return {
        "events": _events(events, as_list=account_id is not None),
        "secret": secret,
        "alert_email": text("alert_email", alert_email, 255),
        "active": flag("active", active),
    }


def _events(events: object, *, as_list: bool) -> list[str] | dict[str, bool] | None:
    if events is None:
        return None
    if isinstance(events, str) or not isinstance(events, Collection) or not events:
        raise FieldInvalid("events must be a collection of names, such as ['payment.captured']")
    names = list(events)
    if not all(type(name) is str and _EVENT.fullmatch(name) for name in names):
        raise FieldInvalid("each of events must be a name such as 'payment.captured'")
    return names if as_list else dict.fromkeys(names, True)


def _url(url: str) -> str:
    try:
        parts = urlsplit(url) if type(url) is str and url.isascii() and url.isprintable() else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("https", "http") or not parts.hostname or len(url) > URL_MAX:
        raise FieldInvalid(f"url must be an http or https address of at most {URL_MAX} characters")
    return url


class Webhooks(Resource):
    """``client.webhooks``."""

    create = sync(_create)
    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)
    edit = sync(_edit)
    delete = sync(_delete)


class AsyncWebhooks(AsyncResource):
    """``client.webhooks``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)
    edit = awaited(_edit)
    delete = awaited(_delete)

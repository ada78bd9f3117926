"""Virtual accounts, alias customer identifiers: what people pay into, in rupees (FACTS sections 8 and 9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import check_notes, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources import _settle as settle
from razorpay_hardened.client.resources._body import changed, each, moment, object_of, said, text
from razorpay_hardened.client.resources._listing import Listing, one_page
from razorpay_hardened.client.resources._read import PAYMENT, VIRTUAL_ACCOUNT
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Payment, VirtualAccount
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncVirtualAccounts", "VirtualAccounts"]

DESCRIPTOR_MAX: Final = {"vpa": 20, "bank_account": 10}
"""Characters of the part of a receiver's name that you choose."""
PAYERS_MAX: Final = 10
IFSC_LENGTH: Final = 11
EXPANDABLE: Final = ("vpas",)


def _create(
    *,
    receivers: Mapping[str, Any],
    description: str | None = None,
    customer_id: str | None = None,
    close_by: Moment | None = None,
    allowed_payers: Sequence[Mapping[str, Any]] | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[VirtualAccount]:
    """A new account to pay into.

    ``receivers`` has ``types``, a list of ``bank_account`` and ``vpa``, and for each perhaps ``{"descriptor": …}``, the
    part of its name that you choose (at most 10 characters for a bank account, 20 for a VPA). ``allowed_payers`` are at
    most 10 accounts, all others are sent their money back; with them there is no VPA. Each is
    ``{"type": "bank_account", "bank_account": {"ifsc": …, "account_number": …}}``. ``close_by`` lies 15 minutes or
    more ahead.

    Put an id of your own in ``notes``. Raises :class:`OutcomeUnknown` when the account may exist, and sends nothing
    twice: look for your id through ``iter`` before you make another (FACTS section 7.3).
    """
    payers = [_payer(payer) for payer in each("allowed_payers", allowed_payers, PAYERS_MAX)]
    wanted = _receivers("receivers", receivers)
    if payers and "vpa" in wanted["types"]:
        raise FieldInvalid("allowed_payers go with a bank_account receiver only")
    body = said(
        {
            "receivers": wanted,
            "description": text("description", description),
            "customer_id": None if customer_id is None else check_id("customer", customer_id),
            "close_by": moment("close_by", close_by),
            "allowed_payers": payers or None,
            "notes": None if notes is None else check_notes(notes),
        },
        extra,
    )
    asked = {"customer_id": customer_id} if customer_id is not None else {}
    return Ask(Call(op.VIRTUAL_ACCOUNT_CREATE, data=body), VIRTUAL_ACCOUNT.echoing(**asked))


def _receivers(name: str, receivers: Mapping[str, Any]) -> dict[str, Any]:
    """``types``, not empty, and the descriptors that were chosen."""
    checked = object_of(name, receivers) or {}
    types = checked.get("types")
    if not isinstance(types, list | tuple) or not types or not all(type(kind) is str for kind in types):
        raise FieldInvalid(f"{name} needs types, a list such as ['bank_account', 'vpa']")
    for kind, longest in DESCRIPTOR_MAX.items():
        detail = object_of(kind, checked.get(kind)) or {}
        text(f"the descriptor of {kind}", detail.get("descriptor"), longest)
    return checked


def _payer(payer: Mapping[str, Any]) -> dict[str, Any]:
    """A bank account that may pay in."""
    checked = said(object_of("an allowed payer", payer) or {})
    if checked.get("type") != "bank_account":
        raise FieldInvalid("the type of an allowed payer must be 'bank_account'")
    bank = object_of("bank_account", checked.get("bank_account")) or {}
    said({name: bank.get(name) for name in ("ifsc", "account_number")}, needs=("ifsc", "account_number"))
    text("ifsc", bank["ifsc"], IFSC_LENGTH, shortest=IFSC_LENGTH)
    text("account_number", bank["account_number"], 40)
    return checked


def _fetch(account_id: str) -> Ask[VirtualAccount]:
    """The account as Razorpay has it now."""
    account_id = check_id("virtual_account", account_id)
    return Ask(Call(op.VIRTUAL_ACCOUNT_FETCH, (account_id,)), VIRTUAL_ACCOUNT.echoing(id=account_id))


def _list(
    *,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    skip: int = 0,
    expand: Collection[str] = (),
) -> Ask[Page[VirtualAccount]]:
    """One page of accounts created in the window. ``expand`` may hold ``vpas``."""
    filters = _expansions(expand)
    return one_page(
        op.VIRTUAL_ACCOUNT_LIST, VIRTUAL_ACCOUNT.many, from_=from_, to=to, count=count, skip=skip, filters=filters
    )


def _iter(
    *,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    expand: Collection[str] = (),
    cursor: str | None = None,
) -> Listing[VirtualAccount]:
    """Every account in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    query = {**window(from_, to), **_expansions(expand)}
    return Listing(op.VIRTUAL_ACCOUNT_LIST, VIRTUAL_ACCOUNT.many, query=query, count=count, cursor=cursor)


def _expansions(expand: Collection[str]) -> dict[str, Any]:
    if isinstance(expand, str) or not all(name in EXPANDABLE for name in expand):
        raise FieldInvalid(f"expand must be a list of {', '.join(EXPANDABLE)}")
    return {"expand[]": list(expand)} if expand else {}


def _payments(
    account_id: str, *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, skip: int = 0
) -> Ask[Page[Payment]]:
    """One page of the payments into the account in the window."""
    ids = (check_id("virtual_account", account_id),)
    return one_page(op.VIRTUAL_ACCOUNT_PAYMENTS, PAYMENT.many, ids, from_=from_, to=to, count=count, skip=skip)


def _iter_payments(
    account_id: str,
    *,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    cursor: str | None = None,
) -> Listing[Payment]:
    """Every payment into the account in the window, page by page as you go, each id once."""
    ids = (check_id("virtual_account", account_id),)
    return Listing(op.VIRTUAL_ACCOUNT_PAYMENTS, PAYMENT.many, ids, window(from_, to), count, cursor)


# --- changes --------------------------------------------------------------------------------------------------------


def _edit(
    account_id: str,
    *,
    close_by: Moment | None = None,
    description: str | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[VirtualAccount]:
    """The account, changed: at least one change. ``close_by`` lies 15 minutes or more ahead."""
    account_id = check_id("virtual_account", account_id)
    body = changed(
        {
            "close_by": moment("close_by", close_by),
            "description": text("description", description),
            "notes": None if notes is None else check_notes(notes),
        },
        extra,
    )
    return Ask(Call(op.VIRTUAL_ACCOUNT_EDIT, (account_id,), body), VIRTUAL_ACCOUNT.echoing(id=account_id))


def _close(account_id: str) -> Ask[VirtualAccount]:
    """The closed account, for good: later money is sent back. Closed already counts as done."""
    account_id = check_id("virtual_account", account_id)
    return settle.moved(Call(op.VIRTUAL_ACCOUNT_CLOSE, (account_id,)), _fetch(account_id), "closed")


def _add_receiver(
    account_id: str,
    *,
    types: Sequence[str],
    vpa: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[VirtualAccount]:
    """The account with more receivers: ``types`` and ``vpa`` as in the ``receivers`` of ``create``.

    Nothing is sent twice: after :class:`OutcomeUnknown`, ``fetch`` shows the receivers that it has.
    """
    account_id = check_id("virtual_account", account_id)
    wanted = said({"types": list(types) if not isinstance(types, str) else None, "vpa": object_of("vpa", vpa)}, extra)
    call = Call(op.VIRTUAL_ACCOUNT_RECEIVER, (account_id,), _receivers("a new receiver", wanted))
    return Ask(call, VIRTUAL_ACCOUNT.echoing(id=account_id))


def _add_allowed_payer(
    account_id: str,
    *,
    bank_account: Mapping[str, Any],
    type: str = "bank_account",
    extra: Mapping[str, Any] | None = None,
) -> Ask[VirtualAccount]:
    """The account with one more payer allowed: ``bank_account`` has ``ifsc`` and ``account_number``.

    The first one shuts out all others. Nothing is sent twice: after :class:`OutcomeUnknown`, ``fetch`` shows them all.
    """
    account_id = check_id("virtual_account", account_id)
    body = _payer(said({"type": type, "bank_account": object_of("bank_account", bank_account)}, extra))
    call = Call(op.VIRTUAL_ACCOUNT_PAYER_ADD, (account_id,), body)
    return Ask(call, VIRTUAL_ACCOUNT.echoing(id=account_id))


def _delete_allowed_payer(account_id: str, payer_id: str) -> Ask[None]:
    """Allow the payer ``ba_…`` of ``allowed_payers`` no more. After :class:`OutcomeUnknown`, ``fetch`` shows who is."""
    ids = (check_id("virtual_account", account_id), check_id("bank_account", payer_id))
    return Ask(Call(op.VIRTUAL_ACCOUNT_PAYER_DELETE, ids), read.nothing)


class VirtualAccounts(Resource):
    """``client.virtual_accounts``."""

    create = sync(_create)
    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)
    payments = sync(_payments)
    iter_payments = walked(_iter_payments)
    edit = sync(_edit)
    close = sync(_close)
    add_receiver = sync(_add_receiver)
    add_allowed_payer = sync(_add_allowed_payer)
    delete_allowed_payer = sync(_delete_allowed_payer)


class AsyncVirtualAccounts(AsyncResource):
    """``client.virtual_accounts``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)
    payments = awaited(_payments)
    iter_payments = walked_async(_iter_payments)
    edit = awaited(_edit)
    close = awaited(_close)
    add_receiver = awaited(_add_receiver)
    add_allowed_payer = awaited(_add_allowed_payer)
    delete_allowed_payer = awaited(_delete_allowed_payer)

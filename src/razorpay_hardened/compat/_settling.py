"""How doubts about the SDK's writes are settled: in the way of the typed client, whose requests they are made of.

Each function takes the ids of the path and the body, and gives the typed request for them. What it raises means that
there is none, because something that the look needs is missing or malformed: Razorpay is to judge the request then,
and it is sent once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Settle, Work
from razorpay_hardened.client._values import Call, Operation
from razorpay_hardened.client.resources import (
    _read,
    accounts,
    addons,
    disputes,
    invoices,
    items,
    orders,
    payment_links,
    payments,
    products,
    qr_codes,
    subscriptions,
    tokens,
    virtual_accounts,
    webhooks,
)
from razorpay_hardened.domain.money import Money

__all__ = ["SETTLED"]

_Body = Mapping[str, Any]


def _order(body: _Body) -> Work[Any]:
    return orders._creation(dict(body), Money(body["amount"], body["currency"]), body["receipt"])


def _invoice(body: _Body) -> Work[Any]:
    receipt, lines = body["receipt"], [dict(line) for line in body.get("line_items") or ()]
    same = invoices._same(body, lines)
    look = Settle(
        lambda: invoices._made_already(same, _is_set(body.get("draft")), body.get("notes")),
        explains=invoices._about_the_receipt,
        looks=2,  # listings lag
    )
    return Ask(Call(op.INVOICE_CREATE, data=body, receipt=receipt), _read.INVOICE.echoing(receipt=receipt), look)


def _payment_link(body: _Body) -> Work[Any]:
    reference, amount = body["reference_id"], Money(body["amount"], body.get("currency", "INR"))
    look = Settle(
        lambda: payment_links._made_already(reference, amount, body.get("notes")),
        explains=payment_links._about_the_reference,
        looks=2,  # listings lag
    )
    call = Call(op.PAYMENT_LINK_CREATE, data=body, receipt=reference)
    return Ask(call, _read.PAYMENT_LINK.echoing(reference_id=reference), look)


def _capture(payment_id: str, body: _Body) -> Work[Any]:
    return payments._capture(payment_id, Money(body["amount"], body.get("currency", "INR")))


def _cancel_subscription(subscription_id: str, body: _Body) -> Work[Any]:
    return subscriptions._cancel(subscription_id, cancel_at_cycle_end=_is_set(body.get("cancel_at_cycle_end")))


def _contest(dispute_id: str, body: _Body) -> Work[Any]:
    evidence = {name: value for name, value in body.items() if name != "action"}
    return disputes._contesting(dispute_id, dict(body), evidence, body["action"] == "submit")


def _product(account_id: str, product_id: str, body: _Body) -> Work[Any]:
    rest = {name: value for name, value in body.items() if name not in ("settlements", "tnc_accepted")}
    settlements, accepted = body.get("settlements"), body.get("tnc_accepted")
    return products._edit(account_id, product_id, settlements=settlements, tnc_accepted=accepted, extra=rest or None)


def _is_set(value: object) -> bool:
    """How the API takes yes: 1, "1", true."""
    return str(value).lower() in {"1", "true"}


def _of_ids(ask: Callable[..., Work[Any]]) -> Callable[..., Work[Any]]:
    """Requests that the ids alone decide."""
    return lambda *given: ask(*given[:-1])


def _keys(found: Mapping[Operation, Callable[..., Work[Any]]]) -> dict[tuple[str, str], Callable[..., Work[Any]]]:
    return {(operation.method, operation.path): ask for operation, ask in found.items()}


SETTLED: Final = _keys(
    {
        op.ORDER_CREATE: _order,
        op.INVOICE_CREATE: _invoice,
        op.PAYMENT_LINK_CREATE: _payment_link,
        op.PAYMENT_CAPTURE: _capture,
        op.TOKEN_DELETE: _of_ids(tokens._delete),
        op.TOKEN_CANCEL: _of_ids(tokens._cancel),
        op.TOKEN_NETWORK_DELETE: lambda body: tokens._delete_network_token(body["id"]),
        op.SUBSCRIPTION_CANCEL: _cancel_subscription,
        op.SUBSCRIPTION_PAUSE: _of_ids(subscriptions._pause),
        op.SUBSCRIPTION_RESUME: _of_ids(subscriptions._resume),
        op.ADDON_DELETE: _of_ids(addons._delete),
        op.ITEM_DELETE: _of_ids(items._delete),
        op.INVOICE_ISSUE: _of_ids(invoices._issue),
        op.INVOICE_CANCEL: _of_ids(invoices._cancel),
        op.INVOICE_DELETE: _of_ids(invoices._delete),
        op.PAYMENT_LINK_CANCEL: _of_ids(payment_links._cancel),
        op.QR_CODE_CLOSE: _of_ids(qr_codes._close),
        op.VIRTUAL_ACCOUNT_CLOSE: _of_ids(virtual_accounts._close),
        op.DISPUTE_ACCEPT: _of_ids(disputes._accept),
        op.DISPUTE_CONTEST: _contest,
        op.ACCOUNT_DELETE: _of_ids(accounts._delete),
        op.PRODUCT_EDIT: _product,
        op.ACCOUNT_WEBHOOK_DELETE: lambda account, webhook, _: webhooks._delete(webhook, account_id=account),
    }
)
"""Method and path → the typed request for these ids and this body."""

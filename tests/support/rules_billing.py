"""Rows for the writes of plans, subscriptions, add-ons, items, invoices, payment links, QR codes, virtual accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from razorpay_hardened.client import Client
from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._values import Operation
from razorpay_hardened.domain.money import Money
from razorpay_hardened.emulator import Emulator
from support.rules import Row

__all__ = ["ROWS"]

INR = Money.inr("499.00")
NOTES = {"shop": "8"}
_ITEM = {"name": "Book", "amount": 49900, "currency": "INR"}
_LINE = {"name": "Book", "amount": INR}
_CUSTOMER = {"name": "Gaurav Kumar", "email": "g@example.com", "contact": "9123456780"}
_PAYER = {"ifsc": "KKBK0000007", "account_number": "765432123456789"}


def _made(rz: Emulator, path: str, body: dict[str, Any]) -> str:
    """The id of what a call without the client made."""
    reply = rz.request("POST", f"/v1/{path}", body)
    assert reply.status == 200, reply.body
    return str(reply.json()["id"])


def _plan(rz: Emulator) -> str:
    return _made(rz, "plans", {"period": "monthly", "interval": 1, "item": _ITEM})


def _subscription(rz: Emulator) -> str:
    """An active one."""
    subscription_id = _made(rz, "subscriptions", {"plan_id": _plan(rz), "total_count": 6})
    rz.authenticate(subscription_id)
    return subscription_id


def _changing(rz: Emulator) -> str:
    """An active one with a scheduled change."""
    subscription_id = _subscription(rz)
    body = {"quantity": 3, "schedule_change_at": "cycle_end"}
    assert rz.request("PATCH", f"/v1/subscriptions/{subscription_id}", body).status == 200
    return subscription_id


def _with_offer(rz: Emulator) -> tuple[str, str]:
    """A subscription, and the offer that it has."""
    offer_id = str(rz.offer()["id"])
    return _made(rz, "subscriptions", {"plan_id": _plan(rz), "total_count": 6, "offer_id": offer_id}), offer_id


def _paused(rz: Emulator) -> str:
    subscription_id = _subscription(rz)
    assert rz.request("POST", f"/v1/subscriptions/{subscription_id}/pause", {}).status == 200
    return subscription_id


def _with_offer(rz: Emulator) -> tuple[str, str]:
    """A subscription, and the offer that it was made with."""
    offer_id = str(rz.offer()["id"])
    body = {"plan_id": _plan(rz), "total_count": 6, "offer_id": offer_id}
    return _made(rz, "subscriptions", body), offer_id


def _addon(rz: Emulator) -> str:
    return _made(rz, f"subscriptions/{_subscription(rz)}/addons", {"item": _ITEM})


def _item(rz: Emulator) -> str:
    return _made(rz, "items", _ITEM)


def _invoice(rz: Emulator, **more: Any) -> str:
    return _made(rz, "invoices", {"type": "invoice", "customer": _CUSTOMER, "line_items": [_ITEM], **more})


def _draft(rz: Emulator) -> str:
    return _invoice(rz, draft="1")


def _link(rz: Emulator) -> str:
    return _made(rz, "payment_links", {"amount": 49900, "currency": "INR"})


def _qr_code(rz: Emulator) -> str:
    return _made(rz, "payments/qr_codes", {"type": "upi_qr", "usage": "multiple_use"})


def _account(rz: Emulator) -> str:
    return _made(rz, "virtual_accounts", {"receivers": {"types": ["bank_account"]}})


def _with_payer(rz: Emulator) -> tuple[str, str]:
    """An account, and the payer that it allows."""
    account_id = _account(rz)
    body = {"type": "bank_account", "bank_account": _PAYER}
    reply = rz.request("POST", f"/v1/virtual_accounts/{account_id}/allowed_payers", body)
    return account_id, str(reply.json()["allowed_payers"][0]["id"])


def _counted(kind: str) -> Callable[[Emulator, Any], int]:
    """How many entities of the kind there are."""
    return lambda rz, _: len(rz.world.table(kind))


def _is(kind: str, **fields: Any) -> Callable[[Emulator, Any], int]:
    """1 when the arranged entity has these values."""
    return lambda rz, made: int(all(rz.world.table(kind)[made][name] == value for name, value in fields.items()))


def _gone(kind: str) -> Callable[[Emulator, Any], int]:
    return lambda rz, made: int(made not in rz.world.table(kind))


def _creation(
    operation: Operation, kind: str, act: Callable[[Client, Any], Any], arrange: Callable[[Emulator], Any] | None = None
) -> Row:
    return Row(operation, arrange or (lambda rz: None), act, _counted(kind))


def _invoiced(receipt: str | None) -> Row:
    return _creation(
        op.INVOICE_CREATE if receipt else op.INVOICE_CREATE_ONCE,
        "invoice",
        lambda client, _: client.invoices.create(
            line_items=[_LINE, {**_LINE, "quantity": 2}], customer=_CUSTOMER, receipt=receipt, notes=NOTES
        ),
    )


def _linked(reference: str | None) -> Row:
    return _creation(
        op.PAYMENT_LINK_CREATE if reference else op.PAYMENT_LINK_CREATE_ONCE,
        "payment_link",
        lambda client, _: client.payment_links.create(amount=INR, reference_id=reference, notes=NOTES),
    )


ROWS: list[Row] = [
    _creation(
        op.PLAN_CREATE,
        "plan",
        lambda client, _: client.plans.create(period="weekly", interval=1, item=_LINE),
    ),
    _creation(
        op.SUBSCRIPTION_CREATE,
        "subscription",
        lambda client, plan_id: client.subscriptions.create(plan_id=plan_id, total_count=6),
        _plan,
    ),
    Row(
        op.SUBSCRIPTION_EDIT,
        _subscription,
        lambda client, made: client.subscriptions.edit(made, quantity=2),
        _is("subscription", quantity=2),
    ),
    Row(
        op.SUBSCRIPTION_CANCEL,
        _subscription,
        lambda client, made: client.subscriptions.cancel(made),
        _is("subscription", status="cancelled"),
    ),
    Row(
        op.SUBSCRIPTION_PAUSE,
        _subscription,
        lambda client, made: client.subscriptions.pause(made),
        _is("subscription", status="paused"),
    ),
    Row(
        op.SUBSCRIPTION_RESUME,
        _paused,
        lambda client, made: client.subscriptions.resume(made),
        _is("subscription", status="active"),
    ),
    Row(
        op.SUBSCRIPTION_CANCEL_PENDING,
        _changing,
        lambda client, made: client.subscriptions.cancel_pending_update(made),
        _is("subscription", has_scheduled_changes=False),
    ),
    _creation(
        op.SUBSCRIPTION_ADDON,
        "addon",
        lambda client, made: client.subscriptions.create_addon(made, item=_LINE, quantity=2),
        _subscription,
    ),
    Row(
        op.SUBSCRIPTION_OFFER_DELETE,
        _with_offer,
        lambda client, made: client.subscriptions.delete_offer(*made),
        lambda rz, made: int(rz.world.table("subscription")[made[0]]["offer_id"] is None),
    ),
    Row(op.ADDON_DELETE, _addon, lambda client, made: client.addons.delete(made), _gone("addon")),
    _creation(op.ITEM_CREATE, "item", lambda client, _: client.items.create(name="Book", amount=INR)),
    Row(
        op.ITEM_EDIT,
        _item,
        lambda client, made: client.items.edit(made, amount=Money(100)),
        _is("item", amount=100),
    ),
    Row(op.ITEM_DELETE, _item, lambda client, made: client.items.delete(made), _gone("item")),
    _invoiced("inv-42"),
    _invoiced(None),
    Row(
        op.INVOICE_EDIT,
        _draft,
        lambda client, made: client.invoices.edit(made, line_items=[{**_LINE, "amount": Money(100)}]),
        _is("invoice", amount=100),
    ),
    Row(
        op.INVOICE_ISSUE,
        _draft,
        lambda client, made: client.invoices.issue(made),
        _is("invoice", status="issued"),
    ),
    Row(
        op.INVOICE_CANCEL,
        _invoice,
        lambda client, made: client.invoices.cancel(made),
        _is("invoice", status="cancelled"),
    ),
    Row(op.INVOICE_DELETE, _draft, lambda client, made: client.invoices.delete(made), _gone("invoice")),
    Row(
        op.INVOICE_NOTIFY,
        lambda rz: _invoice(rz, sms_notify=False),
        lambda client, made: client.invoices.notify_by(made, "sms"),
        _is("invoice", sms_status="sent"),
    ),
    _linked("ref-42"),
    _linked(None),
    Row(
        op.PAYMENT_LINK_EDIT,
        _link,
        lambda client, made: client.payment_links.edit(made, notes=NOTES, reference_id="ref-43"),
        _is("payment_link", notes=NOTES, reference_id="ref-43"),
    ),
    Row(
        op.PAYMENT_LINK_CANCEL,
        _link,
        lambda client, made: client.payment_links.cancel(made),
        _is("payment_link", status="cancelled"),
    ),
    Row(
        op.PAYMENT_LINK_NOTIFY,
        _link,
        lambda client, made: client.payment_links.notify_by(made, "sms"),
        lambda rz, made: int(rz.world.table("payment_link")[made]["notify"]["sms"]),
    ),
    _creation(
        op.QR_CODE_CREATE,
        "qr_code",
        lambda client, _: client.qr_codes.create(usage="single_use", fixed_amount=True, payment_amount=INR),
    ),
    Row(
        op.QR_CODE_EDIT,
        _qr_code,
        lambda client, made: client.qr_codes.edit(made, notes=NOTES),
        _is("qr_code", notes=NOTES),
    ),
    Row(
        op.QR_CODE_CLOSE,
        _qr_code,
        lambda client, made: client.qr_codes.close(made),
        _is("qr_code", status="closed"),
    ),
    _creation(
        op.VIRTUAL_ACCOUNT_CREATE,
        "virtual_account",
        lambda client, _: client.virtual_accounts.create(receivers={"types": ["bank_account", "vpa"]}),
    ),
    Row(
        op.VIRTUAL_ACCOUNT_EDIT,
        _account,
        lambda client, made: client.virtual_accounts.edit(made, description="rent", notes=NOTES),
        _is("virtual_account", description="rent", notes=NOTES),
    ),
    Row(
        op.VIRTUAL_ACCOUNT_CLOSE,
        _account,
        lambda client, made: client.virtual_accounts.close(made),
        _is("virtual_account", status="closed"),
    ),
    Row(
        op.VIRTUAL_ACCOUNT_RECEIVER,
        _account,
        lambda client, made: client.virtual_accounts.add_receiver(made, types=["vpa"]),
        lambda rz, made: len(rz.world.table("virtual_account")[made]["receivers"]),
    ),
    Row(
        op.VIRTUAL_ACCOUNT_PAYER_ADD,
        _account,
        lambda client, made: client.virtual_accounts.add_allowed_payer(made, bank_account=_PAYER),
        lambda rz, made: len(rz.world.table("virtual_account")[made].get("allowed_payers", ())),
    ),
    Row(
        op.VIRTUAL_ACCOUNT_PAYER_DELETE,
        _with_payer,
        lambda client, made: client.virtual_accounts.delete_allowed_payer(*made),
        lambda rz, made: -len(rz.world.table("virtual_account")[made[0]]["allowed_payers"]),
    ),
]

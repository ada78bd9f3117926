"""Rows for the writes of transfers, disputes, documents, settlements, linked accounts and webhooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from razorpay_hardened.client import Client
from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._values import Operation
from razorpay_hardened.domain.money import Money
from razorpay_hardened.emulator import Emulator
from support.rules import Row, payment

__all__ = ["ACCOUNT", "ROWS", "linked"]

FIVE = Money.inr("5.00")
PICTURE = b"\x89PNG\r\n\xff"
URL = "https://shop.example/razorpay"
EVENTS = ["payment.captured", "refund.processed"]
ACCOUNT: dict[str, Any] = {
    "email": "g@example.com",
    "phone": "9123456780",
    "legal_business_name": "Acme Corp",
    "business_type": "partnership",
    "contact_name": "Gauri Kumar",
    "type": "route",
}
BANK = {"account_number": "1234567890", "ifsc_code": "HDFC0000317", "beneficiary_name": "Gauri Kumar"}


def _made(rz: Emulator, path: str, body: dict[str, Any]) -> str:
    """The id of what a call without the client made."""
    reply = rz.request("POST", path, body)
    assert reply.status == 200, reply.body
    return str(reply.json()["id"])


def _entity(rz: Emulator, path: str) -> Any:
    reply = rz.request("GET", path)
    return reply.json() if reply.status == 200 else None


def linked(rz: Emulator) -> str:
    """A linked account, with money in the balance to pass on."""
    payment(rz)
    return _made(rz, "/v2/accounts", ACCOUNT)


def _transfer(rz: Emulator) -> str:
    return _made(rz, "/v1/transfers", {"account": linked(rz), "amount": 500, "currency": "INR"})


def _dispute(rz: Emulator) -> str:
    return str(rz.dispute(payment(rz), 40_000)["id"])


def _stakeholder(rz: Emulator) -> tuple[str, str]:
    account = linked(rz)
    return account, _made(rz, f"/v2/accounts/{account}/stakeholders", {"name": "Gauri", "email": "g@example.com"})


def _product(rz: Emulator) -> tuple[str, str]:
    account = linked(rz)
    return account, _made(rz, f"/v2/accounts/{account}/products", {"product_name": "route"})


def _webhook(rz: Emulator) -> str:
    return _made(rz, "/v1/webhooks", {"url": f"{URL}/old", "events": {"order.paid": True}})


def _theirs(rz: Emulator) -> tuple[str, str]:
    """A linked account's webhook."""
    account = linked(rz)
    return account, _made(rz, f"/v2/accounts/{account}/webhooks", {"url": f"{URL}/old", "events": ["order.paid"]})


def _listed(rz: Emulator, path: str) -> int:
    return len(_entity(rz, path)["items"])


def _proofs(rz: Emulator, path: str) -> int:
    return sum(len(found) for found in _entity(rz, f"{path}/documents").values())


def _row(
    operation: Operation,
    arrange: Callable[[Emulator], Any],
    act: Callable[[Client, Any], Any],
    effects: Callable[[Emulator, Any], int | bool],
) -> Row:
    return Row(operation, arrange, act, lambda rz, arranged: int(effects(rz, arranged)))


ROWS: list[Row] = [
    _row(
        op.TRANSFER_CREATE,
        linked,
        lambda client, account: client.transfers.create(account, FIVE, notes={"shop": "7"}),
        lambda rz, _: len(rz.world.table("transfer")),
    ),
    _row(
        op.TRANSFER_EDIT,
        _transfer,
        lambda client, transfer: client.transfers.edit(transfer, on_hold=True),
        lambda rz, transfer: rz.world.table("transfer")[transfer]["on_hold"],
    ),
    _row(
        op.TRANSFER_REVERSE,
        _transfer,
        lambda client, transfer: client.transfers.reverse(transfer, Money.inr("1.00")),
        lambda rz, _: len(rz.world.table("reversal")),
    ),
    _row(
        op.DISPUTE_ACCEPT,
        _dispute,
        lambda client, dispute: client.disputes.accept(dispute),
        lambda rz, dispute: rz.world.table("dispute")[dispute]["amount_deducted"] == 40_000,
    ),
    _row(
        op.DISPUTE_CONTEST,
        _dispute,
        lambda client, dispute: client.disputes.contest(dispute, action="submit", summary="delivered", amount=FIVE),
        lambda rz, dispute: rz.world.table("dispute")[dispute]["status"] == "under_review",
    ),
    _row(
        op.DOCUMENT_CREATE,
        lambda rz: None,
        lambda client, _: client.documents.create(PICTURE, name="proof.png"),
        lambda rz, _: len(rz.world.table("document")),
    ),
    _row(
        op.INSTANT_SETTLEMENT_CREATE,
        payment,
        lambda client, _: client.settlements.create_instant(FIVE, description="Evening payout"),
        lambda rz, _: len(rz.world.table("settlement.ondemand")),
    ),
    _row(
        op.ACCOUNT_CREATE,
        lambda rz: None,
        lambda client, _: client.accounts.create(**ACCOUNT),
        lambda rz, _: len(rz.world.table("account")),
    ),
    _row(
        op.ACCOUNT_EDIT,
        linked,
        lambda client, account: client.accounts.edit(account, customer_facing_business_name="Acme"),
        lambda rz, account: rz.world.table("account")[account].get("customer_facing_business_name") == "Acme",
    ),
    _row(
        op.ACCOUNT_DELETE,
        linked,
        lambda client, account: client.accounts.delete(account),
        lambda rz, account: rz.world.table("account")[account]["status"] == "suspended",
    ),
    _row(
        op.ACCOUNT_DOCUMENT_UPLOAD,
        linked,
        lambda client, account: client.accounts.upload_document(
            account, PICTURE, document_type="gst_certificate", name="gst.png"
        ),
        lambda rz, account: _proofs(rz, f"/v2/accounts/{account}"),
    ),
    _row(
        op.STAKEHOLDER_CREATE,
        linked,
        lambda client, account: client.stakeholders.create(account, name="Gauri", email="g@example.com"),
        lambda rz, account: _listed(rz, f"/v2/accounts/{account}/stakeholders"),
    ),
    _row(
        op.STAKEHOLDER_EDIT,
        _stakeholder,
        lambda client, ids: client.stakeholders.edit(*ids, name="Gaurav"),
        lambda rz, ids: rz.world.table("stakeholder")[ids[1]]["name"] == "Gaurav",
    ),
    _row(
        op.STAKEHOLDER_DOCUMENT_UPLOAD,
        _stakeholder,
        lambda client, ids: client.stakeholders.upload_document(
            *ids, PICTURE, document_type="aadhar_front", name="front.png"
        ),
        lambda rz, ids: _proofs(rz, "/v2/accounts/{}/stakeholders/{}".format(*ids)),
    ),
    _row(
        op.PRODUCT_REQUEST,
        linked,
        lambda client, account: client.products.request(account, product_name="route", tnc_accepted=True),
        lambda rz, _: len(rz.world.table("merchant_product")),
    ),
    _row(
        op.PRODUCT_EDIT,
        _product,
        lambda client, ids: client.products.edit(*ids, settlements=BANK, tnc_accepted=True),
        lambda rz, ids: (
            _entity(rz, "/v2/accounts/{}/products/{}".format(*ids))["active_configuration"]["settlements"] == BANK
        ),
    ),
    _row(
        op.WEBHOOK_CREATE,
        lambda rz: None,
        lambda client, _: client.webhooks.create(url=URL, events=EVENTS, secret="a-secret-of-a-webhook"),
        lambda rz, _: _listed(rz, "/v1/webhooks"),
    ),
    _row(
        op.WEBHOOK_EDIT,
        _webhook,
        lambda client, webhook: client.webhooks.edit(webhook, url=URL, events=EVENTS),
        lambda rz, webhook: _entity(rz, f"/v1/webhooks/{webhook}")["url"] == URL,
    ),
    _row(
        op.ACCOUNT_WEBHOOK_CREATE,
        linked,
        lambda client, account: client.webhooks.create(url=URL, events=EVENTS, account_id=account),
        lambda rz, account: _listed(rz, f"/v2/accounts/{account}/webhooks"),
    ),
    _row(
        op.ACCOUNT_WEBHOOK_EDIT,
        _theirs,
        lambda client, ids: client.webhooks.edit(ids[1], events=EVENTS, account_id=ids[0]),
        lambda rz, ids: _entity(rz, "/v2/accounts/{}/webhooks/{}".format(*ids))["events"] == EVENTS,
    ),
    _row(
        op.ACCOUNT_WEBHOOK_DELETE,
        _theirs,
        lambda client, ids: client.webhooks.delete(ids[1], account_id=ids[0]),
        lambda rz, ids: _entity(rz, "/v2/accounts/{}/webhooks/{}".format(*ids)) is None,
    ),
]

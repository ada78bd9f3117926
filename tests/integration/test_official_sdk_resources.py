"""The unmodified official SDK against the emulator: the resources beyond orders, payments and refunds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import razorpay
import requests

from razorpay_hardened import compat, verify_checkout
from razorpay_hardened.emulator import Emulator

DAY_S = 86_400


@pytest.fixture
def rz() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(params=[razorpay.Client, compat.Client], ids=["the SDK", "compat"])
def client(rz: Emulator, request: pytest.FixtureRequest) -> Iterator[Any]:
    with requests.Session() as session:
        session.trust_env = False
        yield request.param(session=session, auth=(rz.key_id, rz.key_secret), base_url=rz.url)


def paid(rz: Emulator, client: Any, amount: int = 100_000) -> str:
    order = client.order.create({"amount": amount, "currency": "INR"})
    return str(rz.pay(order["id"], card="4100 2800 0000 1007")["id"])


def test_settlements(rz: Emulator, client: Any) -> None:
    """Settlements and instant ones are made, fetched, listed, and reported row by row."""
    paid(rz, client)
    instant = client.settlement.create_ondemand_settlement({"amount": 20_000, "description": "stock"})
    rz.settle()
    settlement = client.settlement.all()["items"][0]
    rows = client.settlement.report({"year": 2026, "month": 1, "count": 1000})["items"]

    assert client.settlement.fetch(settlement["id"]) == settlement
    assert sum(row["credit"] - row["debit"] for row in rows) == settlement["amount"] == 97_640 - 20_000
    assert client.settlement.fetch_ondemand_settlement_id(instant["id"]) == instant
    assert client.settlement.fetch_all_ondemand_settlement({"count": 1})["items"] == [instant]


def test_disputes_and_documents(rz: Emulator, client: Any, tmp_path: Path) -> None:
    """Evidence is uploaded, a dispute contested with it, another accepted."""
    payment = paid(rz, client)
    first, second = rz.dispute(payment, 500)["id"], rz.dispute(payment, 600)["id"]
    picture = tmp_path / "proof.png"
    picture.write_bytes(b"\x89PNG")
    with picture.open("rb") as file:
        document = client.document.create({"file": file, "purpose": "dispute_evidence"})
    contested = client.dispute.contest(first, {"billing_proof": [document["id"]], "action": "submit"})

    assert (document["size"], document["mime_type"]) == (4, "image/png")
    assert client.document.fetch(document["id"]) == document
    assert (contested["status"], contested["evidence"]["billing_proof"]) == ("under_review", [document["id"]])
    assert client.dispute.accept(second)["status"] == "lost"
    assert client.dispute.fetch(first) == contested
    assert client.dispute.all()["count"] == 2


def test_payment_links(rz: Emulator, client: Any) -> None:
    """Links are created, edited, sent, paid, cancelled and found by their reference."""
    link = client.payment_link.create({"amount": 500, "currency": "INR", "reference_id": "r-1"})
    client.payment_link.edit(link["id"], {"notes": {"a": "b"}})
    rz.pay_link(link["id"])
    other = client.payment_link.create({"amount": 500, "currency": "INR"})

    assert client.payment_link.fetch(link["id"])["status"] == "paid"
    assert client.payment_link.notifyBy(other["id"], "sms") == {"success": True}
    assert client.payment_link.cancel(other["id"])["status"] == "cancelled"
    assert [one["id"] for one in client.payment_link.all({"reference_id": "r-1"})["payment_links"]] == [link["id"]]


def test_customers_tokens_and_recurring_payments(rz: Emulator, client: Any) -> None:
    """A customer's token is charged, cancelled and deleted; the signature of the charge is right."""
    customer = client.customer.create({"name": "Gaurav Kumar", "contact": "9123456780", "email": "g@example.com"})
    edited = client.customer.edit(customer["id"], {"name": "Gaurav Kumari"})
    token = rz.save_token(customer["id"])["id"]
    order = client.order.create({"amount": 5000, "currency": "INR"})
    charged = client.payment.createRecurring(
        {
            "amount": 5000,
            "currency": "INR",
            "order_id": order["id"],
            "customer_id": customer["id"],
            "token": token,
            "recurring": True,
        }
    )

    verify_checkout(
        order_id=order["id"],
        payment_id=charged["razorpay_payment_id"],
        signature=charged["razorpay_signature"],
        secret=rz.key_secret,
    )
    payment = client.payment.fetch(charged["razorpay_payment_id"])
    assert (payment["status"], payment["token_id"]) == ("captured", token)
    assert client.card.fetch(payment["card_id"])["id"] == payment["card_id"]
    assert client.customer.fetch(customer["id"]) == edited
    assert client.customer.all()["items"] == [edited]
    assert client.token.fetch(customer["id"], token)["recurring"] is True
    assert client.token.all(customer["id"])["count"] == 1
    assert client.token.cancel(customer["id"], token)["status"] == "cancellation_initiated"
    assert client.token.delete(customer["id"], token) == {"deleted": True}


def test_plans_subscriptions_and_addons(rz: Emulator, client: Any) -> None:
    """A subscription is made, authenticated, extended, changed, paused, resumed and cancelled."""
    item = {"name": "Gold", "amount": 69_900, "currency": "INR"}
    plan = client.plan.create({"period": "monthly", "interval": 1, "item": item})
    made = client.subscription.create({"plan_id": plan["id"], "total_count": 6})
    rz.authenticate(made["id"])
    addon = client.subscription.createAddon(made["id"], {"item": {**item, "name": "Extra"}, "quantity": 2})
    client.subscription.edit(made["id"], {"quantity": 2, "schedule_change_at": "cycle_end"})

    assert client.plan.fetch(plan["id"]) == plan
    assert client.plan.all()["items"] == [plan]
    assert client.subscription.pending_update(made["id"])["quantity"] == 2
    assert client.subscription.cancel_scheduled_changes(made["id"])["has_scheduled_changes"] is False
    assert client.addon.fetch(addon["id"]) == addon
    assert client.addon.all()["items"] == [addon]
    assert client.addon.delete(addon["id"]) == []
    assert client.subscription.pause(made["id"], {"pause_at": "now"})["status"] == "paused"
    assert client.subscription.resume(made["id"], {"resume_at": "now"})["status"] == "active"
    assert client.subscription.cancel(made["id"])["status"] == "cancelled"
    assert client.subscription.all({"plan_id": plan["id"]})["count"] == 1
    assert client.invoice.all({"subscription_id": made["id"]})["count"] == 1


def test_items_and_invoices(client: Any) -> None:
    """Items and invoices go through all their calls."""
    item = client.item.create({"name": "Book", "amount": 20_000, "currency": "INR"})
    item = client.item.edit(item["id"], {"amount": 30_000})
    said = {"type": "invoice", "draft": "1", "customer": {"name": "Gaurav"}, "line_items": [{"item_id": item["id"]}]}
    draft, gone = client.invoice.create(said), client.invoice.create(said)
    client.invoice.edit(draft["id"], {"comment": "thank you"})

    assert client.item.fetch(item["id"]) == item
    assert client.item.all()["items"] == [item]
    assert client.invoice.issue(draft["id"])["amount"] == 30_000
    assert client.invoice.notify_by(draft["id"], "email") == {"success": True}
    assert client.invoice.fetch(draft["id"])["email_status"] == "sent"
    assert client.invoice.cancel(draft["id"])["status"] == "cancelled"
    assert client.invoice.delete(gone["id"]) == []
    assert client.invoice.all()["count"] == 1
    assert client.item.delete(item["id"]) == []


def test_qr_codes(rz: Emulator, client: Any) -> None:
    """QR codes are made, paid, listed and closed."""
    qr = client.qrcode.create({"type": "upi_qr", "usage": "multiple_use", "name": "Store"})
    payment = rz.credit_qr(qr["id"], 500)["id"]

    assert client.qrcode.fetch(qr["id"])["payments_amount_received"] == 500
    assert [one["id"] for one in client.qrcode.fetch_all_payments(qr["id"])["items"]] == [payment]
    assert client.qrcode.all({"payment_id": payment})["count"] == 1
    assert client.qrcode.close(qr["id"])["close_reason"] == "on_demand"


def test_virtual_accounts(rz: Emulator, client: Any) -> None:
    """Virtual accounts are made, changed, paid and closed; the bank's reference is found."""
    account = client.virtual_account.create({"receivers": {"types": ["bank_account"]}})["id"]
    payer = {"type": "bank_account", "bank_account": {"ifsc": "KKBK0000007", "account_number": "765432123456789"}}
    payers = client.virtual_account.add_allowed_player(account, payer)["allowed_payers"]
    payment = rz.credit_virtual_account(account, 5000)["id"]

    assert client.payment.bank_transfer(payment)["virtual_account_id"] == account
    assert client.virtual_account.fetch(account)["amount_paid"] == 5000
    assert client.virtual_account.payments(account)["count"] == 1
    assert client.virtual_account.delete_allowed_player(account, payers[0]["id"]) == []
    assert len(client.virtual_account.add_receiver(account, {"types": ["vpa"]})["receivers"]) == 2
    upi = rz.credit_virtual_account(account, 5000, "upi")["id"]
    assert client.payment.upi_transfer(upi)["payer_vpa"] == "success@razorpay"
    assert client.virtual_account.close(account)["status"] == "closed"
    assert client.virtual_account.all()["count"] == 1


def test_transfers_and_linked_accounts(rz: Emulator, client: Any) -> None:
    """A payment is shared, a transfer held, another made from the balance, and reversed."""
    account = client.account.create(
        {
            "email": "g@example.com",
            "phone": "9000090000",
            "type": "route",
            "legal_business_name": "Acme Corp",
            "business_type": "partnership",
            "contact_name": "Gaurav Kumar",
        }
    )
    share = {"account": account["id"], "amount": 30_000, "currency": "INR"}
    payment = paid(rz, client)
    first = client.payment.transfer(payment, {"transfers": [share]})["items"][0]
    direct = client.transfer.create(share)
    client.transfer.edit(first["id"], {"on_hold": 1})
    reversal = client.transfer.reverse(first["id"], {"amount": 10_000})

    assert client.account.fetch(account["id"]) == account
    assert client.account.edit(account["id"], {"contact_name": "Gauri"})["contact_name"] == "Gauri"
    assert client.transfer.fetch(first["id"])["settlement_status"] == "on_hold"
    assert client.transfer.all()["count"] == 2
    assert client.payment.transfers(payment)["count"] == 1
    assert client.transfer.all({"payment_id": payment})["count"] == 1
    assert client.transfer.reversals(first["id"])["items"] == [reversal]
    assert direct["source"] == rz.account_id


def test_downtimes_and_the_refund_by_body(rz: Emulator, client: Any) -> None:
    """Downtimes are listed and fetched; ``refund.create`` names its payment in the body."""
    downtime = rz.downtime("netbanking", bank="HDFC")["id"]
    payment = paid(rz, client)
    refund = client.refund.create({"payment_id": payment, "amount": 100})

    assert client.payment.fetchDownTime()["count"] == 1
    assert client.payment.fetchDownTimeById(downtime)["instrument"] == {"bank": "HDFC"}
    assert refund["payment_id"] == payment
    assert client.refund.fetch(refund["id"]) == refund

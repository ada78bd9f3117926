"""A walk through moving money on and through onboarding, by the client, at the emulator: it refuses unknown fields."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta, timezone
from typing import Any

import pytest

from razorpay_hardened import Money, Secret
from razorpay_hardened.client import Client
from razorpay_hardened.clock import FrozenClock
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ApiBadRequest
from support.rules import payment
from support.rules_money import ACCOUNT, BANK, PICTURE, linked

FIVE = Money.inr("5.00")
INDIA = timezone(timedelta(hours=5, minutes=30))


@pytest.fixture
def rz() -> Iterator[Emulator]:
    with Emulator(in_process=True) as emulator:
        yield emulator


@pytest.fixture
def client(rz: Emulator) -> Iterator[Client]:
    with Client(rz.key_id, rz.key_secret, base_url=rz.url, session=rz.session(), clock=FrozenClock()) as made:
        yield made


def window(rz: Emulator) -> dict[str, Any]:
    now = rz.clock.unix()
    return {"from_": now - 3600, "to": now + 3600}


def test_money_is_passed_on_and_taken_back(rz: Emulator, client: Client) -> None:
    """A transfer, its hold, its reversals; the same key gives the same transfer."""
    account = linked(rz)
    made = client.transfers.create(account, FIVE, idempotency_key="pay out 42", notes={"shop": "7"})
    again = client.transfers.create(account, FIVE, idempotency_key="pay out 42", notes={"shop": "7"})
    held = client.transfers.edit(made.id, on_hold=True, on_hold_until=rz.clock.unix() + 86_400)
    first = client.transfers.reverse(made.id, Money.inr("1.00"))
    rest = client.transfers.reverse(made.id)

    assert made.id == again.id
    assert held.settlement_status == "on_hold"
    assert {one.id for one in client.transfers.reversals(made.id)} == {first.id, rest.id}
    assert client.transfers.fetch(made.id, expand=["recipient_settlement"]).reversed == FIVE
    assert [one.id for one in client.transfers.iter(**window(rz))] == [made.id]
    assert client.transfers.list(recipient_settlement_id="setl_DGlQ1Rj8os78Ec", transfer_type="regular").items == ()


def test_a_dispute_is_contested_and_another_accepted(rz: Emulator, client: Client) -> None:
    """With a document as evidence, as a draft first; an accepted one stays lost."""
    paid = payment(rz)
    first, second = (str(rz.dispute(paid, amount)["id"]) for amount in (10_000, 20_000))
    document = client.documents.create(PICTURE, name="proof.png")
    draft = client.disputes.contest(first, action="draft", shipping_proof=[document.id], amount=FIVE)
    sent = client.disputes.contest(first, action="submit", summary="delivered")
    lost = client.disputes.accept(second)

    assert (document.size, client.documents.content(document.id)) == (len(PICTURE), PICTURE)
    assert client.documents.fetch(document.id) == document
    assert draft.status == "open"
    assert sent.evidence is not None
    assert (sent.status, sent.evidence.shipping_proof, sent.evidence.amount) == ("under_review", [document.id], 500)
    assert lost.deducted == lost.money == Money(20_000)
    assert client.disputes.accept(second) == lost
    with pytest.raises(ApiBadRequest):
        client.disputes.accept(first)
    assert client.disputes.fetch(first, expand=["payment"]).payment
    assert [one.id for one in client.disputes.iter(**window(rz))] == [second, first]


def test_the_report_adds_up(rz: Emulator, client: Client) -> None:
    """The lines of a settlement sum to its amount, on each page size; money at once is listed with its payouts."""
    for _ in range(3):
        client.payments.refund(payment(rz), FIVE)
    client.settlements.create_instant(FIVE, description="Evening payout", notes={"shop": "7"})
    settled = rz.settle()
    [found] = client.settlements.iter()
    day = rz.clock.now().astimezone(INDIA)
    lines = list(client.settlements.iter_recon(year=day.year, month=day.month, day=day.day, count=2))

    assert (found.id, client.settlements.fetch(found.id)) == (settled["id"], found)
    assert sum(line.net for line in lines if line.settlement_id == found.id) == found.amount
    assert len(lines) == len(client.settlements.recon(year=day.year, month=day.month).items)
    [instant] = client.settlements.list_instant(expand=["ondemand_payouts"]).items
    assert instant.ondemand_payouts is not None
    assert client.settlements.fetch_instant(instant.id).requested == FIVE
    assert [one.id for one in client.settlements.iter_instant(**window(rz))] == [instant.id]


def test_an_account_is_made_ready(rz: Emulator, client: Client) -> None:
    """The account, who owns it, its proofs, its product and bank account; then it is deleted, and locked."""
    account = client.accounts.create(**{**ACCOUNT, "type": "standard"}, reference_id="shop-7", notes={"shop": "7"}).id
    person = client.stakeholders.create(
        account,
        name="Gauri Kumar",
        email="g@example.com",
        percentage_ownership=12.5,
        relationship={"director": True},
        phone={"primary": "9123456780"},
        addresses={"residential": {"street": "506, Koramangala", "city": "Bengaluru", "country": "IN"}},
        kyc={"pan": "AVOPB1111K"},
    )
    product = client.products.request(account, product_name="route", tnc_accepted=True)
    client.accounts.upload_document(account, PICTURE, document_type="gst_certificate", name="gst.png")
    client.stakeholders.upload_document(account, person.id, PICTURE, document_type="personal_pan", name="pan.png")
    configured = client.products.edit(account, str(product.id), settlements=BANK)

    assert client.stakeholders.fetch(account, person.id) == person
    assert client.stakeholders.list(account) == (person,)
    assert client.stakeholders.edit(account, person.id, name="Gaurav Kumar").name == "Gaurav Kumar"
    assert client.accounts.documents(account).business_proof_of_identification
    assert client.stakeholders.documents(account, person.id).individual_proof_of_identification
    assert configured.active_configuration is not None
    assert configured.active_configuration.settlements is not None
    assert configured.active_configuration.settlements.as_sent() == BANK
    assert client.products.fetch(account, str(product.id)).product_name == "route"
    assert client.products.terms("payments").tnc
    assert client.accounts.edit(account, customer_facing_business_name="Acme").customer_facing_business_name == "Acme"
    assert client.accounts.delete(account).status == client.accounts.fetch(account).status == "suspended"
    with pytest.raises(ApiBadRequest):
        client.accounts.edit(account, customer_facing_business_name="Other")


def test_webhooks_of_both_kinds(rz: Emulator, client: Client) -> None:
    """An account's own and a sub-merchant's are made, listed, changed; the latter deleted."""
    account = linked(rz)
    secret = Secret("a-secret-of-a-webhook")
    for owner in (None, account):
        made = client.webhooks.create(
            url=f"https://shop.example/{owner}",
            events=["payment.captured"],
            secret=secret,
            alert_email="ops@shop.example",
            account_id=owner,
        )
        changed = client.webhooks.edit(
            made.id, url="https://shop.example/new", events=["refund.processed"], active=False, account_id=owner
        )
        listed = client.webhooks.list(account_id=owner).items

        assert (made.secret_exists, changed.url, changed.active) == (True, "https://shop.example/new", False)
        assert list(changed.events or ()) == ["refund.processed"]
        assert client.webhooks.fetch(made.id, account_id=owner) == changed == listed[0]
        assert next(client.webhooks.iter(account_id=owner)) == changed

    client.webhooks.delete(made.id, account_id=account)
    assert client.webhooks.list(account_id=account).items == ()
    with pytest.raises(ApiBadRequest):
        client.webhooks.delete(made.id, account_id=account)

"""Customers, tokens, cards, devices, and payments that a server makes, against the emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ApiBadRequest
from razorpay_hardened.signing import verify_checkout
from razorpay_hardened.signing.keys import Secret
from support.people import ACCOUNT_NUMBER, CARD, CARD_NUMBER
from support.rules_money import linked

INR = Money.inr("499.00")
PERSON = {"email": "asha@example.in", "contact": "9123456780"}
BANK = {"name": "Asha", "ifsc": "HDFC0000053", "account_number": ACCOUNT_NUMBER}


@pytest.fixture
def rz() -> Iterator[Emulator]:
    with Emulator(in_process=True) as emulator:
        yield emulator


@pytest.fixture
def client(rz: Emulator) -> Iterator[Client]:
    made = Client(rz.key_id, rz.key_secret, base_url=rz.url, session=rz.session(), clock=rz.clock)
    with made:
        yield made


def test_a_customer_and_their_accounts(client: Client) -> None:
    """Made once, found, changed; accounts are added, listed and deleted, their numbers masked."""
    asha = client.customers.create(name="Asha Rao", **PERSON)
    same = client.customers.create(name="Asha", **PERSON, fail_existing=False)
    with pytest.raises(ApiBadRequest):
        client.customers.create(name="Asha", **PERSON)
    account = client.customers.add_bank_account(asha.id, account_number=ACCOUNT_NUMBER, ifsc_code="HDFC0000053")
    fund = client.fund_accounts.create(asha.id, bank_account=BANK)
    check = client.customers.check_eligibility(amount=INR, customer={"id": asha.id, "contact": "9123456780"})
    assert check.instruments is not None

    assert same.id == asha.id
    assert client.customers.edit(asha.id, name="Asha R").name == "Asha R"
    assert [one.id for one in client.customers.iter()] == [asha.id]
    assert client.customers.list().items == (client.customers.fetch(asha.id),)
    assert account.account_number == "XXXXXXXXXX9876"
    assert client.customers.delete_bank_account(asha.id, account.id or "").status == "deleted"
    assert [one.id for one in client.fund_accounts.list(asha.id)] == [fund.id]
    request_id = getattr(check.instruments[0], "eligibility_req_id", "")
    assert client.customers.eligibility(request_id).instruments == check.instruments


def test_a_mandate_from_its_order_to_its_end(rz: Emulator, client: Client) -> None:
    """Registered for nothing, charged for an order, cancelled and forgotten."""
    asha = client.customers.create(name="Asha Rao", **PERSON)
    terms = {"max_amount": INR, "expire_at": 4_102_444_799, "bank_account": {**BANK, "account_type": "savings"}}
    order = client.orders.create(amount=Money(0), method="emandate", customer_id=asha.id, token=terms)
    paid = rz.pay(order.id, "emandate")
    [token] = client.tokens.list(asha.id)
    assert (token.id, token.limit) == (paid["token_id"], INR)

    due = client.orders.create(amount=INR, receipt="july")
    charged = client.payments.create_recurring(
        amount=INR, order_id=due.id, customer_id=asha.id, token=token.id, **PERSON
    )
    assert client.payments.fetch(charged.razorpay_payment_id, expand=["token"]).status == "captured"
    assert [one.id for one in client.payments.iter(customer_id=asha.id)] == [charged.razorpay_payment_id, paid["id"]]
    assert client.orders.list(authorized=True, expand=["payments"]).items[0].id == due.id

    assert client.tokens.cancel(asha.id, token.id).status == "cancellation_initiated"
    assert client.tokens.cancel(asha.id, token.id).status == "cancelled"
    client.tokens.delete(asha.id, token.id)
    with pytest.raises(ApiBadRequest):
        client.tokens.fetch(asha.id, token.id)


def test_a_registration_link_is_an_invoice(rz: Emulator, client: Client) -> None:
    """Its customer pays it, and can be charged from then on."""
    link = client.registration_links.create(
        customer={"name": "Asha Rao", **PERSON},
        amount=Money(100),
        description="Meals",
        subscription_registration={"method": "card", "max_amount": INR, "expire_at": 4_102_444_799},
        receipt="inv-42",
    )
    rz.pay_invoice(link.id)

    assert client.invoices.fetch(link.id).status == "paid"
    assert link.customer_id is not None
    assert len(client.tokens.list(link.customer_id)) == 1


def test_a_card_payment_by_a_server(rz: Emulator, client: Client) -> None:
    """Made, and paid with the second password; its card and its shares are told afterwards."""
    order = client.orders.create(amount=INR, receipt="inv-42")
    made = client.payments.create_json(amount=INR, order_id=order.id, **PERSON, method="card", card=CARD)
    payment_id = made.razorpay_payment_id
    client.payments.otp_generate(payment_id)
    with pytest.raises(ApiBadRequest):
        client.payments.otp_submit(payment_id, "12")
    client.payments.otp_resend(payment_id)
    done = client.payments.otp_submit(payment_id, Secret("754081"))

    assert done.razorpay_signature is not None
    verify_checkout(
        order_id=order.id,
        payment_id=payment_id,
        signature=done.razorpay_signature,
        secret=rz.key_secret,
    )
    card = client.payments.card(payment_id)
    assert (card.last4, client.cards.fetch(card.id or "").network) == ("1486", "Visa")
    assert client.orders.fetch(order.id, expand=["payments.card"]).status == "paid"
    [share] = client.payments.transfer(payment_id, [{"account": linked(rz), "amount": Money(500)}])
    assert [one.id for one in client.payments.transfers(payment_id)] == [share.id]
    refund = client.payments.refund(payment_id, Money(500))
    assert client.payments.fetch_refund(payment_id, refund.id).money == Money(500)
    assert client.orders.edit_fulfillment(order.id, payment_method="card", shipping={"status": "rto"}).shipping
    assert client.orders.rto_review(order.id).risk_tier == "low"


def test_a_upi_payment_by_a_server(rz: Emulator, client: Client) -> None:
    """The address is asked about, then the customer's app is."""
    order = client.orders.create(amount=INR)
    vpa = "success@razorpay"
    assert client.payments.validate_vpa(vpa).success
    made = client.payments.create_upi(
        amount=INR, order_id=order.id, **PERSON, upi={"flow": "collect", "vpa": vpa}, save=False
    )
    rz.clock.advance(10)

    assert client.payments.fetch(made.razorpay_payment_id).status == "captured"
    other = client.orders.create(amount=INR)
    assert client.payments.create_upi(amount=INR, order_id=other.id, **PERSON, upi={"flow": "intent"}).link


def test_a_card_as_its_network_s_token(client: Client) -> None:
    """Made, looked at, used elsewhere and forgotten; the card keeps its reference."""
    token = client.tokens.create(card=CARD, authentication={"provider": "razorpay", "provider_reference_id": "pay_1"})
    provided = (token.service_provider_tokens or [])[0]
    data = client.tokens.transaction_data(getattr(provided, "id", ""))

    assert data.cryptogram_value
    assert client.tokens.fetch_network_token(token.id).status == "active"
    by_number = client.cards.reference(number=CARD_NUMBER)
    by_token = client.cards.reference(token_id=token.id)
    assert by_number.payment_account_reference == by_token.payment_account_reference
    client.tokens.delete_network_token(token.id)
    with pytest.raises(ApiBadRequest):
        client.tokens.fetch_network_token(token.id)


def test_what_can_be_paid_with(rz: Emulator, client: Client) -> None:
    """Methods, IINs and downtimes."""
    down = rz.downtime("card", network="VISA")

    assert client.payments.methods().card is True
    assert [one.id for one in client.payments.downtimes()] == [down["id"]]
    assert client.payments.downtime(down["id"]).severity == "high"
    found = client.iins.list(sub_type="business").iins or client.iins.list().iins
    assert found
    assert client.iins.fetch(str(found[0])).network


def test_money_into_a_virtual_account(rz: Emulator, client: Client) -> None:
    """Who sent it, by bank and by UPI."""
    account = client.virtual_accounts.create(receivers={"types": ["bank_account", "vpa"]})
    by_bank = rz.credit_virtual_account(account.id, 49900)
    by_upi = rz.credit_virtual_account(account.id, 100, method="upi")

    assert client.payments.bank_transfer(by_bank["id"]).money == INR
    assert client.payments.upi_transfer(by_upi["id"]).money == Money(100)


def test_a_checkout_on_a_device(rz: Emulator, client: Client) -> None:
    """Shown, paid and told; a device that is not connected is an activity that failed."""
    order = client.orders.create(amount=INR)
    shown = {"name": "Acme Corp", "amount": INR, "description": "Books", "order_id": order.id}
    more = {"type": "in_person", "method": "upi", "prefill": {"name": "Asha"}}
    begun = client.devices.create_activity(
        "initiate_checkout", mode="wired", device_id="28411", initiate_checkout={**shown, **more}
    )
    assert client.devices.activity(begun.id, mode="wired").status == "processing"
    rz.pay(order.id)
    assert client.devices.activity(begun.id, mode="wired").status == "completed"
    closed = client.devices.create_activity("close_checkout", mode="wireless", device_id="28411")

    assert closed.status == "failed"
    assert getattr(closed.error, "reason", None) == "checkout_not_found"

"""The unmodified official SDK against the emulator, in process: payments made by API, tokens of cards, and the rest of
what a business calls for its own account."""

from __future__ import annotations

import json
from typing import Any

import pytest
import razorpay
from razorpay.errors import BadRequestError, GatewayError

from razorpay_hardened import compat, verify_checkout
from razorpay_hardened.emulator import Emulator

GOOD, SHORT_OF_MONEY, GATEWAY = "4100280000001007", "4100280000080001", "4100280000020007"


@pytest.fixture
def rz() -> Emulator:
    return Emulator(in_process=True)


@pytest.fixture(params=[razorpay.Client, compat.Client], ids=["the SDK", "compat"])
def client(rz: Emulator, request: pytest.FixtureRequest) -> Any:
    return request.param(session=rz.session(), auth=(rz.key_id, rz.key_secret), base_url=rz.url)


def said(client: Any, amount: int = 50_000, **more: Any) -> dict[str, Any]:
    """The body of a payment over a new order."""
    order = client.order.create({"amount": amount, "currency": "INR"})["id"]
    who = {"email": "gaurav.kumar@example.com", "contact": 9090909090}
    return {"amount": amount, "currency": "INR", "order_id": order, **who, **more}


def card(number: str = GOOD) -> dict[str, Any]:
    return {"number": int(number), "name": "Gaurav", "expiry_month": 11, "expiry_year": 30, "cvv": 100}


def events(rz: Emulator) -> list[str]:
    return [event.name for event in rz.world.events]


def test_a_card_payment_with_its_otp(rz: Emulator, client: Any) -> None:
    """The payment waits for the password, is captured after it, and the answer is signed as Checkout's is."""
    body = said(client, method="card", card=card())
    made = client.payment.createPaymentJson(body)
    payment_id = made["razorpay_payment_id"]
    assert [step["action"] for step in made["next"]] == ["redirect", "otp_generate"]
    assert client.payment.fetch(payment_id)["status"] == "created"

    generated = client.payment.otpGenerate(payment_id)
    assert [step["action"] for step in generated["next"]] == ["otp_submit", "otp_resend"]
    assert generated["metadata"] == {"issuer": None, "network": "VISA", "last4": "1007", "iin": "410028"}
    resent = {"next": ["otp_submit", "otp_resend"], "razorpay_payment_id": payment_id}
    assert client.payment.otpResend(payment_id) == resent
    with pytest.raises(BadRequestError, match="payment processing failed because of incorrect otp"):
        client.payment.otpSubmit(payment_id, {"otp": "123"})
    done = client.payment.otpSubmit(payment_id, {"otp": "123456"})

    verify_checkout(
        order_id=done["razorpay_order_id"],
        payment_id=done["razorpay_payment_id"],
        signature=done["razorpay_signature"],
        secret=rz.key_secret,
    )
    assert done["razorpay_order_id"] == body["order_id"]
    payment = client.payment.fetch(payment_id, {"expand[]": "card"})
    assert (payment["status"], payment["card"]["name"], payment["contact"]) == ("captured", "Gaurav", "9090909090")
    assert events(rz) == ["payment.authorized", "payment.captured", "order.paid"]


def test_the_instrument_decides_after_the_otp(rz: Emulator, client: Any) -> None:
    """A test card that fails does so with its own reason, to the caller and in the event."""
    for number, error, reason in (
        (SHORT_OF_MONEY, BadRequestError, "insufficient_fund"),
        (GATEWAY, GatewayError, "gateway_technical_error"),
    ):
        payment_id = client.payment.createPaymentJson(said(client, method="card", card=card(number)))
        payment_id = payment_id["razorpay_payment_id"]
        with pytest.raises(error, match="Payment failed"):
            client.payment.otpSubmit(payment_id, {"otp": "123456"})

        assert client.payment.fetch(payment_id)["error_reason"] == reason
    assert events(rz) == ["payment.failed", "payment.failed"]


def test_a_bank_page_or_nobody_answers(rz: Emulator, client: Any) -> None:
    """Netbanking leads to the bank's page, where the customer answers or does not."""
    made = [client.payment.createPaymentJson(said(client, method="netbanking", bank="HDFC")) for _ in range(2)]
    first, second = (one["razorpay_payment_id"] for one in made)
    rz.finish(first)
    rz.clock.advance(600)

    assert [step["action"] for step in made[0]["next"]] == ["redirect"]
    assert client.payment.fetch(first)["status"] == "captured"
    assert client.payment.fetch(second)["error_reason"] == "payment_timed_out"


def test_upi_requests(rz: Emulator, client: Any) -> None:
    """Razorpay's two test ids answer by themselves; anybody else has until the request ends; a link opens an app."""
    paid, failed, late = (
        client.payment.createUpi(said(client, 200, method="upi", upi={"flow": "collect", "vpa": vpa, "expiry_time": 1}))
        for vpa in ("success@razorpay", "failure@razorpay", "gauravkumar@exampleupi")
    )
    link = client.payment.createUpi(said(client, 201_00, method="upi", upi={"flow": "intent"}))
    rz.clock.advance(59)
    rz.finish(link["razorpay_payment_id"])
    statuses = [client.payment.fetch(one["razorpay_payment_id"])["status"] for one in (paid, failed, late, link)]
    rz.clock.advance(1)
    ended = client.payment.fetch(late["razorpay_payment_id"])

    assert set(late) == {"razorpay_payment_id"}
    assert link["link"].startswith("upi://pay?pa=")
    assert "am=201.00&cu=INR" in link["link"]
    assert statuses == ["captured", "failed", "created", "captured"]
    assert (ended["status"], ended["error_reason"]) == ("failed", "payment_collect_request_expired")
    assert client.payment.fetch(link["razorpay_payment_id"])["upi"]["flow"] == "intent"


def test_a_saved_upi_id_pays_again(rz: Emulator, client: Any) -> None:
    """It is a token of the customer's that cannot be charged without him."""
    customer = client.customer.create({"name": "Gaurav Kumar", "contact": "9123456780"})["id"]
    upi = {"flow": "collect", "vpa": "gauravkumar@exampleupi"}
    first = client.payment.createUpi(said(client, method="upi", upi=upi, customer_id=customer, save=True))
    assert client.token.all(customer)["count"] == 0
    rz.finish(first["razorpay_payment_id"])
    token = client.token.all(customer)["items"][0]
    again = client.payment.createUpi(said(client, method="upi", customer_id=customer, token=token["id"]))
    rz.finish(again["razorpay_payment_id"])

    assert (token["recurring"], token["recurring_details"]["status"]) == (False, "not_applicable")
    assert token["vpa"] == {"username": "gauravkumar", "handle": "exampleupi", "name": None}
    assert [step["action"] for step in again["next"]] == ["poll"]
    payment = client.payment.fetch(again["razorpay_payment_id"])
    assert (payment["vpa"], payment["token_id"], payment["status"]) == (upi["vpa"], token["id"], "captured")
    assert "token.confirmed" not in events(rz)


def test_upi_ids_are_checked(client: Any) -> None:
    """What is spelt like one is one."""
    valid = {"vpa": "gauravkumar@exampleupi", "success": True, "customer_name": "Gaurav Kumar"}
    assert client.payment.validateVpa({"vpa": "gauravkumar@exampleupi"}) == valid
    with pytest.raises(BadRequestError, match="Invalid VPA"):
        client.payment.validateVpa({"vpa": "gauravkumar"})


def test_the_methods_need_no_secret(rz: Emulator, client: Any) -> None:
    """The SDK asks without the version, with the key id alone or with both."""
    public = razorpay.Client(session=rz.session(), auth=(rz.key_id, ""), base_url=rz.url)
    methods = public.payment.fetchPaymentMethods()

    assert methods == client.payment.fetchPaymentMethods() == rz.request("GET", "/v1/methods").json()
    assert (methods["entity"], methods["card"], methods["netbanking"]["HDFC"]) == ("methods", True, "HDFC Bank")
    made = client.payment.createPaymentJson(said(client, method="card", card=card()))["razorpay_payment_id"]
    assert public.payment.otpGenerate(made)["razorpay_payment_id"] == made
    with pytest.raises(BadRequestError, match="The api secret provided is invalid"):
        public.payment.otpSubmit(made, {"otp": "1234"})


def test_network_tokens(rz: Emulator, client: Any) -> None:
    """A card becomes a token of its network: looked at, charged here, used elsewhere, suspended and deleted."""
    customer = client.customer.create({"name": "Bob", "contact": "9000090000"})
    body = {
        "customer_id": customer["id"],
        "method": "card",
        "card": {**card(), "number": "4100 2800 0000 1007", "expiry_year": "30"},
        "authentication": {"provider": "razorpay", "provider_reference_id": "pay_123wkejnsakd"},
        "notes": [],
    }
    token = client.token.create(body)
    provider = token["service_provider_tokens"][0]
    first, second = (client.token.processPaymentOnAlternatePAorPG({"id": provider["id"]}) for _ in range(2))
    made = client.payment.createPaymentJson(said(client, method="card", token=token["id"], card={"cvv": "123"}))
    client.payment.otpSubmit(made["razorpay_payment_id"], {"otp": "1234"})
    reference = client.card.requestCardReference({"number": GOOD})

    assert (token["status"], token["card"]["last4"], token["customer"]) == ("active", "1007", customer)
    assert client.token.create(body) == token == client.token.fetchToken({"id": token["id"]})
    assert GOOD not in json.dumps(rz.state())
    assert first["token_number"] == second["token_number"] != GOOD
    assert first["cryptogram_value"] != second["cryptogram_value"]
    assert (first["token_expiry_month"], first["token_expiry_year"]) == (11, 2030)
    assert client.payment.fetch(made["razorpay_payment_id"])["token_id"] == token["id"]
    assert provider["provider_data"]["payment_account_reference"] == reference["payment_account_reference"]
    assert client.card.requestCardReference({"token": token["id"]})["provider"] == "Visa"
    rz.token_becomes(token["id"], "suspended")
    with pytest.raises(BadRequestError, match=r"The token is invalid\."):
        client.token.processPaymentOnAlternatePAorPG({"id": provider["id"]})
    assert client.token.deleteToken({"id": token["id"]}) == []
    assert client.token.all(customer["id"])["count"] == 0
    assert [name for name in events(rz) if name.startswith("token.")] == ["token.activated", "token.suspended"]


def test_card_references(client: Any) -> None:
    """The same for the same card, 29 characters; some networks have none."""
    found = client.card.requestCardReference({"number": GOOD, "tokenised": "false"})

    assert client.card.requestCardReference({"number": GOOD}) == found
    assert (found["network"], len(found["payment_account_reference"])) == ("Visa", 29)
    with pytest.raises(BadRequestError, match="The card network was not able to provide card reference value"):
        client.card.requestCardReference({"number": "340256000401007"})


def test_bank_accounts_of_a_customer(client: Any) -> None:
    """Added, shown with its last four digits only, and deleted once."""
    customer = client.customer.create({"name": "Gaurav Kumar", "contact": "9123456780"})["id"]
    said = {"account_number": 11214311215411, "beneficiary_name": "Gaurav Kumar", "ifsc_code": "ICIC0001207"}
    account = client.customer.addBankAccount(customer, {**said, "beneficiary_pin": 560_030})
    gone = client.customer.deleteBankAccount(customer, account["id"])

    assert (account["entity"], account["bank_name"]) == ("bank_account", "ICICI Bank")
    assert account["account_number"] == "XXXXXXXXXX5411"
    assert gone["status"] == "deleted"
    with pytest.raises(BadRequestError, match="The id provided does not exist"):
        client.customer.deleteBankAccount(customer, account["id"])


def test_eligibility(client: Any) -> None:
    """Everybody is eligible, and the check is found again by its id."""
    customer = client.customer.create({"name": "Gaurav Kumar", "contact": "+919999999999"})["id"]
    body = {"inquiry": "affordability", "amount": 500_000, "currency": "INR", "customer": {"id": customer}}
    answer = client.customer.requestEligibilityCheck(body)
    some = client.customer.requestEligibilityCheck(
        {**body, "instruments": [{"method": "emi"}, {"method": "paylater", "providers": ["icic"]}]}
    )
    check = answer["instruments"][0]["eligibility_req_id"]

    assert (answer["amount"], answer["customer"]["contact"]) == ("500000", "+919999999999")
    assert {one["eligibility"]["status"] for one in answer["instruments"]} == {"eligible"}
    assert client.customer.fetchEligibility(check) == {"instruments": answer["instruments"]}
    shown = [(one["method"], one.get("issuer", one.get("provider"))) for one in some["instruments"]]
    assert shown == [("emi", "HDFC"), ("paylater", "icic")]


def test_the_parcel_of_an_order(client: Any) -> None:
    """How it went is kept; nothing speaks against it."""
    order = client.order.create({"amount": 50_000, "currency": "INR"})["id"]
    client.order.editFulfillment(order, {"payment_method": "upi", "shipping": {"waybill": "123456789"}})
    told = client.order.editFulfillment(order, {"shipping": {"status": "rto", "provider": "Bluedart"}})

    assert told == {
        "entity": "order.fulfillment",
        "order_id": order.removeprefix("order_"),
        "payment_method": "upi",
        "shipping": {"waybill": "123456789", "status": "rto", "provider": "Bluedart"},
    }
    assert client.order.viewRtoReview(order) == {"risk_tier": "low", "rto_reasons": []}


def test_registration_links(rz: Emulator, client: Any) -> None:
    """Paying the link gives a token that can be charged; sending and cancelling it are the invoices' calls."""
    said = {
        "customer": {"name": "Gaurav Kumar", "email": "gaurav.kumar@example.com", "contact": 9123456780},
        "type": "link",
        "amount": 100,
        "currency": "INR",
        "description": "Registration Link for Gaurav Kumar",
        "subscription_registration": {"method": "card", "max_amount": 5000, "expire_at": 4_102_444_799},
        "receipt": "Receipt No. 5",
        "email_notify": True,
        "sms_notify": True,
        "expire_by": 4_102_444_799,
    }
    link = client.registration_link.create(said)
    payment = rz.pay_invoice(link["id"])
    token = client.token.fetch(link["customer_id"], payment["token_id"])
    order = client.order.create({"amount": 5000, "currency": "INR"})["id"]
    charge = {"amount": 5000, "currency": "INR", "order_id": order, "customer_id": link["customer_id"]}
    charged = client.payment.createRecurring({**charge, "token": token["id"], "recurring": True})
    second = client.registration_link.create(said)

    assert (link["entity"], link["type"], link["status"], link["line_items"]) == ("invoice", "link", "issued", [])
    assert client.invoice.fetch(link["id"])["status"] == "paid"
    assert (token["max_amount"], token["recurring_details"]["status"]) == (5000, "confirmed")
    assert client.payment.fetch(charged["razorpay_payment_id"])["status"] == "captured"
    assert second["customer_id"] == link["customer_id"]
    assert client.invoice.notify_by(second["id"], "sms") == {"success": True}
    assert client.invoice.cancel(second["id"])["status"] == "cancelled"
    assert {"token.confirmed", "invoice.paid", "order.paid"} <= set(events(rz))


def test_offers(rz: Emulator, client: Any) -> None:
    """Orders and subscriptions name an offer; a subscription loses it again."""
    offer = rz.offer()["id"]
    item = {"name": "Gold", "amount": 69_900, "currency": "INR"}
    plan = client.plan.create({"period": "monthly", "interval": 1, "item": item})["id"]
    subscription = client.subscription.create({"plan_id": plan, "total_count": 6, "offer_id": offer})
    order = client.order.create({"amount": 900, "currency": "INR", "offer_id": offer})
    payment = rz.pay(order["id"])["id"]

    assert (order["offer_id"], order["offers"], order["amount"]) == (offer, [offer], 900)
    assert client.payment.fetch(payment, {"expand[]": "offers"})["offers"]["items"] == [{"id": offer}]
    assert subscription["offer_id"] == offer
    assert client.subscription.delete_offer(subscription["id"], offer)["offer_id"] is None
    with pytest.raises(BadRequestError, match="Offer Not Found"):
        client.subscription.delete_offer(subscription["id"], offer)
    with pytest.raises(BadRequestError, match="Offer Not Found"):
        client.order.create({"amount": 900, "currency": "INR", "offer_id": "offer_JGQvQtvJmVDRIA"})

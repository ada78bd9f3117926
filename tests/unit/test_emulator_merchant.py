"""What the emulator refuses of payments made by API, card tokens, registration links and customers' accounts, and how
those payments go on beside Checkout's."""

from __future__ import annotations

from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator, Options
from razorpay_hardened.errors import ConfigError
from support.emulator_api import DAY_S, Api

NOBODY = "14CharactersXY"
CARD = {"number": "4100280000001007", "name": "Gaurav", "expiry_month": "11", "expiry_year": "30", "cvv": "100"}
AFA = {"provider": "payu", "provider_reference_id": "pay_123wkejnsakd"}


@pytest.fixture
def api() -> Api:
    return Api(Emulator(in_process=True))


def body(api: Api, amount: int = 5000, **more: Any) -> dict[str, Any]:
    """A card payment over a new order."""
    order = api.post("/orders", {"amount": amount, "currency": "INR"})["id"]
    who = {"email": "g@example.com", "contact": "9090909090"}
    return {"amount": amount, "currency": "INR", "order_id": order, **who, "method": "card", "card": CARD, **more}


def make(api: Api, **more: Any) -> str:
    return str(api.post("/payments/create/json", body(api, **more))["razorpay_payment_id"])


def registration(**more: Any) -> dict[str, Any]:
    customer = {"name": "Gaurav Kumar", "email": "g@example.com", "contact": "9123456780"}
    said = {"method": "card", "max_amount": 5000, "expire_at": 4_102_444_799}
    link = {"customer": customer, "type": "link", "amount": 100, "currency": "INR", "description": "12 p.m. Meals"}
    return {**link, "subscription_registration": said, **more}


# --- payments made by API -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"pin": "1234"}, "pin is/are not required and should not be sent"),
        ({"bank": "HDFC"}, "bank is/are not required and should not be sent"),
        ({"card": {**CARD, "pin": "1234"}}, "pin is/are not required and should not be sent"),
        ({"order_id": None}, "The order_id field is required"),
        ({"order_id": f"order_{NOBODY}"}, "The id provided does not exist"),
        ({"customer_id": f"cust_{NOBODY}"}, "The id provided does not exist"),
        ({"token": f"token_{NOBODY}"}, "The id provided does not exist"),
        ({"email": None}, "The email field is required"),
        ({"email": "g" * 41}, "The email may not be greater than 40 characters."),
        ({"contact": None}, "The contact field is required"),
        ({"method": "cheque"}, "The selected method is invalid"),
        ({"method": None}, "The method field is required"),
        ({"amount": 4999}, "The amount is not that of the order"),
        ({"amount": 0}, "The amount must be at least INR 1.00."),
        ({"currency": "USD"}, "The amount is not that of the order"),
        ({"card": None}, "The number field is required"),
        ({"card": {**CARD, "cvv": ""}}, "The cvv field is required"),
        ({"card": {**CARD, "number": "4100"}}, "The card number is invalid"),
        ({"card": {**CARD, "expiry_year": "25"}}, "The card has expired"),
        ({"card": {**CARD, "expiry_month": "13"}}, "The card has expired"),
        ({"save": True}, "The customer_id field is required when save is present"),
    ],
)
def test_what_a_payment_must_say(api: Api, change: dict[str, Any], text: str) -> None:
    """A refused call makes no payment."""
    assert api.refused("POST", "/payments/create/json", {**body(api), **change}) == text
    assert not api.rz.world.payments


@pytest.mark.parametrize(
    ("upi", "text"),
    [
        ({}, "The vpa field is required"),
        ({"vpa": "gaurav"}, "Invalid VPA. Please enter a valid Virtual Payment Address"),
        ({"vpa": "g@upi", "flow": "omni"}, "Invalid VPA. Please enter a valid Virtual Payment Address"),
        ({"vpa": "gaurav@upi", "flow": "omni"}, "The selected flow is invalid"),
        ({"vpa": "gaurav@upi", "expiry_time": 5761}, "The expiry_time may not be greater than 5760."),
        ({"vpa": "gaurav@upi", "mpin": "1"}, "mpin is/are not required and should not be sent"),
    ],
)
def test_what_a_upi_request_must_say(api: Api, upi: dict[str, Any], text: str) -> None:
    """Whom it goes to, and until when."""
    said = {key: value for key, value in body(api).items() if key != "card"} | {"method": "upi", "upi": upi}
    assert api.refused("POST", "/payments/create/upi", said) == text
    assert not api.rz.world.payments


def test_an_order_is_not_paid_twice(api: Api) -> None:
    """Neither after another payment, nor while one is authorised, nor beyond the account's number of attempts."""
    said = body(api)
    api.rz.pay(said["order_id"])
    assert api.refused("POST", "/payments/create/json", said).startswith("Your payment has been declined")

    held = body(api)
    api.rz.pay(held["order_id"], outcome="authorized")
    assert api.refused("POST", "/payments/create/json", held).startswith("Your payment has been declined")

    once = Api(Emulator(in_process=True, options=Options(attempts_per_order=1)))
    again = body(once)
    once.post("/payments/create/json", again)
    assert once.refused("POST", "/payments/create/json", again) == "The order takes no further payment"


def test_an_order_may_be_paid_in_parts(api: Api) -> None:
    """Where it says so."""
    order = api.post("/orders", {"amount": 5000, "currency": "INR", "partial_payment": True})["id"]
    part = {**body(api), "order_id": order, "amount": 2000}
    made = api.post("/payments/create/json", part)["razorpay_payment_id"]
    api.rz.finish(made, otp="1234")

    assert api.get(f"/orders/{order}")["amount_due"] == 3000
    too_much = {**part, "amount": 3001}
    assert api.refused("POST", "/payments/create/json", too_much).startswith("The amount is greater")


def test_the_bank_has_enough_of_wrong_otps(api: Api) -> None:
    """The third wrong one fails the payment; only then is there an event, and nothing left to submit."""
    payment = make(api)
    paths = [f"/v1/payments/{payment}/otp/submit"] * 3
    replies = [api.rz.request("POST", path, {"otp": "12"}) for path in paths]

    assert [reply.status for reply in replies] == [400] * 3
    assert [reply.json().get("next") for reply in replies] == [["otp_submit", "otp_resend"]] * 2 + [None]
    assert api.since() == ["payment.failed"]
    assert api.get(f"/payments/{payment}")["error_reason"] == "incorrect_otp"
    for path in (f"{payment}/otp/submit", f"{payment}/otp/resend", f"{payment}/otp_generate"):
        assert api.refused("POST", f"/payments/{path}", {"otp": "1234"}) == "The payment does not wait for an OTP"


def test_what_an_otp_must_say(api: Api) -> None:
    """It is there, and nothing else is; a payment by netbanking has none."""
    payment = make(api)
    assert api.refused("POST", f"/payments/{payment}/otp/submit", {}) == "The otp field is required"
    extra = {"otp": "1234", "pin": "1"}
    assert api.refused("POST", f"/payments/{payment}/otp/submit", extra).startswith("pin is/are not required")
    said = {key: value for key, value in body(api).items() if key != "card"} | {"method": "netbanking", "bank": "HDFC"}
    bank = api.post("/payments/create/json", said)["razorpay_payment_id"]
    assert api.refused("POST", f"/payments/{bank}/otp_generate") == "The payment does not wait for an OTP"


def test_a_failed_otp_carries_the_payment(api: Api) -> None:
    """The error is the payment's own, with its ids; a gateway's has another status."""
    for number, status, code in (
        ("4100280000080001", 400, "BAD_REQUEST_ERROR"),
        ("4100280000020007", 504, "GATEWAY_ERROR"),
    ):
        payment = make(api, card={**CARD, "number": number})
        reply = api.rz.request("POST", f"/v1/payments/{payment}/otp/submit", {"otp": "1234"})
        error = reply.json()["error"]
        shown = api.get(f"/payments/{payment}")

        assert (reply.status, error["code"]) == (status, code)
        assert error["metadata"] == {"payment_id": payment, "order_id": shown["order_id"]}
        assert (error["reason"], error["source"]) == (shown["error_reason"], shown["error_source"])


@pytest.mark.parametrize(
    ("method", "more", "shown"),
    [
        ("wallet", {"wallet": "payzapp"}, ("payzapp", None)),
        ("cardless_emi", {"provider": "zestmoney"}, ("zestmoney", None)),
        ("paylater", {"provider": "lazypay"}, ("lazypay", None)),
        ("netbanking", {"bank": "KKBK"}, (None, "KKBK")),
        ("emi", {"card": CARD, "emi_duration": 9}, (None, None)),
    ],
)
def test_every_method_ends_as_checkouts_do(
    api: Api, method: str, more: dict[str, Any], shown: tuple[str | None, str | None]
) -> None:
    """The customer answers at the bank's page, and the order is paid."""
    said = {key: value for key, value in body(api).items() if key != "card"} | {"method": method, **more}
    payment = api.post("/payments/create/json", said)["razorpay_payment_id"]
    api.rz.finish(payment, otp="1234")
    made = api.get(f"/payments/{payment}", **{"expand[]": "emi"})

    assert (made["method"], made["status"], made["wallet"], made["bank"]) == (method, "captured", *shown)
    assert made.get("emi", {}).get("duration") == more.get("emi_duration")
    assert api.since() == ["payment.authorized", "payment.captured", "order.paid"]


def test_a_payment_by_api_may_be_authorised_late(api: Api) -> None:
    """What nobody answered in time can still be answered by the bank, and saves its token then."""
    customer = api.post("/customers", {"name": "Gaurav Kumar", "contact": "9123456780"})["id"]
    payment = make(api, customer_id=customer, save=1)
    api.rz.clock.advance(600)
    assert api.get(f"/payments/{payment}")["status"] == "failed"
    api.rz.bank_answers(payment)

    assert api.get(f"/payments/{payment}")["late_authorized"] is True
    assert api.get(f"/customers/{customer}/tokens")["items"][0]["recurring"] is False


def test_a_mandate_is_registered_by_api(api: Api) -> None:
    """The order's own token is made, not another one for having been saved."""
    customer = api.post("/customers", {"name": "Gaurav Kumar", "contact": "9123456780"})["id"]
    token = {"max_amount": 5000, "expire_at": 4_102_444_799, "frequency": "monthly"}
    mandate = {"amount": 100, "currency": "INR", "customer_id": customer, "method": "card", "token": token}
    order = api.post("/orders", mandate)["id"]
    said = {**body(api, 100), "order_id": order, "customer_id": customer, "save": True, "recurring": "1"}
    payment = api.post("/payments/create/json", said)["razorpay_payment_id"]
    api.post(f"/payments/{payment}/otp/submit", {"otp": 123456})
    tokens = api.get(f"/customers/{customer}/tokens")["items"]

    assert [one["recurring"] for one in tokens] == [True]
    assert api.get(f"/payments/{payment}")["token_id"] == tokens[0]["id"]


def test_a_token_of_another_customer_or_method_is_refused(api: Api) -> None:
    """What was saved pays for whom it was saved, and as it was saved."""
    mine = api.post("/customers", {"name": "Gaurav Kumar", "contact": "9123456780"})["id"]
    other = api.post("/customers", {"name": "Saurav Kumar", "contact": "9123456781"})["id"]
    token = api.rz.save_token(mine)["id"]
    said = body(api, customer_id=other, token=token)
    upi = {key: value for key, value in body(api, token=token).items() if key != "card"} | {"method": "upi"}

    assert api.refused("POST", "/payments/create/json", said) == "The id provided does not exist"
    assert api.refused("POST", "/payments/create/upi", upi) == "The token is not for this method"


def test_validating_a_upi_id_takes_nothing_else(api: Api) -> None:
    """One field, and it is needed."""
    assert api.refused("POST", "/payments/validate/vpa", {}) == "The vpa field is required"
    extra = {"vpa": "gaurav@upi", "name": "G"}
    assert api.refused("POST", "/payments/validate/vpa", extra).startswith("name is/are not required")


def test_no_card_number_is_kept(api: Api) -> None:
    """Neither of a payment nor of a token, however it ends."""
    make(api)
    api.post("/tokens", {"method": "card", "card": CARD, "authentication": AFA})
    world = api.rz.world
    kept = repr((api.rz.state(), dict(world.private), world.waiting, [event.body for event in world.events]))

    assert CARD["number"] not in kept


# --- tokens of the networks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"pan": "1"}, "pan is/are not required and should not be sent"),
        ({"card": {**CARD, "pin": "1"}}, "pin is/are not required and should not be sent"),
        ({"authentication": {**AFA, "eci": "1"}}, "eci is/are not required and should not be sent"),
        ({"method": None}, "The method is required"),
        ({"method": "upi"}, "The selected method is invalid"),
        ({"card": None}, "The number is required"),
        ({"card": {**CARD, "number": "41"}}, "The number is invalid"),
        ({"card": {**CARD, "expiry_month": 13}}, "The expiry_month is invalid"),
        ({"authentication": None}, "The provider is required"),
        ({"customer_id": f"cust_{NOBODY}"}, "The id provided does not exist"),
    ],
)
def test_what_a_network_token_must_say(api: Api, change: dict[str, Any], text: str) -> None:
    """A refused call makes no token."""
    said = {"method": "card", "card": CARD, "authentication": AFA, **change}
    assert api.refused("POST", "/tokens", said) == text
    assert not api.rz.world.table("token")


def test_cards_of_other_networks_get_another_token_each_time(api: Api) -> None:
    """Only Visa gives the same again, and only to the same customer."""
    customer = api.post("/customers", {"name": "Gaurav Kumar", "contact": "9123456780"})["id"]
    said = {"method": "card", "authentication": AFA}
    visa, master = ({**CARD, "number": number} for number in ("4100280000001007", "5500670000001002"))
    tokens = [
        api.post("/tokens", {**said, "card": card, **more})["id"]
        for card, more in (
            (visa, {}),
            (visa, {}),
            (master, {"customer_id": customer}),
            (master, {"customer_id": customer}),
        )
    ]

    assert len(set(tokens)) == 4


def test_what_a_network_token_is_not(api: Api) -> None:
    """It is no mandate: it is not charged without the customer, and takes no mandate's status."""
    customer = api.post("/customers", {"name": "Gaurav Kumar", "contact": "9123456780"})["id"]
    said = {"customer_id": customer, "method": "card", "card": CARD, "authentication": AFA}
    token = api.post("/tokens", said)["id"]
    order = api.post("/orders", {"amount": 5000, "currency": "INR"})["id"]
    charge = {"amount": 5000, "currency": "INR", "order_id": order, "customer_id": customer, "token": token}

    refused = api.refused("POST", "/payments/create/recurring", {**charge, "recurring": True})
    assert refused == "The token is not confirmed for recurring payments"
    with pytest.raises(ConfigError, match="active, suspended, deactivated"):
        api.rz.token_becomes(token, "paused")
    assert api.refused("PUT", f"/customers/{customer}/tokens/{token}/cancel") == "The token is not a mandate"


@pytest.mark.parametrize("path", ["fetch", "delete", "service_provider_tokens/token_transactional_data"])
def test_a_token_is_named_by_its_id_alone(api: Api, path: str) -> None:
    """Fields beyond it are refused, and ids that nobody has."""
    extra = {"id": f"token_{NOBODY}", "customer_id": "x"}
    assert api.refused("POST", f"/tokens/{path}", extra).startswith("customer_id is/are not required")
    unknown = api.refused("POST", f"/tokens/{path}", {"id": f"token_{NOBODY}"})
    assert unknown in ("The id provided does not exist", "The token is invalid.")


def test_a_saved_cards_token_has_a_reference_too(api: Api) -> None:
    """Made from the token, since the number was not kept; a UPI token has none."""
    customer = api.post("/customers", {"name": "Gaurav Kumar", "contact": "9123456780"})["id"]
    token, upi = api.rz.save_token(customer)["id"], api.rz.save_token(customer, "upi")["id"]
    found = api.post("/cards/fingerprints", {"token": token})

    assert found == api.post("/cards/fingerprints", {"token": token})
    assert set(found) == {"provider", "payment_account_reference", "network_reference_id"}
    assert api.refused("POST", "/cards/fingerprints", {"token": upi}).startswith("The card network was not able")
    assert api.refused("POST", "/cards/fingerprints", {"number": "1" * 16, "cvv": "1"}).startswith("cvv is/are not")


# --- registration links ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"draft": "1"}, "draft is/are not required and should not be sent"),
        ({"type": "invoice"}, "The selected type is invalid"),
        ({"amount": 99}, "The amount must be at least INR 1.00."),
        ({"description": None}, "The description field is required"),
        ({"customer": {"name": "Gaurav"}}, "The email field is required"),
        ({"expire_by": 1_767_583_801}, "expire_by should be at least 15 minutes after current time"),
        ({"subscription_registration": None}, "The method field is required"),
        ({"subscription_registration": {"method": "cod"}}, "The selected method is invalid"),
        ({"subscription_registration": {"method": "card"}}, "The max_amount field is required"),
        (
            {"subscription_registration": {"method": "upi", "max_amount": 9_999_901}},
            "The max_amount may not be greater than 9999900.",
        ),
        (
            {"subscription_registration": {"method": "card", "max_amount": 100, "frequency": "daily"}},
            "The selected frequency is invalid",
        ),
        (
            {"subscription_registration": {"method": "card", "max_amount": 100, "expire_at": 1_500_000_000}},
            "The expire_at must be in the future.",
        ),
        ({"subscription_registration": {"method": "nach"}}, "The auth_type field is required"),
        (
            {"subscription_registration": {"method": "nach", "auth_type": "physical"}},
            "The beneficiary_name field is required",
        ),
    ],
)
def test_what_a_registration_link_must_say(api: Api, change: dict[str, Any], text: str) -> None:
    """A refused call makes no invoice and no customer."""
    assert api.refused("POST", "/subscription_registration/auth_links", registration(**change)) == text
    assert not api.rz.world.table("invoice")
    assert not api.rz.world.table("customer")


def test_a_paper_mandate_has_its_form(api: Api) -> None:
    """It may be registered for nothing; the answer has the form that is signed."""
    bank = {"beneficiary_name": "Gaurav Kumar", "account_number": 11214311215411, "ifsc_code": "HDFC0001233"}
    nach = {"form_reference1": "Recurring Payment for Gaurav Kumar"}
    terms = {"method": "nach", "auth_type": "physical", "max_amount": 50_000, "bank_account": bank, "nach": nach}
    said = registration(amount=0, subscription_registration=terms)
    link = api.post("/subscription_registration/auth_links", said)
    api.rz.pay_invoice(link["id"], "nach")
    token = api.get(f"/customers/{link['customer_id']}/tokens")["items"][0]

    assert link["token"]["bank_account"]["account_number"] == "11214311215411"
    assert link["token"]["nach"]["form_reference1"] == nach["form_reference1"]
    assert link["token"]["nach"]["prefilled_form"] == link["nach_form_url"]
    assert (token["method"], token["recurring_details"]["status"]) == ("nach", "confirmed")
    assert api.get(f"/invoices/{link['id']}")["status"] == "paid"


def test_a_link_that_nobody_pays_expires(api: Api) -> None:
    """And gives no token."""
    link = api.post("/subscription_registration/auth_links", registration(expire_by=api.rz.clock.unix() + DAY_S))
    api.rz.clock.advance(DAY_S)

    assert api.get(f"/invoices/{link['id']}")["status"] == "expired"
    assert api.since() == ["invoice.expired"]


# --- customers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"iban": "1"}, "iban is/are not required and should not be sent"),
        ({"account_number": None}, "The account_number field is required"),
        ({"account_number": "1234"}, "The bank account number must be between 5 and 35 characters"),
        ({"ifsc_code": "HDFC123"}, "Invalid IFSC Code"),
    ],
)
def test_what_a_bank_account_must_say(api: Api, change: dict[str, Any], text: str) -> None:
    """The texts are those of linked accounts."""
    customer = api.post("/customers", {"name": "Gaurav Kumar", "contact": "9123456780"})["id"]
    said = {"account_number": "11214311215411", "beneficiary_name": "Gaurav Kumar", "ifsc_code": "HDFC0001233"}
    assert api.refused("POST", f"/customers/{customer}/bank_account", {**said, **change}) == text
    assert not api.rz.world.table("bank_account")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"bureau": "x"}, "bureau is/are not required and should not be sent"),
        ({"customer": {"pan": "x"}}, "pan is/are not required and should not be sent"),
        ({"customer": {}}, "The contact field is required"),
        ({"customer": {"id": f"cust_{NOBODY}"}}, "The id provided does not exist"),
        ({"instruments": "all"}, "The instruments must be an array."),
        ({"instruments": [{"method": "card"}]}, "The selected method is invalid"),
        ({"inquiry": "credit"}, "The selected inquiry is invalid"),
    ],
)
def test_what_an_eligibility_check_must_say(api: Api, change: dict[str, Any], text: str) -> None:
    """Whom it is about, and nothing that nobody asked for."""
    said = {"amount": 500_000, "currency": "INR", "customer": {"contact": "+919999999999"}, **change}
    assert api.refused("POST", "/customers/eligibility", said) == text


def test_an_old_eligibility_check_is_forgotten(api: Api) -> None:
    """With everything else that is old."""
    said = {"amount": 500_000, "currency": "INR", "customer": {"contact": "+919999999999"}}
    check = api.post("/customers/eligibility", said)["instruments"][0]["eligibility_req_id"]
    api.rz.clock.advance(6 * DAY_S)
    api.rz.world.forget(5 * DAY_S)

    assert api.refused("GET", f"/customers/eligibility/{check}") == "The id provided does not exist"


def test_the_parcel_takes_known_fields_only(api: Api) -> None:
    """Beside them, none; a review takes none at all."""
    order = api.post("/orders", {"amount": 5000, "currency": "INR"})["id"]
    for path, said in (
        ("fulfillment", {"weight": 1}),
        ("fulfillment", {"shipping": {"weight": 1}}),
        ("rto_review", {"weight": 1}),
    ):
        assert api.refused("POST", f"/orders/{order}/{path}", said).startswith("weight is/are not required")
    assert api.refused("POST", f"/orders/order_{NOBODY}/rto_review") == "The id provided does not exist"

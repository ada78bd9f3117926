"""Registration links and devices through the client: what is sent, and what is refused before."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from client_fakes import KEY_ID, ORDER_ID, rig
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import AmountError, CurrencyMismatch, FieldInvalid, IdMalformed, OutcomeUnknown
from support.billing import INVOICE_ID, Case, invoice, refuses, rejects, tried
from support.people import ACCOUNT_NUMBER, DEVICE_ACTIVITY_ID, activity

INR = Money.inr("499.00")
PERSON = {"name": "Asha Rao", "email": "asha@example.in", "contact": "9123456780"}
CARD = {"method": "card", "max_amount": Money(5000), "expire_at": datetime(2030, 1, 1, tzinfo=UTC)}
BANK = {"beneficiary_name": "Asha", "account_number": ACCOUNT_NUMBER, "ifsc_code": "HDFC0000053"}
PLAIN = {
    "customer": PERSON,
    "type": "link",
    "amount": 49900,
    "currency": "INR",
    "description": "Meals",
    "subscription_registration": {"method": "card", "max_amount": 5000, "expire_at": 1_893_456_000},
}
SHOWN = {"name": "Acme Corp", "amount": INR, "description": "Books", "order_id": ORDER_ID}


def link(client: Client, **changes: Any) -> Any:
    said = {"customer": PERSON, "amount": INR, "description": "Meals", "subscription_registration": CARD}
    return client.registration_links.create(**{**said, **changes})


def registering(client: Client, **changes: Any) -> Any:
    return link(client, subscription_registration={**CARD, **changes})


def show(client: Client, mode: Any = "wired", **changes: Any) -> Any:
    return client.devices.create_activity("initiate_checkout", mode=mode, initiate_checkout={**SHOWN, **changes})


CASES = {
    "a link": Case(
        lambda client: link(client).id, "POST /v1/subscription_registration/auth_links", PLAIN, invoice(), INVOICE_ID
    ),
    "a link with everything": Case(
        lambda client: (
            link(
                client,
                amount=Money(0),
                subscription_registration={
                    "method": "nach",
                    "auth_type": "physical",
                    "first_payment_amount": Money(100),
                    "bank_account": BANK,
                    "nach": {"form_reference1": "Meals"},
                    "notes": {"meal": "lunch"},
                },
                receipt="inv-42",
                expire_by=1_900_000_000,
                sms_notify=False,
                email_notify=True,
                notes={"shop": "7"},
                extra={"whatsapp_notify": True},
            ).receipt
        ),
        "POST /v1/subscription_registration/auth_links",
        {
            **PLAIN,
            "amount": 0,
            "subscription_registration": {
                "method": "nach",
                "auth_type": "physical",
                "first_payment_amount": 100,
                "bank_account": BANK,
                "nach": {"form_reference1": "Meals"},
                "notes": {"meal": "lunch"},
            },
            "receipt": "inv-42",
            "expire_by": 1_900_000_000,
            "sms_notify": False,
            "email_notify": True,
            "notes": {"shop": "7"},
            "whatsapp_notify": True,
        },
        invoice(amount=0),
        "inv-42",
    ),
    "a checkout on a device": Case(
        lambda client: show(client, type="in_person", prefill={"method": "upi"}).initiate_checkout.money,
        "POST /v1/devices/activity",
        {
            "action": "initiate_checkout",
            "initiate_checkout": {
                "name": "Acme Corp",
                "amount": 49900,
                "currency": "INR",
                "description": "Books",
                "order_id": ORDER_ID,
                "type": "in_person",
                "prefill": {"method": "upi"},
            },
        },
        activity(),
        INR,
    ),
    "a checkout is closed": Case(
        lambda client: (
            client.devices.create_activity(
                "close_checkout", mode="wireless", device_id="2841158834", notes={"shop": "7"}
            ).status
        ),
        "POST /v1/devices/activity",
        {"device_id": "2841158834", "action": "close_checkout", "notes": {"shop": "7"}},
        activity(action="close_checkout", initiate_checkout=None, status="completed"),
        "completed",
    ),
    "what became of it": Case(
        lambda client: client.devices.activity(DEVICE_ACTIVITY_ID, mode="wired").error.reason,
        f"GET /v1/devices/activity/{DEVICE_ACTIVITY_ID}",
        {},
        activity(status="failed", error={"code": "BAD_REQUEST_ERROR", "reason": "device_not_connected"}),
        "device_not_connected",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: link(client, customer={"name": "Asha"}), FieldInvalid),
        (lambda client: link(client, customer=None), FieldInvalid),
        (lambda client: link(client, amount=49900), AmountError),
        (lambda client: link(client, amount=Money(0)), AmountError),
        (lambda client: link(client, description=None), FieldInvalid),
        (lambda client: link(client, receipt="x" * 41), FieldInvalid),
        (lambda client: link(client, expire_by="tomorrow"), FieldInvalid),
        (lambda client: link(client, subscription_registration=None), FieldInvalid),
        (lambda client: link(client, subscription_registration={"max_amount": Money(5000)}), FieldInvalid),
        (lambda client: link(client, extra={"type": "invoice"}), FieldInvalid),
        (lambda client: registering(client, max_amount=5000), AmountError),
        (lambda client: registering(client, max_amount=Money(5000, "USD")), CurrencyMismatch),
        (lambda client: registering(client, expire_at="tomorrow"), FieldInvalid),
        (lambda client: registering(client, notes=["a"]), FieldInvalid),
        (lambda client: registering(client, bank_account={"ifsc_code": "HDFC0000053"}), FieldInvalid),
        (lambda client: registering(client, bank_account={**BANK, "ifsc_code": "HDFC"}), FieldInvalid),
        (lambda client: registering(client, frequency=object()), FieldInvalid),
        (lambda client: show(client, mode="bluetooth"), FieldInvalid),
        (lambda client: show(client, mode=None), FieldInvalid),
        (lambda client: show(client, mode="wireless"), FieldInvalid),
        (lambda client: show(client, amount=49900), AmountError),
        (lambda client: show(client, amount=None), FieldInvalid),
        (lambda client: show(client, order_id="x"), IdMalformed),
        (lambda client: show(client, currency="INR"), FieldInvalid),
        (lambda client: client.devices.create_activity("initiate_checkout", mode="wired"), FieldInvalid),
        (
            lambda client: client.devices.create_activity("close_checkout", mode="wired", initiate_checkout=SHOWN),
            FieldInvalid,
        ),
        (lambda client: client.devices.activity("x", mode="wired"), IdMalformed),
        (lambda client: client.devices.activity(DEVICE_ACTIVITY_ID, mode="x"), FieldInvalid),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What could be misread as money, and a mandate that is none."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (link, invoice(amount=100), "amount"),
        (link, invoice(currency="USD"), "currency"),
        (lambda client: link(client, receipt="inv-42"), invoice(receipt="inv-43"), "receipt"),
        (show, activity(action="close_checkout"), "action"),
        (show, activity(initiate_checkout={"amount": 100, "currency": "INR", "order_id": ORDER_ID}), "amount"),
        (show, activity(initiate_checkout={"amount": 49900, "currency": "INR", "order_id": "order_x"}), "order_id"),
        (
            lambda client: client.devices.activity(DEVICE_ACTIVITY_ID, mode="wired"),
            activity(id="pda_00000000000001"),
            "id",
        ),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """The customer is asked for what was meant."""
    rejects(call, answer, field)


def test_a_lost_link_is_named_by_its_receipt() -> None:
    """Nothing is sent twice; the caller can look for the invoice."""
    client, session, *_ = rig(requests.ReadTimeout)

    with pytest.raises(OutcomeUnknown) as caught:
        link(client, receipt="inv-42")

    assert caught.value.receipt == "inv-42"
    assert len(session.sent) == 1


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (show, activity()),
        (lambda client: client.devices.activity(DEVICE_ACTIVITY_ID, mode="wired"), activity()),
        (lambda client: client.payments.methods(), {"entity": "methods", "card": True}),
    ],
)
def test_public_calls_show_the_key_without_its_secret(call: Callable[[Client], Any], answer: Any) -> None:
    """As the official SDK makes them; an OAuth token is all that its client has."""
    client, session, *_ = rig(answer)
    call(client)
    _, other, *_ = rig(answer)
    with_token = Client(access_token="an-oauth-token", base_url="http://127.0.0.1:1", session=other)
    call(with_token)

    assert session.sent[0].authorization == "Basic " + base64.b64encode(f"{KEY_ID}:".encode()).decode()
    assert other.sent[0].authorization == "Bearer an-oauth-token"


def test_a_device_is_reached_as_the_caller_says() -> None:
    """By a header, as the official SDK sends it."""
    client, session, *_ = rig(activity(), activity())

    show(client)
    client.devices.activity(DEVICE_ACTIVITY_ID, mode="wireless")

    assert [sent.headers["X-Razorpay-Device-Mode"] for sent in session.sent] == ["wired", "wireless"]

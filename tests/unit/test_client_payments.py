"""What else payments can do through the client: how they were paid, shares of them, payments that a server makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import ORDER_ID, PAYMENT_ID, REFUND_ID, collection, payment, refund, refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import (
    AmountError,
    ApiBadRequest,
    CurrencyError,
    FieldInvalid,
    IdMalformed,
    OutcomeUnknown,
)
from razorpay_hardened.signing.keys import Secret
from support.billing import CUSTOMER_ID, WINDOW, Case, ids, refuses, rejects, tried
from support.moving import ACCOUNT_ID, TRANSFER_ID, transfer
from support.people import ACCOUNT_NUMBER, CARD, CARD_NUMBER, TOKEN_ID, card, created

INR = Money.inr("499.00")
FIVE = Money.inr("5.00")
PATH = f"/v1/payments/{PAYMENT_ID}"
DOWNTIME_ID = "down_F7LroRQAAFuswd"
OTHER = "pay_00000000000002"
PERSON = {"email": "asha@example.in", "contact": "9123456780"}
CHARGE = {"amount": 49900, "currency": "INR", "order_id": ORDER_ID, **PERSON}
SHARE = {"account": ACCOUNT_ID, "amount": FIVE}


def bank_transfer(**changes: Any) -> dict[str, Any]:
    plain = {"id": "bt_Di5iqCElVyRlCb", "entity": "bank_transfer", "payment_id": PAYMENT_ID, "amount": 49900}
    return {**plain, "mode": "NEFT", "bank_reference": "157414364471", **changes}


def upi_transfer(**changes: Any) -> dict[str, Any]:
    plain = {"id": "ut_GXAGDz6zFtRrYy", "entity": "upi_transfer", "payment_id": PAYMENT_ID, "amount": 49900}
    return {**plain, "payer_vpa": "asha@okaxis", "rrn": "018907847600", **changes}


def downtime(**changes: Any) -> dict[str, Any]:
    plain = {"id": DOWNTIME_ID, "entity": "payment.downtime", "method": "card", "status": "started", "end": None}
    return {**plain, "instrument": {"network": "VISA"}, "begin": 1591946222, **changes}


def share(client: Client, *shares: Any) -> Any:
    return client.payments.transfer(PAYMENT_ID, shares or [SHARE])


def pay(client: Client, **changes: Any) -> Any:
    said = {"amount": INR, "order_id": ORDER_ID, **PERSON, "method": "netbanking", "bank": "HDFC"}
    return client.payments.create_json(**{**said, **changes})


def collect(client: Client, **changes: Any) -> Any:
    return client.payments.create_upi(**{"amount": INR, "order_id": ORDER_ID, **PERSON, **changes})


def charge(client: Client, **changes: Any) -> Any:
    said = {"amount": INR, "order_id": ORDER_ID, "customer_id": CUSTOMER_ID, "token": TOKEN_ID}
    return client.payments.create_recurring(**{**said, **changes})


CASES = {
    "fetch with more": Case(
        lambda client: client.payments.fetch(PAYMENT_ID, expand=["card", "transaction.settlement"]).card.last4,
        f"GET {PATH}",
        {"expand[]": ["card", "transaction.settlement"]},
        payment(card=card()),
        "1486",
    ),
    "list with more": Case(
        lambda client: ids(client.payments.list(customer_id=CUSTOMER_ID, expand=("emi",), count=5, **WINDOW)),
        "GET /v1/payments",
        {
            "customer_id": CUSTOMER_ID,
            "expand[]": ["emi"],
            "from": 1_700_000_000,
            "to": 1_700_000_100,
            "count": 5,
            "skip": 0,
        },
        collection(payment()),
        [PAYMENT_ID],
    ),
    "iter with more": Case(
        lambda client: ids(client.payments.iter(customer_id=CUSTOMER_ID, expand={"card"})),
        "GET /v1/payments",
        {"customer_id": CUSTOMER_ID, "expand[]": ["card"], "count": 100, "skip": 0},
        collection(payment()),
        [PAYMENT_ID],
    ),
    "fetch a refund": Case(
        lambda client: client.payments.fetch_refund(PAYMENT_ID, REFUND_ID).money,
        f"GET {PATH}/refunds/{REFUND_ID}",
        {},
        refund(),
        FIVE,
    ),
    "card": Case(lambda client: client.payments.card(PAYMENT_ID).network, f"GET {PATH}/card", {}, card(), "Visa"),
    "bank transfer": Case(
        lambda client: client.payments.bank_transfer(PAYMENT_ID).money,
        f"GET {PATH}/bank_transfer",
        {},
        bank_transfer(),
        INR,
    ),
    "UPI transfer": Case(
        lambda client: client.payments.upi_transfer(PAYMENT_ID).rrn,
        f"GET {PATH}/upi_transfer",
        {},
        upi_transfer(),
        "018907847600",
    ),
    "transfers": Case(
        lambda client: [one.id for one in client.payments.transfers(PAYMENT_ID)],
        f"GET {PATH}/transfers",
        {},
        collection(transfer()),
        [TRANSFER_ID],
    ),
    "transfer": Case(
        lambda client: [one.money for one in share(client)],
        f"POST {PATH}/transfers",
        {"transfers": [{"account": ACCOUNT_ID, "amount": 500, "currency": "INR"}]},
        collection(transfer()),
        [FIVE],
    ),
    "transfer with everything": Case(
        lambda client: [
            one.amount
            for one in share(
                client,
                {
                    **SHARE,
                    "notes": {"shop": "7", "secret": "x"},
                    "linked_account_notes": ["shop"],
                    "on_hold": True,
                    "on_hold_until": 1_800_000_000,
                    "more": 1,
                },
                {**SHARE, "amount": Money(100), "on_hold": False},
            )
        ],
        f"POST {PATH}/transfers",
        {
            "transfers": [
                {
                    "account": ACCOUNT_ID,
                    "amount": 500,
                    "currency": "INR",
                    "notes": {"shop": "7", "secret": "x"},
                    "linked_account_notes": ["shop"],
                    "on_hold": True,
                    "on_hold_until": 1_800_000_000,
                    "more": 1,
                },
                {"account": ACCOUNT_ID, "amount": 100, "currency": "INR", "on_hold": False},
            ]
        },
        collection(transfer(id="trf_00000000000002", amount=100), transfer()),
        [100, 500],
    ),
    "create by bank": Case(
        lambda client: pay(client).next[0].action,
        "POST /v1/payments/create/json",
        {**CHARGE, "method": "netbanking", "bank": "HDFC"},
        created(next=[{"action": "redirect", "url": "https://api.razorpay.com/v1/payments/x/authorize"}]),
        "redirect",
    ),
    "create by card": Case(
        lambda client: (
            pay(
                client,
                method="card",
                bank=None,
                card={**CARD, "number": Secret(CARD_NUMBER)},
                save=True,
                customer_id=CUSTOMER_ID,
                authentication={"authentication_channel": "browser"},
                browser={"java_enabled": False},
                ip="105.106.107.108",
                referrer="https://shop.example",
                user_agent="Mozilla/5.0",
                callback_url="https://shop.example/thanks",
                description="Books",
                notes={"shop": "7"},
                extra={"auth_type": "3ds"},
            ).razorpay_payment_id
        ),
        "POST /v1/payments/create/json",
        {
            **CHARGE,
            "method": "card",
            "card": CARD,
            "save": True,
            "customer_id": CUSTOMER_ID,
            "authentication": {"authentication_channel": "browser"},
            "browser": {"java_enabled": False},
            "ip": "105.106.107.108",
            "referrer": "https://shop.example",
            "user_agent": "Mozilla/5.0",
            "callback_url": "https://shop.example/thanks",
            "description": "Books",
            "notes": {"shop": "7"},
            "auth_type": "3ds",
        },
        created(razorpay_order_id=ORDER_ID),
        PAYMENT_ID,
    ),
    "create by a saved card": Case(
        lambda client: pay(client, method="card", bank=None, token=TOKEN_ID, card={"cvv": "100"}).razorpay_payment_id,
        "POST /v1/payments/create/json",
        {**CHARGE, "method": "card", "token": TOKEN_ID, "card": {"cvv": "100"}},
        created(),
        PAYMENT_ID,
    ),
    "create from one account": Case(
        lambda client: (
            pay(
                client,
                method="emi",
                bank=None,
                wallet="payzapp",
                vpa="asha@okaxis",
                upi={"flow": "collect"},
                provider="zestmoney",
                emi_duration=6,
                recurring=True,
                bank_account={"account_number": ACCOUNT_NUMBER, "ifsc": "HDFC0000053", "name": "Asha"},
            ).razorpay_payment_id
        ),
        "POST /v1/payments/create/json",
        {
            **CHARGE,
            "method": "emi",
            "wallet": "payzapp",
            "vpa": "asha@okaxis",
            "upi": {"flow": "collect"},
            "provider": "zestmoney",
            "emi_duration": 6,
            "recurring": True,
            "bank_account": {"account_number": ACCOUNT_NUMBER, "ifsc": "HDFC0000053", "name": "Asha"},
        },
        created(),
        PAYMENT_ID,
    ),
    "create by UPI": Case(
        lambda client: (
            collect(
                client,
                upi={"flow": "collect", "vpa": "asha@okaxis", "expiry_time": 5},
                customer_id=CUSTOMER_ID,
                save=True,
                ip="105.106.107.108",
                referer="https://shop.example",
            ).razorpay_payment_id
        ),
        "POST /v1/payments/create/upi",
        {
            **CHARGE,
            "method": "upi",
            "upi": {"flow": "collect", "vpa": "asha@okaxis", "expiry_time": 5},
            "customer_id": CUSTOMER_ID,
            "save": 1,
            "ip": "105.106.107.108",
            "referer": "https://shop.example",
        },
        created(),
        PAYMENT_ID,
    ),
    "create by a UPI app": Case(
        lambda client: collect(client, upi={"flow": "intent"}).link,
        "POST /v1/payments/create/upi",
        {**CHARGE, "method": "upi", "upi": {"flow": "intent"}},
        created(link="upi://pay?pa=success@razorpay"),
        "upi://pay?pa=success@razorpay",
    ),
    "charge by a mandate": Case(
        lambda client: charge(client, **PERSON, description="Meals", notes={"shop": "7"}).razorpay_signature,
        "POST /v1/payments/create/recurring",
        {
            **CHARGE,
            "customer_id": CUSTOMER_ID,
            "token": TOKEN_ID,
            "recurring": True,
            "description": "Meals",
            "notes": {"shop": "7"},
        },
        created(razorpay_order_id=ORDER_ID, razorpay_signature="9ef4"),
        "9ef4",
    ),
    "charge by a mandate for once": Case(
        lambda client: charge(client, recurring=None).razorpay_payment_id,
        "POST /v1/payments/create/recurring",
        {"amount": 49900, "currency": "INR", "order_id": ORDER_ID, "customer_id": CUSTOMER_ID, "token": TOKEN_ID},
        created(),
        PAYMENT_ID,
    ),
    "generate a password": Case(
        lambda client: client.payments.otp_generate(PAYMENT_ID).metadata["last4"],
        f"POST {PATH}/otp_generate",
        {},
        created(next=[{"action": "otp_submit"}], metadata={"last4": "1486"}),
        "1486",
    ),
    "send another password": Case(
        lambda client: client.payments.otp_resend(PAYMENT_ID).next,
        f"POST {PATH}/otp/resend",
        {},
        created(next=["otp_submit", "otp_resend"]),
        ["otp_submit", "otp_resend"],
    ),
    "submit a password": Case(
        lambda client: client.payments.otp_submit(PAYMENT_ID, Secret("0754081")).razorpay_order_id,
        f"POST {PATH}/otp/submit",
        {"otp": "0754081"},
        created(razorpay_order_id=ORDER_ID, razorpay_signature="9ef4"),
        ORDER_ID,
    ),
    "validate a UPI address": Case(
        lambda client: client.payments.validate_vpa("asha@okaxis").customer_name,
        "POST /v1/payments/validate/vpa",
        {"vpa": "asha@okaxis"},
        {"vpa": "asha@okaxis", "success": True, "customer_name": "Asha Rao"},
        "Asha Rao",
    ),
    "methods": Case(
        lambda client: client.payments.methods().upi, "GET /v1/methods", {}, {"entity": "methods", "upi": True}, True
    ),
    "downtimes": Case(
        lambda client: [one.instrument.network for one in client.payments.downtimes()],
        "GET /v1/payments/downtimes",
        {},
        collection(downtime()),
        ["VISA"],
    ),
    "downtime": Case(
        lambda client: client.payments.downtime(DOWNTIME_ID).status,
        f"GET /v1/payments/downtimes/{DOWNTIME_ID}",
        {},
        downtime(status="resolved"),
        "resolved",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: client.payments.fetch(PAYMENT_ID, expand="card"), FieldInvalid),
        (lambda client: client.payments.fetch(PAYMENT_ID, expand=["card&skip=1"]), FieldInvalid),
        (lambda client: client.payments.list(customer_id="x"), IdMalformed),
        (lambda client: client.payments.list(expand=[1]), FieldInvalid),
        (lambda client: client.payments.iter(customer_id="x"), IdMalformed),
        (lambda client: client.payments.fetch_refund(PAYMENT_ID, PAYMENT_ID), IdMalformed),
        (lambda client: client.payments.fetch_refund("x", REFUND_ID), IdMalformed),
        (lambda client: client.payments.card("x"), IdMalformed),
        (lambda client: client.payments.bank_transfer("x"), IdMalformed),
        (lambda client: client.payments.upi_transfer("x"), IdMalformed),
        (lambda client: client.payments.transfers("x"), IdMalformed),
        (lambda client: client.payments.transfer("x", [SHARE]), IdMalformed),
        (lambda client: client.payments.transfer(PAYMENT_ID, []), FieldInvalid),
        (lambda client: client.payments.transfer(PAYMENT_ID, SHARE), FieldInvalid),
        (lambda client: share(client, "x"), FieldInvalid),
        (lambda client: share(client, {**SHARE, "account": PAYMENT_ID}), IdMalformed),
        (lambda client: share(client, {"account": ACCOUNT_ID}), FieldInvalid),
        (lambda client: share(client, {**SHARE, "amount": 500}), AmountError),
        (lambda client: share(client, {**SHARE, "amount": Money(0)}), AmountError),
        (lambda client: share(client, {**SHARE, "amount": Money(500, "USD")}), CurrencyError),
        (lambda client: share(client, {**SHARE, "currency": "INR"}), FieldInvalid),
        (lambda client: share(client, {**SHARE, "linked_account_notes": ["shop"]}), FieldInvalid),
        (lambda client: share(client, {**SHARE, "notes": {"a": "b"}, "linked_account_notes": "a"}), FieldInvalid),
        (lambda client: share(client, {**SHARE, "notes": {"a": "b"}, "linked_account_notes": [[]]}), FieldInvalid),
        (lambda client: share(client, {**SHARE, "on_hold": 1}), FieldInvalid),
        (lambda client: share(client, {**SHARE, "on_hold_until": 1_800_000_000}), FieldInvalid),
        (lambda client: pay(client, amount=49900), AmountError),
        (lambda client: pay(client, amount=Money(0)), AmountError),
        (lambda client: pay(client, order_id="x"), IdMalformed),
        (lambda client: pay(client, email=None), FieldInvalid),
        (lambda client: pay(client, email="a" * 65), FieldInvalid),
        (lambda client: pay(client, contact=9123456780), FieldInvalid),
        (lambda client: pay(client, contact=None), FieldInvalid),
        (lambda client: pay(client, method=None), FieldInvalid),
        (lambda client: pay(client, method="card", card={"cvv": "100"}), FieldInvalid),
        (lambda client: pay(client, token="x"), IdMalformed),
        (lambda client: pay(client, customer_id="x"), IdMalformed),
        (lambda client: pay(client, save=1), FieldInvalid),
        (lambda client: pay(client, recurring="1"), FieldInvalid),
        (lambda client: pay(client, bank_account={"name": "Asha"}), FieldInvalid),
        (lambda client: pay(client, upi="collect"), FieldInvalid),
        (lambda client: pay(client, vpa=""), FieldInvalid),
        (lambda client: pay(client, emi_duration="6"), FieldInvalid),
        (lambda client: pay(client, ip="1" * 46), FieldInvalid),
        (lambda client: pay(client, notes={"a": 1}), FieldInvalid),
        (lambda client: pay(client, extra={"card": CARD}), FieldInvalid),
        (lambda client: collect(client, save="yes"), FieldInvalid),
        (lambda client: collect(client, email=None), FieldInvalid),
        (lambda client: collect(client, extra={"method": "card"}), FieldInvalid),
        (lambda client: charge(client, customer_id=None), FieldInvalid),
        (lambda client: charge(client, token=None), FieldInvalid),
        (lambda client: charge(client, token=CUSTOMER_ID), IdMalformed),
        (lambda client: charge(client, amount=None), AmountError),
        (lambda client: charge(client, recurring=1), FieldInvalid),
        (lambda client: client.payments.otp_generate("x"), IdMalformed),
        (lambda client: client.payments.otp_resend("x"), IdMalformed),
        (lambda client: client.payments.otp_submit(PAYMENT_ID, ""), FieldInvalid),
        (lambda client: client.payments.otp_submit(PAYMENT_ID, 754081), FieldInvalid),
        (lambda client: client.payments.otp_submit(PAYMENT_ID, None), FieldInvalid),
        (lambda client: client.payments.validate_vpa(None), FieldInvalid),
        (lambda client: client.payments.validate_vpa("a" * 321), FieldInvalid),
        (lambda client: client.payments.downtime("x"), IdMalformed),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What Razorpay would refuse, or what could be misread as money, is refused here."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (lambda client: client.payments.fetch_refund(PAYMENT_ID, REFUND_ID), refund(id="rfnd_00000000000002"), "id"),
        (lambda client: client.payments.fetch_refund(PAYMENT_ID, REFUND_ID), refund(payment_id=OTHER), "payment_id"),
        (lambda client: client.payments.bank_transfer(PAYMENT_ID), bank_transfer(payment_id=OTHER), "payment_id"),
        (lambda client: client.payments.upi_transfer(PAYMENT_ID), upi_transfer(payment_id=OTHER), "payment_id"),
        (share, collection(), "transfers"),
        (share, collection(transfer(amount=501)), "transfers"),
        (share, collection(transfer(currency="USD")), "transfers"),
        (share, collection(transfer(recipient="acc_00000000000002")), "transfers"),
        (share, collection(transfer(), transfer(id="trf_00000000000002")), "transfers"),
        (pay, created(razorpay_order_id="order_00000000000002"), "razorpay_order_id"),
        (collect, created(razorpay_order_id="order_00000000000002"), "razorpay_order_id"),
        (charge, created(razorpay_order_id="order_00000000000002"), "razorpay_order_id"),
        (
            lambda client: client.payments.otp_generate(PAYMENT_ID),
            {"razorpay_payment_id": OTHER},
            "razorpay_payment_id",
        ),
        (
            lambda client: client.payments.otp_submit(PAYMENT_ID, "754081"),
            {"razorpay_payment_id": OTHER},
            "razorpay_payment_id",
        ),
        (lambda client: client.payments.downtime(DOWNTIME_ID), downtime(id="down_00000000000002"), "id"),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """Money goes where it was meant to go; people are not charged for each other's orders."""
    rejects(call, answer, field)


@pytest.mark.parametrize(
    "call",
    [
        share,
        pay,
        collect,
        charge,
        lambda client: client.payments.otp_generate(PAYMENT_ID),
        lambda client: client.payments.otp_resend(PAYMENT_ID),
        lambda client: client.payments.otp_submit(PAYMENT_ID, "754081"),
    ],
)
def test_nobody_is_charged_twice_for_a_lost_answer(call: Callable[[Client], Any]) -> None:
    """There is no key and no look: nothing is sent again, and the caller is told."""
    client, session, *_ = rig(requests.ReadTimeout)

    with pytest.raises(OutcomeUnknown):
        call(client)

    assert len(session.sent) == 1


def test_a_wrong_password_is_told_as_such() -> None:
    """With Razorpay's words, for the customer to try again."""
    client, *_ = rig((400, refusal("payment processing failed because of incorrect otp")))

    with pytest.raises(ApiBadRequest) as caught:
        client.payments.otp_submit(PAYMENT_ID, "12")

    assert caught.value.description == "payment processing failed because of incorrect otp"


def test_asking_about_a_upi_address_is_repeated() -> None:
    """A POST that only asks."""
    client, session, *_ = rig((502, b""), {"vpa": "asha@okaxis", "success": True})

    assert client.payments.validate_vpa("asha@okaxis").success

    assert len(session.sent) == 2

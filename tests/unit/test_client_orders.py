"""What else orders can do through the client: mandates, shares, one account, Magic Checkout, and more on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import ORDER_ID, PAYMENT_ID, collection, order, payment, refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import AmountError, CurrencyMismatch, FieldInvalid, IdMalformed
from support.billing import CUSTOMER_ID, OFFER_ID, Case, ids, refuses, rejects, tried
from support.moving import ACCOUNT_ID
from support.people import ACCOUNT_NUMBER, TOKEN_ID

INR = Money.inr("499.00")
PATH = f"/v1/orders/{ORDER_ID}"
PLAIN = {"amount": 49900, "currency": "INR"}
BANK = {"account_number": ACCOUNT_NUMBER, "name": "Asha", "ifsc": "HDFC0000053"}
SETTINGS = {"capture": "automatic", "capture_options": {"automatic_expiry_period": 12, "refund_speed": "normal"}}
PRODUCT = {"type": "mutual_fund", "mf_member_id": "12345"}
PARCEL = {"waybill": "123456789", "status": "rto", "provider": "Bluedart"}
REVIEW = {"risk_tier": "high", "rto_reasons": [{"reason": "short_shipping_address", "bucket": "address"}]}


def create(client: Client, **changes: Any) -> Any:
    return client.orders.create(**{"amount": INR, **changes})


def asking(client: Client, **changes: Any) -> Any:
    """An order that asks for a mandate."""
    said = {"customer_id": CUSTOMER_ID, "method": "upi", "token": {"max_amount": Money(5000), **changes}}
    return create(client, **said)


CASES = {
    "for one account of the customer": Case(
        lambda client: create(client, method="netbanking", bank_account=BANK).id,
        "POST /v1/orders",
        {**PLAIN, "method": "netbanking", "bank_account": BANK},
        order(),
        ORDER_ID,
    ),
    "for a mandate": Case(
        lambda client: asking(client, expire_at=1_900_000_000, frequency="weekly", recurring_value=2).id,
        "POST /v1/orders",
        {
            **PLAIN,
            "customer_id": CUSTOMER_ID,
            "method": "upi",
            "token": {"frequency": "weekly", "recurring_value": 2, "max_amount": 5000, "expire_at": 1_900_000_000},
        },
        order(),
        ORDER_ID,
    ),
    "for a mandate alone": Case(
        lambda client: (
            create(
                client,
                amount=Money(0),
                method="emandate",
                customer_id=CUSTOMER_ID,
                token={"max_amount": Money(9_999_900), "bank_account": {**BANK, "account_type": "savings"}},
            ).amount
        ),
        "POST /v1/orders",
        {
            "amount": 0,
            "currency": "INR",
            "method": "emandate",
            "customer_id": CUSTOMER_ID,
            "token": {"max_amount": 9_999_900, "bank_account": {**BANK, "account_type": "savings"}},
        },
        order(amount=0),
        0,
    ),
    "with all the rest": Case(
        lambda client: (
            create(
                client,
                capture_settings=SETTINGS,
                transfers=[{"account": ACCOUNT_ID, "amount": INR, "on_hold": True}],
                offer_id=OFFER_ID,
                notification={"token_id": TOKEN_ID, "payment_after": 1_900_000_000},
                products=[PRODUCT],
                extra={"line_items_total": 49900},
            ).id
        ),
        "POST /v1/orders",
        {
            **PLAIN,
            "payment": SETTINGS,
            "transfers": [{"account": ACCOUNT_ID, "amount": 49900, "currency": "INR", "on_hold": True}],
            "offer_id": OFFER_ID,
            "notification": {"token_id": TOKEN_ID, "payment_after": 1_900_000_000},
            "products": [PRODUCT],
            "line_items_total": 49900,
        },
        order(),
        ORDER_ID,
    ),
    "fetch with more": Case(
        lambda client: client.orders.fetch(ORDER_ID, expand=["payments", "payments.card"]).payments.entities()[0].id,
        f"GET {PATH}",
        {"expand[]": ["payments", "payments.card"]},
        order(payments=collection(payment())),
        PAYMENT_ID,
    ),
    "list with more": Case(
        lambda client: ids(client.orders.list(authorized=True, expand=("transfers",), count=5)),
        "GET /v1/orders",
        {"authorized": 1, "expand[]": ["transfers"], "count": 5, "skip": 0},
        collection(order()),
        [ORDER_ID],
    ),
    "iter with more": Case(
        lambda client: ids(client.orders.iter(authorized=False, receipt="inv-42", expand=("payments",))),
        "GET /v1/orders",
        {"authorized": 0, "receipt": "inv-42", "expand[]": ["payments"], "count": 100, "skip": 0},
        collection(order()),
        [ORDER_ID],
    ),
    "fulfilment": Case(
        lambda client: client.orders.edit_fulfillment(ORDER_ID, payment_method="cod", shipping=PARCEL).shipping.status,
        f"POST {PATH}/fulfillment",
        {"payment_method": "cod", "shipping": PARCEL},
        {"entity": "order.fulfillment", "order_id": ORDER_ID.removeprefix("order_"), "shipping": PARCEL},
        "rto",
    ),
    "review": Case(
        lambda client: client.orders.rto_review(ORDER_ID).risk_tier, f"POST {PATH}/rto_review", {}, REVIEW, "high"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: create(client, amount=49900), AmountError),
        (lambda client: create(client, amount=Money(0)), AmountError),
        (lambda client: create(client, amount=Money(0), method="emandate"), AmountError),
        (lambda client: create(client, amount=Money(0), method="upi", token={}), AmountError),
        (lambda client: create(client, amount=Money(0, "USD"), method="nach", token={}), AmountError),
        (lambda client: create(client, customer_id="x"), IdMalformed),
        (lambda client: create(client, method=1), FieldInvalid),
        (lambda client: create(client, token="x"), FieldInvalid),
        (lambda client: asking(client, max_amount=5000), AmountError),
        (lambda client: asking(client, max_amount=Money(5000, "USD")), CurrencyMismatch),
        (lambda client: asking(client, bank_account={"ifsc": "HDFC0000053"}), FieldInvalid),
        (lambda client: create(client, bank_account={"name": "Asha"}), FieldInvalid),
        (lambda client: create(client, transfers=[]), FieldInvalid),
        (lambda client: create(client, transfers=[{"account": ACCOUNT_ID, "amount": Money(49901)}]), AmountError),
        (lambda client: create(client, transfers=2 * [{"account": ACCOUNT_ID, "amount": INR}]), AmountError),
        (
            lambda client: create(
                client, amount=Money(49900, "USD"), transfers=[{"account": ACCOUNT_ID, "amount": INR}]
            ),
            AmountError,
        ),
        (lambda client: create(client, offer_id="x"), IdMalformed),
        (lambda client: create(client, notification="x"), FieldInvalid),
        (lambda client: create(client, notification={"payment_after": 1_900_000_000}), IdMalformed),
        (lambda client: create(client, notification={"token_id": TOKEN_ID, "payment_after": "x"}), FieldInvalid),
        (lambda client: create(client, products=["x"]), FieldInvalid),
        (lambda client: create(client, capture_settings={"capture": "always"}), FieldInvalid),
        (lambda client: create(client, capture_settings={}), FieldInvalid),
        (lambda client: create(client, capture_settings={**SETTINGS, "capture_options": 12}), FieldInvalid),
        (
            lambda client: create(
                client, capture_settings={**SETTINGS, "capture_options": {"manual_expiry_period": "12"}}
            ),
            FieldInvalid,
        ),
        (lambda client: create(client, capture=True, capture_settings=SETTINGS), FieldInvalid),
        (lambda client: create(client, extra={"payment_capture": 1}), FieldInvalid),
        (lambda client: create(client, extra={"amount": 1}), FieldInvalid),
        (lambda client: create(client, extra={"x": INR}), FieldInvalid),
        (lambda client: client.orders.fetch(ORDER_ID, expand="payments"), FieldInvalid),
        (lambda client: client.orders.list(authorized=1), FieldInvalid),
        (lambda client: client.orders.iter(expand=["../x"]), FieldInvalid),
        (lambda client: client.orders.edit_fulfillment(ORDER_ID), FieldInvalid),
        (lambda client: client.orders.edit_fulfillment("x", payment_method="cod"), IdMalformed),
        (lambda client: client.orders.edit_fulfillment(ORDER_ID, shipping="x"), FieldInvalid),
        (lambda client: client.orders.rto_review("x"), IdMalformed),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What Razorpay would refuse, or what could be misread as money, is refused here."""
    refuses(call, error)


def test_a_fulfilment_of_another_order_is_an_error() -> None:
    """With its prefix, or without it as in Razorpay's sample."""
    for told in ("order_00000000000002", "00000000000002"):
        rejects(
            lambda client: client.orders.edit_fulfillment(ORDER_ID, payment_method="cod"),
            {"entity": "order.fulfillment", "order_id": told},
            "order_id",
        )


def test_an_order_with_everything_is_still_looked_up_by_its_receipt() -> None:
    """A lost answer: the order that was made is found, and no second one asks for a second mandate."""
    client, session, *_ = rig(requests.ReadTimeout, collection(order()))

    assert create(client, receipt="inv-42", method="netbanking", bank_account=BANK).id == ORDER_ID

    assert session.lines == ["POST /v1/orders", "GET /v1/orders"]


def test_an_account_that_does_not_know_unique_receipts_gets_the_rest_again() -> None:
    """The fields of the first request are in the second."""
    unknown = refusal("unique_receipt is/are not required and should not be sent", field="unique_receipt")
    client, session, *_ = rig((400, unknown), order())

    create(client, receipt="inv-42", unique_receipt=True, bank_account=BANK, offer_id=OFFER_ID)

    again = {**PLAIN, "receipt": "inv-42", "bank_account": BANK, "offer_id": OFFER_ID}
    assert [sent.body for sent in session.sent] == [{**again, "unique_receipt": True}, again]


def test_asking_for_a_review_is_repeated() -> None:
    """A POST that only asks."""
    client, session, *_ = rig((502, b""), REVIEW)

    assert client.orders.rto_review(ORDER_ID).rto_reasons[0].bucket == "address"

    assert len(session.sent) == 2

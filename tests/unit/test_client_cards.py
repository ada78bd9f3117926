"""Cards, IINs and fund accounts through the client: what is sent, and what is refused before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from client_fakes import collection
from razorpay_hardened.client import Client
from razorpay_hardened.errors import FieldInvalid, IdMalformed
from razorpay_hardened.signing.keys import Secret
from support.billing import CUSTOMER_ID, Case, refuses, rejects, tried
from support.people import ACCOUNT_NUMBER, CARD_ID, CARD_NUMBER, FUND_ACCOUNT_ID, TOKEN_ID, card, fund_account

REFERENCE = "V0010013819231376539033235990"
BANK = {"name": "Asha", "ifsc": "HDFC0000053", "account_number": ACCOUNT_NUMBER}
IIN = {"iin": "453957", "entity": "iin", "network": "Visa", "emi": {"available": True}}


def found(**fields: Any) -> dict[str, Any]:
    return {"payment_account_reference": REFERENCE, "network_reference_id": None, **fields}


def fund(client: Client, **changes: Any) -> Any:
    return client.fund_accounts.create(CUSTOMER_ID, bank_account={**BANK, **changes})


CASES = {
    "fetch a card": Case(
        lambda client: client.cards.fetch(CARD_ID).last4, f"GET /v1/cards/{CARD_ID}", {}, card(), "1486"
    ),
    "reference by number": Case(
        lambda client: client.cards.reference(number=Secret(CARD_NUMBER), tokenised=False).network,
        "POST /v1/cards/fingerprints",
        {"number": CARD_NUMBER, "tokenised": False},
        found(network="Visa"),
        "Visa",
    ),
    "reference by token": Case(
        lambda client: client.cards.reference(token_id=TOKEN_ID).payment_account_reference,
        "POST /v1/cards/fingerprints",
        {"token": TOKEN_ID},
        found(provider="Visa"),
        REFERENCE,
    ),
    "fetch an IIN": Case(lambda client: client.iins.fetch("453957").network, "GET /v1/iins/453957", {}, IIN, "Visa"),
    "list IINs": Case(
        lambda client: client.iins.list(flow="otp", sub_type="business").iins,
        "GET /v1/iins/list",
        {"flow": "otp", "sub_type": "business"},
        {"count": 2, "iins": ["512967", "123512967"]},
        ["512967", "123512967"],
    ),
    "create a fund account": Case(
        lambda client: fund(client).id,
        "POST /v1/fund_accounts",
        {"customer_id": CUSTOMER_ID, "account_type": "bank_account", "bank_account": BANK},
        fund_account(),
        FUND_ACCOUNT_ID,
    ),
    "list fund accounts": Case(
        lambda client: [one.active for one in client.fund_accounts.list(CUSTOMER_ID)],
        "GET /v1/fund_accounts",
        {"customer_id": CUSTOMER_ID},
        collection(fund_account(), fund_account(active=False)),
        [True, False],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: client.cards.fetch("x"), IdMalformed),
        (lambda client: client.cards.reference(), FieldInvalid),
        (lambda client: client.cards.reference(number=CARD_NUMBER, token_id=TOKEN_ID), FieldInvalid),
        (lambda client: client.cards.reference(token_id=TOKEN_ID, tokenised=True), FieldInvalid),
        (lambda client: client.cards.reference(token_id="x"), IdMalformed),
        (lambda client: client.cards.reference(number="4539"), FieldInvalid),
        (lambda client: client.cards.reference(number=CARD_NUMBER, tokenised=1), FieldInvalid),
        (lambda client: client.iins.fetch(CARD_NUMBER), FieldInvalid),
        (lambda client: client.iins.fetch("4539578"), FieldInvalid),
        (lambda client: client.iins.fetch(453957), FieldInvalid),
        (lambda client: client.iins.list(flow=1), FieldInvalid),
        (lambda client: client.fund_accounts.create("x", bank_account=BANK), IdMalformed),
        (lambda client: client.fund_accounts.create(CUSTOMER_ID, bank_account=None), FieldInvalid),
        (lambda client: client.fund_accounts.create(CUSTOMER_ID, bank_account="x"), FieldInvalid),
        (lambda client: fund(client, account_number="1234"), FieldInvalid),
        (lambda client: fund(client, account_number=None), FieldInvalid),
        (lambda client: fund(client, ifsc="HDFC"), FieldInvalid),
        (lambda client: fund(client, name="A" * 256), FieldInvalid),
        (lambda client: fund(client, opened=object()), FieldInvalid),
        (lambda client: client.fund_accounts.list("x"), IdMalformed),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """A card's whole number never becomes a path; an account that is none is told so here."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (lambda client: client.cards.fetch(CARD_ID), card(id="card_00000000000001"), "id"),
        (lambda client: client.iins.fetch("453957"), {**IIN, "iin": "453958"}, "iin"),
        (fund, fund_account(customer_id="cust_00000000000002"), "customer_id"),
        (
            lambda client: client.fund_accounts.list(CUSTOMER_ID),
            collection(fund_account(), fund_account(customer_id="cust_00000000000002")),
            "customer_id",
        ),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """Whose it is, is what was asked."""
    rejects(call, answer, field)

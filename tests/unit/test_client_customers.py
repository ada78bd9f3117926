"""Customers through the client: what is sent, what is refused before, and one customer for one person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import collection, rig
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import AmountError, FieldInvalid, IdMalformed, OutcomeUnknown
from razorpay_hardened.signing.keys import Secret
from support.billing import CUSTOMER_ID, Case, ids, refuses, rejects, tried
from support.people import BANK_ACCOUNT_ID, bank_account, customer

INR = Money.inr("499.00")
PATH = f"/v1/customers/{CUSTOMER_ID}"
OTHER = "cust_00000000000002"
PERSON = {"name": "Asha Rao", "email": "asha@example.in", "contact": "+919123456780"}
NUMBER = "98765432109876"
ELIGIBLE = {
    "amount": "49900",
    "customer": {"contact": "+919123456780"},
    "instruments": [{"method": "paylater", "provider": "lazypay", "eligibility": {"status": "eligible"}}],
}


def create(client: Client, **changes: Any) -> Any:
    return client.customers.create(**{**PERSON, **changes})


def add(client: Client, **changes: Any) -> Any:
    return client.customers.add_bank_account(
        CUSTOMER_ID, **{"account_number": NUMBER, "ifsc_code": "HDFC0000053", **changes}
    )


def check(client: Client, **changes: Any) -> Any:
    return client.customers.check_eligibility(**{"amount": INR, "customer": {"contact": "+919123456780"}, **changes})


CASES = {
    "create": Case(lambda client: create(client).name, "POST /v1/customers", PERSON, customer(), "Asha Rao"),
    "create with everything": Case(
        lambda client: create(client, gstin="29XAbbA4369J1PA", notes={"shop": "7"}, extra={"tier": "gold"}).id,
        "POST /v1/customers",
        {**PERSON, "gstin": "29XAbbA4369J1PA", "notes": {"shop": "7"}, "tier": "gold"},
        customer(),
        CUSTOMER_ID,
    ),
    "ensure": Case(
        lambda client: create(client, fail_existing=False).id,
        "POST /v1/customers",
        {**PERSON, "fail_existing": "0"},
        customer(name="Asha"),
        CUSTOMER_ID,
    ),
    "fetch": Case(
        lambda client: client.customers.fetch(CUSTOMER_ID).email, f"GET {PATH}", {}, customer(), "asha@example.in"
    ),
    "list": Case(
        lambda client: ids(client.customers.list(count=5, skip=10)),
        "GET /v1/customers",
        {"count": 5, "skip": 10},
        collection(customer()),
        [CUSTOMER_ID],
    ),
    "iter": Case(
        lambda client: ids(client.customers.iter()),
        "GET /v1/customers",
        {"count": 100, "skip": 0},
        collection(customer()),
        [CUSTOMER_ID],
    ),
    "edit": Case(
        lambda client: client.customers.edit(CUSTOMER_ID, name="Asha", extra={"gstin": "29XAbbA4369J1PA"}).id,
        f"PUT {PATH}",
        {"name": "Asha", "gstin": "29XAbbA4369J1PA"},
        customer(),
        CUSTOMER_ID,
    ),
    "add a bank account": Case(
        lambda client: add(client, beneficiary_name="Asha", beneficiary_pin="560001").ifsc,
        f"POST {PATH}/bank_account",
        {
            "account_number": NUMBER,
            "ifsc_code": "HDFC0000053",
            "beneficiary_name": "Asha",
            "beneficiary_pin": "560001",
        },
        bank_account(),
        "HDFC0000053",
    ),
    "add a sealed one": Case(
        lambda client: add(client, account_number=Secret(NUMBER)).id,
        f"POST {PATH}/bank_account",
        {"account_number": NUMBER, "ifsc_code": "HDFC0000053"},
        bank_account(),
        BANK_ACCOUNT_ID,
    ),
    "delete a bank account": Case(
        lambda client: client.customers.delete_bank_account(CUSTOMER_ID, BANK_ACCOUNT_ID).status,
        f"DELETE {PATH}/bank_account/{BANK_ACCOUNT_ID}",
        {},
        bank_account(status="deleted"),
        "deleted",
    ),
    "check eligibility": Case(
        lambda client: (
            check(
                client,
                customer={"id": CUSTOMER_ID, "contact": "+919123456780", "ip": "105.106.107.108"},
                instruments=[{"method": "paylater", "providers": ["lazypay"]}],
            ).amount
        ),
        "POST /v1/customers/eligibility",
        {
            "inquiry": "affordability",
            "amount": 49900,
            "currency": "INR",
            "customer": {"id": CUSTOMER_ID, "contact": "+919123456780", "ip": "105.106.107.108"},
            "instruments": [{"method": "paylater", "providers": ["lazypay"]}],
        },
        ELIGIBLE,
        "49900",
    ),
    "eligibility": Case(
        lambda client: client.customers.eligibility("elig_F1cxDoHWD4fkQt").instruments[0].eligibility.status,
        "GET /v1/customers/eligibility/elig_F1cxDoHWD4fkQt",
        {},
        ELIGIBLE,
        "eligible",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: client.customers.create(notes={"shop": "7"}), FieldInvalid),
        (lambda client: create(client, name="AB"), FieldInvalid),
        (lambda client: create(client, name="A" * 51), FieldInvalid),
        (lambda client: create(client, email="a" * 65), FieldInvalid),
        (lambda client: create(client, contact="1234567"), FieldInvalid),
        (lambda client: create(client, contact="1" * 16), FieldInvalid),
        (lambda client: create(client, contact=9123456780), FieldInvalid),
        (lambda client: create(client, gstin="2" * 16), FieldInvalid),
        (lambda client: create(client, notes=["a"]), FieldInvalid),
        (lambda client: create(client, fail_existing=0), FieldInvalid),
        (lambda client: create(client, extra={"fail_existing": "0"}), FieldInvalid),
        (lambda client: create(client, extra={"name": "x"}), FieldInvalid),
        (lambda client: client.customers.fetch("../orders"), IdMalformed),
        (lambda client: client.customers.list(count=101), FieldInvalid),
        (lambda client: client.customers.list(skip=-1), FieldInvalid),
        (lambda client: client.customers.edit(CUSTOMER_ID), FieldInvalid),
        (lambda client: client.customers.edit("x", name="Asha"), IdMalformed),
        (lambda client: add(client, account_number="1234"), FieldInvalid),
        (lambda client: add(client, account_number=int(NUMBER)), FieldInvalid),
        (lambda client: add(client, account_number=None), FieldInvalid),
        (lambda client: add(client, account_number=Secret("12 34")), FieldInvalid),
        (lambda client: add(client, ifsc_code="HDFC1000053"), FieldInvalid),
        (lambda client: add(client, ifsc_code=None), FieldInvalid),
        (lambda client: add(client, beneficiary_mobile=9123456780), FieldInvalid),
        (lambda client: add(client, extra={"account_number": NUMBER}), FieldInvalid),
        (lambda client: client.customers.delete_bank_account(CUSTOMER_ID, "x"), IdMalformed),
        (lambda client: client.customers.delete_bank_account("x", BANK_ACCOUNT_ID), IdMalformed),
        (lambda client: check(client, amount=49900), AmountError),
        (lambda client: check(client, amount=Money(0)), AmountError),
        (lambda client: check(client, customer=None), FieldInvalid),
        (lambda client: check(client, customer={"id": "x"}), IdMalformed),
        (lambda client: check(client, instruments="emi"), FieldInvalid),
        (lambda client: check(client, instruments=["emi"]), FieldInvalid),
        (lambda client: client.customers.eligibility("x"), IdMalformed),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What Razorpay would refuse is refused here."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (lambda client: client.customers.fetch(CUSTOMER_ID), customer(id=OTHER)),
        (lambda client: client.customers.edit(CUSTOMER_ID, name="Asha"), customer(id=OTHER)),
        (
            lambda client: client.customers.delete_bank_account(CUSTOMER_ID, BANK_ACCOUNT_ID),
            bank_account(id="ba_00000000000001"),
        ),
    ],
)
def test_an_answer_about_somebody_else_is_an_error(call: Callable[[Client], Any], answer: Any) -> None:
    """People are not mixed up."""
    rejects(call, answer, "id")


def test_a_customer_is_made_once_or_found() -> None:
    """Without ``fail_existing`` the request is sent again after a lost answer; with it, never."""
    again, session, *_ = rig(requests.ReadTimeout, customer())
    once, other, *_ = rig(requests.ReadTimeout)

    assert create(again, fail_existing=False).id == CUSTOMER_ID
    with pytest.raises(OutcomeUnknown):
        create(once)

    assert session.lines == ["POST /v1/customers"] * 2
    assert other.lines == ["POST /v1/customers"]

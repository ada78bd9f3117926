"""Virtual accounts through the client: what is sent, what is refused before, and that closed is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import PAYMENT_ID, collection, payment, refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import FieldInvalid, IdMalformed, OutcomeUnknown
from support.billing import CUSTOMER_ID, VA_ID, WINDOW, Case, ids, refuses, rejects, tried, virtual_account

ROOT = "/v1/virtual_accounts"
OTHER = "va_DlGmm7jInLudH8"
PAYER_ID = "ba_DlGmm9mSj8fjRM"
BANK = {"ifsc": "UTIB0000013", "account_number": "914010012345679"}
PAYER = {"type": "bank_account", "bank_account": BANK}
RECEIVERS = {"types": ["bank_account"]}


def create(client: Client, **changes: Any) -> Any:
    return client.virtual_accounts.create(**{"receivers": RECEIVERS, **changes})


def received(client: Client, kind: str, detail: Any) -> Any:
    return create(client, receivers={"types": [kind], kind: detail})


def add_payer(client: Client, **changes: Any) -> Any:
    return client.virtual_accounts.add_allowed_payer(VA_ID, **{"bank_account": BANK, **changes})


def add_receiver(client: Client, **changes: Any) -> Any:
    return client.virtual_accounts.add_receiver(VA_ID, **{"types": ["vpa"], **changes})


CASES = {
    "create": Case(
        lambda client: create(client).paid, f"POST {ROOT}", {"receivers": RECEIVERS}, virtual_account(), Money(0)
    ),
    "create for payers that are known": Case(
        lambda client: (
            create(
                client,
                receivers={**RECEIVERS, "bank_account": {"descriptor": "0123456789"}},
                description="rent",
                customer_id=CUSTOMER_ID,
                close_by=1_800_000_000,
                allowed_payers=[PAYER] * 10,
                notes={"flat": "105"},
                extra={"amount_expected": 2300},
            ).id
        ),
        f"POST {ROOT}",
        {
            "receivers": {**RECEIVERS, "bank_account": {"descriptor": "0123456789"}},
            "description": "rent",
            "customer_id": CUSTOMER_ID,
            "close_by": 1_800_000_000,
            "allowed_payers": [PAYER] * 10,
            "notes": {"flat": "105"},
            "amount_expected": 2300,
        },
        virtual_account(),
        VA_ID,
    ),
    "create for UPI": Case(
        lambda client: create(client, receivers={"types": ["vpa"], "vpa": {"descriptor": "gaurikumari"}}).id,
        f"POST {ROOT}",
        {"receivers": {"types": ["vpa"], "vpa": {"descriptor": "gaurikumari"}}},
        virtual_account(),
        VA_ID,
    ),
    "fetch": Case(
        lambda client: client.virtual_accounts.fetch(VA_ID).status,
        f"GET {ROOT}/{VA_ID}",
        {},
        virtual_account(),
        "active",
    ),
    "list": Case(
        lambda client: ids(client.virtual_accounts.list(count=5, expand=["vpas"], **WINDOW)),
        f"GET {ROOT}",
        {"from": 1_700_000_000, "to": 1_700_000_100, "count": 5, "skip": 0, "expand[]": ["vpas"]},
        collection(virtual_account()),
        [VA_ID],
    ),
    "iter": Case(
        lambda client: ids(client.virtual_accounts.iter()),
        f"GET {ROOT}",
        {"count": 100, "skip": 0},
        collection(virtual_account()),
        [VA_ID],
    ),
    "payments": Case(
        lambda client: ids(client.virtual_accounts.payments(VA_ID, count=5, skip=5)),
        f"GET {ROOT}/{VA_ID}/payments",
        {"count": 5, "skip": 5},
        collection(payment(order_id=None)),
        [PAYMENT_ID],
    ),
    "every payment": Case(
        lambda client: ids(client.virtual_accounts.iter_payments(VA_ID, **WINDOW)),
        f"GET {ROOT}/{VA_ID}/payments",
        {"from": 1_700_000_000, "to": 1_700_000_100, "count": 100, "skip": 0},
        collection(payment(order_id=None)),
        [PAYMENT_ID],
    ),
    "edit": Case(
        lambda client: (
            client.virtual_accounts.edit(VA_ID, close_by=1_800_000_000, description="rent", notes={"flat": "105"}).id
        ),
        f"PATCH {ROOT}/{VA_ID}",
        {"close_by": 1_800_000_000, "description": "rent", "notes": {"flat": "105"}},
        virtual_account(),
        VA_ID,
    ),
    "close": Case(
        lambda client: client.virtual_accounts.close(VA_ID).status,
        f"POST {ROOT}/{VA_ID}/close",
        {},
        virtual_account(status="closed"),
        "closed",
    ),
    "add a receiver": Case(
        lambda client: add_receiver(client, vpa={"descriptor": "gaurikumari"}).id,
        f"POST {ROOT}/{VA_ID}/receivers",
        {"types": ["vpa"], "vpa": {"descriptor": "gaurikumari"}},
        virtual_account(),
        VA_ID,
    ),
    "allow a payer": Case(
        lambda client: add_payer(client).id, f"POST {ROOT}/{VA_ID}/allowed_payers", PAYER, virtual_account(), VA_ID
    ),
    "allow a payer no more": Case(
        lambda client: client.virtual_accounts.delete_allowed_payer(VA_ID, PAYER_ID),
        f"DELETE {ROOT}/{VA_ID}/allowed_payers/{PAYER_ID}",
        {},
        {},
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: create(client, receivers=None), FieldInvalid),
        (lambda client: create(client, receivers={}), FieldInvalid),
        (lambda client: create(client, receivers={"types": []}), FieldInvalid),
        (lambda client: create(client, receivers={"types": "vpa"}), FieldInvalid),
        (lambda client: create(client, receivers={"types": [7]}), FieldInvalid),
        (
            lambda client: create(client, receivers={**RECEIVERS, "bank_account": {"descriptor": "x" * 11}}),
            FieldInvalid,
        ),
        (lambda client: create(client, receivers={"types": ["vpa"], "vpa": {"descriptor": "x" * 21}}), FieldInvalid),
        (lambda client: create(client, receivers={"types": ["vpa"], "vpa": "gaurikumari"}), FieldInvalid),
        (lambda client: create(client, receivers={"types": ["vpa"]}, allowed_payers=[PAYER]), FieldInvalid),
        (lambda client: create(client, allowed_payers=[PAYER] * 11), FieldInvalid),
        (lambda client: create(client, allowed_payers=PAYER), FieldInvalid),
        (lambda client: create(client, allowed_payers=[{"type": "vpa"}]), FieldInvalid),
        (lambda client: create(client, allowed_payers=[{"type": "bank_account"}]), FieldInvalid),
        (lambda client: create(client, customer_id="x"), IdMalformed),
        (lambda client: create(client, close_by="never"), FieldInvalid),
        (lambda client: create(client, description="x" * 2049), FieldInvalid),
        (lambda client: create(client, extra={"receivers": {}}), FieldInvalid),
        (lambda client: client.virtual_accounts.fetch("x"), IdMalformed),
        (lambda client: client.virtual_accounts.list(expand=["payments"]), FieldInvalid),
        (lambda client: client.virtual_accounts.list(expand="vpas"), FieldInvalid),
        (lambda client: client.virtual_accounts.payments("x"), IdMalformed),
        (lambda client: list(client.virtual_accounts.iter_payments("x")), IdMalformed),
        (lambda client: client.virtual_accounts.edit(VA_ID), FieldInvalid),
        (lambda client: client.virtual_accounts.edit("x", description="rent"), IdMalformed),
        (lambda client: client.virtual_accounts.close("x"), IdMalformed),
        (lambda client: add_receiver(client, types=[]), FieldInvalid),
        (lambda client: add_receiver(client, types="vpa"), FieldInvalid),
        (lambda client: add_receiver(client, vpa={"descriptor": ""}), FieldInvalid),
        (lambda client: add_payer(client, type="vpa"), FieldInvalid),
        (lambda client: add_payer(client, bank_account={**BANK, "ifsc": "UTIB"}), FieldInvalid),
        (lambda client: add_payer(client, bank_account={"ifsc": "UTIB0000013"}), FieldInvalid),
        (lambda client: client.virtual_accounts.delete_allowed_payer(VA_ID, VA_ID), IdMalformed),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What Razorpay would refuse is refused here."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (
            lambda client: create(client, customer_id=CUSTOMER_ID),
            virtual_account(customer_id="cust_00000000000002"),
            "customer_id",
        ),
        (lambda client: client.virtual_accounts.fetch(VA_ID), virtual_account(id=OTHER), "id"),
        (lambda client: client.virtual_accounts.edit(VA_ID, notes={}), virtual_account(id=OTHER), "id"),
        (lambda client: client.virtual_accounts.close(VA_ID), virtual_account(id=OTHER, status="closed"), "id"),
        (add_receiver, virtual_account(id=OTHER), "id"),
        (add_payer, virtual_account(id=OTHER), "id"),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """Whose account it is, is what was asked for."""
    rejects(call, answer, field)


@pytest.mark.parametrize("first", [requests.ReadTimeout, (400, refusal("The Customer Identifier is closed"))])
def test_closed_already_counts_as_done(first: Any) -> None:
    """The account is asked."""
    client, session, *_ = rig(first, virtual_account(status="closed"))

    assert client.virtual_accounts.close(VA_ID).status == "closed"

    assert [sent.method for sent in session.sent] == ["POST", "GET"]


@pytest.mark.parametrize("call", [create, add_receiver, add_payer])
def test_what_is_added_is_never_sent_twice(call: Callable[[Client], Any]) -> None:
    """There is nothing to look it up by."""
    client, session, *_ = rig(requests.ReadTimeout)

    with pytest.raises(OutcomeUnknown):
        call(client)

    assert len(session.sent) == 1

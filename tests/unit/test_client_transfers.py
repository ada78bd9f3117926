"""Transfers through the client: money moves on once for one key."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import collection, refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import (
    AmountError,
    CurrencyError,
    FieldInvalid,
    IdempotencyConflict,
    IdMalformed,
    OutcomeUnknown,
)
from support.billing import WINDOW, Case, ids, refuses, rejects, tried
from support.moving import ACCOUNT_ID, SETTLEMENT_ID, TRANSFER_ID, reversal, transfer

FIVE = Money.inr("5.00")
ONE = Money.inr("1.00")
KEY = "pay out 42"

CASES = {
    "create": Case(
        lambda client: client.transfers.create(ACCOUNT_ID, FIVE).money,
        "POST /v1/transfers",
        {"account": ACCOUNT_ID, "amount": 500, "currency": "INR"},
        transfer(),
        FIVE,
    ),
    "create with everything": Case(
        lambda client: (
            client.transfers.create(
                ACCOUNT_ID, FIVE, notes={"shop": "7"}, idempotency_key=KEY, extra={"on_hold": True}
            ).id
        ),
        "POST /v1/transfers",
        {"account": ACCOUNT_ID, "amount": 500, "currency": "INR", "notes": {"shop": "7"}, "on_hold": True},
        transfer(),
        TRANSFER_ID,
    ),
    "fetch": Case(
        lambda client: client.transfers.fetch(TRANSFER_ID, expand=["recipient_settlement"]).status,
        f"GET /v1/transfers/{TRANSFER_ID}",
        {"expand[]": ["recipient_settlement"]},
        transfer(),
        "processed",
    ),
    "list": Case(
        lambda client: ids(client.transfers.list(recipient_settlement_id=SETTLEMENT_ID, count=5, **WINDOW)),
        "GET /v1/transfers",
        {
            "recipient_settlement_id": SETTLEMENT_ID,
            "from": 1_700_000_000,
            "to": 1_700_000_100,
            "count": 5,
            "skip": 0,
        },
        collection(transfer()),
        [TRANSFER_ID],
    ),
    "iter": Case(
        lambda client: ids(client.transfers.iter(transfer_type="platform", expand=("recipient_settlement",))),
        "GET /v1/transfers",
        {"transfer_type": "platform", "expand[]": ["recipient_settlement"], "count": 100, "skip": 0},
        collection(transfer()),
        [TRANSFER_ID],
    ),
    "hold": Case(
        lambda client: client.transfers.edit(TRANSFER_ID, on_hold=True, on_hold_until=1_800_000_000).on_hold,
        f"PATCH /v1/transfers/{TRANSFER_ID}",
        {"on_hold": True, "on_hold_until": 1_800_000_000},
        transfer(on_hold=True),
        True,
    ),
    "let go": Case(
        lambda client: client.transfers.edit(TRANSFER_ID, on_hold=False).on_hold,
        f"PATCH /v1/transfers/{TRANSFER_ID}",
        {"on_hold": False},
        transfer(),
        False,
    ),
    "reverse": Case(
        lambda client: client.transfers.reverse(TRANSFER_ID, ONE, notes={"shop": "7"}).money,
        f"POST /v1/transfers/{TRANSFER_ID}/reversals",
        {"amount": 100, "notes": {"shop": "7"}},
        reversal(),
        ONE,
    ),
    "reverse all": Case(
        lambda client: client.transfers.reverse(TRANSFER_ID).transfer_id,
        f"POST /v1/transfers/{TRANSFER_ID}/reversals",
        {},
        reversal(amount=500),
        TRANSFER_ID,
    ),
    "reversals": Case(
        lambda client: [one.money for one in client.transfers.reversals(TRANSFER_ID)],
        f"GET /v1/transfers/{TRANSFER_ID}/reversals",
        {},
        collection(reversal()),
        [ONE],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: client.transfers.create("acc_x", FIVE), IdMalformed),
        (lambda client: client.transfers.create(ACCOUNT_ID, 500), AmountError),
        (lambda client: client.transfers.create(ACCOUNT_ID, Money(0)), AmountError),
        (lambda client: client.transfers.create(ACCOUNT_ID, Money(500, "USD")), CurrencyError),
        (lambda client: client.transfers.create(ACCOUNT_ID, None), FieldInvalid),
        (lambda client: client.transfers.create(ACCOUNT_ID, FIVE, idempotency_key="abc"), FieldInvalid),
        (lambda client: client.transfers.create(ACCOUNT_ID, FIVE, idempotency_key="k" * 37), FieldInvalid),
        (lambda client: client.transfers.create(ACCOUNT_ID, FIVE, idempotency_key="a/b/c"), FieldInvalid),
        (lambda client: client.transfers.create(ACCOUNT_ID, FIVE, idempotency_key="a\nbcd"), FieldInvalid),
        (lambda client: client.transfers.create(ACCOUNT_ID, FIVE, notes={"a": 1}), FieldInvalid),
        (lambda client: client.transfers.create(ACCOUNT_ID, FIVE, extra={"amount": 1}), FieldInvalid),
        (lambda client: client.transfers.create(ACCOUNT_ID, FIVE, extra={"notes": {}}), FieldInvalid),
        (lambda client: client.transfers.fetch("x"), IdMalformed),
        (lambda client: client.transfers.fetch(TRANSFER_ID, expand="recipient_settlement"), FieldInvalid),
        (lambda client: client.transfers.fetch(TRANSFER_ID, expand=["a&b=c"]), FieldInvalid),
        (lambda client: client.transfers.list(recipient_settlement_id="x"), IdMalformed),
        (lambda client: client.transfers.iter(count=101), FieldInvalid),
        (lambda client: client.transfers.edit(TRANSFER_ID, on_hold=1), FieldInvalid),
        (lambda client: client.transfers.edit(TRANSFER_ID, on_hold=None), FieldInvalid),
        (lambda client: client.transfers.edit(TRANSFER_ID, on_hold=False, on_hold_until=1_800_000_000), FieldInvalid),
        (lambda client: client.transfers.edit(TRANSFER_ID, on_hold=True, on_hold_until=1), FieldInvalid),
        (lambda client: client.transfers.reverse("x"), IdMalformed),
        (lambda client: client.transfers.reverse(TRANSFER_ID, Money(500, "USD")), CurrencyError),
        (lambda client: client.transfers.reversals("x"), IdMalformed),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What Razorpay would refuse, or what could be misread as money, is refused here."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (lambda client: client.transfers.create(ACCOUNT_ID, FIVE), transfer(amount=501), "amount"),
        (lambda client: client.transfers.create(ACCOUNT_ID, FIVE), transfer(currency="USD"), "currency"),
        (lambda client: client.transfers.create(ACCOUNT_ID, FIVE), transfer(recipient="acc_X"), "recipient"),
        (lambda client: client.transfers.fetch(TRANSFER_ID), transfer(id="trf_X"), "id"),
        (lambda client: client.transfers.edit(TRANSFER_ID, on_hold=True), transfer(), "on_hold"),
        (lambda client: client.transfers.reverse(TRANSFER_ID, ONE), reversal(amount=500), "amount"),
        (lambda client: client.transfers.reverse(TRANSFER_ID, ONE), reversal(transfer_id="trf_X"), "transfer_id"),
        (
            lambda client: client.transfers.reversals(TRANSFER_ID),
            collection(reversal(), reversal(transfer_id="trf_X")),
            "transfer_id",
        ),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """The money went where it should, and how much of it."""
    rejects(call, answer, field)


def test_every_send_of_a_transfer_carries_one_key() -> None:
    """The caller's, or one that is made for the call and fits the header's own format."""
    client, session, *_ = rig(requests.ReadTimeout, transfer(), transfer())
    client.transfers.create(ACCOUNT_ID, FIVE)
    client.transfers.create(ACCOUNT_ID, FIVE, idempotency_key=KEY)

    first, again, second = (sent.headers["X-Transfer-Idempotency"] for sent in session.sent)

    assert first == again == str(uuid.UUID(first))
    assert second == KEY
    assert not any("X-Refund-Idempotency" in sent.headers for sent in session.sent)


def test_a_transfer_that_stays_unknown_hands_over_its_key() -> None:
    """To repeat it with; another request under that key is a conflict, and is not sent again."""
    client, *_ = rig(requests.ReadTimeout, forever=True)
    with pytest.raises(OutcomeUnknown) as caught:
        client.transfers.create(ACCOUNT_ID, FIVE, idempotency_key=KEY)
    assert caught.value.idempotency_key == KEY

    text = "Different request with the same idempotency key has already been processed."
    client, session, *_ = rig((409, refusal(text)))
    with pytest.raises(IdempotencyConflict):
        client.transfers.create(ACCOUNT_ID, FIVE, idempotency_key=KEY)
    assert len(session.sent) == 1


def test_a_reversal_is_never_made_twice() -> None:
    """It takes no key, and several may be meant."""
    client, session, *_ = rig(requests.ReadTimeout)

    with pytest.raises(OutcomeUnknown):
        client.transfers.reverse(TRANSFER_ID, ONE)

    assert len(session.sent) == 1

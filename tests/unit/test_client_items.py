"""Items through the client: what is sent, what is refused before, and what a delete is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import collection, refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import (
    AmountError,
    ApiBadRequest,
    FieldInvalid,
    IdMalformed,
    OutcomeUnknown,
)
from support.billing import ITEM_ID, Case, ids, item, refuses, rejects, tried

INR = Money.inr("499.00")


def create(client: Client, **changes: Any) -> Any:
    return client.items.create(**{"name": "Book", "amount": INR, **changes})


def edit(client: Client, **changes: Any) -> Any:
    return client.items.edit(ITEM_ID, **changes)


CASES = {
    "create": Case(
        lambda client: create(client, description="a good one", extra={"hsn_code": "4901"}).money,
        "POST /v1/items",
        {"name": "Book", "amount": 49900, "currency": "INR", "description": "a good one", "hsn_code": "4901"},
        item(),
        INR,
    ),
    "fetch": Case(lambda client: client.items.fetch(ITEM_ID).name, f"GET /v1/items/{ITEM_ID}", {}, item(), "Book"),
    "edit the price": Case(
        lambda client: edit(client, amount=Money(100, "USD")).money,
        f"PATCH /v1/items/{ITEM_ID}",
        {"amount": 100, "currency": "USD"},
        item(amount=100, currency="USD"),
        Money(100, "USD"),
    ),
    "edit the rest": Case(
        lambda client: edit(client, active=False, name="Books", description="good ones").active,
        f"PATCH /v1/items/{ITEM_ID}",
        {"active": False, "name": "Books", "description": "good ones"},
        item(active=False),
        False,
    ),
    "delete": Case(lambda client: client.items.delete(ITEM_ID), f"DELETE /v1/items/{ITEM_ID}", {}, [], None),
    "delete without content": Case(
        lambda client: client.items.delete(ITEM_ID), f"DELETE /v1/items/{ITEM_ID}", {}, (204, b""), None
    ),
    "list": Case(
        lambda client: ids(client.items.list(count=5)),
        "GET /v1/items",
        {"count": 5, "skip": 0},
        collection(item()),
        [ITEM_ID],
    ),
    "iter": Case(
        lambda client: ids(client.items.iter(cursor="skip:100")),
        "GET /v1/items",
        {"count": 100, "skip": 100},
        collection(item()),
        [ITEM_ID],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is an item."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: create(client, name=None), FieldInvalid),
        (lambda client: create(client, name=""), FieldInvalid),
        (lambda client: create(client, amount=Money(0)), AmountError),
        (lambda client: create(client, amount=49900), AmountError),
        (lambda client: create(client, amount="499.00"), AmountError),
        (lambda client: create(client, description="x" * 2049), FieldInvalid),
        (lambda client: create(client, extra={"currency": "USD"}), FieldInvalid),
        (edit, FieldInvalid),
        (lambda client: edit(client, active=1), FieldInvalid),
        (lambda client: edit(client, amount=Money(0)), AmountError),
        (lambda client: client.items.edit("item_x", name="Books"), IdMalformed),
        (lambda client: client.items.fetch("plan_00000000000001"), IdMalformed),
        (lambda client: client.items.delete("../items"), IdMalformed),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What Razorpay would refuse, or what could be misread as money, is refused here."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (create, item(amount=100), "amount"),
        (create, item(currency="USD"), "currency"),
        (lambda client: edit(client, amount=INR), item(amount=100), "amount"),
        (lambda client: edit(client, name="Books"), item(id="item_00000000000002"), "id"),
        (lambda client: client.items.fetch(ITEM_ID), item(id="item_00000000000002"), "id"),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """What it costs is what was asked for."""
    rejects(call, answer, field)


def test_deleting_what_is_not_there_is_refused() -> None:
    """A wrong id is told so: nothing was in doubt, so nothing is looked at."""
    client, session, *_ = rig((400, refusal()))

    with pytest.raises(ApiBadRequest):
        client.items.delete(ITEM_ID)

    assert len(session.sent) == 1


@pytest.mark.parametrize("gone", [(400, refusal()), (404, refusal("Not Found"))])
def test_a_delete_in_doubt_is_done_when_the_item_is_gone(gone: Any) -> None:
    """One delete, one look."""
    client, session, *_ = rig(requests.ReadTimeout, gone)

    client.items.delete(ITEM_ID)

    assert session.lines == [f"DELETE /v1/items/{ITEM_ID}", f"GET /v1/items/{ITEM_ID}"]


def test_a_delete_in_doubt_goes_out_again_when_the_item_is_there() -> None:
    """Looked at first, then repeated."""
    client, session, *_ = rig((502, b""), item(), [])

    client.items.delete(ITEM_ID)

    assert [sent.method for sent in session.sent] == ["DELETE", "GET", "DELETE"]


@pytest.mark.parametrize("look", [(400, refusal("live mode is disabled for merchant")), (503, b"")])
def test_a_look_that_tells_nothing_leaves_the_doubt(look: Any) -> None:
    """Another refusal, or none at all, is no sign that the item is gone."""
    client, *_ = rig(requests.ReadTimeout, look, forever=True)

    with pytest.raises(OutcomeUnknown):
        client.items.delete(ITEM_ID)

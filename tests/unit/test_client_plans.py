"""Plans through the client: what is sent, what is refused before, and what an answer must repeat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from client_fakes import collection
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import AmountError, FieldInvalid, IdMalformed
from support.billing import PLAN_ID, WINDOW, Case, ids, item, plan, refuses, rejects, tried

INR = Money.inr("499.00")
ITEM = {"name": "Book", "amount": INR}


def create(client: Client, **changes: Any) -> Any:
    return client.plans.create(**{"period": "monthly", "interval": 1, "item": ITEM, **changes})


PRICE = {"name": "Book", "amount": 49900, "currency": "INR"}
CASES = {
    "create": Case(
        lambda client: create(client).money,
        "POST /v1/plans",
        {"period": "monthly", "interval": 1, "item": PRICE},
        plan(),
        INR,
    ),
    "create with everything": Case(
        lambda client: (
            create(
                client,
                item={**ITEM, "description": "a good one", "hsn_code": "4901"},
                notes={"shop": "7"},
                extra={"new_field": [1]},
            ).id
        ),
        "POST /v1/plans",
        {
            "period": "monthly",
            "interval": 1,
            "item": {**PRICE, "description": "a good one", "hsn_code": "4901"},
            "notes": {"shop": "7"},
            "new_field": [1],
        },
        plan(),
        PLAN_ID,
    ),
    "another currency": Case(
        lambda client: create(client, item={"name": "Book", "amount": Money(500, "USD")}).money,
        "POST /v1/plans",
        {"period": "monthly", "interval": 1, "item": {"name": "Book", "amount": 500, "currency": "USD"}},
        plan(item=item(amount=500, currency="USD")),
        Money(500, "USD"),
    ),
    "every seven days": Case(
        lambda client: create(client, period="daily", interval=7).interval,
        "POST /v1/plans",
        {"period": "daily", "interval": 7, "item": PRICE},
        plan(period="daily", interval=7),
        7,
    ),
    "fetch": Case(lambda client: client.plans.fetch(PLAN_ID).period, f"GET /v1/plans/{PLAN_ID}", {}, plan(), "monthly"),
    "list": Case(
        lambda client: ids(client.plans.list(count=5, skip=10, **WINDOW)),
        "GET /v1/plans",
        {"from": 1_700_000_000, "to": 1_700_000_100, "count": 5, "skip": 10},
        collection(plan()),
        [PLAN_ID],
    ),
    "iter": Case(
        lambda client: ids(client.plans.iter()),
        "GET /v1/plans",
        {"count": 100, "skip": 0},
        collection(plan()),
        [PLAN_ID],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is a plan."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: create(client, period=None), FieldInvalid),
        (lambda client: create(client, interval=None), FieldInvalid),
        (lambda client: create(client, interval=0), FieldInvalid),
        (lambda client: create(client, interval=True), FieldInvalid),
        (lambda client: create(client, period="daily", interval=6), FieldInvalid),
        (lambda client: create(client, item=None), FieldInvalid),
        (lambda client: create(client, item={"name": "Book"}), FieldInvalid),
        (lambda client: create(client, item={"amount": INR}), FieldInvalid),
        (lambda client: create(client, item={**ITEM, "name": ""}), FieldInvalid),
        (lambda client: create(client, item={**ITEM, "currency": "USD"}), FieldInvalid),
        (lambda client: create(client, item={**ITEM, "description": "x" * 2049}), FieldInvalid),
        (lambda client: create(client, item={**ITEM, "amount": 49900}), AmountError),
        (lambda client: create(client, item={**ITEM, "amount": Money(0)}), AmountError),
        (lambda client: create(client, notes={"a": "x" * 257}), FieldInvalid),
        (lambda client: create(client, extra={"notes": {}}), FieldInvalid),
        (lambda client: create(client, extra={"item": {}}), FieldInvalid),
        (lambda client: create(client, extra={"new": INR}), FieldInvalid),
        (lambda client: create(client, extra={"new": float("nan")}), FieldInvalid),
        (lambda client: create(client, extra=["new"]), FieldInvalid),
        (lambda client: create(client, extra={1: 2}), FieldInvalid),
        (lambda client: client.plans.fetch("plan_x/../plans"), IdMalformed),
        (lambda client: client.plans.list(count=101), FieldInvalid),
        (lambda client: client.plans.list(from_=2, to=1), FieldInvalid),
        (lambda client: list(client.plans.iter(count=0)), FieldInvalid),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What Razorpay would refuse, or what could be misread as money, is refused here."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (create, plan(period="weekly"), "period"),
        (create, plan(interval=2), "interval"),
        (create, plan(item=item(amount=100)), "amount"),
        (create, plan(item=item(currency="USD")), "currency"),
        (lambda client: client.plans.fetch(PLAN_ID), plan(id="plan_00000000000002"), "id"),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """What is charged, and how often, is what was asked for."""
    rejects(call, answer, field)


def test_an_answer_without_its_item_is_taken() -> None:
    """Razorpay did not say what it costs, which is no contradiction."""
    tried(CASES["create"]._replace(answer=plan(item=[]), result=None))

"""Settlements through the client: the report line by line, none lost, none twice; money at once, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from client_fakes import collection, rig
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import AmountError, CurrencyError, FieldInvalid, IdMalformed, OutcomeUnknown
from support.billing import WINDOW, Case, ids, refuses, rejects, tried
from support.moving import INSTANT_ID, SETTLEMENT_ID, instant, recon_item, settlement

FIVE = Money.inr("5.00")
RECON = "/v1/settlements/recon/combined"
ONDEMAND = "/v1/settlements/ondemand"

CASES = {
    "fetch": Case(
        lambda client: client.settlements.fetch(SETTLEMENT_ID).money,
        f"GET /v1/settlements/{SETTLEMENT_ID}",
        {},
        settlement(),
        Money(97100),
    ),
    "list": Case(
        lambda client: ids(client.settlements.list(count=5, **WINDOW)),
        "GET /v1/settlements",
        {"from": 1_700_000_000, "to": 1_700_000_100, "count": 5, "skip": 0},
        collection(settlement()),
        [SETTLEMENT_ID],
    ),
    "iter": Case(
        lambda client: ids(client.settlements.iter(cursor="skip:7")),
        "GET /v1/settlements",
        {"count": 100, "skip": 7},
        collection(settlement()),
        [SETTLEMENT_ID],
    ),
    "recon of a day": Case(
        lambda client: [line.net for line in client.settlements.recon(year=2026, month=3, day=9, skip=5).items],
        f"GET {RECON}",
        {"year": "2026", "month": "03", "day": "09", "count": 1000, "skip": 5},
        collection(recon_item()),
        [97100],
    ),
    "recon of a month": Case(
        lambda client: client.settlements.recon(year=2026, month=12, count=1).has_more,
        f"GET {RECON}",
        {"year": "2026", "month": "12", "count": 1, "skip": 0},
        collection(recon_item()),
        True,
    ),
    "every line": Case(
        lambda client: [line.entity_id for line in client.settlements.iter_recon(year=2026, month=3)],
        f"GET {RECON}",
        {"year": "2026", "month": "03", "count": 1000, "skip": 0},
        collection(recon_item()),
        ["pay_DEXrnipqTmWVGE"],
    ),
    "create instant": Case(
        lambda client: (
            client.settlements.create_instant(FIVE, description="Evening payout 7", notes={"shop": "7"}).requested
        ),
        f"POST {ONDEMAND}",
        {"amount": 500, "description": "Evening payout 7", "notes": {"shop": "7"}},
        instant(),
        FIVE,
    ),
    "settle everything": Case(
        lambda client: client.settlements.create_instant(FIVE, settle_full_balance=True).requested,
        f"POST {ONDEMAND}",
        {"amount": 500, "settle_full_balance": True},
        instant(amount_requested=97100, settle_full_balance=True),
        Money(97100),
    ),
    "fetch instant": Case(
        lambda client: client.settlements.fetch_instant(INSTANT_ID, expand=["ondemand_payouts"]).status,
        f"GET {ONDEMAND}/{INSTANT_ID}",
        {"expand[]": ["ondemand_payouts"]},
        instant(),
        "created",
    ),
    "list instant": Case(
        lambda client: ids(client.settlements.list_instant(skip=2, **WINDOW)),
        f"GET {ONDEMAND}",
        {"from": 1_700_000_000, "to": 1_700_000_100, "count": 100, "skip": 2},
        collection(instant()),
        [INSTANT_ID],
    ),
    "every instant": Case(
        lambda client: ids(client.settlements.iter_instant(expand=["ondemand_payouts"])),
        f"GET {ONDEMAND}",
        {"expand[]": ["ondemand_payouts"], "count": 100, "skip": 0},
        collection(instant()),
        [INSTANT_ID],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


def report(client: Client, **changes: Any) -> Any:
    return client.settlements.recon(**{"year": 2026, "month": 3, **changes})


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: client.settlements.fetch(INSTANT_ID), IdMalformed),
        (lambda client: client.settlements.fetch("recon"), IdMalformed),
        (lambda client: client.settlements.list(count=101), FieldInvalid),
        (lambda client: report(client, count=1001), FieldInvalid),
        (lambda client: report(client, count=0), FieldInvalid),
        (lambda client: report(client, skip=-1), FieldInvalid),
        (lambda client: report(client, year=26), FieldInvalid),
        (lambda client: report(client, year="2026"), FieldInvalid),
        (lambda client: report(client, month=13), FieldInvalid),
        (lambda client: report(client, month=True), FieldInvalid),
        (lambda client: report(client, day=0), FieldInvalid),
        (lambda client: report(client, month=2, day=30), FieldInvalid),
        (lambda client: client.settlements.iter_recon(year=2026, month=3, count=1001), FieldInvalid),
        (lambda client: client.settlements.iter_recon(year=2026, month=3, cursor="x"), FieldInvalid),
        (lambda client: client.settlements.create_instant(500), AmountError),
        (lambda client: client.settlements.create_instant(Money(0)), AmountError),
        (lambda client: client.settlements.create_instant(None), FieldInvalid),
        (lambda client: client.settlements.create_instant(Money(500, "USD")), CurrencyError),
        (lambda client: client.settlements.create_instant(FIVE, settle_full_balance=1), FieldInvalid),
        (lambda client: client.settlements.create_instant(FIVE, description="a-b"), FieldInvalid),
        (lambda client: client.settlements.create_instant(FIVE, description="a" * 31), FieldInvalid),
        (lambda client: client.settlements.create_instant(FIVE, extra={"amount": 1}), FieldInvalid),
        (lambda client: client.settlements.fetch_instant(SETTLEMENT_ID), IdMalformed),
        (lambda client: client.settlements.list_instant(expand="ondemand_payouts"), FieldInvalid),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """Dates are real ones, pages are as large as Razorpay makes them, and amounts are rupees."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (lambda client: client.settlements.fetch(SETTLEMENT_ID), settlement(id="setl_X"), "id"),
        (lambda client: client.settlements.fetch_instant(INSTANT_ID), instant(id="setlod_X"), "id"),
        (lambda client: client.settlements.create_instant(FIVE), instant(amount_requested=501), "amount_requested"),
        (lambda client: client.settlements.create_instant(FIVE), instant(currency="USD"), "currency"),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """What is settled is what was asked for."""
    rejects(call, answer, field)


def test_an_instant_settlement_is_asked_for_once() -> None:
    """It takes no key, and costs a fee each time."""
    client, session, *_ = rig(requests.ReadTimeout)

    with pytest.raises(OutcomeUnknown):
        client.settlements.create_instant(FIVE)

    assert len(session.sent) == 1


_LINES = st.lists(
    st.builds(
        recon_item,
        entity_id=st.sampled_from(["pay_DEXrnipqTmWVGE", "rfnd_DGRcGzZSLyEdg1", "adj_EhcHONhX4ChgNC"]),
        type=st.sampled_from(["payment", "refund", "adjustment"]),
        settlement_id=st.sampled_from(["setl_DGlQ1Rj8os78Ec", "setl_DGlQ1Rj8os78Ed"]),
        debit=st.integers(0, 3),
        credit=st.integers(0, 3),
    ),
    max_size=60,
    unique_by=lambda line: (line["entity_id"], line["type"], line["settlement_id"], line["debit"], line["credit"]),
)


@settings(max_examples=40)
@given(lines=_LINES, count=st.integers(2, 40))
def test_no_line_of_the_report_is_lost_or_counted_twice(lines: list[dict[str, Any]], count: int) -> None:
    """However the pages overlap: the sum over the walk is the sum over the report. One thing may have many lines."""
    client, session, *_ = rig()

    def page() -> Any:
        skip = session.sent[-1].params["skip"]
        return collection(*lines[skip : skip + count])

    session.steps, session.forever = [page], True

    found = list(client.settlements.iter_recon(year=2026, month=3, count=count))

    assert [line.as_sent() for line in found] == lines
    assert sum(line.net for line in found) == sum(line["credit"] - line["debit"] for line in lines)


def test_a_walk_over_the_report_takes_a_thousand_lines_at_a_time() -> None:
    """A month of a busy shop is few requests; pages overlap by a twentieth."""
    lines = [recon_item(entity_id=f"pay_{n:014}") for n in range(1900)]
    client, session, *_ = rig(collection(*lines[:1000]), collection(*lines[950:]))

    assert len(list(client.settlements.iter_recon(year=2026, month=3))) == 1900
    assert [sent.params["skip"] for sent in session.sent] == [0, 950]

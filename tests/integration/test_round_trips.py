"""A constant number of statements for each event, however much is stored already (PERF-02)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bodies import ACCOUNT, START, Shop, life_of
from razorpay_hardened import Money
from razorpay_hardened.storage import PostgresStore, SQLiteStore
from razorpay_hardened.testing import factories
from support.postgres import new_schema
from support.till import new_till, open_till

LIFE = ("authorized", "captured", "order.paid", "refund.created", "refund.processed", "failed")
ORDERS = 25


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What psycopg was asked to execute: each is one round trip."""
    found: list[Any] = []
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *rest: Any, **named: Any) -> Any:
        found.append(query)
        return execute(self, query, *rest, **named)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    return found


@pytest.fixture
def postgres() -> Iterator[PostgresStore]:
    with new_schema() as url:
        made = PostgresStore(url, max_connections=1)
        new_till(made)
        yield made
        made.close()


def counts(shop: Shop, trips: list[Any]) -> list[tuple[int, ...]]:
    """For each order, how many statements each event of its life took."""
    shop.adopt(ORDERS + 1)
    shop.deliver(life_of(ORDERS + 1)["authorized"])  # the first of a process asks for the schema's version
    found = []
    for number in range(1, ORDERS + 1):
        shop.adopt(number)
        row = []
        for name in LIFE:
            before = len(trips)
            assert shop.deliver(life_of(number)[name]) == 200
            row.append(len(trips) - before)
        found.append(tuple(row))
    return found


def test_postgresql_takes_two_round_trips_for_an_event(postgres: PostgresStore, trips: list[Any]) -> None:
    """Without inline handlers: one for claiming, locking and reading, one for writing and COMMIT."""
    assert set(counts(Shop(postgres), trips)) == {(2,) * len(LIFE)}


def test_postgresql_takes_two_round_trips_for_a_duplicate(postgres: PostgresStore, trips: list[Any]) -> None:
    """Claiming finds it; COMMIT ends it; nothing is written."""
    shop = Shop(postgres)
    shop.adopt(1)
    shop.deliver(life_of(1)["captured"])
    before = len(trips)
    assert shop.deliver(life_of(1)["captured"]) == 200
    assert len(trips) - before == 2


def test_postgresql_takes_a_constant_number_more_for_each_handler(postgres: PostgresStore, trips: list[Any]) -> None:
    """A savepoint, its release, the handler's own statement and the record of it: for the first as for the last."""
    shop = open_till(postgres)
    (only,) = set(counts(shop, trips))
    assert only[0] == 2  # no handler is called
    # Two handlers: written before they run, so that COMMIT goes alone; and a look at whether effects are paused.
    assert only[1] == 2 + 2 + 2 * 4
    assert only[2] == 2  # its milestones have fired
    assert only[4] == 2 + 2 + 4


def test_postgresql_takes_two_round_trips_for_any_other_kind(postgres: PostgresStore, trips: list[Any]) -> None:
    """The charge of a subscription, its dispute, a settlement: the entity and its milestones travel along."""
    shop = Shop(postgres)
    shop.rzp.checkout.adopt("order_Sample00000001", owner="user:7", amount=Money(49900))
    shop.deliver(life_of(1)["captured"])
    for number in range(1, ORDERS):
        for event in ("subscription.charged", "payment.dispute.won", "settlement.processed", "qr_code.credited"):
            other = {"payment": {"id": "pay_Sample00000002"}} if event == "qr_code.credited" else {}
            before = len(trips)
            raw = factories.body(event, account_id=ACCOUNT, at=START + timedelta(seconds=number), **other)
            assert shop.deliver(raw) == 200
            assert len(trips) - before == 2, (event, number, trips[before:])


def test_sqlite_takes_a_constant_number_of_statements(tmp_path: Path) -> None:
    """The same events of the first and of the last order run the same number of statements."""
    store = SQLiteStore(tmp_path / "shop.db")
    new_till(store)
    ran: list[str] = []
    with store.transaction() as tx:
        tx.connection.set_trace_callback(ran.append)
    (only,) = set(counts(Shop(store), ran))
    assert max(only) <= 30
    store.close()

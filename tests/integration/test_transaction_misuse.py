"""H3 on every store and connection: a handler that ends the transaction it runs in is found out, loudly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bodies import Shop, body, order_id, payment
from bodies import request as signed
from razorpay_hardened import DbApiStore, MemoryStore, PostgresStore, SQLiteStore
from razorpay_hardened.signals import Alarm
from support import applications
from support.postgres import new_tables

CAPTURED = body("payment.captured", payment=payment(1, "captured"))

DRIVERS = {
    "sqlite3": applications.sqlite3_connections,
    "psycopg": partial(applications.psycopg_connections, schema=new_tables),
    "sqlalchemy-sqlite": applications.sqlalchemy_on_sqlite,
    "sqlalchemy-postgresql": partial(applications.sqlalchemy_on_postgresql, schema=new_tables),
    "django-sqlite": applications.django_on_sqlite,
    "django-postgresql": partial(applications.django_on_postgresql, schema=new_tables),
}


@pytest.fixture(params=["memory", "sqlite", "postgres", *DRIVERS])
def ours(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A shop with order 1: on each store, and on each connection that an application may already have."""
    with ExitStack() as stack:
        store = _store(request.param, stack, tmp_path)
        store.migrate()
        made = Shop(store)
        made.adopt(1)
        made.adopt(2)
        with store.transaction() as tx:
            tx.execute("CREATE TABLE touched (what TEXT)")
        yield made


def _store(kind: str, stack: ExitStack, folder: Path) -> Any:
    if kind in DRIVERS:
        return DbApiStore(DRIVERS[kind](stack, folder))
    made = {
        "memory": MemoryStore,
        "sqlite": lambda: SQLiteStore(folder / "shop.db"),
        "postgres": lambda: PostgresStore(stack.enter_context(new_tables())),
    }[kind]()
    stack.callback(made.close)
    return made


ENDS: dict[str, Callable[[Any], object]] = {
    "commit()": lambda tx: tx.connection.commit(),
    "rollback()": lambda tx: tx.connection.rollback(),
    "COMMIT": lambda tx: tx.execute("COMMIT"),
    "ROLLBACK": lambda tx: tx.execute("ROLLBACK"),
}


REFUSED_BY_THE_DRIVER = ("psycopg", "django-sqlite", "django-postgresql")
"""commit() and rollback() raise there, and end nothing: the handler's failure, like any other."""


def misuses(ours: Shop) -> list[str]:
    return [alarm.detail for alarm in ours.told(Alarm) if alarm.key == "transaction_misuse:grant"]


def ending(ours: Shop, how: str) -> list[int]:
    """Subscribe a handler that ends the transaction; gives the list of its attempts."""
    calls: list[int] = []

    @ours.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        calls.append(change.attempt)
        ENDS[how](tx)

    return calls


@pytest.mark.parametrize("how", list(ENDS))
def test_it_is_answered_500_and_told_aloud(ours: Shop, how: str, request: pytest.FixtureRequest) -> None:
    """Nothing looks as if it were done: the delivery and the effect wait, or neither is there."""
    calls = ending(ours, how)
    assert ours.deliver(CAPTURED) == 500
    assert calls == [1]
    refused = "()" in how and request.node.callspec.params["ours"] in REFUSED_BY_THE_DRIVER
    assert misuses(ours) == ([] if refused else ["grant ended the transaction that it runs in"])
    assert {row.state for row in ours.store.effects()} <= {"waiting"}
    assert {row.state for row in ours.store.deliveries()} <= {"waiting"}
    assert ours.deliver(CAPTURED) == 500
    assert len(calls) == 2


@pytest.mark.parametrize("how", ["COMMIT", "ROLLBACK"])
def test_a_mended_handler_is_called_by_the_redelivery(ours: Shop, how: str) -> None:
    """What was half committed is finished, what was undone is done again."""
    mended: list[bool] = []

    @ours.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        if not mended:
            ENDS[how](tx)
        tx.execute("INSERT INTO touched VALUES ('granted')")

    assert ours.deliver(CAPTURED) == 500
    mended.append(True)
    assert ours.deliver(CAPTURED) == 200
    assert [row.state for row in ours.store.effects()] == ["done"]
    assert [row.state for row in ours.store.deliveries()] == ["done"]
    assert ours.rzp.checkout.status(order_id(1)).status == "paid"
    with ours.store.transaction() as tx:
        assert len(tx.execute("SELECT what FROM touched").fetchall()) == 1


@pytest.mark.parametrize("how", list(ENDS))
def test_in_a_batch_it_costs_its_neighbours_nothing(ours: Shop, how: str) -> None:
    """They are answered 200 with their effects done; only the delivery of the one that cannot behave waits."""

    @ours.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        if change.order.razorpay_order_id == order_id(2):
            ENDS[how](tx)
        tx.execute("INSERT INTO touched VALUES ('granted')")

    ours.adopt(3)
    raws = [body("payment.captured", payment=payment(number, "captured")) for number in (1, 2, 3)]
    replies = ours.rzp.webhooks.handle_many([signed(raw) for raw in raws])
    assert [reply.status for reply in replies] == [200, 500, 200]
    done = {row.anchor for row in ours.store.effects(states=("done",))}
    assert done == {order_id(1), order_id(3)}
    assert {row.state for row in ours.store.deliveries() if row.state != "done"} <= {"waiting"}


def test_a_worker_counts_it_and_goes_on(ours: Shop) -> None:
    """The other order's handler runs, and the one that cannot behave is given up after eight attempts."""
    ours = Shop(ours.store, ack="stored")  # the same store, with a worker
    good: list[str] = []

    @ours.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        if change.order.razorpay_order_id == order_id(1):
            tx.execute("ROLLBACK")
        else:
            good.append(change.key)

    for number in (1, 2):
        assert ours.deliver(body("payment.captured", payment=payment(number, "captured"))) == 200
    ours.rzp.webhooks.process_pending()
    assert good == [f"order.paid:{order_id(2)}"]
    for _ in range(30):
        ours.clock.advance(3600)
        ours.rzp.webhooks.process_pending()
    rows = {row.anchor: (row.state, row.attempts) for row in ours.store.effects()}
    assert rows == {order_id(1): ("dead", 8), order_id(2): ("done", 1)}
    (error,) = [row.error for row in ours.store.effects(states=("dead",))]
    assert (error or "").startswith("TransactionMisuse")
    assert len(misuses(ours)) == 1

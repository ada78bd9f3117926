"""Batches and twins on PostgreSQL: a batch is a handful of round trips, and a twin in another process waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from bodies import Shop, body, life_of, order_id, payment, refund, request
from razorpay_hardened.signals import Alarm, EventDuplicate
from razorpay_hardened.storage import PostgresStore
from support.postgres import new_tables

CAPTURED = life_of(1)["captured"]


@pytest.fixture
def url() -> Iterator[str]:
    with new_tables() as made:
        store = PostgresStore(made)
        store.migrate()
        with store.transaction() as tx:
            tx.execute("CREATE TABLE called (handler TEXT, key TEXT, PRIMARY KEY (handler, key))")
        store.close()
        yield made


@pytest.fixture
def shops(url: str) -> Iterator[Any]:
    """``shops()``: a shop with a store of its own on the same tables, as another process has."""
    made: list[Shop] = []

    def make() -> Shop:
        ours = Shop(PostgresStore(url))
        made.append(ours)
        return ours

    yield make
    for ours in made:
        ours.store.close()


def counting(ours: Shop) -> None:
    for milestone in ("order.paid", "payment.captured"):

        @ours.rzp.on(milestone, name=f"on {milestone}", unbound=True)
        def call(change: Any, tx: Any) -> None:
            tx.execute("INSERT INTO called VALUES (%s, %s)", (change.milestone, change.key))


def test_a_batch_is_a_handful_of_round_trips(shops: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty deliveries, no handler: as many trips as two deliveries take; poison, parked, duplicates among them."""
    ours = shops()
    for number in range(1, 31):
        ours.adopt(number)
    first = [life_of(number)["captured"] for number in (29, 30)]
    assert [reply.status for reply in ours.rzp.webhooks.handle_many(list(map(request, first)))] == [200, 200]
    trips = 0
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *rest: Any, **named: Any) -> Any:
        nonlocal trips
        trips += 1
        return execute(self, query, *rest, **named)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    raws = [life_of(number)["captured"] for number in range(1, 21)]
    assert [reply.status for reply in ours.rzp.webhooks.handle_many(list(map(request, raws)))] == [200] * 20
    assert trips <= 10
    odd = [
        raws[0],
        body("payment.captured", payment=payment(40, "captured", order=21, amount=1)),
        life_of(22)["captured"],
        body("payment.captured", payment=payment(41, "captured", order=99)),
        body("payment.teleported\0", payment=payment(23, "captured")),
        body("refund.created", refund=refund(24, "pending")),
        life_of(24)["captured"],
    ]
    replies = ours.rzp.webhooks.handle_many(list(map(request, odd)))
    assert [reply.body.decode().split('"')[3] for reply in replies] == [
        "duplicate",
        "quarantined",
        "processed",
        "parked",
        "ignored",
        "processed",
        "processed",
    ]
    assert {row.status for row in ours.store.orders(statuses=["paid"])} == {"paid"}
    assert len(ours.store.orders(statuses=["paid"], limit=100)) == 24


def test_two_processes_batch_the_same_deliveries_in_other_orders(shops: Any) -> None:
    """Batches lock in one order: no deadlock is left to the senders, and each body has one effect per handler."""
    raws = [life_of(number)[name] for number in range(1, 13) for name in ("authorized", "captured", "order.paid")]
    first = shops()
    for number in range(1, 13):
        first.adopt(number)
    statuses: list[int] = []
    lock = threading.Lock()

    def deliver(start: int) -> None:
        ours = shops()
        counting(ours)
        for turn in range(0, len(raws), 12):
            part = [raws[(start * 5 + turn + place * (1 if start % 2 else -1)) % len(raws)] for place in range(12)]
            came = ours.rzp.webhooks.handle_many(list(map(request, part)))
            with lock:
                statuses.extend(reply.status for reply in came)

    threads = [threading.Thread(target=deliver, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(statuses) == 4 * len(raws)
    assert set(statuses) <= {200, 409}
    for raw in raws:
        first.deliver(raw)
    states = {row.state for row in first.store.effects(limit=1000)}
    assert states == {"done"}
    with first.store.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM called").fetchone()[0] == 24
    assert len(first.store.orders(statuses=["paid"], limit=100)) == 12


@pytest.mark.parametrize("hangs", [False, True])
def test_a_twin_in_another_process(shops: Any, hangs: bool) -> None:
    """Its claim waits for the first: then a duplicate, or 409 + Retry-After where the first still runs after 2 s."""
    one, other = shops(), shops()
    one.adopt(1)
    running, go_on = threading.Event(), threading.Event()

    @one.rzp.on("order.paid", name="slow")
    def slow(change: Any, tx: Any) -> None:
        running.set()
        assert go_on.wait(20)

    statuses: dict[str, int] = {}
    first = threading.Thread(target=lambda: statuses.update(first=one.rzp.webhooks.handle(request(CAPTURED)).status))
    first.start()
    assert running.wait(20)
    twin = threading.Thread(target=lambda: statuses.update(twin=other.rzp.webhooks.handle(request(CAPTURED)).status))
    twin.start()
    if hangs:
        twin.join(20)
    go_on.set()
    first.join(20)
    twin.join(20)
    assert statuses == {"first": 200, "twin": 409 if hangs else 200}
    assert other.told(Alarm) == []
    assert len(other.told(EventDuplicate)) == (0 if hangs else 1)


def test_a_lock_on_the_order_is_not_a_twin(shops: Any) -> None:
    """503, as before: another delivery about the same order that hangs is no reason to say 409 (DESIGN section 3)."""
    one, other = shops(), shops()
    one.adopt(1)
    with one.store.transaction() as tx:
        tx.execute("SELECT FROM razorpay_anchors WHERE key = %s FOR UPDATE", (order_id(1),))
        assert other.rzp.webhooks.handle(request(CAPTURED)).status == 503
    assert other.rzp.webhooks.handle(request(CAPTURED)).status == 200

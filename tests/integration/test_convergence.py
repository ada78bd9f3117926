"""The law on real stores: whatever the order of arrival, the same facts end in the same state (FAULTS E1, E2, E9)."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from functools import lru_cache
from itertools import count, islice, permutations
from pathlib import Path
from typing import Any

import pytest

from bodies import AMOUNT, Shop, life_of, order_id, payment_id
from razorpay_hardened import MemoryStore, PostgresStore, SQLiteStore
from razorpay_hardened.domain.audit import broken_at
from razorpay_hardened.domain.lifecycle import MILESTONES, ORDER_RANK, PAYMENT_RANK, REFUND_RANK
from razorpay_hardened.ports.store import Store
from support.branches import branch
from support.postgres import new_schema

EVENTS = tuple(life_of(0))
BODIES = lru_cache(maxsize=1)(life_of)
ONCE = {
    "payment.authorized",
    "payment.captured",
    "order.paid",
    "refund.created",
    "refund.processed",
    "payment.refunded",
}
RANKS = {"payment": PAYMENT_RANK, "order": ORDER_RANK, "refund": REFUND_RANK}


EVERY: dict[type, int] = {} if os.environ.get("CONVERGE") == "all" else {PostgresStore: 48, SQLiteStore: 7}
"""On a database every so many of the 720 orders is tried, in memory all; ``CONVERGE=all`` (``make storm``) tries all.

Seven and the six events have no divisor in common, so each event comes in each place.
"""
REGISTERED = {"before": 0, "amid": len(EVENTS) // 2, "after": len(EVENTS)}
"""Before which of the events the order is registered."""


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with ExitStack() as stack:
        made: Store
        if request.param == "memory":
            made = MemoryStore()
        elif request.param == "sqlite":
            made = SQLiteStore(tmp_path / "law.db")
        else:
            made = PostgresStore(stack.enter_context(new_schema()))
        made.migrate()
        yield made
        made.close()


def counting_shop(store: Store) -> tuple[Shop, dict[str, Counter[str]]]:
    """A shop whose handlers count, in the transaction, what fired: milestones by order."""
    shop = Shop(store)
    fired: dict[str, Counter[str]] = defaultdict(Counter)
    for milestone in MILESTONES:

        def count_it(change: Any, tx: Any) -> None:
            fired[change.order.razorpay_order_id][change.milestone] += 1

        shop.rzp.on(milestone, name="count")(count_it)
    return shop, fired


def live(shop: Shop, number: int, arrivals: Sequence[str], *, registered_at: int, times: int = 1) -> None:
    """Deliver the events in this order, each so many times, registering the order before event ``registered_at``."""
    for place, name in enumerate(arrivals):
        arrive(shop, number, name, register=place == registered_at, times=times)
    if registered_at >= len(arrivals):
        shop.adopt(number)


def arrive(shop: Shop, number: int, name: str, *, register: bool, times: int) -> None:
    """Let one event come, so many times; first register its order, if it is time for that."""
    if register:
        shop.adopt(number)
    for _ in range(times):
        assert shop.deliver(BODIES(number)[name]) == 200


def end_of(store: Store, number: int) -> tuple[Any, ...]:
    order = store.order(order_id(number))
    payment = store.payment(payment_id(number))
    refund = store.refund(f"rfnd_{number:014d}")
    assert order is not None
    assert payment is not None
    assert refund is not None
    return order.status, payment.status, payment.captured, payment.refunded, payment.surplus, refund.status


def check_trail(store: Store, number: int) -> None:
    """No status of the trail went backwards, and its chain is whole (P3, P4)."""
    anchor = next(a for a in store.anchors(after_key=order_id(number)[:-1], limit=10_000) if a.key == order_id(number))
    rows = store.audit(anchor.key)
    assert broken_at(rows, anchor.audit_seq, anchor.audit_head) is None
    for row in rows:
        if row.what == "changed" and row.before is not None and row.after is not None:
            ranks = RANKS[row.kind]
            assert ranks[row.before] <= ranks[row.after], row


def check_end(store: Store, fired: Counter[str], number: int, arrivals: Sequence[str]) -> None:
    """Paid and refunded; every milestone fired exactly once, payment.failed only where it came before any success."""
    assert end_of(store, number) == ("paid", "refunded", True, AMOUNT, False, "processed"), arrivals
    here = dict(fired)
    failed = here.pop("payment.failed", 0)
    assert here == dict.fromkeys(ONCE, 1), arrivals
    assert failed == (1 if arrivals[0] == "failed" else 0), arrivals


@pytest.mark.slow
@pytest.mark.parametrize("registered", REGISTERED)
@pytest.mark.parametrize("times", [1, 2], ids=["once", "doubled"])
@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
def test_all_720_orders_of_arrival_converge(store: Store, registered: str, times: int) -> None:
    """Every permutation ends paid and refunded, and fires every milestone exactly once; payment.failed at most once."""
    shop, fired = counting_shop(store)
    step = EVERY.get(type(store), 1)
    for number, arrivals in zip(count(1), islice(permutations(EVENTS), 0, None, step), strict=False):
        live(shop, number, arrivals, registered_at=REGISTERED[registered], times=times)
        check_end(store, fired[order_id(number)], number, arrivals)
        if number % 40 == 0:
            check_trail(store, number)
    assert not store.effects(states=("waiting", "leased", "dead"))


@pytest.mark.slow
@pytest.mark.parametrize("registered", REGISTERED)
@pytest.mark.parametrize("times", [1, 2], ids=["once", "doubled"])
def test_all_720_orders_of_arrival_converge_in_memory(registered: str, times: int) -> None:
    """The same, and all of them: permutations that begin alike share what they have in common, as branches a stem."""
    ends: list[tuple[str, ...]] = []
    with closing(MemoryStore()) as store:
        shop, fired = counting_shop(store)

        def grow(arrivals: tuple[str, ...]) -> None:
            counted = fired[order_id(1)].copy()
            for name in EVENTS:
                if name in arrivals:
                    continue
                with branch(store):
                    arrive(shop, 1, name, register=len(arrivals) == REGISTERED[registered], times=times)
                    grow((*arrivals, name))
                fired[order_id(1)] = counted.copy()
            if len(arrivals) == len(EVENTS):
                if registered == "after":
                    shop.adopt(1)
                check_end(store, fired[order_id(1)], 1, arrivals)
                check_trail(store, 1)
                assert not store.effects(states=("waiting", "leased", "dead")), arrivals
                ends.append(arrivals)

        grow(())
    assert ends == list(permutations(EVENTS))


def test_duplicates_from_the_whole_life_change_nothing(store: Store) -> None:
    """Fifty deliveries of each event leave one state and one effect (FAULTS E1)."""
    shop, fired = counting_shop(store)
    live(shop, 1, EVENTS, registered_at=0, times=50)
    assert set(fired) == {order_id(1)}
    assert set(fired[order_id(1)].values()) == {1}

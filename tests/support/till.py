"""A shop that counts: one row for each effect, in a table without a unique key, so that a second one is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from bodies import Shop, life_of
from razorpay_hardened.ports.store import Store
from razorpay_hardened.ports.unit import transact
from support.workload import insert

__all__ = ["deliver_until_done", "granted", "new_till", "open_till", "paid_events"]


def new_till(store: Store) -> Store:
    """``store``, migrated, with the table of effects."""
    store.migrate()
    with store.transaction() as tx:
        tx.execute("CREATE TABLE granted (order_id TEXT NOT NULL, milestone TEXT NOT NULL)")
    return store


def open_till(store: Store, **options: Any) -> Shop:
    """A shop whose inline handlers write a row for each capture, each paid order and each refund."""
    shop = Shop(store, **options)
    for milestone in ("payment.captured", "order.paid", "refund.processed"):

        @shop.rzp.on(milestone, name="grant")
        def grant(change: Any, tx: Any) -> None:
            values = (change.order.razorpay_order_id, change.milestone)
            insert(tx, "INSERT INTO granted (order_id, milestone) VALUES (?, ?)", values)

    return shop


def granted(store: Store) -> Counter[tuple[str, str]]:
    """(order, milestone) → how many times its effect happened."""

    def read(tx: Any) -> Counter[tuple[str, str]]:
        return Counter(tuple(row) for row in tx.execute("SELECT order_id, milestone FROM granted").fetchall())

    return transact(store, read)  # a test may just have killed the connections


def paid_events(orders: Iterable[int]) -> list[bytes]:
    """Three bodies for each order: authorized, captured, order.paid."""
    names = ("authorized", "captured", "order.paid")
    return [life_of(number)[name] for number in orders for name in names]


def deliver_until_done(shop: Shop, raw: bytes, *, tries: int = 200) -> Counter[int]:
    """Deliver as Razorpay does, until it is answered 200; gives all answers."""
    answers: Counter[int] = Counter()
    for _ in range(tries):
        status = shop.deliver(raw)
        answers[status] += 1
        if status == 200:
            return answers
    raise AssertionError(f"never answered 200: {answers}")

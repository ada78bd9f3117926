"""A recovery beside webhooks that come back at that moment, on real databases: each effect once, the books equal."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from outage import HOUR, Outage
from razorpay_hardened import PostgresStore, SQLiteStore
from support.postgres import new_schema

SALES = 25


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """One that all threads share."""
    if request.param == "sqlite":
        with closing(SQLiteStore(f"sqlite:///{tmp_path / 'shop.db'}")) as made:
            yield made
        return
    with new_schema() as url, closing(PostgresStore(url)) as made:
        yield made


@pytest.mark.parametrize("seed", range(2))
def test_webhooks_come_back_while_a_recovery_runs(store: Any, seed: int) -> None:
    """Three threads deliver everything that had waited, each in an order of its own, until all is 200; a recovery
    runs meanwhile. Every handler is told of every milestone once, by whoever was first."""
    shop = Outage(store=store)
    shop.rz.deliver.to(None)
    sold = [shop.sell() for _ in range(SALES)]
    refunds = [shop.rz.refund(payment, 10_000)["id"] for _, payment in sold[::5]]
    shop.passes(HOUR)
    dispute = shop.rz.dispute(sold[1][1])["id"]
    shop.passes(HOUR)
    deliveries = shop.rz.deliver.pending()
    failures: list[str] = []

    def deliver(number: int) -> None:
        left = list(deliveries)
        random.Random(seed * 10 + number).shuffle(left)
        for _ in range(20):
            left = [one for one in left if shop.receive(one.method, one.headers, one.body) != 200]
            if not left:
                return
        failures.append(f"{len(left)} deliveries are not answered 200")

    threads = [Thread(target=deliver, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    recovered = shop.rzp.recovery.run()
    for thread in threads:
        thread.join(timeout=60)

    assert failures == []
    assert recovered.complete
    assert shop.rzp.recovery.run().milestones == {}
    keys = [f"order.paid:{order}" for order, _ in sold]
    keys += [f"payment.{word}:{payment}" for _, payment in sold for word in ("authorized", "captured")]
    keys += [f"refund.{word}:{refund}" for refund in refunds for word in ("created", "processed")]
    keys += [f"dispute.created:{dispute}:chargeback"]
    assert shop.keys == Counter(keys)
    assert {row.status for row in store.orders()} == {"paid"}
    assert shop.rzp.audit.verify().broken == ()
    shop.close()

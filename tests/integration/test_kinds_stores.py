"""The law of other kinds on every SQL store: one life, several orders of arrival, and writers at the same time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import islice, permutations
from pathlib import Path
from typing import Any

import pytest

from bodies import ACCOUNT, START, Shop
from razorpay_hardened import PostgresStore, SQLiteStore
from razorpay_hardened.domain.audit import broken_at
from razorpay_hardened.domain.kinds import ENTITY_MILESTONES
from razorpay_hardened.ports.store import Store
from razorpay_hardened.testing import factories
from razorpay_hardened.testing._contract_values import started
from support.postgres import new_tables


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with ExitStack() as stack:
        made: Store
        if request.param == "sqlite":
            made = SQLiteStore(tmp_path / "law.db")
        else:
            made = PostgresStore(stack.enter_context(new_tables()))
        made.migrate()
        yield made
        made.close()


def life(number: int) -> list[bytes]:
    """A subscription that is charged twice, falters and is cancelled, and a dispute about its first charge."""
    told: list[tuple[str, dict[str, Any]]] = [
        ("subscription.activated", {}),
        ("subscription.charged", {"payment": {"id": f"pay_First{number:09d}", "order_id": None}}),
        ("subscription.pending", {"subscription": {"status": "pending"}}),
        ("subscription.charged", {"payment": {"id": f"pay_Second{number:08d}", "order_id": None}}),
        ("subscription.cancelled", {"subscription": {"status": "cancelled"}}),
        ("payment.dispute.lost", {"payment": {"id": f"pay_First{number:09d}", "order_id": None}}),
    ]
    return [
        factories.body(event, n=number, account_id=ACCOUNT, at=START + timedelta(seconds=at), **entities)
        for at, (event, entities) in enumerate(told)
    ]


ONCE = {
    "subscription.activated": 1,
    "subscription.charged": 2,
    "subscription.pending": 1,
    "subscription.cancelled": 1,
    "dispute.created": 1,
    "dispute.lost": 1,
}


def counting(store: Store) -> tuple[Shop, list[tuple[str, str]]]:
    shop = Shop(store)
    fired: list[tuple[str, str]] = []
    for milestone in ENTITY_MILESTONES:
        shop.rzp.on(milestone, name="count")(
            lambda change, tx: fired.append((change.entity.entity_id, change.milestone))
        )
    return shop, fired


def check(store: Store, fired: list[tuple[str, str]], number: int) -> None:
    """The end of one life, its milestones, and its trail."""
    subscription, dispute = f"sub_Sample{number:08d}", f"disp_Sample{number:08d}"
    ends = {row.entity_id: row.status for row in (store.entity(subscription), store.entity(dispute)) if row is not None}
    assert ends == {subscription: "cancelled", dispute: "lost"}
    assert Counter(name for entity, name in fired if entity in ends) == ONCE
    for key in ends:
        anchor = store.anchor(key)
        assert anchor is not None
        assert broken_at(store.audit(key), anchor.audit_seq, anchor.audit_head) is None


def test_orders_of_arrival_converge(store: Store) -> None:
    """Twelve of the 720, each with every delivery doubled."""
    shop, fired = counting(store)
    for number, arrivals in enumerate(islice(permutations(range(6)), 0, None, 61), start=1):
        bodies = life(number)
        for place in arrivals:
            assert shop.deliver(bodies[place]) == shop.deliver(bodies[place]) == 200
        check(store, fired, number)
    assert not store.effects(states=("waiting", "leased", "dead"))


def test_writers_at_the_same_time_lose_nothing(store: Store) -> None:
    """All six deliveries of a life at once, for four lives: what was told of one entity is decided one by one."""
    shop, fired = counting(store)
    for number in range(1, 5):

        def deliver(raw: bytes) -> int:
            status = shop.deliver(raw)
            while status == 503:  # another one was in the way for too long: Razorpay sends it again
                status = shop.deliver(raw)
            return status

        joins = [started(lambda raw=raw: deliver(raw)) for raw in life(number)]  # type: ignore[misc]
        assert [join() for join in joins] == [200] * 6
        check(store, fired, number)

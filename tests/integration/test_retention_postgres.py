"""Retention on a real PostgreSQL: the same law, and plans without a sequential scan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bodies import Shop, body, payment_id, refund
from razorpay_hardened import PostgresStore
from razorpay_hardened.retention import Counts
from razorpay_hardened.storage._keeping import keeping
from razorpay_hardened.storage._statements import POSTGRESQL, many
from support.postgres import new_schema
from unit.test_retention import CANARIES, DAY, books, broken_chains, captured, everything, person, seen_in, shop


@pytest.fixture
def ours() -> Iterator[Shop]:
    """A shop on PostgreSQL that two people have paid."""
    with new_schema() as url:
        made = shop(1, 2, store=PostgresStore(url))
        yield made
        made.store.close()


def test_nobody_is_left_and_the_books_are_as_they_were(ours: Shop) -> None:
    """Plan, apply, and apply again; a redelivery is still a duplicate."""
    ours.deliver(body("refund.processed", refund=refund(1, "processed"), payment=person(1, "refunded")))
    assert seen_in(everything(ours.store)) == list(CANARIES)
    ours.clock.advance(400 * DAY)
    before = books(ours.store)
    planned = ours.rzp.retention.plan()
    assert seen_in(everything(ours.store)) == list(CANARIES)
    done = ours.rzp.retention.apply()
    assert planned.counts == done.counts
    assert done.counts["snapshots"] == Counts(erased=5)
    assert seen_in(everything(ours.store)) == []
    assert books(ours.store) == before
    assert broken_chains(ours.store) == []
    assert ours.rzp.retention.apply().erased == 0
    assert ours.deliver(captured(1)) == 200
    assert books(ours.store) == before


def test_holds_and_late_news(ours: Shop) -> None:
    """A hold keeps its order; the other is forgotten, and stays so."""
    ours.rzp.retention.hold(payment_id(1), actor="legal")
    told = ours.rzp.retention.erase(owner="user:1")
    assert told.held
    assert ours.rzp.retention.erase(owner="user:2").complete
    ours.deliver(body("refund.processed", refund=refund(2, "processed"), payment=person(2, "refunded")))
    assert [bool(row.body) for row in ours.store.deliveries()] == [True, False, False]
    ours.rzp.retention.release(payment_id(1))
    assert ours.rzp.retention.erase(owner="user:1").complete
    assert seen_in(everything(ours.store)) == []


def test_no_statement_scans_a_table(ours: Shop) -> None:
    """With sequential scans priced out, a plan that still has one has no index to use."""
    texts = keeping(POSTGRESQL)
    values = {"marks": ["", "a", "b", 5], "received": [0, 5], "holds": ["", 5], "seal": [1], "shorten": ["x", 1, "x"]}
    moment = ours.clock.now()
    values |= {"erase": [b"", "x", moment, "x", moment], "drop": ["x", moment], "erase_one": [b"", moment, "x"]}
    with ours.store.transaction() as tx:
        tx.execute("SET LOCAL enable_seqscan = off")
        for name, sql in texts.items():
            if name in ("switches", "any_hold") or name.startswith("put_"):
                continue
            text = many(sql, 3, "%s")
            plan = tx.execute(f"EXPLAIN {text}", values.get(name, ["x"] * text.count("%s"))).fetchall()
            assert not [row for row in plan if "Seq Scan" in str(row)], (name, plan)

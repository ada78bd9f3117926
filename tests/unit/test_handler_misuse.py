"""A handler that commits on the application's own connection: half of our work is in the database by then (H3).

What is committed must not look as if it were done, and must not be tried for ever. The same on every other store and
connection: ``tests/integration/test_transaction_misuse.py``.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bodies import Shop, body, life_of, order_id, payment, request
from razorpay_hardened import DbApiStore, MemoryStore
from razorpay_hardened.errors import StorageConflict, StorageUnavailable, TransactionMisuse
from razorpay_hardened.ports.store import EffectRow
from razorpay_hardened.signals import Alarm, EffectDead

CAPTURED = body("payment.captured", payment=payment(1, "captured"))
HOUR = 3600.0


class Joined(DbApiStore):
    """The store on an application's connection. ``meanwhile`` happens after the next look at effects; ``fails`` is
    what the next look raises."""

    meanwhile: Callable[[], object] | None = None
    fails: Exception | None = None

    def effects(self, **chosen: Any) -> list[EffectRow]:
        if self.fails is not None:
            raise self.fails
        found = super().effects(**chosen)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return found


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Shop]:
    """A shop on a connection of the application's; it knows orders 1 to 3."""
    connection = sqlite3.connect(tmp_path / "application.db")
    made = Shop(Joined(connection))
    made.store.migrate()
    for number in (1, 2, 3):
        made.adopt(number)
    yield made
    connection.close()


class Commits:
    """A handler that ends the transaction until it is mended."""

    def __init__(self, end: str = "COMMIT") -> None:
        self.end = end
        self.mended = False
        self.calls = 0

    def __call__(self, change: Any, tx: Any) -> None:
        self.calls += 1
        if not self.mended:
            tx.execute(self.end)


def on(ours: Shop, handler: Any, milestone: str = "order.paid", name: str = "grant") -> Any:
    return ours.rzp.on(milestone, name=name)(handler)


def effects(ours: Shop) -> list[tuple[str, str, int]]:
    return [(row.handler, row.state, row.attempts) for row in ours.store.effects()]


def states(ours: Shop) -> list[str]:
    return [row.state for row in ours.store.deliveries()]


def test_what_it_committed_waits_and_is_finished_by_the_redelivery() -> None:
    """On a store of ours a COMMIT is refused and everything undone; the redelivery begins anew."""
    ours = Shop(MemoryStore())
    ours.adopt(1)
    grant = on(ours, Commits())
    assert ours.deliver(CAPTURED) == 500
    assert (effects(ours), states(ours)) == ([], [])
    grant.mended = True
    assert ours.deliver(CAPTURED) == 200
    assert effects(ours) == [("grant", "done", 1)]


def test_on_the_applications_connection_the_attempt_is_counted(ours: Shop) -> None:
    """500, the row and its delivery wait, one attempt is on record; once mended, the redelivery ends both."""
    grant = on(ours, Commits())
    assert ours.deliver(CAPTURED) == 500
    assert (effects(ours), states(ours)) == ([("grant", "waiting", 1)], ["waiting"])
    assert [alarm.key for alarm in ours.told(Alarm)] == ["transaction_misuse:grant"]
    grant.mended = True
    assert ours.deliver(CAPTURED) == 200
    assert (effects(ours), states(ours)) == ([("grant", "done", 2)], ["done"])


def test_the_attempt_of_its_neighbour_is_not_counted_twice(ours: Shop) -> None:
    """Two handlers of one order wait: what the second does to the transaction is counted on the second alone."""
    on(ours, lambda change, tx: _raise(RuntimeError("not yet")), name="before")
    on(ours, Commits())
    ours.deliver(CAPTURED)
    ours.deliver(CAPTURED)
    assert [(name, state) for name, state, _ in effects(ours)] == [("before", "waiting"), ("grant", "waiting")]
    assert {name: count for name, _, count in effects(ours)}["grant"] == 2


def test_after_20_hours_it_is_given_up(ours: Shop) -> None:
    """Like any other poison: 200 and an alarm, so that Razorpay does not switch the webhook off."""
    grant = on(ours, Commits())
    ours.deliver(CAPTURED)
    ours.clock.advance(21 * HOUR)
    assert ours.deliver(CAPTURED) == 200
    assert (effects(ours), states(ours)) == ([("grant", "dead", 2)], ["dead"])
    assert len(ours.told(EffectDead)) == 1
    assert grant.calls == 2


def test_a_rollback_leaves_nothing_to_count(ours: Shop) -> None:
    """The effect's row went with the rest: nothing waits for it, and nothing is made for it."""
    on(ours, Commits("ROLLBACK"))
    assert ours.deliver(CAPTURED) == 500
    assert (effects(ours), states(ours)) == ([], [])


def test_the_effect_of_another_delivery_is_its_own(ours: Shop) -> None:
    """A redelivery tries what waits on its order, eldest first. What an elder one's handler does there is counted on
    the elder, and this delivery is not said to wait for it."""
    elder, younger = Commits(), life_of(1)["refund.processed"]
    failing = [True]

    def fails_first(change: Any, tx: Any) -> None:
        if failing:
            raise RuntimeError("not yet")
        elder(change, tx)

    on(ours, fails_first)
    on(ours, lambda change, tx: _raise(RuntimeError("never")), "refund.processed", "book")
    assert ours.deliver(life_of(1)["captured"]) == 500
    assert ours.deliver(younger) == 500
    failing.clear()
    assert ("grant", "waiting", 2) in effects(ours)
    before = {row.digest: (row.state, row.reason) for row in ours.store.deliveries()}
    assert ours.deliver(younger) == 500
    assert elder.calls == 1
    assert {row.digest: (row.state, row.reason) for row in ours.store.deliveries()} == before
    assert ("grant", "waiting", 3) in effects(ours)


def _raise(error: Exception) -> None:
    raise error


def test_a_store_that_fails_by_then_loses_nothing(ours: Shop) -> None:
    """The misuse cannot be recorded: two alarms, 500, and the row waits for the redelivery without that attempt."""
    store: Any = ours.store
    grant = Commits()

    def commit_and_fail(change: Any, tx: Any) -> None:
        if not grant.mended:
            store.fails = StorageUnavailable()
        grant(change, tx)

    on(ours, commit_and_fail)
    assert ours.deliver(CAPTURED) == 500
    store.fails = None
    assert {alarm.key for alarm in ours.told(Alarm)} == {"transaction_misuse:grant", "storage:StorageUnavailable"}
    assert effects(ours) == [("grant", "waiting", 0)]
    grant.mended = True
    ours.rzp.webhooks.process_pending()
    assert effects(ours) == [("grant", "done", 1)]


def test_what_others_finish_meanwhile_stays_finished(ours: Shop) -> None:
    """Between the look at the effect and its lock, a worker with a mended handler has called it."""
    store: Any = ours.store
    grant = Commits()

    def worker() -> None:
        grant.mended = True
        ours.rzp.webhooks.process_pending()

    def commits_and_is_overtaken(change: Any, tx: Any) -> None:
        grant(change, tx)
        if not grant.mended:
            store.meanwhile = worker

    on(ours, commits_and_is_overtaken)
    assert ours.deliver(CAPTURED) == 500
    assert effects(ours) == [("grant", "done", 1)]


def test_in_a_batch_only_those_wait_that_were_not_called(ours: Shop) -> None:
    """The commit by hand has stored all three; those whose handlers had not run are tried by themselves. A delivery
    that had waited before the batch is none of its business."""
    calls: list[str] = []

    @ours.rzp.on("payment.authorized", name="note")
    def note(change: Any, tx: Any) -> None:
        if change.order.razorpay_order_id == order_id(1):
            raise RuntimeError("not yet")

    assert ours.deliver(life_of(1)["authorized"]) == 500

    @ours.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        calls.append(change.order.razorpay_order_id)
        if change.order.razorpay_order_id == order_id(2):
            tx.execute("COMMIT")

    requests = [request(body("payment.captured", payment=payment(number, "captured"))) for number in (1, 2, 3)]
    assert [reply.status for reply in ours.rzp.webhooks.handle_many(requests)] == [200, 500, 200]
    assert [row for row in effects(ours) if row[1] != "done"] == [("note", "waiting", 2), ("grant", "waiting", 2)]
    assert sorted(states(ours)) == ["done", "done", "waiting", "waiting"]


def test_in_a_batch_a_store_that_fails_by_then_loses_nothing(ours: Shop) -> None:
    """Two faults at once: what was committed by hand looks like any delivery, so that it is 200, with an alarm. Its
    effects are rows that have not run, and a worker finds them."""
    store: Any = ours.store
    grant, ran = Commits(), []

    @ours.rzp.on("order.paid", name="grant")
    def commit_and_fail(change: Any, tx: Any) -> None:
        if not grant.mended:
            store.fails = StorageUnavailable()
        grant(change, tx)
        ran.append(change.order.razorpay_order_id)

    requests = [request(body("payment.captured", payment=payment(number, "captured"))) for number in (1, 2)]
    replies = ours.rzp.webhooks.handle_many(requests)
    store.fails = None
    assert [reply.status for reply in replies] == [200, 200]
    assert {alarm.key for alarm in ours.told(Alarm)} == {"transaction_misuse:grant", "storage:StorageUnavailable"}
    assert effects(ours) == [("grant", "waiting", 0)] * 2
    grant.mended = True
    ran.clear()
    ours.rzp.webhooks.process_pending()
    assert sorted(ran) == [order_id(1), order_id(2)]


def test_a_worker_counts_it_and_goes_on_with_the_other_orders(ours: Shop) -> None:
    """One handler that cannot behave holds up its own order, and nobody else's."""
    working = Shop(ours.store, ack="stored")
    good: list[str] = []

    @working.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        if change.order.razorpay_order_id == order_id(1):
            tx.execute("COMMIT")
        else:
            good.append(change.key)

    for number in (1, 2):
        working.deliver(body("payment.captured", payment=payment(number, "captured")))
    done = working.rzp.webhooks.process_pending()
    assert (done.retried, done.failed) == (2, 1)
    assert good == [f"order.paid:{order_id(2)}"]


def test_a_worker_counts_a_rollback_too() -> None:
    """The row was committed with the delivery, long before: it is still there, and the attempt is on record."""
    ours = Shop(MemoryStore(), ack="stored")
    ours.adopt(1)
    grant = on(ours, Commits("ROLLBACK"))
    ours.deliver(CAPTURED)
    done = ours.rzp.webhooks.process_pending()
    assert (done.retried, done.failed, grant.calls) == (1, 1, 1)
    assert effects(ours) == [("grant", "waiting", 1)]


def test_a_replay_of_it_is_refused_and_it_stays_given_up(ours: Shop) -> None:
    """Whoever replays it by hand is told, under the documented name, and so is who calls through a worker pool."""
    failing = [True]

    def fails(change: Any, tx: Any) -> None:
        if failing:
            raise RuntimeError("poison")
        tx.execute("ROLLBACK")

    on(ours, fails)
    ours.deliver(CAPTURED)
    ours.clock.advance(21 * HOUR)
    ours.deliver(CAPTURED)
    (dead,) = ours.store.effects(states=("dead",))
    failing.clear()
    with pytest.raises(TransactionMisuse, match="grant") as caught:
        ours.rzp.webhooks.replay_effect(dead.id)
    assert effects(ours) == [("grant", "dead", 2)]
    assert "transaction_misuse:grant" in {alarm.key for alarm in ours.told(Alarm)}
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), copy.code) == (type(caught.value), str(caught.value), "TransactionMisuse")


def test_a_conflict_in_a_handler_runs_everything_again(ours: Shop) -> None:
    """The database has undone the transaction: the unit of work is run from its start, and no attempt is counted."""
    attempts: list[int] = []

    @ours.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        attempts.append(change.attempt)
        if len(attempts) < 3:
            raise StorageConflict

    assert ours.deliver(CAPTURED) == 200
    assert attempts == [1, 1, 1]
    assert effects(ours) == [("grant", "done", 1)]

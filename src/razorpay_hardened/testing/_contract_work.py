"""The store contract, first half: transactions, the inbox, and effects."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest

from razorpay_hardened.errors import EventUnknown, StorageError, TransactionMisuse
from razorpay_hardened.ports.store import Batch, EffectRow, InboxState, Store, Touches
from razorpay_hardened.testing._contract_values import (
    NOTHING,
    T0,
    claim,
    delivery,
    effect,
    later,
    order,
    payment,
    started,
    unit,
    write,
)

__all__ = ["EffectContract", "InboxContract", "TransactionContract"]


class TransactionContract:
    """A transaction is atomic, and nobody but the store ends it."""

    def test_everything_of_a_block_is_there_after_it(self, store: Store) -> None:
        """A block that ends commits all that it wrote."""
        with store.transaction() as tx:
            tx.claim(delivery(), NOTHING)
            tx.write(Batch(orders=[order()], payments=[payment()], effects=[effect()]))
        assert store.inbox_state(delivery().digest) == "done"
        assert store.order("local-1") == order()
        assert store.payment(payment().payment_id) == payment()
        assert len(store.effects()) == 1

    @pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
    def test_nothing_of_a_block_that_raises_is_there(self, store: Store, kind: type[BaseException]) -> None:
        """Whatever a block raises, its writes are gone, the error is the block's own, and the store goes on."""
        with pytest.raises(kind), store.transaction() as tx:  # noqa: PT012 - the block is what is tested
            tx.claim(delivery(), NOTHING)
            tx.load(Touches(("order_A",)))
            tx.write(Batch(orders=[order()]))
            raise kind
        assert store.inbox_state(delivery().digest) is None
        assert store.order("local-1") is None
        assert store.anchors() == []
        assert claim(store).state == "new"

    def test_the_application_writes_in_the_same_transaction(self, store: Store) -> None:
        """SQL of the application's own commits with the block, and is undone with it."""
        with store.transaction() as tx:
            tx.execute("CREATE TABLE grants (who TEXT)")
            tx.execute("INSERT INTO grants VALUES ('one')")
        with pytest.raises(ValueError), store.transaction() as tx:  # noqa: PT012, PT011
            tx.execute("INSERT INTO grants VALUES ('two')")
            raise ValueError
        with store.transaction() as tx:
            assert [tuple(row) for row in tx.execute("SELECT who FROM grants").fetchall()] == [("one",)]

    def test_a_transaction_does_not_begin_inside_itself(self, store: Store) -> None:
        """A second transaction in the same thread is refused, and the first goes on."""
        with store.transaction() as tx:
            with pytest.raises(TransactionMisuse), store.transaction():
                pass
            tx.write(Batch(orders=[order()]))
        assert store.order("local-1") == order()

    def test_a_transaction_that_is_over_cannot_be_used(self, store: Store) -> None:
        """Nothing runs on a transaction outside of its block."""
        with store.transaction() as tx:
            pass
        with pytest.raises(TransactionMisuse):
            tx.write(Batch(orders=[order()]))
        with pytest.raises(TransactionMisuse):
            tx.execute("SELECT 1")

    def test_readers_see_only_what_was_committed(self, store: Store) -> None:
        """Another thread never sees a row of a transaction that is rolled back later."""
        with pytest.raises(ValueError), store.transaction() as tx:  # noqa: PT012, PT011
            tx.write(Batch(orders=[order()]))
            seen = started(lambda: store.order("local-1"))
            with suppress(TimeoutError):  # a store may let readers wait for the end instead
                assert seen(0.2) is None
            raise ValueError
        assert seen() is None

    def test_a_savepoint_is_undone_alone(self, store: Store) -> None:
        """A savepoint whose block raises takes its own writes with it, and nothing else."""
        with store.transaction() as tx:
            tx.write(Batch(orders=[order(1)]))
            with pytest.raises(ValueError), tx.savepoint():  # noqa: PT012, PT011
                tx.write(Batch(orders=[order(2)]))
                raise ValueError
            with tx.savepoint():
                tx.write(Batch(orders=[order(3)]))
        assert [found.local_id for found in store.orders()] == ["local-1", "local-3"]

    def test_savepoints_nest(self, store: Store) -> None:
        """The inner one is undone alone; the outer one takes the inner one with it."""
        with store.transaction() as tx:
            with tx.savepoint():
                tx.write(Batch(orders=[order(1)]))
                with pytest.raises(ValueError), tx.savepoint():  # noqa: PT012, PT011
                    tx.write(Batch(orders=[order(2)]))
                    raise ValueError
            with pytest.raises(KeyError), tx.savepoint():  # noqa: PT012
                with tx.savepoint():
                    tx.write(Batch(orders=[order(3)]))
                raise KeyError
        assert [found.local_id for found in store.orders()] == ["local-1"]

    def test_a_failing_statement_of_the_application_spoils_only_its_savepoint(self, store: Store) -> None:
        """After an error in the application's SQL the transaction can still commit what came before the savepoint."""
        with store.transaction() as tx:
            tx.write(Batch(orders=[order(1)]))
            with pytest.raises(Exception, match="nowhere"), tx.savepoint():
                tx.execute("INSERT INTO nowhere VALUES (1)")
            tx.write(Batch(orders=[order(2)]))
        assert len(store.orders()) == 2

    @pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
    @pytest.mark.parametrize("again", [False, True])
    def test_a_handler_that_ends_the_transaction_is_found_out(self, store: Store, end: str, again: bool) -> None:
        """COMMIT and ROLLBACK inside a savepoint raise TransactionMisuse, even if the handler begins another."""
        with pytest.raises(TransactionMisuse), store.transaction() as tx:  # noqa: PT012
            tx.claim(delivery(), NOTHING)
            with tx.savepoint():
                _end(tx, end)
                if again:
                    _end(tx, "BEGIN")
        assert claim(store, b"another").state == "new"


def _end(tx: Any, sql: str) -> None:
    try:
        tx.execute(sql)
    except Exception:  # noqa: BLE001 - a store may refuse the statement or let it pass, and must find out either way
        return


class InboxContract:
    """A delivery is claimed once; its state says what became of it."""

    @pytest.mark.parametrize("count", [2, 41])
    def test_many_claims_are_what_each_would_be(self, store: Store, count: int) -> None:
        """New ones are inserted whole, known ones found, each in its place; one event id with two bodies is told."""
        claim(store, b"known", event_id="evt_1")
        claim(store, b"waits")
        with store.transaction() as tx:
            tx.settle(delivery(b"waits").digest, "waiting", later(1), anchor="order_A", reason="grant")
        fresh = [delivery(b"%d" % n, event_id=f"evt_{n}", created_at=later(-n)) for n in range(count)]
        given = [*fresh, delivery(b"waits"), delivery(b"known", event_id="evt_1"), delivery(b"nul\0", event_id=None)]
        with store.transaction() as tx:
            claims = tx.claim_many(given)
            assert tx.claim_many([]) == []
        assert [one.state for one in claims] == ["new"] * count + ["waiting", "done", "new"]
        assert [one.conflict for one in claims] == [n == 1 for n in range(count)] + [False, True, False]
        assert [one.first_seen for one in claims[:count]] == [later(-n) for n in range(count)]
        assert (claims[count].anchor, claims[count].attempts) == ("order_A", 1)
        for one in fresh:
            row = store.delivery(one.digest)
            assert row is not None
            assert (row.body, row.event, row.event_id, row.state) == (one.body, one.event, one.event_id, "done")
            assert (row.received_at, row.created_at, row.attempts) == (one.received_at, one.created_at, 0)

    def test_the_first_claim_is_new_and_the_second_is_not(self, store: Store) -> None:
        """A body is new once; then it is what its row says."""
        assert claim(store).state == "new"
        found = claim(store, received_at=later(9))
        assert (found.state, found.first_seen, found.attempts, found.conflict) == ("done", T0, 0, False)

    def test_a_claim_is_found_in_its_own_transaction(self, store: Store) -> None:
        """The second claim of one body in one transaction finds the first."""
        with store.transaction() as tx:
            assert tx.claim(delivery(), NOTHING).state == "new"
            assert tx.claim(delivery(), NOTHING).state == "done"

    def test_first_sight_is_the_earlier_of_receipt_and_event(self, store: Store) -> None:
        """The age of an event counts from its signed time, unless that lies after its receipt."""
        assert claim(store, b"1", created_at=later(-60)).first_seen == later(-60)
        assert claim(store, b"1", created_at=later(-60)).first_seen == later(-60)
        assert claim(store, b"2", created_at=later(60)).first_seen == T0
        assert claim(store, b"2", created_at=later(60), received_at=later(90)).first_seen == T0

    def test_of_twins_only_one_is_new(self, store: Store) -> None:
        """Threads that claim one body at the same instant: one gets it, the others find it."""
        barrier = Barrier(4)

        def twin() -> str:
            barrier.wait(10)
            return claim(store).state

        joins = [started(twin) for _ in range(4)]
        assert sorted(join() for join in joins) == ["done", "done", "done", "new"]

    @pytest.mark.parametrize(("fails", "found"), [(False, "done"), (True, "new")])
    def test_a_twin_waits_for_the_first_to_end(self, store: Store, fails: bool, found: str) -> None:
        """A twin finds the first's row if that commits, and gets the claim if it rolls back."""
        coming, claimed = Event(), Event()

        def twin() -> str:
            claimed.wait(10)
            coming.set()
            return claim(store).state

        join = started(twin)
        with suppress(ValueError), store.transaction() as tx:
            tx.claim(delivery(), NOTHING)
            claimed.set()
            assert coming.wait(10)
            if fails:
                raise ValueError
        assert join() == found

    def test_an_event_id_with_another_body_is_a_conflict(self, store: Store) -> None:
        """The unsigned event id is a hint: the same one with another body is new, and told."""
        assert claim(store, b"1", event_id="evt_1").conflict is False
        assert claim(store, b"1", event_id="evt_1").conflict is False
        second = claim(store, b"2", event_id="evt_1")
        assert (second.state, second.conflict) == ("new", True)
        assert claim(store, b"3").conflict is False
        assert claim(store, b"4").conflict is False

    @pytest.mark.parametrize("state", ["done", "waiting", "parked", "quarantined", "ignored", "dead"])
    def test_settling_gives_a_state_and_counts_the_attempt(self, store: Store, state: InboxState) -> None:
        """A settled delivery has its state, one attempt more, its anchor and its reason."""
        with store.transaction() as tx:
            tx.claim(delivery(), NOTHING)
            tx.settle(delivery().digest, state, later(1), anchor="order_A", reason="because")
        found = claim(store)
        assert (found.state, found.attempts, found.anchor) == (state, 1, "order_A")
        row = store.delivery(delivery().digest)
        assert row is not None
        assert (row.state, row.attempts, row.reason, row.updated_at) == (state, 1, "because", later(1))
        assert store.inbox_state(delivery().digest) == state

    def test_settling_again_keeps_the_anchor(self, store: Store) -> None:
        """Without an anchor the one that is there stays; the reason is always the newest."""
        claim(store)
        with store.transaction() as tx:
            tx.settle(delivery().digest, "parked", T0, anchor="order_A", reason="unknown order")
            tx.settle(delivery().digest, "done", later(5))
        row = store.delivery(delivery().digest)
        assert row is not None
        assert (row.state, row.attempts, row.anchor, row.reason) == ("done", 2, "order_A", None)

    def test_settling_what_was_never_claimed_is_an_error(self, store: Store) -> None:
        """A digest without a row raises EventUnknown."""
        with pytest.raises(EventUnknown), store.transaction() as tx:
            tx.settle("0" * 64, "done", T0)

    def test_parked_deliveries_come_back_whole_and_oldest_first(self, store: Store) -> None:
        """Draining gives the parked deliveries of the anchors, and no others."""
        cases: list[tuple[bytes, int, InboxState, str]] = [
            (b"\x00\xff late", 9, "parked", "order_A"),
            (b"early", 3, "parked", "order_B"),
            (b"elsewhere", 1, "parked", "order_C"),
            (b"done", 2, "done", "order_A"),
        ]
        with store.transaction() as tx:
            for body, at, state, anchor in cases:
                tx.claim(delivery(body, received_at=later(at)), NOTHING)
                tx.settle(delivery(body).digest, state, T0, anchor=anchor)
        with store.transaction() as tx:
            rows = tx.parked(["order_A", "order_B"])
            assert [row.body for row in rows] == [b"early", b"\x00\xff late"]
            assert tx.parked([]) == []


def _lease(store: Store, token: str = "t1", now: float = 0, **options: Any) -> list[EffectRow]:
    at = later(now)
    chosen: dict[str, Any] = {"handlers": ["grant"], "limit": 10} | options
    return unit(store, lambda tx: tx.lease_effects(at, at + timedelta(seconds=60), token, **chosen))


def _finish(store: Store, row: EffectRow, state: Any, **options: Any) -> bool:
    chosen: dict[str, Any] = {"attempts": 1, "due_at": T0} | options
    return unit(store, lambda tx: tx.finish_effect(row, state, **chosen))


class EffectContract:
    """An effect is a row, once for each milestone and handler; a lease is for one worker at a time."""

    def test_an_effect_is_stored_once(self, store: Store) -> None:
        """New effects come back in order with growing ids; one that exists is left alone."""
        first, second = write(store, effects=[effect(1), effect(2)])
        assert first.id < second.id
        assert (first.state, first.attempts, first.at, first.due_at) == ("waiting", 0, T0, T0)
        again = write(store, effects=[effect(2), effect(1, detail="other"), effect(1, handler="mail"), effect(3)])
        assert [(row.key, row.handler) for row in again] == [
            (effect(1).key, "mail"),
            (effect(3).key, "grant"),
        ]
        assert store.effects() == [first, second, *again]

    def test_loading_gives_the_inline_effects_that_wait(self, store: Store) -> None:
        """``waiting`` are the unfinished ``on`` effects of the anchors, in order: neither done nor dead ones."""
        rows = write(
            store,
            effects=[
                effect(1, mode="on"),
                effect(2, mode="on"),
                effect(3, mode="on"),
                effect(4, mode="after"),
                effect(5, mode="on", anchor="order_B"),
                effect(6, mode="on"),
            ],
        )
        _finish(store, rows[0], "done")
        _finish(store, rows[1], "dead", error="gave up")
        _finish(store, rows[2], "waiting", error="ValueError", due_at=later(9))
        with store.transaction() as tx:
            held = tx.load(Touches(("order_A",)))
        assert [row.id for row in held.waiting] == [rows[2].id, rows[5].id]
        assert (held.waiting[0].attempts, held.waiting[0].error, held.waiting[0].due_at) == (1, "ValueError", later(9))

    def test_an_effect_that_is_finished_does_not_wait_any_more(self, store: Store) -> None:
        """What was loaded before is not what is there: a load after the finish tells the truth."""
        write(store, effects=[effect(1, mode="on"), effect(2, mode="on")])
        with store.transaction() as tx:
            first, second = tx.load(Touches(("order_A",))).waiting
            tx.finish_effect(first, "done", attempts=1, due_at=T0)
            assert [row.id for row in tx.load(Touches(("order_A",))).waiting] == [second.id]

    def test_a_lease_takes_what_is_due_for_the_handlers_asked(self, store: Store) -> None:
        """Neither inline effects, nor other handlers', nor those that are not due yet."""
        due, inline, other, early = write(
            store,
            effects=[
                effect(1),
                effect(2, mode="on"),
                effect(3, handler="mail"),
                effect(4, anchor="order_B", at=later(9)),
            ],
        )
        taken = _lease(store)
        assert [row.id for row in taken] == [due.id]
        assert (taken[0].state, taken[0].token, taken[0].lease_until) == ("leased", "t1", later(60))
        assert store.effects(states=["leased"]) == taken
        assert {row.id for row in _lease(store, now=10, handlers=["grant", "mail"])} == {other.id, early.id}
        assert inline.state == "waiting"
        assert _lease(store, now=99, handlers=[]) == []

    def test_a_lease_takes_at_most_the_limit_and_only_the_anchor_asked(self, store: Store) -> None:
        """``limit`` and ``anchor`` narrow what is taken."""
        write(store, effects=[effect(n, anchor=f"order_{n}") for n in range(5)])
        assert len(_lease(store, limit=2)) == 2
        assert [row.anchor for row in _lease(store, "t2", anchor="order_4")] == ["order_4"]
        assert len(_lease(store, "t3")) == 2

    def test_effects_of_one_order_and_handler_go_in_order(self, store: Store) -> None:
        """The elder goes first, even while it is not due; another handler or order is not held up."""
        first, second, mail, elsewhere = write(
            store, effects=[effect(1), effect(2), effect(3, handler="mail"), effect(4, anchor="order_B")]
        )
        both = ["grant", "mail"]
        assert [row.id for row in _lease(store, handlers=both)] == [first.id, mail.id, elsewhere.id]
        assert _lease(store, "t2", handlers=both) == []
        _finish(store, first, "waiting", due_at=later(30), token="t1")
        assert _lease(store, "t3", now=20, handlers=both) == []
        assert [row.id for row in _lease(store, "t4", now=30, handlers=both)] == [first.id]
        _finish(store, first, "done", token="t4")
        assert [row.id for row in _lease(store, "t5", handlers=both)] == [second.id]

    def test_a_dead_elder_holds_nobody_up(self, store: Store) -> None:
        """What was given up lets the younger pass."""
        first, second = write(store, effects=[effect(1), effect(2)])
        _finish(store, first, "dead", error="gave up")
        assert [row.id for row in _lease(store)] == [second.id]

    def test_a_lease_that_ended_is_taken_by_another_and_the_first_is_fenced(self, store: Store) -> None:
        """After the lease's end another worker takes the effect; the first can no longer finish it."""
        (row,) = write(store, effects=[effect()])
        _lease(store, "slow")
        assert _lease(store, "quick", now=59) == []
        assert [taken.id for taken in _lease(store, "quick", now=60)] == [row.id]
        assert _finish(store, row, "done", token="slow") is False
        assert store.effects()[0].token == "quick"
        assert _finish(store, row, "done", token="quick", attempts=2) is True
        (done,) = store.effects()
        assert (done.state, done.attempts, done.token, done.lease_until) == ("done", 2, None, None)
        assert _finish(store, row, "done", token="quick") is False

    def test_two_workers_never_take_the_same_effect(self, store: Store) -> None:
        """Workers that lease at the same instant take different effects, and all of them together."""
        write(store, effects=[effect(n, anchor=f"order_{n}") for n in range(12)])
        barrier = Barrier(3)

        def work(token: str) -> list[int]:
            barrier.wait(10)
            return [row.id for _ in range(4) for row in _lease(store, token, limit=2)]

        joins = [started(lambda token=token: work(token)) for token in ("a", "b", "c")]  # type: ignore[misc]
        taken = [number for join in joins for number in join()]
        assert len(taken) == len(set(taken)) == 12

    def test_the_names_of_handlers_with_work_are_known(self, store: Store) -> None:
        """Handlers with an unfinished effect are listed, others are not."""
        first, _ = write(store, effects=[effect(1, handler="done"), effect(2, handler="open", mode="on")])
        _finish(store, first, "done")
        assert store.effect_handlers() == {"open"}

    def test_an_effect_of_no_known_mode_is_refused(self, store: Store) -> None:
        """The store holds only what the port names."""
        with pytest.raises(StorageError):
            write(store, effects=[effect(mode="maybe")])

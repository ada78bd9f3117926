"""The store contract, third part: other threads and other processes, some of which are killed."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from razorpay_hardened.errors import StorageConflict
from razorpay_hardened.ports.store import Batch, Store, Touches, Transaction
from razorpay_hardened.ports.unit import transact
from razorpay_hardened.testing._contract_values import (
    NOTHING,
    claim,
    delivery,
    effect,
    later,
    order,
    started,
    unit,
    write,
)

__all__ = ["LeakContract", "ProcessContract"]

_SHARED = ("sqlite:///", "postgresql:")
_MANY = 12
"""More than a pool has connections by default."""


def forked(work: Callable[[], int]) -> Callable[[], int]:
    """Run ``work`` in a fork of this process; calling what is given waits, and gives its result or minus the signal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: the test runner has threads
        child = os.fork()
    if child == 0:
        try:
            code = work()
        except BaseException:  # noqa: BLE001 - the child must not go on as a second test runner
            sys.excepthook(*sys.exc_info())
            os._exit(99)
        os._exit(code)
    return lambda: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


class ProcessContract:
    """Processes that share a store: forked from one that has used it, as web servers do, and killed at any moment."""

    @pytest.fixture
    def shared(self, store: Store) -> Store:
        """A store that forked processes share: ``store`` itself, where its ``url`` says so.

        Override it, or leave the tests skipped, where a store lives in one process.
        """
        url = getattr(store, "url", "")
        if not hasattr(os, "fork") or not str(url).startswith(_SHARED):
            pytest.skip("this store lives in one process")
        return store

    def test_processes_claim_each_body_once(self, shared: Store) -> None:
        """Four processes, twenty bodies: each is new for one of them."""
        claim(shared, b"used before the fork")
        bodies = [b"%d" % number for number in range(20)]

        def work() -> int:
            return sum(claim(shared, body).state == "new" for body in bodies)

        ends = [wait() for wait in [forked(work) for _ in range(4)]]
        assert sum(ends) == 20
        assert len(shared.deliveries()) == 21

    def test_processes_lose_no_update(self, shared: Store) -> None:
        """Read, add and write from four processes: the sum is there, and every visit was counted."""

        def add(tx: Transaction) -> None:
            anchor = tx.load(Touches(("order_A",))).anchors["order_A"]
            tx.write(Batch(anchors=[replace(anchor, captured=anchor.captured + 1)]))

        def work() -> int:
            for _ in range(10):
                unit(shared, add)
            return 0

        assert [wait() for wait in [forked(work) for _ in range(4)]] == [0] * 4
        (anchor,) = shared.anchors()
        assert (anchor.captured, anchor.version) == (40, 40)

    @pytest.mark.parametrize("committed", [False, True])
    def test_a_killed_process_leaves_all_or_nothing(self, shared: Store, committed: bool) -> None:
        """SIGKILL inside the block leaves no trace, and after it everything; nobody waits for the dead."""
        write(shared, orders=[order(9)])

        def work() -> int:
            with shared.transaction() as tx:
                tx.claim(delivery(), NOTHING)
                tx.load(Touches(("order_A",)))
                tx.write(Batch(orders=[order()], effects=[effect()]))
                if not committed:
                    die()
            return die()

        assert forked(work)() == -signal.SIGKILL
        claimed = claim(shared)
        assert claimed.state == ("done" if committed else "new")
        assert (shared.order("local-1") is not None) is committed
        assert len(shared.effects()) == (1 if committed else 0)
        assert [row.key for row in shared.anchors()] == (["order_A"] if committed else [])

    def test_the_lease_of_a_killed_process_ends(self, shared: Store) -> None:
        """Nobody takes the effect before, and one does afterwards."""
        (row,) = write(shared, effects=[effect()])

        def take(now: float) -> list[int]:
            at = later(now)

            def lease(tx: Transaction) -> list[int]:
                until = at + timedelta(seconds=60)
                return [one.id for one in tx.lease_effects(at, until, f"t{now}", handlers=["grant"], limit=9)]

            return unit(shared, lease)

        def work() -> int:
            return die() if take(0) else 1

        assert forked(work)() == -signal.SIGKILL
        assert take(59) == []
        assert take(60) == [row.id]

    def test_a_fork_inside_a_transaction_cannot_touch_it(self, shared: Store) -> None:
        """The child of a process that is inside a block ends nothing for its parent."""
        with shared.transaction() as tx:
            tx.claim(delivery(), NOTHING)
            assert forked(lambda: 0)() == 0
            tx.write(Batch(orders=[order()]))
        assert shared.order("local-1") == order()


class LeakContract:
    """Whatever goes wrong, the next one finds a connection, and nothing of the one before."""

    @pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
    def test_blocks_that_raise_use_nothing_up(self, store: Store, kind: type[BaseException]) -> None:
        """More failing blocks than there are connections, in one thread and in several."""

        def fail() -> None:
            for number in range(_MANY):
                with suppress(kind, StorageConflict), store.transaction() as tx:
                    tx.load(Touches((f"order_{number}",)))
                    raise kind

        fail()
        for join in [started(fail) for _ in range(3)]:
            join()
        assert claim(store).state == "new"
        assert store.anchors() == []

    def test_what_the_database_refuses_uses_nothing_up(self, store: Store) -> None:
        """The application's own SQL fails, again and again."""
        for _ in range(_MANY):
            with pytest.raises(Exception, match="nowhere"), store.transaction() as tx:
                tx.execute("SELECT * FROM nowhere")
        assert claim(store).state == "new"

    def test_readers_use_nothing_up(self, store: Store) -> None:
        """Questions without an answer, and questions from many threads."""
        write(store, orders=[order()])
        for join in [started(lambda: [store.order("none") for _ in range(_MANY)]) for _ in range(4)]:
            assert join() == [None] * _MANY
        assert store.order("local-1") == order()

    def test_a_unit_that_met_another_is_run_again(self, store: Store) -> None:
        """StorageConflict, whoever raises it, undoes the block; the next attempt sees nothing of the first."""
        calls: list[int] = []

        def work(tx: Transaction) -> str:
            calls.append(1)
            state = tx.claim(delivery(), NOTHING).state
            if len(calls) < 3:
                raise StorageConflict
            return state

        assert transact(store, work) == "new"
        assert len(calls) == 3

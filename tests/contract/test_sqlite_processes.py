"""SQLite only: processes that race, forks, kills, power cuts (FAULTS H8, K3 to K11)."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from contract.sqlite_tools import fork, raw
from razorpay_hardened.errors import StorageUnavailable
from razorpay_hardened.ports.store import Batch, Touches
from razorpay_hardened.storage import MemoryStore, SQLiteStore, sqlite
from razorpay_hardened.testing._contract_values import NOTHING, claim, delivery, effect, order, started

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
]


# --- processes


def test_processes_that_race_for_the_same_bodies_claim_each_once(path: Path) -> None:
    """Four processes, the first of which makes the tables, claim the same 60 bodies: each is new exactly once."""

    def work() -> None:
        store = SQLiteStore(path)
        store.migrate()
        for number in range(60):
            with store.transaction() as tx:
                if tx.claim(delivery(b"%d" % number), NOTHING).state == "new":
                    tx.load(Touches((f"order_{number}",)))
        store.close()

    assert [end() for end in [fork(work) for _ in range(4)]] == [0, 0, 0, 0]
    store = SQLiteStore(path)
    anchors = store.anchors()
    assert (len(anchors), {anchor.version for anchor in anchors}) == (60, {1})
    assert store.status().counts["razorpay_inbox"] == 60
    store.close()


_BUSY_S = 4.5
"""Half as long again as anybody waits for the file."""
_SOME_MS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50000) SELECT count(*) FROM n"


_ROUNDS = 5


@pytest.mark.slow
def test_no_busy_process_keeps_another_from_writing(tmp_path: Path) -> None:
    """Eight processes keep the file busy for more than the longest wait: not one of them is refused.

    On a machine that is somebody else's for seconds who waited is rightly refused, so one good round of five is enough;
    where SQLite is let to wait itself, each round has a handful of refusals.
    """
    refused: list[int] = []
    for turn in range(_ROUNDS):
        refused.append(_refused_of_eight(tmp_path / f"razorpay-{turn}.db"))
        if not refused[-1]:
            return
    pytest.fail(f"refused in each round: {refused}")


def _refused_of_eight(path: Path) -> int:
    """How many of eight busy processes were refused; where none was, all have written, and nothing is missing."""
    raw(path, "CREATE TABLE wrote (process INTEGER, times INTEGER)")
    SQLiteStore(path).migrate()
    end = time.monotonic() + _BUSY_S

    def work() -> None:
        store, number = SQLiteStore(path), 0
        while time.monotonic() < end:
            with store.transaction() as tx:
                tx.claim(delivery(b"%d %d" % (os.getpid(), number)), NOTHING)
                tx.execute(_SOME_MS).fetchall()
            number += 1
        with store.transaction() as tx:
            tx.execute("INSERT INTO wrote VALUES (?, ?)", (os.getpid(), number))
        store.close()

    refused = sum(wait() != 0 for wait in [fork(work) for _ in range(8)])
    if not refused:
        wrote = [row[1] for row in raw(path, "SELECT * FROM wrote")]
        assert (len(wrote), min(wrote) > 0) == (8, True)
        store = SQLiteStore(path)
        assert store.status().counts["razorpay_inbox"] == sum(wrote)
        store.close()
    return refused


def test_a_store_goes_on_in_both_processes_after_a_fork(store: SQLiteStore, path: Path) -> None:
    """A store that was in use before a fork works in parent and child at once, and the file stays sound."""
    claim(store, b"before")
    store.orders()

    def child() -> None:
        for number in range(20):
            claim(store, b"child %d" % number)
        assert store.inbox_state(delivery(b"before").digest) == "done"

    end = fork(child)
    for number in range(20):
        claim(store, b"parent %d" % number)
    assert end() == 0
    assert store.status().counts["razorpay_inbox"] == 41
    assert raw(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_child_forked_inside_a_transaction_cannot_touch_it(store: SQLiteStore) -> None:
    """The child cannot even read through what it inherited; the parent's transaction commits as if alone."""

    def child() -> None:
        with pytest.raises(StorageUnavailable):
            store.orders()

    with store.transaction() as tx:
        tx.write(Batch(orders=[order()]))
        end = fork(child)
    assert end() == 0
    assert store.order("local-1") == order()


def test_a_child_forked_inside_a_transaction_cannot_commit_it(store: SQLiteStore) -> None:
    """When the child's copy of the block ends, it raises instead of committing."""
    parent, status = os.getpid(), 0
    try:
        with store.transaction() as tx:
            tx.write(Batch(orders=[order()]))
            pid = os.fork()
            if pid:
                status = os.waitpid(pid, 0)[1]
                assert store.order("local-1") is None
    except StorageUnavailable:
        if os.getpid() != parent:
            os._exit(7)
        raise
    finally:
        if os.getpid() != parent:
            os._exit(8)
    assert os.waitstatus_to_exitcode(status) == 7
    assert store.order("local-1") == order()


def test_a_fork_amid_another_threads_transaction_leaves_a_store_that_refuses(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the transaction does not end in time, the child is refused and the parent is not disturbed."""
    monkeypatch.setattr(sqlite, "WAIT_S", 0.01)
    inside, leave = threading.Event(), threading.Event()

    def busy() -> None:
        with store.transaction() as tx:
            tx.write(Batch(orders=[order()]))
            inside.set()
            leave.wait(10)

    def child() -> None:
        with pytest.raises(StorageUnavailable), store.transaction():
            pass
        with pytest.raises(StorageUnavailable):
            store.orders()

    join = started(busy)
    assert inside.wait(10)
    end = fork(child)
    leave.set()
    join()
    assert end() == 0
    assert store.order("local-1") == order()


def test_a_fork_that_was_not_seen_is_refused(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that got the open connections by a fork outside of Python's sight uses none of them."""
    claim(store)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(StorageUnavailable, match="forked"):
            claim(store, b"2")
        with pytest.raises(StorageUnavailable, match="forked"):
            store.orders()
    assert claim(store).state == "done"


def test_the_memory_store_is_copied_by_a_fork() -> None:
    """The child goes on with a copy; what it writes stays there."""
    store = MemoryStore()
    claim(store, b"before")

    def child() -> None:
        assert claim(store, b"before").state == "done"
        assert claim(store, b"child").state == "new"

    assert fork(child)() == 0
    assert store.status().counts["razorpay_inbox"] == 1
    store.close()


# --- kills and cuts


@pytest.mark.parametrize(("committed", "state"), [(False, None), (True, "done")])
def test_a_killed_process_leaves_all_or_nothing(store: SQLiteStore, committed: bool, state: str | None) -> None:
    """SIGKILL before COMMIT leaves nothing and blocks nobody; after COMMIT everything is there."""

    def work() -> None:
        with store.transaction() as tx:
            tx.claim(delivery(), NOTHING)
            tx.load(Touches(("order_A",)))
            tx.write(Batch(orders=[order()], effects=[effect()]))
            if not committed:
                os.kill(os.getpid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    assert fork(work)() == -signal.SIGKILL
    assert store.inbox_state(delivery().digest) == state
    assert len(store.anchors()) == len(store.orders()) == len(store.effects()) == (1 if committed else 0)
    assert claim(store).state == ("done" if committed else "new")


def test_a_log_cut_anywhere_holds_whole_transactions(store: SQLiteStore, path: Path, tmp_path: Path) -> None:
    """Power cut: whatever prefix of the log reached the disk, a transaction is there whole or not at all."""
    raw(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    for number in range(3):
        with store.transaction() as tx:
            tx.claim(delivery(b"%d" % number), NOTHING)
            tx.write(Batch(orders=[order(number)], effects=[effect(number)]))
    log = Path(f"{path}-wal").read_bytes()
    seen = set()
    for cut in range(0, len(log) + 1, 2749):
        copy = tmp_path / f"cut-{cut}.db"
        shutil.copyfile(path, copy)
        Path(f"{copy}-wal").write_bytes(log[:cut])
        tables = ("razorpay_inbox", "razorpay_orders", "razorpay_effects")
        counts = {raw(copy, f"SELECT count(*) FROM {table}")[0][0] for table in tables}
        assert len(counts) == 1
        seen |= counts
    assert seen == {0, 1, 2, 3} or seen == {0, 1, 2}


def test_writers_flush_at_every_commit(store: SQLiteStore, path: Path) -> None:
    """WAL with synchronous=FULL: what was committed survives a power cut."""
    with store.transaction() as tx:
        assert tx.execute("PRAGMA synchronous").fetchone() == (2,)
    assert raw(path, "PRAGMA journal_mode") == [("wal",)]

"""SQLite only: full disks, read-only files, waiting, handlers that misbehave (FAULTS D7 to D9, H3)."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from razorpay_hardened.clock import SystemClock
from razorpay_hardened.errors import StorageReadOnly, StorageUnavailable, TransactionMisuse
from razorpay_hardened.ports.store import Batch, Store, Touches
from razorpay_hardened.storage import MemoryStore, SQLiteStore, _sqlite_store
from razorpay_hardened.storage._sqlite import Writer
from razorpay_hardened.testing._contract_values import NOTHING, claim, delivery, order, started, write

# --- the disk


def test_a_full_disk_is_unavailable_and_leaves_no_half_row(store: SQLiteStore) -> None:
    """Nothing is committed while the disk is full; when there is space again, everything works."""

    def limit(pages: int) -> None:
        with store.transaction() as tx:
            tx.execute(f"PRAGMA max_page_count = {pages}")

    limit(1)  # SQLite takes the present size instead
    with pytest.raises(StorageUnavailable), store.transaction() as tx:  # noqa: PT012
        tx.claim(delivery(b"small"), NOTHING)
        tx.claim(delivery(b"x" * 100_000), NOTHING)
    assert store.deliveries() == []
    limit(100_000)
    assert claim(store, b"x" * 100_000).state == "new"


def test_a_full_disk_in_a_handler_is_not_called_misuse(store: SQLiteStore) -> None:
    """When SQLite itself ends the transaction because the disk is full, the error says so."""
    with store.transaction() as tx:
        tx.execute("CREATE TABLE mine (body BLOB)")
        tx.execute("PRAGMA max_page_count = 1")
    with pytest.raises((StorageUnavailable, sqlite3.OperationalError), match="full"), store.transaction() as tx:  # noqa: PT012
        tx.claim(delivery(), NOTHING)
        with tx.savepoint():
            tx.execute("INSERT INTO mine VALUES (zeroblob(1000000))")
    assert store.deliveries() == []


def test_a_commit_that_fails_is_unavailable_and_rolled_back(store: SQLiteStore) -> None:
    """COMMIT itself may fail: here because of the application's own deferred foreign key."""
    with store.transaction() as tx:
        tx.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        tx.execute("CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
        connection = tx.connection
    connection.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(StorageUnavailable, match="nothing was committed"), store.transaction() as tx:  # noqa: PT012
        tx.claim(delivery(), NOTHING)
        tx.execute("INSERT INTO child VALUES (1)")
    assert store.deliveries() == []
    assert claim(store).state == "new"


def test_a_store_opened_read_only_reads_and_writes_nothing(store: SQLiteStore, path: Path) -> None:
    """Reading works; writing raises StorageReadOnly, and so does making tables."""
    write(store, orders=[order()])
    readonly = SQLiteStore(f"sqlite:///{path}?mode=ro")
    assert readonly.order("local-1") == order()
    with pytest.raises(StorageReadOnly):
        claim(readonly)
    with pytest.raises(StorageReadOnly):
        write(readonly, orders=[order()])
    readonly.close()
    empty = path.with_name("empty.db")
    empty.touch()
    with pytest.raises(StorageReadOnly):
        SQLiteStore(f"sqlite:///{empty}?mode=ro").migrate()


# --- waiting


def test_another_process_that_writes_too_long_makes_it_unavailable(path: Path, store: SQLiteStore) -> None:
    """The busy timeout ends the wait; reading and the answer to a duplicate go on meanwhile."""
    claim(store)
    impatient = SQLiteStore(path, busy_timeout_s=0.02)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable, match="locked") as caught, impatient.transaction():
        pass
    assert caught.value.retryable
    assert impatient.inbox_state(delivery().digest) == "done"
    other.close()
    assert claim(impatient).state == "done"
    impatient.close()


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_another_thread_that_writes_too_long_makes_it_unavailable(
    kind: str, store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait for our own lock is bounded."""
    monkeypatch.setattr(_sqlite_store, "WAIT_S", 0.02)
    waiting: Store = store if kind == "file" else MemoryStore()
    inside, leave = threading.Event(), threading.Event()

    def busy() -> None:
        with waiting.transaction():
            inside.set()
            leave.wait(10)

    join = started(busy)
    assert inside.wait(10)
    with pytest.raises(StorageUnavailable, match="another thread"), waiting.transaction():
        pass
    leave.set()
    join()
    assert claim(waiting).state == "new"
    waiting.close()


def test_who_waited_for_a_thread_waits_less_for_a_process(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """All waits together stay within 4 s: after 3.5 s for our lock, SQLite gets the half second that is left."""
    inside, leave, waits = threading.Event(), threading.Event(), list[float]()

    class Clock(SystemClock):
        def monotonic(self) -> float:
            began = not leave.is_set()
            leave.set()
            return 100.0 if began else 103.5

    def busy() -> None:
        with store.transaction():
            inside.set()
            leave.wait(10)

    monkeypatch.setattr(_sqlite_store, "_CLOCK", Clock())
    begin = Writer.begin

    def begun(writer: Writer, wait_s: float) -> None:
        waits.append(wait_s)
        begin(writer, wait_s)

    monkeypatch.setattr(Writer, "begin", begun)
    join = started(busy)
    assert inside.wait(10)
    with store.transaction():
        pass
    join()
    assert waits == [3, 0.5]


# --- reading


def test_reading_amid_a_transaction_shows_what_was_committed(store: SQLiteStore) -> None:
    """A reader in the writer's own thread does not see the writer's rows."""
    with store.transaction() as tx:
        tx.write(Batch(orders=[order()]))
        assert store.order("local-1") is None
        assert store.status().counts["razorpay_orders"] == 0
    assert store.order("local-1") == order()


def test_the_memory_store_refuses_to_show_what_is_not_committed() -> None:
    """It has one connection, so that reading amid a transaction of the same thread is refused."""
    store = MemoryStore()
    with store.transaction() as tx:
        tx.write(Batch(orders=[order()]))
        with pytest.raises(TransactionMisuse):
            store.order("local-1")
    assert store.order("local-1") == order()
    store.close()
    assert store.order("local-1") is None
    store.close()


def test_the_answer_to_a_duplicate_writes_nothing(store: SQLiteStore, path: Path) -> None:
    """inbox_state is a read: not a byte is added to the log."""
    claim(store)
    log = Path(f"{path}-wal").read_bytes()
    assert [store.inbox_state(delivery().digest) for _ in range(3)] == ["done"] * 3
    assert Path(f"{path}-wal").read_bytes() == log


def test_many_threads_read_at_once(store: SQLiteStore) -> None:
    """More readers than the pool keeps all get their answer."""
    write(store, orders=[order()])
    joins = [started(lambda: [store.order("local-1") for _ in range(5)]) for _ in range(20)]
    assert all(join() == [order()] * 5 for join in joins)


# --- handlers


def _commit(connection: sqlite3.Connection) -> None:
    connection.commit()


def _rollback(connection: sqlite3.Connection) -> None:
    connection.rollback()


def _script(connection: sqlite3.Connection) -> None:
    connection.executescript("SELECT 1")


def _with(connection: sqlite3.Connection) -> None:
    with connection:
        connection.execute("INSERT INTO mine VALUES (1)")


def _again(connection: sqlite3.Connection) -> None:
    connection.execute("COMMIT")
    connection.execute("BEGIN")


def _release(connection: sqlite3.Connection) -> None:
    connection.execute("RELEASE razorpay_1")


def _close(connection: sqlite3.Connection) -> None:
    connection.close()


@pytest.mark.parametrize("swallow", [False, True])
@pytest.mark.parametrize("end", [_commit, _rollback, _script, _with, _again, _release, _close])
def test_a_handler_cannot_commit_half_of_our_work(
    store: SQLiteStore, end: Callable[[sqlite3.Connection], None], swallow: bool
) -> None:
    """Whatever a handler tries, TransactionMisuse is raised, nothing is committed, and the store goes on."""
    with store.transaction() as tx:
        tx.execute("CREATE TABLE mine (id INTEGER)")
    with pytest.raises(TransactionMisuse), store.transaction() as tx:  # noqa: PT012
        tx.claim(delivery(), NOTHING)
        with tx.savepoint():
            tx.execute("INSERT INTO mine VALUES (1)")
            try:
                end(tx.connection)
            except sqlite3.Error:
                if not swallow:
                    raise
    assert store.deliveries() == []
    with store.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM mine").fetchone() == (0,)
        assert tx.claim(delivery(), NOTHING).state == "new"


@pytest.mark.parametrize("swallow", [False, True])
def test_a_block_cannot_commit_either(store: SQLiteStore, swallow: bool) -> None:
    """Outside of any savepoint the same is true."""
    with pytest.raises(TransactionMisuse), store.transaction() as tx:  # noqa: PT012
        tx.claim(delivery(), NOTHING)
        try:
            tx.execute("COMMIT")
        except sqlite3.Error:
            if not swallow:
                raise
    assert store.deliveries() == []


def test_a_handlers_taste_in_rows_does_not_reach_us(store: SQLiteStore) -> None:
    """row_factory and text_factory of the connection are the handler's to set; our rows stay ours."""
    write(store, orders=[order(order_id="order_A")])
    with store.transaction() as tx:
        tx.connection.row_factory = lambda cursor, row: None
        tx.connection.text_factory = bytes
    with store.transaction() as tx:
        assert tx.load(Touches(("order_A",))).orders == {"local-1": order(order_id="order_A")}
        assert tx.execute("SELECT 'text'").fetchone() == ("text",)


def test_a_statement_that_a_handler_left_open_does_not_reach_us(store: SQLiteStore) -> None:
    """A half-read cursor of the application's own does not stop the commit."""
    write(store, orders=[order(n) for n in range(5)])
    with store.transaction() as tx:
        cursor = tx.execute("SELECT * FROM razorpay_orders")
        cursor.fetchone()
        tx.claim(delivery(), NOTHING)
    assert store.inbox_state(delivery().digest) == "done"
    cursor.close()

"""What the file store and the memory store share: one writer, its lock, transactions, the schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, get_ident

from razorpay_hardened.clock import SystemClock
from razorpay_hardened.errors import ConfigError, StorageError, StorageUnavailable, TransactionMisuse
from razorpay_hardened.ports.store import StoreStatus
from razorpay_hardened.storage import migrate
from razorpay_hardened.storage._reader import SqlReader
from razorpay_hardened.storage._rows import utc_text
from razorpay_hardened.storage._sqlite import ROWS, Writer, schema_found, split, translate
from razorpay_hardened.storage._statements import TABLES
from razorpay_hardened.storage._transaction import SqlTransaction

__all__ = ["WAIT_S", "SQLiteBase"]

WAIT_S = 4.0
"""The longest that we wait for our own lock, SQLite's included: Razorpay waits 5 s for an answer (DESIGN section 3)."""

_CLOCK = SystemClock()


class SQLiteBase(SqlReader):
    """One writer connection for the process, behind a lock: threads must not race with connections of their own."""

    _rows = ROWS
    joins_application = False
    """Handlers run in our transaction, through ``tx``; the application's own transaction is another."""

    claims_cheaply = False
    """Any claim takes the one write lock; the probe takes none."""

    url: str

    def __init__(self, busy_timeout_s: float) -> None:
        if not 0 <= busy_timeout_s <= 3:
            raise ConfigError("busy_timeout_s must be between 0 and 3 seconds: Razorpay waits 5 s for an answer")
        self._busy_timeout_s = busy_timeout_s
        self._lock = Lock()
        self._owner = 0
        self._writer: Writer | None = None
        self._checked = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    def _connect(self, *, make: bool) -> sqlite3.Connection:
        """Open a connection that writes; ``make`` allows to make the file."""
        raise NotImplementedError

    # --- alone with the writer

    @contextmanager
    def _alone(self) -> Iterator[float]:
        """Hold the writer's lock; gives the seconds that are left for SQLite's own."""
        left = self._acquire()
        self._owner = get_ident()
        try:
            yield left
        finally:
            self._owner = 0
            self._lock.release()

    def _acquire(self) -> float:
        if self._lock.acquire(blocking=False):
            return self._busy_timeout_s
        if self._owner == get_ident():
            raise TransactionMisuse("this thread is inside a transaction of this store already")
        began = _CLOCK.monotonic()
        if not self._lock.acquire(timeout=WAIT_S):
            raise StorageUnavailable(f"another thread's transaction has held the store for {WAIT_S:g} s")
        return min(self._busy_timeout_s, max(0.0, WAIT_S - (_CLOCK.monotonic() - began)))

    def _ready(self, *, make: bool = False) -> Writer:
        if self._writer is None:
            self._checked = False
            self._writer = Writer(self._connect(make=make), self._busy_timeout_s)
        return self._writer

    def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    @contextmanager
    def _begun(self, writer: Writer, left: float) -> Iterator[None]:
        """BEGIN, then roll back if the block raises; committing is the block's last step."""
        writer.begin(left)
        try:
            yield
        except BaseException:
            if not writer.roll_back():
                self._drop_writer()
            raise

    # --- transactions

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[SqlTransaction]:
        """Begin; commit when the block ends, roll back when it raises. Not re-entrant in one thread.

        Always ``durable``: nobody's transaction is around it.

        Raises :class:`StorageUnavailable` when it cannot begin or commit (after at most 4 s of waiting),
        :class:`SchemaMismatch` when the tables are missing or of another version, :class:`TransactionMisuse` when
        called inside itself, or when the block tried to end the transaction on its own.
        """
        with self._alone() as left:
            writer = self._ready()
            if not self._checked:
                migrate.check(schema_found(writer.connection))
                self._checked = True
            with self._begun(writer, left):
                yield from self._unit(writer)

    def _unit(self, writer: Writer) -> Iterator[SqlTransaction]:
        tx = SqlTransaction(writer.connection, writer.cursor, writer.driver)
        try:
            yield tx
        except Exception as error:
            if writer.refused and not isinstance(error, StorageError):
                raise TransactionMisuse("the transaction's own block tried to commit or roll it back") from error
            raise
        else:
            tx.refuse_if_ended()
            writer.commit()
        finally:
            tx.end()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` now: what was written is durable. Raises :class:`TransactionMisuse` inside a block."""
        if self._owner == get_ident():
            raise TransactionMisuse("after_commit() is for after the transaction's block, not for inside it")
        callback()

    # --- the schema

    def migrate(self, *, finish: bool = False) -> StoreStatus:
        """Make or bring up the tables. Safe to call at every start, from many processes at once.

        ``finish`` also does what the code of the version before cannot survive: once its last process has gone.
        Raises :class:`SchemaMismatch` for a schema that is newer than this package.
        """
        with self._alone() as left:
            writer = self._ready(make=True)
            with self._begun(writer, left):
                try:
                    self._bring_up(writer.connection, finish=finish)
                except sqlite3.Error as error:
                    raise translate(error) from error
                writer.commit()
        return self.status()

    def _bring_up(self, connection: sqlite3.Connection, *, finish: bool = False) -> None:
        found = schema_found(connection)
        whole = [migrate.Step(migrate.Found(migrate.VERSION, migrate.VERSION), self.schema())]
        for step in whole if found is None else migrate.steps("sqlite", found, finish=finish):
            for statement in split(step.sql):
                connection.execute(statement)
            connection.execute(
                "INSERT INTO razorpay_schema (version, applied_at, serves) VALUES (?, ?, ?)"
                " ON CONFLICT (version) DO UPDATE SET serves = excluded.serves",
                (step.reached.version, utc_text(_CLOCK.now()), step.reached.serves),
            )

    def schema(self) -> str:
        """The SQL that makes the tables, as one text."""
        return migrate.schema_text("sqlite")

    def _status_of(self, connection: sqlite3.Connection) -> StoreStatus:
        found, counts = schema_found(connection), {}
        if found is not None:
            try:
                names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
                for table in sorted(set(TABLES) & {row[0] for row in names}):
                    counts[table] = connection.execute(" ".join(("SELECT count(*) FROM", table))).fetchone()[0]
            except sqlite3.Error as error:
                raise translate(error) from error
        version, serves = (None, None) if found is None else found
        return StoreStatus(self.url, version, migrate.VERSION, counts, serves)

    def status(self) -> StoreStatus:
        """The state of the schema; needs no tables."""
        raise NotImplementedError

    def close(self) -> None:
        """Close connections. The store opens them again when it is used again.

        Raises :class:`TransactionMisuse` inside a transaction of this thread.
        """
        with self._alone():
            self._drop_writer()

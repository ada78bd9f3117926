"""SQLite itself: opening connections, translating its errors, and keeping the application from ending our transaction.

Durability (FAULTS K11): WAL with ``synchronous=FULL`` flushes the log at every commit. Writers use BEGIN IMMEDIATE:
a deferred one fails at its first write, in spite of any timeout (FAULTS D7).

Waiting: SQLite's own wait for the write lock backs off to 100 ms, so that whoever has waited longest looks least often,
and the process that has just committed takes the lock again. Measured with 8 busy processes holding it for 5 ms each:
one got it 767 times in 8 s, another 3 times, and 14 transactions failed after 3 s. So we look ourselves, and the more
often the longer we have waited: none failed, and the longest wait was 1.1 s (32 processes: 59 failures, then none).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import uniform
from typing import Any, Final

from razorpay_hardened.clock import SystemClock
from razorpay_hardened.errors import (
    ConfigError,
    SchemaMismatch,
    StorageError,
    StorageReadOnly,
    StorageUnavailable,
    TransactionMisuse,
)
from razorpay_hardened.storage._rows import ISO_TEXT, Rows
from razorpay_hardened.storage._statements import SQLITE, Statements
from razorpay_hardened.storage._transaction import Driver
from razorpay_hardened.storage.migrate import Found

__all__ = ["ROWS", "STATEMENTS", "Writer", "connect", "file_uri", "schema_found", "split", "translate"]

ROWS = Rows(ISO_TEXT)
STATEMENTS = Statements(SQLITE)

_CLOCK = SystemClock()

_PAUSE_S: Final = 0.002
_PAUSE_MIN_S: Final = 0.0003
_AGED_S: Final = 1.0
"""Between two looks at the write lock: 2 ms at first, 0.3 ms for who has waited a second. A look costs about 10 µs."""

_CACHED = 256  # prepared statements kept: ours are about fifty, the rest is for handlers

# A text of its own, so that a handler's "COMMIT" is never answered from the cache of statements already allowed.
_BEGIN = "/* razorpay_hardened */ BEGIN IMMEDIATE"
_COMMIT = "/* razorpay_hardened */ COMMIT"
_ROLLBACK = "/* razorpay_hardened */ ROLLBACK"

# Primary result codes: https://www.sqlite.org/rescode.html
_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


def translate(error: Exception) -> StorageError:
    """Our error for one of sqlite3's. SQLite's messages name tables and columns, never values."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_READONLY:
        return StorageReadOnly(f"SQLite: {error}")
    if code in _UNAVAILABLE:
        return StorageUnavailable(f"SQLite: {error}; nothing was committed")
    text = str(error)
    if text.startswith("no such savepoint"):
        return TransactionMisuse("a handler ended the transaction that it runs in: use tx.savepoint() instead")
    if text.startswith(("no such table: razorpay_", "no such column")):
        return SchemaMismatch(f"SQLite: {error}: run `razorpay-hardened db migrate`")
    if isinstance(error, sqlite3.ProgrammingError) and "closed" in text:
        return TransactionMisuse("a handler closed the connection of the transaction that it runs in")
    return StorageError(f"SQLite: {error}")


def file_uri(path: str, mode: str) -> str:
    """``path`` as SQLite's URI; ``mode`` is ``ro``, ``rw`` (must exist) or ``rwc`` (made if missing)."""
    return f"{Path(path).as_uri()}?mode={mode}"


def connect(uri: str, busy_timeout_s: float, *, reader: bool = False) -> sqlite3.Connection:
    """Open one connection in autocommit mode, set up for durability; raises errors of the store."""
    if sqlite3.sqlite_version_info < (3, 37, 0):
        raise ConfigError(f"SQLite 3.37 or newer is needed, this Python has {sqlite3.sqlite_version}")
    connection = None
    try:
        connection = sqlite3.connect(
            uri,
            uri=True,
            timeout=busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_CACHED,
        )
        _set_up(connection, reader)
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise translate(error) from error
    return connection


def _set_up(connection: sqlite3.Connection, reader: bool) -> None:
    if reader:
        connection.execute("PRAGMA query_only = ON")
        return
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete":
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone does not reach the disk there
    connection.execute("PRAGMA wal_autocheckpoint = 4000")  # 16 MB of log: a checkpoint costs two flushes
    connection.execute("PRAGMA journal_size_limit = 67108864")  # a log that once grew gives its space back


def schema_found(connection: sqlite3.Connection) -> Found | None:
    """What the schema says of itself, or None where there are no tables of ours."""
    try:
        row = connection.execute("SELECT version, serves FROM razorpay_schema ORDER BY version DESC LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise translate(error) from error
    except sqlite3.Error as error:
        raise translate(error) from error
    return None if row is None else Found(*row)


def split(script: str) -> Iterator[str]:
    """The statements of ``script``; one that is made of several, such as a trigger, ends at the end of a line."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        raise ValueError("the script ends in the middle of a statement")


def _pause(waited_s: float) -> float:
    """Seconds until the next look at the lock; jittered, so that two processes do not look in step for ever."""
    return uniform(0.5, 1.5) * max(_PAUSE_MIN_S, _PAUSE_S * (1 - waited_s / _AGED_S))  # noqa: S311 - no secret


class Writer:
    """The one connection that writes, and its transaction.

    COMMIT, ROLLBACK and BEGIN are refused to everybody else while it lives (SQLite asks us when it compiles them):
    a handler that ends the transaction itself would commit half of our work, which cannot be undone (FAULTS H3).
    """

    def __init__(self, connection: sqlite3.Connection, busy_timeout_s: float = 0.0) -> None:
        self.connection = connection
        self._busy_timeout_s = busy_timeout_s
        self.cursor = connection.cursor()
        self.driver = Driver(STATEMENTS, ROWS, sqlite3.Error, translate, self.ended)
        self.pid = os.getpid()
        """The process whose connection this is: a copy of it in a forked child must never touch the file."""
        self._ours = False
        self._refused = False
        connection.set_authorizer(self._authorize)

    def _authorize(self, action: int, *_: Any) -> int:
        if action == sqlite3.SQLITE_TRANSACTION and not self._ours:
            self._refused = True
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    def ended(self) -> bool:
        """Whether the transaction is over, or the application tried to end it."""
        try:
            return self._refused or not self.connection.in_transaction
        except sqlite3.ProgrammingError:  # closed
            return True

    @property
    def refused(self) -> bool:
        """Whether the application tried to end the transaction."""
        return self._refused

    def begin(self, wait_s: float = 0.0) -> None:
        """BEGIN IMMEDIATE: from here on no other process writes. Raises errors of the store.

        Waits ``wait_s`` seconds at most for a process that writes.
        """
        self._refuse_other_process()
        self._refused = False
        connection = self.connection
        try:
            if connection.row_factory is not None or connection.text_factory is not str:
                connection.row_factory, connection.text_factory = None, str  # a handler's taste must not reach us
            if self._busy_timeout_s > 0:
                self._begin_in_turn(wait_s)
            else:
                self._end(_BEGIN)
        except sqlite3.Error as error:
            raise translate(error) from error

    def _begin_in_turn(self, wait_s: float) -> None:
        """Look at the lock until it is ours: see the top of this file for why SQLite is not let to wait."""
        self.cursor.execute("PRAGMA busy_timeout = 0")
        began = _CLOCK.monotonic()
        try:
            while not self._begun():
                waited = _CLOCK.monotonic() - began
                if waited >= wait_s:
                    self._end(_BEGIN)  # the last look: what it raises is the answer
                    return
                _CLOCK.sleep(min(_pause(waited), wait_s - waited))
        finally:
            self.cursor.execute(f"PRAGMA busy_timeout = {int(self._busy_timeout_s * 1000)}")

    def _begun(self) -> bool:
        """One look: False where another process holds the lock."""
        try:
            self._end(_BEGIN)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True

    def commit(self) -> None:
        """COMMIT; raises :class:`StorageUnavailable` where that fails (then roll back)."""
        self._refuse_other_process()
        try:
            self._end(_COMMIT)
        except sqlite3.Error as error:
            cause = translate(error)
            if isinstance(cause, (StorageUnavailable, StorageReadOnly)):
                raise cause from error
            raise StorageUnavailable(f"SQLite: COMMIT failed: {error}; nothing was committed") from error

    def roll_back(self) -> bool:
        """ROLLBACK, unless SQLite already has. False: the connection is in an unknown state and must be closed."""
        if self.pid != os.getpid():
            return True  # the parent's transaction is the parent's to end
        try:
            if self.connection.in_transaction:
                self._end(_ROLLBACK)
        except sqlite3.Error:
            return False  # closing the connection rolls back, and that is what our caller does next
        return True

    def _refuse_other_process(self) -> None:
        if self.pid != os.getpid():
            raise StorageUnavailable(
                "this process was forked while the store was in use: close the store before the fork, or make it after"
            )

    def _end(self, sql: str) -> None:
        self._ours = True
        try:
            self.cursor.execute(sql)
        finally:
            self._ours = False

    def close(self) -> None:
        self.connection.close()

"""PostgreSQL itself: its values, its errors as ours, and connections whose transaction a handler cannot end.

psycopg is imported here and in ``postgres``, and by nothing that the package imports by itself: the extra is
``[postgres]``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from razorpay_hardened.errors import (
    CommitUnknown,
    DeliveryInWork,
    ExtraMissing,
    SchemaMismatch,
    StorageConflict,
    StorageError,
    StorageReadOnly,
    StorageUnavailable,
    TransactionMisuse,
)
from razorpay_hardened.storage._rows import Codec, Rows
from razorpay_hardened.storage._statements import POSTGRESQL, Statements
from razorpay_hardened.storage._transaction import Driver
from razorpay_hardened.storage.migrate import Found

try:
    import psycopg
    from psycopg.pq import TransactionStatus
    from psycopg.rows import tuple_row
except ImportError as error:
    raise ExtraMissing("postgres", "the PostgreSQL store") from error

__all__ = [
    "ROWS",
    "STATEMENTS",
    "GuardedConnection",
    "Work",
    "begin_migration",
    "is_lost",
    "schema_found",
    "translate",
    "translate_first",
]


def _utc(stored: datetime) -> datetime:
    return stored.astimezone(UTC)  # the session's time zone is the application's taste


def _time(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("give an aware datetime, for example datetime(2026, 1, 1, tzinfo=UTC)")
    return moment


ROWS: Final = Rows(Codec(time=_time, moment=_utc, flag=bool))
STATEMENTS: Final = Statements(POSTGRESQL)

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_CONFLICTS: Final = ("40001", "40P01")
_UNAVAILABLE: Final = ("08", "53", "57", "58", "25P03", "25P04", "55P03", "XX")
"""Classes: connection, resources (disk full, too many connections), operator intervention, system, lock not to be
had in time, a transaction that took too long, internal. All may be better the next time."""
_DIGESTS: Final = 'relation "razorpay_digests"'
"""What the server says that it was doing when a claim waited for its twin in vain: inserting the digest."""
_GONE: Final = ("42P01", "42703", "42P10", "42883", "3F000")
_NOT_OURS: Final = ("3B001", "25P01")
_READ_ONLY: Final = ("25006",)


def translate(error: Exception) -> StorageError:
    """Our error for one of psycopg's. Only the primary message is told: the detail may quote values."""
    if isinstance(error, psycopg.errors.ProgrammingError) and error.sqlstate is None:
        return StorageError(f"PostgreSQL: {error}")
    code = getattr(error, "sqlstate", None)
    text = f"PostgreSQL: {_message(error)}"
    if code is None:
        return StorageUnavailable(f"{text}; nothing was committed")
    if code in _CONFLICTS:
        return StorageConflict(f"{text}; nothing was committed")
    if code == "55P03" and _DIGESTS in (getattr(error.diag, "context", None) or ""):  # type: ignore[attr-defined]
        return DeliveryInWork(f"{text}: another process has this delivery in work; nothing was committed")
    if code.startswith(_UNAVAILABLE):
        return StorageUnavailable(f"{text}; nothing was committed")
    if code in _READ_ONLY:
        return StorageReadOnly(text)
    if code in _NOT_OURS:
        return TransactionMisuse("a handler ended the transaction that it runs in: use tx.savepoint() instead")
    if code in _GONE and "razorpay_" in text:
        return SchemaMismatch(f"{text}: run `razorpay-hardened db migrate`")
    return StorageError(text)


def is_lost(error: Exception) -> bool:
    """Whether the connection is gone with this error, so that the answer to what was sent may be lost."""
    code = getattr(error, "sqlstate", None)
    return code is None or code.startswith(("08", "57P"))


def translate_first(error: Exception) -> StorageError:
    """As :func:`translate`, for the first trip of a transaction.

    A connection that died while it lay in the pool (a restart, a failover) is found out here: run it again, on another.
    """
    if is_lost(error):
        return StorageConflict(f"PostgreSQL: {_message(error)}; the connection was lost, and nothing was committed")
    return translate(error)


def _message(error: Exception) -> str:
    diag = getattr(error, "diag", None)
    told = getattr(diag, "message_primary", None)
    lines = (told or str(error) or type(error).__name__).splitlines()
    return f"{type(error).__name__}: {lines[0]}"


def schema_found(connection: psycopg.Connection[Any]) -> Found | None:
    """What the schema says of itself, or None where there are no tables of ours. Raises errors of the store."""
    try:
        with connection.cursor(row_factory=tuple_row) as cursor:
            found = cursor.execute("SELECT to_regclass('razorpay_schema')").fetchone()
            if found is None or found[0] is None:
                return None
            row = cursor.execute("SELECT version, serves FROM razorpay_schema ORDER BY version DESC LIMIT 1").fetchone()
    except psycopg.Error as error:
        raise translate(error) from error
    return None if row is None else Found(*row)


_MIGRATION_LOCK: Final = 0x72617A6F72706179  # "razorpay"


def begin_migration(cursor: psycopg.Cursor[Any]) -> None:
    """Wait until nobody else brings the tables up. Call it first in a transaction; raises the driver's errors.

    READ COMMITTED, whatever the default: a snapshot from before the wait would not show what was made meanwhile.
    """
    cursor.execute(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0",
        prepare=False,
    )
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))


class GuardedConnection(psycopg.Connection[Any]):
    """A connection that refuses to be committed, rolled back or closed by a handler while it carries our transaction.

    A handler that did so would commit half of our work, which cannot be undone (FAULTS H3). SQL of its own that does
    so is found when its savepoint is gone.
    """

    ours = False
    misused = False

    def commit(self) -> None:
        """Commit, unless the transaction is ours."""
        self._refuse()
        super().commit()

    def rollback(self) -> None:
        """Roll back, unless the transaction is ours."""
        self._refuse()
        super().rollback()

    def close(self) -> None:
        """Close, unless the transaction is ours."""
        self._refuse()
        super().close()

    def _refuse(self) -> None:
        if self.ours:
            self.misused = True
            _refuse_ending()


def _refuse_ending() -> NoReturn:
    raise TransactionMisuse("a handler tried to end the transaction that it runs in: use tx.savepoint() instead")


class Work:
    """One connection's transaction: begun, and then committed or rolled back, by us alone."""

    def __init__(self, connection: psycopg.Connection[Any], opening: bytes) -> None:
        self.connection = connection
        self.cursor = connection.cursor(row_factory=tuple_row)
        self.driver = Driver(STATEMENTS, ROWS, psycopg.Error, translate, self.ended, self.spoiled)
        self.pid = os.getpid()
        """The process whose transaction this is: a forked child's copy of the socket must stay silent."""
        self.opening = opening
        """The SQL of BEGIN: whoever sends it along with other statements calls :meth:`has_begun`."""
        self.begun = False
        self._guard(False)
        if isinstance(connection, GuardedConnection):
            connection.misused = False  # whatever somebody did with it before

    @property
    def misused(self) -> bool:
        """Whether the application tried to end the transaction."""
        return getattr(self.connection, "misused", False)

    def ended(self) -> bool:
        """Whether the transaction is over, or the application tried to end it."""
        status = self.connection.info.transaction_status
        return self.misused or status not in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    def spoiled(self) -> bool:
        """Whether PostgreSQL refuses everything until something is rolled back."""
        return bool(self.connection.info.transaction_status == TransactionStatus.INERROR)

    def begin(self) -> None:
        """BEGIN, with our limits. Raises errors of the store."""
        try:
            self.cursor.execute(self.opening, prepare=False)
        except psycopg.Error as error:
            raise translate_first(error) from error
        self.has_begun()

    def has_begun(self) -> None:
        """The transaction is open, or the attempt to open it must be rolled back."""
        self.begun = True
        self._guard(True)

    def commit(self, cursor: Any = None, first: bytes = b"", values: Sequence[Any] = ()) -> None:
        """COMMIT; ``first`` is sent along and before it, on ``cursor``.

        Raises :class:`CommitUnknown` where the answer was lost, else an error that says what happened.
        """
        if self.pid != os.getpid():
            raise StorageUnavailable("this process was forked inside a transaction: end it before the fork")
        if self.spoiled():
            # COMMIT would answer ROLLBACK, and that is no error to PostgreSQL.
            raise StorageError("an error of the database was swallowed inside the transaction: it cannot be committed")
        self._guard(False)
        try:
            if cursor is None:
                self.cursor.execute("COMMIT", prepare=False)
            else:
                cursor.execute(first + b"; COMMIT", values)
        except psycopg.Error as error:
            if getattr(error, "sqlstate", None) is None or self.connection.broken:
                raise CommitUnknown(f"PostgreSQL: {_message(error)}; whether it was committed is not known") from error
            raise translate(error) from error

    def roll_back(self) -> None:
        """ROLLBACK, where there is something to roll back. A connection that cannot is closed: that rolls back too."""
        if self.pid != os.getpid():
            return  # the parent's transaction is the parent's to end
        self._guard(False)
        if self.connection.info.transaction_status == TransactionStatus.IDLE:
            return
        try:
            self.cursor.execute("ROLLBACK", prepare=False)
        except psycopg.Error:
            self.connection.close()

    def end(self) -> None:
        """Give the connection back as it was lent."""
        self._guard(False)
        if self.pid == os.getpid():
            self.cursor.close()

    def _guard(self, ours: bool) -> None:
        if isinstance(self.connection, GuardedConnection):
            self.connection.ours = ours

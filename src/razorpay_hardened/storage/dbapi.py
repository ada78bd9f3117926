"""The store on a connection that the application already has, inside the application's own transaction.

What an ``@on`` handler writes through the application's ORM, what the application's own code wrote before, and our
state, audit and effects are then one commit: all of it, or nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import local
from typing import Any, Final, NamedTuple

from razorpay_hardened.clock import SystemClock
from razorpay_hardened.errors import CommitUnknown, StorageConflict, StorageError, StorageUnavailable, TransactionMisuse
from razorpay_hardened.ports.store import StoreStatus
from razorpay_hardened.storage import migrate
from razorpay_hardened.storage._application import Place, is_sqlite, place_of
from razorpay_hardened.storage._reader import SqlReader
from razorpay_hardened.storage._restored import mend_restored, refuse_restored
from razorpay_hardened.storage._rows import Row, Rows, storable
from razorpay_hardened.storage._statements import TABLES, Dialect
from razorpay_hardened.storage._transaction import Driver, SqlTransaction, cause_of, run_theirs

__all__ = ["DbApiStore"]

_CLOCK = SystemClock()

_LIMITS: Final = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '3s'"
# A statement that writes nothing, and takes SQLite's write lock: a transaction that reads first and writes then fails
# at once when another has written in between, whatever the timeout.
_TAKE_LOCK: Final = "UPDATE razorpay_schema SET applied_at = applied_at WHERE 0"


class _Kind(NamedTuple):
    """What differs between the two databases; found when a connection is first looked at."""

    name: str
    dialect: Dialect
    rows: Rows
    errors: type[Exception]
    translate: Callable[[Exception], Any]
    cursor: Callable[[Any], Any]
    in_transaction: Callable[[Any], bool]
    spoiled: Callable[[Any], bool] = lambda raw: False


class DbApiStore(SqlReader):
    """A store on the application's own connection: Django's, SQLAlchemy's ``Connection``, psycopg 3 or ``sqlite3``.

    ``connection`` is one of these, or a function that gives today's. SQLite and PostgreSQL only; others raise
    :class:`ConfigError`. Handlers get the same connection as ``tx.connection``, and their ORM writes through it.

    Where a transaction is open on it (``ATOMIC_REQUESTS``, an ``atomic()`` block, a ``Session``), that must be
    declared with ``outer=True``; else :class:`TransactionMisuse`: an answer of 200 would leave before the commit.
    With it, our block is a savepoint of that transaction, and what must be durable before Razorpay is told of it
    (``checkout.start``, ``checkout.refund``, reconciliation, the worker) is refused there.

    Django tells us of its outermost commit. With the others call :meth:`committed` after yours: it announces signals,
    and runs ``after`` effects at once that a worker would run later.
    """

    joins_application = True
    """Handlers share the application's own transaction."""

    claims_cheaply = False
    url = "the application's connection"

    def __init__(self, connection: Any, *, outer: bool = False) -> None:
        self._place: Place = place_of(connection)
        self._connection = connection
        self._outer = outer
        self._mine = local()
        self._checked = False
        self._found: _Kind | None = None

    def __repr__(self) -> str:
        return f"<DbApiStore on {type(self._connection).__module__}.{type(self._connection).__name__}>"

    # --- which database it is

    @property
    def _kind(self) -> _Kind:
        if self._found is None:
            self._found = _sqlite_kind() if is_sqlite(self._place.raw()) else _postgres_kind()
        return self._found

    @property
    def _rows(self) -> Rows:  # type: ignore[override]  # known once there is a connection
        return self._kind.rows

    @property
    def _dialect(self) -> Dialect:  # type: ignore[override]
        return self._kind.dialect

    # --- reading: what this connection sees, which is what it has written too

    def _read(self, sql: str, parameters: Row) -> list[Any]:
        with self._reading() as (kind, cursor):
            self._check(cursor)
            rows: list[Any] = cursor.execute(kind.dialect.text(sql), storable(parameters)).fetchall()
            return rows

    @contextmanager
    def _reading(self) -> Iterator[tuple[_Kind, Any]]:
        with _as_ours():
            raw, kind = self._place.raw(), self._kind
            if kind.name == "sqlite" or kind.in_transaction(raw):
                yield kind, kind.cursor(raw)
            else:
                # Without autocommit psycopg opens a transaction for a SELECT: end it, or it idles for ever.
                with raw.transaction():
                    yield kind, kind.cursor(raw)

    def _check(self, cursor: Any) -> None:
        if not self._checked:
            migrate.check(_schema_found(cursor))
            if self._kind.name != "sqlite":
                refuse_restored(cursor)
            self._checked = True

    # --- transactions

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[SqlTransaction]:
        """A transaction of its own, or a savepoint of the application's; see the class. Not re-entrant in one thread.

        Raises :class:`TransactionMisuse` for an open transaction that was not declared, or with ``durable``.
        """
        if getattr(self._mine, "busy", False):
            raise TransactionMisuse("this thread is inside a transaction of this store already")
        with _as_ours():
            inside = self._place.is_open()
        if inside:
            self._may_join(durable)
        self._mine.busy = True
        try:
            yield from self._unit(inside)
        except StorageConflict as error:
            if inside:  # what was undone is the application's transaction: only the application can run it again
                raise StorageUnavailable(str(error)) from error
            raise
        finally:
            self._mine.busy = False

    def _may_join(self, durable: bool) -> None:
        if not self._outer:
            raise TransactionMisuse(
                "a transaction is open on this connection: end it first, or declare it with DbApiStore(..., outer=True)"
            )
        if durable:
            raise TransactionMisuse(
                "this must be committed before anybody else is told of it: call it outside of your own transaction"
                " (in Django, mark the view with @transaction.non_atomic_requests)"
            )

    def _unit(self, inside: bool) -> Iterator[SqlTransaction]:
        tx: SqlTransaction | None = None
        committing = False
        try:
            with _as_ours(lambda: committing):
                raw, kind = self._place.raw(), self._kind
                with self._place.block():
                    cursor = kind.cursor(raw)
                    if kind.name == "sqlite":
                        self._take_lock(cursor)
                    elif not inside:
                        cursor.execute(_LIMITS, prepare=False)
                    self._check(cursor)
                    tx = self._begun(raw, cursor, kind)
                    yield tx
                    tx.refuse_if_ended()
                    tx.refuse_if_spoiled()
                    committing = not inside
        finally:
            if tx is not None:
                tx.end()

    def _take_lock(self, cursor: Any) -> None:
        """SQLite's write lock, before anything is read: see ``_TAKE_LOCK``."""
        try:
            cursor.execute(_TAKE_LOCK)
        except sqlite3.OperationalError:
            self._check(cursor)  # without our tables this says so, and how to make them
            raise

    def _begun(self, raw: Any, cursor: Any, kind: _Kind) -> SqlTransaction:
        driver = Driver(
            _statements(kind),
            kind.rows,
            kind.errors,
            kind.translate,
            ended=lambda: not kind.in_transaction(raw),
            spoiled=lambda: kind.spoiled(raw),
        )
        shown = self._connection() if _is_function(self._connection) else self._connection
        return _Joined(shown, raw, cursor, driver)

    # --- the outermost commit

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once the outermost commit is done: now, if nothing is open.

        Raises :class:`TransactionMisuse` inside a block of ours.
        """
        if getattr(self._mine, "busy", False):
            raise TransactionMisuse("after_commit() is for after the transaction's block, not for inside it")
        if not self._place.is_open():
            self._waiting().clear()  # whatever still waits belongs to a transaction whose end we were not told
            callback()
        elif not self._place.on_commit(callback):
            self._waiting().append(callback)

    def committed(self) -> None:
        """Your own transaction has committed: do what waited for that. Not needed with Django, which tells us."""
        if self._place.is_open():
            raise TransactionMisuse("committed() is for after your commit, and a transaction is open")
        waiting = self._waiting()
        due, waiting[:] = list(waiting), []
        for callback in due:
            callback()

    def rolled_back(self) -> None:
        """Your own transaction was rolled back: forget what waited for its commit."""
        self._waiting().clear()

    def _waiting(self) -> list[Callable[[], None]]:
        found: list[Callable[[], None]] | None = getattr(self._mine, "waiting", None)
        if found is None:
            found = self._mine.waiting = []
        return found

    # --- the schema

    def migrate(self, *, finish: bool = False) -> StoreStatus:
        """Make or bring up the tables, in a transaction of its own.

        Teams with migrations of their own put ``schema()`` into one instead. Raises :class:`SchemaMismatch` for a
        schema that is newer than this package, :class:`TransactionMisuse` inside a transaction.
        """
        with _as_ours():
            inside = self._place.is_open()
        if inside:
            raise TransactionMisuse("migrate() makes a transaction of its own: end yours first")
        with _as_ours():
            raw, kind = self._place.raw(), self._kind
            with self._place.block():
                self._bring_up(kind, kind.cursor(raw), finish=finish)
        return self.status()

    def _bring_up(self, kind: _Kind, cursor: Any, *, finish: bool) -> None:
        _alone(kind, cursor)
        found = _schema_found(cursor)
        whole = [migrate.Step(migrate.Found(migrate.VERSION, migrate.VERSION), self.schema())]
        for step in whole if found is None else migrate.steps(kind.name, found, finish=finish):
            _run_script(kind, cursor, step.sql)
            cursor.execute(
                kind.dialect.text(
                    "INSERT INTO razorpay_schema (version, applied_at, serves) VALUES (?, ?, ?)"
                    " ON CONFLICT (version) DO UPDATE SET serves = excluded.serves"
                ),
                (step.reached.version, kind.rows.time(_CLOCK.now()), step.reached.serves),
            )
        if kind.name == "sqlite":
            cursor.execute("DROP TABLE razorpay_migration")
        else:
            mend_restored(cursor)

    def schema(self) -> str:
        """The SQL that makes the tables, as one text."""
        return migrate.schema_text(self._kind.name)

    def status(self) -> StoreStatus:
        """The state of the schema; needs no tables."""
        counts: dict[str, int] = {}
        with self._reading() as (_, cursor):
            found = _schema_found(cursor)
            for table in sorted(TABLES) if found is not None else ():
                counts[table] = cursor.execute(" ".join(("SELECT count(*) FROM", table))).fetchone()[0]
        version, serves = (None, None) if found is None else found
        return StoreStatus(self.url, version, migrate.VERSION, counts, serves)

    def close(self) -> None:
        """Nothing to do: the connection is the application's to close."""


class _Joined(SqlTransaction):
    """Shows handlers the application's connection, and runs our own statements on the driver's."""

    def __init__(self, shown: Any, raw: Any, cursor: Any, driver: Driver) -> None:
        super().__init__(shown, cursor, driver)
        self._raw: Any = raw

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
        """Run the application's own SQL on the driver's connection; the driver's errors pass through."""
        if self._raw is None:
            raise TransactionMisuse("this transaction is over")
        self.refuse_if_ended()
        return run_theirs(self._raw.cursor(), sql, parameters)

    def end(self) -> None:
        """Make this transaction unusable."""
        super().end()
        self._raw = None


@contextmanager
def _as_ours(committing: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """The driver's errors as ours, and those that the application's ORM makes of them.

    ``committing`` says, when one comes, whether COMMIT was under way: then its answer may have been lost.
    """
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        found = _translated(error)
        if found is None:
            raise
        ours, lost = found
        if committing() and lost:
            raise CommitUnknown(f"{type(error).__name__} at COMMIT: whether it was committed is not known") from error
        raise ours from error


def _translated(error: Exception) -> tuple[StorageError, bool] | None:
    """Our error for what came from a driver, and whether the connection is lost; None for anybody else's."""
    by_orm = type(error).__module__.partition(".")[0] in ("django", "sqlalchemy")
    cause = cause_of(error, Exception) if not by_orm else error.__cause__
    if isinstance(cause, sqlite3.Error):
        from razorpay_hardened.storage import _sqlite

        return _sqlite.translate(cause), False
    if cause is not None and any(base.__module__.partition(".")[0] == "psycopg" for base in type(cause).__mro__):
        from razorpay_hardened.storage import _postgres

        return _postgres.translate(cause), _postgres.is_lost(cause)  # type: ignore[arg-type]
    return None


def _alone(kind: _Kind, cursor: Any) -> None:
    """Wait until nobody else brings the tables up: the transaction is open, and has read nothing yet."""
    if kind.name == "sqlite":
        # The first statement must write. One that reads first, as Django's does, fails at once where another wrote.
        cursor.execute("CREATE TABLE IF NOT EXISTS razorpay_migration (running INTEGER)")
        return
    from razorpay_hardened.storage._postgres import begin_migration

    begin_migration(cursor)


def _is_function(connection: Any) -> bool:
    return callable(connection) and not hasattr(connection, "cursor")


def _schema_found(cursor: Any) -> migrate.Found | None:
    """What the schema says of itself, without an error that would spoil a transaction where there is none."""
    if isinstance(cursor, sqlite3.Cursor):
        sql = "SELECT name FROM sqlite_schema WHERE name = 'razorpay_schema'"
    else:
        sql = "SELECT to_regclass('razorpay_schema')"
    found = cursor.execute(sql).fetchone()
    if found is None or found[0] is None:
        return None
    row = cursor.execute("SELECT version, serves FROM razorpay_schema ORDER BY version DESC LIMIT 1").fetchone()
    return None if row is None else migrate.Found(*row)


def _run_script(kind: _Kind, cursor: Any, script: str) -> None:
    if kind.name == "sqlite":
        from razorpay_hardened.storage._sqlite import split

        for statement in split(script):
            cursor.execute(statement)
    else:
        cursor.execute(script)


def _statements(kind: _Kind) -> Any:
    if kind.name == "sqlite":
        from razorpay_hardened.storage._sqlite import STATEMENTS as SQLITE_STATEMENTS

        return SQLITE_STATEMENTS
    from razorpay_hardened.storage._postgres import STATEMENTS

    return STATEMENTS


def _sqlite_kind() -> _Kind:
    from razorpay_hardened.storage import _sqlite
    from razorpay_hardened.storage._statements import SQLITE

    def cursor(raw: Any) -> Any:
        made = raw.cursor()
        made.row_factory = None  # the application's taste must not reach us
        return made

    return _Kind(
        "sqlite", SQLITE, _sqlite.ROWS, sqlite3.Error, _sqlite.translate, cursor, lambda raw: bool(raw.in_transaction)
    )


def _postgres_kind() -> _Kind:
    import psycopg
    from psycopg.rows import tuple_row
    from psycopg.types.datetime import TimestamptzLoader

    from razorpay_hardened.storage import _postgres
    from razorpay_hardened.storage._statements import POSTGRESQL

    def cursor(raw: Any) -> Any:
        made = psycopg.Cursor(raw, row_factory=tuple_row)
        made.adapters.register_loader("timestamptz", TimestamptzLoader)  # Django reads times without their zone
        return made

    def in_transaction(raw: Any) -> bool:
        return bool(raw.info.transaction_status in (1, 2, 3))  # ACTIVE, INTRANS, INERROR

    def spoiled(raw: Any) -> bool:
        return bool(raw.info.transaction_status == 3)  # INERROR

    return _Kind(
        "postgresql", POSTGRESQL, _postgres.ROWS, psycopg.Error, _postgres.translate, cursor, in_transaction, spoiled
    )

"""The store in PostgreSQL: any number of machines, one truth."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from threading import Lock, local
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from razorpay_hardened.clock import SystemClock
from razorpay_hardened.errors import (
    ConfigError,
    ExtraMissing,
    StorageConflict,
    StorageError,
    StorageUnavailable,
    TransactionMisuse,
)
from razorpay_hardened.ports.store import StoreStatus
from razorpay_hardened.ports.unit import ATTEMPTS
from razorpay_hardened.storage import _fork, migrate
from razorpay_hardened.storage._months import Months
from razorpay_hardened.storage._postgres import (
    ROWS,
    GuardedConnection,
    Work,
    begin_migration,
    schema_found,
    translate,
    translate_first,
)
from razorpay_hardened.storage._postgres_unit import PostgresTransaction
from razorpay_hardened.storage._reader import SqlReader
from razorpay_hardened.storage._restored import mend_restored, refuse_restored
from razorpay_hardened.storage._rows import Row, storable
from razorpay_hardened.storage._statements import POSTGRESQL, TABLES

try:
    import psycopg
    from psycopg.rows import tuple_row
    from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout
except ImportError as error:
    raise ExtraMissing("postgres", "the PostgreSQL store") from error

if TYPE_CHECKING:
    from typing import TypeAlias

    Connection: TypeAlias = psycopg.Connection[Any]
    Pool: TypeAlias = ConnectionPool[psycopg.Connection[Any]]

__all__ = ["Isolation", "PostgresStore"]

Isolation = Literal["read committed", "repeatable read", "serializable"]

_CLOCK = SystemClock()

_inherited: Final[list[Any]] = []
"""Pools of the processes above this one: kept, so that nothing is torn down in a process that does not own it."""

LOCK_TIMEOUT_S: Final = 2
STATEMENT_TIMEOUT_S: Final = 3
"""Razorpay waits 5 s for an answer; a twin waits for the first at most 2 s (DESIGN section 3, FAULTS D12)."""

_LOST: Final = {"keepalives_idle": 3, "keepalives_interval": 1, "keepalives_count": 3, "tcp_user_timeout": 4000}
"""When the network says nothing any more: seconds, and for the last one milliseconds."""


class PostgresStore(Months, SqlReader):
    """A store in PostgreSQL 14 or newer, for any number of processes and machines.

    ``url`` is a libpq URL, such as ``postgresql://user@host/database``. Connections come from a pool of at most
    ``max_connections``; who finds none free within ``wait_s`` seconds gets :class:`StorageUnavailable`. Nothing is
    connected before it is used. READ COMMITTED is all that is needed; the stronger levels are as right, and slower.

    After a fork, parent and child each make their own connections. Raises :class:`ExtraMissing` without psycopg, and
    :class:`ConfigError` for what is no URL.
    """

    _rows = ROWS
    _dialect = POSTGRESQL
    joins_application = False
    """Handlers run in our transaction, through ``tx``; the application's own transaction is another."""
    claims_cheaply = True
    """A claim that finds its digest writes nothing."""

    def __init__(
        self,
        url: str,
        *,
        max_connections: int = 10,
        wait_s: float = 0.8,
        isolation: Isolation = "read committed",
        connect_timeout_s: int = 2,
    ) -> None:
        if isolation not in ("read committed", "repeatable read", "serializable"):
            raise ConfigError("isolation is 'read committed', 'repeatable read' or 'serializable'")
        if not 1 <= max_connections <= 1000:
            raise ConfigError("max_connections must be between 1 and 1000")
        if not 0 < wait_s <= 4:
            raise ConfigError("wait_s must be above 0 and at most 4 seconds: Razorpay waits 5 s for an answer")
        self._url = url
        self.url = without_password(url)
        self._max = max_connections
        self._wait_s = wait_s
        self._connect_timeout_s = connect_timeout_s
        self._opening = f"BEGIN ISOLATION LEVEL {isolation.upper()}".encode()
        self._lock = Lock()
        self._pool: Pool | None = None
        self._checked = False
        self._mine = local()
        _fork.watch(self)

    def __repr__(self) -> str:
        return f"<PostgresStore {self.url}>"

    # --- connections

    def _ready(self) -> Pool:
        with self._lock:
            if self._pool is None:
                self._pool = self._make_pool()
            return self._pool

    def _make_pool(self) -> Pool:
        pool: Pool = ConnectionPool(
            self._url,
            connection_class=GuardedConnection,
            kwargs={**_network(self._url), "autocommit": True, "connect_timeout": self._connect_timeout_s},
            min_size=0,
            max_size=self._max,
            open=False,
            timeout=self._wait_s,
            reconnect_timeout=1.0,  # give up soon: the next who asks makes the pool try again
            configure=_set_up,
            name="razorpay-hardened",
        )
        pool.open()
        return pool

    @contextmanager
    def _lent(self) -> Iterator[Connection]:
        """A connection from the pool; a broken one is not used again. Raises errors of the store."""
        pool = self._ready()
        try:
            connection = pool.getconn()
        except (PoolTimeout, PoolClosed) as error:
            raise StorageUnavailable(
                f"PostgreSQL: no connection within {self._wait_s:g} s: it is down, or all {self._max} are in use"
            ) from error
        except psycopg.Error as error:
            raise translate(error) from error
        pid = os.getpid()
        try:
            yield connection
        finally:
            if pid == os.getpid():
                pool.putconn(connection)

    def _read(self, sql: str, parameters: Row) -> list[Any]:
        for _ in range(ATTEMPTS - 1):
            with suppress(StorageConflict):  # a connection that died in the pool: the next one is another
                return self._read_once(sql, parameters)
        return self._read_once(sql, parameters)

    def _read_once(self, sql: str, parameters: Row) -> list[Any]:
        with self._lent() as connection:
            self._check(connection)
            try:
                with connection.cursor(row_factory=tuple_row) as cursor:
                    return cursor.execute(_ours(sql), storable(parameters)).fetchall()
            except psycopg.Error as error:
                raise translate_first(error) from error

    def _check(self, connection: Connection) -> None:
        if not self._checked:
            migrate.check(schema_found(connection))
            with connection.cursor(row_factory=tuple_row) as cursor:
                refuse_restored(cursor)
            self._checked = True

    # --- transactions

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[PostgresTransaction]:
        """Begin; commit when the block ends, roll back when it raises. Not re-entrant in one thread.

        Always ``durable``: nobody's transaction is around it. Raises :class:`StorageUnavailable` when it cannot begin
        or commit, :class:`StorageConflict` where it may be run again at once, :class:`CommitUnknown` where the answer
        to COMMIT was lost, :class:`SchemaMismatch`, and :class:`TransactionMisuse` when called inside itself.
        """
        if getattr(self._mine, "busy", False):
            raise TransactionMisuse("this thread is inside a transaction of this store already")
        self._mine.busy = True
        try:
            with self._lent() as connection:
                self._check(connection)
                yield from _unit(Work(connection, self._opening))
        finally:
            self._mine.busy = False

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` now: what was written is durable. Raises :class:`TransactionMisuse` inside a block."""
        if getattr(self._mine, "busy", False):
            raise TransactionMisuse("after_commit() is for after the transaction's block, not for inside it")
        callback()

    # --- the schema

    def migrate(self, *, finish: bool = False) -> StoreStatus:
        """Make or bring up the tables. Safe to call at every start, from many processes at once.

        ``finish`` also does what the code of the version before cannot survive: once its last process has gone.
        Raises :class:`SchemaMismatch` for a schema that is newer than this package.
        """
        with self._lent() as connection:
            try:
                with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
                    begin_migration(cursor)
                    self._bring_up(connection, cursor, finish=finish)
            except psycopg.Error as error:
                raise translate(error) from error
        return self.status()

    def _bring_up(self, connection: Connection, cursor: psycopg.Cursor[Any], *, finish: bool) -> None:
        found = schema_found(connection)
        whole = [migrate.Step(migrate.Found(migrate.VERSION, migrate.VERSION), self.schema())]
        for step in whole if found is None else migrate.steps("postgresql", found, finish=finish):
            cursor.execute(step.sql.encode(), prepare=False)
            cursor.execute(
                "INSERT INTO razorpay_schema (version, applied_at, serves) VALUES (%s, %s, %s)"
                " ON CONFLICT (version) DO UPDATE SET serves = excluded.serves",
                (step.reached.version, _CLOCK.now(), step.reached.serves),
            )
        mend_restored(cursor)

    def schema(self) -> str:
        """The SQL that makes the tables, as one text."""
        return migrate.schema_text("postgresql")

    def status(self) -> StoreStatus:
        """The state of the schema; needs no tables. Counts are exact: on large tables this takes its time."""
        with self._lent() as connection:
            found = schema_found(connection)
            counts: dict[str, int] = {}
            if found is not None:
                try:
                    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
                        cursor.execute("SET LOCAL statement_timeout = 0")
                        for table in sorted(TABLES):
                            counts[table] = _count(cursor, table)
                except psycopg.Error as error:
                    raise translate(error) from error
        version, serves = (None, None) if found is None else found
        return StoreStatus(self.url, version, migrate.VERSION, counts, serves)

    def close(self) -> None:
        """Close connections. The store opens them again when it is used again.

        Raises :class:`TransactionMisuse` inside a transaction of this thread.
        """
        if getattr(self._mine, "busy", False):
            raise TransactionMisuse("this thread is inside a transaction of this store")
        with self._lock:
            pool, self._pool, self._checked = self._pool, None, False
        if pool is not None:
            pool.close(timeout=self._wait_s)

    # --- forks: see _fork. A child never touches the parent's sockets; psycopg does not close them there either.

    def before_fork(self) -> None:
        """Nobody makes a pool during the fork."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Start afresh."""
        if self._pool is not None:
            _inherited.append(self._pool)
        self._lock, self._pool, self._checked = Lock(), None, False


def _unit(work: Work) -> Iterator[PostgresTransaction]:
    tx = PostgresTransaction(work)
    try:
        yield tx
        tx.refuse_if_ended()
        tx.commit()
    except BaseException as error:
        misused = work.misused
        work.roll_back()
        if misused and isinstance(error, Exception) and not isinstance(error, StorageError):
            raise TransactionMisuse("the transaction's own block tried to commit or roll it back") from error
        raise
    finally:
        tx.end()
        work.end()


@lru_cache(maxsize=512)
def _ours(sql: str) -> bytes:
    return POSTGRESQL.text(sql).encode()


def _count(cursor: psycopg.Cursor[Any], table: str) -> int:
    if cursor.execute("SELECT to_regclass(%s)", (table,)).fetchone() == (None,):
        return 0
    found = cursor.execute(" ".join(("SELECT count(*) FROM", table)).encode()).fetchone()
    return 0 if found is None else int(found[0])


def _set_up(connection: Connection) -> None:
    """Our limits; and a commit that is answered has reached the disk, whatever the server's default (FAULTS K11)."""
    connection.execute(
        "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false),"
        " set_config('TimeZone', 'UTC', false), CASE current_setting('synchronous_commit')"
        " WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END",
        (f"{LOCK_TIMEOUT_S}s", f"{STATEMENT_TIMEOUT_S}s"),
        prepare=False,
    )


def _parts(url: str) -> dict[str, Any]:
    """What libpq reads in ``url``. Raises :class:`ConfigError`, whose text repeats nothing of it."""
    try:
        parts = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ConfigError("not a PostgreSQL URL: write postgresql://user@host:5432/database") from None
    ports = str(parts.get("port") or "").split(",")
    if not all(port.isascii() and port.isdigit() for port in ports if port):
        # What libpq takes for a port is more often the password's first part, and it must not be shown.
        raise ConfigError("a PostgreSQL URL has a number as its port: write / in a password as %2F")
    return parts


def _network(url: str) -> dict[str, int]:
    """A server that vanished without a word must not hold a thread for minutes; what the URL says wins."""
    return {name: seconds for name, seconds in _LOST.items() if name not in _parts(url)}


def without_password(url: str) -> str:
    """``url`` as it may be shown: a password, and all parameters, are left out. Raises :class:`ConfigError`.

    Written from what libpq reads, because it takes more for a password than other readers of URLs do.
    """
    parts = _parts(url)
    user, host, port = (quote(str(parts.get(name) or ""), safe="") for name in ("user", "host", "port"))
    place = ("" if host.startswith("%2F") else host.replace("%2C", ",")) + (f":{port}" if port else "")
    return f"postgresql://{user + '@' if user else ''}{place}/{quote(str(parts.get('dbname') or ''), safe='')}"

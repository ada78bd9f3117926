"""Connections that belong to the application: Django's, SQLAlchemy's, or the driver's own.

A :class:`Place` says, for one of these kinds, where the driver's connection is, whether a transaction is open on it,
how a block is made one transaction (or one savepoint of the open one) in the owner's own way, and how to hear of the
outermost commit. None of these packages is imported here before a connection of theirs is given.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from razorpay_hardened.errors import ConfigError

__all__ = ["Place", "is_sqlite", "place_of"]


class Place(Protocol):
    """A connection of the application. Each method looks at it as it is now, in this thread."""

    def raw(self) -> Any:
        """The driver's connection."""
        ...

    def is_open(self) -> bool:
        """Whether a transaction of the application is open."""
        ...

    def block(self) -> AbstractContextManager[Any]:
        """Begin and commit, or a savepoint where a transaction is open; undone if the block raises."""
        ...

    def on_commit(self, callback: Callable[[], None]) -> bool:
        """Call ``callback`` after the outermost commit. False: this kind of connection does not tell."""
        ...


def is_sqlite(raw: Any) -> bool:
    """Whether this is SQLite; else it is PostgreSQL through psycopg 3. Raises :class:`ConfigError` for others."""
    if isinstance(raw, sqlite3.Connection):
        return True
    if type(raw).__module__.partition(".")[0] == "psycopg2":
        raise ConfigError("psycopg2 connections cannot be joined: use psycopg 3 (pip install 'psycopg[binary]')")
    if any(base.__module__.partition(".")[0] == "psycopg" for base in type(raw).__mro__):
        return False
    raise ConfigError(f"a store can join SQLite (sqlite3) and PostgreSQL (psycopg 3), not {type(raw).__module__}")


def place_of(connection: Any) -> Place:
    """The kind of ``connection``; a function is asked for the connection each time. Raises :class:`ConfigError`."""
    if hasattr(connection, "vendor") and hasattr(connection, "in_atomic_block"):
        return _Django(connection)
    if hasattr(connection, "exec_driver_sql") and hasattr(connection, "begin_nested"):
        return _SQLAlchemy(connection)
    if isinstance(connection, sqlite3.Connection):
        return _SQLite(connection)
    if hasattr(connection, "pgconn") and hasattr(connection, "transaction"):
        return _Psycopg(connection)
    if callable(connection):
        return _Asked(connection)
    raise ConfigError(
        "DbApiStore takes Django's connection, SQLAlchemy's Connection, a psycopg or sqlite3 connection,"
        f" or a function that gives one of them, not {type(connection).__name__}"
    )


class _Asked:
    """A function that gives today's connection: for connections that belong to a request or a thread."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask

    def _place(self) -> Place:
        given = self._ask()
        if callable(given) and not hasattr(given, "cursor"):
            raise ConfigError("the function given to DbApiStore must return a connection")
        return place_of(given)

    def raw(self) -> Any:
        return self._place().raw()

    def is_open(self) -> bool:
        return self._place().is_open()

    def block(self) -> AbstractContextManager[Any]:
        return self._place().block()

    def on_commit(self, callback: Callable[[], None]) -> bool:
        return self._place().on_commit(callback)


class _Django:
    """``django.db.connection``, or one of ``connections``: a proxy that is another connection in each thread."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def raw(self) -> Any:
        self._connection.ensure_connection()
        return self._connection.connection

    def is_open(self) -> bool:
        # Without autocommit Django itself is in a transaction that somebody must commit.
        return bool(self._connection.in_atomic_block) or not self._connection.get_autocommit()

    def block(self) -> AbstractContextManager[Any]:
        from django.db import transaction  # the application has it: it gave us its connection

        manager: AbstractContextManager[Any] = transaction.atomic(using=self._connection.alias)
        return manager

    def on_commit(self, callback: Callable[[], None]) -> bool:
        self._connection.on_commit(callback)
        return True


class _SQLAlchemy:
    """A ``sqlalchemy.Connection``. Its events fire before the commit, so it cannot tell us of one."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def raw(self) -> Any:
        return self._connection.connection.driver_connection

    def is_open(self) -> bool:
        return bool(self._connection.in_transaction())

    @contextmanager
    def block(self) -> Iterator[None]:
        nested = self.is_open()
        raw = self.raw()
        if is_sqlite(raw) and not raw.in_transaction:
            raw.execute("BEGIN IMMEDIATE")  # Python's driver begins late, and never before a savepoint
        with self._connection.begin_nested() if nested else self._connection.begin():
            yield

    def on_commit(self, callback: Callable[[], None]) -> bool:
        return False


class _Psycopg:
    """A ``psycopg.Connection``, with autocommit or without."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def raw(self) -> Any:
        return self._connection

    def is_open(self) -> bool:
        return bool(self._connection.info.transaction_status in (1, 2, 3))  # ACTIVE, INTRANS, INERROR

    def block(self) -> AbstractContextManager[Any]:
        manager: AbstractContextManager[Any] = self._connection.transaction()
        return manager

    def on_commit(self, callback: Callable[[], None]) -> bool:
        return False


class _SQLite:
    """A ``sqlite3.Connection``, in any of its modes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def raw(self) -> Any:
        return self._connection

    def is_open(self) -> bool:
        return self._connection.in_transaction

    @contextmanager
    def block(self) -> Iterator[None]:
        begin, undo, end = _SAVEPOINT if self.is_open() else _TRANSACTION
        self._connection.execute(begin)
        try:
            yield
            for statement in end:
                self._connection.execute(statement)
        except BaseException:
            for statement in undo if self._connection.in_transaction else ():
                self._connection.execute(statement)
            raise

    def on_commit(self, callback: Callable[[], None]) -> bool:
        return False


_TRANSACTION = ("BEGIN IMMEDIATE", ("ROLLBACK",), ("COMMIT",))
_SAVEPOINT = (
    "SAVEPOINT razorpay_unit",
    ("ROLLBACK TO SAVEPOINT razorpay_unit", "RELEASE SAVEPOINT razorpay_unit"),
    ("RELEASE SAVEPOINT razorpay_unit",),
)

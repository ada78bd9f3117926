"""Storage: the port ``Store`` on real databases.

In: the values of ``domain`` and ``ports.store``; a path or a URL. Out: the same values, and nothing of a driver except
errors of the application's own SQL.

- ``sqlite``      :class:`SQLiteStore`, a file: durable, one machine, many processes
- ``postgres``    :class:`PostgresStore`, with the extra ``[postgres]``: any number of machines
- ``dbapi``       :class:`DbApiStore`, on a connection of the application's, in the application's own transaction
- ``memory``      :class:`MemoryStore`, the same SQL in memory: for tests
- ``migrate``     the schema's version and the steps to it; ``sql/<dialect>/schema.sql`` is the whole truth

Shared by all: ``_rows`` (row ↔ value), ``_statements`` (the SQL), ``_transaction``, ``_reader``. SQLite's own:
``_sqlite`` (connections, errors), ``_sqlite_store`` (the writer and its lock), ``_readers`` (the pool), ``_fork``.
``postgres``' own: ``_postgres``. ``dbapi``'s own:
``_application`` (whose connection it is). Importing this room loads no driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.ports.store import Store
    from razorpay_hardened.storage.dbapi import DbApiStore
    from razorpay_hardened.storage.memory import MemoryStore
    from razorpay_hardened.storage.postgres import PostgresStore
    from razorpay_hardened.storage.sqlite import SQLiteStore

__all__ = ["DbApiStore", "MemoryStore", "PostgresStore", "SQLiteStore", "open_store"]


def open_store(url: str) -> Store:
    """The store at ``url``: ``sqlite:///path``, ``postgresql://…``, or ``memory://`` (also ``sqlite://``).

    Nothing is opened before it is used. Raises :class:`ConfigError` for any other URL; its text never repeats the
    URL, which may hold a password.
    """
    if url in ("memory://", "sqlite://", "sqlite:///:memory:"):
        from razorpay_hardened.storage.memory import MemoryStore

        return MemoryStore()
    if url.startswith("sqlite:"):
        from razorpay_hardened.storage.sqlite import SQLiteStore

        return SQLiteStore(url)
    if url.startswith(("postgresql://", "postgres://")):
        from razorpay_hardened.storage.postgres import PostgresStore

        return PostgresStore(url)
    raise ConfigError("a store's URL begins with sqlite:///, postgresql:// or memory://")


def __getattr__(name: str) -> Any:
    # Lazy: sqlite3 is loaded when a store is asked for by name, not when the package is imported.
    if name == "MemoryStore":
        from razorpay_hardened.storage.memory import MemoryStore

        return MemoryStore
    if name == "DbApiStore":
        from razorpay_hardened.storage.dbapi import DbApiStore

        return DbApiStore
    if name == "PostgresStore":
        from razorpay_hardened.storage.postgres import PostgresStore

        return PostgresStore
    if name == "SQLiteStore":
        from razorpay_hardened.storage.sqlite import SQLiteStore

        return SQLiteStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

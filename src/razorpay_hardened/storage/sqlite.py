"""The store in an SQLite file: durable, on one machine, with nothing to install."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from threading import Lock, get_ident
from typing import Any
from urllib.parse import parse_qsl, unquote

from razorpay_hardened.errors import ConfigError, SchemaMismatch, StorageUnavailable
from razorpay_hardened.ports.store import StoreStatus
from razorpay_hardened.storage import _fork, migrate
from razorpay_hardened.storage._copy import back_up
from razorpay_hardened.storage._readers import ReaderPool
from razorpay_hardened.storage._rows import Row, storable
from razorpay_hardened.storage._sqlite import connect, file_uri, schema_found, translate
from razorpay_hardened.storage._sqlite_store import WAIT_S, SQLiteBase

__all__ = ["SQLiteStore"]

_PREFIX = "sqlite:///"


def _parse(path_or_url: str) -> tuple[str, bool]:
    """(absolute path, read-only) of a path or of ``sqlite:///path[?mode=ro]``."""
    path, read_only = path_or_url, False
    if path_or_url.startswith("sqlite:"):
        if not path_or_url.startswith(_PREFIX):
            raise ConfigError("an SQLite URL is sqlite:///relative/path or sqlite:////absolute/path")
        path, _, query = path_or_url.removeprefix(_PREFIX).partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        if options not in ({}, {"mode": "ro"}, {"mode": "rw"}):
            raise ConfigError("the only option of an SQLite URL is mode=ro or mode=rw")
        path, read_only = unquote(path), options.get("mode") == "ro"
    if path in ("", ":memory:"):
        raise ConfigError("an SQLite store needs a file; for one that forgets, use MemoryStore()")
    return os.path.abspath(path), read_only  # absolute: a later change of folder must not change the store


class SQLiteStore(SQLiteBase):
    """A store in an SQLite file (WAL, ``synchronous=FULL``); many threads and processes may use it at once.

    ``path_or_url`` is a path or ``sqlite:///path``; with ``?mode=ro`` it can only be read. The file is made by
    :meth:`migrate` and by nothing else, so that a slip in the path is an error and not an empty store.
    ``busy_timeout_s`` (seconds, at most 3) is how long to wait for another process that writes.

    It closes its connections before a fork, and parent and child open their own. Where a fork could not be seen (one
    made by a C program around Python), the child refuses to go on with what it inherited.
    """

    def __init__(self, path_or_url: str | os.PathLike[str], *, busy_timeout_s: float = 3.0) -> None:
        super().__init__(busy_timeout_s)
        self.path, self._read_only = _parse(os.fspath(path_or_url))
        self.url = _PREFIX + self.path
        self._pool = ReaderPool(self._connect_reader)
        self._pid = os.getpid()
        self._held: tuple[bool, bool] = (False, False)
        _fork.watch(self)

    # --- connections

    def _refuse_unseen_fork(self) -> None:
        if self._pid != os.getpid():
            raise StorageUnavailable(
                "this process was forked while the store was in use: close the store before the fork, or make it after"
            )

    def _connect(self, *, make: bool) -> sqlite3.Connection:
        self._refuse_unseen_fork()
        if not make and not Path(self.path).exists():
            migrate.check(None)
        mode = "ro" if self._read_only else "rwc" if make else "rw"
        return connect(file_uri(self.path, mode), self._busy_timeout_s)

    def _connect_reader(self) -> sqlite3.Connection:
        connection = self._connect_unchecked()
        try:
            migrate.check(schema_found(connection))
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_unchecked(self) -> sqlite3.Connection:
        self._refuse_unseen_fork()
        if not Path(self.path).exists():
            migrate.check(None)
        return connect(file_uri(self.path, "ro" if self._read_only else "rw"), self._busy_timeout_s, reader=True)

    def _read(self, sql: str, parameters: Row) -> list[Any]:
        with self._pool.lend() as connection:
            if self._pid != os.getpid():
                self._refuse_unseen_fork()
            try:
                return connection.execute(sql, storable(parameters)).fetchall()
            except sqlite3.Error as error:
                raise translate(error) from error

    def status(self) -> StoreStatus:
        """The state of the schema; needs neither tables nor a file, and makes none."""
        try:
            connection = self._connect_unchecked()
        except SchemaMismatch:
            return StoreStatus(self.url, None, migrate.VERSION, {})
        try:
            return self._status_of(connection)
        finally:
            connection.close()

    def close(self) -> None:
        """Close all connections. The store opens them again when it is used again."""
        super().close()
        self._pool.close()

    # --- backup

    def back_up(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Copy the whole store, as it is at one moment, into a file of its own, while others read and write.

        The file appears under its name when it is whole and on the disk, readable by its owner alone. Raises
        :class:`ConfigError` where something is at ``path`` and ``overwrite`` is false, or where it cannot be written;
        :class:`SchemaMismatch` without tables, :class:`StorageUnavailable` when the store cannot be read now.
        """
        with self._pool.lend() as connection:
            back_up(connection, Path(path), overwrite=overwrite)

    # --- forks: see _fork

    def before_fork(self) -> None:
        """Close all connections, and let nobody open one until the fork is over."""
        alone = self._owner != get_ident() and self._lock.acquire(timeout=WAIT_S)
        if alone:
            self._drop_writer()
        self._held = (alone, self._pool.hold(WAIT_S))

    def after_fork_in_parent(self) -> None:
        """Let the others go on."""
        alone, _ = self._held
        if alone:
            self._lock.release()
        self._pool.release()

    def after_fork_in_child(self) -> None:
        """Start afresh, unless a connection was in use at the fork: then this store refuses all work here."""
        clean = all(self._held)
        if self._owner != get_ident():  # else this thread holds the lock, and will release it
            self._lock, self._owner = Lock(), 0
        self._pool = ReaderPool(self._connect_reader)
        if clean:
            self._pid = os.getpid()

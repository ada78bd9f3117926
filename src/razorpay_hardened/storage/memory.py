"""The store in memory: the same SQL on a private SQLite database, so that tests see what production does."""

from __future__ import annotations

import os
import sqlite3
from threading import Lock, get_ident
from typing import Any

from razorpay_hardened.errors import StorageUnavailable, TransactionMisuse
from razorpay_hardened.ports.store import StoreStatus
from razorpay_hardened.storage import _fork
from razorpay_hardened.storage._rows import Row, storable
from razorpay_hardened.storage._sqlite import Writer, connect, translate
from razorpay_hardened.storage._sqlite_store import WAIT_S, SQLiteBase

__all__ = ["MemoryStore"]


class MemoryStore(SQLiteBase):
    """A store that forgets everything at :meth:`close` and when the process ends. For tests, demos and trying out.

    It makes its tables by itself. It has one connection: who reads in another thread waits until the running
    transaction has ended, and who reads in the middle of a transaction of his own thread gets
    :class:`TransactionMisuse`, because what he would see is not committed. After a fork, parent and child each go on
    with their own copy.
    """

    url = "memory://"

    def __init__(self) -> None:
        super().__init__(busy_timeout_s=0)
        self._alone_at_fork = False
        self._lost = False
        _fork.watch(self)

    def _connect(self, *, make: bool) -> sqlite3.Connection:
        return connect(":memory:", 0)

    def _ready(self, *, make: bool = False) -> Writer:
        if self._lost:
            raise StorageUnavailable("this process was forked in the middle of a transaction: make a new store")
        if self._writer is not None:
            return self._writer
        writer = super()._ready(make=make)
        writer.begin()
        self._bring_up(writer.connection)
        writer.commit()
        return writer

    def _read(self, sql: str, parameters: Row) -> list[Any]:
        if self._owner == get_ident():
            raise TransactionMisuse(
                "the memory store cannot be read inside a transaction of the same thread: read first"
            )
        with self._alone():
            try:
                return self._ready().connection.execute(sql, storable(parameters)).fetchall()
            except sqlite3.Error as error:
                raise translate(error) from error

    def status(self) -> StoreStatus:
        """The state of the schema, and how many rows there are."""
        with self._alone():
            return self._status_of(self._ready().connection)

    # --- forks: a database in memory has no file and no lock, so that a copy is simply a copy

    def before_fork(self) -> None:
        """Wait for the running transaction, so that the copy is whole."""
        self._alone_at_fork = self._owner != get_ident() and self._lock.acquire(timeout=WAIT_S)

    def after_fork_in_parent(self) -> None:
        """Let the others go on."""
        if self._alone_at_fork:
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Go on with the copy, unless it was made in the middle of a transaction."""
        self._lost = not self._alone_at_fork
        if self._owner != get_ident():  # else this thread holds the lock, and will release it
            self._lock, self._owner = Lock(), 0
        if self._writer is not None and not self._lost:
            self._writer.pid = os.getpid()

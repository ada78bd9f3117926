"""A small pool of connections that read: as many as threads read at the same moment, each kept for the next."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

__all__ = ["ReaderPool"]

_KEPT = 8  # idle connections; a burst opens more, and closes them again


class ReaderPool:
    """Lends connections that ``opener`` makes. Closing closes the idle ones at once, the lent ones as they return."""

    def __init__(self, opener: Callable[[], sqlite3.Connection]) -> None:
        self._open = opener
        self._idle: list[sqlite3.Connection] = []
        self._lent = 0
        self._changed = Condition()
        self._generation = 0

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """A connection for one question. One on which something failed is not used again."""
        with self._changed:
            connection = self._idle.pop() if self._idle else None
            generation = self._generation
            self._lent += 1
        keep = False
        try:
            if connection is None:
                connection = self._open()
            yield connection
            keep = True
        finally:
            with self._changed:
                self._lent -= 1
                if keep and generation == self._generation and len(self._idle) < _KEPT and connection is not None:
                    self._idle.append(connection)
                    connection = None
                self._changed.notify_all()
            if connection is not None:
                connection.close()

    def close(self) -> None:
        """Close the idle connections; the pool can be used again."""
        with self._changed:
            self._drop()

    def hold(self, timeout_s: float) -> bool:
        """Wait until nobody reads, close all, let nobody in until :meth:`release`. False: somebody still reads."""
        self._changed.acquire()
        quiet = self._changed.wait_for(lambda: self._lent == 0, timeout_s)
        self._drop()
        return quiet

    def release(self) -> None:
        self._changed.release()

    def _drop(self) -> None:
        self._generation += 1
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

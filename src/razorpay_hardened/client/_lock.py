"""A lock for a few lines of arithmetic, which neither a fork nor a signal handler can turn into a deadlock.

A thread that forks copies the locks that other threads hold at that moment, and nobody in the child will ever release
them. So each child gets new ones. What a lock of this kind guards must be sound in the middle of an update: counters
and times that the next update puts right.
"""

from __future__ import annotations

import os
from threading import RLock
from weakref import WeakSet

__all__ = ["ShortLock"]

_all: WeakSet[ShortLock] = WeakSet()


class ShortLock:
    """``with lock:`` around what takes microseconds: no call of foreign code, no input or output, no waiting.

    Reentrant, so that a signal handler that makes a call of its own does not wait for the code that it interrupted.
    """

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock = RLock()
        _all.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _after_in_child() -> None:
    for one in list(_all):
        one._lock = RLock()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_in_child)

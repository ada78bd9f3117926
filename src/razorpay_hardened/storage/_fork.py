"""Fork and SQLite: connections must not be open across a fork (FAULTS H8, gunicorn's preload).

A child that inherits an open connection believes that it holds the parent's file locks, and its own connections to
the same file inherit that belief: two processes then write at once. So every watched store closes its connections
*before* the fork, and parent and child open their own when they next need one.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["ForkAware", "watch"]


class ForkAware(Protocol):
    """What is told about forks, in the thread that forks."""

    def before_fork(self) -> None: ...

    def after_fork_in_parent(self) -> None: ...

    def after_fork_in_child(self) -> None: ...


_watched: WeakSet[ForkAware] = WeakSet()
_told: list[ForkAware] = []  # those that heard `before`: exactly these must hear what comes after


def watch(store: ForkAware) -> None:
    """Tell ``store`` about every fork, for as long as it lives."""
    _watched.add(store)


def _before() -> None:
    _told[:] = list(_watched)
    for store in _told:
        store.before_fork()


def _after_in_parent() -> None:
    for store in _told:
        store.after_fork_in_parent()
    _told.clear()


def _after_in_child() -> None:
    for store in _told:
        store.after_fork_in_child()
    _told.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)

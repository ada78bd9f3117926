"""A store in memory that is put back to what it was: for tests that try every continuation of one beginning."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from razorpay_hardened import MemoryStore

__all__ = ["branch"]


@contextmanager
def branch(store: MemoryStore) -> Iterator[None]:
    """What is committed within the block is gone after it. Not within a transaction."""
    with closing(sqlite3.connect(":memory:")) as stem:
        store._ready().connection.backup(stem)
        yield
        stem.backup(store._ready().connection)

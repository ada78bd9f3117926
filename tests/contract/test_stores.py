"""The store contract over the stores that ship."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from razorpay_hardened.storage import MemoryStore, PostgresStore, SQLiteStore
from razorpay_hardened.storage.postgres import Isolation
from razorpay_hardened.testing.store_contract import (
    EffectContract,
    InboxContract,
    LeakContract,
    ProcessContract,
    StoreContract,
    TransactionContract,
)
from support.postgres import new_tables


class TestMemoryStore(StoreContract):
    """In memory."""

    @pytest.fixture
    def store(self) -> Iterator[MemoryStore]:
        store = MemoryStore()
        store.migrate()
        yield store
        store.close()


class TestSQLiteStore(StoreContract):
    """In a file."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SQLiteStore]:
        store = SQLiteStore(tmp_path / "razorpay.db")
        store.migrate()
        yield store
        store.close()


class TestPostgresStore(StoreContract):
    """On a real server."""

    @pytest.fixture
    def store(self) -> Iterator[PostgresStore]:
        with new_tables() as url:
            store = PostgresStore(url)
            yield store
            store.close()


class StrictPostgresStore(TransactionContract, InboxContract, EffectContract, ProcessContract, LeakContract):
    """What concerns other transactions, at the levels that are stronger than we need (FAULTS D10)."""

    isolation: Isolation

    @pytest.fixture
    def store(self) -> Iterator[PostgresStore]:
        with new_tables() as url:
            store = PostgresStore(url, isolation=self.isolation)
            yield store
            store.close()


class TestPostgresStoreAtRepeatableRead(StrictPostgresStore):
    """Snapshots for a whole transaction."""

    isolation = "repeatable read"


class TestPostgresStoreAtSerializable(StrictPostgresStore):
    """Snapshots, and their conflicts found."""

    isolation = "serializable"

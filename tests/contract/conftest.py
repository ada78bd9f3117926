"""Fixtures of the SQLite tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from razorpay_hardened.storage import SQLiteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "razorpay.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(path, busy_timeout_s=3)
    store.migrate()
    yield store
    store.close()

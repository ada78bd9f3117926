"""Where the simulated days live: in memory where the machine has such a place, as a campaign is a hundred thousand
commits and what is tried is not the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

_MEMORY = Path("/dev/shm")


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder for one day's shop."""
    within = _MEMORY if os.access(_MEMORY, os.W_OK | os.X_OK) else None
    with TemporaryDirectory(dir=within, prefix="razorpay-day-") as made:
        yield Path(made)

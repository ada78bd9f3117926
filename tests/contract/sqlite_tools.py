"""What the SQLite tests share: forking children, and SQL behind the store's back."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any


def fork(work: Callable[[], None]) -> Callable[[], int]:
    """Run ``work`` in a forked child; calling what is given waits for it and gives its exit code (0: no error)."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return lambda: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def raw(path: Path, *sql: str) -> list[Any]:
    """Run SQL behind the store's back; gives the rows of the last statement."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return [connection.execute(one).fetchall() for one in sql][-1]
    finally:
        connection.close()

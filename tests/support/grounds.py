"""Where crash rounds and races take place: an SQLite file, or a database on a PostgreSQL server.

A ground makes one template with the shop of :mod:`support.workload`, and a fresh copy of it for each round. A store is
opened in the process that uses it, and closed before anybody forks.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from razorpay_hardened import SQLiteStore
from razorpay_hardened.ports.store import Store
from support.workload import KNOWN, LOST, make_store

__all__ = ["GROUNDS", "Ground", "PostgresGround", "SQLiteGround"]


class Ground(Protocol):
    """Copies of one prepared shop. A copy is named by what ``copy`` gave."""

    def prepare(self, known: Iterable[int] = KNOWN, lost: Iterable[int] = LOST) -> None: ...

    def copy(self) -> str: ...

    def open(self, copy: str, *, patient: bool) -> Store:
        """The store on a copy; ``patient`` waits for locks as long as in production, else a second at most."""
        ...

    def drop(self, copy: str) -> None: ...

    def end(self) -> None: ...


class SQLiteGround:
    """Files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = folder / "template.db"

    def prepare(self, known: Iterable[int] = KNOWN, lost: Iterable[int] = LOST) -> None:
        make_store(SQLiteStore(self._template), known, lost)

    def copy(self) -> str:
        path = self._folder / f"{secrets.token_hex(6)}.db"
        shutil.copyfile(self._template, path)
        return str(path)

    def open(self, copy: str, *, patient: bool) -> Store:
        return SQLiteStore(copy, busy_timeout_s=3 if patient else 1)

    def drop(self, copy: str) -> None:
        for path in self._folder.glob(f"{Path(copy).name}*"):
            path.unlink()

    def end(self) -> None:
        """Nothing to do: the folder is the caller's."""


class PostgresGround:
    """Databases on the shared server; ``isolation`` is that of every transaction."""

    def __init__(self, folder: Path, isolation: str = "read committed") -> None:
        self._isolation = isolation
        self._template = f"crash_{secrets.token_hex(6)}"
        self._copies = 0

    def prepare(self, known: Iterable[int] = KNOWN, lost: Iterable[int] = LOST) -> None:
        self._admin(f"CREATE DATABASE {self._template}")
        make_store(self.open(self._template, patient=True), known, lost)

    def copy(self) -> str:
        self._copies += 1
        name = f"{self._template}_{self._copies}"
        self._admin(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return name

    def open(self, copy: str, *, patient: bool) -> Store:
        import psycopg

        from razorpay_hardened.storage import postgres
        from support.postgres import server_url

        postgres.LOCK_TIMEOUT_S = 2 if patient else 1  # type: ignore[misc]
        url = psycopg.conninfo.make_conninfo(server_url(), dbname=copy)
        isolation: postgres.Isolation = self._isolation  # type: ignore[assignment]
        return postgres.PostgresStore(url, isolation=isolation, max_connections=40)

    def drop(self, copy: str) -> None:
        self._admin(f"DROP DATABASE {copy} WITH (FORCE)")

    def end(self) -> None:
        self.drop(self._template)

    def _admin(self, sql: str) -> None:
        import psycopg

        from support.postgres import server_url

        with psycopg.connect(server_url(), autocommit=True) as connection:
            connection.execute(sql)


GROUNDS = {"sqlite": SQLiteGround, "postgresql": PostgresGround}


def fast_disk() -> str | None:
    """A disk in memory, where there is one: SIGKILL leaves the kernel alive, so fsync proves nothing here."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

"""The store contract over connections that the application has: Django's, SQLAlchemy's, and the drivers' own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from razorpay_hardened.storage import DbApiStore
from razorpay_hardened.testing.store_contract import StoreContract
from support import applications
from support.postgres import new_tables


class JoinedContract(StoreContract):
    """The same promises, whoever owns the connection: outside of the application's own transactions."""

    kind: Callable[[ExitStack, Path], Any]

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[DbApiStore]:
        with ExitStack() as stack:
            store = DbApiStore(type(self).kind(stack, tmp_path))
            store.migrate()
            yield store


class TestSqlite3(JoinedContract):
    kind = staticmethod(applications.sqlite3_connections)


class TestPsycopg(JoinedContract):
    kind = staticmethod(partial(applications.psycopg_connections, schema=new_tables))


class TestSQLAlchemyOnSQLite(JoinedContract):
    kind = staticmethod(applications.sqlalchemy_on_sqlite)


class TestSQLAlchemyOnPostgreSQL(JoinedContract):
    kind = staticmethod(partial(applications.sqlalchemy_on_postgresql, schema=new_tables))


class TestDjangoOnSQLite(JoinedContract):
    kind = staticmethod(applications.django_on_sqlite)


class TestDjangoOnPostgreSQL(JoinedContract):
    kind = staticmethod(partial(applications.django_on_postgresql, schema=new_tables))


def test_a_stores_first_unit_locks_the_file_before_it_reads(tmp_path: Path) -> None:
    """Django begins without a lock: a store that read its schema first would be refused if another wrote then."""
    with ExitStack() as stack:
        connection = applications.django_on_sqlite(stack, tmp_path)
        DbApiStore(connection).migrate()
        other = sqlite3.connect(tmp_path / "application.db", timeout=0, isolation_level=None)
        stack.callback(other.close)
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE theirs (n INTEGER)")

        def meddle(statement: str) -> None:
            if statement.startswith("UPDATE"):
                with suppress(sqlite3.OperationalError):  # locked already
                    other.execute("INSERT INTO theirs VALUES (1)")

        raw = connection().connection
        raw.set_trace_callback(meddle)
        with DbApiStore(connection).transaction() as tx:
            assert tx.execute("SELECT 1").fetchone()[0] == 1
        raw.set_trace_callback(None)

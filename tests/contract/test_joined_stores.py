"""The store contract over connections that the application has: Django's, SQLAlchemy's, and the drivers' own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from razorpay_hardened.storage import DbApiStore
from razorpay_hardened.testing.store_contract import StoreContract
from support import applications


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
    kind = staticmethod(applications.psycopg_connections)


class TestSQLAlchemyOnSQLite(JoinedContract):
    kind = staticmethod(applications.sqlalchemy_on_sqlite)


class TestSQLAlchemyOnPostgreSQL(JoinedContract):
    kind = staticmethod(applications.sqlalchemy_on_postgresql)


class TestDjangoOnSQLite(JoinedContract):
    kind = staticmethod(applications.django_on_sqlite)


class TestDjangoOnPostgreSQL(JoinedContract):
    kind = staticmethod(applications.django_on_postgresql)

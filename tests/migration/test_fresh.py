"""Fresh databases: made by migrate(), by many at once, by hand; and one that came from the future."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest

from razorpay_hardened.errors import SchemaMismatch
from razorpay_hardened.storage import DbApiStore, PostgresStore, SQLiteStore, migrate
from razorpay_hardened.testing._contract_values import claim, order, started, write
from support import applications
from support.postgres import new_schema


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_postgresql_is_migrated_once_by_many(level: str) -> None:
    """Whatever the server's default isolation: who waited sees what was made meanwhile."""
    with new_schema(default_transaction_isolation=level.replace(" ", "\\ ")) as url:
        stores = [PostgresStore(url) for _ in range(6)]
        barrier = Barrier(6)

        def start(store: PostgresStore) -> int | None:
            barrier.wait(30)
            return store.migrate().version

        joins = [started(lambda store=store: start(store)) for store in stores]  # type: ignore[misc]
        assert {join() for join in joins} == {migrate.VERSION}
        for store in stores:
            assert store.migrate().finished
            store.close()


@pytest.mark.parametrize(
    "kind",
    [
        applications.sqlite3_connections,
        applications.psycopg_connections,
        applications.sqlalchemy_on_sqlite,
        applications.sqlalchemy_on_postgresql,
        applications.django_on_sqlite,
        applications.django_on_postgresql,
    ],
)
def test_an_application_s_connections_migrate_once(kind: Callable[..., Any], tmp_path: Path) -> None:
    """Each thread with a connection of its own, all at once, as processes do when they start."""
    with ExitStack() as stack:
        connect = kind(stack, tmp_path)
        barrier = Barrier(4)

        def start() -> int | None:
            store = DbApiStore(connect)
            barrier.wait(30)
            return store.migrate().version

        assert {join() for join in [started(start) for _ in range(4)]} == {migrate.VERSION}
        store = DbApiStore(connect)
        assert claim(store).state == "new"
        assert "razorpay_migration" not in store.schema()


def test_tables_made_by_hand_on_postgresql_are_of_the_current_version() -> None:
    """What ``db sql`` prints is all that a team with migrations of its own must run."""
    with new_schema() as url:
        store = PostgresStore(url)
        with psycopg.connect(url, autocommit=True) as dba:
            dba.execute(store.schema())  # type: ignore[arg-type]
        write(store, orders=[order()])
        assert store.migrate().version == migrate.VERSION
        assert store.order("local-1") == order()
        store.close()


def test_tables_made_by_hand_on_sqlite_are_of_the_current_version(tmp_path: Path) -> None:
    """The same for a file."""
    import sqlite3

    store = SQLiteStore(tmp_path / "shop.db")
    with closing(sqlite3.connect(tmp_path / "shop.db")) as dba:
        dba.executescript(store.schema())
    write(store, orders=[order()])
    assert store.migrate().version == migrate.VERSION
    assert store.order("local-1") == order()
    store.close()


@pytest.mark.parametrize("version", [migrate.VERSION + 1, migrate.VERSION + 7])
def test_a_schema_from_the_future_is_left_alone(version: int) -> None:
    """Neither migrate() nor use touches it, unless it says that it serves this code."""
    with new_schema() as url:
        store = PostgresStore(url)
        store.migrate()
        with psycopg.connect(url, autocommit=True) as newer:
            newer.execute("INSERT INTO razorpay_schema VALUES (%s, now(), %s)", (version, version))
        fresh = PostgresStore(url)
        for use in (fresh.migrate, fresh.orders, lambda: claim(fresh)):
            with pytest.raises(SchemaMismatch, match="upgrade"):
                use()
        with psycopg.connect(url, autocommit=True) as newer:
            newer.execute("UPDATE razorpay_schema SET serves = %s", (migrate.VERSION,))
        assert claim(fresh).state == "new"
        assert fresh.migrate().version == version
        store.close()
        fresh.close()


def test_a_column_of_a_later_version_does_not_disturb_this_one() -> None:
    """The functions name their columns: one that they do not know gets its default."""
    with new_schema() as url:
        store = PostgresStore(url)
        store.migrate()
        with psycopg.connect(url, autocommit=True) as newer:
            for table in ("anchors", "orders", "payments", "refunds", "audit", "effects"):
                newer.execute(f"ALTER TABLE razorpay_{table} ADD COLUMN later text NOT NULL DEFAULT 'x'")
        write(store, orders=[order()])
        assert store.order("local-1") == order()
        store.close()

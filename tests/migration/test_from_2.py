"""From schema version 2 to 3, with the old code running all the while: old on new, new on old, on both databases.

Version 2's tables, functions and every statement that its code ran are kept beside this file, as they were.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bodies import Shop, life_of, order_id
from razorpay_hardened.domain.audit import chained
from razorpay_hardened.errors import SchemaMismatch
from razorpay_hardened.storage import PostgresStore, SQLiteStore
from razorpay_hardened.storage._sqlite import split
from razorpay_hardened.testing._contract_values import audit, claim, delivery
from razorpay_hardened.testing.factories import body
from support.postgres import new_schema

HERE = Path(__file__).parent
T = "2026-01-02T03:04:05.678901Z"


def statements() -> dict[str, str]:
    """Name → statement of version 2's code on SQLite."""
    found: dict[str, str] = {}
    name = ""
    for line in (HERE / "sqlite_0002_statements.sql").read_text().splitlines():
        if line.startswith("-- "):
            name = line[3:]
        else:
            found[name] = line.rstrip(";")
    return found


V2 = statements()


def rows_of(key: str) -> dict[str, tuple[Any, ...]]:
    """Parameters for the statements of version 2 with which a delivery is claimed and applied."""
    row = chained(audit(key), 1, "")
    order = f"order_{key}"
    return {
        "claim": (delivery(key.encode()).digest, key.encode(), "e", None, "done", T, None, T, 0, None, None, None),
        "lock_anchor": (order,),
        "anchor.put": (order, 1, 0, 0, ""),
        "order.put": (key, "user:7", None, 499, "INR", f"r-{key}", "created", T, T, order, 0, 1, None, None, None),
        "payment.put": (
            f"pay_{key}", order, order, "captured", "captured", 499, "INR", T, T, 1, 0, 0, 0, 0, "", None, None,
        ),
        "refund.put": (f"rfnd_{key}", f"pay_{key}", order, "pending", 1, "INR", T, T, None, None, None),
        "put_effect": (
            f"order.paid:{key}", "grant", "after", order, "order.paid", "order", key, "{}", "waiting", 0, T, T,
            None, None, None,
        ),
        "put_audit": (
            row.anchor, T, row.what, row.kind, row.entity_id, row.before, row.after, row.amount, row.currency,
            row.source, row.actor, row.event, row.event_id, row.digest, row.note, row.seq, row.prev, row.hash,
        ),
    }  # fmt: skip


def work_as_version_2(path: Path, key: str) -> None:
    """A transaction of the old code, then everything that it reads."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for name, row in rows_of(key).items():
            connection.execute(V2[name], row).fetchall()
        connection.execute("COMMIT")
        for sql in V2.values():
            if sql.startswith("SELECT"):
                connection.execute(sql, ("",) * sql.count("?") if "LIMIT ?" not in sql else (1,) * sql.count("?"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of version 2 that has been worked in."""
    made = tmp_path / "shop.db"
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in split((HERE / "sqlite_0002.sql").read_text()):
            connection.execute(statement)
    work_as_version_2(made, "before")
    return made


def test_version_2_is_kept_whole() -> None:
    """The tables have not been touched since."""
    for name in ("sqlite_0002.sql", "postgresql_0002.sql"):
        text = (HERE / name).read_text()
        assert "schema, version 2" in text
        assert "razorpay_entities" not in text
    assert not any("razorpay_entities" in sql for sql in V2.values())


def test_new_code_refuses_the_tables_of_version_2(path: Path) -> None:
    """SchemaMismatch before anything is written."""
    with closing(SQLiteStore(path)) as store, pytest.raises(SchemaMismatch, match="db migrate"):
        claim(store)


def test_old_code_runs_on_what_pre_leaves(path: Path) -> None:
    """Both codes in turns on one file; what the old one ignores, the new one has."""
    with closing(SQLiteStore(path)) as store:
        status = store.migrate()
        assert (status.version, status.finished) == (3, False)
        work_as_version_2(path, "amid")
        shop = Shop(store)
        assert shop.deliver(body("settlement.processed", account_id="acc_BFQ7uQEaa7j2z7")) == 200
        work_as_version_2(path, "after")
        assert {row.local_id for row in store.orders()} == {"before", "amid", "after"}
        assert [row.status for row in store.entities(kind="settlement")] == ["processed"]
        assert store.migrate(finish=True).finished
        assert len(store.entities()) == 1


def _shape(path: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name, type FROM sqlite_schema WHERE name LIKE 'razorpay%'").fetchall()
        return {
            name: connection.execute(f"PRAGMA {'table' if kind == 'table' else 'index'}_xinfo({name})").fetchall()
            for name, kind in names
        }


def test_the_migrated_schema_is_the_fresh_one(path: Path, tmp_path: Path) -> None:
    """Tables, columns and indexes: no difference is left."""
    with closing(SQLiteStore(path)) as old, closing(SQLiteStore(tmp_path / "new.db")) as new:
        old.migrate(finish=True)
        new.migrate()
    assert _shape(path) == _shape(tmp_path / "new.db")


# --- PostgreSQL


@pytest.fixture
def url() -> Iterator[str]:
    """A schema of version 2."""
    with new_schema() as made:
        with psycopg.connect(made, autocommit=True) as connection:
            connection.execute((HERE / "postgresql_0002.sql").read_bytes(), prepare=False)
        yield made


def webhook_as_version_2(url: str, key: str) -> None:
    """The two trips of version 2's code: open, then write and commit."""
    order = f"order_{key}"
    lists = ", ".join(["%s::text[]"] * 4)
    opened = f"SELECT razorpay_open_2(%s::text, %s::bytea, 'e', NULL, now(), NULL, {lists})"
    payment = dict(
        zip(
            ("payment_id", "anchor", "order_id", "status", "reach", "amount", "currency", "created_at", "updated_at"),
            (f"pay_{key}", order, order, "captured", "captured", 499, "INR", T, T),
            strict=True,
        ),
        captured=True, claimed=0, refunds_known=0, refunds_failed=0, surplus=False, milestones="",
    )  # fmt: skip
    with psycopg.connect(url) as connection:
        digest = delivery(key.encode()).digest
        found = connection.execute(opened, (digest, key.encode(), [order], [], [f"pay_{key}"], [])).fetchone()
        assert found is not None
        assert found[0]["held"]["anchors"]
        connection.execute("SELECT razorpay_write_2(%s::jsonb)", (json.dumps({"payments": [payment]}),))


def _functions(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT proname FROM pg_proc WHERE proname LIKE 'razorpay%'"
            " AND pronamespace = current_schema()::regnamespace"
        )
        return {row[0] for row in found.fetchall()}


def _columns(url: str) -> set[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT table_name, ordinal_position, column_name, data_type, collation_name, is_nullable"
            " FROM information_schema.columns WHERE table_schema = current_schema()"
        ).fetchall()
        indexes = connection.execute("SELECT indexname, tablename FROM pg_indexes WHERE schemaname = current_schema()")
        return {*tables, *indexes.fetchall()}


def test_old_functions_work_until_the_end_of_version_2(url: str) -> None:
    """Old code calls the old names beside the new ones; finishing takes them away, and nothing differs from new."""
    webhook_as_version_2(url, "before")
    with closing(PostgresStore(url)) as store:
        with pytest.raises(SchemaMismatch, match="db migrate"):
            claim(store)
        assert not store.migrate().finished
        webhook_as_version_2(url, "amid")
        shop = Shop(store)
        shop.adopt(1)
        assert {shop.deliver(raw) for raw in life_of(1).values()} == {200}
        assert shop.deliver(body("settlement.processed", account_id="acc_BFQ7uQEaa7j2z7")) == 200
        webhook_as_version_2(url, "after")
        assert {"razorpay_open_2", "razorpay_open_3"} <= _functions(url)
        assert store.migrate(finish=True).finished
        assert len(store.payments()) == 4
        assert store.order(order_id(1)).status == "paid"  # type: ignore[union-attr]
    with new_schema() as fresh:
        with closing(PostgresStore(fresh)) as store:
            store.migrate()
        assert _functions(url) == _functions(fresh)
        assert _columns(url) == _columns(fresh)

"""PostgreSQL: every statement goes through an index, and what must be unique and whole numbers is (DB-01 to DB-04)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from itertools import count
from typing import Any

import psycopg
import pytest

from razorpay_hardened.storage import PostgresStore
from razorpay_hardened.storage._postgres import STATEMENTS
from razorpay_hardened.storage._statements import many
from support.postgres import new_schema

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AFTER = (NOW, "x")


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection[Any]]:
    """A connection to a migrated schema; its planner reads a whole table only where nothing else is possible."""
    with new_schema() as url:
        store = PostgresStore(url)
        store.migrate()
        store.close()
        with psycopg.connect(url, autocommit=True) as made:
            if made.info.server_version < 160000:
                pytest.skip("EXPLAIN (GENERIC_PLAN) came with PostgreSQL 16")
            made.execute("SET enable_seqscan = off")
            yield made


def plan(connection: psycopg.Connection[Any], sql: str) -> str:
    """The plan of ``sql``, whatever its parameters."""
    numbers = count(1)
    text = re.sub("%s", lambda _: f"${next(numbers)}", sql)
    return "\n".join(row[0] for row in connection.execute(f"EXPLAIN (GENERIC_PLAN) {text}".encode()).fetchall())


def whole_tables(found: str) -> list[str]:
    """The tables of a plan that are read from end to end."""
    return re.findall(r"Seq Scan on (\w+)", found)


def test_a_look_up_without_an_index_would_be_seen(connection: psycopg.Connection[Any]) -> None:
    """The tests below can fail."""
    assert whole_tables(plan(connection, "SELECT * FROM razorpay_orders WHERE plan = %s")) == ["razorpay_orders"]


def test_no_statement_of_a_transaction_reads_a_whole_table(connection: psycopg.Connection[Any]) -> None:
    """EXPLAIN of each: claims, locks, look-ups, leases."""
    texts = {name: sql for name, sql in vars(STATEMENTS).items() if isinstance(sql, str) and name != "placeholder"}
    del texts["claim"]  # an INSERT, whose parameters have no type until a driver gives them one
    assert len(texts) > 20
    for name, sql in texts.items():
        assert whole_tables(plan(connection, many(sql, 2, "%s"))) == [], name
    assert "razorpay_effects_due" in plan(connection, many(STATEMENTS.lease, 1, "%s"))
    assert "razorpay_effects_open" in plan(connection, many(STATEMENTS.waiting, 1, "%s"))


def test_no_statement_of_the_functions_reads_a_whole_table(connection: psycopg.Connection[Any]) -> None:
    """The SELECTs in functions.sql, with their variables as parameters."""
    text = files("razorpay_hardened.storage").joinpath("sql/postgresql/functions.sql").read_text()
    body = re.sub(r"--[^\n]*", "", text)
    selects = re.findall(r"\(SELECT json_agg.*?FROM (razorpay_\w+)\s+WHERE (.*?)\)(?:,|\n)", body, re.DOTALL)
    assert len(selects) == 5
    for table, condition in selects:
        where = re.sub(r"\b[vp]_\w+", "CAST(%s AS text[])", condition)
        assert whole_tables(plan(connection, f"SELECT * FROM {table} WHERE {where}")) == [], table


ASKED: list[tuple[str, dict[str, Any]]] = [
    ("orders", {"since": NOW, "after": AFTER}),
    ("orders", {"owner": "user:7", "statuses": ["paid"]}),
    ("payments", {"since": NOW, "after": AFTER}),
    ("payments", {"anchor": "order_A"}),
    ("refunds", {"since": NOW, "after": AFTER}),
    ("refunds", {"payment_id": "pay_A"}),
    ("deliveries", {"states": ["parked"], "after": AFTER}),
    ("deliveries", {"event_id": "evt"}),
    ("effects", {"states": ["waiting"], "anchor": "order_A"}),
    ("effects", {"states": ["waiting"], "mode": "on", "due": NOW, "after_id": 7}),
    ("effects", {"states": ["dead"]}),
    ("effects", {"after_id": 7}),
    ("open_intents", {"before": NOW}),
    ("runs", {}),
]


@pytest.mark.parametrize(("name", "options"), ASKED, ids=lambda value: value if isinstance(value, str) else "")
def test_no_list_reads_a_whole_table(connection: psycopg.Connection[Any], name: str, options: dict[str, Any]) -> None:
    """Each listing that is asked again and again, and the ones that people page through."""
    plans: list[str] = []

    class Explaining(PostgresStore):
        def _read(self, sql: str, parameters: Any) -> list[Any]:
            plans.append(plan(connection, sql.replace("?", "%s")))
            return []

    getattr(Explaining("postgresql://nowhere/none"), name)(**options)
    assert [whole_tables(one) for one in plans] == [[]]
    if name == "orders" and "owner" in options:
        assert "razorpay_orders_owner_status" in plans[0]


def test_amounts_are_whole_numbers_and_never_negative(connection: psycopg.Connection[Any]) -> None:
    """Every amount is a bigint with a CHECK, and has a currency of three letters beside it (DB-03)."""
    columns = connection.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = current_schema()"
        " AND column_name IN ('amount', 'captured', 'claimed', 'refunds_known', 'refunds_failed')"
        " AND table_name LIKE 'razorpay%%' AND data_type <> 'boolean'"
    ).fetchall()
    assert len(columns) >= 8
    assert {kind for _, _, kind in columns} == {"bigint"}
    checks = connection.execute(
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'c' AND connamespace = current_schema()::regnamespace"
    ).fetchall()
    for table, column, _ in columns:
        if table.startswith("razorpay_audit"):
            continue  # what happened is on record, whatever it was
        assert any(name == table and column in text for name, text in checks), (table, column)
    for table in ("razorpay_orders", "razorpay_payments", "razorpay_refunds", "razorpay_refund_intents"):
        assert any(name == table and "length(currency) = 3" in text for name, text in checks), table


def test_what_must_be_unique_is(connection: psycopg.Connection[Any]) -> None:
    """One row for each Razorpay order, receipt, payment, refund, body, and pair of milestone and handler (DB-01)."""
    found = connection.execute(
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype IN ('u', 'p') AND connamespace = current_schema()::regnamespace"
    ).fetchall()
    for wanted in (
        ("razorpay_orders", "UNIQUE (order_id)"),
        ("razorpay_orders", "UNIQUE (receipt)"),
        ("razorpay_orders", "PRIMARY KEY (local_id)"),
        ("razorpay_payments", "PRIMARY KEY (payment_id)"),
        ("razorpay_refunds", "PRIMARY KEY (refund_id)"),
        ("razorpay_digests", "PRIMARY KEY (digest)"),
        ("razorpay_effects", "UNIQUE (key, handler)"),
    ):
        assert wanted in found

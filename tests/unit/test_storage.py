"""The storage room: what is stored as text, URLs, errors, and that nothing is loaded or opened too early."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened import errors, storage
from razorpay_hardened.domain.state import PaymentState
from razorpay_hardened.errors import ConfigError, SchemaMismatch
from razorpay_hardened.ports.store import NewEffect
from razorpay_hardened.storage import MemoryStore, SQLiteStore, migrate, open_store
from razorpay_hardened.storage._rows import COLUMNS, ISO_TEXT, Rows, utc_from_text, utc_text
from razorpay_hardened.storage._sqlite import split, translate
from razorpay_hardened.storage._statements import SQLITE, TABLES, Dialect, Statements, many

moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]))


@given(moments)
def test_a_time_survives_being_text(moment: datetime) -> None:
    """What is read is the same instant, in UTC, to the microsecond."""
    found = utc_from_text(utc_text(moment))
    assert found == moment
    assert found.tzinfo is UTC


@given(moments, moments)
def test_times_sort_as_text(one: datetime, other: datetime) -> None:
    """The order of two times is the order of their texts, which are of one width."""
    assert (one < other) == (utc_text(one) < utc_text(other))
    assert len(utc_text(one)) == len("YYYY-MM-DDTHH:MM:SS.ffffffZ")


def test_a_naive_time_is_refused() -> None:
    """A time without a zone would be a guess."""
    with pytest.raises(ValueError, match="aware"):
        utc_text(datetime(2026, 1, 1))


amounts = st.integers(0, 2**62)


@given(
    st.builds(
        PaymentState,
        amount=amounts,
        claimed=amounts,
        created_at=moments,
        updated_at=moments,
        milestones=st.frozensets(st.sampled_from(["payment.captured", "order.paid", "refund.created"])),
        snapshot=st.none() | st.text(),
    )
)
def test_a_row_is_the_value_and_back(state: PaymentState) -> None:
    """Any payment becomes a row in the order of its fields, and the row becomes the payment."""
    rows = Rows(ISO_TEXT)
    row = rows.of_payment(state)
    assert len(row) == len(fields(PaymentState)) == len(COLUMNS["razorpay_payments"])
    assert rows.payment(row) == state


def test_a_new_effect_is_what_its_row_says() -> None:
    """The row that write() gives without asking the database is the one that the database holds."""
    rows = Rows(ISO_TEXT)
    effect = NewEffect(
        "key", "handler", "on", "order_A", "m", "payment", "pay_A", "{}", datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert rows.new_effect(7, effect) == rows.effect((7, *rows.of_effect(effect)))


def test_the_columns_of_the_schema_are_the_fields_of_the_values() -> None:
    """schema.sql and the code name the same tables and columns, in the same order."""
    connection = sqlite3.connect(":memory:")
    for statement in split(migrate.schema_text("sqlite")):
        connection.execute(statement)
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    assert {name for (name,) in tables} == set(TABLES)
    for table, columns in COLUMNS.items():
        found = tuple(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
        # pos, the order of arrival, is the database's own and in no value.
        assert tuple(name for name in found if name != "pos") == columns, table
    connection.close()


def test_amounts_are_strict_integers_and_have_a_currency() -> None:
    """Every table is STRICT, and where there is an amount there is a currency."""
    connection = sqlite3.connect(":memory:")
    for statement in split(migrate.schema_text("sqlite")):
        connection.execute(statement)
    tables = {
        name: strict for _, name, kind, _, _, strict in connection.execute("PRAGMA table_list") if kind == "table"
    }
    assert {name for name, strict in tables.items() if name.startswith("razorpay_") and not strict} == set()
    for table in TABLES:
        types = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({table})")}
        assert types.get("amount", "INTEGER") == "INTEGER"
        assert ("amount" in types) <= ("currency" in types)
    connection.close()


def test_a_script_that_ends_in_the_middle_is_refused() -> None:
    """A statement that was cut short is an error, not a shorter schema."""
    assert len(list(split("CREATE TABLE a (b);\n-- nothing\nCREATE TABLE c (d);\n"))) == 2
    with pytest.raises(ValueError, match="middle"):
        list(split("CREATE TABLE a (b);\nCREATE TABLE"))


# --- the schema's versions


@pytest.mark.parametrize(
    ("found", "text"),
    [(None, "db migrate"), (migrate.Found(1, 1), "db migrate"), (migrate.Found(9, 9), "upgrade")],
)
def test_a_wrong_version_says_what_to_do(found: migrate.Found | None, text: str) -> None:
    """Missing and older tables are migrated; for tables that do not serve this package, the package is upgraded."""
    with pytest.raises(SchemaMismatch, match=text):
        migrate.check(found)


def test_the_next_version_s_tables_serve_this_package_until_they_are_finished() -> None:
    """A rolling deployment: the newer code has migrated, and this one goes on."""
    migrate.check(migrate.Found(migrate.VERSION + 1, migrate.VERSION))
    with pytest.raises(SchemaMismatch, match="upgrade"):
        migrate.check(migrate.Found(migrate.VERSION + 1, migrate.VERSION + 1))


def test_there_is_a_way_only_where_we_know_one() -> None:
    """From the current version nothing is to be done; from a strange one nothing is guessed."""
    now = migrate.VERSION
    for finish in (False, True):
        assert migrate.steps("sqlite", migrate.Found(now, now), finish=finish) == []
        for version in (-1, now + 1):
            with pytest.raises(SchemaMismatch):
                migrate.steps("sqlite", migrate.Found(version, version), finish=finish)


def test_what_old_code_cannot_survive_waits_until_it_is_asked_for() -> None:
    """A version is brought up in two steps, and the second one only on demand; two versions finish the first."""
    now = migrate.VERSION
    for dialect, old in (("sqlite", now - 1), ("postgresql", now - 1)):
        found = migrate.Found(old, old)
        assert [step.reached for step in migrate.steps(dialect, found, finish=False)] == [(now, old)]
        assert [step.reached for step in migrate.steps(dialect, found, finish=True)] == [(now, old), (now, now)]
    way = [(2, 1), (2, 2), (3, 2)]
    assert [step.reached for step in migrate.steps("sqlite", migrate.Found(1, 1), finish=False)] == way
    assert [step.reached for step in migrate.steps("sqlite", migrate.Found(1, 1), finish=True)] == [*way, (3, 3)]
    assert [step.reached for step in migrate.steps("sqlite", migrate.Found(now, now - 1), finish=True)] == [(now, now)]


# --- URLs


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////var/lib/shop.db", "/var/lib/shop.db"),
        ("sqlite:////var/with%20space.db?mode=rw", "/var/with space.db"),
        ("/var/a?b.db", "/var/a?b.db"),
        ("sqlite:////var/lib/../shop.db", "/var/shop.db"),
    ],
)
def test_a_file_is_named_by_url_or_path(url: str, path: str) -> None:
    """A URL is unquoted, a path is taken as it is, and nothing is opened."""
    store = SQLiteStore(url)
    assert store.path == path
    assert repr(store) == f"<SQLiteStore sqlite:///{path}>"


def test_a_relative_path_is_fixed_when_the_store_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later change of folder does not change the store."""
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///shop.db")
    assert isinstance(store, SQLiteStore)
    assert store.path == str(tmp_path / "shop.db")


@pytest.mark.parametrize(
    "url", ["sqlite://host/path", "sqlite:shop.db", "sqlite:///", "", "sqlite:///a.db?cache=x", ":memory:"]
)
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    """A ConfigError says which form is meant."""
    with pytest.raises(ConfigError, match="SQLite"):
        SQLiteStore(url)


@pytest.mark.parametrize("url", ["memory://", "sqlite://"])
def test_a_store_that_forgets_is_named_by_url(url: str) -> None:
    """Both forms give a memory store."""
    assert isinstance(open_store(url), MemoryStore)


@pytest.mark.parametrize("url", ["postgresql+psycopg://x:hunter2@y/z", "mysql://a:hunter2@b", "hunter2"])
def test_a_store_that_is_not_there_is_refused_without_its_password(url: str) -> None:
    """ConfigError, and the URL's secret is not in it."""
    with pytest.raises(ConfigError) as caught:
        open_store(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("seconds", [-1, 3.5])
def test_a_busy_timeout_beyond_the_limit_is_refused(seconds: float, tmp_path: Path) -> None:
    """Three seconds at most: Razorpay waits five for an answer."""
    with pytest.raises(ConfigError, match="between 0 and 3"):
        SQLiteStore(tmp_path / "x.db", busy_timeout_s=seconds)


# --- errors and loading


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("StorageUnavailable", sqlite3.SQLITE_BUSY, "database is locked"),
        ("StorageUnavailable", sqlite3.SQLITE_IOERR | 10 << 8, "disk I/O error"),
        ("StorageUnavailable", sqlite3.SQLITE_FULL, "database or disk is full"),
        ("StorageUnavailable", sqlite3.SQLITE_CANTOPEN, "unable to open database file"),
        ("StorageReadOnly", sqlite3.SQLITE_READONLY | 1 << 8, "attempt to write a readonly database"),
        ("SchemaMismatch", sqlite3.SQLITE_ERROR, "no such table: razorpay_orders"),
        ("TransactionMisuse", sqlite3.SQLITE_ERROR, "no such savepoint: razorpay_1"),
        ("StorageError", sqlite3.SQLITE_CONSTRAINT, "UNIQUE constraint failed: razorpay_orders.receipt"),
        ("StorageError", sqlite3.SQLITE_CORRUPT, "database disk image is malformed"),
    ],
)
def test_errors_of_sqlite_become_ours(name: str, code: int, text: str) -> None:
    """By SQLite's result code, extended or not."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    found = translate(error)
    assert type(found) is getattr(errors, name)
    assert text in str(found) or name == "TransactionMisuse"


def test_the_room_lists_its_names() -> None:
    """Every public name is there, and no other is made up."""
    assert [getattr(storage, name).__name__ for name in storage.__all__] == storage.__all__
    with pytest.raises(AttributeError, match="OracleStore"):
        _: Any = storage.OracleStore


def test_importing_the_room_loads_no_driver() -> None:
    """sqlite3 is loaded when a store is asked for, not before."""
    code = "import sys, razorpay_hardened.storage as s; assert 'sqlite3' not in sys.modules; s.MemoryStore"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=250)


# --- the SQL


def test_statements_take_the_placeholder_of_the_driver() -> None:
    """For another driver every ``?`` is replaced, and the rest is the same text."""
    other = Statements(Dialect("sqlite", "%s", "FOR UPDATE SKIP LOCKED"))
    ours = Statements(SQLITE)
    assert other.claim == ours.claim.replace("?", "%s")
    assert other.order.change == ours.order.change.replace("?", "%s")
    assert many(other.payments, 2, "%s").endswith("IN (%s, %s)")
    assert "FOR UPDATE SKIP LOCKED" in other.lease
    assert "FOR UPDATE SKIP LOCKED" in other.parked


def _plan(connection: sqlite3.Connection, sql: str) -> str:
    parameters = [None] * sql.count("?")
    return " | ".join(row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + sql, parameters))


def test_no_statement_of_a_transaction_reads_a_whole_table() -> None:
    """EXPLAIN QUERY PLAN: every look-up of the hot path and of the relay goes through an index."""
    store = MemoryStore()
    statements = Statements(SQLITE)
    with store.transaction() as tx:
        for name, sql in vars(statements).items():
            if isinstance(sql, str) and name != "placeholder":
                plan = _plan(tx.connection, many(sql, 2))
                few = plan.replace("SCAN CONSTANT ROW", "").replace("SCAN head", "")  # head: at most LIMIT rows
                assert "SCAN" not in few, (name, plan)
        assert "razorpay_effects_due" in _plan(tx.connection, many(statements.lease, 1))
        assert "razorpay_effects_open" in _plan(tx.connection, many(statements.lease, 1))
        assert "razorpay_effects_open" in _plan(tx.connection, many(statements.waiting, 1))
    store.close()


def test_no_list_reads_more_than_it_gives() -> None:
    """EXPLAIN QUERY PLAN: each listing that is asked again and again goes through an index of its order."""
    plans: dict[str, str] = {}

    class Explaining(MemoryStore):
        def _read(self, sql: str, parameters: Any) -> list[Any]:
            plans[sql] = _plan(connection, sql)
            return []

    store = Explaining()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    after = (now, "x")
    asked: list[tuple[str, dict[str, Any]]] = [
        ("orders", {"since": now, "after": after}),
        ("orders", {"owner": "user:7"}),
        ("payments", {"since": now, "after": after}),
        ("payments", {"anchor": "order_A"}),
        ("refunds", {"since": now, "after": after}),
        ("refunds", {"payment_id": "pay_A"}),
        ("deliveries", {"states": ["parked"], "after": after}),
        ("deliveries", {"event_id": "evt"}),
        ("effects", {"states": ["waiting"], "anchor": "order_A"}),
        ("effects", {"states": ["dead"]}),
        ("effects", {"states": ["waiting"], "mode": "on", "due": now, "after_id": 7}),
        ("effects", {"after_id": 7}),
        ("open_intents", {"before": now}),
        ("runs", {}),
    ]
    with store.transaction() as tx:
        connection = tx.connection
    for name, options in asked:
        getattr(store, name)(**options)
    assert len(plans) == len(asked)
    assert [sql for sql, plan in plans.items() if "USING INDEX" not in plan and "id > ? ORDER BY id" not in sql] == []
    store.close()

"""From schema version 1 to the current one: two versions at once, so that code of version 1 must have gone (what comes
from the version before the current one, with old code running all the while, is in ``test_from_2``).

Version 1's tables and every statement that its code ran are kept beside this file, as they were.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bodies import Shop, life_of, order_id
from contract.sqlite_tools import fork
from razorpay_hardened.domain.audit import broken_at, chained
from razorpay_hardened.errors import SchemaMismatch
from razorpay_hardened.storage import SQLiteStore
from razorpay_hardened.storage._sqlite import split
from razorpay_hardened.storage.migrate import VERSION
from razorpay_hardened.testing._contract_values import audit, claim, delivery, later, order, write

HERE = Path(__file__).parent
T = "2026-01-02T03:04:05.678901Z"


def statements() -> dict[str, str]:
    """Name → statement of version 1's code."""
    found: dict[str, str] = {}
    name = ""
    for line in (HERE / "sqlite_0001_statements.sql").read_text().splitlines():
        if line.startswith("-- "):
            name = line[3:]
        else:
            found[name] = line.rstrip(";")
    return found


V1 = statements()


def values(key: str) -> dict[str, tuple[Any, ...]]:
    """Parameters for each statement of version 1 that changes something, about the order ``key``."""
    row = chained(audit(key), 1, "")
    order_row = (key, "user:7", None, 499, "INR", f"r-{key}", "created", T, T, f"order_{key}", 0, 1, None, None)
    payment = (
        f"pay_{key}",
        f"order_{key}",
        f"order_{key}",
        "captured",
        "captured",
        499,
        "INR",
        T,
        T,
        1,
        0,
        0,
        0,
        0,
        "",
        None,
    )
    refund = (f"rfnd_{key}", f"pay_{key}", f"order_{key}", "pending", 1, "INR", T, T, None, None)
    effect = (
        f"order.paid:{key}",
        "grant",
        "after",
        f"order_{key}",
        "order.paid",
        "order",
        key,
        "{}",
        "waiting",
        0,
        T,
        T,
    )
    effect_row = (*effect, None, None, None)
    return {
        "claim": (delivery(key.encode()).digest, key.encode(), "e", None, "done", T, None, T, 0, None, None),
        "settle": ("parked", T, f"order_{key}", None, delivery(key.encode()).digest),
        "lock_anchor": (f"order_{key}",),
        "anchor.put": (f"order_{key}", 1, 0, 0, ""),
        "anchor.change": (2, 499, 1, row.hash, f"order_{key}"),
        "order.put": order_row,
        "payment.put": payment,
        "refund.put": refund,
        "put_effect": effect_row,
        "lease": ("token", T, T, T, "grant", 9),
        "finish_leased": ("done", 1, T, None, 1, "token"),
        "put_audit": (
            row.anchor, T, row.what, row.kind, row.entity_id, row.before, row.after, row.amount, row.currency,
            row.source, row.actor, row.event, row.event_id, row.digest, row.note, row.seq, row.prev, row.hash,
        ),
        "put_intent": (f"key-{key}", f"pay_{key}", f"order_{key}", 1, "INR", "open", T, None, None),
        "put_run": (f"run-{key}", T, T, "running", "{}", "{}", T, T, None),
        "put_finding": (f"run-{key}", "k", "payment", f"pay_{key}", None, None, "open", None, T),
    }  # fmt: skip


def work_as_version_1(path: Path, key: str) -> None:
    """A transaction of the old code: each of its statements that writes, then each that reads."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for name, row in values(key).items():
            connection.execute(V1[name], row).fetchall()
        for name in ("order", "payment", "refund"):
            count = V1[f"{name}.change"].count("?")
            found = connection.execute(V1[f"select.razorpay_{name}s"]).fetchall()
            assert found
            assert len(found[0]) >= count - 1
        connection.execute("COMMIT")
        for name, sql in V1.items():
            if name.startswith("select."):
                assert connection.execute(sql).fetchall(), name


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of version 1 that has been worked in."""
    made = tmp_path / "shop.db"
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in split((HERE / "sqlite_0001.sql").read_text()):
            connection.execute(statement)
        connection.execute("INSERT INTO razorpay_schema VALUES (1, ?, 1)", (T,))
    work_as_version_1(made, "before")
    return made


def test_version_1_is_kept_whole() -> None:
    """The fixture has every statement that is used here, and the tables have not been touched since."""
    assert values("x").keys() < V1.keys()
    assert "erased_at" not in (HERE / "sqlite_0001.sql").read_text()
    assert not any("erased_at" in sql for sql in V1.values())


def test_new_code_refuses_old_tables(path: Path) -> None:
    """SchemaMismatch before anything is written; what to do is in its text."""
    store = SQLiteStore(path)
    with pytest.raises(SchemaMismatch, match="db migrate"):
        claim(store)
    with pytest.raises(SchemaMismatch, match="db migrate"):
        store.orders()
    assert store.status().version == 1
    store.close()


def test_data_of_version_1_survive(path: Path) -> None:
    """Nothing that was there has changed, and new rows stand beside it."""
    store = SQLiteStore(path)
    status = store.migrate()
    assert (status.version, status.finished) == (VERSION, False)
    write(store, orders=[order(receipt="r-new")])
    assert {row.local_id for row in store.orders()} == {"before", "local-1"}
    before = store.order("before")
    assert before is not None
    assert (before.owner, before.amount, before.erased_at) == ("user:7", 499, None)
    (row,) = store.audit("before")
    assert broken_at([row], 1, row.hash) is None
    body = store.delivery(delivery(b"before").digest)
    assert body is not None
    assert (body.body, body.state, body.erased_at) == (b"before", "parked", None)
    assert store.migrate(finish=True).finished
    assert {row.local_id for row in store.orders()} == {"before", "local-1"}
    store.close()


def test_a_store_that_came_from_version_1_does_a_whole_day(path: Path) -> None:
    """After both halves the library works in it as in a new one."""
    store = SQLiteStore(path)
    store.migrate(finish=True)
    shop = Shop(store)
    shop.adopt(1)
    assert {shop.deliver(raw) for raw in life_of(1).values()} == {200}
    assert store.order(order_id(1)).status == "paid"  # type: ignore[union-attr]
    store.close()


def _shape(path: Path) -> dict[str, Any]:
    """Tables with their columns, and every CHECK, index and trigger, without comments, spaces and order of writing."""
    found: dict[str, Any] = {}
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name LIKE 'razorpay%'")
        for kind, name, table, sql in rows.fetchall():
            text = re.sub(r"\s+", " ", re.sub(r"--[^\n]*", "", sql or "")).strip()
            if kind == "table":
                columns = connection.execute(f"PRAGMA table_xinfo({name})").fetchall()
                text = sorted(re.findall(r"CHECK \(.*?\)(?=,| \)|\)|$)|UNIQUE \([^)]*\)|STRICT|WITHOUT ROWID", text))
                found[name] = ([column[1:] for column in columns], text)
            else:
                found[name] = (table, text)
    return found


def test_the_migrated_schema_is_the_fresh_one(path: Path, tmp_path: Path) -> None:
    """Columns in their order, types, keys, checks, indexes and triggers: no difference is left."""
    old, new = SQLiteStore(path), SQLiteStore(tmp_path / "new.db")
    old.migrate(finish=True)
    new.migrate()
    assert _shape(path) == _shape(tmp_path / "new.db")
    assert len(_shape(path)) > 20
    old.close()
    new.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("finish", [False, True])
def test_many_processes_that_start_at_once_migrate_once(path: Path, finish: bool) -> None:
    """Eight processes of the new code, each of which migrates at its start: all go on, on one schema."""

    def start() -> None:
        store = SQLiteStore(path)
        store.migrate(finish=finish)
        claim(store, b"%d" % os.getpid(), received_at=later(1))
        store.close()

    assert [end() for end in [fork(start) for _ in range(8)]] == [0] * 8
    store = SQLiteStore(path)
    assert (store.status().version, store.status().finished) == (VERSION, finish)
    assert len(store.deliveries()) == 9
    store.close()

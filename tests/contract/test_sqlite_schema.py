"""SQLite only: schemas that are missing, old, new or taken apart, and altered trails (FAULTS D14, D15)."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.sqlite_tools import raw
from razorpay_hardened.domain.audit import broken_at, chained
from razorpay_hardened.errors import SchemaMismatch
from razorpay_hardened.ports.store import Touches
from razorpay_hardened.storage import SQLiteStore
from razorpay_hardened.storage.migrate import VERSION
from razorpay_hardened.testing._contract_values import audit, claim, write

# --- the schema


@pytest.mark.parametrize("version", [0, 9])
def test_another_schema_version_is_refused_at_first_use(store: SQLiteStore, path: Path, version: int) -> None:
    """Older or newer than this package: neither a transaction nor a question, nor a guess at a migration."""
    store.close()
    other = f"UPDATE razorpay_schema SET version = {version}, serves = {version}"
    raw(path, "PRAGMA ignore_check_constraints = ON", other)
    with pytest.raises(SchemaMismatch, match=str(version)), store.transaction():
        pass
    with pytest.raises(SchemaMismatch, match=str(version)):
        store.orders()
    with pytest.raises(SchemaMismatch, match=str(version)):
        store.migrate()
    assert store.status().version == version


@pytest.mark.parametrize("exists", [False, True])
def test_a_store_without_tables_says_what_to_do(path: Path, exists: bool) -> None:
    """First use names the migration; nothing but migrate() makes a file or a table."""
    if exists:
        path.touch()
    store = SQLiteStore(path)
    with pytest.raises(SchemaMismatch, match="db migrate"), store.transaction():
        pass
    with pytest.raises(SchemaMismatch, match="db migrate"):
        store.inbox_state("0" * 64)
    assert (store.status().version, store.status().counts) == (None, {})
    assert path.exists() == exists
    assert store.migrate().version == VERSION
    assert claim(store).state == "new"
    store.close()


def test_a_table_that_is_missing_is_told(store: SQLiteStore, path: Path) -> None:
    """A schema that somebody took apart raises SchemaMismatch, not an error of sqlite3."""
    raw(path, "DROP TABLE razorpay_refunds")
    with pytest.raises(SchemaMismatch):
        store.refunds()
    with pytest.raises(SchemaMismatch), store.transaction() as tx:
        tx.load(Touches((), refunds=("rfnd_A",)))


def test_what_is_no_database_is_told(path: Path) -> None:
    """A file of something else raises an error of ours, and stays as it is."""
    path.write_bytes(b"something else entirely " * 200)
    store = SQLiteStore(path)
    with pytest.raises(Exception, match="not a database") as caught:
        store.migrate()
    assert caught.type.__module__ == "razorpay_hardened.errors"
    assert path.read_bytes() == b"something else entirely " * 200
    store.close()


def test_every_altered_cell_of_the_trail_is_found(store: SQLiteStore, path: Path) -> None:
    """Behind the triggers' back: flip each column of each row in turn, and the chain names the row."""
    rows = [chained(audit(note="n", before="b", event="e", event_id="i", digest="d"), 1, "")]
    for seq in (2, 3):
        rows.append(chained(audit(note="n", before="b", event="e", event_id="i", digest="d"), seq, rows[-1].hash))
    write(store, audit=rows)
    raw(path, "DROP TRIGGER razorpay_audit_no_update")
    columns = [row[1] for row in raw(path, "PRAGMA table_info(razorpay_audit)")]
    for column in set(columns) - {"anchor", "seq", "pos"}:
        altered = {"at": "'2030-01-01T00:00:00.000000Z'", "amount": "1"}.get(column, "'other'")
        for seq in (1, 2, 3):
            where = f"WHERE seq = {seq}"
            (kept,) = raw(path, f"SELECT {column} FROM razorpay_audit {where}")[0]
            raw(path, f"UPDATE razorpay_audit SET {column} = {altered} {where}")
            assert broken_at(store.audit("order_A"), 3, rows[-1].hash) == seq, column
            raw(path, f"UPDATE razorpay_audit SET {column} = '{kept}' {where}")
    assert broken_at(store.audit("order_A"), 3, rows[-1].hash) is None

"""Backups: taken while others write, put back, and compared until nothing can hide."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from bodies import Shop, body, order_id, payment, payment_id, refund
from razorpay_hardened import SQLiteStore
from razorpay_hardened.backup import Summary, against_itself, against_live, against_summary, summary_of
from razorpay_hardened.errors import ConfigError, SchemaMismatch
from razorpay_hardened.storage._copy import integrity, restore

pytestmark = pytest.mark.slow


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Shop]:
    """A shop with a paid order, a refunded one and one that nobody paid."""
    made = Shop(SQLiteStore(tmp_path / "shop.db"))
    made.store.migrate()
    for number in (1, 2, 3):
        made.adopt(number)
        if number < 3:
            made.deliver(body("payment.captured", payment=payment(number, "captured")))
    made.deliver(body("refund.processed", refund=refund(2, "processed"), payment=payment(2, "refunded")))
    made.rzp.audit.seal()
    yield made
    made.store.close()


@contextmanager
def opened(path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(path)
    try:
        yield store
    finally:
        store.close()


def tampered(path: Path, *sql: str) -> None:
    """Change a copy behind everybody's back, triggers and all."""
    connection = sqlite3.connect(path, isolation_level=None)
    for name in ("razorpay_audit_no_update", "razorpay_audit_no_delete"):
        connection.execute(f"DROP TRIGGER IF EXISTS {name}")
    for one in sql:
        connection.execute(one)
    connection.close()


# --- taking it


def test_a_backup_is_one_whole_file_of_its_owner(ours: Shop, tmp_path: Path) -> None:
    """Mode 0600, no log beside it, nothing left of the work, equal to the store."""
    path = tmp_path / "copies" / "shop.backup"
    path.parent.mkdir()
    ours.store.back_up(path)  # type: ignore[attr-defined]
    assert [one.name for one in path.parent.iterdir()] == ["shop.backup"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert integrity(path) is None
    with opened(path) as copy:
        assert summary_of(copy) == summary_of(ours.store)
        assert list(against_itself(copy)) == []


def test_nothing_is_replaced_unless_told(ours: Shop, tmp_path: Path) -> None:
    """A file, a link to nowhere: both are there. A failure leaves what was there as it was."""
    path = tmp_path / "taken"
    path.write_text("mine")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    for one in (path, link):
        with pytest.raises(ConfigError, match="there already"):
            ours.store.back_up(one)  # type: ignore[attr-defined]
    assert path.read_text() == "mine"
    ours.store.back_up(path, overwrite=True)  # type: ignore[attr-defined]
    assert integrity(path) is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match="cannot write"):
        ours.store.back_up(tmp_path / "no" / "folder")  # type: ignore[attr-defined]
    assert sorted(one.name for one in tmp_path.iterdir() if "partial" in one.name) == []


def test_a_store_without_tables_cannot_be_backed_up(tmp_path: Path) -> None:
    """An empty copy would look like a backup."""
    with opened(tmp_path / "none.db") as store, pytest.raises(SchemaMismatch):
        store.back_up(tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_writers_go_on_while_it_is_taken(ours: Shop, tmp_path: Path) -> None:
    """Each of ten copies taken between a writer's commits is whole, and the live store has only grown since."""
    stop = Event()
    written: list[int] = []

    def write() -> None:
        number = 100
        while not stop.is_set():
            number += 1
            ours.adopt(number)
            assert ours.deliver(body("payment.captured", payment=payment(number, "captured"))) == 200
            written.append(number)

    writer = Thread(target=write)
    writer.start()
    try:
        sizes = []
        for turn in range(10):
            path = tmp_path / f"copy-{turn}"
            ours.store.back_up(path)  # type: ignore[attr-defined]
            with opened(path) as copy:
                assert list(against_itself(copy)) == []
                assert list(against_live(copy, ours.store)) == []
                sizes.append(copy.status().counts["razorpay_payments"])
    finally:
        stop.set()
        writer.join()
    assert sizes == sorted(sizes)
    assert len(written) > 0


# --- looking at it


@pytest.fixture
def copy(ours: Shop, tmp_path: Path) -> Path:
    path = tmp_path / "copy.db"
    ours.store.back_up(path)  # type: ignore[attr-defined]
    return path


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE razorpay_payments SET amount = amount + 1 WHERE status = 'captured'", "sum of payment INR captured"),
        ("DELETE FROM razorpay_refunds", "rows of razorpay_refunds: 0, it was 1"),
        ("UPDATE razorpay_orders SET status = 'created' WHERE status = 'paid'", "sum of order INR created"),
        ("UPDATE razorpay_anchors SET audit_head = 'x' WHERE audit_seq > 0", "heads of the audit chains"),
        ("DELETE FROM razorpay_inbox", "rows of razorpay_inbox"),
        (
            "INSERT INTO razorpay_audit_seals VALUES (2, '2026-01-01T00:00:00.000000Z', '1', '2', 2, 'd', '', 'h')",
            "the last seal is 2 h, it was 1 ",
        ),
    ],
)
def test_what_differs_from_the_summary_is_named(copy: Path, sql: str, told: str) -> None:
    """Rows, sums, heads and seals."""
    with opened(copy) as store:
        summary = Summary.from_dict(summary_of(store).to_dict())
        assert list(against_summary(store, summary)) == []
    tampered(copy, sql)
    with opened(copy) as store:
        assert any(told in one for one in against_summary(store, summary))


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE razorpay_audit SET actor = 'nobody' WHERE pos = 2", "was changed"),
        ("DELETE FROM razorpay_audit WHERE pos = (SELECT max(pos) FROM razorpay_audit)", "is missing"),
        ("DELETE FROM razorpay_anchors WHERE key LIKE 'order_%1'", "row 1 of order_00000000000001"),
        ("UPDATE razorpay_payments SET amount = amount - 1 WHERE captured", "captured payments add up to"),
    ],
)
def test_what_does_not_add_up_is_named_without_a_summary(copy: Path, sql: str, told: str) -> None:
    """A chain, an anchor, a total: found in the copy alone."""
    tampered(copy, sql)
    with opened(copy) as store:
        assert any(told in one for one in against_itself(store))


def test_growth_since_the_backup_is_no_difference(ours: Shop, copy: Path) -> None:
    """Statuses go on, rows come, retention erases, somebody pauses."""
    ours.deliver(body("payment.captured", payment=payment(3, "captured")))
    ours.deliver(body("refund.processed", refund=refund(1, "processed"), payment=payment(1, "refunded")))
    ours.adopt(4)
    ours.rzp.audit.seal()
    ours.rzp.pause(actor="asha")
    ours.clock.advance(400 * 86400.0)
    ours.rzp.retention.apply()
    with opened(copy) as store:
        assert list(against_live(store, ours.store)) == []


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("DELETE FROM razorpay_payments WHERE payment_id LIKE '%1'", f"payment {payment_id(1)} is not in the live"),
        ("UPDATE razorpay_orders SET amount = 1", "in the backup"),
        ("UPDATE razorpay_orders SET status = 'created'", "was paid in the backup"),
        ("UPDATE razorpay_anchors SET captured = 0", "subunits are captured"),
        ("DELETE FROM razorpay_anchors", "is not in the live store"),
        ("DELETE FROM razorpay_audit", "does not go on from the backup's"),
        ("UPDATE razorpay_audit SET hash = 'x'", "does not go on from the backup's"),
        ("DELETE FROM razorpay_refunds", "refund rfnd_00000000000002 is not in the live store"),
    ],
)
def test_what_the_live_store_cannot_have_become_is_named(ours: Shop, copy: Path, sql: str, told: str) -> None:
    """Rows that are gone, money that changed, statuses that went back, chains that fork."""
    ours.store.close()
    tampered(Path(ours.store.path), sql)  # type: ignore[attr-defined]
    with opened(copy) as store:
        found = list(against_live(store, ours.store))
    assert any(told in one for one in found), found
    assert not any("gaurav" in one for one in found)
    assert order_id(1)


def test_damage_is_found(copy: Path, tmp_path: Path) -> None:
    """Pages of zeros in the middle of the file: SQLite's own check names them, or it cannot even be restored."""
    raw = bytearray(copy.read_bytes())
    raw[8192 : 8192 + 4096 * 6] = bytes(4096 * 6)
    copy.write_bytes(raw)
    assert integrity(copy) is not None
    with pytest.raises(ConfigError, match="no backup"):
        restore(tmp_path / "none", tmp_path / "scratch")
    assert not os.path.exists(tmp_path / "scratch")


def test_a_summary_survives_json(ours: Shop) -> None:
    """And what is not one is refused."""
    summary = summary_of(ours.store)
    assert Summary.from_dict(summary.to_dict()) == summary
    told: dict[str, Any] = summary.to_dict()
    del told["sums"]
    with pytest.raises(KeyError):
        Summary.from_dict(told)

"""Late committers: a row that commits behind rows with higher numbers is sealed, and the naive sealer loses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import pytest

from razorpay_hardened.audit.seal import seal
from razorpay_hardened.audit.verify import verify
from razorpay_hardened.domain.audit import chained
from razorpay_hardened.domain.seals import place
from razorpay_hardened.domain.state import AnchorState
from razorpay_hardened.errors import SchemaMismatch, StorageUnavailable
from razorpay_hardened.ports.store import Batch, Store, Touches, Transaction
from razorpay_hardened.storage import PostgresStore, SQLiteStore
from razorpay_hardened.testing._contract_audit import grow, seal_all
from razorpay_hardened.testing._contract_values import audit, started
from support.postgres import new_schema


class Naive:
    """What suggests itself: remember the highest number that was sealed, and go on after it."""

    def __init__(self) -> None:
        self.last = 0
        self.sealed: set[int] = set()

    def seal(self, store: Store) -> None:
        with store.transaction() as tx:
            sql = f"SELECT pos FROM razorpay_audit WHERE pos > {self.last} ORDER BY pos"
            found = [row[0] for row in tx.execute(sql).fetchall()]
        self.sealed |= set(found)
        self.last = max([self.last, *found])


def _begin(tx: Transaction, anchor: str) -> None:
    """Write a row, and leave the transaction open."""
    held = tx.load(Touches((anchor,))).anchors[anchor]
    row = chained(audit(anchor), held.audit_seq + 1, held.audit_head)
    tx.write(Batch(anchors=[AnchorState(anchor, 0, 0, row.seq, row.hash)], audit=[row]))


def _fail(store: Store) -> None:
    with store.transaction() as tx:
        _begin(tx, "order_slow")
        raise ZeroDivisionError


def _positions(store: Store) -> set[int]:
    return {place(one.position)[-1] for one in store.audit_arrivals()}


@pytest.fixture
def postgres() -> Iterator[tuple[PostgresStore, PostgresStore]]:
    """Two stores on the same tables: two connections, as two machines have them."""
    with new_schema() as url, ExitStack() as ends:
        stores = (PostgresStore(url), PostgresStore(url))
        for store in stores:
            ends.callback(store.close)
        stores[0].migrate()
        yield stores


def test_a_late_committer_is_sealed_and_the_naive_sealer_loses_it(
    postgres: tuple[PostgresStore, PostgresStore],
) -> None:
    """The first takes number 1 and stays open; the second takes 2, commits, and both sealers run."""
    slow, fast = postgres
    naive = Naive()
    with slow.transaction() as tx:
        _begin(tx, "order_slow")
        grow(fast, "order_fast")
        naive.seal(fast)
        assert naive.sealed == {2}
        assert seal(fast).rows == 0  # row 2 is there, and row 1 may still come before it
        assert verify(fast).unsealed == 1
    naive.seal(fast)
    assert _positions(fast) == {1, 2}
    assert naive.sealed == {2}  # number 1 is below what it remembers: it will never look at it again
    assert seal_all(fast, 2).rows == 2
    found = verify(fast)
    assert (found.broken, found.sealed, found.unsealed) == ((), 2, 0)


def test_a_transaction_that_began_early_and_wrote_late_is_sealed(
    postgres: tuple[PostgresStore, PostgresStore],
) -> None:
    """Its number is the highest and its transaction the oldest: it comes before, and before it nothing is sealed."""
    slow, fast = postgres
    with slow.transaction() as tx:
        tx.load(Touches(("order_slow",)))  # it has an id from here on, and no audit row yet
        grow(fast, "order_fast", 2)
        assert seal(fast).rows == 0
        _begin(tx, "order_slow")
    assert [one.anchor for one in fast.audit_arrivals()] == ["order_slow", "order_fast", "order_fast"]
    assert seal_all(fast, 3).rows == 3
    assert verify(fast).whole


def test_a_writer_that_rolls_back_holds_up_nothing(postgres: tuple[PostgresStore, PostgresStore]) -> None:
    """Its number is lost for ever: a gap in the numbers means nothing."""
    slow, fast = postgres
    with pytest.raises(ZeroDivisionError):
        _fail(slow)
    grow(fast, "order_fast")
    assert seal_all(fast, 1).rows == 1
    assert verify(fast).whole


def test_under_load_every_row_is_sealed_once(postgres: tuple[PostgresStore, PostgresStore]) -> None:
    """Writers that commit in another order than they began, with a sealer and a verifier beside them all the time."""
    store, other = postgres
    rows, done = 40, []

    def writes(name: str) -> None:
        for _ in range(rows):
            with store.transaction() as tx, tx.savepoint():
                _begin(tx, f"order_{name}")
        done.append(name)

    def seals() -> None:
        began = monotonic()
        while len(done) < 4 and monotonic() - began < 60:
            seal(other)
            assert verify(other).broken == ()

    joins = [started(lambda name=name: writes(name)) for name in "ABCD"]
    joins.append(started(seals))
    for join in joins:
        join()
    seal_all(other, 4 * rows - sum(one.rows for one in other.seals()))
    found = verify(other)
    assert (found.broken, found.sealed, found.unsealed) == ((), 4 * rows, 0)
    assert found.seals >= 1


def test_on_sqlite_there_is_no_late_committer(tmp_path: Path) -> None:
    """One writer at a time: whoever would commit a higher number first waits, or is refused."""
    slow, fast = (SQLiteStore(tmp_path / "razorpay.db", busy_timeout_s=0) for _ in range(2))
    slow.migrate()
    naive = Naive()
    with slow.transaction() as tx:
        _begin(tx, "order_slow")
        with pytest.raises(StorageUnavailable):
            grow(fast, "order_fast")
        with pytest.raises(StorageUnavailable):
            seal(fast)
    grow(fast, "order_fast")
    naive.seal(fast)
    assert naive.sealed == _positions(fast) == {1, 2}
    assert seal(fast).rows == 2
    assert verify(fast).whole
    slow.close()
    fast.close()


def test_a_dump_restored_into_another_server_goes_on_in_order(postgres: tuple[PostgresStore, PostgresStore]) -> None:
    """The old server's counter was a milliard ahead: nothing is written before migrate() has seen to it."""
    store, other = postgres
    older = (
        "CREATE OR REPLACE FUNCTION razorpay_audit_xid(xid8) RETURNS xid8 LANGUAGE sql STABLE AS "
        "'SELECT CAST(CAST(CAST(CAST($1 AS text) AS bigint) + 1000000000 AS text) AS xid8)'"
    )
    with store.transaction() as tx:
        tx.execute(older)
    grow(store, "order_A", 2)
    seal_all(store, 2)
    grow(store, "order_B")  # sealed nowhere yet
    with store.transaction() as tx:
        tx.execute(older.replace(" + 1000000000", ""))
    store.close()  # a process of the new server's
    with pytest.raises(SchemaMismatch, match="db migrate"):
        grow(other, "order_A")
    with pytest.raises(SchemaMismatch, match="restored"):
        other.audit_arrivals()
    other.migrate()
    other.migrate()  # and once more: nothing is added twice
    grow(other, "order_A")
    grow(store, "order_B")
    assert [(one.anchor, one.seq) for one in store.audit_arrivals()] == [
        ("order_A", 1),
        ("order_A", 2),
        ("order_B", 1),
        ("order_A", 3),
        ("order_B", 2),
    ]
    assert seal_all(other, 3).rows == 3
    found = verify(other)
    assert (found.broken, found.sealed, found.unsealed) == ((), 5, 0)

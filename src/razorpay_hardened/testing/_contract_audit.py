"""The contract of the whole trail: its order of arrival, its chains beside their anchors, its seals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic

import pytest

from razorpay_hardened.audit.seal import Sealing, seal
from razorpay_hardened.audit.verify import verify
from razorpay_hardened.domain.audit import AuditRow, chained
from razorpay_hardened.domain.seals import SEALS_ANCHOR, Seal, place, seals_of
from razorpay_hardened.domain.state import AnchorState
from razorpay_hardened.domain.trail import Link
from razorpay_hardened.errors import AuditBroken, StorageError
from razorpay_hardened.ports.store import Batch, Store, Touches
from razorpay_hardened.testing._contract_values import audit, later, started, write

__all__ = ["TrailContract"]


def grow(store: Store, anchor: str, count: int = 1, seconds: float = 0) -> list[AuditRow]:
    """Add rows to an anchor's chain, as the ledger does: under its lock, its head moved with them."""
    with store.transaction() as tx:
        held = tx.load(Touches((anchor,))).anchors[anchor]
        rows: list[AuditRow] = []
        seq, head = held.audit_seq, held.audit_head
        for _ in range(count):
            rows.append(chained(audit(anchor, at=later(seconds)), seq + 1, head))
            seq, head = rows[-1].seq, rows[-1].hash
        tx.write(Batch(anchors=[AnchorState(anchor, held.version, 0, seq, head)], audit=rows))
    return rows


def seal_all(store: Store, rows: int) -> Sealing:
    """Seal until ``rows`` rows have been: a transaction of somebody else on the same server may hold a sealer up."""
    began, done = monotonic(), seal(store)
    while done.rows < rows and monotonic() - began < 30:
        more = seal(store)
        done = Sealing(done.seals + more.seals, done.rows + more.rows, more.last)
    return done


class TrailContract:
    """What arrives is found again in its order, sealed once, and judged as a whole."""

    def test_rows_are_read_in_their_order_of_arrival(self, store: Store) -> None:
        """Whatever their anchors and their times; page by page as in one piece."""
        grow(store, "order_B", 2, seconds=9)
        grow(store, "order_A", 1)
        grow(store, "order_B", 1)
        arrivals = store.audit_arrivals()
        assert [(one.anchor, one.seq) for one in arrivals] == [
            ("order_B", 1),
            ("order_B", 2),
            ("order_A", 1),
            ("order_B", 3),
        ]
        places = [place(one.position) for one in arrivals]
        assert places == sorted(set(places))
        assert store.audit_arrivals(after=arrivals[1].position, limit=1) == arrivals[2:3]
        assert store.audit_arrivals(after=arrivals[-1].position) == []
        assert arrivals[0].hash == store.audit("order_B")[0].hash
        assert arrivals[0].at == later(9)

    def test_chains_are_read_beside_their_anchors(self, store: Store) -> None:
        """In order of anchor and number; None where a chain has no anchor."""
        grow(store, "order_B", 2)
        grow(store, "order_A", 2)
        lost = chained(audit("order_C"), 1, "")
        write(store, audit=[lost])
        links = store.audit_chains()
        assert [(one.row.anchor, one.row.seq, one.length) for one in links] == [
            ("order_A", 1, 2),
            ("order_A", 2, 2),
            ("order_B", 1, 2),
            ("order_B", 2, 2),
            ("order_C", 1, None),
        ]
        assert links[1].head == links[1].row.hash
        assert links[4] == Link(links[4].position, lost, None, None)
        assert [*_paged(store)] == links

    def test_anchors_that_lost_their_rows_are_found(self, store: Store) -> None:
        """Those that remember rows and have none, and no others."""
        grow(store, "order_A")
        lost = [AnchorState(f"order_{name}", 1, 0, 3, "f" * 64) for name in "CD"]
        write(store, anchors=[*lost, AnchorState("order_B", 1, 0, 0, "")])
        assert store.anchors_without_audit() == lost
        assert store.anchors_without_audit(after_key="order_C") == lost[1:]
        assert store.anchor("order_C") == lost[0]
        assert store.anchor("order_X") is None
        assert store.audit_dropped() is None

    def test_every_row_is_sealed_once(self, store: Store) -> None:
        """Seals follow each other without a gap, and the head of the seals moves with them."""
        grow(store, "order_A", 3)
        first = seal_all(store, 3)
        assert (seal(store).rows, seal(store).last) == (0, first.last)
        grow(store, "order_B", 2, seconds=40 * 86400)
        grow(store, "order_A", 1, seconds=80 * 86400)
        second = seal_all(store, 3)
        assert (first.rows, second.rows) == (3, 3)
        assert [(one.at.month, one.rows) for one in store.seals(after_seq=first.seals)][-1] == (3, 1)
        seals = store.seals()
        assert len(seals) == first.seals + second.seals
        assert store.seals(after_seq=1, limit=1) == seals[1:2]
        head = store.anchor(SEALS_ANCHOR)
        assert head is not None
        assert second.witness == f"{head.audit_seq}:{head.audit_head}"
        found = verify(store, second.witness)
        assert (found.broken, found.sealed, found.unsealed, found.seals) == ((), 6, 0, len(seals))

    def test_a_seal_is_what_its_rows_make_it(self, store: Store) -> None:
        """It ends with a calendar month, and can be made again from what it covers."""
        grow(store, "order_A", 3)
        grow(store, "order_B", 2, seconds=40 * 86400)
        made = seal_all(store, 5)
        rows = {place(one.position): one for one in store.audit_arrivals()}
        before: Seal | None = None
        for one in store.seals():
            covered = [row for at, row in sorted(rows.items()) if place(one.first) <= at <= place(one.last)]
            assert list(seals_of(covered, before)) == [one]
            before = one
        assert before == made.last

    def test_what_is_not_sealed_yet_is_counted(self, store: Store) -> None:
        """Its number, and since when."""
        grow(store, "order_A", 2)
        seal_all(store, 2)
        grow(store, "order_B", 3, seconds=77)
        found = verify(store)
        assert (found.whole, found.chains, found.rows, found.sealed) == (True, 2, 5, 2)
        assert (found.unsealed, found.unsealed_since) == (3, later(77))

    def test_sealers_at_once_seal_every_row_once(self, store: Store) -> None:
        """While writers write."""
        writers = [started(partial(_several, 6, partial(grow, store, f"order_{name}"))) for name in "AB"]
        sealers = [started(partial(_several, 4, partial(seal, store))) for _ in range(3)]
        for join in (*writers, *sealers):
            join()
        seal_all(store, 12 - sum(one.rows for one in store.seals()))
        found = verify(store)
        assert (found.broken, found.rows, found.sealed) == ((), 12, 12)

    def test_nothing_is_sealed_upon_seals_that_do_not_fit_their_head(self, store: Store) -> None:
        """It would make a cut look right."""
        grow(store, "order_A")
        seal_all(store, 1)
        write(store, anchors=[AnchorState(SEALS_ANCHOR, 1, 0, 2, "f" * 64)])
        grow(store, "order_A")
        with pytest.raises(AuditBroken, match="audit verify"):
            seal(store)
        assert len(store.seals()) == 1
        assert [one.kind for one in verify(store).broken] == ["seal_missing"]

    def test_a_number_is_sealed_once(self, store: Store) -> None:
        """A second seal of the same number is refused."""
        grow(store, "order_A")
        seal_all(store, 1)
        one = store.seals()[0]
        with pytest.raises(StorageError), store.transaction() as tx:
            tx.put_seal(Seal(1, one.at, one.first, one.last, one.rows, one.digest, "", "f" * 64))
        assert store.seals() == [one]

    @pytest.mark.parametrize(
        "sql", ["UPDATE razorpay_audit_seals SET digest = 'x'", "DELETE FROM razorpay_audit_seals"]
    )
    def test_seals_refuse_to_be_changed(self, store: Store, sql: str) -> None:
        """UPDATE and DELETE fail, and the seals stay."""
        grow(store, "order_A")
        made = seal_all(store, 1).last
        with pytest.raises(Exception, match="append-only"), store.transaction() as tx:
            tx.execute(sql)
        assert store.seals() == [made]


def _several(times: int, work: Callable[[], object]) -> None:
    for _ in range(times):
        work()


def _paged(store: Store) -> Iterator[Link]:
    last: Link | None = None
    while page := store.audit_chains(after=last, limit=2):
        yield from page
        last = page[-1]

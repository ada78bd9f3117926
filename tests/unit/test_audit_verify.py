"""The whole trail: honest histories are whole, and nothing can be done to one that is not found (FAULTS D15, P4).

Histories are written into a real SQLite database as the ledger writes them, and altered behind its triggers' back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from razorpay_hardened import MemoryStore
from razorpay_hardened.audit import Verification
from razorpay_hardened.audit.seal import seal
from razorpay_hardened.audit.verify import verify
from razorpay_hardened.domain.audit import AuditRow, chained
from razorpay_hardened.domain.seals import SEALS_ANCHOR, seal_hash
from razorpay_hardened.domain.state import AnchorState
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.ports.store import Batch, Touches

pytestmark = pytest.mark.slow

JANUARY = datetime(2026, 1, 30, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
SEAL = "seal"

steps = st.lists(st.sampled_from(["order_A", "order_B", "pay_C", SEAL]), min_size=1, max_size=14)
"""What happens one after the other, six days apart: a row of an anchor, or a sealing."""


class History:
    """A trail as the library writes it, and a hand that can do anything to it."""

    def __init__(self, store: MemoryStore, happened: list[str], apart: timedelta = timedelta(days=6)) -> None:
        self.store = store
        self.now = JANUARY
        self.rows: list[AuditRow] = []
        for one in happened:
            self.happens(one)
            self.now += apart

    def happens(self, anchor: str) -> None:
        if anchor == SEAL:
            seal(self.store)
            return
        with self.store.transaction() as tx:
            held = tx.load(Touches((anchor,))).anchors[anchor]
            row = chained(_row(anchor, self.now), held.audit_seq + 1, held.audit_head)
            tx.write(Batch(anchors=[AnchorState(anchor, 0, 0, row.seq, row.hash)], audit=[row]))
        self.rows.append(row)

    def by_hand(self, sql: str, *values: Any) -> None:
        """Write past every guard, as somebody with the file can."""
        with self.store.transaction() as tx:
            for table in ("razorpay_audit", "razorpay_audit_seals"):
                tx.execute(f"DROP TRIGGER IF EXISTS {table}_no_update")
                tx.execute(f"DROP TRIGGER IF EXISTS {table}_no_delete")
            tx.execute(sql, values)

    def put(self, row: AuditRow) -> None:
        with self.store.transaction() as tx:
            tx.write(Batch(audit=[row]))

    def chain(self, anchor: str) -> list[AuditRow]:
        return [row for row in self.rows if row.anchor == anchor]

    def seal_of(self, row: AuditRow) -> int | None:
        """The number of the seal that covers ``row``."""
        position = self.rows.index(row) + 1
        return next((one.seq for one in self.store.seals() if int(one.first) <= position <= int(one.last)), None)


def _row(anchor: str, at: datetime) -> AuditRow:
    return AuditRow(
        anchor=anchor,
        at=at,
        what="changed",
        kind="payment",
        entity_id="pay_C",
        before="created",
        after="captured",
        amount=49900,
        currency="INR",
        source="webhook",
        actor="razorpay",
        event="payment.captured",
        event_id="evt_1",
        digest="d" * 64,
        note="a note",
    )


@contextmanager
def history(happened: list[str], apart: timedelta = timedelta(days=6)) -> Iterator[History]:
    store = MemoryStore()
    try:
        yield History(store, happened, apart)
    finally:
        store.close()


def first_row(found: Verification) -> tuple[str | None, int | None]:
    assert found.first is not None
    return found.first.anchor, found.first.seq


# --- honest histories


@given(happened=steps)
@settings(max_examples=30, deadline=None)
def test_an_honest_history_is_whole(happened: list[str]) -> None:
    """Whatever happened and whenever it was sealed: nothing is broken, and every row is counted once."""
    with history(happened) as h:
        found = verify(h.store)
        assert found.broken == ()
        assert found.first is None
        assert found.rows == len(h.rows) == found.sealed + found.unsealed
        assert found.chains == len({row.anchor for row in h.rows})
        assert found.unsealed_since == (h.rows[found.sealed].at if found.unsealed else None)
        if found.witness:
            assert verify(h.store, found.witness).whole


# --- rows

_OTHER: dict[str, Any] = {
    "at": "2026-02-03T00:00:00.000001Z",
    "amount": 1,
    "currency": "USD",
    "anchor": "order_Z",
    "seq": 77,
}
_CELLS = [
    *("anchor", "at", "what", "kind", "entity_id", "before", "after", "amount", "currency", "source", "actor"),
    *("event", "event_id", "digest", "note", "seq", "prev", "hash"),
]


@given(happened=steps, data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_change_of_any_cell_of_any_row_names_the_row(happened: list[str], data: st.DataObject) -> None:
    """Sealed or not: the first broken row is the one that was changed."""
    with history(happened) as h:
        assume(h.rows)
        row = data.draw(st.sampled_from(h.rows))
        cell = data.draw(st.sampled_from(_CELLS))
        h.by_hand(
            f"UPDATE razorpay_audit SET {cell} = ? WHERE anchor = ? AND seq = ?",
            _OTHER.get(cell, "changed by hand"),
            row.anchor,
            row.seq,
        )
        found = verify(h.store)
        named = {(one.anchor, one.seq) for one in found.broken if one.anchor is not None}
        assert (row.anchor, row.seq) in named
        if cell != "anchor":  # a row that was moved is missing there and too much here: both are told
            assert first_row(found) == (row.anchor, row.seq)
        else:
            assert ("order_Z", row.seq) in named
        sealed = h.seal_of(row)
        resealed = [one.seal for one in found.broken if one.kind == "resealed"]
        assert resealed == ([sealed] if sealed and cell == "hash" else [])  # a seal covers hashes, and they the rest


@given(happened=steps, data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_row_that_was_taken_out_is_named(happened: list[str], data: st.DataObject) -> None:
    """At the front, in the middle, at the end, or the only one."""
    with history(happened) as h:
        assume(h.rows)
        row = data.draw(st.sampled_from(h.rows))
        h.by_hand("DELETE FROM razorpay_audit WHERE anchor = ? AND seq = ?", row.anchor, row.seq)
        found = verify(h.store)
        assert first_row(found) == (row.anchor, row.seq)
        assert found.first is not None
        assert (found.first.kind, found.first.position) == ("missing", None)
        sealed = h.seal_of(row)
        assert [one.seal for one in found.broken if one.kind == "resealed"] == ([sealed] if sealed else [])


@given(happened=steps, data=st.data(), count=st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_a_trail_that_was_cut_short_names_where_it_ends(happened: list[str], data: st.DataObject, count: int) -> None:
    """The last rows of one anchor."""
    with history(happened) as h:
        assume(h.rows)
        chain = h.chain(data.draw(st.sampled_from(h.rows)).anchor)
        left = max(0, len(chain) - count)
        h.by_hand("DELETE FROM razorpay_audit WHERE anchor = ? AND seq > ?", chain[0].anchor, left)
        assert first_row(verify(h.store)) == (chain[0].anchor, left + 1)


@given(happened=steps, data=st.data(), own=st.booleans())
@settings(max_examples=20, deadline=None)
def test_a_row_that_was_put_in_is_named(happened: list[str], data: st.DataObject, own: bool) -> None:
    """A forged row that fits the chain's end, not what the anchor remembers; or one of an anchor that is nobody's."""
    with history(happened) as h:
        assume(h.rows)
        last = h.chain(data.draw(st.sampled_from(h.rows)).anchor)[-1]
        forged = replace(last, entity_id="pay_forged", anchor=last.anchor if own else "order_nobody")
        forged = chained(forged, last.seq + 1 if own else 1, last.hash if own else "")
        h.put(forged)
        found = verify(h.store)
        assert first_row(found) == (forged.anchor, forged.seq)
        assert found.first is not None
        assert found.first.kind == ("inserted" if own else "no_anchor")


@given(happened=steps, data=st.data())
@settings(max_examples=20, deadline=None)
def test_rows_that_changed_places_in_their_chain_are_named(happened: list[str], data: st.DataObject) -> None:
    """Two rows of one anchor with their numbers exchanged: the lower one is told."""
    with history(happened) as h:
        chains = [h.chain(anchor) for anchor in ("order_A", "order_B", "pay_C") if len(h.chain(anchor)) > 1]
        assume(chains)
        chain = data.draw(st.sampled_from(chains))
        low, high = sorted(data.draw(st.sets(st.sampled_from(range(1, len(chain) + 1)), min_size=2, max_size=2)))
        for was, becomes in ((low, 99), (high, low), (99, high)):
            sql = "UPDATE razorpay_audit SET seq = ? WHERE anchor = ? AND seq = ?"
            h.by_hand(sql, becomes, chain[0].anchor, was)
        assert first_row(verify(h.store)) == (chain[0].anchor, low)


@given(happened=steps, data=st.data())
@settings(max_examples=20, deadline=None)
def test_sealed_rows_that_changed_places_in_the_order_of_arrival_are_found(
    happened: list[str], data: st.DataObject
) -> None:
    """No chain shows it: the first seal that covers one of them does."""
    with history(happened) as h:
        sealed = [row for row in h.rows if h.seal_of(row)]
        assume(len(sealed) > 1)
        one, other = data.draw(st.lists(st.sampled_from(sealed), min_size=2, max_size=2, unique=True))
        places = [h.rows.index(one) + 1, h.rows.index(other) + 1]
        for was, becomes in ((places[0], 99), (places[1], places[0]), (99, places[1])):
            h.by_hand("UPDATE razorpay_audit SET pos = ? WHERE pos = ?", becomes, was)
        found = verify(h.store)
        assert found.first is not None
        touched = {h.seal_of(one), h.seal_of(other)}
        assert [(broken.kind, broken.seal) for broken in found.broken] == [
            ("resealed", number) for number in sorted(filter(None, touched))
        ]


@given(happened=steps, data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_chain_made_anew_with_its_head_is_found_by_its_seal(happened: list[str], data: st.DataObject) -> None:
    """Every row fits the next and the anchor: only what was sealed tells."""
    with history(happened) as h:
        sealed = [row for row in h.rows if h.seal_of(row)]
        assume(sealed)
        row = data.draw(st.sampled_from(sealed))
        chain = h.chain(row.anchor)
        made: list[AuditRow] = []
        for old in chain:
            new = replace(old, amount=1) if old == row else old
            made.append(chained(new, old.seq, made[-1].hash if made else ""))
        for new in made:
            sql = "UPDATE razorpay_audit SET amount = ?, prev = ?, hash = ? WHERE anchor = ? AND seq = ?"
            h.by_hand(sql, new.amount, new.prev, new.hash, new.anchor, new.seq)
        h.by_hand("UPDATE razorpay_anchors SET audit_head = ? WHERE key = ?", made[-1].hash, row.anchor)
        found = verify(h.store)
        assert found.first is not None
        assert (found.first.kind, found.first.anchor) == ("resealed", None)
        assert found.first.seal == h.seal_of(row)
        assert "positions" in found.first.words


# --- anchors


@pytest.mark.parametrize(
    ("sql", "kind", "seq"),
    [
        ("UPDATE razorpay_anchors SET audit_head = 'x' WHERE key = 'order_A'", "head", 3),
        ("UPDATE razorpay_anchors SET audit_seq = 5 WHERE key = 'order_A'", "missing", 4),
        ("UPDATE razorpay_anchors SET audit_seq = 2 WHERE key = 'order_A'", "inserted", 3),
        ("DELETE FROM razorpay_anchors WHERE key = 'order_A'", "no_anchor", 1),
        ("DELETE FROM razorpay_audit WHERE anchor = 'order_A'", "missing", 1),
    ],
)
def test_what_was_done_to_an_anchor_is_named(sql: str, kind: str, seq: int) -> None:
    """Its head, its length, or all of it; and a chain that is gone as a whole."""
    with history(["order_A", "order_B", "order_A", "order_A"]) as h:
        h.by_hand(sql)
        found = verify(h.store)
        assert [(one.kind, one.anchor, one.seq) for one in found.broken] == [(kind, "order_A", seq)]
        assert found.broken[0].words.startswith(f"row {seq} of order_A")


def test_a_row_that_was_replaced_is_named_by_the_row_after_it() -> None:
    """Changed and hashed anew: the next row, which is as it was written, remembers another."""
    with history(["order_A"] * 4) as h:
        new = chained(replace(h.rows[1], amount=1), 2, h.rows[0].hash)
        h.by_hand("UPDATE razorpay_audit SET amount = 1, hash = ? WHERE seq = 2", new.hash)
        found = verify(h.store)
        assert [(one.kind, one.anchor, one.seq) for one in found.broken] == [("rewritten", "order_A", 2)]


def test_a_first_row_that_remembers_another_is_named() -> None:
    """What came before the first row was taken out, and the rest numbered anew."""
    with history(["order_A"]) as h:
        new = chained(h.rows[0], 1, "e" * 64)
        h.by_hand("UPDATE razorpay_audit SET prev = ?, hash = ?", new.prev, new.hash)
        h.by_hand("UPDATE razorpay_anchors SET audit_head = ?", new.hash)
        assert [(one.kind, one.seq) for one in verify(h.store).broken] == [("inserted", 1)]


def test_the_first_broken_row_is_the_first_that_arrived() -> None:
    """Of several chains, whatever their names; the rest is told after it, and no more than a hundred."""
    with history(["order_B", "order_A"] * 2, timedelta(0)) as h:
        for number in range(120):
            h.happens(f"pay_{number}")
        h.by_hand("UPDATE razorpay_audit SET actor = 'x'")
        found = verify(h.store)
        assert first_row(found) == ("order_B", 1)
        assert (found.count, len(found.broken)) == (122, 100)
        assert [one.position for one in found.broken[:3]] == ["1", "2", "5"]


# --- seals

SEAL_IN = "seal_inserted"
_SEALED = ["order_A", SEAL, "order_B", "order_A", SEAL, "pay_C", SEAL, "order_B"]


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("cell", ["seq", "at", "first", "last", "rows", "digest", "prev", "hash"])
def test_a_change_of_any_cell_of_any_seal_is_found_and_the_seal_is_named(number: int, cell: str) -> None:
    """The first broken seal is the one that was changed."""
    with history(_SEALED, timedelta(0)) as h:
        other = {"seq": 7, "at": "2026-01-01T00:00:00.000000Z", "first": "77", "last": "77", "rows": 9}
        h.by_hand(f"UPDATE razorpay_audit_seals SET {cell} = ? WHERE seq = ?", other.get(cell, "x"), number)
        found = verify(h.store)
        assert found.first is not None
        assert found.first.seal == number
        assert found.first.kind == ("seal_missing" if cell == "seq" else "seal_altered")


@pytest.mark.parametrize(
    ("sql", "kind", "number"),
    [
        ("DELETE FROM razorpay_audit_seals WHERE seq = 1", "seal_missing", 1),
        ("DELETE FROM razorpay_audit_seals WHERE seq = 2", "seal_missing", 2),
        ("DELETE FROM razorpay_audit_seals WHERE seq >= 2", "seal_missing", 2),
        ("DELETE FROM razorpay_audit_seals", "seal_missing", 1),
        (f"UPDATE razorpay_anchors SET audit_head = 'x' WHERE key = '{SEALS_ANCHOR}'", "seal_head", 3),
        (f"UPDATE razorpay_anchors SET audit_seq = 5 WHERE key = '{SEALS_ANCHOR}'", "seal_missing", 4),
        (
            f"UPDATE razorpay_anchors SET audit_seq = 0, audit_head = '' WHERE key = '{SEALS_ANCHOR}'",
            "seal_inserted",
            1,
        ),
        (f"DELETE FROM razorpay_anchors WHERE key = '{SEALS_ANCHOR}'", SEAL_IN, 1),
    ],
)
def test_seals_that_were_taken_out_or_put_in_are_named(sql: str, kind: str, number: int) -> None:
    """At the front, in the middle, at the end, or all; and a head that was changed or taken away."""
    with history(_SEALED, timedelta(0)) as h:
        h.by_hand(sql)
        found = verify(h.store)
        assert [(one.kind, one.seal) for one in found.broken] == [(kind, number)]
        assert found.broken[0].words.startswith(f"seal {number} ")


@pytest.mark.parametrize("place", ["9:x", "2"])
def test_a_seal_that_was_replaced_is_named_by_the_seal_after_it(place: str) -> None:
    """Changed and hashed anew."""
    with history(_SEALED, timedelta(0)) as h:
        two = h.store.seals()[1]
        new = replace(two, digest="x")
        h.by_hand("UPDATE razorpay_audit_seals SET digest = 'x', hash = ? WHERE seq = 2", seal_hash(new))
        assert [(one.kind, one.seal) for one in verify(h.store).broken] == [("resealed", 2), ("seal_altered", 2)]
        three = h.store.seals()[2]
        forged = replace(three, first=place, prev=seal_hash(new))  # not a position, or one that is under seal 2
        sql = "UPDATE razorpay_audit_seals SET first = ?, prev = ?, hash = ? WHERE seq = 3"
        h.by_hand(sql, forged.first, forged.prev, seal_hash(forged))
        assert ("seal_inserted", 3) in [(one.kind, one.seal) for one in verify(h.store).broken]


def test_a_first_seal_that_remembers_another_is_named() -> None:
    """What came before it was taken out, and the rest numbered anew."""
    with history(["order_A", SEAL]) as h:
        new = replace(h.store.seals()[0], prev="e" * 64)
        h.by_hand("UPDATE razorpay_audit_seals SET prev = ?, hash = ?", new.prev, seal_hash(new))
        assert [(one.kind, one.seal) for one in verify(h.store).broken] == [("seal_inserted", 1)]


def test_a_trail_that_was_made_anew_as_a_whole_is_found_by_a_witness() -> None:
    """Everything fits: only what was written down elsewhere does not."""
    with history(_SEALED) as h, history(_SEALED, timedelta(days=5)) as other:
        witness = verify(h.store).witness
        assert witness is not None
        assert verify(h.store, witness).whole
        found = verify(other.store, witness)
        assert [one.kind for one in found.broken] == ["witness"]
        assert found.broken[0].words == f"seal {witness.split(':')[0]} is not the seal that was written down elsewhere"
    with history(["order_A"]) as empty:
        assert [one.kind for one in verify(empty.store, witness).broken] == ["witness"]
        for text in ("", "12", "x:" + "f" * 64, "0:" + "f" * 64, "12:abc"):
            with pytest.raises(ConfigError, match="witness"):
                verify(empty.store, text)


# --- retention


def _drop(h: History, until: datetime) -> int:
    """Drop whole sealed months, as retention does, and say so."""
    text = until.isoformat(timespec="microseconds").replace("+00:00", "Z")
    h.by_hand("DELETE FROM razorpay_audit WHERE at < ?", text)
    h.by_hand("INSERT INTO razorpay_retention VALUES ('audit', ?, ?, 0)", text, text)
    return sum(row.at < until for row in h.rows)


_LONG = ["order_A", "order_B", SEAL, "order_A", "pay_C", SEAL, "order_A", SEAL, "order_A", "order_B", "order_B"]


@given(happened=steps, month=st.sampled_from([2, 3, 4]))
@settings(max_examples=30, deadline=None)
def test_whole_sealed_months_that_retention_dropped_are_excused(happened: list[str], month: int) -> None:
    """Front rows of a chain, whole chains, and seals with nothing under them any more."""
    with history([*happened, SEAL]) as h:
        dropped = _drop(h, datetime(2026, month, 1, tzinfo=UTC))
        found = verify(h.store)
        assert found.broken == ()
        assert (found.dropped, found.rows) == (dropped, len(h.rows) - dropped)
        assert found.dropped_until == datetime(2026, month, 1, tzinfo=UTC)


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_nothing_else_is_excused(data: st.DataObject) -> None:
    """Where retention has dropped months, any other row that is missing or changed is still found."""
    with history(_LONG) as h:
        _drop(h, MARCH)
        row = data.draw(st.sampled_from([row for row in h.rows if row.at >= MARCH]))
        what = data.draw(st.sampled_from(["DELETE FROM razorpay_audit", "UPDATE razorpay_audit SET actor = 'x'"]))
        h.by_hand(f"{what} WHERE anchor = ? AND seq = ?", row.anchor, row.seq)
        assert not verify(h.store).whole


def test_rows_that_were_dropped_without_a_word_are_found() -> None:
    """The same rows are missing, and no retention has said so."""
    with history(_LONG) as h:
        _drop(h, MARCH)
        h.by_hand("DELETE FROM razorpay_retention")
        assert {one.kind for one in verify(h.store).broken} == {"missing", "resealed"}


def test_half_a_month_is_not_excused() -> None:
    """Retention drops whole months: where a few rows of one are missing, somebody else did it."""
    with history(["order_A", "order_B", "order_A", "pay_C", SEAL, "order_A"], timedelta(hours=1)) as h:
        _drop(h, datetime(2026, 1, 30, 2, tzinfo=UTC))
        assert "resealed" in {one.kind for one in verify(h.store).broken}


def test_a_row_that_was_never_sealed_is_not_excused() -> None:
    """The first row of a chain is gone, as after retention: but no seal has ever covered it."""
    with history([*_LONG[:6], "order_D", "order_D"]) as h:
        _drop(h, MARCH)
        assert verify(h.store).whole
        h.by_hand("DELETE FROM razorpay_audit WHERE anchor = 'order_D' AND seq = 1")
        found = verify(h.store)
        assert [(one.kind, one.rows) for one in found.broken] == [("unaccounted", 1)]
        assert found.broken[0].words == "missing rows that no seal and no retention accounts for: 1"


def test_a_later_row_with_an_earlier_time_is_excused() -> None:
    """Clocks of two machines differ: the last row of a chain is of the old month, the row before it of the new."""
    with history(["order_B"], timedelta(0)) as h:
        for at in (MARCH + timedelta(seconds=1), MARCH - timedelta(seconds=1)):
            h.now = at
            h.happens("order_A")
        h.happens(SEAL)
        assert [one.rows for one in h.store.seals()] == [1, 1, 1]
        _drop(h, MARCH)
        found = verify(h.store)
        assert (found.broken, found.dropped, found.rows) == ((), 2, 1)

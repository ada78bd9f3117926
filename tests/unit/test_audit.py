"""The audit chain: nobody changes, drops or adds a row unseen (FAULTS D15, P4)."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from razorpay_hardened.domain.audit import AuditRow, broken_at, chained

AT = datetime(2026, 3, 2, tzinfo=UTC)


def chain(length: int) -> list[AuditRow]:
    rows: list[AuditRow] = []
    for number in range(1, length + 1):
        row = AuditRow(
            anchor="order_1",
            at=AT,
            what="changed",
            kind="payment",
            entity_id=f"pay_{number}",
            before="created",
            after="captured",
            amount=100,
            currency="INR",
            source="webhook",
            actor="razorpay",
            event="payment.captured",
            event_id="evt",
            digest="d",
            note="n",
        )
        rows.append(chained(row, number, rows[-1].hash if rows else ""))
    return rows


def test_a_whole_chain_verifies() -> None:
    """From nothing to many."""
    assert broken_at([], 0, "") is None
    rows = chain(5)
    assert broken_at(rows, 5, rows[-1].hash) is None


@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_change_of_any_column_of_any_row_is_named(place: int) -> None:
    """Each column in turn; the first broken row is told."""
    told = {}
    for name in (field.name for field in fields(AuditRow)):
        rows = chain(5)
        head = rows[-1].hash
        value = AT.replace(year=2027) if name == "at" else 77 if name in ("amount", "seq") else "changed by hand"
        rows[place] = replace(rows[place], **{name: value})
        told[name] = broken_at(rows, 5, head)
    assert told == dict.fromkeys(told, place + 1)
    assert len(told) > 10


def test_a_dropped_row_is_named_wherever_it_was() -> None:
    """At the front, in the middle, and at the end, where only the anchor knows."""
    rows = chain(5)
    head = rows[-1].hash
    assert broken_at(rows[1:], 5, head) == 1
    assert broken_at(rows[:2] + rows[3:], 5, head) == 3
    assert broken_at(rows[:4], 5, head) == 5
    assert broken_at([], 5, head) == 1


def test_a_rewritten_tail_is_named_by_the_anchor() -> None:
    """A chain that was made anew verifies in itself, and not against the head."""
    rows = chain(5)
    assert broken_at(chain(4), 5, rows[-1].hash) == 5


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_what_no_database_can_store_is_replaced_before_it_is_hashed(text: str) -> None:
    """A status with NUL or half a character must not break the chain of its order when it is read back."""
    row = chained(replace(chain(1)[0], note=text, event=text), 1, "")

    assert (row.note, row.event) == ("a\ufffdb", "a\ufffdb")
    assert broken_at([row], 1, row.hash) is None

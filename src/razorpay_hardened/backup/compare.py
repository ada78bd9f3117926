"""A copy against itself, against the summary that was taken with it, and against the live store.

Each gives the differences one by one, as sentences with ids and numbers and nobody's data, so that the first can be
named and the rest need not be looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from razorpay_hardened.audit.verify import verify
from razorpay_hardened.backup.summary import Summary, anchors, orders, payments, refunds, summary_of
from razorpay_hardened.domain.lifecycle import ORDER_RANK, REFUND_RANK
from razorpay_hardened.domain.seals import SEALS_ANCHOR
from razorpay_hardened.domain.state import AnchorState
from razorpay_hardened.ports.store import After, Store

__all__ = ["against_itself", "against_live", "against_summary"]

T = TypeVar("T")

_GROWING: Final = ("razorpay_audit_seals", "razorpay_effects", "razorpay_refund_intents")
"""Tables from which nothing is ever taken away. (Orders, payments, refunds and anchors are compared row by row, and the
audit chains with the anchors.)"""


def against_itself(copy: Store) -> Iterator[str]:
    """What does not add up within the copy: a row or a seal of the audit trail that is not as it was written, captures
    that differ from the payments that they are the sum of."""
    for broken in verify(copy).broken:
        yield broken.words
    captured = sum(anchor.captured for anchor in anchors(copy))
    paid = sum(payment.amount for payment in payments(copy) if payment.captured)
    if paid != captured:
        yield f"captured payments add up to {paid} subunits, and the anchors' totals to {captured}"


def against_summary(copy: Store, told: Summary) -> Iterator[str]:
    """What is not as it was when the copy was taken."""
    found = summary_of(copy)
    if found.version != told.version:
        yield f"the schema is version {found.version}, it was {told.version}"
    yield from _unequal("rows of", found.rows, told.rows)
    yield from _unequal("sum of", found.sums, told.sums)
    if found.heads != told.heads:
        yield "the heads of the audit chains are not those of the backup"
    if found.seal != told.seal:
        yield f"the last seal is {found.seal or 'missing'}, it was {told.seal or 'missing'}"


def _unequal(what: str, found: dict[str, int], told: dict[str, int]) -> Iterator[str]:
    for name in sorted(found.keys() | told.keys()):
        if found.get(name, 0) != told.get(name, 0):
            yield f"{what} {name}: {found.get(name, 0)}, it was {told.get(name, 0)}"


def against_live(copy: Store, live: Store) -> Iterator[str]:
    """What the live store cannot have become of the copy.

    Allowed is growth: more rows; longer audit chains that begin as the copy's; more seals after the copy's last;
    orders, payments and refunds with the same amount and currency whose statuses have not gone back to an earlier rank;
    captured totals that have not shrunk. Deliveries, and audit rows where their months were dropped, may be fewer.
    Switches, holds, marks of retention and reconciliation runs may be anything.
    """
    held, now = copy.status(), live.status()
    if (held.version or 0) > (now.version or 0):
        yield f"the live schema is version {now.version}, older than the backup's {held.version}"
        return
    for table in _GROWING:
        if now.counts.get(table, 0) < held.counts.get(table, 0):
            yield f"{table}: {now.counts.get(table, 0)} rows are live, and {held.counts[table]} are in the backup"
    yield from _chains(copy, live)
    seal = copy.seal()
    if seal is not None and live.seal(seal[0]) != seal:
        yield f"seal {seal[0]} is another one in the live store"
    yield from _rows_of("order", orders(copy), orders(live), lambda row: row.local_id, ORDER_RANK)
    yield from _rows_of("payment", payments(copy), payments(live), lambda row: row.payment_id, {})
    yield from _rows_of("refund", refunds(copy), refunds(live), lambda row: row.refund_id, REFUND_RANK)


def _chains(copy: Store, live: Store) -> Iterator[str]:
    may_be_dropped = live.audit_dropped() is not None
    others = anchors(live)
    other = next(others, None)
    for anchor in anchors(copy):
        while other is not None and other.key < anchor.key:
            other = next(others, None)
        if other is None or other.key != anchor.key:
            yield f"anchor {anchor.key} is not in the live store"
            continue
        if other.captured < anchor.captured:
            yield f"{anchor.key}: {other.captured} subunits are captured live, {anchor.captured} in the backup"
        if anchor.audit_seq and anchor.key != SEALS_ANCHOR and not _goes_on(live, anchor, may_be_dropped):
            yield f"the live audit chain of {anchor.key} does not go on from the backup's"


def _goes_on(live: Store, anchor: AnchorState, may_be_dropped: bool) -> bool:
    rows = live.audit(anchor.key, after_seq=anchor.audit_seq - 1, limit=1)
    if not rows or rows[0].seq != anchor.audit_seq:
        return may_be_dropped
    return rows[0].hash == anchor.audit_head


def _rows_of(
    kind: str, copies: Iterator[T], lives: Iterator[T], name: Callable[[T], str], ranks: dict[str, int]
) -> Iterator[str]:
    """Both sides are walked in the same order, (created_at, id), which never changes: one pass over each."""
    other = next(lives, None)
    for row in copies:
        while other is not None and _place(other, name) < _place(row, name):
            other = next(lives, None)
        if other is None or name(other) != name(row):
            yield f"{kind} {name(row)} is not in the live store"
            continue
        yield from _changed(kind, name(row), row, other, ranks)


def _place(row: T, name: Callable[[T], str]) -> After:
    return row.created_at, name(row)  # type: ignore[attr-defined]


def _changed(kind: str, name: str, row: T, other: T, ranks: dict[str, int]) -> Iterator[str]:
    was, is_ = row.money, other.money  # type: ignore[attr-defined]
    if was != is_:
        yield f"{kind} {name} is {is_} in the live store, and {was} in the backup"
    before, after = row.status, other.status  # type: ignore[attr-defined]
    if ranks.get(after, 0) < ranks.get(before, 0):
        yield f"{kind} {name} is {after} in the live store, and was {before} in the backup"

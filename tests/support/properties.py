"""P1 to P5 of the specification, as functions from what is on disk to sentences about what is wrong.

Each takes :class:`Books`, which is plain data: a test can spoil one value and see that the property finds it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from razorpay_hardened.domain.audit import AuditRow, broken_at
from razorpay_hardened.domain.lifecycle import ORDER_RANK, PAYMENT_RANK, REFUND_RANK
from razorpay_hardened.domain.state import AnchorState, OrderState, PaymentState, RefundState
from razorpay_hardened.ports.store import EffectRow, InboxRow, Store
from support.workload import Expected, lines

_MANY = 100_000
_RANKS = {"payment": PAYMENT_RANK, "order": ORDER_RANK, "refund": REFUND_RANK}
_RETURNS = {
    ("payment", "refunded", "captured"),
    ("order", "outcome_unknown", "pending"),
    ("order", "remote_failed", "pending"),
}
"""The three steps back that the law allows: a refund that failed, and asking again for an order."""


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that was committed, and everything that left the house."""

    anchors: tuple[AnchorState, ...]
    orders: tuple[OrderState, ...]
    payments: tuple[PaymentState, ...]
    refunds: tuple[RefundState, ...]
    effects: tuple[EffectRow, ...]
    inbox: Mapping[str, InboxRow]
    audit: Mapping[str, Sequence[AuditRow]]
    access: Counter[str]
    book: Counter[tuple[str, int]]
    sends: Counter[str]


def read_books(store: Store, sends: Path) -> Books:
    """What is in ``store``, in the application's tables beside it, and in the file of outer effects."""
    anchors = tuple(store.anchors(limit=_MANY))
    with store.transaction() as tx:
        access = tx.execute("SELECT order_id FROM access").fetchall()
        book = tx.execute("SELECT entry, amount FROM book").fetchall()
    return Books(
        anchors=anchors,
        orders=tuple(store.orders(limit=_MANY)),
        payments=tuple(store.payments(limit=_MANY)),
        refunds=tuple(store.refunds(limit=_MANY)),
        effects=tuple(store.effects(limit=_MANY)),
        inbox={row.digest: row for row in store.deliveries(limit=_MANY)},
        audit={anchor.key: store.audit(anchor.key, limit=_MANY) for anchor in anchors},
        access=Counter(row[0] for row in access),
        book=Counter((row[0], row[1]) for row in book),
        sends=Counter(lines(sends)),
    )


# --- P1


def p1_effects_once(books: Books) -> Iterator[str]:
    """At any moment: every inner effect that is marked done is there once, and none that is not."""
    done = [row for row in books.effects if row.mode == "on" and row.state == "done"]
    granted = Counter(row.entity_id for row in done if row.handler == "grant")
    if books.access != granted:
        yield f"P1: access {dict(books.access)} is not what is marked done: {dict(granted)}"
    booked = Counter(row.entity_id for row in done if row.handler in ("book", "unbook"))
    found = Counter({entry: n for (entry, _), n in books.book.items()})
    if found != booked:
        yield f"P1: booked {dict(found)} is not what is marked done: {dict(booked)}"
    marked = {row.key for row in books.effects if row.mode == "after" and row.state == "done"}
    if not marked <= books.sends.keys():
        yield f"P1: marked as sent, and was not: {sorted(marked - books.sends.keys())}"


def p1_all_effects(books: Books, expected: Expected, *, repeated: int = 0) -> Iterator[str]:
    """In the end: every effect exactly once; of the outer ones, ``repeated`` were sent twice with the same key."""
    for name, found, due in (("access", books.access, expected.access), ("book", books.book, expected.book)):
        if found != due:
            yield f"P1: {name}: missing {dict(due - found)}, too many {dict(found - due)}"
    if books.sends.keys() != expected.sends.keys():
        yield f"P1: sent {sorted(books.sends)}, due were {sorted(expected.sends)}"
    surplus = books.sends - expected.sends
    if surplus.total() != repeated or any(times > 1 for times in surplus.values()):
        yield f"P1: sent more than once: {dict(surplus)}; {repeated} such sends are right here"
    left = [row.key for row in books.effects if row.state != "done"]
    if left:
        yield f"P1: effects left undone: {left}"


# --- P2


def p2_answered_is_stored(books: Books, answered: Mapping[str, int]) -> Iterator[str]:
    """What was answered 2xx is on record; no answer was anything else."""
    for digest, status in answered.items():
        if status != 200:
            yield f"P2: {digest} was answered {status}"
        elif digest not in books.inbox:
            yield f"P2: {digest} was answered 200 and is not on record"


def p2_all_through(books: Books, digests: Sequence[str]) -> Iterator[str]:
    """In the end every event is processed: none is lost, parked or waiting."""
    for digest in digests:
        row = books.inbox.get(digest)
        state = "lost" if row is None else row.state
        if state != "done":
            yield f"P2: {digest} is {state}"


# --- P3


def p3_forward_only(books: Books) -> Iterator[str]:
    """No row of the audit trail moves a status backwards, except where the law says so."""
    for chain in books.audit.values():
        for row in chain:
            if row.what != "changed" or row.before is None or row.after is None:
                continue
            ranks = _RANKS[row.kind]
            if ranks[row.before] > ranks[row.after] and (row.kind, row.before, row.after) not in _RETURNS:
                yield f"P3: {row.entity_id} went from {row.before} to {row.after}"


def p3_same_end(books: Books, expected: Expected) -> Iterator[str]:
    """The final statuses are those of every other order of arrival."""
    found = {order.order_id or order.local_id: order.status for order in books.orders}
    found |= {payment.payment_id: payment.status for payment in books.payments}
    found |= {refund.refund_id: refund.status for refund in books.refunds}
    for entity, status in expected.statuses.items():
        if found.get(entity) != status:
            yield f"P3: {entity} ended {found.get(entity)}, not {status}"
    if unknown := found.keys() - expected.statuses.keys():
        yield f"P3: nobody knows {sorted(unknown)}"


# --- P4


def p4_chains(books: Books) -> Iterator[str]:
    """Every anchor's chain is as it was written, to its end."""
    for anchor in books.anchors:
        broken = broken_at(books.audit[anchor.key], anchor.audit_seq, anchor.audit_head)
        if broken is not None:
            yield f"P4: the chain of {anchor.key} is broken at {broken}"


def p4_one_row_a_change(books: Books) -> Iterator[str]:
    """The 'changed' rows of an entity are the way from nothing to its status: one row a step, and no step missing."""
    for kind, entity, anchors, status in _entities(books):
        steps = [row for key in anchors for row in books.audit.get(key, ()) if row.what == "changed"]
        at: str | None = None
        for row in (step for step in steps if step.kind == kind and step.entity_id in (entity, *anchors)):
            if row.before != at or row.after == row.before:
                yield f"P4: {entity} was {at}, and a row says {row.before} → {row.after}"
            at = row.after
        if at != status:
            yield f"P4: {entity} is {status}, and its last row says {at}"


def _entities(books: Books) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """(kind, id, the anchors whose chains tell of it, status)."""
    for order in books.orders:
        anchors = (order.local_id,) if order.order_id is None else (order.local_id, order.order_id)
        yield "order", anchors[-1], anchors, order.status
    for payment in books.payments:
        yield "payment", payment.payment_id, (payment.anchor,), payment.status
    for refund in books.refunds:
        yield "refund", refund.refund_id, (refund.anchor,), refund.status


# --- P5


def p5_money(books: Books) -> Iterator[str]:
    """Captured less refunded is what the application booked; each total is the sum of its parts, in whole subunits."""
    yield from _payments_add_up(books)
    for anchor in books.anchors:
        captured = sum(one.amount for one in books.payments if one.anchor == anchor.key and one.captured)
        if anchor.captured != captured:
            yield f"P5: {anchor.key} says {anchor.captured} captured, its payments {captured}"
    refunded = sum(one.amount for one in books.refunds if one.status != "failed")
    balance = sum(one.amount for one in books.payments if one.captured) - refunded
    booked = sum(amount * times for (_, amount), times in books.book.items())
    if booked != balance:
        yield f"P5: {balance} was taken in, {booked} is in the application's book"


def _payments_add_up(books: Books) -> Iterator[str]:
    for payment in books.payments:
        mine = [one for one in books.refunds if one.payment_id == payment.payment_id]
        known, failed = sum(one.amount for one in mine), sum(one.amount for one in mine if one.status == "failed")
        if (payment.refunds_known, payment.refunds_failed) != (known, failed):
            yield f"P5: the refunds of {payment.payment_id} do not add up to its totals"
        if not 0 <= payment.refunded <= payment.amount:
            yield f"P5: {payment.refunded} of {payment.amount} is refunded of {payment.payment_id}"
        if type(payment.amount) is not int or len({payment.currency, *(one.currency for one in mine)}) != 1:
            yield f"P5: {payment.payment_id} is not whole subunits of one currency"


# --- together


def at_any_moment(books: Books) -> list[str]:
    """What holds after every commit, and so after every crash."""
    checks = (p1_effects_once, p3_forward_only, p4_chains, p4_one_row_a_change, p5_money)
    return [wrong for check in checks for wrong in check(books)]


def in_the_end(books: Books, expected: Expected, digests: Sequence[str], *, repeated: int = 0) -> list[str]:
    """What holds once everything was delivered and nothing waits."""
    return [
        *at_any_moment(books),
        *p1_all_effects(books, expected, repeated=repeated),
        *p2_all_through(books, digests),
        *p3_same_end(books, expected),
    ]

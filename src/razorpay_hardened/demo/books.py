"""Both sides' books, read once, as plain values: what the proofs judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from razorpay_hardened.demo.journal import Journal
from razorpay_hardened.demo.shop import Mailbox
from razorpay_hardened.domain.audit import AuditRow
from razorpay_hardened.domain.state import AnchorState, OrderState, PaymentState, RefundIntent, RefundState
from razorpay_hardened.ports.store import After, EffectRow, InboxRow, Store

__all__ = ["Books", "read_books"]

T = TypeVar("T")
_PAGE = 500

Entity = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Books:
    """``…_there`` is Razorpay's side by id; the rest is the shop's. Amounts are subunits.

    ``grants`` are (Razorpay order id, key), ``bookings`` (refund id, key), ``mails`` the key of each mail that was
    sent. ``dashboard`` are the refunds that a person made by hand.
    """

    orders_there: Mapping[str, Entity]
    payments_there: Mapping[str, Entity]
    refunds_there: Mapping[str, Entity]
    orders: tuple[OrderState, ...]
    payments: Mapping[str, PaymentState]
    refunds: Mapping[str, RefundState]
    anchors: tuple[AnchorState, ...]
    audit: Mapping[str, tuple[AuditRow, ...]]
    effects: tuple[EffectRow, ...]
    deliveries: tuple[InboxRow, ...]
    intents: tuple[RefundIntent, ...]
    grants: tuple[tuple[str, str], ...]
    bookings: tuple[tuple[str, str], ...]
    mails: tuple[str, ...]
    dashboard: frozenset[str] = frozenset()


def read_books(state: Mapping[str, Any], store: Store, mailbox: Mailbox, journal: Journal) -> Books:
    """``state`` is the emulator's. Reads everything; call it when nothing moves any more."""
    anchors = tuple(_anchors(store))
    payments = {one.payment_id: one for one in _paged(store.payments, lambda row: (row.created_at, row.payment_id))}
    return Books(
        orders_there=state["orders"],
        payments_there=state["payments"],
        refunds_there=state["refunds"],
        orders=tuple(_paged(store.orders, lambda row: (row.created_at, row.local_id))),
        payments=payments,
        refunds={one.refund_id: one for one in _paged(store.refunds, lambda row: (row.created_at, row.refund_id))},
        anchors=anchors,
        audit={anchor.key: tuple(_chain(store, anchor.key)) for anchor in anchors},
        effects=tuple(_effects(store)),
        deliveries=tuple(_paged(store.deliveries, lambda row: (row.received_at, row.digest))),
        mails=tuple(mailbox.keys()),
        dashboard=frozenset(journal.dashboard_refunds),
        **_in_one_transaction(store, payments),
    )


def _paged(read: Callable[..., list[T]], last: Callable[[T], After]) -> Iterator[T]:
    after: After | None = None
    while rows := read(after=after, limit=_PAGE):
        yield from rows
        after = last(rows[-1])


def _anchors(store: Store) -> Iterator[AnchorState]:
    after = ""
    while rows := store.anchors(after_key=after, limit=_PAGE):
        yield from rows
        after = rows[-1].key


def _chain(store: Store, anchor: str) -> Iterator[AuditRow]:
    after = 0
    while rows := store.audit(anchor, after_seq=after, limit=_PAGE):
        yield from rows
        after = rows[-1].seq


def _effects(store: Store) -> Iterator[EffectRow]:
    after = 0
    while rows := store.effects(after_id=after, limit=_PAGE):
        yield from rows
        after = rows[-1].id


def _in_one_transaction(store: Store, payments: Mapping[str, PaymentState]) -> dict[str, Any]:
    """What only a transaction shows: the shop's own tables, and the refund intents."""
    with store.transaction() as tx:
        grants = tx.execute("SELECT order_id, key FROM demo_grants").fetchall()
        bookings = tx.execute("SELECT refund_id, key FROM demo_bookings").fetchall()
        intents = [intent for payment in payments for intent in tx.intents(payment)]
    return {
        "grants": tuple((row[0], row[1]) for row in grants),
        "bookings": tuple((row[0], row[1]) for row in bookings),
        "intents": tuple(intents),
    }

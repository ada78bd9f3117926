"""Finding and reading the chains that one payment, order or refund is told in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from razorpay_hardened.domain.audit import AuditRow
from razorpay_hardened.domain.state import AnchorState, OrderState, PaymentState, RefundState
from razorpay_hardened.domain.trail import Broken, Link, check_chains, check_empty
from razorpay_hardened.errors import OrderUnknown
from razorpay_hardened.ports.store import Reader

__all__ = ["Chain", "Subject", "find", "read_chain"]

_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Chain:
    """One anchor's rows, oldest first, and the first place where they are not as they were written.

    ``dropped``: older rows than these were dropped by retention. ``captured`` is the sum of captures, in subunits.
    """

    anchor: str
    rows: tuple[AuditRow, ...]
    broken: Broken | None = None
    dropped: bool = False
    captured: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """What somebody asks about: ``kind`` and ``id``, with what the store holds about it now.

    An order has all its payments; a payment has its order, where that is ours, and itself; a refund has its payment.
    """

    kind: str
    id: str
    anchors: tuple[str, ...]
    order: OrderState | None = None
    payments: tuple[PaymentState, ...] = ()
    refunds: tuple[RefundState, ...] = field(default=())

    @property
    def order_ids(self) -> frozenset[str]:
        """The ids under which the audit knows the order: ours, and Razorpay's once that was known."""
        return frozenset(_ids(self.order))


def find(store: Reader, reference: str) -> Subject:
    """What ``reference`` (a payment's, refund's or order's id, or an order's local id) is.

    Raises :class:`OrderUnknown` where nothing with this id is on record.
    """
    if (order := store.order(reference)) is not None:
        payments = tuple(one for anchor in _ids(order) for one in _payments(store, anchor))
        refunds = tuple(one for payment in payments for one in _refunds(store, payment))
        return Subject("order", reference, _ids(order), order, payments, refunds)
    refund = store.refund(reference)
    payment = store.payment(reference if refund is None else refund.payment_id)
    if payment is None:
        raise OrderUnknown(f"no payment, order or refund {reference!r} is on record here")
    order = None if payment.order_id is None else store.order(payment.order_id)
    anchors = (*(one for one in _ids(order) if one != payment.anchor), payment.anchor)
    refunds = tuple(_refunds(store, payment))
    return Subject("payment" if refund is None else "refund", reference, anchors, order, (payment,), refunds)


def _ids(order: OrderState | None) -> tuple[str, ...]:
    if order is None:
        return ()
    return (order.local_id,) if order.order_id is None else (order.local_id, order.order_id)


def _payments(store: Reader, anchor: str) -> Iterator[PaymentState]:
    after = None
    while page := store.payments(anchor=anchor, after=after, limit=_PAGE):
        yield from page
        after = (page[-1].created_at, page[-1].payment_id)


def _refunds(store: Reader, payment: PaymentState) -> Iterator[RefundState]:
    after = None
    while page := store.refunds(payment_id=payment.payment_id, after=after, limit=_PAGE):
        yield from page
        after = (page[-1].created_at, page[-1].refund_id)


def read_chain(store: Reader, anchor: str) -> Chain:
    """The whole chain of one anchor, judged. What is added while it is read is left out."""
    state, dropped = store.anchor(anchor), store.audit_dropped()
    if state is None:
        rows = tuple(_rows(store, anchor))
        return Chain(anchor, rows, Broken("no_anchor", anchor, rows[0].seq) if rows else None)
    rows = tuple(islice(_rows(store, anchor), state.audit_seq))
    broken = next(_judge(state, rows, dropped), None)
    return Chain(anchor, rows, broken, dropped is not None and len(rows) < state.audit_seq, state.captured)


def _judge(state: AnchorState, rows: Sequence[AuditRow], dropped: datetime | None) -> Iterator[Broken]:
    if not rows and state.audit_seq:
        yield from check_empty([state], dropped)
    yield from check_chains((Link("", row, state.audit_seq, state.audit_head) for row in rows), dropped)


def _rows(store: Reader, anchor: str) -> Iterator[AuditRow]:
    seq = 0
    while page := store.audit(anchor, after_seq=seq, limit=_PAGE):
        yield from page
        seq = page[-1].seq

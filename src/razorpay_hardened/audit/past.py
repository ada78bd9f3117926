"""The past: what a payment, an order or a refund was at a moment, rebuilt from audit rows and nothing else.

The audit carries statuses and amounts. It carries no owner, no plan and no snapshot, and no sum that Razorpay claimed
without naming a refund: what cannot be known is said, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from razorpay_hardened.audit.chains import Chain, Subject, find, read_chain
from razorpay_hardened.domain.audit import AuditRow
from razorpay_hardened.ports.store import Reader

__all__ = ["Past", "past"]


@dataclass(frozen=True, slots=True)
class Past:
    """What was on record here about ``id`` at ``at``, in subunits; ``since`` is when the status came to be.

    ``status`` is None where nothing was on record yet, or where it cannot be known. A payment has ``captured`` (None:
    cannot be known) and ``refunded``, and its refunds in ``parts``; an order has ``closed``, and its payments in
    ``parts``. ``unknown`` says in words what the audit cannot tell. ``whole`` is false where a chain is broken: then
    nothing of this is to be relied on.
    """

    kind: str
    id: str
    at: datetime
    status: str | None
    since: datetime | None = None
    amount: int | None = None
    currency: str | None = None
    captured: bool | None = None
    refunded: int | None = None
    closed: bool = False
    parts: tuple[Past, ...] = ()
    unknown: tuple[str, ...] = ()
    whole: bool = True


def past(store: Reader, reference: str, at: datetime) -> Past:
    """See :meth:`Audit.at`."""
    subject = find(store, reference)
    trail = _Trail([read_chain(store, anchor) for anchor in subject.anchors], at)
    if subject.kind == "order":
        return _order(subject, trail)
    if subject.kind == "refund":
        return trail.entity("refund", {subject.id}, subject.id)
    return _payment(subject, trail, subject.id)


class _Trail:
    """The rows of some chains as they were at a moment."""

    def __init__(self, chains: Sequence[Chain], at: datetime) -> None:
        self._rows = [row for chain in chains for row in chain.rows]
        self._dropped = any(chain.dropped for chain in chains)
        self.whole = all(chain.broken is None for chain in chains)
        self.at = at

    def then(self, ids: Iterable[str]) -> list[AuditRow]:
        """The rows on ``ids`` up to the moment."""
        return [row for row in self._rows if row.entity_id in ids and row.at <= self.at]

    def entity(self, kind: str, ids: set[str] | frozenset[str], id: str) -> Past:
        """What every kind has: the status and the amount that the last row tells."""
        rows = self.then(ids)
        told = next((row for row in reversed(rows) if row.after is not None), None)
        money = next((row for row in reversed(rows) if row.amount is not None), None)
        status = None if told is None else told.after
        unknown: tuple[str, ...] = ()
        if told is None and self._dropped:
            # What was before the first row that is left, that row says itself.
            left = next((row for row in self._rows if row.entity_id in ids and row.after is not None), None)
            status = None if left is None else left.before
            unknown = ("retention has dropped the rows of that time: since when is not known",)
        return Past(
            kind=kind,
            id=id,
            at=self.at,
            status=status,
            since=None if status is None or told is None else self._since(rows, status),
            amount=None if money is None else money.amount,
            currency=None if money is None else money.currency,
            unknown=unknown,
            whole=self.whole,
        )

    @staticmethod
    def _since(rows: Sequence[AuditRow], status: str) -> datetime:
        """When the last unbroken run of ``status`` began."""
        since = rows[-1].at
        for row in reversed(rows):
            if row.after is None:
                continue
            if row.after != status:
                break
            since = row.at
        return since


def _order(subject: Subject, trail: _Trail) -> Past:
    base = trail.entity("order", subject.order_ids, subject.id)
    payments = (_payment(subject, trail, payment.payment_id) for payment in subject.payments)
    return replace(
        base,
        closed=any(row.note == "closed" for row in trail.then(subject.order_ids)),
        parts=tuple(one for one in payments if one.status is not None),
        unknown=(*base.unknown, "owner and plan are not in the audit: they are as the order has them now"),
    )


def _payment(subject: Subject, trail: _Trail, payment_id: str) -> Past:
    base = trail.entity("payment", {payment_id}, payment_id)
    every = (one.refund_id for one in subject.refunds if one.payment_id == payment_id)
    refunds = [one for one in (trail.entity("refund", {name}, name) for name in every) if one.status is not None]
    known = sum(one.amount or 0 for one in refunds if one.status != "failed")
    unknown = base.unknown
    now = next(payment for payment in subject.payments if payment.payment_id == payment_id)
    if base.status == "refunded" and base.amount is not None:
        known = max(known, base.amount)  # that is what the status means
    elif base.status is not None and now.claimed > now.refunds_known:
        unknown = (*unknown, "Razorpay has claimed refunds without naming them: how much of that by then is not known")
    return replace(
        base,
        captured=_captured(base.status, trail.then({payment_id})),
        refunded=None if base.status is None else known,
        parts=tuple(refunds),
        unknown=unknown,
    )


def _captured(status: str | None, rows: Sequence[AuditRow]) -> bool | None:
    """A payment that was first seen refunded may have been given back before it was captured."""
    if any(row.after == "captured" for row in rows) or status == "captured":
        return True
    return None if status in ("refunded", None) else False

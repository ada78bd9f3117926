"""Explaining: the whole story of one payment, order or refund, step by step, with the rule that decided each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from razorpay_hardened.audit.chains import Chain, Subject, find, read_chain
from razorpay_hardened.audit.rules import Rule, rule_of, rule_of_delivery, rule_of_effect
from razorpay_hardened.domain.audit import AuditRow
from razorpay_hardened.domain.money import Money
from razorpay_hardened.domain.state import OrderState, PaymentState, RefundIntent, RefundState
from razorpay_hardened.domain.trail import Broken
from razorpay_hardened.ports.store import EffectRow, InboxRow, Reader

__all__ = ["Explanation", "Step", "explain"]

_PAGE: Final = 1000
_SHORT: Final = 32  # of a digest; every other id is shorter
_SORT: Final = {"delivery": 0, "audit": 1, "intent": 2, "effect": 3}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: ``words`` about it, and the ``rule`` that decided it.

    ``kind`` is ``delivery``, ``audit``, ``intent`` or ``effect``; ``source`` is who said so, and ``row`` the audit row
    that the step was told by (anchor and number).
    """

    at: datetime
    kind: str
    about: str
    words: str
    rule: Rule | None
    source: str
    row: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A story: how it stands now (``summary``), and the ``steps`` to there, oldest first.

    ``open`` are sentences about what is not at its end yet; ``broken`` are the places where the audit rows that this
    was told by are not as they were written, and ``dropped`` says that retention took the oldest.
    """

    kind: str
    id: str
    status: str
    summary: str
    steps: tuple[Step, ...]
    open: tuple[str, ...]
    broken: tuple[Broken, ...]
    dropped: bool = False

    @property
    def whole(self) -> bool:
        """Whether the story can be relied on."""
        return not self.broken


def explain(store: Reader, reference: str, now: datetime) -> Explanation:
    """See :meth:`Audit.explain`."""
    subject = find(store, reference)
    chains = [read_chain(store, anchor) for anchor in subject.anchors]
    return _Story(store, subject, chains, now).told()


class _Story:
    def __init__(self, store: Reader, subject: Subject, chains: Sequence[Chain], now: datetime) -> None:
        self._store = store
        self._subject = subject
        self._chains = chains
        self._now = now
        payments = {payment.payment_id for payment in subject.payments}
        self._about = payments | {one.refund_id for one in subject.refunds} | subject.order_ids

    def told(self) -> Explanation:
        subject = self._subject
        rows = self._rows()
        deliveries = list(self._deliveries(rows))
        effects = [row for row in self._effects() if row.entity_id in self._about]
        intents = [one for one in self._intents() if any(one.payment_id == p.payment_id for p in subject.payments)]
        steps = [
            *map(_audit_step, rows),
            *map(_delivery_step, deliveries),
            *map(_effect_step, effects),
            *map(_intent_step, intents),
            *self._surplus(rows),
        ]
        return Explanation(
            kind=subject.kind,
            id=subject.id,
            status=self._status(),
            summary=self._summary(),
            steps=tuple(sorted(steps, key=lambda step: (step.at, _SORT[step.kind]))),
            open=(*_open_deliveries(deliveries), *_open_effects(effects), *map(_open_intent, intents)),
            broken=tuple(chain.broken for chain in self._chains if chain.broken is not None),
            dropped=any(chain.dropped for chain in self._chains),
        )

    # --- how it stands

    def _status(self) -> str:
        subject = self._subject
        if subject.kind == "order" and subject.order is not None:
            return subject.order.status
        if subject.kind == "refund":
            return next(one.status for one in subject.refunds if one.refund_id == subject.id)
        return subject.payments[0].status

    def _summary(self) -> str:
        subject = self._subject
        captured = sum(chain.captured for chain in self._chains)  # an order's local id never has captures
        parts = [_order_words(subject.order, captured)] if subject.order is not None else []
        parts += [_payment_words(payment) for payment in subject.payments]
        parts += [_refund_words(refund) for refund in subject.refunds]
        first = [part for part in parts if part.split()[1] == subject.id]
        return "; ".join([*first, *(part for part in parts if part not in first)]) + "."

    # --- reading

    def _rows(self) -> list[AuditRow]:
        """The rows on these ids, and those on deliveries that told of them."""
        rows = [row for chain in self._chains for row in chain.rows]
        told = {row.digest for row in rows if row.entity_id in self._about and row.digest is not None}
        return [row for row in rows if row.entity_id in self._about | told]

    def _deliveries(self, rows: Iterable[AuditRow]) -> Iterator[InboxRow]:
        """Those that the rows name, and those that wait for one of these ids."""
        seen: set[str] = set()
        for digest in dict.fromkeys(row.digest for row in rows if row.digest is not None):
            if (delivery := self._store.delivery(digest)) is not None:
                seen.add(digest)
                yield delivery
        for anchor in (*self._subject.anchors, *(payment.payment_id for payment in self._subject.payments)):
            for delivery in self._store.deliveries(anchor=anchor, states=("parked", "waiting", "dead"), limit=_PAGE):
                if delivery.digest not in seen:
                    seen.add(delivery.digest)
                    yield delivery

    def _effects(self) -> Iterator[EffectRow]:
        for anchor in self._subject.anchors:
            after = 0
            while page := self._store.effects(anchor=anchor, after_id=after, limit=_PAGE):
                yield from page
                after = page[-1].id

    def _intents(self) -> list[RefundIntent]:
        return self._store.open_intents(before=self._now, limit=_PAGE)

    def _surplus(self, rows: Sequence[AuditRow]) -> Iterator[Step]:
        """The one decision that has no row of its own: it is told beside the capture."""
        for payment in self._subject.payments:
            if not payment.surplus:
                continue
            row = next((one for one in rows if one.entity_id == payment.payment_id and one.after == "captured"), None)
            if row is not None:
                words = f"payment {payment.payment_id} is surplus: earlier captures had paid the order"
                yield Step(
                    row.at, "audit", payment.payment_id, words, Rule("payment.surplus"), _source(row), _place(row)
                )


# --- words


def _money(amount: int | None, currency: str | None) -> str:
    return "" if amount is None or currency is None else str(Money(amount, currency))


def _order_words(order: OrderState, captured: int) -> str:
    closed = ", closed" if order.closed_at is not None else ""
    name, amount = order.order_id or order.local_id, _money(order.amount, order.currency)
    return f"order {name} is {order.status}{closed} ({_money(captured, order.currency)} captured of {amount})"


def _payment_words(payment: PaymentState) -> str:
    back = f", {_money(payment.refunded, payment.currency)} given back" if payment.refunded else ""
    extra = ", surplus" if payment.surplus else ""
    amount = _money(payment.amount, payment.currency)
    return f"payment {payment.payment_id} is {payment.status}{extra} ({amount}{back})"


def _refund_words(refund: RefundState) -> str:
    return f"refund {refund.refund_id} is {refund.status} ({_money(refund.amount, refund.currency)})"


def _audit_step(row: AuditRow) -> Step:
    return Step(row.at, "audit", row.entity_id, _row_words(row), rule_of(row), _source(row), _place(row))


def _place(row: AuditRow) -> tuple[str, int]:
    return row.anchor, row.seq


def _row_words(row: AuditRow) -> str:
    what = f"{row.kind} {row.entity_id}"
    if row.what == "stale":
        return f"{what}: news of {row.note} refused, it is {row.before}"
    if row.what == "unknown_status":
        return f"{what}: a status that is not known here, {row.note}; it stays {row.before}"
    note = f": {row.note}" if row.note else ""
    if row.after is None:  # refused, quarantined, replayed: nothing changed
        return f"{row.kind} {row.entity_id[:_SHORT]}: {row.what}{note}"
    if row.before is None:
        return f"{what} is on record: {row.after}, {_money(row.amount, row.currency)}{note}"
    if row.what == "noted" or row.before == row.after:
        return f"{what}: more is known, it stays {row.after}{note}"
    return f"{what}: {row.before} → {row.after}{note}"


def _source(row: AuditRow) -> str:
    news = f"{row.source} {row.event}" if row.event else row.source
    named = f" {row.event_id}" if row.event_id else ""
    by = f" by {row.actor}" if row.actor not in ("system", "razorpay", row.source) else ""
    return "the delivery that was parked" + named if row.actor == "parked" else news + named + by


def _delivery_step(row: InboxRow) -> Step:
    words = f"webhook {row.event or '(unread)'} received, now {row.state}"
    return Step(row.received_at, "delivery", row.event, words, rule_of_delivery(row), row.event_id or row.digest[:16])


def _effect_step(row: EffectRow) -> Step:
    tries = f"{row.attempts} attempt{'' if row.attempts == 1 else 's'}"
    words = f"handler {row.handler}, {row.mode} {row.milestone}: {row.state} after {tries}"
    words += f": {row.error}" if row.error and row.state != "done" else ""
    return Step(row.at, "effect", row.handler, words, rule_of_effect(row), row.key)


def _intent_step(intent: RefundIntent) -> Step:
    words = f"refund of {_money(intent.amount, intent.currency)} asked for, and not settled yet"
    return Step(intent.created_at, "intent", intent.payment_id, words, None, intent.key)


def _open_deliveries(rows: Iterable[InboxRow]) -> Iterator[str]:
    for row in rows:
        if row.state == "parked":
            yield f"webhook {row.event} is parked: it waits for {row.anchor}"


def _open_effects(rows: Iterable[EffectRow]) -> Iterator[str]:
    for row in rows:
        if row.state == "dead":
            yield f"handler {row.handler} was given up: see `events list --state dead`"
        elif row.state != "done":
            yield f"handler {row.handler} has not succeeded yet ({row.attempts} attempts); next at {row.due_at:%F %T}Z"


def _open_intent(intent: RefundIntent) -> str:
    amount = _money(intent.amount, intent.currency)
    return f"a refund of {amount} was asked for and its outcome is not known: `checkout.sweep` settles it"

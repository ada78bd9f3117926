"""What happened to an order or a payment, or because of an event, in order of time: audit, deliveries, effects.

Reading only. Deliveries are those that the audit names and those that wait for the anchor; effects are the anchor's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from razorpay_hardened.cli._hide import masked
from razorpay_hardened.cli._output import utc
from razorpay_hardened.domain.audit import AuditRow, broken_at
from razorpay_hardened.effects.change import delivery_of
from razorpay_hardened.ports.store import EffectRow, InboxRow, Reader

__all__ = ["Line", "Story", "deliveries_about", "story", "story_of_event"]

_PAGE: Final = 1000
_DIGEST_SHOWN: Final = 16
_SORT: Final = {"delivery": 0, "audit": 1, "effect": 2}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: when, what kind (``audit``, ``delivery``, ``effect``), about what, what happened, and who or why."""

    at: datetime
    kind: str
    subject: str
    what: str
    why: str

    def to_dict(self) -> dict[str, Any]:
        return {"at": utc(self.at), "kind": self.kind, "subject": self.subject, "what": self.what, "why": self.why}


@dataclass(frozen=True, slots=True)
class Story:
    """The lines, and where the audit chain of each anchor is broken (None where it is whole).

    ``given_up`` are the handlers that failed for good.
    """

    lines: list[Line]
    chains: dict[str, int | None]
    given_up: set[str]

    @property
    def whole(self) -> bool:
        """Whether every chain is as it was written."""
        return all(place is None for place in self.chains.values())

    @property
    def verdict(self) -> str:
        """The state of the chains, for people."""
        if self.whole:
            return "whole"
        broken = (f"{anchor} at row {place}" for anchor, place in self.chains.items() if place is not None)
        return f"broken: {', '.join(broken)}"

    def audit_dict(self) -> dict[str, Any]:
        return {"whole": self.whole, "broken_at": {key: place for key, place in self.chains.items() if place}}


def story(store: Reader, anchors: Sequence[str], about: frozenset[str] | None = None) -> Story:
    """The story of ``anchors``; with ``about``, only the lines on these ids."""
    chains, audit, effects = _read(store, anchors)
    audit = [row for row in audit if about is None or row.entity_id in about]
    effects = [row for row in effects if about is None or row.entity_id in about]
    return _told(chains, audit, _deliveries(store, anchors if about is None else (), audit), effects)


def story_of_event(store: Reader, row: InboxRow, ids: Iterable[str]) -> Story:
    """What one delivery changed; ``ids`` are the orders, payments and refunds that its body names."""
    named = {row.digest, *ids, *([row.anchor] if row.anchor else [])}
    anchors = sorted({anchor for one in named for anchor in _anchors(store, one)})
    chains, audit, effects = _read(store, anchors)
    audit = [one for one in audit if one.digest == row.digest]
    return _told(chains, audit, [row], [one for one in effects if delivery_of(one) == row.digest])


def deliveries_about(store: Reader, reference: str) -> list[InboxRow]:
    """All deliveries that changed, or wait for, an order, payment or refund; oldest first."""
    anchors = _anchors(store, reference)
    rows = [row for anchor in anchors for row in _audit(store, anchor)]
    if store.order(reference) is None:
        rows = [row for row in rows if row.entity_id == reference]
        anchors = (reference,)
    return sorted(_deliveries(store, anchors, rows), key=lambda row: (row.received_at, row.digest))


def _told(
    chains: dict[str, int | None],
    audit: Iterable[AuditRow],
    deliveries: Iterable[InboxRow],
    effects: Sequence[EffectRow],
) -> Story:
    lines = [*map(_audit_line, audit), *map(_delivery_line, deliveries), *map(_effect_line, effects)]
    given_up = {row.handler for row in effects if row.state == "dead"}
    return Story(sorted(lines, key=lambda line: (line.at, _SORT[line.kind])), chains, given_up)


# --- reading


def _anchors(store: Reader, reference: str) -> tuple[str, ...]:
    """Under which anchors something is kept: an order has two, that of its local id and that of Razorpay's."""
    if (order := store.order(reference)) is not None:
        return (order.local_id, *([order.order_id] if order.order_id else []))
    refund = store.refund(reference)
    payment = store.payment(reference if refund is None else refund.payment_id)
    return (reference,) if payment is None else (payment.anchor,)


def _read(store: Reader, anchors: Iterable[str]) -> tuple[dict[str, int | None], list[AuditRow], list[EffectRow]]:
    chains: dict[str, int | None] = {}
    audit: list[AuditRow] = []
    effects: list[EffectRow] = []
    for anchor in anchors:
        rows = list(_audit(store, anchor))
        chains[anchor] = _broken(store, anchor, rows)
        audit += rows
        effects += _effects(store, anchor)
    return chains, audit, effects


def _audit(store: Reader, anchor: str) -> Iterator[AuditRow]:
    seq = 0
    while page := store.audit(anchor, after_seq=seq, limit=_PAGE):
        yield from page
        seq = page[-1].seq


def _broken(store: Reader, anchor: str, rows: Sequence[AuditRow]) -> int | None:
    """Where the chain is broken, by what its anchor says of its length and its last hash."""
    just_before = anchor[:-1] + chr(ord(anchor[-1]) - 1)
    for state in store.anchors(after_key=just_before, limit=_PAGE):
        if state.key == anchor:
            return broken_at(rows, state.audit_seq, state.audit_head)
    return 1 if rows else None  # rows without their anchor: somebody took it away


def _effects(store: Reader, anchor: str) -> Iterator[EffectRow]:
    after = 0
    while page := store.effects(anchor=anchor, after_id=after, limit=_PAGE):
        yield from page
        after = page[-1].id


def _deliveries(store: Reader, anchors: Iterable[str], audit: Iterable[AuditRow]) -> list[InboxRow]:
    found = {row.digest: row for anchor in anchors for row in store.deliveries(anchor=anchor, limit=_PAGE)}
    for digest in {row.digest for row in audit if row.digest is not None} - found.keys():
        if (delivery := store.delivery(digest)) is not None:
            found[digest] = delivery
    return list(found.values())


# --- words


def _audit_line(row: AuditRow) -> Line:
    moved = f"{row.before or '(new)'} → {row.after}"
    what = {"changed": moved, "noted": f"noted ({row.after})"}.get(row.what, row.what.replace("_", " "))
    news = row.event or row.source
    actor = f" by {masked(row.actor)}" if row.actor not in ("system", "razorpay", row.source) else ""
    return Line(row.at, "audit", _subject(row), what, f"{news}{actor}" + (f": {masked(row.note)}" if row.note else ""))


def _subject(row: AuditRow) -> str:
    """One story has one order, and its card names it; a body that could not be used has no name but its digest."""
    if row.kind == "order":
        return "order"
    return row.entity_id[:_DIGEST_SHOWN] if row.entity_id == row.digest else row.entity_id


def _delivery_line(row: InboxRow) -> Line:
    why = row.event_id or row.digest[:_DIGEST_SHOWN]
    return Line(
        row.received_at,
        "delivery",
        row.event or "(unread)",
        f"webhook {row.state}",
        why + (f": {masked(row.reason)}" if row.reason else ""),
    )


def _effect_line(row: EffectRow) -> Line:
    tries = f"{row.attempts} attempt{'' if row.attempts == 1 else 's'}"
    error = f": {masked(row.error)}" if row.error else ""
    return Line(row.at, "effect", row.handler, f"effect {row.state}", f"{row.mode} {row.milestone}, {tries}{error}")

"""The port's reader, for any dialect: each question is one SELECT of what was committed.

A store gives :meth:`SqlReader._read`; here the questions become SQL. Lists go on after the last row seen (keyset
paging), so that a page costs the same wherever it is, and rows that come in between shift nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from razorpay_hardened.domain.audit import AuditRow
from razorpay_hardened.domain.state import (
    AnchorState,
    EntityState,
    OrderState,
    PaymentState,
    RefundIntent,
    RefundState,
)
from razorpay_hardened.ports.store import (
    After,
    EffectMode,
    EffectRow,
    EffectState,
    Finding,
    InboxRow,
    InboxState,
    Run,
)
from razorpay_hardened.storage._keeping import KeepingReader
from razorpay_hardened.storage._rows import Row, Rows
from razorpay_hardened.storage._statements import SELECT, SQLITE, Dialect, inbox_by_digest, many
from razorpay_hardened.storage._trail import TrailReader

__all__ = ["SqlReader"]

_UNFINISHED = frozenset({"waiting", "leased"})

_STATE = "SELECT state FROM razorpay_inbox WHERE digest = ?"
_STATE_PARTITIONED = (
    "SELECT COALESCE(inbox.state, 'done') FROM razorpay_digests AS key LEFT JOIN razorpay_inbox AS inbox"
    " ON inbox.digest = key.digest AND inbox.received_at = key.received_at WHERE key.digest = ?"
)


_NO_ELDER: Final = (
    "NOT EXISTS (SELECT 1 FROM razorpay_effects elder WHERE elder.anchor = razorpay_effects.anchor"
    " AND elder.handler = razorpay_effects.handler AND elder.id < razorpay_effects.id"
    " AND elder.state IN ('waiting', 'leased'))"
)


class _Where:
    """Conditions that may be absent, with their values."""

    def __init__(self) -> None:
        self._terms: list[str] = []
        self._values: list[Any] = []

    def add(self, term: str, *values: Any) -> _Where:
        self._terms.append(term)
        self._values += values
        return self

    def maybe(self, term: str, value: Any) -> _Where:
        return self if value is None else self.add(term, value)

    def one_of(self, column: str, values: Sequence[str]) -> _Where:
        return self.add(many(column + " IN ({many})", len(values)), *values) if values else self

    def select(self, table: str, order: str, limit: int) -> tuple[str, Row]:
        where = "WHERE " + " AND ".join(self._terms) if self._terms else ""
        return " ".join((SELECT[table], where, "ORDER BY", order, "LIMIT ?")), (*self._values, limit)


class SqlReader(TrailReader, KeepingReader):
    """See :class:`razorpay_hardened.ports.store.Reader`."""

    _rows: Rows
    _dialect: Dialect = SQLITE

    def _read(self, sql: str, parameters: Row) -> list[Any]:
        """Run one SELECT (placeholder ``?``) outside of any transaction, and give all its rows."""
        raise NotImplementedError

    # --- one row

    def inbox_state(self, digest: str) -> InboxState | None:
        """The state of a delivery that was committed, or None: one probe of one index."""
        found = self._read(_STATE_PARTITIONED if self._dialect.partitioned else _STATE, (digest,))
        return found[0][0] if found else None

    def order(self, reference: str) -> OrderState | None:
        """An order by its local id or by Razorpay's."""
        sql = SELECT["razorpay_orders"] + " WHERE local_id = ? OR order_id = ?"
        found = [self._rows.order(row) for row in self._read(sql, (reference, reference))]
        # Should one order's local id be another's Razorpay id, the local one is meant: it is ours to give.
        return next((order for order in found if order.local_id == reference), found[0] if found else None)

    def payment(self, payment_id: str) -> PaymentState | None:
        """A payment by its id."""
        found = self._read(SELECT["razorpay_payments"] + " WHERE payment_id = ?", (payment_id,))
        return self._rows.payment(found[0]) if found else None

    def refund(self, refund_id: str) -> RefundState | None:
        """A refund by its id."""
        found = self._read(SELECT["razorpay_refunds"] + " WHERE refund_id = ?", (refund_id,))
        return self._rows.refund(found[0]) if found else None

    def entity(self, entity_id: str) -> EntityState | None:
        """Anything else by its id."""
        found = self._read(SELECT["razorpay_entities"] + " WHERE entity_id = ?", (entity_id,))
        return self._rows.entity(found[0]) if found else None

    def delivery(self, digest: str) -> InboxRow | None:
        """A stored delivery by the SHA-256 of its body, in hex."""
        found = self._read(SELECT["razorpay_inbox"] + " WHERE " + inbox_by_digest(self._dialect), (digest,))
        return self._rows.delivery(found[0]) if found else None

    # --- state, in order of (created_at, id)

    def orders(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        statuses: Sequence[str] = (),
        owner: str | None = None,
        after: After | None = None,
        limit: int = 100,
    ) -> list[OrderState]:
        """Orders made in [since, until)."""
        where = self._made(since, until, statuses, after, "local_id").maybe("owner = ?", owner)
        return [self._rows.order(row) for row in self._list(where, "razorpay_orders", "created_at, local_id", limit)]

    def payments(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        statuses: Sequence[str] = (),
        anchor: str | None = None,
        after: After | None = None,
        limit: int = 100,
    ) -> list[PaymentState]:
        """Payments made in [since, until)."""
        where = self._made(since, until, statuses, after, "payment_id").maybe("anchor = ?", anchor)
        found = self._list(where, "razorpay_payments", "created_at, payment_id", limit)
        return [self._rows.payment(row) for row in found]

    def refunds(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        statuses: Sequence[str] = (),
        payment_id: str | None = None,
        after: After | None = None,
        limit: int = 100,
    ) -> list[RefundState]:
        """Refunds made in [since, until)."""
        where = self._made(since, until, statuses, after, "refund_id").maybe("payment_id = ?", payment_id)
        return [self._rows.refund(row) for row in self._list(where, "razorpay_refunds", "created_at, refund_id", limit)]

    def entities(
        self,
        *,
        kind: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        statuses: Sequence[str] = (),
        anchor: str | None = None,
        after: After | None = None,
        limit: int = 100,
    ) -> list[EntityState]:
        """Everything else made in [since, until)."""
        where = self._made(since, until, statuses, after, "entity_id")
        where.maybe("kind = ?", kind).maybe("anchor = ?", anchor)
        found = self._list(where, "razorpay_entities", "created_at, entity_id", limit)
        return [self._rows.entity(row) for row in found]

    # --- inbox and effects

    def deliveries(
        self,
        *,
        states: Sequence[InboxState] = (),
        event_id: str | None = None,
        anchor: str | None = None,
        after: After | None = None,
        limit: int = 100,
    ) -> list[InboxRow]:
        """Stored deliveries, in order of (received_at, digest)."""
        where = _Where().one_of("state", states).maybe("event_id = ?", event_id).maybe("anchor = ?", anchor)
        if states and "done" not in states:
            where.add("state <> 'done'")  # implied; said so that the small index of unfinished rows is used
        self._after(where, "received_at", "digest", after)
        return [self._rows.delivery(row) for row in self._list(where, "razorpay_inbox", "received_at, digest", limit)]

    def effects(
        self,
        *,
        states: Sequence[EffectState] = (),
        mode: EffectMode | None = None,
        anchor: str | None = None,
        due: datetime | None = None,
        heads: bool = False,
        after_id: int = 0,
        limit: int = 100,
    ) -> list[EffectRow]:
        """Effects in order of ``id``; with ``due``, only those due by then; with ``heads``, none that must wait for an
        elder."""
        where, number = _Where().one_of("state", states), "id"
        if states and _UNFINISHED.issuperset(states):
            where.add("state IN ('waiting', 'leased')")  # implied, as above
            number = "+id"  # the plus keeps the planner from walking all effects in order of id to find these few
        elif tuple(states) == ("dead",):
            where.add("state = 'dead'")
        where.add(number + " > ?", after_id)
        where.maybe("mode = ?", mode).maybe("anchor = ?", anchor).maybe("due_at <= ?", self._rows.time_or_none(due))
        if heads:
            where.add(_NO_ELDER)
        return [self._rows.effect(row) for row in self._list(where, "razorpay_effects", number, limit)]

    def effect_handlers(self) -> set[str]:
        """The names of all handlers that have an unfinished effect."""
        sql = "SELECT DISTINCT handler FROM razorpay_effects WHERE state IN ('waiting', 'leased')"
        return {row[0] for row in self._read(sql, ())}

    # --- audit, intents, reconciliation

    def audit(self, anchor: str, *, after_seq: int = 0, limit: int = 1000) -> list[AuditRow]:
        """One anchor's chain, in order."""
        where = _Where().add("anchor = ?", anchor).add("seq > ?", after_seq)
        return [self._rows.audit(row) for row in self._list(where, "razorpay_audit", "seq", limit)]

    def anchors(self, *, after_key: str = "", limit: int = 1000) -> list[AnchorState]:
        """All anchors in order of key."""
        where = _Where().add("key > ?", after_key)
        return [self._rows.anchor(row) for row in self._list(where, "razorpay_anchors", "key", limit)]

    def open_intents(self, *, before: datetime, limit: int = 100) -> list[RefundIntent]:
        """Refund intents made before a moment whose end is not known yet, oldest first."""
        where = _Where().add("state = 'open'").add("created_at < ?", self._rows.time(before))
        return [
            self._rows.intent(row) for row in self._list(where, "razorpay_refund_intents", "created_at, key", limit)
        ]

    def runs(self, *, limit: int = 10) -> list[Run]:
        """Reconciliation runs, newest first."""
        found = self._list(_Where(), "razorpay_runs", "started_at DESC, id DESC", limit)
        return [self._rows.run(row) for row in found]

    def findings(self, run_id: str, *, limit: int = 1000) -> list[Finding]:
        """A run's findings, in order of (kind, entity, id)."""
        where = _Where().add("run_id = ?", run_id)
        found = self._list(where, "razorpay_findings", "kind, entity, entity_id", limit)
        return [self._rows.finding(row) for row in found]

    # --- how

    def _list(self, where: _Where, table: str, order: str, limit: int) -> list[Any]:
        return self._read(*where.select(table, order, limit))

    def _made(
        self,
        since: datetime | None,
        until: datetime | None,
        statuses: Sequence[str],
        after: After | None,
        id: str,
    ) -> _Where:
        if since is not None and after is not None and after[0] >= since:
            since = None  # implied; said again it would make every page begin its search at the first
        where = _Where().maybe("created_at >= ?", self._rows.time_or_none(since))
        where.maybe("created_at < ?", self._rows.time_or_none(until)).one_of("status", statuses)
        return self._after(where, "created_at", id, after)

    def _after(self, where: _Where, time: str, id: str, after: After | None) -> _Where:
        if after is None:
            return where
        return where.add(f"({time}, {id}) > (?, ?)", self._rows.time(after[0]), after[1])

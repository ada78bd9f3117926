"""Row tuples ↔ the values that the port speaks of. Columns stand in the order of the value's fields, everywhere.

A :class:`Codec` says how a driver carries what databases disagree about (times and truth values); the rest is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from razorpay_hardened.domain.audit import AuditRow
from razorpay_hardened.domain.seals import Arrival, Seal
from razorpay_hardened.domain.state import (
    AnchorState,
    EntityState,
    OrderState,
    PaymentState,
    RefundIntent,
    RefundState,
)
from razorpay_hardened.domain.text import fits, fitting
from razorpay_hardened.ports.store import Delivery, EffectRow, Finding, Fired, InboxRow, NewEffect, Run

__all__ = ["COLUMNS", "ISO_TEXT", "Codec", "Row", "Rows", "storable", "utc_from_text", "utc_text"]

Row: TypeAlias = Sequence[Any]

COLUMNS: dict[str, tuple[str, ...]] = {
    table: tuple(field.name for field in fields(value))
    for table, value in {
        "razorpay_anchors": AnchorState,
        "razorpay_orders": OrderState,
        "razorpay_payments": PaymentState,
        "razorpay_refunds": RefundState,
        "razorpay_refund_intents": RefundIntent,
        "razorpay_entities": EntityState,
        "razorpay_milestones": Fired,
        "razorpay_inbox": InboxRow,
        "razorpay_effects": EffectRow,
        "razorpay_audit": AuditRow,
        "razorpay_audit_seals": Seal,
        "razorpay_runs": Run,
        "razorpay_findings": Finding,
    }.items()
}
"""Our tables and their columns: the fields of the value that a row holds."""


def storable(values: Row) -> Row:
    """``values`` with text that every database takes: see :mod:`razorpay_hardened.domain.text`."""
    for value in values:  # the plainest loop: it sees every value that is stored
        if type(value) is str and ("\0" in value or not value.isascii()) and not fits(value):
            break
    else:
        return values
    return tuple(fitting(value) if type(value) is str else value for value in values)


class Codec(NamedTuple):
    """How one driver carries times (aware, UTC) and truth values."""

    time: Callable[[datetime], Any]
    moment: Callable[[Any], datetime]
    flag: Callable[[bool], Any]


@lru_cache(maxsize=256)  # one moment goes into a dozen columns
def utc_text(moment: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SS.ffffffZ``: fixed width, so that text sorts as time does. Refuses a naive time."""
    if moment.tzinfo is not UTC:
        if moment.tzinfo is None:
            raise ValueError("give an aware datetime, for example datetime(2026, 1, 1, tzinfo=UTC)")
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def utc_from_text(text: str) -> datetime:
    """The aware time that :func:`utc_text` wrote."""
    return datetime.fromisoformat(text)


ISO_TEXT = Codec(time=utc_text, moment=utc_from_text, flag=int)
"""For databases without a type for times: SQLite."""


class Rows:
    """Both directions, for one codec. ``of_*`` makes a row, the others make a value."""

    def __init__(self, codec: Codec) -> None:
        self.time, self.moment, self._flag = codec

    def time_or_none(self, moment: datetime | None) -> Any:
        return None if moment is None else self.time(moment)

    def moment_or_none(self, stored: Any) -> datetime | None:
        return None if stored is None else self.moment(stored)

    # --- state

    @staticmethod
    def anchor(row: Row) -> AnchorState:
        return AnchorState(*row)

    @staticmethod
    def of_anchor(state: AnchorState) -> Row:
        return (state.key, state.version, state.captured, state.audit_seq, state.audit_head)

    def order(self, row: Row) -> OrderState:
        values = list(row)
        values[7] = self.moment(row[7])  # created_at
        values[8] = self.moment(row[8])  # updated_at
        values[10] = bool(row[10])  # partial_payment
        values[12] = self.moment_or_none(row[12])  # closed_at
        values[14] = self.moment_or_none(row[14])  # erased_at
        return OrderState(*values)

    def of_order(self, state: OrderState) -> Row:
        return (
            state.local_id,
            state.owner,
            state.plan,
            state.amount,
            state.currency,
            state.receipt,
            state.status,
            self.time(state.created_at),
            self.time(state.updated_at),
            state.order_id,
            self._flag(state.partial_payment),
            state.attempts,
            self.time_or_none(state.closed_at),
            state.snapshot,
            self.time_or_none(state.erased_at),
        )

    def payment(self, row: Row) -> PaymentState:
        values = list(row)
        values[7] = self.moment(row[7])  # created_at
        values[8] = self.moment(row[8])  # updated_at
        values[9] = bool(row[9])  # captured
        values[13] = bool(row[13])  # surplus
        values[14] = frozenset(row[14].split())  # milestones
        values[16] = self.moment_or_none(row[16])  # erased_at
        return PaymentState(*values)

    def of_payment(self, state: PaymentState) -> Row:
        return (
            state.payment_id,
            state.anchor,
            state.order_id,
            state.status,
            state.reach,
            state.amount,
            state.currency,
            self.time(state.created_at),
            self.time(state.updated_at),
            self._flag(state.captured),
            state.claimed,
            state.refunds_known,
            state.refunds_failed,
            self._flag(state.surplus),
            " ".join(sorted(state.milestones)),
            state.snapshot,
            self.time_or_none(state.erased_at),
        )

    def refund(self, row: Row) -> RefundState:
        values = list(row)
        values[6] = self.moment(row[6])  # created_at
        values[7] = self.moment(row[7])  # updated_at
        values[10] = self.moment_or_none(row[10])  # erased_at
        return RefundState(*values)

    def of_refund(self, state: RefundState) -> Row:
        return (
            state.refund_id,
            state.payment_id,
            state.anchor,
            state.status,
            state.amount,
            state.currency,
            self.time(state.created_at),
            self.time(state.updated_at),
            state.key,
            state.snapshot,
            self.time_or_none(state.erased_at),
        )

    def entity(self, row: Row) -> EntityState:
        values = list(row)
        for index in (4, 5, 6):  # created_at, updated_at, told_at
            values[index] = self.moment(row[index])
        values[9] = self.moment_or_none(row[9])  # erased_at
        return EntityState(*values)

    def of_entity(self, state: EntityState) -> Row:
        return (
            state.entity_id,
            state.kind,
            state.anchor,
            state.status,
            self.time(state.created_at),
            self.time(state.updated_at),
            self.time(state.told_at),
            state.phase,
            state.snapshot,
            self.time_or_none(state.erased_at),
        )

    def of_fired(self, fired: Fired) -> Row:
        return (fired.key, self.time(fired.at))

    def intent(self, row: Row) -> RefundIntent:
        values = list(row)
        values[6] = self.moment(row[6])  # created_at
        return RefundIntent(*values)

    def of_intent(self, intent: RefundIntent) -> Row:
        return (
            intent.key,
            intent.payment_id,
            intent.anchor,
            intent.amount,
            intent.currency,
            intent.state,
            self.time(intent.created_at),
            intent.refund_id,
            intent.reason,
        )

    # --- inbox, effects, audit

    def delivery(self, row: Row) -> InboxRow:
        values = list(row)
        values[1] = bytes(row[1])  # body
        values[5] = self.moment(row[5])  # received_at
        values[6] = self.moment_or_none(row[6])  # created_at
        values[7] = self.moment(row[7])  # updated_at
        values[11] = self.moment_or_none(row[11])  # erased_at
        return InboxRow(*values)

    def of_delivery(self, delivery: Delivery) -> Row:
        """A row as it is first inserted: done, no attempt, no anchor, no reason."""
        received = self.time(delivery.received_at)
        created = self.time_or_none(delivery.created_at)
        return (
            delivery.digest,
            delivery.body,
            delivery.event,
            delivery.event_id,
            "done",
            received,
            created,
            received,
            0,
            None,
            None,
            None,
        )

    def effect(self, row: Row) -> EffectRow:
        values = list(row)
        values[11] = self.moment(row[11])  # at
        values[12] = self.moment(row[12])  # due_at
        values[14] = self.moment_or_none(row[14])  # lease_until
        return EffectRow(*values)

    def of_effect(self, effect: NewEffect) -> Row:
        """A row as it is first inserted, without its id: waiting, and due at once."""
        at = self.time(effect.at)
        return (
            effect.key,
            effect.handler,
            effect.mode,
            effect.anchor,
            effect.milestone,
            effect.kind,
            effect.entity_id,
            effect.detail,
            "waiting",
            0,
            at,
            at,
            None,
            None,
            None,
        )

    @staticmethod
    def new_effect(id: int, effect: NewEffect) -> EffectRow:
        """What :meth:`of_effect` stored, without asking the database again."""
        return EffectRow(
            id=id,
            key=effect.key,
            handler=effect.handler,
            mode=effect.mode,
            anchor=effect.anchor,
            milestone=effect.milestone,
            kind=effect.kind,
            entity_id=effect.entity_id,
            detail=effect.detail,
            state="waiting",
            attempts=0,
            at=effect.at,
            due_at=effect.at,
        )

    def audit(self, row: Row) -> AuditRow:
        values = list(row)
        values[1] = self.moment(row[1])  # at
        return AuditRow(*values)

    def of_audit(self, row: AuditRow) -> Row:
        return (
            row.anchor,
            self.time(row.at),
            row.what,
            row.kind,
            row.entity_id,
            row.before,
            row.after,
            row.amount,
            row.currency,
            row.source,
            row.actor,
            row.event,
            row.event_id,
            row.digest,
            row.note,
            row.seq,
            row.prev,
            row.hash,
        )

    def arrival(self, row: Row) -> Arrival:
        return Arrival(row[0], self.moment(row[1]), *row[2:])

    def seal(self, row: Row) -> Seal:
        return Seal(row[0], self.moment(row[1]), *row[2:])

    def of_seal(self, seal: Seal) -> Row:
        return (
            seal.seq,
            self.time(seal.at),
            seal.first,
            seal.last,
            seal.rows,
            seal.digest,
            seal.prev,
            seal.hash,
        )

    # --- reconciliation

    def run(self, row: Row) -> Run:
        values = list(row)
        for index in (1, 2, 6, 7):  # since, until, started_at, updated_at
            values[index] = self.moment(row[index])
        values[8] = self.moment_or_none(row[8])  # lease_until
        return Run(*values)

    def of_run(self, run: Run) -> Row:
        return (
            run.id,
            self.time(run.since),
            self.time(run.until),
            run.state,
            run.cursor,
            run.totals,
            self.time(run.started_at),
            self.time(run.updated_at),
            self.time_or_none(run.lease_until),
        )

    def finding(self, row: Row) -> Finding:
        values = list(row)
        values[8] = self.moment(row[8])  # at
        return Finding(*values)

    def of_finding(self, finding: Finding) -> Row:
        return (
            finding.run_id,
            finding.kind,
            finding.entity,
            finding.entity_id,
            finding.here,
            finding.there,
            finding.state,
            finding.note,
            self.time(finding.at),
        )

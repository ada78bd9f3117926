"""A transaction on PostgreSQL in as few round trips as the one law in Python allows.

``BEGIN``, the claim, the locks and the reads are one trip; the writes and ``COMMIT`` are another (performance target of
the whole webhook). Everything else works as the general transaction does, statement by statement. Three things are put
off: BEGIN until there is a first statement, a batch that nobody must be told of until there is a next one, and nothing
beyond COMMIT.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import tuple_row

from razorpay_hardened.ports.store import (
    Batch,
    Claim,
    Delivery,
    EffectRow,
    EffectState,
    Held,
    InboxRow,
    InboxState,
    Touches,
)
from razorpay_hardened.storage._postgres import ROWS, Work, translate, translate_first
from razorpay_hardened.storage._rows import COLUMNS, Codec, Row, Rows, storable
from razorpay_hardened.storage._transaction import SqlTransaction

__all__ = ["PostgresTransaction"]

_JSON: Final = Rows(
    Codec(time=lambda moment: ROWS.time(moment).isoformat(), moment=lambda text: _moment(text), flag=bool)
)

_OPEN: Final = (
    b"SELECT razorpay_open_3(%s::text, %s::bytea, %s::text, %s::text, %s::timestamptz, %s::timestamptz,"
    b" %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])"
)
_LOAD: Final = b"SELECT razorpay_load_3(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])"
_WRITE: Final = b"SELECT razorpay_write_3(%s::jsonb)"

_ORDERS: Final = COLUMNS["razorpay_orders"]
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class _Seen(NamedTuple):
    """What was read under the locks that this transaction holds: true until it writes."""

    held: Held
    local_ids: frozenset[str]
    payments: frozenset[str]
    refunds: frozenset[str]
    entities: frozenset[str]
    milestones: frozenset[str]

    def covers(self, touches: Touches) -> bool:
        return (
            self.held.anchors.keys() >= set(touches.anchors)
            and self.local_ids >= set(touches.local_ids)
            and self.payments >= set(touches.payments)
            and self.refunds >= set(touches.refunds)
            and self.entities >= set(touches.entities)
            and self.milestones >= set(touches.milestones)
        )

    def part(self, touches: Touches) -> Held:
        """What :meth:`SqlTransaction.load` would give for ``touches``, in values that the caller may change."""
        held, anchors, local_ids = self.held, set(touches.anchors), set(touches.local_ids)
        return Held(
            anchors={key: held.anchors[key] for key in sorted(anchors)},
            orders={k: o for k, o in held.orders.items() if o.order_id in anchors or o.local_id in local_ids},
            payments={key: held.payments[key] for key in touches.payments if key in held.payments},
            refunds={key: held.refunds[key] for key in touches.refunds if key in held.refunds},
            waiting=[row for row in held.waiting if row.anchor in anchors],
            entities={key: held.entities[key] for key in touches.entities if key in held.entities},
            fired=held.fired.intersection(touches.milestones),
        )


class PostgresTransaction(SqlTransaction):
    """See :class:`razorpay_hardened.ports.store.Transaction`."""

    def __init__(self, work: Work) -> None:
        super().__init__(work.connection, work.cursor, work.driver)
        self._work: Any = work
        # Merges values into the text itself, so that several statements travel together.
        self._together: Any = psycopg.ClientCursor(work.connection, row_factory=tuple_row)
        self._put_off: str | None = None
        self._seen: _Seen | None = None
        self._nothing_parked: set[str] = set()

    def end(self) -> None:
        """Make this transaction unusable."""
        self._together.close()
        super().end()
        self._work = self._together = self._cursor  # which says that this transaction is over

    # --- trips

    def _ready(self) -> None:
        if not self._work.begun:
            self._work.begin()
        if self._put_off is not None:
            batch, self._put_off = self._put_off, None
            self._send(_WRITE, (batch,))

    def _send(self, sql: bytes, values: Sequence[Any]) -> Any:
        """One trip: BEGIN where that is still due, what was put off, and ``sql``; gives its one value."""
        head = b""
        parameters: list[Any] = []
        if not self._work.begun:
            head = self._work.opening + b"; "
        if self._put_off is not None:
            head += _WRITE + b"; "
            parameters.append(self._put_off)
            self._put_off = None
        try:
            self._together.execute(head + sql, (*parameters, *storable(values)))
            if head:
                self._work.has_begun()
            while self._together.nextset():
                pass
            found = self._together.fetchone()
        except psycopg.Error as error:
            first = not self._work.begun
            self._work.has_begun()
            raise (translate_first(error) if first else translate(error)) from error
        return None if found is None else found[0]

    def commit(self) -> None:
        """Commit, with what was put off. A transaction that never spoke to the database has nothing to commit."""
        if not self._work.begun and self._put_off is None:
            return
        if not self._work.begun:
            self._work.begin()
        batch, self._put_off = self._put_off, None
        if batch is None:
            self._work.commit()
        else:
            self._work.commit(self._together, _WRITE, (batch,))

    def refuse_if_ended(self, error: BaseException | None = None) -> None:
        """Raise if the transaction is no longer ours."""
        if self._work.begun:
            super().refuse_if_ended(error)

    # --- claiming and reading

    def claim(self, delivery: Delivery, ahead: Touches) -> Claim:
        """Insert the delivery as ``done``, or find it; a new one brings what ``ahead`` names along."""
        if self._work.begun:
            return super().claim(delivery, ahead)
        known = (delivery.digest, delivery.body, delivery.event, delivery.event_id)
        found = self._send(_OPEN, (*known, delivery.received_at, delivery.created_at, *_lists(ahead)))
        claim, conflict = found.get("claim"), bool(found["conflict"])
        if claim is None:
            self._remember(found["held"], ahead)
            created, first = delivery.created_at, delivery.received_at
            return Claim("new", first if created is None or created > first else created, conflict=conflict)
        state, received, created, attempts, anchor = claim
        first = _moment(received)
        if created is not None:
            first = min(first, _moment(created))
        return Claim(state, first, attempts, anchor, conflict)

    def load(self, touches: Touches) -> Held:
        """Lock and update the anchors in sorted order, then read the rows: in one trip, or in none."""
        if self._seen is None or not self._seen.covers(touches):
            self._remember(self._send(_LOAD, _lists(touches)), touches)
        assert self._seen is not None
        return self._seen.part(touches)

    def _remember(self, found: dict[str, Any], touches: Touches) -> None:
        held = Held(
            anchors={row[0]: _JSON.anchor(row) for row in found["anchors"] or ()},
            orders={row[0]: _JSON.order(row) for row in found["orders"] or ()},
            payments={row[0]: _JSON.payment(row) for row in found["payments"] or ()},
            refunds={row[0]: _JSON.refund(row) for row in found["refunds"] or ()},
            waiting=[_JSON.effect(row) for row in found["waiting"] or ()],
            entities={row[0]: _JSON.entity(row) for row in found["entities"] or ()},
            fired=set(found["fired"] or ()),
        )
        self._seen = _Seen(held, *(frozenset(keys) for keys in touches[1:]))
        # Whoever parks something holds its anchor: while we hold it, nothing can be parked there.
        self._nothing_parked |= held.anchors.keys() - set(found["parked"] or ())

    def anchors_of(self, payments: Iterable[str]) -> dict[str, str]:
        """Payment id → its anchor, for the payments that are known."""
        wanted = tuple(payments)
        if self._seen is not None and self._seen.payments.issuperset(wanted):
            known = self._seen.held.payments
            return {one: known[one].anchor for one in wanted if one in known}
        return super().anchors_of(wanted)

    def parked(self, anchors: Sequence[str]) -> list[InboxRow]:
        """Deliveries parked under these anchors, oldest first, locked; rows that another holds are left out."""
        if self._nothing_parked.issuperset(anchors):
            return []
        return super().parked(anchors)

    def settle(
        self, digest: str, state: InboxState, at: datetime, *, anchor: str | None = None, reason: str | None = None
    ) -> None:
        """Give a claimed delivery another state. Raises :class:`EventUnknown` for a digest that was never claimed."""
        if state == "parked":
            self._nothing_parked.clear()
        super().settle(digest, state, at, anchor=anchor, reason=reason)

    # --- writing

    def write(self, batch: Batch, *, told: bool = True) -> list[EffectRow]:
        """Write the batch; gives the effects that are new, in order, where somebody must be ``told``."""
        self._seen = None
        text = _batch(batch)
        if not told:
            if self._put_off is not None:
                self._ready()
            self._put_off = text
            return []
        fresh = {(key, handler): number for key, handler, number in self._send(_WRITE, (text,)) or ()}
        return [
            ROWS.new_effect(fresh[effect.key, effect.handler], effect)
            for effect in batch.effects
            if (effect.key, effect.handler) in fresh
        ]

    def finish_effect(self, row: EffectRow, state: EffectState, **attempt: Any) -> bool:
        """Record an attempt; what was read before is no longer true."""
        self._seen = None
        return super().finish_effect(row, state, **attempt)

    # --- savepoints

    def _undo(self, name: str, error: BaseException) -> None:
        self._put_off = None  # written in the savepoint, and so undone with it: it need not be sent first
        super()._undo(name, error)

    def _undone(self) -> None:
        self._seen = None  # locks that were taken inside of what was undone are gone with it
        self._nothing_parked.clear()


def _lists(touches: Touches) -> tuple[list[str], ...]:
    return (sorted(touches.anchors), *(list(keys) for keys in touches[1:]))


def _batch(batch: Batch) -> str:
    """The batch as one JSON document: rows by column name, tables that do not change left out."""
    tables = (
        ("anchors", "razorpay_anchors", map(_JSON.of_anchor, batch.anchors)),
        ("orders", "razorpay_orders", map(_JSON.of_order, batch.orders)),
        ("payments", "razorpay_payments", map(_JSON.of_payment, batch.payments)),
        ("refunds", "razorpay_refunds", map(_JSON.of_refund, batch.refunds)),
        ("entities", "razorpay_entities", map(_JSON.of_entity, batch.entities)),
        ("milestones", "razorpay_milestones", map(_JSON.of_fired, batch.fired)),
        ("audit", "razorpay_audit", map(_JSON.of_audit, batch.audit)),
        ("effects", "razorpay_effects", map(_effect, batch.effects)),
    )
    made = {
        name: [dict(zip(COLUMNS[table], storable(row), strict=True)) for row in rows] for name, table, rows in tables
    }
    return _encode({name: rows for name, rows in made.items() if rows})


def _effect(effect: Any) -> Row:
    return (None, *_JSON.of_effect(effect))

"""One matter: an order (or a payment without one) with its payments, refunds, other entities and effects.

People are erased from a matter as a whole or not at all: a payment without its order's snapshot, or a refund that still
names the bank account, would be neither forgotten nor kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from razorpay_hardened.domain.privacy import forgotten, subjects_of
from razorpay_hardened.domain.state import EntityState, OrderState, PaymentState, RefundState
from razorpay_hardened.ports.store import Batch, Held, Matter, Touches, Transaction

__all__ = ["Key", "Told", "Verdict", "erase_matters", "key_of"]

Verdict = Literal["erased", "already", "fresh", "open", "held"]
"""``already``: nothing was left to erase. ``fresh``: something about it changed too lately. ``open``: something is
still to be done. ``held``: a legal hold stands."""

_UNSETTLED = frozenset({"pending", "outcome_unknown"})
"""Orders that may or may not exist at Razorpay: the sweeper is not done with them."""


@dataclass(frozen=True, slots=True)
class Key:
    """Where a matter hangs: its anchor, and its order's local id where it has an order."""

    anchor: str
    local_id: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one matter, and how many rows that was."""

    key: Key
    verdict: Verdict
    rows: int = 0
    names: frozenset[str] = frozenset()
    """Its ids and its owner: what its deliveries are found by."""


def key_of(order: OrderState) -> Key:
    """The matter of an order."""
    return Key(order.order_id or order.local_id, order.local_id)


def erase_matters(tx: Transaction, keys: Sequence[Key], cutoff: datetime | None, at: datetime) -> list[Told]:
    """Erase the person from these matters, those that may be. ``cutoff`` None: whatever their age.

    Everything is read and judged under the anchors' locks, so that no news comes in between.
    """
    held, matters = _load(tx, keys)
    open_ = tx.open_matters([key.anchor for key in keys])
    rows_of = {key: _rows(held, key, matters[key.anchor]) for key in keys}
    names_of = {key: frozenset(subjects_of(*rows) | {key.anchor}) for key, rows in rows_of.items()}
    on_hold = tx.held(name for names in names_of.values() for name in names)
    batch, told = Batch(), []
    tx.wipe()
    for key, rows in rows_of.items():
        verdict = _verdict(rows, not names_of[key].isdisjoint(on_hold), key.anchor in open_, cutoff)
        count = _collect(batch, rows, at) if verdict == "erased" else 0
        told.append(Told(key, verdict, count, names_of[key]))
    tx.write(batch)
    return told


Rows = tuple[list[OrderState], list[PaymentState], list[RefundState], list[EntityState]]


def _load(tx: Transaction, keys: Sequence[Key]) -> tuple[Held, dict[str, Matter]]:
    local_ids = tuple(sorted(key.local_id for key in keys if key.local_id is not None))
    anchors = tuple(sorted({key.anchor for key in keys} | set(local_ids)))
    held = tx.load(Touches(anchors, local_ids))
    matters = tx.matters([key.anchor for key in keys])
    entities = tuple(sorted(one for matter in matters.values() for one in matter.entities))
    children = tx.load(
        Touches(
            entities,  # what is told of one locks its own anchor, and not always the matter's
            payments=tuple(sorted(one for matter in matters.values() for one in matter.payments)),
            refunds=tuple(sorted(one for matter in matters.values() for one in matter.refunds)),
            entities=entities,
        )
    )
    held.payments, held.refunds, held.entities = children.payments, children.refunds, children.entities
    return held, matters


def _rows(held: Held, key: Key, matter: Matter) -> Rows:
    orders = [row for row in held.orders.values() if key.anchor in (row.order_id, row.local_id)]
    return (
        orders,
        [held.payments[one] for one in matter.payments],
        [held.refunds[one] for one in matter.refunds],
        [held.entities[one] for one in matter.entities],
    )


def _verdict(rows: Rows, is_held: bool, is_open: bool, cutoff: datetime | None) -> Verdict:
    everything = _all_of(rows)
    if all(row.erased_at is not None for row in everything):
        return "already"
    if cutoff is not None and any(row.updated_at >= cutoff or row.created_at >= cutoff for row in everything):
        return "fresh"
    if is_held:
        return "held"
    if is_open or any(order.status in _UNSETTLED for order in rows[0]):
        return "open"
    return "erased"


def _collect(batch: Batch, rows: Rows, at: datetime) -> int:
    orders, payments, refunds, entities = rows
    batch.orders += [forgotten(row, at) for row in orders if row.erased_at is None]
    batch.payments += [forgotten(row, at) for row in payments if row.erased_at is None]
    batch.refunds += [forgotten(row, at) for row in refunds if row.erased_at is None]
    batch.entities += [forgotten(row, at) for row in entities if row.erased_at is None]
    return sum(row.erased_at is None for row in _all_of(rows))


def _all_of(rows: Rows) -> list[OrderState | PaymentState | RefundState | EntityState]:
    return [*rows[0], *rows[1], *rows[2], *rows[3]]

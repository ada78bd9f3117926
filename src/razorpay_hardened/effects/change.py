"""What a handler is given: the milestone, the rows it is about, and a transaction that it cannot end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from razorpay_hardened.domain.facts import Cause
from razorpay_hardened.domain.lifecycle import Milestone
from razorpay_hardened.domain.money import Money
from razorpay_hardened.domain.state import EntityState, OrderState, PaymentState, RefundState
from razorpay_hardened.ports.store import EffectRow

__all__ = ["Change", "EffectTransaction", "Row", "change_from", "delivery_of", "detail"]

Row: TypeAlias = OrderState | PaymentState | RefundState | EntityState


@dataclass(frozen=True, slots=True)
class Change:
    """Something that became true for the first time.

    ``entity`` is the row as it is now (``.status``, ``.money``, ``.razorpay``: the object as Razorpay last showed it);
    ``before`` and ``after`` are its statuses when the milestone fired. ``order`` is our order (``owner``, ``plan``,
    ``razorpay_order_id``), or None for handlers that ask for unbound news. ``source`` is how we learnt it. ``key`` is
    the same at every attempt: give it to whatever must not happen twice. ``at`` is when the milestone fired (aware,
    UTC).

    For what may become true again of one entity, ``occasion`` says which time it is (see docs/reference/events.md).
    ``payment_id`` and ``paid`` are the payment that the news came with, where there was one: of a charge, of a link.
    """

    milestone: str
    kind: str
    entity: Row
    before: str | None
    after: str
    order: OrderState | None
    source: str
    event_id: str | None
    key: str
    at: datetime
    attempt: int = 1
    occasion: str | None = None
    payment_id: str | None = None
    paid: Money | None = None


class EffectTransaction(Protocol):
    """What an ``on`` handler may do with the transaction: write, to commit with the effect's own row or not at all."""

    @property
    def connection(self) -> Any:
        """The store's DB-API connection. Never commit or roll back on it: that is :class:`TransactionMisuse`."""
        ...

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
        """Run SQL; gives the DB-API cursor. Placeholders are the driver's own (``?`` or ``:name`` on SQLite)."""
        ...


def detail(
    milestone: Milestone,
    before: str | None,
    after: str,
    cause: Cause,
    *,
    payment_id: str | None = None,
    paid: tuple[int, str] | None = None,
) -> str:
    """The part of a change that only the moment of firing knows, as small JSON for the effect's row."""
    told: dict[str, Any] = {
        "before": before,
        "after": after,
        "source": cause.source,
        "event_id": cause.event_id,
        "digest": cause.digest,
    }
    if milestone.occasion:
        told["occasion"] = milestone.occasion
    if payment_id is not None:
        told["payment_id"] = payment_id
    if paid is not None:
        told["paid"] = paid
    return json.dumps(told, separators=(",", ":"))


def delivery_of(row: EffectRow) -> str | None:
    """The digest of the delivery that made this milestone fire, or None."""
    digest = json.loads(row.detail)["digest"]
    return None if digest is None else str(digest)


def change_from(row: EffectRow, entity: Row, order: OrderState | None) -> Change:
    """The change that ``row`` stands for, with the rows as they are now."""
    told = json.loads(row.detail)
    paid = told.get("paid")
    return Change(
        milestone=row.milestone,
        kind=row.kind,
        entity=entity,
        before=told["before"],
        after=told["after"],
        order=order,
        source=told["source"],
        event_id=told["event_id"],
        key=row.key,
        at=row.at,
        attempt=row.attempts + 1,
        occasion=told.get("occasion"),
        payment_id=told.get("payment_id"),
        paid=None if paid is None else Money(*paid),
    )

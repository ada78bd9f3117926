"""The audit trail: what happened to an order's rows, in a chain that nobody can change unseen.

Each anchor has its own chain, because its writer holds the anchor anyway (DESIGN section 7): no writer waits for
another order's. Rows carry ids, amounts, statuses and digests, never personal data, so that people can be erased and
the chain still verifies.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any

from razorpay_hardened.domain.text import fits, fitting

__all__ = ["AuditRow", "as_written", "broken_at", "chained"]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One line: who, what, from, to, why and when.

    ``what`` is ``changed`` (status), ``noted`` (amounts or ids), ``stale`` (an older status, refused),
    ``unknown_status``, ``quarantined``, ``replayed`` (done already, and asked for again) or ``refused`` (somebody
    asked for what does not fit). ``seq`` counts from 1 within the anchor; ``prev`` is the hash of the row before (""
    for the first); ``hash`` covers every other field.
    """

    anchor: str
    at: datetime
    what: str
    kind: str
    entity_id: str
    before: str | None
    after: str | None
    amount: int | None
    currency: str | None
    source: str
    actor: str
    event: str | None = None
    event_id: str | None = None
    digest: str | None = None
    note: str | None = None
    seq: int = 0
    prev: str = ""
    hash: str = ""


_COVERED = tuple(field.name for field in fields(AuditRow) if field.name != "hash")


_values = attrgetter(*_COVERED)
_TEXTS = ("anchor", "kind", "entity_id", "before", "after", "currency", "actor", "event", "event_id", "note")
"""The fields that may hold what somebody else wrote."""
_texts = attrgetter(*_TEXTS)
_AT, _SEQ, _PREV = (_COVERED.index(name) for name in ("at", "seq", "prev"))
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


def _hash(row: AuditRow, seq: int, prev: str) -> str:
    values = list(_values(row))
    values[_AT], values[_SEQ], values[_PREV] = row.at.isoformat(), seq, prev
    return sha256(_encode(values).encode()).hexdigest()


def _fit(row: AuditRow) -> AuditRow:
    if all(fits(value) for value in _texts(row) if value):
        return row
    fit: dict[str, Any] = {name: value and fitting(value) for name, value in zip(_TEXTS, _texts(row), strict=True)}
    return replace(row, **fit)


def chained(row: AuditRow, seq: int, prev: str) -> AuditRow:
    """``row`` as number ``seq`` of its anchor's chain, after the row whose hash is ``prev``.

    What no database can store is replaced before it is hashed, or the chain would not verify when it is read back.
    """
    row = _fit(row)
    whole = (*_values(row)[:_SEQ], seq, prev, _hash(row, seq, prev))
    return AuditRow(*whole)


def as_written(row: AuditRow) -> bool:
    """Whether ``row`` is what its hash was made of."""
    return row.hash == _hash(row, row.seq, row.prev)


def broken_at(rows: Iterable[AuditRow], length: int, head: str) -> int | None:
    """The number of the first row of one anchor's chain that is not as it was written; None where all are.

    ``rows`` come in order of ``seq``; ``length`` and ``head`` are what the anchor says, so that a chain cut short at
    its end is found too.
    """
    prev, seq = "", 0
    for seq, row in enumerate(rows, start=1):
        if row.seq != seq or row.prev != prev or not as_written(row):
            return seq
        prev = row.hash
    return None if (seq, prev) == (length, head) else seq + 1

"""Seals: finished audit rows of all anchors, linked into one chain that a row cannot leave or join unseen.

The chain of an anchor finds what was done to a row, and its head finds what was done to its end. Who rewrites a whole
chain and its head is found by a seal: it covers the rows of a stretch of the trail, in their order of arrival, and the
seal before it. The head of the seals is kept on an anchor of its own (:data:`SEALS_ANCHOR`), and can be written down
outside of the database (:attr:`Seal.witness`).

A seal covers rows of one calendar month (UTC) only, and its ``at`` is the newest of theirs. So whether everything that
it covers is older than what retention has dropped can be told from the seal alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, NamedTuple

__all__ = [
    "MOST_ROWS",
    "SEALS_ANCHOR",
    "Arrival",
    "Seal",
    "digest_of",
    "place",
    "seal_as_written",
    "seal_hash",
    "seals_of",
]

SEALS_ANCHOR: Final = "razorpay_audit_seals"
"""The anchor that sealers lock, so that two of them never run at once; no order and no payment has this id.

Its ``audit_seq`` and ``audit_head`` are the number and the hash of the last seal."""

MOST_ROWS: Final = 1000
"""Rows under one seal: where a whole chain was rewritten, its seal tells within how many rows to look."""


class Arrival(NamedTuple):
    """An audit row as a seal sees it. ``position`` is its place in the order of arrival: see :func:`place`."""

    position: str
    at: datetime
    anchor: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Seal:
    """Number ``seq`` of the seals, from 1: ``rows`` rows from position ``first`` to ``last``, both included.

    ``at`` is the time of the newest row; ``digest`` covers each row's position and hash in order; ``prev`` is the hash
    of the seal before ("" for the first), and ``hash`` covers every other field.
    """

    seq: int
    at: datetime
    first: str
    last: str
    rows: int
    digest: str
    prev: str
    hash: str = ""

    @property
    def witness(self) -> str:
        """``seq:hash``, to keep outside of the database: it proves all that was sealed so far."""
        return f"{self.seq}:{self.hash}"


_COVERED: Final = tuple(field.name for field in fields(Seal) if field.name != "hash")


def place(position: str) -> tuple[int, ...]:
    """A position as something that can be compared: its numbers, which a store separates by colons.

    Raises ValueError for any other text.
    """
    return tuple(int(part) for part in position.split(":"))


def digest_of(rows: Iterable[Arrival]) -> str:
    """SHA-256, in hex, over the position and the hash of each row."""
    digest = sha256()
    for row in rows:
        digest.update(f"{row.position} {row.hash}\n".encode())
    return digest.hexdigest()


def seals_of(rows: Iterable[Arrival], after: Seal | None) -> Iterator[Seal]:
    """The seals that follow ``after``, for finished rows in their order of arrival.

    A seal ends with a calendar month (UTC) and at :data:`MOST_ROWS` rows.
    """
    stretch: list[Arrival] = []
    for row in rows:
        if stretch and (len(stretch) == MOST_ROWS or _month(row) != _month(stretch[0])):
            after = _seal(stretch, after)
            yield after
            stretch = []
        stretch.append(row)
    if stretch:
        yield _seal(stretch, after)


def _month(row: Arrival) -> tuple[int, int]:
    at = row.at.astimezone(UTC)
    return at.year, at.month


def _seal(rows: list[Arrival], after: Seal | None) -> Seal:
    seal = Seal(
        seq=1 if after is None else after.seq + 1,
        at=max(row.at for row in rows),
        first=rows[0].position,
        last=rows[-1].position,
        rows=len(rows),
        digest=digest_of(rows),
        prev="" if after is None else after.hash,
    )
    return replace(seal, hash=seal_hash(seal))


def seal_as_written(seal: Seal) -> bool:
    """Whether ``seal`` is what its hash was made of."""
    return seal.hash == seal_hash(seal)


def seal_hash(seal: Seal) -> str:
    """The hash that ``seal`` must have: over all that it says, and the hash of the seal before it."""
    values = [getattr(seal, name) for name in _COVERED]
    values[_COVERED.index("at")] = seal.at.isoformat()
    return sha256(json.dumps(values, separators=(",", ":")).encode()).hexdigest()

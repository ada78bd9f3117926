"""Reading the whole audit trail: see :class:`razorpay_hardened.ports.store.Reader`."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from razorpay_hardened.domain.seals import Arrival, Seal, place
from razorpay_hardened.domain.state import AnchorState
from razorpay_hardened.domain.trail import Link
from razorpay_hardened.storage._rows import Row, Rows
from razorpay_hardened.storage._statements import SELECT, Dialect
from razorpay_hardened.storage._trail_sql import Trail

__all__ = ["TrailReader"]

_trail_of = lru_cache(maxsize=None)(Trail)


class TrailReader:
    """The part of a reader that walks the trail from end to end. :class:`SqlReader` gives the rest."""

    _rows: Rows
    _dialect: Dialect

    @property
    def _trail(self) -> Trail:
        return _trail_of(self._dialect)

    def _read(self, sql: str, parameters: Row) -> list[Any]:
        raise NotImplementedError

    def anchor(self, key: str) -> AnchorState | None:
        """An anchor by its key."""
        found = self._read(SELECT["razorpay_anchors"] + " WHERE key = ?", (key,))
        return self._rows.anchor(found[0]) if found else None

    def audit_chains(self, *, after: Link | None = None, limit: int = 1000) -> list[Link]:
        """All audit rows in order of (anchor, seq, arrival), each beside what its anchor says in the same moment."""
        if after is None:
            found = self._read(self._trail.chains, (limit,))
        else:
            row = after.row
            found = self._read(self._trail.chains_after, (row.anchor, row.seq, place(after.position)[-1], limit))
        return [Link(row[0], self._rows.audit(row[3:]), row[1], row[2]) for row in found]

    def audit_arrivals(self, *, after: str | None = None, limit: int = 1000) -> list[Arrival]:
        """All audit rows in their order of arrival, after a position."""
        if after is None:
            found = self._read(self._trail.arrivals, (limit,))
        else:
            found = self._read(self._trail.arrivals_after, (*self._trail.parameters(after), limit))
        return [self._rows.arrival(row) for row in found]

    def anchors_without_audit(self, *, after_key: str = "", limit: int = 1000) -> list[AnchorState]:
        """Anchors that remember audit rows and have none, in order of key."""
        return [self._rows.anchor(row) for row in self._read(self._trail.anchors_without, (after_key, limit))]

    def seals(self, *, after_seq: int = 0, limit: int = 1000) -> list[Seal]:
        """Seals in order of ``seq``."""
        return [self._rows.seal(row) for row in self._read(self._trail.seals, (after_seq, limit))]

    def audit_dropped(self) -> datetime | None:
        """Audit rows older than this have been dropped by retention; None where it never dropped any."""
        found = self._read(self._trail.dropped, ())
        return datetime.fromisoformat(found[0][0]).astimezone(UTC) if found else None

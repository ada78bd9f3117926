"""Sealing, inside a transaction: see :class:`razorpay_hardened.ports.store.Transaction`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from razorpay_hardened.domain.seals import Arrival, Seal
from razorpay_hardened.storage._rows import Row, Rows

if TYPE_CHECKING:
    from razorpay_hardened.storage._statements import Statements

__all__ = ["Sealing"]


class Sealing:
    """The part of a transaction that seals. :class:`SqlTransaction` gives the rest."""

    _sql: Statements
    _rows: Rows

    def _run(self, sql: str, parameters: Row = ()) -> int:
        raise NotImplementedError

    def _all(self, sql: str, parameters: Row = ()) -> list[Any]:
        raise NotImplementedError

    def last_seal(self) -> Seal | None:
        """The seal with the highest number."""
        found = self._all(self._sql.trail.last_seal)
        return self._rows.seal(found[0]) if found else None

    def sealable(self, after: Seal | None, *, limit: int) -> list[Arrival]:
        """The finished rows after ``after``, in order of arrival."""
        trail = self._sql.trail
        if after is None:
            found = self._all(trail.sealable, (limit,))
        else:
            found = self._all(trail.sealable_after, (*trail.parameters(after.last), limit))
        return [self._rows.arrival(row) for row in found]

    def put_seal(self, seal: Seal) -> None:
        """Append a seal. Raises :class:`StorageError` where its number is taken."""
        self._run(self._sql.trail.put_seal, self._rows.of_seal(seal))

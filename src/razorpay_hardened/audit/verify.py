"""Verifying: the whole trail, page by page, while others go on writing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest
from itertools import takewhile
from typing import Final, TypeVar

from razorpay_hardened.domain.seals import SEALS_ANCHOR, Arrival, Seal
from razorpay_hardened.domain.state import AnchorState
from razorpay_hardened.domain.trail import (
    Broken,
    ChainTotals,
    Link,
    SealTotals,
    check_chains,
    check_empty,
    check_seals,
    places,
)
from razorpay_hardened.errors import ConfigError, StorageUnavailable
from razorpay_hardened.ports.store import Reader

__all__ = ["Verification", "verify"]

T = TypeVar("T")

_PAGE: Final = 2000
_TOLD: Final = 100
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Verification:
    """What was read, and what is not as it was written.

    ``broken`` has the first hundred places (rows before seals, in order of arrival); ``count`` is how many there are.
    ``rows`` in ``chains`` were read; ``sealed`` of them stand under ``seals`` seals, and ``unsealed`` came after the
    last one, the first of those at ``unsealed_since``. ``dropped`` rows were taken by retention, all of them older than
    ``dropped_until``. ``witness`` is the newest seal as ``number:hash``.
    """

    broken: tuple[Broken, ...]
    count: int
    chains: int
    rows: int
    seals: int
    sealed: int
    unsealed: int
    unsealed_since: datetime | None
    dropped: int
    dropped_until: datetime | None
    witness: str | None

    @property
    def whole(self) -> bool:
        """Whether everything is as it was written."""
        return self.count == 0

    @property
    def first(self) -> Broken | None:
        """The first broken row; where only seals tell of it, the first seal that does."""
        return self.broken[0] if self.broken else None


def verify(store: Reader, witness: str | None = None) -> Verification:
    """See :meth:`Audit.verify`."""
    expected = None if witness is None else _read_witness(witness)
    for _ in range(_TRIES):
        dropped = store.audit_dropped()
        found = _Walk(store, dropped, expected).run()
        if store.audit_dropped() == dropped:
            return found
    raise StorageUnavailable("retention keeps dropping audit rows while they are verified: try again when it is done")


def _read_witness(text: str) -> tuple[int, str]:
    number, colon, digest = text.strip().partition(":")
    if not (colon and number.isdecimal() and len(digest) == 64 and int(number) > 0):
        raise ConfigError("a witness is the number and the hash of a seal, 12:3fa9…, as `audit seal` prints it")
    return int(number), digest


class _Walk:
    """One walk along the trail, with what it counts on its way."""

    def __init__(self, store: Reader, dropped: datetime | None, witness: tuple[int, str] | None) -> None:
        self._store = store
        self._dropped = dropped
        self._expected = witness
        self._count = 0
        self._seals = SealTotals()
        self._chains = ChainTotals()
        self._empty = 0
        # Before everything else: what these seals cover is committed, and whatever is read later has it.
        head = store.anchor(SEALS_ANCHOR)
        self._length, self._head = (0, "") if head is None else (head.audit_seq, head.audit_head)

    def run(self) -> Verification:
        broken = tuple(nsmallest(_TOLD, self._counted(), key=places))
        seals, chains = self._seals, self._chains
        return Verification(
            broken=broken,
            count=self._count,
            chains=chains.chains,
            rows=chains.rows,
            seals=seals.seals,
            sealed=seals.rows,
            unsealed=seals.tail,
            unsealed_since=seals.tail_since,
            dropped=chains.dropped + self._empty,
            dropped_until=self._dropped,
            witness=f"{self._length}:{self._head}" if self._length else None,
        )

    def _counted(self) -> Iterator[Broken]:
        for one in self._all():
            self._count += 1
            yield one

    def _all(self) -> Iterator[Broken]:
        seals = takewhile(lambda seal: seal.seq <= self._length, self._every_seal())
        self._seals = yield from check_seals(seals, self._arrivals(), self._length, self._head, self._dropped)
        yield from self._appended()
        yield from self._witnessed()
        self._chains = yield from check_chains(self._links(), self._dropped)
        self._empty = yield from check_empty(self._without_rows(), self._dropped)
        if self._dropped is not None and self._seals.judged:
            # Each row that is missing from a chain was under a seal all of whose rows were old enough to be dropped.
            unaccounted = abs(self._chains.dropped + self._empty - self._seals.dropped)
            if unaccounted:
                yield Broken("unaccounted", rows=unaccounted)

    def _appended(self) -> Iterator[Broken]:
        """Seals behind the newest that their anchor remembers: the anchor is read after them, and moves with them."""
        extra = self._store.seals(after_seq=self._length, limit=1)
        if extra:
            head = self._store.anchor(SEALS_ANCHOR)
            if head is None or head.audit_seq < extra[0].seq:
                yield Broken("seal_inserted", seal=extra[0].seq)

    def _witnessed(self) -> Iterator[Broken]:
        if self._expected is None:
            return
        number, digest = self._expected
        found = self._store.seals(after_seq=number - 1, limit=1)
        if not found or (found[0].seq, found[0].hash) != (number, digest):
            yield Broken("witness", seal=number)

    # --- reading, in pages

    def _every_seal(self) -> Iterator[Seal]:
        return _paged(lambda last: self._store.seals(after_seq=last.seq if last else 0, limit=_PAGE))

    def _arrivals(self) -> Iterator[Arrival]:
        return _paged(lambda last: self._store.audit_arrivals(after=last.position if last else None, limit=_PAGE))

    def _links(self) -> Iterator[Link]:
        return _paged(lambda last: self._store.audit_chains(after=last, limit=_PAGE))

    def _without_rows(self) -> Iterator[AnchorState]:
        return _paged(lambda last: self._store.anchors_without_audit(after_key=last.key if last else "", limit=_PAGE))


def _paged(page: Callable[[T | None], list[T]]) -> Iterator[T]:
    last: T | None = None
    while rows := page(last):
        yield from rows
        last = rows[-1]

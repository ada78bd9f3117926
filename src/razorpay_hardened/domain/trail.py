"""Judging the whole audit trail: chains against their anchors, rows against their seals. Findings, never exceptions.

Everything streams: memory does not grow with the number of rows. The callers give rows in pages that were read one
after the other while others write, so each function says what it can be given.

Retention may drop whole months of sealed rows. Those are excused, and only those: a seal all of whose rows are older
than ``dropped`` may have none left; the start of a chain may be missing; and what is missing from the chains must be,
to the row, what such seals have covered.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import groupby
from typing import Final, Literal, NamedTuple, TypeAlias

from razorpay_hardened.domain.audit import AuditRow, as_written
from razorpay_hardened.domain.seals import SEALS_ANCHOR, Arrival, Seal, place, seal_as_written
from razorpay_hardened.domain.state import AnchorState

__all__ = [
    "Broken",
    "ChainTotals",
    "Kind",
    "Link",
    "SealTotals",
    "check_chains",
    "check_empty",
    "check_seals",
    "places",
]

_SKEW: Final = timedelta(days=1)
"""Clocks of two machines differ by less than this: of one chain, a later row may carry an earlier time."""

Kind: TypeAlias = Literal[
    "altered",
    "rewritten",
    "missing",
    "inserted",
    "head",
    "no_anchor",
    "seal_altered",
    "seal_missing",
    "seal_inserted",
    "seal_head",
    "resealed",
    "unaccounted",
    "witness",
]

_WORDS: Final[dict[Kind, str]] = {
    "altered": "was changed after it was written: its hash does not fit its content",
    "rewritten": "was replaced: the row after it remembers another hash",
    "missing": "is missing",
    "inserted": "does not belong to the chain: it was put in by hand",
    "head": "is not the last row that its anchor remembers",
    "no_anchor": "belongs to an anchor that does not exist",
    "seal_altered": "was changed after it was written",
    "seal_missing": "is missing",
    "seal_inserted": "does not belong to the chain of seals",
    "seal_head": "is not the last seal that was written",
    "resealed": "does not fit the rows that it covers: one of them was changed, taken out, put in or moved",
    "unaccounted": "missing rows that no seal and no retention accounts for",
    "witness": "is not the seal that was written down elsewhere",
}


class Link(NamedTuple):
    """A row of a chain with what its anchor said in the same moment: ``length`` and ``head``, None without anchor."""

    position: str
    row: AuditRow
    length: int | None
    head: str | None


@dataclass(frozen=True, slots=True)
class Broken:
    """One place where the trail is not as it was written.

    A row has ``anchor`` and ``seq``, and a ``position`` unless it is missing; ``near`` is then the position of the row
    before it. A seal has its number in ``seal``, and the positions between which to look. ``rows`` counts where
    nothing else can be told.
    """

    kind: Kind
    anchor: str | None = None
    seq: int | None = None
    position: str | None = None
    near: str | None = None
    seal: int | None = None
    rows: int | None = None

    @property
    def words(self) -> str:
        """What is wrong, as a sentence."""
        text = _WORDS[self.kind]
        if self.anchor is not None:
            where = f" (position {self.position})" if self.position else ""
            return f"row {self.seq} of {self.anchor}{where} {text}"
        if self.seal is not None:
            between = f" (positions {self.near} to {self.position})" if self.near else ""
            return f"seal {self.seal}{between} {text}"
        return f"{text}: {self.rows}"


def places(broken: Broken) -> tuple[int, tuple[int, ...], str, int]:
    """Sorts what is broken: rows in their order of arrival, as far as that is known; then seals by number."""
    if broken.anchor is not None:
        return 0, place(broken.position or broken.near or "0"), broken.anchor, broken.seq or 0
    return (2, (), "", 0) if broken.seal is None else (1, (), "", broken.seal)


# --- chains


class ChainTotals(NamedTuple):
    """What was read: ``rows`` of ``chains``; ``dropped`` rows are missing and excused, if the seals agree."""

    chains: int = 0
    rows: int = 0
    dropped: int = 0


def check_chains(links: Iterable[Link], dropped: datetime | None = None) -> Generator[Broken, None, ChainTotals]:
    """The first broken row of each chain. ``links`` come in order of (anchor, seq), and a chain that grows meanwhile
    is judged by what its anchor said beside the last row that was read."""
    totals = ChainTotals()
    for anchor, chain in groupby(links, key=lambda link: link.row.anchor):
        rows, excused = yield from _check_chain(anchor, chain, dropped)
        totals = ChainTotals(totals.chains + 1, totals.rows + rows, totals.dropped + excused)
    return totals


def _check_chain(
    anchor: str, chain: Iterable[Link], dropped: datetime | None
) -> Generator[Broken, None, tuple[int, int]]:
    before: Link | None = None
    count = excused = 0
    broken = False
    for link in chain:
        count += 1
        if broken:
            continue  # the first one is told; what follows from it is not
        gap = link.row.seq - (1 if before is None else before.row.seq + 1)
        if gap > 0 and _may_be_dropped(before, dropped):
            excused += gap
            gap, before = 0, None
        fault = _fault(anchor, before, link, gap)
        if fault is not None:
            broken = True
            yield fault
        before = link
    if not broken and before is not None:
        assert before.length is not None  # else it would be broken
        gap = before.length - before.row.seq
        if gap > 0 and _may_be_dropped(before, dropped):
            return count, excused + gap
        if gap > 0:
            yield Broken("missing", anchor, before.row.seq + 1, near=before.position)
        elif before.head != before.row.hash:
            yield Broken("head", anchor, before.row.seq, before.position)
    return count, excused


def _fault(anchor: str, before: Link | None, link: Link, gap: int) -> Broken | None:
    """What is wrong with ``link``, after a good row ``before`` it; ``gap`` rows are missing between them."""
    row = link.row
    if link.length is None:
        return Broken("no_anchor", anchor, row.seq, link.position)
    if gap > 0:
        seq, near = (1, None) if before is None else (before.row.seq + 1, before.position)
        return Broken("missing", anchor, seq, near=near)
    if gap < 0 or row.seq > link.length:
        return Broken("inserted", anchor, row.seq, link.position)
    if not as_written(row):
        return Broken("altered", anchor, row.seq, link.position)
    if before is not None and row.prev != before.row.hash:
        # This row is as it was written, and it was written after another row than the one that is there now.
        return Broken("rewritten", anchor, before.row.seq, before.position)
    if before is None and row.seq == 1 and row.prev != "":
        return Broken("inserted", anchor, 1, link.position)
    return None


def _may_be_dropped(before: Link | None, dropped: datetime | None) -> bool:
    """Whether retention can have taken the rows after ``before``: it takes the oldest, whatever their number."""
    return dropped is not None and (before is None or before.row.at < dropped + _SKEW)


def check_empty(anchors: Iterable[AnchorState], dropped: datetime | None = None) -> Generator[Broken, None, int]:
    """``anchors`` remember rows and have none. Gives how many rows that is, where retention may have taken them."""
    excused = 0
    for anchor in anchors:
        if anchor.key == SEALS_ANCHOR:
            continue  # what it remembers are seals
        if dropped is None:
            yield Broken("missing", anchor.key, 1)
        else:
            excused += anchor.audit_seq
    return excused


# --- seals


class SealTotals(NamedTuple):
    """``rows`` stand under ``seals`` seals; ``dropped`` more did, and were dropped by retention. ``tail`` rows came
    after the last seal, the first of them at ``tail_since``. ``judged`` is false where a broken seal ended it."""

    seals: int = 0
    rows: int = 0
    dropped: int = 0
    tail: int = 0
    tail_since: datetime | None = None
    judged: bool = True


def check_seals(
    seals: Iterable[Seal], rows: Iterable[Arrival], length: int, head: str, dropped: datetime | None = None
) -> Generator[Broken, None, SealTotals]:
    """The seals against each other, their head and their rows.

    ``seals`` in order of ``seq``, not past ``length``; ``length`` and ``head`` were read before everything else, so
    that all that these seals cover was committed before any row was read. ``rows`` are all rows, in order of arrival.
    A seal that is not as it was written ends the judging: nobody knows where the next one begins.
    """
    arrivals = _Arrivals(rows)
    before: Seal | None = None
    covered = gone = 0
    for seal in seals:
        fault = _seal_fault(before, seal)
        if fault is not None:
            yield fault
            return SealTotals(0 if before is None else before.seq, covered, gone, judged=False)
        count, digest = arrivals.until(place(seal.last))
        if count == 0 and dropped is not None and seal.at < dropped:
            gone += seal.rows
        elif (count, digest) != (seal.rows, seal.digest):
            yield Broken("resealed", near=seal.first, position=seal.last, seal=seal.seq)
        covered += count
        before = seal
    number, last = (0, "") if before is None else (before.seq, before.hash)
    if number < length:
        yield Broken("seal_missing", seal=number + 1)
        return SealTotals(number, covered, gone, judged=False)
    if last != head:
        yield Broken("seal_head", seal=number)
    tail, since = arrivals.rest()
    return SealTotals(number, covered, gone, tail, since)


class _Arrivals:
    """All rows in order of arrival, taken stretch by stretch."""

    def __init__(self, rows: Iterable[Arrival]) -> None:
        self._rows: Iterator[Arrival] = iter(rows)
        self._ahead = next(self._rows, None)

    def until(self, last: tuple[int, ...]) -> tuple[int, str]:
        """The number of the next rows up to ``last``, and their digest as :func:`digest_of` makes it."""
        count, digest = 0, sha256()
        while self._ahead is not None and place(self._ahead.position) <= last:
            digest.update(f"{self._ahead.position} {self._ahead.hash}\n".encode())
            count += 1
            self._ahead = next(self._rows, None)
        return count, digest.hexdigest()

    def rest(self) -> tuple[int, datetime | None]:
        """The number of rows that are left, and the time of the first."""
        if self._ahead is None:
            return 0, None
        return 1 + sum(1 for _ in self._rows), self._ahead.at


def _seal_fault(before: Seal | None, seal: Seal) -> Broken | None:
    number, prev = (1, "") if before is None else (before.seq + 1, before.hash)
    if seal.seq != number:
        return Broken("seal_missing" if seal.seq > number else "seal_inserted", seal=min(number, seal.seq))
    if not seal_as_written(seal):
        return Broken("seal_altered", seal=number)
    if seal.prev != prev:
        # This one is as it was written, and it was written after another seal than the one that is there now.
        return Broken("seal_inserted", seal=number) if before is None else Broken("seal_altered", seal=before.seq)
    if not _follows(before, seal):
        return Broken("seal_inserted", seal=number)
    return None


def _follows(before: Seal | None, seal: Seal) -> bool:
    try:
        first, last = place(seal.first), place(seal.last)
    except ValueError:
        return False
    return first <= last and (before is None or place(before.last) < first)

"""Listings: the newest rows of a window, read page by page so that memory stays bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final, Generic, NamedTuple, TypeVar

__all__ = ["Listing", "newest"]

_PAGE: Final = 1000

T = TypeVar("T")


class Listing(NamedTuple, Generic[T]):
    """The rows to show, oldest first, and how many there were in all."""

    rows: list[T]
    total: int

    def words(self, what: str) -> str:
        """How many are shown, for people."""
        shown = len(self.rows)
        if self.total == 1:
            return f"1 {what.removesuffix('s')}"
        return f"{shown:,} {what}" if shown == self.total else f"the newest {shown:,} of {self.total:,} {what}"


def newest(
    page: Callable[[tuple[datetime, str] | None, int], list[T]],
    key: Callable[[T], tuple[datetime, str]],
    limit: int,
    after: tuple[datetime, str] | None = None,
) -> Listing[T]:
    """The last ``limit`` rows of a listing that can only be read forwards. ``page(after, size)`` gives the next."""
    kept: deque[T] = deque(maxlen=limit)
    total = 0
    while rows := page(after, _PAGE):
        kept.extend(rows)
        total += len(rows)
        after = key(rows[-1])
    return Listing(list(kept), total)

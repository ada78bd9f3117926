"""Paging over a listing that shifts while it is read, and that tells no total and no cursor (FACTS section 13)."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import COUNT_MAX, check_count, check_cursor, check_skip, window
from razorpay_hardened.client._values import Call, Operation
from razorpay_hardened.errors import ReconcileStalled

if TYPE_CHECKING:
    from razorpay_hardened.client._drive import AsyncConductor, Conductor
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncItems", "Items", "Listing", "Walk", "one_page"]

FRUITLESS_MAX = 2
"""Full pages in a row without a new id. One can be an honest burst of new rows at the top; two are a standstill."""
SEEN_MAX = 20_000
"""Ids kept for de-duplication: rows shift between one page and the next, not across the whole listing."""

E = TypeVar("E")
_BY_ID: Callable[[Any], str] = attrgetter("id")


@dataclass(frozen=True, slots=True)
class Listing(Generic[E]):
    """A listing to walk: which operation, with what filters, how a page is read and an item told from another.

    ``count`` is the size of a page, ``count_max`` what Razorpay gives at most. ``cursor`` is where an earlier walk of
    the same listing had come to.
    """

    operation: Operation
    read: Callable[[Any], tuple[E, ...]]
    ids: tuple[str, ...] = ()
    query: dict[str, Any] = field(default_factory=dict)
    count: int = 100
    cursor: str | None = None
    key: Callable[[E], str] = _BY_ID
    count_max: int = COUNT_MAX

    def page(self, skip: int) -> Ask[Page[E]]:
        """What to ask for the page that begins after ``skip`` items."""
        query = {**self.query, "count": self.count, "skip": skip}
        return Ask(Call(self.operation, self.ids, query), lambda body: _page(self.read(body), self.count))


def _page(items: tuple[E, ...], count: int) -> Page[E]:
    """A page longer than asked for is cut by nobody, and counts as having more."""
    from razorpay_hardened.ports.gateway import Page

    return Page(items, has_more=len(items) >= count)


def one_page(
    operation: Operation,
    read: Callable[[Any], tuple[E, ...]],
    ids: tuple[str, ...] = (),
    *,
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    skip: int = 0,
    filters: dict[str, Any] | None = None,
) -> Ask[Page[E]]:
    """One page of a listing: the usual window, ``count`` and ``skip``, and the resource's own filters."""
    query = {**window(from_, to), **(filters or {})}
    return Listing(operation, read, ids, query, check_count(count)).page(check_skip(skip))


class Walk(Generic[E]):
    """How far a walk has come. ``take`` each page that ``next_page`` asks for, until ``done``.

    New rows come first and push the others back, so pages overlap a little and ids are remembered. Raises
    :class:`ReconcileStalled` when full pages bring nothing new: a listing that ignores ``skip`` never ends.
    """

    __slots__ = ("_fruitless", "_listing", "_overlap", "_seen", "done", "skip")

    def __init__(self, listing: Listing[E]) -> None:
        check_count(listing.count, listing.count_max)
        self._listing = listing
        self._overlap = listing.count // 20
        self._seen: dict[str, None] = {}
        self._fruitless = 0
        self.skip = 0 if listing.cursor is None else check_cursor(listing.cursor)
        self.done = False

    def next_page(self) -> Ask[Page[E]]:
        """What to ask next."""
        return self._listing.page(self.skip)

    def take(self, page: Page[E]) -> list[E]:
        """The items of the page that were not seen before."""
        key = self._listing.key
        fresh = {key(item): item for item in page.items if key(item) not in self._seen}
        self._seen.update(dict.fromkeys(fresh))
        while len(self._seen) > SEEN_MAX:
            del self._seen[next(iter(self._seen))]
        if page.has_more:
            self._fruitless = 0 if fresh else self._fruitless + 1
            if self._fruitless >= FRUITLESS_MAX:
                raise ReconcileStalled
            self.skip += max(1, len(page.items) - self._overlap)
        else:
            self.done = True
        return list(fresh.values())


class _Cursor(Generic[E]):
    """What both kinds of iterators keep."""

    def __init__(self, listing: Listing[E]) -> None:
        self._walk = Walk(listing)
        self._waiting: deque[E] = deque()
        self._page_start = self._walk.skip

    @property
    def cursor(self) -> str:
        """Where to go on later: give it to the same call as ``cursor=``.

        It names the beginning of the page that the last item came from, so that nothing is missed; some items come
        again. Keep ``to`` fixed between the two calls, so that new rows do not shift the pages.
        """
        return f"skip:{self._page_start}"

    def _take(self, start: int, page: Page[E]) -> None:
        self._page_start = start
        self._waiting.extend(self._walk.take(page))


class Items(_Cursor[E], Iterator[E]):
    """Every item of a listing, page by page as you go, each once."""

    def __init__(self, conductor: Conductor, listing: Listing[E]) -> None:
        super().__init__(listing)
        self._conductor = conductor

    def __next__(self) -> E:
        while not self._waiting:
            if self._walk.done:
                raise StopIteration
            start = self._walk.skip
            self._take(start, self._conductor.do(self._walk.next_page()))
        return self._waiting.popleft()


class AsyncItems(_Cursor[E], AsyncIterator[E]):
    """Every item of a listing, page by page as you go, each once."""

    def __init__(self, conductor: AsyncConductor, listing: Listing[E]) -> None:
        super().__init__(listing)
        self._conductor = conductor

    async def __anext__(self) -> E:
        while not self._waiting:
            if self._walk.done:
                raise StopAsyncIteration
            start = self._walk.skip
            self._take(start, await self._conductor.do(self._walk.next_page()))
        return self._waiting.popleft()

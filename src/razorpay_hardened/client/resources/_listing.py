"""Paging over a listing that shifts while it is read, and that tells no total and no cursor (FACTS section 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from razorpay_hardened.client._values import Call, Operation
from razorpay_hardened.errors import ReconcileStalled

if TYPE_CHECKING:
    from razorpay_hardened.client._caller import Caller
    from razorpay_hardened.ports.gateway import Page

__all__ = ["iterate", "one_page"]

FRUITLESS_MAX = 2
"""Full pages in a row without a new id. One can be an honest burst of new rows at the top; two are a standstill."""
SEEN_MAX = 20_000
"""Ids kept for de-duplication: rows shift between one page and the next, not across the whole listing."""


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


E = TypeVar("E", bound=_HasId)


def one_page(
    caller: Caller,
    operation: Operation,
    ids: tuple[str, ...],
    query: dict[str, Any],
    read: Callable[[Any], tuple[E, ...]],
) -> Page[E]:
    """One page of a listing; a page longer than asked for is cut by nobody, and counts as having more."""
    from razorpay_hardened.ports.gateway import Page

    items = caller.read(Call(operation, ids, query), read)
    return Page(items, has_more=len(items) >= query["count"])


def iterate(fetch: Callable[[int], Page[E]], count: int) -> Iterator[E]:
    """Every item of every page, each id once. ``fetch(skip)`` gets a page.

    New rows come first and push the others back, so pages overlap a little and ids are remembered. Raises
    :class:`ReconcileStalled` when full pages bring nothing new: a listing that ignores ``skip`` never ends.
    """
    overlap = count // 20
    seen: dict[str, None] = {}
    skip = fruitless = 0
    while True:
        page = fetch(skip)
        fresh = [item for item in page.items if item.id not in seen]
        seen.update((item.id, None) for item in fresh)
        while len(seen) > SEEN_MAX:
            del seen[next(iter(seen))]
        yield from fresh
        if not page.has_more:
            return
        fruitless = 0 if fresh else fruitless + 1
        if fruitless >= FRUITLESS_MAX:
            raise ReconcileStalled
        skip += max(1, len(page.items) - overlap)

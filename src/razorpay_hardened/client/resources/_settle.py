"""Writes whose doubts are settled by fetching the entity: it got there, or is gone, or the write goes out again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from razorpay_hardened.client._ask import Ask, Plan, Settle
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources._listing import Listing, Walk
from razorpay_hardened.errors import ApiBadRequest, PayloadInvalid

if TYPE_CHECKING:
    from razorpay_hardened.ports.gateway import Page

__all__ = ["deleted", "moved", "oldest", "those"]

E = TypeVar("E")
PAGES_MAX = 10
"""Pages of one look through a listing: 1,000 entities."""
HTTP_NOT_FOUND = 404


def moved(call: Call, fetch: Ask[E], *statuses: str, may_end: tuple[str, ...] = ()) -> Ask[E]:
    """A write that brings an entity to one of ``statuses``, where it stays: there already counts as done.

    ``may_end`` are statuses that a direct answer may have too, but that a look cannot take for this write's work.
    """

    def parse(answer: Any) -> E:
        entity: Any = fetch.parse(answer)
        if entity.status not in (*statuses, *may_end):
            raise PayloadInvalid("the answer is a success, and the entity is not where it should be")  # so: ask
        found: E = entity
        return found

    def look() -> Plan[E | None]:
        found: Any = yield fetch
        return found if found.status in statuses else None

    # Any refusal may mean that it is done already: the exact words are not documented, so the entity is asked.
    return Ask(call, parse, Settle(look, explains=lambda _: True))


def deleted(call: Call, fetch: Ask[Any], *statuses: str) -> Ask[bool]:
    """A delete. Once in doubt, an entity that does not exist, or that has one of ``statuses``, has been deleted.

    A refusal alone explains nothing: "does not exist" is also what a wrong id is told.
    """

    def look() -> Plan[bool | None]:
        try:
            found = yield fetch
        except ApiBadRequest as error:
            if not _is_about_nothing(error):
                raise
            return True
        return True if statuses and found.status in statuses else None

    return Ask(call, lambda _: True, Settle(look, explains=lambda _: False))


def _is_about_nothing(error: ApiBadRequest) -> bool:
    """The documented words for an id that is unknown; with other words the doubt stays, which is safe."""
    return error.status == HTTP_NOT_FOUND or "does not exist" in (error.description or "")


def those(listing: Listing[E], same: Callable[[E], bool]) -> Plan[list[E]]:
    """The entities on the first pages of a listing that are the ``same``."""
    walk = Walk(listing)
    found: list[E] = []
    for _ in range(PAGES_MAX):
        page: Page[E] = yield walk.next_page()
        found += filter(same, walk.take(page))
        if walk.done:
            break
    return found


def oldest(entities: Iterable[E]) -> E | None:
    """Of several, the one that whoever asks gets each time."""
    key: Callable[[Any], tuple[int, str]] = lambda entity: (entity.created_at or 0, entity.id)  # noqa: E731
    return min(entities, key=key, default=None)

"""Listings: which rows, in what order, how many (FACTS section 13)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, takewhile

from razorpay_hardened.emulator._checks import TIME_MAX, TIME_MIN, known_fields, number_in
from razorpay_hardened.emulator.wire import Entity, refusal

__all__ = ["collection", "expansions", "page"]

PAGE = ("from", "to", "count", "skip")
COUNT_DEFAULT, COUNT_MAX = 10, 100


def collection(items: Iterable[Entity]) -> Entity:
    """``count`` is how many are in this answer, never the total."""
    shown = list(items)
    return {"entity": "collection", "count": len(shown), "items": shown}


def page(newest_first: Iterable[Entity], query: dict[str, list[str]], filters: tuple[str, ...] = ()) -> list[Entity]:
    """The rows of one page. ``from`` and ``to`` are inclusive, which is UNCONFIRMED, as is the order.

    ``newest_first`` is read no further than the page needs: a listing costs what it shows, not what there is.
    """
    known_fields(query, (*PAGE, *filters, "expand[]", "expand"))
    count = number_in(query, "count", COUNT_DEFAULT)
    if count > COUNT_MAX:
        raise refusal(f"The count may not be greater than {COUNT_MAX}.", field="count")
    if count < 1:
        raise refusal("The count must be at least 1.", field="count")
    skip = number_in(query, "skip", 0)
    if skip < 0:
        raise refusal("The skip must be at least 0.", field="skip")  # text: not published
    first, last = _time(query, "from", TIME_MIN), _time(query, "to", TIME_MAX)
    young_enough = takewhile(lambda entity: entity["created_at"] >= first, newest_first)
    rows = (entity for entity in young_enough if entity["created_at"] <= last)
    return list(islice(rows, skip, skip + count))


def _time(query: dict[str, list[str]], field: str, default: int) -> int:
    value = number_in(query, field, default)
    if not TIME_MIN <= value <= TIME_MAX:
        raise refusal(f"{field} must be between {TIME_MIN} and {TIME_MAX}", field=field)
    return value


def expansions(query: dict[str, list[str]], allowed: tuple[str, ...]) -> set[str]:
    """What ``expand[]`` asks for. Those that we do not serve are accepted and change nothing."""
    wanted = {*query.get("expand[]", ()), *query.get("expand", ())}
    if not wanted <= set(allowed):
        types = ", ".join(allowed)
        raise refusal(f"Value of each expand must be one of following types: {types}", field="expand.0")
    return wanted

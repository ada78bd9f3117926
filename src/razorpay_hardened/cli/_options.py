"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

__all__ = [
    "INDIA",
    "LIMIT_MAX",
    "AppOption",
    "AtOption",
    "JsonOption",
    "LimitOption",
    "SinceOption",
    "UntilOption",
    "chosen",
    "moment",
    "window",
    "zone_named",
]

LIMIT_MAX: Final = 10**6
INDIA: Final = "Asia/Kolkata"
_AGO: Final = re.compile(r"([1-9][0-9]{0,4})([mhdw])", re.ASCII)
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document (amounts in subunits, times in UTC).")
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=LIMIT_MAX, help="At most this many rows.")]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="WHEN", help="From here on: 2026-03-31, 2026-03-31T09:30, or an age: 45m 24h 7d 2w."
    ),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="WHEN", help="Up to here; a day alone means to its end. Default: now.")
]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="WHEN",
        help="As it was on record then, from the audit: 2026-03-31T09:30, 2026-03-31 (its end), or an age: 45m 24h 7d.",
    ),
]
AppOption = Annotated[
    str | None,
    typer.Option(
        "--app",
        metavar="MODULE:ATTR",
        envvar="RAZORPAY_APP",
        help="Where your Razorpay object and its handlers are, such as shop.payments:rzp.",
    ),
]


def zone_named(name: str) -> tzinfo:
    """A time zone by its IANA name. India needs no database; anything unknown is a usage error."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if name == INDIA:
            return timezone(timedelta(hours=5, minutes=30), INDIA)
        raise typer.BadParameter("--tz takes the name of a time zone, such as Asia/Kolkata or UTC") from None


def chosen(values: Collection[str] | None, known: Collection[str], *, option: str) -> tuple[str, ...]:
    """The values of an option that may be repeated; one that can never match anything is a usage error."""
    if not set(values or ()) <= set(known):
        raise typer.BadParameter(f"{option} is one of {', '.join(known)}")
    return tuple(values or ())


def moment(text: str, zone: tzinfo, now: datetime, *, option: str, end_of_day: bool = False) -> datetime:
    """An option's text as a moment in UTC. What has no zone of its own is in ``zone``.

    ``end_of_day``: a day alone means its end. Anything else than the documented forms is a usage error.
    """
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        read = datetime.fromisoformat(text)
        local = read if read.tzinfo is not None else read.replace(tzinfo=zone)
        if end_of_day and _DAY.fullmatch(text):
            local += timedelta(days=1)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{option} takes a day (2026-03-31), a time (2026-03-31T09:30, with or without +05:30) or an age (24h, 7d)"
        ) from None


def window(
    since: str | None, until: str | None, zone: tzinfo, now: datetime, *, default: timedelta | None
) -> tuple[datetime | None, datetime | None]:
    """[since, until) in UTC; None where nothing was said and there is no ``default`` age.

    A window that has not begun yet, or ends before it begins, is a usage error. An end in the future is now.
    """
    begins = None if default is None else now - default
    if since is not None:
        begins = moment(since, zone, now, option="--since")
    ends = None if until is None else min(moment(until, zone, now, option="--until", end_of_day=True), now)
    if begins is not None and begins > now:
        raise typer.BadParameter("--since is in the future")
    if begins is not None and ends is not None and begins >= ends:
        raise typer.BadParameter("--until must be after --since")
    return begins, ends

"""What commands print: tables for people, JSON for programs.

What comes from outside (event names, notes, handlers' errors) is data: control characters are escaped and markup means
nothing, so that a webhook cannot write on an operator's terminal. Secrets are hidden here, before lines are broken.
Rich is loaded where something is drawn: ``--json`` needs none of it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from razorpay_hardened.cli._hide import without_secrets
from razorpay_hardened.domain.money import EXPONENTS, Money

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod
    from rich.text import Text

__all__ = [
    "Column",
    "card",
    "console",
    "heading",
    "json_out",
    "money",
    "note",
    "plain",
    "table",
    "utc",
    "when",
    "when_short",
]

_PIPE_WIDTH: Final = 10_000  # nobody's terminal: lines are as long as they are, for grep and awk
_GAP: Final = 2
_PROSE: Final = 20
_ALWAYS: Final = 9
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Ours, because strftime asks the locale."""

_STYLES: Final[dict[str, str]] = {
    **dict.fromkeys(("paid", "captured", "processed", "done", "repaired", "whole", "equal"), "green"),
    **dict.fromkeys(("failed", "dead", "quarantined", "remote_failed", "left", "broken", "broken:", "differs"), "red"),
    **dict.fromkeys(("pending", "waiting", "parked", "leased", "outcome_unknown", "open", "running"), "yellow"),
    **dict.fromkeys(("ignored", "refunded"), "dim"),
}


class Column(NamedTuple):
    """A column: ``keep`` says which go first where the terminal is narrow (the lowest; 9 never goes). The one that may
    ``wrap`` holds prose, never an id."""

    title: str
    keep: int = _ALWAYS
    right: bool = False
    wrap: bool = False


@cache
def _console_type() -> type[Console]:
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:
            raise  # rich would exit with 1 from here; _run knows better

    return Piped


def console() -> Console:
    """A console on today's stdout. A pipe gets lines of any length, unless COLUMNS says otherwise."""
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else _PIPE_WIDTH
    return _console_type()(file=sys.stdout, width=width, markup=False, emoji=False, highlight=False)


# --- values


def plain(value: object) -> str:
    """``value`` as one line of text in which nothing steers a terminal, and no secret shows."""
    text = "" if value is None else without_secrets(str(value))
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def money(amount: int | None, currency: str | None) -> str:
    """Subunits for people: ``₹1,23,456.00``; other currencies carry their code."""
    if amount is None or currency is None:
        return ""
    if currency != "INR":
        return str(Money(amount, currency))
    rupees, paise = divmod(amount, 100)
    text = f"{_indian(rupees)}.{paise:0{EXPONENTS['INR']}d}"
    try:
        "₹".encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return f"INR {text}"
    return f"₹{text}"


def _indian(number: int) -> str:
    """Digits grouped as India reads them: thousands, then lakhs and crores by twos."""
    head, tail = str(number)[:-3], str(number)[-3:]
    groups = re.findall(r"[0-9]{1,2}", head[::-1])
    return ",".join([group[::-1] for group in reversed(groups)] + [tail])


def when(moment: datetime | None, zone: tzinfo) -> str:
    """A moment on the wall clock of ``zone``, to the second."""
    return "" if moment is None else moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def utc(moment: datetime | None) -> str | None:
    """A moment for programs: ISO 8601 in UTC, ending in Z."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def when_short(moment: datetime, zone: tzinfo, now: datetime | None = None) -> str:
    """The same where the year is plain from what stands above, or is that of ``now``; else the year and no seconds.

    The month is a word, so that nobody mistakes the day.
    """
    local = moment.astimezone(zone)
    day = f"{local.day:2} {_MONTHS[local.month - 1]}"
    if now is None or local.year == now.astimezone(zone).year:
        return f"{day} {local:%H:%M:%S}"
    return f"{day} {local:%Y %H:%M}"


# --- printing


def json_out(value: Mapping[str, Any]) -> None:
    """One JSON document. ASCII, because a terminal is steered by some characters that JSON may hold."""
    sys.stdout.write(json.dumps(_hidden(value), indent=2, ensure_ascii=True) + "\n")


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, Mapping):
        return {key: _hidden(item) for key, item in value.items()}
    return [_hidden(item) for item in value] if isinstance(value, (list, tuple)) else value


def heading(text: str) -> None:
    """The name of a section."""
    from rich.text import Text

    console().print(Text(f"\n{plain(text)}", style="bold"))


def note(text: str) -> None:
    """A remark below a table."""
    from rich.text import Text

    console().print(Text(plain(text), style="dim"))


def card(rows: Iterable[tuple[str, object]]) -> None:
    """Names and values, one a line; empty values are left out."""
    from rich.table import Table

    grid = Table.grid(padding=(0, _GAP))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        if value not in (None, ""):
            grid.add_row(name, _cell(value))
    console().print(grid)


def table(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> None:
    """A table, unless it is empty. It never cuts an id: columns that do not fit the terminal are left out, and told.

    A column that may go and has nothing to say goes without a word.
    """
    if not rows:
        return
    from rich import box
    from rich.table import Table

    out = console()
    cells = [[_cell(value) for value in row] for row in rows]
    filled = [at for at, column in enumerate(columns) if column.keep == _ALWAYS or any(row[at].plain for row in cells)]
    shown = _fitting(columns, cells, filled, out.width)
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for place in shown:
        column = columns[place]
        justify: JustifyMethod = "right" if column.right else "left"
        grid.add_column(column.title, justify=justify, overflow="fold", no_wrap=not column.wrap)
    for row in cells:
        grid.add_row(*(row[place] for place in shown))
    out.print(grid)
    left_out = [columns[place].title for place in filled if place not in shown]
    if left_out:
        note(f"left out for want of width: {', '.join(left_out)} (a wider terminal, a pipe or --json has them)")


def _cell(value: object) -> Text:
    from rich.text import Text

    text = plain(value)
    words = text.split() or [""]
    word = words[0] if words[0].endswith(":") or words[-1].startswith("(") else words[-1]
    return Text(text, style=_STYLES.get(word, ""))


def _fitting(columns: Sequence[Column], cells: Sequence[Sequence[Text]], shown: list[int], width: int) -> list[int]:
    """Those of the places ``shown`` that fit ``width``. A column that may wrap needs room for some words, not all."""
    needs = [max([len(column.title), *(row[at].cell_len for row in cells)]) for at, column in enumerate(columns)]
    needs = [min(need, _PROSE) if column.wrap else need for need, column in zip(needs, columns, strict=True)]
    shown = list(shown)
    while sum(needs[at] + _GAP for at in shown) - _GAP > width:
        least = min(shown, key=lambda at: (columns[at].keep, -at))
        if columns[least].keep == _ALWAYS:
            break
        shown.remove(least)
    return shown

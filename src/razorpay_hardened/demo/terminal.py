"""The demo in a terminal: live progress while it runs, and a summary that fits 80 columns.

Progress goes to standard error, so that standard output holds the result alone. rich comes with the ``[cli]`` extra;
nothing else in this room needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from razorpay_hardened.demo import telling
from razorpay_hardened.demo.day import DAY_S
from razorpay_hardened.demo.journal import Journal
from razorpay_hardened.demo.outcome import Outcome
from razorpay_hardened.demo.proofs import Proof

__all__ = ["summary", "watched"]

_EVERY_S: Final = 2 * 3600
_OFFENDERS_SHOWN: Final = 5
_WIDEST: Final = 120


# --- while it runs


@contextmanager
def watched(console: Console) -> Iterator[Journal]:
    """A journal whose every note is shown: as a live picture on a terminal, else as plain lines now and then."""
    journal = Journal()
    if not console.is_terminal or console.is_dumb_terminal:
        journal.listener = _Lines(console)
        yield journal
        return
    picture = _Picture(console)
    journal.listener = picture
    with Live(picture, console=console, refresh_per_second=8, transient=True):
        yield journal


class _Told:
    """What both kinds of progress keep in mind: each phase and each kill is told once."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._phase: str | None = None
        self._kills = 0

    def news(self, journal: Journal, at_s: float) -> None:
        """Print what is new."""
        if journal.phase != self._phase:
            self._phase = journal.phase
            self.line(at_s, telling.PHASES[journal.phase], "bold")
        for crash in journal.crashes[self._kills :]:
            self._kills += 1
            self.line(crash.at_s, f"SIGKILL: {telling.killed_where(crash)}", "red")

    def line(self, at_s: float, text: str, style: str) -> None:
        """One line of the story, which stays on the screen."""
        when = (f"{telling.clock_time(at_s):<10}", "dim")
        self.console.print(Text.assemble(when, (text, style)), soft_wrap=True)


class _Lines(_Told):
    """Plain lines: every two hours of the day, and whatever is news."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._next_s: float = _EVERY_S

    def __call__(self, journal: Journal, at_s: float) -> None:
        self.news(journal, at_s)
        if at_s >= self._next_s and journal.phase == "open":
            self._next_s = (at_s // _EVERY_S + 1) * _EVERY_S
            self.line(at_s, _counts(journal), "")


class _Picture(_Told):
    """The live picture; rich asks for it a few times a second, from a thread of its own."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._spinner = Spinner("dots")
        self._at_s = 0.0
        self._text = ""
        self._counts = ""

    def __call__(self, journal: Journal, at_s: float) -> None:
        self._at_s, self._text, self._counts = at_s, telling.PHASES[journal.phase], _counts(journal)
        self.news(journal, at_s)

    def __rich__(self) -> RenderableType:
        self._spinner.update(text=Text(f"{telling.clock_time(self._at_s):<10}{self._text}"))
        grid = Table.grid(expand=True)  # a bar ends no line by itself: rows do
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_row(self._spinner)
        grid.add_row(ProgressBar(total=DAY_S, completed=min(self._at_s, DAY_S)))
        grid.add_row(Text(self._counts, "dim"))
        return grid


def _counts(journal: Journal) -> str:
    counts = journal.counts
    return (
        f"{counts['order']} orders, {counts['payment captured']} payments, {counts['delivered']} webhooks in, "
        f"{counts['not delivered']} unanswered, {counts['API fault']} API faults"
    )


# --- when it is over


def summary(console: Console, outcome: Outcome, *, seconds: float, report: str, kept: str | None) -> None:
    """Print the day: what went wrong, what was found and repaired, both sides' books, and each proof."""
    width = min(console.width, _WIDEST)

    def show(what: RenderableType) -> None:
        console.print(what, width=width)

    show(
        Text.assemble(
            ("One payment provider's bad day", "bold"),
            f": seed {outcome.seed}, {outcome.customers} customers, {len(outcome.crashes)} kills, {seconds:.0f} s",
        )
    )
    _section(show, "What went wrong", _wrong(outcome))
    _section(show, "What reconciliation found", _found(outcome))
    _section(show, "Both sides' books, in rupees", _books(outcome))
    _section(show, "The proofs, before reconciliation and now", _proofs(outcome.before, outcome.proofs))
    for offender in _offenders(outcome.proofs):
        show(Padding(Text(offender, "red"), (0, 0, 0, 2), expand=False))
    style = "bold green" if outcome.holds else "bold red"
    show(Text(f"\n{telling.verdict(outcome)}", style))
    console.print(Text(f"report   {report}"), soft_wrap=True)
    if kept is not None:
        console.print(Text(f"kept     {kept}"), soft_wrap=True)
    console.print(Text(f"again    razorpay-hardened demo --seed {outcome.seed} --customers {outcome.customers}"))


def _section(show: Callable[[RenderableType], None], title: str, body: RenderableType) -> None:
    show(Text(f"\n{title}", "bold"))
    show(Padding(body, (0, 0, 0, 2), expand=False))


def _wrong(outcome: Outcome) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column()
    for group, heading in telling.GROUPS.items():
        told = [f"{count} {label}" for label, count in outcome.wrong[group].items() if count]
        if group == "API":
            told = [f"{label} ({count})" for label, count in outcome.wrong[group].items() if count]
        grid.add_row(heading, ", ".join(told) or "nothing")
    return grid


def _found(outcome: Outcome) -> RenderableType:
    rows = telling.findings(outcome)
    if not rows:
        return Text("nothing: every webhook that mattered came")
    table = _table("", "found", "repaired", "for a person")
    for row in rows:
        left = Text(str(row.left), "yellow" if row.left else "")
        table.add_row(row.label, str(row.found), str(row.repaired), left)
    return table


def _books(outcome: Outcome) -> RenderableType:
    table = _table("", "Razorpay before", "shop before", "Razorpay now", "shop now")
    for row in telling.books(outcome).values():
        before = Text(row.text(row.here_before), "red" if row.missing_before else "")
        after = Text(row.text(row.here_after), "red" if row.missing_after else "green")
        table.add_row(row.label, row.text(row.there_before), before, row.text(row.there_after), after)
    return table


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, title in enumerate(titles):
        table.add_column(title, justify="right" if place else "left", no_wrap=place > 0)
    return table


def _proofs(before: tuple[Proof, ...], proofs: tuple[Proof, ...]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, justify="right")
    grid.add_column(no_wrap=True)
    grid.add_column()
    for was, now in zip(before, proofs, strict=True):
        words = Text(now.statement).append(f" ({telling.numbers(now)})", "dim")
        grid.add_row(_held(was, "dim"), _held(now, "bold green"), words)
    return grid


def _held(proof: Proof, style: str) -> Text:
    return Text("holds", style) if proof.holds else Text(f"{proof.broken} broken", "red")


def _offenders(proofs: tuple[Proof, ...]) -> Iterator[str]:
    """What breaks a proof, a few of each."""
    for proof in proofs:
        shown = proof.offenders[:_OFFENDERS_SHOWN]
        yield from (f"{proof.name}: {offender}" for offender in shown)
        if proof.broken > len(shown):
            yield f"{proof.name}: … and {proof.broken - len(shown)} more"

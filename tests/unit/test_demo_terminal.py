"""The demo in a terminal: progress as plain lines or as a picture, and a summary that fits."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from demo_outcomes import PROOF_NAMES, broken, good
from razorpay_hardened.demo.journal import Journal
from razorpay_hardened.demo.outcome import Outcome
from razorpay_hardened.demo.terminal import summary, watched


def _console(width: int = 80, terminal: bool = False) -> Console:
    return Console(
        file=io.StringIO(), width=width, height=40, force_terminal=terminal, markup=False, emoji=False, highlight=False
    )


def _written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _summary(outcome: Outcome, width: int = 80, terminal: bool = False) -> str:
    console = _console(width, terminal)
    summary(console, outcome, seconds=24.4, report="demo-report.html", kept="/tmp/kept")
    return _written(console)


@pytest.mark.parametrize("width", [80, 120, 300])
def test_the_summary_fits_and_says_everything(width: int) -> None:
    """No line is longer than the terminal, nor than can be read."""
    text = _summary(good(), width)
    assert max(map(len, text.splitlines())) <= min(width, 120)
    said = " ".join(text.split())
    for name in PROOF_NAMES:
        assert f"statement of {name} about <both> & “all” books" in said
    for words in (
        *("seed 42, 10 customers, 2 kills, 24 s", "12 lost for good", "502 bad gateway (4)", "All 10 proofs hold."),
        *(
            "1,23,456.00",
            "1,20,000.00",
            "payments that we had not heard of 2 2 0",
            "orders that Razorpay never had 1 0 1",
        ),
        *("report demo-report.html", "kept /tmp/kept", "again razorpay-hardened demo --seed 42 --customers 10"),
    ):
        assert words in said, words
    assert "late" not in said.split("API")[0]  # what did not happen is left out


def test_a_narrow_terminal_loses_no_proof() -> None:
    """40 columns are no joy, but nothing breaks."""
    said = "".join(_summary(good(), 40).split())
    assert "All10proofshold." in said


def test_nothing_steers_what_is_no_terminal() -> None:
    """A pipe gets no escape sequences; a terminal gets colours."""
    assert "\x1b" not in _summary(good())
    assert "\x1b[" in _summary(good(), terminal=True)


def test_broken_proofs_are_named_with_what_breaks_them() -> None:
    """Five offenders of each, and the count of the rest."""
    said = " ".join(_summary(broken(), 120).split())
    assert "2 of 10 proofs do NOT hold." in said
    assert "31 broken statement of never_backwards" in said
    assert "never_backwards: never_backwards offender 4" in said
    assert "offender 5" not in said
    assert "never_backwards: … and 26 more" in said
    assert "money_equal: money_equal offender 0" in said


def test_markup_in_what_is_shown_means_nothing() -> None:
    """Square brackets are text."""
    odd = replace(good(), wrong={group: {"[bold red]lost[/]": 1} for group in good().wrong})
    assert "[bold red]lost[/]" in _summary(odd, 120)


def _play(journal: Journal) -> None:
    """A short day, as the engine tells it."""
    journal.enter("open", 0.0)
    for minute in range(0, 12 * 60, 10):
        journal.note("order", minute * 60.0)
    journal.crash("written", 5 * 3600.0)
    journal.crash(None, 6 * 3600.0)
    journal.enter("waiting", 13 * 3600.0)
    journal.note("delivered", 14 * 3600.0)
    journal.enter("looking", 39 * 3600.0)


def test_progress_is_plain_lines_where_nobody_watches() -> None:
    """Each phase and each kill once, and the day every two hours: nothing is drawn over."""
    console = _console()
    with watched(console) as journal:
        _play(journal)
    lines = _written(console).splitlines()
    assert "\x1b" not in "".join(lines)
    assert sum("the shop is open" in line for line in lines) == 1
    assert [line for line in lines if "SIGKILL" in line] == [
        "14:00     SIGKILL: status, audit and effects are written, not committed",
        "15:00     SIGKILL: from outside, between two requests",
    ]
    assert sum("orders" in line for line in lines) == 5
    assert lines[-1] == "00:00 +2  reconciliation looks at both sides"


def test_progress_is_a_picture_on_a_terminal() -> None:
    """Kills stay on the screen above it; the picture itself is gone at the end."""
    console = _console(terminal=True)
    with watched(console) as journal:
        _play(journal)
    text = _written(console)
    assert "\x1b[?25l" in text  # the cursor is hidden …
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # … and comes back
    assert text.count("SIGKILL: status, audit and effects are written") == 1
    assert "0 API faults" in text


def test_a_failing_day_leaves_the_terminal_as_it_was() -> None:
    """The cursor comes back with the error."""
    console = _console(terminal=True)

    def fail() -> None:
        with watched(console) as journal:
            journal.enter("open", 0.0)
            raise RuntimeError("the day failed")

    with pytest.raises(RuntimeError, match="the day failed"):
        fail()
    text = _written(console)
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")

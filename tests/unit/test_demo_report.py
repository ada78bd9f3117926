"""The demo's report: one file that needs nothing else, in which nothing that it shows can become markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from demo_outcomes import PROOF_NAMES, broken, good
from razorpay_hardened.demo.journal import Crash
from razorpay_hardened.demo.outcome import Outcome
from razorpay_hardened.demo.report import render

_VOID = {"meta", "line", "br"}
_KNOWN = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "section", "div", "p", "h1", "h2", "h3"),
    *("ul", "ol", "li", "b", "i", "strong", "code", "figure", "figcaption", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td", "svg", "line", "text", "rect", "path"),
}


class _Page(HTMLParser):
    """Reads a page strictly: tags that are ours, each closed where it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _KNOWN
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _VOID
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_the_page_is_well_formed_and_says_everything() -> None:
    """Proofs with their numbers, before and after; both sides' books; kills; how to do it again."""
    page = _Page(render(good(), 24.4))
    for name in PROOF_NAMES:
        assert name in page.text
        assert f"tatement of {name} about <both> & “all” books" in page.text
    for words in (
        *("All 10 proofs hold.", "₹1,23,456.00", "₹1,20,000.00", "₹3,456.00", "₹499.00", "12 lost for good"),
        *("payments that we had not heard of", "orders that Razorpay never had", "3 broken before reconciliation"),
        *("10:01 status, audit and effects are written, not committed", "10:56 from outside, between two requests"),
        *("razorpay-hardened demo --seed 42 --customers 10", "f" * 64, "in 24 seconds"),
    ):
        assert words in page.text, words


def test_a_broken_proof_is_the_first_thing_one_reads() -> None:
    """With the things that break it, by name, and how many more there are."""
    text = _Page(render(broken(), 24.4)).text
    assert "All 10 proofs hold" not in text
    assert text.index("2 of 10 proofs do NOT hold.") < text.index("The day, hour by hour")
    assert "money_equal offender 0" in text
    assert "never_backwards offender 19" in text
    assert "and 11 more" in text
    assert "off by ₹1.00" in text


_NASTY = "</td></script><script>alert(1)</script><img src=x onerror='alert(2)'>\"'&amp;"


def _nasty(outcome: Outcome) -> Outcome:
    """Every text that is not a constant of ours says something terrible."""
    proofs = tuple(
        replace(
            one, name=f"{one.name}{_NASTY}", code=_NASTY, statement=_NASTY, holds=False, broken=1, offenders=(_NASTY,)
        )
        if one.name not in ("money_equal", "granted_once", "booked_once")
        else replace(one, statement=_NASTY, code=_NASTY, numbers={**one.numbers, _NASTY: 1}, offenders=(_NASTY,))
        for one in outcome.proofs
    )
    return replace(
        outcome,
        wrong={group: {_NASTY: 1} for group in outcome.wrong},
        found={_NASTY: 1},
        proofs=proofs,
        world=_NASTY,
    )


def test_nothing_that_is_shown_becomes_markup() -> None:
    """Not in text, not in attributes."""
    page = _Page(render(_nasty(good()), 1.0))
    assert "<script>alert(1)</script>" in page.text
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "style")]


@pytest.mark.parametrize("outcome", [good(), broken()], ids=["good", "broken"])
def test_the_page_needs_nothing_from_elsewhere(outcome: Outcome) -> None:
    """No script, no address, no import; and its own policy forbids them."""
    html = render(outcome, 1.0)
    assert not re.search(r"https?://|<script|<link|@import|url\(|\bsrc=|\bhref=", html)
    assert "default-src 'none'" in html
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    assert 'name="viewport"' in html


def test_a_day_on_which_nothing_happened_can_be_shown() -> None:
    """No bars, no findings, no kills: no division by nothing either."""
    quiet = replace(
        good(),
        wrong={group: {} for group in good().wrong},
        found={},
        repaired={},
        left={},
        crashes=(),
        hours=dict.fromkeys(good().hours, (0,)),
    )
    text = _Page(render(quiet, 0.0)).text
    assert "Nothing: every webhook that mattered came." in text
    assert "kill -9" not in text


def test_every_bar_stays_inside_its_chart() -> None:
    """Whatever the counts are; the shop closes after twelve hours, and the day may be longer."""
    for highest in (1, 2, 7, 99, 1234, 10**7):
        hours = {name: tuple(highest * (hour % 3) for hour in range(18)) for name in good().hours}
        html = render(replace(good(), hours=hours, crashes=(Crash(1.0, None),)), 1.0)
        bars = re.findall(r"<rect class=c\d x=([\d.]+) y=(-?[\d.]+) width=([\d.]+) height=([\d.]+)>", html)
        assert len(bars) > 50
        for x, y, width, height in (map(float, bar) for bar in bars):
            assert 0 <= x <= x + width <= 520
            assert 0 <= y <= y + height <= 151
        assert "closed" in html


def test_the_same_day_is_the_same_page() -> None:
    """Byte by byte."""
    assert render(good(), 3.0) == render(good(), 3.0)

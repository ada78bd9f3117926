"""`recover` on the command line: what is missing, what was made up for, exit codes."""

from __future__ import annotations

import pytest

from cli_shop import APP, Morning, Terminal, contents
from razorpay_hardened.errors import ReconcileBusy
from razorpay_hardened.reconcile import Recovery

RECOVER = ("recover", "--app", APP)
KEYS = {"run_id", "since", "until", "findings", "totals", "complete", "cursor", "resumed", "silence", "skipped"}


def outage(shop: Morning) -> str:
    """Two hours in which a sale is not heard of; gives its order."""
    shop.passes(3600)
    shop.deaf = True
    order, _ = shop.bought("user:21")
    shop.passes(7200)
    shop.deaf = False
    return order


def test_look_says_what_is_missing_and_its_exit_code_is_for_a_monitor(shop: Morning, working: Terminal) -> None:
    """0 and one line while all is well; 1, since when, and what to type, when it is not. Nothing is written."""
    said = working("recover", "--look", "--app", APP)
    assert said.code == 0
    assert "no webhooks are missing" in said.out
    outage(shop)
    before = contents(shop.url)
    said = working("recover", "--look", "--app", APP)
    assert said.code == 1
    assert "no webhook has come since 2026-01-05" in said.out
    assert "at least 1 captured payments and 0 refunds" in said.out
    assert "razorpay-hardened recover --app" in said.out
    told = working("recover", "--look", "--json", "--app", APP)
    assert told.code == 1
    assert told.json["silence"]["reason"] == "nothing_comes"
    assert contents(shop.url) == before


def test_recover_makes_up_for_it_and_says_what_fired(shop: Morning, working: Terminal) -> None:
    """Without any window; a second one finds nothing missing."""
    order = outage(shop)
    said = working(*RECOVER)
    assert said.code == 0
    assert "order.paid" in said.out
    assert "webhooks had not come again" in said.out
    assert "user:21" in shop.granted
    assert working("orders", "show", order, "--json").json["order"]["status"] == "paid"
    assert "poll" in working("explain", order).out
    again = working(*RECOVER, "--json").json
    assert again.keys() >= KEYS
    assert again["totals"]["milestones"] == {}


def test_a_window_may_be_given(shop: Morning, working: Terminal) -> None:
    """In people's time."""
    outage(shop)
    told = working(*RECOVER, "--since", "2026-01-05T10:00", "--json").json
    assert told["since"] == "2026-01-05T04:30:00+00:00"
    assert told["totals"]["milestones"]["order.paid"] >= 1
    assert working(*RECOVER, "--until", "2026-01-05T10:00").code == 0


def test_it_needs_the_application(shop: Morning, working: Terminal) -> None:
    """Handlers run: without them nothing does."""
    before = contents(shop.url)
    said = working("recover")
    assert said.code == 2
    assert "--app module:attribute" in said.err
    assert contents(shop.url) == before


@pytest.mark.parametrize("window", [("--since", "1h"), ("--until", "1h")])
def test_look_takes_no_window(working: Terminal, window: tuple[str, str]) -> None:
    """It says what is missing now."""
    said = working("recover", "--look", *window)
    assert said.code == 2
    assert "takes no window" in said.err


def test_a_limit_says_how_to_go_on(shop: Morning, working: Terminal) -> None:
    """And the next call does."""
    outage(shop)
    said = working(*RECOVER, "--limit", "1")
    assert "run it again to go on" in said.out
    assert "went on where an earlier recovery had stopped" in working(*RECOVER).out


def test_busy_is_exit_code_75(working: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a reconciliation that is at work elsewhere."""

    def busy(*_: object, **__: object) -> None:
        raise ReconcileBusy("run_x is running")

    monkeypatch.setattr(Recovery, "run", busy)
    said = working(*RECOVER)
    assert said.code == 75
    assert "run_x is running" in said.err

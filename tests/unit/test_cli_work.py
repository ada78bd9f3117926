"""``work``: a worker on the command line, and one run of it for cron."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cli_shop import APP, Shop, Terminal
from razorpay_hardened import Razorpay
from razorpay_hardened.effects import pause


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop whose handlers wait: effects were paused while two customers paid."""
    made = Shop(tmp_path)
    bought(made, "user:1", "user:2")
    monkeypatch.setitem(sys.modules, "shop_under_test", ModuleType("shop_under_test"))
    names(made.wired)
    yield made
    made.rzp.close()


def bought(shop: Shop, *owners: str) -> None:
    """These customers paid during a pause that is over: their handlers wait."""
    shop.rzp.pause(actor="asha")
    for owner in owners:
        shop.bought(owner)
    pause.end(shop.rzp.store, clock=shop.clock, bus=shop.rzp.signals, actor="asha", note=None)


def names(wired: Callable[[], Razorpay]) -> None:
    """What ``--app`` names from here on."""
    sys.modules["shop_under_test"].__dict__["wired"] = wired


@pytest.fixture
def working(shop: Shop, terminal: Any) -> Terminal:
    ready: Terminal = terminal(shop.environ())
    return ready


def test_without_the_application_nothing_runs(shop: Shop, working: Terminal) -> None:
    """A worker that knows no handlers would do nothing for ever."""
    said = working("work", "--once")
    assert said.code == 2
    assert "RAZORPAY_APP" in said.err
    assert shop.granted == []


def test_once_works_until_nothing_waits(shop: Shop, working: Terminal) -> None:
    """However small a round is; JSON has one line for each round that did something."""
    said = working("work", "--once", "--limit", "1", "--app", APP, "--json")
    assert (said.code, said.err) == (0, "")
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [line["ran"] for line in lines] == [2, 2]
    assert lines[0].keys() == {
        "at", "ran", "failed", "drained", "ignored", "paused", "orders_found", "orders_failed", "refunded", "left",
        "chores", "chores_failed", "missing",
    }  # fmt: skip
    assert sorted(shop.granted) == ["user:1", "user:2"]

    said = working("work", "--once", "--app", APP)
    assert (said.code, said.out, said.err) == (0, "", "")


def test_people_are_told_what_was_done(shop: Shop, working: Terminal) -> None:
    """One line with the time, and nothing about anybody."""
    said = working("work", "--once", "--app", APP)
    (line,) = said.out.splitlines()
    assert line.endswith("  4 handlers called")
    assert "user:" not in said.out


def test_a_handler_that_fails_is_told(shop: Shop, working: Terminal) -> None:
    """Exit code 1, so that cron's mail comes; the others were called."""
    bought(shop, "user:13")
    said = working("work", "--once", "--app", APP)
    assert said.code == 1
    assert "6 handlers called, 1 of them failed" in said.out
    assert sorted(shop.granted) == ["user:1", "user:2"]


def test_chores_are_done_and_told(shop: Shop, working: Terminal) -> None:
    """Those that fail make it exit code 1."""

    def wired() -> Razorpay:
        rzp = shop.wired()
        rzp.every(60, name="look")(lambda: None)
        rzp.every(60, name="broken")(lambda: 1 // 0)
        return rzp

    names(wired)
    said = working("work", "--once", "--app", APP)
    assert said.code == 1
    assert "4 handlers called, look done, broken failed" in said.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_after_the_handler_in_work(shop: Shop, working: Terminal, number: signal.Signals) -> None:
    """Exit code 0: it has done as it was told. What it had begun is done, and the rest waits."""
    before = signal.getsignal(number)

    class Signalling(list[str]):
        def append(self, owner: str) -> None:
            super().append(owner)
            os.kill(os.getpid(), number)

    shop.granted = Signalling()
    said = working("work", "--app", APP)
    assert (said.code, said.err) == (0, "")
    assert shop.granted == ["user:1"]
    assert signal.getsignal(number) == before
    assert len(shop.rzp.store.effects(states=("waiting",))) == 3


def test_a_second_signal_ends_it_at_once(shop: Shop, working: Terminal) -> None:
    """The handler is interrupted and its transaction undone: nothing was granted, and everything waits."""

    class Signalling(list[str]):
        def append(self, owner: str) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)

    shop.granted = Signalling()
    said = working("work", "--app", APP)
    assert said.code == 128 + signal.SIGTERM
    assert len(shop.rzp.store.effects(states=("waiting",))) == 4


@pytest.mark.parametrize("argv", [("--idle", "0"), ("--limit", "0"), ("--housekeeping", "0"), ("--idle", "nan")])
def test_times_and_limits_that_make_no_sense_are_refused(working: Terminal, argv: tuple[str, str]) -> None:
    """Exit code 2, and nothing has run."""
    assert working("work", *argv, "--app", APP).code == 2

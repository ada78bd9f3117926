"""Fixtures of the command line's tests: a shop's bad morning, and a terminal to look at it with; and desks."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cli_shop import Morning, Terminal
    from support.desk import Desk

APP = "shop_under_test"


@pytest.fixture(scope="session")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Morning:
    """What happened, for tests that only look. It is told once in a process."""
    from cli_shop import Morning

    return Morning(tmp_path_factory.mktemp("morning"))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Terminal]:
    """``terminal(environ)``: runs commands in this process, in an environment with nothing else of ours in it."""
    from cli_shop import Terminal

    def make(environ: dict[str, str]) -> Terminal:
        for name in [name for name in os.environ if name.startswith("RAZORPAY_")] + ["COLUMNS", "NO_COLOR"]:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("RAZORPAY_STORE_URL", "")  # so that what a command sets is taken back
        monkeypatch.delenv("RAZORPAY_STORE_URL")
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return Terminal(capfd, monkeypatch)

    return make


@pytest.fixture
def looking(morning: Morning, terminal: Callable[..., Terminal]) -> Terminal:
    """A terminal on the morning's store; nothing may be changed there."""
    return terminal({"RAZORPAY_STORE_URL": morning.url})


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Morning]:
    """A morning of one's own, whose application is ``shop_under_test:wired``: for tests that change it."""
    from cli_shop import Morning

    own = Morning(tmp_path)
    module = ModuleType(APP)
    module.__dict__["wired"] = own.wired
    monkeypatch.setitem(sys.modules, APP, module)
    yield own
    own.rzp.close()


@pytest.fixture
def working(shop: Morning, terminal: Callable[..., Terminal]) -> Terminal:
    """A terminal in that shop's environment; ``RAZORPAY_APP`` is not set."""
    return terminal(shop.environ())


@pytest.fixture
def idle(morning: Morning, terminal: Callable[..., Terminal], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """The same on the morning that all tests share: for what must not change anything."""
    module = ModuleType(APP)
    module.__dict__["wired"] = morning.wired
    monkeypatch.setitem(sys.modules, APP, module)
    return terminal(morning.environ())


@pytest.fixture
def copied(morning: Morning, tmp_path: Path) -> Path:
    """A copy of the morning's store, to be spoilt."""
    path = tmp_path / "copy.db"
    shutil.copyfile(morning.url.removeprefix("sqlite:///"), path)
    return path


@pytest.fixture
def make() -> Iterator[Callable[..., Desk]]:
    """``make(RAZORPAY_SURPLUS="refund")``: a shop and its emulated Razorpay, with these settings."""
    from support.desk import Desk

    made: list[Desk] = []

    def desk(**options: str) -> Desk:
        made.append(Desk(options=options))
        return made[-1]

    yield desk
    for one in made:
        one.rz.close()

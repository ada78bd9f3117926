"""The commands that keep a store: pausing, retention, backup."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cli_shop
from razorpay_hardened.cli import main

SHOP: list[cli_shop.Shop] = []


def app() -> Any:
    """What ``--app`` names: the shop of the running test, wired anew as a process does it."""
    return SHOP[-1].wired()


APP = ("--app", f"{__name__}:app")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[cli_shop.Shop]:
    """A shop whose store the commands work on."""
    made = cli_shop.Shop(tmp_path)
    for name, value in made.environ().items():
        monkeypatch.setenv(name, value)
    SHOP.append(made)
    yield made
    SHOP.pop()
    made.rzp.close()


def told(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> Any:
    """What a command prints with --json."""
    assert main([*argv, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_pausing_and_resuming(shop: cli_shop.Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """pause needs no application; its state is shown where people look; resume calls what waited."""
    assert told(capsys, "pause", "--note", "bad deploy", "--actor", "asha")["paused"]["actor"] == "asha"
    shop.bought("user:1")
    assert shop.granted == []
    status = told(capsys, "db", "status")
    assert (status["paused"]["actor"], status["paused"]["note"]) == ("asha", "bad deploy")
    assert told(capsys, "events", "list", "--state", "done")["paused"]["actor"] == "asha"
    assert main(["db", "status"]) == 0
    assert "by asha: bad deploy" in capsys.readouterr().out
    ended = told(capsys, "resume", *APP)
    assert (ended["ended"]["actor"], ended["ran"], ended["failed"], ended["left"]) == ("asha", 2, 0, 0)
    assert shop.granted == ["user:1"]
    assert told(capsys, "db", "status")["paused"] is None


def test_resume_needs_the_application(shop: cli_shop.Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """It calls handlers: without them nothing happens, and the pause stays."""
    assert main(["pause"]) == 0
    assert main(["resume"]) == 2
    assert "--app" in capsys.readouterr().err
    assert shop.rzp.paused is not None


def test_a_handler_that_fails_is_an_exit_code(shop: cli_shop.Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """And the count of what waits."""
    assert main(["pause"]) == 0
    shop.bought("user:13")
    capsys.readouterr()
    ended = told(capsys, "resume", *APP, code=1)
    assert (ended["failed"], ended["left"]) == (1, 1)
    assert main(["resume", *APP]) == 1
    assert "it was not paused" in capsys.readouterr().out

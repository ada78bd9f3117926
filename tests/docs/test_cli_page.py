"""The command line's page is complete: every command, option, default, choice and exit code, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from docs.pages import ROOT
from razorpay_hardened.cli._run import BUSY, FAILED, USAGE
from razorpay_hardened.domain.lifecycle import ORDER_RANK, PAYMENT_RANK

TEXT = (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with the words that name it; the root is that without any."""
    from razorpay_hardened.cli._root import program

    root: Any = typer.main.get_command(program())
    waiting: list[tuple[str, Any]] = list(root.commands.items())
    yield "", root
    while waiting:
        path, command = waiting.pop()
        children = getattr(command, "commands", None)
        if children is None:
            yield path, command
        else:
            waiting += [(f"{path} {name}", child) for name, child in children.items()]


COMMANDS = dict(commands())


def section(command: str) -> str:
    """The text under a command's heading; the root's options stand under what holds for all."""
    heading = f"## `{command}`" if command else "## What holds for all of them"
    _, found, rest = TEXT.partition(f"\n{heading}\n")
    assert found, f"the page has no section {heading}"
    return rest.partition("\n## ")[0]


def rows(command: str) -> dict[str, list[str]]:
    """The rows of a section's table by the name of the option or argument, without its value's name."""
    lines = [line for line in section(command).splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {one[0].strip("`").split(" ")[0]: one for one in cells}


def test_every_command_has_a_section_and_no_section_is_too_many() -> None:
    """In both directions."""
    told = set(re.findall(r"^## `([a-z ]+)`$", TEXT, re.M))
    assert told == COMMANDS.keys() - {""}
    assert len(told) > 12


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_told_with_its_default(command: str) -> None:
    """And none that is not there; a value that must be given has its name."""
    told = rows(command)
    real = {}
    for one in COMMANDS[command].params:
        is_option = one.opts[0].startswith("-")
        real[one.opts[0] if is_option else (one.metavar or one.name.upper())] = one
    assert told.keys() == real.keys()
    for name, one in real.items():
        default = told[name][1].strip("`")
        if one.envvar:
            assert default == one.envvar
        elif isinstance(one.default, (str, int, float)) and not isinstance(one.default, bool):
            assert default == str(one.default), f"{command} {name}"
        if name.startswith("-") and one.metavar:
            assert told[name][0] == f"`{name} {one.metavar}`"


def test_every_status_that_can_be_asked_for_is_told() -> None:
    """Those of the law."""
    for command, names in (("orders list", ORDER_RANK), ("payments list", PAYMENT_RANK)):
        assert re.findall(r"`([a-z_]+)`", rows(command)["--status"][2]) == list(names)
    help_text = next(one for one in COMMANDS["events list"].params if "--state" in one.opts).help
    told = re.findall(r"`([a-z_]+)`", rows("events list")["--state"][2])
    assert ", ".join(told) in help_text


def test_every_exit_code_is_told() -> None:
    """0, those of the program, and those of signals and a closed pipe."""
    told = set(re.findall(r"^\| `(\d+)` \|", TEXT, re.M))
    assert told == {str(code) for code in (0, FAILED, USAGE, BUSY, 128 + 2, 128 + 13, 128 + 15)}

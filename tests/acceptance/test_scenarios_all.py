"""Every scenario row that the emulator can be asked for is staged, or says why not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_ROOT = _HERE.parent.parent
_CATALOGUE = _ROOT.parent / "shared" / "razorpay" / "SCENARIOS.md"
_PAGE = _ROOT / "docs" / "reference" / "emulator-scenarios.md"
_RANGE = re.compile(r"([A-Z]+-)([0-9]+)…\1([0-9]+)")


def _ids(text: str) -> list[str]:
    """The ids in a cell of the catalogue, or in an argument of ``@scenario``: one, or a range."""
    text = re.sub(r" \(.*", "", text)
    if found := _RANGE.fullmatch(text):
        stem, first, last = found.groups()
        return [f"{stem}{number:0{len(first)}}" for number in range(int(first), int(last) + 1)]
    return [text]


def _rows(text: str, cells: int) -> list[list[str]]:
    lines = (line for line in text.splitlines() if line.startswith("| "))
    split = ([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|\n"))] for line in lines)
    return [row for row in split if len(row) == cells]


def _asked_for() -> set[str]:
    """The ids of the catalogue that are marked Y, F or C."""
    if not _CATALOGUE.exists():
        pytest.skip("the catalogue of scenarios is not beside the project: which rows are staged was not checked")
    rows = _rows(_CATALOGUE.read_text("utf-8"), 11)
    return {one for row in rows if row[9] in ("Y", "F", "C") for one in _ids(row[1])}


def _staged() -> dict[str, list[str]]:
    """Which tests stage an id, read from their source: whatever was selected, the whole is judged."""
    found: dict[str, list[str]] = {}
    for path in sorted(_HERE.glob("test_scenarios_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            for decorator in getattr(node, "decorator_list", ()):
                if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "scenario":
                    assert isinstance(node, ast.FunctionDef)
                    assert node.name.startswith("test_"), node.name
                    for text in (ast.literal_eval(argument) for argument in decorator.args):
                        for one in _ids(text):
                            found.setdefault(one, []).append(f"{path.name}::{node.name}")
    return found


def _listed(heading: str) -> list[str]:
    """The ids in the table under this heading; each row says what is missing and why."""
    section = _PAGE.read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = _rows(section, 3)[2:]
    assert all(all(cells) for cells in rows)
    return [cells[0].strip("`") for cells in rows]


def test_every_row_is_staged_or_listed() -> None:
    """A row marked Y, F or C has a test, or stands in the table of those that cannot be staged."""
    missing = _asked_for() - set(_staged()) - set(_listed("Cannot be staged"))
    assert sorted(missing) == []


def test_nothing_is_staged_that_is_not_in_the_catalogue() -> None:
    """An id that no row has is a slip of the pen."""
    assert sorted(set(_staged()) - _asked_for()) == []


def test_tables_are_true() -> None:
    """What cannot be staged has no test, what is staged in part has one, and no id is told twice."""
    never, partly = _listed("Cannot be staged"), _listed("Staged in part")
    staged = _staged()

    assert [one for one in never if one in staged] == []
    assert [one for one in partly if one not in staged] == []
    assert len({*never, *partly}) == len([*never, *partly])


def test_tables_name_rows_of_the_catalogue() -> None:
    """Both tables speak of rows marked Y, F or C only."""
    named = {*_listed("Cannot be staged"), *_listed("Staged in part")}
    assert sorted(named - _asked_for()) == []

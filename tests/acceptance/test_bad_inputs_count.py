"""How many listed inputs the tables hold: a table that loses its rows is found out."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

_HERE = Path(__file__).parent
TABLES = {
    "signature": ("ROWS", "CORE_ROWS"),
    "checkout": ("FORMS", "ANSWERS", "FAILURES"),
    "body": ("ROWS", "HEAD_ROWS"),
    "headers": ("ROWS",),
    "amounts": ("ROWS",),
    "config": ("ROWS",),
    "answers": ("ROWS",),
}
AT_LEAST = 240


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"counted_{name}", _HERE / f"test_bad_inputs_{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _ids(name: str) -> list[str]:
    module = _module(name)
    return [getattr(row, "id", row) for table in TABLES[name] for row in getattr(module, table)]


def test_at_least_240_listed_inputs() -> None:
    """All tables together; the flipped bits and the generated inputs are not counted."""
    assert sum(len(_ids(name)) for name in TABLES) >= AT_LEAST


@pytest.mark.parametrize("name", TABLES)
def test_every_row_has_a_name_of_its_own(name: str) -> None:
    """A report of a failure leads to one input."""
    ids = _ids(name)
    assert len(set(ids)) == len(ids)

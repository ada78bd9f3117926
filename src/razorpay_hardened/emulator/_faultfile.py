"""Fault rules in a TOML file, for people who keep their bad days under version control.

    rules = [
      "on POST /orders: do_then_hang(5) once",
    ]

    [[fault]]
    on = "EVENT payment.captured"
    do = "late"
    argument = 7200
    times = 3                            # or percent = 10; without either, always
    each = true

Both spellings mean the same and may stand together; ``rules`` come first.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from razorpay_hardened.errors import ConfigError

__all__ = ["read"]

_KEYS = {"on", "do", "argument", "times", "percent", "each"}


def read(path: str | os.PathLike[str]) -> list[str]:
    """The rules in the file, one line each. Raises :class:`ConfigError` with the place of the mistake."""
    try:
        found = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the fault file {os.fspath(path)}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the fault file {os.fspath(path)} is not TOML: {error}") from error
    rules, tables = found.pop("rules", []), found.pop("fault", [])
    if found:
        raise ConfigError(f"a fault file has 'rules' and [[fault]] tables; not {', '.join(sorted(found))}")
    if not (isinstance(rules, list) and all(isinstance(one, str) for one in rules)):
        raise ConfigError("'rules' in a fault file is a list of lines, such as 'on POST /orders: 500 once'")
    if not (isinstance(tables, list) and all(isinstance(one, dict) for one in tables)):
        raise ConfigError("faults in a fault file are tables: write [[fault]]")
    return [*rules, *(_line(number, table) for number, table in enumerate(tables, 1))]


def _line(number: int, table: dict[str, Any]) -> str:
    """A table as a line of the language."""
    where = f"[[fault]] number {number}"
    if unknown := sorted(table.keys() - _KEYS):
        raise ConfigError(f"{where} knows {', '.join(sorted(_KEYS))}; not {', '.join(unknown)}")
    if not (isinstance(table.get("on"), str) and isinstance(table.get("do"), str)):
        raise ConfigError(f"{where} needs 'on' and 'do', such as on = \"POST /orders\" and do = \"500\"")
    if "times" in table and "percent" in table:
        raise ConfigError(f"{where} has 'times' or 'percent', not both")
    for key in ("argument", "times", "percent"):
        if key in table and type(table[key]) not in ((int,) if key == "times" else (int, float)):
            raise ConfigError(f"'{key}' of {where} is a number")
    if type(table.get("each", False)) is not bool:
        raise ConfigError(f"'each' of {where} is true or false")
    argument = f"({table['argument']})" if "argument" in table else ""
    often = f" {table['times']} times" if "times" in table else f" {table['percent']}%" if "percent" in table else ""
    return f"on {table['on']}: {table['do']}{argument}{often}{' each' if table.get('each') else ''}"

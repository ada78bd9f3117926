"""The SQL of keeping: switches. Mixed into the transaction and the reader of every SQL store.

A module of its own because none of it is on the path of a payment, except the one look at the switches.
"""

from __future__ import annotations

from typing import Any

from razorpay_hardened.ports.store import Switch
from razorpay_hardened.storage._rows import Row, Rows
from razorpay_hardened.storage._statements import Statements

__all__ = ["KeepingReader", "KeepingTransaction"]

_SWITCHES = "SELECT name, at, actor, note FROM razorpay_switches"
_PUT_SWITCH = (
    "INSERT INTO razorpay_switches (name, at, actor, note) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (name) DO UPDATE SET at = excluded.at, actor = excluded.actor, note = excluded.note"
)
_DROP_SWITCH = "DELETE FROM razorpay_switches WHERE name = ?"


def _switches(found: list[Any], rows: Rows) -> dict[str, Switch]:
    return {row[0]: Switch(row[0], rows.moment(row[1]), row[2], row[3]) for row in found}


class KeepingTransaction:
    """See :class:`razorpay_hardened.ports.store.SwitchWork`."""

    _rows: Rows
    _sql: Statements

    def _run(self, sql: str, parameters: Row = ()) -> int:
        raise NotImplementedError

    def _all(self, sql: str, parameters: Row = ()) -> list[Any]:
        raise NotImplementedError

    def _text(self, sql: str) -> str:
        mark = self._sql.placeholder
        return sql if mark == "?" else sql.replace("?", mark)

    def switches(self) -> dict[str, Switch]:
        """All switches by name: one small table, one statement."""
        return _switches(self._all(_SWITCHES), self._rows)

    def put_switch(self, switch: Switch) -> None:
        """Insert or replace by name."""
        at = self._rows.time(switch.at)
        self._run(self._text(_PUT_SWITCH), (switch.name, at, switch.actor, switch.note))

    def drop_switch(self, name: str) -> None:
        """Take a switch away."""
        self._run(self._text(_DROP_SWITCH), (name,))


class KeepingReader:
    """The same, outside of any transaction."""

    _rows: Rows

    def _read(self, sql: str, parameters: Row) -> list[Any]:
        raise NotImplementedError

    def switches(self) -> dict[str, Switch]:
        """All switches by name."""
        return _switches(self._read(_SWITCHES, ()), self._rows)

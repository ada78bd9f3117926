"""Runs ``on`` handlers inside the transaction, a savepoint each.

A handler that raises loses its own writes and nothing else: state, audit and its waiting row commit all the same, and
the row remembers the attempt (DESIGN section 2, idea 3).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from razorpay_hardened.domain.state import OrderState
from razorpay_hardened.effects.change import Row, change_from
from razorpay_hardened.effects.failure import is_put_off, judge
from razorpay_hardened.effects.registry import Handler, Registry
from razorpay_hardened.errors import StorageConflict, TransactionMisuse
from razorpay_hardened.ports.store import EffectRow, Transaction

__all__ = ["Attempt", "Found", "HandlerMisuse", "run_inline"]

Found = Callable[[EffectRow], tuple[Row, OrderState | None]]
"""The rows that an effect is about, as they are now."""


class Attempt(NamedTuple):
    """What became of one effect. ``attempts`` is the number of this try, from 1. ``error`` is the exception, or None;
    ``ran`` is false where an elder one of the same handler on the same order still waits, where the handler has put it
    off until later, or where this process does not have the handler."""

    row: EffectRow
    state: str
    attempts: int
    ran: bool = True
    error: Exception | None = None


class HandlerMisuse(TransactionMisuse):
    """Which effect's handler it was, and when. For the callers of :func:`run_inline`; to others it is its base."""

    def __init__(self, row: EffectRow, at: datetime, error: TransactionMisuse) -> None:
        super().__init__(f"{row.handler}: {error.message}")
        self.row = row
        self.at = at
        self.error = error

    @property
    def code(self) -> str:
        return self.error.code

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.row, self.at, self.error))


def run_inline(
    tx: Transaction,
    rows: Iterable[EffectRow],
    registry: Registry,
    found: Found,
    now: datetime,
    *,
    redelivered: bool = True,
    due_by: datetime | None = None,
    paused_until: datetime | None = None,
) -> list[Attempt]:
    """Try the waiting ``on`` effects in order of age; with ``due_by``, leave those that are not due by then. What its
    handler has put off is left until its time in any case.

    ``paused_until`` is when the last pause ended, if ever.

    Never raises for a handler's ``Exception``; whatever else a handler raises (``SystemExit``, ``KeyboardInterrupt``)
    goes up and rolls the transaction back.
    """
    attempts: list[Attempt] = []
    held_up: set[tuple[str, str]] = set()
    for row in rows:
        line = (row.anchor, row.handler)
        handler = registry.find(row.milestone, row.handler)
        too_early = (due_by is not None and row.due_at > due_by) or is_put_off(row, now)
        if handler is None or too_early or line in held_up:
            held_up.add(line)
            attempts.append(Attempt(row, "waiting", row.attempts, ran=False))
            continue
        attempt = _try(tx, row, handler, found, now, redelivered, paused_until)
        if attempt.state == "waiting":
            held_up.add(line)
        attempts.append(attempt)
    return attempts


def _try(
    tx: Transaction,
    row: EffectRow,
    handler: Handler,
    found: Found,
    now: datetime,
    redelivered: bool,
    paused_until: datetime | None,
) -> Attempt:
    tried = row.attempts + 1
    try:
        change = change_from(row, *found(row))
        with tx.savepoint():
            _refuse_coroutine(handler.function(change, Writes(tx)))
    except StorageConflict:
        raise  # the transaction itself is gone: there is nothing left to record in
    except TransactionMisuse as error:
        raise HandlerMisuse(row, now, error) from error  # as is this one: see the module misuse
    except Exception as error:  # noqa: BLE001 - the handler is the application's: whatever it raises is its failure
        judged = judge(error, row, now, redelivered=redelivered, paused_until=paused_until)
        tx.finish_effect(row, judged.state, attempts=judged.attempts, due_at=judged.due_at, error=judged.error)
        return Attempt(row, judged.state, tried, error=error)
    tx.finish_effect(row, "done", attempts=tried, due_at=now)
    return Attempt(row, "done", tried)


def _refuse_coroutine(result: object) -> None:
    """A function that is not async may give a coroutine all the same: nobody would await it, and nothing be done."""
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError("a handler inside the transaction cannot be async; use after()")


class Writes:
    """The part of a transaction that a handler sees."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    @property
    def connection(self) -> Any:
        return self._tx.connection

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
        return self._tx.execute(sql, parameters)

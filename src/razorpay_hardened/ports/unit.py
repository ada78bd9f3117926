"""A unit of work: a function that is run in a transaction, and again where the database says so."""

from __future__ import annotations

from collections.abc import Callable
from random import uniform
from typing import Final, TypeVar

from razorpay_hardened.clock import Clock, SystemClock
from razorpay_hardened.errors import StorageConflict
from razorpay_hardened.ports.store import Store, Transaction

__all__ = ["ATTEMPTS", "BUDGET_S", "transact"]

T = TypeVar("T")

ATTEMPTS: Final = 5
BUDGET_S: Final = 4.0
"""Razorpay waits 5 s for an answer: no attempt is begun later than this after the first (FAULTS D4)."""

_PAUSE_S: Final = 0.005


def transact(store: Store, work: Callable[[Transaction], T], *, durable: bool = False, clock: Clock | None = None) -> T:
    """What ``work`` gives, once its transaction has committed.

    ``work`` is run again from its start, five times at most, where the database undid it because of another
    transaction (a serialization failure, a deadlock): so it must change nothing but the transaction, and read all that
    it decides on through it. ``durable``: see :meth:`Store.transaction`. Raises :class:`StorageConflict` when the last
    attempt was undone too, and whatever ``work`` raises.
    """
    clock = clock or SystemClock()  # waiting for a database is real time, whatever the application's clock says
    begun = clock.monotonic()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with store.transaction(durable=durable) as tx:
                return work(tx)
        except StorageConflict:
            if attempt == ATTEMPTS or clock.monotonic() - begun >= BUDGET_S:
                raise
            clock.sleep(uniform(0, _PAUSE_S * 2**attempt))  # noqa: S311 - no secret: two that met must not meet again
    raise AssertionError("unreachable: the last attempt returns or raises")

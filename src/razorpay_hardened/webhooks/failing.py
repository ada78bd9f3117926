"""Razorpay's 24-hour clock: how long the endpoint has failed, told while there is still time.

An endpoint whose answers have not been 2xx for 24 hours is switched off, until somebody switches it on again (FACTS
section 10). Two views of that, because neither sees everything:

- :class:`Failing`, in the process that answers: since when has no rightly signed delivery got a 2xx? It also sees what
  could not be stored (503), and forgets with the process.
- :func:`late_deliveries`, from the store: a delivery that waits for its handler gets 500 each time, whatever the others
  get. ``process_pending`` looks at them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, NamedTuple

from razorpay_hardened.clock import Clock
from razorpay_hardened.effects.change import delivery_of
from razorpay_hardened.ports.store import InboxRow, Reader
from razorpay_hardened.signals import Bus

__all__ = ["WARN_AFTER", "Failing", "Late", "late_deliveries", "warn_of_waiting"]

WARN_AFTER: Final = (timedelta(hours=12), timedelta(hours=20))
"""When a person is told: with half a day left, and with an evening left."""
_LOOKED_AT: Final = 50
"""Waiting deliveries that are looked at, the oldest first: one is enough to be switched off."""


class _Since(NamedTuple):
    """When a streak of failures began: for people, and for measuring."""

    at: datetime
    monotonic: float


class Failing:
    """The answers of one process to rightly signed deliveries. Safe from several threads.

    It speaks when an answer fails, never for time that only passed: after one failure and a quiet night nobody knows
    that the next would fail.
    """

    def __init__(self, clock: Clock, bus: Bus) -> None:
        self._clock = clock
        self._bus = bus
        self._lock = Lock()
        self._since: _Since | None = None

    def answered(self, status: int) -> None:
        """Count one answer: a 2xx ends the streak, anything else begins or prolongs it."""
        if 200 <= status < 300:
            self._since = None
            return
        with self._lock:
            since = self._since = self._since or _Since(self._clock.now(), self._clock.monotonic())
        lasted = timedelta(seconds=self._clock.monotonic() - since.monotonic)  # a wall clock may jump
        begun = f"{since.at:%Y-%m-%dT%H:%M:%SZ}"
        for hours in _passed(lasted):
            self._bus.alarm(f"failing:{hours}h:{begun}", "endpoint_failing", _advice(f"no 2xx since {begun}", hours))


class Late(NamedTuple):
    """A delivery that has been answered 500 for ``age``, because ``handler`` fails."""

    row: InboxRow
    age: timedelta
    handler: str


def late_deliveries(store: Reader, now: datetime) -> Iterator[Late]:
    """Deliveries whose handler still fails after 12 hours or more, by the earlier of first sight and signed time."""
    for row in store.deliveries(states=("waiting",), limit=_LOOKED_AT):
        age = now - min(row.received_at, row.created_at or row.received_at)
        # One whose handler has run since gets its 200 at the next redelivery.
        if age >= WARN_AFTER[0] and (handler := _waits_for(store, row)) is not None:
            yield Late(row, age, handler)


def _waits_for(store: Reader, row: InboxRow) -> str | None:
    effects = store.effects(states=("waiting",), mode="on", anchor=row.anchor) if row.anchor is not None else []
    return next((effect.handler for effect in effects if delivery_of(effect) == row.digest), None)


def warn_of_waiting(store: Reader, now: datetime, bus: Bus) -> None:
    """Tell a person of each, once at 12 hours and once at 20."""
    for late in late_deliveries(store, now):
        for hours in _passed(late.age):
            what = f"handler {late.handler} fails for delivery {late.row.digest}"
            bus.alarm(f"failing:{hours}h:{late.row.digest}", "delivery_failing", _advice(what, hours))


def _passed(lasted: timedelta) -> list[int]:
    return [int(mark / timedelta(hours=1)) for mark in WARN_AFTER if lasted >= mark]


def _advice(what: str, hours: int) -> str:
    return f"{what}: for {hours} hours and more; Razorpay switches a webhook off after 24"

"""The only place that asks what time it is.

Wall-clock times are aware ``datetime`` values in UTC; they are for records and for people. Waiting and deadlines
use the monotonic clock, so that a wall clock that jumps changes nothing (FAULTS A12, T1).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["AsyncClock", "Clock", "FrozenClock", "SystemClock", "from_unix", "to_unix"]


class Clock(Protocol):
    """Where time comes from. Pass your own to make time stand still in tests."""

    def now(self) -> datetime:
        """The wall-clock time: aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards; only differences mean anything."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait. Only the client's back-off, the worker loop and the wait for SQLite's write lock may."""
        ...


class AsyncClock(Clock, Protocol):
    """A clock that the asynchronous client can wait with."""

    async def sleep_async(self, seconds: float) -> None:
        """Wait, and let the event loop go on."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Wait, and let the event loop go on."""
        import asyncio  # a process without one does not pay for it

        await asyncio.sleep(seconds)


class FrozenClock:
    """A clock that moves only when told, for tests and simulations. ``sleep`` advances it and returns at once."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """The same for the asynchronous client."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set(self, now: datetime) -> None:
        """Jump the wall clock to ``now`` (aware); the monotonic clock does not notice."""
        self._now = now.astimezone(UTC)


def from_unix(seconds: int) -> datetime:
    """Razorpay's timestamps are Unix seconds (FACTS section 1)."""
    return datetime.fromtimestamp(seconds, UTC)


def to_unix(moment: datetime) -> int:
    """An aware ``datetime`` as Unix seconds; a naive one is refused, because its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError("give an aware datetime, for example datetime(2026, 1, 1, tzinfo=UTC)")
    return int(moment.timestamp())

"""The world's own time. It stands still until somebody advances it, and then everything due happens in order."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from razorpay_hardened.errors import ConfigError

__all__ = ["VirtualClock"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_Plan = tuple[int, int, Callable[[], None]]


class VirtualClock:
    """Aware UTC time in whole milliseconds. Fits wherever the library takes a clock: ``sleep`` advances it.

    ``start`` is aware; a naive one is :class:`ConfigError`. ``lock`` is the world's: what is planned *inside* runs
    while holding it (the bank answers, a refund settles); what is planned *outside* runs without it (webhooks call
    the customer's code, which may well call back).
    """

    def __init__(self, start: datetime, lock: threading.RLock) -> None:
        if start.tzinfo is None:
            raise ConfigError(
                "the emulator's start must be an aware datetime, such as datetime(2026, 1, 5, tzinfo=UTC)"
            )
        self._start_ms = self._ms = (start - _EPOCH) // timedelta(milliseconds=1)
        self._lock = lock
        self._inside: list[_Plan] = []
        self._outside: list[_Plan] = []
        self._sequence = itertools.count()
        self._here = threading.local()

    @property
    def ms(self) -> int:
        """Milliseconds since 1970."""
        return self._ms

    def unix(self) -> int:
        """Whole Unix seconds, as Razorpay's ``created_at`` has them."""
        return self._ms // 1000

    def now(self) -> datetime:
        """The time as an aware ``datetime`` in UTC."""
        return _EPOCH + timedelta(milliseconds=self._ms)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return (self._ms - self._start_ms) / 1000

    def sleep(self, seconds: float) -> None:
        """Advance instead of waiting."""
        self.advance(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Advance instead of waiting. What falls due, webhooks included, happens before it returns."""
        self.advance(seconds)

    def plan(self, due_ms: int, action: Callable[[], None], *, outside: bool = False) -> None:
        """Let ``action`` happen when the clock passes ``due_ms``; never before the next advance."""
        with self._lock:
            heapq.heappush(self._outside if outside else self._inside, (due_ms, next(self._sequence), action))

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` (zero or more) pass; whatever falls due happens in the order of its time.

        Called from within a webhook delivery it moves time and the bank, but starts no further delivery: the one
        that is running goes on first.
        """
        if seconds < 0:
            raise ConfigError("time only moves forward")
        with self._lock:
            until = self._ms + round(seconds * 1000)
        nested = getattr(self._here, "delivering", False)
        while (action := self._next(until, nested)) is not None:
            self._here.delivering = True
            try:
                action()
            finally:
                self._here.delivering = nested

    def _next(self, until: int, nested: bool) -> Callable[[], None] | None:
        """Run what is inside; return the next thing that must run outside, or None when ``until`` is reached."""
        with self._lock:
            while True:
                inside_due = self._inside[0][0] if self._inside else until + 1
                outside_due = self._outside[0][0] if self._outside and not nested else until + 1
                if min(inside_due, outside_due) > until:
                    self._ms = max(self._ms, until)
                    return None
                queue = self._inside if inside_due <= outside_due else self._outside
                due, _, action = heapq.heappop(queue)
                self._ms = max(self._ms, due)
                if queue is self._outside:
                    return action
                action()

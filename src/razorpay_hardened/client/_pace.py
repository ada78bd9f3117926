"""A pace for bulk reads (listings, ``iter``, reconciliation): a nightly run must not use up the account's limit.

Razorpay publishes no number for its limit (FACTS section 4), so the pace is a ceiling of our own that gives way: it is
halved when Razorpay answers 429, and recovers slowly (additive increase, multiplicative decrease). Nothing here waits:
:meth:`Pace.reserve` gives a place and says how long to wait for it, and the caller, synchronous or not, waits where it
likes, outside every lock.

    wait = pace.reserve()
    while wait:
        sleep(wait)
        wait = pace.again()

It is the generic cell rate algorithm: one number, the time at which the next place would be due at an even pace.
Places are given in the order in which they were asked for. The law, for any window of time:

    places <= burst + per_s * seconds
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from razorpay_hardened.client._lock import ShortLock
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.clock import Clock

__all__ = ["FLOOR", "QUIET_S", "RECOVERY_PER_S", "Pace"]

RECOVERY_PER_S: Final = 0.02
"""The part of ``per_s`` that is won back in each second without a 429: from a half to the whole in 25 s."""
FLOOR: Final = 1 / 32
"""The part of ``per_s`` below which nothing slows it."""
QUIET_S: Final = 1.0
"""Refusals within this time of one that halved the pace are about the same moment, and halve it no further."""

_ULP_S: Final = 1e-6  # a sleep ends when it should, give or take the rounding of adding two floats


class Pace:
    """At most ``per_s`` places a second, and at most ``burst`` at once after a pause. Safe between threads and forks.

    ``per_s`` is a number above 0 and ``burst`` at least 1; anything else is :class:`ConfigError`.
    """

    __slots__ = ("_clock", "_due", "_held_until", "_lock", "_per_s", "_rate", "_rate_at", "_slack", "_slowed_at")

    def __init__(self, clock: Clock, per_s: float, burst: int = 1) -> None:
        if not math.isfinite(per_s) or per_s <= 0:
            raise ConfigError("the pace must be a finite number of calls a second, above 0")
        if type(burst) is not int or burst < 1:
            raise ConfigError("the burst must be an int, 1 or more")
        now = clock.monotonic()
        self._clock = clock
        self._lock = ShortLock()
        self._per_s = per_s
        self._slack = (burst - 1) / per_s
        """How much earlier than due a place may be, in seconds."""
        self._due = now
        self._held_until = now
        self._rate = per_s
        self._rate_at = now
        self._slowed_at = -math.inf

    def reserve(self, limit_s: float = math.inf) -> float:
        """Take the next place: the seconds to wait for it, 0.0 to go ahead.

        A wait above ``limit_s``, which is what the caller has left, takes no place.
        """
        now = self._clock.monotonic()
        with self._lock:
            return self._take(now, limit_s)

    def again(self, limit_s: float = math.inf) -> float:
        """To be asked after the wait: 0.0 to go ahead, or more seconds, because Razorpay asked everybody to wait since.

        A place that fell into such a time is gone; this takes another, behind those that are still good.
        """
        now = self._clock.monotonic()
        with self._lock:
            return 0.0 if now + _ULP_S >= self._held_until else self._take(now, limit_s)

    def slower(self, retry_after_s: float | None = None) -> None:
        """Razorpay answered 429: half the pace from now on, and no place before ``retry_after_s`` seconds are over.

        Whatever had been saved up for a burst is gone too.
        """
        now = self._clock.monotonic()
        with self._lock:
            if now - self._slowed_at >= QUIET_S:
                self._rate = max(self._per_s * FLOOR, self._rate_now(now) / 2)
                self._slowed_at = now
            self._held_until = max(self._held_until, now + (retry_after_s or 0.0))
            self._rate_at = max(self._rate_at, self._held_until)
            self._due = max(self._due, self._held_until + self._slack)

    def rate(self) -> float:
        """Places a second at this moment; for gauges."""
        now = self._clock.monotonic()
        with self._lock:
            return self._rate_now(now)

    def _take(self, now: float, limit_s: float) -> float:
        at = max(now, self._held_until, self._due - self._slack)
        wait = at - now
        if wait <= limit_s:
            self._due = max(self._due, at) + 1 / self._rate_now(now)
        return wait

    def _rate_now(self, now: float) -> float:
        won_back = max(0.0, now - self._rate_at) * RECOVERY_PER_S * self._per_s
        return min(self._per_s, self._rate + won_back)

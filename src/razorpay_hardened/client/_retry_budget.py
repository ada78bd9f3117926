"""A budget for retries, so that an outage is not answered with a multiple of the traffic that it cannot carry.

Attempts per call bound one call; they do not bound a fleet. When everything fails, four attempts are four times the
load, just when the other side can bear it least. So all calls of a client share one token bucket, as in Finagle, gRPC
and the AWS SDKs: each *first* attempt deposits a fraction of a retry, each retry withdraws a whole one. While a few
calls fail nobody notices; when all do, retries fall to that fraction.

The law, over any stretch of time, however calls are spread over it:

    retries <= ratio * first attempts + min_per_s * seconds + burst
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from razorpay_hardened.client._lock import ShortLock
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.clock import Clock

__all__ = ["RetryBudget"]

_UNIT: Final = 1_000_000
"""A retry, in the bucket's integers: sums of fractions must not drift past the law."""


class RetryBudget:
    """See the module for the law. Safe between threads and across a fork; each process has a budget of its own.

    ``ratio`` is what a first attempt earns (0.2: one retry for five calls), ``min_per_s`` what each second earns, so
    that a client with little traffic can retry at all, and ``burst`` what the bucket holds, full at the beginning.
    ``burst=0`` means no retries. Raises :class:`ConfigError` for a negative or endless number.
    """

    __slots__ = ("_accrued", "_clock", "_full", "_lock", "_per_attempt", "_per_s", "_start", "_tokens")

    def __init__(self, clock: Clock, ratio: float = 0.2, min_per_s: float = 1.0, burst: float = 10) -> None:
        for name, value in (("ratio", ratio), ("min_per_s", min_per_s), ("burst", burst)):
            if not math.isfinite(value) or value < 0:
                raise ConfigError(f"the retry budget's {name} must be a finite number, 0 or more")
        self._clock = clock
        self._lock = ShortLock()
        self._per_attempt = math.floor(ratio * _UNIT)
        self._per_s = min_per_s * _UNIT
        self._full = self._tokens = math.floor(burst * _UNIT)
        self._start = clock.monotonic()
        self._accrued = 0

    def deposit(self) -> None:
        """A call makes its first attempt."""
        now = self._clock.monotonic()
        with self._lock:
            self._add(now, self._per_attempt)

    def withdraw(self) -> bool:
        """Whether a retry may be made; True has paid for it. On False the last error is the call's error."""
        now = self._clock.monotonic()
        with self._lock:
            self._add(now, 0)
            if self._tokens < _UNIT:
                return False
            self._tokens -= _UNIT
            return True

    def balance(self) -> float:
        """Retries that could be made at this moment, with a fraction; for gauges."""
        now = self._clock.monotonic()
        with self._lock:
            self._add(now, 0)
            return self._tokens / _UNIT

    def _add(self, now: float, earned: int) -> None:
        # Counted from the start, so that many short steps earn exactly what one long step does.
        accrued = math.floor((now - self._start) * self._per_s)
        if accrued > self._accrued:  # a thread that read the clock earlier may come later
            earned += accrued - self._accrued
            self._accrued = accrued
        self._tokens = min(self._full, self._tokens + earned)

"""A wrong secret of ours looks like a forger: well-formed tags that do not match, and none that does (FAULTS S3)."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Final

from razorpay_hardened.clock import Clock
from razorpay_hardened.signals import Bus

__all__ = ["SecretWatch"]

_MANY: Final = 5
_WITHIN_S: Final = 600.0


class SecretWatch:
    """The signatures that one process has seen. Safe from several threads.

    Five that do not match within ten minutes, and no good one between them, are told to a person, once an hour. A
    forger can cause that on a quiet shop; a good delivery proves that the secret is right.
    """

    def __init__(self, clock: Clock, bus: Bus) -> None:
        self._clock = clock
        self._bus = bus
        self._lock = Lock()
        self._bad: deque[float] = deque(maxlen=_MANY)

    def good(self) -> None:
        """One that matches."""
        if self._bad:
            with self._lock:
                self._bad.clear()

    def bad(self) -> None:
        """One that has the right form, and does not match."""
        now = self._clock.monotonic()
        with self._lock:
            self._bad.append(now)
            many = len(self._bad) == _MANY and now - self._bad[0] <= _WITHIN_S
        if many:
            hour = f"{self._clock.now():%Y-%m-%dT%H}"
            what = "signatures do not match, and none does: is the webhook secret the one in Razorpay's dashboard?"
            self._bus.alarm(f"wrong_secret:{hour}", "SignatureMismatch", what)

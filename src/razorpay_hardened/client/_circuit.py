"""A breaker for reads: while Razorpay has been failing for a minute, they fail at once (FAULTS A13).

Only reads are stopped. A capture or a refund is somebody's money and always gets its attempts; webhooks do not pass
here at all. The breaker needs many failures *and* a long streak, so that a short incident never trips it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from razorpay_hardened.clock import Clock

__all__ = ["FAILURES_MIN", "OPEN_S", "STREAK_S", "Circuit"]

FAILURES_MIN = 10
STREAK_S = 60.0
OPEN_S = 30.0
"""How long it stays open before one read may try again."""


class Circuit:
    """Closed until ``FAILURES_MIN`` attempts over ``STREAK_S`` seconds failed with no success between them.

    Without a lock: threads that race here let one probe more through, which harms nobody.
    """

    __slots__ = ("_clock", "_failures", "_open_until", "_since")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._since = 0.0
        self._open_until: float | None = None

    def wait(self) -> float:
        """Seconds until a read may be sent; 0.0 to go ahead. When the time is up, one caller is let through."""
        if self._open_until is None:
            return 0.0
        now = self._clock.monotonic()
        if now < self._open_until:
            return self._open_until - now
        self._open_until = now + OPEN_S  # this caller is the probe; the next ones go on waiting for its result
        return 0.0

    def succeeded(self) -> None:
        """Razorpay answered, if only to refuse."""
        self._failures = 0
        self._open_until = None

    def failed(self) -> bool:
        """An attempt failed for reasons that are not its own. Returns whether this opened the circuit."""
        now = self._clock.monotonic()
        if self._failures == 0:
            self._since = now
        self._failures += 1
        if self._failures < FAILURES_MIN or now - self._since < STREAK_S:
            return False
        opened = self._open_until is None
        self._open_until = now + OPEN_S
        return opened

"""When a failed handler is tried again, and when it is given up.

Razorpay redelivers for 24 h and then switches the endpoint off, so an effect whose retry is Razorpay's redelivery ends
at 20 h (FAULTS rule 4). Attempts by a worker are eight, spread over the same 20 h.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

__all__ = ["GIVE_UP_AFTER", "WORKER_ATTEMPTS", "is_redelivered", "is_spent", "next_due"]

GIVE_UP_AFTER: Final = timedelta(hours=20)
WORKER_ATTEMPTS: Final = 8

_GAPS: Final = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 5, 15, 60, 180, 360, 579)  # sums to 20 h
)


def next_due(attempts: int, now: datetime) -> datetime:
    """When the attempt after number ``attempts`` (from 1) may be made."""
    return now + _GAPS[min(attempts, len(_GAPS)) - 1]


def is_spent(
    attempts: int, first_seen: datetime, now: datetime, *, redelivered: bool, paused_until: datetime | None = None
) -> bool:
    """Whether a failure now is the last one.

    ``redelivered``: the attempts follow Razorpay's deliveries, so that age counts. Otherwise a worker makes them at its
    own pace, and one that stood still for a day has not used them up. ``paused_until`` is when the last pause ended: an
    effect from before that has grown old without being tried, so that its attempts count as well.
    """
    if not redelivered:
        return attempts >= WORKER_ATTEMPTS
    waited_out = paused_until is not None and first_seen <= paused_until
    return not is_redelivered(first_seen, now) and (not waited_out or attempts >= WORKER_ATTEMPTS)


def is_redelivered(first_seen: datetime, now: datetime) -> bool:
    """Whether Razorpay's redelivery may still be asked for: later, failures would make it switch the endpoint off."""
    return now - first_seen < GIVE_UP_AFTER

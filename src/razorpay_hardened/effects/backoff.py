"""When a failed handler is tried again, and when it is given up.

Razorpay redelivers for 24 h and then switches the endpoint off, so an effect whose retry is Razorpay's redelivery ends
at 20 h (FAULTS rule 4). Attempts by a worker are eight, spread over the same 20 h.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

__all__ = ["GIVE_UP_AFTER", "WORKER_ATTEMPTS", "is_spent", "next_due"]

GIVE_UP_AFTER: Final = timedelta(hours=20)
WORKER_ATTEMPTS: Final = 8

_GAPS: Final = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 5, 15, 60, 180, 360, 579)  # sums to 20 h
)


def next_due(attempts: int, now: datetime) -> datetime:
    """When the attempt after number ``attempts`` (from 1) may be made."""
    return now + _GAPS[min(attempts, len(_GAPS)) - 1]


def is_spent(attempts: int, first_seen: datetime, now: datetime, *, redelivered: bool) -> bool:
    """Whether a failure now is the last one.

    ``redelivered``: the attempts follow Razorpay's deliveries, so that age counts. Otherwise a worker makes them at its
    own pace, and one that stood still for a day has not used them up.
    """
    if redelivered:
        return now - first_seen >= GIVE_UP_AFTER
    return attempts >= WORKER_ATTEMPTS

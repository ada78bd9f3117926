"""When a failed handler is tried again, and when it is given up.

Razorpay redelivers for 24 h and then switches the endpoint off, so an effect whose retry is Razorpay's redelivery ends
at 20 h (FAULTS rule 4). Attempts by a worker are eight, spread over the same 20 h, unless the handler brings a
:class:`Retry` of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Final

from razorpay_hardened.errors import ConfigError

__all__ = ["GIVE_UP_AFTER", "WORKER_ATTEMPTS", "Retry", "is_redelivered", "is_spent", "next_due"]

GIVE_UP_AFTER: Final = timedelta(hours=20)
WORKER_ATTEMPTS: Final = 8

_GAPS: Final = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 5, 15, 60, 180, 360, 579)  # sums to 20 h
)


_ATTEMPTS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Retry:
    """The pace of one ``after`` handler: ``attempts`` in all, ``first_s`` seconds after the first, twice as long after
    each further one, never longer than ``cap_s``.

    Raises :class:`ConfigError` unless there are 1 to 100 attempts, 1 <= ``first_s`` <= ``cap_s``, and the last attempt
    comes within 20 hours.
    """

    attempts: int = WORKER_ATTEMPTS
    first_s: float = 60
    cap_s: float = 6 * 3600

    def __post_init__(self) -> None:
        if type(self.attempts) is not int or not 1 <= self.attempts <= _ATTEMPTS_MAX:
            raise ConfigError(f"Retry(attempts=) is a whole number from 1 to {_ATTEMPTS_MAX}")
        for name, value in (("first_s", self.first_s), ("cap_s", self.cap_s)):
            if type(value) not in (int, float) or not isfinite(value):
                raise ConfigError(f"Retry({name}=) is a number of seconds")
        if not 1 <= self.first_s <= self.cap_s <= GIVE_UP_AFTER.total_seconds():
            raise ConfigError("Retry: 1 second or more for first_s, at least as many for cap_s, 20 hours at most")
        if sum((self.gap(number) for number in range(1, self.attempts)), timedelta()) > GIVE_UP_AFTER:
            raise ConfigError("Retry: the last attempt would come later than 20 h after the first: ask for fewer")

    def gap(self, attempts: int) -> timedelta:
        """How long to wait after attempt number ``attempts`` (from 1)."""
        return timedelta(seconds=min(self.first_s * 2.0 ** (attempts - 1), self.cap_s))


def next_due(attempts: int, now: datetime, retry: Retry | None = None) -> datetime:
    """When the attempt after number ``attempts`` (from 1) may be made."""
    return now + (_GAPS[min(attempts, len(_GAPS)) - 1] if retry is None else retry.gap(attempts))


def is_spent(
    attempts: int,
    first_seen: datetime,
    now: datetime,
    *,
    redelivered: bool,
    paused_until: datetime | None = None,
    retry: Retry | None = None,
) -> bool:
    """Whether a failure now is the last one.

    ``redelivered``: the attempts follow Razorpay's deliveries, so that age counts. Otherwise a worker makes them at its
    own pace, and one that stood still for a day has not used them up. ``paused_until`` is when the last pause ended: an
    effect from before that has grown old without being tried, so that its attempts count as well. ``retry`` is the
    handler's own policy.
    """
    if not redelivered:
        return attempts >= (WORKER_ATTEMPTS if retry is None else retry.attempts)
    waited_out = paused_until is not None and first_seen <= paused_until
    return not is_redelivered(first_seen, now) and (not waited_out or attempts >= WORKER_ATTEMPTS)


def is_redelivered(first_seen: datetime, now: datetime) -> bool:
    """Whether Razorpay's redelivery may still be asked for: later, failures would make it switch the endpoint off."""
    return now - first_seen < GIVE_UP_AFTER

"""What a handler's failure means for its effect: try again, when, or give up.

Most exceptions mean: try again at the usual pace. A handler that knows better raises one of ours:

- :class:`NonRetryable`  no further try can succeed: dead letter and alarm at once
- :class:`RetryAt`, :class:`RetryAfter`  not now, but then

They are not errors of this library and stand outside of its tree: the application raises them, and only the code that
called the handler ever catches them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Final, NamedTuple

from razorpay_hardened.domain.text import fitting
from razorpay_hardened.effects.backoff import GIVE_UP_AFTER, Retry, is_spent, next_due
from razorpay_hardened.errors import FieldInvalid
from razorpay_hardened.ports.store import EffectRow, EffectState

__all__ = ["Judged", "NonRetryable", "RetryAfter", "RetryAt", "describe", "is_put_off", "judge"]

ERROR_TEXT_MAX: Final = 200
_SOONEST: Final = timedelta(seconds=1)
_PUT_OFF: Final = "put off: "  # no class is called that: see describe()


class NonRetryable(Exception):
    """Raised by a handler: no further try can succeed. Its effect is given up at once, with an alarm.

    What it wrote through ``tx`` is undone, as for every exception.
    """


class RetryAt(Exception):
    """Raised by a handler: try again at ``moment`` (aware), not before. It is not counted as an attempt.

    The next try is a second from now at the earliest, and 20 hours after the milestone at the latest; once those are
    over, it is a failure like any other. Raises :class:`FieldInvalid` for a moment without a time zone.
    """

    def __init__(self, moment: datetime, reason: str = "") -> None:
        if moment.tzinfo is None or moment.utcoffset() is None:
            raise FieldInvalid("RetryAt takes a moment with a time zone, such as change.at + timedelta(hours=1)")
        super().__init__(reason or f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
        self.moment = moment.astimezone(UTC)


class RetryAfter(Exception):
    """Raised by a handler: try again in ``seconds``, not before. See :class:`RetryAt`.

    Raises :class:`FieldInvalid` unless ``seconds`` is a number above zero.
    """

    def __init__(self, seconds: float, reason: str = "") -> None:
        if not (isfinite(seconds) and seconds > 0):
            raise FieldInvalid("RetryAfter takes a number of seconds above zero")
        super().__init__(reason or f"{seconds:g} s")
        self.wait = timedelta(seconds=min(seconds, GIVE_UP_AFTER.total_seconds()))


class Judged(NamedTuple):
    """What is recorded of an attempt. ``attempts`` are those that count."""

    state: EffectState
    attempts: int
    due_at: datetime
    error: str | None = None


def judge(
    error: Exception,
    row: EffectRow,
    now: datetime,
    *,
    redelivered: bool,
    paused_until: datetime | None = None,
    retry: Retry | None = None,
) -> Judged:
    """What becomes of ``row``, whose handler has just raised ``error``; ``retry`` is the handler's own policy."""
    tried = row.attempts + 1
    if isinstance(error, NonRetryable):
        return Judged("dead", tried, now, describe(error))
    limit = row.at + GIVE_UP_AFTER
    if isinstance(error, (RetryAt, RetryAfter)) and now < limit:
        asked = error.moment if isinstance(error, RetryAt) else now + error.wait
        return Judged("waiting", row.attempts, min(max(asked, now + _SOONEST), limit), _PUT_OFF + describe(error))
    spent = is_spent(tried, row.at, now, redelivered=redelivered, paused_until=paused_until, retry=retry)
    return Judged("dead" if spent else "waiting", tried, next_due(tried, now, retry), describe(error))


def is_put_off(row: EffectRow, now: datetime) -> bool:
    """Whether the handler itself has asked for a later time than ``now``: a redelivery does not make it earlier."""
    return row.due_at > now and (row.error or "").startswith(_PUT_OFF)


def describe(error: Exception) -> str:
    """An exception for the record: its class and the start of its text, on one line."""
    text = fitting(" ".join(str(error).split()))
    return f"{type(error).__name__}: {text}"[:ERROR_TEXT_MAX]

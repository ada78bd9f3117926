"""What a job does: rounds, until nothing waits or its time is up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from razorpay_hardened.wiring import Razorpay

__all__ = ["BUDGET_S", "EXPIRES_S", "LIMIT", "NAME", "do"]

NAME: Final = "razorpay_hardened.work"
LIMIT: Final = 100
BUDGET_S: Final = 30.0
"""No handler is called later than this after a job's beginning: queues end jobs that take minutes."""
EXPIRES_S: Final = 60
"""A job that has waited this long is of no use: the schedule has made another."""


def do(
    rzp: Razorpay, *, housekeeping: bool, limit: int, budget_s: float, again: Callable[[], object]
) -> dict[str, object]:
    """Work for ``budget_s`` seconds at most, with as many again for ``housekeeping``; ``again()`` where more waits.

    Gives the counts of the last round that did something. Raises :class:`StorageError`: the job has then failed, and
    the next one finds what it has left.
    """
    ends_at = rzp.clock.monotonic() + budget_s
    worked = rzp.work(limit=limit, housekeeping=housekeeping, budget_s=budget_s)
    told = worked.to_dict()
    while worked.more:
        left = ends_at - rzp.clock.monotonic()
        if left <= 0:
            again()
            break
        worked = rzp.work(limit=limit, housekeeping=False, budget_s=left)
        if worked.total:
            told = worked.to_dict()
    return told

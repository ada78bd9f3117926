"""When to try again, and how long to wait: the one door to tenacity.

Full jitter (a uniform wait between nothing and a doubling bound), inside one total deadline on the monotonic clock;
``Retry-After`` is a lower bound. No wait is begun that the deadline would cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, TypeVar, cast

import tenacity

from razorpay_hardened.client._values import Budget, Failed, Fate, Flow, Rule, Sleep

if TYPE_CHECKING:
    from razorpay_hardened.client._retry_budget import RetryBudget

__all__ = ["FATES", "run"]

T = TypeVar("T")

BASE_S = 0.5
CAP_S = 8.0

_ALL = frozenset({Fate.NOT_SENT, Fate.BUSY, Fate.UNKNOWN})
FATES: dict[Rule, frozenset[Fate]] = {
    Rule.READ: _ALL,
    Rule.KEYED: _ALL,
    Rule.SETTLE: _ALL,
    Rule.LOOK_UP: _ALL,
    Rule.STATE: _ALL,
    Rule.ASK: _ALL,
    Rule.ONCE: frozenset(),
}
"""After which fates an operation of each rule may be tried again. What was refused is never repeated as it is."""


def run(
    attempt: Callable[[int], Flow[T | Failed]],
    rule: Rule,
    *,
    budget: Budget,
    attempts_max: int,
    retries: RetryBudget,
    random: Random,
) -> Flow[T | Failed]:
    """The first result of ``attempt(n)``, n from 1; or the last failure, once rule, count, time or budget end it."""
    fates = FATES[rule]

    def again(result: T | Failed) -> bool:
        return isinstance(result, Failed) and result.fate in fates

    def wait(state: tenacity.RetryCallState) -> float:
        bound = min(CAP_S, BASE_S * 2.0 ** (state.attempt_number - 1))
        asked = cast("Failed", _result(state)).error.retry_after_s
        return random.uniform(0, bound) + (asked or 0.0)

    def stop(state: tenacity.RetryCallState) -> bool:
        # The budget last: what it gives is spent.
        over = state.attempt_number >= attempts_max or state.upcoming_sleep >= budget.remaining()
        return over or not retries.withdraw()

    retries.deposit()
    first = yield from attempt(1)
    if not again(first):
        return first  # the usual case, which needs none of the machinery below
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(again), wait=wait, stop=stop, retry_error_callback=_result
    )
    # tenacity's own loops call ``iter`` in the same way; here the waits are steps for somebody else to carry out.
    state = tenacity.RetryCallState(retrying, None, (), {})
    retrying.begin()
    state.set_result(first)
    while True:
        do = retrying.iter(state)
        if isinstance(do, tenacity.DoSleep):
            state.prepare_for_next_attempt()
            yield Sleep(float(do))
        elif isinstance(do, tenacity.DoAttempt):
            state.set_result((yield from attempt(state.attempt_number)))
        else:
            return cast("T | Failed", do)


def _result(state: tenacity.RetryCallState) -> object:
    assert state.outcome is not None  # tenacity asks only after an attempt
    return state.outcome.result()

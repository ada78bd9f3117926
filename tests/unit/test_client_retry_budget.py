"""A retry budget: an outage gets a fraction of the traffic in retries, not a multiple of it."""

from __future__ import annotations

import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened.client._retry_budget import RetryBudget
from razorpay_hardened.clock import FrozenClock
from razorpay_hardened.errors import ConfigError

steps = st.lists(st.one_of(st.sampled_from(["first", "retry"]), st.floats(0, 5, allow_subnormal=False)), max_size=200)


@given(steps, st.floats(0, 2), st.floats(0, 5), st.integers(0, 20))
def test_the_law(schedule: list[str | float], ratio: float, min_per_s: float, burst: int) -> None:
    """Over any schedule: retries <= ratio * first attempts + min_per_s * seconds + burst. In any stretch of it, too."""
    clock = FrozenClock()
    budget = RetryBudget(clock, ratio, min_per_s, burst)
    history: list[tuple[float, str, bool]] = []
    for step in schedule:
        if step == "first":
            budget.deposit()
            history.append((clock.monotonic(), step, True))
        elif step == "retry":
            history.append((clock.monotonic(), step, budget.withdraw()))
        else:
            clock.advance(float(step))

    for begin in range(len(history)):
        start, firsts, retries = history[begin][0], 0, 0
        for at, what, granted in history[begin:]:
            firsts += what == "first"
            retries += what == "retry" and granted
            assert retries <= ratio * firsts + min_per_s * (at - start) + burst + 1e-6


@pytest.mark.slow
def test_an_outage_under_load_is_not_amplified() -> None:
    """A thousand calls a second for a minute, all failing, each wanting three retries: 1.2 times the load, not 4."""
    clock = FrozenClock()
    budget = RetryBudget(clock)
    calls = retries = 0
    for _ in range(60_000):
        clock.advance(0.001)
        calls += 1
        budget.deposit()
        for _ in range(3):
            retries += budget.withdraw()

    assert 0.19 * calls < retries <= 0.2 * calls + 60 + 10


def test_a_quiet_client_has_its_retries() -> None:
    """A call a minute that fails may retry as often as its attempts allow, every time."""
    clock = FrozenClock()
    budget = RetryBudget(clock)
    for _ in range(20):
        clock.advance(60)
        budget.deposit()
        assert all(budget.withdraw() for _ in range(3))


def test_an_empty_budget_refuses_until_something_is_earned() -> None:
    """Five first attempts, or a second, earn one retry."""
    clock = FrozenClock()
    budget = RetryBudget(clock, burst=1)
    assert budget.withdraw()
    assert not budget.withdraw()

    for _ in range(5):
        assert not budget.withdraw()
        budget.deposit()
    assert budget.balance() == 1
    assert budget.withdraw()
    assert not budget.withdraw()
    clock.advance(1)
    assert budget.withdraw()


@pytest.mark.slow
def test_many_short_steps_earn_what_one_long_step_does() -> None:
    """No fraction of a second is lost to rounding, however often the clock is read."""
    clock = FrozenClock()
    budget = RetryBudget(clock, ratio=0, min_per_s=1, burst=1000)
    while budget.withdraw():
        pass
    for _ in range(100_000):
        clock.advance(1e-4)
        budget.balance()

    assert budget.balance() == pytest.approx(10, abs=1e-3)


def test_no_burst_is_no_retries() -> None:
    """The way to switch them off."""
    budget = RetryBudget(FrozenClock(), burst=0)
    for _ in range(100):
        budget.deposit()
    assert not budget.withdraw()


@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["ratio", "min_per_s", "burst"])
def test_settings_that_make_no_sense_are_told(name: str, value: float) -> None:
    """By their names."""
    with pytest.raises(ConfigError, match=name):
        RetryBudget(FrozenClock(), **{name: value})


def test_threads_share_one_budget() -> None:
    """Of what is there, each retry is given to one thread."""
    budget = RetryBudget(FrozenClock(), burst=100)
    granted: list[bool] = []

    def take() -> None:
        for _ in range(50):
            granted.append(budget.withdraw())

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(granted) == 100

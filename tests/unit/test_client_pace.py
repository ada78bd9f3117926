"""The pace of bulk reads: its law in every window, its use under demand, and what a 429 does to it."""

from __future__ import annotations

import heapq
import math
import threading
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened.client._pace import FLOOR, QUIET_S, RECOVERY_PER_S, Pace
from razorpay_hardened.clock import FrozenClock
from razorpay_hardened.errors import ConfigError


class At(FrozenClock):
    """A clock that is set by a simulation."""

    def to(self, moment: float) -> None:
        self.advance(max(0.0, moment - self._monotonic))


def simulate(
    per_s: float, burst: int, *, callers: int, seconds: float, seed: int = 0, refused: float = 0.0, idle: float = 0.0
) -> list[float]:
    """When each call went out: ``callers`` who call, may be told 429, may rest, and call again."""
    clock, random = At(), Random(seed)
    pace = Pace(clock, per_s, burst)
    went: list[float] = []
    agenda = [(0.0, n, False) for n in range(callers)]
    while agenda:
        moment, caller, waited = heapq.heappop(agenda)
        if moment > seconds:
            continue
        clock.to(moment)
        wait = pace.again() if waited else pace.reserve()
        if wait:
            heapq.heappush(agenda, (clock.monotonic() + wait, caller, True))
            continue
        went.append(clock.monotonic())
        if random.random() < refused:
            pace.slower(random.choice([None, 0.5, 5.0]))
        rest = random.expovariate(1) if random.random() < idle else 0.0
        heapq.heappush(agenda, (clock.monotonic() + rest, caller, False))
    return went


def assert_law(went: list[float], per_s: float, burst: int) -> None:
    assert went == sorted(went)
    for first in range(len(went)):
        for last in range(first, len(went)):
            assert last - first + 1 <= burst + per_s * (went[last] - went[first]) + 1e-6


@given(
    per_s=st.floats(0.1, 50),
    burst=st.integers(1, 20),
    callers=st.integers(1, 8),
    seed=st.integers(0, 10_000),
    refused=st.sampled_from([0.0, 0.02, 0.3]),
    idle=st.sampled_from([0.0, 0.2]),
)
def test_the_law(per_s: float, burst: int, callers: int, seed: int, refused: float, idle: float) -> None:
    """In any window of any run, refusals and rests included: calls <= burst + per_s * seconds."""
    went = simulate(per_s, burst, callers=callers, seconds=120 / per_s, seed=seed, refused=refused, idle=idle)

    assert_law(went, per_s, burst)


@given(per_s=st.floats(0.1, 50), burst=st.integers(1, 20), callers=st.integers(1, 8))
def test_under_demand_the_allowed_pace_is_used(per_s: float, burst: int, callers: int) -> None:
    """At least nine tenths of it."""
    seconds = 100 / per_s

    assert len(simulate(per_s, burst, callers=callers, seconds=seconds)) >= 0.9 * per_s * seconds


def test_places_are_given_in_order() -> None:
    """Who asks first goes first, one interval apart after the burst."""
    pace = Pace(FrozenClock(), per_s=10, burst=3)

    assert [pace.reserve() for _ in range(6)] == pytest.approx([0, 0, 0, 0.1, 0.2, 0.3])


def test_a_pause_saves_up_a_burst_and_no_more() -> None:
    """However long it was."""
    clock = FrozenClock()
    pace = Pace(clock, per_s=10, burst=2)
    for _ in range(5):
        pace.reserve()
    clock.advance(3600)

    assert [pace.reserve() for _ in range(3)] == pytest.approx([0, 0, 0.1])


def test_a_wait_that_is_too_long_takes_no_place() -> None:
    """A caller who cannot wait leaves the queue as it was."""
    pace = Pace(FrozenClock(), per_s=1)
    assert pace.reserve() == 0

    assert pace.reserve(limit_s=0.5) == pytest.approx(1)
    assert pace.reserve(limit_s=1) == pytest.approx(1)
    assert pace.reserve() == pytest.approx(2)


def test_retry_after_holds_everybody() -> None:
    """Those who come, and those who were waiting already; afterwards they go one by one, at half the pace."""
    clock = FrozenClock()
    pace = Pace(clock, per_s=10, burst=5)
    for _ in range(5):
        pace.reserve()
    waiting = pace.reserve()
    pace.slower(retry_after_s=4)

    assert pace.reserve() == pytest.approx(4)
    clock.advance(waiting)
    moved = pace.again()
    assert waiting + moved == pytest.approx(4.2)
    assert pace.reserve() == pytest.approx(moved + 0.2)
    clock.advance(moved)
    assert pace.again() == 0


def test_a_place_after_the_hold_is_kept() -> None:
    """Only places that fell into the hold are given anew."""
    clock = FrozenClock()
    pace = Pace(clock, per_s=1)
    waits = [pace.reserve() for _ in range(10)]
    pace.slower(retry_after_s=3.5)
    clock.advance(waits[9])

    assert pace.again() == 0


def test_a_refusal_halves_the_pace_once() -> None:
    """Several refusals of one moment count as one; later ones count again, down to a floor."""
    clock = FrozenClock()
    pace = Pace(clock, per_s=64)
    for _ in range(5):
        pace.slower()
    assert pace.rate() == 32
    for _ in range(20):
        clock.advance(QUIET_S)
        pace.slower()

    assert 64 * FLOOR <= pace.rate() < 64 * FLOOR * 3


def test_the_pace_recovers_slowly_and_to_the_whole() -> None:
    """A fixed part a second, counted from the end of the hold."""
    clock = FrozenClock()
    pace = Pace(clock, per_s=10)
    pace.slower(retry_after_s=100)
    clock.advance(100)
    assert pace.rate() == 5
    clock.advance(10)
    assert pace.rate() == pytest.approx(5 + 10 * 10 * RECOVERY_PER_S)
    clock.advance(1000)
    assert pace.rate() == 10


def test_a_refusal_takes_the_burst_away() -> None:
    """What was saved up does not go out against an account that is over its limit."""
    pace = Pace(FrozenClock(), per_s=10, burst=20)
    pace.slower()

    assert [pace.reserve() for _ in range(3)] == pytest.approx([0, 0.2, 0.4])


@pytest.mark.parametrize(("per_s", "burst"), [(0, 1), (-1, 1), (math.nan, 1), (math.inf, 1), (1, 0), (1, 1.5)])
def test_settings_that_make_no_sense_are_told(per_s: float, burst: int) -> None:
    """At once, not at the first call."""
    with pytest.raises(ConfigError):
        Pace(FrozenClock(), per_s, burst)


def test_threads_get_different_places() -> None:
    """No two callers are sent at the same moment beyond the burst."""
    pace = Pace(FrozenClock(), per_s=1)
    waits: list[float] = []

    def ask() -> None:
        for _ in range(25):
            waits.append(pace.reserve())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(waits) == pytest.approx(list(range(200)))

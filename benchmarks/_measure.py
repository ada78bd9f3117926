"""Interleaved rounds: every contender runs in every round, so that a noisy moment hits them all."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

__all__ = ["Result", "measure", "measure_each", "show"]

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "21"))
SLICE_S = float(os.environ.get("BENCH_SLICE_S", "0.02"))
"""How long one contender runs in one round."""


class Result(NamedTuple):
    """Seconds per call over the rounds. ``ratios`` are to the baseline of the same round."""

    name: str
    median: float
    best: float
    worst: float
    ratio: float


def measure(contenders: Mapping[str, Callable[[], object]], *, baseline: str, rounds: int = ROUNDS) -> list[Result]:
    """Time each contender in interleaved rounds. ``ratio`` is the median over the rounds of its time / the baseline's.

    A ratio within one round compares two moments that lie milliseconds apart; a ratio of two medians does not.
    """
    loops = {name: _loops(call) for name, call in contenders.items()}
    return _interleaved(contenders, loops, baseline, rounds)


def _interleaved(
    contenders: Mapping[str, Callable[[], object]], loops: Mapping[str, int], baseline: str, rounds: int
) -> list[Result]:
    times: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    with _no_garbage_collection():
        for number in range(rounds):
            start = number % len(names)  # nobody is always first
            for name in names[start:] + names[:start]:
                times[name].append(_per_call(contenders[name], loops[name]))
    return [_result(name, times[name], times[baseline]) for name in names]


def measure_each(
    contenders: Mapping[str, Callable[[int], object]], *, baseline: str, rounds: int, loops: int
) -> list[Result]:
    """The same for calls that cannot be repeated: each is given its own number, from 0 to (rounds + 1) x loops."""
    numbers = {name: iter(range((rounds + 1) * loops)) for name in contenders}

    def following(name: str) -> Callable[[], object]:
        return lambda: contenders[name](next(numbers[name]))

    calls = {name: following(name) for name in contenders}
    for name in calls:
        _per_call(calls[name], loops)
    return _interleaved(calls, dict.fromkeys(calls, loops), baseline, rounds)


def _result(name: str, times: list[float], base: list[float]) -> Result:
    ratio = statistics.median(one / other for one, other in zip(times, base, strict=True))
    return Result(name, statistics.median(times), min(times), max(times), ratio)


def _per_call(call: Callable[[], object], loops: int) -> float:
    start = time.perf_counter()
    for _ in range(loops):
        call()
    return (time.perf_counter() - start) / loops


def _loops(call: Callable[[], object]) -> int:
    """How many calls fill one slice; also the warm-up."""
    loops = 1
    while (spent := _per_call(call, loops) * loops) < SLICE_S / 4:
        loops *= 2
    return max(1, round(loops * SLICE_S / spent))


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def show(title: str, results: list[Result], *, baseline: str) -> None:
    """Print one table; times in microseconds."""
    width = max(len(result.name) for result in results)
    print(f"\n{title}\n{'':{width}}   median      min      max us   x {baseline}")
    for name, median, best, worst, ratio in results:
        print(f"{name:{width}} {median * 1e6:8.2f} {best * 1e6:8.2f} {worst * 1e6:8.2f}   {ratio:8.2f}")

"""Chance without luck: every toss is a hash of what it is about, so that a seed repeats a day exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TypeVar

__all__ = ["between", "chance", "choose", "unit"]

T = TypeVar("T")


def unit(seed: int, *about: object) -> float:
    """A number from 0 up to 1 that depends on the seed and on ``about`` alone: never on order or time."""
    text = "\0".join(str(part) for part in (seed, *about))
    return int.from_bytes(sha256(text.encode()).digest()[:7], "big") / (1 << 56)


def chance(share: float, seed: int, *about: object) -> bool:
    """True for ``share`` (0 to 1) of everything that one may ask about."""
    return unit(seed, *about) < share


def between(least: float, most: float, seed: int, *about: object) -> float:
    """A number from ``least`` to ``most``."""
    return least + (most - least) * unit(seed, *about)


def choose(options: Mapping[T, float] | Sequence[T], seed: int, *about: object) -> T:
    """One of ``options``: each as likely as its weight, or all alike."""
    weights = options if isinstance(options, Mapping) else dict.fromkeys(options, 1.0)
    left = unit(seed, *about) * sum(weights.values())
    for option, weight in weights.items():
        left -= weight
        if left < 0:
            return option
    return next(reversed(list(weights)))

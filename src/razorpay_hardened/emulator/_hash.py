"""Chance without chance: every id and every coin toss is a hash of the seed and of what it is about.

Nothing here depends on the wall clock, on the order of threads or on how often it was asked. Two worlds with
the same seed that see the same customers make the same ids, whichever customer comes first.
"""

from __future__ import annotations

import hashlib

__all__ = ["digits", "token", "unit"]

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(low + high for high in _BASE62 for low in _BASE62)


def _number(seed: int, parts: tuple[object, ...]) -> int:
    text = "\x1f".join((str(seed), *map(str, parts)))  # a separator that no id, receipt or path holds
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(), "big")


def token(seed: int, *parts: object, length: int = 14) -> str:
    """``length`` base62 characters; Razorpay's ids have 14 after their prefix (FACTS section 1)."""
    number = _number(seed, parts) % 62**length
    out = []
    for _ in range((length + 1) // 2):  # two digits at a time, from small numbers: every id passes here
        number, rest = divmod(number, 3844)
        out.append(_PAIRS[rest])
    return "".join(out)[:length]


def digits(seed: int, *parts: object, length: int = 12) -> str:
    """``length`` decimal digits: bank references."""
    return str(_number(seed, parts) % 10**length).zfill(length)


def unit(seed: int, *parts: object) -> float:
    """A number from 0 (included) to 1 (excluded)."""
    return (_number(seed, parts) >> 203) / (1 << 53)

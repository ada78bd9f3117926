"""What a resource's method comes to before anything is sent: one call to make, or a plan of several.

Methods are written once, as functions to these values. The synchronous and the asynchronous client carry out the same
values, so what is checked, sent, understood and repeated cannot differ between them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from razorpay_hardened.client._values import Call
from razorpay_hardened.errors import ApiBadRequest

__all__ = ["Ask", "Plan", "Settle", "Work"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settle(Generic[T]):
    """How a doubt about a write is settled.

    ``look`` is a plan that ends in the result, or in None where there is none; it is made anew for each look, which
    happens ``looks`` times before a repeat. ``explains(error)`` says which refusals may mean that it is done already.
    """

    look: Callable[[], Plan[T | None]]
    explains: Callable[[ApiBadRequest], bool]
    looks: int = 1


@dataclass(frozen=True, slots=True)
class Ask(Generic[T]):
    """One call, how its answer is read, and how a doubt about it is settled."""

    call: Call
    parse: Callable[[Any], T]
    settle: Settle[T] | None = None


Plan: TypeAlias = Generator[Ask[Any], Any, T]
"""Several calls, one after the other: yields what to ask, is sent what came back, or has the error thrown in."""

Work: TypeAlias = Ask[T] | Plan[T]

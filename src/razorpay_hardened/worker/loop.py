"""A loop of rounds: for people without a queue, and for one process or fifty."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from math import isfinite
from queue import Empty, SimpleQueue
from random import uniform
from typing import Final, Protocol

from razorpay_hardened.clock import Clock
from razorpay_hardened.errors import ConfigError, RazorpayHardenedError
from razorpay_hardened.signals import Bus
from razorpay_hardened.worker.rounds import Worked

__all__ = ["Stop", "Worker"]

_FIRST_S: Final = 0.25
_FAILING_FIRST_S: Final = 1.0
_FAILING_MAX_S: Final = 30.0
_SPREAD: Final = 0.1


class Stoppable(Protocol):
    """What ends a worker: a :class:`Stop`, or a ``threading.Event``."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float | None = None, /) -> bool:
        """Wait for it, ``timeout`` seconds at most; gives whether it is set."""
        ...


class Stop:
    """Says "enough" to one worker. Unlike a ``threading.Event``, it may be set in a signal handler."""

    def __init__(self) -> None:
        self._set = False
        self._bell: SimpleQueue[None] = SimpleQueue()  # its put() may interrupt its get(): an Event's lock may not

    def set(self) -> None:
        """No further effect is begun, and who waits wakes at once."""
        self._set = True
        self._bell.put(None)

    def is_set(self) -> bool:
        return self._set

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for it, ``timeout`` seconds at most; gives whether it is set."""
        if not self._set:
            with suppress(Empty):
                self._bell.get(timeout=timeout)
        return self._set


class Wired(Protocol):
    """What a worker needs of :class:`Razorpay`."""

    @property
    def clock(self) -> Clock: ...

    @property
    def signals(self) -> Bus: ...

    def work(
        self,
        *,
        limit: int = 100,
        housekeeping: bool = True,
        budget_s: float | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Worked: ...


class Worker:
    """Works until it is told to stop: ``Worker(rzp).run()``. Several may work on one store, in threads or processes.

    While there is work it goes on at once. Where there is none it waits: a quarter of a second, then twice as long each
    time, ``idle_s`` at most, and never exactly as long as its neighbour. Every ``housekeeping_s`` it also looks at
    parked events, finishes what a crash left open, and does chores. ``on_round`` hears what each round did.

    Raises :class:`ConfigError` for times that are not above zero.
    """

    def __init__(
        self,
        rzp: Wired,
        *,
        idle_s: float = 5.0,
        housekeeping_s: float = 60.0,
        limit: int = 100,
        on_round: Callable[[Worked], object] | None = None,
    ) -> None:
        for name, value in (("idle_s", idle_s), ("housekeeping_s", housekeeping_s)):
            if not (isfinite(value) and value > 0):
                raise ConfigError(f"Worker({name}=) is a number of seconds above zero")
        if limit < 1:
            raise ConfigError("Worker(limit=) is 1 or more")
        self._rzp = rzp
        self._idle = _Growing(_FIRST_S, idle_s)
        self._failing = _Growing(_FAILING_FIRST_S, _FAILING_MAX_S)
        self._housekeeping_s = housekeeping_s
        self._limit = limit
        self._on_round = on_round

    def run(self, stop: Stoppable | None = None) -> None:
        """Until ``stop`` is set: then after the effect in work, or at once where it waits. Without one, for ever.

        A store that fails is an alarm and a longer wait, and so is any other error of ours. Raises what is none, such
        as a mistake in ``on_round``.
        """
        stop = stop or Stop()
        clock = self._rzp.clock
        house_at = clock.monotonic()
        while not stop.is_set():
            housekeeping = clock.monotonic() >= house_at
            try:
                worked = self._rzp.work(limit=self._limit, housekeeping=housekeeping, stop=stop.is_set)
            except RazorpayHardenedError as error:
                self._tell(error)
                stop.wait(self._failing.next())
                continue
            self._failing.reset()
            if housekeeping:
                house_at = clock.monotonic() + self._housekeeping_s * uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311
            if self._on_round is not None:
                self._on_round(worked)
            if worked.more:
                self._idle.reset()
            else:
                stop.wait(max(0.0, min(self._idle.next(), house_at - clock.monotonic())))

    def _tell(self, error: RazorpayHardenedError) -> None:
        hour: datetime = self._rzp.clock.now()
        self._rzp.signals.alarm(
            f"worker:{error.code}:{hour:%Y-%m-%dT%H}", error.code, "the worker could not work, and tries again"
        )


class _Growing:
    """Seconds to wait: twice as long each time, ``most`` at most, and by chance up to half of it shorter."""

    def __init__(self, first: float, most: float) -> None:
        self._first = min(first, most)
        self._most = most
        self._now = self._first

    def reset(self) -> None:
        self._now = self._first

    def next(self) -> float:
        wait = self._now
        self._now = min(self._now * 2, self._most)
        return uniform(wait / 2, wait)  # noqa: S311 - no secret: workers that woke together must not do so again

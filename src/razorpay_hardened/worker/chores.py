"""What is done from time to time: a look at something, a nightly comparison.

When a chore was last done is known to this process alone. Several processes do it several times, so a chore must be
safe to do at once in two of them, and cheap where there is nothing to do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import isfinite
from typing import Any, NamedTuple, TypeVar

from razorpay_hardened.clock import Clock
from razorpay_hardened.errors import ConfigError, StorageUnavailable
from razorpay_hardened.signals import Bus

__all__ = ["Chores", "Done"]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class Done(NamedTuple):
    """The names of the chores that were done, and of those that raised."""

    done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class _Chore(NamedTuple):
    name: str
    every_s: float
    function: Callable[[], object]


class Chores:
    """Keeps chores by name, and does those whose time has come. Safe from several threads."""

    def __init__(self, *, clock: Clock, bus: Bus) -> None:
        self._clock = clock
        self._bus = bus
        self._lock = threading.Lock()
        self._chores: dict[str, _Chore] = {}
        self._due: dict[str, float] = {}

    def every(self, seconds: float, *, name: str | None = None) -> Callable[[FunctionT], FunctionT]:
        """See :meth:`Razorpay.every`."""
        if not (isfinite(seconds) and seconds > 0):
            raise ConfigError("every() takes a number of seconds above zero")

        def register(function: FunctionT) -> FunctionT:
            told = name or f"{function.__module__}.{function.__qualname__}"
            with self._lock:
                if told in self._chores:
                    raise ConfigError(f"there is a chore named {told} already: give this one another name")
                self._chores[told] = _Chore(told, seconds, function)
            return function

        return register

    def run(self, stop: Callable[[], bool]) -> Done:
        """Do what is due, at the first call everything. One that raises is told, and done again at its next time.

        Raises :class:`StorageUnavailable`: then the store is what fails, and the chore stays due.
        """
        done: list[str] = []
        failed: list[str] = []
        for chore in list(self._chores.values()):
            if stop() or not self._begin(chore):
                continue
            try:
                chore.function()
            except StorageUnavailable:
                self._due.pop(chore.name, None)
                raise
            except Exception as error:  # noqa: BLE001 - the chore may be the application's, and must not stop effects
                self._bus.alarm(f"chore:{chore.name}", type(error).__name__, f"{chore.name} failed")
                failed.append(chore.name)
            else:
                done.append(chore.name)
        return Done(tuple(done), tuple(failed))

    def _begin(self, chore: _Chore) -> bool:
        """Whether it is due. Two threads do not find the same one due."""
        now = self._clock.monotonic()
        with self._lock:
            due = self._due.get(chore.name, now) <= now
            if due:
                self._due[chore.name] = now + chore.every_s
            return due

"""Twins: the same delivery, twice at once, in one process.

The second waits until the first has ended, and is then a duplicate; only where the first is still running is it told to
come again (FAULTS rule 4). Between processes the claim's own lock does the same: see ``Transaction.claim``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import Final

from razorpay_hardened.clock import SystemClock
from razorpay_hardened.errors import DeliveryInWork

__all__ = ["TWIN_WAIT_S", "InWork"]

TWIN_WAIT_S: Final = 2.0
"""How long a twin waits for the first."""

_CLOCK: Final = SystemClock()  # waiting is real time, whatever the application's clock says


class InWork:
    """The digests that threads of this process are working on."""

    def __init__(self) -> None:
        self._afresh()

    def _afresh(self) -> None:
        self._lock = Lock()
        self._held: dict[str, Event | None] = {}
        """Digest → what its twins wait on, made by the first of them."""
        self._pid = os.getpid()

    @contextmanager
    def alone(self, digest: str, wait_s: float = TWIN_WAIT_S) -> Iterator[None]:
        """Be the only one with ``digest``. Raises :class:`DeliveryInWork` when that was not to be had in time."""
        self._enter(digest, wait_s)
        try:
            yield
        finally:
            self._leave(digest)

    @contextmanager
    def those_free(self, digests: Iterable[str]) -> Iterator[set[str]]:
        """Be the only one with those of ``digests`` that nobody has now: gives which, and waits for nothing."""
        self._refresh()
        with self._lock:
            free = {digest for digest in digests if digest not in self._held}
            self._held.update(dict.fromkeys(free))
        try:
            yield free
        finally:
            for digest in free:
                self._leave(digest)

    def _leave(self, digest: str) -> None:
        with self._lock:
            ended = self._held.pop(digest, None)
        if ended is not None:
            ended.set()

    def _refresh(self) -> None:
        if self._pid != os.getpid():  # threads do not come along with a fork, and neither does their work
            self._afresh()

    def _enter(self, digest: str, wait_s: float) -> None:
        self._refresh()
        until: float | None = None
        while (first := self._first(digest)) is not None:
            now = _CLOCK.monotonic()
            until = now + wait_s if until is None else until
            if not first.wait(max(0.0, until - now)):
                raise DeliveryInWork

    def _first(self, digest: str) -> Event | None:
        """What to wait on, where somebody has it; None: we have it now."""
        with self._lock:
            if digest not in self._held:
                self._held[digest] = None
                return None
            ended = self._held[digest]
            if ended is None:
                ended = self._held[digest] = Event()
            return ended

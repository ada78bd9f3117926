"""One job on its way after news has committed, and not one for each delivery.

The broker is asked in a thread of its own: one that is down, or that takes its time to say so, must not cost a webhook
its five seconds. What commits while a job is being sent, or within half a second after, shares the next one. What could
not be sent is tried again, and what is never sent waits for the schedule: the rows are in the store.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Final

from razorpay_hardened.clock import Clock
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.signals import Bus, EventProcessed, Signal, StatusChanged

__all__ = ["Wake"]

GAP_S: Final = 0.5
_GATHER_S: Final = 0.01
"""One commit is told in several signals, one right after the other: they share a job."""
_FAILING_MAX_S: Final = 30.0


class Wake:
    """Sends one job for much news: at most one every ``gap_s`` seconds for each process.

    ``send`` puts a job on the queue; what it raises is an alarm and a longer gap. The thread is made when it is first
    needed, and anew in a process that was forked.
    """

    def __init__(self, bus: Bus, name: str, send: Callable[[], object], *, clock: Clock, gap_s: float = GAP_S) -> None:
        if gap_s <= 0:
            raise ConfigError("gap_s is a number of seconds above zero")
        self._bus = bus
        self._name = name
        self._send = send
        self._clock = clock
        self._gap_s = gap_s
        self._ended = False
        self._forget()
        self._unsubscribe = bus.subscribe(self._on_news, EventProcessed, StatusChanged)
        if hasattr(os, "register_at_fork"):
            known = weakref.ref(self)
            os.register_at_fork(after_in_child=lambda: _forgotten(known()))

    def _forget(self) -> None:
        """Neither a thread nor a lock that it held lives on in a child."""
        self._lock = threading.Lock()
        self._rung = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def _on_news(self, signal: Signal) -> None:
        if isinstance(signal, EventProcessed):
            wakes = bool(signal.milestones)
        else:  # an order that was made, or tried in vain, gives nobody anything to do
            wakes = isinstance(signal, StatusChanged) and (signal.kind != "order" or signal.after == "paid")
        if wakes:
            self.ring()

    def ring(self) -> None:
        """Have a job sent soon. It waits for nothing."""
        self._rung.set()
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._ended:
                thread = threading.Thread(target=self._serve, name=f"wake {self._name}", daemon=True)
                thread.start()  # where there can be no more threads now, the next news tries again
                self._thread = thread

    def now(self) -> bool:
        """Send a job in this thread; gives whether the broker took it."""
        try:
            self._send()
        except Exception as error:  # noqa: BLE001 - the broker's library raises what it likes, and nothing is lost
            key = f"queue:{self._name}:{self._clock.now():%Y-%m-%dT%H}"
            self._bus.alarm(key, type(error).__name__, "no job could be queued; the schedule is left")
            return False
        return True

    def _serve(self) -> None:
        pause = self._gap_s
        while not self._closed.is_set():
            self._rung.wait()
            if self._closed.wait(_GATHER_S):
                return
            self._rung.clear()  # before the job is sent: what commits from here on needs another
            if self.now():
                pause = self._gap_s
            else:
                self._rung.set()
                pause = min(pause * 2, _FAILING_MAX_S)
            self._closed.wait(pause)

    def close(self) -> None:
        """Send no more. Rows that wait are left to the schedule."""
        self._unsubscribe()
        with self._lock:
            self._ended = True
            self._closed.set()
            self._rung.set()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5)


def _forgotten(wake: Wake | None) -> None:
    if wake is not None:
        wake._forget()

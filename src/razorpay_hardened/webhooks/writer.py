"""The one writer of an asynchronous server: whatever has queued up is one batch, and one commit.

One thread takes what is there, up to a limit, and never waits for more: alone, a delivery is a batch of one. Each
sender is told after the commit, and its own answer. Nothing is lost if the process dies: what was not committed was
not answered, and Razorpay sends it again.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from typing import Final, NamedTuple, TypeAlias

from razorpay_hardened.clock import SystemClock
from razorpay_hardened.errors import StorageUnavailable
from razorpay_hardened.signing import VerifiedBody
from razorpay_hardened.web import Reply

__all__ = ["BATCH_MAX", "QUEUE_MAX", "End", "Ticket", "Writer"]

BATCH_MAX: Final = 50
QUEUE_MAX: Final = 1000
"""How many may wait at all: beyond that, senders are told to come again."""
WAIT_S: Final = 4.0
"""How long one waits before it is begun: Razorpay waits 5 s for an answer."""

_CLOCK: Final = SystemClock()

End: TypeAlias = Reply | BaseException
Deliver: TypeAlias = Callable[[Sequence[tuple[VerifiedBody, str | None]]], list[End]]
Tell: TypeAlias = Callable[[list[tuple["Ticket", End]]], None]


class Ticket:
    """One delivery that waits for its turn. ``tell`` is called with it and its end, together with others of the batch
    that have the same ``tell``, in the writer's thread."""

    __slots__ = ("body", "event_id", "since", "tell")

    def __init__(self, body: VerifiedBody, event_id: str | None, tell: Tell) -> None:
        self.body = body
        self.event_id = event_id
        self.tell = tell
        self.since = _CLOCK.monotonic()


class _State(NamedTuple):
    """What belongs to one process: a fork's child begins with nothing."""

    pid: int
    changed: Condition
    queue: deque[Ticket]


class Writer:
    """The thread and its queue. It begins with the first delivery; :meth:`close` ends it once the queue is empty."""

    def __init__(self, deliver: Deliver, *, batch_max: int = BATCH_MAX, queue_max: int = QUEUE_MAX) -> None:
        self._deliver = deliver
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._begin()

    def _begin(self) -> None:
        self._state = _State(os.getpid(), Condition(), deque())
        self._thread: Thread | None = None
        self._closing = False
        self._in_work: dict[str, Ticket] = {}

    def submit(self, ticket: Ticket) -> None:
        """Queue a delivery. Raises :class:`StorageUnavailable` where too many wait, or the writer is being closed."""
        if self._state.pid != os.getpid():
            self._begin()
        with self._state.changed:
            if self._closing or len(self._state.queue) >= self._queue_max:
                raise StorageUnavailable("too many deliveries wait to be stored")
            self._state.queue.append(ticket)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="razorpay-webhook-writer", daemon=True)
                self._thread.start()
            self._state.changed.notify()

    def withdraw(self, ticket: Ticket) -> bool:
        """Take back a delivery that nobody waits for any more. False: it is in work already, or has ended."""
        with self._state.changed:
            if ticket not in self._state.queue:
                return False
            self._state.queue.remove(ticket)
            return True

    def twin_in_work(self, ticket: Ticket) -> bool:
        """Whether the very same delivery, of another sender's, is being processed now."""
        return self._in_work.get(ticket.body.digest, ticket) is not ticket

    def close(self, timeout_s: float | None = None) -> None:
        """Take nothing new, finish what waits, and end the thread. It begins again with the next delivery."""
        with self._state.changed:
            self._closing = True
            thread = self._thread
            self._state.changed.notify_all()
        if thread is not None:
            thread.join(timeout_s)
        if thread is None or not thread.is_alive():
            self._begin()

    # --- the thread

    def _run(self) -> None:
        while batch := self._take():
            late = [one for one in batch if _CLOCK.monotonic() - one.since > WAIT_S]
            _tell([(one, StorageUnavailable("it waited too long to be begun")) for one in late])
            if ready := [one for one in batch if one not in late]:
                self._process(ready)

    def _take(self) -> list[Ticket]:
        """What is there, up to the limit; waits only where nothing is. Empty: this is the end."""
        state = self._state
        with state.changed:
            self._in_work = {}
            while not state.queue and not self._closing:
                state.changed.wait()
            batch = [state.queue.popleft() for _ in range(min(len(state.queue), self._batch_max))]
            for ticket in reversed(batch):  # the first of equal ones is the one that its twins wait for
                self._in_work[ticket.body.digest] = ticket
            return batch

    def _process(self, batch: list[Ticket]) -> None:
        try:
            ends = self._deliver([(one.body, one.event_id) for one in batch])
        except BaseException as error:  # noqa: BLE001  # whoever waits must hear of it; the thread serves the next
            ends = [error] * len(batch)
        _tell(list(zip(batch, ends, strict=True)))


def _tell(ended: list[tuple[Ticket, End]]) -> None:
    by_ear: dict[Tell, list[tuple[Ticket, End]]] = {}
    for ticket, end in ended:
        by_ear.setdefault(ticket.tell, []).append((ticket, end))
    for tell, mine in by_ear.items():
        tell(mine)

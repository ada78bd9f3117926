"""What waits: effects to retry, and events parked until their order or payment is known.

Nothing here sleeps or loops: a scheduler, a cron job or a worker calls it (DESIGN section 8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from razorpay_hardened.clock import Clock
from razorpay_hardened.domain.events import read_event
from razorpay_hardened.domain.facts import Cause
from razorpay_hardened.domain.ours import FOREIGN
from razorpay_hardened.effects import Attempt, Relay, misuse
from razorpay_hardened.effects.change import delivery_of
from razorpay_hardened.effects.inline import HandlerMisuse
from razorpay_hardened.effects.pause import seen
from razorpay_hardened.errors import EventUnknown
from razorpay_hardened.ledger import Applied, Ledger
from razorpay_hardened.ports.gateway import Gateway
from razorpay_hardened.ports.store import EffectRow, InboxRow, Store, Touches, Transaction
from razorpay_hardened.ports.unit import transact
from razorpay_hardened.signals import Bus
from razorpay_hardened.webhooks.failing import warn_of_waiting
from razorpay_hardened.webhooks.parked import Parked, lock
from razorpay_hardened.webhooks.sift import Sifter, filed_under

__all__ = ["Drained", "Pending", "PendingWork"]

_OF_ONE_ORDER: Final = 100
"""More effects than one order has."""


@dataclass(frozen=True, slots=True)
class PendingWork:
    """What one call did. ``retried`` and ``ran`` count attempts, successful or not; ``failed`` those that were not.

    ``paused``: effects stand still, so that no handler was called; parked events are looked at all the same.
    """

    retried: int = 0
    ran: int = 0
    failed: int = 0
    drained: int = 0
    ignored: int = 0
    paused: bool = False

    @property
    def total(self) -> int:
        """Everything that was done: 0 means that nothing was waiting."""
        return self.retried + self.ran + self.drained + self.ignored


@dataclass(frozen=True, slots=True)
class Drained:
    """What draining came to: handlers called (``on`` and ``after``), how many of them failed, and how many effects are
    ``left`` waiting for another try. ``paused``: somebody paused meanwhile, and it stopped."""

    ran: int = 0
    failed: int = 0
    left: int = 0
    paused: bool = False


class Pending:
    """Does what waits, a bounded amount at a time."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        relay: Relay,
        *,
        clock: Clock,
        bus: Bus,
        ack: str,
        gateway: Callable[[], Gateway] | None,
        sifter: Sifter,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._relay = relay
        self._clock = clock
        self._bus = bus
        self._redelivered = ack == "effect"
        self._sifter = sifter
        self._parked = Parked(store, ledger, clock=clock, bus=bus, gateway=gateway, ours=sifter.ours)

    def run(
        self, limit: int, *, effects: bool = True, parked: bool = True, stop: Callable[[], bool] | None = None
    ) -> PendingWork:
        """Up to ``limit`` anchors with waiting inline effects, ``limit`` later effects, ``limit`` parked events.

        Of those, only the ``effects`` or only the ``parked``. Nothing more is begun once ``stop()`` is true.
        """
        paused = self._paused()
        quiet = paused or not effects
        retried, failed = (0, 0) if quiet else self._retry_inline(limit, stop)
        attempts = [] if quiet else self._relay.run(limit=limit, stop=stop)
        drained, ignored = self._parked.look(limit, stop) if parked else (0, 0)
        failed += _failures(attempts)
        if parked and self._redelivered and not paused:
            warn_of_waiting(self._store, self._clock.now(), self._bus)
        return PendingWork(retried, len(attempts), failed, drained, ignored, paused)

    def _paused(self) -> bool:
        """Whether there is anything to try, and whether a person must hear that there is not. It decides nothing: the
        ledger and the relay look again, inside their transactions."""
        pause = seen(self._store.switches())
        alarm = pause.alarm(self._clock.now())
        if alarm is not None:
            self._bus.alarm(*alarm)
        return pause.on is not None

    # --- after a pause

    def drain(self, limit: int) -> Drained:
        """Everything that waits, once: ``on`` effects order by order, the order with the oldest first, then ``after``
        effects by age."""
        ran = failed = after_id = 0
        now = self._clock.now()
        due_by = None if self._redelivered else now  # a redelivery would not ask whether it is due either
        stuck: set[str] = set()  # tried, and something of theirs waits still: once is enough
        while rows := self._store.effects(states=("waiting",), mode="on", due=due_by, after_id=after_id, limit=limit):
            for anchor in dict.fromkeys(row.anchor for row in rows):
                if anchor in stuck:
                    continue
                applied = self._resume(anchor, due_by)
                applied.announce(self._bus)
                if any(attempt.state == "waiting" for attempt in applied.attempts):
                    stuck.add(anchor)
                ran += sum(1 for attempt in applied.attempts if attempt.ran)
                failed += _failures(applied.attempts)
                if applied.paused:
                    return Drained(ran, failed, self._unfinished(limit), paused=True)
            after_id = rows[-1].id
        while attempts := self._relay.run(limit=limit, due_by=now):  # what is put off meanwhile is not for now
            ran += len(attempts)
            failed += _failures(attempts)
        return Drained(ran, failed, self._unfinished(limit), paused=self._paused())

    def _unfinished(self, limit: int) -> int:
        count = after_id = 0
        while rows := self._store.effects(states=("waiting", "leased"), after_id=after_id, limit=limit):
            count += len(rows)
            after_id = rows[-1].id
        return count

    # --- inline effects

    def _retry_inline(self, limit: int, stop: Callable[[], bool] | None) -> tuple[int, int]:
        now = self._clock.now()
        retried = failed = 0
        for anchor in self._due_anchors(now, limit):
            if stop is not None and stop():
                break
            applied = self._resume(anchor, now)
            applied.announce(self._bus)
            retried += sum(1 for attempt in applied.attempts if attempt.ran)
            failed += _failures(applied.attempts)
        return retried, failed

    def _due_anchors(self, now: datetime, limit: int) -> list[str]:
        """Those with an effect that may run now. Rows that only hold others up must not fill the ``limit``: a broken
        handler, or one that this process does not have, would keep every other handler waiting."""
        anchors: dict[str, None] = {}
        after_id = 0
        while len(anchors) < limit and (
            rows := self._store.effects(
                states=("waiting",), mode="on", due=now, heads=True, after_id=after_id, limit=limit
            )
        ):
            anchors |= dict.fromkeys(row.anchor for row in rows if self._relay.knows(row))
            after_id = rows[-1].id
        return list(anchors)[:limit]

    def _resume(self, anchor: str, due_by: datetime | None) -> Applied:
        cause = Cause("local", self._clock.now(), "process_pending")

        def work(tx: Transaction) -> Applied:
            return self._ledger.resume(tx, anchor, cause=cause, redelivered=self._redelivered, due_by=due_by)

        try:
            return transact(self._store, work, durable=True)
        except HandlerMisuse as error:
            # Its own failure, and not everybody's: the other orders are still to be tried.
            misuse.alarm(self._bus, error)
            attempt = misuse.record(self._store, error, redelivered=self._redelivered)
            return Applied(anchors=(anchor,), attempts=[] if attempt is None else [attempt])

    # --- replay

    def given_up(self, row: InboxRow) -> list[EffectRow]:
        """The effects of a delivery that were given up."""
        facts = read_event(row.body, row.event_id).facts() if row.state in ("done", "dead") else ()
        anchors = sorted({*self._ledger.touches(facts).anchors, *((row.anchor,) if row.anchor else ())})
        dead = [effect for anchor in anchors for effect in self._store.effects(states=("dead",), anchor=anchor)]
        return [effect for effect in dead if delivery_of(effect) == row.digest]

    def replay_effect(self, effect_id: int) -> EffectRow:
        """Give one effect that was given up its attempts back, and try it now. Gives its row as it is afterwards."""
        row = self._effect(effect_id)
        if row is None or row.state != "dead":
            raise EventUnknown(f"no effect {effect_id} is given up")
        cause = Cause("local", self._clock.now(), "replay_effect")

        def work(tx: Transaction) -> Applied:
            tx.load(Touches((row.anchor,)))
            # Only if it is still as it was read: two who replay at once must not make two calls of it.
            if row.error is None or not tx.shorten_error(row, row.error):
                return Applied()
            tx.finish_effect(row, "waiting", attempts=0, due_at=self._clock.now())
            if row.mode == "after":
                return Applied()
            return self._ledger.resume(tx, row.anchor, cause=cause, redelivered=self._redelivered)

        try:
            transact(self._store, work, durable=True).announce(self._bus)
        except HandlerMisuse as error:
            misuse.alarm(self._bus, error)  # and it stays given up: all of this is undone
            raise
        if row.mode == "after":
            self._relay.run(limit=_OF_ONE_ORDER, anchor=row.anchor)
        after = self._effect(effect_id) or row
        self._close_delivery(after)
        return after

    def _effect(self, effect_id: int) -> EffectRow | None:
        rows = self._store.effects(after_id=effect_id - 1, limit=1)
        return rows[0] if rows and rows[0].id == effect_id else None

    def _close_delivery(self, row: EffectRow) -> None:
        """The delivery that was given up for this effect is done, once none of its effects is given up any more."""
        digest = delivery_of(row)
        if row.state != "done" or digest is None or self._store.inbox_state(digest) != "dead":
            return
        unfinished = self._store.effects(states=("dead", "waiting"), anchor=row.anchor, limit=_OF_ONE_ORDER)
        if not any(delivery_of(one) == digest for one in unfinished):
            transact(self._store, lambda tx: tx.settle(digest, "done", self._clock.now()))

    def foreign(self, row: InboxRow) -> str | None:
        """What a stored delivery is filed under, if it is another application's: to be asked before a transaction."""
        event = read_event(row.body, row.event_id)
        return filed_under(event) if self._sifter.whose(event) == "theirs" else None

    def reapply(
        self, tx: Transaction, row: InboxRow, given_up: list[EffectRow], cause: Cause, foreign: str | None = None
    ) -> Applied:
        """Apply a stored delivery once more; it ends ``done``, ``waiting``, ``parked``, ``ignored``, or this raises."""
        facts = read_event(row.body, row.event_id).facts()
        now = self._clock.now()
        if not facts:
            tx.settle(row.digest, "ignored", now)
            return Applied()
        if foreign is not None and row.state in ("ignored", "parked", "quarantined"):
            tx.settle(row.digest, "ignored", now, anchor=foreign, reason=FOREIGN)
            return Applied()
        lock(tx, self._ledger, [row])
        for effect in given_up:
            tx.finish_effect(effect, "waiting", attempts=0, due_at=now)
        applied = self._ledger.apply(tx, *facts, cause=cause)
        if applied.parked_under is not None:
            tx.settle(row.digest, "parked", now, anchor=applied.parked_under)
        elif applied.waiting:
            tx.settle(row.digest, "waiting", now, anchor=applied.waiting[0].row.anchor)
        else:
            tx.settle(row.digest, "done", now)
            if row.state == "done" and not given_up:
                self._ledger.replayed(tx, row.digest, applied.anchors[0], cause=cause)
        return applied


def _failures(attempts: Iterable[Attempt]) -> int:
    return sum(1 for attempt in attempts if attempt.error is not None)

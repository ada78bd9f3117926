"""Runs ``after`` handlers from their rows: leased, retried, at least once.

A row is leased with a token in one transaction, the handler runs outside any, and the result is recorded only if the
lease is still ours (a process that was paused past its lease finds that out by its token). Each of the three steps may
be the last thing a process does: the lease ends, and another worker repeats the effect with the same key.

A coroutine is cancelled when its lease ends. A synchronous handler cannot be stopped: it may end after its lease,
beside the worker that took over.
"""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from razorpay_hardened.clock import Clock
from razorpay_hardened.domain.state import OrderState
from razorpay_hardened.effects.awaiting import Loop
from razorpay_hardened.effects.change import Change, Row, change_from
from razorpay_hardened.effects.failure import Judged, judge
from razorpay_hardened.effects.inline import Attempt
from razorpay_hardened.effects.pause import look
from razorpay_hardened.effects.registry import Handler, Registry
from razorpay_hardened.errors import OrderUnknown
from razorpay_hardened.ports.store import EffectRow, Store, Transaction
from razorpay_hardened.ports.unit import transact
from razorpay_hardened.signals import Bus, EffectDead, EffectDone, EffectFailed

__all__ = ["Relay", "announce"]

LEASE: Final = timedelta(seconds=60)


class Relay:
    """Leases and runs ``after`` effects, one at a time. Several relays, in any processes, share the work."""

    def __init__(self, store: Store, registry: Registry, *, clock: Clock, bus: Bus, lease: timedelta = LEASE) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._bus = bus
        self._lease = lease

    def run(
        self,
        *,
        limit: int,
        budget_s: float | None = None,
        anchor: str | None = None,
        due_by: datetime | None = None,
        own: bool = True,
        stop: Callable[[], bool] | None = None,
    ) -> list[Attempt]:
        """Run up to ``limit`` effects that are due, now or by ``due_by``; with ``anchor``, only that order's.

        No effect is begun once ``budget_s`` seconds have passed or ``stop()`` is true, and none during a pause. Without
        ``own``, this package's own tasks, which ask Razorpay, are left to a worker: for whom somebody waits. Raises
        :class:`StorageError` when the store fails.
        """
        names = self._registry.names("after", own=own)
        if not names:
            return []
        begun = self._clock.monotonic()
        attempts: list[Attempt] = []
        with Loop(self._lease) as loop:
            while len(attempts) < limit:
                if budget_s is not None and self._clock.monotonic() - begun >= budget_s:
                    break
                if stop is not None and stop():
                    break
                row = self._take(names, anchor, due_by)
                if row is None:
                    break
                attempt = self._run(row, loop)
                announce(self._bus, attempt)
                attempts.append(attempt)
        return attempts

    def knows(self, row: EffectRow) -> bool:
        """Whether this process has the handler of an effect."""
        return self._registry.find(row.milestone, row.handler) is not None

    def _take(self, names: list[str], anchor: str | None, due_by: datetime | None) -> EffectRow | None:
        """One row at a time: a lease must not run out while its row waits behind a slow one."""
        now = self._clock.now()

        def lease(tx: Transaction) -> list[EffectRow]:
            if look(tx).on is not None:
                return []
            return tx.lease_effects(
                due_by or now, now + self._lease, secrets.token_hex(8), handlers=names, limit=1, anchor=anchor
            )

        rows = transact(self._store, lease, durable=True)
        return rows[0] if rows else None

    def _run(self, row: EffectRow, loop: Loop) -> Attempt:
        handler = self._registry.find(row.milestone, row.handler)
        tried = row.attempts + 1
        own = handler is not None and handler.own
        change = None if own else self._change(row)
        try:
            if handler is not None and own:
                handler.function(row)
            else:
                _call(handler, row, change, loop)
        except Exception as error:  # noqa: BLE001 - the handler is the application's
            retry = None if handler is None else handler.retry
            judged = judge(error, row, self._clock.now(), redelivered=False, retry=retry)
            self._finish(row, judged)
            return Attempt(row, judged.state, tried, error=error)
        kept = self._finish(row, Judged("done", tried, self._clock.now()))
        return Attempt(row, "done" if kept else "waiting", tried)

    def _change(self, row: EffectRow) -> Change | None:
        """What the handler is told; None where the row that the effect is about is gone."""
        entity: Row | None
        order: OrderState | None = None
        if row.kind == "payment":
            entity = self._store.payment(row.entity_id)
        elif row.kind == "refund":
            entity = self._store.refund(row.entity_id)
        elif row.kind == "order":
            entity = self._store.order(row.entity_id)
        else:
            entity = self._store.entity(row.entity_id)
        if row.anchor.startswith("order_"):
            order = self._store.order(row.anchor)
        return None if entity is None else change_from(row, entity, order)

    def _finish(self, row: EffectRow, end: Judged) -> bool:
        def finish(tx: Transaction) -> bool:
            return tx.finish_effect(
                row, end.state, attempts=end.attempts, due_at=end.due_at, error=end.error, token=row.token
            )

        return transact(self._store, finish, durable=True)


def _call(handler: Handler | None, row: EffectRow, change: Change | None, loop: Loop) -> None:
    if change is None:
        raise OrderUnknown(f"the {row.kind} of this effect is not on record")
    if handler is None:
        # Its name is known here, for another milestone: this process is older or newer than the row.
        raise LookupError(f"no handler for {change.milestone} by this name in this process")
    result = handler.function(change)
    if inspect.isawaitable(result):
        loop.run(result)


def announce(bus: Bus, attempt: Attempt) -> None:
    """Tell the bus what became of an effect. Call it once the record of it has committed."""
    row = attempt.row
    if not attempt.ran:
        return
    if attempt.state == "done":
        bus.emit(EffectDone(row.key, row.handler, attempt.attempts))
        return
    error = type(attempt.error).__name__
    if attempt.state == "dead":
        bus.emit(EffectDead(row.key, row.handler, attempt.attempts, error))
        bus.alarm(f"effect_dead:{row.key}:{row.handler}", "effect_dead", f"{row.handler} gave up on {row.key}")
    else:
        bus.emit(EffectFailed(row.key, row.handler, attempt.attempts, error))

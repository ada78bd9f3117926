"""One round of everything that waits: a plain function, for a loop, a queue's job, cron, or another engine.

Effects come first, and are all that a round does where it is not asked to keep house. Keeping house is what may ask
Razorpay, and need not be done each second: parked events, what a crash left open, chores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from razorpay_hardened.checkout import Checkout, Swept
from razorpay_hardened.clock import Clock
from razorpay_hardened.effects.registry import OWN, Registry
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.ports.store import Store
from razorpay_hardened.signals import Bus
from razorpay_hardened.webhooks import PendingWork, Webhooks
from razorpay_hardened.worker.chores import Chores

__all__ = ["Rounds", "Worked"]


@dataclass(frozen=True, slots=True)
class Worked:
    """What one round did. ``swept`` is None where it did not keep house.

    ``more``: call again at once, because the round was cut short, or has done something that may bring more work.
    ``chores`` were done, ``chores_failed`` raised. ``missing``: handlers that the store still owes a call, and that
    this process does not have.
    """

    pending: PendingWork
    swept: Swept | None = None
    chores: tuple[str, ...] = ()
    chores_failed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    more: bool = False

    @property
    def total(self) -> int:
        """Everything that was done, chores apart: 0 means that nothing was waiting."""
        swept = 0 if self.swept is None else self.swept.found + self.swept.failed + self.swept.refunded
        return self.pending.total + swept

    def to_dict(self) -> dict[str, object]:
        """Counts and names for programs; nothing about anybody."""
        swept = self.swept or Swept()
        return {
            "ran": self.pending.retried + self.pending.ran,
            "failed": self.pending.failed,
            "drained": self.pending.drained,
            "ignored": self.pending.ignored,
            "paused": self.pending.paused,
            "orders_found": swept.found,
            "orders_failed": swept.failed,
            "refunded": swept.refunded,
            "left": swept.left,
            "chores": list(self.chores),
            "chores_failed": list(self.chores_failed),
            "missing": list(self.missing),
        }


class Rounds:
    """Does rounds. Several, in any threads and processes, share the work."""

    def __init__(
        self,
        webhooks: Webhooks,
        checkout: Checkout,
        chores: Chores,
        *,
        store: Store,
        handlers: Registry,
        clock: Clock,
        bus: Bus,
    ) -> None:
        self._webhooks = webhooks
        self._checkout = checkout
        self._chores = chores
        self._store = store
        self._handlers = handlers
        self._clock = clock
        self._bus = bus

    def run(self, *, limit: int, housekeeping: bool, budget_s: float | None, stop: Callable[[], bool] | None) -> Worked:
        """See :meth:`Razorpay.work`."""
        if limit < 1:
            raise ConfigError("limit is 1 or more")
        end = self._end(budget_s, stop)
        effects = self._webhooks.process_pending(limit=limit, parked=False, stop=end)
        cut_short = end()
        if not housekeeping:
            return Worked(effects, more=cut_short or _more(effects, limit))
        end = self._end(budget_s, stop)  # a time of its own: a full day of effects must not keep the house from order
        parked = self._webhooks.process_pending(limit=limit, effects=False, stop=end)
        swept = self._checkout.sweep(limit=limit, stop=end)
        done, failed = self._chores.run(lambda: stop is not None and stop())  # each of them must have its turn
        pending = PendingWork(
            effects.retried, effects.ran, effects.failed, parked.drained, parked.ignored, parked.paused
        )
        more = cut_short or _more(pending, limit) or swept.found > 0 or swept.refunded > 0
        return Worked(pending, swept, done, failed, self._missing(), more)

    def _end(self, budget_s: float | None, stop: Callable[[], bool] | None) -> Callable[[], bool]:
        ends_at = None if budget_s is None else self._clock.monotonic() + budget_s

        def ended() -> bool:
            return (stop is not None and stop()) or (ends_at is not None and self._clock.monotonic() >= ends_at)

        return ended

    def _missing(self) -> tuple[str, ...]:
        """Without them their effects would wait for ever, and nobody would hear of it."""
        owed = (name for name in self._store.effect_handlers() if not name.startswith(OWN))
        missing = tuple(sorted(set(owed) - set(self._handlers.names())))
        for name in missing:
            self._bus.alarm(f"missing:{name}", "handler_missing", f"effects wait for {name}: is its module imported?")
        return missing


def _more(pending: PendingWork, limit: int) -> bool:
    """Whether to go on at once. Where everything failed there is no hurry: handlers that ask to be called again in no
    time must not keep a processor busy."""
    return pending.total > pending.failed or pending.ran >= limit or pending.retried >= limit

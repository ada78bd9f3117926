"""After an outage: see that webhooks are missing, then learn by listing what they would have told.

Razorpay has no API for events that were. What it has is the state of everything, so a recovery is a reconciliation that
repairs, looks further back, goes on to the other kinds, and says ``poll`` as the source of its facts. The ledger
decides on them as it does on a webhook's, under the same keys: a delivery that comes after all, before, amid or
afterwards, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from razorpay_hardened.clock import Clock
from razorpay_hardened.domain.ours import Ours
from razorpay_hardened.ledger import Ledger
from razorpay_hardened.ports.gateway import Gateway
from razorpay_hardened.ports.store import Store
from razorpay_hardened.reconcile.outcome import Reconciliation
from razorpay_hardened.reconcile.run import WINDOW, Reconciler, Task
from razorpay_hardened.reconcile.silence import Silence, find_silence
from razorpay_hardened.signals import Bus

__all__ = ["LIMIT", "LOOKBACK", "Recovered", "Recovery"]

LIMIT: Final = 100_000
LOOKBACK: Final = timedelta(days=4)
"""How much older than an outage a payment can be that moved in it: banks answer up to three days late (FACTS section
9), and listings go by the time of creation."""

_RECOVER: Final = Task("recovery", "poll", rest=True)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery came to. ``reconciliation`` has its window, its findings and its totals: ``totals.milestones`` is
    what fired, ``totals.others`` the entities of other kinds that were looked at.

    ``silence`` is what was found at the start, None where deliveries come. ``skipped`` are kinds that the API would not
    list and entities that the ledger would not take, with the error's code.
    """

    reconciliation: Reconciliation
    silence: Silence | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def milestones(self) -> Mapping[str, int]:
        """What fired, by name: nothing at a second call."""
        return self.reconciliation.totals.milestones

    @property
    def complete(self) -> bool:
        """False where ``limit`` ended it: call it again."""
        return self.reconciliation.complete

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times in ISO 8601."""
        return {
            **self.reconciliation.to_dict(),
            "silence": None if self.silence is None else self.silence.to_dict(),
            "skipped": dict(self.skipped),
        }


class Recovery:
    """``rzp.recovery``: :meth:`look` for missing webhooks as often as you like, :meth:`run` once they were missing."""

    def __init__(
        self,
        store: Store,
        gateway: Gateway,
        ledger: Ledger,
        *,
        clock: Clock,
        bus: Bus,
        inline: bool = True,
        ours: Ours | None = None,
        after: timedelta = timedelta(hours=1),
        grace: timedelta = timedelta(minutes=30),
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._bus = bus
        self._after = after
        self._grace = grace
        self._reconciler = Reconciler(
            store, gateway, ledger, clock=clock, bus=bus, inline=inline, ours=ours, task=_RECOVER
        )

    def look(self) -> Silence | None:
        """The silence that there is now: money at Razorpay, and no webhook of it; None where all is well.

        Raises an alarm ``silence:…``, once for each silence and process. It writes nothing and asks Razorpay for a page
        or three of payments and of refunds: call it every few minutes. Raises :class:`ApiError`, :class:`StorageError`.
        """
        silence = self._silence()
        if silence is not None:
            self._bus.alarm(f"silence:{silence.key}", silence.reason, str(silence))
        return silence

    def _silence(self) -> Silence | None:
        return find_silence(self._store, self._gateway, self._clock, after=self._after, grace=self._grace)

    def run(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = LIMIT,
        overlap: timedelta = LOOKBACK,
    ) -> Recovered:
        """Learn what webhooks would have told from ``since`` to ``until``, and let handlers run.

        Without ``since``: from where the silence begins, or from 24 hours ago where deliveries come again. Orders,
        payments and refunds of that window come first, then what is open from before, the other kinds, and last the
        ``overlap``: what was made in the days before, and may have moved since. ``limit`` bounds what is examined. Call
        it as often as you like, while webhooks come or not: what is known changes nothing. After a kill, or at the
        limit, the next call that names the same window, or none, goes on.

        Raises :class:`FieldInvalid`, :class:`ReconcileBusy` while it or a repairing reconciliation is at work
        elsewhere, :class:`ReconcileStalled`, :class:`ApiError`, :class:`StorageError`: what was done by then stays
        done.
        """
        silence = self._silence()
        begin = since
        if begin is None:
            day = self._clock.now() - WINDOW
            begin = day if silence is None else min(silence.begins, day)
        work = self._reconciler._carry_out(begin, since, until, limit, overlap, repair=True)
        return Recovered(work.result(), silence, work.refused)

"""``rzp.audit``: the calls."""

from __future__ import annotations

from datetime import datetime

from razorpay_hardened.audit.explain import Explanation, explain
from razorpay_hardened.audit.past import Past, past
from razorpay_hardened.audit.seal import Sealing, seal
from razorpay_hardened.audit.verify import Verification, verify
from razorpay_hardened.clock import Clock
from razorpay_hardened.ports.store import Store

__all__ = ["Audit"]


class Audit:
    """The audit trail, for those who ask. Writes nothing but seals."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def seal(self) -> Sealing:
        """Link the rows that are finished into the chain of seals. Give it to your scheduler: every few minutes.

        Any number of processes may call it at once: one seals, the others wait for it and find nothing to do. What a
        transaction that still runs may come before is left for the next call.

        Raises :class:`AuditBroken` where the newest seal is not the one that was written last, and
        :class:`StorageError`.
        """
        return seal(self._store)

    def verify(self, witness: str | None = None) -> Verification:
        """Read the whole trail and judge it; findings, not exceptions. ``witness`` is a seal that you wrote down
        elsewhere (:attr:`Sealing.witness`): only it shows a trail that was cut or made anew as a whole.

        Writers are not held up. Memory does not grow with the trail. Raises :class:`ConfigError` for a text that is
        no witness, and :class:`StorageError`.
        """
        return verify(self._store, witness)

    def at(self, reference: str, moment: datetime) -> Past:
        """What a payment, an order or a refund was at ``moment`` (aware), as it was on record here then.

        Raises :class:`OrderUnknown` where nothing with this id is on record, ValueError for a naive time.
        """
        if moment.tzinfo is None:
            raise ValueError("give an aware datetime, for example datetime(2026, 1, 1, tzinfo=UTC)")
        return past(self._store, reference, moment)

    def explain(self, reference: str) -> Explanation:
        """The whole story of a payment, an order or a refund, with the rule that decided each step.

        Raises :class:`OrderUnknown` where nothing with this id is on record.
        """
        return explain(self._store, reference, self._clock.now())

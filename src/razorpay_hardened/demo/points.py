"""Named points in the middle of the work, watched from outside: a store that says where a transaction stands.

No production code knows of this. The demo puts the watched store into :class:`Razorpay`; at the armed point the
process kills itself (``die``), or, in a simulation, raises what stands for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

from razorpay_hardened.domain.state import RefundIntent
from razorpay_hardened.ports.store import Batch, Claim, Delivery, EffectRow, Held, Store, Touches, Transaction

__all__ = ["Points", "watched"]


class Points:
    """Which point is armed. At most one is, and only for the request that carries its name."""

    def __init__(self, die: Callable[[], NoReturn]) -> None:
        self._die = die
        self._armed: str | None = None
        self.transactions = 0

    def arm(self, point: str | None) -> None:
        """A request begins."""
        self._armed = point
        self.transactions = 0

    def reach(self, point: str) -> None:
        """The work has come to ``point``: die here if it is the armed one."""
        if self._armed == point:
            self._armed = None
            self._die()


def watched(store: Store, points: Points) -> Store:
    """``store``, with ``points`` told what its transactions do."""
    return cast(Store, _WatchedStore(store, points))


class _WatchedStore:
    def __init__(self, store: Store, points: Points) -> None:
        self._store = store
        self._points = points

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[Transaction]:
        points = self._points
        points.transactions += 1
        number = points.transactions
        if number == 2:
            points.reach("answered")
        with self._store.transaction(durable=durable) as tx:
            seen = _WatchedTransaction(tx, points)
            yield cast(Transaction, seen)
        if number == 1:
            points.reach("asked")
        for point in seen.once_committed:
            points.reach(point)


class _WatchedTransaction:
    def __init__(self, tx: Transaction, points: Points) -> None:
        self._tx = tx
        self._points = points
        self.once_committed: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    def claim(self, delivery: Delivery, ahead: Touches) -> Claim:
        claim = self._tx.claim(delivery, ahead)
        self._points.reach("claimed")
        self.once_committed.append("committed")
        return claim

    def load(self, touches: Touches) -> Held:
        held = self._tx.load(touches)
        self._points.reach("loaded")
        return held

    def write(self, batch: Batch, *, told: bool = True) -> list[EffectRow]:
        rows = self._tx.write(batch)
        self._points.reach("written")
        return rows

    def lease_effects(self, *args: Any, **options: Any) -> list[EffectRow]:
        rows = self._tx.lease_effects(*args, **options)
        if rows:
            self.once_committed.append("leased")
        return rows

    def put_intent(self, intent: RefundIntent) -> None:
        if intent.state == "bound":
            self._points.reach("refunded")
        self._tx.put_intent(intent)
        if intent.state == "open":
            self.once_committed.append("intended")

"""Wrong designs: what the crash rounds and the swarm must find, or they prove nothing.

Each is a mistake that a payment integration could make; each leaves a quiet day, without crashes or company, as it
should be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from razorpay_hardened.ports.store import Batch, EffectRow


class _Altered:
    """Something of which some methods are others."""

    def __init__(self, inner: Any, **methods: Any) -> None:
        self._inner = inner
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _altering(store: Any, alter: Callable[[Any], Any]) -> Any:
    @contextmanager
    def transaction(**chosen: Any) -> Iterator[Any]:
        with store.transaction(**chosen) as tx:
            yield alter(tx)

    return _Altered(store, transaction=transaction)


def lease_for_ever(store: Any) -> Any:
    """A lease that never ends: the effects of a dead worker are never taken over."""

    def alter(tx: Any) -> Any:
        def lease_effects(now: Any, until: Any, token: str, **chosen: Any) -> Any:
            return tx.lease_effects(now, until + timedelta(days=3650), token, **chosen)

        return _Altered(tx, lease_effects=lease_effects)

    return _altering(store, alter)


def done_when_taken(store: Any) -> Any:
    """At most once: an effect is marked done before it has happened."""

    def alter(tx: Any) -> Any:
        def lease_effects(now: Any, *lease: Any, **chosen: Any) -> Any:
            rows = tx.lease_effects(now, *lease, **chosen)
            for row in rows:
                tx.finish_effect(row, "done", attempts=1, due_at=now, token=row.token)
            return [replace(row, state="done") for row in rows]

        return _Altered(tx, lease_effects=lease_effects)

    return _altering(store, alter)


def claims_first(store: Any) -> Any:
    """The delivery is marked as known in a transaction of its own, before the work: a crash between loses the event."""

    @contextmanager
    def transaction(**chosen: Any) -> Iterator[Any]:
        with ExitStack() as stack:
            first = ExitStack()
            shown = _Altered(first.enter_context(store.transaction()))

            def claim(*delivery: Any) -> Any:
                found = shown._inner.claim(*delivery)
                first.close()  # commits
                shown._inner = stack.enter_context(store.transaction())
                return found

            shown.claim = claim
            stack.push(first)
            yield shown

    return _Altered(store, transaction=transaction)


class _Looked(Exception):
    """Ends the look of :func:`_in_two_steps`."""


def looks_first(store: Any) -> Any:
    """Check, then insert: a delivery's claim and state are read in one transaction, and acted on in the next one.

    What the tables refuse by then is overlooked, as where nobody gave them constraints.
    """
    return _in_two_steps(store, callbacks_too=False)


def reads_before_it_locks(store: Any) -> Any:
    """The same for whoever has news of an order: the checkout callback as the webhook."""
    return _in_two_steps(store, callbacks_too=True)


def _in_two_steps(store: Any, *, callbacks_too: bool) -> Any:
    @contextmanager
    def transaction(**chosen: Any) -> Iterator[Any]:
        with ExitStack() as stack:
            look = ExitStack()
            stack.push(look)
            shown = _Altered(look.enter_context(store.transaction(**chosen)))
            claims: list[Any] = []
            looking = [True]

            def claim(*delivery: Any) -> Any:
                claims.append(delivery)
                return shown._inner.claim(*delivery)

            def write(batch: Batch, **_: Any) -> list[EffectRow]:
                if not looking or not (claims or callbacks_too):
                    return shown._inner.write(batch)  # type: ignore[no-any-return]
                looking.clear()
                look.__exit__(_Looked, _Looked(), None)
                look.pop_all()
                shown._inner = stack.enter_context(store.transaction(**chosen))
                for delivery in claims:
                    shown._inner.claim(*delivery)
                return _overlooking(store, shown._inner, batch)

            shown.claim, shown.write = claim, write
            yield shown

    return _Altered(store, transaction=transaction)


def _overlooking(store: Any, tx: Any, batch: Batch) -> list[EffectRow]:
    """Write the batch but for what is there; its effects count as new all the same."""
    sql = "SELECT 1 FROM razorpay_audit WHERE anchor = ? AND seq = ?"
    audit = [row for row in batch.audit if tx.execute(sql, (row.anchor, row.seq)).fetchone() is None]
    new: list[EffectRow] = tx.write(replace(batch, audit=audit))
    wanted = {(effect.key, effect.handler) for effect in batch.effects} - {(row.key, row.handler) for row in new}
    there = [row for row in store.effects(limit=100_000) if (row.key, row.handler) in wanted]
    return sorted(new + there, key=lambda row: row.id)


STORES: dict[str, Callable[[Any], Any]] = {
    "claims-first": claims_first,
    "done-when-taken": done_when_taken,
    "lease-for-ever": lease_for_ever,
    "looks-first": looks_first,
}

ANSWERS_FIRST = "answers-first"
"""The endpoint sends 200 before the work."""

MAILS_INSIDE = "mails-inside"
"""The mail is sent from within the transaction: a crash before its commit leaves a mail for nothing."""

WILL_NOT_WAIT = "will-not-wait"
"""A store that finds another process writing answers at once that it cannot."""

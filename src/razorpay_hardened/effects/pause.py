"""The pause: news keeps coming in and being stored, and no handler is called.

A row in the store, so that it holds for every process at once and outlives them all. Whoever is about to call handlers
looks at it inside its transaction (:func:`look`); what had begun before may still end.

An effect that lived through a pause has not failed by being old. ``Pause.ended`` is kept for that: see
:func:`backoff.is_spent`, the one place where it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from razorpay_hardened.clock import Clock
from razorpay_hardened.errors import FieldInvalid
from razorpay_hardened.ports.store import Store, Switch, Transaction
from razorpay_hardened.ports.unit import transact
from razorpay_hardened.signals import Bus, EffectsPaused, EffectsResumed

__all__ = ["LONG", "Pause", "begin", "end", "look", "seen"]

LONG: Final = timedelta(days=1)
"""A pause that lasts longer was forgotten, more often than not: an alarm a day from then on."""

_PAUSED: Final = "paused"
_RESUMED: Final = "resumed"
_TEXT_MAX: Final = 200


class Pause(NamedTuple):
    """What the switches say: ``on`` while effects stand still; ``ended`` is when the last pause ended, if ever."""

    on: Switch | None = None
    ended: datetime | None = None

    def alarm(self, now: datetime) -> tuple[str, str, str] | None:
        """What a person must hear: that it has been on for a day, or another day."""
        if self.on is None or now - self.on.at < LONG:
            return None
        days = (now - self.on.at).days
        return f"paused:{self.on.at.isoformat()}:{days}", "paused_for_long", f"effects stand still for {days} days"


def seen(switches: Mapping[str, Switch]) -> Pause:
    """The pause among the switches of a store."""
    ended = switches.get(_RESUMED)
    return Pause(switches.get(_PAUSED), None if ended is None else ended.at)


def look(tx: Transaction) -> Pause:
    """The pause as this transaction sees it: one statement."""
    return seen(tx.switches())


def begin(store: Store, *, clock: Clock, bus: Bus, actor: str, note: str | None) -> Switch:
    """Stop effects. Gives the pause that holds: the one that is on already, where there is one."""
    asked = Switch(_PAUSED, clock.now(), _said(actor, "an actor"), None if note is None else _said(note, "a note"))

    def work(tx: Transaction) -> Switch:
        held = look(tx).on
        if held is None:
            tx.put_switch(asked)
        return held or asked

    switch = transact(store, work, durable=True)
    if switch is asked:
        bus.emit(EffectsPaused(switch.actor, switch.at))
    return switch


def end(store: Store, *, clock: Clock, bus: Bus, actor: str, note: str | None) -> Switch | None:
    """Let effects run again. Gives the pause that this ended, or None where there was none."""
    now = clock.now()
    ended = Switch(_RESUMED, now, _said(actor, "an actor"), None if note is None else _said(note, "a note"))

    def work(tx: Transaction) -> Switch | None:
        held = look(tx).on
        if held is not None:
            tx.drop_switch(_PAUSED)
            tx.put_switch(ended)
        return held

    switch = transact(store, work, durable=True)
    if switch is not None:
        bus.emit(EffectsResumed(actor, now, switch.at))
    return switch


def _said(text: object, what: str) -> str:
    if not isinstance(text, str) or not text.strip() or len(text) > _TEXT_MAX:
        raise FieldInvalid(f"{what} is 1 to {_TEXT_MAX} characters of text")
    return text

"""What the library announces, and the bus that carries it.

Logging, metrics, tracing and alarms subscribe here; the rooms that do the work know none of them. A signal carries ids,
names, counts and times only: never a body, a signature, a secret or anything personal (FAULTS P6, rule 14). Amounts do
not travel here either, so that a subscriber cannot become a second ledger.

A subscriber runs in the emitting thread. Whatever it raises changes nothing for the work that it watches (FAULTS L5).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar, overload

__all__ = [
    "ALARM_KEYS_MAX",
    "Alarm",
    "ApiAttempt",
    "ApiCall",
    "Bus",
    "EffectDead",
    "EffectDone",
    "EffectFailed",
    "EffectsPaused",
    "EffectsResumed",
    "EventDuplicate",
    "EventIgnored",
    "EventParked",
    "EventProcessed",
    "EventQuarantined",
    "EventReceived",
    "EventRejected",
    "Signal",
    "SourceUnlisted",
    "StatusChanged",
    "TransitionRefused",
]

ALARM_KEYS_MAX: Final = 10_000
"""How many alarm keys a bus remembers; beyond that the oldest is forgotten, and could alarm again."""


@dataclass(frozen=True, slots=True)
class Signal:
    """The base of all signals: subscribe to it to hear everything."""


@dataclass(frozen=True, slots=True)
class EventReceived(Signal):
    """A webhook body was rightly signed and parsed. ``digest`` is its SHA-256; ``at`` is when it came (aware, UTC).

    ``event_id`` is the header's, which nobody signs, or None.
    """

    event: str
    event_id: str | None
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EventRejected(Signal):
    """A request was refused and nothing was stored (FAULTS R0).

    ``reason`` is the error's class name; ``length`` the bytes received; ``peer`` the socket's address, or None.
    """

    reason: str
    length: int
    peer: str | None


@dataclass(frozen=True, slots=True)
class SourceUnlisted(Signal):
    """A request came from an address that is not on the list, and was let through: the check only logs.

    ``source`` is the sender behind the trusted proxies, None where it cannot be told; ``peer`` the socket's address.
    """

    source: str | None
    peer: str | None


@dataclass(frozen=True, slots=True)
class EventDuplicate(Signal):
    """A body came again. ``state`` is what the inbox says of the first: ``processed``, ``parked``, ``dead`` …"""

    digest: str
    event_id: str | None
    state: str


@dataclass(frozen=True, slots=True)
class EventQuarantined(Signal):
    """A rightly signed body cannot be used; its bytes are kept. ``event`` is None where it could not be read."""

    digest: str
    event: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class EventParked(Signal):
    """An event waits until its order or payment is known here. ``anchor`` is the Razorpay id that it waits for."""

    digest: str
    anchor: str


@dataclass(frozen=True, slots=True)
class EventIgnored(Signal):
    """An event was stored and set aside. ``reason``: ``untracked``, a type that nothing here tracks; ``foreign``,
    another application's, by the rule that was set; ``unclaimed``, nobody here has claimed its order in 72 hours."""

    digest: str
    event: str
    reason: str = "untracked"


@dataclass(frozen=True, slots=True)
class EventProcessed(Signal):
    """An event's facts are committed. ``milestones`` fired for the first time; ``seconds`` is the work's duration."""

    digest: str
    event: str
    milestones: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class TransitionRefused(Signal):
    """News would have moved a status backwards or into the unknown: ``status`` stays, ``refused`` is what was said."""

    entity_id: str
    status: str
    refused: str
    cause: str


@dataclass(frozen=True, slots=True)
class StatusChanged(Signal):
    """A status moved. ``before`` is None at first sight; ``source`` is who said so: ``webhook``, ``api`` …"""

    kind: str
    entity_id: str
    before: str | None
    after: str
    source: str


@dataclass(frozen=True, slots=True)
class EffectDone(Signal):
    """A handler succeeded for the milestone ``key``, at its ``attempts``-th attempt."""

    key: str
    handler: str
    attempts: int


@dataclass(frozen=True, slots=True)
class EffectFailed(Signal):
    """A handler raised and will be tried again. ``error`` is the exception's class name, never its text."""

    key: str
    handler: str
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class EffectDead(Signal):
    """A handler failed for the last time: a person must look. ``error`` is the exception's class name."""

    key: str
    handler: str
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class EffectsPaused(Signal):
    """An operator stopped all effects; what comes in is stored as before. ``actor`` is who, as they gave it."""

    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EffectsResumed(Signal):
    """Effects run again, after a pause that began at ``since``."""

    actor: str
    at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class ApiAttempt(Signal):
    """One request to Razorpay ended. ``status`` is None where no answer came, and ``error`` is then a class name.

    ``path`` is without a query; ``attempt`` counts from 1; ``seconds`` is this attempt alone. ``operation`` is the
    client's name for it, such as ``orders.create``; ``request_id`` is Razorpay's, where it sent one.
    """

    method: str
    path: str
    attempt: int
    status: int | None
    seconds: float
    error: str | None
    operation: str = ""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class ApiCall(Signal):
    """A call to Razorpay ended, with all its attempts and waits: ``seconds`` are those of the caller.

    ``rule`` is what makes a repeat of the operation safe (``read``, ``keyed``, ``look_up``, …). ``error`` is the class
    that the caller got, None for a success; ``OutcomeUnknown`` is the one to alarm on.
    """

    operation: str
    rule: str
    seconds: float
    error: str | None


@dataclass(frozen=True, slots=True)
class Alarm(Signal):
    """Something that a person must hear about, once per ``key``. ``detail`` holds ids, never personal data."""

    key: str
    reason: str
    detail: str


_S = TypeVar("_S", bound=Signal)


class Bus:
    """Carries signals to whoever subscribed, in the order of subscription. Safe from several threads.

    ``failures`` counts what subscribers raised; ``last_failure`` names the last such subscriber and its error's class.
    Neither an exception's text nor a signal is kept: they might hold what must not leave.
    """

    __slots__ = ("_alarmed", "_lock", "_subscribers", "failures", "last_failure")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Replaced as a whole, never changed in place, so that emit() reads it without the lock.
        self._subscribers: tuple[tuple[Callable[..., object], tuple[type[Signal], ...]], ...] = ()
        self._alarmed: dict[str, None] = {}
        self.failures = 0
        self.last_failure: str | None = None

    @overload
    def subscribe(self, callback: Callable[[Signal], object]) -> Callable[[], None]: ...
    @overload
    def subscribe(self, callback: Callable[[_S], object], *kinds: type[_S]) -> Callable[[], None]: ...
    def subscribe(self, callback: Callable[..., object], *kinds: type[Signal]) -> Callable[[], None]:
        """Call ``callback(signal)`` for each signal of these kinds; of every kind, if none is given.

        Returns a function that ends this subscription; calling it twice is harmless.
        """
        entry = (callback, kinds or (Signal,))
        with self._lock:
            self._subscribers = (*self._subscribers, entry)

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers = tuple(other for other in self._subscribers if other is not entry)

        return unsubscribe

    def emit(self, signal: Signal) -> None:
        """Tell every subscriber. Never raises because of one: its exception is counted and the next one runs."""
        for callback, kinds in self._subscribers:
            if isinstance(signal, kinds):
                try:
                    callback(signal)
                except Exception as error:  # noqa: BLE001  # a broken observer must not stop money (FAULTS L5)
                    self._count(callback, error)

    def alarm(self, key: str, reason: str, detail: str = "") -> bool:
        """Emit an :class:`Alarm`, once per ``key`` and bus. Returns whether it was emitted now."""
        with self._lock:
            if key in self._alarmed:
                return False
            if len(self._alarmed) >= ALARM_KEYS_MAX:
                del self._alarmed[next(iter(self._alarmed))]
            self._alarmed[key] = None
        self.emit(Alarm(key, reason, detail))
        return True

    def _count(self, callback: Callable[..., object], error: Exception) -> None:
        name = getattr(callback, "__qualname__", type(callback).__qualname__)
        with self._lock:
            self.failures += 1
            self.last_failure = f"{name}: {type(error).__name__}"

"""What one call is made of: the operation's rule, the request, the time it may take, and how it ended."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from razorpay_hardened.signing.keys import Secret

if TYPE_CHECKING:
    from razorpay_hardened.clock import Clock
    from razorpay_hardened.errors import ApiError

__all__ = [
    "Answer",
    "Budget",
    "Call",
    "Failed",
    "Fate",
    "Fault",
    "File",
    "Flow",
    "Limits",
    "Operation",
    "Rule",
    "Send",
    "Sleep",
]

T = TypeVar("T")


class Rule(Enum):
    """What makes it safe to send an operation again (FAULTS rules 6 and 12, FACTS section 7)."""

    READ = "repeat freely"
    KEYED = "repeat with the same idempotency key"
    SETTLE = "ask for the state first, then repeat"
    LOOK_UP = "look for the receipt first, then repeat"
    STATE = "repeat: a second time changes nothing more"
    ASK = "repeat: it asks, and changes nothing"
    ONCE = "never repeat"


@dataclass(frozen=True, slots=True)
class Operation:
    """One of Razorpay's operations: ``path`` with ``{}`` for each id, and the rule for sending it again.

    ``key_header`` is the header that carries the idempotency key, where the rule is ``KEYED``. ``bulk`` reads pass the
    rate limit of their own, so that a nightly walk does not take the customers' share. ``raw`` answers are a file's
    bytes, not JSON. ``public`` operations are shown the key id without its secret (FACTS section 1).
    """

    name: str
    method: str
    path: str
    rule: Rule
    key_header: str | None = None
    bulk: bool = False
    raw: bool = False
    public: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """What is uploaded: the name that Razorpay shows, the bytes, and their media type. ``repr`` shows no byte of it."""

    name: str
    content: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True, slots=True)
class Call:
    """One operation on checked ids. ``data`` is the query of a GET, else the JSON body (or, with a file, the form).

    ``repr`` does not show the data: they are people's.
    """

    operation: Operation
    ids: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    params: Mapping[str, Any] | None = None
    """The query of a write, which only free requests have."""
    key: str | None = None
    """The idempotency key, where the operation takes one."""
    receipt: str | None = None
    """What the doubt about this write can be looked up by: a receipt, or a reference of your own."""
    file: File | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The path with the ids in place, without a query."""
        return self.operation.path.format(*self.ids)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Secrets among the data, however deep, which a refusal may echo."""
        return tuple(_secrets_in(self.data))

    @property
    def writes(self) -> bool:
        """Whether it may change something at Razorpay."""
        return self.operation.rule not in {Rule.READ, Rule.ASK}


def _secrets_in(value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _secrets_in(inner)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that one attempt may take: to connect, between two bytes, and altogether."""

    connect_s: float
    read_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, headers with lower-case names, and the body (never more than the size limit).

    ``repr`` does not show the body: it tells of people.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """No usable answer came. ``sent`` is False only where the request certainly never left.

    ``what`` is ``timeout``, ``connection`` or ``too_large``; ``cause`` the class of the exception, never its text.
    """

    what: str
    sent: bool
    cause: str


class Fate(Enum):
    """What became of the request."""

    NOT_SENT = "it never left"
    BUSY = "it was turned away unread"
    REFUSED = "it was read and refused"
    UNKNOWN = "it may have been carried out"


@dataclass(slots=True)
class Failed:
    """An attempt that gave no result: the error to raise, and what is known about the request.

    A value and not an exception, so that no traceback holds a frame with our credentials in it.
    """

    error: ApiError
    fate: Fate


@dataclass(frozen=True, slots=True)
class Send:
    """A step: make this attempt. Whoever drives the flow answers with an :class:`Answer` or a :class:`Fault`."""

    call: Call
    limits: Limits


@dataclass(frozen=True, slots=True)
class Sleep:
    """A step: wait so many seconds."""

    seconds: float


Flow: TypeAlias = Generator[Send | Sleep, Any, T]
"""Work in steps that somebody else carries out: the same rules, whether a thread blocks or an event loop awaits."""


class Budget:
    """The time that a call may take with all its attempts and waits, on the monotonic clock."""

    __slots__ = ("_clock", "_deadline")

    def __init__(self, clock: Clock, total_s: float) -> None:
        self._clock = clock
        self._deadline = clock.monotonic() + total_s

    def remaining(self) -> float:
        """Seconds left; zero or less when it is over."""
        return self._deadline - self._clock.monotonic()

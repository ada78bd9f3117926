"""What is refused from the head of a request: before the tag is looked at, and without storing anything.

The order is the specification's: method, source, size, coding (FAULTS section 3 and rule 1); then who has sent too
much, or too much that was not signed rightly (rule 4). None of it is authority: who passes still has to prove himself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeAlias

from razorpay_hardened.clock import Clock
from razorpay_hardened.signals import Bus, SourceUnlisted
from razorpay_hardened.web import MAX_BODY_BYTES, Reply, Request, SourceCheck

if TYPE_CHECKING:
    from razorpay_hardened.web.source import Address

__all__ = ["Budget", "Guard", "Limiter", "Refusal", "SourceMode", "event_id_in"]

SourceMode: TypeAlias = Literal["off", "log", "enforce"]
"""Whether a sender that is not on the list is let through unseen, let through with a signal, or refused."""

SOURCES_MAX: Final = 10_000
"""How many sources a budget remembers; beyond that the oldest is forgotten, and starts afresh."""
_WINDOW_S: Final = 60.0
_EVENT_ID: Final = re.compile(r"[\x21-\x7e]{1,128}")
_UNKNOWN: Final = "unknown"


class Refusal(NamedTuple):
    """Why a request is not looked at any further, and what its sender is told."""

    reason: str
    reply: Reply


class Limiter(Protocol):
    """Counts calls, wherever it keeps its counts."""

    blocks: bool
    """Whether asking may wait for a network: an event loop must not ask by itself then."""

    def hit(self, source: str) -> float | None:
        """Count one call of ``source``; gives the seconds to wait where it was one too many, else None."""
        ...


class Budget:
    """How many bad signatures each source may send in a window of a minute. In bounded memory; safe from threads."""

    __slots__ = ("_allowed", "_clock", "_lock", "_seen")

    def __init__(self, allowed: int, clock: Clock) -> None:
        self._allowed = allowed
        self._clock = clock
        self._lock = Lock()
        self._seen: dict[str, tuple[float, int]] = {}
        """Source → when its window began, and how many; in the order in which the windows began."""

    def __bool__(self) -> bool:
        """Whether anybody has spent anything: where nobody has, nobody needs to be looked up."""
        return bool(self._seen)

    def spend(self, source: str) -> None:
        """Count one bad signature."""
        if self._allowed == 0:
            return
        now = self._clock.monotonic()
        with self._lock:
            began, count = self._seen.get(source, (now, 0))
            if now - began >= _WINDOW_S or count == 0:
                self._seen.pop(source, None)  # the new window is the youngest
                self._make_room(now)
                began, count = now, 0
            self._seen[source] = (began, count + 1)

    def _make_room(self, now: float) -> None:
        while self._seen:
            oldest = next(iter(self._seen))
            if len(self._seen) < SOURCES_MAX and now - self._seen[oldest][0] < _WINDOW_S:
                return
            del self._seen[oldest]

    def wait_s(self, source: str) -> float | None:
        """Seconds until ``source`` is heard again, where it has spent its budget; else None."""
        with self._lock:
            began, count = self._seen.get(source, (0.0, 0))
        left = began + _WINDOW_S - self._clock.monotonic()
        return left if 0 < self._allowed <= count and left > 0 else None


class Guard:
    """Looks at the heads of requests. One instance serves all threads of a process.

    ``sources`` makes the check of addresses when it is first needed. ``limiter`` is asked for every request that
    nothing else refused; None: nobody is.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        bus: Bus,
        max_body_bytes: int = MAX_BODY_BYTES,
        sources: Callable[[], SourceCheck] = SourceCheck,
        source_mode: SourceMode = "off",
        bad_signatures: int = 30,
        limiter: Limiter | None = None,
    ) -> None:
        self.max_body_bytes = max_body_bytes
        self._bus = bus
        self._make_sources = sources
        self._sources: SourceCheck | None = None
        self._mode = source_mode
        self._budget = Budget(bad_signatures, clock)
        self._limiter = limiter

    @property
    def blocks(self) -> bool:
        """Whether :meth:`refuse` may wait for a network."""
        return self._limiter is not None and self._limiter.blocks

    def refuse(self, request: Request) -> Refusal | None:
        """A refusal, or None for a request whose body may be read, and whose tag may be checked.

        Only the head is looked at, and the length of a body that is here already.
        """
        if request.method != "POST":
            return Refusal("MethodRefused", Reply(405, {"Allow": "POST"}))
        if self._mode != "off" and not self._listed(request):
            return Refusal("SourceRefused", Reply(403))
        if request.too_large(self.max_body_bytes):
            return Refusal("PayloadTooLarge", Reply(413))
        coding = request.headers.get("content-encoding")
        if coding is not None and coding.lower() not in ("", "identity"):
            return Refusal("EncodingRefused", Reply(415))
        return self._too_many(request)

    def bad_signature(self, request: Request) -> None:
        """Count a bad signature against its source. Razorpay's own addresses have no budget: a wrong secret of ours
        must not become deliveries that are lost."""
        sender = self._sender(request)
        if sender is not None and not self._check.lists(sender):
            self._budget.spend(_key(sender))

    # --- who it is

    @property
    def _check(self) -> SourceCheck:
        if self._sources is None:
            self._sources = self._make_sources()
        return self._sources

    def _listed(self, request: Request) -> bool:
        """Whether a sender passes the list; in the mode that only logs, everybody does."""
        sender = self._check.sender(request)
        if self._check.lists(sender):
            return True
        if self._mode == "enforce":
            return False
        self._bus.emit(SourceUnlisted(None if sender is None else str(sender), request.remote_addr))
        return True

    def _sender(self, request: Request) -> Address | None:
        """The sender, as far as it can be held to account; None where it cannot be told from others.

        A private address that hands on what others sent is a proxy that we were not told of. Razorpay comes through it
        like everybody else: who counted against that address would lock Razorpay out for what a stranger does.
        """
        sender = self._check.sender(request)
        if sender is not None and self._check.stands_between(sender, request):
            self._bus.alarm(
                "proxy_not_told",
                "proxy_not_told",
                "webhooks come through a proxy that neither trusted_proxies nor trusted_hops tells of",
            )
            return None
        return sender

    # --- how much

    def _too_many(self, request: Request) -> Refusal | None:
        if not self._budget and self._limiter is None:
            return None
        sender = self._sender(request)
        if sender is not None and (wait := self._budget.wait_s(_key(sender))) is not None:
            return Refusal("TooManyBadSignatures", _later(wait))
        if self._limiter is None:
            return None
        wait = self._limiter.hit(_UNKNOWN if sender is None else _key(sender))
        return None if wait is None else Refusal("RateLimited", _later(wait))


def _key(sender: Address) -> str:
    """One source: an IPv4 address, or what one customer of a provider has of IPv6, a /64."""
    return str(sender) if sender.version == 4 else f"{int(sender) >> 64:x}::/64"


def _later(wait_s: float) -> Reply:
    return Reply(429, {"Retry-After": str(max(1, -int(-wait_s // 1)))})


def event_id_in(request: Request) -> str | None:
    """Razorpay's event id: not signed, so a hint. An odd one, or two of them, count as none (FAULTS rule 15)."""
    values = request.headers.get_all("x-razorpay-event-id")
    if len(values) != 1 or not _EVENT_ID.fullmatch(values[0]):
        return None
    return values[0]

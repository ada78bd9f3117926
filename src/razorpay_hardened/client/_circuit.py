"""Circuit breakers, one for each class of operations: while Razorpay keeps failing, reads fail at once (FAULTS A13).

A class is a name: ``read``, ``write``, or one of them with a suffix (``read.bulk``) where a part of the traffic has an
outage of its own. Only reads are refused. A capture or a refund is somebody's money, often with an intent that is
stored already, and always gets its attempts; the circuit of such a class counts for the alarm and refuses nothing.
Webhooks do not pass here at all.

A circuit opens after many failures *and* a long streak without any success, so that a short incident never trips it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from razorpay_hardened.client._lock import ShortLock

if TYPE_CHECKING:
    from razorpay_hardened.clock import Clock

__all__ = ["FAILURES_MIN", "OPEN_S", "READ", "STREAK_S", "WRITE", "Circuit", "Circuits", "Policy"]

FAILURES_MIN = 10
STREAK_S = 60.0
OPEN_S = 30.0
"""How long it stays open before one call may try again."""


@dataclass(frozen=True, slots=True)
class Policy:
    """When a circuit opens, and whether it then refuses. Times are seconds.

    ``refuses`` False: the circuit opens and closes for those who watch, and every call goes through.
    """

    refuses: bool
    failures_min: int = FAILURES_MIN
    streak_s: float = STREAK_S
    open_s: float = OPEN_S


READ = Policy(refuses=True)
WRITE = Policy(refuses=False)


class Circuit:
    """Closed until ``failures_min`` attempts over ``streak_s`` seconds failed with no success between them.

    Open, it refuses for ``open_s`` seconds. Then exactly one call is let through, the probe: its success closes the
    circuit, its failure opens it for as long again. A probe of which nothing is ever heard (its task was cancelled)
    is replaced by another one after ``open_s``. Any success closes it, whoever asked: Razorpay answers.
    """

    __slots__ = ("_clock", "_failures", "_lock", "_open_until", "_policy", "_probing", "_since")

    def __init__(self, clock: Clock, policy: Policy = READ) -> None:
        self._clock = clock
        self._policy = policy
        self._lock = ShortLock()
        self._failures = 0
        self._since = 0.0
        self._open_until: float | None = None
        self._probing = False

    def wait(self) -> float:
        """Seconds until a call may be sent; 0.0 to go ahead, and then the caller owes a word on how it went."""
        if self._open_until is None or not self._policy.refuses:
            return 0.0
        now = self._clock.monotonic()
        with self._lock:
            return self._probe_or_wait(now)

    def _probe_or_wait(self, now: float) -> float:
        until = self._open_until
        if until is None:  # it was closed in this moment
            return 0.0
        if now < until:
            return until - now
        self._open_until = now + self._policy.open_s
        self._probing = True
        return 0.0

    def succeeded(self) -> None:
        """Razorpay answered, if only to refuse."""
        if not self._failures and self._open_until is None:
            return
        with self._lock:
            self._failures = 0
            self._open_until = None
            self._probing = False

    def failed(self) -> bool:
        """An attempt failed for reasons that are not its own. Returns whether this opened the circuit."""
        now = self._clock.monotonic()
        with self._lock:
            if self._open_until is not None:
                # Only a probe's failure prolongs it: stragglers from before would put the probe off for ever.
                if self._probing:
                    self._open_until = now + self._policy.open_s
                    self._probing = False
                return False
            if self._failures == 0:
                self._since = now
            self._failures += 1
            if self._failures < self._policy.failures_min or now - self._since < self._policy.streak_s:
                return False
            self._open_until = now + self._policy.open_s
            return True


class Circuits:
    """A circuit for each class, by name; safe between threads and across a fork.

    ``policies`` adds to ``{"read": READ, "write": WRITE}`` or overrides them. A name follows the policy of its own, or
    of the part before its first dot; a name of which nobody said anything is never refused. Names come from code, not
    from input: they are kept for ever.
    """

    __slots__ = ("_clock", "_named", "_policies")

    def __init__(self, clock: Clock, policies: Mapping[str, Policy] | None = None) -> None:
        self._clock = clock
        self._policies = {"read": READ, "write": WRITE, **(policies or {})}
        self._named: dict[str, Circuit] = {}

    def _circuit(self, name: str) -> Circuit:
        found = self._named.get(name)
        if found is None:
            policy = self._policies.get(name) or self._policies.get(name.partition(".")[0], WRITE)
            found = self._named.setdefault(name, Circuit(self._clock, policy))
        return found

    def wait(self, name: str) -> float:
        """Seconds until an operation of this class may be sent; 0.0 to go ahead. See :meth:`Circuit.wait`."""
        return self._circuit(name).wait()

    def succeeded(self, name: str) -> None:
        """An operation of this class was answered, if only to be refused."""
        self._circuit(name).succeeded()

    def failed(self, name: str) -> bool:
        """One failed for reasons that are not its own. Returns whether this opened the circuit of its class."""
        return self._circuit(name).failed()

"""What becomes of an event on its way: the plan of chance, and what a tampered delivery looks like."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, NamedTuple

from razorpay_hardened.emulator import _hash
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.emulator._events import Event
    from razorpay_hardened.emulator.faults import Fate

__all__ = ["Damage", "Deliveries", "Way", "tampered", "way"]

Damage = Literal["tampered", "wrong_secret"]


class Deliveries(NamedTuple):
    """How the network treats webhooks. Shares are from 0 to 1, times are seconds from, to.

    ``lost`` events never arrive, whatever is retried; ``doubled`` ones arrive twice although the first copy was
    acknowledged; ``late`` ones take ``late_s`` instead of ``delay_s``. Differing delays make the order differ.
    Of ``tampered`` ones the first attempt has another amount than was signed, of ``wrong_secret`` ones it is signed
    with a secret that nobody registered; the retries are genuine.
    """

    lost: float = 0.0
    doubled: float = 0.0
    delay_s: tuple[float, float] = (0.0, 2.0)
    late: float = 0.0
    late_s: tuple[float, float] = (600.0, 7200.0)
    tampered: float = 0.0
    wrong_secret: float = 0.0

    def check(self) -> None:
        """Raises :class:`ConfigError` for a plan that cannot be."""
        if not all(0 <= share <= 1 for share in (self.lost, self.doubled, self.late, self.tampered, self.wrong_secret)):
            raise ConfigError("shares of deliveries are from 0 to 1")
        if not all(0 <= least <= most for least, most in (self.delay_s, self.late_s)):
            raise ConfigError("a delay is (from, to) in seconds, neither below zero")


class Way(NamedTuple):
    """One event's fate: when each copy arrives (milliseconds after it happened; none if lost), and its damage."""

    delays_ms: tuple[int, ...]
    damage: Damage | None = None


def way(plan: Deliveries, seed: int, event: Event, fate: Fate | None, *more: object) -> Way:
    """What happens to this event: what a fault rule says (``fate``), else what the plan's chances say.

    ``more`` tells several webhooks apart, so that an event lost on one may arrive on another.
    """

    def toss(what: str, *about: object) -> float:
        return _hash.unit(seed, what, event.id, *about, *more)

    def delay(copy: int) -> int:
        late = fate is None and toss("late", copy) < plan.late
        least, most = plan.late_s if late else plan.delay_s
        return round(1000 * (least + (most - least) * toss("delay", copy)))

    if fate is not None:
        return _told(fate, delay(0), delay(1))
    if toss("lost") < plan.lost:
        return Way(())
    delays = (delay(0), delay(1)) if toss("doubled") < plan.doubled else (delay(0),)
    if plan.tampered and toss("tampered") < plan.tampered:
        return Way(delays, "tampered")
    if plan.wrong_secret and toss("wrong secret") < plan.wrong_secret:
        return Way(delays, "wrong_secret")
    return Way(delays)


def _told(fate: Fate, first: int, second: int) -> Way:
    """As the rule has it."""
    match fate.name:
        case "lost":
            return Way(())
        case "doubled":
            return Way((first, second))
        case "late":
            return Way((round(fate.seconds * 1000),))
        case "tampered":
            return Way((first,), "tampered")
        case _:
            return Way((first,), "wrong_secret")


def tampered(body: bytes) -> bytes:
    """The same event about a hundred times the amount, or of another second where it has none; same spelling."""
    event = json.loads(body)
    for wrapped in event["payload"].values():
        entity = wrapped.get("entity", wrapped)
        if isinstance(entity.get("amount"), int):
            entity["amount"] *= 100
            break
    else:
        event["created_at"] += 1
    return json.dumps(event, separators=(",", ":")).encode("ascii")

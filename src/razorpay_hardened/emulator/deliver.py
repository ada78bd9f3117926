"""Webhook deliveries: at least once, in no order, retried for a day (FACTS section 10).

What happens to a delivery (lost, doubled, late, how long on the way) is a hash of the seed, the event and the
attempt. An endpoint is a URL or a callable; without one, events wait.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from razorpay_hardened.emulator import _hash
from razorpay_hardened.errors import ConfigError, EventUnknown
from razorpay_hardened.signing import sign_for_test

if TYPE_CHECKING:
    from razorpay_hardened.emulator._events import Event
    from razorpay_hardened.emulator.world import World

__all__ = ["LADDER_S", "TIMEOUT_S", "Attempt", "Deliverer", "Deliveries", "Delivery", "Endpoint"]

Endpoint = Callable[[str, dict[str, str], bytes], "int | None"]
"""(method, headers, body) to an HTTP status; None where no answer came in time."""

TIMEOUT_S = 5.0

LADDER_S = (6, 19, 40, 84, 162, 324, 648, 1296, 2580, 5040, 10440, 20520, 41040, 82080, 86400)
"""Seconds from the first attempt to each retry; the last failure, a day later, switches the endpoint off. Razorpay
says only "exponential for 24 h": the figures are third-party measurements of 16 deliveries in all."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Deliveries(NamedTuple):
    """How the network treats webhooks. Shares are from 0 to 1, times are seconds from, to.

    ``lost`` events never arrive, whatever is retried; ``doubled`` ones arrive twice although the first copy was
    acknowledged; ``late`` ones take ``late_s`` instead of ``delay_s``. Differing delays make the order differ.
    """

    lost: float = 0.0
    doubled: float = 0.0
    delay_s: tuple[float, float] = (0.0, 2.0)
    late: float = 0.0
    late_s: tuple[float, float] = (600.0, 7200.0)


class Delivery(NamedTuple):
    """One event on its way. ``attempt`` begins at 1; ``copy`` is above 0 for needless copies and replays."""

    event_id: str
    event: str
    copy: int
    attempt: int
    due: datetime
    headers: dict[str, str]
    body: bytes
    method: str = "POST"

    @property
    def key(self) -> tuple[str, int]:
        """What names this delivery through all of its attempts."""
        return self.event_id, self.copy

    def __repr__(self) -> str:
        return f"<Delivery {self.event} {self.event_id} attempt {self.attempt} due {self.due:%Y-%m-%dT%H:%M:%SZ}>"


class Attempt(NamedTuple):
    """What one attempt came to; ``status`` is None where no answer came."""

    event_id: str
    event: str
    copy: int
    attempt: int
    at: datetime
    status: int | None

    @property
    def acknowledged(self) -> bool:
        """Any 2xx, and nothing else."""
        return self.status is not None and 200 <= self.status < 300


class Deliverer:
    """The outbox of one world, in front of one endpoint.

    Due deliveries go out while the clock advances, or on :meth:`flush`; a test that wants to do it by hand takes
    :meth:`due` and reports with :meth:`answered`. ``log`` holds every attempt, ``lost`` every event that was lost.
    """

    def __init__(self, world: World, plan: Deliveries) -> None:
        if not all(0 <= share <= 1 for share in (plan.lost, plan.doubled, plan.late)):
            raise ConfigError("shares of deliveries are from 0 to 1")
        if not all(0 <= least <= most for least, most in (plan.delay_s, plan.late_s)):
            raise ConfigError("a delay is (from, to) in seconds, neither below zero")
        self._world = world
        self._plan = plan
        self._endpoint: Endpoint | None = None
        self._waiting: dict[tuple[str, int], Delivery] = {}
        self._first: dict[tuple[str, int], int] = {}
        self._copies: dict[str, int] = defaultdict(int)
        self._events: dict[str, Event] = {}
        self.log: list[Attempt] = []
        self.lost: list[Event] = []
        self.disabled = False
        world.on_event = self._accept
        world.on_forget = self._forget

    # --- where to --------------------------------------------------------------------------------------------

    def to(self, endpoint: Endpoint | None) -> Deliverer:
        """Deliver to this callable from now on; what waits goes to it when the clock next advances."""
        with self._world.lock:
            self._endpoint = endpoint
            for delivery in self._waiting.values():
                self._schedule(delivery)
        return self

    def to_url(self, url: str) -> Deliverer:
        """Deliver by HTTP POST to ``url``; an answer after 5 seconds is none."""
        from razorpay_hardened.emulator._post import poster

        return self.to(poster(url, TIMEOUT_S))

    def enable(self) -> None:
        """Switch the endpoint on again, as an operator does by hand. What came meanwhile was never sent."""
        with self._world.lock:
            self.disabled = False
            for delivery in self._waiting.values():
                self._schedule(delivery)

    # --- what waits ------------------------------------------------------------------------------------------

    def pending(self) -> list[Delivery]:
        """Everything not yet acknowledged nor given up, soonest first."""
        with self._world.lock:
            return sorted(self._waiting.values(), key=lambda delivery: (delivery.due, delivery.key))

    def due(self, now: datetime | None = None) -> list[Delivery]:
        """What should have gone out by ``now`` (aware; the world's own time where not given), soonest first."""
        until = now if now is not None else self._world.clock.now()
        return [delivery for delivery in self.pending() if delivery.due <= until]

    def flush(self) -> list[Attempt]:
        """Make one attempt for everything outstanding, due or not, and for what is caused by that; no time passes."""
        done: list[Attempt] = []
        seen: set[tuple[str, int]] = set()
        while fresh := [delivery for delivery in self.pending() if delivery.key not in seen]:
            for delivery in fresh:
                seen.add(delivery.key)
                if (attempt := self._send(delivery.key)) is not None:
                    done.append(attempt)
        return done

    def replay(self, event_id: str) -> None:
        """Send an old event once more, as from the dashboard: same body and id, signed with today's secret.

        That a replay keeps the event id is UNCONFIRMED. Raises :class:`EventUnknown`.
        """
        with self._world.lock:
            event = self._events.get(event_id)
            if event is None:
                raise EventUnknown(f"the emulator made no event {event_id}")
            signature = sign_for_test(event.body, self._world.account.webhook_secret)
            self._put(event, self._world.clock.ms, event.headers(signature))

    # --- on the way --------------------------------------------------------------------------------------------

    def _accept(self, event: Event) -> None:
        """A new event: decide its fate. Runs while the world is locked."""
        self._events[event.id] = event
        if self.disabled:
            return
        if self._toss("lost", event) < self._plan.lost:
            self.lost.append(event)
            return
        self._put(event, event.at_ms + self._delay(event, 0), event.headers())
        if self._toss("doubled", event) < self._plan.doubled:
            self._put(event, event.at_ms + self._delay(event, 1), event.headers())

    def _forget(self, before_ms: int) -> None:
        """Drop what is about events of before then, unless one still waits. Runs while the world is locked."""
        waiting = {event_id for event_id, _ in self._waiting}
        gone = {key for key, event in self._events.items() if event.at_ms < before_ms and key not in waiting}
        for event_id in gone:
            del self._events[event_id]
            self._copies.pop(event_id, None)
        self._first = {key: first for key, first in self._first.items() if key[0] not in gone}
        self.log = [attempt for attempt in self.log if attempt.event_id not in gone]
        self.lost = [event for event in self.lost if event.id not in gone]

    def _toss(self, what: str, event: Event, *more: object) -> float:
        return _hash.unit(self._world.seed, what, event.id, *more)

    def _delay(self, event: Event, copy: int) -> int:
        late = self._toss("late", event, copy) < self._plan.late
        least, most = self._plan.late_s if late else self._plan.delay_s
        return round(1000 * (least + (most - least) * self._toss("delay", event, copy)))

    def _put(self, event: Event, due_ms: int, headers: dict[str, str]) -> None:
        copy = self._copies[event.id]
        self._copies[event.id] += 1
        delivery = Delivery(event.id, event.name, copy, 1, _at(due_ms), headers, event.body)
        self._waiting[delivery.key] = delivery
        self._schedule(delivery)

    def _schedule(self, delivery: Delivery) -> None:
        if self._endpoint is not None and not self.disabled:
            due_ms = (delivery.due - _EPOCH) // timedelta(milliseconds=1)
            self._world.clock.plan(due_ms, partial(self._send_if, delivery), outside=True)

    def _send_if(self, planned: Delivery) -> None:
        """Send it, unless a flush or a hand was faster."""
        if self._waiting.get(planned.key) is planned:
            self._send(planned.key)

    def _send(self, key: tuple[str, int]) -> Attempt | None:
        """One attempt, without the world's lock: the endpoint may call the API. None without an open endpoint."""
        delivery, endpoint = self._waiting.get(key), self._endpoint
        if delivery is None or endpoint is None or self.disabled:
            return None
        status: int | None = None
        try:
            status = endpoint(delivery.method, dict(delivery.headers), delivery.body)
        finally:  # an endpoint that raises did not answer; the error is the caller's to see
            attempt = self.answered(delivery, status)
        return attempt

    def answered(self, delivery: Delivery, status: int | None) -> Attempt:
        """Record what an attempt came to and plan the next one, if any."""
        world = self._world
        with world.lock:
            name, copy, number = delivery.event, delivery.copy, delivery.attempt
            attempt = Attempt(delivery.event_id, name, copy, number, world.clock.now(), status)
            self.log.append(attempt)
            if self._waiting.get(delivery.key) is delivery:
                if attempt.acknowledged:
                    del self._waiting[delivery.key]
                else:
                    self._again(delivery)
            return attempt

    def _again(self, delivery: Delivery) -> None:
        """The next rung of the ladder, or the end: an endpoint that fails an event for a day is switched off."""
        now = self._world.clock.ms
        first = self._first.setdefault(delivery.key, now)  # a day counts from the first attempt that was made
        if now - first >= LADDER_S[-1] * 1000:
            del self._waiting[delivery.key]
            self.disabled = True
            return
        rung = LADDER_S[min(delivery.attempt, len(LADDER_S)) - 1]
        due = max(first + rung * 1000, now + 1000)  # after a gap (no endpoint, a stopped clock) never at once
        again = delivery._replace(attempt=delivery.attempt + 1, due=_at(due))
        self._waiting[delivery.key] = again
        self._schedule(again)


def _at(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)

"""Webhook deliveries: at least once, in no order, retried for a day (FACTS section 10).

What happens to a delivery (lost, doubled, late, tampered, how long on the way) is a hash of the seed, the event and
the attempt, or what a fault rule says. The ``main`` webhook is always there and signs with the account's secret; more
URLs, each with its own secret and events, are registered beside it. Without an endpoint, events wait.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

from razorpay_hardened.emulator import _hash
from razorpay_hardened.emulator._fate import Damage, Deliveries, Way, tampered, way
from razorpay_hardened.emulator._registry import TIMEOUT_S, Registry
from razorpay_hardened.emulator._webhook import MAIN, Endpoint, Notice, Webhook
from razorpay_hardened.errors import ConfigError, EventUnknown
from razorpay_hardened.signing import SIGNATURE_HEADER, sign_for_test

if TYPE_CHECKING:
    from razorpay_hardened.emulator._events import Event
    from razorpay_hardened.emulator.world import World

__all__ = ["LADDER_S", "TIMEOUT_S", "Attempt", "Deliverer", "Deliveries", "Delivery", "Endpoint", "Notice", "Webhook"]

LADDER_S = (6, 19, 40, 84, 162, 324, 648, 1296, 2580, 5040, 10440, 20520, 41040, 82080, 86400)
"""Seconds from the first attempt to each retry; the last failure, a day later, switches the webhook off. Razorpay
says only "exponential for 24 h": the figures are third-party measurements of 16 deliveries in all."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_DASHBOARD_DAYS, _DASHBOARD_REPLAYS, _SUPPORT_DAYS = 7, 5, 15  # FACTS section 10

_Key = tuple[str, int, str]


class Delivery(NamedTuple):
    """One event on its way to one webhook. ``attempt`` begins at 1; ``copy`` is above 0 for needless copies and
    replays; ``damage`` says what is wrong with this attempt."""

    event_id: str
    event: str
    copy: int
    attempt: int
    due: datetime
    headers: dict[str, str]
    body: bytes
    method: str = "POST"
    webhook: str = MAIN
    damage: Damage | None = None

    @property
    def key(self) -> _Key:
        """What names this delivery through all of its attempts."""
        return self.event_id, self.copy, self.webhook

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
    webhook: str = MAIN
    damage: Damage | None = None

    @property
    def acknowledged(self) -> bool:
        """Any 2xx, and nothing else."""
        return self.status is not None and 200 <= self.status < 300


class Deliverer(Registry):
    """The outbox of one world, in front of its webhooks.

    Due deliveries go out while the clock advances, or on :meth:`flush`; a test that wants to do it by hand takes
    :meth:`due` and reports with :meth:`answered`. ``log`` holds every attempt, ``lost`` every event that was lost,
    ``notices`` the e-mails about webhooks that were switched off.
    """

    def __init__(self, world: World, plan: Deliveries) -> None:
        plan.check()
        super().__init__(world)
        self._plan = plan
        self._waiting: dict[_Key, Delivery] = {}
        self._genuine: dict[_Key, Delivery] = {}
        self._first: dict[_Key, int] = {}
        self._copies: dict[tuple[str, str], int] = defaultdict(int)
        self._events: dict[str, Event] = {}
        self._accepted: dict[tuple[str, str], dict[str, str]] = {}
        self._replays: dict[str, list[datetime]] = defaultdict(list)
        self.log: list[Attempt] = []
        self.lost: list[Event] = []
        self.notices: list[Notice] = []
        world.deliverer = self
        world.on_event = self._accept
        world.on_forget = self._forget

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
        seen: set[_Key] = set()
        while fresh := [delivery for delivery in self.pending() if delivery.key not in seen]:
            for delivery in fresh:
                seen.add(delivery.key)
                if (attempt := self._send(delivery.key)) is not None:
                    done.append(attempt)
        return done

    def replay(self, event_id: str, *, by: Literal["dashboard", "support"] | None = None, webhook: str = MAIN) -> None:
        """Send an old event once more: same body, same event id (whether Razorpay keeps it is UNCONFIRMED).

        ``by`` None sends anything, signed with today's secret. ``dashboard`` and ``support`` hold to their published
        rules: the first replays unacknowledged events of the last 7 days, 5 within 24 hours, signed with today's
        secret, and switches the webhook on again; the second those under 15 days old that happened while the webhook
        was on, with the secret of that time. Raises :class:`EventUnknown`, :class:`ConfigError` against the rules.
        """
        with self._world.lock:
            hook, event = self.webhook(webhook), self._events.get(event_id)
            if event is None:
                raise EventUnknown(f"the emulator made no event {event_id}")
            headers = self._headers(hook, event)
            if by == "support":
                headers = self._by_support(hook, event)
            elif by == "dashboard":
                self._by_dashboard(hook, event)
            elif by is not None:
                raise ConfigError("a replay is by 'dashboard' or 'support'")
            self._put(hook, event, self._world.clock.ms, headers)

    def _by_support(self, hook: Webhook, event: Event) -> dict[str, str]:
        then = self._accepted.get((hook.name, event.id))
        if then is None:
            raise ConfigError("support replays only events that happened while the webhook was on")
        if self._age(event) >= timedelta(days=_SUPPORT_DAYS):
            raise ConfigError(f"support replays only events that are under {_SUPPORT_DAYS} days old")
        return then

    def _by_dashboard(self, hook: Webhook, event: Event) -> None:
        now = self._world.clock.now()
        if self._age(event) > timedelta(days=_DASHBOARD_DAYS):
            raise ConfigError(f"the dashboard replays only events of the last {_DASHBOARD_DAYS} days")
        if any(one.acknowledged and (one.event_id, one.webhook) == (event.id, hook.name) for one in self.log):
            raise ConfigError("the dashboard replays only events that were not acknowledged")
        recent = [at for at in self._replays[hook.name] if now - at < _DAY]
        if len(recent) >= _DASHBOARD_REPLAYS:
            raise ConfigError(f"the dashboard replays at most {_DASHBOARD_REPLAYS} events in 24 hours")
        self._replays[hook.name] = [*recent, now]
        self.enable(hook.name)

    def _age(self, event: Event) -> timedelta:
        return self._world.clock.now() - _at(event.at_ms)

    # --- on the way --------------------------------------------------------------------------------------------

    def _accept(self, event: Event) -> None:
        """A new event: decide its fate at each webhook. Runs while the world is locked."""
        self._events[event.id] = event
        for hook in self._webhooks.values():
            unused = hook is self._main and hook.endpoint is None and len(self._webhooks) > 1
            if not (hook.disabled or unused) and hook.wants(event.name):
                self._send_off(hook, event)

    def _send_off(self, hook: Webhook, event: Event) -> None:
        fate = self._world.faults.fate_of(event.name, event.id, hook.name)
        apart = () if hook is self._main else (hook.name,)
        its: Way = way(self._plan, self._world.seed, event, fate, *apart)
        headers = event.headers() if hook.secret is None else self._headers(hook, event)
        self._accepted[hook.name, event.id] = headers
        if not its.delays_ms:
            self.lost.append(event)
        for delay in its.delays_ms:
            self._put(hook, event, event.at_ms + delay, headers, its.damage)

    def _forget(self, before_ms: int) -> None:
        """Drop what is about events of before then, unless one is still tried. Runs while the world is locked.

        What waits for so long at a webhook without an endpoint, or at one that is switched off, is given up.
        """
        for key, delivery in list(self._waiting.items()):
            where = self._webhooks[delivery.webhook]
            if (where.endpoint is None or where.disabled) and self._events[delivery.event_id].at_ms < before_ms:
                del self._waiting[key]
        waiting = {delivery.event_id for delivery in self._waiting.values()}
        gone = {key for key, event in self._events.items() if event.at_ms < before_ms and key not in waiting}
        for event_id in gone:
            del self._events[event_id]
        for about in (self._first, self._genuine):
            for key in [key for key in about if key[0] in gone]:
                del about[key]
        for pair in [pair for pair in self._copies if pair[0] in gone]:
            del self._copies[pair]
        for hook in [pair for pair in self._accepted if pair[1] in gone]:
            del self._accepted[hook]
        self.log = [attempt for attempt in self.log if attempt.event_id not in gone]
        self.lost = [event for event in self.lost if event.id not in gone]
        self.notices = [notice for notice in self.notices if notice.at >= _at(before_ms)]

    def _headers(self, hook: Webhook, event: Event) -> dict[str, str]:
        """Signed with what is the webhook's secret now."""
        secret = self._world.account.webhook_secret if hook.secret is None else hook.secret
        headers = event.headers()
        if secret:
            headers[SIGNATURE_HEADER] = sign_for_test(event.body, secret)
        else:
            del headers[SIGNATURE_HEADER]
        return headers

    def _put(
        self, hook: Webhook, event: Event, due_ms: int, headers: dict[str, str], damage: Damage | None = None
    ) -> None:
        copy = self._copies[event.id, hook.name]
        self._copies[event.id, hook.name] += 1
        delivery = Delivery(event.id, event.name, copy, 1, _at(due_ms), headers, event.body, webhook=hook.name)
        if damage is not None:
            self._genuine[delivery.key] = delivery
            delivery = self._spoilt(delivery, damage)
        self._waiting[delivery.key] = delivery
        self._schedule(delivery)

    def _spoilt(self, delivery: Delivery, damage: Damage) -> Delivery:
        """What arrives instead at the first attempt."""
        if damage == "tampered":
            return delivery._replace(body=tampered(delivery.body), damage=damage)
        stranger = _hash.token(self._world.seed, "nobody's secret", length=32)
        signature = sign_for_test(delivery.body, stranger)
        return delivery._replace(headers={**delivery.headers, SIGNATURE_HEADER: signature}, damage=damage)

    def _drop(self, name: str) -> None:
        for key in [key for key in self._waiting if key[2] == name]:
            del self._waiting[key]

    def _schedule_all(self, name: str) -> None:
        for delivery in self._waiting.values():
            if delivery.webhook == name:
                self._schedule(delivery)

    def _schedule(self, delivery: Delivery) -> None:
        hook = self._webhooks[delivery.webhook]
        if hook.endpoint is not None and not hook.disabled:
            due_ms = (delivery.due - _EPOCH) // timedelta(milliseconds=1)
            self._world.clock.plan(due_ms, partial(self._send_if, delivery), outside=True)

    def _send_if(self, planned: Delivery) -> None:
        """Send it, unless a flush or a hand was faster."""
        if self._waiting.get(planned.key) is planned:
            self._send(planned.key)

    def _send(self, key: _Key) -> Attempt | None:
        """One attempt, without the world's lock: the endpoint may call the API. None without an open endpoint."""
        delivery, hook = self._waiting.get(key), self._webhooks.get(key[2])
        if delivery is None or hook is None or hook.endpoint is None or hook.disabled:
            return None
        status: int | None = None
        try:
            status = hook.endpoint(delivery.method, dict(delivery.headers), delivery.body)
        finally:  # an endpoint that raises did not answer; the error is the caller's to see
            attempt = self.answered(delivery, status)
        return attempt

    def answered(self, delivery: Delivery, status: int | None) -> Attempt:
        """Record what an attempt came to and plan the next one, if any."""
        world, one = self._world, delivery
        with world.lock:
            attempt = Attempt(
                one.event_id, one.event, one.copy, one.attempt, world.clock.now(), status, one.webhook, one.damage
            )
            self.log.append(attempt)
            if self._waiting.get(delivery.key) is delivery:
                if attempt.acknowledged:
                    del self._waiting[delivery.key]
                else:
                    self._again(delivery)
            return attempt

    def _again(self, delivery: Delivery) -> None:
        """The next rung of the ladder, or the end: a webhook that fails an event for a day is switched off."""
        now = self._world.clock.ms
        first = self._first.setdefault(delivery.key, now)  # a day counts from the first attempt that was made
        if now - first >= LADDER_S[-1] * 1000:
            del self._waiting[delivery.key]
            self._switch_off(self._webhooks[delivery.webhook])
            return
        rung = LADDER_S[min(delivery.attempt, len(LADDER_S)) - 1]
        due = max(first + rung * 1000, now + 1000)  # after a gap (no endpoint, a stopped clock) never at once
        genuine = self._genuine.pop(delivery.key, delivery)
        again = genuine._replace(attempt=delivery.attempt + 1, due=_at(due))
        self._waiting[delivery.key] = again
        self._schedule(again)

    def _switch_off(self, hook: Webhook) -> None:
        """And tell the operators, once."""
        if hook.disabled:
            return
        hook.disabled_at = self._world.clock.unix()
        where = hook.url or hook.name
        text = f"{where} has failed for 24 hours and was disabled. Repair it, then enable it by hand."
        self.notices.append(
            Notice(self._world.clock.now(), hook.name, hook.alert_email, f"Webhook disabled: {where}", text)
        )


def _at(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)

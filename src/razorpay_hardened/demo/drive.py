"""The day as it runs: customers act, time passes, webhooks go out, the shop dies and comes back.

One thread, one queue ordered by virtual time and then by customer: the same seed gives the same day, whether the shop
is a process at the other end of a socket or an object in this one.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from razorpay_hardened.demo._toss import between
from razorpay_hardened.demo.day import Customer, customers
from razorpay_hardened.demo.faults import POINTS, kills, outage_s, plugs
from razorpay_hardened.demo.journal import Journal
from razorpay_hardened.demo.shop import KILL_HEADER
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ApiBadRequest

__all__ = ["CRON_S", "Answer", "Day", "Door", "order_of"]

CRON_S: Final = 1800
"""How often the shop's cron job runs, in seconds."""

_TRIES: Final = 6
"""How often a customer, or the support desk, tries before giving up."""

Life: TypeAlias = Generator[float, None, None]
"""What a customer does: each value is the virtual time, in seconds after opening, of the next step."""

Step: TypeAlias = Callable[[], float | None]
"""Something that happens; it gives the time at which it happens again, or None."""


class Answer(NamedTuple):
    """The shop's answer."""

    status: int
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """Its body."""
        value: dict[str, Any] = json.loads(self.body)
        return value


class Door(Protocol):
    """How the world reaches the shop."""

    def send(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """One POST. None: no answer came, because the shop is down or died over it."""
        ...

    def alive(self) -> bool:
        """Whether the shop runs."""
        ...

    def start(self) -> None:
        """Bring the shop (back) up."""
        ...

    def kill(self) -> None:
        """Kill it from outside."""
        ...

    def close(self) -> None:
        """The end."""
        ...


class Day:
    """One day. ``play`` runs it until the shop closes and everybody has gone home."""

    def __init__(self, rz: Emulator, door: Door, *, seed: int, count: int, journal: Journal) -> None:
        self.rz = rz
        self.door = door
        self.seed = seed
        self.journal = journal
        self.people = customers(seed, count)
        self.open_refunds: list[tuple[Customer, str, int | None]] = []
        self._victims = kills(seed, self.people)
        self._buyer: dict[str, int] = {}
        self._faults = 0
        self._queue: list[tuple[float, int, int, Step]] = []
        self._pushed = 0
        rz.deliver.to(self._deliver)

    @property
    def at_s(self) -> float:
        """Seconds since the shop opened."""
        return self.rz.clock.monotonic()

    # --- the queue

    def _push(self, at_s: float, who: int, step: Step) -> None:
        self._pushed += 1
        heapq.heappush(self._queue, (at_s, who, self._pushed, step))

    def play(self) -> None:
        """Run the day."""
        self.journal.enter("open", self.at_s)
        self.door.start()
        for person in self.people:
            self._push(person.starts_at_s, person.number, partial(next, _Visit(self, person).live(), None))
        for number, at_s in enumerate(plugs(self.seed)):
            self._push(at_s, -1 - number, self._pull_the_plug)
        self._run()
        self.journal.closed_s = self.at_s

    def _run(self) -> None:
        while self._queue:
            self._step()

    def _step(self) -> None:
        at_s, who, _, step = heapq.heappop(self._queue)
        self._advance_to(at_s)
        following = step()
        if following is not None:
            self._push(max(following, self.at_s), who, step)

    def wait_until(self, at_s: float) -> None:
        """Let time pass, with everything that is due meanwhile: the cron job's runs, and a shop that comes back."""
        while self._queue and self._queue[0][0] <= at_s:
            self._step()
        self._advance_to(at_s)

    def _advance_to(self, at_s: float) -> None:
        while (cron := (self.at_s // CRON_S + 1) * CRON_S) <= at_s:
            self.rz.clock.advance(cron - self.at_s)
            self.cron()
        self.rz.clock.advance(max(0.0, at_s - self.at_s))

    def cron(self) -> int | None:
        """The shop's cron job: whatever waits. Gives how much was done, or None where the shop did not answer."""
        answer = self.ask("/process-pending", {"limit": 200})
        return None if answer is None or answer.status != 200 else sum(answer.json.values())

    # --- the shop

    def ask(self, path: str, body: Mapping[str, object], who: int | None = None) -> Answer | None:
        """Somebody asks the shop. None: no answer."""
        return self._send(path, {"Content-Type": "application/json"}, json.dumps(body).encode(), who)

    def _send(self, path: str, headers: Mapping[str, str], body: bytes, who: int | None) -> Answer | None:
        if not self.door.alive():
            self.journal.note("shop down", self.at_s)
            return None
        point = self._victims.get(who) if who is not None else None
        if point is not None and path in POINTS[point].paths:
            headers = {**headers, KILL_HEADER: point}
        answer = self.door.send(path, headers, body)
        self.note_faults()
        if answer is None and not self.door.alive():
            self._died(point, who)
        return answer

    def note_faults(self) -> None:
        """Count what the API did wrong since the last look."""
        fired = sum(sum(rule.fired.values()) for rule in self.rz.faults.rules)
        if fired > self._faults:
            self.journal.note("API fault", self.at_s, fired - self._faults)
            self._faults = fired

    def _died(self, point: str | None, who: int | None) -> None:
        if who is not None:
            self._victims.pop(who, None)
        self.journal.crash(point, self.at_s)
        self._push(self.at_s + outage_s(self.seed, point, who, len(self.journal.crashes)), 0, self._come_back)

    def _come_back(self) -> None:
        self.door.start()

    def _pull_the_plug(self) -> None:
        if self.door.alive():
            self.door.kill()
            self._died(None, None)

    def _deliver(self, method: str, headers: dict[str, str], body: bytes) -> int | None:
        event = json.loads(body)
        answer = self._send("/webhook", headers, body, self._buyer.get(order_of(event)))
        status = None if answer is None else answer.status
        good = status is not None and 200 <= status < 300
        self.journal.note("delivered" if good else "not delivered", self.at_s)
        return status

    def is_buyer(self, order_id: str, person: Customer) -> None:
        """Remember whose order it is, so that a kill can wait for news of it."""
        self._buyer[order_id] = person.number

    # --- the support desk

    def refund(self, person: Customer, payment: str, amount: int | None) -> Answer | None:
        """Ask the shop to refund, always with the same key."""
        body = {"payment": payment, "amount": amount, "key": f"refund-{payment}"}
        return self.ask("/refund", body, person.number)


def order_of(event: Mapping[str, Any]) -> str:
    """Razorpay's id of the order that an event's body is about; empty where there is none."""
    payment = event["payload"].get("payment", {}).get("entity", {})
    return str(payment.get("order_id") or "")


class _Visit:
    """One customer's day."""

    def __init__(self, day: Day, person: Customer) -> None:
        self._day = day
        self._person = person
        self._paid: str | None = None

    def live(self) -> Life:
        """From opening the shop's page to the refund."""
        order = yield from self._start()
        if order is None:
            return
        self._day.is_buyer(order, self._person)
        yield from self._pay(order)
        if self._paid is not None and self._person.refund is not None:
            yield from self._refund(self._paid)

    def _later(self, least: float, most: float, *about: object) -> float:
        return self._day.at_s + between(least, most, self._day.seed, self._person.number, *about)

    def _note(self, what: str) -> None:
        self._day.journal.note(what, self._day.at_s)

    def _start(self) -> Generator[float, None, str | None]:
        """Click on Buy, and again if an error page comes."""
        person = self._person
        for attempt in range(_TRIES):
            body = {"owner": person.owner, "plan": person.plan, "key": f"cart-{person.number}"}
            answer = self._day.ask("/start", body, person.number)
            if answer is not None and answer.status == 200:
                self._note("order")
                return str(answer.json["order_id"])
            self._note("order refused")
            yield self._later(20, 120, "again", attempt)
        self._note("customer lost")
        return None

    # --- paying

    def _pay(self, order: str) -> Life:
        story = self._person.story
        if story == "looks_around":
            return
        yield self._later(20, 180, "reads")
        if story == "fails_first":
            self._pays(order, "failed")
            yield self._later(30, 240, "tries again")
        if story == "gives_up":
            self._pays(order, "failed")
            return
        if story in ("late", "late_and_again"):
            self._pays(order, "late")
            if story == "late":
                return
            yield self._later(660, 900, "other way")
        paid = self._pays(order, "authorized" if story == "uncaptured" else "captured")
        yield from self._return(paid)
        if story == "pays_twice":
            yield self._later(5, 60, "second tab")
            self._pays(order, "captured", concurrent=True)

    def _pays(self, order: str, outcome: str, *, concurrent: bool = False) -> str | None:
        person = self._person
        try:
            payment = self._day.rz.pay(
                order, person.method, outcome=outcome, concurrent=concurrent, late_after_s=person.late_after_s
            )
        except ApiBadRequest:
            self._note("payment refused")
            return None
        self._note(f"payment {outcome}")
        if outcome in ("captured", "late"):
            self._paid = payment["id"]
        return str(payment["id"])

    def _return(self, payment: str | None) -> Life:
        """The browser brings the form back, unless the tab was closed."""
        if payment is None or not self._person.comes_back:
            return
        yield self._later(1, 15, "returns")
        form = self._day.rz.checkout_form(payment)
        answer = self._day.ask("/confirm", {"owner": self._person.owner, "form": form}, self._person.number)
        good = answer is not None and answer.status == 200
        self._note("confirmed" if good else "not confirmed")

    # --- refunds

    def _refund(self, payment: str) -> Life:
        person, day = self._person, self._day
        late = person.late_after_s + 900 if person.story == "late" else 0.0
        yield day.at_s + late + person.refund_after_s
        entity = day.rz.world.payments[payment]
        if entity["status"] != "captured":
            return
        if person.refund == "dashboard":
            day.journal.dashboard_refunds.add(day.rz.refund(payment)["id"])
            self._note("refund by hand")
            return
        amount = None if person.refund == "full" else entity["amount"] // 4
        for attempt in range(_TRIES):
            answer = day.refund(person, payment, amount)
            if answer is not None and answer.status == 200:
                self._note("refund")
                return
            self._note("refund not answered")
            yield self._later(600, 2400, "refund again", attempt)
        day.open_refunds.append((person, payment, amount))

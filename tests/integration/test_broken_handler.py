"""A handler that is broken for an hour, and one that is broken for good: they block nobody else, and lose nothing.

A whole day in one process: the emulated Razorpay with its own clock and its ladder of redeliveries, a shop with a store
on disk, and both ways of retrying: Razorpay's redelivery (``ack="effect"``) and a worker (``ack="stored"``).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from razorpay_hardened import Client, Money, Razorpay, web
from razorpay_hardened.cli import main
from razorpay_hardened.domain.audit import broken_at
from razorpay_hardened.emulator import Deliveries, Emulator
from razorpay_hardened.signals import Alarm
from razorpay_hardened.storage import SQLiteStore

MINUTE, HOUR = 60.0, 3600.0
PRICE = Money.inr("499.00")
WORKING = ("book", "mail")


class Shop:
    """Three handlers: ``access`` grants and revokes, ``book`` and ``mail`` never fail. Their rows are the evidence."""

    def __init__(self, folder: Path, ack: Any, deliveries: Deliveries | None = None) -> None:
        self.rz = Emulator(7, in_process=True, deliveries=deliveries)
        self.worker = ack == "stored"
        self.broken: Callable[[str], bool] = lambda owner: False
        self.answers: Counter[int] = Counter()
        self.alarms: list[str] = []
        self.url = f"sqlite:///{folder / 'shop.db'}"
        self.rzp = self.wired(ack)
        self.rzp.store.migrate()
        with self.rzp.store.transaction() as tx:
            tx.execute("CREATE TABLE did (handler TEXT, what TEXT, owner TEXT, key TEXT)")
        self.rz.deliver.to(self.receive)

    def wired(self, ack: Any) -> Razorpay:
        client = Client(
            self.rz.key_id,
            self.rz.key_secret,
            base_url="http://127.0.0.1:1",
            session=self.rz.session(),
            clock=self.rz.clock,
        )
        rzp = Razorpay.from_env(
            self.environ(), store=SQLiteStore(self.url), client=client, clock=self.rz.clock, ack=ack
        )
        rzp.signals.subscribe(self.hear, Alarm)
        for milestone in ("order.paid", "refund.processed"):
            rzp.on(milestone, name="access")(self.access)
            rzp.on(milestone, name="book")(lambda change, tx: did(tx, "book", change))
            rzp.after(milestone, name="mail")(self.mail)
        return rzp

    def environ(self) -> dict[str, str]:
        secrets = {name: value for name, value in self.rz.environ().items() if name != "RAZORPAY_BASE_URL"}
        return {**secrets, "RAZORPAY_STORE_URL": self.url}

    # --- its code

    def access(self, change: Any, tx: Any) -> None:
        did(tx, "access", change)
        if self.broken(change.order.owner):
            raise ConnectionError("the access service is down")

    def mail(self, change: Any) -> None:
        with self.rzp.store.transaction() as tx:
            did(tx, "mail", change)

    def receive(self, method: str, headers: Mapping[str, str], body: bytes) -> int:
        status = self.rzp.webhooks.handle(web.Request(method, headers, body)).status
        self.answers[status] += 1
        return status

    def hear(self, alarm: Alarm) -> None:
        self.alarms.append(alarm.reason)

    # --- what happens

    def sells(self, owner: str) -> str:
        """A customer orders and pays; gives the payment."""
        order = self.rzp.checkout.start(owner=owner, amount=PRICE, key=f"cart-{owner}")
        payment: str = self.rz.pay(order.order_id)["id"]
        return payment

    def passes(self, seconds: float) -> None:
        """Time passes; a worker, where there is one, looks every minute."""
        if not self.worker:
            self.rz.clock.advance(seconds)
            return
        for _ in range(round(seconds / MINUTE)):
            self.rz.clock.advance(MINUTE)
            self.rzp.webhooks.process_pending()

    # --- what is so

    def did(self, handler: str) -> list[tuple[str, str]]:
        """What a handler did, in the order in which it did it: milestone and owner."""
        with self.rzp.store.transaction() as tx:
            rows = tx.execute("SELECT what, owner FROM did WHERE handler = ? ORDER BY rowid", (handler,)).fetchall()
        return [(row[0], row[1]) for row in rows]

    def effects(self, *states: Any) -> list[Any]:
        return list(self.rzp.store.effects(states=states, limit=1000))

    def check_state(self) -> None:
        """Here is what Razorpay has, the audit of every order is whole, and every delivery is on record."""
        found = self.rzp.reconciler.run(since=self.rz.clock.now() - timedelta(days=3), limit=1000)
        assert found.findings == (), found.findings
        for anchor in self.rzp.store.anchors(limit=1000):
            rows = self.rzp.store.audit(anchor.key, limit=1000)
            assert broken_at(rows, anchor.audit_seq, anchor.audit_head) is None
        told = {one.event_id for one in self.rz.deliver.log}
        assert {row.event_id for row in self.rzp.store.deliveries(limit=1000)} == told
        assert not self.rz.deliver.disabled


def did(tx: Any, handler: str, change: Any) -> None:
    row = (handler, change.milestone, change.order.owner, change.key)
    tx.execute("INSERT INTO did VALUES (?, ?, ?, ?)", row)


@pytest.fixture(params=["effect", "stored"])
def ack(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def shop(tmp_path: Path, ack: str) -> Iterator[Shop]:
    made = Shop(tmp_path, ack)
    yield made
    made.rzp.close()


def an_hour(shop: Shop) -> None:
    """The access service is down while people buy, and while one of them gets the money back."""
    shop.broken = lambda owner: True
    refunded = shop.sells("user:1")
    shop.passes(2 * MINUTE)
    shop.rz.settle_refund(shop.rz.refund(refunded)["id"])
    shop.sells("user:2")
    shop.passes(10 * MINUTE)
    shop.sells("user:3")
    shop.passes(48 * MINUTE)


PAID = {("order.paid", f"user:{number}") for number in (1, 2, 3)}
ALL = {*PAID, ("refund.processed", "user:1")}


def test_a_handler_that_is_down_for_an_hour_blocks_nothing_else(shop: Shop) -> None:
    """State, audit, later news of the same order, other handlers and other orders go on; what it wrote is undone."""
    shop.sells("user:0")
    shop.passes(MINUTE)
    an_hour(shop)
    shop.check_state()
    assert shop.did("access") == [("order.paid", "user:0")]
    for handler in WORKING:
        assert sorted(shop.did(handler)) == sorted({*ALL, ("order.paid", "user:0")})
    waiting = shop.effects("waiting")
    assert {row.handler for row in waiting} == {"access"}
    assert len(waiting) == len(ALL)
    tried = {row.milestone: row.attempts for row in waiting if row.anchor == waiting[0].anchor}
    assert tried["order.paid"] > 3  # again and again
    assert tried["refund.processed"] == 0  # its elder on the same order comes first
    assert all("the access service is down" in row.error for row in waiting if row.attempts)


def test_after_the_repair_every_effect_happens_once_and_in_order(shop: Shop) -> None:
    """Nobody has to do anything: Razorpay's redelivery, or the worker, brings what waited."""
    an_hour(shop)
    shop.broken = lambda owner: False
    shop.sells("user:4")
    shop.passes(2 * HOUR)
    shop.check_state()
    assert shop.effects("waiting", "leased", "dead") == []
    for handler in ("access", *WORKING):
        assert Counter(shop.did(handler)) == Counter([*ALL, ("order.paid", "user:4")])
    of_one = [what for what, owner in shop.did("access") if owner == "user:1"]
    assert of_one == ["order.paid", "refund.processed"]
    assert {row.state for row in shop.rzp.store.deliveries(limit=1000)} == {"done"}
    assert shop.rz.deliver.pending() == []
    assert shop.alarms == []


def test_the_answers_say_who_is_to_try_again(shop: Shop, ack: str) -> None:
    """500 while Razorpay is the one who retries; 200 for everything as soon as a worker is."""
    an_hour(shop)
    assert shop.answers[500] == (0 if ack == "stored" else shop.answers.total() - shop.answers[200])
    assert (shop.answers[500] > 10) == (ack == "effect")
    assert set(shop.answers) <= {200, 500}


def test_a_network_that_doubles_and_delays_changes_nothing(tmp_path: Path, ack: str) -> None:
    """The hour once more, with every second delivery doubled and a third of them late by minutes."""
    shop = Shop(tmp_path, ack, Deliveries(doubled=0.5, late=0.3, late_s=(60, 1800)))
    an_hour(shop)
    shop.broken = lambda owner: False
    shop.passes(3 * HOUR)
    shop.check_state()
    for handler in ("access", *WORKING):
        assert Counter(shop.did(handler)) == Counter(ALL)
    shop.rzp.close()


def test_a_handler_that_never_succeeds_is_given_up_and_can_be_replayed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After 20 hours: a dead letter, one alarm, and 200, so that Razorpay does not switch the endpoint off.

    Others are served all the while. Once the handler is mended, one command does what was owed, once.
    """
    shop.broken = lambda owner: owner == "user:13"
    shop.sells("user:13")
    shop.passes(19 * HOUR)
    assert [row.state for row in shop.effects("waiting", "dead")] == ["waiting"]
    assert shop.alarms == []
    shop.sells("user:14")
    shop.passes(6 * HOUR)
    (dead,) = shop.effects("waiting", "dead")
    assert (dead.state, dead.handler, dead.milestone) == ("dead", "access", "order.paid")
    assert shop.alarms == ["effect_dead"]
    assert shop.rz.deliver.log[-1].acknowledged
    assert shop.rz.deliver.pending() == []
    assert shop.did("access") == [("order.paid", "user:14")]
    shop.check_state()

    shop.broken = lambda owner: False
    shop.passes(HOUR)
    assert shop.did("access") == [("order.paid", "user:14")]  # what was given up comes back only when it is asked for
    event = given_up(shop, dead)
    command = ("events", "replay", event, "--app", "mended:rzp")
    assert run(shop, monkeypatch, *command) == 0, capsys.readouterr()
    assert run(shop, monkeypatch, *command) == 0
    assert sorted(shop.did("access")) == [("order.paid", "user:13"), ("order.paid", "user:14")]
    assert sorted(shop.did("book")) == sorted(shop.did("access"))
    assert shop.effects("waiting", "leased", "dead") == []


def given_up(shop: Shop, effect: Any) -> str:
    """The event that brought the milestone of an effect: by the audit, as a person would find it."""
    rows = shop.rzp.store.audit(effect.anchor, limit=1000)
    paid = next(row for row in rows if row.kind == "order" and row.after == "paid")
    delivery = shop.rzp.store.delivery(paid.digest or "")
    assert delivery is not None
    assert delivery.event_id is not None
    return delivery.event_id


def run(shop: Shop, monkeypatch: pytest.MonkeyPatch, *argv: str) -> int:
    """The command line in this process, on the mended application."""
    module = ModuleType("mended")
    module.__dict__["rzp"] = shop.rzp
    monkeypatch.setitem(sys.modules, "mended", module)
    for name, value in shop.environ().items():
        monkeypatch.setenv(name, value)
    return main(argv)

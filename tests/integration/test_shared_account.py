"""One Razorpay account, two applications with a store, an endpoint and a rule each, and a third without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from bodies import Shop, life_of, request
from razorpay_hardened import MemoryStore, Money, Ours, Razorpay, Secret, Settings, web
from razorpay_hardened.client import Client
from razorpay_hardened.emulator import Deliveries, Emulator
from razorpay_hardened.signals import ApiAttempt, Bus
from razorpay_hardened.storage import PostgresStore
from support.postgres_faults import new_database

AMOUNT = 49_900


@dataclass
class Application:
    """A shop on the shared account: what it has fulfilled, and what it has asked Razorpay."""

    rz: Emulator
    name: str
    rule: Ours
    granted: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        secret = f"whsec-of-{self.name}-0123456789"
        settings = Settings(
            key_id=self.rz.key_id,
            key_secret=Secret(self.rz.key_secret, name="key_secret"),
            webhook_secrets=(Secret(secret),),
            mode="test",
            our_receipt_prefix=self.rule.receipt_prefix,
            our_notes=self.rule.notes,
        )
        bus = Bus()
        client = Client(self.rz.key_id, self.rz.key_secret, session=self.rz.session(), clock=self.rz.clock, bus=bus)
        self.rzp = Razorpay(settings, store=MemoryStore(), client=client, clock=self.rz.clock, bus=bus)
        bus.subscribe(self._asked, ApiAttempt)
        self.rzp.on("order.paid", name="grant")(lambda change, tx: self.granted.append(change.order.local_id))
        self.rzp.on("subscription.*", name="subscriptions")(self._subscription)
        self.rz.deliver.register(self._endpoint, name=self.name, secret=secret)

    def _subscription(self, change: Any, tx: Any) -> None:
        self.granted.append(change.key)

    def _asked(self, attempt: Any) -> None:
        if attempt.method == "GET" and re.search(r"/(order|pay)_\w+$", attempt.path):
            self.fetched.append(attempt.path)

    def _endpoint(self, method: str, headers: dict[str, str], body: bytes) -> int:
        return self.rzp.webhooks.handle(web.Request(method, headers, body)).status

    def sell(self, number: int, *, page_sends_notes: bool) -> str:
        """Start an order and let the customer pay it; gives the payment's id."""
        made = self.rzp.checkout.start(owner=f"user:{number}", amount=Money(AMOUNT), key=f"cart-{number}")
        self.started.append(made.local_id)
        notes = dict(made.options.get("notes", {})) if page_sends_notes else None
        return str(self.rz.pay(made.order_id, "netbanking", notes=notes)["id"])

    @property
    def parked(self) -> int:
        return len(self.rzp.store.deliveries(states=("parked",), limit=10_000))


@pytest.fixture
def rz() -> Iterator[Emulator]:
    with Emulator(7, in_process=True, deliveries=Deliveries(doubled=0.2, delay_s=(0, 60))) as emulator:
        yield emulator


def _others(rz: Emulator, number: int) -> None:
    """An application that is not built on this library: its own receipts, its own notes or none."""
    body = {"amount": AMOUNT, "currency": "INR", "receipt": f"{number}", "notes": {"woocommerce_order_id": f"{number}"}}
    order = rz.request("POST", "/v1/orders", body).json()
    payment = rz.pay(order["id"], "netbanking")
    rz.request("POST", f"/v1/payments/{payment['id']}/refund", {"amount": 100})


def test_each_fulfils_exactly_its_own_and_nothing_waits_after_an_hour(rz: Emulator) -> None:
    """Duplicated and reordered deliveries of three applications to two endpoints: each grants what it sold, keeps no
    row of the others, and asks at most one question for each order of theirs."""
    shop = Application(rz, "shop", Ours("shop-", {"app": "shop"}))
    cafe = Application(rz, "cafe", Ours("cafe-", {"app": "cafe"}))
    for number in range(24):
        seller = (shop, cafe)[number % 2]
        payment = seller.sell(number, page_sends_notes=number % 3 > 0)
        if number % 3 == 0:
            rz.clock.advance(61)
            seller.rzp.checkout.refund(payment, Money(1_000), key=f"refund-of-{number:04d}")
        _others(rz, number)
        rz.clock.advance(5)
    for _ in range(12):
        rz.clock.advance(5 * 60)
        for each in (shop, cafe):
            each.rzp.webhooks.process_pending()
    for each in (shop, cafe):
        assert sorted(each.granted) == sorted(each.started)
        assert each.parked == 0
        store = each.rzp.store
        assert sorted(row.local_id for row in store.orders(limit=1000)) == sorted(each.started)
        own = {row.order_id for row in store.orders(limit=1000)}
        assert {row.order_id for row in store.payments(limit=1000)} == own
        assert {row.anchor for row in store.refunds(limit=1000)} <= own
        assert {row.state for row in store.deliveries(limit=10_000)} == {"done", "ignored"}
        assert len(each.fetched) == len(set(each.fetched)) <= 12 + 24
        with each.rzp.store.transaction() as tx:
            trail = {row[0] for row in tx.execute("SELECT DISTINCT anchor FROM razorpay_audit").fetchall()}
        assert trail <= own | set(each.started)
    assert set(shop.granted).isdisjoint(cafe.granted)
    for each in (shop, cafe):
        result = each.rzp.reconciler.run(repair=True)
        assert (result.findings, result.complete) == ((), True)
        assert result.totals.foreign == {"order": 36, "payment": 36, "refund": 24 + 8 - len(each.rzp.store.refunds())}
        each.rzp.close()


@pytest.mark.slow
def test_foreign_news_leaves_nothing_but_its_row_on_postgresql() -> None:
    """There the anchor is locked in the same trip as the claim: not for what is theirs."""
    with new_database() as url, closing(PostgresStore(url)) as store:
        store.migrate()
        ours = Shop(store, options={"our_notes": {"app": "shop"}})
        raws = [life.replace(b'"notes":[]', b'"notes":{"app":"cafe"}') for life in life_of(1).values()]
        for raw in raws[:2]:
            assert ours.deliver(raw) == 200
        assert {reply.status for reply in ours.rzp.webhooks.handle_many([request(raw) for raw in raws[2:]])} == {200}
        assert {(row.state, row.reason) for row in store.deliveries()} == {("ignored", "foreign")}
        assert (store.anchors(), store.payments(), store.refunds()) == ([], [], [])
        ours.rzp.close()


def test_without_a_rule_the_same_traffic_waits(rz: Emulator) -> None:
    """What the rule is for: nobody can tell, so that all of theirs is parked, and asked about in vain."""
    shop = Application(rz, "shop", Ours("shop-"))
    plain = Razorpay(
        Settings(
            key_id=rz.key_id,
            key_secret=Secret(rz.key_secret, name="key_secret"),
            webhook_secrets=(Secret("whsec-of-plain-0123456789"),),
            mode="test",
        ),
        store=MemoryStore(),
        client=Client(rz.key_id, rz.key_secret, session=rz.session(), clock=rz.clock),
        clock=rz.clock,
    )
    rz.deliver.register(
        lambda method, headers, body: plain.webhooks.handle(web.Request(method, headers, body)).status,
        name="plain",
        secret="whsec-of-plain-0123456789",
    )
    shop.sell(1, page_sends_notes=True)
    for _ in range(12):
        rz.clock.advance(5 * 60)
        plain.webhooks.process_pending()
    assert {row.state for row in plain.store.deliveries()} == {"parked"}
    plain.close()
    shop.rzp.close()

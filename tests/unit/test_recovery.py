"""After an outage: what a recovery learns by listing, that it can be stopped anywhere, and that it fires nothing
twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outage import HOUR, Outage
from razorpay_hardened.clock import to_unix
from razorpay_hardened.domain.facts import EntityFact
from razorpay_hardened.domain.ours import Ours
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ApiTimeout, FieldInvalid, ReconcileBusy
from razorpay_hardened.reconcile import Recovery
from razorpay_hardened.reconcile.others import RESOURCES
from reconcile_world import START, FakeRazorpay, Kind, Shop, text_id


class Night:
    """An outage, hour by hour: sales, a refund, a dispute that is lost. After 24 Razorpay switches the webhook off."""

    def __init__(self, hours: int = 30) -> None:
        self.shop = shop = Outage()
        self.before = [shop.sell() for _ in range(2)]
        shop.passes(HOUR)
        shop.down = True
        self.during = []
        for hour in range(hours):
            self.during.append(shop.sell(f"{100 + hour}.00"))
            shop.passes(HOUR)
            if hour == 0:
                self.refund = shop.rz.refund(self.during[0][1])["id"]
            if hour == 1:
                self.dispute = shop.rz.dispute(self.before[0][1])["id"]
            if hour == 2:
                shop.rz.decide_dispute(self.dispute, "lost")
        shop.down = False

    @property
    def sold(self) -> list[tuple[str, str]]:
        return self.before + self.during


def expected(night: Night) -> Counter[str]:
    """Every milestone of the night that a state proves, once."""
    keys = [key for order, payment in night.sold for key in (f"order.paid:{order}", f"payment.captured:{payment}")]
    keys += [f"payment.authorized:{payment}" for _, payment in night.sold]
    keys += [f"refund.created:{night.refund}", f"refund.processed:{night.refund}"]
    keys += [f"payment.refunded:{night.during[0][1]}"]
    keys += [f"dispute.created:{night.dispute}:chargeback", f"dispute.lost:{night.dispute}:chargeback"]
    return Counter(keys)


def shapes(shop: Outage) -> list[Any]:
    """The books without ids: those of two worlds differ."""
    return sorted(map(str, (row[1:] for row in shop.books())))


def test_a_whole_outage_is_made_up_for() -> None:
    """30 virtual hours of sales, a refund and a dispute after the webhook went dead: every order ends paid, each
    handler is called once for each milestone, with ``poll`` as the source; a second recovery does nothing (FAULTS
    E8)."""
    night = Night()
    shop = night.shop
    assert shop.rz.deliver.disabled
    told_before = Counter(shop.keys)

    recovered = shop.rzp.recovery.run()

    assert (recovered.complete, recovered.skipped, recovered.reconciliation.totals.left) == (True, {}, 0)
    assert recovered.silence is not None
    assert {row.status for row in shop.store.orders()} == {"paid"}
    assert shop.keys == expected(night)
    assert {source for (key, source) in shop.told if key not in told_before} == {"poll"}
    assert recovered.milestones["order.paid"] == len(night.during)

    again = shop.rzp.recovery.run()
    assert (again.milestones, again.reconciliation.totals.found) == ({}, 0)
    assert shop.keys == expected(night)
    shop.close()


def test_the_story_says_where_it_was_learnt() -> None:
    """The audit of a payment that no webhook told of names ``poll`` and the run."""
    night = Night()
    run_id = night.shop.rzp.recovery.run().reconciliation.run_id
    rows = night.shop.store.audit(night.during[1][0])
    assert {(row.source, row.actor) for row in rows if row.kind == "payment"} == {("poll", run_id)}
    assert run_id.startswith("recovery_")
    night.shop.close()


def test_webhooks_that_come_back_in_the_middle_change_nothing() -> None:
    """The dashboard's replays and the events that had waited are answered 200, during a recovery and after it."""
    night = Night()
    shop = night.shop
    shop.rz.deliver.enable()
    late = shop.rz.deliver.pending()
    assert late
    shop.rzp.recovery.run(limit=20)
    shop.rz.deliver.flush()
    recovered = shop.rzp.recovery.run()
    assert recovered.reconciliation.resumed
    shop.passes(HOUR)
    assert shop.keys == expected(night)
    assert all(attempt.acknowledged for attempt in shop.rz.deliver.log[-len(late) :])
    shop.close()


def test_a_limit_ends_it_and_the_next_call_goes_on() -> None:
    """Without a window, or with the same one; in the end it is as if there had been no limit."""
    night = Night()
    calls = 0
    while not (recovered := night.shop.rzp.recovery.run(limit=9)).complete:
        calls += 1
        assert recovered.reconciliation.resumed == (calls > 1)
    assert calls > 3
    assert night.shop.keys == expected(night)
    night.shop.close()


@pytest.mark.slow
def test_killed_at_any_call_it_ends_the_same() -> None:
    """The line dies at each call in turn; a rerun ends in the same books with each effect once (FAULTS R1)."""
    whole = Night(4)
    whole.shop.line.calls = 0
    whole.shop.rzp.recovery.run()
    calls = whole.shop.line.calls
    assert calls > 15
    for fail_at in range(1, calls + 1):
        night = Night(4)
        night.shop.line.calls, night.shop.line.fail_at = 0, fail_at
        with pytest.raises(ApiTimeout):
            night.shop.rzp.recovery.run()
        night.shop.line.fail_at = None
        assert night.shop.rzp.recovery.run().complete
        assert shapes(whole.shop) == shapes(night.shop)
        assert night.shop.keys == expected(night)
        night.shop.close()
    whole.shop.close()


def test_a_busy_night_costs_pages_not_a_call_for_each_order() -> None:
    """Razorpay limits its API's rate, and the night is when it counts: what a listing tells is not asked again."""
    shop = Outage()
    shop.down = True
    for _ in range(120):
        shop.sell()
        shop.passes(60)
    shop.line.calls = 0
    assert shop.rzp.recovery.run().milestones["order.paid"] == 120
    assert shop.line.calls < 60
    shop.close()


def test_a_reconciliation_in_between_does_not_end_a_recovery() -> None:
    """They have one lease, so never run at once; a recovery that was cut short goes on after a reconciliation, too."""
    night = Night()
    shop = night.shop
    assert not shop.rzp.recovery.run(limit=9).complete
    assert not shop.rzp.reconciler.run(repair=True, limit=100_000).resumed
    recovered = shop.rzp.recovery.run()
    assert (recovered.reconciliation.resumed, recovered.complete) == (True, True)
    assert shop.keys == expected(night)
    shop.close()


def test_two_at_once() -> None:
    """While a recovery lives, another one, or a repairing reconciliation, leaves at once with ReconcileBusy."""
    night = Night()
    shop = night.shop
    seen: list[str] = []

    def nosy(change: Any, tx: Any) -> None:
        seen.append(change.key)

    original = shop.line._call

    def call(verb: str, *args: Any, **kwargs: Any) -> Any:
        if shop.store.runs(limit=1) and not seen:
            seen.append("tried")
            for start in (shop.rzp.recovery.run, lambda: shop.rzp.reconciler.run(repair=True)):
                with pytest.raises(ReconcileBusy):
                    start()
        return original(verb, *args, **kwargs)

    shop.line._call = call  # type: ignore[method-assign]
    shop.rzp.recovery.run()
    assert seen == ["tried"]
    assert shop.keys == expected(night)
    shop.close()


# --- what moved in the window, and was made before it


def test_a_late_authorisation_of_a_payment_from_before_the_outage() -> None:
    """A bank that answers two days late answers within the outage: the payment was made before it."""
    shop = Outage()
    order = shop.rzp.checkout.start(owner="user:7", plan=None, amount=_rupees("499.00"))
    shop.rz.pay(order.order_id, outcome="late", late_after_s=40 * HOUR)
    shop.passes(24 * HOUR)
    shop.sell()
    shop.passes(60)
    shop.down = True
    shop.passes(24 * HOUR)
    shop.rzp.recovery.run()
    assert {row.status for row in shop.store.orders()} == {"paid"}
    shop.close()


def test_a_refund_that_waited_for_long_before_the_outage() -> None:
    """It was made before the window, and is asked for by its id because its end is not known here."""
    shop = Outage()
    _, payment = shop.sell()
    shop.passes(60)
    refund = shop.rz.refund(payment, 10_000)["id"]
    if shop.store.refund(refund) is None:
        shop.rz.deliver.flush()
    shop.down = True
    shop.passes(9 * 24 * HOUR)
    recovered = shop.rzp.recovery.run(since=shop.rz.clock.now() - timedelta(hours=1))
    held = shop.store.refund(refund)
    assert held is not None
    assert held.status == "processed"
    assert shop.keys[f"refund.processed:{refund}"] == 1
    assert recovered.complete
    shop.close()


# --- other kinds


def _rupees(text: str) -> Any:
    from razorpay_hardened import Money

    return Money.inr(text)


def _request(rz: Emulator, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = rz.request("POST", path, body).json()
    assert "id" in answer, answer
    return answer


def lost_in(act: Callable[[Emulator], object]) -> set[str]:
    """Milestones that webhooks tell of ``act``, and a recovery in a shop that gets none of them does not. It makes
    nothing up, and a second one does nothing."""
    heard = Outage()
    deaf = Outage(rz=heard.rz)
    act(heard.rz)
    heard.passes(HOUR)
    assert deaf.rzp.recovery.run().complete
    assert deaf.rzp.recovery.run().milestones == {}
    assert heard.keys
    assert not deaf.keys - heard.keys
    assert set(deaf.keys.values()) <= {1}
    lost = heard.keys - deaf.keys
    heard.close()
    deaf.close()
    return {key.partition(":")[0] for key in lost}


def test_a_payment_link() -> None:
    """``payment_link.paid`` is proven by its status."""

    def act(rz: Emulator) -> None:
        link = _request(rz, "/v1/payment_links", {"amount": 49900, "currency": "INR"})
        rz.pay_link(link["id"])

    assert lost_in(act) == set()


def test_a_payment_link_that_is_partly_paid() -> None:
    """Each of its payments paid a part."""

    def act(rz: Emulator) -> None:
        asked = {"amount": 49900, "currency": "INR", "accept_partial": True, "first_min_partial_amount": 100}
        link = _request(rz, "/v1/payment_links", asked)
        rz.pay_link(link["id"], amount=10_000)
        rz.pay_link(link["id"], amount=5_000)

    assert lost_in(act) == set()


def test_an_invoice() -> None:
    """``invoice.paid`` is proven by its status."""

    def act(rz: Emulator) -> None:
        sold = {"type": "invoice", "currency": "INR", "customer": {"name": "Asha", "email": "a@example.com"}}
        line = {"name": "gold", "amount": 49900, "currency": "INR"}
        invoice = _request(rz, "/v1/invoices", {**sold, "line_items": [line]})
        rz.pay_invoice(invoice["id"])

    assert lost_in(act) == set()


def test_a_subscription() -> None:
    """Each charge is proven by its invoice. That it was activated is not: that may happen again, and only the event's
    own time tells one from the other; nor what an active one need not have been, and tokens cannot be listed."""

    def act(rz: Emulator) -> None:
        item = {"name": "gold", "amount": 49900, "currency": "INR"}
        plan = _request(rz, "/v1/plans", {"period": "monthly", "interval": 1, "item": item})
        made = _request(rz, "/v1/subscriptions", {"plan_id": plan["id"], "total_count": 6})
        rz.authenticate(made["id"])
        rz.charge(made["id"])

    assert lost_in(act) == {"subscription.activated", "subscription.authenticated", "token.confirmed"}


def test_a_qr_code_and_a_virtual_account() -> None:
    """What was paid in is proven by the payments that they list."""

    def act(rz: Emulator) -> None:
        code = {"type": "upi_qr", "usage": "multiple_use", "fixed_amount": False}
        made = _request(rz, "/v1/payments/qr_codes", code)
        rz.credit_qr(made["id"], 5_000)
        rz.credit_qr(made["id"], 6_000)
        account = _request(rz, "/v1/virtual_accounts", {"receivers": {"types": ["bank_account"]}})
        rz.credit_virtual_account(account["id"], 7_000)

    assert lost_in(act) == set()


def test_a_settlement() -> None:
    """``settlement.processed`` is proven by its status."""

    def act(rz: Emulator) -> None:
        order = _request(rz, "/v1/orders", {"amount": 49900, "currency": "INR"})
        rz.pay(order["id"])
        rz.settle()

    assert lost_in(act) == set()


def test_an_old_dispute_that_was_decided_in_the_outage() -> None:
    """It was opened long before the window: it is known here, has not ended, and is asked for by its id."""
    shop = Outage()
    _, payment = shop.sell()
    dispute = shop.rz.dispute(payment)["id"]
    shop.passes(5 * 24 * HOUR)
    shop.down = True
    shop.rz.decide_dispute(dispute, "lost")
    shop.passes(HOUR)
    shop.rzp.recovery.run(since=shop.rz.clock.now() - timedelta(hours=2))
    assert shop.told[f"dispute.lost:{dispute}:chargeback", "poll"] == 1
    shop.close()


def test_a_product_that_the_account_does_not_have() -> None:
    """Its listing is refused: the others go on, and the result says which was skipped."""
    night = Night()
    night.shop.rz.faults.add("on GET /subscriptions: 401")
    recovered = night.shop.rzp.recovery.run()
    assert set(recovered.skipped) == {"subscription"}
    assert recovered.complete
    assert night.shop.keys == expected(night)
    night.shop.close()


def test_every_kind_that_is_listed_is_one_that_the_client_has() -> None:
    """By the name of its resource."""
    shop = Outage()
    for resource in RESOURCES.values():
        assert callable(getattr(shop.rzp.client, resource).list)
        assert callable(getattr(shop.rzp.client, resource).fetch)
    shop.close()


@pytest.mark.parametrize("limit", [0, -1, True, "10"])
def test_a_limit_that_makes_no_sense_is_refused(limit: Any) -> None:
    """Before anything is asked."""
    shop = Outage()
    with pytest.raises(FieldInvalid):
        shop.rzp.recovery.run(limit=limit)
    shop.close()


def test_what_is_another_applications_is_left_alone() -> None:
    """On a shared account the rule decides as for webhooks: a link and an order with another's marker are counted and
    not told; ours are; a dispute of their payment is asked about, and is theirs."""
    rule = Ours(notes={"app": "shop"})
    shop = Outage(ours=rule)
    shop.down = True
    links = [
        _request(shop.rz, "/v1/payment_links", {"amount": 49900, "currency": "INR", "notes": {"app": app}})["id"]
        for app in ("shop", "other")
    ]
    for link in links:
        shop.rz.pay_link(link)
    theirs = _request(shop.rz, "/v1/orders", {"amount": 500, "currency": "INR", "notes": {"app": "other"}})
    shop.rz.dispute(shop.rz.pay(theirs["id"])["id"])
    ours, paid = shop.sell()
    shop.passes(HOUR)
    dispute = shop.rz.dispute(paid)["id"]
    shop.passes(HOUR)
    recovered = shop.rzp.recovery.run()
    told = {key for key in shop.keys if not key.startswith("payment.")}
    assert told == {f"payment_link.paid:{links[0]}", f"order.paid:{ours}", f"dispute.created:{dispute}:chargeback"}
    foreign = recovered.reconciliation.totals.foreign
    assert (foreign["payment_link"], foreign["dispute"]) == (1, 1)
    shop.close()


def test_what_happened_in_the_outage_comes_first() -> None:
    """A limit that is too small for the four days before is enough for what customers wait for."""
    shop = Outage()
    shop.down = True
    older = [shop.sell()[0] for _ in range(10)]
    shop.passes(48 * HOUR)
    fresh = [shop.sell()[0] for _ in range(3)]
    shop.passes(HOUR)
    recovered = shop.rzp.recovery.run(since=shop.rz.clock.now() - timedelta(hours=2), limit=8)
    assert not recovered.complete
    assert [f"order.paid:{order}" in shop.keys for order in fresh] == [True] * 3
    assert not any(f"order.paid:{order}" in shop.keys for order in older)
    while not recovered.complete:
        recovered = shop.rzp.recovery.run(limit=30)
    assert {row.status for row in shop.store.orders()} == {"paid"}
    shop.close()


def test_a_listing_that_lags_does_not_overrule_a_fresher_webhook() -> None:
    """Where a status may return, ``active`` and ``pending``, news of the last minutes stands; an hour later it is asked
    again."""
    shop = Outage()
    item = {"name": "gold", "amount": 49900, "currency": "INR"}
    plan = _request(shop.rz, "/v1/plans", {"period": "monthly", "interval": 1, "item": item})
    made = _request(shop.rz, "/v1/subscriptions", {"plan_id": plan["id"], "total_count": 6})
    shop.rz.authenticate(made["id"])
    shop.passes(HOUR)
    shop.rz.charge(made["id"], fails=True)
    shop.passes(60)
    held = shop.store.entity(made["id"])
    assert held is not None
    assert held.status == "pending"
    shop.rz.faults.add("on GET /subscriptions: stale(600) always")
    shop.rzp.recovery.run()
    assert shop.store.entity(made["id"]) == held
    shop.close()


# --- a gateway of one's own: orders, payments, refunds, and one other kind


def _shop_with(*disputes: dict[str, Any]) -> tuple[Shop, Recovery]:
    razorpay: Any = FakeRazorpay()
    razorpay.disputes = Kind(razorpay, "dispute")
    shop = Shop(razorpay=razorpay)
    for number, dispute in enumerate(disputes):
        razorpay.disputes.add(text_id("disp", number), payment_id=text_id("pay", number), phase="chargeback", **dispute)
    shop.registry.on("*", name="count all")(shop._count)
    recovery = Recovery(shop.store, razorpay, shop.ledger, clock=shop.clock, bus=shop.bus)
    return shop, recovery


def test_many_open_ones_are_asked_for_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a recovery that dies amid them does not begin with the first again."""
    monkeypatch.setattr("razorpay_hardened.reconcile.others.PAGE", 5)
    made = to_unix(START)
    shop, recovery = _shop_with(*({"status": "open", "created_at": made + number} for number in range(23)))
    shop.clock.set(START + timedelta(hours=1))
    assert recovery.run(since=START).milestones == {"dispute.created": 23}
    for dispute in shop.razorpay.disputes.rows.values():  # type: ignore[attr-defined]
        dispute["status"] = "lost"
    shop.clock.set(START + timedelta(days=30))
    shop.razorpay.calls.clear()
    shop.razorpay.fail_at = 20
    with pytest.raises(ApiTimeout):
        recovery.run()
    shop.razorpay.fail_at = None
    shop.razorpay.calls.clear()
    assert recovery.run().reconciliation.resumed
    assert shop.razorpay.calls.count("fetch dispute") < 23
    assert sum(key.startswith("dispute.lost") for key in shop.told) == 23
    assert {row.status for row in shop.store.entities(kind="dispute")} == {"lost"}


def test_a_dispute_that_was_won_and_comes_back() -> None:
    """In a later phase, under the same id: it is asked for again, although it had ended."""
    shop, recovery = _shop_with({"status": "won", "created_at": to_unix(START)})
    shop.clock.set(START + timedelta(hours=1))
    recovery.run(since=START)
    disputes: Any = shop.razorpay.disputes  # type: ignore[attr-defined]
    disputes.rows[text_id("disp", 0)] |= {"status": "open", "phase": "arbitration"}
    shop.clock.set(START + timedelta(days=30))
    assert recovery.run().milestones == {"dispute.created": 1}
    assert shop.told[-1].endswith(":arbitration")


def test_what_the_ledger_refuses_is_named_and_the_rest_goes_on() -> None:
    """One id that was a link's is a dispute's now: nobody can say what it is."""
    shop, recovery = _shop_with(*({"status": "open", "created_at": to_unix(START)} for _ in range(2)))
    odd = text_id("disp", 0)
    shop.apply(EntityFact("payment_link", odd, "created", created_at=START))
    shop.clock.set(START + timedelta(hours=1))
    recovered = recovery.run(since=START)
    assert recovered.skipped == {odd: "InconsistentEvent"}
    assert recovered.complete
    assert [key for key in shop.told if key.startswith("dispute")] == [
        f"dispute.created:{text_id('disp', 1)}:chargeback"
    ]


class Windowless(Kind):
    """Razorpay's listing of payment links, of which no page says that it knows ``from`` and ``to``."""

    def list(self, *, from_: Any = None, to: Any = None, count: int = 100, skip: int = 0, **_: Any) -> Any:
        return super().list(from_=-1, to=2**40, count=count, skip=skip if self.advances else 0)

    advances = True


def _links(count: int) -> tuple[Shop, Recovery]:
    """A shop with paid links, two a day, the youngest of today."""
    shop, recovery = _shop_with()
    razorpay: Any = shop.razorpay
    razorpay.payment_links = Windowless(razorpay, "payment_link")
    for number in range(count):
        razorpay.payment_links.add(text_id("plink", number), status="paid", created_at=to_unix(START) - number * 43_200)
    shop.clock.set(START + timedelta(hours=1))
    return shop, recovery


def test_a_listing_that_knows_no_window_is_read_until_it_is_too_old() -> None:
    """Each page once, not the same page for every second; and no further back than needed."""
    shop, recovery = _links(450)
    recovered = recovery.run(since=START - timedelta(days=60), overlap=timedelta(0))
    assert recovered.complete
    assert recovered.milestones == {"payment_link.paid": 121}
    assert shop.razorpay.calls.count("list payment_link") <= 6
    assert recovery.run(since=START - timedelta(days=60), overlap=timedelta(0)).milestones == {}


def test_a_listing_that_does_not_advance_is_skipped() -> None:
    """What its first page shows is told, and the other kinds go on."""
    shop, recovery = _links(450)
    shop.razorpay.payment_links.advances = False  # type: ignore[attr-defined]
    recovered = recovery.run(since=START - timedelta(days=100), overlap=timedelta(0))
    assert recovered.skipped == {"payment_link": "ReconcileStalled"}
    assert recovered.complete
    assert recovered.milestones == {"payment_link.paid": 100}


# --- kill -9


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


class Mortal:
    """A store's transactions, until one is the last: that and all later ones raise, before or after its commit."""

    def __init__(self, shop: Outage, last: int, *, committed: bool) -> None:
        self._begin = shop.store.transaction
        self._last, self._committed = last, committed
        self.count = 0

    @contextmanager
    def __call__(self, **options: Any) -> Iterator[Any]:
        self.count += 1
        if self.count > self._last or (self.count == self._last and not self._committed):
            raise Killed
        with self._begin(**options) as tx:
            yield tx
        if self.count == self._last:
            raise Killed


@pytest.mark.slow
@pytest.mark.parametrize("committed", [False, True])
def test_killed_at_any_commit_it_ends_the_same(monkeypatch: pytest.MonkeyPatch, committed: bool) -> None:
    """As by kill -9: not even the lease is given back. Once that has ended, a rerun ends in the same books."""
    last = 0
    while True:
        last += 1
        night = Night(3)
        shop = night.shop
        with monkeypatch.context() as patch:
            mortal = Mortal(shop, last, committed=committed)
            patch.setattr(shop.store, "transaction", mortal)
            try:
                shop.rzp.recovery.run()
            except Killed:
                ended = False
            else:
                ended = True
        shop.passes(11 * 60)
        assert shop.rzp.recovery.run().complete
        assert shop.keys == expected(night)
        assert {row.status for row in shop.store.orders()} == {"paid"}
        shop.close()
        if ended:
            break
    assert last > 15


# --- the law


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_recovery_beside_late_deliveries_ends_as_deliveries_alone(data: st.DataObject) -> None:
    """In whatever order late deliveries come, with recoveries (whole or limited) anywhere between them, the books and
    the effects are those of the deliveries alone."""

    alone = Outage()
    alone.rz.deliver.to(None)
    mixed = Outage(rz=alone.rz)
    sold = [alone.sell() for _ in range(3)]
    for order_id, _ in sold:
        mixed.rzp.checkout.adopt(order_id, owner="user:7", amount=_rupees("499.00"))
    alone.rz.refund(sold[0][1], 10_000)
    alone.passes(HOUR)
    alone.rz.dispute(sold[1][1])
    alone.passes(HOUR)
    deliveries = alone.rz.deliver.pending()
    for delivery in deliveries:
        assert alone.receive(delivery.method, delivery.headers, delivery.body) == 200
    steps: list[Any] = [*deliveries, "recover", "recover a little"]
    for step in data.draw(st.permutations(steps)):
        if step == "recover":
            mixed.rzp.recovery.run()
        elif step == "recover a little":
            mixed.rzp.recovery.run(limit=3)
        else:
            assert mixed.receive(step.method, step.headers, step.body) == 200

    assert sorted(map(str, mixed.books())) == sorted(map(str, alone.books()))
    assert mixed.keys == alone.keys
    alone.close()
    mixed.close()

"""The run: each kind of break found and no other, repaired once, resumed wherever it was cut."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from razorpay_hardened.clock import to_unix
from razorpay_hardened.domain.facts import OrderAsked, OrderClosed
from razorpay_hardened.errors import ApiTimeout, FieldInvalid, ReconcileBusy, ReconcileStalled
from razorpay_hardened.signals import Alarm
from reconcile_world import START, FakeRazorpay, Shop, found, text_id


def settled(shop: Shop, *, at: int = 0) -> tuple[str, str]:
    """An order that was paid, and we know it."""
    order_id = shop.order(at=at)
    payment_id = shop.pay(order_id, at=at + 10)
    shop.tell(order_id, payment_id)
    return order_id, payment_id


def lost_capture(shop: Shop) -> set[tuple[str, str, str]]:
    order_id = shop.order()
    return {("status", "order", order_id), ("missing_here", "payment", shop.pay(order_id))}


def lost_failure(shop: Shop) -> set[tuple[str, str, str]]:
    order_id = shop.order()
    return {("status", "order", order_id), ("missing_here", "payment", shop.pay(order_id, status="failed"))}


def late_capture(shop: Shop) -> set[tuple[str, str, str]]:
    order_id = shop.order()
    payment_id = shop.pay(order_id, status="failed")
    shop.tell(order_id, payment_id)
    shop.razorpay.payments.rows[payment_id].update(status="captured", captured=True)
    shop.razorpay.orders.rows[order_id]["status"] = "paid"
    return {("status", "order", order_id), ("status", "payment", payment_id)}


def lost_refund(shop: Shop) -> set[tuple[str, str, str]]:
    _, payment_id = settled(shop)
    return {("missing_here", "refund", shop.refund(payment_id, amount=100))}


def lost_full_refund(shop: Shop) -> set[tuple[str, str, str]]:
    _, payment_id = settled(shop)
    return {("missing_here", "refund", shop.refund(payment_id, amount=49900))}


def late_refund(shop: Shop) -> set[tuple[str, str, str]]:
    _, payment_id = settled(shop)
    refund_id = shop.refund(payment_id, amount=100, status="pending")
    shop.tell(refund_id)
    shop.razorpay.refunds.rows[refund_id]["status"] = "processed"
    return {("status", "refund", refund_id)}


def refund_sum(shop: Shop) -> set[tuple[str, str, str]]:
    _, payment_id = settled(shop)
    shop.razorpay.payments.rows[payment_id]["amount_refunded"] = 700  # and no refund that says so
    return {("refund_sum", "payment", payment_id)}


def unbound(shop: Shop) -> set[tuple[str, str, str]]:
    return {("unbound", "payment", shop.pay(None))}


def stuck_found(shop: Shop) -> set[tuple[str, str, str]]:
    shop.order(registered=False)
    return {("stuck_order", "order", "local_000001")}


def stuck_and_paid(shop: Shop) -> set[tuple[str, str, str]]:
    order_id = shop.order(registered=False)
    return {("stuck_order", "order", "local_000001"), ("missing_here", "payment", shop.pay(order_id))}


REPAIRABLE = [
    lost_capture,
    lost_failure,
    late_capture,
    lost_refund,
    lost_full_refund,
    late_refund,
    refund_sum,
    unbound,
    stuck_found,
    stuck_and_paid,
]


def stuck_lost(shop: Shop) -> set[tuple[str, str, str]]:
    order_id = shop.order(registered=False)
    del shop.razorpay.orders.rows[order_id]
    return {("stuck_order", "order", "local_000001")}


def order_gone(shop: Shop) -> set[tuple[str, str, str]]:
    order_id = shop.order()
    del shop.razorpay.orders.rows[order_id]
    return {("missing_there", "order", order_id)}


def payment_gone(shop: Shop) -> set[tuple[str, str, str]]:
    _, payment_id = settled(shop)
    del shop.razorpay.payments.rows[payment_id]
    return {("missing_there", "payment", payment_id)}


def refund_gone(shop: Shop) -> set[tuple[str, str, str]]:
    _, payment_id = settled(shop)
    refund_id = shop.refund(payment_id, amount=100)
    shop.tell(refund_id, payment_id)
    del shop.razorpay.refunds.rows[refund_id]
    return {("missing_there", "refund", refund_id)}


def second_order(shop: Shop) -> set[tuple[str, str, str]]:
    shop.order()
    leftover = text_id("order", 999)
    shop.razorpay.orders.add(leftover, status="created", receipt="local_000001", created_at=to_unix(START) + 1)
    return {("missing_here", "order", leftover)}


def order_amount(shop: Shop) -> set[tuple[str, str, str]]:
    order_id = shop.order()
    shop.razorpay.orders.rows[order_id]["amount"] = 1
    return {("amount", "order", order_id)}


def stuck_amount(shop: Shop) -> set[tuple[str, str, str]]:
    order_id = shop.order(registered=False)
    shop.razorpay.orders.rows[order_id]["amount"] = 1
    return {("amount", "order", "local_000001")}


def payment_amount(shop: Shop) -> set[tuple[str, str, str]]:
    _, payment_id = settled(shop)
    shop.razorpay.payments.rows[payment_id]["amount"] = 1
    return {("amount", "payment", payment_id)}


def payment_currency(shop: Shop) -> set[tuple[str, str, str]]:
    _, payment_id = settled(shop)
    shop.razorpay.payments.rows[payment_id]["currency"] = "USD"
    return {("currency", "payment", payment_id)}


def refund_amount(shop: Shop) -> set[tuple[str, str, str]]:
    _, payment_id = settled(shop)
    refund_id = shop.refund(payment_id, amount=100)
    shop.tell(refund_id, payment_id)
    shop.razorpay.refunds.rows[refund_id]["amount"] = 99
    return {("amount", "refund", refund_id)}


def other_order(shop: Shop) -> set[tuple[str, str, str]]:
    _, payment_id = settled(shop)
    shop.razorpay.payments.rows[payment_id]["order_id"] = shop.order()
    return {("order", "payment", payment_id)}


def surplus(shop: Shop) -> set[tuple[str, str, str]]:
    order_id, _ = settled(shop)
    payment_id = shop.pay(order_id, at=30)
    shop.tell(payment_id)
    return {("surplus_payment", "payment", payment_id)}


def behind(shop: Shop) -> set[tuple[str, str, str]]:
    order_id, payment_id = settled(shop)
    shop.razorpay.payments.rows[payment_id].update(status="authorized", captured=False)
    shop.razorpay.orders.rows[order_id]["status"] = "attempted"
    return {("status", "order", order_id), ("status", "payment", payment_id)}


def unknown_status(shop: Shop) -> set[tuple[str, str, str]]:
    _, payment_id = settled(shop)
    shop.razorpay.payments.rows[payment_id]["status"] = "processing"
    return {("status", "payment", payment_id)}


FOR_A_PERSON = [
    stuck_lost,
    order_gone,
    payment_gone,
    refund_gone,
    second_order,
    order_amount,
    stuck_amount,
    payment_amount,
    payment_currency,
    refund_amount,
    other_order,
    surplus,
    behind,
    unknown_status,
]


def names(seeds: list[object]) -> list[str]:
    return [seed.__name__ for seed in seeds]  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", REPAIRABLE + FOR_A_PERSON, ids=names(REPAIRABLE + FOR_A_PERSON))
def test_each_break_is_found_and_none_other(seed) -> None:
    """Among settled orders, a run names exactly the break that was made (FAULTS R5)."""
    shop = Shop()
    expected = seed(shop)
    for _ in range(3):
        settled(shop, at=60)

    result = shop.run()

    assert expected == found(result)
    assert result.complete
    assert {one.state for one in result.findings} == {"open"}
    json.dumps(result.to_dict())


def test_an_order_that_was_closed_and_never_made_is_no_finding() -> None:
    """The shop gave it up, and Razorpay does not know it: nothing for a person to look at, night after night."""
    shop = Shop()
    stuck_lost(shop)
    assert len(found(shop.run())) == 1
    shop.apply(OrderClosed("local_000001"))

    assert found(shop.run()) == set()


def test_an_order_that_was_closed_and_is_there_after_all_is_found() -> None:
    """Money may come for it: closing it here does not close it at Razorpay."""
    shop = Shop()
    expected = stuck_found(shop)
    shop.apply(OrderClosed("local_000001"))

    assert found(shop.run()) == expected


@pytest.mark.parametrize("seed", REPAIRABLE, ids=names(REPAIRABLE))
def test_what_the_law_allows_is_repaired_once(seed) -> None:
    """With repair every such break is gone afterwards, its handlers ran once, and a second run finds nothing."""
    shop = Shop()
    expected = seed(shop)

    first = shop.run(repair=True)
    told = list(shop.told)
    second = shop.run(repair=True)

    assert expected == found(first)
    assert {one.state for one in first.findings} == {"repaired"}
    assert set() == found(second)
    assert len(set(told)) == len(told)
    assert told == shop.told
    sums = second.totals.currencies.values()
    assert all((one.captured_here, one.refunded_here) == (one.captured_there, one.refunded_there) for one in sums)


@pytest.mark.parametrize("seed", FOR_A_PERSON, ids=names(FOR_A_PERSON))
def test_what_contradicts_is_reported_and_never_written(seed) -> None:
    """What no rule can move forward stays as it is, run after run (FAULTS R4)."""
    shop = Shop()
    expected = seed(shop)
    before = shop.books()

    result = shop.run(repair=True)

    assert expected == found(result)
    assert {one.state for one in result.findings} == {"left"}
    assert {step.action for step in result.plan} == {"report"}
    assert before == shop.books()
    assert expected == found(shop.run(repair=True))


def test_looking_writes_nothing() -> None:
    """Without repair no table has another row, and no row another content."""
    shop = Shop()
    for seed in REPAIRABLE:
        seed(shop)
    before = shop.store.status().counts, shop.books(), shop.store.anchors()

    shop.run()

    assert before == (shop.store.status().counts, shop.books(), shop.store.anchors())


def test_effects_fire_as_for_webhooks() -> None:
    """A capture that nobody told us of runs the handlers in the repairing transaction, with reconcile as its source."""
    shop = Shop()
    sources = []
    shop.registry.on("order.paid", name="source")(lambda change, tx: sources.append(change.source))
    lost_capture(shop)

    shop.run(repair=True)

    assert sources == ["reconcile"]
    assert {"payment.captured", "order.paid"} == {key.split(":")[0] for key in shop.told}


def test_runs_and_findings_are_on_record() -> None:
    """A repairing run stores its row, done and without a lease, and each finding with its state."""
    shop = Shop()
    lost_capture(shop)

    result = shop.run(repair=True)

    [run] = shop.store.runs()
    assert (result.run_id, "done", None) == (run.id, run.state, run.lease_until)
    assert result.totals.found == json.loads(run.totals)["found"] == 2
    assert sorted(result.findings, key=str) == sorted(shop.store.findings(run.id), key=str)


def test_a_refusal_becomes_a_note() -> None:
    """A capture of the wrong amount is refused by the ledger: its finding says so, and the order's rest is told."""
    shop = Shop()
    order_id = shop.order()
    wrong = shop.pay(order_id, amount=1)
    failed = shop.pay(order_id, status="failed")
    shop.razorpay.orders.rows[order_id]["status"] = "paid"

    result = shop.run(repair=True)

    states = {one.entity_id: (one.state, one.note) for one in result.findings}
    assert states[wrong] == ("left", "AmountMismatch")
    assert states[failed] == ("repaired", None)
    assert states[order_id] == ("left", "AmountMismatch")
    assert shop.told == []
    assert shop.store.order(order_id).status == "attempted"


def test_a_paid_order_without_a_capture_is_not_taken_for_paid() -> None:
    """An order's own word for paid needs a payment that can be bound to it (FAULTS P11)."""
    shop = Shop()
    order_id = shop.order()
    shop.razorpay.orders.rows[order_id]["status"] = "paid"

    result = shop.run(repair=True)

    assert {("status", "order", order_id)} == found(result)
    assert [one.state for one in result.findings] == ["left"]
    assert shop.store.order(order_id).status == "created"


def test_a_surplus_that_comes_to_light_in_the_repair_is_told() -> None:
    """Two captures that were both lost: both are repaired, and one of them is named as surplus."""
    shop = Shop()
    order_id = shop.order()
    payments = {shop.pay(order_id), shop.pay(order_id, at=30)}

    result = shop.run(repair=True)

    [extra] = [one for one in result.findings if one.kind == "surplus_payment"]
    assert extra.entity_id in payments
    assert extra.state == "left"


def test_an_alarm_rings_for_what_no_rule_explains() -> None:
    """A payment that Razorpay does not know raises an alarm, once, when the run may act."""
    shop = Shop()
    alarms: list[Alarm] = []
    shop.bus.subscribe(alarms.append, Alarm)
    payment_gone(shop)

    shop.run()
    assert alarms == []
    shop.run(repair=True)
    shop.run(repair=True)

    assert [alarm.reason for alarm in alarms] == ["missing_there"]


def test_other_peoples_rows_are_counted_and_left_alone() -> None:
    """Orders, payments and refunds of another application on the account are no findings."""
    shop = Shop()
    order_id = text_id("order", 777)
    shop.razorpay.orders.add(order_id, status="paid", receipt="theirs", created_at=to_unix(START))
    payment_id = shop.pay(order_id)
    shop.refund(payment_id, amount=100)

    result = shop.run(repair=True)

    assert set() == found(result)
    assert result.totals.foreign == {"order": 1, "payment": 1, "refund": 1}
    assert shop.books() == []


def test_what_is_not_announced_is_not_missed() -> None:
    """A payment that the customer only began, and an order that is being created, are no drift."""
    shop = Shop()
    shop.pay(shop.order(), status="created")
    shop.order(at=3000, registered=False)  # ten minutes before the run

    shop.clock.set(START + timedelta(seconds=3600))

    assert set() == found(shop.reconciler.run(since=START))


def test_a_refund_of_a_payment_outside_the_window_brings_it_along() -> None:
    """A refund whose payment nobody told us of is repaired together with that payment."""
    shop = Shop()
    order_id = shop.order()
    payment_id = shop.pay(order_id, at=-90_000)
    refund_id = shop.refund(payment_id, amount=100)

    result = shop.run(repair=True)

    assert {"repaired"} == {one.state for one in result.findings}
    assert shop.store.refund(refund_id) is not None
    assert shop.store.payment(payment_id).refunded == 100


def test_the_handler_that_fails_leaves_a_waiting_effect() -> None:
    """State is repaired although the application's handler raises; its effect waits for the next try."""
    shop = Shop()

    def broken(change: object, tx: object) -> None:
        raise RuntimeError("no")

    shop.registry.on("order.paid", name="broken")(broken)
    lost_capture(shop)

    result = shop.run(repair=True)

    assert {"repaired"} == {one.state for one in result.findings}
    assert [row.handler for row in shop.store.effects(states=("waiting",))] == ["broken"]


# --- the window


def test_the_default_window_is_a_day() -> None:
    """Without since, what is older than 24 h and the overlap is not looked at."""
    shop = Shop()
    shop.pay(None, at=-90_001)  # 25 h and a second
    recent = shop.pay(None, at=-90_000)

    result = shop.reconciler.run()

    assert {("unbound", "payment", recent)} == found(result)
    assert (START - timedelta(hours=25), START) == (result.since, result.until)


@pytest.mark.parametrize(
    "options",
    [
        {"limit": 0},
        {"limit": -1},
        {"limit": True},
        {"limit": 10**9},
        {"since": START + timedelta(days=1)},
        {"since": START, "until": START - timedelta(days=2)},
        {"since": START.replace(tzinfo=None)},
        {"until": START.replace(tzinfo=None)},
        {"overlap": timedelta(seconds=-1)},
    ],
)
def test_senseless_windows_are_refused(options) -> None:
    """A window or limit without sense is a FieldInvalid before anything is asked."""
    shop = Shop()

    with pytest.raises(FieldInvalid):
        shop.reconciler.run(**options)
    assert shop.razorpay.calls == []


def test_the_overlap_looks_back() -> None:
    """An hour before since is looked at too, unless told otherwise (FAULTS R6)."""
    shop = Shop()
    payment_id = shop.pay(None, at=-3600)

    assert {("unbound", "payment", payment_id)} == found(shop.run())
    assert set() == found(shop.run(overlap=timedelta(0)))


# --- limits, crashes, twins


def many(shop: Shop, count: int = 30) -> None:
    for number in range(count):
        order_id = shop.order(at=number * 7)
        payment_id = shop.pay(order_id, at=number * 7 + 3)
        if number % 3:
            shop.tell(order_id, payment_id)
        if number % 5 == 0:
            shop.refund(payment_id, amount=100, at=number * 7 + 5)


@pytest.mark.slow
def test_a_limited_run_goes_on_where_it_stopped() -> None:
    """Runs of ten rows each end in the same books as one run, examine nothing twice, and say when they are through."""
    whole, bit_by_bit = Shop(), Shop()
    many(whole)
    many(bit_by_bit)
    expected = whole.run(repair=True)

    results = [bit_by_bit.run(repair=True, limit=10)]
    while not results[-1].complete:
        assert results[-1].cursor is not None
        results.append(bit_by_bit.run(repair=True, limit=10))

    last = results[-1]
    assert whole.books() == bit_by_bit.books()
    assert whole.told == bit_by_bit.told
    assert (expected.totals, found(expected)) == (last.totals, found(last))
    assert {results[0].run_id} == {one.run_id for one in results}
    assert [results[0].resumed, last.resumed] == [False, True]
    growth = [b.totals.examined - a.totals.examined for a, b in itertools.pairwise(results)]
    assert max(growth) <= 10


@pytest.mark.slow
def test_a_limited_look_goes_on_from_its_cursor() -> None:
    """Without repair the caller carries the cursor; together the looks find what one look finds."""
    shop = Shop()
    many(shop)
    whole = shop.run()

    result = shop.run(limit=10)
    seen = found(result)
    while not result.complete:
        result = shop.run(limit=10, since=result.cursor, overlap=timedelta(0))
        seen |= found(result)

    assert found(whole) == seen


def test_a_limit_never_stops_a_crowded_second_for_ever() -> None:
    """Three payments of one second are examined together even if the limit is one."""
    shop = Shop()
    for _ in range(3):
        shop.pay(None)

    result = shop.run(limit=1)

    assert (result.totals.examined, result.cursor) == (3, START + timedelta(seconds=11))
    assert shop.run(limit=1, since=result.cursor, overlap=timedelta(0)).complete


@pytest.mark.slow
def test_killed_at_any_call_it_ends_the_same(monkeypatch) -> None:
    """The line dies at each call in turn; a rerun ends in the same books with each effect once (FAULTS R1)."""
    monkeypatch.setattr("razorpay_hardened.reconcile.sources.PAGE", 4)
    whole = Shop()
    many(whole, 12)
    whole.run(repair=True)
    calls = len(whole.razorpay.calls)
    assert calls > 20

    for fail_at in range(1, calls + 1):
        shop = Shop()
        many(shop, 12)
        shop.razorpay.fail_at = fail_at
        with pytest.raises(ApiTimeout):
            shop.run(repair=True)
        assert (shop.store.runs()[0].state, shop.store.runs()[0].lease_until) == ("failed", None)
        shop.razorpay.fail_at = None
        result = shop.run(repair=True)

        assert result.resumed
        assert result.complete
        assert whole.books() == shop.books()
        assert sorted(whole.told) == sorted(shop.told)


def test_two_runs_at_once() -> None:
    """While one run's lease lives a second leaves at once with ReconcileBusy; looking is always allowed (FAULTS R3)."""
    shop = Shop()
    lost_capture(shop)
    seen: list[type[BaseException]] = []

    class Nosy(FakeRazorpay):
        def called(self, what: str) -> None:
            super().called(what)
            if not seen:
                seen.append(ReconcileBusy)
                with pytest.raises(ReconcileBusy):
                    shop.reconciler.run(repair=True)
                shop.reconciler.run()

    shop.razorpay.__class__ = Nosy
    shop.run(repair=True)

    assert [ReconcileBusy] == seen
    assert len(shop.store.runs()) == 1


def test_a_killed_process_blocks_only_for_its_lease() -> None:
    """kill -9 leaves a lease: the next run is busy until it ends, and then goes on with the same run."""
    shop = Shop()
    lost_capture(shop)
    shop.run(repair=True)
    [run] = shop.store.runs()
    lease = shop.clock.now() + timedelta(minutes=10)
    with shop.store.transaction() as tx:
        tx.put_run(replace(run, state="running", lease_until=lease))

    with pytest.raises(ReconcileBusy):
        shop.run(repair=True)
    shop.clock.advance(600)
    result = shop.run(repair=True)

    assert (run.id, True) == (result.run_id, result.resumed)


def test_a_paused_run_notices_that_it_was_overtaken() -> None:
    """A process that sleeps past its lease and finds another run in its place stops, touching nothing (FAULTS T2)."""
    shop = Shop()
    lost_capture(shop)
    overtaken: list[str] = []

    class Sleepy(FakeRazorpay):
        def called(self, what: str) -> None:
            super().called(what)
            if what == "list refund" and not overtaken:
                overtaken.append("")
                shop.clock.advance(3600)
                overtaken[0] = shop.reconciler.run(repair=True, since=START).run_id

    shop.razorpay.__class__ = Sleepy
    with pytest.raises(ReconcileBusy):
        shop.run(repair=True)

    assert (shop.store.runs()[0].state, shop.store.runs()[0].lease_until) == ("done", None)
    assert len(set(shop.told)) == len(shop.told) == 2


def test_another_window_starts_another_run() -> None:
    """A call that names another window does not go on with the run that was cut short."""
    shop = Shop()
    many(shop)
    first = shop.run(repair=True, limit=5)

    other = shop.run(repair=True, since=START + timedelta(seconds=60))

    assert not first.complete
    assert first.run_id != other.run_id
    assert not other.resumed


def test_a_listing_that_ignores_its_window_is_stalled() -> None:
    """The same page for ever ends in ReconcileStalled, and so does a listing without an end."""
    shop = Shop()
    for number in range(100):
        shop.pay(None, at=number)
    kind = shop.razorpay.payments
    page = kind.list(from_=0, to=2**33)
    kind.list = lambda **_: page  # type: ignore[method-assign]

    with pytest.raises(ReconcileStalled):
        shop.run()


def test_events_that_arrive_while_it_runs_change_nothing() -> None:
    """News told by webhook between the reading and the repair is not applied twice (FAULTS R2)."""
    shop = Shop()
    order_id = shop.order()
    payment_id = shop.pay(order_id)

    class Racing(FakeRazorpay):
        def called(self, what: str) -> None:
            super().called(what)
            if what == "order payments":
                shop.tell(order_id, payment_id)

    shop.razorpay.__class__ = Racing
    result = shop.run(repair=True)

    assert {"repaired"} == {one.state for one in result.findings}
    assert 2 == len(shop.told) == len(set(shop.told))


def test_a_young_local_order_is_left_to_sweeping() -> None:
    """An order asked for a minute ago is not stuck; fifteen minutes later it is."""
    shop = Shop()
    shop.apply(OrderAsked("local_1", "user:7", 100, "INR", "local_1"))

    assert set() == found(shop.reconciler.run())
    shop.clock.advance(14 * 60 + 59)
    assert set() == found(shop.reconciler.run())
    shop.clock.advance(1)
    assert {("stuck_order", "order", "local_1")} == found(shop.reconciler.run())

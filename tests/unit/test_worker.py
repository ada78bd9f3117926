"""Driving it: one round of everything that waits, the loop of rounds, and chores."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bodies import Shop, body, life_of, order_id, payment
from razorpay_hardened import Client, MemoryStore, Money, RetryAfter, Worked, Worker
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import AuditBroken, ConfigError, OutcomeUnknown, StorageUnavailable
from razorpay_hardened.signals import Alarm
from razorpay_hardened.storage import SQLiteStore
from razorpay_hardened.worker import Stop


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop whose deliveries are only stored: a worker calls its handlers."""
    made = Shop(MemoryStore(), ack="stored", client=NoRazorpay())
    yield made
    made.rzp.close()


class NoRazorpay:
    """Whoever asks Razorpay fails the test."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"asked for {name}")


class Waits:
    """A stop that waits for nothing: it moves the shop's clock, remembers how long, and is set after ``most`` waits."""

    def __init__(self, shop: Shop, most: int, meanwhile: Callable[[int], object] = lambda _: None) -> None:
        self.waited: list[float] = []
        self._shop = shop
        self._most = most
        self._meanwhile = meanwhile

    def is_set(self) -> bool:
        return len(self.waited) >= self._most

    def wait(self, timeout: float | None = None, /) -> bool:
        assert timeout is not None
        self.waited.append(timeout)
        self._shop.clock.advance(timeout)
        self._meanwhile(len(self.waited))
        return self.is_set()


def on_emulator() -> tuple[Shop, Emulator]:
    """A shop with a Razorpay behind it, on one clock."""
    rz = Emulator(in_process=True)
    client = Client(rz.key_id, rz.key_secret, base_url="http://127.0.0.1:1", session=rz.session(), clock=rz.clock)
    shop = Shop(MemoryStore(), ack="stored", client=client)
    shop.clock.set(rz.clock.now())
    return shop, rz


def paid(shop: Shop, number: int) -> None:
    """Order ``number`` is ours, and paid; its handlers wait."""
    shop.adopt(number)
    assert shop.deliver(life_of(number)["order.paid"]) == 200


def granting(shop: Shop, granted: list[str]) -> None:
    shop.rzp.on("order.paid", name="grant")(lambda change, tx: granted.append(f"grant {change.key}"))
    shop.rzp.after("order.paid", name="mail")(lambda change: granted.append(f"mail {change.key}"))


# --- one round


def test_one_round_calls_the_handlers_that_wait(shop: Shop) -> None:
    """Of both kinds; a second round finds nothing."""
    granted: list[str] = []
    granting(shop, granted)
    paid(shop, 1)
    assert granted == []

    worked = shop.rzp.work()
    assert granted == [f"grant order.paid:{order_id(1)}", f"mail order.paid:{order_id(1)}"]
    assert (worked.pending.retried, worked.pending.ran, worked.total, worked.more) == (1, 1, 2, True)
    again = shop.rzp.work()
    assert (again.total, again.more) == (0, False)


def test_only_housekeeping_asks_razorpay() -> None:
    """Effects each second, Razorpay each minute: a parked event is looked at, and an order swept, only then."""
    shop, rz = on_emulator()
    asked: list[str] = []
    answer = rz.handle
    rz.handle = lambda request: (asked.append(request.path), answer(request))[1]  # type: ignore[method-assign,func-returns-value]
    shop.deliver(life_of(1)["captured"])  # of nobody's order
    shop.clock.advance(16 * 60)

    worked = shop.rzp.work(housekeeping=False)
    assert (worked.swept, asked) == (None, [])
    worked = shop.rzp.work()
    assert worked.swept is not None
    assert asked == [f"/v1/orders/{order_id(1)}"]
    shop.rzp.close()


def test_what_a_crash_left_open_is_finished_in_a_round() -> None:
    """The order that Razorpay has after all is registered, and its early news is applied: handlers run next."""
    shop, rz = on_emulator()
    rz.faults.add("on POST /orders: do_then_hang always")
    rz.faults.add("on GET /orders: 503 always")
    with pytest.raises(OutcomeUnknown):
        shop.rzp.checkout.start(owner="user:7", amount=Money.inr("499.00"))
    rz.faults.clear()
    shop.clock.set(rz.clock.now() + timedelta(seconds=90))
    worked = shop.rzp.work()
    assert worked.swept is not None
    assert (worked.swept.found, worked.more) == (1, True)
    assert worked.to_dict()["orders_found"] == 1
    shop.rzp.close()


def test_a_round_ends_after_the_effect_in_work(shop: Shop) -> None:
    """Once stop() is true no further handler is called, neither on nor after; the rest waits for the next round."""
    called: list[str] = []
    shop.rzp.on("order.paid", name="grant")(lambda change, tx: called.append("on"))
    for number in (1, 2, 3):
        paid(shop, number)
    assert shop.rzp.work(stop=lambda: len(called) >= 2).pending.retried == 2
    assert called == ["on", "on"]

    shop.rzp.after("payment.captured", name="mail")(lambda change: called.append("after"))
    for number in (4, 5):
        paid(shop, number)
    called.clear()
    shop.rzp.work(stop=lambda: "after" in called)
    assert called.count("after") == 1
    shop.rzp.work()
    assert (called.count("on"), called.count("after")) == (3, 2)


def test_housekeeping_ends_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once stop() is true no further parked event is asked about, and no further order or refund."""
    shop, rz = on_emulator()
    asked: list[str] = []
    answer = rz.handle
    rz.handle = lambda request: (asked.append(request.path), answer(request))[1]  # type: ignore[method-assign,func-returns-value]
    for number in (1, 2):
        shop.deliver(life_of(number)["captured"])  # of nobody's orders
    shop.clock.advance(16 * 60)
    shop.rzp.work(stop=lambda: bool(asked))
    assert len(asked) == 1

    order = shop.rzp.checkout.start(owner="user:7", amount=Money.inr("499.00"))
    paid_for = rz.pay(order.order_id)["id"]
    shop.rzp.reconciler.run(repair=True)
    rz.faults.add("on POST /payments/:id/refund: do_then_hang always")
    rz.faults.add("on POST /orders: do_then_hang always")
    rz.faults.add("on GET /orders: 503 always")
    for number in (1, 2):
        with pytest.raises(OutcomeUnknown):
            shop.rzp.checkout.start(owner="user:7", amount=Money.inr("499.00"))
        with pytest.raises(OutcomeUnknown):
            shop.rzp.checkout.refund(paid_for, Money.inr(number), key=f"refund-000{number}")
    rz.faults.clear()
    shop.clock.advance(90)
    asked.clear()
    first = shop.rzp.checkout.sweep(stop=lambda: bool(asked))
    second = shop.rzp.checkout.sweep()
    assert [(swept.found, swept.refunded) for swept in (first, second)] == [(1, 0), (1, 2)]
    shop.rzp.close()


def test_a_budget_of_seconds_ends_a_round_too(shop: Shop) -> None:
    """No handler is called once they have passed; housekeeping has as many again, so that it is never left out."""
    kept: list[str] = []
    shop.rzp.after("order.paid", name="slow")(lambda change: shop.clock.advance(20))
    shop.rzp.every(60, name="look")(lambda: kept.append("looked"))
    for number in range(1, 6):
        paid(shop, number)
    worked = shop.rzp.work(budget_s=30)
    assert (worked.pending.ran, worked.more, kept) == (2, True, ["looked"])


def test_a_round_that_was_cut_short_says_that_there_is_more(shop: Shop) -> None:
    """Whatever became of its handlers: those that fail slowly must not keep the others until the next schedule."""

    @shop.rzp.after("order.paid", name="slow")
    def slow(change: Any) -> None:
        shop.clock.advance(40)
        raise TimeoutError

    paid(shop, 1)
    paid(shop, 2)
    worked = shop.rzp.work(housekeeping=False, budget_s=30)
    assert (worked.pending.ran, worked.pending.failed, worked.more) == (1, 1, True)


def test_a_limit_is_one_or_more(shop: Shop) -> None:
    """Nothing would ever be done."""
    with pytest.raises(ConfigError):
        shop.rzp.work(limit=0)
    with pytest.raises(ConfigError):
        Worker(shop.rzp, limit=0)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_times_are_above_zero(shop: Shop, seconds: float) -> None:
    """A worker that never waits, or always, is refused when it is made."""
    with pytest.raises(ConfigError):
        Worker(shop.rzp, idle_s=seconds)
    with pytest.raises(ConfigError):
        Worker(shop.rzp, housekeeping_s=seconds)
    with pytest.raises(ConfigError):
        shop.rzp.every(seconds)


def test_a_handler_that_is_missing_is_told(shop: Shop) -> None:
    """Its effects would wait for ever in silence: a module that a worker forgot to import is an alarm, once."""
    granting(shop, [])
    paid(shop, 1)
    other = Shop(shop.store, ack="stored", client=NoRazorpay())
    other.rzp.after("order.paid", name="mail")(lambda change: None)
    assert other.rzp.work().missing == ("grant",)
    assert other.rzp.work().missing == ("grant",)
    assert [(alarm.key, alarm.reason) for alarm in other.told(Alarm)] == [("missing:grant", "handler_missing")]
    assert shop.rzp.work().missing == ()


# --- chores


def test_chores_are_done_at_their_own_times(shop: Shop) -> None:
    """At the first housekeeping, and then every so often; without housekeeping never."""
    done: list[str] = []
    shop.rzp.every(60, name="minute")(lambda: done.append("minute"))
    shop.rzp.every(3600, name="hour")(lambda: done.append("hour"))
    assert shop.rzp.work(housekeeping=False).chores == ()
    assert shop.rzp.work().chores == ("minute", "hour")
    assert shop.rzp.work().chores == ()
    shop.clock.advance(60)
    assert shop.rzp.work().chores == ("minute",)
    shop.clock.advance(3540)
    assert shop.rzp.work().chores == ("minute", "hour")
    assert done == ["minute", "hour", "minute", "minute", "hour"]


def test_a_chore_that_raises_costs_the_others_nothing(shop: Shop) -> None:
    """An alarm with the error's class and none of its text, and another try at its next time."""

    @shop.rzp.every(60)
    def broken() -> None:
        raise LookupError("asha.rao@example.com")

    shop.rzp.every(60, name="fine")(lambda: None)
    worked = shop.rzp.work()
    name = f"{__name__}.test_a_chore_that_raises_costs_the_others_nothing.<locals>.broken"
    assert (worked.chores, worked.chores_failed) == (("fine",), (name,))
    (alarm,) = shop.told(Alarm)
    assert (alarm.key, alarm.reason) == (f"chore:{name}", "LookupError")
    assert "asha" not in repr(alarm)
    shop.clock.advance(60)
    assert shop.rzp.work().chores_failed == (name,)


def test_a_chore_stays_due_where_the_store_fails(shop: Shop) -> None:
    """What failed is the store, and the worker waits for it."""
    answers: list[Exception | None] = [StorageUnavailable("gone"), None]

    @shop.rzp.every(3600, name="look")
    def look() -> None:
        if (answer := answers.pop(0)) is not None:
            raise answer

    with pytest.raises(StorageUnavailable):
        shop.rzp.work()
    assert shop.rzp.work().chores == ("look",)


def test_a_chore_that_finds_the_audit_broken_does_not_stop_the_worker(shop: Shop) -> None:
    """That is an error of the store as well, but waiting would not mend it: an alarm, and effects go on."""

    @shop.rzp.every(60, name="seal")
    def seal() -> None:
        raise AuditBroken("run audit verify")

    assert shop.rzp.work().chores_failed == ("seal",)
    assert [alarm.reason for alarm in shop.told(Alarm)] == ["AuditBroken"]


def test_two_chores_of_one_name_are_refused(shop: Shop) -> None:
    """One of them would never be done."""
    shop.rzp.every(60, name="look")(lambda: None)
    with pytest.raises(ConfigError, match="look"):
        shop.rzp.every(60, name="look")(lambda: None)


# --- the loop


def test_it_goes_on_at_once_while_there_is_work_and_waits_otherwise(shop: Shop) -> None:
    """Ten effects, one for each round, without a wait between them; then longer and longer, never above idle_s."""
    granted: list[str] = []
    shop.rzp.after("order.paid", name="mail")(lambda change: granted.append(change.key))
    for number in range(1, 11):
        paid(shop, number)
    rounds: list[Worked] = []
    waits = Waits(shop, 8)
    Worker(shop.rzp, idle_s=4, limit=1, on_round=rounds.append).run(waits)
    assert len(granted) == 10
    assert [worked.total for worked in rounds] == [1] * 10 + [0] * 8
    for waited, most in zip(waits.waited, [0.25, 0.5, 1, 2, 4, 4, 4, 4], strict=True):
        assert most / 2 <= waited <= most


def test_work_that_comes_makes_it_quick_again(shop: Shop) -> None:
    """After a quiet time the first wait is short again."""
    shop.rzp.after("order.paid", name="mail")(lambda change: None)
    waits = Waits(shop, 7, lambda number: paid(shop, 1) if number == 5 else None)
    Worker(shop.rzp, idle_s=30).run(waits)
    assert waits.waited[4] >= 2
    assert waits.waited[5] <= 0.25


def test_housekeeping_has_its_own_pace(shop: Shop) -> None:
    """At the start, then every minute or so, and it ends a longer wait."""
    rounds: list[Worked] = []
    Worker(shop.rzp, idle_s=1000, housekeeping_s=60, on_round=rounds.append).run(Waits(shop, 40))
    passed = shop.clock.monotonic()
    kept = sum(1 for worked in rounds if worked.swept is not None)
    assert rounds[0].swept is not None
    assert passed / 66 <= kept <= passed / 54 + 2
    assert kept > 20


def test_a_store_that_fails_is_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """One alarm, longer and longer waits of 30 seconds at most, never a busy loop; then it works on."""
    granted: list[str] = []
    granting(shop, granted)
    paid(shop, 1)
    real = shop.store.switches

    def gone() -> Any:
        raise StorageUnavailable("the server is gone")

    def back(number: int) -> None:
        if number == 9:
            monkeypatch.setattr(shop.store, "switches", real)

    monkeypatch.setattr(shop.store, "switches", gone)
    waits = Waits(shop, 12, back)
    Worker(shop.rzp, idle_s=5).run(waits)
    for waited, most in zip(waits.waited[:9], [1, 2, 4, 8, 16, 30, 30, 30, 30], strict=True):
        assert most / 2 <= waited <= most
    assert len(granted) == 2
    (alarm,) = shop.told(Alarm)
    assert (alarm.key, alarm.reason) == ("worker:StorageUnavailable:2026-03-02T10", "StorageUnavailable")


def test_handlers_that_want_to_be_called_in_no_time_do_not_keep_it_busy(shop: Shop) -> None:
    """RetryAfter of a nanosecond: the worker waits between its rounds all the same."""
    calls: list[str] = []

    @shop.rzp.after("order.paid", name="impatient")
    def impatient(change: Any) -> None:
        calls.append(change.key)
        raise RetryAfter(1e-9)

    paid(shop, 1)
    Worker(shop.rzp, limit=5).run(Waits(shop, 3))
    assert len(calls) <= 15


def test_it_rests_while_effects_are_paused(shop: Shop) -> None:
    """Nothing is called, nothing spins."""
    granted: list[str] = []
    granting(shop, granted)
    paid(shop, 1)
    shop.rzp.pause(actor="asha")
    rounds: list[Worked] = []
    Worker(shop.rzp, on_round=rounds.append).run(Waits(shop, 4))
    assert granted == []
    assert [(worked.pending.paused, worked.more) for worked in rounds] == [(True, False)] * 4


def test_a_mistake_of_the_application_is_not_swallowed(shop: Shop) -> None:
    """What on_round raises ends the worker: nobody would hear of it."""

    def broken(worked: Worked) -> None:
        raise LookupError("a mistake")

    with pytest.raises(LookupError):
        Worker(shop.rzp, on_round=broken).run(Waits(shop, 1))


@pytest.mark.parametrize("kind", [Stop, threading.Event])
def test_a_worker_that_waits_wakes_at_once(shop: Shop, kind: Callable[[], Any]) -> None:
    """Whether it is told by our own stop or by an event of the standard library."""
    stop, waiting = kind(), threading.Event()
    worker = Worker(shop.rzp, idle_s=3600, on_round=lambda worked: waiting.set())
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    assert waiting.wait(10)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_stop_holds_for_ever(shop: Shop) -> None:
    """Set before the worker begins, it does nothing at all; waiting for it twice does not hang."""
    stop = Stop()
    assert stop.wait(0) is False
    stop.set()
    assert (stop.is_set(), stop.wait(), stop.wait()) == (True, True, True)
    Worker(shop.rzp, on_round=lambda worked: pytest.fail("worked")).run(stop)


def test_several_workers_share_the_work(tmp_path: Path) -> None:
    """Four loops on one store, each with a connection of its own: every handler is called once for every order."""
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    shops = [Shop(SQLiteStore(url), ack="stored", client=NoRazorpay()) for _ in range(4)]
    shops[0].store.migrate()
    called: list[str] = []
    lock, all_called = threading.Lock(), threading.Event()

    def call(key: str) -> None:
        with lock:
            called.append(key)
            if len(called) >= 60:
                all_called.set()

    for shop in shops:
        shop.rzp.on("order.paid", name="grant")(lambda change, tx: call(f"grant {change.key}"))
        shop.rzp.after("order.paid", name="mail")(lambda change: call(f"mail {change.key}"))
    for number in range(1, 31):
        paid(shops[0], number)
    for shop in shops:
        shop.clock.set(shops[0].clock.now())
    workers = [Worker(shop.rzp, idle_s=0.05, limit=3) for shop in shops]
    threads = [threading.Thread(target=worker.run, args=(all_called,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    wanted = [f"{name} order.paid:{order_id(number)}" for name in ("grant", "mail") for number in range(1, 31)]
    assert sorted(called) == sorted(wanted)
    assert shops[0].store.effects(states=("waiting", "leased", "dead")) == []
    for shop in shops:
        shop.rzp.close()


def test_a_broken_handler_does_not_keep_the_others_waiting(shop: Shop) -> None:
    """However many orders it holds up: rows that must wait for an elder are none of those that a round may take."""
    granted: list[str] = []

    @shop.rzp.on("payment.*", name="broken")
    def broken(change: Any, tx: Any) -> None:
        raise ConnectionError("down")

    for number in range(1, 9):
        shop.adopt(number)
        shop.deliver(body("payment.authorized", payment=payment(number, "authorized")))
    shop.rzp.work(limit=5)
    shop.rzp.work(limit=5)
    for number in range(1, 9):
        shop.deliver(life_of(number)["captured"])
    shop.rzp.on("order.paid", name="grant")(lambda change, tx: granted.append(change.key))
    paid(shop, 20)
    Worker(shop.rzp, limit=5).run(Waits(shop, 3))
    assert granted == [f"order.paid:{order_id(20)}"]


def test_a_handler_that_a_process_does_not_have_does_not_keep_its_others_waiting(shop: Shop) -> None:
    """Amid a deploy the old worker does what it can, however many rows wait for the new one."""
    granted: list[str] = []
    shop.rzp.on("order.paid", name="grant")(lambda change, tx: granted.append(change.key))
    newer = Shop(shop.store, ack="stored", client=NoRazorpay())
    newer.rzp.on("order.paid", name="new")(lambda change, tx: granted.append(f"new {change.key}"))
    for number in range(1, 9):
        paid(newer, number)
    paid(shop, 20)
    shop.rzp.work(limit=5)
    assert granted == [f"order.paid:{order_id(20)}"]
    for _ in range(2):
        newer.rzp.work(limit=5)
    assert len(granted) == 9

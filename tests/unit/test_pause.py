"""The pause: everything is received and stored, nothing is called, and resuming calls in order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bodies import START, Shop, body, order, order_id, payment, refund
from razorpay_hardened import Client, MemoryStore, Money, Razorpay
from razorpay_hardened.effects.backoff import GIVE_UP_AFTER, WORKER_ATTEMPTS, is_spent
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import FieldInvalid
from razorpay_hardened.signals import Alarm, EffectDead, EffectsPaused, EffectsResumed
from razorpay_hardened.storage._transaction import SqlTransaction
from razorpay_hardened.webhooks import Drained

HOUR = 3600.0


def captured(number: int) -> bytes:
    return body("payment.captured", payment=payment(number, "captured"))


class Record:
    """A handler that notes whose milestone it was called for, and fails for the orders in ``broken``."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.broken: set[str] = set()

    def __call__(self, change: Any, tx: Any = None) -> None:
        if change.key in self.broken:
            raise RuntimeError("not today")
        self.keys.append(change.key)


def shop(ack: str = "effect", *, orders: int = 3) -> tuple[Shop, Record, Record]:
    """A shop with ``orders`` orders, an ``on`` and an ``after`` handler of order.paid."""
    ours = Shop(MemoryStore(), ack=ack)
    on, after = Record(), Record()
    ours.rzp.on("order.paid", name="grant")(on)
    ours.rzp.after("order.paid", name="mail")(after)
    for number in range(1, orders + 1):
        ours.adopt(number)
    return ours, on, after


def paid(*numbers: int) -> list[str]:
    return [f"order.paid:{order_id(number)}" for number in numbers]


# --- the switch


def test_the_switch_says_who_when_and_why() -> None:
    """It is in the store, so that every process sees it, and each turn is announced once."""
    ours, *_ = shop()
    assert ours.rzp.paused is None
    held = ours.rzp.pause(actor="asha", note="bad deploy")
    assert (held.actor, held.note, held.at) == ("asha", "bad deploy", START)
    ours.clock.advance(60)
    assert ours.rzp.pause(actor="ravi") == held == ours.rzp.paused  # the first one holds: its age is the pause's
    ours.rzp.resume(actor="ravi")
    ours.rzp.resume(actor="ravi")
    assert ours.rzp.paused is None
    assert ours.told(EffectsPaused) == [EffectsPaused("asha", START)]
    assert ours.told(EffectsResumed) == [EffectsResumed("ravi", START + timedelta(seconds=60), START)]


@pytest.mark.parametrize("actor", ["", "  ", "x" * 201, None])
def test_somebody_must_have_paused(actor: Any) -> None:
    """A pause that nobody owns is a pause that nobody ends."""
    ours, *_ = shop()
    with pytest.raises(FieldInvalid):
        ours.rzp.pause(actor=actor)
    assert ours.rzp.paused is None


# --- while it is on


@pytest.mark.parametrize("ack", ["effect", "stored"])
def test_deliveries_are_stored_and_answered_200(ack: str) -> None:
    """State, audit and effect rows are there; no handler was called; a redelivery is a duplicate."""
    ours, on, after = shop(ack)
    ours.rzp.pause(actor="asha")
    assert [ours.deliver(captured(1)) for _ in range(3)] == [200, 200, 200]
    assert ours.rzp.checkout.status(order_id(1)).status == "paid"
    assert [(row.handler, row.state, row.attempts) for row in ours.store.effects()] == [
        ("grant", "waiting", 0),
        ("mail", "waiting", 0),
    ]
    (row,) = ours.store.deliveries()
    assert row.state == "done"
    assert len(ours.store.audit(order_id(1))) >= 2
    assert (on.keys, after.keys) == ([], [])


def test_a_delivery_that_waited_already_is_no_longer_sent_again() -> None:
    """Razorpay counts failures over 24 hours: its redelivery gets 200, too, and the effect waits for the resume."""
    ours, on, _ = shop()
    on.broken = set(paid(1))
    assert ours.deliver(captured(1)) == 500
    ours.rzp.pause(actor="asha")
    on.broken = set()
    assert ours.deliver(captured(1)) == 200
    assert on.keys == []
    assert ours.rzp.resume(actor="asha").ran == 1
    assert on.keys == paid(1)


def test_parked_events_are_still_brought_in() -> None:
    """Registering an order drains what was parked for it, and leaves its effects."""
    ours, on, _ = shop(orders=0)
    assert ours.deliver(captured(1)) == 200
    ours.rzp.pause(actor="asha")
    ours.adopt(1)
    assert ours.rzp.checkout.status(order_id(1)).status == "paid"
    assert on.keys == []
    ours.rzp.resume(actor="asha")
    assert on.keys == paid(1)


def test_process_pending_says_that_it_is_paused() -> None:
    """It calls nobody, and its result is not mistaken for having nothing to do."""
    ours, on, after = shop()
    ours.rzp.pause(actor="asha")
    ours.deliver(captured(1))
    ours.clock.advance(HOUR)
    work = ours.rzp.webhooks.process_pending()
    assert (work.paused, work.total) == (True, 0)
    assert (on.keys, after.keys) == ([], [])
    ours.rzp.resume(actor="asha")
    assert not ours.rzp.webhooks.process_pending().paused


def test_the_browser_is_told_to_wait_and_repairs_call_nobody() -> None:
    """checkout.confirm answers 202; reconciliation repairs state alone."""
    rz = Emulator(in_process=True)
    client = Client(rz.key_id, rz.key_secret, base_url="http://127.0.0.1:1", session=rz.session(), clock=rz.clock)
    environ = {name: value for name, value in rz.environ().items() if name != "RAZORPAY_BASE_URL"}
    rzp = Razorpay.from_env(environ, store=MemoryStore(), client=client, clock=rz.clock)
    on = Record()
    rzp.on("order.paid", name="grant")(on)
    first = rzp.checkout.start(owner="user:7", amount=Money.inr("499.00"))
    second = rzp.checkout.start(owner="user:8", amount=Money.inr("499.00"))
    rzp.pause(actor="asha")
    form = rz.checkout_form(rz.pay(first.order_id)["id"])
    confirmation = rzp.checkout.confirm(form, owner="user:7")
    assert (confirmation.outcome, confirmation.reason, confirmation.http_status) == ("pending", "paused", 202)
    rz.pay(second.order_id)
    rzp.reconciler.run(repair=True)
    assert rzp.checkout.status(second.order_id).status == "paid"
    assert on.keys == []
    assert rzp.resume(actor="asha") == Drained(ran=2)
    assert len(on.keys) == 2


def test_one_statement_and_only_where_a_handler_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event without effects does not look at the switch; one with effects looks once."""
    looks: list[int] = []
    real = SqlTransaction.switches

    def counted(tx: SqlTransaction) -> Any:
        looks.append(1)
        return real(tx)

    ours, on = Shop(MemoryStore()), Record()
    ours.rzp.on("order.paid", name="grant")(on)
    ours.adopt(1)
    monkeypatch.setattr(SqlTransaction, "switches", counted)
    ours.deliver(body("payment.authorized", payment=payment(1, "authorized")))
    assert looks == []
    ours.deliver(captured(1))
    assert (len(looks), on.keys) == (1, paid(1))


# --- resuming


@pytest.mark.parametrize("ack", ["effect", "stored"])
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_resuming_calls_everybody_once_and_in_order(ack: str, limit: int) -> None:
    """The oldest first, however small the steps; a second resume has nothing to do."""
    ours, on, after = shop(ack)
    ours.rzp.pause(actor="asha")
    for number in (2, 3, 1):
        ours.deliver(captured(number))
    assert ours.rzp.resume(actor="asha", limit=limit) == Drained(ran=6)
    assert on.keys == after.keys == paid(2, 3, 1)
    assert ours.rzp.resume(actor="asha", limit=limit) == Drained()
    assert on.keys == paid(2, 3, 1)


def test_what_came_in_the_pause_comes_before_what_comes_after_it() -> None:
    """One line for each handler and order: news after the pause does not overtake what waits."""
    ours = Shop(MemoryStore())
    calls: list[str] = []
    for milestone in ("payment.captured", "refund.processed"):
        ours.rzp.on(milestone, name="book")(lambda change, tx: calls.append(change.milestone))
    ours.adopt(1)
    ours.rzp.pause(actor="asha")
    ours.deliver(captured(1))
    with ours.store.transaction() as tx:
        tx.drop_switch("paused")  # a process that has switched it off and not drained yet
    given_back = payment(1, "refunded")
    ours.deliver(body("refund.processed", refund=refund(1, "processed"), payment=given_back))
    assert calls == ["payment.captured", "refund.processed"]


def test_a_handler_that_fails_holds_up_its_own_order_only() -> None:
    """The others are called; the failure is counted, and left for process_pending."""
    ours, on, _ = shop()
    ours.rzp.pause(actor="asha")
    for number in (1, 2, 3):
        ours.deliver(captured(number))
    on.broken = set(paid(2))
    drained = ours.rzp.resume(actor="asha", limit=1)
    assert drained == Drained(ran=6, failed=1, left=1)
    assert on.keys == paid(1, 3)
    on.broken = set()
    ours.clock.advance(HOUR)
    assert ours.rzp.webhooks.process_pending().retried == 1
    assert on.keys == paid(1, 3, 2)


def test_a_pause_in_the_middle_of_a_drain_stops_it() -> None:
    """Whoever pauses again is obeyed at the next effect."""
    ours, after = Shop(MemoryStore()), Record()

    @ours.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        row = ("paused", "2026-03-02T10:00:00.000000Z", "ravi")
        tx.execute("INSERT INTO razorpay_switches (name, at, actor) VALUES (?, ?, ?)", row)

    ours.rzp.after("order.paid", name="mail")(after)
    ours.rzp.pause(actor="asha")
    for number in (1, 2):
        ours.adopt(number)
        ours.deliver(captured(number))
    drained = ours.rzp.resume(actor="asha")
    assert (drained.ran, drained.left, drained.paused) == (1, 3, True)
    assert after.keys == []
    assert ours.rzp.paused is not None


# --- age


def test_a_pause_longer_than_20_hours_kills_no_effect() -> None:
    """Its first failure after the pause is a first failure; it is given up only once it has been tried enough."""
    ours, on, _ = shop()
    ours.rzp.pause(actor="asha")
    ours.deliver(captured(1))
    ours.clock.advance(40 * HOUR)
    on.broken = set(paid(1))
    assert ours.rzp.resume(actor="asha").failed == 1
    for _ in range(WORKER_ATTEMPTS - 2):
        ours.clock.advance(10 * HOUR)
        ours.rzp.webhooks.process_pending()
        assert ours.told(EffectDead) == []
    ours.clock.advance(10 * HOUR)
    ours.rzp.webhooks.process_pending()
    assert [(one.handler, one.attempts) for one in ours.told(EffectDead)] == [("grant", WORKER_ATTEMPTS)]


def test_an_old_effect_does_not_make_razorpay_try_for_24_hours() -> None:
    """A delivery whose effect lived through a pause: 500 while 20 hours have not passed, 200 from then on."""
    ours, on, _ = shop()
    on.broken = set(paid(1))
    assert ours.deliver(captured(1)) == 500
    ours.rzp.pause(actor="asha")
    ours.clock.advance(HOUR)
    ours.rzp.resume(actor="asha")
    assert ours.deliver(captured(1)) == 500
    ours.clock.advance(20 * HOUR)
    assert ours.deliver(captured(1)) == 200
    assert [row.state for row in ours.store.effects() if row.handler == "grant"] == ["waiting"]


@pytest.mark.parametrize(
    ("attempts", "age_h", "paused_until_h", "spent"),
    [
        (1, 20, None, True),
        (1, 19, None, False),
        (1, 20, -1, True),  # the pause was over before the effect was born
        (1, 20, 0, False),
        (7, 90, 5, False),
        (8, 90, 5, True),
        (8, 19, 5, False),  # and still no sooner than without a pause
    ],
)
def test_when_an_effect_that_razorpay_retries_is_given_up(
    attempts: int, age_h: float, paused_until_h: float | None, spent: bool
) -> None:
    """By age, unless it lived through a pause: then by age and attempts."""
    until = None if paused_until_h is None else START + timedelta(hours=paused_until_h)
    now = START + timedelta(hours=age_h)
    assert is_spent(attempts, START, now, redelivered=True, paused_until=until) is spent
    assert timedelta(hours=20) == GIVE_UP_AFTER


def test_a_pause_that_was_forgotten_raises_an_alarm_a_day() -> None:
    """From the second day on, by a delivery or by process_pending, whichever comes."""
    ours, *_ = shop()
    ours.rzp.pause(actor="asha")
    ours.clock.advance(23 * HOUR)
    ours.rzp.webhooks.process_pending()
    assert ours.told(Alarm) == []
    ours.clock.advance(2 * HOUR)
    ours.rzp.webhooks.process_pending()
    ours.rzp.webhooks.process_pending()
    ours.deliver(captured(1))
    ours.clock.advance(24 * HOUR)
    ours.deliver(body("order.paid", payment=payment(2, "captured"), order=order(2, "paid")))
    assert [(one.reason, one.detail) for one in ours.told(Alarm)] == [
        ("paused_for_long", "effects stand still for 1 days"),
        ("paused_for_long", "effects stand still for 2 days"),
    ]

"""What a handler may say by failing: never again, not before then; and the pace that it brings itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodies import START, Shop, body, order_id, payment
from razorpay_hardened import MemoryStore, NonRetryable, Retry, RetryAfter, RetryAt, SQLiteStore
from razorpay_hardened.effects import Registry
from razorpay_hardened.effects.backoff import GIVE_UP_AFTER, is_spent, next_due
from razorpay_hardened.errors import ConfigError, FieldInvalid
from razorpay_hardened.ports.store import EffectRow
from razorpay_hardened.signals import Alarm, EffectDead, EffectFailed

CAPTURED = body("payment.captured", payment=payment(1, "captured"))
HOUR = 3600.0

MakeShop = Callable[..., Shop]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeShop]:
    """Makes a shop with order 1 on the store of the parameter."""
    store = MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "shop.db")
    if isinstance(store, SQLiteStore):
        store.migrate()
    with store.transaction() as tx:
        tx.execute("CREATE TABLE touched (key TEXT)")

    def made(**options: Any) -> Shop:
        ours = Shop(store, **options)
        ours.adopt(1)
        return ours

    yield made
    store.close()


class Raising:
    """A handler that writes, then raises what it is told; with None it succeeds."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.at: list[datetime] = []
        self.attempts: list[int] = []
        self.clock: Any = None

    def __call__(self, change: Any, tx: Any = None) -> None:
        self.attempts.append(change.attempt)
        self.at.append(self.clock.now())
        if tx is not None:
            tx.execute("INSERT INTO touched VALUES ('x')")
        error = self.errors[0] if len(self.errors) == 1 else self.errors.pop(0)
        if error is not None:
            raise error


def subscribed(ours: Shop, mode: str, *errors: Exception | None, **options: Any) -> Raising:
    handler = Raising(*errors)
    handler.clock = ours.clock
    getattr(ours.rzp, mode)("order.paid", name="grant", **options)(handler)
    return handler


def effect(ours: Shop) -> EffectRow:
    (row,) = ours.store.effects()
    return row


def work_for(ours: Shop, hours: float) -> None:
    for _ in range(round(hours * 4)):
        ours.rzp.webhooks.process_pending()
        ours.clock.advance(HOUR / 4)


# --- NonRetryable -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["on", "after"])
def test_what_cannot_succeed_is_given_up_at_once(make: MakeShop, mode: str) -> None:
    """One attempt, a dead letter with its reason, an alarm, and 200: a redelivery would change nothing."""
    ours = make()
    grant = subscribed(ours, mode, NonRetryable("plan was withdrawn"))
    assert ours.deliver(CAPTURED) == 200
    assert ours.deliver(CAPTURED) == 200
    work_for(ours, 24)
    assert grant.attempts == [1]
    row = effect(ours)
    assert (row.state, row.attempts, row.error) == ("dead", 1, "NonRetryable: plan was withdrawn")
    assert [signal.error for signal in ours.told(EffectDead)] == ["NonRetryable"]
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["effect_dead"]
    with ours.store.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM touched").fetchone()[0] == 0


def test_one_that_gives_up_holds_up_nobody(make: MakeShop) -> None:
    """The same handler's next effect of the same order runs, and state is what it is."""
    ours = make()
    calls: list[str] = []

    @ours.rzp.on("*", name="log")
    def log(change: Any, tx: Any) -> None:
        calls.append(change.milestone)
        if change.milestone == "payment.authorized":
            raise NonRetryable

    assert ours.deliver(CAPTURED) == 200
    assert calls == ["payment.authorized", "payment.captured", "order.paid"]
    assert ours.rzp.checkout.status(order_id(1)).status == "paid"


def test_a_given_up_delivery_can_be_replayed(make: MakeShop) -> None:
    """Once the handler is mended."""
    ours = make()
    subscribed(ours, "on", NonRetryable("no"), None)
    ours.deliver(CAPTURED)
    (row,) = ours.store.deliveries()
    assert row.state == "dead"
    assert ours.rzp.webhooks.replay(row.digest).after == "done"
    assert effect(ours).state == "done"


# --- RetryAt, RetryAfter ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RetryAfter(2 * HOUR), RetryAt(START + timedelta(hours=2))], ids=["after", "at"])
def test_a_worker_waits_until_the_moment_that_was_asked_for(make: MakeShop, error: Exception) -> None:
    """Not at the usual pace, and it is not counted as an attempt."""
    ours = make(ack="stored")
    mail = subscribed(ours, "after", error, None)
    ours.deliver(CAPTURED)
    work_for(ours, 3)
    assert [round((at - START).total_seconds() / HOUR, 2) for at in mail.at] in ([0, 2.0], [0, 2.25])
    assert mail.attempts == [1, 1]
    assert effect(ours).state == "done"
    assert [(signal.error, signal.attempts) for signal in ours.told(EffectFailed)] == [(type(error).__name__, 1)]


def test_a_redelivery_does_not_make_it_earlier(make: MakeShop) -> None:
    """500 all the same, because the effect waits; the handler is not called before its time, nor by other news."""
    ours = make()
    grant = subscribed(ours, "on", RetryAfter(HOUR, "the tax service closes at ten"), None)
    assert ours.deliver(CAPTURED) == 500
    ours.clock.advance(HOUR / 2)
    assert ours.deliver(CAPTURED) == 500
    assert ours.deliver(body("payment.authorized", payment=payment(1, "authorized"))) == 200
    ours.rzp.webhooks.process_pending()
    assert len(grant.at) == 1
    assert effect(ours).error == "put off: RetryAfter: the tax service closes at ten"
    ours.clock.advance(HOUR / 2)
    assert ours.deliver(CAPTURED) == 200
    assert len(grant.at) == 2


@pytest.mark.parametrize("mode", ["on", "after"])
def test_putting_off_ends_after_twenty_hours(make: MakeShop, mode: str) -> None:
    """No later than that; then it is a failure like any other: given up, or tried at a worker's pace and given up."""
    ours = make(ack="effect" if mode == "on" else "stored")
    grant = subscribed(ours, mode, RetryAfter(30 * HOUR))
    ours.deliver(CAPTURED)
    ours.rzp.webhooks.process_pending()
    assert effect(ours).due_at == effect(ours).at + GIVE_UP_AFTER
    ours.clock.advance(GIVE_UP_AFTER.total_seconds() - 1)
    ours.rzp.webhooks.process_pending()
    assert len(grant.at) == 1
    work_for(ours, 45)
    assert effect(ours).state == "dead"
    assert len(grant.at) == (2 if mode == "on" else 9)


def test_a_moment_in_the_past_is_not_a_busy_loop(make: MakeShop) -> None:
    """A second later at the earliest: one round of a worker tries it once."""
    ours = make(ack="stored")
    mail = subscribed(ours, "after", RetryAt(START - timedelta(days=1)))
    ours.deliver(CAPTURED)
    ours.rzp.webhooks.process_pending(limit=50)
    assert len(mail.at) == 1
    ours.clock.advance(1)
    ours.rzp.webhooks.process_pending(limit=50)
    assert len(mail.at) == 2


def test_draining_tries_it_once(make: MakeShop) -> None:
    """However long the handler takes and however soon it wants to be called again."""
    ours = make(ack="stored")
    calls: list[str] = []

    @ours.rzp.after("order.paid", name="slow")
    def slow(change: Any) -> None:
        calls.append(change.key)
        ours.clock.advance(5)
        if len(calls) < 100:
            raise RetryAfter(1)

    ours.deliver(CAPTURED)
    ours.rzp.webhooks.drain()
    assert len(calls) == 1


def test_other_failures_still_count(make: MakeShop) -> None:
    """What was put off has used up none of the eight."""
    ours = make(ack="stored")
    mail = subscribed(ours, "after", *[RetryAfter(60)] * 9, RuntimeError("down"))
    ours.deliver(CAPTURED)
    work_for(ours, 60)
    assert mail.attempts == [1] * 10 + list(range(2, 9))
    assert effect(ours).state == "dead"


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_wait_is_a_number_above_zero(seconds: float) -> None:
    """Anything else is a mistake of the handler's, told as one."""
    with pytest.raises(FieldInvalid, match="above zero"):
        RetryAfter(seconds)


def test_a_moment_has_a_time_zone() -> None:
    """Nobody guesses which one was meant."""
    with pytest.raises(FieldInvalid, match="time zone"):
        RetryAt(datetime(2026, 3, 2))


# --- Retry ------------------------------------------------------------------------------------------------------


def test_a_handler_brings_its_own_pace(make: MakeShop) -> None:
    """Three attempts, 10 and 15 seconds apart; a neighbour keeps the usual eight."""
    ours = make(ack="stored")
    mail = subscribed(ours, "after", RuntimeError("down"), retry=Retry(attempts=3, first_s=10, cap_s=15))
    usual = Raising(RuntimeError("down"))
    usual.clock = ours.clock
    ours.rzp.after("order.paid", name="usual")(usual)
    ours.deliver(CAPTURED)
    for _ in range(60):
        ours.rzp.webhooks.process_pending()
        ours.clock.advance(1)
    assert [round((at - mail.at[0]).total_seconds()) for at in mail.at] == [0, 10, 25]
    assert [(row.handler, row.state) for row in ours.store.effects()] == [("grant", "dead"), ("usual", "waiting")]
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["effect_dead"]


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 0},
        {"attempts": 101},
        {"attempts": 2.0},
        {"attempts": True},
        {"first_s": 0},
        {"first_s": float("nan")},
        {"first_s": "60"},
        {"first_s": 100, "cap_s": 50},
        {"cap_s": 21 * HOUR},
        {"attempts": 100, "first_s": HOUR},
    ],
    ids=str,
)
def test_a_pace_that_makes_no_sense_is_refused(options: Any) -> None:
    """When it is written down, not at the first failure."""
    with pytest.raises(ConfigError, match="Retry"):
        Retry(**options)


def test_a_pace_is_a_retry() -> None:
    """Not a number."""
    with pytest.raises(ConfigError, match="retry= is a Retry"):
        Registry().after("order.paid", retry=3)  # type: ignore[arg-type]


@given(attempts=st.integers(1, 100), first_s=st.floats(1, 7200), factor=st.floats(1, 100))
def test_every_pace_that_is_accepted_ends_within_twenty_hours(attempts: int, first_s: float, factor: float) -> None:
    """And its gaps never shrink, whatever the numbers."""
    try:
        retry = Retry(attempts=attempts, first_s=first_s, cap_s=first_s * factor)
    except ConfigError:
        return
    at, gaps = START, []
    for number in range(1, attempts):
        assert not is_spent(number, START, at, redelivered=False, retry=retry)
        due = next_due(number, at, retry)
        gaps.append(due - at)
        at = due
    assert is_spent(attempts, START, at, redelivered=False, retry=retry)
    assert at - START <= GIVE_UP_AFTER
    assert gaps == sorted(gaps)

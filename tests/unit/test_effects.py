"""Effects: the registry, the relay's leases, and the pace of retries."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bodies import START, Shop, body, order, order_id, payment, payment_id
from razorpay_hardened import MemoryStore, SQLiteStore
from razorpay_hardened.domain.kinds import ENTITY_MILESTONES
from razorpay_hardened.domain.lifecycle import MILESTONES
from razorpay_hardened.effects import Registry, Relay
from razorpay_hardened.effects.backoff import GIVE_UP_AFTER, WORKER_ATTEMPTS, is_spent, next_due
from razorpay_hardened.effects.registry import matching
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.signals import EffectFailed

CAPTURED = body("payment.captured", payment=payment(1, "captured"))


def shop(**options: Any) -> Shop:
    made = Shop(MemoryStore(), **options)
    made.adopt(1)
    return made


def relay_of(ours: Shop, **options: Any) -> Relay:
    return Relay(ours.store, ours.rzp.handlers, clock=ours.clock, bus=ours.rzp.signals, **options)


# --- the registry -----------------------------------------------------------------------------------------------


def test_a_handler_is_named_after_its_function_unless_told() -> None:
    """The name is stored with the effect: give your own, and renaming the function changes nothing."""
    registry = Registry()

    @registry.on("order.paid")
    def grant(change: Any, tx: Any) -> None: ...

    registry.after("order.paid", name="mail")(grant)
    names = [handler.name for handler in registry.wanting("order.paid")]
    assert names == [f"{__name__}.{grant.__qualname__}", "mail"]
    assert registry.names("after") == ["mail"]
    assert registry.names() == sorted(names)


@pytest.mark.parametrize("name", ["x" * 201, "razorpay_hardened.fetch"])
def test_a_name_that_cannot_be_kept_or_is_taken_by_us(name: str) -> None:
    """Too long for the effect's row, or one of this package's own: refused, and nothing is registered."""
    registry = Registry()
    with pytest.raises(ConfigError, match="name"):
        registry.on("order.paid", name=name)(lambda change, tx: None)
    assert registry.names() == []
    registry.on("order.paid", name="x" * 200)(lambda change, tx: None)


def test_a_callable_object_is_named_after_its_class() -> None:
    """Anything that can be called can be a handler."""

    class Grant:
        def __call__(self, change: Any, tx: Any) -> None: ...

    registry = Registry()
    registry.on("order.paid")(Grant())
    assert registry.names() == [f"{__name__}.Grant"]


def test_mistakes_in_registration_are_told_at_once() -> None:
    """An unknown milestone (with the list of them), a name taken, a name too long, a coroutine inside."""
    registry = Registry()

    async def grant(change: Any, tx: Any) -> None: ...

    def plain(change: Any, tx: Any) -> None: ...

    with pytest.raises(ConfigError, match=r"order\.paid"):
        registry.on("order.payed")
    with pytest.raises(ConfigError, match=r"use after\(\)"):
        registry.on("order.paid")(grant)
    with pytest.raises(ConfigError, match="200 characters"):
        registry.on("order.paid", name="x" * 201)(plain)
    registry.on("order.paid", name="grant")(plain)
    registry.on("payment.captured", name="grant")(plain)
    with pytest.raises(ConfigError, match="already has a handler named 'grant'"):
        registry.after("order.paid", name="grant")(plain)


def test_a_pattern_is_a_handler_of_every_milestone_that_it_matches() -> None:
    """In the order of first attempts; what has the literal name needs no pattern."""
    registry = Registry()
    registry.after("payment.*", name="ledger")(lambda change: None)
    registry.on("refund.[pf]*", name="refunds")(lambda change, tx: None)
    registry.on("*", name="all")(lambda change, tx: None)
    registry.on("order.paid", name="one")(lambda change, tx: None)
    assert [one.name for one in registry.wanting("payment.surplus")] == ["ledger", "all"]
    assert [one.name for one in registry.wanting("refund.created")] == ["all"]
    assert [one.name for one in registry.wanting("refund.failed")] == ["refunds", "all"]
    assert [one.name for one in registry.wanting("order.paid")] == ["all", "one"]
    assert all(registry.find(name, "all") for name in (*MILESTONES, *ENTITY_MILESTONES))


def test_a_pattern_reaches_other_kinds_and_razorpays_own_names() -> None:
    """``*`` means every kind of entity; where Razorpay's name differs from ours, a pattern of its names will do."""
    assert set(ENTITY_MILESTONES) < set(matching("*"))
    assert matching("subscription.ch*") == ("subscription.charged",)
    assert matching("payment.dispute.*") == tuple(dict.fromkeys(matching("dispute.*")))
    assert not any(one.startswith("dispute.") for one in matching("payment.*"))


@pytest.mark.parametrize("pattern", ["payments.*", "Payment.*", "payment.x?", "[", ""])
def test_a_pattern_that_matches_nothing_is_refused(pattern: str) -> None:
    """With the list of what there is: a handler that is never called is found at start."""
    with pytest.raises(ConfigError, match=r"there are: .*order\.paid"):
        Registry().after(pattern)


def test_a_pattern_that_meets_a_name_taken_registers_nothing() -> None:
    """All of its milestones, or none."""
    registry = Registry()
    registry.on("payment.captured", name="grant")(lambda change, tx: None)
    with pytest.raises(ConfigError, match=r"payment\.captured already has a handler named 'grant'"):
        registry.on("payment.*", name="grant")(lambda change, tx: None)
    assert registry.wanting("payment.failed") == ()


@pytest.mark.parametrize("make", [MemoryStore, SQLiteStore], ids=["memory", "sqlite"])
def test_a_pattern_is_one_effect_for_each_milestone(make: Any, tmp_path: Path) -> None:
    """Each called once, in order; the same news again calls nobody."""
    store = MemoryStore() if make is MemoryStore else SQLiteStore(tmp_path / "shop.db")
    if make is SQLiteStore:
        store.migrate()
    ours = Shop(store)
    ours.adopt(1)
    calls: list[str] = []
    ours.rzp.on("*", name="log")(lambda change, tx: calls.append(f"on {change.milestone}"))
    ours.rzp.after("payment.*", name="mail")(lambda change: calls.append(f"after {change.milestone}"))
    for _ in range(2):
        assert ours.deliver(CAPTURED) == 200
        assert ours.deliver(body("order.paid", payment=payment(1, "captured"), order=order(1, "paid"))) == 200
    told = ["payment.authorized", "payment.captured", "order.paid"]
    assert [call for call in calls if call.startswith("on ")] == [f"on {name}" for name in told]
    assert [call for call in calls if call.startswith("after ")] == [f"after {name}" for name in told[:2]]
    rows = {(row.handler, row.milestone): row.state for row in store.effects()}
    assert rows == {("log", name): "done" for name in told} | {("mail", name): "done" for name in told[:2]}
    assert len(store.effects()) == len(rows)
    store.close()


def test_an_object_whose_call_is_async_is_refused_inside() -> None:
    """Nobody would await it, and its effect would be done without having been done."""

    class Grant:
        async def __call__(self, change: Any, tx: Any) -> None: ...

    with pytest.raises(ConfigError, match=r"use after\(\)"):
        Registry().on("order.paid")(Grant())


# --- the pace ---------------------------------------------------------------------------------------------------


def test_a_workers_attempts_are_spread_over_twenty_hours() -> None:
    """Eight of them, each gap longer than the last (FAULTS rule 4)."""
    at, gaps = START, []
    for attempt in range(1, WORKER_ATTEMPTS):
        due = next_due(attempt, at)
        gaps.append(due - at)
        at = due
    assert at - START == GIVE_UP_AFTER
    assert gaps == sorted(gaps)
    assert next_due(99, START) == START + gaps[-1]


def test_deliveries_go_by_age_and_workers_by_attempts() -> None:
    """A worker that stood still for a day has not used its attempts up; Razorpay's patience is not ours to extend."""
    old = START + timedelta(days=2)
    assert is_spent(1, START, old, redelivered=True)
    assert not is_spent(99, START, START, redelivered=True)
    assert not is_spent(1, START, old, redelivered=False)
    assert is_spent(8, START, START, redelivered=False)


# --- the relay --------------------------------------------------------------------------------------------------


def test_a_lease_keeps_others_out_until_it_ends() -> None:
    """K8: a worker that died holding the lease is followed by another one, with the same key."""
    ours = shop(ack="stored")
    keys: list[str] = []

    @ours.rzp.after("order.paid", name="mail")
    def mail(change: Any) -> None:
        keys.append(change.key)
        if len(keys) == 1:
            raise SystemExit

    ours.deliver(CAPTURED)
    first = relay_of(ours, lease=timedelta(seconds=60))
    with pytest.raises(SystemExit):
        first.run(limit=10)
    second = relay_of(ours)
    assert second.run(limit=10) == []
    ours.clock.advance(61)
    assert [attempt.state for attempt in second.run(limit=10)] == ["done"]
    assert keys == [f"order.paid:{order_id(1)}"] * 2


def test_a_lease_that_was_lost_is_noticed_by_its_token() -> None:
    """T2: a paused worker's result does not overwrite that of the one that took over."""
    ours = shop(ack="stored")
    other = relay_of(ours)
    calls: list[int] = []

    @ours.rzp.after("order.paid", name="mail")
    def mail(change: Any) -> None:
        calls.append(change.attempt)
        if len(calls) == 1:
            ours.clock.advance(3600)
            assert [attempt.state for attempt in other.run(limit=1)] == ["done"]

    ours.deliver(CAPTURED)
    assert [attempt.state for attempt in relay_of(ours).run(limit=1)] == ["waiting"]
    assert [row.state for row in ours.store.effects()] == ["done"]


def test_the_budget_ends_the_round() -> None:
    """No effect is begun once the time is used up; the rest waits."""
    ours = shop(ack="stored")
    ours.adopt(2)

    @ours.rzp.after("payment.captured", name="slow")
    def slow(change: Any) -> None:
        ours.clock.advance(3)

    ours.deliver(CAPTURED)
    ours.deliver(body("payment.captured", payment=payment(2, "captured")))
    relay = relay_of(ours)
    assert len(relay.run(limit=10, budget_s=2)) == 1
    assert len(relay.run(limit=10, anchor=order_id(1))) == 0
    assert len(relay.run(limit=10, anchor=order_id(2))) == 1


def test_an_effect_whose_row_is_gone_holds_up_nobody() -> None:
    """Somebody deleted by hand: that effect waits and says why, the other order's mail goes out."""
    ours = shop(ack="stored")
    ours.adopt(2)
    sent: list[str] = []
    ours.rzp.after("payment.captured", name="mail")(lambda change: sent.append(change.key))
    for number in (1, 2):
        ours.deliver(body("payment.captured", payment=payment(number, "captured")))
    with ours.store.transaction() as tx:
        tx.execute("DELETE FROM razorpay_payments WHERE payment_id = ?", (payment_id(1),))
    relay_of(ours).run(limit=10)
    assert sent == [f"payment.captured:{payment_id(2)}"]
    (row,) = ours.store.effects(states=("waiting",))
    assert (row.error or "").startswith("OrderUnknown")


def test_without_after_handlers_nothing_is_leased() -> None:
    """No transaction for nothing."""
    ours = shop()
    assert relay_of(ours).run(limit=10) == []


def test_a_handler_of_the_same_name_for_another_milestone_is_not_called() -> None:
    """A process that is older or newer than the row: the attempt fails, and is told."""
    store = MemoryStore()
    new, old = Shop(store, ack="stored"), Shop(store, ack="stored")
    new.adopt(1)
    new.rzp.after("order.paid", name="mail")(lambda change: None)
    old.rzp.after("payment.captured", name="mail")(lambda change: pytest.fail("called"))
    new.deliver(CAPTURED)
    old.clock.advance(5)
    work = old.rzp.webhooks.process_pending()
    assert (work.ran, work.failed) == (1, 1)
    assert [signal.error for signal in old.told(EffectFailed)] == ["LookupError"]

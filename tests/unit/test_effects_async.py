"""Async ``after`` handlers: a loop for each run of the relay, the lease as their limit, cancelling is failing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bodies import Shop, body, order_id, payment
from razorpay_hardened import MemoryStore, NonRetryable, SQLiteStore
from razorpay_hardened.effects import Relay
from razorpay_hardened.signals import EffectFailed

CAPTURED = body("payment.captured", payment=payment(1, "captured"))
CURRENT: ContextVar[str] = ContextVar("CURRENT", default="nobody")


@pytest.fixture(params=["memory", "sqlite"])
def ours(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose effects wait for a relay, with order 1."""
    store = MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "shop.db")
    if isinstance(store, SQLiteStore):
        store.migrate()
    made = Shop(store, ack="stored")
    made.adopt(1)
    yield made
    store.close()


def relay_of(ours: Shop, **options: Any) -> Relay:
    return Relay(ours.store, ours.rzp.handlers, clock=ours.clock, bus=ours.rzp.signals, **options)


def states(ours: Shop) -> dict[str, tuple[str, str | None]]:
    return {row.handler: (row.state, row.error) for row in ours.store.effects()}


def test_handlers_of_one_run_share_a_loop_that_ends_with_it(ours: Shop) -> None:
    """Another run, another loop; what a handler leaves running is cancelled at the end, and the loop is closed."""
    loops: list[Any] = []
    left: list[asyncio.Task[Any]] = []

    async def note(change: Any) -> None:
        loops.append(asyncio.get_running_loop())
        left.append(asyncio.create_task(asyncio.Event().wait()))

    ours.rzp.after("payment.*", name="first")(note)
    ours.rzp.after("order.paid", name="second")(note)
    ours.deliver(CAPTURED)
    assert [attempt.state for attempt in relay_of(ours).run(limit=2)] == ["done", "done"]
    relay_of(ours).run(limit=10)
    assert len(loops) == 3
    assert loops[0] is loops[1] is not loops[2]
    assert all(loop.is_closed() for loop in loops)
    assert all(task.cancelled() for task in left)


def test_handlers_of_one_run_do_not_see_each_others_context(ours: Shop) -> None:
    """A context variable that one sets is unset for the next, as in two processes."""
    seen: list[str] = []

    async def note(change: Any) -> None:
        seen.append(CURRENT.get())
        CURRENT.set(change.key)

    ours.rzp.after("*", name="note")(note)
    ours.deliver(CAPTURED)
    relay_of(ours).run(limit=10)
    assert seen == ["nobody"] * 3


def test_a_handler_is_cancelled_when_its_lease_ends(ours: Shop) -> None:
    """A failed attempt that says why; the handler may clean up, and the next one runs."""
    cleaned: list[str] = []

    @ours.rzp.after("payment.captured", name="stuck")
    async def stuck(change: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(change.key)

    @ours.rzp.after("order.paid", name="quick")
    async def quick(change: Any) -> None: ...

    ours.deliver(CAPTURED)
    assert len(relay_of(ours, lease=timedelta(seconds=0.5)).run(limit=10)) == 2
    assert len(cleaned) == 1
    told = "TimeoutError: the handler took longer than its lease of 0.5 s"
    assert states(ours) == {"stuck": ("waiting", told), "quick": ("done", None)}
    assert [signal.error for signal in ours.told(EffectFailed)] == ["TimeoutError"]


def test_the_handlers_own_timeout_is_told_as_its_own(ours: Shop) -> None:
    """It is not the lease that ended."""

    @ours.rzp.after("order.paid", name="mail")
    async def mail(change: Any) -> None:
        raise TimeoutError("smtp")

    ours.deliver(CAPTURED)
    relay_of(ours).run(limit=10)
    assert states(ours) == {"mail": ("waiting", "TimeoutError: smtp")}


@pytest.mark.parametrize("by", ["itself", "raising"])
def test_cancelling_is_a_failure_and_does_not_stop_the_worker(ours: Shop, by: str) -> None:
    """CancelledError is no Exception: it must not go up through the worker's loop."""

    @ours.rzp.after("payment.captured", name="cancelled")
    async def cancelled(change: Any) -> None:
        if by == "raising":
            raise asyncio.CancelledError
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.Event().wait()

    ours.rzp.after("order.paid", name="plain")(lambda change: None)
    ours.deliver(CAPTURED)
    assert len(relay_of(ours).run(limit=10)) == 2
    assert states(ours) == {
        "cancelled": ("waiting", "HandlerCancelled: the handler was cancelled"),
        "plain": ("done", None),
    }


def test_async_handlers_steer_too(ours: Shop) -> None:
    """What it raises reaches the judge as it is."""

    @ours.rzp.after("order.paid", name="mail")
    async def mail(change: Any) -> None:
        raise NonRetryable("no address")

    ours.deliver(CAPTURED)
    relay_of(ours).run(limit=10)
    assert states(ours) == {"mail": ("dead", "NonRetryable: no address")}


def test_inside_a_running_loop_it_fails_and_says_what_to_do(ours: Shop) -> None:
    """No coroutine is left unawaited, and handlers that are not async run."""

    @ours.rzp.after("payment.captured", name="mail")
    async def mail(change: Any) -> None: ...

    ours.rzp.after("order.paid", name="plain")(lambda change: None)
    ours.deliver(CAPTURED)

    async def application() -> None:
        relay_of(ours).run(limit=10)

    asyncio.run(application())
    state, error = states(ours)["mail"]
    assert (state, states(ours)["plain"][0]) == ("waiting", "done")
    assert "asyncio.to_thread()" in (error or "")


def test_an_exit_inside_a_coroutine_goes_up(ours: Shop) -> None:
    """The lease ends by itself and another worker follows, as after any death; the loop is closed."""
    loops: list[Any] = []

    @ours.rzp.after("order.paid", name="mail")
    async def mail(change: Any) -> None:
        loops.append(asyncio.get_running_loop())
        raise SystemExit

    ours.deliver(CAPTURED)
    with pytest.raises(SystemExit):
        relay_of(ours).run(limit=10)
    assert loops[0].is_closed()
    assert states(ours)["mail"][0] == "leased"


def test_inside_the_transaction_a_coroutine_is_a_failure(ours: Shop) -> None:
    """A plain function that returns one cannot be refused at registration; it is not done for all that."""

    async def grant(change: Any) -> None: ...

    ours.rzp.on("order.paid", name="grant")(lambda change, tx: grant(change))
    ours.deliver(CAPTURED)
    ours.rzp.webhooks.process_pending()
    assert states(ours)["grant"] == (
        "waiting",
        "TypeError: a handler inside the transaction cannot be async; use after()",
    )
    assert ours.rzp.checkout.status(order_id(1)).status == "paid"

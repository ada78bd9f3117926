"""Webhooks in company: others who were quicker, forks, closings, senders who do not wait, doubts and their ends."""

from __future__ import annotations

import asyncio
import copy
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bodies import Shop, body, life_of, order_id, payment, payment_id, request, settings
from razorpay_hardened import MemoryStore, NonRetryable, Razorpay, Secret, web
from razorpay_hardened.errors import ConfigError, ExtraMissing, StorageUnavailable
from razorpay_hardened.ports.store import EffectRow
from razorpay_hardened.signals import Alarm, EventDuplicate, EventRejected
from razorpay_hardened.web import Reply
from razorpay_hardened.webhooks import Webhooks
from razorpay_hardened.webhooks._twins import InWork
from razorpay_hardened.webhooks.writer import Ticket, Writer

CAPTURED = body("payment.captured", payment=payment(1, "captured"))
HOUR = 3600.0


def shop(store: Any = None, **options: Any) -> Shop:
    ours = Shop(MemoryStore() if store is None else store, **options)
    ours.store.migrate()
    for number in (1, 2, 3):
        ours.adopt(number)
    return ours


# --- others who were quicker


class Unseeing(MemoryStore):
    """A store whose look at the inbox before the transaction comes too early: another process claims in between."""

    def inbox_state(self, digest: str) -> None:
        return None


@pytest.mark.parametrize("raw", [CAPTURED, b"{"], ids=["a payment", "not JSON"])
def test_a_delivery_that_another_process_claimed_meanwhile_is_a_duplicate(raw: bytes) -> None:
    """The claim decides, and not the look before it: 200, one row, no second effect."""
    ours, calls = shop(Unseeing()), []
    ours.rzp.on("order.paid", name="grant")(lambda change, tx: calls.append(change.key))
    assert [ours.deliver(raw), ours.deliver(raw)] == [200, 200]
    assert len(ours.told(EventDuplicate)) == 1
    assert len(ours.store.deliveries()) == 1
    assert len(calls) == (raw == CAPTURED)


class Late(MemoryStore):
    """A store that lets something happen after the next look at effects."""

    meanwhile: Callable[[], object] | None = None

    def effects(self, **chosen: Any) -> list[EffectRow]:
        found = super().effects(**chosen)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return found


def test_two_who_replay_one_effect_at_once_make_one_call_of_it() -> None:
    """Who comes second finds it changed since it was read, and leaves it alone."""
    store = Late()
    ours, calls, mended = shop(store), [], []

    @ours.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        calls.append(change.key)
        if not mended:
            raise NonRetryable("no")

    ours.deliver(CAPTURED)
    (dead,) = ours.store.effects()
    mended.append(True)
    store.meanwhile = lambda: ours.rzp.webhooks.replay_effect(dead.id)
    assert ours.rzp.webhooks.replay_effect(dead.id).state == "done"
    assert len(calls) == 2


def test_a_delivery_is_done_when_the_last_of_its_effects_is() -> None:
    """Of two that were given up, replaying one leaves the delivery dead, and the other one ends it."""
    ours, mended = shop(), []

    def fails(change: Any, tx: Any) -> None:
        if not mended:
            raise NonRetryable("no")

    for name in ("grant", "mail"):
        ours.rzp.on("order.paid", name=name)(fails)
    ours.deliver(CAPTURED)
    first, second = ours.store.effects()
    mended.append(True)
    states = []
    for row in (first, second):
        ours.rzp.webhooks.replay_effect(row.id)
        states += [one.state for one in ours.store.deliveries()]
    assert states == ["dead", "done"]


def test_a_drain_tries_an_order_once_however_small_its_steps() -> None:
    """Two handlers of one order fail; reading one row at a time, each of them is called once, and so is the next."""
    ours, calls = shop(), []

    def fails(name: str) -> Callable[[Any, Any], None]:
        def call(change: Any, tx: Any) -> None:
            calls.append((name, change.order.razorpay_order_id))
            if change.order.razorpay_order_id == order_id(1):
                raise RuntimeError("not yet")

        return call

    for name in ("grant", "mail"):
        ours.rzp.on("order.paid", name=name)(fails(name))
    ours.rzp.pause(actor="asha")
    for number in (1, 2):
        ours.deliver(body("payment.captured", payment=payment(number, "captured")))
    drained = ours.rzp.resume(actor="asha", limit=1)
    assert sorted(calls) == sorted((name, order_id(number)) for name in ("grant", "mail") for number in (1, 2))
    assert (drained.ran, drained.failed, drained.left) == (4, 2, 2)


def test_two_that_are_parked_for_one_order_are_looked_at_together() -> None:
    """What is found out about the order holds for both, whatever there is room for."""
    ours = Shop(MemoryStore())
    for name in ("authorized", "captured"):
        ours.deliver(life_of(9)[name])
    ours.clock.advance(73 * HOUR)
    worker = Webhooks(
        ours.store, ours.rzp._ledger, ours.rzp._relay, ours.rzp._verifier, clock=ours.clock, bus=ours.rzp.signals
    )  # without a way to ask Razorpay: nothing is asked, and its age decides
    seen = []
    for _ in range(2):
        seen.append(worker.process_pending(limit=1).ignored)
        seen.append(sorted(row.state for row in ours.store.deliveries()))  # type: ignore[arg-type]
    assert seen == [2, ["ignored", "ignored"], 0, ["ignored", "ignored"]]


# --- what is not a delivery's fault


def test_a_batch_holds_requests_that_are_refused_at_their_head() -> None:
    """Each has its own answer, in its own place."""
    ours = shop()
    asked = web.Request("GET", {}, b"")
    replies = ours.rzp.webhooks.handle_many([asked, request(CAPTURED), asked])
    assert [reply.status for reply in replies] == [405, 200, 405]


def test_a_keyboard_interrupt_amid_a_batch_stops_the_process() -> None:
    """Ctrl-C is for the process, not for the next transaction: nothing is stored, and nobody is called again."""
    ours, calls = shop(), []

    @ours.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        calls.append(change.key)
        raise KeyboardInterrupt

    requests = [request(body("payment.captured", payment=payment(number, "captured"))) for number in (1, 2)]
    with pytest.raises(KeyboardInterrupt):
        ours.rzp.webhooks.handle_many(requests)
    assert ours.store.deliveries() == []
    assert len(calls) == 1


def test_a_delivery_inside_somebody_elses_transaction_is_refused() -> None:
    """500 and an alarm: 200 would leave before a commit that is not ours."""
    ours = shop()
    with ours.store.transaction():
        assert ours.rzp.webhooks.handle(request(b"{}")).status == 500
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["TransactionMisuse"]
    assert ours.store.deliveries() == []


class Misconfigured(MemoryStore):
    """A store that cannot work as it is set up."""

    broken = False

    def transaction(self, **chosen: Any) -> Any:
        if self.broken:
            raise ConfigError("SQLite 3.37 or newer is needed")
        return super().transaction(**chosen)


def test_a_store_that_is_set_up_wrongly_is_no_weather() -> None:
    """It will not pass by being asked again: the error goes up to who can read it, and no 503 hides it."""
    store = Misconfigured()
    ours = shop(store)
    store.broken = True
    with pytest.raises(ConfigError, match=r"3\.37"):
        ours.deliver(CAPTURED)


def test_an_after_handler_of_what_belongs_to_no_order() -> None:
    """It asked for the unbound: it gets the payment, and no order."""
    ours, seen = shop(), []
    ours.rzp.after("payment.captured", name="book", unbound=True)(
        lambda change: seen.append((change.entity.payment_id, change.order))
    )
    assert ours.deliver(body("payment.captured", payment=payment(5, "captured") | {"order_id": None})) == 200
    assert seen == [(payment_id(5), None)]


# --- forks


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """``forked()``: from now on this is the child. What threads did does not come along."""
    parent = os.getpid()
    return lambda: monkeypatch.setattr(os, "getpid", lambda: parent + 1)


def test_a_child_does_not_wait_for_its_parents_deliveries(forked: Callable[[], None]) -> None:
    """The thread that had the delivery in work is not in the child: it is free there."""
    work, entered = InWork(), []
    with work.alone("d"):
        forked()
        with work.alone("d", wait_s=0):
            entered.append("child")
        with work.those_free(["d"]) as free:
            entered.extend(free)
    assert entered == ["child", "d"]


def test_a_child_has_a_writer_of_its_own(forked: Callable[[], None]) -> None:
    """What the parent had queued is the parent's; what comes in the child is processed there."""
    verified = shop().rzp.webhooks.verify(request(CAPTURED))
    inside, go_on = threading.Event(), threading.Event()
    told: list[Any] = []
    batches: list[int] = []

    def deliver(batch: Any) -> list[Reply]:
        batches.append(len(batch))
        if len(batches) == 1:
            inside.set()
            assert go_on.wait(20)
        return [Reply(200)] * len(batch)

    writer = Writer(deliver)
    for _ in range(2):
        writer.submit(Ticket(verified, None, told.extend))  # type: ignore[arg-type]
        assert inside.wait(20)
    childs = copy.copy(writer)  # as a fork leaves it: one in work and one queued, and the thread is not here
    forked()
    mine: list[Any] = []
    childs.submit(Ticket(verified, None, mine.extend))  # type: ignore[arg-type]
    childs.close(20)
    assert [end.status for _, end in mine] == [200]
    assert told == []
    go_on.set()
    writer.close(20)
    assert len(told) == 2


# --- closing, and senders who do not wait


def test_closing_while_a_handler_hangs_does_not_wait_for_ever() -> None:
    """It comes back when its time is over, takes nothing new, and can be closed again once the handler has ended."""
    verified = shop().rzp.webhooks.verify(request(CAPTURED))
    inside, go_on = threading.Event(), threading.Event()
    told: list[Any] = []

    def deliver(batch: Any) -> list[Reply]:
        inside.set()
        assert go_on.wait(20)
        return [Reply(200)] * len(batch)

    writer = Writer(deliver)
    ticket = Ticket(verified, None, told.extend)  # type: ignore[arg-type]
    writer.submit(ticket)
    assert inside.wait(20)
    writer.close(0)
    with pytest.raises(StorageUnavailable):
        writer.submit(ticket)
    go_on.set()
    writer.close(20)
    assert len(told) == 1
    writer.submit(ticket)
    writer.close(20)
    assert [end.status for _, end in told] == [200, 200]


@pytest.fixture
def asgi() -> Iterator[Callable[[Shop], Any]]:
    apps: list[Any] = []

    def make(ours: Shop) -> Any:
        apps.append(ours.rzp.webhooks.asgi())
        return apps[-1]

    yield make
    for app in apps:
        app.close(20)


async def call(app: Any, raw: bytes = CAPTURED) -> list[Any]:
    """One request; gives the messages of its answer."""
    headers = [(name.lower().encode(), value.encode()) for name, value in request(raw).headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": raw}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope | {"client": ("203.0.113.9", 4711)}, receive, send)
    return sent


def test_a_sender_who_leaves_amid_the_work_changes_nothing(asgi: Callable[[Shop], Any]) -> None:
    """The delivery that is in work ends as it would have, and the next one is answered."""
    ours = shop()
    running, go_on = threading.Event(), threading.Event()

    @ours.rzp.on("order.paid", name="slow")
    def slow(change: Any, tx: Any) -> None:
        running.set()
        assert go_on.wait(20)

    async def leave() -> Any:
        app = asgi(ours)
        first = asyncio.create_task(call(app))
        assert await asyncio.to_thread(running.wait, 20)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        go_on.set()
        return await call(app, life_of(2)["captured"])

    assert asyncio.run(leave())[0]["status"] == 200
    assert {row.state for row in ours.store.effects()} == {"done"}
    assert len(ours.store.deliveries()) == 2


# --- rates that are kept elsewhere


def limited(url: str) -> Shop:
    return shop(options={"rate_limit": "1/hour", "rate_limit_url": Secret(url, name="rate_limit_url")})


def test_a_rate_that_is_kept_elsewhere_does_not_hold_up_the_event_loop(asgi: Callable[[Shop], Any]) -> None:
    """Redis is asked in a thread; where it is down nobody is limited, and a person hears of it."""
    pytest.importorskip("limits")
    pytest.importorskip("redis")
    ours = limited("redis://127.0.0.1:1/0")
    asked: list[str] = []
    ours.rzp.signals.subscribe(lambda alarm: asked.append(threading.current_thread().name), Alarm)
    assert asyncio.run(call(asgi(ours)))[0]["status"] == 200
    assert asked
    assert threading.main_thread().name not in asked
    assert ours.told(EventRejected) == []


def test_a_rate_that_is_kept_in_redis_without_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told at the start, with the pip command, and without the URL's password."""
    pytest.importorskip("limits")
    import sys

    for name in [name for name in sys.modules if name.partition(".")[0] == "redis"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ExtraMissing, match="redis") as caught:
        limited("redis://:hush-hush-hush@127.0.0.1:1/0")
    assert "hush" not in str(caught.value)


def test_a_rate_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings let no such URL through; what ``limits`` still refuses is told without the URL, which may hold a
    password."""
    pytest.importorskip("limits")
    given = settings(rate_limit="1/hour", rate_limit_url=Secret("redis+unix://:hush-hush@nowhere", name="url"))
    monkeypatch.setattr("razorpay_hardened.webhooks._limits.storage_from_string", _refuses)
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        Razorpay(given, store=MemoryStore())
    assert "hush" not in str(caught.value)
    assert caught.value.__suppress_context__


def _refuses(url: str, **_: Any) -> Any:
    raise ValueError(f"cannot read {url}")

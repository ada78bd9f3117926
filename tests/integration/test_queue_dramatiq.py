"""Handlers called by real Dramatiq: its worker on the in-memory broker, and a process that is killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker

from razorpay_hardened.errors import ExtraMissing
from razorpay_hardened.queues.dramatiq import DramatiqWork, attach
from support.queued import DOWN, PATIENCE_S, QUEUE, Queued, keys, killed_in_mid_effect, valkey


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Queued]:
    made = Queued.begun(tmp_path)
    yield made
    made.close()


@pytest.fixture
def broker() -> Iterator[StubBroker]:
    made = StubBroker()
    made.emit_after("process_boot")
    yield made
    made.flush_all()
    made.close()


@pytest.fixture
def work(broker: StubBroker, shop: Queued) -> Iterator[DramatiqWork]:
    made = attach(broker, shop.rzp)
    yield made
    made.close()


def working(broker: Any) -> dramatiq.Worker:
    return dramatiq.Worker(broker, worker_timeout=10, worker_threads=1)


def test_news_is_worked_on_by_a_worker(shop: Queued, broker: StubBroker, work: DramatiqWork) -> None:
    """The webhook stores and answers; the worker calls both handlers of each order, once."""
    shop.wanted = 3
    worker = working(broker)
    worker.start()
    try:
        for number in (1, 2, 3):
            shop.sold(number)
        assert shop.mailed.wait(PATIENCE_S)
    finally:
        worker.stop()
    assert shop.granted == keys(1, 2, 3)
    assert sorted(shop.mails) == keys(1, 2, 3)


def test_a_message_carries_nothing_about_anybody(shop: Queued, broker: StubBroker, work: DramatiqWork) -> None:
    """No argument but what to do: rows are in the store, and there alone. It is not retried, and expires."""
    work.close()
    shop.sold(1)
    assert work._wake.now()
    work.actor.send(housekeeping=True)
    first, second = (broker.queues["default"].get_nowait() for _ in range(2))
    assert not [word for word in (b"asha", b"order_", b"pay_0", b"whsec", b"rzp_test") if word in first]
    assert dramatiq.Message.decode(first).kwargs == {}
    assert dramatiq.Message.decode(second).kwargs == {"housekeeping": True}
    assert work.actor.options["max_retries"] == 0
    assert work.actor.options["max_age"] == 60_000
    for _ in range(2):
        broker.queues["default"].task_done()


def test_a_message_that_keeps_house(shop: Queued, broker: StubBroker, work: DramatiqWork) -> None:
    """What a scheduler sends: chores are done, too, and what was never sent is found."""
    work.close()
    kept: list[str] = []
    shop.rzp.every(60, name="look")(lambda: kept.append("looked"))
    shop.sold(1)
    work.actor.send(housekeeping=True)
    worker = working(broker)
    worker.start()
    try:
        broker.join("default", timeout=PATIENCE_S * 1000)
        worker.join()
    finally:
        worker.stop()
    assert (kept, shop.mails) == (["looked"], keys(1))


def test_a_broker_without_middleware_will_do(shop: Queued) -> None:
    """Options of a middleware that it does not have are not asked for; it would refuse the actor."""
    broker = StubBroker(middleware=[])
    made = attach(broker, shop.rzp, name="shop.work", queue="other")
    assert (made.actor.actor_name, made.actor.queue_name, made.actor.options) == ("shop.work", "other", {})
    made.close()


def test_a_broker_that_is_down_costs_nothing_but_time(shop: Queued) -> None:
    """The webhook has its 200, an alarm says why nothing comes, and the next round finds everything."""
    made = attach(RedisBroker(url=DOWN), shop.rzp)
    made.close()
    shop.sold(1)
    assert made._wake.now() is False
    assert shop.alarms[0].key.startswith("queue:dramatiq:")
    assert shop.rzp.work().pending.ran == 1
    assert (shop.granted, shop.mails) == (keys(1), keys(1))


def test_without_dramatiq_it_says_what_to_install(shop: Queued, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is imported before it is asked for."""
    code = (
        "import sys; import razorpay_hardened.queues.celery, razorpay_hardened.queues.dramatiq\n"
        "import razorpay_hardened.queues.rq\n"
        "print(sorted({'celery', 'dramatiq', 'rq', 'redis', 'kombu'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    monkeypatch.setitem(sys.modules, "dramatiq", None)
    with pytest.raises(ExtraMissing, match=r"razorpay-hardened\[dramatiq\]"):
        attach(StubBroker(), shop.rzp)


@pytest.mark.slow
def test_a_worker_that_is_killed_in_mid_effect_is_taken_over_from(tmp_path: Path, shop: Queued) -> None:
    """SIGKILL amid a mail: when its lease has ended, another worker sends it with the same key. Access: once."""
    with valkey() as url:
        sender = RedisBroker(url=url)
        work = attach(sender, shop.rzp, queue=QUEUE)
        with killed_in_mid_effect(tmp_path, url, "dramatiq", "support.queued:dramatiq_broker", "-p", "1", "-t", "1"):
            shop.sold(1)
        work.close()
        sender.close()
        assert (shop.granted, shop.mails) == (keys(1), keys(1))

        later = Queued(tmp_path, ahead_s=61)
        later.wanted = 2
        broker = RedisBroker(url=url)
        broker.emit_after("process_boot")
        work = attach(broker, later.rzp, queue=QUEUE)
        worker = working(broker)
        worker.start()
        try:
            work.wake()
            assert later.mailed.wait(PATIENCE_S)
        finally:
            worker.stop()
            work.close()
            broker.close()
        assert (later.granted, later.mails) == (keys(1), keys(1, 1))
        later.close()

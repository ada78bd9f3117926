"""One job on its way after news has committed: not one for each delivery, and never at a webhook's cost."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from bodies import Shop, life_of
from razorpay_hardened import MemoryStore
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.queues import _wake
from razorpay_hardened.queues._wake import Wake
from razorpay_hardened.signals import Alarm, EventProcessed, StatusChanged

PATIENCE_S = 10
GAP_S = 0.001


class Broker:
    """Takes jobs one at a time: each says that it came, and is taken when the test says so."""

    def __init__(self) -> None:
        self.asked: SimpleQueue[int] = SimpleQueue()
        self.answers: SimpleQueue[Exception | None] = SimpleQueue()
        self.sent = 0

    def __call__(self) -> None:
        self.asked.put(self.sent)
        answer = self.answers.get(timeout=PATIENCE_S)
        if answer is not None:
            raise answer
        self.sent += 1

    def is_asked(self) -> None:
        """Wait until a job is about to be sent."""
        self.asked.get(timeout=PATIENCE_S)

    def takes(self, error: Exception | None = None) -> None:
        self.answers.put(error)


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop(MemoryStore(), ack="stored")
    made.rzp.after("order.paid", name="mail")(lambda change: None)
    yield made
    made.rzp.close()


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def wake(shop: Shop, broker: Broker) -> Iterator[Wake]:
    made = Wake(shop.rzp.signals, "a-queue", broker, clock=shop.clock, gap_s=GAP_S)
    yield made
    for _ in range(3):
        broker.takes()
    made.close()


def test_news_sends_one_job(shop: Shop, wake: Wake, broker: Broker) -> None:
    """A delivery that fired something. A new order, what came before, and what is nobody's send none."""
    shop.adopt(1)
    assert wake._thread is None
    shop.deliver(life_of(1)["order.paid"])
    broker.is_asked()
    broker.takes()
    shop.deliver(life_of(1)["order.paid"])  # a duplicate
    shop.deliver(life_of(2)["captured"])  # parked
    wake.ring()
    broker.is_asked()
    assert broker.sent == 1


def test_the_signals_of_one_commit_share_a_job(
    shop: Shop, wake: Wake, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delivery tells of several changes at once: that is one job, and not two."""
    monkeypatch.setattr(_wake, "_GATHER_S", 0.3)  # a busy machine may take longer than 10 ms from one to the next
    shop.adopt(1)
    shop.deliver(life_of(1)["order.paid"])
    assert len([told for told in shop.heard if isinstance(told, (EventProcessed, StatusChanged))]) > 2
    broker.is_asked()
    assert not wake._rung.is_set()


def test_much_news_shares_a_job(shop: Shop, wake: Wake, broker: Broker) -> None:
    """What commits while a job is being sent shares the next one: two jobs for thirty deliveries."""
    for number in range(1, 31):
        shop.adopt(number)
    shop.deliver(life_of(1)["order.paid"])
    broker.is_asked()
    for number in range(2, 31):
        shop.deliver(life_of(number)["order.paid"])  # nobody waits for the broker
    broker.takes()
    broker.is_asked()
    broker.takes()
    wake.ring()
    broker.is_asked()
    assert broker.sent == 2


def test_a_broker_that_is_down_changes_no_answer(shop: Shop, wake: Wake, broker: Broker) -> None:
    """200 all the same, one alarm an hour without the error's text, and another try; then the job is sent."""
    shop.adopt(1)
    assert shop.deliver(life_of(1)["order.paid"]) == 200
    for _ in range(2):
        broker.is_asked()
        broker.takes(ConnectionError("redis://:a-password@host"))
    broker.is_asked()
    broker.takes()
    wake.ring()
    broker.is_asked()
    assert broker.sent == 1
    assert shop.told(Alarm) == [
        Alarm("queue:a-queue:2026-03-02T10", "ConnectionError", "no job could be queued; the schedule is left")
    ]
    assert shop.rzp.work(housekeeping=False).pending.ran == 1


def test_it_can_be_sent_in_this_thread(wake: Wake, broker: Broker) -> None:
    """As a job does whose process ends with it; what fails is an alarm and no exception."""
    broker.takes()
    broker.takes(OSError())
    assert [wake.now(), wake.now()] == [True, False]


def test_a_closed_one_sends_nothing(shop: Shop, broker: Broker) -> None:
    """And leaves no thread behind."""
    wake = Wake(shop.rzp.signals, "closing", broker, clock=shop.clock, gap_s=3600)
    wake.ring()
    broker.is_asked()
    broker.takes()
    wake.close()
    wake.close()
    shop.adopt(1)
    shop.deliver(life_of(1)["order.paid"])
    wake.ring()
    assert broker.sent == 1
    assert "wake closing" not in {thread.name for thread in threading.enumerate()}
    unused = Wake(shop.rzp.signals, "unused", broker, clock=shop.clock)
    unused.close()


def test_a_process_without_room_for_a_thread_tries_again(
    shop: Shop, wake: Wake, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The webhook has its 200, and the next news starts the thread."""

    def full(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    for number in (1, 2):
        shop.adopt(number)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", full)
        assert shop.deliver(life_of(1)["order.paid"]) == 200
    assert shop.deliver(life_of(2)["order.paid"]) == 200
    broker.is_asked()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_has_a_thread_of_its_own(wake: Wake, broker: Broker) -> None:
    """A server that loads the application and then forks: the parent's thread is not there any more."""
    wake.ring()
    broker.is_asked()  # the parent's thread is in the broker's hands, and stays there
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            wake._send = lambda: os.write(writing, b"sent")
            wake.ring()
            wake._rung.wait(0)
            thread = wake._thread
            assert thread is not None
            thread.join(PATIENCE_S)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read(4) == b"sent"
    os.kill(child, 9)
    os.waitpid(child, 0)


def test_a_gap_is_above_zero(shop: Shop) -> None:
    """A broker that is down would be asked without a pause."""
    with pytest.raises(ConfigError):
        Wake(shop.rzp.signals, "a-queue", lambda: None, clock=shop.clock, gap_s=0)

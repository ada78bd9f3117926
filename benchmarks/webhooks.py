"""One whole webhook on SQLite (WAL, synchronous=FULL), durable: verify, parse, claim, state, audit, effects, commit.

Beside it, on the same file system in the same rounds: three plain inserts in one transaction; the very rows that ours
writes and reads, by hand-written SQL; the view that a careful team writes with Django's ORM and the SDK; and that of
dj-stripe. Targets: at least 50 % of the three inserts, 80 % of the same rows, 3 x the view, 12 x dj-stripe's; a
duplicate at least 5 x a first delivery.

Then what queues up: fifty deliveries by ``handle_many`` beside fifty by ``handle`` (target 5 x), and sixteen in flight
through the ASGI application beside sixteen threads that take turns at the lock (target 2 x, and p99 <= 25 ms). Then a
thousand that arrive within one second (target: p99 under one).

``python -m benchmarks webhooks`` prints the signature's and PostgreSQL's tables, too (``verify``, ``storage``).
"""

from __future__ import annotations

import asyncio
import hmac
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import _burst
from benchmarks._measure import Result, measure_each, show
from benchmarks._peers import Peers
from razorpay_hardened import Money, Razorpay, SQLiteStore, web
from razorpay_hardened.emulator import Emulator

SECRET = "bench-secret-0123456789"
ENVIRON = {
    "RAZORPAY_KEY_ID": "rzp_test_1DP5mmOlF5G5ag",
    "RAZORPAY_KEY_SECRET": "thisisnotthekey-9f8e7d",
    "RAZORPAY_WEBHOOK_SECRET": SECRET,
}
ROUNDS, LOOPS = 11, 60
COUNT = (ROUNDS + 1) * LOOPS  # one round is the warm-up
TEMPLATE = 99_999_999_999_999
"""The number in every id of the template event; the others' take its place."""

ORDER, PAYMENT = "order_{:014d}", "pay_{:014d}"


def template() -> bytes:
    """The body of a ``payment.captured`` delivery, about order and payment number ``TEMPLATE``."""
    # Of today: an older body is marked stale, which writes one row more.
    with Emulator(in_process=True, webhook_secret=SECRET, start=datetime.now(UTC)) as rz:
        order = json.loads(rz.request("POST", "/v1/orders", {"amount": 49900, "currency": "INR"}).body)["id"]
        payment = rz.pay(order, method="card")["id"]
        body = next(one.body for one in rz.deliver.pending() if one.event == "payment.captured")
    text = body.decode().replace(order, ORDER.format(TEMPLATE)).replace(payment, PAYMENT.format(TEMPLATE))
    return text.encode()


def request(body: bytes) -> web.Request:
    """A signed delivery."""
    tag = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
    headers = {"Content-Type": "application/json", "X-Razorpay-Signature": tag}
    return web.Request("POST", headers, body)


def numbered(body: bytes, number: int) -> bytes:
    """The template about another order and payment."""
    return body.replace(b"%014d" % TEMPLATE, b"%014d" % number)


def shop(folder: Path, name: str, numbers: range, *, handler: bool) -> Razorpay:
    """A shop that knows the orders ``numbers``, with one handler that writes one row."""
    store = SQLiteStore(folder / f"{name}.db")
    store.migrate()
    with store.transaction() as tx:
        tx.execute("CREATE TABLE access (order_id TEXT PRIMARY KEY, owner TEXT)")
    rzp = Razorpay.from_env(ENVIRON, store=store)
    if handler:

        @rzp.on("order.paid", name="grant")
        def grant(change: Any, tx: Any) -> None:
            tx.execute("INSERT INTO access VALUES (?, ?)", (change.order.order_id, change.order.owner))

    for number in numbers:
        rzp.checkout.adopt(ORDER.format(number), owner="user:7", amount=Money(49900))
    return rzp


def ours(folder: Path, body: bytes, name: str, *, handler: bool) -> Callable[[int], object]:
    """``handle`` with deliveries that were signed beforehand."""
    rzp = shop(folder, name, range(COUNT), handler=handler)
    requests = [request(numbered(body, number)) for number in range(COUNT)]

    def deliver(number: int) -> None:
        if rzp.webhooks.handle(requests[number]).status != 200:
            raise AssertionError("not accepted")

    return deliver


def duplicates(folder: Path, body: bytes) -> Callable[[int], object]:
    """The same delivery again and again."""
    rzp = shop(folder, "duplicates", range(1), handler=True)
    again = request(numbered(body, 0))
    rzp.webhooks.handle(again)
    return lambda _: rzp.webhooks.handle(again)


def durable(path: Path) -> sqlite3.Connection:
    """A connection as ours is set up."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    return connection


def three_inserts(folder: Path, body: bytes) -> Callable[[int], object]:
    """The delivery, a status and an effect, in the plainest tables."""
    connection = durable(folder / "three.db")
    connection.execute("CREATE TABLE inbox (digest TEXT PRIMARY KEY, body BLOB)")
    connection.execute("CREATE TABLE payment (id TEXT PRIMARY KEY, status TEXT, amount INTEGER)")
    connection.execute("CREATE TABLE effect (key TEXT PRIMARY KEY, state TEXT)")

    def write(number: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO inbox VALUES (?, ?)", (f"{number:064d}", body))
        connection.execute("INSERT INTO payment VALUES (?, ?, ?)", (PAYMENT.format(number), "captured", 49900))
        connection.execute("INSERT INTO effect VALUES (?, ?)", (f"order.paid:{number}", "done"))
        connection.execute("COMMIT")

    return write


class SameRows:
    """The rows that one delivery leaves behind, found by looking, and written again by plain SQL for other numbers."""

    TABLES = ("razorpay_inbox", "razorpay_payments", "razorpay_audit", "razorpay_effects", "access")
    """Inserted by the delivery; the anchors are upserted, and the order's row is updated."""

    def __init__(self, folder: Path, body: bytes) -> None:
        rzp = shop(folder, "same", range(COUNT), handler=True)
        rzp.checkout.adopt(ORDER.format(TEMPLATE), owner="user:7", amount=Money(49900))
        self._connection = durable(folder / "same.db")
        before = {table: self._rows(table) for table in self.TABLES}
        rzp.webhooks.handle(request(body))
        self._statements: list[tuple[str, list[Any]]] = [
            ("SELECT state FROM razorpay_inbox WHERE event_id = ?", ["evt"]),
            ("SELECT * FROM razorpay_orders WHERE order_id IN (?)", [ORDER.format(TEMPLATE)]),
            ("SELECT * FROM razorpay_payments WHERE payment_id IN (?)", [PAYMENT.format(TEMPLATE)]),
        ]
        for table in self.TABLES:
            for row in self._rows(table):
                if row not in before[table]:
                    self._insert(table, list(row))
        for key in (ORDER.format(TEMPLATE), PAYMENT.format(TEMPLATE)):
            self._upsert_anchor(key)
        self._statements.append(
            (
                "UPDATE razorpay_orders SET status = ?, updated_at = ? WHERE order_id = ?",
                ["paid", "2026", ORDER.format(TEMPLATE)],
            )
        )
        rzp.close()
        self._ready = [[(sql, self._about(number, row)) for sql, row in self._statements] for number in range(COUNT)]

    def _rows(self, table: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(f"SELECT * FROM {table}").fetchall()

    def _insert(self, table: str, row: list[Any]) -> None:
        if table in ("razorpay_effects", "razorpay_inbox", "razorpay_audit"):
            row[0] = None  # its number is the database's to give
        marks = ", ".join("?" * len(row))
        self._statements.append((f"INSERT INTO {table} VALUES ({marks})", row))

    def _upsert_anchor(self, key: str) -> None:
        row = self._connection.execute("SELECT * FROM razorpay_anchors WHERE key = ?", (key,)).fetchone()
        if row is None:
            return
        sql = (
            "INSERT INTO razorpay_anchors VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
            " version = excluded.version, captured = excluded.captured, audit_seq = excluded.audit_seq,"
            " audit_head = excluded.audit_head"
        )
        self._statements.append((sql, list(row)))

    @staticmethod
    def _about(number: int, row: list[Any]) -> list[Any]:
        was, now = f"{TEMPLATE:014d}", f"{number:014d}"
        changed: list[Any] = []
        for value in row:
            if isinstance(value, bytes):
                changed.append(value.replace(was.encode(), now.encode()))
            elif isinstance(value, str) and len(value) == 64:
                changed.append(f"{number:064d}")
            elif isinstance(value, str):
                changed.append(value.replace(was, now))
            else:
                changed.append(value)
        return changed

    def __call__(self, number: int) -> None:
        """One transaction."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        for sql, row in self._ready[number]:
            execute(sql, row).fetchall()
        execute("COMMIT")


def compare(folder: Path) -> list[Result]:
    """All contenders, interleaved."""
    body = template()
    with Peers(f"sqlite:///{folder / 'peers.db'}", body, COUNT) as peers:
        contenders: dict[str, Callable[[int], object]] = {
            "three raw inserts": three_inserts(folder, body),
            "the same rows, raw SQL": SameRows(folder, body),
            "naive view, Django ORM + SDK": peers.endpoint("naive"),
            "dj-stripe's view": peers.endpoint("djstripe"),
            "ours, one @on handler": ours(folder, body, "handler", handler=True),
            "ours, no handler": ours(folder, body, "plain", handler=False),
            "ours, a duplicate": duplicates(folder, body),
        }
        return measure_each(contenders, baseline="ours, one @on handler", rounds=ROUNDS, loops=LOOPS)


BATCH, BATCHES, IN_FLIGHT = 50, 12, 16


def batched(folder: Path, body: bytes, *, handler: bool) -> list[Result]:
    """One by one and fifty at once, interleaved; seconds for fifty."""
    calls: dict[str, Callable[[int], object]] = {}
    for name in ("one by one", "fifty at once"):
        rzp = shop(folder, f"{name} {handler}", range(BATCH * BATCHES), handler=handler)
        requests = [request(numbered(body, number)) for number in range(BATCH * BATCHES)]

        def deliver(number: int, name: str = name, rzp: Razorpay = rzp, all_: list[web.Request] = requests) -> None:
            part = all_[number * BATCH : (number + 1) * BATCH]
            many = rzp.webhooks.handle_many
            replies = many(part) if name == "fifty at once" else [rzp.webhooks.handle(one) for one in part]
            if any(reply.status != 200 for reply in replies):
                raise AssertionError("not accepted")

        calls[name] = deliver
    return measure_each(calls, baseline="fifty at once", rounds=BATCHES - 1, loops=1)


class InFlight:
    """Sixteen at a time: each sends its next delivery when it has its answer. Remembers how long each one took."""

    def __init__(self, folder: Path, body: bytes, name: str) -> None:
        self._rzp = shop(folder, f"in flight {name}", range(BATCH * BATCHES), handler=True)
        self._requests = [request(numbered(body, number)) for number in range(BATCH * BATCHES)]
        self._app = self._rzp.webhooks.asgi()
        self.seconds: list[float] = []

    def _timed(self, begun: float, status: int) -> None:
        self.seconds.append(time.perf_counter() - begun)
        if status != 200:
            raise AssertionError("not accepted")

    def asgi(self, number: int) -> None:
        """Through the one writer."""
        queue = iter(self._requests[number * BATCH : (number + 1) * BATCH])

        async def call(one: web.Request) -> int:
            sent: list[Any] = []
            scope = {
                "type": "http",
                "method": "POST",
                "headers": [(name.lower().encode(), value.encode()) for name, value in one.headers],
            }

            async def receive() -> Any:
                return {"type": "http.request", "body": one.body}

            async def send(message: Any) -> None:
                sent.append(message)

            await self._app(scope, receive, send)
            return int(sent[0]["status"])

        async def sender() -> None:
            for one in queue:
                begun = time.perf_counter()
                self._timed(begun, await call(one))

        async def all_of_them() -> None:
            await asyncio.gather(*(sender() for _ in range(IN_FLIGHT)))

        asyncio.run(all_of_them())

    def threads(self, number: int) -> None:
        """Through a pool of threads, which take turns at the store's lock."""

        def call(one: web.Request) -> None:
            begun = time.perf_counter()
            self._timed(begun, self._rzp.webhooks.handle(one).status)

        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            list(pool.map(call, self._requests[number * BATCH : (number + 1) * BATCH]))

    def p99_ms(self) -> float:
        """The 99th percentile of one delivery, in milliseconds."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)] * 1e3

    def close(self) -> None:
        """End the writer's thread."""
        self._app.close()
        self._rzp.close()


def in_flight(folder: Path, body: bytes) -> tuple[list[Result], dict[str, float]]:
    """Sixteen in flight, through both; and the p99 of each, in milliseconds."""
    asgi, threads = InFlight(folder, body, "asgi"), InFlight(folder, body, "threads")
    calls: dict[str, Callable[[int], object]] = {"ASGI, one writer": asgi.asgi, "a lock per request": threads.threads}
    results = measure_each(calls, baseline="ASGI, one writer", rounds=BATCHES - 1, loops=1)
    p99 = {"ASGI, one writer": asgi.p99_ms(), "a lock per request": threads.p99_ms()}
    asgi.close()
    threads.close()
    return results, p99


def bursts(folder: Path, body: bytes) -> dict[str, list[float]]:
    """A thousand deliveries within a second, with one handler: seconds of each until its answer."""
    found: dict[str, list[float]] = {}
    for name in ("SQLite, ASGI", "SQLite, 16 threads"):
        rzp = shop(folder, name, range(_burst.EVENTS), handler=True)
        requests = [request(numbered(body, number)) for number in range(_burst.EVENTS)]
        if "ASGI" in name:
            found[name] = _burst.by_asgi(rzp, requests)
        else:
            found[name] = _burst.by_threads(rzp.webhooks.handle, requests, IN_FLIGHT)
        rzp.close()
    return found


def on_sqlite(folder: Path, body: bytes) -> None:
    """The tables of SQLite."""
    show("one whole webhook, SQLite WAL FULL", compare(folder), baseline="ours, one @on handler")
    queued(folder, body)


def queued(folder: Path, body: bytes) -> None:
    """The tables of what queues up."""
    for handler in (True, False):
        results = batched(folder, body, handler=handler)
        title = f"fifty webhooks, {'one @on handler' if handler else 'no handler'}"
        show(title, results, baseline="fifty at once")
    results, p99 = in_flight(folder, body)
    show("fifty webhooks, sixteen in flight", results, baseline="ASGI, one writer")
    print("p99 of one:", ", ".join(f"{name} {ms:.1f} ms" for name, ms in p99.items()))
    print("\na thousand webhooks within one second, one @on handler")
    for name, seconds in bursts(folder, body).items():
        print(f"{name:32} {_burst.percentiles(seconds)}")


def main() -> None:
    """Print the tables. ``python -m benchmarks.webhooks batches``: those of what queues up alone."""
    from benchmarks import storage, verify

    body = template()
    with tempfile.TemporaryDirectory() as folder:
        if "batches" in sys.argv:
            queued(Path(folder), body)
            return
        verify.main()
        on_sqlite(Path(folder), body)
    storage.main()


if __name__ == "__main__":
    main()

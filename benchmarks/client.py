"""Fetching an order over HTTP on this machine, beside the bare SDK and the bare transports.

The server answers from a fixed buffer in another process, so that what is measured is the client. Targets, with types,
retries, budgets and signals on: one request in flight, at least 1.8 x the SDK's rate; sixteen in flight, at least 8 x
that of the SDK in sixteen threads. Floors: urllib3, requests and aiohttp, which parse nothing.
"""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import socket
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import aiohttp
import razorpay
import requests
import urllib3

from benchmarks._measure import Result, measure, show
from razorpay_hardened import compat
from razorpay_hardened.client import AsyncClient, Client
from razorpay_hardened.signals import ApiAttempt, Bus

KEY_ID = "rzp_test_1DP5mmOlF5G5ag"
KEY_SECRET = "bench-secret-0123456789"
ORDER_ID = "order_RB58MiP5SPFYyM"
ORDER = {
    "id": ORDER_ID,
    "entity": "order",
    "amount": 49900,
    "amount_paid": 0,
    "amount_due": 49900,
    "currency": "INR",
    "receipt": "inv-42",
    "offer_id": None,
    "status": "created",
    "attempts": 0,
    "notes": [],
    "created_at": 1756455561,
}


def _serve(ports: Any) -> None:
    """Answer every request on every connection with the same order; one thread each would cost more than it gives."""
    import threading

    body = json.dumps(ORDER).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    listener = socket.create_server(("127.0.0.1", 0))
    ports.put(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_answer, args=(connection, head.encode() + body), daemon=True).start()


def _answer(connection: socket.socket, raw: bytes) -> None:
    waiting = b""
    while chunk := connection.recv(65536):
        waiting += chunk
        while b"\r\n\r\n" in waiting:
            waiting = waiting.split(b"\r\n\r\n", 1)[1]
            connection.sendall(raw)


@contextmanager
def server() -> Iterator[str]:
    """The URL of a server in another process."""
    context = multiprocessing.get_context("spawn")
    ports: Any = context.Queue()
    process = context.Process(target=_serve, args=(ports,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ports.get(timeout=30)}"
    finally:
        process.terminate()
        process.join()


IN_FLIGHT = 16
BATCH = 320


def _one_in_flight(url: str) -> None:
    bus = Bus()
    bus.subscribe(lambda signal: None, ApiAttempt)
    with requests.Session() as session, Client(KEY_ID, KEY_SECRET, base_url=url, bus=bus) as client:
        auth = (KEY_ID, KEY_SECRET)
        sdk: Any = razorpay.Client(auth=auth, base_url=url)  # type: ignore[no-untyped-call]
        drop_in: Any = compat.Client(auth=auth, base_url=url)
        pool = urllib3.PoolManager()
        path = f"{url}/v1/orders/{ORDER_ID}"
        own = Client(KEY_ID, KEY_SECRET, base_url=url, session=session)
        contenders = {
            "the SDK": lambda: sdk.order.fetch(ORDER_ID),
            "this client": lambda: client.orders.fetch(ORDER_ID),
            "this client, as compat.Client": lambda: drop_in.order.fetch(ORDER_ID),
            "this client over requests.Session": lambda: own.orders.fetch(ORDER_ID),
            "floor: urllib3": lambda: pool.request("GET", path),
            "floor: requests": lambda: session.get(path, auth=auth),
        }
        show("GET /v1/orders/:id, one in flight", measure(contenders, baseline="the SDK"), baseline="the SDK")
        pool.clear()
        drop_in.close()
        sdk.session.close()


def _sixteen_in_flight(url: str) -> None:
    bus = Bus()
    bus.subscribe(lambda signal: None, ApiAttempt)
    sdk: Any = razorpay.Client(auth=(KEY_ID, KEY_SECRET), base_url=url)  # type: ignore[no-untyped-call]
    client = AsyncClient(KEY_ID, KEY_SECRET, base_url=url, bus=bus)
    blocking = Client(KEY_ID, KEY_SECRET, base_url=url, bus=bus)
    path = f"{url}/v1/orders/{ORDER_ID}"
    with asyncio.Runner() as runner, ThreadPoolExecutor(IN_FLIGHT) as threads:
        session = runner.run(_session())
        headers = {"Authorization": "Basic " + base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()}

        async def bare() -> None:
            async with session.get(path, headers=headers) as answer:
                await answer.read()

        contenders: dict[str, Callable[[], object]] = {
            "the SDK in threads": lambda: list(threads.map(lambda _: sdk.order.fetch(ORDER_ID), range(BATCH))),
            "AsyncClient": lambda: runner.run(_batch(lambda: client.orders.fetch(ORDER_ID))),
            "Client in threads": lambda: list(threads.map(lambda _: blocking.orders.fetch(ORDER_ID), range(BATCH))),
            "floor: aiohttp": lambda: runner.run(_batch(bare)),
        }
        results = measure(contenders, baseline="the SDK in threads", rounds=9)
        title = f"GET /v1/orders/:id, {IN_FLIGHT} in flight, per call"
        show(title, [_per_call(result) for result in results], baseline="the SDK in threads")
        runner.run(session.close())
        runner.run(client.close())
    blocking.close()
    sdk.session.close()


async def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


async def _batch(call: Callable[[], Awaitable[object]]) -> None:
    """``BATCH`` calls by ``IN_FLIGHT`` tasks."""

    async def worker() -> None:
        for _ in range(BATCH // IN_FLIGHT):
            await call()

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))


def _per_call(result: Result) -> Result:
    return result._replace(median=result.median / BATCH, best=result.best / BATCH, worst=result.worst / BATCH)


def main() -> None:
    """Print both tables."""
    with server() as url:
        _one_in_flight(url)
        _sixteen_in_flight(url)


if __name__ == "__main__":
    main()

"""Fetching an order over HTTP on this machine, one request in flight, beside the bare SDK and the bare transports.

The server answers from a fixed buffer in another process, so that what is measured is the client. Target: at least
1.8 x the SDK's rate with types, retries and signals on. Floors: urllib3 and requests, which parse nothing.
"""

from __future__ import annotations

import json
import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import razorpay
import requests
import urllib3

from benchmarks._measure import measure, show
from razorpay_hardened.client import Client
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


def main() -> None:
    """Print the table."""
    bus = Bus()
    bus.subscribe(lambda signal: None, ApiAttempt)
    with server() as url, requests.Session() as session, Client(KEY_ID, KEY_SECRET, base_url=url, bus=bus) as client:
        auth = (KEY_ID, KEY_SECRET)
        sdk: Any = razorpay.Client(auth=auth, base_url=url)  # type: ignore[no-untyped-call]
        pool = urllib3.PoolManager()
        path = f"{url}/v1/orders/{ORDER_ID}"
        own = Client(KEY_ID, KEY_SECRET, base_url=url, session=session)
        contenders = {
            "the SDK": lambda: sdk.order.fetch(ORDER_ID),
            "this client": lambda: client.orders.fetch(ORDER_ID),
            "this client over requests.Session": lambda: own.orders.fetch(ORDER_ID),
            "floor: urllib3": lambda: pool.request("GET", path),
            "floor: requests": lambda: session.get(path, auth=auth),
        }
        show("GET /v1/orders/:id", measure(contenders, baseline="the SDK"), baseline="the SDK")
        pool.clear()
        sdk.session.close()


if __name__ == "__main__":
    main()

"""Servers that do not behave: real sockets on this machine, one behaviour for each request."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

T = TypeVar("T")

PROXY_NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
CA_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
ENVIRONMENT = (*PROXY_NAMES, *(name.upper() for name in PROXY_NAMES), *CA_NAMES)
"""What a test of transports must be free of."""

Behaviour = Callable[[socket.socket, bytes], None]

_END_S = 30
"""Longer than any ``behave`` waits by itself."""


@contextmanager
def serving(
    behave: Behaviour, *, reads: bool = True, until: threading.Event | None = None
) -> Iterator[tuple[str, list[bytes]]]:
    """A server that hands each request's head (and body) to ``behave``; gives its URL and the requests seen.

    At the end of the block every connection that was made has been accepted, every request that was sent has been
    read, and no thread of the server's is left: what was seen can be counted on a slow machine too, and what a thread
    has to complain of is this test's and not a later one's. ``until`` is set then, for a ``behave`` that hangs.
    """
    seen: list[bytes] = []
    open_sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while True:
                request = _read_request(connection) if reads else b""
                if reads and not request:
                    return
                seen.append(request)
                behave(connection, request)
                if not reads:
                    return

    def accept() -> None:
        while True:
            connection, peer = listener.accept()
            if over.is_set() and peer == last.getsockname():
                connection.close()
                return
            open_sockets.append(connection)
            threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    last = socket.socket()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        over.set()
        if until is not None:
            until.set()
        with last, listener:
            last.connect(listener.getsockname())  # behind all others in the queue
            accepting.join(_END_S)
        for connection in open_sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # what has come is read all the same
        for thread in threads:
            thread.join(_END_S)
        assert not any(thread.is_alive() for thread in threads), "a connection is still being served"


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        body += chunk
    return head + b"\r\n\r\n" + body


def reply(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answers(raw: bytes) -> Behaviour:
    return lambda connection, request: connection.sendall(raw)


def drips(raw: bytes, every_s: float) -> Behaviour:
    def behave(connection: socket.socket, request: bytes) -> None:
        for n in range(len(raw)):
            connection.sendall(raw[n : n + 1])
            time.sleep(every_s)

    return behave


def in_time(ask: Callable[[float], T], early: Callable[[T], bool], first_s: float = 0.05) -> tuple[T, float]:
    """What ``ask(limit)`` gives within the shortest limit in which this machine gets a request to its server at all.

    A limit short enough not to be waited for may pass on a busy machine before anything was sent, which is another
    case than the one meant. ``early`` tells so; the limit is then four times as long, four times at most. Gives the
    limit as well.
    """
    for limit in (first_s, first_s * 4, first_s * 16, first_s * 64):
        found = ask(limit)
        if not early(found):
            return found, limit
    raise AssertionError(f"nothing was sent within {limit} s")

"""Servers that do not behave: real sockets on this machine, one behaviour for each request."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

PROXY_NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
CA_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
ENVIRONMENT = (*PROXY_NAMES, *(name.upper() for name in PROXY_NAMES), *CA_NAMES)
"""What a test of transports must be free of."""

Behaviour = Callable[[socket.socket, bytes], None]


@contextmanager
def serving(behave: Behaviour, *, reads: bool = True) -> Iterator[tuple[str, list[bytes]]]:
    """A server that hands each request's head (and body) to ``behave``; gives its URL and the requests seen."""
    seen: list[bytes] = []
    open_sockets: list[socket.socket] = []
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
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                open_sockets.append(connection)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in open_sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


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
        body += connection.recv(65536)
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

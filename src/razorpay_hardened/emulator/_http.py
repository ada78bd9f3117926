"""The HTTP face: the standard library's threading server, because faults need the socket itself."""

from __future__ import annotations

import logging
import select
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from razorpay_hardened.clock import SystemClock
from razorpay_hardened.emulator.wire import Reply, Request
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.emulator.emulator import Emulator

__all__ = ["Server", "serve_forever"]

_log = logging.getLogger("razorpay_hardened.emulator")

_BODY_MAX = 1 << 20
_POLL_S = 0.02
_TICK_S = 0.1
_Socket = Any  # what socketserver hands around: in truth a socket.socket
_LINGER_ZERO = struct.pack("ii", 1, 0)  # close with a reset instead of an orderly end


class Server:
    """One listening socket and its thread. Raises :class:`ConfigError` where the address cannot be had."""

    def __init__(self, emulator: Emulator, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.stopping = threading.Event()
        try:
            self._http = _Listener((host, port), emulator, self.stopping)
        except OSError as error:
            raise ConfigError(f"the emulator cannot listen on {host}:{port}: {error.strerror}") from error
        if tls is not None:  # each connection shakes hands in its own thread, or a silent one would stop them all
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'http' if tls is None else 'https'}://{host}:{self._http.server_address[1]}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(_POLL_S,), name="razorpay-emulator", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening and let hanging answers go."""
        self.stopping.set()
        self._http.shutdown()
        self._thread.join()
        self._http.close_connections()
        self._http.server_close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], emulator: Emulator, stopping: threading.Event) -> None:
        self.emulator = emulator
        self.stopping = stopping
        self._open: set[_Socket] = set()
        self.resetting: set[_Socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: _Socket, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: _Socket) -> None:
        self._open.discard(request)
        if request in self.resetting:
            self.resetting.discard(request)
            self.close_request(request)  # without the orderly end that comes first otherwise
        else:
            super().shutdown_request(request)

    def close_connections(self) -> None:
        """Wake the threads that wait on kept-alive connections."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                _log.debug("a connection was already closed")

    def handle_error(self, request: object, client_address: object) -> None:
        error = sys.exception()
        if isinstance(error, OSError):  # the client left: faults and time-outs make that ordinary
            _log.debug("the client closed the connection: %s", error)
        else:
            _log.error("the emulator failed", exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Listener

    def _serve(self) -> None:
        body = self._read_body()
        if body is None:
            self.close_connection = True
            self._send(Reply(411 if "content-length" not in self.headers else 413))
            return
        parts = urlsplit(self.path)
        reply = self.server.emulator.handle(
            Request(self.command, parts.path, parts.query, dict(self.headers.items()), body)
        )
        self._act(reply)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815

    def _read_body(self) -> bytes | None:
        """The body, or None where its length is missing or too large."""
        if self.headers.get("transfer-encoding"):
            return None
        length = self.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _BODY_MAX:
            return None
        return self.rfile.read(int(length))

    def _act(self, reply: Reply) -> None:
        if reply.act in ("slow", "hang"):
            self._wait(reply.seconds)
        if reply.act == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            self.server.resetting.add(self.connection)
        if reply.act in ("hang", "reset"):
            self.close_connection = True
            return
        self._send(reply, reply.keep if reply.act == "truncate" else None)

    def _wait(self, seconds: float) -> None:
        """Wait until the client leaves, the emulator closes, or ``seconds`` are over."""
        time = SystemClock()
        end = time.monotonic() + seconds
        while not self.server.stopping.is_set() and (left := end - time.monotonic()) > 0:
            readable, _, _ = select.select([self.connection], [], [], min(left, _POLL_S))
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return
            if readable:  # the next request is there already: do not spin on it
                self.server.stopping.wait(min(left, _POLL_S))

    def _send(self, reply: Reply, keep: int | None = None) -> None:
        """Head and body in one write. ``keep`` cuts the body short of its announced length."""
        phrase = HTTPStatus(reply.status).phrase
        lines = [f"HTTP/1.1 {reply.status} {phrase}", f"Content-Length: {len(reply.body)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        if self.close_connection:
            lines.append("Connection: close")
        body = reply.body if keep is None else reply.body[:keep]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        if keep is not None and keep < len(reply.body):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        _log.debug(format, *args)


def serve_forever(
    emulator: Emulator,
    *,
    speed: float = 1.0,
    stop: threading.Event | None = None,
    ready: Callable[[Emulator], None] | None = None,
) -> None:
    """Serve until ``stop`` is set or the process is interrupted. ``ready`` is called once the address is known.

    ``speed`` is how many virtual seconds pass in a real one, so that webhooks go out by themselves; 0 leaves time to
    the control face. Raises :class:`ConfigError` for a negative speed or an address that cannot be had.
    """
    if speed < 0:
        raise ConfigError("the speed of time is zero or more")
    stop = stop or threading.Event()
    time = SystemClock()
    with emulator:
        if ready is not None:
            ready(emulator)
        before = time.monotonic()
        while not stop.wait(_TICK_S):
            now = time.monotonic()
            emulator.clock.advance((now - before) * speed)
            before = now

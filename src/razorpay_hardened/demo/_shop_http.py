"""The shop as a process of its own: a loopback port, a real SIGKILL at the armed point, and a supervisor.

The supervisor has loaded the shop's code and does nothing with it: it forks a shop whenever the demo says so, and
tells when that shop has ended. So a restart costs milliseconds, as with any server that preloads its code.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urlsplit

from razorpay_hardened.client import Client
from razorpay_hardened.demo.shop import Shop, WorldClock
from razorpay_hardened.web import Request

__all__ = ["FOLDER", "READ_TIMEOUT_S", "SEED", "supervise"]

FOLDER: Final = "RAZORPAY_DEMO_FOLDER"
SEED: Final = "RAZORPAY_DEMO_SEED"
"""Set by the demo for its own shop; nothing else reads them."""

READ_TIMEOUT_S: Final = 1.0
"""A hanging answer costs the demo this much real time; the emulator beside it answers in a millisecond, and where the
machine is somebody else's for a moment, that must not make a different day."""


class _AskedClock:
    """The emulator's clock, over HTTP, on a connection that is kept."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=5)

    def __call__(self) -> datetime:
        self._connection.request("GET", "/_emulator/clock")
        return datetime.fromisoformat(json.loads(self._connection.getresponse().read())["now"])


def _die() -> NoReturn:
    """What ``kill -9`` does: no handler, no ``finally``, no flush."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def _make(environ: Mapping[str, str]) -> Shop:
    clock = WorldClock(_AskedClock(environ["RAZORPAY_BASE_URL"]))
    client = Client(
        environ["RAZORPAY_KEY_ID"],
        environ["RAZORPAY_KEY_SECRET"],
        base_url=environ["RAZORPAY_BASE_URL"],
        clock=clock,
        read_timeout_s=READ_TIMEOUT_S,
    )
    return Shop(environ, Path(environ[FOLDER]), seed=int(environ[SEED]), clock=clock, die=_die, client=client)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    shop: Shop

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        reply = self.shop.answer(Request("POST", list(self.headers.items()), body, path=self.path, scheme="http"))
        lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", f"Content-Length: {len(reply.body)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the demo tells the story."""


def _end_with_parent() -> None:
    """When the demo is gone, so is its end of our standard input."""
    sys.stdin.buffer.read()
    os._exit(0)


def _serve(environ: Mapping[str, str]) -> NoReturn:
    """Serve the shop until killed or until standard input ends; tell the port."""
    handler = type("Handler", (_Handler,), {"shop": _make(environ)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _tell(pid=os.getpid(), port=server.server_address[1])
    server.serve_forever()
    raise AssertionError("unreachable")


def _tell(**news: int) -> None:
    """One line of JSON for the demo, in one write."""
    os.write(sys.stdout.fileno(), json.dumps(news).encode() + b"\n")


_WARM: Final = (
    "razorpay_hardened.client._gateway",
    "razorpay_hardened.client._transport",
    "razorpay_hardened.client._retry",
    "razorpay_hardened.client.resources.orders",
    "razorpay_hardened.client.resources.payments",
    "razorpay_hardened.client.resources.refunds",
    "razorpay_hardened.checkout.confirm",
    "razorpay_hardened.domain.entities.order",
    "razorpay_hardened.domain.entities.payment",
    "razorpay_hardened.domain.entities.refund",
    "razorpay_hardened.webhooks.receive",
)
"""What the shop would load at its first requests."""


def supervise(environ: Mapping[str, str] = os.environ) -> None:
    """For each line of standard input, fork a shop and wait for its end. Writes one line of JSON for each news.

    ``{"pid": …, "port": …}`` when a shop listens, ``{"ended": pid}`` when it is gone. Ends with standard input.
    """
    for module in _WARM:
        import_module(module)
    while sys.stdin.buffer.readline():
        pid = os.fork()
        if pid == 0:
            try:
                _serve(environ)
            except Exception:  # noqa: BLE001 - its last words; nobody is left to catch it
                traceback.print_exc()
            finally:
                os._exit(1)  # whatever happened, a shop never becomes a second supervisor
        os.waitpid(pid, 0)
        try:
            _tell(ended=pid)
        except BrokenPipeError:
            return  # the demo is gone, and was what ended the shop

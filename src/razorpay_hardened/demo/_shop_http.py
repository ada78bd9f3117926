"""The shop as a process of its own: a loopback port, and a real SIGKILL at the armed point."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urlsplit

from razorpay_hardened.client import Client
from razorpay_hardened.demo.shop import Shop, WorldClock
from razorpay_hardened.web import Request

__all__ = ["FOLDER", "READ_TIMEOUT_S", "SEED", "serve"]

FOLDER: Final = "RAZORPAY_DEMO_FOLDER"
SEED: Final = "RAZORPAY_DEMO_SEED"
"""Set by the demo for its own shop; nothing else reads them."""

READ_TIMEOUT_S: Final = 0.5
"""A hanging answer costs the demo this much real time; the emulator beside it answers in a millisecond."""


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


def serve(environ: Mapping[str, str] = os.environ) -> None:
    """Serve the shop until killed or until standard input ends. Writes its port as one line of JSON."""
    handler = type("Handler", (_Handler,), {"shop": _make(environ)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.stdout.write(json.dumps({"port": server.server_address[1]}) + "\n")
    sys.stdout.flush()
    server.serve_forever()

"""The in-process face for asynchronous code: an ``aiohttp`` connector that never opens a socket. Nothing here waits.

aiohttp writes its request to a transport and is given the answer's bytes, as from a server: everything above the
socket is aiohttp's own. Faults are those of the ``requests`` adapter, told to aiohttp as a socket would tell them; what
would hang is raised at once as the timeout in which it would end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from razorpay_hardened.emulator.wire import Reply, Request
from razorpay_hardened.errors import ExtraMissing

try:
    import aiohttp
    from aiohttp.client_proto import ResponseHandler
except ImportError as error:
    raise ExtraMissing("async", "the emulator's aiohttp session") from error

if TYPE_CHECKING:
    from razorpay_hardened.emulator.emulator import Emulator

__all__ = ["InProcessConnector", "session"]


class InProcessConnector(aiohttp.BaseConnector):
    """Answers every request from the emulator, whatever its host. Made in the event loop that uses it."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__()
        self._emulator = emulator

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> ResponseHandler:
        protocol = ResponseHandler(loop=asyncio.get_running_loop())
        protocol.connection_made(_Wire(self._emulator, protocol))
        return protocol


class _Wire(asyncio.Transport):
    """What aiohttp takes for a connected socket."""

    def __init__(self, emulator: Emulator, protocol: ResponseHandler) -> None:
        super().__init__()
        self._emulator = emulator
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._closing = False
        self._deaf = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing or self._deaf:
            return
        self._received += bytes(data)
        request = _whole(self._received)
        if request is not None:
            self._received = b""
            self._deaf = isinstance(request, Reply)  # the body of a refused request may still be coming
            # Not from within aiohttp's own writing: an answer comes later, if only by one turn of the loop.
            self._loop.call_soon(self._answer, request)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def _answer(self, request: Request | Reply) -> None:
        reply = request if isinstance(request, Reply) else self._emulator.handle(request)
        if self._closing:  # the client left; what it asked for is done all the same
            return
        limit: float | None = self._protocol.read_timeout
        if reply.act == "hang" or (reply.act == "slow" and limit is not None and reply.seconds >= limit):
            self._protocol.set_exception(aiohttp.SocketTimeoutError("the emulator's answer did not come in time"))
            return
        if reply.act == "reset":
            self._end(ConnectionResetError("the emulator closed the connection"))
            return
        body = reply.body[: reply.keep] if reply.act == "truncate" else reply.body
        self._protocol.data_received(_head(reply) + body)
        if len(body) < len(reply.body):
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            self._protocol.connection_lost(error)

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        """The answer is there already."""

    def resume_reading(self) -> None:
        """The answer is there already."""


def _whole(data: bytes) -> Request | Reply | None:
    """The request once it is complete; the refusal of one without a length, as over HTTP."""
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    by_name = {name.lower(): value for name, value in headers.items()}
    if "transfer-encoding" in by_name:
        return Reply(411, {"Connection": "close"})
    if len(body) < int(by_name.get("content-length", "0")):
        return None
    method, target, _ = first.split(" ", 2)
    parts = urlsplit(target)
    return Request(method, parts.path, parts.query, headers, body)


def _head(reply: Reply) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", f"Content-Length: {len(reply.body)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def session(emulator: Emulator) -> aiohttp.ClientSession:
    """A session for every host; environment proxies, ``.netrc`` and cookies are left out. The caller closes it."""
    return aiohttp.ClientSession(connector=InProcessConnector(emulator), cookie_jar=aiohttp.DummyCookieJar())

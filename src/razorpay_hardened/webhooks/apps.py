"""The endpoint as an application of its own, to be mounted anywhere: WSGI and ASGI, without a framework.

Both look at the head first, and read a body only where one may be read, no further than the limit. Path and query are
not looked at: whoever mounts an application says where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from razorpay_hardened.errors import DeliveryInWork, PayloadTooLarge, RawBodyRequired, RazorpayHardenedError
from razorpay_hardened.signing import VerifiedBody
from razorpay_hardened.web import Reply, Request
from razorpay_hardened.web.asgi import Receive, Send, head_of, read_body, send_reply
from razorpay_hardened.web.values import wsgi_body
from razorpay_hardened.webhooks._twins import TWIN_WAIT_S
from razorpay_hardened.webhooks.guard import event_id_in
from razorpay_hardened.webhooks.writer import BATCH_MAX, WAIT_S, End, Ticket, Writer

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

    from razorpay_hardened.webhooks.receive import Webhooks

__all__ = ["AsgiApp", "WsgiApp"]

_GONE: Final = "SenderGone"


class WsgiApp:
    """A WSGI application (PEP 3333). Its server's threads may call it at once."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self._answer(environ).to_wsgi(start_response)

    def _answer(self, environ: Mapping[str, Any]) -> Reply:
        head = Request.head_of_wsgi(environ)
        refused = self._webhooks.admit(head)
        if refused is not None:
            return refused
        try:
            body = wsgi_body(environ, self._webhooks.max_body_bytes)
        except RawBodyRequired:
            return self._webhooks.body_consumed(head)
        except OSError:  # nobody is there to read the answer
            return self._webhooks.reject(head, _GONE, 400)
        return self._webhooks.receive(head.with_body(body))


class AsgiApp:
    """An ASGI 3 application on asyncio. One thread stores what has queued up, in batches: one commit for many.

    It answers after the commit. ``lifespan`` is understood: at shutdown the queue is emptied. A mounted application
    may never hear of the shutdown; then call :meth:`close`.
    """

    def __init__(self, webhooks: Webhooks, *, batch_max: int = BATCH_MAX) -> None:
        self._webhooks = webhooks
        self._writer = Writer(webhooks.deliver_many, batch_max=batch_max)
        self._ears: dict[AbstractEventLoop, _Ear] = {}

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            reply = await self._answer(head_of(scope), receive)
            if reply is not None:
                await send_reply(send, reply)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close"})

    def close(self, timeout_s: float = WAIT_S) -> None:
        """Finish what waits, and end the thread. The next delivery begins it again."""
        self._writer.close(timeout_s)

    async def _live(self, receive: Receive, send: Send) -> None:
        from asyncio import to_thread

        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await to_thread(self.close)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, head: Request, receive: Receive) -> Reply | None:
        """The answer; None where nobody waits for one."""
        refused = await self._admit(head)
        if refused is not None:
            return refused
        try:
            body = await read_body(receive, self._webhooks.max_body_bytes)
        except PayloadTooLarge as error:
            return self._webhooks.reject(head, error.code, 413)
        if body is None:
            self._webhooks.reject(head, _GONE, 400)
            return None
        request = head.with_body(body)
        verified = self._webhooks.verify(request)
        if isinstance(verified, Reply):
            return verified
        try:
            return await self._stored(verified, event_id_in(request))
        except RazorpayHardenedError as error:
            return self._webhooks.not_stored(error)

    async def _admit(self, head: Request) -> Reply | None:
        if not self._webhooks.admitting_blocks:
            return self._webhooks.admit(head)
        from asyncio import to_thread

        return await to_thread(self._webhooks.admit, head)

    async def _stored(self, body: VerifiedBody, event_id: str | None) -> Reply:
        """Queue it, and wait for its end: 2 s where a twin is in work, 4 s where its turn does not come."""
        from asyncio import get_running_loop, wait

        loop = get_running_loop()
        ear = self._ears.get(loop)
        if ear is None:
            self._ears = {one: its for one, its in self._ears.items() if not one.is_closed()}
            ear = self._ears[loop] = _Ear(loop)
        ticket = Ticket(body, event_id, ear.tell)
        future: Future[Reply] = loop.create_future()
        ear.waiting[ticket] = future
        self._writer.submit(ticket)
        try:
            await wait((future,), timeout=TWIN_WAIT_S)
            if not future.done() and self._writer.twin_in_work(ticket) and self._writer.withdraw(ticket):
                raise DeliveryInWork
            if not future.done():
                await wait((future,), timeout=WAIT_S - TWIN_WAIT_S)
            if not future.done() and self._writer.withdraw(ticket):
                return self._webhooks.too_busy()
            return await future
        finally:
            ear.waiting.pop(ticket, None)
            if not future.done():  # the server gave up on it: what has not begun need not begin
                self._writer.withdraw(ticket)


class _Ear:
    """Where one event loop hears of the ends of its tickets."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self.waiting: dict[Ticket, Future[Reply]] = {}
        self.tell = self._tell  # one object, so that a batch is told at once

    def _tell(self, ended: list[tuple[Ticket, End]]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._settle, ended)

    def _settle(self, ended: list[tuple[Ticket, End]]) -> None:
        for ticket, end in ended:
            future = self.waiting.get(ticket)
            if future is None or future.done():
                continue
            if isinstance(end, BaseException):
                future.set_exception(end)
            else:
                future.set_result(end)

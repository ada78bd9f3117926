"""ASGI as plain values: the head of a request, its body within bounds, a reply sent. No framework, no event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from razorpay_hardened.errors import PayloadTooLarge
from razorpay_hardened.web.values import Headers, Reply, Request

__all__ = ["Message", "Receive", "Send", "head_of", "read_body", "send_reply"]

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


def head_of(scope: Mapping[str, Any]) -> Request:
    """The request of an ``http`` scope, its body not read: every header line as it came, the socket's own peer."""
    client = scope.get("client")
    return Request(
        scope["method"],
        Headers(scope["headers"]),
        b"",
        remote_addr=client[0] if client else None,
        scheme=scope.get("scheme", "http"),
        path=scope.get("path", "/"),
        query=scope.get("query_string", b"").decode("latin-1"),
    )


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """The whole body; None where the sender has gone. Raises :class:`PayloadTooLarge` and stops at ``limit`` bytes."""
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part = message.get("body", b"")
        length += len(part)
        if length > limit:
            raise PayloadTooLarge
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def send_reply(send: Send, reply: Reply) -> None:
    """Send ``reply`` as it is."""
    lines = [*reply.headers.items(), ("Content-Length", str(len(reply.body)))]
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in lines]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})

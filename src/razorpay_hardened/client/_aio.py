"""The asynchronous way out: the same requests over a native transport. The SDK has no part in it: it would block."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from razorpay_hardened.client._values import Answer, Call, Fault, Limits
from razorpay_hardened.client._wire import wire

if TYPE_CHECKING:
    from razorpay_hardened.client._credentials import Credentials

__all__ = ["AsyncGateway", "AsyncTransport"]


class AsyncTransport(Protocol):
    """Sends one request, once: ``_transport.Transport``, awaited."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None,
        body: str | bytes | None,
        headers: dict[str, str],
        auth: Credentials,
        limits: Limits,
    ) -> Answer | Fault:
        """The answer, whatever its status, or what went wrong; raises nothing that the network can cause."""
        ...

    async def close(self) -> None:
        """Let go of sockets that are ours."""
        ...


class AsyncGateway:
    """Sends calls over an :class:`AsyncTransport`. Made for one process: see :attr:`pid`."""

    __slots__ = ("_base_url", "_credentials", "_transport", "pid")

    def __init__(self, credentials: Credentials, base_url: str, transport: AsyncTransport) -> None:
        self._base_url = base_url
        self._credentials = credentials
        self._transport = transport
        self.pid = os.getpid()

    async def send(self, call: Call, limits: Limits) -> Answer | Fault:
        """One attempt: the answer, whatever its status, or what went wrong."""
        request = wire(call)
        return await self._transport.send(
            request.method,
            self._base_url + request.path,
            params=request.params,
            body=request.body,
            headers=request.headers,
            auth=self._credentials.public() if call.operation.public else self._credentials,
            limits=limits,
        )

    async def close(self) -> None:
        """Close idle connections that are ours."""
        await self._transport.close()

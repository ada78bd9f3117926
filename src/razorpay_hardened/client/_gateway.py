"""The one door to the official SDK: its request, none of its habits.

The SDK loses the HTTP status, prints, follows ``verify`` of its own, repeats POSTs and shares a dict between calls
(FACTS section 5). So it gets a session that hands each answer back whole, sealed as a success; credentials and limits
pass through it without being looked at, and bodies are encoded before it sees them. Its resource methods are not
called: they add a path, which ``_operations`` has, and a test compares the two.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import razorpay

from razorpay_hardened.client._values import Answer, Call, Fault, Limits
from razorpay_hardened.client._wire import wire

if TYPE_CHECKING:
    from razorpay_hardened.client._credentials import Credentials
    from razorpay_hardened.client._transport import Transport

__all__ = ["Gateway"]


@dataclass(frozen=True, slots=True)
class _Ask:
    """Travels through the SDK in the place of ``timeout``, with what the SDK's frames need not hold."""

    url: str
    limits: Limits
    auth: Credentials
    body: str | bytes | None = field(repr=False)


class _Sealed:
    """An answer dressed as a 200, so that the SDK passes it on instead of reading it."""

    __slots__ = ("_result",)
    status_code = 200

    def __init__(self, result: Answer | Fault) -> None:
        self._result = result

    def json(self) -> Answer | Fault:
        return self._result


class _Door:
    """The session that the SDK is given."""

    __slots__ = ("_transport",)

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _send(self, method: str, url: str, options: Mapping[str, Any]) -> _Sealed:
        ask: _Ask = options["timeout"]
        if url != ask.url:  # an id must not have become another path (FAULTS rule 7)
            raise AssertionError("the SDK built another path than the operation's")
        return _Sealed(
            self._transport.send(
                method,
                url,
                params=options.get("params"),
                body=ask.body,
                headers=options["headers"],
                auth=ask.auth,
                limits=ask.limits,
            )
        )

    def get(self, url: str, **options: Any) -> _Sealed:
        return self._send("GET", url, options)

    def post(self, url: str, **options: Any) -> _Sealed:
        return self._send("POST", url, options)

    def put(self, url: str, **options: Any) -> _Sealed:
        return self._send("PUT", url, options)

    def patch(self, url: str, **options: Any) -> _Sealed:
        return self._send("PATCH", url, options)

    def delete(self, url: str, **options: Any) -> _Sealed:
        return self._send("DELETE", url, options)


class _Sdk(razorpay.Client):
    """The SDK's client, which otherwise looks up its own version on disk for every request."""

    def _update_user_agent_header(self, options: dict[str, Any]) -> dict[str, Any]:
        return options


class Gateway:
    """Sends calls through the SDK. Made for one process: see :attr:`pid`."""

    __slots__ = ("_base_url", "_credentials", "_sdk", "_transport", "pid")

    def __init__(self, credentials: Credentials, base_url: str, transport: Transport) -> None:
        self._base_url = base_url
        self._credentials = credentials
        self._transport = transport
        self._sdk: Any = _Sdk(session=_Door(transport), auth=credentials, base_url=base_url)  # type: ignore[no-untyped-call]
        self.pid = os.getpid()

    def send(self, call: Call, limits: Limits) -> Answer | Fault:
        """One attempt: the answer, whatever its status, or what went wrong."""
        request = wire(call)
        auth = self._credentials.public() if call.operation.public else self._credentials
        result: Answer | Fault = self._sdk.request(
            request.method.lower(),
            request.path,
            params=request.params,
            headers=request.headers,
            timeout=_Ask(self._base_url + request.path, limits, auth, request.body),
        )
        return result

    def close(self) -> None:
        """Close idle connections that are ours."""
        self._transport.close()

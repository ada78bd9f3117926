"""The one door to the official SDK: its paths and its headers, none of its habits.

The SDK loses the HTTP status, prints, follows ``verify`` of its own, repeats POSTs and shares a dict between calls
(FACTS section 5). So it gets a session that hands each answer back whole, sealed as a success, and a fresh dict each
time; credentials and limits pass through it without being looked at.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import razorpay

from razorpay_hardened._version import __version__
from razorpay_hardened.client._values import Answer, Call, Fault, Limits

if TYPE_CHECKING:
    from razorpay_hardened.client._credentials import Credentials
    from razorpay_hardened.client._transport import Transport

__all__ = ["Gateway"]


@dataclass(frozen=True, slots=True)
class _Ask:
    """Travels through the SDK in the place of ``timeout``."""

    url: str
    limits: Limits


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
                body=options.get("data"),
                headers=options["headers"],
                auth=options["auth"],
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
        agent = getattr(self, "_agent", None)
        if agent is None:
            agent = f"Razorpay-Python/{version('razorpay')} razorpay-hardened/{__version__}"
            self._agent = agent
        options.setdefault("headers", {})["User-Agent"] = agent
        return options


class Gateway:
    """Sends calls through the SDK. Made for one process: see :attr:`pid`."""

    __slots__ = ("_base_url", "_sdk", "_transport", "pid")

    def __init__(self, credentials: Credentials, base_url: str, transport: Transport) -> None:
        self._base_url = base_url
        self._transport = transport
        self._sdk: Any = _Sdk(session=_Door(transport), auth=credentials, base_url=base_url)  # type: ignore[no-untyped-call]
        self.pid = os.getpid()

    def send(self, call: Call, limits: Limits) -> Answer | Fault:
        """One attempt: the answer, whatever its status, or what went wrong."""
        ask = _Ask(self._base_url + call.path, limits)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if call.key is not None:
            headers["X-Refund-Idempotency"] = call.key  # FACTS section 7.1
        result: Answer | Fault = (
            self._by_name(call, ask, headers) if call.operation.sdk else self._free(call, ask, headers)
        )
        return result

    def _by_name(self, call: Call, ask: _Ask, headers: dict[str, str]) -> Any:
        resource, method = call.operation.sdk or ("", "")
        data = dict(call.data)  # the SDK writes into what it is given
        arguments: tuple[Any, ...] = (*call.ids, data)
        if call.operation.sdk == ("payment", "capture"):
            arguments = (*call.ids, data["amount"], data)
        return getattr(getattr(self._sdk, resource), method)(*arguments, headers=headers, timeout=ask)

    def _free(self, call: Call, ask: _Ask, headers: dict[str, str]) -> Any:
        verb = call.operation.method.lower()
        if verb == "get":
            return self._sdk.get(call.path, dict(call.data), headers=headers, timeout=ask)
        send = getattr(self._sdk, verb)
        return send(call.path, dict(call.data), params=dict(call.params or {}), headers=headers, timeout=ask)

    def close(self) -> None:
        """Close idle connections that are ours."""
        self._transport.close()

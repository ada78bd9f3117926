"""The asynchronous session: aiohttp with the limits and the honesty of ``_transport``, whose semantics it shares.

The client's door to aiohttp. What is switched off of its habits: redirects, cookies, decompression without a bound,
``.netrc``, and the repetition of a request whose connection broke. aiohttp does that once, by itself, for GET, PUT and
DELETE; here no request is ever sent twice.
"""

from __future__ import annotations

import os
import ssl
import zlib
from asyncio import AbstractEventLoop, get_running_loop, sleep, timeout
from collections.abc import AsyncGenerator, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlencode

from razorpay_hardened.client._credentials import Credentials
from razorpay_hardened.client._lock import ShortLock
from razorpay_hardened.client._transport import ANSWER_MAX, ca_bundle, inflated, proxy_for
from razorpay_hardened.client._values import Answer, Fault, Limits
from razorpay_hardened.errors import ConfigError, ExtraMissing

try:
    import aiohttp
    from yarl import URL
except ImportError as error:
    raise ExtraMissing("async", "the asynchronous client") from error

__all__ = ["AiohttpTransport"]

_CONNECTIONS_MAX = 100
_KEEPALIVE_S = 15.0
_HEADERS_MAX = 100  # as http.client has it
_LINE_MAX = 65_536
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class _Exchange:
    """What is known of one request on its way."""

    __slots__ = ("sent",)

    def __init__(self) -> None:
        self.sent = False


_exchange: ContextVar[_Exchange] = ContextVar("razorpay_hardened_exchange")
"""The running task's. aiohttp's tracing would tell as much, at a tenth of the time that a request takes."""


class _Request(aiohttp.ClientRequest):
    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        # It has its connection, through a proxy too: from here on its bytes may be on the wire.
        _exchange.get().sent = True
        return await super().send(conn)


class _Broken(aiohttp.ClientError):
    """Takes the place of an error that would make aiohttp send the request again. ``args[0]`` is that error."""


class _Response(aiohttp.ClientResponse):
    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        try:
            return await super().start(connection)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise _Broken(error) from None


class AiohttpTransport:
    """Keep-alive connections to one base URL, in one session for each event loop that uses it.

    A session opens at the loop's first request. It closes with :meth:`close`, or by itself when its loop shuts down
    its asynchronous generators, as ``asyncio.run`` does: two ``asyncio.run`` in a row are two sessions, both closed.
    At most 100 requests of a loop are on their way at a time; others wait, within their total deadline. Threads with
    loops of their own may share a transport, and a forked child, whose loop is a new one, gets new connections.

    ``session`` is an ``aiohttp.ClientSession`` of the caller's: its *connector* is used (certificates, name
    resolution, limits, SOCKS), the proxy variables if its ``trust_env`` is set, and nothing else of it. Headers,
    cookies and middlewares of other work do not travel with an API key. Only the caller closes it. Raises
    :class:`ConfigError` for proxies and certificates in the environment that cannot be used.
    """

    __slots__ = ("_given", "_keepers", "_lock", "_proxy", "_tls")

    def __init__(self, base_url: str, session: aiohttp.ClientSession | None = None) -> None:
        self._given = session
        self._lock = ShortLock()
        self._keepers: dict[AbstractEventLoop, tuple[AsyncGenerator[None, None], aiohttp.ClientSession]] = {}
        reads_environ = session is None or session.trust_env
        self._proxy = proxy_for(base_url, "aiohttp.ClientSession(connector=…)") if reads_environ else None
        self._tls = _tls_context() if session is None and base_url.startswith("https:") else None

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
        """See ``_transport.Transport``. Cancelling it closes the connection; whether it was sent is then unknown."""
        if params:
            url = f"{url}?{urlencode(params, doseq=True)}"
        exchange = _Exchange()
        _exchange.set(exchange)
        try:
            async with timeout(limits.total_s):
                # A peer's goodbye that the loop has not read yet is read now: two turns hear and act on it.
                await sleep(0)
                await sleep(0)
                session = await self._session()
                headers = {**headers, "Authorization": auth.header()}
                return await self._exchange(session, method, url, body, headers, limits)
        except TimeoutError as error:
            return Fault("timeout" if exchange.sent else "connection", exchange.sent, type(error).__name__)
        except (aiohttp.ClientError, OSError, zlib.error) as error:
            cause = error.args[0] if isinstance(error, _Broken) else error
            return Fault("connection", exchange.sent, type(cause).__name__)

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: str,
        body: str | bytes | None,
        headers: dict[str, str],
        limits: Limits,
    ) -> Answer | Fault:
        proxy, secret = self._proxy or (None, None)
        if secret and url.startswith("http:"):
            headers.update(secret)  # no tunnel: the proxy reads the request itself
        async with session.request(
            method,
            URL(url, encoded=True),
            data=body.encode() if isinstance(body, str) else body,
            headers=headers,
            skip_auto_headers=_AUTOMATIC,
            allow_redirects=False,
            proxy=proxy,
            proxy_headers=secret,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_s, sock_read=limits.read_s),
        ) as response:
            if len(response.raw_headers) > _HEADERS_MAX:
                response.close()
                return Fault("connection", True, "TooManyHeaders")
            raw = await _read_bounded(response)
            if raw is None:
                response.close()  # the rest of the body is on the wire: this connection cannot be used again
                return Fault("too_large", True, "ResponseTooLarge")
        found = _headers(response.raw_headers)
        plain = inflated(raw, found.get("content-encoding", ""))
        return Fault("too_large", True, "ResponseTooLarge") if plain is None else Answer(response.status, found, plain)

    async def _session(self) -> aiohttp.ClientSession:
        """The running loop's."""
        loop = get_running_loop()
        kept = self._keepers.get(loop)
        if kept is not None and not kept[1].closed:
            return kept[1]
        session = self._make(loop)
        keeper = _keeping(session)
        await anext(keeper)  # from here the loop knows it, and closes it if nobody else does
        with self._lock:
            for other in [one for one in self._keepers if one.is_closed()]:
                del self._keepers[other]
            self._keepers[loop] = (keeper, session)
        return session

    def _make(self, loop: AbstractEventLoop) -> aiohttp.ClientSession:
        if self._given is None:
            connector: Any = aiohttp.TCPConnector(
                ssl=self._tls if self._tls is not None else True,
                limit=_CONNECTIONS_MAX,
                keepalive_timeout=_KEEPALIVE_S,
            )
        elif self._given.closed:
            raise ConfigError("the aiohttp.ClientSession that the client was given is closed")
        else:
            connector = self._given.connector
        try:
            return aiohttp.ClientSession(
                connector=connector,
                loop=loop,
                connector_owner=self._given is None,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                request_class=_Request,
                response_class=_Response,
                max_line_size=_LINE_MAX,
                max_field_size=_LINE_MAX,
            )
        except RuntimeError:
            raise ConfigError("the aiohttp.ClientSession that the client was given is another event loop's") from None

    async def close(self) -> None:
        """Close the connections of the running loop. A session that was given stays open."""
        with self._lock:
            kept = self._keepers.pop(get_running_loop(), None)
        if kept is not None:
            await kept[0].aclose()


async def _keeping(session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    """Suspended for as long as the session is used; ending it, or the loop, closes the session."""
    try:
        yield
    finally:
        await session.close()


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > ANSWER_MAX:
            return None
        parts.append(chunk)
    return b"".join(parts)


def _headers(raw: tuple[tuple[bytes, bytes], ...]) -> dict[str, str]:
    """By lower-case name, those that came more than once joined by commas."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _tls_context() -> ssl.SSLContext:
    path = ca_bundle()
    try:
        folder = os.path.isdir(path)
        return ssl.create_default_context(cafile=None if folder else path, capath=path if folder else None)
    except OSError as error:
        raise ConfigError(f"the file of certificates cannot be used: {type(error).__name__}") from None

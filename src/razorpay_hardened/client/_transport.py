"""The default session: urllib3 with limits on everything that a peer could make endless.

Finite connect, read and total deadlines, at most 5 MiB, no redirects, no cookies, no retries of its own (FAULTS
rule 12). Proxy variables and custom CA bundles are honoured as ``requests`` does it, which bare urllib3 does not.
The total deadline holds from the first byte sent to the last one read; a slow name server has the resolver's own
limit.
"""

from __future__ import annotations

import io
import os
import threading
import zlib
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Protocol
from urllib.parse import urlencode

import urllib3
from requests.certs import where as default_ca_bundle  # type: ignore[attr-defined]  # certifi's
from requests.utils import get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as UrllibTimeout
from urllib3.util import Timeout, make_headers, parse_url

from razorpay_hardened.client._credentials import Credentials
from razorpay_hardened.client._values import Answer, Fault, Limits
from razorpay_hardened.clock import SystemClock
from razorpay_hardened.errors import ConfigError

__all__ = [
    "ANSWER_MAX",
    "Transport",
    "UrllibTransport",
    "ca_bundle",
    "inflated",
    "proxy_for",
    "read_bounded",
]

ANSWER_MAX = 5 * 1024 * 1024
"""The largest answer that is read, in bytes, after decompression too."""

_CHUNK = 64 * 1024
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class Transport(Protocol):
    """Sends one request, once."""

    def send(
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

    def close(self) -> None:
        """Let go of sockets that are ours."""
        ...


class _Exchange(threading.local):
    """What the connection must know about the request that its thread is making."""

    deadline: float = 0.0
    read_s: float = 0.0
    sent: bool = False


_exchange = _Exchange()
_monotonic = SystemClock().monotonic


class _TimedReader(io.RawIOBase):
    """Reads a socket for no longer than the exchange's deadline, however slowly the bytes drip.

    An end within the head is an error: ``http.client`` would take it for the end of the head, and of an empty body.
    """

    def __init__(self, raw: Any, sock: Any) -> None:
        self._raw = raw
        self._sock = sock
        self.in_head = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = _exchange.deadline - _monotonic()
        if left <= 0:
            raise TimeoutError("the total deadline has passed")
        self._sock.settimeout(min(_exchange.read_s, left))
        count: int | None = self._raw.readinto(buffer)
        if count == 0 and self.in_head:
            raise ConnectionResetError("the connection ended within the head of the answer")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPConnection.response_class):  # type: ignore[misc,valid-type]  # http.client's, as urllib3 names it
    """``http.client``'s response, read through a :class:`_TimedReader`: its headers too."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._timed = _TimedReader(self.fp.detach(), sock)
        self.fp: Any = io.BufferedReader(self._timed)

    def begin(self) -> None:
        super().begin()
        self._timed.in_head = False


class _Marking:
    """A connection that notes when the first byte of a request leaves: before it, nothing can have happened."""

    _connecting = False

    def connect(self) -> None:
        self._connecting = True  # a CONNECT to a proxy is not the request
        try:
            super().connect()  # type: ignore[misc]  # HTTPConnection's
        finally:
            self._connecting = False

    def send(self, data: Any) -> None:
        if not self._connecting:
            if self.sock is None:  # type: ignore[attr-defined]  # HTTPConnection's
                self.connect()
            # A kept connection still has the short timeout of the end of its last exchange.
            left = max(_exchange.deadline - _monotonic(), 0.001)
            self.sock.settimeout(min(_exchange.read_s, left))  # type: ignore[attr-defined]  # HTTPConnection's
            _exchange.sent = True
        super().send(data)  # type: ignore[misc]  # HTTPConnection's


class _HTTP(_Marking, HTTPConnection):
    response_class = _Response


class _HTTPS(_Marking, HTTPSConnection):
    response_class = _Response


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPS


class UrllibTransport:
    """Keep-alive connections to one base URL; see the module. Threads may share it; a fork needs a new one."""

    __slots__ = ("_pool",)

    def __init__(self, base_url: str) -> None:
        self._pool = _pool_for(base_url)
        self._pool.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def send(
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
        """See :class:`Transport`."""
        if params:
            url = f"{url}?{urlencode(params, doseq=True)}"
        _exchange.sent = False
        _exchange.read_s = limits.read_s
        _exchange.deadline = _monotonic() + limits.total_s
        try:
            return self._exchange(method, url, body, {**headers, "Authorization": auth.header()}, limits)
        except (UrllibTimeout, TimeoutError) as error:
            return Fault("timeout" if _exchange.sent else "connection", _exchange.sent, type(error).__name__)
        except (HTTPError, HTTPException, OSError, zlib.error) as error:
            return Fault("connection", _exchange.sent, type(error).__name__)

    def _exchange(
        self, method: str, url: str, body: str | bytes | None, headers: dict[str, str], limits: Limits
    ) -> Answer | Fault:
        response = self._pool.request(
            method,
            url,
            body=body.encode() if isinstance(body, str) else body,
            headers=headers,
            timeout=Timeout(connect=min(limits.connect_s, limits.total_s), read=min(limits.read_s, limits.total_s)),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        raw = read_bounded(response.stream(_CHUNK, decode_content=False))
        if raw is None:
            response.close()  # the rest of the body is on the wire: this connection cannot be used again
            return Fault("too_large", True, "ResponseTooLarge")
        response.release_conn()
        found = {name.lower(): response.headers[name] for name in response.headers}  # joined, if it came twice
        plain = inflated(raw, found.get("content-encoding", ""))
        return Fault("too_large", True, "ResponseTooLarge") if plain is None else Answer(response.status, found, plain)

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.clear()


def read_bounded(chunks: Any) -> bytes | None:
    """All of ``chunks`` joined, or None once they exceed ``ANSWER_MAX``."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > ANSWER_MAX:
            return None
        parts.append(chunk)
    return b"".join(parts)


def inflated(raw: bytes, coding: str) -> bytes | None:
    """The body in plain, or None when it grows beyond the limit. We ask for no coding; a proxy may add one."""
    if coding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return raw
    plain = zlib.decompressobj(wbits=47).decompress(raw, ANSWER_MAX + 1)
    return None if len(plain) > ANSWER_MAX else plain


def _pool_for(base_url: str) -> urllib3.PoolManager:
    """A pool that verifies certificates, through the proxy that the environment names for this URL, if any."""
    tls: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED"}
    path = ca_bundle()
    tls["ca_cert_dir" if os.path.isdir(path) else "ca_certs"] = path
    proxy = proxy_for(base_url, "requests.Session()")
    if proxy is None:
        return urllib3.PoolManager(maxsize=16, **tls)
    url, headers = proxy
    return urllib3.ProxyManager(url, proxy_headers=headers, maxsize=16, **tls)


def proxy_for(base_url: str, instead: str) -> tuple[str, dict[str, str] | None] | None:
    """The URL of the proxy that the environment names for ``base_url``, and the headers with its password, if any.

    Raises :class:`ConfigError`, which recommends a session like ``instead``, for a proxy that does not speak HTTP.
    """
    proxy = select_proxy(base_url, get_environ_proxies(base_url))
    if not proxy:
        return None
    url = parse_url(proxy if "://" in proxy else f"http://{proxy}")
    if url.scheme not in {"http", "https"}:
        raise ConfigError(f"the proxy variable names a kind of proxy that needs session={instead}")
    return f"{url.scheme}://{url.netloc}", make_headers(proxy_basic_auth=url.auth) if url.auth else None


def ca_bundle() -> str:
    """The file or folder of certificates to trust: as ``requests`` reads the environment, or what comes with it.

    Raises :class:`ConfigError` where a variable names something that is not there.
    """
    for name in _CA_VARIABLES:
        path = os.environ.get(name)
        if path:
            if not os.path.exists(path):
                raise ConfigError(f"{name} names a file that does not exist")
            return path
    return str(default_ca_bundle())

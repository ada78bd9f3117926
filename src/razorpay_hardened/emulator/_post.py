"""Deliveries over a real socket."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from razorpay_hardened.clock import SystemClock
from razorpay_hardened.emulator._webhook import Endpoint
from razorpay_hardened.errors import ConfigError

__all__ = ["poster"]


def poster(url: str, timeout_s: float) -> Endpoint:
    """An endpoint that POSTs to ``url`` and follows no redirect. An answer after ``timeout_s`` in all is none.

    Raises :class:`ConfigError` for anything but an http or https URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("the webhook URL must begin with http:// or https:// and name a host")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host, port = parts.hostname, parts.port
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection

    time = SystemClock()

    def post(method: str, headers: dict[str, str], body: bytes) -> int | None:
        begun = time.monotonic()
        connection = kind(host, port, timeout=timeout_s)
        try:
            connection.request(method, target, body, headers)
            status = connection.getresponse().status
            return status if time.monotonic() - begun <= timeout_s else None  # it dripped
        except (OSError, http.client.HTTPException):
            return None  # refused, cut or too slow: all the same to the sender
        finally:
            connection.close()

    return post

"""One POST, as Razorpay makes it: five seconds, no redirects, and whatever comes back is only looked at."""

from __future__ import annotations

import http.client
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import typer

from razorpay_hardened.clock import SystemClock

__all__ = ["Answer", "check_url", "post"]

TIMEOUT_S: Final = 5.0
_TEXT_MAX: Final = 500


class Answer(NamedTuple):
    """What came back. ``status`` is None where nothing did; ``text`` is the start of the body; ``seconds`` in all."""

    status: int | None
    text: str
    seconds: float

    @property
    def acknowledged(self) -> bool:
        """Any 2xx, and nothing else."""
        return self.status is not None and 200 <= self.status < 300


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """POST ``body``. A URL that is none is a usage error; an endpoint that does not answer is an answer too."""
    connection, target = _connection(url)
    clock = SystemClock()
    begun = clock.monotonic()
    try:
        connection.request("POST", target, body, headers)
        response = connection.getresponse()
        text = response.read(_TEXT_MAX).decode("utf-8", "replace")
        return Answer(response.status, text, clock.monotonic() - begun)
    except (OSError, http.client.HTTPException) as error:
        return Answer(None, f"{type(error).__name__}: {error}", clock.monotonic() - begun)
    finally:
        connection.close()


def check_url(url: str) -> None:
    """A usage error unless ``url`` is an endpoint."""
    _connection(url)[0].close()


def _connection(url: str) -> tuple[http.client.HTTPConnection, str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        raise typer.BadParameter("the endpoint must be a URL such as http://127.0.0.1:8000/webhook")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return kind(host, port, timeout=TIMEOUT_S), target

"""A small receiver of webhooks, for looking: it tells, answers, and passes on. It keeps nothing."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from razorpay_hardened.cli._output import card, console, note, plain
from razorpay_hardened.cli._post import check_url, post
from razorpay_hardened.clock import SystemClock
from razorpay_hardened.errors import ConfigError, SignatureError
from razorpay_hardened.signing import SIGNATURE_HEADER, Secret, WebhookVerifier

__all__ = ["Listener"]

_BODY_MAX: Final = 1 << 20
_PATIENCE_S: Final = 10
_EVENT_ID: Final = "x-razorpay-event-id"
_NOT_FORWARDED: Final = {"host", "content-length", "connection", "transfer-encoding", "accept-encoding"}


class _Seen(NamedTuple):
    """What is told of one delivery. ``signature`` is ``matches``, a reason why it does not, or ``not checked``."""

    at: str
    event: str
    event_id: str | None
    signature: str
    bytes: int
    status: int


class Listener:
    """One listening socket, one delivery at a time. Raises :class:`ConfigError` where the address cannot be had."""

    def __init__(
        self, host: str, port: int, *, secret: Secret | None, forward: str | None, status: int, as_json: bool
    ) -> None:
        if forward is not None:
            check_url(forward)
        self._verifier = WebhookVerifier(secret) if secret is not None else None
        self._forward = forward
        self._status = status
        self._as_json = as_json
        self._seen = 0
        outer = self

        class Handler(_Handler):
            listener = outer

        try:
            self._server = HTTPServer((host, port), Handler)
        except OSError as error:
            raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}") from error
        self.url = f"http://{host}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.server_close()

    def announce(self) -> None:
        """Say where it listens, and what it does."""
        if self._as_json:
            self._line({"url": self.url, "forward": self._forward, "signatures_checked": self._verifier is not None})
            return
        checked = "checked" if self._verifier is not None else "not checked: RAZORPAY_WEBHOOK_SECRET is not set"
        forward = self._forward or f"nobody, answers {self._status}"
        card([("listening", self.url), ("forwards to", forward), ("signatures", checked)])
        note("Ctrl-C ends it.")
        sys.stdout.flush()

    def serve(self, count: int | None) -> None:
        """Until ``count`` deliveries came, or for ever."""
        while count is None or self._seen < count:
            self._server.handle_request()

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        """One delivery: check, pass on, tell; gives the status to answer."""
        lower = {name.lower(): value for name, value in headers.items()}
        status = self._status if self._forward is None else self._passed_on(headers, body)
        seen = _Seen(
            f"{SystemClock().now():%Y-%m-%dT%H:%M:%SZ}",
            _event_name(body),
            lower.get(_EVENT_ID),
            self._signature(body, lower.get(SIGNATURE_HEADER.lower())),
            len(body),
            status,
        )
        self._seen += 1
        if self._as_json:
            self._line(seen._asdict())
        else:
            good = seen.signature in ("matches", "not checked") and 200 <= status < 300
            text = f"{seen.at[11:19]}Z  {seen.event:<28} {seen.event_id}  signature {seen.signature}  answered {status}"
            console().print(plain(text), style="green" if good else "red", soft_wrap=True)
            sys.stdout.flush()
        return status

    def _passed_on(self, headers: dict[str, str], body: bytes) -> int:
        assert self._forward is not None
        sent = {name: value for name, value in headers.items() if name.lower() not in _NOT_FORWARDED}
        return post(self._forward, body, sent).status or 504

    def _signature(self, body: bytes, signature: str | None) -> str:
        if self._verifier is None:
            return "not checked"
        try:
            self._verifier.verify(body, signature or "")
        except SignatureError as error:
            return "missing" if signature is None else str(error)
        return "matches"

    def _line(self, value: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(value) + "\n")
        sys.stdout.flush()


def _event_name(body: bytes) -> str:
    try:
        name = json.loads(body)["event"]
    except (ValueError, RecursionError, TypeError, KeyError):
        return "(no event)"
    return name[:64] if isinstance(name, str) else "(no event)"


class _Handler(BaseHTTPRequestHandler):
    listener: Listener
    timeout = _PATIENCE_S  # of the socket: somebody who says nothing does not hold up the next

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isdigit():
            self._answer(411)
        elif int(length) > _BODY_MAX:
            self._answer(413)
        else:
            self._answer(self.listener.receive(dict(self.headers.items()), self.rfile.read(int(length))))

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """What there is to tell was told."""

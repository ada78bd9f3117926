"""The in-process face: a ``requests`` session that never opens a socket. Nothing here waits."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.exceptions import ChunkedEncodingError, ReadTimeout
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from razorpay_hardened.emulator.wire import Reply, Request

if TYPE_CHECKING:
    from razorpay_hardened.emulator.emulator import Emulator

__all__ = ["InProcessAdapter", "session"]

_Timeout = float | tuple[float | None, float | None] | None


class InProcessAdapter(BaseAdapter):
    """Answers from the emulator. What would hang or break on a wire is raised at once as what requests would raise."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__()
        self._emulator = emulator

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: _Timeout = None,
        verify: bool | str = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One call. Raises ``ReadTimeout``, ``ConnectionError`` or ``ChunkedEncodingError`` as a fault demands."""
        reply = self._emulator.handle(_as_request(request))
        limit = timeout[1] if isinstance(timeout, tuple) else timeout
        if reply.act == "hang" or (reply.act == "slow" and limit is not None and reply.seconds >= limit):
            raise ReadTimeout("the emulator's answer did not come in time", request=request)
        if reply.act == "reset":
            raise requests.exceptions.ConnectionError("the emulator closed the connection", request=request)
        if reply.act == "truncate" and reply.keep < len(reply.body):
            raise ChunkedEncodingError("the emulator closed the connection within the answer", request=request)
        return _as_response(request, reply)

    def close(self) -> None:
        """Nothing is open."""


def _as_request(request: requests.PreparedRequest) -> Request:
    parts = urlsplit(request.url or "")
    body = request.body or b""
    data = body.encode() if isinstance(body, str) else bytes(body)
    return Request((request.method or "GET").upper(), parts.path, parts.query, dict(request.headers), data)


def _as_response(request: requests.PreparedRequest, reply: Reply) -> requests.Response:
    response = requests.Response()
    response.status_code = reply.status
    response.headers = CaseInsensitiveDict({**reply.headers, "Content-Length": str(len(reply.body))})
    response.encoding = get_encoding_from_headers(response.headers)
    response.raw = BytesIO(reply.body)
    response.url = request.url or ""
    response.request = request
    return response


def session(emulator: Emulator) -> requests.Session:
    """A session for every host; environment proxies and ``.netrc`` are left out, as nothing leaves the process."""
    made = requests.Session()
    made.trust_env = False
    for prefix in ("https://", "http://"):
        made.mount(prefix, InProcessAdapter(emulator))
    return made

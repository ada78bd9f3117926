"""A caller's own ``requests.Session`` as the transport: for ``responses``, for the emulator, for odd proxies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http.client import HTTPException
from ssl import SSLCertVerificationError
from typing import Any

from requests import exceptions
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.response import HTTPResponse

from razorpay_hardened.client._credentials import Credentials
from razorpay_hardened.client._transport import read_bounded
from razorpay_hardened.client._values import Answer, Fault, Limits
from razorpay_hardened.clock import SystemClock

__all__ = ["SessionTransport"]

_CHUNK = 64 * 1024
_monotonic = SystemClock().monotonic


class SessionTransport:
    """Sends through a session that the caller made, and that only the caller closes.

    The total deadline is checked between chunks of the body; a peer that drips its *headers* is bounded by the
    session's own read timeout alone, which the default transport does better.
    """

    __slots__ = ("_session",)

    def __init__(self, session: Any) -> None:
        self._session = session

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
        """See ``_transport.Transport``."""
        deadline = _monotonic() + limits.total_s
        try:
            response = self._session.request(
                method,
                url,
                params=params or None,
                data=body,
                headers=headers,
                auth=auth,
                timeout=(min(limits.connect_s, limits.total_s), min(limits.read_s, limits.total_s)),
                allow_redirects=False,
                stream=True,
            )
            try:
                raw = read_bounded(_until(deadline, _chunks(response)))
            finally:
                response.close()
        except (OSError, HTTPError, HTTPException) as error:  # requests' own are OSErrors
            return _fault(error)
        if raw is None:
            return Fault("too_large", True, "ResponseTooLarge")
        found = {str(name).lower(): str(value) for name, value in response.headers.items()}
        return Answer(response.status_code, found, raw)

    def close(self) -> None:
        """Nothing: the session is the caller's."""


def _chunks(response: Any) -> Iterator[bytes]:
    """The body as it arrives: ``iter_content`` waits until a chunk is full, which a dripping peer can put off."""
    raw = getattr(response, "raw", None)
    if not isinstance(raw, HTTPResponse) or getattr(response, "_content_consumed", True):
        yield from response.iter_content(_CHUNK)
        return
    while chunk := raw.read1(_CHUNK, decode_content=True):
        yield chunk


def _until(deadline: float, chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if _monotonic() > deadline:
            raise TimeoutError("the total deadline has passed")
        yield chunk


def _fault(error: Exception) -> Fault:
    """What went wrong. Only what certainly happened before the first byte counts as not sent."""
    name = type(error).__name__
    if isinstance(error, exceptions.ConnectTimeout | exceptions.ProxyError | exceptions.InvalidURL):
        return Fault("connection", False, name)
    if any(isinstance(cause, NewConnectionError | SSLCertVerificationError) for cause in _causes(error)):
        return Fault("connection", False, name)
    if isinstance(error, exceptions.Timeout | TimeoutError):
        return Fault("timeout", True, name)
    return Fault("connection", True, name)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps: requests hides urllib3's reason in ``args[0].reason``."""
    seen: BaseException | None = error
    for _ in range(6):
        if seen is None:
            return
        yield seen
        inner = seen.args[0] if seen.args and isinstance(seen.args[0], BaseException) else None
        reason = getattr(inner if inner is not None else seen, "reason", None)
        seen = reason if isinstance(reason, BaseException) else inner or seen.__cause__ or seen.__context__

"""Headers, request and reply: immutable values that cost next to nothing to make."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NoReturn, Self, final

from razorpay_hardened.errors import FieldInvalid, FormMalformed, RawBodyRequired
from razorpay_hardened.web.security import SECURITY_HEADERS

__all__ = ["MAX_BODY_BYTES", "Headers", "Reply", "Request", "wsgi_body"]

MAX_BODY_BYTES: Final = 1 << 20
"""No body beyond this is read or answered: 1 MiB (FAULTS P7)."""

_FORM_BYTES: Final = 64 * 1024
_FORM_FIELDS: Final = 100
_LENGTH: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

_put = object.__setattr__


class _Value:
    """Immutable once made; a copy is the value itself."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")


@final
class Headers(_Value):
    """Header lines in order, found by name without regard to case. Nothing is merged or dropped.

    ``source`` is a mapping of names to a value or to a list of values, or an iterable of pairs, in ``str`` or
    in ``bytes`` (Latin-1, as ASGI has them). Spaces and tabs round a value are stripped. A name with an
    underscore is another name than its twin with a hyphen: whoever cares can see both.
    """

    __slots__ = ("_by_name", "_pairs")

    _pairs: tuple[tuple[str, str], ...]
    _by_name: dict[str, list[str]]

    def __init__(self, source: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | Headers = ()) -> None:
        pairs = source._pairs if isinstance(source, Headers) else tuple(_pairs(source))
        by_name: dict[str, list[str]] = {}
        for name, value in pairs:
            by_name.setdefault(name.lower(), []).append(value)
        _put(self, "_pairs", pairs)
        _put(self, "_by_name", by_name)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of ``name``, or ``default``."""
        values = self._by_name.get(name.lower())
        return values[0] if values else default

    def get_all(self, name: str) -> list[str]:
        """Every value of ``name``, in the order received; empty if there is none."""
        return list(self._by_name.get(name.lower(), ()))

    def items(self) -> list[tuple[str, str]]:
        """All lines as (name, value), in the order received."""
        return list(self._pairs)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._by_name

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __repr__(self) -> str:  # names only: a value can be a signature, a cookie or a credential
        return f"<Headers {', '.join(name for name, _ in self._pairs)}>"


def _pairs(source: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, str]]:
    lines = source.items() if isinstance(source, Mapping) else source
    for name, value in lines:
        for one in value if isinstance(value, (list, tuple)) else (value,):
            yield _text(name), _text(one).strip(" \t")


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        raise FieldInvalid("a header is text")
    return value


@final
class Request(_Value):
    """One request, as received.

    ``body`` is the raw bytes (anything else is :class:`RawBodyRequired`); ``remote_addr`` is the socket's
    peer, not what a header claims; ``path`` and ``query`` are undecoded text without the ``?``.
    """

    __slots__ = ("body", "headers", "method", "path", "query", "remote_addr", "scheme")

    method: str
    headers: Headers
    body: bytes
    remote_addr: str | None
    scheme: str
    path: str
    query: str

    def __init__(
        self,
        method: str,
        headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | Headers,
        body: bytes,
        remote_addr: str | None = None,
        scheme: str = "https",
        path: str = "/",
        query: str = "",
    ) -> None:
        if type(body) is not bytes:
            raise RawBodyRequired
        _put(self, "method", method)
        _put(self, "headers", headers if isinstance(headers, Headers) else Headers(headers))
        _put(self, "body", body)
        _put(self, "remote_addr", remote_addr or None)
        _put(self, "scheme", scheme)
        _put(self, "path", path)
        _put(self, "query", query)

    @property
    def content_length(self) -> int | None:
        """The length that the head announces, in bytes; None where it announces none, or nonsense."""
        return _announced(self.headers.get("content-length"))

    def too_large(self, limit: int = MAX_BODY_BYTES) -> bool:
        """Whether the body is over ``limit`` bytes, announced or received. Such a body may not be here at all."""
        return len(self.body) > limit or (self.content_length or 0) > limit

    def form(self) -> list[tuple[str, str]]:
        """The fields of a URL-encoded body, in order, with duplicates and empty values; [] for an empty body.

        Strict where the standard parser guesses: another content type, more than 64 KiB or 100 fields, a
        field without ``=``, a broken ``%`` escape or text that is not UTF-8 is :class:`FormMalformed`.
        """
        kind = (self.headers.get("content-type") or "").partition(";")[0].strip().lower()
        if kind not in ("", "application/x-www-form-urlencoded"):
            raise FormMalformed("the form must be sent as application/x-www-form-urlencoded")
        return _fields(self.body)

    def query_fields(self) -> list[tuple[str, str]]:
        """The fields of the query string, under the rules of :meth:`form`."""
        return _fields(self.query.encode("latin-1", "replace"))

    @classmethod
    def from_wsgi(cls, environ: Mapping[str, Any]) -> Request:
        """The request of a WSGI server (PEP 3333). Reads at most 1 MiB and one byte; never more than was announced.

        A body that is announced as larger is not read at all: :meth:`too_large` is then true. A body shorter
        than announced is kept as it is (its tag will not match). A body that was announced and is not there
        was consumed by something in front of us: :class:`RawBodyRequired`.
        """
        return cls.head_of_wsgi(environ).with_body(wsgi_body(environ))

    @classmethod
    def head_of_wsgi(cls, environ: Mapping[str, Any]) -> Request:
        """The same with an empty body: nothing is read. See :func:`wsgi_body`."""
        return cls(
            method=environ.get("REQUEST_METHOD", "GET"),
            headers=Headers(_wsgi_headers(environ)),
            body=b"",
            remote_addr=environ.get("REMOTE_ADDR"),
            scheme=environ.get("wsgi.url_scheme", "http"),
            path=environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "") or "/",
            query=environ.get("QUERY_STRING", ""),
        )

    def with_body(self, body: bytes) -> Request:
        """This head with another body."""
        return Request(self.method, self.headers, body, self.remote_addr, self.scheme, self.path, self.query)

    def __repr__(self) -> str:  # the query can carry a callback's signature
        return f"<Request {self.method} {self.path} {len(self.body)} bytes>"


def _announced(text: str | None) -> int | None:
    # int() also takes "+5", "1_0" and other scripts' digits, on which servers in front of us may disagree
    return int(text) if text is not None and _LENGTH.fullmatch(text) else None


def _fields(raw: bytes) -> list[tuple[str, str]]:
    if not raw:
        return []
    if len(raw) > _FORM_BYTES or not raw.isascii():
        raise FormMalformed
    text = raw.decode("ascii")
    if _BAD_ESCAPE.search(text):
        raise FormMalformed
    from urllib.parse import parse_qsl  # not needed on the webhook path

    try:
        return parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=_FORM_FIELDS,
        )
    except ValueError:  # UnicodeDecodeError is one
        raise FormMalformed from None


def _wsgi_headers(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            yield key[5:].replace("_", "-").title(), str(value)
        elif key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield key.replace("_", "-").title(), str(value)


def wsgi_body(environ: Mapping[str, Any], limit: int = MAX_BODY_BYTES) -> bytes:
    """The body of a WSGI request: at most ``limit`` bytes, or one more where it is longer than that.

    See :meth:`Request.from_wsgi`.
    """
    announced = _announced(environ.get("CONTENT_LENGTH") or None)
    if announced is not None:
        if announced > limit:
            return b""
        body = _read(environ["wsgi.input"], announced)
        if announced and not body:
            raise RawBodyRequired(
                "the body was announced but is gone: something in front read it, or the sender hung up"
            )
        return body
    if environ.get("wsgi.input_terminated"):  # chunked, and the server promises an end
        return _read(environ["wsgi.input"], limit + 1)
    return b""  # without a length or that promise, reading could block for ever


def _read(stream: Any, wanted: int) -> bytes:
    """Up to ``wanted`` bytes: a stream may give fewer at a time than asked."""
    parts: list[bytes] = []
    while wanted > 0:
        part: bytes = stream.read(min(wanted, 65536))
        if not part:
            break
        parts.append(part[:wanted])
        wanted -= len(parts[-1])
    return b"".join(parts)


@final
class Reply(_Value):
    """One answer: the adapter sends ``status``, ``headers`` and ``body`` as they are.

    The security headers are added unless named. A header that could split the answer, and a status outside
    200 to 599, are :class:`FieldInvalid`.
    """

    __slots__ = ("body", "headers", "status")

    status: int
    headers: Headers
    body: bytes

    def __init__(
        self,
        status: int,
        headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | Headers = (),
        body: bytes = b"",
    ) -> None:
        if type(status) is not int or not 200 <= status <= 599:
            raise FieldInvalid("a reply's status is a number from 200 to 599")
        if type(body) is not bytes:
            raise RawBodyRequired("a reply's body is bytes")
        _put(self, "status", status)
        _put(self, "headers", _reply_headers(headers))
        _put(self, "body", body)

    @classmethod
    def json(cls, status: int, obj: object, **headers: str) -> Reply:
        """``obj`` as JSON. ``Retry_After="5"`` names the header ``Retry-After``."""
        import json

        body = json.dumps(obj, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode("ascii")
        return cls(status, [("Content-Type", "application/json"), *_named(headers)], body)

    @classmethod
    def text(cls, status: int, text: str, **headers: str) -> Reply:
        """Plain text in UTF-8. Header names as for :meth:`json`."""
        lines = [("Content-Type", "text/plain; charset=utf-8"), *_named(headers)]
        return cls(status, lines, text.encode("utf-8", "replace"))

    def to_wsgi(self, start_response: Any) -> list[bytes]:
        """Send this through a WSGI server."""
        from http.client import responses

        lines = [*self.headers.items(), ("Content-Length", str(len(self.body)))]
        start_response(f"{self.status} {responses.get(self.status, 'Status')}", lines)
        return [self.body]

    def __repr__(self) -> str:
        return f"<Reply {self.status} {len(self.body)} bytes>"


def _named(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name.replace("_", "-"), value) for name, value in headers.items()]


def _reply_headers(source: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | Headers) -> Headers:
    given = Headers(source)
    for name, value in given:
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise FieldInvalid("a reply's header is one line of Latin-1 text")
    return Headers([*given, *(line for line in SECURITY_HEADERS if line[0] not in given)])

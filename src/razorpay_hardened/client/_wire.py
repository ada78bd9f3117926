"""What a call looks like on the wire, the same for both transports: address, query, body, headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from razorpay_hardened._version import __version__
from razorpay_hardened.client._values import Call, File
from razorpay_hardened.signing.keys import Secret

__all__ = ["Wire", "user_agent", "wire"]

_PLAIN: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Wire:
    """One request. ``body`` is JSON text or a form's bytes, None where the method has none; no ``repr`` shows it."""

    method: str
    path: str
    params: Mapping[str, Any] | None
    body: str | bytes | None = field(repr=False)
    headers: dict[str, str]


@cache
def user_agent() -> str:
    """Ours, with the version of the SDK that we were tested with: asking for it reads the disk, so it is asked once."""
    from importlib.metadata import version

    return f"Razorpay-Python/{version('razorpay')} razorpay-hardened/{__version__}"


def wire(call: Call) -> Wire:
    """The request for ``call``."""
    operation = call.operation
    headers = {**_PLAIN, "User-Agent": user_agent(), **call.headers}
    if operation.raw:
        headers["Accept"] = "*/*"
    if call.key is not None and operation.key_header is not None:
        headers[operation.key_header] = call.key
    if operation.method == "GET":
        return Wire("GET", call.path, _query(call.data), None, headers)
    body, headers["Content-Type"] = _form(call.data, call.file) if call.file else (_json(call.data), "application/json")
    return Wire(operation.method, call.path, _query(call.params or {}), body, headers)


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(dict(data), allow_nan=False, default=_revealed)


def _revealed(value: object) -> str:
    """The text of a secret, which travels in its wrapper up to here, so that no other frame or ``repr`` shows it."""
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _query(params: Mapping[str, Any]) -> dict[str, Any] | None:
    """Booleans as Razorpay's filters take them: 1 and 0."""
    return {name: int(value) if isinstance(value, bool) else value for name, value in params.items()} or None


def _form(data: Mapping[str, Any], file: File) -> tuple[bytes, str]:
    """A multipart form: the fields, then the file under the name that Razorpay expects."""
    from urllib3.filepost import encode_multipart_formdata

    fields: list[Any] = [(name, str(value)) for name, value in data.items()]
    return encode_multipart_formdata([*fields, ("file", (file.name, file.content, file.media_type))])

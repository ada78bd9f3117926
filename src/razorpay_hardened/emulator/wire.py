"""What goes in and what comes out: one request, one reply, and Razorpay's error envelope (FACTS section 3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from razorpay_hardened.errors import ApiBadRequest, ApiError

__all__ = [
    "Act",
    "Call",
    "Entity",
    "Reply",
    "Request",
    "envelope",
    "json_bytes",
    "json_reply",
    "not_applicable",
    "refusal",
]

Entity = dict[str, Any]
"""An entity as Razorpay's JSON has it. Values inside it are replaced, never changed in place."""

Act = Literal["answer", "slow", "hang", "reset", "truncate"]


class Request(NamedTuple):
    """One call. ``path`` begins with ``/v1``; ``query`` is the raw text after ``?``; header names in any case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Call(NamedTuple):
    """A request past the door: the ids in its path, its query, its JSON body, its headers by lower-case name.

    ``as_of`` (milliseconds) is set where a stale read is wanted.
    """

    ids: tuple[str, ...]
    query: dict[str, list[str]]
    body: Entity
    headers: dict[str, str]
    as_of: int | None


class Reply(NamedTuple):
    """One answer, and what the transport does with it.

    ``act``: ``answer`` sends it; ``slow`` sends it after ``seconds``; ``hang`` sends nothing for ``seconds``;
    ``reset`` closes the connection at once; ``truncate`` announces the whole body and closes after ``keep`` bytes.
    """

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    act: Act = "answer"
    seconds: float = 0.0
    keep: int = 0

    def json(self) -> Any:
        """The body, parsed. Raises ``ValueError`` where it is not JSON."""
        return json.loads(self.body)


_encode = json.JSONEncoder(separators=(",", ":")).encode  # made once: ``json.dumps`` makes one for every call


def json_bytes(value: object) -> bytes:
    """``value`` as compact JSON in ASCII, its keys in their own order."""
    return _encode(value).encode("ascii")


def json_reply(value: object, status: int = 200) -> Reply:
    """``value`` as compact JSON."""
    return Reply(status, {"Content-Type": "application/json"}, json_bytes(value))


def refusal(
    description: str,
    *,
    field: str | None = None,
    reason: str = "input_validation_failed",
    step: str = "payment_initiation",
    source: str = "business",
    status: int = 400,
) -> ApiBadRequest:
    """A ``BAD_REQUEST_ERROR`` about what the business sent."""
    return ApiBadRequest(
        description,
        status=status,
        error_code="BAD_REQUEST_ERROR",
        description=description,
        field=field,
        source=source,
        step=step,
        reason=reason,
    )


def not_applicable(description: str, status: int = 400) -> ApiBadRequest:
    """A ``BAD_REQUEST_ERROR`` whose source, step and reason are the literal text ``NA``, as the docs print them."""
    return ApiBadRequest(
        description,
        status=status,
        error_code="BAD_REQUEST_ERROR",
        description=description,
        source="NA",
        step="NA",
        reason="NA",
    )


def envelope(error: ApiError) -> Reply:
    """The error as Razorpay answers it."""
    inner: Entity = {
        "code": error.error_code,
        "description": error.description,
        "source": error.source,
        "step": error.step,
        "reason": error.reason,
        "metadata": error.metadata,
    }
    if error.field is not None:
        inner["field"] = error.field
    return json_reply({"error": inner}, error.status or 400)

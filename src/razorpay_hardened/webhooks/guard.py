"""What is refused from the head of a request: before the tag is looked at, and without storing anything.

The order is the specification's: method, size, coding (FAULTS section 3 and rule 1).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from razorpay_hardened.web import Reply, Request

__all__ = ["Refusal", "event_id_in", "refuse"]

_EVENT_ID: Final = re.compile(r"[\x21-\x7e]{1,128}")


class Refusal(NamedTuple):
    """Why a request is not looked at any further, and what its sender is told."""

    reason: str
    reply: Reply


def refuse(request: Request, max_body_bytes: int) -> Refusal | None:
    """A refusal, or None for a request whose tag may be checked."""
    if request.method != "POST":
        return Refusal("MethodRefused", Reply(405, {"Allow": "POST"}))
    if request.too_large(max_body_bytes):
        return Refusal("PayloadTooLarge", Reply(413))
    coding = request.headers.get("content-encoding")
    if coding is not None and coding.lower() not in ("", "identity"):
        return Refusal("EncodingRefused", Reply(415))
    return None


def event_id_in(request: Request) -> str | None:
    """Razorpay's event id: not signed, so a hint. An odd one, or two of them, count as none (FAULTS rule 15)."""
    values = request.headers.get_all("x-razorpay-event-id")
    if len(values) != 1 or not _EVENT_ID.fullmatch(values[0]):
        return None
    return values[0]

"""What is checked before anything is sent: the limits of FACTS section 1 and 13, as FieldInvalid."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from razorpay_hardened.clock import to_unix
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.ports.gateway import Moment

__all__ = [
    "check_count",
    "check_cursor",
    "check_key",
    "check_moment",
    "check_notes",
    "check_path",
    "check_receipt",
    "check_skip",
    "check_speed",
    "window",
]

_KEY = re.compile(r"[A-Za-z0-9_-]{10,255}", re.ASCII)
"""At least ten characters (FACTS section 7.1); no maximum is stated, and ours only keeps headers short."""
_PATH = re.compile(r"/v[12](?:/[A-Za-z0-9_-]+)+/?", re.ASCII)
_CURSOR = re.compile(r"skip:(\d{1,9})", re.ASCII)
_FROM_MIN: Final = 946_684_800
_TO_MAX: Final = 4_765_046_400
RECEIPT_MAX: Final = 40
NOTES_MAX: Final = 15
NOTE_MAX: Final = 256
COUNT_MAX: Final = 100


def check_key(key: str) -> str:
    """An idempotency key that Razorpay takes."""
    if type(key) is not str or not _KEY.fullmatch(key):
        raise FieldInvalid("an idempotency key must be 10 or more letters, digits, underscores and hyphens")
    return key


def check_receipt(receipt: str) -> str:
    """A receipt of 1 to 40 characters."""
    if type(receipt) is not str or not 1 <= len(receipt) <= RECEIPT_MAX or not receipt.isprintable():
        raise FieldInvalid(f"a receipt must be 1 to {RECEIPT_MAX} printable characters")
    return receipt


def check_notes(notes: object) -> dict[str, str]:
    """At most 15 pairs of text, 256 characters each; as a dict of our own."""
    if not isinstance(notes, Mapping) or len(notes) > NOTES_MAX:
        raise FieldInvalid(f"notes must be a mapping of at most {NOTES_MAX} pairs")
    for name, value in notes.items():
        if type(name) is not str or type(value) is not str or max(len(name), len(value)) > NOTE_MAX:
            raise FieldInvalid(f"each note must be text of at most {NOTE_MAX} characters, and so must its name")
    return dict(notes)


def check_speed(speed: str) -> str:
    """``normal`` or ``optimum``."""
    if speed not in ("normal", "optimum"):
        raise FieldInvalid("the speed of a refund must be 'normal' or 'optimum'")
    return speed


def check_count(count: int) -> int:
    """Items of a page: 1 to 100."""
    if type(count) is not int or not 1 <= count <= COUNT_MAX:
        raise FieldInvalid(f"count must be an int from 1 to {COUNT_MAX}")
    return count


def check_skip(skip: int) -> int:
    """Items to pass over: 0 or more."""
    if type(skip) is not int or not 0 <= skip < 2**31:
        raise FieldInvalid("skip must be an int from 0 up")
    return skip


def check_cursor(cursor: str) -> int:
    """Where an earlier walk had come to, from its ``cursor``."""
    found = _CURSOR.fullmatch(cursor) if type(cursor) is str else None
    if found is None:
        raise FieldInvalid("a cursor must be the cursor of an earlier walk over the same listing")
    return check_skip(int(found[1]))


def check_path(path: str) -> str:
    """The path of a free request: ``/v1/…`` or ``/v2/…``, plain segments only, so that it cannot become another one."""
    if type(path) is not str or not _PATH.fullmatch(path) or len(path) > 512:
        raise FieldInvalid("a path must be /v1/… or /v2/… with plain segments; give a query as params")
    return path


def window(from_: Moment | None, to: Moment | None) -> dict[str, Any]:
    """The query fields ``from`` and ``to``, in Unix seconds."""
    found = {name: check_moment(name, value) for name, value in (("from", from_), ("to", to)) if value is not None}
    if len(found) == 2 and found["from"] > found["to"]:
        raise FieldInvalid("from_ must not be after to")
    return found


def check_moment(name: str, value: Moment) -> int:
    """Unix seconds, from an aware datetime or Unix seconds, within Razorpay's range (FACTS section 1)."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise FieldInvalid(f"{name} must be an aware datetime: without a zone it would be a guess")
        value = to_unix(value)
    if type(value) is not int or not _FROM_MIN <= value <= _TO_MAX:
        raise FieldInvalid(f"{name} must be a time between {_FROM_MIN} and {_TO_MAX} in Unix seconds")
    return value

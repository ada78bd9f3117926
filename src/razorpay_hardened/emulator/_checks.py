"""What Razorpay refuses, in its own published words where there are any.

A text that is in no source we could read says so in a comment; nobody should match on it, and the library does not.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Any

from razorpay_hardened.domain.money import EXPONENTS
from razorpay_hardened.emulator.wire import Entity, refusal

__all__ = [
    "THREE_DECIMALS",
    "TIME_MAX",
    "TIME_MIN",
    "amount_in",
    "choice_in",
    "currency_in",
    "flag_in",
    "indian_date",
    "known_fields",
    "minimum",
    "notes_in",
    "number_in",
    "object_in",
    "receipt_in",
    "text_in",
    "time_in",
    "whole_in",
]

THREE_DECIMALS = ("KWD", "BHD", "OMR")
"""Whose last digit must be 0; for IQD, JOD and TND that is UNCONFIRMED (FACTS section 2)."""
TIME_MIN, TIME_MAX = 946_684_800, 4_765_046_400  # FACTS section 1
_RECEIPT_MAX = 40
_NOTES_MAX, _NOTE_MAX = 15, 256


def known_fields(sent: Collection[str], allowed: Collection[str]) -> None:
    """Refuse fields that Razorpay does not know."""
    extra = [field for field in sent if field not in allowed]
    if extra:
        raise refusal(f"{', '.join(extra)} is/are not required and should not be sent", reason="extra_field_sent")


def amount_in(body: Entity, *, missing: str = "The amount field is required.") -> int:
    """``amount`` as subunits. Whole numbers in a string pass, as in Razorpay's own refund examples."""
    value = body.get("amount")
    if value is None:
        raise refusal(missing, field="amount")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        value = int(value)
    if type(value) is not int:  # a bool is not an amount
        raise refusal("The amount must be an integer.", field="amount")
    return value


def minimum(currency: str) -> int:
    """One unit of the currency: published for INR, MYR and USD only (FACTS section 2)."""
    return int(10 ** EXPONENTS[currency])


def currency_in(body: Entity) -> str:
    """``currency``, one that Razorpay lists."""
    value = body.get("currency")
    if value is None:
        raise refusal("The currency field is required", field="currency")
    if not isinstance(value, str):
        raise refusal(f"expected string but provided {value}", field="currency")
    if value not in EXPONENTS:
        raise refusal("The selected currency is invalid", field="currency")  # text: published for other fields
    return value


def receipt_in(body: Entity) -> str | None:
    """``receipt``: at most 40 characters, or None."""
    value = body.get("receipt")
    if value is None:
        return None
    if not isinstance(value, str):
        raise refusal(f"expected string but provided {value}", field="receipt")
    if len(value) > _RECEIPT_MAX:  # text: not published
        raise refusal(f"The receipt may not be greater than {_RECEIPT_MAX} characters.", field="receipt")
    return value


def notes_in(body: Entity) -> Entity | list[Any]:
    """``notes`` as Razorpay gives them back: an object, or ``[]`` when there are none (FACTS section 1)."""
    value = body.get("notes")
    if not value and value in (None, [], {}):
        return []
    if not isinstance(value, dict):
        raise refusal("The notes must be an array.", field="notes")  # text: not published
    if len(value) > _NOTES_MAX:  # text: not published
        raise refusal(f"The notes may not have more than {_NOTES_MAX} items.", field="notes")
    if any(len(str(note)) > _NOTE_MAX for note in value.values()):  # text: not published
        raise refusal(f"The notes may not be greater than {_NOTE_MAX} characters.", field="notes")
    return dict(value)


def flag_in(body: Entity, field: str, default: bool = False) -> bool:
    """A yes or no: true, 1 or "1"; the opposites are no."""
    value = body.get(field, default)
    if value in (True, 1, "1", "true"):
        return True
    if value in (False, 0, "0", "false", None):
        return False
    raise refusal(f"The {field} field must be true or false.", field=field)  # text: not published


def text_in(body: Entity, field: str, longest: int, *, needed: bool = False, shortest: int = 0) -> str | None:
    """Text of a bounded length, or None. How lengths are refused is not published."""
    value = body.get(field)
    if value is None:
        if needed:
            raise refusal(f"The {field} field is required", field=field)
        return None
    if not isinstance(value, str):
        raise refusal(f"expected string but provided {value}", field=field)
    if len(value) > longest:
        raise refusal(f"The {field} may not be greater than {longest} characters.", field=field)
    if len(value) < shortest:
        raise refusal(f"The {field} must be at least {shortest} characters.", field=field)
    return value


def time_in(body: Entity, field: str) -> int | None:
    """Unix seconds within Razorpay's range, or None."""
    value = body.get(field)
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
        value = int(value)
    if type(value) is not int:
        raise refusal(f"The {field} must be an integer.", field=field)
    if not TIME_MIN <= value <= TIME_MAX:
        raise refusal(f"{field} must be between {TIME_MIN} and {TIME_MAX}", field=field)
    return value


def whole_in(body: Entity, field: str, default: int | None = None, *, least: int = 1) -> int:
    """A whole number, at least ``least``; required where there is no default. Its texts are not published."""
    value = body.get(field, default)
    if value is None:
        raise refusal(f"The {field} field is required", field=field)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        value = int(value)
    if type(value) is not int:
        raise refusal(f"The {field} must be an integer.", field=field)
    if value < least:
        raise refusal(f"The {field.replace('_', ' ')} must be at least {least}.", field=field)
    return value


def choice_in(body: Entity, field: str, choices: Collection[str], default: str | None = None) -> str:
    """One of ``choices``; required where there is no default."""
    value = body.get(field, default)
    if value is None:
        raise refusal(f"The {field} field is required", field=field)
    if value not in choices:
        raise refusal(f"The selected {field} is invalid", field=field)
    return str(value)


def object_in(body: Entity, field: str) -> Entity:
    """A nested object; an absent one is empty."""
    value = body.get(field)
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise refusal(f"The {field} must be an array.", field=field)  # text: not published
    return value


def indian_date(unix: int) -> date:
    """The day in India."""
    return (datetime.fromtimestamp(unix, UTC) + timedelta(seconds=19_800)).date()


def number_in(query: dict[str, list[str]], field: str, default: int) -> int:
    """A whole number in the query string."""
    text = query.get(field, [str(default)])[-1]
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 12):
        raise refusal(f"The {field} must be an integer.", field=field)
    return int(text)

"""Request bodies: only what was said goes out, and each value is checked before it does.

Razorpay refuses fields that it does not expect (FACTS section 1). None is "not said": every check lets it pass and
``said`` leaves it out, so that a body reads like the list of its fields. No message repeats the value.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from razorpay_hardened.client._checks import check_moment
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import AmountError, CurrencyError, FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.ports.gateway import Moment

__all__ = [
    "changed",
    "choice",
    "each",
    "flag",
    "medium",
    "moment",
    "object_of",
    "payable",
    "priced",
    "rupees",
    "said",
    "text",
    "whole",
]

DESCRIPTION_MAX: Final = 2048
"""Characters of descriptions, terms and comments (FACTS section 1)."""


def said(
    fields: Mapping[str, Any], extra: Mapping[str, Any] | None = None, *, needs: Collection[str] = ()
) -> dict[str, Any]:
    """The fields that were said, ``needs`` among them; then ``extra``: fields that have no parameter here, as JSON.

    ``extra`` never replaces a field that has one: that would pass its check by.
    """
    missing = [name for name in needs if fields[name] is None]
    if missing:
        raise FieldInvalid(f"{' and '.join(missing)} must be given")
    body = {name: value for name, value in fields.items() if value is not None}
    more = object_of("extra", extra) or {}
    if any(name in fields for name in more):
        raise FieldInvalid("extra must not hold a field that has a parameter of its own")
    return {**body, **more}


def changed(fields: Mapping[str, Any], extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """As ``said``, for an edit: at least one change."""
    body = said(fields, extra)
    if not body:
        raise FieldInvalid("give at least one change")
    return body


def text(name: str, value: str | None, longest: int = DESCRIPTION_MAX, *, shortest: int = 1) -> str | None:
    """Text of a bounded length."""
    if value is not None and (type(value) is not str or not shortest <= len(value) <= longest):
        raise FieldInvalid(f"{name} must be text of {shortest} to {longest} characters")
    return value


def whole(name: str, value: int | None, least: int = 1) -> int | None:
    """A count."""
    if value is not None and (type(value) is not int or not least <= value < 2**31):
        raise FieldInvalid(f"{name} must be an int from {least} up")
    return value


def flag(name: str, value: bool | None) -> bool | None:
    """True or False, and nothing that is only like it."""
    if value is not None and type(value) is not bool:
        raise FieldInvalid(f"{name} must be True or False")
    return value


def choice(name: str, value: str | None, choices: Collection[str]) -> str | None:
    """One of a closed, documented set."""
    if value is not None and (type(value) is not str or value not in choices):
        raise FieldInvalid(f"{name} must be one of {', '.join(choices)}")
    return value


def medium(value: str) -> str:
    """How Razorpay sends a message."""
    if type(value) is not str or value not in ("sms", "email"):
        raise FieldInvalid("the medium must be 'sms' or 'email'")
    return value


def moment(name: str, value: Moment | None) -> int | None:
    """Unix seconds."""
    return None if value is None else check_moment(name, value)


def payable(name: str, amount: Money) -> Money:
    """An amount that can be charged: see :meth:`Money.require_payable`."""
    if not isinstance(amount, Money):
        raise AmountError(f"{name} must be Money, such as Money.inr('499.00')")
    return amount.require_payable()


def rupees(name: str, amount: Money | None) -> int | None:
    """Subunits of rupees, where the endpoint has no field for a currency."""
    if amount is None:
        return None
    if payable(name, amount).currency != "INR":
        raise CurrencyError(f"{name} must be in rupees: Razorpay takes no currency here")
    return amount.subunits


def object_of(name: str, value: object) -> dict[str, Any] | None:
    """A nested object of plain JSON, as a dict of our own."""
    if value is None:
        return None
    if not isinstance(value, Mapping) or not all(type(key) is str for key in value):
        raise FieldInvalid(f"{name} must be a mapping with text for keys")
    try:
        json.dumps(dict(value), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise FieldInvalid(f"{name} is not JSON ({type(error).__name__})") from None
    return dict(value)


def each(name: str, values: object, most: int | None = None) -> list[Mapping[str, Any]]:
    """The objects of a list; none is an empty one."""
    if values is None:
        return []
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise FieldInvalid(f"{name} must be a list")
    if most is not None and len(values) > most:
        raise FieldInvalid(f"{name} must hold at most {most}")
    if not all(isinstance(value, Mapping) for value in values):
        raise FieldInvalid(f"each of {name} must be a mapping")
    return list(values)


def priced(name: str, item: Mapping[str, Any], *, needs: Collection[str] = ("name", "amount")) -> dict[str, Any]:
    """A nested thing with a price: its ``amount`` is Money, and goes out as subunits and a currency.

    ``name`` and ``description`` are checked; fields that are not known here are sent as they are.
    """
    if not isinstance(item, Mapping):
        raise FieldInvalid(f"{name} must be a mapping")
    if any(item.get(field) is None for field in needs):
        raise FieldInvalid(f"{name} needs {' and '.join(needs)}")
    if "currency" in item:
        raise FieldInvalid(f"{name} must have no currency: its amount is Money, which has one")
    sent = said(object_of(name, {field: value for field, value in item.items() if field != "amount"}) or {})
    text(f"{name}.name", sent.get("name"))
    text(f"{name}.description", sent.get("description"))
    amount = item.get("amount")
    if amount is None:
        return sent
    price = payable(f"the amount of {name}", amount)
    return {**sent, "amount": price.subunits, "currency": price.currency}

"""Card numbers and their codes, account numbers, one-time passwords: sealed as soon as they come in.

They are given as text, or as a :class:`Secret`, and stay in that wrapper until the request is written: no ``repr``, no
error and no frame of ours shows one (FAULTS P6), and a refusal that repeats one is cleaned of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from razorpay_hardened.client.resources._body import flag, object_of, said, text
from razorpay_hardened.errors import FieldInvalid
from razorpay_hardened.signing.keys import Secret, as_secret

__all__ = ["account_number", "bank_account", "card", "card_number", "ifsc", "one_time_password", "sealed"]

_CARD_NUMBER = re.compile(r"[0-9]{12,19}", re.ASCII)
_CVV = re.compile(r"[0-9]{3,4}", re.ASCII)
_OTP = re.compile(r"[0-9]{1,10}", re.ASCII)
_ACCOUNT_NUMBER = re.compile(r"[A-Za-z0-9]{5,35}", re.ASCII)
_ANY = re.compile(r"[!-~]{1,4096}", re.ASCII)
_IFSC = re.compile(r"[A-Z]{4}0[A-Z0-9]{6}", re.ASCII)
_MONTH = re.compile(r"0?[1-9]|1[0-2]", re.ASCII)
_YEAR = re.compile(r"[0-9]{2}|[0-9]{4}", re.ASCII)
NAME_MAX: Final = 255


def sealed(name: str, value: str | Secret | None, form: re.Pattern[str] = _ANY, told: str = "text") -> Secret | None:
    """The value in its wrapper, if it has the form; None was not said. The message never repeats it."""
    if value is None:
        return None
    plain = value.reveal() if isinstance(value, Secret) else value
    if type(plain) is not str or form.fullmatch(plain) is None:
        raise FieldInvalid(f"{name} must be {told}")
    return as_secret(value, name=name)


def card_number(value: str | Secret | None, name: str = "the card's number") -> Secret | None:
    """A card's number, or that of its token. Whether it exists is the network's to say: test cards fail any sum."""
    return sealed(name, value, _CARD_NUMBER, "text of 12 to 19 digits, without spaces")


def account_number(value: str | Secret | None, name: str = "account_number") -> Secret | None:
    """A bank account's number."""
    return sealed(name, value, _ACCOUNT_NUMBER, "text of 5 to 35 letters and digits")


def one_time_password(value: str | Secret) -> Secret | None:
    """What the bank sent to the customer: digits (FACTS section 12)."""
    return sealed("the one-time password", value, _OTP, "text of 1 to 10 digits")


def ifsc(name: str, value: str | None) -> str | None:
    """The code of a bank's branch."""
    if value is not None and (type(value) is not str or not _IFSC.fullmatch(value)):
        raise FieldInvalid(f"{name} must be four capital letters, a zero, and six capital letters or digits")
    return value


def card(value: Mapping[str, Any] | None, *, needs: Collection[str] = ()) -> dict[str, Any] | None:
    """A card to pay with, as it goes out: ``number``, ``cvv`` and ``cryptogram_value`` are sealed.

    ``expiry_month`` and ``expiry_year`` (two digits or four) are ints or text, as Razorpay takes both. Other fields are
    sent as they are.
    """
    if value is None:
        return None
    given = _mapping("card", value, needs)
    number, cvv, cryptogram = (given.pop(name, None) for name in ("number", "cvv", "cryptogram_value"))
    text("the card's name", given.get("name"), NAME_MAX)
    flag("the card's tokenised", given.get("tokenised"))
    for name, form, wanted in (("expiry_month", _MONTH, "1 to 12"), ("expiry_year", _YEAR, "two digits or four")):
        if given.get(name) is not None and not _is_number(given[name], form):
            raise FieldInvalid(f"the card's {name} must be {wanted}, as an int or text")
    secret = {
        "number": card_number(number),
        "cvv": sealed("the card's cvv", cvv, _CVV, "text of 3 or 4 digits"),
        "cryptogram_value": sealed("the card's cryptogram_value", cryptogram),
    }
    return {**said(secret), **said(object_of("card", given) or {})}


def bank_account(
    name: str, value: Mapping[str, Any] | None, *, needs: Collection[str] = ("account_number",)
) -> dict[str, Any] | None:
    """A bank account, as it goes out: its number is sealed. Other fields are sent as they are."""
    if value is None:
        return None
    given = _mapping(name, value, needs)
    number = account_number(given.pop("account_number", None), f"{name}.account_number")
    for field in ("ifsc", "ifsc_code"):
        ifsc(f"{name}.{field}", given.get(field))
    for field in ("name", "beneficiary_name"):
        text(f"{name}.{field}", given.get(field), NAME_MAX)
    return {**said({"account_number": number}), **said(object_of(name, given) or {})}


def _mapping(name: str, value: Mapping[str, Any], needs: Collection[str]) -> dict[str, Any]:
    """A copy of the mapping, with what it needs."""
    if not isinstance(value, Mapping):
        raise FieldInvalid(f"{name} must be a mapping")
    if any(value.get(field) is None for field in needs):
        raise FieldInvalid(f"{name} needs {', '.join(needs)}")
    return dict(value)


def _is_number(value: object, form: re.Pattern[str]) -> bool:
    return type(value) in (int, str) and form.fullmatch(str(value)) is not None

"""From pydantic's findings to our errors: where the fault is, never what the value was (property P6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.errors import CurrencyError, IdMalformed, PayloadInvalid

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["invalid"]

_SHOWN = 5
_OURS: dict[str, type[IdMalformed] | type[CurrencyError]] = {
    "id_malformed": IdMalformed,
    "currency_refused": CurrencyError,
}


def invalid(error: ValidationError) -> PayloadInvalid | IdMalformed | CurrencyError:
    """The error to raise in place of ``error``, ``from None``: pydantic's own text holds the values.

    :class:`IdMalformed` or :class:`CurrencyError` when nothing else is wrong, else :class:`PayloadInvalid`.
    Only declared field names and list positions are named; keys that the sender chose are not.
    """
    findings = error.errors(include_url=False, include_context=False, include_input=False)
    kinds = {finding["type"] for finding in findings}
    places = [".".join(str(part) for part in finding["loc"]) or "body" for finding in findings]
    named = ", ".join(f"{place[:80]} ({finding['type']})" for place, finding in zip(places, findings, strict=True))
    if len(findings) > _SHOWN:
        named = ", ".join(places[:_SHOWN])[:400] + f" and {len(findings) - _SHOWN} more"
    ours = _OURS.get(next(iter(kinds))) if len(kinds) == 1 else None
    return (ours or PayloadInvalid)(f"missing or unusable: {named}")

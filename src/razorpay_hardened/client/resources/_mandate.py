"""What a customer is asked to allow: the ``token`` of an order, the ``subscription_registration`` of a link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from razorpay_hardened.client._checks import check_moment, check_notes
from razorpay_hardened.client.resources._body import object_of, payable, said
from razorpay_hardened.client.resources._sealed import bank_account
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import AmountError, CurrencyMismatch, FieldInvalid

__all__ = ["FREE", "asked", "mandate"]

FREE = frozenset({"emandate", "nach"})
"""Methods by which a mandate is registered for nothing: the amount is 0 (API reference, recurring payments)."""

_AMOUNTS = ("max_amount", "first_payment_amount")


def asked(amount: Money, *, free: bool) -> Money:
    """The amount of an order or a link: one that can be charged; or none, where a mandate is registered for nothing."""
    return amount if free and amount == Money(0) else payable("amount", amount)


def mandate(name: str, value: Mapping[str, Any] | None, currency: str) -> dict[str, Any] | None:
    """The mandate, as it goes out.

    ``max_amount`` and ``first_payment_amount`` are Money in the ``currency`` of the amount beside them, ``expire_at``
    is a time, and the number of a ``bank_account`` is sealed. The other fields (``frequency``, ``auth_type``, ``nach``
    …) differ by method and are sent as they are.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise FieldInvalid(f"{name} must be a mapping")
    given = dict(value)
    amounts = {field: _subunits(f"{name}.{field}", given.pop(field, None), currency) for field in _AMOUNTS}
    expires, notes, account = (given.pop(field, None) for field in ("expire_at", "notes", "bank_account"))
    checked = {
        **amounts,
        "expire_at": None if expires is None else check_moment(f"{name}.expire_at", expires),
        "notes": None if notes is None else check_notes(notes),
        "bank_account": bank_account(f"{name}.bank_account", account),
    }
    return {**said(object_of(name, given) or {}), **said(checked)}


def _subunits(name: str, amount: Money | None, currency: str) -> int | None:
    if amount is None:
        return None
    if not isinstance(amount, Money):
        raise AmountError(f"{name} must be Money, such as Money.inr('499.00')")
    if amount.currency != currency:
        raise CurrencyMismatch(f"{name} must be in the currency of the amount")
    return amount.subunits

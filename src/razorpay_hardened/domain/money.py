"""Money: an exact number of subunits and its currency.

Razorpay's amounts are integers in the smallest unit; the number of decimals depends on the currency, and in
three-decimal currencies the last digit must be 0 (FACTS section 2). Floats never enter: of the paise amounts
from 1 to 999,999, ``int(rupees * 100)`` gets 65,624 wrong.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any, NoReturn

from razorpay_hardened.errors import AmountError, CurrencyError, CurrencyMismatch

__all__ = ["AMOUNT_MAX", "EXPONENTS", "Money", "check_currency", "check_subunits"]

AMOUNT_MAX = 10**15
"""The most subunits we accept: a million crore rupees, and far inside a 64-bit integer after any sum."""

_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_TWO = (
    "AED ALL AMD AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BZD CAD CHF CNY COP CRC CUP CVE CZK DKK "
    "DOP DZD EGP ETB EUR FJD GBP GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR JMD KES KGS KHR KYD KZT LAK "
    "LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PEN PGK PHP PKR PLN "
    "QAR RON RSD RUB SAR SCR SEK SGD SLL SOS SVC SZL THB TRY TTD TWD TZS UAH USD UYU UZS XCD YER ZAR ZMW"
)
_THREE = "BHD IQD JOD KWD OMR TND"

EXPONENTS: dict[str, int] = {
    **dict.fromkeys(_ZERO.split(), 0),
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_THREE.split(), 3),
}
"""Decimals per currency, exactly as Razorpay lists them (FACTS section 2)."""

# Our own, because an application may have set a context that rounds, and money is never rounded.
_CONTEXT = Context(prec=40, traps=[Inexact, InvalidOperation])

_DECIMAL_TEXT = re.compile(r"-?[0-9]{1,16}(?:\.[0-9]{1,6})?", re.ASCII)


def check_currency(code: object) -> str:
    """The code itself, if Razorpay takes it. ``inr``, ``"INR "`` and ``356`` are :class:`CurrencyError`."""
    if type(code) is not str or code not in EXPONENTS:
        raise CurrencyError("the currency must be a three-letter upper-case code that Razorpay takes, such as 'INR'")
    return code


def check_subunits(amount: object) -> int:
    """The amount itself, if it is a plain ``int`` from 0 to ``AMOUNT_MAX``; else :class:`AmountError`."""
    if type(amount) is not int:  # bool, float, str and numpy integers all fail here
        raise AmountError(
            f"an amount in subunits must be an int, not {type(amount).__name__}; for rupees use Money.inr('499.00')"
        )
    if not 0 <= amount <= AMOUNT_MAX:
        raise AmountError(f"an amount must be between 0 and {AMOUNT_MAX} subunits")
    return amount


class Money:
    """An amount of money: ``Money(49900, "INR")`` is 499 rupees.

    ``Money(subunits, currency)`` takes an ``int``; :meth:`inr` and :meth:`of` take a decimal, exactly.
    Immutable, hashable, ordered within one currency. Raises :class:`AmountError`, :class:`CurrencyError`;
    mixing currencies raises :class:`CurrencyMismatch`.
    """

    __slots__ = ("_currency", "_subunits")
    _currency: str
    _subunits: int

    def __init__(self, subunits: int, currency: str = "INR") -> None:
        object.__setattr__(self, "_currency", check_currency(currency))
        object.__setattr__(self, "_subunits", check_subunits(subunits))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("Money cannot be changed; make a new one")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("Money cannot be changed; make a new one")

    @classmethod
    def inr(cls, rupees: str | Decimal | int) -> Money:
        """Rupees as text or ``Decimal``: ``Money.inr("499.00")``. More than two decimals is :class:`AmountError`."""
        return cls.of(rupees, "INR")

    @classmethod
    def of(cls, amount: str | Decimal | int, currency: str) -> Money:
        """A decimal amount in major units, exactly: ``Money.of("4.990", "KWD")`` is 4990 subunits.

        Refused (:class:`AmountError`): floats, signs below zero, exponents, more decimals than the currency has,
        and a third decimal other than 0 in a three-decimal currency.
        """
        exponent = EXPONENTS[check_currency(currency)]
        try:
            subunits = int(_exact(amount).scaleb(exponent, _CONTEXT).to_integral_exact(context=_CONTEXT))
        except (Inexact, InvalidOperation):
            raise AmountError(
                f"{currency} has {exponent} decimals; the amount has more, and is never rounded"
            ) from None
        if exponent == 3 and subunits % 10:
            raise AmountError(f"the last of the three decimals of {currency} must be 0")
        return cls(subunits, currency)

    @property
    def subunits(self) -> int:
        """The amount in the smallest unit: paise for INR."""
        return self._subunits

    @property
    def currency(self) -> str:
        """The three-letter code."""
        return self._currency

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exactly."""
        return Decimal(f"{self._subunits}E-{EXPONENTS[self._currency]}")  # scaleb() would round by the caller's context

    def require_positive(self) -> Money:
        """Itself, or :class:`AmountError` for zero: orders and refunds move money."""
        if self._subunits == 0:
            raise AmountError("the amount must be more than zero")
        return self

    def require_payable(self) -> Money:
        """Itself, if it can be charged: positive, and a multiple of ten in three-decimal currencies."""
        if EXPONENTS[self._currency] == 3 and self._subunits % 10:
            raise AmountError(f"the last of the three decimals of {self._currency} must be 0")
        return self.require_positive()

    def _other(self, other: Money) -> int:
        if other._currency != self._currency:
            raise CurrencyMismatch(f"{self._currency} and {other._currency} do not mix")
        return other._subunits

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self._subunits + self._other(other), self._currency)

    def __sub__(self, other: Money) -> Money:
        """The difference; below zero is :class:`AmountError`, because no amount here may be negative."""
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self._subunits - self._other(other), self._currency)

    def __lt__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self._subunits < self._other(other)

    def __le__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self._subunits <= self._other(other)

    def __gt__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self._subunits > self._other(other)

    def __ge__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self._subunits >= self._other(other)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return (self._subunits, self._currency) == (other._subunits, other._currency)

    def __hash__(self) -> int:
        return hash((self._subunits, self._currency))

    def __bool__(self) -> bool:
        return self._subunits != 0

    def __reduce__(self) -> tuple[Any, ...]:
        return (Money, (self._subunits, self._currency))

    def __repr__(self) -> str:
        return f"Money({self._subunits}, {self._currency!r})"

    def __str__(self) -> str:
        return f"{self._currency} {self.decimal:,.{EXPONENTS[self._currency]}f}"


def _exact(amount: object) -> Decimal:
    """A finite, non-negative ``Decimal`` from an int, a Decimal or plain ASCII decimal text."""
    if type(amount) is int:
        value = Decimal(amount)
    elif isinstance(amount, Decimal):
        value = amount
    elif type(amount) is str and _DECIMAL_TEXT.fullmatch(amount):
        value = Decimal(amount)
    else:
        raise AmountError("give the amount as plain decimal text or a Decimal, such as '499.00'; never as a float")
    if not value.is_finite() or value.is_signed() or value > AMOUNT_MAX:
        raise AmountError("the amount must be a finite number from zero up")
    return value

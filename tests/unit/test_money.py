"""Money: exact, of one currency, never a float (FAULTS rule 8, section 7 "Amounts and currencies")."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened.domain.money import AMOUNT_MAX, EXPONENTS, Money, check_currency, check_subunits
from razorpay_hardened.errors import AmountError, CurrencyError, CurrencyMismatch

SUBUNITS = st.integers(0, AMOUNT_MAX)
CURRENCIES = st.sampled_from(sorted(EXPONENTS))


class Integral(int):
    """A subclass of int: what arithmetic does with it is not ours to know."""


class Int64:
    """An integer as numpy has it: it overflows silently."""

    def __index__(self) -> int:
        return 100

    __int__ = __index__


BAD_SUBUNITS = [
    100.0,
    299.35,
    True,
    False,
    "100",
    "१००",
    None,
    -1,
    AMOUNT_MAX + 1,
    2**63,
    Integral(100),
    Int64(),
    Decimal(100),
]


@pytest.mark.parametrize("amount", BAD_SUBUNITS, ids=lambda amount: type(amount).__name__)
def test_bad_subunits(amount):
    """Subunits are a plain int from zero to the limit, and nothing that merely resembles one."""
    with pytest.raises(AmountError):
        Money(amount, "INR")
    with pytest.raises(AmountError):
        check_subunits(amount)


@pytest.mark.parametrize("amount", [0, 1, AMOUNT_MAX])
def test_subunits_at_the_limits(amount):
    """Zero and the limit itself are held."""
    assert Money(amount).subunits == check_subunits(amount) == amount
    assert Money(amount).currency == check_currency("INR") == "INR"


@pytest.mark.parametrize("code", ["inr", "INR ", "ＩＮＲ", "ZZZ", "", None, 356, b"INR", ["INR"], "IN"])
def test_bad_currencies(code):
    """A currency is one of Razorpay's upper-case codes."""
    with pytest.raises(CurrencyError):
        Money(100, code)
    with pytest.raises(CurrencyError):
        Money.of("1.00", code)
    with pytest.raises(CurrencyError):
        check_currency(code)


@pytest.mark.parametrize(
    ("amount", "currency", "subunits"),
    [
        (Decimal("1.10"), "INR", 110),
        ("499.00", "INR", 49900),
        ("499", "INR", 49900),
        (499, "INR", 49900),
        ("0", "INR", 0),
        ("0.01", "INR", 1),
        ("1.1000", "INR", 110),
        (Decimal("1E+2"), "INR", 10000),
        (Decimal("99.990"), "KWD", 99990),
        ("4.990", "KWD", 4990),
        ("4.99", "KWD", 4990),
        ("295", "JPY", 295),
        ("295.0", "JPY", 295),
        (str(AMOUNT_MAX // 100), "INR", AMOUNT_MAX),
    ],
)
def test_decimal_amounts(amount, currency, subunits):
    """A decimal amount becomes exactly its subunits, by the decimals of its currency (FACTS section 2)."""
    assert Money.of(amount, currency) == Money(subunits, currency)
    if currency == "INR":
        assert Money.inr(amount) == Money(subunits)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        (Decimal("10.001"), "INR"),
        (Decimal("99.5"), "JPY"),
        (Decimal("99.991"), "KWD"),
        ("4.9901", "KWD"),
        (Decimal("Infinity"), "INR"),
        (Decimal("-Infinity"), "INR"),
        (Decimal("NaN"), "INR"),
        (Decimal("sNaN"), "INR"),
        (Decimal("-0.00"), "INR"),
        (Decimal("-1"), "INR"),
        (-1, "INR"),
        ("-1", "INR"),
        ("-0", "INR"),
        (299.35, "INR"),
        (True, "INR"),
        (None, "INR"),
        (b"1.00", "INR"),
        ("1e2", "INR"),
        ("1_000", "INR"),
        ("1,000.00", "INR"),
        (" 1.00", "INR"),
        ("1.00\n", "INR"),
        ("+1", "INR"),
        (".5", "INR"),
        ("5.", "INR"),
        ("१००", "INR"),
        ("₹100", "INR"),
        ("", "INR"),
        ("NaN", "INR"),
        ("1" * 17, "INR"),
        ("1" * 5000, "INR"),
        (10**5000, "INR"),
        (Decimal("1." + "0" * 60 + "1"), "INR"),
        (Decimal("9" * 12 + "." + "9" * 60), "INR"),
        (Decimal("1E+999999"), "INR"),
        (Decimal("1E-999999"), "INR"),
        (Decimal("0." + "0" * 40 + "1"), "INR"),
        (str(AMOUNT_MAX // 100 + 1), "INR"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_bad_decimal_amounts(amount, currency):
    """What a currency cannot hold exactly, and what is no plain decimal, is refused; nothing is rounded."""
    with pytest.raises(AmountError):
        Money.of(amount, currency)


@pytest.mark.slow
def test_every_paise_value():
    """Every amount from 1 to 999,999 paise survives the way through rupee text; floats get 65,624 of them wrong."""
    wrong = 0
    for paise in range(1, 1_000_000):
        text = f"{paise // 100}.{paise % 100:02d}"
        wrong += int(float(text) * 100) != paise
        if Money.inr(text)._subunits != paise:
            pytest.fail(f"{text} is not {paise} paise")
    assert wrong == 65_624


@given(SUBUNITS, CURRENCIES)
def test_decimal_and_back(subunits, currency):
    """The exact decimal of any payable amount gives the same money again, whatever the decimal context."""
    money = Money(subunits - subunits % 10, currency)
    with localcontext() as context:
        context.prec = 3
        decimal = money.decimal
        assert Money.of(decimal, currency) == money


@given(SUBUNITS, CURRENCIES)
def test_text_names_the_currency(subunits, currency):
    """str is for people, with separators and the right decimals; repr is for developers and makes the value again."""
    money = Money(subunits, currency)
    digits = str(money).removeprefix(f"{currency} ").replace(",", "")

    assert Decimal(digits) == money.decimal
    assert len(digits.partition(".")[2]) == EXPONENTS[currency]
    assert eval(repr(money), {"Money": Money}) == money


def test_text_examples():
    """Two, no and three decimals."""
    assert [str(Money(123456, code)) for code in ("INR", "JPY", "KWD")] == [
        "INR 1,234.56",
        "JPY 123,456",
        "KWD 123.456",
    ]


# --- arithmetic ------------------------------------------------------------------------------------------------


@given(st.integers(0, AMOUNT_MAX // 2), st.integers(0, AMOUNT_MAX // 2))
def test_sums_and_differences(a, b):
    """Sums are exact and commute; a difference undoes a sum; below zero there is no money."""
    first, second = Money(a), Money(b)

    assert first + second == second + first == Money(a + b)
    assert first + second - second == first
    if a < b:
        with pytest.raises(AmountError):
            first - second


def test_a_sum_beyond_the_limit():
    """A sum that no longer fits is an error, not a larger integer."""
    with pytest.raises(AmountError):
        Money(AMOUNT_MAX) + Money(1)


@given(SUBUNITS, SUBUNITS)
def test_order_is_that_of_the_subunits(a, b):
    """Amounts of one currency compare as their subunits do."""
    first, second = Money(a), Money(b)

    assert (first < second, first <= second, first > second, first >= second) == (a < b, a <= b, a > b, a >= b)
    assert (first == second) == (a == b)
    assert hash(first) == hash(Money(a))
    assert bool(first) == bool(a)


@pytest.mark.parametrize(
    "operation",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: a > b,
        lambda a, b: a >= b,
    ],
)
def test_currencies_do_not_mix(operation):
    """Neither sums nor comparisons mix currencies, and numbers without a currency take part in none."""
    with pytest.raises(CurrencyMismatch):
        operation(Money(100, "INR"), Money(100, "USD"))
    for other in (100, Decimal(1), "INR 1.00", None):
        with pytest.raises(TypeError):
            operation(Money(100, "INR"), other)


def test_equality_needs_the_currency():
    """The same number of another currency, or without one, is another thing."""
    assert Money(100, "INR") != Money(100, "USD")
    assert Money(100, "INR") != 100
    assert len({Money(100, "INR"), Money(100, "USD"), Money(100, "INR")}) == 2


def test_money_is_immutable_and_travels():
    """An amount cannot be changed; a copy or a pickle is equal to it."""
    money = Money(49900, "INR")

    with pytest.raises(AttributeError):
        money._subunits = 1
    with pytest.raises(AttributeError):
        del money._subunits
    assert copy.copy(money) == copy.deepcopy(money) == pickle.loads(pickle.dumps(money)) == money


def test_what_can_be_charged():
    """An order or a refund is more than zero, and ends in 0 in three-decimal currencies."""
    assert Money(1).require_positive().require_payable() == Money(1)
    assert Money(10, "KWD").require_payable() == Money(10, "KWD")
    for money in (Money(0), Money(0, "KWD"), Money(99991, "KWD")):
        with pytest.raises(AmountError):
            money.require_payable()
    with pytest.raises(AmountError):
        Money(0).require_positive()


def test_the_table_of_currencies():
    """Each listed currency has 0, 2 or 3 decimals; the ones that people get wrong are right."""
    assert set(EXPONENTS.values()) == {0, 2, 3}
    assert [EXPONENTS[code] for code in ("INR", "USD", "JPY", "KRW", "KWD", "BHD", "OMR")] == [2, 2, 0, 0, 3, 3, 3]
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)

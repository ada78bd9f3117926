"""Bad amounts, currencies and ids, one row each: raised before anything is sent or stored (section 7)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from bodies import AMOUNT, Shop, body, payment, payment_id
from client_fakes import ORDER_ID, PAYMENT_ID, Rig, rig
from client_fakes import payment as answered
from client_fakes import refund as refunded
from razorpay_hardened import MemoryStore, Money
from razorpay_hardened.errors import (
    AmountError,
    AmountMismatch,
    CurrencyError,
    CurrencyMismatch,
    FieldInvalid,
    IdMalformed,
    OverRefund,
    RazorpayHardenedError,
)
from support.bad_inputs import holdings, params


class Int64:
    """An integer as numpy has it: it overflows silently."""

    def __index__(self) -> int:
        return 100

    __int__ = __index__


class Row(NamedTuple):
    """A call, and the error that it must be."""

    id: str
    call: Callable[[], Any]
    error: type[RazorpayHardenedError]
    mark: str | None = None


def _subunits(value: Any, currency: Any = "INR") -> Callable[[], Any]:
    return lambda: Money(value, currency)


def _decimal(value: Any, currency: str = "INR") -> Callable[[], Any]:
    return lambda: Money.of(value, currency)


AMOUNTS = [
    Row("100.0", _subunits(100.0), AmountError),
    Row("299.35", _subunits(299.35), AmountError),
    Row("True", _subunits(True), AmountError),
    Row("text", _subunits("100"), AmountError),
    Row("Devanagari", _subunits("१००"), AmountError),
    Row("Devanagari rupees", _decimal("१००"), AmountError),
    Row("-1", _subunits(-1), AmountError),
    Row("2**63", _subunits(2**63), AmountError),
    Row("a tenth of a paisa", _decimal(Decimal("10.001")), AmountError),
    Row("Infinity", _decimal(Decimal("Infinity")), AmountError),
    Row("NaN", _decimal(Decimal("NaN")), AmountError),
    Row("sNaN", _decimal(Decimal("sNaN")), AmountError),
    Row("-0.00", _decimal(Decimal("-0.00")), AmountError),
    Row("-0.00 as text", _decimal("-0.00"), AmountError),
    Row("float rupees", _decimal(299.35), AmountError),
    Row("numpy", _subunits(Int64()), AmountError),
    Row("half a yen", _decimal(Decimal("99.5"), "JPY"), AmountError),
    Row("third decimal of a dinar", _decimal(Decimal("99.991"), "KWD"), AmountError),
    Row("with a comma", _decimal("1,000.00"), AmountError),
    Row("with an underscore", _decimal("1_000"), AmountError),
    Row("with a space", _decimal(" 100"), AmountError),
    Row("with a newline", _decimal("100\n"), AmountError),
    Row("with an exponent", _decimal("1e2"), AmountError),
    Row("with a sign", _decimal("+100"), AmountError),
    Row("empty", _decimal(""), AmountError),
    Row("None", _decimal(None), AmountError),
    Row("1E+999999", _decimal(Decimal("1E+999999")), AmountError),
    *(Row(f"currency {code!r}", _subunits(100, code), CurrencyError)
      for code in ("inr", "INR ", "ＩＮＲ", "ZZZ", None, 356, "", "IN", b"INR", "INR\n", "₹")),
    Row("INR and USD", lambda: Money(1) + Money(1, "USD"), CurrencyMismatch),
    Row("INR less USD", lambda: Money(1) - Money(1, "USD"), CurrencyMismatch),
    Row("INR below USD", lambda: Money(1) < Money(2, "USD"), CurrencyMismatch),
    Row("less than nothing", lambda: Money(1) - Money(2), AmountError),
]  # fmt: skip


@pytest.mark.parametrize("row", params(AMOUNTS))
def test_amounts_and_currencies(row: Row) -> None:
    """Of exactly this type, before there is an amount at all."""
    with pytest.raises(row.error) as caught:
        row.call()
    assert type(caught.value) is row.error


def test_amounts_that_are_exact() -> None:
    """By the decimals of the currency."""
    assert Money.inr(Decimal("1.10")).subunits == 110
    assert Money.of(Decimal("99.990"), "KWD").subunits == 99990


# --- through the client and the shop: nothing is sent ------------------------------------------------------------


def _shop() -> tuple[Shop, Rig]:
    razorpay = rig()
    ours = Shop(MemoryStore(), client=razorpay.client)
    ours.store.migrate()
    ours.adopt(1)
    assert ours.deliver(body("payment.captured", payment=payment(1, "captured"))) == 200
    return ours, razorpay


class Ask(NamedTuple):
    """Something asked of the shop that must be refused before Razorpay hears of it."""

    id: str
    ask: Callable[[Shop], Any]
    error: type[RazorpayHardenedError]
    mark: str | None = None


def _refund(amount: Any = None, key: Any = None) -> Callable[[Shop], Any]:
    return lambda ours: ours.rzp.checkout.refund(payment_id(1), amount, key=key)


ASKS = [
    Ask("order of 0", lambda ours: ours.rzp.checkout.start(owner="user:7", amount=Money(0)), AmountError),
    Ask("refund of 0", _refund(Money(0)), AmountError),
    Ask("refund of captured + 1", _refund(Money(AMOUNT + 1)), OverRefund),
    Ask("refund in dollars", _refund(Money(1, "USD")), CurrencyMismatch),
    Ask("key of 9 characters", _refund(Money(100), "k" * 9), FieldInvalid),
    Ask("key with a space", _refund(Money(100), "refund key 1"), FieldInvalid),
    Ask("key with a newline", _refund(Money(100), "refund-key-1\n"), FieldInvalid),
    Ask("key not ASCII", _refund(Money(100), "refund-ké-12"), FieldInvalid),
    Ask("key of digits of another script", _refund(Money(100), "१" * 12), FieldInvalid),
    Ask("empty key", _refund(Money(100), ""), FieldInvalid),
]


@pytest.mark.parametrize("row", params(ASKS))
def test_what_is_refused_before_any_request(row: Ask) -> None:
    """Nothing is sent, nothing is stored."""
    ours, razorpay = _shop()
    before = holdings(ours.store)
    with pytest.raises(row.error) as caught:
        row.ask(ours)
    assert type(caught.value) is row.error
    assert razorpay.session.sent == []
    assert holdings(ours.store) == before
    assert ours.store.open_intents(before=ours.clock.now()) == []


def test_two_refunds_of_60_in_a_hundred_at_once() -> None:
    """One is sent, the other is OverRefund."""
    part = AMOUNT * 60 // 100
    razorpay = rig(refunded(payment_id=payment_id(1), amount=part), forever=True)
    ours = Shop(MemoryStore(), client=razorpay.client)
    ours.store.migrate()
    ours.adopt(1)
    assert ours.deliver(body("payment.captured", payment=payment(1, "captured"))) == 200
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(ours.rzp.checkout.refund, payment_id(1), Money(part), key=f"refund-key-{n}") for n in (1, 2)
        ]
    errors = [call.exception() for call in calls]
    assert sorted(type(error).__name__ for error in errors) == ["NoneType", "OverRefund"]
    assert len(razorpay.session.sent) == 1


BAD_IDS = {
    "path": "pay_x/../refunds",
    "path alone": "../refunds",
    "escaped path": "pay_x%2f..%2frefunds",
    "parameter": f"{PAYMENT_ID};v=1",
    "query": f"{PAYMENT_ID}?expand[]=card",
    "fragment": f"{PAYMENT_ID}#x",
    "empty": "",
    "leading space": f" {PAYMENT_ID}",
    "newline": f"{PAYMENT_ID}\n",
    "CRLF and a header": f"{PAYMENT_ID}\r\nX: y",
    "NUL": f"{PAYMENT_ID}\0",
    "9 characters": "pay_" + "a" * 9,
    "41 characters": "pay_" + "a" * 41,
    "another kind": ORDER_ID,
    "Devanagari": "pay_२९" + "a" * 12,
    "Cyrillic": "pаy_29QQoUBi66xm2f",
    "URL": "http://evil.example/pay_x",
    "host": "//evil.example/x",
    "user info": "@evil.example",
    "port": ":80@evil.example",
    "full-width slash": "pay_／..／refunds12",
    "backslash": "pay_..\\refunds12",
    "10 kB": "pay_" + "a" * 10_240,
    "None": None,
    "number": 7,
    "bytes": PAYMENT_ID.encode(),
    "list": [PAYMENT_ID],
}

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "fetch": lambda client, id_: client.payments.fetch(id_),
    "capture": lambda client, id_: client.payments.capture(id_, Money(100)),
    "refund": lambda client, id_: client.payments.refund(id_, Money(100)),
    "refunds": lambda client, id_: client.payments.refunds(id_),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("id_", BAD_IDS)
def test_ids_that_reach_a_url(id_: str, call: str) -> None:
    """IdMalformed, which does not quote it; nothing is sent."""
    client, session, *_ = rig()
    with pytest.raises(IdMalformed) as caught:
        CALLS[call](client, BAD_IDS[id_])
    assert session.sent == []
    assert "evil" not in str(caught.value)


def test_a_capture_of_another_amount_than_authorised() -> None:
    """Razorpay refuses it, and has it captured for another amount: AmountMismatch, never success."""
    client, *_ = rig((400, {"error": {"code": "BAD_REQUEST_ERROR", "description": "x"}}), answered(amount=100))
    with pytest.raises(AmountMismatch):
        client.payments.capture(PAYMENT_ID, Money(200))


ROWS = [*AMOUNTS, *ASKS, *(f"id: {name}" for name in BAD_IDS)]

"""Card numbers, codes, one-time passwords and account numbers: sent, and shown nowhere (FAULTS P6)."""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from client_fakes import ORDER_ID, PAYMENT_ID, refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.client._credentials import without
from razorpay_hardened.client._values import Answer, Call
from razorpay_hardened.client.aio import AsyncClient
from razorpay_hardened.clock import FrozenClock
from razorpay_hardened.domain.money import Money
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ApiBadRequest, ApiError, FieldInvalid, OutcomeUnknown, RazorpayHardenedError
from razorpay_hardened.signing.keys import Secret
from support.billing import CUSTOMER_ID
from support.people import ACCOUNT_NUMBER, CARD, CARD_NUMBER

CVV = "7391"
OTP = "754081"
SECRETS = (CARD_NUMBER, CVV, OTP, ACCOUNT_NUMBER)
INR = Money.inr("499.00")
PERSON = {"email": "asha@example.in", "contact": "9123456780"}
BANK = {"name": "Asha", "ifsc": "HDFC0000053", "account_number": ACCOUNT_NUMBER}
MANDATED = {"beneficiary_name": "Asha", "ifsc_code": "HDFC0000053", "account_number": ACCOUNT_NUMBER}
TESTS = str(Path(__file__).parents[1])

CALLS: dict[str, Callable[..., Any]] = {
    "payments.create_json": lambda client, **more: client.payments.create_json(
        **{"amount": INR, "order_id": ORDER_ID, **PERSON, "method": "card", "card": {**CARD, "cvv": CVV}, **more}
    ),
    "payments.create_json by bank": lambda client, **more: client.payments.create_json(
        **{"amount": INR, "order_id": ORDER_ID, **PERSON, "method": "netbanking", "bank_account": BANK, **more}
    ),
    "payments.otp_submit": lambda client: client.payments.otp_submit(PAYMENT_ID, OTP),
    "tokens.create": lambda client, **more: client.tokens.create(
        card={**CARD, "cvv": CVV}, authentication={"provider": "razorpay"}, **more
    ),
    "cards.reference": lambda client: client.with_options(max_attempts=1).cards.reference(number=CARD_NUMBER),
    "customers.add_bank_account": lambda client, **more: client.customers.add_bank_account(
        CUSTOMER_ID, account_number=ACCOUNT_NUMBER, ifsc_code="HDFC0000053", **more
    ),
    "fund_accounts.create": lambda client, **more: client.fund_accounts.create(CUSTOMER_ID, bank_account=BANK, **more),
    "orders.create": lambda client, **more: client.orders.create(
        amount=INR,
        method="emandate",
        customer_id=CUSTOMER_ID,
        bank_account=BANK,
        token={"max_amount": INR, "bank_account": MANDATED},
        **more,
    ),
    "registration_links.create": lambda client, **more: client.registration_links.create(
        customer={"name": "Asha", **PERSON},
        amount=INR,
        description="Meals",
        subscription_registration={"method": "emandate", "bank_account": MANDATED},
        **more,
    ),
}
ECHO = refusal(
    f"{CARD_NUMBER} 4539 5787-6362 1486 {CVV} {OTP} ({ACCOUNT_NUMBER}) is not valid",
    field=f"x.{OTP}",
    metadata={"payment_id": PAYMENT_ID, "account": ACCOUNT_NUMBER, "cvv": CVV},
)


def told(error: BaseException) -> Iterator[str]:
    """All that a crash reporter could write down: texts, fields, and the variables of every frame but the tests'."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    report.stack[:] = [frame for frame in report.stack if not frame.filename.startswith(TESTS)]
    assert report.stack, "the error has no frame of ours"
    yield from report.format()
    yield from (repr(error), str(error), repr(vars(error)))
    assert error.__cause__ is None
    assert error.__context__ is None


BY_CHANCE = re.compile(r"0x[0-9a-f]+|\d+\.\d+|(?=[0-9]*[a-f])[0-9a-f]{16,}")
"""Addresses, times and keys: one in some hundreds has four digits in it that are the code's."""


def leaked(error: BaseException, secrets: tuple[str, ...] = SECRETS) -> list[str]:
    text = BY_CHANCE.sub("…", "".join(told(error)))
    return [secret for secret in secrets if secret in text]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "step", [requests.ReadTimeout, (502, b"<html>"), (200, b"{"), (400, ECHO), (401, ECHO), (429, ECHO), (500, ECHO)]
)
def test_an_error_shows_nothing_of_it(name: str, step: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever comes back, even all of it repeated: no text, no field, no log and no frame has it."""
    caplog.set_level(logging.DEBUG)
    r = rig(step, forever=True)

    with pytest.raises(ApiError) as caught:
        CALLS[name](r.client)

    sent = tuple(secret for secret in SECRETS if secret in str(r.session.sent[0].body))
    assert sent
    assert leaked(caught.value, sent) == []
    assert not any(secret in f"{r.attempts}{r.alarms}{caplog.text}" for secret in sent)


@pytest.mark.parametrize("name", [name for name in CALLS if name not in ("payments.otp_submit", "cards.reference")])
def test_a_refusal_of_ours_shows_nothing_of_it(name: str) -> None:
    """Another field is wrong; the frames that had the number are not in the report."""
    client, session, *_ = rig()

    with pytest.raises(FieldInvalid) as caught:
        CALLS[name](client, extra={"x": object()})

    assert leaked(caught.value) == []
    assert session.sent == []


@pytest.mark.parametrize(
    "call",
    [
        lambda client: CALLS["payments.create_json"](client, card={**CARD, "number": f"{CARD_NUMBER} ", "cvv": CVV}),
        lambda client: CALLS["payments.create_json"](client, card={"number": CARD_NUMBER, "cvv": CVV}),
        lambda client: CALLS["payments.create_json"](client, card={**CARD, "name": CARD_NUMBER * 20}),
        lambda client: client.payments.otp_submit(PAYMENT_ID, f"{OTP}x"),
        lambda client: client.payments.otp_submit("x", OTP),
        lambda client: client.cards.reference(number=f"x{CARD_NUMBER}"),
        lambda client: client.cards.reference(number=CARD_NUMBER, token_id="x"),
        lambda client: client.iins.fetch(CARD_NUMBER),
        lambda client: client.fund_accounts.create(CUSTOMER_ID, bank_account={**BANK, "account_number": object()}),
        lambda client: client.fund_accounts.create(CUSTOMER_ID, bank_account={**BANK, "ifsc": ACCOUNT_NUMBER}),
        lambda client: client.fund_accounts.create(CUSTOMER_ID, bank_account={**BANK, "more": {ACCOUNT_NUMBER}}),
        lambda client: client.orders.create(amount=INR, token={"bank_account": MANDATED, "max_amount": 5}),
        lambda client: client.orders.create(amount=INR, bank_account=BANK, unique_receipt=True),
    ],
)
def test_a_number_that_is_none_is_not_repeated(call: Callable[[Client], Any]) -> None:
    """The one that is wrong may still be somebody's."""
    client, *_ = rig()

    with pytest.raises(RazorpayHardenedError) as caught:
        call(client)

    assert leaked(caught.value) == []


def test_a_wrong_keyword_shows_nothing_of_it() -> None:
    """A slip of the programmer's is reported too."""
    client, *_ = rig()

    with pytest.raises(TypeError) as caught:
        CALLS["fund_accounts.create"](client, acount_type="bank_account")

    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    report.stack[:] = [frame for frame in report.stack if not frame.filename.startswith(TESTS)]
    assert ACCOUNT_NUMBER not in "".join(report.format())


def test_ids_in_a_refusal_are_left_alone() -> None:
    """A code of three digits may stand in an id, which support needs."""
    client, *_ = rig((400, refusal("order_73917391xx 7391 failed", metadata={"payment_id": "pay_7391Qo7391x"})))

    with pytest.raises(ApiBadRequest) as caught:
        CALLS["payments.create_json"](client)

    assert caught.value.description == "order_73917391xx [redacted] failed"
    assert caught.value.metadata == {"payment_id": "pay_7391Qo7391x"}


def test_a_secret_is_taken_out_of_whatever_repeats_it() -> None:
    """Nested ones too; what is no text stays as it is."""
    call = Call(None, data={"a": [{"b": Secret("a-webhook-secret")}], "c": {"d": Secret("12")}})  # type: ignore[arg-type]

    assert len(call.secrets) == 2
    assert without("xa-webhook-secretx 12 a12", call.secrets) == "x[redacted]x [redacted] a12"
    assert without({"n": 12, "t": "12"}, call.secrets) == {"n": 12, "t": "[redacted]"}
    assert without(None, call.secrets) is None


def test_no_repr_shows_what_was_sent_or_answered() -> None:
    """Calls and answers are people's data."""
    assert ACCOUNT_NUMBER not in repr(Call(None, data={"account_number": ACCOUNT_NUMBER}))  # type: ignore[arg-type]
    assert ACCOUNT_NUMBER not in repr(Answer(200, {}, ACCOUNT_NUMBER.encode()))
    client, *_ = rig({"token_number": CARD_NUMBER, "cryptogram_value": "AwAAAAAABk"})
    assert CARD_NUMBER not in repr(client.tokens.transaction_data("spt_4lsdksD31GaZ09"))


def test_the_awaited_methods_show_nothing_either() -> None:
    """The same over aiohttp: a refusal of ours, and a lost answer."""

    async def failures() -> list[BaseException]:
        with Emulator(in_process=True) as rz:
            rz.faults.add("on POST *: do_then_reset")
            session = rz.aiohttp_session()
            client = AsyncClient(rz.key_id, rz.key_secret, base_url=rz.url, session=session, clock=FrozenClock())
            found: list[BaseException] = []
            async with session, client:
                for call in (
                    client.payments.otp_submit(PAYMENT_ID, OTP),
                    client.payments.otp_submit(PAYMENT_ID, f"{OTP}x"),
                    client.cards.reference(number=CARD_NUMBER, token_id="x"),
                ):
                    try:
                        await call
                    except RazorpayHardenedError as error:
                        found.append(error)
            return found

    found = asyncio.run(failures())

    assert [type(error) for error in found] == [OutcomeUnknown, FieldInvalid, FieldInvalid]
    assert [leaked(error) for error in found] == [[], [], []]

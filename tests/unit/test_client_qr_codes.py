"""QR codes through the client: what is sent, what is refused before, and that closed is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import PAYMENT_ID, collection, payment, refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import AmountError, CurrencyError, FieldInvalid, IdMalformed, OutcomeUnknown
from support.billing import CUSTOMER_ID, QR_ID, WINDOW, Case, ids, qr_code, refuses, rejects, tried

INR = Money.inr("499.00")
ROOT = "/v1/payments/qr_codes"
OTHER = "qr_HMsVL8HOpbMcjV"
FIXED = {"fixed_amount": True, "payment_amount": INR}
TAX = {"number": "INV001", "date": 1_790_000_000, "gst_amount": Money(84), "supply_type": "interstate"}


def create(client: Client, **changes: Any) -> Any:
    return client.qr_codes.create(**{"usage": "single_use", **changes})


CASES = {
    "create": Case(
        lambda client: create(client, **FIXED).asked,
        f"POST {ROOT}",
        {"type": "upi_qr", "usage": "single_use", "fixed_amount": True, "payment_amount": 49900},
        qr_code(),
        INR,
    ),
    "create with everything": Case(
        lambda client: (
            create(
                client,
                usage="multiple_use",
                type="bharat_qr",
                name="Store",
                description="For Store 1",
                customer_id=CUSTOMER_ID,
                close_by=1_800_000_000,
                notes={"shop": "7"},
                tax_invoice=TAX,
                extra={"req_provider": "icici"},
            ).id
        ),
        f"POST {ROOT}",
        {
            "type": "bharat_qr",
            "usage": "multiple_use",
            "name": "Store",
            "description": "For Store 1",
            "customer_id": CUSTOMER_ID,
            "close_by": 1_800_000_000,
            "notes": {"shop": "7"},
            "tax_invoice": {**TAX, "gst_amount": 84},
            "req_provider": "icici",
        },
        qr_code(usage="multiple_use", fixed_amount=False, payment_amount=None),
        QR_ID,
    ),
    "fetch": Case(lambda client: client.qr_codes.fetch(QR_ID).status, f"GET {ROOT}/{QR_ID}", {}, qr_code(), "active"),
    "list": Case(
        lambda client: ids(client.qr_codes.list(customer_id=CUSTOMER_ID, payment_id=PAYMENT_ID, count=5, **WINDOW)),
        f"GET {ROOT}",
        {
            "customer_id": CUSTOMER_ID,
            "payment_id": PAYMENT_ID,
            "from": 1_700_000_000,
            "to": 1_700_000_100,
            "count": 5,
            "skip": 0,
        },
        collection(qr_code()),
        [QR_ID],
    ),
    "iter": Case(
        lambda client: ids(client.qr_codes.iter(customer_id=CUSTOMER_ID)),
        f"GET {ROOT}",
        {"customer_id": CUSTOMER_ID, "count": 100, "skip": 0},
        collection(qr_code()),
        [QR_ID],
    ),
    "payments": Case(
        lambda client: ids(client.qr_codes.payments(QR_ID, count=5, **WINDOW)),
        f"GET {ROOT}/{QR_ID}/payments",
        {"from": 1_700_000_000, "to": 1_700_000_100, "count": 5, "skip": 0},
        collection(payment(order_id=None)),
        [PAYMENT_ID],
    ),
    "every payment": Case(
        lambda client: ids(client.qr_codes.iter_payments(QR_ID, cursor="skip:5")),
        f"GET {ROOT}/{QR_ID}/payments",
        {"count": 100, "skip": 5},
        collection(payment(order_id=None)),
        [PAYMENT_ID],
    ),
    "edit": Case(
        lambda client: client.qr_codes.edit(QR_ID, notes={"shop": "8"}).id,
        f"PATCH {ROOT}/{QR_ID}",
        {"notes": {"shop": "8"}},
        qr_code(),
        QR_ID,
    ),
    "close": Case(
        lambda client: client.qr_codes.close(QR_ID).close_reason,
        f"POST {ROOT}/{QR_ID}/close",
        {},
        qr_code(status="closed", close_reason="on_demand"),
        "on_demand",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: create(client, usage="often"), FieldInvalid),
        (lambda client: create(client, usage=None), FieldInvalid),
        (lambda client: create(client, type=""), FieldInvalid),
        (lambda client: create(client, fixed_amount=True), FieldInvalid),
        (lambda client: create(client, fixed_amount=1, payment_amount=INR), FieldInvalid),
        (lambda client: create(client, payment_amount=INR), FieldInvalid),
        (lambda client: create(client, fixed_amount=True, payment_amount=49900), AmountError),
        (lambda client: create(client, fixed_amount=True, payment_amount=Money(0)), AmountError),
        (lambda client: create(client, fixed_amount=True, payment_amount=Money(500, "USD")), CurrencyError),
        (lambda client: create(client, name=""), FieldInvalid),
        (lambda client: create(client, customer_id="x"), IdMalformed),
        (lambda client: create(client, close_by=1), FieldInvalid),
        (lambda client: create(client, notes={"a": 1}), FieldInvalid),
        (lambda client: create(client, tax_invoice="INV001"), FieldInvalid),
        (lambda client: create(client, tax_invoice={**TAX, "gst_amount": 84}), AmountError),
        (lambda client: create(client, tax_invoice={**TAX, "cess_amount": Money(1, "USD")}), CurrencyError),
        (lambda client: create(client, tax_invoice={**TAX, "supply_type": "abroad"}), FieldInvalid),
        (lambda client: create(client, tax_invoice={**TAX, "date": "today"}), FieldInvalid),
        (lambda client: create(client, extra={"usage": "multiple_use"}), FieldInvalid),
        (lambda client: client.qr_codes.fetch("KbWhkDGrmxw"), IdMalformed),
        (lambda client: client.qr_codes.list(customer_id="x"), IdMalformed),
        (lambda client: client.qr_codes.payments("x"), IdMalformed),
        (lambda client: list(client.qr_codes.iter_payments("x")), IdMalformed),
        (lambda client: client.qr_codes.edit(QR_ID, notes=None), FieldInvalid),
        (lambda client: client.qr_codes.close("x"), IdMalformed),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What Razorpay would refuse, or what could be misread as money, is refused here."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (lambda client: create(client, **FIXED), qr_code(payment_amount=100), "payment_amount"),
        (lambda client: create(client, **FIXED), qr_code(fixed_amount=False), "fixed_amount"),
        (create, qr_code(usage="multiple_use"), "usage"),
        (lambda client: client.qr_codes.fetch(QR_ID), qr_code(id=OTHER), "id"),
        (lambda client: client.qr_codes.edit(QR_ID, notes={}), qr_code(id=OTHER), "id"),
        (lambda client: client.qr_codes.close(QR_ID), qr_code(id=OTHER, status="closed"), "id"),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """What is paid at the code is what was asked for."""
    rejects(call, answer, field)


@pytest.mark.parametrize("first", [requests.ReadTimeout, (400, refusal("The QR code is already closed"))])
@pytest.mark.parametrize("reason", ["on_demand", "paid", None])
def test_closed_already_counts_as_done(first: Any, reason: str | None) -> None:
    """For whatever reason: nobody can pay with it."""
    client, session, *_ = rig(first, qr_code(status="closed", close_reason=reason))

    assert client.qr_codes.close(QR_ID).close_reason == reason

    assert [sent.method for sent in session.sent] == ["POST", "GET"]


def test_a_code_is_never_made_twice() -> None:
    """There is nothing to look it up by."""
    client, session, *_ = rig(requests.ReadTimeout)

    with pytest.raises(OutcomeUnknown):
        create(client)

    assert len(session.sent) == 1

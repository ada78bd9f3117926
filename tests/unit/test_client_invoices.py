"""Invoices through the client: what is sent, what is refused before, and one invoice for one receipt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import PAYMENT_ID, collection, refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import (
    AmountError,
    ApiBadRequest,
    CurrencyError,
    CurrencyMismatch,
    FieldInvalid,
    IdMalformed,
    OutcomeUnknown,
)
from support.billing import (
    CUSTOMER_ID,
    INVOICE_ID,
    ITEM_ID,
    SUBSCRIPTION_ID,
    WINDOW,
    Case,
    ids,
    invoice,
    refuses,
    rejects,
    tried,
)

INR = Money.inr("499.00")
PATH = f"/v1/invoices/{INVOICE_ID}"
OTHER = "inv_E7q0tqkxBRzdav"
LINE = {"name": "Book", "amount": INR}
SENT_LINE = {"name": "Book", "amount": 49900, "currency": "INR"}
SENT = {"type": "invoice", "customer_id": CUSTOMER_ID, "line_items": [SENT_LINE], "currency": "INR"}
TAKEN = (400, refusal("The receipt has been used.", field="receipt"))
ADDRESS = {"line1": "Bakers Street", "city": "Bengaluru", "zipcode": "560068", "state": "Karnataka", "country": "in"}


def create(client: Client, **changes: Any) -> Any:
    return client.invoices.create(**{"line_items": [LINE], "customer_id": CUSTOMER_ID, **changes})


def received(client: Client, **changes: Any) -> Any:
    return create(client, receipt="inv-42", **changes)


def edit(client: Client, **changes: Any) -> Any:
    return client.invoices.edit(INVOICE_ID, **changes)


CASES = {
    "create": Case(lambda client: create(client).money, "POST /v1/invoices", SENT, invoice(), INR),
    "create with everything": Case(
        lambda client: (
            received(
                client,
                customer_id=None,
                customer={"name": "Gaurav Kumar", "email": "g@example.com", "billing_address": ADDRESS},
                line_items=[{**LINE, "description": "good", "quantity": 2, "hsn_code": "4901"}, {"item_id": ITEM_ID}],
                currency="INR",
                description="Books",
                date=1_790_000_000,
                expire_by=1_800_000_000,
                sms_notify=True,
                email_notify=False,
                partial_payment=True,
                terms="by return",
                comment="thanks",
                notes={"shop": "7"},
                extra={"first_payment_min_amount": 100},
            ).id
        ),
        "POST /v1/invoices",
        {
            "type": "invoice",
            "customer": {"name": "Gaurav Kumar", "email": "g@example.com", "billing_address": ADDRESS},
            "line_items": [
                {**SENT_LINE, "description": "good", "quantity": 2, "hsn_code": "4901"},
                {"item_id": ITEM_ID},
            ],
            "currency": "INR",
            "receipt": "inv-42",
            "description": "Books",
            "date": 1_790_000_000,
            "expire_by": 1_800_000_000,
            "sms_notify": True,
            "email_notify": False,
            "partial_payment": True,
            "terms": "by return",
            "comment": "thanks",
            "notes": {"shop": "7"},
            "first_payment_min_amount": 100,
        },
        invoice(amount=123_456),
        INVOICE_ID,
    ),
    "an empty draft": Case(
        lambda client: client.invoices.create(draft=True).status,
        "POST /v1/invoices",
        {"type": "invoice", "draft": "1"},
        invoice(status="draft", amount=0),
        "draft",
    ),
    "another currency": Case(
        lambda client: create(client, line_items=[{"item_id": ITEM_ID}], currency="USD").currency,
        "POST /v1/invoices",
        {**SENT, "line_items": [{"item_id": ITEM_ID}], "currency": "USD"},
        invoice(currency="USD"),
        "USD",
    ),
    "fetch": Case(lambda client: client.invoices.fetch(INVOICE_ID).status, f"GET {PATH}", {}, invoice(), "issued"),
    "list": Case(
        lambda client: ids(
            client.invoices.list(
                type="invoice",
                payment_id=PAYMENT_ID,
                receipt="inv-42",
                customer_id=CUSTOMER_ID,
                subscription_id=SUBSCRIPTION_ID,
                count=5,
                **WINDOW,
            )
        ),
        "GET /v1/invoices",
        {
            "type": "invoice",
            "payment_id": PAYMENT_ID,
            "receipt": "inv-42",
            "customer_id": CUSTOMER_ID,
            "subscription_id": SUBSCRIPTION_ID,
            "from": 1_700_000_000,
            "to": 1_700_000_100,
            "count": 5,
            "skip": 0,
        },
        collection(invoice()),
        [INVOICE_ID],
    ),
    "iter": Case(
        lambda client: ids(client.invoices.iter(subscription_id=SUBSCRIPTION_ID)),
        "GET /v1/invoices",
        {"subscription_id": SUBSCRIPTION_ID, "count": 100, "skip": 0},
        collection(invoice()),
        [INVOICE_ID],
    ),
    "find": Case(
        lambda client: client.invoices.find_by_receipt("inv-42").id,
        "GET /v1/invoices",
        {"receipt": "inv-42", "count": 100, "skip": 0},
        collection(invoice(id=OTHER, receipt="inv-421", created_at=1), invoice(status="cancelled")),
        INVOICE_ID,
    ),
    "edit": Case(
        lambda client: edit(client, line_items=[LINE], draft=True, type="invoice", receipt="inv-43", terms="x").id,
        f"PATCH {PATH}",
        {
            "line_items": [SENT_LINE],
            "currency": "INR",
            "draft": "1",
            "type": "invoice",
            "receipt": "inv-43",
            "terms": "x",
        },
        invoice(),
        INVOICE_ID,
    ),
    "issue": Case(
        lambda client: client.invoices.issue(INVOICE_ID).status, f"POST {PATH}/issue", {}, invoice(), "issued"
    ),
    "cancel": Case(
        lambda client: client.invoices.cancel(INVOICE_ID).status,
        f"POST {PATH}/cancel",
        {},
        invoice(status="cancelled"),
        "cancelled",
    ),
    "delete": Case(lambda client: client.invoices.delete(INVOICE_ID), f"DELETE {PATH}", {}, [], None),
    "notify": Case(
        lambda client: client.invoices.notify_by(INVOICE_ID, "email"),
        f"POST {PATH}/notify_by/email",
        {},
        {"success": True},
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: create(client, line_items=None), FieldInvalid),
        (lambda client: create(client, line_items=[]), FieldInvalid),
        (lambda client: create(client, line_items=[LINE] * 51), FieldInvalid),
        (lambda client: create(client, line_items=LINE), FieldInvalid),
        (lambda client: create(client, line_items=[{"name": "Book"}]), FieldInvalid),
        (lambda client: create(client, line_items=[{"amount": INR}]), FieldInvalid),
        (lambda client: create(client, line_items=[{**LINE, "quantity": 0}]), FieldInvalid),
        (lambda client: create(client, line_items=[{**LINE, "amount": 49900}]), AmountError),
        (lambda client: create(client, line_items=[{**LINE, "amount": Money(0)}]), AmountError),
        (lambda client: create(client, line_items=[{"item_id": "x"}]), IdMalformed),
        (lambda client: create(client, line_items=[LINE, {**LINE, "amount": Money(1, "USD")}]), CurrencyMismatch),
        (lambda client: create(client, currency="USD"), CurrencyMismatch),
        (lambda client: create(client, currency="inr"), CurrencyError),
        (lambda client: create(client, customer={"name": "Gaurav"}), FieldInvalid),
        (lambda client: create(client, customer_id=None), FieldInvalid),
        (lambda client: create(client, customer_id=None, customer={"name": "Al"}), FieldInvalid),
        (lambda client: create(client, customer_id=None, customer={"email": "x" * 65}), FieldInvalid),
        (lambda client: create(client, customer_id=None, customer={"contact": "9" * 16}), FieldInvalid),
        (lambda client: create(client, customer_id="x"), IdMalformed),
        (lambda client: create(client, receipt="x" * 41), FieldInvalid),
        (lambda client: create(client, type=None), FieldInvalid),
        (lambda client: create(client, draft="1"), FieldInvalid),
        (lambda client: create(client, description="x" * 2049), FieldInvalid),
        (lambda client: create(client, expire_by=0), FieldInvalid),
        (lambda client: create(client, sms_notify=1), FieldInvalid),
        (lambda client: create(client, notes="x"), FieldInvalid),
        (lambda client: create(client, extra={"receipt": "inv-42"}), FieldInvalid),
        (edit, FieldInvalid),
        (lambda client: edit(client, customer_id=CUSTOMER_ID, customer={"name": "Gaurav"}), FieldInvalid),
        (lambda client: client.invoices.edit("x", terms="x"), IdMalformed),
        (lambda client: client.invoices.fetch("x"), IdMalformed),
        (lambda client: client.invoices.list(subscription_id="x"), IdMalformed),
        (lambda client: client.invoices.list(receipt=""), FieldInvalid),
        (lambda client: client.invoices.find_by_receipt(""), FieldInvalid),
        (lambda client: client.invoices.issue("x"), IdMalformed),
        (lambda client: client.invoices.cancel("x"), IdMalformed),
        (lambda client: client.invoices.delete("x"), IdMalformed),
        (lambda client: client.invoices.notify_by(INVOICE_ID, "post"), FieldInvalid),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What Razorpay would refuse, or what could be misread as money, is refused here."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (create, invoice(amount=100), "amount"),
        (create, invoice(currency="USD"), "currency"),
        (create, invoice(customer_id="cust_00000000000002"), "customer_id"),
        (received, invoice(receipt="inv-43"), "receipt"),
        (lambda client: client.invoices.fetch(INVOICE_ID), invoice(id=OTHER), "id"),
        (lambda client: edit(client, terms="x"), invoice(id=OTHER), "id"),
        (lambda client: client.invoices.issue(INVOICE_ID), invoice(id=OTHER), "id"),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """What the customer is asked for is what was asked for."""
    rejects(call, answer, field)


@pytest.mark.parametrize(
    "line", [{**LINE, "quantity": 2}, {"item_id": ITEM_ID, "amount": INR}, {**LINE, "tax_rate": 18}]
)
def test_an_amount_that_razorpay_works_out_is_not_second_guessed(line: dict[str, Any]) -> None:
    """Quantities, catalogue items and taxes are its arithmetic."""
    client, *_ = rig(invoice(amount=123_456))

    assert create(client, line_items=[line]).amount == 123_456


# --- one invoice for one receipt ------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [requests.ReadTimeout, (502, b""), (200, b""), (200, {"id": 7}), TAKEN])
def test_the_invoice_of_an_earlier_request_is_found_by_its_receipt(first: Any) -> None:
    """After a lost answer, and after the refusal of a receipt: looked up, and nothing is made twice."""
    client, session, *_ = rig(first, collection(invoice(id=OTHER, receipt="inv-421", created_at=1), invoice()))

    assert received(client).id == INVOICE_ID

    assert session.lines == ["POST /v1/invoices", "GET /v1/invoices"]
    assert session.sent[1].params["receipt"] == "inv-42"


def test_a_lagging_listing_is_looked_at_twice_before_a_second_try() -> None:
    """Then the request goes out again."""
    client, session, *_ = rig(requests.ReadTimeout, collection(), collection(), invoice())

    assert received(client).id == INVOICE_ID

    assert [sent.method for sent in session.sent] == ["POST", "GET", "GET", "POST"]


@pytest.mark.parametrize(
    "other",
    [
        {"status": "cancelled"},
        {"status": "expired"},
        {"status": "draft"},
        {"amount": 100},
        {"currency": "USD"},
        {"receipt": "inv-421"},
        {"customer_id": "cust_00000000000002"},
        {"notes": {"shop": "8"}},
    ],
    ids=str,
)
def test_another_invoice_with_the_receipt_is_no_answer(other: dict[str, Any]) -> None:
    """One that nobody can pay, or that is about something else: the refusal is the caller's."""
    client, *_ = rig(TAKEN, collection(invoice(**{"notes": {"shop": "7"}, **other})))

    with pytest.raises(ApiBadRequest):
        received(client, notes={"shop": "7"})


def test_a_draft_is_found_as_a_draft() -> None:
    """Whoever asks for a draft may get it back."""
    client, *_ = rig(requests.ReadTimeout, collection(invoice(status="draft")))

    assert received(client, draft=True).status == "draft"


def test_of_several_the_oldest_is_the_answer() -> None:
    """Whoever asks gets the same one each time."""
    younger = invoice(id=OTHER, created_at=1576826094)
    client, *_ = rig(requests.ReadTimeout, collection(younger, invoice()))

    assert received(client).id == INVOICE_ID


def test_a_look_ends() -> None:
    """A filter that is ignored gives pages without end: ten are looked at, each time."""
    pages = [
        collection(*(invoice(id=f"inv_{page:05}{row:09}", receipt="other") for row in range(100))) for page in range(20)
    ]
    client, session, *_ = rig(requests.ReadTimeout, *pages, invoice())

    assert received(client).id == INVOICE_ID

    assert [sent.method for sent in session.sent] == ["POST", *["GET"] * 20, "POST"]


def test_without_a_receipt_nothing_is_sent_twice() -> None:
    """Nothing could be looked up."""
    client, session, *_ = rig(requests.ReadTimeout)

    with pytest.raises(OutcomeUnknown):
        create(client)

    assert len(session.sent) == 1


# --- issued, cancelled, deleted -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status"),
    [("issue", "issued"), ("issue", "partially_paid"), ("issue", "paid"), ("cancel", "cancelled")],
)
@pytest.mark.parametrize("first", [requests.ReadTimeout, (400, refusal("Operation not allowed for Invoice."))])
def test_a_change_that_was_made_already_counts_as_done(name: str, status: str, first: Any) -> None:
    """The invoice is asked."""
    client, session, *_ = rig(first, invoice(status=status))

    assert getattr(client.invoices, name)(INVOICE_ID).status == status

    assert session.lines == [f"POST {PATH}/{name}", f"GET {PATH}"]


@pytest.mark.parametrize(("name", "status"), [("issue", "cancelled"), ("cancel", "paid")])
def test_a_change_that_is_not_possible_is_refused(name: str, status: str) -> None:
    """The invoice is somewhere else: the refusal is the caller's."""
    text = f"Operation not allowed for Invoice in {status} status."
    client, *_ = rig((400, refusal(text)), invoice(status=status))

    with pytest.raises(ApiBadRequest):
        getattr(client.invoices, name)(INVOICE_ID)


@pytest.mark.parametrize("gone", [(400, refusal()), invoice(status="deleted")])
def test_a_delete_in_doubt_is_looked_at(gone: Any) -> None:
    """Gone, or marked as deleted: one status of the documented set."""
    client, session, *_ = rig(requests.ReadTimeout, gone)

    client.invoices.delete(INVOICE_ID)

    assert session.lines == [f"DELETE {PATH}", f"GET {PATH}"]


def test_only_drafts_are_deleted() -> None:
    """The refusal is the caller's, at once."""
    client, session, *_ = rig((400, refusal("Operation not allowed for Invoice in issued status.")))

    with pytest.raises(ApiBadRequest):
        client.invoices.delete(INVOICE_ID)

    assert len(session.sent) == 1

"""Payment links through the client: what is sent, what is refused before, and one link for one reference."""

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
    CurrencyMismatch,
    FieldInvalid,
    IdMalformed,
    OutcomeUnknown,
)
from support.billing import LINK_ID, WINDOW, Case, ids, link, refuses, rejects, tried

INR = Money.inr("499.00")
PATH = f"/v1/payment_links/{LINK_ID}"
TAKEN = (400, refusal("payment link creation with reference ID already attempted"))
OTHER = "plink_ExjpAUN3gVHrPK"


def links(*found: dict[str, Any]) -> dict[str, Any]:
    """A page, in the shape that only payment links have."""
    return {"payment_links": list(found)}


def create(client: Client, **changes: Any) -> Any:
    return client.payment_links.create(**{"amount": INR, **changes})


def referred(client: Client, **changes: Any) -> Any:
    return create(client, reference_id="ref-42", **changes)


def partly(client: Client, least: Any) -> Any:
    return create(client, accept_partial=True, first_min_partial_amount=least)


def edit(client: Client, **changes: Any) -> Any:
    return client.payment_links.edit(LINK_ID, **changes)


PLAIN = {"amount": 49900, "currency": "INR"}
CASES = {
    "create": Case(lambda client: create(client).money, "POST /v1/payment_links", PLAIN, link(), INR),
    "create with everything": Case(
        lambda client: (
            referred(
                client,
                description="Books",
                customer={"name": "Gaurav Kumar", "email": "g@example.com", "contact": "+919123456780"},
                notify={"sms": True, "email": False},
                reminder_enable=True,
                accept_partial=True,
                first_min_partial_amount=Money.inr(100),
                expire_by=1_800_000_000,
                callback_url="https://shop.example/thanks",
                notes={"shop": "7"},
                options={"checkout": {"name": "Acme Corp"}},
                extra={"whatsapp_link": True},
            ).id
        ),
        "POST /v1/payment_links",
        {
            **PLAIN,
            "reference_id": "ref-42",
            "description": "Books",
            "customer": {"name": "Gaurav Kumar", "email": "g@example.com", "contact": "+919123456780"},
            "notify": {"sms": True, "email": False},
            "reminder_enable": True,
            "accept_partial": True,
            "first_min_partial_amount": 10000,
            "expire_by": 1_800_000_000,
            "callback_url": "https://shop.example/thanks",
            "callback_method": "get",
            "notes": {"shop": "7"},
            "options": {"checkout": {"name": "Acme Corp"}},
            "whatsapp_link": True,
        },
        link(),
        LINK_ID,
    ),
    "create for UPI": Case(
        lambda client: create(client, upi_link=True).upi_link,
        "POST /v1/payment_links",
        {**PLAIN, "upi_link": True},
        link(upi_link="true"),
        "true",
    ),
    "fetch": Case(lambda client: client.payment_links.fetch(LINK_ID).status, f"GET {PATH}", {}, link(), "created"),
    "list says only what was said": Case(
        lambda client: ids(client.payment_links.list()), "GET /v1/payment_links", {}, links(link()), [LINK_ID]
    ),
    "list": Case(
        lambda client: ids(
            client.payment_links.list(payment_id=PAYMENT_ID, reference_id="ref-42", count=5, skip=0, **WINDOW)
        ),
        "GET /v1/payment_links",
        {
            "payment_id": PAYMENT_ID,
            "reference_id": "ref-42",
            "from": 1_700_000_000,
            "to": 1_700_000_100,
            "count": 5,
            "skip": 0,
        },
        links(link()),
        [LINK_ID],
    ),
    "nothing is null": Case(
        lambda client: ids(client.payment_links.list()), "GET /v1/payment_links", {}, {"payment_links": None}, []
    ),
    "a usual collection": Case(
        lambda client: ids(client.payment_links.list()), "GET /v1/payment_links", {}, collection(link()), [LINK_ID]
    ),
    "more than a page": Case(
        lambda client: client.payment_links.list(count=1).has_more,
        "GET /v1/payment_links",
        {"count": 1},
        links(link()),
        True,
    ),
    "iter": Case(
        lambda client: ids(client.payment_links.iter(payment_id=PAYMENT_ID)),
        "GET /v1/payment_links",
        {"payment_id": PAYMENT_ID, "count": 100, "skip": 0},
        links(link()),
        [LINK_ID],
    ),
    "find": Case(
        lambda client: client.payment_links.find_by_reference("ref-42").id,
        "GET /v1/payment_links",
        {"reference_id": "ref-42"},
        links(link(id=OTHER, reference_id="ref-421"), link(status="cancelled")),
        LINK_ID,
    ),
    "find nothing": Case(
        lambda client: client.payment_links.find_by_reference("ref-42"),
        "GET /v1/payment_links",
        {"reference_id": "ref-42"},
        links(),
        None,
    ),
    "edit": Case(
        lambda client: (
            edit(
                client,
                reference_id="ref-43",
                expire_by=1_800_000_000,
                reminder_enable=False,
                accept_partial=True,
                notes={"shop": "8"},
            ).id
        ),
        f"PATCH {PATH}",
        {
            "reference_id": "ref-43",
            "expire_by": 1_800_000_000,
            "reminder_enable": False,
            "accept_partial": True,
            "notes": {"shop": "8"},
        },
        link(),
        LINK_ID,
    ),
    "cancel": Case(
        lambda client: client.payment_links.cancel(LINK_ID).status,
        f"POST {PATH}/cancel",
        {},
        link(status="cancelled"),
        "cancelled",
    ),
    "notify": Case(
        lambda client: client.payment_links.notify_by(LINK_ID, "sms"),
        f"POST {PATH}/notify_by/sms",
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
        (lambda client: create(client, amount=49900), AmountError),
        (lambda client: create(client, amount=Money(0)), AmountError),
        (lambda client: create(client, amount=Money(4991, "KWD")), AmountError),
        (lambda client: create(client, reference_id=""), FieldInvalid),
        (lambda client: create(client, reference_id="x" * 41), FieldInvalid),
        (lambda client: create(client, reference_id="a\nb"), FieldInvalid),
        (lambda client: create(client, description="x" * 2049), FieldInvalid),
        (lambda client: create(client, customer="Gaurav"), FieldInvalid),
        (lambda client: create(client, notify={"sms": "yes"}), FieldInvalid),
        (lambda client: create(client, reminder_enable=1), FieldInvalid),
        (lambda client: create(client, first_min_partial_amount=Money(100)), FieldInvalid),
        (lambda client: create(client, accept_partial=True, first_min_partial_amount=100), AmountError),
        (lambda client: create(client, accept_partial=True, first_min_partial_amount=Money(0)), AmountError),
        (lambda client: create(client, accept_partial=True, first_min_partial_amount=Money(49901)), AmountError),
        (
            lambda client: create(client, accept_partial=True, first_min_partial_amount=Money(1, "USD")),
            CurrencyMismatch,
        ),
        (lambda client: create(client, upi_link=True, accept_partial=True), FieldInvalid),
        (lambda client: create(client, upi_link=True, amount=Money(500, "USD")), FieldInvalid),
        (lambda client: create(client, expire_by="tomorrow"), FieldInvalid),
        (lambda client: create(client, callback_url="javascript:alert(1)"), FieldInvalid),
        (lambda client: create(client, callback_url="https://shop.example", callback_method="post"), FieldInvalid),
        (lambda client: create(client, notes={"a": "x" * 256}), FieldInvalid),
        (lambda client: create(client, notes=["a"]), FieldInvalid),
        (lambda client: create(client, options={"order": {"amount": INR}}), FieldInvalid),
        (lambda client: create(client, extra={"callback_method": "post"}), FieldInvalid),
        (edit, FieldInvalid),
        (lambda client: edit(client, reference_id=""), FieldInvalid),
        (lambda client: client.payment_links.edit("x", notes={}), IdMalformed),
        (lambda client: client.payment_links.fetch("link_QX7wiVUHdcOOoW"), IdMalformed),
        (lambda client: client.payment_links.list(payment_id="x"), IdMalformed),
        (lambda client: client.payment_links.list(count=0), FieldInvalid),
        (lambda client: client.payment_links.list(skip=-1), FieldInvalid),
        (lambda client: client.payment_links.find_by_reference(""), FieldInvalid),
        (lambda client: client.payment_links.find_by_reference(None), FieldInvalid),
        (lambda client: client.payment_links.cancel("x"), IdMalformed),
        (lambda client: client.payment_links.notify_by(LINK_ID, "post"), FieldInvalid),
        (lambda client: client.payment_links.notify_by(LINK_ID, "../cancel"), FieldInvalid),
        (lambda client: client.payment_links.notify_by(LINK_ID, None), FieldInvalid),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What Razorpay would refuse, or what could be misread as money, is refused here."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (create, link(amount=100), "amount"),
        (create, link(currency="USD"), "currency"),
        (referred, link(reference_id="ref-43"), "reference_id"),
        (lambda client: client.payment_links.fetch(LINK_ID), link(id=OTHER), "id"),
        (lambda client: edit(client, notes={}), link(id=OTHER), "id"),
        (lambda client: client.payment_links.cancel(LINK_ID), link(id=OTHER, status="cancelled"), "id"),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """What is asked of the customer is what was asked for."""
    rejects(call, answer, field)


# --- one link for one reference -------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [requests.ReadTimeout, (502, b""), (200, b""), (200, {"id": "nonsense"}), TAKEN])
def test_the_link_of_an_earlier_request_is_found_by_its_reference(first: Any) -> None:
    """After a lost answer, and after the refusal of a reference that exists: looked up, and nothing is made twice."""
    client, session, *_ = rig(first, links(link()))

    assert referred(client).id == LINK_ID

    assert session.lines == ["POST /v1/payment_links", "GET /v1/payment_links"]
    assert session.sent[1].params == {"reference_id": "ref-42"}


def test_a_lagging_listing_is_looked_at_twice_before_a_second_try() -> None:
    """Then the request goes out again."""
    client, session, *_ = rig(requests.ReadTimeout, links(), links(), link())

    assert referred(client).id == LINK_ID

    assert [sent.method for sent in session.sent] == ["POST", "GET", "GET", "POST"]


@pytest.mark.parametrize(
    "other",
    [
        {"status": "cancelled"},
        {"status": "expired"},
        {"amount": 100},
        {"currency": "USD"},
        {"reference_id": "ref-421"},
        {"notes": {"shop": "8"}},
        {"notes": None},
    ],
    ids=str,
)
def test_another_link_with_the_reference_is_no_answer(other: dict[str, Any]) -> None:
    """One at which nobody can pay, or that is about something else: the refusal is the caller's."""
    client, *_ = rig(TAKEN, links(link(**{"notes": {"shop": "7"}, **other})))

    with pytest.raises(ApiBadRequest):
        referred(client, notes={"shop": "7"})


@pytest.mark.parametrize("status", ["created", "partially_paid", "paid"])
def test_a_link_that_lives_or_has_been_paid_is_an_answer(status: str) -> None:
    """Whoever asks for the same link once more gets it."""
    client, *_ = rig(TAKEN, links(link(status=status, notes={"shop": "7"})))

    assert referred(client, notes={"shop": "7"}).status == status


def test_a_refusal_about_something_else_is_not_looked_into() -> None:
    """Only one about the reference may mean that the link exists."""
    client, session, *_ = rig((400, refusal("The amount must be at least INR 1.00", field="amount")))

    with pytest.raises(ApiBadRequest):
        referred(client)

    assert len(session.sent) == 1


def test_without_a_reference_nothing_is_sent_twice() -> None:
    """Nothing could be looked up."""
    client, session, *_ = rig(requests.ReadTimeout)

    with pytest.raises(OutcomeUnknown):
        create(client)

    assert len(session.sent) == 1


def test_an_outcome_that_stays_unknown_carries_the_reference() -> None:
    """For ``find_by_reference`` later."""
    client, *_ = rig(requests.ReadTimeout, (503, b""), forever=True)

    with pytest.raises(OutcomeUnknown) as caught:
        referred(client)

    assert caught.value.receipt == "ref-42"


# --- cancelled and sent ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [requests.ReadTimeout, (400, refusal("cannot cancel or expire a cancelled link"))])
def test_cancelled_already_counts_as_done(first: Any) -> None:
    """The link is asked."""
    client, session, *_ = rig(first, link(status="cancelled"))

    assert client.payment_links.cancel(LINK_ID).status == "cancelled"

    assert session.lines == [f"POST {PATH}/cancel", f"GET {PATH}"]


def test_a_paid_link_is_not_cancelled() -> None:
    """The refusal is the caller's."""
    text = "cannot cancel or expire an already paid/partially paid link"
    client, *_ = rig((400, refusal(text)), link(status="paid"))

    with pytest.raises(ApiBadRequest):
        client.payment_links.cancel(LINK_ID)


@pytest.mark.parametrize("answer", [{"success": False}, {}, [], None])
def test_a_message_that_was_not_sent_for_sure_is_unknown(answer: Any) -> None:
    """A success that does not say so is none; and a second message could be a second one."""
    client, session, *_ = rig(answer)

    with pytest.raises(OutcomeUnknown):
        client.payment_links.notify_by(LINK_ID, "email")

    assert len(session.sent) == 1

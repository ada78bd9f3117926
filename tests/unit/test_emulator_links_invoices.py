"""The emulator's payment links, items and invoices: their states, refusals and events."""

from __future__ import annotations

from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator, Options
from razorpay_hardened.errors import ApiBadRequest, ConfigError
from support.emulator_api import DAY_S, Api

LINK = {"amount": 30_000, "currency": "INR"}
INVOICE = {"type": "invoice", "customer": {"name": "Gaurav Kumar"}, "line_items": [{"name": "Book", "amount": 20_000}]}


@pytest.fixture
def api() -> Api:
    return Api(Emulator(in_process=True))


def link(api: Api, **more: Any) -> Any:
    return api.post("/payment_links", {**LINK, **more})


def invoice(api: Api, **more: Any) -> Any:
    return api.post("/invoices", {**INVOICE, **more})


# --- payment links ----------------------------------------------------------------------------------------------


def test_a_link_is_paid(api: Api) -> None:
    """The order appears at the first attempt; payment, order and link are announced in that order."""
    made = link(api, reference_id="r-1", notes={"a": "b"})
    payment = api.rz.pay_link(made["id"], "upi")
    paid = api.get(f"/payment_links/{made['id']}")

    assert (made["status"], "order_id" in made, made["payments"]) == ("created", False, None)
    assert (paid["status"], paid["amount_paid"], paid["order_id"]) == ("paid", 30_000, payment["order_id"])
    assert [one["payment_id"] for one in paid["payments"]] == [payment["id"]]
    assert api.since() == ["payment.authorized", "payment.captured", "order.paid", "payment_link.paid"]
    assert api.get(f"/orders/{payment['order_id']}")["receipt"] == "r-1"
    with pytest.raises(ApiBadRequest, match="is paid"):
        api.rz.pay_link(made["id"])


def test_a_failed_attempt_leaves_it_open(api: Api) -> None:
    """The link stays created and can be paid with another card."""
    made = link(api)["id"]
    api.rz.pay_link(made, card="4100280000080001")
    assert api.get(f"/payment_links/{made}")["status"] == "created"
    api.rz.pay_link(made)
    assert api.get(f"/payment_links/{made}")["status"] == "paid"


def test_paid_in_parts(api: Api) -> None:
    """partially_paid until all is there; it can expire meanwhile, and cannot be cancelled."""
    made = link(api, accept_partial=True, first_min_partial_amount=5000, expire_by=api.rz.clock.unix() + DAY_S)["id"]
    with pytest.raises(ApiBadRequest, match="minimum"):
        api.rz.pay_link(made, amount=4999)
    api.rz.pay_link(made, amount=5000)
    assert api.get(f"/payment_links/{made}")["status"] == "partially_paid"
    text = "cannot cancel or expire an already paid/partially paid link"
    assert api.refused("POST", f"/payment_links/{made}/cancel") == text

    api.rz.clock.advance(DAY_S)
    expired = api.get(f"/payment_links/{made}")
    assert (expired["status"], expired["expired_at"]) == ("expired", api.rz.clock.unix())
    assert api.since()[-1] == "payment_link.expired"
    assert api.refused("POST", f"/payment_links/{made}/cancel") == "cannot cancel or expire an expired link"


def test_a_surplus_payment_pays_nothing_twice(api: Api) -> None:
    """A second tab's payment on the link's order is captured, and the link says nothing more."""
    made = link(api)["id"]
    first = api.rz.pay_link(made)
    second = api.rz.pay(first["order_id"], outcome="captured", concurrent=True)

    assert second["status"] == "captured"
    assert api.since().count("payment_link.paid") == 1
    assert len(api.get(f"/payment_links/{made}")["payments"]) == 1


def test_cancelled(api: Api) -> None:
    """Cancelled for good, with its event."""
    made = link(api)["id"]
    cancelled = api.post(f"/payment_links/{made}/cancel")
    assert (cancelled["status"], cancelled["cancelled_at"]) == ("cancelled", api.rz.clock.unix())
    assert api.since() == ["payment_link.cancelled"]
    text = "update can only be made in created or partially paid state"
    assert api.refused("PATCH", f"/payment_links/{made}", {"notes": {"a": "b"}}) == text
    api.rz.clock.advance(200 * DAY_S)
    assert api.get(f"/payment_links/{made}")["status"] == "cancelled"


def test_more_time(api: Api) -> None:
    """A later ``expire_by`` counts instead of the first; without one a link lives for six months."""
    soon, later = api.rz.clock.unix() + DAY_S, api.rz.clock.unix() + 3 * DAY_S
    made, plain = link(api, expire_by=soon)["id"], link(api)["id"]
    api.patch(f"/payment_links/{made}", {"expire_by": later})
    api.rz.clock.advance(2 * DAY_S)
    assert api.get(f"/payment_links/{made}")["status"] == "created"
    api.rz.clock.advance(DAY_S)
    assert api.get(f"/payment_links/{made}")["status"] == "expired"
    api.rz.clock.advance(180 * DAY_S)
    assert api.get(f"/payment_links/{plain}")["status"] == "expired"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"colour": "red"}, "wrong input fields sent"),
        ({"amount": None}, "The amount is required"),
        ({"reference_id": "r-1"}, "payment link creation with reference ID already attempted"),
        ({"expire_by": 1_767_583_800 + 899}, "timestamp must be atleast 15 minutes in future"),
        ({"notes": {"a": "x" * 256}}, "value: the length must not be greater than 255."),
        (
            {"upi_link": True},
            "UPI Payment Links is not supported in Test Mode. Please experience the product in Live Mode",
        ),
    ],
)
def test_refused_links(api: Api, body: Any, text: str) -> None:
    """The published refusals."""
    link(api, reference_id="r-1")
    assert api.refused("POST", "/payment_links", {**LINK, **body}) == text


def test_upi_links() -> None:
    """Where they exist they are in rupees and not in parts."""
    api = Api(Emulator(in_process=True, options=Options(upi_links=True)))
    assert link(api, upi_link=True)["upi_link"] is True
    partly = {**LINK, "upi_link": True, "accept_partial": True}
    assert api.refused("POST", "/payment_links", partly) == "partial payment not supported in upi link"
    foreign = {**LINK, "upi_link": True, "currency": "USD"}
    assert api.refused("POST", "/payment_links", foreign) == "upi is currently supported only in indian currency"


def test_links_have_their_own_words_for_bad_ids(api: Api) -> None:
    """They say "invalid input" where others say "is not a valid id"."""
    assert api.refused("GET", "/payment_links/plink_1") == "invalid input [strippedId] = [plink_1]"
    assert api.refused("POST", "/payment_links/plink_1/cancel") == "invalid input [id] = [plink_1]"
    made = link(api)["id"]
    assert api.refused("POST", f"/payment_links/{made}/notify_by/post") == "not a valid notification medium"


# --- invoices ---------------------------------------------------------------------------------------------------


def test_an_invoice_is_paid_in_parts(api: Api) -> None:
    """Issued with an order; partially_paid, then paid, each with payment, order and invoice."""
    made = invoice(api, partial_payment=True, invoice_number="7")
    api.rz.pay_invoice(made["id"], amount=5000)
    start = api.mark()
    payment = api.rz.pay_invoice(made["id"])
    paid = api.get(f"/invoices/{made['id']}")

    assert (made["status"], made["amount_due"], made["receipt"]) == ("issued", 20_000, "7")
    assert (payment["invoice_id"], payment["amount"]) == (made["id"], 15_000)
    assert (paid["status"], paid["amount_paid"], paid["payment_id"]) == ("paid", 20_000, payment["id"])
    assert api.since().count("invoice.partially_paid") == 1
    assert api.since(start) == ["payment.authorized", "payment.captured", "order.paid", "invoice.paid"]
    with pytest.raises(ConfigError, match="is paid"):
        api.rz.pay_invoice(made["id"])


def test_drafts(api: Api) -> None:
    """A draft is changed in every part, issued once, or deleted."""
    draft, gone = invoice(api, draft="1"), invoice(api, draft="1")
    assert (draft["status"], draft["order_id"]) == ("draft", None)
    lines = [{"name": "Book", "amount": 100, "quantity": 3}]
    assert api.patch(f"/invoices/{draft['id']}", {"line_items": lines})["amount"] == 300
    assert api.post(f"/invoices/{draft['id']}/issue")["status"] == "issued"
    text = "Operation not allowed for Invoice in issued status."
    assert api.refused("POST", f"/invoices/{draft['id']}/issue") == text
    assert api.refused("DELETE", f"/invoices/{draft['id']}") == text
    assert api.send("DELETE", f"/invoices/{gone['id']}") == []
    assert api.refused("GET", f"/invoices/{gone['id']}") == "The id provided does not exist"


def test_an_issued_invoice_keeps_its_lines(api: Api) -> None:
    """Some fields cannot be changed any more; the text names them all."""
    made = invoice(api)["id"]
    text = "customer, line_items, sms_notify, email_notify, draft, date is/are not required and should not be sent"
    assert api.refused("PATCH", f"/invoices/{made}", {"line_items": []}) == text
    assert api.patch(f"/invoices/{made}", {"comment": "thanks"})["comment"] == "thanks"


def test_cancelled_and_expired(api: Api) -> None:
    """Cancelled says nothing, expired has an event; both are final."""
    cancelled, expired = invoice(api)["id"], invoice(api, expire_by=api.rz.clock.unix() + DAY_S)["id"]
    assert api.post(f"/invoices/{cancelled}/cancel")["status"] == "cancelled"
    api.rz.clock.advance(DAY_S)

    assert api.since() == ["invoice.expired"]
    assert api.get(f"/invoices/{expired}")["expired_at"] == api.rz.clock.unix()
    text = "Operation not allowed for Invoice in cancelled status."
    assert api.refused("POST", f"/invoices/{cancelled}/cancel") == text


def test_items_in_lines(api: Api) -> None:
    """A line takes name, price and currency from its item; another currency is refused."""
    item = api.post("/items", {"name": "Book", "amount": 500, "currency": "INR"})
    lines = invoice(api, line_items=[{"item_id": item["id"], "quantity": 2}])["line_items"]
    assert [(line["name"], line["item_id"], line["net_amount"]) for line in lines] == [("Book", item["id"], 1000)]

    foreign = api.post("/items", {"name": "Book", "amount": 500, "currency": "USD"})["id"]
    body = {**INVOICE, "line_items": [{"item_id": foreign}]}
    assert api.refused("POST", "/invoices", body) == "Currency of all items should be the same as of the invoice"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"customer": None}, "customer is required"),
        ({"line_items": []}, "line_items is required"),
        ({"line_items": [{"amount": 5}]}, "The name field is required when item id is not present"),
        ({"line_items": [{"name": "x"}]}, "The amount field is required when item id is not present"),
        ({"expire_by": 1_767_583_800 + 899}, "expire_by should be at least 15 minutes after current time"),
        ({"customer_id": "cust_00000000000000"}, "The id provided does not exist"),
        ({"type": "bill"}, "The selected type is invalid"),
    ],
)
def test_refused_invoices(api: Api, body: Any, text: str) -> None:
    """The published refusals."""
    assert api.refused("POST", "/invoices", {**INVOICE, **body}) == text


def test_customers(api: Api) -> None:
    """The same contact and address is one customer: refused, or given back where that is asked for."""
    who = {"name": "Gaurav Kumar", "contact": "9123456780", "email": "g@example.com"}
    made = api.post("/customers", who)
    assert api.refused("POST", "/customers", who) == "Customer already exists for the merchant"
    assert api.post("/customers", {**who, "fail_existing": "0"}) == made
    text = "Contact number should be at least 8 digits, including country code"
    assert api.refused("POST", "/customers", {"contact": "1234567"}) == text
    assert api.refused("PUT", f"/customers/{made['id']}", {"contact": "x"}) == text
    assert api.send("PUT", f"/customers/{made['id']}", {"email": "h@example.com"})["email"] == "h@example.com"

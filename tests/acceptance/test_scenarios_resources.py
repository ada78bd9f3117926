"""Scenarios B8: links, subscriptions, invoices, customers, QR codes, virtual accounts, transfers, mandates."""

from __future__ import annotations

from typing import Any

import pytest

from razorpay_hardened.errors import ConfigError
from support.emulator_api import account
from support.stage import DAY_S, TRIO, Stage, scenario

_LINK = {"amount": 30_000, "currency": "INR"}
_QUARTER_HOUR_S = 900


# --- payment links


@scenario("RH-100")
def test_link_lives_a_quarter_of_an_hour() -> None:
    """A second less is refused."""
    stage = Stage()
    now = stage.rz.clock.unix()
    error = stage.error("POST", "/payment_links", {**_LINK, "expire_by": now + _QUARTER_HOUR_S - 1})

    assert error["description"] == "timestamp must be atleast 15 minutes in future"
    link = stage.post("/payment_links", {**_LINK, "expire_by": now + _QUARTER_HOUR_S})
    assert (link["status"], link["expire_by"]) == ("created", now + _QUARTER_HOUR_S)


@scenario("RH-101")
def test_reference_of_a_link_is_used_once() -> None:
    """The second is refused; the first is found by it."""
    stage = Stage()
    link = stage.post("/payment_links", {**_LINK, "reference_id": "r-1"})["id"]
    error = stage.error("POST", "/payment_links", {**_LINK, "reference_id": "r-1"})

    assert error["description"] == "payment link creation with reference ID already attempted"
    assert [row["id"] for row in stage.get("/payment_links", reference_id="r-1")["payment_links"]] == [link]


@scenario("RH-102")
def test_upi_link_in_test_mode() -> None:
    """There are none."""
    error = Stage().error("POST", "/payment_links", {**_LINK, "upi_link": True})
    text = "UPI Payment Links is not supported in Test Mode. Please experience the product in Live Mode"
    assert error["description"].rstrip(".") == text


@scenario("RH-103", "RH-104", "RH-105")
def test_ended_links_are_neither_cancelled_nor_changed() -> None:
    """Paid, partly paid and expired links: what may still be done to each, and the events on the way."""
    stage = Stage()
    soon = stage.rz.clock.unix() + _QUARTER_HOUR_S
    paid, partly, expired = (
        stage.post("/payment_links", {**_LINK, **more})["id"]
        for more in ({}, {"accept_partial": True}, {"expire_by": soon})
    )
    stage.rz.pay_link(paid)
    stage.rz.pay_link(partly, amount=10_000)
    stage.rz.clock.advance(_QUARTER_HOUR_S)
    took = "cannot cancel or expire an already paid/partially paid link"
    refusals = [stage.error("POST", f"/payment_links/{link}/cancel")["description"] for link in (paid, partly, expired)]

    statuses = [stage.get(f"/payment_links/{link}")["status"] for link in (paid, partly, expired)]
    assert statuses == ["paid", "partially_paid", "expired"]
    assert refusals == [took, took, "cannot cancel or expire an expired link"]
    text = "update can only be made in created or partially paid state"
    for link in (paid, expired):
        assert stage.error("PATCH", f"/payment_links/{link}", {"notes": {"a": "b"}})["description"] == text
    assert stage.patch(f"/payment_links/{partly}", {"notes": {"a": "b"}})["notes"] == {"a": "b"}
    part = ["payment.authorized", "payment.captured", "payment_link.partially_paid"]
    assert stage.fired() == [*TRIO, "payment_link.paid", *part, "payment_link.expired"]


# --- subscriptions


def _subscription(stage: Stage, **more: object) -> str:
    item = {"name": "Gold", "amount": 69_900, "currency": "INR"}
    plan = stage.post("/plans", {"period": "weekly", "interval": 1, "item": item})["id"]
    return str(stage.post("/subscriptions", {"plan_id": plan, "total_count": 6, **more})["id"])


def _told(stage: Stage) -> list[str]:
    """The events about subscriptions since the last time."""
    names = (name.partition(".") for name in stage.fired())
    return [name for kind, _, name in names if kind == "subscription"]


@scenario("RH-106", "RH-107")
def test_charges_fail_until_it_is_halted() -> None:
    """Pending at the charge and at each daily retry, then halted; invoices go on unpaid, a new card brings it back."""
    stage = Stage()
    subscription = _subscription(stage)
    stage.rz.authenticate(subscription)
    assert _told(stage) == ["authenticated", "activated", "charged"]
    stage.rz.charges_fail(subscription)
    stage.rz.clock.advance(7 * DAY_S)
    first = stage.get(f"/subscriptions/{subscription}")
    assert (first["status"], first["auth_attempts"], _told(stage)) == ("pending", 1, ["pending"])
    stage.rz.clock.advance(2 * DAY_S)
    assert _told(stage) == ["pending", "pending"]
    stage.rz.clock.advance(DAY_S)
    assert (stage.get(f"/subscriptions/{subscription}")["status"], _told(stage)) == ("halted", ["halted"])
    stage.rz.clock.advance(4 * DAY_S)
    unpaid = stage.get("/invoices", subscription_id=subscription)["items"]
    stage.rz.change_card(subscription)
    again = stage.get(f"/subscriptions/{subscription}")

    assert [invoice["status"] for invoice in unpaid] == ["issued", "issued", "paid"]
    assert (again["status"], again["paid_count"], _told(stage)) == ("active", 1, ["activated"])
    stage.rz.clock.advance(7 * DAY_S)
    assert _told(stage) == ["charged"]
    statuses = [row["status"] for row in stage.get("/invoices", subscription_id=subscription)["items"]]
    assert statuses == ["paid", "issued", "issued", "paid"]


@pytest.mark.parametrize("status", ["completed", "expired", "cancelled"])
@scenario("RH-108")
def test_ended_subscription_is_not_cancelled(status: str) -> None:
    """The refusal names the status."""
    stage = Stage()
    if status == "completed":
        subscription = _subscription(stage, total_count=1)
        stage.rz.authenticate(subscription)
    elif status == "expired":
        subscription = _subscription(stage, expire_by=stage.rz.clock.unix() + 3600)
        stage.rz.clock.advance(3600)
    else:
        subscription = _subscription(stage)
        stage.post(f"/subscriptions/{subscription}/cancel", {})
    assert stage.get(f"/subscriptions/{subscription}")["status"] == status
    error = stage.error("POST", f"/subscriptions/{subscription}/cancel", {})

    assert error["description"] == f"Subscription is not cancellable in {status} status."
    assert error["field"] == "status"


@scenario("RH-109", "RH-110")
def test_subscription_is_not_updated() -> None:
    """Not one by UPI, nor one that is created or pending."""
    stage = Stage()
    upi, created, pending = _subscription(stage), _subscription(stage), _subscription(stage)
    stage.rz.authenticate(upi, "upi")
    stage.rz.authenticate(pending)
    stage.rz.charge(pending, fails=True)
    assert stage.get(f"/subscriptions/{pending}")["status"] == "pending"
    error = stage.error("PATCH", f"/subscriptions/{upi}", {"quantity": 2})

    assert error["description"].lower() == "subscriptions cannot be updated when payment mode is upi"
    text = "Can't update Subscription when Subscription is not in Authenticated or Active state"
    for subscription in (created, pending):
        assert stage.error("PATCH", f"/subscriptions/{subscription}", {"quantity": 2})["description"] == text
        assert stage.get(f"/subscriptions/{subscription}")["quantity"] == 1


@scenario("RH-111")
def test_authentication_payment_is_given_back() -> None:
    """A subscription that starts later costs a small sum now, which is no income."""
    stage = Stage()
    subscription = _subscription(stage, start_at=stage.rz.clock.unix() + 7 * DAY_S)
    payment = stage.rz.authenticate(subscription)
    stage.rz.clock.advance(60)
    after = stage.payment(payment["id"])

    told = ["payment.authorized", "refund.created", "token.confirmed", "subscription.authenticated"]
    assert stage.fired() == [*told, "refund.processed"]
    assert (after["amount"], after["amount_refunded"], after["captured"]) == (500, 500, False)
    assert stage.rz.balance == 0


# --- invoices and customers


@scenario("RH-112")
def test_invoice_is_neither_issued_nor_cancelled_twice() -> None:
    """The refusal names the status."""
    stage = Stage()
    customer = {"name": "Gaurav Kumar", "contact": "9123456780", "email": "gaurav.kumar@example.com"}
    line = {"name": "Book", "amount": 20_000, "currency": "INR"}
    invoice = stage.post("/invoices", {"type": "invoice", "customer": customer, "line_items": [line]})
    issued = stage.error("POST", f"/invoices/{invoice['id']}/issue")
    cancelled = stage.post(f"/invoices/{invoice['id']}/cancel")
    again = stage.error("POST", f"/invoices/{invoice['id']}/cancel")

    assert (invoice["status"], cancelled["status"]) == ("issued", "cancelled")
    assert issued["description"] == "Operation not allowed for Invoice in issued status."
    assert again["description"] == "Operation not allowed for Invoice in cancelled status."


@scenario("RH-113", "RH-114")
def test_customer_is_created_once() -> None:
    """Five digits are no contact; the same contact and e-mail are the same customer, or refused."""
    stage = Stage()
    who = {"name": "Gaurav Kumar", "contact": "+919000090000", "email": "gaurav.kumar@example.com"}
    short = stage.error("POST", "/customers", {**who, "contact": "12345"})
    customer = stage.post("/customers", who)["id"]
    twice = stage.error("POST", "/customers", {**who, "fail_existing": "1"})

    assert short["description"].rstrip(".") == "Contact number should be at least 8 digits, including country code"
    assert (short["reason"], short["field"]) == ("invalid_contact_number", "contact")
    assert twice["code"] == "BAD_REQUEST_ERROR"
    assert stage.post("/customers", {**who, "fail_existing": "0"})["id"] == customer
    assert stage.get("/customers")["count"] == 1


# --- QR codes and virtual accounts


@scenario("RH-115")
def test_single_use_code_is_paid_once() -> None:
    """The payment closes it: nobody can pay at it again."""
    stage = Stage()
    qr = stage.post("/payments/qr_codes", {"type": "upi_qr", "usage": "single_use", "name": "Store"})["id"]
    payment = stage.rz.credit_qr(qr, 30_000)
    closed = stage.get(f"/payments/qr_codes/{qr}")
    with pytest.raises(ConfigError, match="closed"):
        stage.rz.credit_qr(qr, 30_000)

    assert payment["status"] == "captured"
    assert (closed["status"], closed["close_reason"]) == ("closed", "paid")
    assert (closed["payments_amount_received"], closed["payments_count_received"]) == (30_000, 1)
    paid = ["payment.authorized", "payment.captured", "qr_code.credited", "qr_code.closed"]
    assert stage.fired() == ["qr_code.created", *paid]


def _payer(number: int) -> dict[str, Any]:
    bank = {"ifsc": "UTIB0000013", "account_number": f"91401000{number:06}"}
    return {"type": "bank_account", "bank_account": bank}


@scenario("RH-116", "RH-117")
def test_only_allowed_payers() -> None:
    """A stranger's transfer is given back at once, a known one's is credited; there are ten of them at most."""
    stage = Stage()
    body = {"receivers": {"types": ["bank_account"]}, "allowed_payers": [_payer(number) for number in range(10)]}
    virtual = stage.post("/virtual_accounts", body)["id"]
    eleventh = stage.error("POST", f"/virtual_accounts/{virtual}/allowed_payers", _payer(10))
    assert eleventh["description"] == "Only 10 allowed payer accounts can be added"
    assert eleventh["step"] == "virtual_account_edit"
    stage.fired()
    stranger = stage.payment(stage.rz.credit_virtual_account(virtual, 30_000)["id"])
    stage.rz.clock.advance(60)
    assert (stranger["status"], stranger["captured"]) == ("refunded", False)
    assert stage.fired() == ["payment.authorized", "refund.created", "refund.processed"]
    assert stage.get(f"/virtual_accounts/{virtual}")["amount_paid"] == 0
    known = stage.rz.credit_virtual_account(virtual, 30_000, **_payer(3)["bank_account"])
    assert known["status"] == "captured"
    assert stage.fired() == ["payment.authorized", "payment.captured", "virtual_account.credited"]
    assert stage.get(f"/virtual_accounts/{virtual}")["amount_paid"] == 30_000


# --- Route


def _share(linked: str, amount: int) -> dict[str, object]:
    return {"account": linked, "amount": amount, "currency": "INR"}


@scenario("RH-118", "RH-119", "RH-120")
def test_transfers_are_refused() -> None:
    """More than was captured, more than there is, more than the linked account holds."""
    stage = Stage()
    linked, payment = account(stage), stage.captured(50_000)
    shares = [_share(linked, 30_000), _share(linked, 20_001)]
    above = stage.error("POST", f"/payments/{payment}/transfers", {"transfers": shares})
    poor = stage.error("POST", "/transfers", _share(linked, 49_000))
    transfer = stage.post("/transfers", _share(linked, 20_000))["id"]
    stage.post(f"/transfers/{transfer}/reversals", {})
    empty = stage.error("POST", f"/transfers/{transfer}/reversals", {"amount": 20_000})

    too_much = "The sum of amount requested for transfer is greater than the captured amount"
    assert above["description"] == too_much
    assert poor["description"] == "Transfer cannot be made due to insufficient balance"
    assert empty["code"] == "BAD_REQUEST_ERROR"
    assert stage.fired() == ["transfer.processed"]
    assert stage.get(f"/transfers/{transfer}")["amount_reversed"] == 20_000


@scenario("RH-120")
def test_linked_account_is_empty() -> None:
    """What was reversed already is no longer there."""
    stage = Stage()
    linked = account(stage)
    stage.captured(50_000)
    transfer = stage.post("/transfers", _share(linked, 20_000))["id"]
    stage.post(f"/transfers/{transfer}/reversals", {"amount": 15_000})
    stage.fired()
    error = stage.error("POST", f"/transfers/{transfer}/reversals", {"amount": 10_000})

    assert error["description"] == "The linked account does not have sufficient balance to process reversal."
    assert stage.get(f"/transfers/{transfer}")["status"] == "partially_reversed"


@scenario("RH-124")
def test_card_from_abroad_pays_in_dollars() -> None:
    """Cents on payment and order, paise in ``base_amount`` and in the settlement."""
    stage = Stage()
    order = stage.post("/orders", {"amount": 1000, "currency": "USD"})["id"]
    payment = stage.payment(stage.rz.pay(order, card="4012888888881881")["id"])
    settlement = stage.rz.settle()
    (row,) = stage.get("/settlements/recon/combined", year=2026, month=1)["items"]

    assert (payment["amount"], payment["currency"], payment["international"]) == (1000, "USD", True)
    assert (payment["base_amount"], payment["base_currency"]) == (80_000, "INR")
    assert (row["amount"], row["currency"]) == (80_000, "INR")
    assert settlement is not None
    assert settlement["amount"] == 80_000 - payment["fee"]
    assert stage.fired() == [*TRIO, "settlement.processed"]

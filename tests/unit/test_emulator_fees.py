"""Fees that customers bear: on top of the order, in the books and in refunds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened.emulator import Emulator, Options
from support.emulator_api import Api, account

FEE, TAX = 236, 36  # of 100 rupees, at 2 % and 18 % GST


def bearing(**more: Any) -> Api:
    return Api(Emulator(in_process=True, options=Options(fee_bearer="customer", **more)))


@pytest.fixture
def api() -> Api:
    return bearing()


def test_the_customer_pays_more_than_the_order(api: Api) -> None:
    """The order is paid exactly, the business gets all of it, and the payment says who bore the fee."""
    order = api.post("/orders", {"amount": 10_000, "currency": "INR"})["id"]
    payment = api.rz.pay(order)
    row = next(iter(api.rz.world.books.rows()))
    shown = api.get(f"/orders/{order}")

    assert (payment["amount"], payment["fee"], payment["tax"]) == (10_000 + FEE, FEE, TAX)
    assert payment["fee_bearer"] == "customer"
    assert (shown["amount_paid"], shown["amount_due"], shown["status"]) == (10_000, 0, "paid")
    assert (row["amount"], row["fee"], row["credit"], api.rz.balance) == (10_000 + FEE, FEE, 10_000, 10_000)


def test_a_refund_gives_the_fee_back_too(api: Api) -> None:
    """All of the payment, not all of the order."""
    payment = api.paid(10_000)["id"]
    assert api.post(f"/payments/{payment}/refund")["amount"] == 10_000 + FEE
    assert api.rz.balance == -FEE


def test_what_is_authorised_is_captured(api: Api) -> None:
    """With the fee in it: the amount of the order alone is another amount."""
    order = api.post("/orders", {"amount": 10_000, "currency": "INR", "payment_capture": 0})["id"]
    payment = api.rz.pay(order)["id"]
    path = f"/payments/{payment}/capture"
    refused = api.refused("POST", path, {"amount": 10_000, "currency": "INR"})

    assert refused == "Capture amount must be equal to the amount authorized."
    assert api.post(path, {"amount": 10_000 + FEE, "currency": "INR"})["fee"] == FEE
    assert api.get(f"/orders/{order}")["status"] == "paid"


def test_parts_of_an_order_carry_their_own_fees(api: Api) -> None:
    """Each on what it pays for."""
    order = api.post("/orders", {"amount": 20_000, "currency": "INR", "partial_payment": True})["id"]
    parts = [api.rz.pay(order, amount=10_000)["amount"] for _ in range(2)]

    assert parts == [10_000 + FEE] * 2
    assert api.get(f"/orders/{order}")["status"] == "paid"


def test_who_never_bears_it(api: Api) -> None:
    """Foreign money and cards, shared payments, QR codes, recurring debits: there the business pays as ever."""
    foreign = api.rz.pay(api.post("/orders", {"amount": 10_000, "currency": "USD"})["id"], "card")
    abroad = api.rz.pay(api.post("/orders", {"amount": 10_000, "currency": "INR"})["id"], card="5555555555554444")
    share = [{"account": account(api), "amount": 5000, "currency": "INR"}]
    shared = api.rz.pay(api.post("/orders", {"amount": 10_000, "currency": "INR", "transfers": share})["id"])
    qr = api.post("/payments/qr_codes", {"type": "upi_qr", "usage": "multiple_use", "name": "Store"})["id"]
    scanned = api.rz.credit_qr(qr, 10_000)

    for payment in (foreign, abroad, shared, scanned):
        assert payment["amount"] == 10_000
        assert "fee_bearer" not in payment


def test_the_fee_is_calculated_before(api: Api) -> None:
    """As it is sent with a payment by API, and as it is shown; the card is not said again."""
    said = {"amount": 10_000, "currency": "INR", "method": "upi", "upi": {"flow": "intent"}}
    who = {"contact": "9000090000", "email": "gaurav.kumar@example.com"}
    answer = api.post("/payments/calculate/fees", {**said, **who})

    assert answer["input"] == {**said, **who, "amount": 10_000 + FEE, "fee": FEE, "tax": TAX}
    assert answer["display"] == {
        "originalAmount": 100,
        "original_amount": 100,
        "fees": 2.36,
        "razorpay_fee": 2,
        "tax": 0.36,
        "amount": 102.36,
        "currency": "INR",
    }
    by_card = {**said, "method": "card", "card": {"number": "4100280000001007"}}
    assert "card" not in api.post("/payments/calculate/fees", by_card)["input"]


def test_a_payment_by_api_names_the_fee(api: Api) -> None:
    """Amount and fee as they were calculated, or it is refused."""
    order = api.post("/orders", {"amount": 10_000, "currency": "INR"})["id"]
    said = {"currency": "INR", "order_id": order, "email": "g@example.com", "contact": "9090909090"}
    bank = {**said, "method": "netbanking", "bank": "HDFC"}
    wrong = [{"amount": 10_000}, {"amount": 10_000 + FEE}, {"amount": 10_001, "fee": 1}]
    texts = [api.refused("POST", "/payments/create/json", {**bank, **one}) for one in wrong]
    made = api.post("/payments/create/json", {**bank, "amount": 10_000 + FEE, "fee": FEE})["razorpay_payment_id"]
    api.rz.finish(made)

    assert texts == [
        "The fee is not that of the payment",
        "The amount is not that of the order",
        "The fee is not that of the payment",
    ]
    assert api.get(f"/payments/{made}")["amount"] == 10_000 + FEE
    assert api.get(f"/orders/{order}")["status"] == "paid"


def test_only_where_the_account_has_it(api: Api) -> None:
    """Elsewhere nothing is calculated and no fee is taken; and what is calculated is in INR and at least a rupee."""
    plain = Api(Emulator(in_process=True))
    said = {"amount": 10_000, "currency": "INR", "method": "upi"}
    path = "/payments/calculate/fees"
    assert plain.refused("POST", path, said) == "The requested URL was not found on the server."
    assert plain.refused("POST", "/payments/create/json", {"method": "upi", "fee": 1}).startswith("fee is/are not")
    assert api.refused("POST", path, {**said, "currency": "USD"}) == "The selected currency is invalid"
    assert api.refused("POST", path, {**said, "amount": 99}) == "The amount must be at least INR 1.00."
    assert api.refused("POST", path, {**said, "vpa": "a@b"}).startswith("vpa is/are not required")


@given(amount=st.integers(100, 10**12), basis_points=st.integers(0, 2000))
def test_the_business_gets_what_it_asked_for(amount: int, basis_points: int) -> None:
    """Whatever the amount and the rate: the order is paid, and the balance is its amount to the paisa."""
    api = bearing(fee_basis_points=(("*", basis_points),))
    api.paid(amount)

    assert api.rz.balance == amount
    assert next(iter(api.rz.world.orders.values()))["status"] == "paid"

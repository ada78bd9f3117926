"""Scenarios A1 and A2: orders, and what is refused about them."""

from __future__ import annotations

import pytest

from razorpay_hardened.emulator import Options
from razorpay_hardened.errors import ApiBadRequest
from support.stage import DAY_S, TRIO, Stage, hmac_hex, scenario

_PAID = "Your payment has been declined as the order is already paid. Please initiate the payment with a new order."


@scenario("ORD-01")
def test_order_is_created() -> None:
    """A new order owes its whole amount, was never attempted, and no event speaks of it."""
    stage = Stage()
    order = stage.post("/orders", {"amount": 100, "currency": "INR", "receipt": "r-1"})

    assert order["id"].startswith("order_")
    assert {key: order[key] for key in ("status", "amount_due", "amount_paid", "attempts", "receipt")} == {
        "status": "created",
        "amount_due": 100,
        "amount_paid": 0,
        "attempts": 0,
        "receipt": "r-1",
    }
    assert stage.fired() == []


@scenario("ORD-02", "ORD-03")
def test_order_is_paid_at_the_second_try() -> None:
    """A failed payment leaves the order open as attempted; another payment on it pays it."""
    stage = Stage()
    order = stage.order(50_000)
    first = stage.rz.pay(order, outcome="failed")
    attempted = stage.get(f"/orders/{order}")
    failed = stage.fired()
    second = stage.rz.pay(order)
    paid = stage.get(f"/orders/{order}")

    assert (attempted["status"], attempted["attempts"], attempted["amount_due"]) == ("attempted", 1, 50_000)
    assert failed == ["payment.failed"]
    assert second["id"] != first["id"]
    assert (paid["status"], paid["attempts"], paid["amount_paid"], paid["amount_due"]) == ("paid", 2, 50_000, 0)
    assert stage.fired() == TRIO


@scenario("ORD-04")
def test_checkout_is_signed() -> None:
    """What Checkout hands over is signed over order and payment with the key secret."""
    stage = Stage()
    order = stage.order()
    payment = stage.rz.pay(order)["id"]
    form = stage.rz.checkout_form(payment)

    right = hmac_hex(f"{order}|{payment}", stage.rz.key_secret)
    assert form == {"razorpay_order_id": order, "razorpay_payment_id": payment, "razorpay_signature": right}
    assert len(right) == 64


@scenario("ORD-05", "BP-07")
def test_create_is_repeatable_by_receipt() -> None:
    """With ``unique_receipt``, the second create gives the order that the first made although its answer was lost."""
    stage = Stage()
    stage.rz.faults.add("on POST /orders: do_then_reset once")
    body = {"amount": 50_000, "currency": "INR", "receipt": "r-1", "unique_receipt": True}
    lost = stage.rz.request("POST", "/v1/orders", body)
    again = stage.post("/orders", body)

    assert lost.act == "reset"
    found = stage.get("/orders", receipt="r-1")
    assert [order["id"] for order in found["items"]] == [again["id"]]
    assert stage.fired() == []


@scenario("ORD-06")
def test_order_and_its_payments_are_fetched() -> None:
    """The payments of an order are an empty collection until somebody tries."""
    stage = Stage()
    order = stage.order()
    before = stage.get(f"/orders/{order}/payments")
    payment = stage.rz.pay(order)["id"]
    after = stage.get(f"/orders/{order}/payments")

    assert before == {"entity": "collection", "count": 0, "items": []}
    assert (after["count"], [row["id"] for row in after["items"]]) == (1, [payment])
    assert stage.get(f"/orders/{order}")["id"] == order


@scenario("ORD-07")
def test_paid_order_takes_no_payment() -> None:
    """Another payment on a paid order is declined, and fires nothing."""
    stage = Stage()
    order = stage.order()
    stage.rz.pay(order)
    stage.fired()
    with pytest.raises(ApiBadRequest) as declined:
        stage.rz.pay(order)

    assert declined.value.error_code == "BAD_REQUEST_ERROR"
    assert (declined.value.description, declined.value.reason) == (_PAID, "order_already_paid")
    assert stage.fired() == []
    assert stage.get(f"/orders/{order}")["attempts"] == 1


_INVALID = ("payment_initiation", "input_validation_failed")
_MINIMUM = ("order_creation", "amount_less_than_minimum_amount")


@pytest.mark.parametrize(
    ("broken", "step", "reason", "description"),
    [
        ({"amount": 99}, *_MINIMUM, "Order amount less than minimum amount allowed"),
        ({"amount": -100}, *_MINIMUM, "Order amount less than minimum amount allowed"),
        ({"amount": 100.5}, *_INVALID, "The amount must be an integer."),
        ({"amount": None}, *_INVALID, "amount: is required."),
        ({"currency": 1}, *_INVALID, "expected string but provided 1"),
        ({"currency": None}, *_INVALID, "The currency field is required"),
        ({"receipt": 1}, *_INVALID, "expected string but provided 1"),
        (
            {"colour": "red"},
            "payment_initiation",
            "extra_field_sent",
            "colour is/are not required and should not be sent",
        ),
    ],
)
@scenario("ORD-08…ORD-15", "EI-01", "EI-04", "EI-05", "EI-06", "EI-07")
def test_broken_order_is_refused(broken: dict[str, object], step: str, reason: str, description: str) -> None:
    """One field is broken at a time: 400, source business, no order and no event.

    Which of ORD-08 to ORD-15 is which is not readable: eight are staged.
    """
    stage = Stage()
    sent = {"amount": 50_000, "currency": "INR", "receipt": "r-1", **broken}
    error = stage.error("POST", "/orders", {key: value for key, value in sent.items() if value is not None})

    assert (error["code"], error["source"]) == ("BAD_REQUEST_ERROR", "business")
    assert (error["step"], error["reason"], error["description"]) == (step, reason, description)
    assert stage.get("/orders")["count"] == 0


@scenario("ORD-16")
def test_order_is_paid_in_parts() -> None:
    """Each part moves paid and due and is captured; the order is paid once, at the end."""
    stage = Stage()
    order = stage.order(50_000, partial_payment=True, first_payment_min_amount=20_000)
    with pytest.raises(ApiBadRequest, match="first payment's minimum"):
        stage.rz.pay(order, amount=10_000)
    stage.rz.pay(order, amount=20_000)
    half = stage.get(f"/orders/{order}")
    first = stage.fired()
    stage.rz.pay(order, amount=30_000)
    whole = stage.get(f"/orders/{order}")

    assert (half["status"], half["amount_paid"], half["amount_due"]) == ("attempted", 20_000, 30_000)
    assert first == ["payment.authorized", "payment.captured"]
    assert (whole["status"], whole["amount_paid"], whole["amount_due"]) == ("paid", 50_000, 0)
    assert stage.fired() == TRIO


def _mandate(stage: Stage, **changes: object) -> dict[str, object]:
    """The body of an order that asks for a mandate; ``changes`` None leave a field of the block out."""
    customer = stage.post("/customers", {"name": "Gaurav Kumar", "contact": "+919000090000", "fail_existing": "0"})
    block = {"max_amount": 500_000, "expire_at": stage.rz.clock.unix() + 365 * DAY_S, "frequency": "monthly", **changes}
    token = {key: value for key, value in block.items() if value is not None}
    return {"amount": 100, "currency": "INR", "method": "card", "customer_id": customer["id"], "token": token}


@scenario("ORD-20")
def test_order_asks_for_a_mandate() -> None:
    """The order shows its limits; who pays it has a confirmed token within them, and is charged up to them."""
    stage = Stage()
    body = _mandate(stage)
    order = stage.post("/orders", body)
    assert (order["status"], order["customer_id"], order["method"]) == ("created", body["customer_id"], "card")
    assert (order["token"]["max_amount"], order["token"]["frequency"]) == (500_000, "monthly")
    assert stage.fired() == []
    payment = stage.payment(stage.rz.pay(order["id"], "card")["id"])
    (token,) = stage.get(f"/customers/{body['customer_id']}/tokens")["items"]

    assert stage.fired() == [*TRIO, "token.confirmed"]
    assert (payment["status"], payment["token_id"]) == ("captured", token["id"])
    assert (token["recurring_details"]["status"], token["max_amount"]) == ("confirmed", 500_000)
    assert token["expired_at"] == order["token"]["expire_at"]
    debit = {"currency": "INR", "customer_id": body["customer_id"], "token": token["id"]}
    good = {**debit, "amount": 500_000, "order_id": stage.order(500_000)}
    assert stage.payment(stage.post("/payments/create/recurring", good)["razorpay_payment_id"])["status"] == "captured"
    bad = {**debit, "amount": 500_001, "order_id": stage.order(500_001)}
    assert stage.error("POST", "/payments/create/recurring", bad)["field"] == "amount"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"max_amount": 99}, "max_amount"),
        ({"max_amount": 1_500_001}, "max_amount"),
        ({"max_amount": None}, "max_amount"),
        ({"expire_at": None}, "expire_at"),
        ({"expire_at": 946_684_801}, "expire_at"),
        ({"frequency": "hourly"}, "frequency"),
        ({"frequency": None}, "frequency"),
    ],
)
@scenario("ORD-21")
def test_broken_mandate_is_refused(changes: dict[str, object], field: str) -> None:
    """One field of the block is broken at a time: 400, and no order."""
    stage = Stage()
    error = stage.error("POST", "/orders", _mandate(stage, **changes))

    assert (error["code"], error["source"], error["field"]) == ("BAD_REQUEST_ERROR", "business", field)
    assert stage.get("/orders")["count"] == 0


@scenario("ORD-21")
def test_mandate_needs_its_customer() -> None:
    """A customer that does not exist, and a block without a customer."""
    stage = Stage()
    body = _mandate(stage)
    unknown = stage.error("POST", "/orders", {**body, "customer_id": "cust_00000000000000"})
    alone = stage.error("POST", "/orders", {key: value for key, value in body.items() if key != "customer_id"})

    assert unknown["description"] == "The id provided does not exist"
    assert alone["field"] == "customer_id"
    assert stage.get("/orders")["count"] == 0


@scenario("ORD-22")
def test_each_debit_has_its_own_order() -> None:
    """A confirmed token is debited on a new order each time; each is paid once, and neither takes another debit."""
    stage = Stage()
    customer = stage.post("/customers", {"name": "Gaurav Kumar", "contact": "+919000090000"})["id"]
    token = stage.rz.save_token(customer)["id"]
    stage.fired()
    for _ in range(2):
        order = stage.order(30_000)
        debit = {
            "email": "gaurav.kumar@example.com",
            "contact": "+919000090000",
            "amount": 30_000,
            "currency": "INR",
            "order_id": order,
            "customer_id": customer,
            "token": token,
            "recurring": "1",
        }
        answer = stage.post("/payments/create/recurring", debit)

        assert answer["razorpay_order_id"] == order
        assert stage.payment(answer["razorpay_payment_id"])["status"] == "captured"
        assert stage.get(f"/orders/{order}")["status"] == "paid"
        assert stage.fired() == TRIO
        assert stage.error("POST", "/payments/create/recurring", debit)["description"] == _PAID


@scenario("EI-02")
def test_account_without_route_knows_no_transfers() -> None:
    """A parameter that the account lacks is a field that should not be sent."""
    stage = Stage(options=Options(route=False))
    shares = [{"account": "acc_00000000000001", "amount": 100, "currency": "INR"}]
    error = stage.error("POST", "/orders", {"amount": 50_000, "currency": "INR", "transfers": shares})

    assert (error["source"], error["step"], error["reason"]) == ("business", "payment_initiation", "extra_field_sent")
    assert error["description"] == "transfers is/are not required and should not be sent"


@scenario("EI-03")
def test_receipt_is_used_once() -> None:
    """An account that wants unique receipts refuses the second use, with or without other fields the same."""
    stage = Stage(options=Options(refuse_duplicate_receipts=True))
    stage.order(receipt="r-1")
    error = stage.error("POST", "/orders", {"amount": 100, "currency": "INR", "receipt": "r-1"})

    assert (error["code"], error["source"]) == ("BAD_REQUEST_ERROR", "business")
    assert (error["step"], error["reason"]) == _INVALID
    assert error["description"] == "Order receipt should be unique."
    assert stage.get("/orders")["count"] == 1

"""Scenarios B2: orders, Checkout and what it hands over."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from razorpay_hardened.emulator import Options, Reply, Request
from razorpay_hardened.errors import ApiBadRequest
from support.stage import DAY_S, REFUNDED, TRIO, Stage, hmac_hex, scenario


def _in_browser(stage: Stage, step: str, **body: object) -> Any:
    reply = stage.rz.request("POST", f"/_emulator/checkout/{step}", {"key": stage.rz.key_id, **body})
    assert reply.status == 200, reply.body
    return reply.json()


@scenario("RH-17")
def test_payment_without_an_order() -> None:
    """It is authorised, cannot be captured, and is given back when its time is over."""
    stage = Stage()
    payment = stage.rz.pay(None, amount=50_000)
    assert (payment["status"], payment["order_id"]) == ("authorized", None)
    error = stage.error("POST", f"/payments/{payment['id']}/capture", {"amount": 50_000, "currency": "INR"})
    stage.rz.clock.advance(3 * DAY_S + 60)
    after = stage.payment(payment["id"])

    assert error["code"] == "BAD_REQUEST_ERROR"
    assert (after["status"], after["captured"]) == ("refunded", False)
    assert stage.fired() == ["payment.authorized", *REFUNDED]


@scenario("RH-18")
def test_no_second_payment_while_one_is_authorised() -> None:
    """The order waits for the capture: another payment is refused."""
    stage = Stage()
    order = stage.order(payment={"capture": "manual"})
    stage.rz.pay(order)
    stage.fired()
    with pytest.raises(ApiBadRequest) as refused:
        stage.rz.pay(order)

    assert refused.value.status == 400
    assert stage.fired() == []
    assert stage.get(f"/orders/{order}/payments")["count"] == 1


@scenario("RH-19")
def test_refunded_order_stays_paid() -> None:
    """The refund is the payment's, not the order's."""
    stage = Stage()
    order = stage.order(50_000)
    payment = stage.rz.pay(order)["id"]
    stage.fired()
    stage.post(f"/payments/{payment}/refund", {})
    stage.rz.clock.advance(60)
    after = stage.get(f"/orders/{order}")

    assert (after["status"], after["amount_paid"], after["amount_due"]) == ("paid", 50_000, 0)
    assert stage.payment(payment)["status"] == "refunded"
    assert stage.fired() == REFUNDED


@scenario("RH-20")
def test_amount_of_the_order_wins_over_the_page() -> None:
    """The page names one rupee: Checkout shows and takes what the order says."""
    stage = Stage()
    order = stage.order(50_000)
    shown = _in_browser(stage, "order", order_id=order, amount=100)
    form = _in_browser(stage, "pay", order_id=order, amount=100, method="netbanking")

    assert shown["amount"] == 50_000
    assert stage.payment(form["razorpay_payment_id"])["amount"] == 50_000
    assert stage.fired() == TRIO
    assert stage.get(f"/orders/{order}")["status"] == "paid"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("receipt", "r" * 41),
        ("notes", {f"key {number}": "x" for number in range(16)}),
        ("notes", {"key": "x" * 257}),
    ],
)
@scenario("RH-21")
def test_fields_of_an_order_are_bounded(field: str, value: object) -> None:
    """One more than allowed is refused; as many as allowed pass."""
    stage = Stage()
    error = stage.error("POST", "/orders", {"amount": 100, "currency": "INR", field: value})
    stage.order(receipt="r" * 40, notes={f"key {number}": "x" * 256 for number in range(15)})

    assert (error["code"], error["reason"]) == ("BAD_REQUEST_ERROR", "input_validation_failed")
    assert error["field"] == field
    assert stage.get("/orders")["count"] == 1


@scenario("RH-22")
def test_last_of_three_decimals() -> None:
    """An account refuses a last digit other than 0 in KWD, another rounds it down."""
    body = {"amount": 99_999, "currency": "KWD"}
    refusing = Stage(options=Options(three_decimals="refuse"))
    error = refusing.error("POST", "/orders", body)
    rounding = Stage(options=Options(three_decimals="round"))

    assert (error["field"], error["code"]) == ("amount", "BAD_REQUEST_ERROR")
    assert rounding.post("/orders", body)["amount"] == 99_990
    assert refusing.post("/orders", {**body, "amount": 99_990})["amount"] == 99_990


@scenario("RH-23")
def test_yen_has_no_decimals() -> None:
    """295 is 295 yen, all the way to the payment."""
    stage = Stage()
    order = stage.post("/orders", {"amount": 295, "currency": "JPY"})
    payment = stage.rz.pay(order["id"], "card")

    assert (order["amount"], order["currency"]) == (295, "JPY")
    assert (payment["amount"], payment["currency"], payment["status"]) == (295, "JPY", "captured")
    assert stage.fired() == TRIO


@scenario("RH-24")
def test_only_notes_of_an_order_change() -> None:
    """Anything else should not be sent."""
    stage = Stage()
    order = stage.order(50_000)
    changed = stage.patch(f"/orders/{order}", {"notes": {"cart": "7"}})
    error = stage.error("PATCH", f"/orders/{order}", {"amount": 100})

    assert changed["notes"] == {"cart": "7"}
    assert error["description"] == "amount is/are not required and should not be sent"
    assert stage.get(f"/orders/{order}")["amount"] == 50_000
    assert stage.fired() == []


@scenario("RH-25")
def test_unknown_order() -> None:
    """A well-formed id that is unknown and a malformed one are both 400, in different words."""
    stage = Stage()
    unknown = stage.error("GET", "/orders/order_00000000000000")
    malformed = stage.error("GET", "/orders/order_1")

    assert unknown["description"] == "The id provided does not exist"
    assert malformed["description"] == "order_1 is not a valid id"


@pytest.mark.parametrize(
    ("header", "description"),
    [
        ({"user": "rzp_test_nobody00000000"}, "The api key provided is invalid"),
        ({"secret": "wrong"}, "The api secret provided is invalid"),
        ({"scheme": "basic"}, "Authentication failed"),
        ({"scheme": "Digest"}, "Authentication failed"),
    ],
)
@scenario("RH-26")
def test_wrong_credentials(header: dict[str, str], description: str) -> None:
    """401 with the published texts; nothing is created."""
    stage = Stage()
    rz = stage.rz
    pair = f"{header.get('user', rz.key_id)}:{header.get('secret', rz.key_secret)}".encode()
    sent = {"Authorization": f"{header.get('scheme', 'Basic')} {b64encode(pair).decode()}"}
    error = stage.error("POST", "/orders", {"amount": 100, "currency": "INR"}, status=401, headers=sent)

    assert (error["code"], error["description"]) == ("BAD_REQUEST_ERROR", description)
    assert stage.get("/orders")["count"] == 0


@scenario("RH-27", "RH-28", "RH-31")
def test_checkout_hands_over_three_fields() -> None:
    """Exactly three, the same however often they are asked for, signed over order and payment."""
    stage = Stage()
    order = stage.order()
    started = _in_browser(stage, "begin", order_id=order, method="upi")
    form = _in_browser(stage, "finish", payment_id=started["payment_id"], answer="success")
    payment = started["payment_id"]

    assert form == {
        "razorpay_order_id": order,
        "razorpay_payment_id": payment,
        "razorpay_signature": hmac_hex(f"{order}|{payment}", stage.rz.key_secret),
    }
    assert stage.rz.checkout_form(payment) == form
    assert stage.fired() == TRIO
    assert stage.payment(payment)["status"] == "captured"


@scenario("RH-28")
def test_hosted_page_knows_where_to_go() -> None:
    """The shop's form with ``callback_url`` opens Checkout for that order; its own ids travel in the query."""
    stage = Stage()
    order = stage.order()
    sent = f"key_id={stage.rz.key_id}&order_id={order}&callback_url=https%3A%2F%2Fshop.example%2Fpaid%3Fcart%3D7"
    reply: Reply = stage.rz.handle(Request("POST", "/v1/checkout/embedded", body=sent.encode()))

    assert reply.status == 200
    assert order.encode() in reply.body
    assert b"https://shop.example/paid?cart=7" in reply.body


@scenario("RH-29")
def test_failure_is_handed_over_unsigned() -> None:
    """What callback_url gets as ``error[…]``: code, description, source, step, reason and the ids, no signature."""
    stage = Stage()
    order = stage.order()
    started = _in_browser(stage, "begin", order_id=order, vpa="failure@razorpay")
    told = _in_browser(stage, "finish", payment_id=started["payment_id"], answer="success")
    script = stage.rz.handle(Request("GET", "/v1/checkout.js")).body.decode()

    assert told == {
        "error": {
            "code": "BAD_REQUEST_ERROR",
            "description": "Payment failed",
            "source": "issuer",
            "step": "payment_authorization",
            "reason": "payment_failed",
            "metadata": {"payment_id": started["payment_id"], "order_id": order},
        }
    }
    for field in ("code", "description", "source", "step", "reason", "metadata"):
        assert f'"error[{field}]"' in script
    assert stage.fired() == ["payment.failed"]


@scenario("RH-30")
def test_callback_of_another_order() -> None:
    """The payment of order B has no valid signature with order A."""
    stage = Stage()
    mine, other = stage.order(), stage.order()
    payment = stage.rz.pay(other)["id"]
    form = stage.rz.checkout_form(payment)

    assert form["razorpay_order_id"] == other
    assert form["razorpay_signature"] != hmac_hex(f"{mine}|{payment}", stage.rz.key_secret)
    assert stage.get(f"/orders/{mine}")["status"] == "created"


@pytest.mark.parametrize(("late", "then"), [(False, ["payment.failed"]), (True, ["payment.failed", *TRIO])])
@scenario("RH-33")
def test_window_is_closed_at_the_bank(late: bool, then: list[str]) -> None:
    """No event; after ten minutes the payment fails, and the bank may still say yes an hour later."""
    stage = Stage()
    order = stage.order()
    started = stage.rz.begin(order) if not late else stage.rz.pay(order, outcome="late")
    stage.rz.clock.advance(599)
    waiting, silent = stage.payment(started["id"])["status"], stage.fired()
    stage.rz.clock.advance(1)
    failed = stage.payment(started["id"])
    stage.rz.clock.advance(3600)

    assert (waiting, silent) == ("created", [])
    assert (failed["status"], failed["error_reason"]) == ("failed", "payment_timed_out")
    assert stage.fired() == then
    assert stage.get(f"/orders/{order}")["status"] == ("paid" if late else "attempted")


@scenario("RH-34")
def test_status_check_before_delivery() -> None:
    """The order is paid and its one payment captured."""
    stage = Stage()
    order = stage.order(50_000)
    stage.rz.pay(order)
    found = stage.get(f"/orders/{order}", **{"expand[]": "payments"})

    assert (found["status"], found["amount_due"]) == ("paid", 0)
    (payment,) = found["payments"]["items"]
    assert (payment["status"], payment["captured"], payment["amount"]) == ("captured", True, 50_000)
    assert stage.fired() == TRIO


@pytest.mark.parametrize("reference", ["r-1", None])
@scenario("RH-36")
def test_callback_of_a_payment_link(reference: str | None) -> None:
    """The query is signed over link, reference, status and payment; without a reference its place is empty."""
    stage = Stage()
    body = {"amount": 30_000, "currency": "INR", **({"reference_id": reference} if reference else {})}
    link = stage.post("/payment_links", body)["id"]
    payment = stage.rz.pay_link(link)["id"]
    query = stage.rz.link_callback(payment)

    assert query == {
        "razorpay_payment_id": payment,
        "razorpay_payment_link_id": link,
        "razorpay_payment_link_reference_id": reference or "",
        "razorpay_payment_link_status": "paid",
        "razorpay_signature": hmac_hex(f"{link}|{reference or ''}|paid|{payment}", stage.rz.key_secret),
    }
    assert stage.fired() == [*TRIO, "payment_link.paid"]


@scenario("RH-37")
def test_callback_of_a_subscription() -> None:
    """The authentication payment is signed over payment and subscription, in this order."""
    stage = Stage()
    item = {"name": "Gold", "amount": 69_900, "currency": "INR"}
    plan = stage.post("/plans", {"period": "monthly", "interval": 1, "item": item})["id"]
    said = {"plan_id": plan, "total_count": 3, "start_at": stage.rz.clock.unix() + DAY_S}
    subscription = stage.post("/subscriptions", said)["id"]
    payment = stage.rz.authenticate(subscription)["id"]
    form = stage.rz.subscription_form(subscription)

    assert form == {
        "razorpay_payment_id": payment,
        "razorpay_subscription_id": subscription,
        "razorpay_signature": hmac_hex(f"{payment}|{subscription}", stage.rz.key_secret),
    }
    assert "subscription.authenticated" in stage.fired()

"""What customers, banks and time do to the emulator's payments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator, Options
from razorpay_hardened.errors import ApiBadRequest, ConfigError
from razorpay_hardened.signing import verify_checkout

DAY = 86_400


@pytest.fixture
def rz() -> Emulator:
    return Emulator(in_process=True)


def order(rz: Emulator, **changes: Any) -> str:
    body = {"amount": 50000, "currency": "INR", **changes}
    return str(rz.request("POST", "/v1/orders", body).json()["id"])


def events(rz: Emulator) -> list[str]:
    return [event.name for event in rz.world.events]


def capture(rz: Emulator, payment_id: str, **body: Any) -> Any:
    return rz.request("POST", f"/v1/payments/{payment_id}/capture", {"amount": 50000, "currency": "INR", **body})


def test_paid_order(rz: Emulator) -> None:
    """A payment is authorised and captured by default; the order is paid and the trio is announced."""
    order_id = order(rz)
    payment = rz.pay(order_id)
    paid = rz.request("GET", f"/v1/orders/{order_id}").json()

    assert tuple(payment[key] for key in ("status", "captured", "fee", "tax")) == ("captured", True, 1180, 180)
    assert tuple(paid[key] for key in ("status", "amount_paid", "amount_due", "attempts")) == ("paid", 50000, 0, 1)
    assert events(rz) == ["payment.authorized", "payment.captured", "order.paid"]


def test_events_are_snapshots(rz: Emulator) -> None:
    """payment.authorized shows the payment as it was, fee and all; order.paid carries payment and order."""
    order_id = order(rz)
    rz.pay(order_id)
    authorized, captured, paid = (json.loads(event.body) for event in rz.world.events)

    seen = authorized["payload"]["payment"]["entity"]
    assert (seen["status"], seen["captured"], seen["fee"]) == ("authorized", False, None)
    assert {"entity", "account_id", "event", "contains", "payload", "created_at"} == set(captured)
    assert (["payment", "order"], rz.account_id) == (paid["contains"], paid["account_id"])
    assert paid["payload"]["order"]["entity"]["status"] == "paid"


@pytest.mark.parametrize(
    ("how", "code", "reason"),
    [
        ({"vpa": "failure@razorpay"}, "BAD_REQUEST_ERROR", "payment_failed"),
        ({"card": "4100 2800 0008 0001"}, "BAD_REQUEST_ERROR", "insufficient_fund"),
        ({"card": "5305620000070009"}, "GATEWAY_ERROR", "authentication_failed"),
        ({"card": "4111111111111111", "outcome": "failed"}, "GATEWAY_ERROR", "gateway_technical_error"),
        ({"method": "netbanking", "outcome": "failed"}, "BAD_REQUEST_ERROR", "payment_failed"),
    ],
)
def test_failures(rz: Emulator, how: dict[str, Any], code: str, reason: str) -> None:
    """Published failing instruments fail with their code and reason, and the order stays open."""
    order_id = order(rz)
    payment = rz.pay(order_id, **how)

    assert ("failed", code, reason) == (payment["status"], payment["error_code"], payment["error_reason"])
    assert (rz.world.orders[order_id]["status"], rz.world.orders[order_id]["attempts"]) == ("attempted", 1)
    assert events(rz) == ["payment.failed"]


@pytest.mark.parametrize(("amount", "reason"), [(201, "insufficient_funds"), (402, "payment_declined")])
def test_upi_amounts_decide(rz: Emulator, amount: int, reason: str) -> None:
    """Without a test id, the published amounts make UPI fail."""
    assert reason == rz.pay(order(rz, amount=amount))["error_reason"]
    assert rz.pay(order(rz, amount=amount), vpa="success@razorpay")["status"] == "captured"


@pytest.mark.parametrize(
    ("how", "method", "field"),
    [
        ({"card": "5555 5555 5555 4444"}, "card", "auth_code"),
        ({"method": "card"}, "card", "auth_code"),
        ({"method": "netbanking"}, "netbanking", "bank_transaction_id"),
        ({"method": "wallet"}, "wallet", "transaction_id"),
        ({"vpa": "success@razorpay"}, "upi", "rrn"),
    ],
)
def test_methods(rz: Emulator, how: dict[str, Any], method: str, field: str) -> None:
    """Each method has its own bank reference."""
    payment = rz.pay(order(rz), **how)

    assert (method, [field]) == (payment["method"], list(payment["acquirer_data"]))


def test_retry_after_a_failure(rz: Emulator) -> None:
    """A second attempt on the same order pays it with a new payment id."""
    order_id = order(rz)
    first, second = rz.pay(order_id, outcome="failed"), rz.pay(order_id)

    assert first["id"] != second["id"]
    assert (rz.world.orders[order_id]["status"], rz.world.orders[order_id]["attempts"]) == ("paid", 2)


def test_a_paid_order_takes_no_payment(rz: Emulator) -> None:
    """Checkout refuses a second payment of a paid order, and while one is authorised."""
    paid, held = order(rz), order(rz)
    rz.pay(paid)
    rz.pay(held, outcome="authorized")

    for order_id in (paid, held):
        with pytest.raises(ApiBadRequest, match="already paid") as refused:
            rz.pay(order_id)
        assert refused.value.reason == "order_already_paid"


def test_two_tabs_the_second_is_given_back(rz: Emulator) -> None:
    """A second success on a paid order is refunded at once, uncaptured."""
    order_id = order(rz)
    rz.pay(order_id)
    extra = rz.pay(order_id, concurrent=True)

    assert tuple(extra[key] for key in ("status", "captured", "amount_refunded", "refund_status")) == (
        "refunded",
        False,
        50000,
        "full",
    )
    assert events(rz)[3:] == ["payment.authorized", "refund.created"]


def test_two_tabs_both_captured(rz: Emulator) -> None:
    """On request, both payments are captured: the order says paid once and counts its amount once."""
    order_id = order(rz)
    rz.pay(order_id)
    rz.pay(order_id, concurrent=True, outcome="captured")

    assert events(rz).count("order.paid") == 1
    assert events(rz).count("payment.captured") == 2
    assert rz.world.orders[order_id]["amount_paid"] == 50000


@pytest.mark.parametrize("how", [{"payment_capture": 0}, {"payment": {"capture": "manual"}}])
def test_manual_capture(rz: Emulator, how: dict[str, Any]) -> None:
    """The order's own setting wins: the payment stays authorised until it is captured by hand."""
    order_id = order(rz, **how)
    payment = rz.pay(order_id)
    captured = capture(rz, payment["id"])

    assert (payment["status"], payment["fee"]) == ("authorized", None)
    assert (captured.status, captured.json()["status"]) == (200, "captured")
    assert events(rz) == ["payment.authorized", "payment.captured", "order.paid"]


def test_account_setting_without_an_order_setting() -> None:
    """An account without automatic capture leaves payments authorised, unless the order says otherwise."""
    rz = Emulator(in_process=True, options=Options(auto_capture=False))

    assert rz.pay(order(rz))["status"] == "authorized"
    assert rz.pay(order(rz, payment_capture=1))["status"] == "captured"
    assert rz.pay(order(rz, payment={"capture": "automatic"}))["status"] == "captured"


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({"amount": 49999}, "Capture amount must be equal to the amount authorized."),
        ({"amount": 50001}, "Capture amount must be equal to the amount authorized."),
        ({"amount": "10.5"}, "The amount must be an integer."),
        ({"amount": None}, "The amount field is required."),
        ({"currency": None}, "The currency field is required"),
        ({"speed": "normal"}, "speed is/are not required and should not be sent"),
    ],
)
def test_refused_captures(rz: Emulator, body: dict[str, Any], description: str) -> None:
    """A capture that is not exactly the authorised amount changes nothing."""
    payment = rz.pay(order(rz), outcome="authorized")
    reply = capture(rz, payment["id"], **body)

    assert (400, description) == (reply.status, reply.json()["error"]["description"])
    assert rz.world.payments[payment["id"]]["status"] == "authorized"


def test_capture_twice(rz: Emulator) -> None:
    """The second capture is refused, and there is one capture event."""
    payment = rz.pay(order(rz))
    reply = capture(rz, payment["id"])

    assert (reply.status, reply.json()["error"]["description"]) == (400, "This payment has already been captured")
    assert events(rz).count("payment.captured") == 1


def test_capture_in_other_states(rz: Emulator) -> None:
    """Failed, orderless and surplus payments, and unknown ones, cannot be captured."""
    order_id = order(rz)
    failed = rz.pay(order_id, outcome="failed")
    held = rz.pay(order_id, outcome="authorized")
    rz.pay(order_id, outcome="captured", concurrent=True)
    orderless = rz.pay(None, amount=50000)

    for payment_id in (failed["id"], held["id"], orderless["id"], "pay_00000000000000"):
        assert capture(rz, payment_id).status == 400


def test_uncaptured_payments_are_given_back(rz: Emulator) -> None:
    """After the window an authorised payment is refunded, never captured."""
    payment = rz.pay(order(rz, payment_capture=0))
    rz.clock.advance(3 * DAY - 1)
    before = rz.world.payments[payment["id"]]["status"]
    rz.clock.advance(61)
    after = rz.world.payments[payment["id"]]

    assert (before, after["status"], after["captured"]) == ("authorized", "refunded", False)
    assert events(rz) == ["payment.authorized", "refund.created", "refund.processed"]
    assert capture(rz, payment["id"]).status == 400


def test_manual_window_of_the_order(rz: Emulator) -> None:
    """manual_expiry_period is in minutes and counts from the payment's creation."""
    options = {"capture": "manual", "capture_options": {"manual_expiry_period": 60}}
    payment = rz.pay(order(rz, payment=options))
    rz.clock.advance(3599)
    before = rz.world.payments[payment["id"]]["status"]
    rz.clock.advance(1)

    assert (before, rz.world.payments[payment["id"]]["status"]) == ("authorized", "refunded")


def test_orderless_payments(rz: Emulator) -> None:
    """A payment without an order is authorised, cannot be captured and is given back."""
    payment = rz.pay(None, amount=700)
    rz.clock.advance(3 * DAY)

    assert payment["status"] == "authorized"
    assert rz.world.payments[payment["id"]]["status"] == "refunded"
    assert {"razorpay_payment_id": payment["id"]} == rz.checkout_form(payment["id"])


def test_no_answer_from_the_bank(rz: Emulator) -> None:
    """Without an answer the payment is created, and failed after ten minutes."""
    order_id = order(rz)
    payment = rz.pay(order_id, outcome="created")
    statuses = [payment["status"], rz.world.orders[order_id]["status"]]
    rz.clock.advance(600)
    statuses += [rz.world.payments[payment["id"]]["status"], rz.world.orders[order_id]["status"]]

    assert statuses == ["created", "created", "failed", "attempted"]


def test_late_authorisation(rz: Emulator) -> None:
    """A late payment fails first and is authorised and captured later, under the same id and attempt."""
    order_id = order(rz)
    payment_id = rz.pay(order_id, outcome="late")["id"]
    rz.clock.advance(600 + 3599)
    failed = dict(rz.world.payments[payment_id])
    rz.clock.advance(1)
    after = rz.world.payments[payment_id]

    assert (failed["status"], failed["error_reason"]) == ("failed", "payment_timed_out")
    assert (after["status"], after["late_authorized"], after["error_reason"]) == ("captured", True, None)
    assert (rz.world.orders[order_id]["status"], rz.world.orders[order_id]["attempts"]) == ("paid", 1)
    assert events(rz) == ["payment.failed", "payment.authorized", "payment.captured", "order.paid"]


def test_late_after_the_automatic_window(rz: Emulator) -> None:
    """Authorised after automatic_expiry_period, it waits for a capture by hand until the manual period ends."""
    options = {"automatic_expiry_period": 12, "manual_expiry_period": 240}
    order_id = order(rz, payment={"capture": "automatic", "capture_options": options})
    payment_id = rz.pay(order_id, outcome="late")["id"]
    rz.clock.advance(600 + 3600)

    assert rz.world.payments[payment_id]["status"] == "authorized"
    assert capture(rz, payment_id).status == 200


def test_late_for_an_order_paid_meanwhile(rz: Emulator) -> None:
    """A late yes for an order that another payment has paid is given back at once."""
    order_id = order(rz)
    late = rz.pay(order_id, outcome="late")["id"]
    rz.pay(order_id, concurrent=True)
    rz.clock.advance(2 * DAY)

    assert tuple(rz.world.payments[late][key] for key in ("status", "captured")) == ("refunded", False)
    assert events(rz).count("order.paid") == 1


def test_the_bank_can_answer_by_hand(rz: Emulator) -> None:
    """bank_answers moves a failed payment on, as after a retry inside the UPI app, and later plans do nothing."""
    payment_id = rz.pay(order(rz), outcome="late")["id"]
    rz.clock.advance(600)
    rz.bank_answers(payment_id, "captured")
    before = events(rz)
    rz.clock.advance(DAY)

    assert rz.world.payments[payment_id]["status"] == "captured"
    assert before == events(rz)
    with pytest.raises(ConfigError, match="created or failed"):
        rz.bank_answers(payment_id)


def test_partial_payments(rz: Emulator) -> None:
    """A partial order stays attempted until the parts reach its amount, and says paid once."""
    order_id = order(rz, partial_payment=True, first_payment_min_amount=10000)
    with pytest.raises(ApiBadRequest):
        rz.pay(order_id, amount=9999)
    rz.pay(order_id, amount=20000)
    first = dict(rz.world.orders[order_id])
    with pytest.raises(ApiBadRequest):
        rz.pay(order_id, amount=30001)
    rz.pay(order_id)

    assert (first["status"], first["amount_paid"], first["amount_due"]) == ("attempted", 20000, 30000)
    assert (rz.world.orders[order_id]["status"], rz.world.orders[order_id]["amount_paid"]) == ("paid", 50000)
    assert events(rz).count("order.paid") == 1


def test_tampered_amounts_pass(rz: Emulator) -> None:
    """Another amount than the order's is captured as it is, for the shop to notice."""
    order_id = order(rz)
    payment = rz.pay(order_id, amount=100)

    assert (payment["status"], payment["amount"]) == ("captured", 100)
    assert rz.world.orders[order_id]["status"] == "attempted"


def test_checkout_form_is_signed(rz: Emulator) -> None:
    """Checkout's three fields verify with the key secret; a failed payment has none."""
    order_id = order(rz)
    failed, payment = rz.pay(order_id, outcome="failed"), rz.pay(order_id)
    form = rz.checkout_form(payment["id"])

    assert verify_checkout(
        order_id=order_id, payment_id=payment["id"], signature=form["razorpay_signature"], secret=rz.key_secret
    )
    with pytest.raises(ConfigError, match="authorised"):
        rz.checkout_form(failed["id"])


def test_fetching_payments(rz: Emulator) -> None:
    """The API hides the card unless asked; events always carry it."""
    payment = rz.pay(order(rz), card="5555555555554444")
    path = f"/v1/payments/{payment['id']}"
    plain = rz.request("GET", path).json()
    shown = rz.request("GET", path, query={"expand[]": ["card", "refunds"]}).json()

    assert ("card" in plain, plain["international"]) == (False, True)
    assert (payment["card"], []) == (shown["card"], shown["refunds"]["items"])
    assert payment["card"] == rz.request("GET", f"{path}/card").json()
    assert payment["card"] == json.loads(rz.world.events[0].body)["payload"]["payment"]["entity"]["card"]


def test_card_of_a_upi_payment(rz: Emulator) -> None:
    """Asking for the card of another method is refused in the published words."""
    reply = rz.request("GET", f"/v1/payments/{rz.pay(order(rz))['id']}/card")

    assert (reply.status, reply.json()["error"]["description"]) == (400, "Payment was not done using card")
    assert reply.json()["error"]["reason"] == "NA"


def test_payment_listings(rz: Emulator) -> None:
    """Payments are listed newest first, over all and by order."""
    order_id = order(rz)
    ids = [rz.pay(order_id, outcome="failed")["id"], rz.pay(order_id)["id"]]
    other = rz.pay(order(rz))["id"]
    listed = rz.request("GET", "/v1/payments").json()
    of_order = rz.request("GET", f"/v1/orders/{order_id}/payments").json()

    assert [other, *reversed(ids)] == [payment["id"] for payment in listed["items"]]
    assert list(reversed(ids)) == [payment["id"] for payment in of_order["items"]]


def test_payment_notes(rz: Emulator) -> None:
    """PATCH changes a payment's notes and nothing else."""
    path = f"/v1/payments/{rz.pay(order(rz))['id']}"

    assert rz.request("PATCH", path, {"notes": {"a": "b"}}).json()["notes"] == {"a": "b"}
    assert rz.request("PATCH", path, {"status": "failed"}).status == 400


@pytest.mark.parametrize(
    "wish",
    [{"outcome": "lucky"}, {"method": "barter"}, {"card": "1234"}, {"amount": 0}, {"amount": 1.5}, {"amount": True}],
)
def test_unknown_wishes(rz: Emulator, wish: dict[str, Any]) -> None:
    """What the emulator cannot do is a ConfigError, and no payment is made."""
    order_id = order(rz)
    with pytest.raises(ConfigError):
        rz.pay(order_id, **wish)

    assert rz.world.payments == {}


def test_paying_nothing_known(rz: Emulator) -> None:
    """An unknown order is refused as by Razorpay; an orderless payment needs an amount."""
    with pytest.raises(ApiBadRequest, match="does not exist"):
        rz.pay("order_00000000000000")
    with pytest.raises(ConfigError, match="amount"):
        rz.pay(None)

"""Scenarios B3: capturing, and what the bank says late."""

from __future__ import annotations

from typing import Any

import pytest

from razorpay_hardened.emulator import Options
from support.stage import DAY_S, REFUNDED, TRIO, Stage, scenario

_AUTO = {"capture": "automatic", "capture_options": {"automatic_expiry_period": 12, "manual_expiry_period": 7200}}
_MANUAL = {"capture": "manual"}


def _capture(stage: Stage, payment: str, amount: object = 50_000, currency: str = "INR") -> Any:
    return stage.post(f"/payments/{payment}/capture", {"amount": amount, "currency": currency})


def _refused(stage: Stage, payment: str, amount: object = 50_000) -> Any:
    return stage.error("POST", f"/payments/{payment}/capture", {"amount": amount, "currency": "INR"})


@scenario("RH-38")
def test_captured_within_the_automatic_period() -> None:
    """Authorised eleven minutes after it began, with twelve to go by: captured by itself."""
    stage = Stage()
    payment = stage.rz.pay(stage.order(payment=_AUTO), outcome="late", late_after_s=60)["id"]
    stage.rz.clock.advance(11 * 60)

    assert stage.payment(payment)["status"] == "captured"
    assert stage.fired() == ["payment.failed", *TRIO]


@scenario("RH-39")
def test_authorised_after_the_automatic_period() -> None:
    """It stays authorised; by hand it can be captured until the manual period ends."""
    stage = Stage()
    payment = stage.rz.pay(stage.order(payment=_AUTO), outcome="late", late_after_s=180)["id"]
    stage.rz.clock.advance(13 * 60)
    stays, fired = stage.payment(payment)["status"], stage.fired()
    stage.rz.clock.advance(7200 * 60 - 13 * 60 - 1)

    assert (stays, fired) == ("authorized", ["payment.failed", "payment.authorized"])
    assert _capture(stage, payment)["status"] == "captured"
    assert stage.fired() == ["payment.captured", "order.paid"]


@pytest.mark.parametrize(
    "periods",
    [
        {"automatic_expiry_period": 100, "manual_expiry_period": 50},
        {"automatic_expiry_period": 11},
        {"manual_expiry_period": 7201},
    ],
)
@scenario("RH-41", "RH-42")
def test_capture_periods_out_of_bounds(periods: dict[str, int]) -> None:
    """Manual below automatic, automatic below 12, manual above 7200 minutes: the order is refused."""
    stage = Stage()
    settings = {"capture": "automatic", "capture_options": periods}
    error = stage.error("POST", "/orders", {"amount": 100, "currency": "INR", "payment": settings})

    assert (error["code"], error["field"]) == ("BAD_REQUEST_ERROR", "capture_options")
    assert stage.get("/orders")["count"] == 0


@scenario("RH-43")
def test_setting_of_the_order_wins() -> None:
    """The account captures by itself, this order does not; and the other way round."""
    auto, manual = Stage(options=Options(auto_capture=True)), Stage(options=Options(auto_capture=False))

    assert auto.rz.pay(auto.order(payment=_MANUAL))["status"] == "authorized"
    assert auto.fired() == ["payment.authorized"]
    assert manual.rz.pay(manual.order(payment=_AUTO))["status"] == "captured"
    assert manual.fired() == TRIO
    assert manual.rz.pay(manual.order())["status"] == "authorized"


@scenario("RH-44", "RH-45", "RH-46", "RH-47")
def test_capture_takes_the_authorised_amount_once() -> None:
    """Not less, not more, not half a paisa, and not twice."""
    stage = Stage()
    payment = stage.authorized(1000)
    unequal = "Capture amount must be equal to the amount authorized."
    assert _refused(stage, payment, 999)["description"] == unequal
    assert _refused(stage, payment, 1001)["description"] == unequal
    half = _refused(stage, payment, "10.5")
    assert (half["description"], half["field"]) == ("The amount must be an integer.", "amount")
    captured = _capture(stage, payment, 1000)

    assert (captured["status"], captured["captured"], captured["amount"]) == ("captured", True, 1000)
    assert stage.fired() == ["payment.captured", "order.paid"]
    assert _refused(stage, payment, 1000)["code"] == "BAD_REQUEST_ERROR"
    assert stage.get(f"/orders/{captured['order_id']}")["amount_paid"] == 1000


@scenario("RH-48")
def test_answer_of_a_capture_is_lost() -> None:
    """The second call errs because the first had its effect; there is one payment.captured."""
    stage = Stage()
    payment = stage.authorized()
    stage.rz.faults.add("on POST /payments/:id/capture: do_then_reset once")
    lost = stage.rz.request("POST", f"/v1/payments/{payment}/capture", {"amount": 50_000, "currency": "INR"})
    again = _refused(stage, payment)

    assert lost.act == "reset"
    assert again["code"] == "BAD_REQUEST_ERROR"
    assert stage.payment(payment)["status"] == "captured"
    assert stage.fired() == ["payment.captured", "order.paid"]


@scenario("RH-49")
def test_failed_and_refunded_payments_are_not_captured() -> None:
    """Both are 400."""
    stage = Stage()
    failed = stage.rz.pay(stage.order(), outcome="failed")["id"]
    given_back = stage.authorized()
    stage.rz.clock.advance(3 * DAY_S + 7200 * 60)
    refunded = stage.captured()
    stage.post(f"/payments/{refunded}/refund", {})

    for payment, status in ((failed, "failed"), (given_back, "refunded"), (refunded, "refunded")):
        assert stage.payment(payment)["status"] == status
        assert _refused(stage, payment)["code"] == "BAD_REQUEST_ERROR"


@scenario("RH-50")
def test_bank_answers_within_three_days() -> None:
    """The payment that failed after ten minutes is authorised two days later; a bank slower than three days is not
    heard."""
    stage = Stage()
    order = stage.order()
    late = stage.rz.pay(order, outcome="late", late_after_s=2 * DAY_S)["id"]
    too_late = stage.rz.pay(stage.order(), outcome="late", late_after_s=4 * DAY_S)["id"]
    stage.rz.clock.advance(601)
    failed = stage.payment(late)["status"]
    stage.fired()
    stage.rz.clock.advance(5 * DAY_S)
    after = stage.payment(late)

    assert failed == "failed"
    assert (after["late_authorized"], after["error_code"]) == (True, None)
    assert stage.fired()[:3] == TRIO
    assert stage.payment(too_late)["status"] == "failed"


@scenario("RH-51")
def test_late_yes_for_a_paid_order() -> None:
    """Given back at once: the order counts only the payment that paid it."""
    stage = Stage()
    order = stage.order(50_000)
    first = stage.rz.pay(order, outcome="late", late_after_s=3600)["id"]
    stage.rz.clock.advance(600)
    second = stage.rz.pay(order)["id"]
    stage.fired()
    stage.rz.clock.advance(3600 + 60)
    extra, paid = stage.payment(first), stage.get(f"/orders/{order}")

    assert stage.fired() == ["payment.authorized", *REFUNDED]
    assert (extra["status"], extra["captured"], extra["amount_refunded"]) == ("refunded", False, 50_000)
    assert stage.payment(second)["status"] == "captured"
    assert (paid["status"], paid["amount_paid"]) == ("paid", 50_000)


@pytest.mark.parametrize("capture_first", [False, True])
@scenario("RH-52")
def test_late_yes_for_goods_that_are_gone(capture_first: bool) -> None:
    """Do nothing and it is given back when its window ends, or capture it and refund it at once."""
    stage = Stage(options=Options(auto_capture=False))
    payment = stage.rz.pay(stage.order(), outcome="late", late_after_s=3600)["id"]
    stage.rz.clock.advance(4200)
    assert stage.fired() == ["payment.failed", "payment.authorized"]
    if capture_first:
        _capture(stage, payment)
        stage.post(f"/payments/{payment}/refund", {})
    stage.rz.clock.advance(3 * DAY_S)
    after = stage.payment(payment)

    captures = ["payment.captured", "order.paid"] if capture_first else []
    assert [name for name in stage.fired() if not name.startswith("settlement.")] == [*captures, *REFUNDED]
    assert (after["status"], after["captured"]) == ("refunded", capture_first)


@scenario("RH-53")
def test_money_for_a_cancelled_order() -> None:
    """The shop gave the order up; an hour later payment.captured comes all the same, and a refund is possible."""
    stage = Stage()
    hook = stage.hook()
    stage.rz.faults.add("on EVENT *: late(3600)")
    order = stage.order()
    payment = stage.rz.pay(order)["id"]
    stage.rz.clock.advance(3599)
    given_up = list(hook.names)
    stage.rz.clock.advance(1)

    assert (given_up, hook.names) == ([], TRIO)
    assert stage.get(f"/orders/{order}")["status"] == "paid"
    assert stage.post(f"/payments/{payment}/refund", {})["amount"] == 50_000


@pytest.mark.parametrize("days", [3, 5])
@scenario("RH-54")
def test_when_uncaptured_money_goes_back(days: int) -> None:
    """Pages say three days and five: it is the account's setting."""
    stage = Stage(options=Options(auto_capture=False, capture_window_s=days * DAY_S))
    payment = stage.rz.pay(stage.order())["id"]
    stage.rz.clock.advance(days * DAY_S - 1)
    before = stage.payment(payment)["status"]
    stage.rz.clock.advance(1 + 60)

    assert (before, stage.payment(payment)["status"]) == ("authorized", "refunded")
    assert stage.fired() == ["payment.authorized", *REFUNDED]


@scenario("RH-55")
def test_bank_transfer_is_captured_anyway() -> None:
    """Whatever the account says about capturing."""
    stage = Stage(options=Options(auto_capture=False))
    account = stage.post("/virtual_accounts", {"receivers": {"types": ["bank_account"]}})["id"]
    stage.fired()
    payment = stage.rz.credit_virtual_account(account, 50_000)

    assert (payment["method"], stage.payment(payment["id"])["status"]) == ("bank_transfer", "captured")
    assert stage.fired() == ["payment.authorized", "payment.captured", "virtual_account.credited"]

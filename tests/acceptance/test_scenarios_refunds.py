"""Scenarios A4 and B4: refunds. Scenario B5: paid twice."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from razorpay_hardened.emulator import Options
from support.stage import DAY_S, REFUNDED, TRIO, Stage, scenario


def _refund(stage: Stage, payment: str, **body: object) -> Any:
    return stage.post(f"/payments/{payment}/refund", body)


def _refused(stage: Stage, payment: str, key: str | None = None, status: int = 400, **body: object) -> Any:
    headers = {} if key is None else {"X-Refund-Idempotency": key}
    return stage.error("POST", f"/payments/{payment}/refund", body, status=status, headers=headers)


@scenario("RFND-01", "RH-68")
def test_normal_refund() -> None:
    """The answer says pending; a minute later it is processed, and the two events have said so."""
    stage = Stage()
    payment = stage.captured(50_000)
    refund = _refund(stage, payment, amount=100, speed="normal")
    stage.rz.clock.advance(60)
    done = stage.get(f"/refunds/{refund['id']}")

    assert (refund["status"], refund["amount"], refund["payment_id"]) == ("pending", 100, payment)
    assert (done["status"], done["speed_processed"]) == ("processed", "normal")
    assert stage.fired() == REFUNDED


@scenario("RFND-?a")
def test_partial_refunds_up_to_the_whole() -> None:
    """The payment says partial, then full; the order stays out of it."""
    stage = Stage()
    payment = stage.captured(50_000)
    seen = []
    for amount in (10_000, 15_000, 25_000):
        _refund(stage, payment, amount=amount)
        now = stage.payment(payment)
        seen.append((now["refund_status"], now["amount_refunded"], now["status"]))

    assert seen == [("partial", 10_000, "captured"), ("partial", 25_000, "captured"), ("full", 50_000, "refunded")]
    assert stage.fired() == ["refund.created"] * 3
    stage.rz.clock.advance(60)
    assert stage.fired() == ["refund.processed"] * 3


@scenario("RFND-?b", "RH-74")
def test_refund_fails_at_the_bank() -> None:
    """The refund was accepted and fails: its amount can be refunded again."""
    stage = Stage()
    payment = stage.captured(50_000)
    refund = _refund(stage, payment)
    stage.rz.settle_refund(refund["id"], "failed")
    after = stage.payment(payment)

    assert stage.get(f"/refunds/{refund['id']}")["status"] == "failed"
    assert (after["status"], after["amount_refunded"], after["refund_status"]) == ("captured", 0, None)
    assert stage.fired() == ["refund.created", "refund.failed"]
    assert _refund(stage, payment)["amount"] == 50_000


@scenario("RFND-?c", "RH-72")
def test_instant_refund() -> None:
    """Optimum speed, where it is possible, is instant."""
    stage = Stage()
    refund = _refund(stage, stage.captured(50_000), amount=10_000, speed="optimum")
    stage.rz.clock.advance(60)
    done = stage.get(f"/refunds/{refund['id']}")

    assert (done["speed_requested"], done["speed_processed"], done["status"]) == ("optimum", "instant", "processed")
    assert stage.fired() == REFUNDED


@scenario("RFND-?d", "RH-73")
def test_instant_refund_falls_back() -> None:
    """2468 cannot be instant in test mode: the speed changes, then it is processed as a normal one."""
    stage = Stage()
    refund = _refund(stage, stage.captured(50_000), amount=2468, speed="optimum")
    stage.rz.clock.advance(60)
    done = stage.get(f"/refunds/{refund['id']}")

    assert (done["speed_requested"], done["speed_processed"], done["status"]) == ("optimum", "normal", "processed")
    assert stage.fired() == ["refund.created", "refund.speed_changed", "refund.processed"]


@scenario("RFND-?e", "RH-57", "RH-58", "RH-59", "RH-61", "RH-62")
def test_refund_is_refused() -> None:
    """What was refunded, wrong amounts, speeds, ids and fields: each 400 in the published words."""
    stage = Stage()
    payment = stage.captured(1000)
    _refund(stage, payment, amount=600)

    too_much = _refused(stage, payment, amount=500)
    assert too_much["description"] == "The refund amount provided is greater than amount captured."
    small = _refused(stage, payment, amount=99)
    assert (small["description"], small["field"]) == ("The amount must be at least INR 1.00.", "amount")
    assert _refused(stage, payment, amount=100, speed="fast")["field"] == "speed"
    assert _refused(stage, payment, amount="1.5")["description"] == "The amount must be an integer."
    assert _refused(stage, "pay_short")["description"] == "pay_short is not a valid id"
    extra = _refused(stage, payment, amount=100, colour="red")
    assert extra["description"] == "colour is/are not required and should not be sent"
    assert (extra["code"], extra["reason"]) == ("BAD_REQUEST_ERROR", "extra_field_sent")
    _refund(stage, payment, amount=400)
    assert _refused(stage, payment)["description"] == "The payment has been fully refunded already."
    assert stage.payment(payment)["amount_refunded"] == 1000
    assert stage.fired() == ["refund.created"] * 2


@scenario("RFND-?e", "RH-60")
def test_authorised_payment_is_not_refunded() -> None:
    """Only captured payments are."""
    stage = Stage()
    payment = stage.authorized()
    error = _refused(stage, payment)

    assert (error["code"], error["source"]) == ("BAD_REQUEST_ERROR", "business")
    assert stage.payment(payment)["status"] == "authorized"


@scenario("RH-56")
def test_refund_without_amount_is_all_of_it() -> None:
    """No amount is the whole amount."""
    stage = Stage()
    payment = stage.captured(50_000)
    assert _refund(stage, payment)["amount"] == 50_000
    stage.rz.clock.advance(60)
    assert stage.fired() == REFUNDED
    assert stage.payment(payment)["refund_status"] == "full"


@scenario("RH-64")
def test_key_is_not_used_for_another_refund() -> None:
    """The same key with another body: 409, and nothing is refunded by it."""
    stage = Stage()
    payment = stage.captured(50_000)
    path, key = f"/v1/payments/{payment}/refund", {"X-Refund-Idempotency": "refund-0001"}
    assert stage.rz.request("POST", path, {"amount": 1000}, headers=key).status == 200
    error = _refused(stage, payment, "refund-0001", 409, amount=2000)

    assert error["description"] == "Different request with the same idempotency key has already been processed."
    assert stage.payment(payment)["amount_refunded"] == 1000


@scenario("RH-65")
def test_first_call_is_still_running() -> None:
    """409 in progress, nothing done; later the same key is answered with the one refund."""
    stage = Stage()
    payment = stage.captured(50_000)
    stage.rz.faults.add("on POST /payments/:id/refund: in_progress once")
    error = _refused(stage, payment, "refund-0001", 409, amount=1000)
    path, key = f"/v1/payments/{payment}/refund", {"X-Refund-Idempotency": "refund-0001"}
    later = stage.rz.request("POST", path, {"amount": 1000}, headers=key).json()

    assert error["description"] == "Another request with the same idempotency key is still in progress."
    assert [row["id"] for row in stage.get(f"/payments/{payment}/refunds")["items"]] == [later["id"]]
    assert stage.fired() == ["refund.created"]


@pytest.mark.parametrize(
    ("key", "description"),
    [
        ("refund-01", "The idempotency key must be at least 10 characters long."),
        (
            "refund 0001",
            "The idempotency key must only contain alphanumeric characters, underscores, and hyphens",
        ),
    ],
)
@scenario("RH-66")
def test_key_is_malformed(key: str, description: str) -> None:
    """Nine characters, or a space among them."""
    stage = Stage()
    payment = stage.captured()
    assert _refused(stage, payment, key, amount=1000)["description"] == description
    assert stage.payment(payment)["amount_refunded"] == 0


@pytest.mark.parametrize("fault", ["no_record", "500", "do_then_500"])
@scenario("RH-67")
def test_server_fault_and_the_same_key(fault: str) -> None:
    """Whether or not the refund was made before the 500, the same key ends with one refund."""
    stage = Stage()
    payment = stage.captured(50_000)
    stage.rz.faults.add(f"on POST /payments/:id/refund: {fault} once")
    path, key = f"/v1/payments/{payment}/refund", {"X-Refund-Idempotency": "refund-0001"}
    broken = stage.rz.request("POST", path, {"amount": 1000}, headers=key)
    again = stage.rz.request("POST", path, {"amount": 1000}, headers=key)

    assert (broken.status, broken.json()["error"]["code"]) == (500, "SERVER_ERROR")
    if fault == "no_record":
        text = "Internal server error - Failed to fetch idempotency record"
        assert broken.json()["error"]["description"] == text
    assert (again.status, stage.payment(payment)["amount_refunded"]) == (200, 1000)
    assert stage.fired() == ["refund.created"]


@scenario("RH-69")
def test_bank_reference_comes_later() -> None:
    """Processed, and the bank's reference is still null; a day later it is there, without an event."""
    stage = Stage()
    refund = _refund(stage, stage.captured())["id"]
    stage.rz.clock.advance(60)
    processed = stage.get(f"/refunds/{refund}")
    stage.fired()
    stage.rz.clock.advance(DAY_S)

    assert (processed["status"], processed["acquirer_data"]) == ("processed", {"arn": None})
    assert stage.get(f"/refunds/{refund}")["acquirer_data"]["arn"].isdigit()
    assert "refund.processed" not in stage.fired()


@scenario("RH-70")
def test_old_payment_is_refunded_instantly_only() -> None:
    """After half a year a normal refund is refused; an instant one is made."""
    stage = Stage()
    payment = stage.captured()
    stage.rz.clock.advance(184 * DAY_S)
    stage.fired()
    error = _refused(stage, payment, amount=1000)

    text = "Refund is not supported by the bank because the payment is more than 6 months old"
    assert (error["code"], error["description"]) == ("BAD_REQUEST_ERROR", text)
    assert _refund(stage, payment, amount=1000, speed="optimum")["speed_processed"] == "instant"
    assert stage.fired() == ["refund.created"]


@scenario("RH-71")
def test_refund_waits_for_funds() -> None:
    """The balance was settled away: refused; when new money is there the same refund is made."""
    stage = Stage(options=Options(refunds_need_balance=True))
    payment = stage.captured(50_000)
    stage.rz.settle()
    stage.fired()
    error = _refused(stage, payment, amount=10_000)
    stage.captured(50_000)

    assert (error["code"], stage.rz.balance > 0) == ("BAD_REQUEST_ERROR", True)
    assert _refund(stage, payment, amount=10_000)["status"] == "pending"
    assert stage.fired() == ["refund.created"]


@scenario("RH-75")
def test_operator_refunds_in_the_dashboard() -> None:
    """Nobody's code asked: the event is the first that is heard of it."""
    stage = Stage()
    payment = stage.captured(50_000)
    refund = stage.rz.refund(payment, 10_000)

    assert stage.fired() == ["refund.created"]
    assert stage.get(f"/payments/{payment}/refunds")["items"][0]["id"] == refund["id"]
    assert stage.payment(payment)["refund_status"] == "partial"


@scenario("RH-76")
def test_razorpay_refunds_by_itself() -> None:
    """The refund of a payment that was never captured: the payment says so."""
    stage = Stage(options=Options(capture_window_s=3 * DAY_S))
    payment = stage.rz.pay(stage.order(), outcome="authorized")["id"]
    stage.fired()
    stage.rz.clock.advance(3 * DAY_S + 60)
    after = stage.payment(payment)

    assert (after["captured"], after["status"], after["amount_refunded"]) == (False, "refunded", 50_000)
    assert stage.fired() == REFUNDED


@scenario("RH-77")
def test_notes_of_a_refund() -> None:
    """They must be there to be changed."""
    stage = Stage()
    refund = _refund(stage, stage.captured())["id"]
    error = stage.error("PATCH", f"/refunds/{refund}", {})

    assert (error["description"], error["field"]) == ("The notes field is required", "notes")
    assert stage.patch(f"/refunds/{refund}", {"notes": {"why": "torn"}})["notes"] == {"why": "torn"}
    assert stage.fired() == ["refund.created"]


@scenario("RH-78")
def test_refund_of_another_payment() -> None:
    """It does not exist under this one."""
    stage = Stage()
    mine, other = stage.captured(), stage.captured()
    refund = _refund(stage, other)["id"]
    error = stage.error("GET", f"/payments/{mine}/refunds/{refund}")

    assert error["description"] == "The id provided does not exist"
    assert stage.get(f"/payments/{other}/refunds/{refund}")["id"] == refund


@scenario("RH-79")
def test_two_refunds_at_once() -> None:
    """Two of 600 from 1000, from two threads: one is made, the other is more than was captured."""
    stage = Stage()
    payment = stage.captured(1000)
    together, replies = threading.Barrier(2, timeout=60), []

    def ask() -> None:
        together.wait()
        replies.append(stage.rz.request("POST", f"/v1/payments/{payment}/refund", {"amount": 600}))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    good, bad = sorted(replies, key=lambda reply: reply.status)
    assert (good.status, bad.status) == (200, 400)
    assert bad.json()["error"]["description"] == "The refund amount provided is greater than amount captured."
    assert stage.payment(payment)["amount_refunded"] == 600
    assert stage.fired() == ["refund.created"]


@scenario("RH-80")
def test_order_is_paid_twice_at_the_bank() -> None:
    """The second success reaches a paid order: authorised, and given back at once; one capture, one order.paid."""
    stage = Stage()
    order = stage.order(50_000)
    first, second = stage.rz.begin(order), stage.rz.begin(order)
    stage.rz.finish(first["id"])
    stage.rz.finish(second["id"])
    stage.rz.clock.advance(60)
    extra = stage.payment(second["id"])

    assert stage.fired() == [*TRIO, "payment.authorized", *REFUNDED]
    assert (extra["captured"], extra["status"], extra["amount_refunded"]) == (False, "refunded", 50_000)
    assert stage.payment(first["id"])["status"] == "captured"
    assert stage.get(f"/orders/{order}")["amount_paid"] == 50_000
    assert stage.get(f"/orders/{order}/payments")["count"] == 2


@scenario("RH-81")
def test_two_orders_for_one_cart() -> None:
    """Without ``unique_receipt`` there are two orders with one receipt; both are paid and nothing is given back."""
    stage = Stage()
    one, two = stage.order(receipt="cart-1"), stage.order(receipt="cart-1")
    for order in (one, two):
        stage.rz.pay(order)
    fired = stage.fired()
    stage.rz.clock.advance(DAY_S)

    assert one != two
    assert fired == TRIO * 2
    assert stage.fired() == []
    assert [row["status"] for row in stage.get("/orders", receipt="cart-1")["items"]] == ["paid", "paid"]
    assert [row["status"] for row in stage.get("/payments")["items"]] == ["captured", "captured"]


@scenario("RH-83")
def test_payment_of_another_amount() -> None:
    """A payment of less than the order, which takes no parts, is captured: the order is not paid by it."""
    stage = Stage()
    order = stage.order(50_000)
    payment = stage.rz.pay(order, amount=100)

    assert (payment["status"], payment["amount"]) == ("captured", 100)
    assert stage.fired() == ["payment.authorized", "payment.captured"]
    assert stage.get(f"/orders/{order}")["status"] == "attempted"

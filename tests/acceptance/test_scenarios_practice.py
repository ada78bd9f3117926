"""Scenarios A3 and A6: webhooks and fetches, retries, downtimes; the methods."""

from __future__ import annotations

import json

import pytest

from razorpay_hardened.emulator import Deliveries, Options
from razorpay_hardened.errors import SignatureMismatch
from razorpay_hardened.signing import sign_for_test, verify_checkout, verify_webhook
from support.stage import DAY_S, REFUNDED, TRIO, Stage, scenario


@scenario("BP-01", "RH-32")
def test_webhook_comes_without_callback() -> None:
    """The browser is closed after paying: nobody posts a form, the three webhooks come all the same."""
    stage = Stage()
    hook = stage.hook()
    order = stage.order()
    started = stage.rz.begin(order)
    stage.rz.finish(started["id"])
    stage.rz.clock.advance(1)

    assert hook.names == TRIO
    assert stage.get(f"/orders/{order}")["status"] == "paid"
    assert [row["status"] for row in stage.get(f"/orders/{order}/payments")["items"]] == ["captured"]


@scenario("BP-02")
def test_tampered_callback_is_told_apart() -> None:
    """The genuine signature passes, one with a character changed does not."""
    stage = Stage()
    order = stage.order()
    payment = stage.rz.pay(order)["id"]
    signature = stage.rz.checkout_form(payment)["razorpay_signature"]
    swapped = ("0" if signature[0] != "0" else "1") + signature[1:]

    verify_checkout(order_id=order, payment_id=payment, signature=signature, secret=stage.rz.key_secret)
    with pytest.raises(SignatureMismatch):
        verify_checkout(order_id=order, payment_id=payment, signature=swapped, secret=stage.rz.key_secret)


@scenario("BP-03", "RH-04")
def test_event_is_replayed_unchanged() -> None:
    """Hours later the same event comes again: same id, same body, same signature."""
    stage = Stage()
    hook = stage.hook()
    stage.rz.pay(stage.order())
    stage.rz.clock.advance(1)
    event = hook.ids[1]
    stage.rz.clock.advance(5 * 3600)
    stage.rz.deliver.replay(event)
    stage.rz.clock.advance(1)

    assert hook.names == [*TRIO, "payment.captured"]
    assert hook.got[3] == hook.got[1]
    assert stage.rz.deliver.pending() == []


@scenario("BP-04")
def test_fetch_knows_what_the_webhook_could_not_say() -> None:
    """While the endpoint answers 500 a fetch shows the captured payment; the event is tried again and arrives."""
    stage = Stage()
    hook = stage.hook(500)
    order = stage.order()
    payment = stage.rz.pay(order)["id"]
    stage.rz.clock.advance(1)
    rows = stage.get(f"/orders/{order}/payments")["items"]
    failed = len(hook.got)
    up = stage.hook()
    stage.rz.clock.advance(6)

    assert [(row["id"], row["status"]) for row in rows] == [(payment, "captured")]
    assert failed == 3
    assert up.names == TRIO
    assert up.ids == hook.ids


@scenario("BP-05")
def test_pending_orders_are_decided_by_fetch() -> None:
    """A quarter of an hour later one order is attempted, one still created, and one was paid meanwhile."""
    stage = Stage()
    silent, untouched, paid = stage.order(), stage.order(), stage.order()
    stage.rz.begin(silent)
    stage.rz.pay(paid)
    stage.rz.clock.advance(900)

    found = {order["id"]: order["status"] for order in stage.get("/orders")["items"]}
    assert found == {silent: "attempted", untouched: "created", paid: "paid"}
    assert stage.fired() == [*TRIO, "payment.failed"]


@scenario("BP-06")
def test_failed_payment_is_authorised_late() -> None:
    """The same payment fails and is then authorised, captured and pays the order; it says that it was late."""
    stage = Stage()
    hook = stage.hook()
    order = stage.order()
    payment = stage.rz.pay(order, outcome="late", late_after_s=3600)["id"]
    stage.rz.clock.advance(600)
    open_still = stage.get(f"/orders/{order}")["status"]
    stage.rz.clock.advance(3601)

    assert open_still == "attempted"
    assert hook.names == ["payment.failed", *TRIO]
    told = [json.loads(body)["payload"]["payment"]["entity"] for _, body in hook.got]
    assert {one["id"] for one in told} == {payment}
    assert "late_authorized" not in told[0]
    assert [one["late_authorized"] for one in told[1:]] == [True, True, True]
    assert (stage.get(f"/orders/{order}")["status"], stage.get(f"/orders/{order}")["attempts"]) == ("paid", 1)


@scenario("BP-08")
def test_lost_answer_of_a_charge_is_looked_up() -> None:
    """The answer to a charge is lost: the order's payments show it, and a second charge is declined."""
    stage = Stage()
    customer = stage.post("/customers", {"name": "Gaurav Kumar", "contact": "+919000090000"})["id"]
    token = stage.rz.save_token(customer)["id"]
    stage.fired()
    order = stage.order(30_000)
    stage.rz.faults.add("on POST /payments/create/recurring: do_then_reset once")
    charge = {"amount": 30_000, "currency": "INR", "order_id": order, "customer_id": customer, "token": token}
    lost = stage.rz.request("POST", "/v1/payments/create/recurring", charge)
    rows = stage.get(f"/orders/{order}/payments")["items"]
    again = stage.error("POST", "/payments/create/recurring", charge)

    assert lost.act == "reset"
    assert [(row["status"], row["amount"]) for row in rows] == [("captured", 30_000)]
    assert again["reason"] == "order_already_paid"
    assert stage.fired() == TRIO


@scenario("BP-10", "RH-06")
def test_events_come_in_any_order() -> None:
    """order.paid first, then captured, then authorized, and the failure of the first attempt last of all."""
    stage = Stage()
    hook = stage.hook()
    stage.rz.faults.add(
        "on EVENT payment.failed: late(40)\non EVENT payment.authorized: late(30)\non EVENT payment.captured: late(20)"
    )
    order = stage.order()
    stage.rz.pay(order, outcome="failed")
    stage.rz.pay(order)
    stage.rz.clock.advance(60)

    assert hook.names == ["order.paid", "payment.captured", "payment.authorized", "payment.failed"]
    assert stage.fired() == ["payment.failed", *TRIO]
    assert stage.get(f"/orders/{order}")["status"] == "paid"


@scenario("BP-11", "RH-01")
def test_slow_endpoint_is_told_again() -> None:
    """No answer within five seconds is a failure: the same event comes again, and then it was acknowledged."""
    stage = Stage()
    hook = stage.hook(None, 200)
    stage.rz.pay(stage.order(), outcome="failed")
    stage.rz.clock.advance(10)

    assert hook.names == ["payment.failed", "payment.failed"]
    assert len(set(hook.ids)) == 1
    assert [(one.attempt, one.acknowledged) for one in stage.rz.deliver.log] == [(1, False), (2, True)]
    assert stage.rz.deliver.pending() == []


@scenario("BP-12", "RH-63")
def test_refund_is_repeatable_by_its_key() -> None:
    """The answer is lost; the same key and body give the refund that was made, and only one set of events fires."""
    stage = Stage()
    payment = stage.captured(50_000)
    stage.rz.faults.add("on POST /payments/:id/refund: do_then_reset once")
    key, path = {"X-Refund-Idempotency": "refund-0001"}, f"/v1/payments/{payment}/refund"
    lost = stage.rz.request("POST", path, {"amount": 20_000}, headers=key)
    again = stage.rz.request("POST", path, {"amount": 20_000}, headers=key).json()
    once_more = stage.rz.request("POST", path, {"amount": 20_000}, headers=key).json()
    stage.rz.clock.advance(60)

    assert lost.act == "reset"
    assert again["id"] == once_more["id"]
    assert [row["id"] for row in stage.get(f"/payments/{payment}/refunds")["items"]] == [again["id"]]
    assert stage.payment(payment)["amount_refunded"] == 20_000
    assert stage.fired() == REFUNDED


@scenario("BP-17", "BP-36")
def test_downtime_begins_changes_and_ends() -> None:
    """The three events, and a collection of downtimes for who opens the page in the middle of one."""
    stage = Stage()
    downtime = stage.rz.downtime("netbanking", "high", bank="HDFC")
    during = stage.get("/payments/downtimes")
    stage.rz.downtime_changes(downtime["id"], "low")
    better = stage.get(f"/payments/downtimes/{downtime['id']}")
    stage.rz.downtime_changes(downtime["id"])

    assert stage.fired() == [f"payment.downtime.{name}" for name in ("started", "updated", "resolved")]
    assert during["count"] == 1
    shown = during["items"][0]
    assert (shown["method"], shown["severity"], shown["instrument"]) == ("netbanking", "high", {"bank": "HDFC"})
    assert (better["status"], better["severity"]) == ("updated", "low")
    assert stage.get("/payments/downtimes")["count"] == 0


@scenario("BP-20", "RH-40")
def test_uncaptured_payment_is_given_back() -> None:
    """Inside the window it waits; past it all of it is refunded at normal speed, and a capture is refused."""
    stage = Stage()
    payment = stage.authorized(capture_options={"manual_expiry_period": 7200})
    stage.rz.clock.advance(7200 * 60 - 1)
    waiting, before = stage.payment(payment), stage.fired()
    stage.rz.clock.advance(1 + 60)
    given_back = stage.payment(payment)
    refund = stage.get(f"/payments/{payment}/refunds")["items"][0]

    assert (waiting["status"], before) == ("authorized", [])
    assert (given_back["status"], given_back["captured"], given_back["amount_refunded"]) == ("refunded", False, 50_000)
    assert (refund["amount"], refund["status"], refund["speed_processed"]) == (50_000, "processed", "normal")
    assert stage.fired() == REFUNDED
    stage.error("POST", f"/payments/{payment}/capture", {"amount": 50_000, "currency": "INR"})


@scenario("BP-37")
def test_tampered_webhook_is_told_apart() -> None:
    """The first attempt has another amount than was signed, the retry is genuine; one header character also counts."""
    stage = Stage(deliveries=Deliveries(delay_s=(0, 0), tampered=1))
    hook = stage.hook(400, 200)
    stage.rz.pay(stage.order(), outcome="failed")
    stage.rz.clock.advance(10)

    (bad, false), (good, genuine) = hook.got
    secret, signature = stage.rz.webhook_secret, good["X-Razorpay-Signature"]
    assert false != genuine
    assert bad["X-Razorpay-Signature"] == signature == sign_for_test(genuine, secret)
    verify_webhook(genuine, signature, secret=secret)
    with pytest.raises(SignatureMismatch):
        verify_webhook(false, signature, secret=secret)
    with pytest.raises(SignatureMismatch):
        verify_webhook(genuine, ("0" if signature[0] != "0" else "1") + signature[1:], secret=secret)


@pytest.mark.parametrize(
    ("how", "code", "source", "step", "reason"),
    [
        ({"amount": 201}, "GATEWAY_ERROR", "customer", "payment_debit_request", "insufficient_funds"),
        ({"amount": 402}, "GATEWAY_ERROR", "issuer_bank", "payment_debit_request", "payment_declined"),
        ({"vpa": "failure@razorpay"}, "BAD_REQUEST_ERROR", "issuer", "payment_authorization", "payment_failed"),
        (
            {"card": "4100280000020007"},
            "GATEWAY_ERROR",
            "issuer",
            "payment_authorization",
            "gateway_technical_error",
        ),
        ({"card": "4100280000080001"}, "BAD_REQUEST_ERROR", "issuer", "payment_authorization", "insufficient_fund"),
        (
            {"card": "4100280000001007", "otp": "123"},
            "BAD_REQUEST_ERROR",
            "customer",
            "payment_authentication",
            "incorrect_otp",
        ),
    ],
)
@scenario("BP-ER", "UPI", "UPI-VPA")
def test_failed_payment_says_why(how: dict[str, object], code: str, source: str, step: str, reason: str) -> None:
    """The payment carries code, source, step and reason; the event says the same."""
    stage = Stage()
    order = stage.order(int(str(how.pop("amount", 50_000))))
    payment = stage.payment(stage.rz.pay(order, **how)["id"])  # type: ignore[arg-type]
    event = json.loads(stage.rz.world.events[-1].body)["payload"]["payment"]["entity"]

    assert payment["status"] == "failed"
    assert [payment[f"error_{name}"] for name in ("code", "source", "step", "reason")] == [code, source, step, reason]
    assert event["error_reason"] == reason
    assert stage.fired() == ["payment.failed"]
    assert stage.get(f"/orders/{order}")["status"] == "attempted"


@pytest.mark.parametrize(
    ("amount", "description"),
    [
        (201, "Transaction failed due to insufficient funds."),
        (402, "Payment failed. Please try again with another bank account."),
    ],
)
@scenario("UPI")
def test_upi_amount_decides(amount: int, description: str) -> None:
    """The two published amounts fail in their own words, and any other amount succeeds."""
    stage = Stage()
    assert stage.rz.pay(stage.order(amount))["error_description"] == description
    assert stage.fired() == ["payment.failed"]
    assert stage.rz.pay(stage.order(amount + 1))["status"] == "captured"
    assert stage.fired() == TRIO


@scenario("UPI-VPA")
def test_upi_test_ids() -> None:
    """success@razorpay is captured, failure@razorpay fails, and to cancel counts as success in test mode."""
    stage = Stage()
    assert stage.rz.pay(stage.order(), vpa="success@razorpay")["status"] == "captured"
    assert stage.fired() == TRIO
    assert stage.rz.pay(stage.order(), vpa="failure@razorpay")["status"] == "failed"
    assert stage.fired() == ["payment.failed"]
    started = stage.rz.begin(stage.order(), vpa="success@razorpay")
    assert stage.rz.finish(started["id"], "cancel")["status"] == "captured"
    assert stage.fired() == TRIO


@scenario("AUTOPAY", "RH-121")
def test_only_a_confirmed_token_is_debited() -> None:
    """A mandate that is paused, cancelled or rejected refuses the debit; confirmed again, it takes it."""
    stage = Stage()
    customer = stage.post("/customers", {"name": "Gaurav Kumar", "contact": "+919000090000"})["id"]
    token = stage.rz.save_token(customer, "upi", vpa="success@razorpay")["id"]
    registered = stage.fired()
    order = stage.order(30_000)
    debit = {"amount": 30_000, "currency": "INR", "order_id": order, "customer_id": customer, "token": token}

    def state() -> str:
        return str(stage.get(f"/customers/{customer}/tokens/{token}")["recurring_details"]["status"])

    assert registered == ["payment.authorized", "refund.created", "token.confirmed"]
    assert state() == "confirmed"
    stage.rz.token_becomes(token, "paused")
    assert (state(), stage.fired()) == ("paused", ["token.paused"])
    assert stage.error("POST", "/payments/create/recurring", debit)["code"] == "BAD_REQUEST_ERROR"
    assert stage.get(f"/orders/{order}/payments")["count"] == 0
    stage.rz.token_becomes(token, "confirmed")
    paid = stage.post("/payments/create/recurring", debit)["razorpay_payment_id"]
    assert stage.payment(paid)["status"] == "captured"
    assert stage.fired() == ["token.resumed", *TRIO]
    for status in ("cancelled", "rejected"):
        stage.rz.token_becomes(token, status)
        assert stage.fired() == [f"token.{status}"]
        stage.error("POST", "/payments/create/recurring", {**debit, "order_id": stage.order(30_000)})


@pytest.mark.parametrize(("fails", "status", "told"), [(False, "captured", TRIO), (True, "failed", ["payment.failed"])])
@scenario("CARDREC")
def test_card_is_debited_in_five_minutes(fails: bool, status: str, told: list[str]) -> None:
    """The answer knows the payment, which is created until the bank has spoken; then it is captured, or failed."""
    stage = Stage(options=Options(recurring_debit_s=300))
    customer = stage.post("/customers", {"name": "Gaurav Kumar", "contact": "+919000090000"})["id"]
    token = stage.rz.save_token(customer)["id"]
    stage.rz.clock.advance(60)
    stage.fired()
    if fails:
        stage.rz.debits_fail(token)
    order = stage.order(30_000)
    debit = {"amount": 30_000, "currency": "INR", "order_id": order, "customer_id": customer, "token": token}
    payment = stage.post("/payments/create/recurring", debit)["razorpay_payment_id"]
    stage.rz.clock.advance(299)
    waiting, silent = stage.payment(payment)["status"], stage.fired()
    stage.rz.clock.advance(1)
    after = stage.payment(payment)

    assert (waiting, silent) == ("created", [])
    assert (after["status"], after["token_id"], after["method"]) == (status, token, "card")
    assert stage.fired() == told
    assert stage.get(f"/orders/{order}")["status"] == ("attempted" if fails else "paid")


@pytest.mark.parametrize("fails", [False, True])
@scenario("AUTOPAY", "RH-123")
def test_customer_is_told_before_the_debit(fails: bool) -> None:
    """The notice is delivered and the debit captured; or it fails, and so does the debit."""
    stage = Stage()
    customer = stage.post("/customers", {"name": "Gaurav Kumar", "contact": "+919000090000"})["id"]
    token = stage.rz.save_token(customer, "upi", vpa="success@razorpay")["id"]
    stage.rz.clock.advance(60)
    stage.fired()
    stage.rz.notices_fail(token, fails)
    after = stage.rz.clock.unix() + 2 * DAY_S
    order = stage.order(30_000, notification={"token_id": token, "payment_after": after})
    stage.rz.clock.advance(60)
    (name,) = stage.fired()
    told = json.loads(stage.rz.world.events[-1].body)["payload"]["notification"]["entity"]
    stage.rz.clock.advance(2 * DAY_S)
    debit = {"amount": 30_000, "currency": "INR", "order_id": order, "customer_id": customer, "token": token}
    payment = stage.post("/payments/create/recurring", debit)["razorpay_payment_id"]

    assert name == f"order.notification.{'failed' if fails else 'delivered'}"
    assert (told["order_id"], told["token_id"], told["payment_after"]) == (order, token, after)
    assert (told["status"], told["delivered_at"] is None) == ("failed" if fails else "delivered", fails)
    assert stage.payment(payment)["status"] == ("failed" if fails else "captured")
    assert stage.fired() == (["payment.failed"] if fails else TRIO)


@scenario("RH-35")
def test_fetch_is_ahead_of_a_late_webhook() -> None:
    """The webhooks take an hour; order and payment tell at once, and the webhooks say nothing else."""
    stage = Stage()
    hook = stage.hook()
    stage.rz.faults.add("on EVENT *: late(3600)")
    order = stage.order()
    payment = stage.rz.pay(order)["id"]
    stage.rz.clock.advance(3599)
    early = list(hook.names)

    assert early == []
    assert (stage.payment(payment)["status"], stage.get(f"/orders/{order}")["status"]) == ("captured", "paid")
    stage.rz.clock.advance(2)
    assert hook.names == TRIO


@scenario("RH-05")
def test_capture_and_order_are_two_events() -> None:
    """payment.captured and order.paid speak of one payment, under two event ids."""
    stage = Stage()
    hook = stage.hook()
    payment = stage.rz.pay(stage.order())["id"]
    stage.rz.clock.advance(1)

    told = {name: json.loads(body) for name, (_, body) in zip(hook.names, hook.got, strict=True)}
    assert len(set(hook.ids)) == 3
    for name in ("payment.captured", "order.paid"):
        assert told[name]["payload"]["payment"]["entity"]["id"] == payment


@scenario("RH-82")
def test_failed_payment_is_captured_after_all() -> None:
    """Who tries again inside the UPI app pays with the same payment id."""
    stage = Stage()
    order = stage.order()
    failed = stage.rz.pay(order, outcome="failed")
    stage.rz.clock.advance(30)
    paid = stage.rz.bank_answers(failed["id"], "captured")

    assert (failed["status"], paid["status"], paid["id"]) == ("failed", "captured", failed["id"])
    assert paid["error_code"] is None
    assert stage.fired() == ["payment.failed", *TRIO]
    stage.rz.clock.advance(DAY_S)
    assert stage.get(f"/orders/{order}/payments")["count"] == 1

"""Checkout against the emulator: start, confirm, adopt, refund, sweep (FAULTS rule 6, sections 6 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from razorpay_hardened import Money
from razorpay_hardened.checkout import http_status
from razorpay_hardened.errors import (
    AmountError,
    AmountMismatch,
    ApiAuthError,
    ApiBadRequest,
    ApiError,
    ApiServerError,
    CurrencyMismatch,
    FieldInvalid,
    FormMalformed,
    IdempotencyConflict,
    IdMalformed,
    OrderBindingMissing,
    OrderMismatch,
    OrderUnknown,
    OutcomeUnknown,
    OverRefund,
    OwnerRequired,
    OwnershipMismatch,
    PlanUnknown,
    RazorpayHardenedError,
    SignatureMismatch,
    SignatureMissing,
    StorageUnavailable,
    TransitionRefused,
)
from razorpay_hardened.signing import sign_checkout_for_test, sign_payment_link_for_test, sign_subscription_for_test
from support.desk import Desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.rz.close()


# --- start ------------------------------------------------------------------------------------------------------


def test_start_gives_what_checkout_js_needs(desk: Desk) -> None:
    """Key id, Razorpay's order id, subunits and currency; nothing secret."""
    ready = desk.checkout.start(owner="user:7", plan="gold", notes={"cart": "1"})
    assert ready.options == {
        "key": desk.rz.key_id,
        "order_id": ready.order_id,
        "amount": 49900,
        "currency": "INR",
    }
    remote = desk.rz.world.orders[ready.order_id]
    assert (remote["receipt"], remote["notes"]) == (ready.local_id, {"cart": "1"})
    assert desk.checkout.status(ready.local_id) == desk.checkout.status(ready.order_id) == ready.order
    assert (ready.order.owner, ready.order.plan, ready.order.status) == ("user:7", "gold", "created")


def test_start_takes_an_amount_in_place_of_a_plan(desk: Desk) -> None:
    """For shops whose prices are computed."""
    assert desk.checkout.start(owner="user:7", amount=Money.inr("12.50")).order.money == Money(1250)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ({"owner": None, "plan": "gold"}, OwnerRequired),
        ({"owner": "  ", "plan": "gold"}, OwnerRequired),
        ({"owner": "x" * 201, "plan": "gold"}, OwnerRequired),
        ({"owner": "user:7", "plan": "platinum"}, PlanUnknown),
        ({"owner": "user:7"}, FieldInvalid),
        ({"owner": "user:7", "plan": "gold", "amount": Money(100)}, FieldInvalid),
        ({"owner": "user:7", "amount": Money(0)}, AmountError),
    ],
)
def test_start_refuses_before_anything_is_stored(desk: Desk, call: dict[str, Any], error: type[Exception]) -> None:
    """No row, no request."""
    with pytest.raises(error):
        desk.checkout.start(**call)
    assert desk.store.orders() == []
    assert desk.rz.world.orders == {}


def test_a_repeated_start_with_the_same_key_is_the_same_order(desk: Desk) -> None:
    """A double click buys once; another customer's key is another key; another purchase needs another."""
    one = desk.checkout.start(owner="user:7", plan="gold", key="cart-1")
    assert desk.checkout.start(owner="user:7", plan="gold", key="cart-1") == one
    assert desk.checkout.start(owner="user:8", plan="gold", key="cart-1") != one
    with pytest.raises(FieldInvalid):
        desk.checkout.start(owner="user:7", amount=Money(100), key="cart-1")
    assert len(desk.rz.world.orders) == 2


def test_an_answer_that_was_lost_is_found_by_its_receipt(desk: Desk) -> None:
    """A8: one order at Razorpay, and the customer notices nothing."""
    desk.rz.faults.add("on POST /orders: do_then_hang once")
    ready = desk.checkout.start(owner="user:7", plan="gold")
    assert list(desk.rz.world.orders) == [ready.order_id]


def test_an_outcome_that_stays_unknown_is_a_state_that_the_sweeper_settles(desk: Desk) -> None:
    """outcome_unknown, then found by its receipt; no second order is made."""
    desk.rz.faults.add("on POST /orders: do_then_hang always")
    desk.rz.faults.add("on GET /orders: 503 always")
    with pytest.raises(OutcomeUnknown) as caught:
        desk.checkout.start(owner="user:7", plan="gold", key="cart-1")
    (held,) = desk.store.orders()
    assert (held.status, held.local_id) == ("outcome_unknown", caught.value.receipt)
    desk.later(90)
    assert desk.checkout.sweep().left == 1
    desk.rz.faults.clear()
    assert desk.checkout.sweep().found == 1
    assert desk.checkout.start(owner="user:7", plan="gold", key="cart-1").order.status == "created"
    assert len(desk.rz.world.orders) == 1


def test_an_order_that_razorpay_refused_can_be_asked_for_again(desk: Desk) -> None:
    """remote_failed, and the next call with the same key asks again."""
    desk.rz.faults.add("on POST /orders: 401 once")
    with pytest.raises(ApiError):
        desk.checkout.start(owner="user:7", plan="gold", key="cart-1")
    (held,) = desk.store.orders()
    assert held.status == "remote_failed"
    ready = desk.checkout.start(owner="user:7", plan="gold", key="cart-1")
    assert (ready.order.status, ready.order.attempts, ready.local_id) == ("created", 2, held.local_id)


def test_what_was_asked_for_and_never_made_is_called_failed(desk: Desk) -> None:
    """Killed between the row and the request: not found by receipt, and after a while that is the answer (A6)."""
    desk.rz.faults.add("on POST /orders: reset_before always")
    with pytest.raises(ApiError):
        desk.checkout.start(owner="user:7", plan="gold")
    (held,) = desk.store.orders()
    with desk.store.transaction() as tx:
        from razorpay_hardened.domain.facts import Cause, OrderSetback

        if held.status != "pending":
            cause = Cause("local", desk.clock.now())
            desk.rzp._ledger.apply(tx, OrderSetback(held.local_id, "pending"), cause=cause)
    desk.later(120)
    assert desk.checkout.sweep().left == 1
    desk.later(15 * 60)
    assert desk.checkout.sweep().failed == 1
    assert desk.checkout.status(held.local_id).status == "remote_failed"
    assert desk.checkout.sweep().left == 0


def test_a_receipt_that_leads_to_something_else_alarms(desk: Desk) -> None:
    """What Razorpay has under our receipt has another amount: a person must look."""
    desk.rz.faults.add("on POST /orders: do_then_hang always")
    desk.rz.faults.add("on GET /orders: 503 always")
    with pytest.raises(OutcomeUnknown):
        desk.checkout.start(owner="user:7", plan="gold")
    desk.rz.faults.clear()
    (remote,) = desk.rz.world.orders.values()
    remote["amount"] = 100
    desk.rz.world.save(remote)
    desk.later(90)
    assert desk.checkout.sweep().left == 1
    assert [alarm.reason for alarm in desk.alarms] == ["AmountMismatch"]


def test_a_double_click_that_made_two_orders_keeps_the_first(desk: Desk) -> None:
    """Two requests at the same time: the loser is given the winner's order."""
    first = desk.checkout.start(owner="user:7", plan="gold", key="cart-1")
    from razorpay_hardened.checkout.start import _ask_razorpay
    from razorpay_hardened.domain.state import OrderState

    tools = desk.checkout._tools
    row = first.order
    as_seen_before = OrderState(
        row.local_id,
        row.owner,
        row.plan,
        row.amount,
        row.currency,
        row.receipt,
        "pending",
        row.created_at,
        row.updated_at,
    )
    assert _ask_razorpay(tools, as_seen_before, None).order_id == first.order_id


# --- confirm ----------------------------------------------------------------------------------------------------


def test_confirm_settles_a_capture_and_the_webhook_then_adds_nothing(desk: Desk) -> None:
    """One effect, whoever came first, however often (E10)."""
    order, payment = desk.bought()
    form = desk.rz.checkout_form(payment)
    for _ in range(50):
        done = desk.checkout.confirm(form, owner="user:7")
        assert (done.outcome, done.http_status, done.payment_id) == ("paid", 200, payment)
    desk.rz.clock.advance(3600)
    assert desk.granted == ["user:7"]
    assert desk.checkout.status(order).status == "paid"


def test_confirm_after_the_webhook_says_the_same(desk: Desk) -> None:
    """The other order of arrival."""
    _, payment = desk.bought()
    desk.rz.clock.advance(3600)
    assert desk.checkout.confirm(desk.rz.checkout_form(payment), owner="user:7").outcome == "paid"
    assert desk.granted == ["user:7"]


def test_authorised_is_not_paid(desk: Desk) -> None:
    """The tag proves authorisation; do not fulfil (FACTS section 11)."""
    order = desk.checkout.start(owner="user:7", plan="gold").order_id
    payment = desk.rz.pay(order, outcome="authorized")["id"]
    done = desk.checkout.confirm(desk.rz.checkout_form(payment), owner="user:7")
    assert (done.outcome, done.http_status) == ("authorized", 200)
    assert desk.granted == []


def test_a_failed_payment_is_not_paid(desk: Desk) -> None:
    """A right tag over a payment that failed changes nothing."""
    order = desk.checkout.start(owner="user:7", plan="gold").order_id
    payment = desk.rz.pay(order, outcome="failed")["id"]
    done = desk.checkout.confirm(signed(desk, order, payment), owner="user:7")
    assert (done.outcome, done.http_status, done.reason) == ("not_paid", 200, "failed")
    assert desk.granted == []


def test_while_razorpay_cannot_be_asked_it_is_pending(desk: Desk) -> None:
    """202: the webhook or reconciliation settles it."""
    _, payment = desk.bought()
    form = desk.rz.checkout_form(payment)
    desk.rz.faults.add("on GET /payments/:id: 503 always")
    done = desk.checkout.confirm(form, owner="user:7")
    assert (done.outcome, done.http_status) == ("pending", 202)
    assert desk.granted == []


def test_while_an_effect_waits_it_is_pending(desk: Desk) -> None:
    """The money is there, the handler failed: 202, and the row is its retry."""
    broken = [True]

    @desk.rzp.on("order.paid", name="ship")
    def ship(change: Any, tx: Any) -> None:
        if broken[0]:
            raise RuntimeError

    _, payment = desk.bought()
    form = desk.rz.checkout_form(payment)
    assert desk.checkout.confirm(form, owner="user:7").reason == "effect_waits"
    broken[0] = False
    assert desk.checkout.confirm(form, owner="user:7").outcome == "paid"


@pytest.mark.parametrize(
    "form",
    [
        {"error[code]": "BAD_REQUEST_ERROR", "error[description]": "x"},
        [("error[code]", "BAD_REQUEST_ERROR"), ("razorpay_payment_id", "pay_00000000000000")],
        {"error": "x"},
    ],
)
def test_a_failure_form_changes_nothing(desk: Desk, form: Any) -> None:
    """Whoever wrote it: the attempt failed, says the browser, and the ledger does not believe browsers."""
    done = desk.checkout.confirm(form, owner="user:7")
    assert (done.outcome, done.http_status, done.order) == ("not_paid", 200, None)


def signed(desk: Desk, order: str, payment: str) -> dict[str, str]:
    """A form with a right tag."""
    tag = sign_checkout_for_test(order_id=order, payment_id=payment, secret=desk.rz.key_secret)
    return {"razorpay_order_id": order, "razorpay_payment_id": payment, "razorpay_signature": tag}


class MultiDict(dict[str, Any]):
    """As frameworks have them."""

    def getlist(self, name: str) -> list[Any]:
        value = self[name]
        return value if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda form: form | {"razorpay_order_id": "order_1"}, IdMalformed),
        (lambda form: form | {"razorpay_payment_id": form["razorpay_payment_id"] + "\n"}, IdMalformed),
        (lambda form: form | {"razorpay_payment_id": form["razorpay_payment_id"] + "\0"}, IdMalformed),
        (lambda form: form | {"razorpay_payment_id": "pаy_29QQoUBi66xm2f"}, IdMalformed),
        (lambda form: form | {"razorpay_payment_id": "pay_%252e%252e%252e%252e"}, IdMalformed),
        (
            lambda form: (
                form
                | {"razorpay_order_id": form["razorpay_payment_id"], "razorpay_payment_id": form["razorpay_order_id"]}
            ),
            IdMalformed,
        ),
        (lambda form: form | {"razorpay_signature": "0" * 64}, SignatureMismatch),
        (lambda form: form | {"secret": "x", "key_secret": "x", "razorpay_signature": "1" * 64}, SignatureMismatch),
        (lambda form: {k: v for k, v in form.items() if k != "razorpay_signature"}, SignatureMissing),
        (lambda form: {k: v for k, v in form.items() if k != "razorpay_payment_id"}, FormMalformed),
        (lambda form: [*form.items(), ("razorpay_payment_id", form["razorpay_payment_id"])], FormMalformed),
        (lambda form: MultiDict(form | {"razorpay_payment_id": [form["razorpay_payment_id"]] * 2}), FormMalformed),
        (lambda form: form | {"razorpay_payment_id[]": form["razorpay_payment_id"]}, FormMalformed),
        (
            lambda form: {"razorpay_payment_id[]" if k == "razorpay_payment_id" else k: v for k, v in form.items()},
            FormMalformed,
        ),
        (lambda form: form | {"razorpay_payment_id": 7}, FormMalformed),
        (lambda form: form | {"razorpay_payment_id": "pay_" + "a" * 600}, FormMalformed),
    ],
)
def test_forms_that_prove_nothing_get_400(
    desk: Desk, change: Callable[[dict[str, str]], Any], error: type[RazorpayHardenedError]
) -> None:
    """Shape, kinds of ids, tag; nothing changes."""
    _, payment = desk.bought()
    with pytest.raises(error) as caught:
        desk.checkout.confirm(change(desk.rz.checkout_form(payment)), owner="user:7")
    assert http_status(caught.value) == 400
    assert desk.store.payment(payment) is None


def test_tags_of_other_kinds_do_not_pass(desk: Desk) -> None:
    """Subscription and payment-link tags are keyed with the same secret (FAULTS section 1, fact 5)."""
    order, payment = desk.bought()
    subscription = "sub_00000000000000"
    tag = sign_subscription_for_test(payment_id=payment, subscription_id=subscription, secret=desk.rz.key_secret)
    with pytest.raises(IdMalformed):
        desk.checkout.confirm(
            {"razorpay_order_id": payment, "razorpay_payment_id": subscription, "razorpay_signature": tag},
            owner="user:7",
        )
    link = sign_payment_link_for_test(
        payment_link_id="plink_00000000000000",
        reference_id="r",
        status="paid",
        payment_id=payment,
        secret=desk.rz.key_secret,
    )
    with pytest.raises(SignatureMismatch):
        desk.checkout.confirm(signed(desk, order, payment) | {"razorpay_signature": link}, owner="user:7")


def test_somebody_elses_order_gets_403_and_is_on_record(desk: Desk) -> None:
    """A right triple does not make it yours (P11)."""
    order, payment = desk.bought("user:7")
    with pytest.raises(OwnershipMismatch) as caught:
        desk.checkout.confirm(desk.rz.checkout_form(payment), owner="user:8")
    assert http_status(caught.value) == 403
    last = desk.store.audit(order)[-1]
    assert (last.what, last.note, last.source) == ("refused", "OwnershipMismatch", "checkout")


def test_a_cheap_order_does_not_pay_for_a_dear_one(desk: Desk) -> None:
    """Order A claimed with the valid triple of own order B."""
    dear = desk.checkout.start(owner="user:7", amount=Money.inr(10_000))
    cheap = desk.checkout.start(owner="user:7", amount=Money.inr(1))
    payment = desk.rz.pay(cheap.order_id)["id"]
    with pytest.raises(OrderMismatch) as caught:
        desk.checkout.confirm(desk.rz.checkout_form(payment), owner="user:7", order=dear.local_id)
    assert http_status(caught.value) == 403
    assert desk.checkout.status(dear.local_id).status == "created"


def test_a_payment_that_razorpay_has_under_another_order_is_refused(desk: Desk) -> None:
    """Even under a right tag, which only a leaked secret could make."""
    mine = desk.checkout.start(owner="user:7", plan="gold").order_id
    _, others = desk.bought("user:8")
    with pytest.raises(OrderMismatch):
        desk.checkout.confirm(signed(desk, mine, others), owner="user:7")
    assert desk.granted == []


def test_an_order_of_another_mode_or_shop_is_unknown(desk: Desk) -> None:
    """404."""
    form = signed(desk, "order_00000000000000", "pay_00000000000000")
    with pytest.raises(OrderUnknown) as caught:
        desk.checkout.confirm(form, owner="user:7")
    assert http_status(caught.value) == 404


def test_another_amount_at_razorpay_gets_409_and_an_alarm(desk: Desk) -> None:
    """Local ₹10,000, paid ₹1."""
    order, payment = desk.bought()
    remote = desk.rz.world.payments[payment]
    remote["amount"] = 100
    desk.rz.world.save(remote)
    with pytest.raises(AmountMismatch) as caught:
        desk.checkout.confirm(signed(desk, order, payment), owner="user:7")
    assert http_status(caught.value) == 409
    assert [alarm.reason for alarm in desk.alarms] == ["AmountMismatch"]
    assert desk.granted == []


@pytest.mark.parametrize("owner", [None, "", "   ", 7])
def test_no_owner_never_means_any_owner(desk: Desk, owner: Any) -> None:
    """Raised before the form is looked at."""
    with pytest.raises(OwnerRequired):
        desk.checkout.confirm({}, owner=owner)


def test_an_order_that_razorpay_does_not_have_yet_cannot_be_confirmed(desk: Desk) -> None:
    """Its binding is missing."""
    desk.rz.faults.add("on POST /orders: 401 once")
    with pytest.raises(ApiError):
        desk.checkout.start(owner="user:7", plan="gold")
    (held,) = desk.store.orders()
    with pytest.raises(OrderBindingMissing):
        desk.checkout.confirm(
            signed(desk, "order_00000000000000", "pay_00000000000000"), owner="user:7", order=held.local_id
        )
    from razorpay_hardened.checkout import CheckoutOrder

    with pytest.raises(OrderBindingMissing):
        _ = CheckoutOrder(held, "rzp_test_x").options


def test_other_errors_have_their_status_too() -> None:
    """503 where trying again may help, 404 for what is not on offer, 500 for what nobody expected."""
    assert http_status(StorageUnavailable()) == 503
    assert http_status(ApiServerError()) == 503
    assert http_status(OutcomeUnknown()) == 503
    assert http_status(ApiAuthError()) == 500
    assert http_status(PlanUnknown()) == 404
    assert http_status(TransitionRefused()) == 500


# --- adopt ------------------------------------------------------------------------------------------------------


def test_adopt_is_idempotent_and_bound(desk: Desk) -> None:
    """The same order again is the same row; another owner or amount is an error."""
    order = "order_00000000000001"
    held = desk.checkout.adopt(order, owner="user:7", amount=Money.inr(1), receipt="inv-42")
    assert (held.status, held.receipt) == ("created", "inv-42")
    assert desk.checkout.adopt(order, owner="user:7", amount=Money.inr(1)) == held
    with pytest.raises(OwnershipMismatch):
        desk.checkout.adopt(order, owner="user:8", amount=Money.inr(1))
    with pytest.raises(AmountMismatch):
        desk.checkout.adopt(order, owner="user:7", amount=Money.inr(2))
    with pytest.raises(IdMalformed):
        desk.checkout.adopt("order_1", owner="user:7", amount=Money.inr(1))


# --- refund -----------------------------------------------------------------------------------------------------


def test_a_refund_is_made_once_for_its_key(desk: Desk) -> None:
    """The second call answers from the row; another amount under the same key is a conflict."""
    _, payment = desk.paid()
    first = desk.checkout.refund(payment, Money.inr(100), key="refund-0001")
    assert (first.money, first.key) == (Money.inr(100), "refund-0001")
    again = desk.checkout.refund(payment, Money.inr(100), key="refund-0001")
    assert again.refund_id == first.refund_id
    with pytest.raises(IdempotencyConflict):
        desk.checkout.refund(payment, Money.inr(101), key="refund-0001")
    assert len(desk.rz.world.refunds) == 1


def test_a_refund_of_all_that_is_left(desk: Desk) -> None:
    """No amount means the rest."""
    _, payment = desk.paid()
    desk.checkout.refund(payment, Money.inr(100))
    assert desk.checkout.refund(payment).money == Money.inr(399)
    held = desk.store.payment(payment)
    assert held is not None
    assert (held.status, held.refunded) == ("refunded", 49900)
    with pytest.raises(OverRefund):
        desk.checkout.refund(payment)


@pytest.mark.parametrize(
    ("amount", "key", "error"),
    [
        (Money.inr("499.01"), None, OverRefund),
        (Money(0), None, AmountError),
        (Money(100, "USD"), None, CurrencyMismatch),
        (Money(100), "short", FieldInvalid),
        (Money(100), "has a space", FieldInvalid),
        (Money(100), 7, FieldInvalid),
    ],
)
def test_a_refund_that_cannot_be_is_refused_before_any_request(
    desk: Desk, amount: Money, key: Any, error: type[Exception]
) -> None:
    """Nothing is sent, nothing is stored."""
    _, payment = desk.paid()
    with pytest.raises(error):
        desk.checkout.refund(payment, amount, key=key)
    assert desk.rz.world.refunds == {}
    assert desk.store.open_intents(before=desk.clock.now()) == []


def test_only_captured_payments_on_record_are_refunded(desk: Desk) -> None:
    """An authorised one is not ours to give back, an unknown one is reconciled first."""
    order = desk.checkout.start(owner="user:7", plan="gold").order_id
    payment = desk.rz.pay(order, outcome="authorized")["id"]
    with pytest.raises(OrderUnknown):
        desk.checkout.refund(payment)
    desk.checkout.confirm(desk.rz.checkout_form(payment), owner="user:7")
    with pytest.raises(TransitionRefused):
        desk.checkout.refund(payment)


def test_a_refund_whose_answer_was_lost_is_finished_by_the_sweeper(desk: Desk) -> None:
    """A1, A7: one refund at Razorpay for one intent, and while it is open nothing more can be promised."""
    _, payment = desk.paid()
    desk.rz.faults.add("on POST /payments/:id/refund: do_then_hang always")
    with pytest.raises(OutcomeUnknown) as caught:
        desk.checkout.refund(payment, Money.inr(300), key="refund-0001")
    assert caught.value.idempotency_key == "refund-0001"
    with pytest.raises(OverRefund):
        desk.checkout.refund(payment, Money.inr(300), key="refund-0002")
    desk.later(90)
    assert desk.checkout.sweep().left == 1
    desk.rz.faults.clear()
    assert desk.checkout.sweep().refunded == 1
    assert desk.checkout.sweep().refunded == 0
    assert [refund["amount"] for refund in desk.rz.world.refunds.values()] == [30000]
    held = desk.store.payment(payment)
    assert held is not None
    assert held.refunded == 30000


def test_a_refund_that_razorpay_refuses_is_refused_for_its_key(desk: Desk) -> None:
    """The reason is kept; the same key asks nobody again."""
    _, payment = desk.paid()
    desk.rz.world.payments[payment]["amount_refunded"] = 49900
    with pytest.raises(ApiBadRequest):
        desk.checkout.refund(payment, key="refund-0001")
    with pytest.raises(IdempotencyConflict):
        desk.checkout.refund(payment, key="refund-0001")
    desk.later(90)
    assert desk.checkout.sweep().left == 0


def test_the_sweeper_alarms_for_a_refund_that_will_never_be(desk: Desk) -> None:
    """A stored intent that Razorpay now refuses."""
    _, payment = desk.paid()
    desk.rz.faults.add("on POST /payments/:id/refund: reset_before always")
    with pytest.raises(ApiError):
        desk.checkout.refund(payment, key="refund-0001")
    desk.rz.faults.clear()
    desk.rz.world.payments[payment]["amount_refunded"] = 49900
    desk.later(90)
    assert desk.checkout.sweep().left == 1
    assert [alarm.reason for alarm in desk.alarms] == ["ApiBadRequest"]


def test_coming_back_without_paying_is_on_the_orders_record(desk: Desk) -> None:
    """A note, and no change: anybody can write such a form, about an order of this customer's only."""
    order = desk.checkout.start(owner="user:7", plan="gold").order_id
    form = {"error[code]": "BAD_REQUEST_ERROR", "error[metadata]": f'{{"order_id":"{order}"}}'}
    assert desk.checkout.confirm(form, owner="user:8").order is None
    done = desk.checkout.confirm(form, owner="user:7")
    assert (done.outcome, done.order, done.http_status) == ("not_paid", desk.checkout.status(order), 200)
    assert [row.what for row in desk.store.audit(order)][1:] == ["attempted"]

"""The one writer: what facts do to rows, what fires, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from bodies import AMOUNT, START, Shop, body, order, order_id, payment, payment_id, refund
from razorpay_hardened import FrozenClock, MemoryStore, Money
from razorpay_hardened.domain.facts import (
    Cause,
    Fact,
    OrderAsked,
    OrderClosed,
    OrderFact,
    OrderRegistered,
    OrderSetback,
    PaymentFact,
    RefundFact,
)
from razorpay_hardened.domain.ids import OrderId, PaymentId, RefundId
from razorpay_hardened.effects import Registry
from razorpay_hardened.errors import AmountMismatch, OrderMismatch, OrderUnknown, StorageUnavailable, TransitionRefused
from razorpay_hardened.ledger import Applied, Ledger
from razorpay_hardened.signals import Alarm, EventQuarantined, StatusChanged
from razorpay_hardened.signals import TransitionRefused as Refused

CAUSE = Cause("api", START)
ORDER = OrderId(order_id(1))
PAYMENT = PaymentId(payment_id(1))
ASKED = OrderAsked("local_1", "user:7", AMOUNT, "INR", "local_1")


class Books:
    """A ledger on a store of its own."""

    def __init__(self, **options: Any) -> None:
        self.store = MemoryStore()
        self.registry = Registry()
        self.ledger = Ledger(self.registry, clock=FrozenClock(START), **options)

    def apply(self, *facts: Fact, **options: Any) -> Applied:
        with self.store.transaction() as tx:
            return self.ledger.apply(tx, *facts, cause=CAUSE, **options)


def paid(number: int = 1, status: str = "captured", amount: int = AMOUNT, **fields: Any) -> PaymentFact:
    ours = {"order_id": ORDER, "captured": status == "captured"} | fields
    return PaymentFact(PaymentId(payment_id(number)), status=status, amount=amount, currency="INR", **ours)


def shop(**options: Any) -> Shop:
    made = Shop(MemoryStore(), **options)
    made.rzp.store.migrate()
    return made


# --- orders -----------------------------------------------------------------------------------------------------


def test_an_order_is_asked_for_then_registered() -> None:
    """pending, then created with Razorpay's id; the trail moves from the local id to Razorpay's."""
    books = Books()
    assert books.apply(ASKED).orders["local_1"].status == "pending"
    done = books.apply(OrderRegistered("local_1", ORDER), OrderFact(ORDER, "created", AMOUNT, "INR", snapshot="{}"))
    held = done.orders["local_1"]
    assert (held.status, held.razorpay_order_id, held.snapshot) == ("created", ORDER, "{}")
    assert [row.entity_id for row in books.store.audit("local_1")] == ["local_1"]
    assert [(row.before, row.after) for row in books.store.audit(ORDER)] == [("pending", "created")]


def test_asking_and_registering_twice_changes_nothing() -> None:
    """Every fact may come again."""
    books = Books()
    for _ in range(2):
        books.apply(ASKED)
        books.apply(OrderRegistered("local_1", ORDER))
    assert len(books.store.audit("local_1")) + len(books.store.audit(ORDER)) == 2


def test_an_order_is_registered_under_one_id_only() -> None:
    """Neither a second Razorpay id for a local order nor a second local order for a Razorpay id."""
    books = Books()
    books.apply(ASKED)
    books.apply(OrderRegistered("local_1", ORDER))
    with pytest.raises(OrderMismatch):
        books.apply(OrderRegistered("local_1", OrderId(order_id(2))))
    books.apply(OrderAsked("local_2", "user:8", AMOUNT, "INR", "local_2"))
    with pytest.raises(OrderMismatch):
        books.apply(OrderRegistered("local_2", ORDER))
    with pytest.raises(OrderMismatch):
        books.apply(OrderAsked("local_3", "user:8", AMOUNT, "INR", "local_3", order_id=ORDER))


def test_facts_about_no_order_of_ours_are_refused() -> None:
    """A local id that nobody asked for."""
    for fact in (OrderRegistered("local_9", ORDER), OrderSetback("local_9", "pending"), OrderClosed("local_9")):
        with pytest.raises(OrderUnknown):
            Books().apply(fact)


def test_a_setback_is_recorded_and_ends_with_registration() -> None:
    """outcome_unknown, then Razorpay has it after all; after that nothing sets it back."""
    books = Books()
    books.apply(ASKED)
    assert books.apply(OrderSetback("local_1", "outcome_unknown", "Timeout")).orders["local_1"].status == (
        "outcome_unknown"
    )
    assert books.apply(OrderRegistered("local_1", ORDER)).orders["local_1"].status == "created"
    with pytest.raises(TransitionRefused):
        books.apply(OrderSetback("local_1", "remote_failed"))
    assert [row.note for row in books.store.audit("local_1")] == [None, "Timeout"]


def test_closing_is_beside_the_status_and_alarms_when_money_comes() -> None:
    """closed_at is ours; a capture after it is taken in, with an alarm (FAULTS E4)."""
    ours = shop()
    ours.adopt(1)
    closed = ours.rzp.checkout.close(order_id(1))
    assert (closed.status, closed.closed_at) == ("created", ours.clock.now())
    assert ours.rzp.checkout.close(order_id(1)) == closed
    assert ours.deliver(body("payment.captured", payment=payment(1, "captured"))) == 200
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["paid_after_close"]
    held = ours.store.order(order_id(1))
    assert held is not None
    assert held.status == "paid"


def test_razorpays_own_word_that_an_order_is_paid_counts() -> None:
    """Even before its payment is known; its older news is refused and put on record."""
    books = Books()
    books.apply(ASKED, OrderRegistered("local_1", ORDER))
    done = books.apply(OrderFact(ORDER, "paid", AMOUNT, "INR"))
    assert [one.key for one in done.milestones] == [f"order.paid:{ORDER}"]
    stale = books.apply(OrderFact(ORDER, "attempted", AMOUNT, "INR"))
    assert stale.milestones == []
    assert [type(signal) for signal in stale.signals] == [Refused]
    assert [row.what for row in books.store.audit(ORDER)][-1] == "stale"
    assert books.apply(OrderFact(ORDER, "teleported", AMOUNT, "INR")).orders["local_1"].status == "paid"


# --- payments ---------------------------------------------------------------------------------------------------


def test_a_capture_pays_the_order_once() -> None:
    """The running total on the anchor is what pays; a second word about the same capture adds nothing."""
    books = Books()
    books.apply(ASKED, OrderRegistered("local_1", ORDER))
    assert books.apply(paid()).orders["local_1"].status == "paid"
    assert books.apply(paid()).milestones == []
    (anchor,) = [one for one in books.store.anchors() if one.key == ORDER]
    assert anchor.captured == AMOUNT


def test_partial_payments_add_up() -> None:
    """An order that allows them is paid when they reach its amount."""
    ours = shop()
    ours.adopt(1, partial_payment=True)
    half = AMOUNT // 2
    for number, part in ((11, half), (12, AMOUNT - half)):
        raw = body("payment.captured", payment=payment(number, "captured", order=1, amount=part))
        assert ours.deliver(raw) == 200
    assert [s.after for s in ours.told(StatusChanged) if s.kind == "order"] == ["created", "attempted", "paid"]
    assert not ours.told(Alarm)


def test_a_second_capture_is_a_surplus_and_never_a_second_fulfilment() -> None:
    """FAULTS E5: kept, alarmed, order.paid once."""
    ours = shop()
    ours.adopt(1)
    fired: list[str] = []
    for milestone in ("order.paid", "payment.surplus", "payment.captured"):
        ours.rzp.on(milestone, name="note")(lambda change, tx: fired.append(change.key))
    for number in (1, 2):
        ours.deliver(body("payment.captured", payment=payment(number, "captured", order=1)))
    assert fired.count(f"order.paid:{order_id(1)}") == 1
    assert f"payment.surplus:{payment_id(2)}" in fired
    second = ours.store.payment(payment_id(2))
    assert second is not None
    assert second.surplus
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["payment_surplus"]


def test_a_capture_of_another_amount_changes_nothing() -> None:
    """It raises before anything is written (P11)."""
    books = Books()
    books.apply(ASKED, OrderRegistered("local_1", ORDER))
    with pytest.raises(AmountMismatch):
        books.apply(paid(amount=100))
    assert books.store.payment(PAYMENT) is None


def test_an_unknown_status_is_stored_and_moves_nothing() -> None:
    """Kept as created, on record; later news moves it on (FAULTS section 7, API answers)."""
    books = Books()
    books.apply(ASKED, OrderRegistered("local_1", ORDER))
    done = books.apply(paid(status="processing"))
    assert done.payments[PAYMENT].status == "created"
    assert books.store.audit(ORDER)[-1].what == "unknown_status"
    assert books.apply(paid()).orders["local_1"].status == "paid"


def test_a_payment_without_an_order_is_stored_for_handlers_that_ask() -> None:
    """Unbound: no order is touched, and only unbound=True handlers are called, with change.order None."""
    ours = shop()
    seen: list[Any] = []
    ours.rzp.on("payment.captured", name="bound")(lambda change, tx: seen.append("bound"))
    ours.rzp.on("payment.captured", name="any", unbound=True)(lambda change, tx: seen.append(change))
    raw = body("payment.captured", payment=payment(1, "captured", order_id=None))
    assert ours.deliver(raw) == 200
    (change,) = seen
    assert (change.order, change.entity.money, change.kind) == (None, Money(AMOUNT), "payment")
    assert change.entity.razorpay.email == "gaurav.kumar@example.com"


def test_later_news_without_an_order_id_finds_the_payments_anchor() -> None:
    """A payment never changes its anchor."""
    ours = shop()
    ours.adopt(1)
    ours.deliver(body("payment.authorized", payment=payment(1, "authorized")))
    assert ours.deliver(body("payment.captured", payment=payment(1, "captured", order_id=None))) == 200
    held = ours.store.payment(payment_id(1))
    assert held is not None
    assert (held.anchor, held.status) == (order_id(1), "captured")


def test_news_of_foreign_orders_is_taken_in_where_the_setting_says_so() -> None:
    """unknown_order=accept: stored with its order id, fired for unbound handlers only; no order row is made up."""
    books = Books(unknown_order="accept")
    done = books.apply(OrderFact(ORDER, "paid", AMOUNT, "INR"), paid())
    assert (done.orders, done.payments[PAYMENT].order_id) == ({}, ORDER)
    assert books.store.order(ORDER) is None


def test_an_order_that_is_registered_after_its_money_is_paid_at_once() -> None:
    """Accepted captures count when the order becomes ours."""
    books = Books(unknown_order="accept")
    books.apply(paid())
    done = books.apply(ASKED, OrderRegistered("local_1", ORDER))
    assert done.orders["local_1"].status == "paid"


# --- parking ----------------------------------------------------------------------------------------------------


def test_news_of_an_unknown_order_waits_for_it() -> None:
    """Nothing is written, and the id that it waits for is told."""
    books = Books()
    assert books.apply(paid()).parked_under == ORDER
    assert books.apply(OrderFact(ORDER, "paid", AMOUNT, "INR")).parked_under == ORDER
    assert books.store.payment(PAYMENT) is None


def test_a_refund_of_an_unknown_payment_waits_for_it() -> None:
    """Parked under the payment's id, drained when the payment comes, whatever it brings."""
    ours = shop()
    ours.adopt(1)
    assert ours.deliver(body("refund.processed", refund=refund(1, "processed"))) == 200
    (row,) = ours.store.deliveries(states=("parked",))
    assert row.anchor == payment_id(1)
    assert ours.deliver(body("payment.captured", payment=payment(1, "captured"))) == 200
    held = ours.store.payment(payment_id(1))
    assert held is not None
    assert held.status == "refunded"
    assert not ours.store.deliveries(states=("parked",))


def test_a_parked_refund_that_then_contradicts_is_quarantined() -> None:
    """It was good enough to park; the payment that came says otherwise. The payment is not lost for it."""
    ours = shop()
    ours.adopt(1)
    ours.deliver(body("refund.processed", refund=refund(1, "processed", amount=AMOUNT + 1)))
    assert ours.deliver(body("payment.captured", payment=payment(1, "captured"))) == 200
    held = ours.store.payment(payment_id(1))
    assert held is not None
    assert held.status == "captured"
    (row,) = ours.store.deliveries(states=("quarantined",))
    assert row.reason == "OverRefund"
    assert [signal.reason for signal in ours.told(EventQuarantined)] == ["OverRefund"]
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["OverRefund"]


def test_draining_what_still_waits_leaves_it_parked() -> None:
    """Looking too early costs nothing."""
    ours = shop()
    ours.deliver(body("payment.captured", payment=payment(1, "captured")))
    (row,) = ours.store.deliveries(states=("parked",))
    with ours.store.transaction() as tx:
        ours.rzp._ledger.drain(tx, row)
    assert [row.state for row in ours.store.deliveries()] == ["parked"]


# --- refunds ----------------------------------------------------------------------------------------------------


def test_a_sum_of_refunds_above_the_payment_is_processed_with_an_alarm() -> None:
    """Honest news can pass through it: one failed, a second took its place."""
    ours = shop()
    ours.adopt(1)
    ours.deliver(body("payment.captured", payment=payment(1, "captured")))
    for number in (11, 12):
        raw = body("refund.processed", refund=refund(number, "processed", of=1), payment=payment(1, "refunded"))
        assert ours.deliver(raw) == 200
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["over_refund"]


def test_a_refund_that_fails_after_all_alarms_and_gives_the_money_back() -> None:
    """failed wins over processed; the payment is captured again, and the trail says why."""
    ours = shop()
    ours.adopt(1)
    ours.deliver(body("payment.captured", payment=payment(1, "captured")))
    ours.deliver(body("refund.processed", refund=refund(1, "processed")))
    ours.deliver(body("refund.failed", refund=refund(1, "failed")))
    held = ours.store.payment(payment_id(1))
    assert held is not None
    assert (held.status, held.refunded) == ("captured", 0)
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["refund_failed"]
    back = [row for row in ours.store.audit(order_id(1)) if (row.before, row.after) == ("refunded", "captured")]
    assert [row.event for row in back] == ["refund.failed"]
    again = body("refund.created", refund=refund(1, "pending"), payment=payment(1, "captured"))
    assert ours.deliver(again) == 200
    assert [signal.refused for signal in ours.told(Refused)] == ["pending"]


def test_a_refund_told_by_the_api_alone_finds_its_payments_anchor() -> None:
    """No payment beside it, no order id: the payment's own row says where it hangs."""
    books = Books()
    books.apply(ASKED, OrderRegistered("local_1", ORDER))
    books.apply(paid())
    fact = RefundFact(RefundId("rfnd_00000000000001"), PAYMENT, "processed", 100, "INR", order_id=OrderId(order_id(2)))
    done = books.apply(fact)
    assert done.refunds["rfnd_00000000000001"].anchor == ORDER
    assert done.payments[PAYMENT].refunded == 100


def test_effects_can_be_left_to_a_worker() -> None:
    """inline=False writes the rows and calls nobody."""
    books = Books()
    books.registry.on("order.paid", name="grant")(lambda change, tx: pytest.fail("called"))
    books.apply(ASKED, OrderRegistered("local_1", ORDER))
    done = books.apply(paid(), inline=False)
    assert done.attempts == []
    assert [row.state for row in books.store.effects(anchor=ORDER)] == ["waiting"]


def test_touches_tell_what_facts_are_about() -> None:
    """Sorted and without repeats, so that locks are taken in one order everywhere."""
    facts = (paid(2), paid(1), RefundFact(RefundId("rfnd_00000000000001"), PAYMENT, "pending", 1, "INR"), ASKED)
    touches = Ledger.touches(facts)
    assert touches.anchors == ("local_1", ORDER)
    assert touches.payments == (payment_id(1), payment_id(2))
    assert touches.refunds == ("rfnd_00000000000001",)


def test_the_whole_life_is_on_record() -> None:
    """Who said what, from where, with which digest (P4)."""
    ours = shop()
    ours.adopt(1)
    ours.deliver(body("order.paid", payment=payment(1, "captured"), order=order(1, "paid")), event_id="evt-1")
    rows = ours.store.audit(order_id(1))
    assert [(row.kind, row.before, row.after) for row in rows] == [
        ("order", None, "created"),
        ("order", "created", "paid"),
        ("payment", None, "captured"),
    ]
    assert {(row.source, row.event, row.event_id) for row in rows[1:]} == {("webhook", "order.paid", "evt-1")}


def test_a_waiting_effect_of_a_refund_is_retried_with_its_refund() -> None:
    """The rows are read under the anchor's lock when a later delivery runs it."""
    ours = shop()
    ours.adopt(1)
    broken, seen = [True], []

    @ours.rzp.on("refund.created", name="note")
    def note(change: Any, tx: Any) -> None:
        if broken[0]:
            raise RuntimeError
        seen.append((change.kind, change.entity.money, change.order.owner))

    ours.deliver(body("payment.captured", payment=payment(1, "captured")))
    assert ours.deliver(body("refund.created", refund=refund(1, "pending"))) == 500
    broken[0] = False
    assert ours.deliver(body("payment.authorized", payment=payment(1, "authorized"))) == 200
    assert seen == [("refund", Money(AMOUNT), "user:7")]


@pytest.mark.parametrize(
    ("milestone", "table"),
    [
        ("payment.captured", "razorpay_payments"),
        ("order.paid", "razorpay_orders"),
        ("refund.created", "razorpay_refunds"),
    ],
)
def test_an_effect_whose_row_is_gone_waits_and_says_so(milestone: str, table: str) -> None:
    """Somebody deleted by hand: nobody is called with half a story."""
    ours = shop()
    ours.adopt(1)
    calls: list[Any] = []

    @ours.rzp.on(milestone, name="note")
    def note(change: Any, tx: Any) -> None:
        calls.append(change)
        raise RuntimeError

    ours.deliver(body("payment.captured", payment=payment(1, "captured")))
    ours.deliver(body("refund.created", refund=refund(1, "pending")))
    before = len(calls)
    with ours.store.transaction() as tx:
        tx.execute(f"DELETE FROM {table}")
    ours.clock.advance(3600)
    ours.rzp.webhooks.process_pending()
    assert len(calls) == before > 0
    (row,) = ours.store.effects(states=("waiting",))
    assert (row.error or "").startswith("OrderUnknown")


class Failing:
    """A transaction whose second load fails."""

    def __init__(self, tx: Any) -> None:
        self._tx, self._loads = tx, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    def load(self, touches: Any) -> Any:
        self._loads += 1
        if self._loads > 1:
            raise StorageUnavailable
        return self._tx.load(touches)


def test_a_store_that_fails_while_draining_undoes_the_registration() -> None:
    """Nothing is quarantined for the store's sake (K10)."""
    ours = shop()
    ours.deliver(body("payment.captured", payment=payment(1, "captured")))
    fact = OrderAsked("local_1", "user:7", AMOUNT, "INR", "local_1", order_id=ORDER)

    def register() -> None:
        with ours.store.transaction() as tx:
            ours.rzp._ledger.apply(Failing(tx), fact, cause=CAUSE)  # type: ignore[arg-type]

    with pytest.raises(StorageUnavailable):
        register()
    assert [row.state for row in ours.store.deliveries()] == ["parked"]
    assert ours.store.order(ORDER) is None


def test_rows_tell_their_money_and_what_razorpay_showed() -> None:
    """.money and .razorpay on each kind of row; None where Razorpay showed nothing."""
    ours = shop()
    ours.adopt(1)
    bare = ours.store.order(order_id(1))
    assert bare is not None
    assert (bare.money, bare.razorpay) == (Money(AMOUNT), None)
    ours.deliver(body("order.paid", payment=payment(1, "captured"), order=order(1, "paid")))
    ours.deliver(body("refund.created", refund=refund(1, "pending"), payment=payment(1, "captured")))
    rows = (ours.store.order(order_id(1)), ours.store.payment(payment_id(1)), ours.store.refund("rfnd_00000000000001"))
    for row, kind in zip(rows, ("order", "payment", "refund"), strict=True):
        assert row is not None
        assert row.razorpay is not None
        assert (row.money, row.razorpay.kind, row.razorpay.money) == (Money(AMOUNT), kind, Money(AMOUNT))
    none = Books(unknown_order="accept")
    none.apply(paid(), RefundFact(RefundId("rfnd_00000000000001"), PAYMENT, "pending", 1, "INR"))
    bare_payment, bare_refund = none.store.payment(PAYMENT), none.store.refund("rfnd_00000000000001")
    assert bare_payment is not None
    assert bare_refund is not None
    assert (bare_payment.razorpay, bare_refund.razorpay) == (None, None)


def test_a_status_that_is_no_word_is_not_repeated() -> None:
    """Somebody's telephone number in its place must not reach a log (FAULTS P6); the row keeps what was sent."""
    ours = shop()
    ours.adopt(1)
    strange = payment(1, "created", captured=False) | {"status": "+919812345670"}
    assert ours.deliver(body("payment.failed", payment=strange)) == 200
    assert "9812345670" not in repr(ours.heard)
    assert ours.told(Refused) or ours.told(EventQuarantined)

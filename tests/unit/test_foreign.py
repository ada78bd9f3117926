"""An account that other applications use, too: their events are set aside at once or after one question, and ours are
not touched by them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodies import AMOUNT, START, Shop, body, order, order_id, payment, payment_id, refund, request
from razorpay_hardened import MemoryStore, Money, Ours
from razorpay_hardened.domain.entities import parse_entity
from razorpay_hardened.domain.facts import Cause, OrderAsked
from razorpay_hardened.errors import ApiBadRequest, ApiServerError, FieldInvalid
from razorpay_hardened.signals import Alarm, EventIgnored, EventParked, EventQuarantined

MINUTE, HOUR = 60, 3600
RULE = {"our_receipt_prefix": "shop-", "our_notes": {"app": "shop"}}
THEIRS = {"app": "cafe"}
OURS = {"app": "shop"}


class Api:
    """Razorpay's API as far as parked events ask it: orders and payments by number, and every question."""

    def __init__(self) -> None:
        self.orders = self.payments = self
        self.rows: dict[str, dict[str, Any]] = {}
        self.error: Exception | None = None
        self.asked: list[str] = []

    def has(self, *entities: dict[str, Any]) -> Api:
        self.rows |= {str(entity["id"]): entity for entity in entities}
        return self

    def fetch(self, reference: str) -> Any:
        self.asked.append(reference)
        if self.error is not None:
            raise self.error
        if reference not in self.rows:
            raise ApiBadRequest
        return parse_entity(self.rows[reference], "payment" if reference.startswith("pay_") else "order")


def shop(api: Any = None, store: Any = None, **options: Any) -> Shop:
    """A shop with the rule."""
    return Shop(store or MemoryStore(), client=api or Api(), options={**RULE, **options})


def captured(number: int, **fields: Any) -> bytes:
    return body("payment.captured", payment=payment(number, "captured", **fields))


def paid(number: int, receipt: str | None = "cafe-1", **fields: Any) -> bytes:
    told = {"payment": payment(number, "captured", **fields), "order": order(number, "paid", receipt=receipt)}
    return body("order.paid", **told)


def inbox(ours: Shop) -> list[tuple[str, str | None]]:
    return [(row.state, row.reason) for row in ours.store.deliveries(limit=1000)]


def books(ours: Shop) -> dict[str, Any]:
    """Everything but the digests."""
    store = ours.store
    anchors = [row for row in store.anchors(limit=100_000) if row.audit_seq]
    return {
        "orders": {(row.order_id, row.status, row.amount) for row in store.orders(limit=1000)},
        "payments": {(row.payment_id, row.anchor, row.status, row.refunded) for row in store.payments(limit=1000)},
        "refunds": {(row.refund_id, row.status) for row in store.refunds(limit=1000)},
        "entities": {(row.entity_id, row.status) for row in store.entities(limit=1000)},
        "effects": {(row.key, row.handler, row.state) for row in store.effects(limit=1000)},
        "audit": {
            (row.key, one.what, one.kind, one.entity_id, one.before, one.after)
            for row in anchors
            for one in store.audit(row.key)
        },
    }


NOTHING: dict[str, Any] = {name: set() for name in ("orders", "payments", "refunds", "entities", "effects", "audit")}

# --- at delivery --------------------------------------------------------------------------------------------------

_LINK = {"id": "plink_1", "amount": AMOUNT, "currency": "INR", "reference_id": "cafe-1", "status": "paid", "notes": []}
_SUBSCRIPTION = {"id": "sub_1", "entity": "subscription", "status": "active", "notes": THEIRS}
_DISPUTE: dict[str, Any] = {
    "id": "disp_1",
    "entity": "dispute",
    "payment_id": payment_id(1),
    "amount": AMOUNT,
    "currency": "INR",
    "status": "open",
    "phase": "chargeback",
}

PROVEN = {
    "an order's receipt": paid(1),
    "a payment's notes": captured(1, notes=THEIRS),
    "an unbound payment's notes": captured(1, notes=THEIRS, order_id=None),
    "a refund beside its payment": body(
        "refund.processed", refund=refund(1, "processed"), payment=payment(1, "refunded", notes=THEIRS)
    ),
    "a link's reference": body(
        "payment_link.paid",
        payment_link=_LINK,
        payment=payment(1, "captured"),
        order=order(1, "paid", receipt="cafe-1"),
    ),
    "a subscription's notes": body("subscription.activated", subscription=_SUBSCRIPTION),
    "a dispute beside its payment": body(
        "payment.dispute.created", dispute=_DISPUTE, payment=payment(1, "captured", notes=THEIRS)
    ),
}


@pytest.mark.parametrize("together", [False, True], ids=["alone", "in a batch"])
@pytest.mark.parametrize("unknown_order", ["park", "accept"])
@pytest.mark.parametrize("raw", PROVEN.values(), ids=PROVEN.keys())
def test_what_is_proven_foreign_is_set_aside_at_once(raw: bytes, unknown_order: str, together: bool) -> None:
    """200, ignored as foreign, told; no anchor, no row, no handler, and a copy of it is a duplicate."""
    ours = shop(unknown_order=unknown_order)
    calls: list[str] = []
    ours.rzp.on("*", name="all", unbound=True)(lambda change, tx: calls.append(change.key))
    if together:
        replies = ours.rzp.webhooks.handle_many([request(raw), request(captured(2, notes=THEIRS)), request(raw)])
        assert [reply.body for reply in replies] == [
            b'{"status":"ignored"}',
            b'{"status":"ignored"}',
            b'{"status":"duplicate"}',
        ]
    else:
        assert ours.deliver(raw) == 200
        assert ours.deliver(raw) == 200
    assert set(inbox(ours)) == {("ignored", "foreign")}
    assert {signal.reason for signal in ours.told(EventIgnored)} == {"foreign"}
    assert books(ours) == NOTHING
    assert (ours.store.anchors(), calls) == ([], [])


@pytest.mark.parametrize("unbound", [True, False])
def test_a_contradiction_in_their_news_is_not_ours_to_doubt(unbound: bool) -> None:
    """Neither quarantined nor asked about: it is theirs. Adopted, it is quarantined, with its reason."""
    ours = shop()
    fields: dict[str, Any] = {"notes": THEIRS} | ({"order_id": None} if unbound else {})
    ours.deliver(body("payment.captured", payment=payment(1, "failed", **fields)))
    assert inbox(ours) == [("ignored", "foreign")]
    assert (books(ours), ours.store.anchors()) == (NOTHING, [])
    if not unbound:
        ours.adopt(1)
        assert inbox(ours) == [("quarantined", "InconsistentEvent")]


def test_without_a_rule_nothing_is_foreign() -> None:
    """The same bodies wait, as ever: nobody can tell."""
    ours = Shop(MemoryStore())
    ours.deliver(paid(1))
    assert inbox(ours) == [("parked", None)]


def test_what_is_proven_ours_waits_for_its_order() -> None:
    """By its receipt, or by its marker: parked until registered, as without a rule."""
    ours = shop()
    ours.deliver(paid(1, receipt="shop-1"))
    ours.deliver(captured(2, notes=OURS))
    assert [state for state, _ in inbox(ours)] == ["parked", "parked"]
    ours.adopt(1)
    ours.adopt(2)
    assert [row.status for row in ours.store.orders()] == ["paid", "paid"]


@pytest.mark.parametrize("raw", [paid(1), captured(1, notes=THEIRS), PROVEN["a dispute beside its payment"]])
def test_what_is_on_record_is_ours_whatever_the_rule_says(raw: bytes) -> None:
    """An order from before the rule, an adopted one: its receipt and its notes are as they were made."""
    ours = shop()
    ours.adopt(1)
    assert ours.deliver(raw) == 200
    assert [state for state, _ in inbox(ours)] == ["done"]
    assert ours.store.payment(payment_id(1)) is not None


def test_a_local_receipt_on_record_is_ours_though_its_id_is_not() -> None:
    """The answer to our create was lost before the rule was set: the receipt is the local id, without the prefix."""
    ours = shop()
    with ours.store.transaction() as tx:
        asked = OrderAsked("local_9", "user:9", AMOUNT, "INR", "local_9")
        ours.rzp._ledger.apply(tx, asked, cause=Cause("checkout", START))
    ours.deliver(paid(9, receipt="local_9"))
    assert [state for state, _ in inbox(ours)] == ["parked"]


def test_an_entity_on_record_is_ours() -> None:
    """A subscription that was taken in before the rule was set stays ours."""
    store = MemoryStore()
    before = Shop(store)
    before.deliver(body("subscription.activated", subscription=_SUBSCRIPTION))
    ours = shop(store=store)
    ours.deliver(body("subscription.cancelled", subscription={**_SUBSCRIPTION, "status": "cancelled"}))
    held = store.entity("sub_1")
    assert held is not None
    assert held.status == "cancelled"


# --- after 15 minutes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unknown", [captured(1), body("payment.failed", payment=payment(1, "failed"))])
def test_one_question_decides_and_foreign_news_is_set_aside(unknown: bytes) -> None:
    """Not after 72 hours: at once, all that waits for that order, asked once for the order and never again."""
    api = Api().has(order(1, "paid", receipt="cafe-1"))
    ours = shop(api)
    ours.deliver(unknown)
    ours.deliver(body("payment.authorized", payment=payment(1, "authorized")))
    ours.clock.advance(14 * MINUTE)
    assert (ours.rzp.webhooks.process_pending().total, api.asked) == (0, [])
    ours.clock.advance(2 * MINUTE)
    assert ours.rzp.webhooks.process_pending().ignored == 2
    assert inbox(ours) == [("ignored", "foreign")] * 2
    assert [signal.reason for signal in ours.told(EventIgnored)] == ["foreign", "foreign"]
    for _ in range(5):
        ours.clock.advance(24 * HOUR)
        ours.rzp.webhooks.process_pending()
    assert api.asked == [order_id(1)]
    assert books(ours) == NOTHING


def test_a_refund_alone_is_asked_about_by_its_payment_and_its_order() -> None:
    """Two questions; it is filed under the order, so that whoever adopts that finds it."""
    api = Api().has(payment(1, "refunded"), order(1, "paid", receipt="cafe-1"))
    ours = shop(api)
    ours.deliver(body("refund.processed", refund=refund(1, "processed")))
    ours.clock.advance(16 * MINUTE)
    assert ours.rzp.webhooks.process_pending().ignored == 1
    (row,) = ours.store.deliveries()
    assert (row.reason, row.anchor, api.asked) == ("foreign", order_id(1), [payment_id(1), order_id(1)])
    assert books(ours) == NOTHING


def test_a_refund_of_an_unbound_payment_is_told_by_its_notes() -> None:
    """No order to ask about: the payment's marker decides, and without one the payment is ours, as ever."""
    api = Api().has(payment(1, "refunded", order_id=None, notes=THEIRS), payment(2, "refunded", order_id=None))
    ours = shop(api)
    ours.deliver(body("refund.processed", refund=refund(1, "processed")))
    ours.deliver(body("refund.processed", refund=refund(2, "processed")))
    ours.clock.advance(16 * MINUTE)
    work = ours.rzp.webhooks.process_pending()
    assert (work.ignored, work.drained) == (1, 1)
    assert [row.payment_id for row in ours.store.payments()] == [payment_id(2)]


def test_a_refund_of_an_order_whose_registration_was_lost() -> None:
    """The receipt leads to the local order behind the prefix; one answer registers it and brings payment and refund."""
    api = Api()
    ours = shop(api)
    receipt = "shop-" + "0123456789abcdef0123456789"
    with ours.store.transaction() as tx:
        asked = OrderAsked("local_0123456789abcdef0123456789", "user:9", AMOUNT, "INR", receipt)
        ours.rzp._ledger.apply(tx, asked, cause=Cause("checkout", START))
    api.has(payment(1, "refunded"), order(1, "paid", receipt=receipt))
    ours.deliver(body("refund.processed", refund=refund(1, "processed")))
    ours.clock.advance(16 * MINUTE)
    assert ours.rzp.webhooks.process_pending().drained == 1
    held = ours.store.order(order_id(1))
    assert held is not None
    assert held.status == "paid"
    assert [row.status for row in ours.store.refunds()] == ["processed"]


def test_what_nobody_can_tell_waits_72_hours() -> None:
    """An order without receipt and notes: it may be adopted. Ignored in the end, and told with its reason."""
    api = Api().has(order(1, "paid", receipt=None))
    ours = shop(api)
    ours.deliver(captured(1))
    for _ in range(72 * 4):
        assert inbox(ours) == [("parked", inbox(ours)[0][1])]
        ours.clock.advance(15 * MINUTE)
        ours.rzp.webhooks.process_pending()
    assert inbox(ours) == [("ignored", "its order is not ours")]
    assert [signal.reason for signal in ours.told(EventIgnored)] == ["unclaimed"]


@pytest.mark.parametrize("rule", [{}, RULE], ids=["no rule", "rule"])
def test_the_distance_between_questions_grows_and_is_durable(rule: dict[str, Any]) -> None:
    """At 15 minutes, then at twice the age each time, in however many processes, however often: ten in 72 hours."""
    store = MemoryStore()
    api = Api().has(order(1, "paid", receipt=None))
    processes = [Shop(store, client=api, options=rule) for _ in range(3)]
    processes[0].deliver(captured(1))
    asked_at: list[int] = []
    for minute in range(0, 73 * 60, 4):
        for each in processes:
            each.clock.set(START + timedelta(minutes=minute))
            each.rzp.webhooks.process_pending()
            if len(api.asked) > len(asked_at):
                asked_at.append(minute)
    assert asked_at[:5] == [16, 32, 64, 128, 256]
    assert len(asked_at) == len(api.asked) <= 10
    assert [row.state for row in store.deliveries()] == ["ignored"]


def test_a_process_that_begins_anew_goes_on_where_the_last_stopped() -> None:
    """The limit bounds one call; the next finds those that the first left, and none is asked twice."""
    api = Api().has(*(order(number, "paid", receipt="cafe") for number in range(30)))
    ours = shop(api)
    for number in range(30):
        ours.deliver(captured(number))
    ours.clock.advance(16 * MINUTE)
    counts = [ours.rzp.webhooks.process_pending(limit=7).ignored for _ in range(6)]
    assert sum(counts) == 30
    assert max(counts) == 7
    assert len(api.asked) == 30


def test_old_deliveries_that_wait_do_not_hold_up_younger_ones() -> None:
    """A hundred that nobody can tell, asked about before, stand in front of one that is due."""
    api = Api().has(*(order(number, "paid", receipt=None) for number in range(100)), order(500, "paid", receipt="cafe"))
    ours = shop(api)
    for number in range(100):
        ours.deliver(captured(number))
    ours.clock.advance(16 * MINUTE)
    ours.rzp.webhooks.process_pending(limit=100)
    ours.deliver(captured(500))
    ours.clock.advance(15 * MINUTE)
    done = sum(ours.rzp.webhooks.process_pending(limit=10).ignored for _ in range(2))
    assert done == 1
    assert api.asked.count(order_id(500)) == 1


def test_a_call_that_met_a_young_delivery_does_not_begin_there_again() -> None:
    """Those that come before it are due again later, and are seen by the next call."""
    api = Api().has(order(1, "paid", receipt=None), order(2, "paid", receipt=None))
    ours = shop(api)
    ours.deliver(captured(1))
    ours.clock.advance(10 * MINUTE)
    ours.deliver(captured(2))
    ours.clock.advance(6 * MINUTE)
    ours.rzp.webhooks.process_pending()
    ours.clock.advance(17 * MINUTE)
    ours.rzp.webhooks.process_pending()
    assert api.asked == [order_id(1), order_id(1), order_id(2)]


def test_two_processes_that_look_at_once_ask_once() -> None:
    """Whoever finds a delivery due marks it before asking: the other one leaves it alone."""
    api, store = Api().has(order(1, "paid", receipt=None)), MemoryStore()
    first, second = shop(api, store), shop(api, store)
    first.deliver(captured(1))
    for each in (first, second):
        each.clock.set(START + timedelta(minutes=16))
    real, meanwhile = store.transaction, [second]

    def racing(**options: Any) -> Any:
        while meanwhile:
            meanwhile.pop().rzp.webhooks.process_pending()
        return real(**options)

    store.transaction = racing  # type: ignore[method-assign]
    first.rzp.webhooks.process_pending(effects=False)
    assert api.asked == [order_id(1)]


def test_one_call_looks_at_so_many_and_the_next_goes_on() -> None:
    """Sixty that are not due stand before one that is: the first call ends among them."""
    api = Api().has(*(order(number, "paid", receipt=None) for number in range(61)))
    ours = shop(api)
    for number in range(60):
        ours.deliver(captured(number))
    ours.clock.advance(16 * MINUTE)
    ours.rzp.webhooks.process_pending(limit=100)
    ours.deliver(captured(60))
    ours.clock.advance(15.5 * MINUTE)
    asked = []
    for _ in range(2):
        ours.rzp.webhooks.process_pending(limit=1)
        asked.append(api.asked.count(order_id(60)))
    assert asked == [0, 1]


def test_of_one_order_only_what_is_due_is_looked_at() -> None:
    """Its later news waits for its own time."""
    api = Api().has(order(1, "paid", receipt=None))
    ours = shop(api)
    ours.deliver(body("payment.authorized", payment=payment(1, "authorized")))
    ours.clock.advance(10 * MINUTE)
    ours.deliver(captured(1))
    ours.clock.advance(6 * MINUTE)
    ours.rzp.webhooks.process_pending()
    times = [row.updated_at == row.received_at for row in ours.store.deliveries(states=("parked",))]
    assert times == [False, True]


def test_what_was_parked_is_taken_in_once_the_setting_says_so() -> None:
    """``unknown_order`` was park, and is accept since the last deployment: what waits is applied, not dropped."""
    store = MemoryStore()
    before = Shop(store, client=Api())
    before.deliver(captured(1))
    now = Shop(store, client=Api(), options={"unknown_order": "accept"})
    now.clock.set(START + timedelta(minutes=16))
    assert now.rzp.webhooks.process_pending().drained == 1
    assert [row.status for row in store.payments()] == ["captured"]


def test_an_api_that_is_down_is_not_stormed_and_nothing_is_given_up_unasked() -> None:
    """Three questions without an answer end a call; after 72 hours it is still asked before anything is ignored."""
    api = Api()
    api.error = ApiServerError()
    ours = shop(api)
    for number in range(20):
        ours.deliver(captured(number))
    ours.clock.advance(16 * MINUTE)
    ours.rzp.webhooks.process_pending()
    assert len(api.asked) == 3
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["ApiServerError"]
    ours.clock.advance(80 * HOUR)
    assert ours.rzp.webhooks.process_pending().ignored == 0
    assert {state for state, _ in inbox(ours)} == {"parked"}
    api.error = None
    ours.clock.advance(2 * HOUR)
    assert ours.rzp.webhooks.process_pending().ignored == 20


# --- other entities ------------------------------------------------------------------------------------------------


def test_other_entities_wait_with_what_cannot_be_told() -> None:
    """A dispute about a payment that may be theirs is not told to handlers before Razorpay was asked."""
    api = Api().has(order(1, "paid", receipt="cafe-1"), order(2, "paid", receipt="shop-2"))
    ours = shop(api)
    told: list[str] = []
    ours.rzp.on("dispute.created", name="dispute")(lambda change, tx: told.append(change.entity.entity_id))
    ours.deliver(body("payment.dispute.created", dispute=_DISPUTE, payment=payment(1, "captured")))
    second = {**_DISPUTE, "id": "disp_2", "payment_id": payment_id(2)}
    ours.deliver(body("payment.dispute.created", dispute=second, payment=payment(2, "captured")))
    assert (told, ours.store.entities()) == ([], [])
    ours.clock.advance(16 * MINUTE)
    ours.rzp.webhooks.process_pending()
    assert told == ["disp_2"]
    assert [row.entity_id for row in ours.store.entities()] == ["disp_2"]
    won = {**second, "status": "won"}
    ours.deliver(body("payment.dispute.won", dispute=won, payment=payment(2, "captured"), created_at=1772445900))
    ours.clock.advance(16 * MINUTE)
    ours.rzp.webhooks.process_pending()
    before = [(row.what, row.after) for row in ours.store.audit("disp_2")]
    ours.clock.advance(2 * HOUR)
    ours.rzp.webhooks.process_pending()
    assert api.asked.count(order_id(2)) == 3
    # Asked again, and not told again: what is open would be stale news of a dispute that is won.
    assert [(row.what, row.after) for row in ours.store.audit("disp_2")] == before
    assert told == ["disp_2"]


def test_what_was_held_back_is_told_when_the_order_is_registered() -> None:
    """Nothing that waits is lost: the drain brings the dispute, too."""
    ours = shop()
    ours.deliver(body("payment.dispute.created", dispute=_DISPUTE, payment=payment(1, "captured")))
    assert ours.store.entities() == []
    ours.adopt(1)
    assert [row.entity_id for row in ours.store.entities()] == ["disp_1"]


def test_news_of_an_entity_on_record_is_not_held_back() -> None:
    """A subscription that we know is charged: told at once, though its payment's order is Razorpay's own, and waits."""
    api = Api().has(order(1, "paid", receipt=None))
    ours = shop(api)
    told: list[str] = []
    ours.rzp.on("subscription.*", name="all")(lambda change, tx: told.append(change.milestone))
    subscription = {**_SUBSCRIPTION, "notes": []}
    ours.deliver(body("subscription.activated", subscription=subscription))
    ours.deliver(body("subscription.charged", subscription=subscription, payment=payment(1, "captured")))
    assert told == ["subscription.activated", "subscription.charged"]
    assert [state for state, _ in inbox(ours)] == ["done", "parked"]
    ours.clock.advance(16 * MINUTE)
    ours.rzp.webhooks.process_pending()
    assert told == ["subscription.activated", "subscription.charged"]


# --- adopted after all ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [False, True], ids=["by its body", "by asking"])
def test_adopting_an_order_brings_back_what_was_foreign(asked: bool) -> None:
    """Payment, refund and dispute are applied, handlers called once; a second adopt changes nothing."""
    notes = {} if asked else {"notes": THEIRS}
    api = Api().has(order(1, "paid", receipt="cafe-1"))
    ours = shop(api)
    told: list[str] = []
    ours.rzp.on("*", name="all")(lambda change, tx: told.append(change.key))
    ours.deliver(captured(1, **notes))
    refunded = payment(1, "refunded", **notes)
    ours.deliver(body("refund.processed", refund=refund(1, "processed"), payment=refunded))
    ours.deliver(body("payment.dispute.created", dispute=_DISPUTE, payment=payment(1, "captured", **notes)))
    ours.clock.advance(16 * MINUTE)
    ours.rzp.webhooks.process_pending()
    assert inbox(ours) == [("ignored", "foreign")] * 3
    held = ours.rzp.checkout.adopt(order_id(1), owner="user:1", amount=Money(AMOUNT))
    assert held.status == "paid"
    assert {state for state, _ in inbox(ours)} == {"done"}
    assert [row.status for row in ours.store.refunds()] == ["processed"]
    assert [row.entity_id for row in ours.store.entities()] == ["disp_1"]
    assert len(told) == len(set(told)) > 4
    before = books(ours)
    ours.rzp.checkout.adopt(order_id(1), owner="user:1", amount=Money(AMOUNT))
    assert books(ours) == before


def test_foreign_news_that_contradicts_is_quarantined_by_adopting() -> None:
    """The order is adopted all the same; what does not fit it is kept for a person."""
    ours = shop()
    ours.deliver(captured(1, notes=THEIRS, amount=1))
    ours.adopt(1)
    assert [state for state, _ in inbox(ours)] == ["quarantined"]
    assert [signal.reason for signal in ours.told(EventQuarantined)] == ["AmountMismatch"]


@pytest.mark.parametrize("together", [False, True], ids=["alone", "in a batch"])
def test_an_order_adopted_while_its_news_is_set_aside(together: bool) -> None:
    """Foreign news takes no lock: it looks again after its commit, as adopting looks for it after its own."""
    ours = shop()
    real = ours.store.transaction
    adopted = False

    def racing(**options: Any) -> Any:
        nonlocal adopted
        if not adopted:
            adopted = True
            ours.adopt(1)  # after the delivery has looked, before its transaction
        return real(**options)

    ours.store.transaction = racing  # type: ignore[method-assign]
    raws = [captured(1, notes=THEIRS), captured(2, notes=THEIRS)]
    if together:
        ours.rzp.webhooks.handle_many([request(raw) for raw in raws])
    else:
        for raw in raws:
            ours.deliver(raw)
    assert sorted(state for state, _ in inbox(ours)) == ["done", "ignored"]
    held = ours.store.order(order_id(1))
    assert held is not None
    assert held.status == "paid"


def test_an_order_adopted_once_its_news_is_set_aside() -> None:
    """Adopting brings it back; whoever set it aside looks again, and finds nothing left to do."""
    ours = shop()
    ours.rzp.signals.subscribe(lambda signal: ours.adopt(1), EventIgnored)
    assert ours.deliver(paid(1)) == 200
    assert [state for state, _ in inbox(ours)] == ["done"]
    assert [row.status for row in ours.store.orders()] == ["paid"]


def test_an_order_adopted_while_razorpay_was_asked() -> None:
    """The answer says theirs, and it is on record by then: ours, and applied."""

    class Slow(Api):
        def fetch(self, reference: str) -> Any:
            answer = super().fetch(reference)
            ours.adopt(1)
            return answer

    api = Slow().has(order(1, "paid", receipt="cafe-1"))
    ours = shop(api)
    ours.deliver(captured(1))
    ours.clock.advance(16 * MINUTE)
    ours.rzp.webhooks.process_pending()
    assert [state for state, _ in inbox(ours)] == ["done"]


def test_an_order_adopted_after_the_answer_and_before_it_is_noted() -> None:
    """A refund waits under its payment, where adopting does not look: the lock shows that the order is ours."""
    api = Api().has(order(1, "paid", receipt="cafe-1"), payment(1, "refunded"))
    ours = shop(api)
    ours.deliver(body("refund.processed", refund=refund(1, "processed")))
    ours.clock.advance(16 * MINUTE)
    real = ours.store.transaction
    adopted = False

    def racing(**options: Any) -> Any:
        nonlocal adopted
        if len(api.asked) == 2 and not adopted:
            adopted = True
            ours.adopt(1)
        return real(**options)

    ours.store.transaction = racing  # type: ignore[method-assign]
    ours.rzp.webhooks.process_pending()
    assert adopted
    assert [state for state, _ in inbox(ours)] == ["done"]
    assert [row.status for row in ours.store.refunds()] == ["processed"]


def test_replay_asks_the_rule_again() -> None:
    """Foreign stays foreign; under another rule it waits for its order, as it would have."""
    store = MemoryStore()
    ours = shop(store=store)
    ours.deliver(captured(1, notes=THEIRS), event_id="evt-1")
    assert ours.rzp.webhooks.replay("evt-1") == ("ignored", "ignored", ())
    assert inbox(ours) == [("ignored", "foreign")]
    corrected = Shop(store, client=Api(), options={"our_notes": THEIRS})
    assert corrected.rzp.webhooks.replay("evt-1").after == "parked"


# --- making orders ---------------------------------------------------------------------------------------------------


class Orders:
    """Razorpay's orders as ``checkout.start`` makes them."""

    def __init__(self) -> None:
        self.orders = self
        self.made: list[dict[str, Any]] = []

    def create(self, **asked: Any) -> Any:
        self.made.append(asked)
        fields = {"receipt": asked["receipt"], "notes": dict(asked["notes"] or {}) or []}
        return parse_entity(order(len(self.made), "created", **fields), "order")

    def find_by_receipt(self, receipt: str) -> Any:
        return None


def test_checkout_makes_what_the_rule_recognises() -> None:
    """Receipts with the prefix, the same for the same key; notes with the marker, for the order and for the page."""
    api = Orders()
    ours = shop(api)
    made = ours.rzp.checkout.start(owner="user:1", amount=Money(AMOUNT), key="cart-1", notes={"cart": "1"})
    again = ours.rzp.checkout.start(owner="user:1", amount=Money(AMOUNT), key="cart-1", notes={"cart": "1"})
    assert (len(api.made), again.order_id) == (1, made.order_id)
    (asked,) = api.made
    assert asked["receipt"] == "shop-" + made.local_id.removeprefix("local_") == made.order.receipt
    assert len(asked["receipt"]) <= 40
    assert asked["notes"] == {"cart": "1", "app": "shop"}
    assert made.options["notes"] == {"app": "shop"}
    rule = ours.rzp.ours
    assert rule is not None
    assert rule.whose(receipt=asked["receipt"]) == rule.whose(notes=asked["notes"]) == "ours"
    with pytest.raises(FieldInvalid):
        ours.rzp.checkout.start(owner="user:1", amount=Money(AMOUNT), notes=THEIRS)
    assert len(ours.store.orders()) == 1


def test_without_a_rule_orders_are_made_as_before() -> None:
    """The receipt is the local id, the notes are the caller's, and the page gets none."""
    api = Orders()
    ours = Shop(MemoryStore(), client=api)
    made = ours.rzp.checkout.start(owner="user:1", amount=Money(AMOUNT))
    assert api.made[0]["receipt"] == made.local_id
    assert api.made[0]["notes"] is None
    assert "notes" not in made.options


def test_an_order_begun_before_the_rule_keeps_its_receipt() -> None:
    """The same key afterwards goes on with the order that the first call asked for, by the receipt that it had."""
    store = MemoryStore()

    class Down(Orders):
        def create(self, **asked: Any) -> Any:
            raise ApiServerError

    with pytest.raises(ApiServerError):
        Shop(store, client=Down()).rzp.checkout.start(owner="user:1", amount=Money(AMOUNT), key="cart-1")
    api = Orders()
    made = shop(api, store).rzp.checkout.start(owner="user:1", amount=Money(AMOUNT), key="cart-1")
    assert api.made[0]["receipt"] == made.local_id


def test_the_argument_wins_over_the_settings() -> None:
    """``Razorpay(ours=…)`` in place of the settings' rule; an environment that sets neither has none."""
    from bodies import settings as made
    from razorpay_hardened import Razorpay

    rule = Ours(receipt_prefix="cafe-")
    with Razorpay(made(**RULE), store=MemoryStore(), ours=rule) as rzp:
        assert rzp.ours is rule
    with Razorpay(made(**RULE), store=MemoryStore()) as rzp:
        assert rzp.ours == Ours("shop-", {"app": "shop"})
    with Razorpay(made(), store=MemoryStore()) as rzp:
        assert rzp.ours is None


# --- in numbers, and in any order --------------------------------------------------------------------------------


def test_ten_thousand_foreign_events_leave_no_anchor_and_ask_nothing() -> None:
    """What proves itself costs one row each and not one call to Razorpay, ever."""
    api = Api()
    ours = shop(api)
    for start in range(0, 10_000, 50):
        raws = [captured(number, notes=THEIRS) for number in range(start, start + 50)]
        assert {reply.status for reply in ours.rzp.webhooks.handle_many([request(raw) for raw in raws])} == {200}
    for _ in range(80):
        ours.clock.advance(HOUR)
        assert ours.rzp.webhooks.process_pending().total == 0
    assert (ours.store.anchors(), ours.store.deliveries(states=("parked",)), api.asked) == ([], [], [])
    assert len(ours.told(EventIgnored)) == 10_000
    assert books(ours) == NOTHING


def test_foreign_events_that_prove_nothing_cost_one_question_for_each_order() -> None:
    """Three events of each of 300 orders: 300 questions, at 15 minutes, and nothing waits after that."""
    api = Api().has(*(order(number, "paid", receipt=f"cafe-{number}") for number in range(300)))
    ours = shop(api)
    for number in range(300):
        for raw in (
            body("payment.authorized", payment=payment(number, "authorized")),
            captured(number),
            body("refund.processed", refund=refund(number, "processed"), payment=payment(number, "refunded")),
        ):
            ours.deliver(raw)
    ours.clock.advance(16 * MINUTE)
    for _ in range(12):
        ours.rzp.webhooks.process_pending()
    assert sorted(api.asked) == [order_id(number) for number in range(300)]
    assert ours.store.deliveries(states=("parked",)) == []
    assert books(ours) == NOTHING


def _life(number: int, notes: Any, receipt: str) -> list[bytes]:
    done = payment(number, "refunded", notes=notes)
    dispute = {**_DISPUTE, "id": f"disp_{number}", "payment_id": payment_id(number)}
    return [
        body("payment.authorized", payment=payment(number, "authorized", notes=notes)),
        captured(number, notes=notes),
        paid(number, receipt=receipt, notes=notes),
        body("refund.processed", refund=refund(number, "processed"), payment=done),
        body("refund.created", refund=refund(number, "pending")),
        body("payment.dispute.created", dispute=dispute, payment=payment(number, "captured", notes=notes)),
    ]


_OURS = [*_life(1, OURS, "shop-1"), *_life(2, [], "shop-2"), *_life(3, [], "older-receipt")]
_FOREIGN = [*_life(11, THEIRS, "cafe-11"), *_life(12, [], "cafe-12"), *_life(13, [], "1234")]


@settings(max_examples=40)
@given(st.data(), st.integers(1, 9), st.sampled_from(["effect", "stored"]))
def test_our_books_are_what_they_are_without_their_traffic(data: Any, size: int, ack: str) -> None:
    """Any interleaving, single or in batches, orders adopted before, amid or after: the same rows, effects and trail as
    without them, and not one row of theirs but the digests."""
    mine = data.draw(st.lists(st.sampled_from(_OURS), min_size=1, max_size=12, unique=True))
    theirs = data.draw(st.lists(st.sampled_from(_FOREIGN), max_size=12, unique=True))
    known = data.draw(st.integers(0, 3))
    mixed = [(True, raw) for raw in mine]
    for raw in theirs:
        mixed.insert(data.draw(st.integers(0, len(mixed))), (False, raw))

    def live(raws: list[bytes]) -> Shop:
        api = Api()
        for number, receipt in ((1, "shop-1"), (2, "shop-2"), (3, "older-receipt")):
            api.has(order(number, "paid", receipt=receipt), payment(number, "refunded"))
        for number, receipt in ((11, "cafe-11"), (12, "cafe-12"), (13, "1234")):
            api.has(order(number, "paid", receipt=receipt), payment(number, "refunded"))
        ours = Shop(MemoryStore(), client=api, ack=ack, options=RULE)
        for milestone in ("order.paid", "refund.processed", "dispute.created"):
            ours.rzp.on(milestone, name=milestone)(lambda change, tx: None)
        ours.adopt(3)  # from before the rule: only the record says that it is ours
        for number in (1, 2)[:known]:
            ours.adopt(number)
        for start in range(0, len(raws), size):
            ours.rzp.webhooks.handle_many([request(raw) for raw in raws[start : start + size]])
        ours.clock.advance(16 * MINUTE)
        for _ in range(3):
            ours.rzp.webhooks.process_pending()
        for number in (1, 2):
            ours.adopt(number)
        ours.clock.advance(40 * MINUTE)
        for _ in range(3):
            ours.rzp.webhooks.process_pending()
        return ours

    with_them, without = live([raw for _, raw in mixed]), live([raw for own, raw in mixed if own])
    assert {row.state for row in with_them.store.deliveries(limit=100)} <= {"done", "ignored"}
    left, alone = books(with_them), books(without)
    if size > 1:  # grouped otherwise, the same news is noted in other words
        for each in (left, alone):
            each["audit"] = {(row[0], row[3]) for row in each["audit"]}
    assert left == alone


@settings(max_examples=40)
@given(st.lists(st.sampled_from([*_OURS, *_FOREIGN]), min_size=1, max_size=20), st.integers(2, 9), st.booleans())
def test_grouped_or_one_by_one_the_end_is_the_same(raws: list[bytes], size: int, accept: bool) -> None:
    """Answers, states, reasons, anchors and books do not depend on how many deliveries shared a commit."""

    def receive(step: int) -> tuple[list[int], list[Any], dict[str, Any]]:
        ours = shop(unknown_order="accept" if accept else "park")
        ours.adopt(1)
        answers = []
        for start in range(0, len(raws), step):
            replies = ours.rzp.webhooks.handle_many([request(raw) for raw in raws[start : start + step]])
            answers += [reply.status for reply in replies]
        rows = ours.store.deliveries(limit=100)
        left = books(ours)
        left["audit"] = {(row[0], row[3]) for row in left["audit"]}
        filed = sorted((row.digest, row.state, row.reason, row.reason and row.anchor) for row in rows)
        return answers, filed, left

    assert receive(size) == receive(1)


def test_parked_says_so() -> None:
    """What cannot be told is announced as parked, not as ignored."""
    ours = shop()
    ours.deliver(captured(1))
    assert [signal.anchor for signal in ours.told(EventParked)] == [order_id(1)]
    assert ours.told(EventIgnored) == []

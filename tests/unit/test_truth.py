"""Where a signed delivery contradicts the books or does not say enough, Razorpay is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bodies import body, payment, refund
from razorpay_hardened import Money, sign_for_test, web
from razorpay_hardened.signals import EffectFailed
from support.desk import Desk

Make = Callable[..., Desk]


def told(desk: Desk, event: str, paid: tuple[str, str], status: str, **fields: Any) -> web.Request:
    """A delivery with a right signature that says of a payment whatever is wished."""
    order, payment_id = paid
    return signed(desk, body(event, payment=payment(1, status, **({"id": payment_id, "order_id": order} | fields))))


def signed(desk: Desk, raw: bytes) -> web.Request:
    return web.Request("POST", {"X-Razorpay-Signature": sign_for_test(raw, desk.rz.webhook_secret)}, raw)


def asked(desk: Desk) -> list[str]:
    """The paths that Razorpay was asked for since."""
    calls = [f"{call.method} {call.path}" for call in desk.calls]
    desk.calls.clear()
    return calls


def doubts(desk: Desk) -> list[str]:
    return [alarm.reason for alarm in desk.alarms if alarm.key.startswith("doubt:")]


def lie(desk: Desk, paid: tuple[str, str]) -> web.Request:
    return told(desk, "payment.captured", paid, "captured", amount=100)


def riddle(desk: Desk, paid: tuple[str, str]) -> web.Request:
    return told(desk, "payment.captured", paid, "on_hold", captured=True)


def nonsense(desk: Desk, paid: tuple[str, str]) -> web.Request:
    return told(desk, "payment.captured", paid, "failed")


@pytest.mark.parametrize("grouped", [False, True], ids=["one by one", "in a batch"])
@pytest.mark.parametrize("what", [lie, nonsense], ids=["another amount", "an event that is not its entity's"])
def test_a_contradiction_is_settled_by_razorpay(make: Make, what: Any, grouped: bool) -> None:
    """The body has no effect and is answered 200; the truth is fetched by a worker, and the customer is served."""
    desk = make()
    paid = desk.bought()
    extra = [desk.bought("user:8"), desk.bought("user:9")] if grouped else []
    requests = [what(desk, paid), *(told(desk, "payment.captured", one, "captured") for one in extra)]
    assert {reply.status for reply in desk.rzp.webhooks.handle_many(requests)} == {200}
    assert "user:7" not in desk.granted
    asked(desk)
    desk.rzp.webhooks.process_pending()
    assert asked(desk) == [f"GET /v1/payments/{paid[1]}"]
    assert "user:7" in desk.granted
    assert desk.checkout.status(paid[0]).status == "paid"
    (row,) = desk.store.deliveries(states=("quarantined",))
    assert row.reason is not None
    assert len(doubts(desk)) == 1  # what the body says is still not so: a person looks at it
    assert desk.rzp.webhooks.handle(what(desk, paid)).status == 200
    desk.rzp.webhooks.process_pending()
    assert asked(desk) == []  # once for each delivery


def test_a_status_that_is_not_known_here_is_looked_up(make: Make) -> None:
    """Kept raw, no transition; what Razorpay calls it today moves it on."""
    desk = make()
    paid = desk.bought()
    assert desk.rzp.webhooks.handle(riddle(desk, paid)).status == 200
    assert desk.granted == []
    desk.rzp.webhooks.process_pending()
    assert (desk.granted, doubts(desk)) == (["user:7"], [])


def test_whether_a_refunded_payment_was_captured_is_asked(make: Make) -> None:
    """``captured`` absent: an auto-refund gives back what was never ours; a refund gives back a sale."""
    desk = make()
    paid = desk.bought()
    back = desk.rz.refund(paid[1])
    entity = payment(1, "refunded", id=paid[1], order_id=paid[0])
    del entity["captured"]
    raw = body("refund.created", payment=entity, refund=refund(1, "pending", id=back["id"], payment_id=paid[1]))
    assert desk.rzp.webhooks.handle(signed(desk, raw)).status == 200
    held = desk.store.payment(paid[1])
    assert held is not None
    assert (held.status, "payment.captured" in held.milestones) == ("refunded", False)
    desk.rzp.webhooks.process_pending()
    held = desk.store.payment(paid[1])
    assert held is not None
    assert (held.status, "payment.captured" in held.milestones) == ("refunded", True)


def test_what_razorpay_does_not_know_is_left_to_a_person(make: Make) -> None:
    """A body that only somebody with our secret can have made: an alarm, no effect, and no endless asking."""
    desk = make()
    order = desk.checkout.start(owner="user:7", plan="gold").order_id
    desk.rzp.webhooks.handle(lie(desk, (order, "pay_00000000000099")))
    desk.rzp.webhooks.process_pending()
    assert len(doubts(desk)) == 1
    assert (desk.granted, desk.store.payments()) == ([], [])
    asked(desk)
    desk.later(90_000)
    desk.rzp.webhooks.process_pending()
    assert asked(desk) == []


def test_where_razorpay_contradicts_the_books_a_person_decides(make: Make) -> None:
    """An order that was adopted with a wrong amount: nothing is fulfilled on a guess."""
    desk = make()
    order = json.loads(desk.rz.request("POST", "/v1/orders", {"amount": 49900, "currency": "INR"}).body)["id"]
    desk.checkout.adopt(order, owner="user:7", amount=Money(100))
    paid = order, desk.rz.pay(order)["id"]
    desk.rzp.webhooks.handle(told(desk, "payment.captured", paid, "captured"))
    desk.rzp.webhooks.process_pending()
    assert (doubts(desk), desk.granted) == (["AmountMismatch"], [])
    assert desk.store.effects(states=("waiting", "dead")) == []


def test_while_razorpay_cannot_be_reached_the_question_waits(make: Make) -> None:
    """Tried again at an effect's pace; nobody's delivery waits for it."""
    desk = make()
    failures: list[EffectFailed] = []
    desk.rzp.signals.subscribe(failures.append, EffectFailed)
    paid = desk.bought()
    desk.rz.faults.add("on GET /payments/*: 503 always")
    desk.rzp.webhooks.handle(lie(desk, paid))
    assert desk.rzp.webhooks.process_pending().failed == 1
    (row,) = desk.store.effects(states=("waiting",))
    assert (row.handler, [one.handler for one in failures]) == ("razorpay_hardened.fetch", [row.handler])
    desk.rz.faults.clear()
    desk.later(3600)
    desk.rzp.webhooks.process_pending()
    assert desk.granted == ["user:7"]


def test_never_means_never(make: Make) -> None:
    """Quarantined as before, and nobody is asked."""
    desk = make(RAZORPAY_FETCH="never")
    paid = desk.bought()
    desk.rzp.webhooks.handle(lie(desk, paid))
    asked(desk)
    desk.rzp.webhooks.process_pending()
    assert (asked(desk), desk.store.effects(), desk.granted) == ([], [], [])


def test_always_checks_every_delivery(make: Make) -> None:
    """Handlers are called on the signed news, at once; the check comes after, once for each body."""
    desk = make(RAZORPAY_FETCH="always")
    order, payment_id = desk.bought()
    desk.rz.deliver.flush()
    assert desk.granted == ["user:7"]
    asked(desk)
    desk.rzp.webhooks.process_pending()
    paths = asked(desk)
    assert paths.count(f"GET /v1/payments/{payment_id}") == 3  # authorized, captured, order.paid
    assert paths.count(f"GET /v1/orders/{order}") == 1
    desk.rzp.webhooks.process_pending()
    assert (asked(desk), desk.granted, doubts(desk)) == ([], ["user:7"], [])


def test_what_cannot_be_read_at_all_is_no_doubt(make: Make) -> None:
    """There is nothing in it to ask for."""
    desk = make()
    raw = b'{"entity":"event","event":"payment.captured","payload":{"payment":{"entity":{"id":7}}}}'
    assert desk.rzp.webhooks.handle(signed(desk, raw)).status == 200
    assert [row.state for row in desk.store.deliveries()] == ["quarantined"]
    assert desk.store.effects() == []


def test_what_retention_took_meanwhile_is_not_asked_about(make: Make) -> None:
    """No worker came for three months: the body has gone by then, and with it the question."""
    desk = make()
    desk.rzp.webhooks.handle(riddle(desk, desk.bought()))
    desk.later(91 * 86_400)
    desk.rzp.retention.apply()
    (row,) = [row for row in desk.store.deliveries() if row.erased_at is not None]
    assert row.state == "done"
    asked(desk)
    desk.rzp.webhooks.process_pending()
    assert (asked(desk), doubts(desk)) == ([], [])
    assert desk.store.effects(states=("waiting", "leased", "dead")) == []

"""Money that no order needs: a second payment, and a payment for an order that was closed (FAULTS E4, E5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bodies import Shop, life_of, order_id, payment_id, request
from razorpay_hardened import MemoryStore
from razorpay_hardened.emulator import Emulator, Options
from razorpay_hardened.errors import TransitionRefused
from support.desk import Desk

Make = Callable[..., Desk]


def paid_twice(desk: Desk) -> tuple[str, str]:
    """Two payments of one order, both delivered; gives their ids, the surplus last."""
    order = desk.checkout.start(owner="user:7", plan="gold").order_id
    first = desk.rz.pay(order)["id"]
    second = desk.rz.pay(order, concurrent=True, outcome="captured")["id"]
    desk.rz.deliver.flush()
    (surplus,) = [row.payment_id for row in desk.store.payments() if row.surplus]
    return next(one for one in (first, second) if one != surplus), surplus


def paid_after_close(desk: Desk) -> tuple[str, str]:
    """An order that was closed, and paid all the same: its id and the payment's."""
    order = desk.checkout.start(owner="user:7", plan="gold").order_id
    desk.checkout.close(order)
    payment = desk.rz.pay(order)["id"]
    desk.rz.deliver.flush()
    return order, payment


def given_back(desk: Desk, payment: str) -> int:
    """Subunits of ``payment`` that the emulated Razorpay has given back."""
    return int(desk.rz.world.payments[payment]["amount_refunded"])


def works(desk: Desk) -> Any:
    return desk.rzp.webhooks.process_pending()


def test_a_surplus_is_kept_unless_a_policy_says_else(make: Make) -> None:
    """An alarm, a milestone, and no refund that nobody asked for."""
    desk = make()
    _, surplus = paid_twice(desk)
    works(desk)
    assert [alarm.key for alarm in desk.alarms] == [f"surplus:{surplus}"]
    assert given_back(desk, surplus) == 0
    assert desk.granted == ["user:7"]


def test_a_surplus_is_given_back_by_policy(make: Make) -> None:
    """All of it, once, by the worker; the payment that paid the order is not touched."""
    desk = make(RAZORPAY_SURPLUS="refund")
    first, surplus = paid_twice(desk)
    assert given_back(desk, surplus) == 0  # nobody who waits for an answer waits for a refund
    for _ in range(3):
        works(desk)
        desk.rz.deliver.flush()
    assert (given_back(desk, first), given_back(desk, surplus)) == (0, 49900)
    (refund,) = desk.store.refunds()
    assert (refund.payment_id, refund.key) == (surplus, f"surplus_{surplus}")
    assert desk.granted == ["user:7"]


def test_what_razorpay_gave_back_itself_is_not_given_back_again(make: Make) -> None:
    """Late money of a paid order goes back by itself (FACTS section 9): it is asked first."""
    desk = make(RAZORPAY_SURPLUS="refund")
    _, surplus = paid_twice(desk)
    desk.rz.refund(surplus)  # in the dashboard; its webhook has not come yet
    works(desk)
    assert given_back(desk, surplus) == 49900
    assert len(desk.rz.world.refunds) == 1
    assert desk.store.effects(states=("waiting", "dead")) == []


def test_only_what_is_left_is_given_back(make: Make) -> None:
    """Somebody has refunded a part by hand."""
    desk = make(RAZORPAY_SURPLUS="refund")
    _, surplus = paid_twice(desk)
    desk.rz.refund(surplus, amount=10000)
    desk.rz.deliver.flush()
    works(desk)
    assert sorted(refund["amount"] for refund in desk.rz.world.refunds.values()) == [10000, 39900]


@pytest.mark.parametrize("fault", ["do_then_hang", "do_then_reset", "502", "reset_before"])
def test_a_lost_answer_does_not_give_back_twice(make: Make, fault: str) -> None:
    """The same key meets the first refund."""
    desk = make(RAZORPAY_SURPLUS="refund")
    _, surplus = paid_twice(desk)
    desk.rz.faults.add(f"on POST /payments/*/refund: {fault} 5 times")
    for _ in range(20):
        works(desk)
        desk.later(1800)
    assert len(desk.rz.world.refunds) == 1
    assert given_back(desk, surplus) == 49900


def test_a_refusal_is_asked_again_with_another_key() -> None:
    """For want of balance: a key that was refused is used up, and new sales bring what is missing."""
    rz = Emulator(in_process=True, options=Options(refunds_need_balance=True))
    desk = Desk(rz, options={"RAZORPAY_SURPLUS": "refund"})
    first, surplus = paid_twice(desk)
    rz.refund(first)
    assert [works(desk).failed, desk.later(7200), works(desk).failed] == [1, None, 1]
    assert given_back(desk, surplus) == 0
    desk.bought("user:8")
    desk.later(7200)
    works(desk)
    assert given_back(desk, surplus) == 49900
    assert {refund.key for refund in desk.store.refunds()} >= {f"surplus_{surplus}_2"}
    rz.close()


def test_money_for_a_closed_order_fulfils_it_by_default(make: Make) -> None:
    """As ever, with an alarm and a milestone of its own."""
    desk = make()
    late: list[str] = []
    desk.rzp.after("payment.late", name="tell")(lambda change: late.append(change.entity.payment_id))
    order, payment = paid_after_close(desk)
    assert (late, desk.granted) == ([payment], ["user:7"])
    assert [alarm.key for alarm in desk.alarms] == [f"late:{payment}"]
    assert desk.checkout.reopen(order).closed_at is None
    assert desk.granted == ["user:7"]


def test_money_for_a_closed_order_goes_back_by_policy(make: Make) -> None:
    """The order is paid, because it is; nobody is told that, and the money is given back once."""
    desk = make(RAZORPAY_PAID_LATE="refund")
    order, payment = paid_after_close(desk)
    assert desk.checkout.status(order).status == "paid"
    for _ in range(2):
        works(desk)
        desk.rz.deliver.flush()
    assert (desk.granted, given_back(desk, payment)) == ([], 49900)
    assert [refund.key for refund in desk.store.refunds()] == [f"late_{payment}"]
    with pytest.raises(TransitionRefused, match="given back"):
        desk.checkout.reopen(order)


def test_a_person_may_decide_to_fulfil(make: Make) -> None:
    """ask: nothing happens until the order is opened again; then order.paid fires, once."""
    desk = make(RAZORPAY_PAID_LATE="ask")
    order, payment = paid_after_close(desk)
    works(desk)
    assert (desk.granted, given_back(desk, payment)) == ([], 0)
    assert desk.checkout.reopen(order).status == "paid"
    assert desk.checkout.reopen(order).closed_at is None
    assert desk.granted == ["user:7"]
    rules = [step.rule.name for step in desk.rzp.audit.explain(order).steps if step.rule is not None]
    assert [rule for rule in rules if rule in ("order.closed", "order.held_back", "order.reopened")] == [
        "order.closed",
        "order.held_back",
        "order.reopened",
    ]


def test_a_person_may_decide_to_give_it_back(make: Make) -> None:
    """A refund that was asked for excludes the rest, even before Razorpay has answered."""
    desk = make(RAZORPAY_PAID_LATE="ask")
    order, payment = paid_after_close(desk)
    desk.checkout.refund(payment, key="no-thank-you")
    with pytest.raises(TransitionRefused):
        desk.checkout.reopen(order)
    assert desk.granted == []


def test_opened_again_before_the_worker_came_it_is_kept(make: Make) -> None:
    """Taking it after all and giving it back exclude each other, whichever comes first."""
    desk = make(RAZORPAY_PAID_LATE="refund")
    order, payment = paid_after_close(desk)
    desk.checkout.reopen(order)
    works(desk)
    assert (desk.granted, given_back(desk, payment)) == (["user:7"], 0)
    assert desk.store.effects(states=("waiting", "dead")) == []


def test_an_order_that_is_opened_before_the_money_is_an_order(make: Make) -> None:
    """Nothing was held back, so nothing fires; then it is paid as ever."""
    desk = make(RAZORPAY_PAID_LATE="refund")
    order = desk.checkout.start(owner="user:7", plan="gold").order_id
    desk.checkout.close(order)
    desk.checkout.reopen(order)
    assert desk.granted == []
    desk.rz.pay(order)
    desk.rz.deliver.flush()
    assert desk.granted == ["user:7"]


@pytest.mark.parametrize("grouped", [False, True], ids=["one by one", "in a batch"])
@pytest.mark.parametrize("turned", [False, True], ids=["captured first", "order.paid first"])
@pytest.mark.parametrize("policy", ["fulfil", "refund", "ask"])
def test_the_order_of_arrival_makes_no_difference(policy: str, turned: bool, grouped: bool) -> None:
    """The payment's news and the order's own, in either order, twice, alone or together: the same end."""
    ours = Shop(MemoryStore(), options={"paid_late": policy})
    granted: list[str] = []
    late: list[str] = []
    ours.rzp.on("order.paid", name="grant")(lambda change, tx: granted.append(change.order.owner))
    ours.rzp.on("payment.late", name="tell")(lambda change, tx: late.append(change.entity.payment_id))
    ours.adopt(1)
    ours.rzp.checkout.close(order_id(1))
    life = life_of(1)
    raws = [life["authorized"], life["captured"], life["order.paid"]] * 2
    if turned:
        raws.reverse()
    if grouped:
        assert {reply.status for reply in ours.rzp.webhooks.handle_many([request(raw) for raw in raws])} == {200}
    else:
        assert {ours.deliver(raw) for raw in raws} == {200}
    assert (granted, late) == (["user:7"] if policy == "fulfil" else [], [payment_id(1)])
    held = ours.rzp.checkout.reopen(order_id(1))
    assert (held.status, held.closed_at, granted) == ("paid", None, ["user:7"])

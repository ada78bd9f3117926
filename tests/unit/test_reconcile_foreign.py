"""Reconciliation on an account that others use, too: theirs are counted, ours that are missing are found."""

from __future__ import annotations

from typing import Any

import pytest

from razorpay_hardened import Ours
from razorpay_hardened.clock import to_unix
from razorpay_hardened.reconcile import Reconciler
from reconcile_world import START, Shop, found, text_id

RULE = Ours("shop-", {"app": "shop"})
OURS, THEIRS = {"app": "shop"}, {"app": "cafe"}


def world() -> Shop:
    """A shop whose reconciler has the rule."""
    shop = Shop()
    shop.reconciler = Reconciler(shop.store, shop.razorpay, shop.ledger, clock=shop.clock, bus=shop.bus, ours=RULE)
    return shop


def order_there(shop: Shop, number: int, receipt: str | None, *, at: int = 0, **fields: Any) -> str:
    """An order that only Razorpay has."""
    made = {"status": "created", "receipt": receipt, "created_at": to_unix(START) + at, "notes": []}
    shop.razorpay.orders.add(text_id("order", number), **(made | fields))
    return text_id("order", number)


@pytest.mark.parametrize("repair", [False, True])
def test_theirs_is_counted_never_touched_and_never_missing(repair: bool) -> None:
    """Orders, payments, refunds, and a payment without an order that carries their marker."""
    shop = world()
    theirs = order_there(shop, 901, "cafe-1")
    refunded = shop.pay(theirs)
    shop.refund(refunded, amount=100)
    alone = shop.pay(None, notes=THEIRS)
    shop.refund(alone, amount=100)
    result = shop.run(repair=repair)
    assert (result.findings, shop.books()) == ((), [])
    assert result.totals.foreign == {"order": 1, "payment": 2, "refund": 2}
    assert {row.key for row in shop.store.anchors()} <= {"reconcile"}


def test_an_order_of_ours_that_is_missing_here_is_reported_with_its_payment() -> None:
    """A store that was restored from yesterday: the receipt says that it is ours, a person says whose purchase it is;
    once it is adopted, the next run repairs the rest."""
    shop = world()
    order_id = order_there(shop, 901, "shop-1")
    payment_id = shop.pay(order_id)
    result = shop.run(repair=True)
    assert found(result) == {("missing_here", "order", order_id), ("missing_here", "payment", payment_id)}
    notes = {one.entity: one.note for one in result.findings}
    assert notes == {
        "order": "ours by its receipt or notes, and not on record: adopt it",
        "payment": f"waits for {order_id}",
    }
    assert {one.state for one in result.findings} == {"left"}
    from razorpay_hardened.domain.facts import OrderAsked
    from razorpay_hardened.domain.ids import order_id as checked

    shop.apply(OrderAsked("local_adopted", "user:7", 49900, "INR", "shop-1", order_id=checked(order_id)))
    again = shop.run(repair=True)
    assert {one.state for one in again.findings} == {"repaired"}
    assert [(row.status, row.receipt) for row in shop.store.orders()] == [("paid", "shop-1")]
    assert shop.run(repair=True).findings == ()


def test_a_payment_of_ours_whose_order_is_in_another_slice_is_found_by_its_notes() -> None:
    """Nothing is fetched to find it out; without notes it is left to the run that lists its order."""
    shop = world()
    marked = shop.pay(text_id("order", 950), notes=OURS)
    plain = shop.pay(text_id("order", 951))
    result = shop.run(repair=True)
    assert found(result) == {("missing_here", "payment", marked)}
    assert result.totals.foreign == {"payment": 1}
    assert plain not in {row.payment_id for row in shop.store.payments()}
    assert not [call for call in shop.razorpay.calls if call.startswith("fetch")]


def test_what_is_on_record_is_compared_whatever_the_rule_says() -> None:
    """Orders from before the rule: their receipts are local ids, and their payments may carry any notes."""
    shop = world()
    order_id = shop.order()
    payment_id = shop.pay(order_id, notes=THEIRS)
    result = shop.run(repair=True)
    assert found(result) == {("status", "order", order_id), ("missing_here", "payment", payment_id)}
    assert {one.state for one in result.findings} == {"repaired"}
    assert result.totals.foreign == {}


def test_a_registration_that_was_lost_is_found_behind_the_prefix() -> None:
    """The local order has no Razorpay id; its receipt has the prefix, and leads to it."""
    from razorpay_hardened.domain.facts import OrderAsked, OrderSetback

    shop = world()
    local_id = "local_0123456789abcdef0123456789"
    shop.apply(OrderAsked(local_id, "user:7", 49900, "INR", RULE.receipt_for(local_id)))
    shop.apply(OrderSetback(local_id, "outcome_unknown"))
    order_id = order_there(shop, 901, RULE.receipt_for(local_id))
    result = shop.run(repair=True)
    assert found(result) == {("stuck_order", "order", local_id)}
    assert [(row.order_id, row.status) for row in shop.store.orders()] == [(order_id, "created")]


def test_without_a_rule_what_is_not_on_record_is_foreign() -> None:
    """As before: nobody can tell, and an order that is not on record is not ours."""
    shop = Shop()
    order_id = order_there(shop, 901, "shop-1")
    shop.pay(order_id)
    result = shop.run(repair=True)
    assert (result.findings, result.totals.foreign) == ((), {"order": 1, "payment": 1})

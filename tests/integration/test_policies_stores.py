"""Policies for late and doubtful money, on stores of each dialect: the units of work are the same, the SQL is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bodies import body, payment
from razorpay_hardened import PostgresStore, SQLiteStore, sign_for_test, web
from razorpay_hardened.errors import TransitionRefused
from support.desk import Desk
from support.postgres import new_schema

Make = Callable[..., Desk]


@pytest.fixture(params=["sqlite", "postgresql"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """``make(RAZORPAY_SURPLUS="refund")``: a desk with these settings, on a store of the dialect."""
    with ExitStack() as stack:

        def desk(**options: str) -> Desk:
            store: Any
            if request.param == "sqlite":
                store = SQLiteStore(tmp_path / "shop.db")
            else:
                store = PostgresStore(stack.enter_context(new_schema()))
            stack.callback(store.close)
            store.migrate()
            made = Desk(options=options, store=store)
            stack.callback(made.rz.close)
            return made

        yield desk


def paid_after_close(desk: Desk) -> tuple[str, str]:
    order = desk.checkout.start(owner="user:7", plan="gold").order_id
    desk.checkout.close(order)
    paid = str(desk.rz.pay(order)["id"])
    desk.rz.deliver.flush()
    return order, paid


def test_what_was_held_back_fires_once_the_order_is_opened(make: Make) -> None:
    """Paid after it was closed, and wanted after all: fulfilled, exactly once."""
    desk = make(RAZORPAY_PAID_LATE="ask")
    order, _ = paid_after_close(desk)
    assert (desk.checkout.status(order).status, desk.granted) == ("paid", [])
    for _ in range(2):
        assert desk.checkout.reopen(order).closed_at is None
    assert desk.granted == ["user:7"]


def test_late_money_goes_back_once_and_excludes_opening_again(make: Make) -> None:
    """By a worker, with a key of its own."""
    desk = make(RAZORPAY_PAID_LATE="refund")
    order, paid = paid_after_close(desk)
    for _ in range(2):
        desk.rzp.webhooks.process_pending()
    assert desk.rz.world.payments[paid]["amount_refunded"] == 49900
    assert [(row.payment_id, row.key) for row in desk.store.refunds()] == [(paid, f"late_{paid}")]
    with pytest.raises(TransitionRefused):
        desk.checkout.reopen(order)
    assert desk.granted == []


def test_a_surplus_goes_back_once(make: Make) -> None:
    """The second payment of an order, and not the first."""
    desk = make(RAZORPAY_SURPLUS="refund")
    order = desk.checkout.start(owner="user:7", plan="gold").order_id
    for _ in range(2):
        desk.rz.pay(order, concurrent=True, outcome="captured")
    desk.rz.deliver.flush()
    for _ in range(2):
        desk.rzp.webhooks.process_pending()
    assert [row.amount for row in desk.store.refunds()] == [49900]
    assert (len(desk.rz.world.refunds), desk.granted) == (1, ["user:7"])


def test_a_contradiction_is_settled_by_razorpay(make: Make) -> None:
    """The task is committed with the quarantined delivery, and what Razorpay shows serves the customer."""
    desk = make()
    order, paid = desk.bought()
    raw = body("payment.captured", payment=payment(1, "captured", id=paid, order_id=order, amount=100))
    headers = {"X-Razorpay-Signature": sign_for_test(raw, desk.rz.webhook_secret)}
    assert desk.rzp.webhooks.handle(web.Request("POST", headers, raw)).status == 200
    assert (desk.granted, len(desk.store.effects(states=("waiting",)))) == ([], 1)
    desk.rzp.webhooks.process_pending()
    assert (desk.granted, desk.checkout.status(order).status) == (["user:7"], "paid")
    assert desk.store.effects(states=("waiting", "dead")) == []

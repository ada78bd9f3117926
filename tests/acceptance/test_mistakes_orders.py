"""What users of other libraries complain of: orders, their amounts, and the calls that make them.

Each test shows the complaint in as few lines as it takes, and then what happens here instead.
"""

from __future__ import annotations

import socket
from decimal import Decimal
from typing import Any

import pytest

from razorpay_hardened import Client, Money, Razorpay, errors
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.testing.plugin import Deliver

ORDER = {"amount": 49900, "currency": "INR"}


def test_every_error_is_a_bad_request_with_a_sentence(razorpay: Razorpay, razorpay_emulator: Emulator) -> None:
    """Complaint 8: one class for everything, and a text to search in. Here the class says what to do, and Razorpay's
    own code, field and reason are attributes, and not in what is logged."""
    told = razorpay_emulator.request("POST", "/v1/orders", {"amount": 10, "currency": "INR"}).json()["error"]
    theirs = Exception(told["description"])
    assert not hasattr(theirs, "field")

    with pytest.raises(errors.ApiBadRequest) as caught:
        razorpay.client.request("POST", "/v1/orders", body={"amount": 10, "currency": "INR"})
    refused = caught.value
    assert (refused.status, refused.error_code, refused.field) == (400, told["code"], told["field"])
    assert (refused.retryable, refused.description) == (False, told["description"])
    assert told["description"] not in str(refused)

    razorpay_emulator.faults.add("on GET /orders/:id: 429 always")
    with pytest.raises(errors.ApiRateLimited) as busy:
        razorpay.client.orders.fetch("order_00000000000001")
    assert busy.value.retryable


@pytest.mark.parametrize("fault", ["do_then_500", "do_then_502", "do_then_504", "do_then_reset", "do_then_hang", "cut"])
def test_an_error_of_the_gateway_makes_a_second_order(
    razorpay: Razorpay, razorpay_emulator: Emulator, fault: str
) -> None:
    """Complaints 9 and 10: 500, 502, 504 and connections that break. Theirs asked again, and had two orders; here the
    first is looked up by its receipt before anything is repeated."""
    for _ in range(2):
        razorpay_emulator.request("POST", "/v1/orders", ORDER)  # the answer to the first was lost
    assert len(razorpay_emulator.world.orders) == 2
    razorpay_emulator.world.orders.clear()

    razorpay_emulator.faults.add(f"on POST /orders: {fault} once")
    ready = razorpay.checkout.start(owner="user:7", amount=Money.inr(499))
    assert list(razorpay_emulator.world.orders) == [ready.order_id]


def test_a_broken_connection_says_nothing_of_what_happened(razorpay: Razorpay, razorpay_emulator: Emulator) -> None:
    """Complaint 10: ``{statusCode: undefined, error: undefined}``; razorpay-node read ``err.response.status`` where
    there was no response. Here the error says whether the order may exist, and how often it was tried."""

    class NoResponse(Exception):
        response = None

    with pytest.raises(AttributeError):
        NoResponse().response.status  # type: ignore[attr-defined]  # noqa: B018 - that is the mistake

    settings = razorpay.settings
    nobody = Client(settings.key_id, settings.key_secret, base_url="http://127.0.0.1:1", clock=razorpay.clock)
    with nobody, pytest.raises(errors.ApiConnectionError) as refused:
        nobody.orders.create(amount=Money.inr(499), receipt="cart-1")
    assert (refused.value.retryable, refused.value.status) == (True, None)
    assert refused.value.attempts > 1

    razorpay_emulator.faults.add("on POST /orders: do_then_reset always")
    razorpay_emulator.faults.add("on GET /orders: 503 always")
    with pytest.raises(errors.OutcomeUnknown) as unknown:
        razorpay.client.orders.create(amount=Money.inr(499), receipt="cart-1")
    assert (unknown.value.retryable, unknown.value.receipt) == (False, "cart-1")
    assert len(razorpay_emulator.world.orders) == 1


def test_a_refund_without_a_key_is_made_twice(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver
) -> None:
    """Complaint 11: no idempotency key could be given, and a retry after a lost answer gave the money back twice. Here
    every refund has a key, which is stored before the call and kept through all of its attempts."""
    payment = razorpay_emulator.pay(razorpay.checkout.start(owner="user:7", amount=Money.inr(499)).order_id)["id"]
    razorpay_deliver()
    for _ in range(2):
        razorpay_emulator.request("POST", f"/v1/payments/{payment}/refund", {"amount": 100})
    assert len(razorpay_emulator.world.refunds) == 2

    razorpay_emulator.faults.add("on POST /payments/:id/refund: do_then_hang once")
    made = razorpay.checkout.refund(payment, Money.inr(5), key="return-000017")
    assert razorpay.checkout.refund(payment, Money.inr(5), key="return-000017").refund_id == made.refund_id
    assert len(razorpay_emulator.world.refunds) == 3


def test_more_than_ten_orders_are_ten(razorpay: Razorpay, razorpay_emulator: Emulator) -> None:
    """Complaint 15: a listing gives ten, or a hundred, and does not say that there are more. Here ``iter`` gives each
    of a window once."""
    begun = razorpay_emulator.clock.now()
    for _ in range(120):
        razorpay_emulator.request("POST", "/v1/orders", ORDER)
    for query in ({}, {"count": 100}):
        page = razorpay_emulator.request("GET", "/v1/orders", query=query).json()
        assert len(page["items"]) == query.get("count", 10)

    razorpay_emulator.clock.advance(1)
    found = [order.id for order in razorpay.client.orders.iter(from_=begun, to=razorpay_emulator.clock.now())]
    assert sorted(found) == sorted(razorpay_emulator.world.orders)


def test_a_paisa_is_lost_in_a_float(razorpay: Razorpay, razorpay_emulator: Emulator) -> None:
    """Complaint 16: ``int(19.99 * 100)`` is 1998, and "the amount must be an integer". Here an amount is a decimal text
    or whole subunits; a float is refused."""
    assert int(19.99 * 100) == 1998

    ready = razorpay.checkout.start(owner="user:7", amount=Money.inr("19.99"))
    assert razorpay_emulator.world.orders[ready.order_id]["amount"] == 1999
    assert Money.inr(Decimal("19.99")) == Money(1999)
    lost: Any = 19.99
    with pytest.raises(errors.AmountError):
        Money.inr(lost)


def test_a_purchase_cannot_be_tested_without_a_browser(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Complaint 18: "how to test the whole flow without a front end?" Here it is five lines, from the order to the
    refund, with no account and no socket."""

    def no_socket(*_: Any, **__: Any) -> None:
        raise AssertionError("somebody opened a socket")

    monkeypatch.setattr(socket, "socket", no_socket)
    with pytest.raises(AssertionError):
        socket.create_connection(("127.0.0.1", 1))

    order = razorpay.checkout.start(owner="user:7", amount=Money.inr(499)).order_id
    payment = razorpay_emulator.pay(order)["id"]
    assert razorpay.checkout.confirm(razorpay_emulator.checkout_form(payment), owner="user:7").outcome == "paid"
    razorpay.checkout.refund(payment, key="return-000017")
    razorpay_deliver(7 * 86_400)
    held = razorpay.store.payment(payment)
    assert held is not None
    assert held.status == "refunded"

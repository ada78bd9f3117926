"""The unmodified official SDK against the emulator's HTTP face: if it is fooled, so is every user's code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import razorpay
import requests

from razorpay_hardened import compat
from razorpay_hardened.emulator import Emulator


@pytest.fixture
def rz() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(params=[razorpay.Client, compat.Client], ids=["the SDK", "compat"])
def client(rz: Emulator, request: pytest.FixtureRequest) -> Iterator[Any]:
    with requests.Session() as session:
        session.trust_env = False
        yield request.param(session=session, auth=(rz.key_id, rz.key_secret), base_url=rz.url)


def order(client: Any, **changes: Any) -> Any:
    return client.order.create({"amount": 50000, "currency": "INR", "receipt": "r-1", **changes})


def test_orders(client: Any) -> None:
    """Orders are created, fetched, edited and listed."""
    made = order(client)
    edited = client.order.edit(made["id"], {"notes": {"a": "b"}})

    assert (made["status"], made["notes"], edited["notes"]) == ("created", [], {"a": "b"})
    assert client.order.fetch(made["id"]) == edited
    assert client.order.all({"receipt": "r-1", "count": 5})["items"] == [edited]
    assert client.order.payments(made["id"]) == {"entity": "collection", "count": 0, "items": []}


def test_payments(rz: Emulator, client: Any) -> None:
    """A payment is captured by hand, fetched, listed and edited."""
    made = order(client, payment_capture=0)
    held = rz.pay(made["id"], card="4100 2800 0000 1007")
    captured = client.payment.capture(held["id"], 50000, {"currency": "INR"})
    client.payment.edit(held["id"], {"notes": {"a": "b"}})

    assert (held["status"], captured["status"]) == ("authorized", "captured")
    assert client.order.fetch(made["id"])["status"] == "paid"
    assert client.payment.fetch(held["id"], {"expand[]": "card"})["card"]["last4"] == "1007"
    assert client.payment.fetchCardDetails(held["id"])["network"] == "Visa"
    assert [one["id"] for one in client.payment.all({"count": 1})["items"]] == [held["id"]]
    assert client.order.payments(made["id"])["count"] == 1


def test_refunds(rz: Emulator, client: Any) -> None:
    """A payment is refunded in parts, once per idempotency key, and the refunds are found again."""
    payment = rz.pay(order(client)["id"])
    headers = {"X-Refund-Idempotency": "refund-of-order-1"}
    first = client.payment.refund(payment["id"], {"amount": 20000}, headers=dict(headers))
    again = client.payment.refund(payment["id"], {"amount": 20000}, headers=dict(headers))
    rest = client.payment.refund(payment["id"], {"speed": "normal"})
    rz.clock.advance(3600)

    assert (first, rest["amount"]) == (again, 30000)
    assert client.refund.fetch(first["id"])["status"] == "processed"
    assert client.refund.all()["count"] == 2
    assert client.payment.fetch_multiple_refund(payment["id"])["count"] == 2
    assert client.payment.fetch_refund_id(payment["id"], rest["id"])["id"] == rest["id"]
    assert client.refund.edit(first["id"], {"notes": {"why": "late"}})["notes"] == {"why": "late"}
    assert client.payment.fetch(payment["id"])["refund_status"] == "full"


def test_signatures(rz: Emulator, client: Any) -> None:
    """Checkout's form and a webhook verify with the SDK; changed ones do not."""
    payment = rz.pay(order(client)["id"])
    form = rz.checkout_form(payment["id"])
    delivery = rz.deliver.pending()[0]
    body, signature = delivery.body.decode(), delivery.headers["X-Razorpay-Signature"]
    utility = client.utility

    assert utility.verify_payment_signature(form)
    assert utility.verify_webhook_signature(body, signature, rz.webhook_secret)
    with pytest.raises(razorpay.errors.SignatureVerificationError):
        utility.verify_payment_signature({**form, "razorpay_order_id": "order_00000000000000"})
    with pytest.raises(razorpay.errors.SignatureVerificationError):
        utility.verify_webhook_signature(body + " ", signature, rz.webhook_secret)


def test_refusals(rz: Emulator, client: Any) -> None:
    """Refusals come as the SDK's BadRequestError with Razorpay's text."""
    payment = rz.pay(order(client)["id"])
    error = razorpay.errors.BadRequestError

    with pytest.raises(error, match="Order amount less than minimum amount allowed"):
        order(client, amount=99)
    with pytest.raises(error, match="The id provided does not exist"):
        client.order.fetch("order_00000000000000")
    if isinstance(client, razorpay.Client):
        with pytest.raises(error, match="already been captured"):
            client.payment.capture(payment["id"], 50000, {"currency": "INR"})
    else:  # what is captured with this amount is what was asked for
        assert client.payment.capture(payment["id"], 50000, {"currency": "INR"})["captured"]
    with pytest.raises(error, match="greater than amount captured"):
        client.payment.refund(payment["id"], {"amount": 50001})
    with pytest.raises(error, match="count may not be greater than 100"):
        client.payment.all({"count": 101})


def test_wrong_key(rz: Emulator) -> None:
    """A wrong secret is a BadRequestError too: the SDK loses the 401."""
    with requests.Session() as session:
        client = razorpay.Client(session=session, auth=(rz.key_id, "wrong"), base_url=rz.url)
        with pytest.raises(razorpay.errors.BadRequestError, match="secret provided is invalid"):
            client.order.all()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("500", razorpay.errors.ServerError),
        ("502", requests.exceptions.JSONDecodeError),
        ("429", razorpay.errors.BadRequestError),
        ("html", requests.exceptions.JSONDecodeError),
        ("reset_before", requests.exceptions.ConnectionError),
    ],
)
def test_faults(rz: Emulator, client: Any, fault: str, error: type[Exception]) -> None:
    """Faults surface as the SDK shows real ones; the drop-in client gets over them, and shows the same if they stay."""
    if not isinstance(client, razorpay.Client):
        if fault != "html":  # a success that cannot be read is told, not asked for again
            rz.faults.add(f"on GET /orders: {fault} once")
            assert client.order.all()["count"] == 0
        client = compat.Client(auth=(rz.key_id, rz.key_secret), base_url=rz.url, max_retries=1)
        error = {requests.exceptions.JSONDecodeError: requests.exceptions.RequestException}.get(error, error)
    rz.faults.add(f"on GET /orders: {fault} once")
    with pytest.raises(error):
        client.order.all()

    assert client.order.all()["count"] == 0


def test_the_sdks_own_retry_makes_duplicates(rz: Emulator) -> None:
    """With its retry enabled, an answer that is lost once makes two orders: why our client exists."""
    with requests.Session() as session:
        auth = (rz.key_id, rz.key_secret)
        client = razorpay.Client(session=session, auth=auth, base_url=rz.url, initial_delay=0.001, max_delay=0.001)
        client.enable_retry(True)
        rz.faults.add("on POST /orders: do_then_reset once")
        order(client)

    assert len(rz.world.orders) == 2

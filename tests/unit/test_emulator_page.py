"""The stand-in for Checkout: its script and what the script may ask."""

from __future__ import annotations

import json
from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator, Reply, Request
from razorpay_hardened.signing import verify_checkout


@pytest.fixture
def rz() -> Emulator:
    return Emulator(in_process=True)


@pytest.fixture
def order_id(rz: Emulator) -> str:
    return str(rz.request("POST", "/v1/orders", {"amount": 50000, "currency": "INR"}).json()["id"])


def ask(rz: Emulator, what: str, order_id: str, **body: Any) -> Reply:
    data = json.dumps({"key": rz.key_id, "order_id": order_id, **body}).encode()
    return rz.handle(Request("POST", f"/_emulator/checkout/{what}", "", {}, data))


def test_the_script_is_public(rz: Emulator) -> None:
    """The script is served without a key, at Razorpay's path, as JavaScript, without any secret."""
    reply = rz.handle(Request("GET", "/v1/checkout.js"))

    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/javascript")
    assert b"window.Razorpay = Razorpay" in reply.body
    assert rz.key_secret.encode() not in reply.body


def test_the_order_decides_the_amount(rz: Emulator, order_id: str) -> None:
    """Checkout shows what is due on the order, readable from the shop's own origin."""
    reply = ask(rz, "order", order_id, amount=1)

    assert reply.json() == {"amount": 50000, "currency": "INR"}
    assert reply.headers["Access-Control-Allow-Origin"] == "*"


def test_success(rz: Emulator, order_id: str) -> None:
    """A paid order gives the three signed fields."""
    form = ask(rz, "pay", order_id, card="4100 2800 0000 1007", method="card").json()

    assert verify_checkout(
        order_id=order_id,
        payment_id=form["razorpay_payment_id"],
        signature=form["razorpay_signature"],
        secret=rz.key_secret,
    )
    assert rz.world.orders[order_id]["status"] == "paid"


def test_failure(rz: Emulator, order_id: str) -> None:
    """A failure has the error object of payment.failed, naming payment and order; the order can be paid again."""
    error = ask(rz, "pay", order_id, outcome="failed").json()["error"]

    assert set(error) == {"code", "description", "source", "step", "reason", "metadata"}
    assert error["metadata"] == {"payment_id": next(iter(rz.world.payments)), "order_id": order_id}
    assert "razorpay_signature" in ask(rz, "pay", order_id).json()


def test_no_answer(rz: Emulator, order_id: str) -> None:
    """Where the bank is silent, the page learns the payment's id and nothing signed."""
    assert ask(rz, "pay", order_id, outcome="late").json() == {"pending": next(iter(rz.world.payments))}


def test_paid_orders(rz: Emulator, order_id: str) -> None:
    """A paid order is refused in Razorpay's words."""
    ask(rz, "pay", order_id)
    reply = ask(rz, "pay", order_id)

    assert (reply.status, reply.json()["error"]["reason"]) == (400, "order_already_paid")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"key": "rzp_test_other"}, 401),
        ({"order_id": "order_00000000000000"}, 400),
        ({"order_id": None}, 400),
        ({"outcome": "captured"}, 400),
        ({"method": "barter"}, 400),
    ],
)
def test_what_a_customer_cannot_do(rz: Emulator, order_id: str, body: dict[str, Any], status: int) -> None:
    """Another account's key, unknown orders and wishes about capture are refused, readable by the page."""
    reply = ask(rz, "pay", **{"order_id": order_id, **body})

    assert reply.status == status
    assert reply.json()["error"]["description"]
    assert "Access-Control-Allow-Origin" in reply.headers
    assert rz.world.payments == {}


def test_the_page_cannot_choose_the_amount(rz: Emulator, order_id: str) -> None:
    """An amount from the browser is ignored."""
    ask(rz, "pay", order_id, amount=100, concurrent=True)

    assert [payment["amount"] for payment in rz.world.payments.values()] == [50000]


def test_the_api_stays_closed_to_browsers(rz: Emulator) -> None:
    """Only the page's own questions may be asked across origins."""
    for path in ("/v1/orders", "/_emulator/state"):
        assert "Access-Control-Allow-Origin" not in rz.handle(Request("GET", path)).headers

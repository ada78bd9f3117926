"""The stand-in for Checkout: its script and what the script may ask."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import urlencode

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


# --- in two steps, as in the browser


def begun(rz: Emulator, order_id: str, **how: Any) -> str:
    return str(ask(rz, "begin", order_id, **how).json()["payment_id"])


def finished(rz: Emulator, payment_id: str, **how: Any) -> Any:
    data = json.dumps({"key": rz.key_id, "payment_id": payment_id, **how}).encode()
    return rz.handle(Request("POST", "/_emulator/checkout/finish", "", {}, data)).json()


def test_pay_in_two_steps(rz: Emulator, order_id: str) -> None:
    """Pressing Pay makes the payment; the bank's yes gives the three signed fields, and the payment is the same."""
    payment_id = begun(rz, order_id, card="5500 6700 0000 1002", contact="+919000090001")
    assert rz.world.payments[payment_id]["status"] == "created"
    form = finished(rz, payment_id, answer="success", otp="1234")

    assert form["razorpay_payment_id"] == payment_id
    assert rz.world.payments[payment_id]["contact"] == "+919000090001"
    assert rz.world.orders[order_id]["attempts"] == 1
    assert ("error" in finished(rz, payment_id, answer="success", otp="1234"), len(rz.world.payments)) == (True, 1)


def test_closed_at_the_bank(rz: Emulator, order_id: str) -> None:
    """A window closed at the bank's page leaves the payment created; it fails by time-out, and the order stays open."""
    payment_id = begun(rz, order_id)
    rz.clock.advance(599)
    assert rz.world.payments[payment_id]["status"] == "created"
    rz.clock.advance(2)
    assert rz.world.payments[payment_id]["error_reason"] == "payment_timed_out"
    assert "error" in finished(rz, payment_id, answer="success")
    assert rz.pay(order_id)["status"] == "captured"


@pytest.mark.parametrize(("otp", "succeeds"), [("", False), ("123", False), ("1234", True), ("0123456789", True)])
def test_one_time_passwords(rz: Emulator, order_id: str, otp: str, succeeds: bool) -> None:
    """4 to 10 digits succeed, fewer fail, with and without a browser (FACTS section 12)."""
    other = rz.request("POST", "/v1/orders", {"amount": 50000, "currency": "INR"}).json()["id"]
    payment = rz.pay(other, "card", otp=otp)
    told = finished(rz, begun(rz, order_id, method="card"), answer="success", otp=otp)

    assert ("razorpay_signature" in told) == (payment["status"] == "captured") == succeeds
    assert (payment["error_reason"] is None) == succeeds


@pytest.mark.parametrize(
    ("how", "answer", "reason"),
    [
        ({"card": "4100280000060003"}, {"answer": "failure"}, "card_declined"),
        ({"card": "4111111111111111"}, {"answer": "failure"}, "gateway_technical_error"),
        ({"vpa": "failure@razorpay"}, {"answer": "success"}, "payment_failed"),
        ({"method": "netbanking"}, {"answer": "failure"}, "payment_failed"),
    ],
)
def test_failures_at_the_bank(
    rz: Emulator, order_id: str, how: dict[str, Any], answer: dict[str, str], reason: str
) -> None:
    """Published instruments fail for their own reason; any other card fails as the gateway's fault."""
    assert finished(rz, begun(rz, order_id, **how), **answer)["error"]["reason"] == reason


def test_cancelling_upi_succeeds(rz: Emulator, order_id: str) -> None:
    """As in Razorpay's test mode; other methods have no such button."""
    other = rz.request("POST", "/v1/orders", {"amount": 50000, "currency": "INR"}).json()["id"]

    assert "razorpay_signature" in finished(rz, begun(rz, order_id), answer="cancel")
    assert "error" in finished(rz, begun(rz, other, method="card"), answer="cancel")


def test_silence(rz: Emulator, order_id: str) -> None:
    """The bank says nothing; ten minutes later the payment fails, an hour after that it is authorised after all."""
    payment_id = begun(rz, order_id)
    assert finished(rz, payment_id, answer="silence") == {"pending": payment_id}
    rz.clock.advance(601)
    assert rz.world.payments[payment_id]["status"] == "failed"
    rz.clock.advance(3600)
    assert rz.world.payments[payment_id]["status"] == "captured"


def test_without_an_order(rz: Emulator) -> None:
    """The page's own amount counts where there is no order; the answer is the payment's id alone (FACTS section 11)."""
    shown = ask(rz, "order", None, amount="1500", currency="INR").json()  # type: ignore[arg-type]
    form = ask(rz, "pay", None, amount="1500").json()  # type: ignore[arg-type]

    assert shown == {"amount": 1500, "currency": "INR"}
    assert list(form) == ["razorpay_payment_id"]
    assert ask(rz, "order", None, amount="15.00").status == 400  # type: ignore[arg-type]


def test_every_published_card_is_offered(rz: Emulator) -> None:
    """And each does what its group says."""
    offered = rz.handle(Request("POST", "/_emulator/checkout/instruments")).json()["cards"]

    assert [len(cards) for cards in offered.values()] == [12, 20]
    for group, cards in offered.items():
        for number, text in cards:
            order = rz.request("POST", "/v1/orders", {"amount": 50000, "currency": "INR"}).json()["id"]
            payment = rz.pay(order, card=number)
            assert (payment["status"] == "captured") == (group == "Succeeds")
            assert payment["error_reason"] is None or text.endswith(payment["error_reason"])


# --- the pages


def form(**fields: str) -> Request:
    return Request("POST", "/v1/checkout/embedded", "", {}, urlencode(fields).encode())


def shown(reply: Reply) -> Any:
    """The options in the page, as the browser would read them from the attribute."""
    found = re.search(r'data-options="([^"]*)"', reply.body.decode())
    assert found
    return json.loads(html.unescape(found[1]))


def test_the_paying_page(rz: Emulator, order_id: str) -> None:
    """Any order can be paid without a shop, under a policy that allows nothing inline."""
    reply = rz.handle(Request("GET", "/_emulator/checkout", f"order_id={order_id}"))

    assert (reply.status, shown(reply)["order_id"]) == (200, order_id)
    assert "script-src 'self'" in reply.headers["Content-Security-Policy"]
    assert re.findall(r"<script[^>]*>([^<]*)</script>", reply.body.decode()) == ["", ""]
    assert " style=" not in reply.body.decode()
    assert rz.handle(Request("GET", "/_emulator/checkout", "order_id=%3Cb%3E")).status == 404


def test_the_hosted_page(rz: Emulator, order_id: str) -> None:
    """The shop's form carries the options; failures go to callback_url too, who leaves goes to cancel_url."""
    reply = rz.handle(
        form(
            key_id=rz.key_id,
            order_id=order_id,
            callback_url="https://shop.example/done?a=1",
            cancel_url="https://shop.example/left",
            **{"prefill[email]": "a@example.com", "notes[cart]": "7", "name": "<script>alert(1)</script>"},
        )
    )
    options = shown(reply)

    assert (options["key"], options["redirect"], options["notes"]) == (rz.key_id, True, {"cart": "7"})
    assert options["prefill"] == {"email": "a@example.com"}
    assert 'data-cancel="https://shop.example/left"' in reply.body.decode()
    assert b"<script>alert" not in reply.body


@pytest.mark.parametrize(
    "fields",
    [
        {"callback_url": "https://shop.example/"},
        {"key_id": "rzp_test_1"},
        {"key_id": "rzp_test_1", "callback_url": "javascript:alert(1)"},
        {"key_id": "rzp_test_1", "callback_url": "https://shop.example/", "cancel_url": "data:text/html,x"},
        {"prefill": "x", "prefill[email]": "y"},
    ],
)
def test_bad_hosted_forms(rz: Emulator, fields: dict[str, str]) -> None:
    """What cannot be answered safely is refused."""
    assert rz.handle(form(**fields)).status == 400


def test_static_files(rz: Emulator) -> None:
    """Only our own."""
    assert rz.handle(Request("GET", "/_emulator/static/emulator.css")).headers["Content-Type"].startswith("text/css")
    assert rz.handle(Request("GET", "/_emulator/static/pay.js")).headers["Content-Type"].startswith("text/javascript")
    for name in ("../_page.py", "../../errors.py", "x.css", ""):
        assert rz.handle(Request("GET", f"/_emulator/static/{name}")).status == 404

"""What must hold in the emulated account whatever is done to it, and the shapes that it shows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from razorpay_hardened.domain.entities import parse_entity
from razorpay_hardened.emulator import Deliveries, Emulator
from razorpay_hardened.errors import RazorpayHardenedError
from razorpay_hardened.signing import verify_webhook

pytestmark = pytest.mark.slow

FIELDS = {
    "order": "id entity amount amount_paid amount_due currency receipt offer_id status attempts notes created_at",
    "payment": (
        "id entity amount currency status order_id invoice_id international method amount_refunded refund_status "
        "captured description card_id bank wallet vpa email contact notes fee tax error_code error_description "
        "error_source error_step error_reason acquirer_data created_at"
    ),
    "refund": (
        "id entity amount receipt currency payment_id notes acquirer_data created_at batch_id status speed_processed "
        "speed_requested"
    ),
}
OUTCOMES = (None, "captured", "authorized", "failed", "late", "created")

STEPS = st.one_of(
    st.tuples(st.just("order"), st.integers(100, 10_000), st.sampled_from([{}, {"payment_capture": 0}])),
    st.tuples(st.just("pay"), st.sampled_from(OUTCOMES), st.booleans()),
    st.tuples(st.just("capture"), st.integers(0, 9), st.none()),
    st.tuples(st.just("refund"), st.integers(0, 9), st.integers(50, 5_000)),
    st.tuples(st.just("settle"), st.integers(0, 9), st.sampled_from(["processed", "failed"])),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 61, 700, 4_300, 90_000, 300_000]), st.none()),
)


def pick(table: dict[str, Any], number: int) -> str:
    return list(table)[number % len(table)] if table else "none_00000000000000"


def step(rz: Emulator, what: str, first: Any, second: Any) -> None:
    """One thing that somebody does; being refused is fine."""
    world = rz.world
    try:
        if what == "order":
            rz.request("POST", "/v1/orders", {"amount": first, "currency": "INR", **second})
        elif what == "pay":
            rz.pay(pick(world.orders, len(world.payments)), vpa="success@razorpay", outcome=first, concurrent=second)
        elif what == "capture":
            payment = world.payments.get(pick(world.payments, first), {"id": "pay_x", "amount": 0})
            body = {"amount": payment["amount"], "currency": "INR"}
            rz.request("POST", f"/v1/payments/{payment['id']}/capture", body)
        elif what == "refund":
            rz.refund(pick(world.payments, first), second)
        elif what == "settle":
            rz.settle_refund(pick(world.refunds, first), second)
        else:
            rz.clock.advance(first)
    except RazorpayHardenedError:
        return


def check_books(rz: Emulator) -> None:
    world = rz.world
    for order in world.orders.values():
        captured = [p for p in world.payments.values() if p["order_id"] == order["id"] and p["captured"]]
        assert order["amount_paid"] == min(order["amount"], sum(payment["amount"] for payment in captured))
        assert order["amount_paid"] + order["amount_due"] == order["amount"]
        assert (order["status"] == "paid") == bool(captured)
    for payment in world.payments.values():
        refunds = [refund for refund in world.refunds.values() if refund["payment_id"] == payment["id"]]
        live = sum(refund["amount"] for refund in refunds if refund["status"] != "failed")
        assert payment["amount_refunded"] == live <= payment["amount"]
        assert (payment["status"] == "refunded") == (live == payment["amount"])
        assert (payment["fee"] is not None) == payment["captured"]
        assert payment["captured"] or payment["status"] != "captured"


def check_events(rz: Emulator) -> None:
    """Every event parses, verifies and has its own id; what may happen once is said once."""
    events = rz.world.events
    assert len({event.id for event in events}) == len(events)
    said = []
    for event in events:
        assert verify_webhook(event.body, event.signature, secret=rz.webhook_secret)
        content = json.loads(event.body)
        assert content["contains"] == list(content["payload"])
        for name, wrapper in content["payload"].items():
            parse_entity(wrapper["entity"], name)
        said.append((event.name, content["payload"][event.name.partition(".")[0]]["entity"]["id"]))
    assert len(set(said)) == len(said)


@settings(max_examples=60)
@given(st.lists(STEPS, min_size=5, max_size=40))
def test_the_books_balance(steps: list[tuple[str, Any, Any]]) -> None:
    """Whatever customers, shops, banks and time do, the account's numbers and events agree with each other."""
    rz = Emulator(in_process=True, deliveries=Deliveries(doubled=0.2))
    rz.request("POST", "/v1/orders", {"amount": 5000, "currency": "INR"})
    for what, first, second in steps:
        step(rz, what, first, second)
        check_books(rz)
    check_events(rz)


@pytest.fixture
def rz() -> Emulator:
    return Emulator(in_process=True)


@pytest.mark.parametrize("how", [{}, {"card": "4100280000001007"}, {"method": "netbanking"}, {"method": "wallet"}])
def test_shapes(rz: Emulator, how: dict[str, Any]) -> None:
    """Orders, payments and refunds have every field that the official samples always have."""
    order = rz.request("POST", "/v1/orders", {"amount": 5000, "currency": "INR"}).json()
    payment = rz.request("GET", f"/v1/payments/{rz.pay(order['id'], **how)['id']}").json()
    refund = rz.request("POST", f"/v1/payments/{payment['id']}/refund", {}).json()

    payment.pop("upi", None)
    for entity in (order, payment, refund):
        assert set(entity) == set(FIELDS[entity["entity"]].split())


@given(st.integers(0, 2**64), st.integers(100, 10**9))
def test_ids_and_fees(seed: int, amount: int) -> None:
    """Ids are a prefix and 14 base62 characters for any seed; the fee holds its tax and is below the amount."""
    rz = Emulator(seed, in_process=True)
    order = rz.request("POST", "/v1/orders", {"amount": amount, "currency": "INR"}).json()
    payment = rz.pay(order["id"], vpa="success@razorpay")

    for entity_id in (order["id"], payment["id"]):
        kind, _, rest = entity_id.partition("_")
        assert kind in ("order", "pay")
        assert len(rest) == 14
        assert rest.isalnum()
        assert rest.isascii()
    assert 0 <= payment["tax"] <= payment["fee"] < amount

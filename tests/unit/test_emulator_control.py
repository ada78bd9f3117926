"""The control face: what another process may do to the emulated account."""

from __future__ import annotations

import json
from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator, Reply, Request


@pytest.fixture
def rz() -> Emulator:
    return Emulator(in_process=True)


def tell(rz: Emulator, name: str, /, **body: Any) -> Reply:
    return rz.handle(Request("POST", f"/_emulator/{name}", "", {}, json.dumps(body).encode()))


def look(rz: Emulator, name: str) -> Any:
    return rz.handle(Request("GET", f"/_emulator/{name}")).json()


def paid(rz: Emulator) -> dict[str, Any]:
    return rz.pay(rz.request("POST", "/v1/orders", {"amount": 50000, "currency": "INR"}).json()["id"])


def test_faults_can_be_added_and_cleared(rz: Emulator) -> None:
    """Rules over the wire are the same rules; a bad one is refused with the grammar."""
    assert tell(rz, "faults", add="on POST /orders: 502 once").json() == {"faults": ["on POST /orders: 502 once"]}
    assert rz.request("POST", "/v1/orders", {"amount": 100, "currency": "INR"}).status == 502
    bad = tell(rz, "faults", add="on POST /orders: teapot")
    assert (bad.status, "do_then_hang" in bad.json()["error"]["description"]) == (400, True)
    assert tell(rz, "faults", clear=True).json() == {"faults": []}


def test_webhooks_can_be_registered_and_switched(rz: Emulator) -> None:
    """The answer to a registration holds the secret once; no list of webhooks and no state shows it again."""
    made = tell(rz, "webhooks", url="http://127.0.0.1:1/hook", name="shop", events=["order.paid"]).json()
    off = tell(rz, "webhooks/disable", name="shop").json()["webhooks"]
    on = tell(rz, "webhooks/enable", name="shop").json()["webhooks"]

    assert made["secret"] == rz.deliver.webhook("shop").secret
    assert [hook["disabled"] for hook in off] == [False, True]
    assert on == look(rz, "webhooks")["webhooks"]
    assert [hook["disabled"] for hook in on] == [False, False]
    assert made["secret"] not in json.dumps(look(rz, "state"))


def test_the_bank_and_the_operator_can_be_played(rz: Emulator) -> None:
    """Refund, the bank's word on it, the bank's late word on a payment, and an old event once more."""
    payment = paid(rz)
    refund = tell(rz, "refund", payment_id=payment["id"], amount=500).json()
    done = tell(rz, "settle_refund", refund_id=refund["id"], outcome="failed").json()
    late = rz.pay(rz.request("POST", "/v1/orders", {"amount": 100, "currency": "INR"}).json()["id"], outcome="failed")
    answered = tell(rz, "bank_answers", payment_id=late["id"], outcome="authorized").json()
    pending = tell(rz, "deliver/replay", event_id=rz.world.events[0].id).json()["pending"]

    assert (refund["amount"], done["status"], answered["status"]) == (500, "failed", "captured")
    assert {one["copy"] for one in pending if one["event_id"] == rz.world.events[0].id} == {0, 1}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("webhooks", {}),
        ("webhooks", {"url": "ftp://example.com"}),
        ("webhooks", {"url": "http://127.0.0.1:1/", "colour": "red"}),
        ("webhooks/disable", {"name": "nobody"}),
        ("deliver/replay", {"event_id": "nothing"}),
        ("deliver/replay", {}),
        ("refund", {"payment_id": "pay_00000000000000"}),
        ("refund", {}),
        ("capture", {"payment_id": "pay_00000000000000", "colour": "red"}),
        ("bank_answers", {"payment_id": "pay_00000000000000"}),
    ],
)
def test_mistakes_are_answered(rz: Emulator, name: str, body: dict[str, Any]) -> None:
    """With 400 and a sentence; nothing changes."""
    reply = tell(rz, name, **body)

    assert reply.status == 400
    assert reply.json()["error"]["description"]
    assert len(rz.deliver.webhooks) == 1


def test_checkout_can_be_played_in_two_steps(rz: Emulator) -> None:
    """Begin and finish, then the operator's capture, by the names of the emulator's own methods."""
    order_id = rz.request("POST", "/v1/orders", {"amount": 50000, "currency": "INR"}).json()["id"]
    begun = tell(rz, "begin", order_id=order_id, card="4100280000001007").json()
    done = tell(rz, "finish", payment_id=begun["id"], answer="success", otp="123456").json()
    other = rz.request("POST", "/v1/orders", {"amount": 50000, "currency": "INR"}).json()["id"]
    held = rz.pay(other, outcome="authorized")["id"]

    assert (begun["status"], done["status"]) == ("created", "captured")
    assert tell(rz, "capture", payment_id=held).json()["status"] == "captured"


def test_the_state_has_every_kind(rz: Emulator) -> None:
    """Whatever the account keeps is under its plural."""
    paid(rz)
    seen = look(rz, "state")

    for kind, table in rz.world.tables.items():
        assert set(seen[f"{kind}s"]) == set(table)


def test_unknown_controls_name_the_known_ones(rz: Emulator) -> None:
    """404, with what there is."""
    reply = tell(rz, "teapot")

    assert reply.status == 404
    assert "POST /_emulator/pay" in reply.json()["error"]["description"]


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 200), ("same-origin", 200)])
def test_pages_of_other_sites_have_no_controls(rz: Emulator, site: str, status: int) -> None:
    """What a developer happens to visit cannot drive the emulator on the same machine."""
    data = json.dumps({"seconds": 60}).encode()
    reply = rz.handle(Request("POST", "/_emulator/clock/advance", "", {"Sec-Fetch-Site": site}, data))

    assert (reply.status, rz.clock.monotonic()) == (status, 0 if status == 403 else 60)

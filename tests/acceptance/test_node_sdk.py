"""Razorpay's own SDK for Node, unmodified, against the emulator: what it sends is understood, what it gets it reads.

Needs ``node`` and ``npm install --prefix tests/acceptance/node`` (or ``NODE_PATH``, a folder that has the package).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator
from razorpay_hardened.signing import SIGNATURE_HEADER

HERE = Path(__file__).parent / "node"
MODULES = next(
    (
        folder
        for folder in (
            HERE / "node_modules",
            *map(Path, filter(None, os.environ.get("NODE_PATH", "").split(os.pathsep))),
        )
        if (folder / "razorpay" / "package.json").exists()
    ),
    None,
)
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NODE is None, reason="no node on this machine"),
    pytest.mark.skipif(MODULES is None, reason="needs: npm install --prefix tests/acceptance/node"),
]


@pytest.fixture(scope="module")
def rz() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def told(rz: Emulator) -> dict[str, Any]:
    """What the SDK gave back, over one day of a shop."""
    order = rz.request("POST", "/v1/orders", {"amount": 49900, "currency": "INR"}).json()
    rz.pay(order["id"])
    hook = next(one for one in rz.deliver.pending() if one.event == "order.paid")
    webhook = {"body": hook.body.decode(), "signature": hook.headers[SIGNATURE_HEADER], "secret": rz.webhook_secret}
    environ = {"PATH": os.environ["PATH"], **rz.environ(), "NODE_PATH": str(MODULES), "WEBHOOK": json.dumps(webhook)}
    done = subprocess.run(
        [str(NODE), str(HERE / "day.cjs")], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_orders(rz: Emulator, told: dict[str, Any]) -> None:
    """Created, fetched, edited, listed by receipt, as the world has them."""
    order = told["order"]

    assert (order["amount"], order["status"], order["notes"]) == (49900, "created", {"cart": "7"})
    assert told["fetched"] == order
    assert told["edited"]["notes"] == {"cart": "8"}
    assert [one["id"] for one in told["listed"]["items"]] == [order["id"]]
    assert rz.world.orders[order["id"]]["status"] == "paid"


def test_payments(rz: Emulator, told: dict[str, Any]) -> None:
    """Failed and paid on one order, an authorised one captured, notes edited; the checkout signature verifies."""
    assert told["failed"]["error_reason"] == "card_declined"
    assert {one["status"] for one in told["payments"]["items"]} == {"failed", "captured"}
    assert told["all"]["entity"] == "collection"
    assert (told["captured"]["status"], told["captured"]["captured"]) == ("captured", True)
    assert told["payment_edited"]["notes"] == {"seen": "yes"}
    assert told["verified"] is True


def test_refunds(rz: Emulator, told: dict[str, Any]) -> None:
    """Created, fetched and listed; the payment in the world has given the money back."""
    refund = told["refund"]

    assert (refund["amount"], refund["notes"]) == (900, {"why": "late"})
    assert told["refund_fetched"]["id"] == refund["id"]
    for listing in (told["refunds"], told["refund_listed"]):
        assert [one["id"] for one in listing["items"]] == [refund["id"]]
    assert rz.world.payments[refund["payment_id"]]["amount_refunded"] == 900


def test_refusals_and_faults(rz: Emulator, told: dict[str, Any]) -> None:
    """The SDK reads the error envelope, a throttled answer, a page that is no JSON, and a wrong key."""
    for error in told["errors"]:
        assert (error["status"], error["code"]) == (400, "BAD_REQUEST_ERROR")
        assert error["description"]
    assert told["throttled"]["status"] == 429
    assert told["gateway"]["status"] == 502
    assert told["after"]["status"] == "created"
    assert told["stranger"]["status"] == 401


def test_webhooks(told: dict[str, Any]) -> None:
    """The SDK believes our signature, and no other amount."""
    assert (told["webhook"], told["forged"]) == (True, False)

"""The client against an emulated Razorpay that fails: one order, capture, refund per intent (FAULTS A1 to A9, P12).

Every fault is tried in process and over HTTP. The yardstick is what the *emulator* holds in the end, not what the
client believes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_fakes import Fixed
from razorpay_hardened.client import Client
from razorpay_hardened.clock import FrozenClock
from razorpay_hardened.domain.money import Money
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ApiError, ApiRateLimited, OutcomeUnknown, ReconcileStalled

INR = Money.inr("499.00")
KEY = "refund-of-order-42"

DONE_BUT_LOST = [
    "do_then_hang",
    "do_then_reset",
    "do_then_500",
    "do_then_502",
    "do_then_503",
    "do_then_504",
    "truncate(1)",
    "truncate",
    "cut(0)",
    "cut(1)",
    "cut",
    "html",
]
NOT_DONE = ["reset_before", "hang", "429", "429(2)", "500", "502", "503", "504"]


class Bench(NamedTuple):
    """An emulator and a client of it, whose waits take no time."""

    rz: Emulator
    client: Client
    clock: FrozenClock

    def payment(self, outcome: str = "captured") -> str:
        """A payment at the emulator, made without the client."""
        body = {"amount": 49900, "currency": "INR", "receipt": "bench"}
        order = json.loads(self.rz.request("POST", "/v1/orders", body).body)
        return str(self.rz.pay(order["id"], outcome=outcome)["id"])


def bench(rz: Emulator, *, in_process: bool, waits: bool = True) -> Bench:
    """``waits``: an answer of this test's never comes. Where none is missing, a busy machine may take its time."""
    clock = FrozenClock()
    made = Client(
        rz.key_id,
        rz.key_secret,
        base_url=rz.url,
        session=rz.session() if in_process else None,
        clock=clock,
        random=Fixed(),  # type: ignore[arg-type]  # all that is asked of it
        read_timeout_s=0.25 if waits else 30,
        retries_per_call=4,  # every call here may need all of its own; the budget has tests elsewhere
    )
    return Bench(rz, made, clock)


@pytest.fixture(params=[True, False], ids=["in-process", "http"])
def b(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A bench over each transport."""
    with Emulator(in_process=request.param) as rz:
        waits = "hang" in getattr(request.node, "callspec").params.get("fault", "")  # noqa: B009
        made = bench(rz, in_process=request.param, waits=waits)
        with made.client:
            yield made


def orders_with(rz: Emulator, receipt: str) -> int:
    return sum(order["receipt"] == receipt for order in rz.world.orders.values())


@pytest.mark.parametrize("fault", [*DONE_BUT_LOST, *NOT_DONE])
def test_one_order_per_receipt(b: Bench, fault: str) -> None:
    """A1, A2, A3, A4, A5, A8: whatever happens to the first request, one order exists, and it is the answer."""
    b.rz.faults.add(f"on POST /orders: {fault} once")

    made = b.client.orders.create(amount=INR, receipt="inv-42", notes={"shop": "7"})

    assert orders_with(b.rz, "inv-42") == 1
    assert made.id in b.rz.world.orders


@pytest.mark.parametrize("fault", [*DONE_BUT_LOST, *NOT_DONE])
def test_one_order_per_receipt_though_the_look_up_fails_too(b: Bench, fault: str) -> None:
    """Nothing is created while nobody can look."""
    b.rz.faults.add(f"on POST /orders: {fault} once\non GET /orders: 502 once")

    made = b.client.orders.create(amount=INR, receipt="inv-42")

    assert orders_with(b.rz, "inv-42") == 1
    assert made.id in b.rz.world.orders


@pytest.mark.parametrize("fault", [*DONE_BUT_LOST, *NOT_DONE, "in_progress"])
def test_one_refund_per_key(b: Bench, fault: str) -> None:
    """A1 to A5 for refunds: the same key for every send, so one refund exists (the official SDK made four)."""
    payment = b.payment()
    b.rz.faults.add(f"on POST /payments/:id/refund: {fault} 2 times")

    made = b.client.payments.refund(payment, Money(500), idempotency_key=KEY)

    assert len(b.rz.world.refunds) == 1
    assert made.id in b.rz.world.refunds


@pytest.mark.parametrize("fault", [*DONE_BUT_LOST, "hang", "reset_before", "503", "in_progress"])
def test_a_refund_that_stayed_unknown_is_finished_with_its_key(b: Bench, fault: str) -> None:
    """A7: whoever resumes with the key of the error gets the first refund, not a second."""
    payment = b.payment()
    b.rz.faults.add(f"on POST /payments/:id/refund: {fault} always")
    with pytest.raises(OutcomeUnknown) as caught:
        b.client.payments.refund(payment, Money(500))
    b.rz.faults.clear()

    made = b.client.payments.refund(payment, Money(500), idempotency_key=caught.value.idempotency_key)

    assert list(b.rz.world.refunds) == [made.id]


@pytest.mark.parametrize("fault", [*DONE_BUT_LOST, *NOT_DONE])
def test_one_capture(b: Bench, fault: str) -> None:
    """A9: a fetch settles what the lost answer left open."""
    payment = b.payment("authorized")
    b.rz.faults.add(f"on POST /payments/:id/capture: {fault} once")

    made = b.client.payments.capture(payment, INR)

    assert made.captured
    assert b.rz.world.payments[payment]["captured"]


def test_capturing_twice_is_capturing_once(b: Bench) -> None:
    """The second answers from a fetch."""
    payment = b.payment("authorized")

    assert b.client.payments.capture(payment, INR) == b.client.payments.capture(payment, INR)


@pytest.mark.parametrize("fault", [*DONE_BUT_LOST, "hang", "reset_before", "503"])
def test_an_order_that_stayed_unknown_is_found_later(b: Bench, fault: str) -> None:
    """A8: the receipt on the error leads to the order, if there is one; never to two."""
    b.rz.faults.add(f"on POST /orders: {fault} always\non GET /orders: 503 always")
    with pytest.raises(OutcomeUnknown) as caught:
        b.client.orders.create(amount=INR, receipt="inv-42")
    b.rz.faults.clear()

    found = b.client.orders.find_by_receipt(caught.value.receipt or "")

    assert (found is not None) == (fault in DONE_BUT_LOST)
    assert orders_with(b.rz, "inv-42") == (fault in DONE_BUT_LOST)


@pytest.mark.parametrize(
    "fault", [fault for fault in DONE_BUT_LOST if fault not in ("html", "cut", "cut(0)", "cut(1)")]
)
def test_reads_survive(b: Bench, fault: str) -> None:
    """A read is simply made again."""
    payment = b.payment()
    b.rz.faults.add(f"on GET *: {fault} 2 times")

    assert b.client.payments.fetch(payment).id == payment


def test_an_answer_cut_at_any_byte_is_a_doubt(b: Bench) -> None:
    """A5: for every length of what is left of the answer, the same refund comes back under the same key."""
    payment = b.payment()
    whole = b.client.payments.refund(payment, Money(500), idempotency_key=KEY)
    length = len(b.rz.request("GET", f"/v1/refunds/{whole.id}").body)
    step = 1 if b.rz.in_process else 40  # over HTTP a sample is enough

    for kind in ("truncate", "cut"):
        for kept in range(0, length, step):
            b.rz.faults.clear()
            b.rz.faults.add(f"on POST /payments/:id/refund: {kind}({kept}) once")
            assert b.client.payments.refund(payment, Money(500), idempotency_key=KEY) == whole

    assert len(b.rz.world.refunds) == 1


def test_rate_limits_are_waited_out(b: Bench) -> None:
    """A4: the wait that is asked for is taken, if the deadline allows it."""
    payment = b.payment()
    b.rz.faults.add("on GET *: 429(5) once")
    before = b.clock.monotonic()

    b.client.payments.fetch(payment)

    assert b.clock.monotonic() - before >= 5
    b.rz.faults.add("on GET *: 429(3600) once")
    with pytest.raises(ApiRateLimited):
        b.client.payments.fetch(payment)


def test_every_item_of_a_long_listing_comes_once(b: Bench) -> None:
    """Orders that arrive while the listing is read hide none of the others; a page that fails is asked again."""
    for n in range(230):
        b.rz.request("POST", "/v1/orders", {"amount": 100, "currency": "INR", "receipt": f"r-{n}"})
    b.rz.faults.add("on GET /orders: 503 2 times")
    found = []
    for order in b.client.orders.iter(count=50):
        found.append(order.receipt)
        if len(found) % 40 == 0:
            b.rz.request("POST", "/v1/orders", {"amount": 100, "currency": "INR", "receipt": f"late-{len(found)}"})

    assert sorted(receipt for receipt in found if receipt and receipt.startswith("r-")) == sorted(
        f"r-{n}" for n in range(230)
    )
    assert len(found) == len(set(found))


def test_a_key_with_another_amount_is_a_conflict(b: Bench) -> None:
    """Nothing is refunded under a key that already stands for something else."""
    from razorpay_hardened.errors import IdempotencyConflict

    payment = b.payment()
    b.client.payments.refund(payment, Money(500), idempotency_key=KEY)

    with pytest.raises(IdempotencyConflict):
        b.client.payments.refund(payment, Money(600), idempotency_key=KEY)

    assert len(b.rz.world.refunds) == 1


def test_a_wrong_key_is_told_without_being_shown(b: Bench) -> None:
    """401 is not retried, and the error says nothing of the key."""
    from razorpay_hardened.errors import ApiAuthError

    wrong = Client(
        b.rz.key_id, "another-secret", base_url=b.rz.url, session=b.rz.session() if b.rz.in_process else None
    )

    with wrong, pytest.raises(ApiAuthError) as caught:
        wrong.orders.list()

    assert "another-secret" not in str(vars(caught.value))
    assert caught.value.attempts == 1


FAULT = st.sampled_from([*DONE_BUT_LOST, *NOT_DONE])


@settings(max_examples=60)
@given(
    plan=st.lists(st.tuples(st.sampled_from(["POST", "GET"]), FAULT, st.integers(1, 3)), max_size=5),
    seed=st.integers(0, 1000),
)
def test_money_moves_once_per_intent_under_any_plan(plan: list[tuple[str, str, int]], seed: int) -> None:
    """P12: with any mixture of faults, an intent pursued as documented until it is settled happens exactly once."""
    with Emulator(seed=seed, in_process=True) as rz:
        b = bench(rz, in_process=True)
        payment = b.payment("authorized")
        for method, fault, times in plan:
            rz.faults.add(f"on {method} *: {fault} {times} times")

        order = settle(lambda: b.client.orders.find_by_receipt("inv-42") or b.client.orders.create(
            amount=INR, receipt="inv-42"))  # fmt: skip
        captured = settle(lambda: b.client.payments.capture(payment, INR))
        refund = settle(lambda: b.client.payments.refund(payment, Money(500), idempotency_key=KEY))

    assert orders_with(rz, "inv-42") == 1
    assert order.receipt == "inv-42"
    assert captured.captured
    assert list(rz.world.refunds) == [refund.id]


def settle(pursue: Callable[[], Any]) -> Any:
    """What a worker does: try again later, until there is an answer."""
    for _ in range(20):
        try:
            return pursue()
        except (ApiError, ReconcileStalled):
            continue
    raise AssertionError("not settled after twenty rounds")


FORKING = """
import os, sys
from razorpay_hardened.client import Client
url, key_id, key_secret, order_id = sys.argv[1:]
client = Client(key_id, key_secret, base_url=url, max_attempts=1)
assert client.orders.fetch(order_id).id == order_id
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        good = all(client.orders.fetch(order_id).id == order_id for _ in range(20))
        os._exit(0 if good else 1)
    children.append(child)
assert all(client.orders.fetch(order_id).id == order_id for _ in range(20))
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
del client
"""


def test_parent_and_children_use_the_client_at_once() -> None:
    """After a fork nobody reads another's answer from a shared socket, and a client never closed leaves no warning."""
    with Emulator() as rz:
        made = rz.request("POST", "/v1/orders", {"amount": 49900, "currency": "INR"})
        order_id = json.loads(made.body)["id"]
        command = [
            sys.executable,
            "-X",
            "dev",
            "-W",
            "error",
            "-c",
            FORKING,
            rz.url,
            rz.key_id,
            rz.key_secret,
            order_id,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)

    assert (done.returncode, done.stderr) == (0, "")

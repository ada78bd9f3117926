"""The pytest plugin: six fixtures that work in somebody else's test suite."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from razorpay_hardened import MemoryStore, Money, Razorpay
from razorpay_hardened.emulator import Emulator, VirtualClock
from razorpay_hardened.testing.plugin import Deliver, SignedWebhooks

pytest_plugins = ("pytester",)

SUITE = """
import pytest
from razorpay_hardened import Money

@pytest.mark.parametrize("round", range(4))
def test_access_is_granted_once(round, razorpay, razorpay_emulator, razorpay_deliver):
    granted = []

    @razorpay.on("order.paid", name="grant")
    def grant(change, tx):
        granted.append(change.order.owner)

    order = razorpay.checkout.start(owner="user:7", amount=Money.inr("499.00"), key="cart-1")
    razorpay_emulator.pay(order.order_id)
    assert {attempt.status for attempt in razorpay_deliver()} == {200}
    assert razorpay_deliver() == []
    assert razorpay.checkout.status(order.order_id).status == "paid"
    assert granted == ["user:7"]
"""


def test_suite_of_a_user(pytester: pytest.Pytester) -> None:
    """A test that sells, pays and delivers passes with nothing but the fixtures, and shares nothing with the next."""
    pytester.makepyfile(SUITE)

    pytester.runpytest_inprocess("-p", "no:xdist", "-p", "no:cacheprovider").assert_outcomes(passed=4)


@pytest.mark.slow
def test_suite_in_several_processes(pytester: pytest.Pytester) -> None:
    """The fixtures work under pytest-xdist, because each test has its own of everything."""
    pytest.importorskip("xdist")
    pytester.makepyfile(SUITE)

    pytester.runpytest_subprocess("-n", "2", "-p", "no:cacheprovider", timeout=250).assert_outcomes(passed=4)


def test_fixtures_are_documented(pytester: pytest.Pytester) -> None:
    """`pytest --fixtures` explains each of them."""
    told = pytester.runpytest_inprocess("--fixtures", "-p", "no:xdist").stdout.str()

    for name in ("razorpay_emulator", "razorpay_store", "razorpay ", "razorpay_deliver", "razorpay_clock"):
        assert name in told
    assert "signed_webhook" in told
    assert "no docstring available" not in told.partition("razorpay_deliver")[2][:200]


@pytest.mark.slow
def test_loading_is_light() -> None:
    """pytest loads the plugin everywhere: it must bring neither the library's rooms nor any dependency."""
    code = (
        "import sys, pytest; before = set(sys.modules); import razorpay_hardened.testing.plugin;"
        "print(sorted(set(sys.modules) - before))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    allowed = {"razorpay_hardened", "razorpay_hardened._version", "razorpay_hardened.testing"}
    assert allowed | {"razorpay_hardened.testing.plugin"} == set(eval(found))


def test_emulator_is_the_same_every_time(razorpay_emulator: Emulator) -> None:
    """The emulator opens no socket and begins with the same account at each run."""
    assert (Emulator(in_process=True).key_id, True) == (razorpay_emulator.key_id, razorpay_emulator.in_process)


def test_store_has_its_tables(razorpay_store: MemoryStore) -> None:
    """The store can be used at once, and is empty."""
    status = razorpay_store.status()

    assert status.wanted == status.version
    assert razorpay_store.orders() == []


def test_razorpay_runs_on_the_emulators_clock(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Store, time and test mode are those of the other fixtures, whatever the environment says."""
    monkeypatch.setenv("RAZORPAY_KEY_ID", "rzp_live_0000000000")
    razorpay_emulator.clock.advance(60)

    assert razorpay.store is razorpay_store
    assert ("test", razorpay_emulator.clock.now()) == (razorpay.settings.mode, razorpay.clock.now())


def test_deliver_lets_time_pass(razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver) -> None:
    """With seconds, what falls due is delivered in its order; a failing handler is retried as Razorpay would."""
    failures = ["once"]

    @razorpay.on("order.paid", name="grant")
    def grant(change: object, tx: object) -> None:
        if failures:
            raise RuntimeError(failures.pop())

    order = razorpay.checkout.start(owner="user:7", amount=Money.inr("499.00"))
    razorpay_emulator.pay(order.order_id)
    statuses = [attempt.status for attempt in razorpay_deliver(3)]
    later = [attempt.status for attempt in razorpay_deliver(60)]

    assert (statuses.count(500), len(statuses)) == (1, 3)
    assert later == [200]
    assert razorpay.store.effects(states=("waiting",)) == []


def test_the_clock_is_everybodys(razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_clock: VirtualClock) -> None:
    """One clock: the fixture's, the emulator's and the library's."""
    before = razorpay.clock.now()
    razorpay_clock.advance(90)

    assert razorpay_emulator.clock is razorpay_clock
    assert (razorpay.clock.now() - before).total_seconds() == 90


def test_signed_webhooks_are_believed(razorpay: Razorpay, signed_webhook: SignedWebhooks) -> None:
    """A signed event is processed once; the second delivery is a duplicate; what it says is what was asked for."""
    paid: list[str] = []

    @razorpay.on("order.paid", name="grant")
    def grant(change: Any, tx: object) -> None:
        paid.append(change.order.razorpay_order_id)

    razorpay.checkout.adopt("order_00000000000001", owner="user:7", amount=Money.inr("5.00"))
    hook = signed_webhook("order.paid", payment={"amount": 500}, order={"id": "order_00000000000001"})
    assert [razorpay.webhooks.handle(hook.request()).status for _ in range(2)] == [200, 200]
    assert paid == ["order_00000000000001"]
    assert json.loads(hook.body)["created_at"] == int(razorpay.clock.now().timestamp())


def test_bad_signatures_are_refused(razorpay: Razorpay, signed_webhook: SignedWebhooks) -> None:
    """Another secret gives a webhook that is refused; one's own bytes can be signed."""
    stranger = signed_webhook("payment.captured", secret="somebody-else-0123456789")
    own = signed_webhook.sign(b'{"event":"something.new","payload":{}}', event_id="0123456789abcd")

    assert razorpay.webhooks.handle(stranger.request()).status in (400, 401, 403)
    assert razorpay.webhooks.handle(own.request()).status == 200
    assert own.headers["X-Razorpay-Event-Id"] == "0123456789abcd"


def test_event_ids_name_the_event(signed_webhook: SignedWebhooks) -> None:
    """The same event has the same id again, another one another."""
    ids = [signed_webhook(name, n=n).headers["X-Razorpay-Event-Id"] for name, n in SOME]

    assert len(set(ids)) == 3
    assert ids == [signed_webhook(name, n=n).headers["X-Razorpay-Event-Id"] for name, n in SOME]


SOME = (("payment.captured", 1), ("payment.captured", 2), ("payment.failed", 1))

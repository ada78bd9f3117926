"""Races that a prototype lost, on a real server, at every isolation level (FAULTS section 5; D4 to D6, E9, E10)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from bodies import AMOUNT, Shop, body, life_of, order, order_id, payment, payment_id, refund
from razorpay_hardened import Money, parse_entity
from razorpay_hardened.errors import OverRefund
from razorpay_hardened.storage import PostgresStore
from razorpay_hardened.storage.postgres import LOCK_TIMEOUT_S
from razorpay_hardened.testing._contract_values import started
from support.postgres_faults import deadlocks, new_database
from support.till import deliver_until_done, granted, new_till, open_till

TESTS = Path(__file__).parents[1]
LEVELS = ["read committed", "repeatable read", "serializable"]
RACES = int(os.environ.get("RACES", "12"))
"""How often each of the small races is run."""

pytestmark = [pytest.mark.slow]


@pytest.fixture(params=LEVELS)
def store(request: pytest.FixtureRequest) -> Iterator[PostgresStore]:
    with new_database() as url:
        made = PostgresStore(url, isolation=request.param, max_connections=40)
        new_till(made)
        yield made
        assert deadlocks(url) == 0
        made.close()


def at_once(*works: Any) -> list[Any]:
    """Begin all of these at one barrier; gives their results."""
    barrier = Barrier(len(works))

    def begin(work: Any) -> Any:
        barrier.wait(30)
        return work()

    return [join() for join in [started(lambda work=work: begin(work)) for work in works]]  # type: ignore[misc]


def check_paid(store: PostgresStore) -> None:
    assert granted(store) == {
        (order_id(n), name): 1 for n in range(1, RACES + 1) for name in ("payment.captured", "order.paid")
    }


def test_twin_milestones_have_one_effect_each(store: PostgresStore) -> None:
    """``payment.captured`` beside ``order.paid``: both tell of both milestones, at the same instant."""
    shop = open_till(store)
    for number in range(1, RACES + 1):
        shop.adopt(number)
        life = life_of(number)
        at_once(
            lambda life=life: deliver_until_done(shop, life["captured"]),
            lambda life=life: deliver_until_done(shop, life["order.paid"]),
        )
    check_paid(store)


def test_an_event_against_the_registration_of_its_order(store: PostgresStore) -> None:
    """E9: parked and drained, or applied: never left behind."""
    shop = open_till(store)
    for number in range(1, RACES + 1):
        life = life_of(number)
        at_once(
            lambda life=life: deliver_until_done(shop, life["order.paid"]),
            lambda number=number: shop.adopt(number),
            lambda life=life: deliver_until_done(shop, life["captured"]),
        )
    check_paid(store)
    assert store.deliveries(states=("parked",)) == []


def test_a_redelivery_against_the_drain(store: PostgresStore) -> None:
    """A parked event comes again while its order is registered, and while the scheduler looks at it: no deadlock."""
    shop = open_till(store)
    for number in range(1, RACES + 1):
        life = life_of(number)
        deliver_until_done(shop, life["order.paid"])
        digest = store.deliveries(states=("parked",))[0].digest
        at_once(
            lambda number=number: shop.adopt(number),
            lambda life=life: deliver_until_done(shop, life["order.paid"]),
            lambda: shop.rzp.webhooks.process_pending(),
            lambda digest=digest: shop.rzp.webhooks.replay(digest),
        )
    check_paid(store)
    assert store.deliveries(states=("parked",)) == []


class Foreign:
    """Razorpay, as far as it says that an order is somebody else's."""

    def __init__(self) -> None:
        self.orders = self

    def fetch(self, reference: str) -> Any:
        return parse_entity(order(int(reference[6:]), "paid", receipt="cafe-1"), "order")


@pytest.mark.parametrize("proven", [True, False], ids=["by its body", "by asking"])
def test_foreign_news_against_the_adoption_of_its_order(store: PostgresStore, proven: bool) -> None:
    """Set aside, asked about and adopted at the same instant, from several sides: in the end it is applied, once."""
    shop = open_till(store, client=Foreign(), options={"our_receipt_prefix": "shop-", "our_notes": {"app": "shop"}})
    for number in range(1, RACES + 1):
        notes = {"app": "cafe"} if proven else {}
        captured = body("payment.captured", payment=payment(number, "captured", notes=notes))
        paid = body(
            "order.paid", payment=payment(number, "captured", notes=notes), order=order(number, "paid", receipt=None)
        )
        if not proven:
            deliver_until_done(shop, captured)
            shop.clock.advance(16 * 60)
        at_once(
            lambda number=number: shop.adopt(number),
            lambda captured=captured: deliver_until_done(shop, captured),
            lambda paid=paid: deliver_until_done(shop, paid),
            lambda: shop.rzp.webhooks.process_pending(),
            lambda: shop.rzp.webhooks.process_pending(),
        )
    check_paid(store)
    assert {row.state for row in store.deliveries(limit=1000)} == {"done"}


class Refunds:
    """Razorpay, as far as it gives money back."""

    def __init__(self) -> None:
        self.payments = self
        self._made: dict[str, int] = {}

    def refund(self, of: str, amount: Money, *, idempotency_key: str, **_: Any) -> Any:
        number = self._made.setdefault(idempotency_key, len(self._made) + 1)
        entity = refund(number, "processed", amount=amount.subunits)
        return parse_entity(entity | {"payment_id": of}, "refund")


def test_two_refunds_at_once_never_give_back_more_than_was_paid(store: PostgresStore) -> None:
    """Sixty pairs, each of 60 % twice: one is sent, one is OverRefund (a sum in SQL over-refunded 60 of 60)."""
    shop = open_till(store, client=Refunds())
    part = Money(AMOUNT * 6 // 10)
    pairs = range(1, 61)
    for number in pairs:
        shop.adopt(number)
        assert shop.deliver(life_of(number)["captured"]) == 200

    def give_back(number: int, which: str) -> str:
        try:
            shop.rzp.checkout.refund(payment_id(number), part, key=f"key-{number:06}-{which}")
        except OverRefund:
            return "refused"
        return "sent"

    for number in pairs:
        ends = at_once(lambda n=number: give_back(n, "a"), lambda n=number: give_back(n, "b"))
        assert sorted(ends) == ["refused", "sent"]
        held = store.payment(payment_id(number))
        assert held is not None
        assert held.refunded == part.subunits <= held.amount


def test_two_events_that_touch_the_same_rows_crosswise(store: PostgresStore) -> None:
    """D5: a refund and a payment of one order, from both ends, each carrying the other's entity."""
    shop = open_till(store)
    for number in range(1, RACES + 1):
        shop.adopt(number)
        life = life_of(number)
        at_once(*(lambda raw=raw: deliver_until_done(shop, raw) for raw in life.values()))
    assert {row.status for row in store.payments(limit=1000)} == {"refunded"}
    assert set(granted(store).values()) == {1}


# --- the crowd


def race(workers: int, events: int, isolation: str) -> dict[str, Any]:
    """Run ``support.races`` in a process of its own: it forks, and a test runner has threads."""
    command = [sys.executable, "-W", "error", "-m", "support.races", str(workers), str(events), isolation]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    print(f"\n{workers} workers, {events} events, {isolation}: {found}")
    return found


class Between:
    """A store whose next transaction is interrupted: after it has first locked and read, something else commits."""

    def __init__(self, store: PostgresStore, meanwhile: Callable[[], object]) -> None:
        self._store = store
        self.meanwhile: Callable[[], object] | None = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def transaction(self, **chosen: Any) -> Iterator[Any]:
        with self._store.transaction(**chosen) as tx:
            load = tx.load

            def interrupted(touches: Any) -> Any:
                held = load(touches)
                meanwhile, self.meanwhile = self.meanwhile, None
                if meanwhile is not None:
                    started(meanwhile)()
                return held

            tx.load = interrupted  # type: ignore[method-assign]
            yield tx


def test_a_row_that_was_read_before_its_own_anchor_was_locked_is_read_again(store: PostgresStore) -> None:
    """Closing an order beside a webhook: what the webhook committed in between is not written back to what it was."""
    shop = Shop(store)
    shop.adopt(1)
    failed = body("payment.failed", payment=payment(1, "failed"))
    closing = Shop(Between(store, lambda: shop.deliver(failed)))  # type: ignore[arg-type]

    closed = closing.rzp.checkout.close(order_id(1))

    held = store.order(order_id(1))
    assert held is not None
    assert (held.status, held.closed_at) == ("attempted", closed.closed_at)
    assert shop.rzp.audit.verify().whole


@pytest.mark.parametrize("isolation", LEVELS)
def test_a_crowd_of_workers_causes_each_effect_once(isolation: str) -> None:
    """Eight workers, two hundred events, each delivered twice at once: one effect each, and no deadlock.

    Read committed refuses nobody; up to three races are run until one was not held up by this machine for as long as
    anybody waits for a lock, when 503 is the right answer.
    """
    for _ in range(3):
        found = race(8, 200, isolation)
        assert found["wrong"] == []
        assert found["deadlocks"] == 0
        assert found["answers"]["200"] == 400
        if isolation != "read committed" or found["longest"] < LOCK_TIMEOUT_S:
            break
    if isolation == "read committed":
        assert found["answers"] == {"200": 400}


@pytest.mark.campaign
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("isolation", LEVELS)
def test_thirty_two_workers_and_ten_thousand_events(isolation: str) -> None:
    """The same at full size."""
    found = race(32, 10_000, isolation)
    assert found["wrong"] == []
    assert found["deadlocks"] == 0
    assert found["answers"]["200"] == 20_000

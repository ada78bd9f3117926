"""Deliveries about every other kind: 200, stored, their milestones exactly once, whatever the order of arrival."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice, permutations
from pathlib import Path
from typing import Any

import pytest

from bodies import ACCOUNT, START, Shop, request
from razorpay_hardened import MemoryStore, Money
from razorpay_hardened.domain.entities import Dispute, Subscription
from razorpay_hardened.domain.events import read_event
from razorpay_hardened.domain.kinds import ENTITY_MILESTONES, EVENTS, LIVES
from razorpay_hardened.domain.lifecycle import MILESTONES
from razorpay_hardened.domain.state import EntityState
from razorpay_hardened.errors import ConfigError, IdMalformed, InconsistentEvent, PayloadInvalid
from razorpay_hardened.ports.store import Touches
from razorpay_hardened.signals import Alarm, EventParked, StatusChanged, TransitionRefused
from razorpay_hardened.testing import factories
from support.branches import branch

SAMPLES = Path(__file__).parents[3] / "shared" / "razorpay" / "samples" / "webhooks"
FILES = sorted(SAMPLES.glob("*.json"))
ORDER, PAYMENT = "order_Sample00000001", "pay_Sample00000001"


def news(event: str, *, after: int = 0, **entities: Any) -> bytes:
    """A factory's body, made ``after`` seconds."""
    return factories.body(event, account_id=ACCOUNT, at=START + timedelta(seconds=after), **entities)


class Counted:
    """A shop whose handlers write down what fires: keys, in order."""

    def __init__(self, **options: Any) -> None:
        self.store = MemoryStore()
        self.shop = Shop(self.store, options=options)
        self.changes: list[Any] = []
        for milestone in (*MILESTONES, *ENTITY_MILESTONES):
            self.shop.rzp.on(milestone, name="count")(lambda change, tx: self.changes.append(change))

    @property
    def keys(self) -> list[str]:
        return [change.key for change in self.changes]

    @contextmanager
    def afresh(self) -> Iterator[None]:
        """Within the block nothing has come yet; what comes is gone after it. Cheaper than another shop."""
        with branch(self.store):
            self.changes.clear()
            yield

    def deliver(self, *bodies: bytes) -> None:
        for raw in bodies:
            assert self.shop.deliver(raw) == 200

    def adopt(self) -> None:
        self.shop.rzp.checkout.adopt(ORDER, owner="user:7", amount=Money(49900))

    def entity(self, entity_id: str) -> EntityState:
        found = self.store.entity(entity_id)
        assert found is not None
        return found


# --- every event


@pytest.mark.parametrize("event", factories.EVENTS)
def test_every_event_of_the_factories_fires_its_milestone_once(event: str) -> None:
    """Three deliveries of one body: 200 each, one row, the milestone of its name once; the payment inside waits or not
    as it always does."""
    counted = Counted()
    counted.deliver(*[news(event)] * 3)
    (row,) = counted.store.deliveries()
    assert row.state in ("done", "parked"), row.reason
    if event not in EVENTS:
        return
    assert Counter(change.milestone for change in counted.changes)[EVENTS[event].milestone] == 1
    assert len(set(counted.keys)) == len(counted.keys)
    for change in counted.changes:
        if change.milestone in ENTITY_MILESTONES:
            assert change.entity.status == change.after
            assert change.kind in LIVES or EVENTS[event].status is None


@pytest.mark.slow
@pytest.mark.skipif(not FILES, reason="the official samples are not beside this checkout")
def test_every_official_sample_fires_its_milestone() -> None:
    """All but those whose payment or order ids are not ids, which are quarantined (tests/acceptance has the list)."""
    quarantined = 0
    counted = Counted(unknown_order="accept")
    for path in FILES:
        with counted.afresh():
            counted.deliver(path.read_bytes())
            (row,) = counted.store.deliveries()
        if row.state == "quarantined":
            quarantined += 1
            assert "id_malformed" in (row.reason or ""), path.name
            continue
        told = EVENTS.get(json.loads(path.read_bytes())["event"])
        assert row.state in ("done", "parked"), (path.name, row.reason)
        assert told is None or told.milestone in {change.milestone for change in counted.changes}, path.name
    assert quarantined == 7


def test_an_unknown_type_is_stored_and_ignored() -> None:
    """Razorpay adds types at any time; and one about nothing at all has nothing to tell."""
    counted = Counted()
    counted.deliver(b'{"event":"dispute.teleported","payload":{}}', b'{"event":"account.updated"}')
    assert [row.state for row in counted.store.deliveries()] == ["ignored", "ignored"]
    assert counted.changes == []


def test_what_cannot_be_used_is_quarantined() -> None:
    """No entity, an id that would be another's anchor, an event that contradicts its entity."""
    for raw, error in (
        (b'{"event":"settlement.processed","payload":{}}', PayloadInvalid),
        (news("settlement.processed", settlement={"id": ORDER}), IdMalformed),
        (news("settlement.processed", settlement={"id": "a b"}), IdMalformed),
        (news("settlement.processed", settlement={"status": 7}), PayloadInvalid),
        (news("subscription.cancelled", subscription={"status": "active"}), InconsistentEvent),
    ):
        with pytest.raises(error):
            read_event(raw).facts()
        counted = Counted()
        counted.deliver(raw)
        assert [row.state for row in counted.store.deliveries()] == ["quarantined"]
        assert counted.changes == []


# --- documented lives, in every order


def subscription(status: str, **fields: Any) -> dict[str, Any]:
    return {"subscription": {"status": status, **fields}}


def charge(number: int, *, after: int) -> bytes:
    payment = {"id": f"pay_Sample{number:08d}", "order_id": None}
    return news("subscription.charged", after=after, subscription={"paid_count": number}, payment=payment)


LIVES_LIVED: dict[str, tuple[list[bytes], str, str]] = {
    "subscription": (
        [
            news("subscription.authenticated", after=1, **subscription("authenticated")),
            news("subscription.activated", after=2),
            charge(1, after=3),
            news("subscription.pending", after=4, **subscription("pending")),
            charge(2, after=5),
        ],
        "sub_Sample00000001",
        "active",
    ),
    "subscription that ends": (
        [
            charge(1, after=3),
            news("subscription.halted", after=4, **subscription("halted")),
            news("subscription.activated", after=5),
            news("subscription.paused", after=6, **subscription("paused")),
            news("subscription.cancelled", after=7),
        ],
        "sub_Sample00000001",
        "cancelled",
    ),
    "dispute": (
        [
            news("payment.dispute.created", after=1),
            news("payment.dispute.under_review", after=2),
            news("payment.dispute.action_required", after=3),
            news("payment.dispute.under_review", after=4),
            news("payment.dispute.lost", after=5),
        ],
        "disp_Sample00000001",
        "lost",
    ),
    "payment link": (
        [
            news("payment_link.partially_paid", after=1),
            news("payment_link.partially_paid", after=2, payment={"id": "pay_Sample00000002"}),
            news("payment_link.paid", after=3, payment={"id": "pay_Sample00000003"}),
        ],
        "plink_Sample00000001",
        "paid",
    ),
    "invoice": ([news("invoice.partially_paid", after=1), news("invoice.paid", after=2)], "inv_Sample00000001", "paid"),
    "QR code": (
        [
            news("qr_code.created", after=1),
            news("qr_code.credited", after=2),
            news("qr_code.credited", after=3, payment={"id": "pay_Sample00000002"}),
            news("qr_code.closed", after=4),
        ],
        "qr_Sample00000001",
        "closed",
    ),
    "virtual account": (
        [
            news("virtual_account.created", after=1),
            news("virtual_account.credited", after=2),
            news("virtual_account.credited", after=3, payment={"id": "pay_Sample00000002"}),
            news("virtual_account.closed", after=4),
        ],
        "va_Sample00000001",
        "closed",
    ),
    "downtime": (
        [
            news("payment.downtime.started", after=1),
            news("payment.downtime.updated", after=2),
            news("payment.downtime.updated", after=3),
            news("payment.downtime.resolved", after=4),
        ],
        "down_Sample00000001",
        "resolved",
    ),
    "mandate": (
        [
            news("token.confirmed", after=1),
            news("token.paused", after=2),
            news("token.resumed", after=3),
            news("token.paused", after=4),
        ],
        "token_Sample00000001",
        "paused",
    ),
    "payout link": (
        [
            news("payout_link.pending", after=1),
            news("payout_link.issued", after=2),
            news("payout_link.processing", after=3),
            news("payout_link.attempted", after=4),
            news("payout_link.processing", after=5),
        ],
        "poutlk_Sample00000001",
        "processing",
    ),
    "payout": (
        [news(f"payout.{name}", after=at) for at, name in enumerate(("pending", "queued", "initiated", "processed"))]
        + [news("payout.reversed", after=9)],
        "pout_Sample00000001",
        "reversed",
    ),
    "transfer": (
        [news("transfer.failed", after=1), news("transfer.processed", after=2)],
        "trf_Sample00000001",
        "processed",
    ),
}


@pytest.mark.parametrize("phase", [["fraud"], {}, 7, None])
def test_a_phase_that_is_no_text_is_none(phase: Any) -> None:
    """Kept as sent, and no rule is asked about it: the dispute itself is real."""
    counted = Counted()
    counted.deliver(news("payment.dispute.created", dispute={"phase": phase}))
    assert [key.partition(":")[0] for key in counted.keys] == ["dispute.created"]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (len(life[0]) > 4)) for name, life in LIVES_LIVED.items()],
)
def test_a_life_converges_in_every_order_of_arrival(name: str) -> None:
    """With duplicates: one status, and the same milestones, each once, whatever came first."""
    bodies, entity_id, end = LIVES_LIVED[name]
    expected: set[str] = set()
    counted = Counted()
    for arrivals in islice(permutations(bodies), 0, None, 5 if len(bodies) > 4 else 1):
        with counted.afresh():
            counted.deliver(*arrivals, *arrivals)
            assert counted.entity(entity_id).status == end, [json.loads(raw)["event"] for raw in arrivals]
        fired = [key for key in counted.keys if not key.startswith(("payment.", "order."))]
        assert len(set(fired)) == len(fired)
        expected = expected or set(fired)
        assert set(fired) == expected
    assert len(expected) >= len({json.loads(raw)["event"] for raw in bodies})


# --- what handlers are told


def test_a_handler_is_told_of_the_charge() -> None:
    """The subscription as its model, its status before and after, and what was paid, by which payment."""
    counted = Counted()
    counted.deliver(news("subscription.authenticated", **subscription("authenticated")), charge(1, after=1))
    change = counted.changes[-1]
    assert (change.milestone, change.kind, change.before, change.after) == (
        "subscription.charged",
        "subscription",
        "authenticated",
        "active",
    )
    assert (change.payment_id, change.occasion, change.paid) == (PAYMENT, PAYMENT, Money(49900))
    assert isinstance(change.entity.razorpay, Subscription)
    assert change.entity.razorpay.paid_count == 1
    assert change.order is None
    (told,) = [signal for signal in counted.shop.told(StatusChanged) if signal.after == "active"]
    assert (told.kind, told.before) == ("subscription", "authenticated")


def test_payments_inside_go_through_the_same_ledger() -> None:
    """An order of ours: paid, its milestones first; the handler of the link is told whose order it was."""
    counted = Counted()
    counted.adopt()
    counted.deliver(news("payment_link.paid"))
    assert [change.milestone for change in counted.changes] == [
        "payment.authorized",
        "payment.captured",
        "order.paid",
        "payment_link.paid",
    ]
    assert counted.changes[-1].order.owner == "user:7"
    assert counted.entity("plink_Sample00000001").anchor == ORDER


def test_a_dispute_is_told_with_its_order_and_amount() -> None:
    """Razorpay's name of the event does for a handler, too."""
    counted = Counted()
    seen: list[Any] = []
    counted.shop.rzp.after("payment.dispute.created", name="mail")(seen.append)
    counted.adopt()
    counted.deliver(news("payment.captured"), news("payment.dispute.created", after=1))
    (change,) = seen
    assert (change.milestone, change.order.owner, change.payment_id) == ("dispute.created", "user:7", PAYMENT)
    assert isinstance(change.entity.razorpay, Dispute)
    assert change.entity.razorpay.money == Money(49900)
    with pytest.raises(ConfigError, match="no milestone"):
        counted.shop.rzp.on("dispute.teleported")


def test_what_is_shown_has_no_snapshot_where_the_event_had_no_entity() -> None:
    """An event about the account as such."""
    counted = Counted()
    counted.deliver(news("account.app.authorization_revoked"))
    (change,) = counted.changes
    assert (change.entity.entity_id, change.entity.razorpay) == (ACCOUNT, None)


# --- an order that is not ours to know


def test_other_news_does_not_wait_for_the_order() -> None:
    """The payment of an unknown order is parked; the subscription's charge is told at once, and not again later."""
    counted = Counted()
    counted.deliver(news("subscription.charged"))
    assert counted.keys == [f"subscription.charged:sub_Sample00000001:{PAYMENT}"]
    assert [row.state for row in counted.store.deliveries()] == ["parked"]
    assert len(counted.shop.told(EventParked)) == 1
    assert counted.store.payment(PAYMENT) is None
    for _ in range(3):
        counted.shop.rzp.webhooks.process_pending()
    trail = counted.store.audit("sub_Sample00000001")
    counted.adopt()
    assert [row.state for row in counted.store.deliveries()] == ["done"]
    assert sorted(counted.keys) == sorted(
        [
            f"order.paid:{ORDER}",
            f"payment.authorized:{PAYMENT}",
            f"payment.captured:{PAYMENT}",
            f"subscription.charged:sub_Sample00000001:{PAYMENT}",
        ]
    )
    assert counted.store.audit("sub_Sample00000001") == trail


def test_its_failed_handler_is_retried_by_the_redelivery_and_then_it_waits() -> None:
    """500 until the handler has succeeded, then parked: nothing of the payment is lost on the way."""
    shop = Shop(MemoryStore())
    tries: list[str] = []

    def book(change: Any, tx: Any) -> None:
        tries.append(change.key)
        if len(tries) < 3:
            raise ConnectionError

    shop.rzp.on("subscription.charged", name="book")(book)
    raw = news("subscription.charged")
    assert [shop.deliver(raw) for _ in range(5)] == [500, 500, 200, 200, 200]
    assert len(tries) == 3
    assert [row.state for row in shop.store.deliveries()] == ["parked"]
    shop.rzp.checkout.adopt(ORDER, owner="user:7", amount=Money(49900))
    assert shop.store.payment(PAYMENT) is not None
    assert [row.state for row in shop.store.deliveries()] == ["done"]


def test_an_order_that_became_known_meanwhile_gets_its_payment() -> None:
    """Adopted while the delivery waited for its handler: the redelivery brings the rest."""
    shop = Shop(MemoryStore())
    works: list[bool] = []

    def book(change: Any, tx: Any) -> None:
        if not works:
            raise ConnectionError

    shop.rzp.on("subscription.charged", name="book")(book)
    raw = news("subscription.charged")
    assert shop.deliver(raw) == 500
    shop.rzp.checkout.adopt(ORDER, owner="user:7", amount=Money(49900))
    works.append(True)
    assert shop.deliver(raw) == 200
    assert shop.store.order(ORDER).status == "paid"  # type: ignore[union-attr]
    assert [row.state for row in shop.store.deliveries()] == ["done"]


def test_a_handler_that_waits_is_told_the_same_by_a_worker() -> None:
    """With ``ack="stored"`` the row is read again, under the anchor of its order or its own."""
    shop = Shop(MemoryStore(), ack="stored")
    seen: list[Any] = []
    shop.rzp.on("settlement.processed", name="book")(lambda change, tx: seen.append(change))
    shop.rzp.after("dispute.created", name="mail")(seen.append)
    assert {shop.deliver(news("settlement.processed")), shop.deliver(news("payment.dispute.created"))} == {200}
    assert seen == []
    shop.rzp.webhooks.process_pending()
    assert {change.entity.status for change in seen} == {"processed", "open"}


# --- refusals, replays, ends


def test_a_late_handler_is_not_called_for_what_has_fired() -> None:
    """Not even when an operator forces the delivery once more."""
    counted = Counted()
    counted.deliver(news("settlement.processed"))
    late: list[Any] = []
    counted.shop.rzp.on("settlement.processed", name="late")(lambda change, tx: late.append(change))
    (row,) = counted.store.deliveries()
    told = counted.shop.rzp.webhooks.replay(row.digest, force=True)
    assert (told.after, told.milestones, late, len(counted.changes)) == ("done", (), [], 1)


def test_older_news_is_on_record_and_harmless() -> None:
    """Stale, with the signal and the audit row that payments have."""
    counted = Counted()
    counted.deliver(news("payment_link.paid", after=9), news("payment_link.partially_paid", after=1))
    (refused,) = counted.shop.told(TransitionRefused)
    assert (refused.status, refused.refused) == ("paid", "partially_paid")
    assert [(row.what, row.after) for row in counted.store.audit("plink_Sample00000001")] == [
        ("changed", "paid"),
        ("stale", "paid"),
    ]


def test_two_ends_raise_an_alarm() -> None:
    """A link that expired was paid after all: paid holds, in either order, and a person hears of it."""
    counted = Counted()
    counted.deliver(news("payment_link.expired", after=1), news("payment_link.paid", after=2))
    assert counted.entity("plink_Sample00000001").status == "paid"
    assert "ends_twice" in {alarm.reason for alarm in counted.shop.told(Alarm)}


def test_news_without_its_time_is_told_apart_by_its_bytes() -> None:
    """Some bodies have no ``created_at``, or have it in the wrong place."""
    body = json.loads(news("token.paused"))
    seconds = body.pop("created_at")
    slipped = {**body, "payload": {**body["payload"], "created_at": seconds}}
    odd = {**body, "payload": {**body["payload"], "created_at": "soon"}}
    counted = Counted()
    counted.deliver(*(json.dumps(one).encode() for one in (body, odd, slipped, body)))
    first, second, third = counted.keys
    assert len(first) == len(second) == len("token.paused:token_Sample00000001:") + 16
    assert third == f"token.paused:token_Sample00000001:{seconds}"


def test_an_event_shows_its_entities() -> None:
    """Beside order, payment and refund: what it is about, as the model of its kind."""
    event = read_event(news("subscription.charged"))
    assert [type(entity) for entity in event.entities] == [Subscription]
    assert event.payment is not None
    assert read_event(news("payment.captured")).entities == ()


def test_an_effect_that_was_given_up_is_tried_again_on_request() -> None:
    """Of a body that came a day late: its effect hangs on the order, and the replay finds it there."""
    shop = Shop(MemoryStore())
    works: list[bool] = []

    def book(change: Any, tx: Any) -> None:
        if not works:
            raise ConnectionError

    shop.rzp.on("dispute.created", name="book")(book)
    shop.rzp.checkout.adopt(ORDER, owner="user:7", amount=Money(49900))
    raw = news("payment.dispute.created")
    assert shop.deliver(raw) == 500
    shop.clock.advance(timedelta(hours=21).total_seconds())
    assert shop.deliver(raw) == 200
    (row,) = shop.store.deliveries()
    assert row.state == "dead"
    works.append(True)
    assert shop.rzp.webhooks.replay(row.digest).after == "done"
    assert [effect.state for effect in shop.store.effects()] == ["done"]


def test_a_list_of_entities_is_as_many_facts() -> None:
    """Network tokens come as a list."""
    body = json.loads(news("token.service_provider.activated"))
    part = body["payload"]["service_provider_token"]
    part["entity"] = [part["entity"], {**part["entity"], "id": "spt_Sample00000002"}]
    counted = Counted()
    counted.deliver(json.dumps(body).encode())
    assert {row.entity_id for row in counted.store.entities()} == {"spt_Sample00000001", "spt_Sample00000002"}
    assert len(counted.keys) == 2


def test_news_of_an_erased_person_leaves_nothing_personal() -> None:
    """The snapshot stays impersonal, and the late body is not kept."""
    counted = Counted()
    counted.deliver(news("subscription.activated", subscription={"notes": {"name": "Gaurav"}}))
    counted.shop.clock.advance(timedelta(days=4000).total_seconds())
    counted.shop.rzp.retention.apply()
    assert "Gaurav" not in (counted.entity("sub_Sample00000001").snapshot or "")
    counted.deliver(news("subscription.updated", after=9, subscription={"notes": {"name": "Gaurav"}}))
    state = counted.entity("sub_Sample00000001")
    assert "Gaurav" not in (state.snapshot or "")
    assert isinstance(state.razorpay, Subscription)
    assert all(b"Gaurav" not in row.body for row in counted.store.deliveries())


def test_an_entity_is_erased_with_its_order() -> None:
    """A dispute hangs on its order: forgetting the owner forgets what was said in it."""
    counted = Counted()
    counted.adopt()
    counted.deliver(news("payment.captured"), news("payment.dispute.created", dispute={"comments": "Gaurav says no"}))
    told = counted.shop.rzp.retention.erase(owner="user:7")
    assert told.complete
    state = counted.entity("disp_Sample00000001")
    assert state.erased_at is not None
    assert "Gaurav" not in (state.snapshot or "")


def test_the_locks_are_taken_in_one_order() -> None:
    """Whatever may be locked is named before anything is: order, payment, and the entity's own."""
    seen: list[Sequence[str]] = []
    store = MemoryStore()
    with store.transaction() as tx:
        load = type(tx).load

    def watched(self: Any, touches: Touches) -> Any:
        seen.append(touches.anchors)
        return load(self, touches)

    shop = Shop(store, options={"unknown_order": "accept"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(tx), "load", watched)
        shop.deliver(news("subscription.charged"))
    assert seen[0] == (ORDER, PAYMENT, "sub_Sample00000001")
    assert {name for anchors in seen for name in anchors} == set(seen[0])


@pytest.mark.parametrize("size", [2, pytest.param(7, marks=pytest.mark.slow), pytest.param(50, marks=pytest.mark.slow)])
def test_batches_of_every_kind_end_as_one_by_one(size: int) -> None:
    """Mixed deliveries that share commits: the same answers, milestones and states as each alone, twice over."""
    bodies = [news(event) for event in factories.EVENTS] * 2
    alone, grouped = Counted(), Counted()
    for one in (alone, grouped):
        one.adopt()
    answers = [alone.shop.deliver(raw) for raw in bodies]

    together: list[int] = []
    for start in range(0, len(bodies), size):
        part = [request(raw) for raw in bodies[start : start + size]]
        together += [reply.status for reply in grouped.shop.rzp.webhooks.handle_many(part)]

    assert together == answers
    assert Counter(grouped.keys) == Counter(alone.keys)
    assert len(set(grouped.keys)) == len(grouped.keys) > 100
    assert _statuses(grouped) == _statuses(alone)


def _statuses(one: Counted) -> dict[str, Any]:
    store = one.store
    return {
        "inbox": {row.digest: row.state for row in store.deliveries(limit=1000)},
        "entities": {row.entity_id: row.status for row in store.entities()},
        "payments": {row.payment_id: (row.status, row.refunded) for row in store.payments()},
        "refunds": {row.refund_id: row.status for row in store.refunds()},
        "orders": {row.order_id: row.status for row in store.orders()},
    }

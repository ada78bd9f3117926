"""The law of every other kind, as it is written down in FACTS section 9 and the table of events."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened.domain.facts import EntityFact
from razorpay_hardened.domain.ids import PaymentId
from razorpay_hardened.domain.kinds import (
    ALIASES,
    ENTITY_MILESTONES,
    EVENTS,
    LIVES,
    PHASE_RANK,
    Once,
    decide_entity,
    ends_twice,
    entity_milestones,
    fits_entity,
    leads_to,
    taken_status,
)
from razorpay_hardened.domain.lifecycle import MILESTONES, Verdict
from razorpay_hardened.domain.state import EntityState
from razorpay_hardened.errors import InconsistentEvent
from razorpay_hardened.testing import factories

T0 = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TABLE = Path(__file__).parents[3] / "shared" / "razorpay" / "WEBHOOK_EVENTS.md"

# Read from FACTS section 9 a second time: > is a step that is never taken back, ~ one that may be.
WRITTEN = {
    "dispute": "open ~ under_review > closed > won > lost",
    "subscription": "created > authenticated > active ~ pending ~ halted ~ paused > expired > completed > cancelled",
    "payment_link": "created > partially_paid > expired > cancelled > paid",
    "invoice": "draft > issued > partially_paid > deleted > expired > cancelled > paid",
    "qr_code": "active > closed",
    "virtual_account": "active > closed",
    "settlement": "created > failed > processed",
    "settlement.ondemand": "created > initiated > partially_processed > processed > reversed",
    "transfer": "created > pending > failed > processed > partially_reversed > reversed",
    "payout": "pending > scheduled > queued > processing > rejected > cancelled > processed > reversed ~ failed",
    "payout_link": "pending > issued ~ processing ~ attempted > rejected > expired > cancelled > processed",
    "token": "initiated > confirmed ~ paused ~ active ~ suspended > cancellation_initiated > rejected > failed"
    " > cancelled > deactivated",
    "fund_account.validation": "created > failed > completed",
    "payment.downtime": "scheduled > started > updated > resolved",
    "payout.downtime": "scheduled > started > updated > resolved",
}

ENDS = {
    "dispute": "closed won lost",
    "subscription": "expired completed cancelled",
    "payment_link": "expired cancelled paid",
    "invoice": "deleted expired cancelled paid",
    "qr_code": "closed",
    "virtual_account": "closed",
    "settlement": "processed",
    "settlement.ondemand": "processed reversed",
    "transfer": "failed reversed",
    "payout": "rejected cancelled",
    "payout_link": "rejected expired cancelled processed",
    "token": "rejected failed cancelled deactivated",
    "fund_account.validation": "failed completed",
    "payment.downtime": "resolved",
    "payout.downtime": "resolved",
}
"""The statuses after which nothing is documented."""


def stages_of(kind: str) -> list[list[str]]:
    return [stage.split(" ~ ") for stage in WRITTEN[kind].split(" > ")]


def fact(kind: str, status: str, *, at: int = 0, **changes: Any) -> EntityFact:
    told_at = T0 + timedelta(seconds=at)
    values = {"told_at": told_at, "occasion": str(at), "snapshot": f'{{"id": "x_1", "status": "{status}", "at": {at}}}'}
    return EntityFact(kind=kind, entity_id="x_1", status=status, **(values | changes))


def after(*facts: EntityFact) -> EntityState:
    held: EntityState | None = None
    for one in facts:
        held = decide_entity(held, one, "x_1", T0).state
    assert held is not None
    return held


# --- status: every pair, against the table


def test_the_tables_are_those_that_were_read() -> None:
    """Stage for stage, and with the same ends."""
    assert LIVES.keys() == WRITTEN.keys() == ENDS.keys()
    for kind, life in LIVES.items():
        assert [list(stage) for stage in life.stages] == stages_of(kind), kind
        assert {status for status in life.statuses if life.is_end(status)} == set(ENDS[kind].split()), kind


@pytest.mark.parametrize("kind", LIVES)
def test_every_pair_of_statuses_is_decided_by_the_table(kind: str) -> None:
    """Held × incoming × told earlier, in the same second, later: forward moves, backward is stale, within a stage the
    event's own time decides."""
    place = {
        status: (number, inner) for number, stage in enumerate(stages_of(kind)) for inner, status in enumerate(stage)
    }
    for held, said, at in product(place, place, (-1, 0, 1)):
        state, verdict = decide_entity(after(fact(kind, held)), fact(kind, said, at=at), "x_1", T0)
        (stage, inner), (stage_said, inner_said) = place[held], place[said]
        told = (kind, held, said, at)
        if held == said:
            assert (state.status, verdict) == (held, Verdict.SAME), told
            assert state.told_at == T0 + timedelta(seconds=max(at, 0)), told
        elif (stage_said, at, inner_said) > (stage, 0, inner):
            assert (state.status, verdict) == (said, Verdict.MOVED), told
        else:
            assert (state.status, verdict) == (held, Verdict.STALE), told


@pytest.mark.parametrize("kind", LIVES)
def test_every_documented_step_can_be_taken(kind: str) -> None:
    """The table of what may follow what never contradicts the stages; and no end leads anywhere."""
    life = LIVES[kind]
    for before, steps in life.next.items():
        for step in steps:
            assert life.stage(before) >= 0
            assert life.stage(step) >= life.stage(before), (before, step)
            moved = decide_entity(after(fact(kind, before)), fact(kind, step, at=1), "x_1", T0)
            assert moved.state.status == step
            assert not ends_twice(after(fact(kind, before)), moved.state)


@pytest.mark.parametrize("kind", LIVES)
def test_an_end_is_never_left_for_something_earlier(kind: str) -> None:
    """Whatever the time says; and a jump from one end to another is told."""
    life = LIVES[kind]
    for end, said in product(ENDS[kind].split(), life.statuses):
        state = decide_entity(after(fact(kind, end)), fact(kind, said, at=9), "x_1", T0).state
        assert life.stage(state.status) >= life.stage(end)
        assert ends_twice(after(fact(kind, end)), state) == (state.status != end)


def test_a_kind_without_a_life_follows_the_newest_event() -> None:
    """Whatever it says: nothing is documented that could contradict it."""
    told = [fact("merchant", status, at=at) for at, status in enumerate(("under_review", "activated", "suspended"))]
    assert {after(*order).status for order in permutations(told)} == {"suspended"}
    held = after(*told)
    assert not ends_twice(held, replace(held, status="activated"))


def test_a_status_that_is_not_known_is_kept_and_moves_nothing() -> None:
    """Raw, where it is all that we have; a known one replaces it, and is never replaced by it."""
    state, verdict = decide_entity(None, fact("invoice", "teleported"), "x_1", T0)
    assert (state.status, verdict) == ("teleported", Verdict.UNKNOWN_STATUS)
    known, verdict = decide_entity(state, fact("invoice", "draft", at=-9), "x_1", T0)
    assert (known.status, verdict) == ("draft", Verdict.MOVED)
    again, verdict = decide_entity(known, fact("invoice", "teleported", at=9), "x_1", T0)
    assert (again.status, verdict) == ("draft", Verdict.UNKNOWN_STATUS)


def test_without_a_time_the_moment_of_learning_counts() -> None:
    """Some bodies do not say when they happened."""
    state = decide_entity(None, fact("token", "paused", told_at=None), "x_1", T0).state
    assert state.told_at == T0


def test_a_dispute_begins_again_in_a_later_phase() -> None:
    """Won as a chargeback, it may come back as an arbitration, under the same id."""
    won, back = fact("dispute", "won", at=5, phase="chargeback"), fact("dispute", "open", at=6, phase="arbitration")
    for order in permutations([won, back, fact("dispute", "open", phase="chargeback")]):
        state = after(*order)
        assert (state.status, state.phase) == ("open", "arbitration")
    assert not ends_twice(after(won), after(won, back))
    assert PHASE_RANK["fraud"] == PHASE_RANK["retrieval"] < PHASE_RANK["chargeback"] < PHASE_RANK["pre_arbitration"]
    assert after(won, fact("dispute", "open", at=9, phase="unheard_of")).status == "won"


def test_an_order_that_is_known_later_is_taken_up() -> None:
    """A link's news may come before the one that names its order; what it belongs to is never taken away."""
    alone = decide_entity(None, fact("payment_link", "created"), "x_1", T0).state
    bound = decide_entity(alone, fact("payment_link", "created", at=-1), "order_A", T0).state
    assert (alone.anchor, bound.anchor) == ("x_1", "order_A")
    assert decide_entity(bound, fact("payment_link", "paid"), "x_1", T0).state.anchor == "order_A"


def test_one_id_is_of_one_kind() -> None:
    """Else two laws would decide about one row."""
    with pytest.raises(InconsistentEvent, match="that of a invoice, and now of a dispute"):
        decide_entity(after(fact("invoice", "paid")), fact("dispute", "open"), "x_1", T0)


_FACTS = st.sampled_from(sorted(LIVES)).flatmap(
    lambda kind: st.tuples(
        st.lists(
            st.builds(
                lambda status, at, phase: fact(kind, status, at=at, phase=phase if kind == "dispute" else None),
                st.sampled_from((*LIVES[kind].statuses, "teleported")),
                st.integers(0, 3),
                st.sampled_from(["chargeback", "arbitration"]),
            ),
            min_size=1,
            max_size=6,
        ),
        st.randoms(use_true_random=False),
    )
)


@given(_FACTS)
def test_any_facts_in_any_order_any_number_of_times_end_the_same(drawn: tuple[list[EntityFact], Any]) -> None:
    """The greatest of what was told: commutative, associative, idempotent."""
    told, random = drawn
    doubled = told * 2
    random.shuffle(doubled)
    first, second = after(*told), after(*doubled)
    assert (first.status, first.phase, first.told_at, first.snapshot) == (
        second.status,
        second.phase,
        second.told_at,
        second.snapshot,
    )


# --- milestones: what "once" means


def keys(one: EntityFact) -> list[str]:
    return [milestone.key for milestone in entity_milestones(one)]


def test_what_happens_once_has_the_id_alone_in_its_key() -> None:
    """Told by the event, by another event that shows the status, or by a look at the API: the same key."""
    assert keys(fact("payment_link", "paid", event="payment_link.paid", at=1)) == ["payment_link.paid:x_1"]
    assert keys(fact("payment_link", "paid", at=2)) == ["payment_link.paid:x_1"]
    shown = keys(fact("subscription", "completed", event="subscription.updated", at=3))
    assert shown == ["subscription.completed:x_1", "subscription.updated:x_1:3"]


def test_a_charge_is_one_for_each_payment() -> None:
    """Not one for each subscription, and not two for a payment that is told of twice."""
    charge = fact("subscription", "active", event="subscription.charged", payment_id=PaymentId("pay_A"))
    assert keys(charge) == ["subscription.charged:x_1:pay_A"] == keys(replace(charge, occasion="9"))
    assert keys(replace(charge, payment_id=PaymentId("pay_B"))) == ["subscription.charged:x_1:pay_B"]
    assert keys(replace(charge, payment_id=None)) == ["subscription.charged:x_1:0"]


def test_a_dispute_is_won_once_in_each_phase() -> None:
    """And its creation is proven by whatever news comes first."""
    won = fact("dispute", "won", event="payment.dispute.won", phase="chargeback")
    assert keys(won) == ["dispute.created:x_1:chargeback", "dispute.won:x_1:chargeback"]
    assert keys(replace(won, phase="arbitration"))[-1] == "dispute.won:x_1:arbitration"
    assert keys(replace(won, phase=None))[-1] == "dispute.won:x_1"


def test_what_may_come_again_has_its_event_in_its_key() -> None:
    """Each failed retry of a charge is news; its redelivery is not."""
    pending = fact("subscription", "pending", event="subscription.pending", at=7)
    assert keys(pending) == ["subscription.pending:x_1:7"]
    assert keys(replace(pending, occasion="8")) == ["subscription.pending:x_1:8"]


def test_a_fact_of_a_kind_that_nothing_is_said_of_proves_nothing() -> None:
    """A card looked up in the API, an event that nobody knows."""
    assert keys(fact("card", "")) == []
    assert keys(fact("card", "", event="card.teleported")) == []


def test_milestones_are_named_once_and_in_an_order() -> None:
    """Razorpay's own names, but for disputes and downtimes: theirs look like a payment's."""
    assert len(set(ENTITY_MILESTONES)) == len(ENTITY_MILESTONES) == 103
    assert not set(ENTITY_MILESTONES) & set(MILESTONES)
    assert {name.removeprefix("payment.") for name in ALIASES} == set(ALIASES.values())
    assert ENTITY_MILESTONES.index("dispute.created") < ENTITY_MILESTONES.index("dispute.lost")


@pytest.mark.skipif(not TABLE.is_file(), reason="the collected table of events is not beside this checkout")
def test_every_documented_event_is_known() -> None:
    """Those that are not here tell of a payment, an order or a refund, and of nothing else."""
    documented = set(re.findall(r"^\| `([a-z_.]+)` \|", TABLE.read_text("utf-8"), re.M))
    others = documented - EVENTS.keys()
    assert EVENTS.keys() <= documented
    assert len(documented) == 112
    assert {name.split(".")[0] for name in others} == {"payment", "order", "refund"}
    assert len(others) == 9


# --- event against entity


def test_an_event_fits_where_the_documents_lead_from_it() -> None:
    """A snapshot may be further along; it may not be somewhere else."""
    for event, told in EVENTS.items():
        life = LIVES.get(told.part)
        if life is None or told.status is None:
            assert fits_entity(event, told.part, "anything")
            continue
        assert fits_entity(event, told.part, told.status)
        assert fits_entity(event, told.part, "teleported")
        for status in life.statuses:
            right = status == told.status or leads_to(life, told.status, status)
            assert fits_entity(event, told.part, status) == right
    assert fits_entity("subscription.paused", "subscription", "active")
    assert not fits_entity("subscription.cancelled", "subscription", "active")
    assert not fits_entity("payment_link.expired", "payment_link", "paid")


def test_the_status_is_the_entitys_own_but_for_slips() -> None:
    """Printed samples that contradict their event, and two names for one status."""
    assert taken_status("transfer", "transfer.failed", "processed") == "failed"
    assert taken_status("transfer", "transfer.processed", "processed") == "processed"
    assert taken_status("transfer", "transfer.processed", None) == "processed"
    assert taken_status("token", "token.resumed", "resumed") == "confirmed"
    assert taken_status("subscription", "subscription.charged", None) == ""
    assert taken_status("merchant", "account.funds_hold", None) == "funds_hold"
    assert taken_status("merchant_product", "product.route.activated", "activated") == "activated"


def test_every_once_is_used() -> None:
    """No meaning of "once" is there for nothing."""
    assert {told.once for told in EVENTS.values()} == set(Once)
    assert EVENTS.keys() <= set(factories.EVENTS)

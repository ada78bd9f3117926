"""Simulated days, in process: the proofs hold, the day is as bad as it says, and a seed repeats it exactly."""

from __future__ import annotations

from pathlib import Path

import pytest

from razorpay_hardened.demo import Outcome
from razorpay_hardened.demo.day import customers
from razorpay_hardened.demo.faults import POINTS, kills
from razorpay_hardened.demo.simulate import simulate


def _broken(outcome: Outcome) -> dict[str, tuple[str, ...]]:
    return {proof.name: proof.offenders for proof in outcome.proofs if not proof.holds}


@pytest.mark.slow
def test_after_a_whole_bad_day_every_proof_holds(folder: Path) -> None:
    """300 customers. Before reconciliation the books were wrong, so the proofs can tell."""
    outcome = simulate(1, 300, folder)

    assert not _broken(outcome)
    assert outcome.holds
    assert outcome.left == {}
    assert outcome.found == outcome.repaired
    wrong_before = {proof.name for proof in outcome.before if not proof.holds}
    assert {"granted_once", "booked_once", "told_once", "money_equal", "same_status"} <= wrong_before

    nothing = [
        (group, label) for group, counts in outcome.wrong.items() for label, count in counts.items() if not count
    ]
    assert nothing == []
    assert {crash.point for crash in outcome.crashes} == {*POINTS, None}
    assert len({len(counts) for counts in outcome.hours.values()}) == 1
    assert sum(outcome.hours["kills"]) == len(outcome.crashes)
    assert sum(outcome.hours["orders"]) == outcome.business["orders"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_every_proof_holds(seed: int, folder: Path) -> None:
    """120 customers on other days; `make simulate` has fifty whole ones."""
    outcome = simulate(seed, 120, folder)
    assert not _broken(outcome)
    assert outcome.crashes


def test_a_seed_repeats_the_day_exactly(folder: Path) -> None:
    """The world, and everything that is told about it; another seed is another day."""
    days = {}
    for name, seed in (("first", 7), ("again", 7), ("other", 8)):
        (folder / name).mkdir()
        days[name] = simulate(seed, 40, folder / name)

    assert days["again"].world == days["first"].world
    assert days["again"].digest() == days["first"].digest()
    assert days["again"].to_dict() == days["first"].to_dict()
    assert days["other"].world != days["first"].world


def test_a_day_of_one_customer_is_told_too(folder: Path) -> None:
    """Hardly anything happens, and every proof still has something to say."""
    outcome = simulate(1, 1, folder)
    assert not _broken(outcome)
    assert outcome.business["orders"] == 1


def test_more_customers_change_nobody() -> None:
    """Each customer is made from the seed and the number alone."""
    assert customers(5, 300)[:40] == customers(5, 40)


def test_each_point_has_its_victim() -> None:
    """Whom the shop dies over passes that point, and nobody is chosen twice."""
    people = customers(5, 300)
    chosen = kills(5, people)
    assert sorted(chosen.values()) == sorted(POINTS)
    refunded = {one.number for one in people if one.refund in ("full", "part")}
    assert {who for who, point in chosen.items() if point in ("intended", "refunded")} <= refunded

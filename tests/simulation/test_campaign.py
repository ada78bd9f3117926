"""Fifty bad days in process (FAULTS section 2): after each, every proof holds. `make simulate` runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from razorpay_hardened.demo.faults import POINTS
from razorpay_hardened.demo.simulate import simulate


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(1, 51))
def test_every_proof_holds(seed: int, folder: Path) -> None:
    """300 customers; and the day was bad enough for that to mean something."""
    outcome = simulate(seed, 300, folder)
    broken = {proof.name: proof.offenders for proof in outcome.proofs if not proof.holds}
    assert not broken
    assert outcome.business["orders paid"] > 200
    assert len({crash.point for crash in outcome.crashes} - {None}) >= len(POINTS) - 3
    assert outcome.wrong["webhooks"]["lost for good"] > 200
    assert sum(outcome.repaired.values()) >= 30

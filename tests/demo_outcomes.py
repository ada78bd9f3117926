"""Outcomes of a demo's day, made by hand: for what shows them."""

from __future__ import annotations

from dataclasses import replace

from razorpay_hardened.demo.journal import Crash
from razorpay_hardened.demo.outcome import Outcome
from razorpay_hardened.demo.proofs import Proof

__all__ = ["PROOF_NAMES", "broken", "good"]

PROOF_NAMES = (
    "granted_once",
    "booked_once",
    "told_once",
    "never_backwards",
    "chain_whole",
    "money_equal",
    "same_status",
    "nothing_waits",
    "one_movement",
    "one_order",
)


def _numbers(captured_here: int, grants: int) -> dict[str, dict[str, int]]:
    return {
        "granted_once": {"paid orders": 7, "grants": grants},
        "booked_once": {"processed refunds": 2, "bookings": 2},
        "money_equal": {
            "captured there": 12_345_600,
            "captured here": captured_here,
            "refunded there": 49_900,
            "refunded here": 49_900,
        },
    }


def _proofs(numbers: dict[str, dict[str, int]], offenders: dict[str, int]) -> tuple[Proof, ...]:
    return tuple(
        Proof(
            name,
            f"P{place}",
            f"statement of {name} about <both> & “all” books",
            name not in offenders,
            numbers.get(name, {"rows": 11}),
            offenders.get(name, 0),
            tuple(f"{name} offender {number}" for number in range(min(20, offenders.get(name, 0)))),
        )
        for place, name in enumerate(PROOF_NAMES, 1)
    )


def good() -> Outcome:
    """A small day on which everything went wrong and everything holds."""
    return Outcome(
        seed=42,
        customers=10,
        hours_long=80.5,
        business={"orders": 10, "orders paid": 7, "payments captured": 8, "refunds": 2},
        wrong={
            "webhooks": {"lost for good": 12, "delivered twice": 3, "late": 0},
            "API": {"did it and hung": 1, "502 bad gateway": 4},
            "payments": {"failed": 2},
            "shop": {"killed in the middle of its work": 2},
        },
        found={"payment missing_here": 2, "order stuck_order": 1},
        repaired={"payment missing_here": 2},
        left={"order stuck_order": 1},
        hours={
            "orders": (4, 6, 0),
            "payments": (3, 5, 0),
            "lost": (5, 6, 1),
            "doubled": (1, 2, 0),
            "late": (0, 0, 0),
            "unanswered": (0, 3, 0),
            "API faults": (2, 3, 0),
            "kills": (0, 2, 0),
        },
        crashes=(Crash(3700.0, "written"), Crash(7000.0, None)),
        before=_proofs(_numbers(12_000_000, 4), {"granted_once": 3, "money_equal": 1}),
        proofs=_proofs(_numbers(12_345_600, 7), {}),
        world="f" * 64,
    )


def broken() -> Outcome:
    """The same day, with two proofs that do not hold."""
    return replace(good(), proofs=_proofs(_numbers(12_345_500, 7), {"money_equal": 1, "never_backwards": 31}))

"""The outcome of a day: what went wrong, what was found and repaired, and whether every proof holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from razorpay_hardened.demo.aftermath import Reconciled
from razorpay_hardened.demo.books import Books
from razorpay_hardened.demo.drive import Day
from razorpay_hardened.demo.faults import POINTS
from razorpay_hardened.demo.journal import Crash
from razorpay_hardened.demo.proofs import Proof, prove
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.ports.store import Finding

__all__ = ["Outcome", "conclude", "world_digest"]

_FROM_OUTSIDE: Final = "from outside, between two requests"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A day, ready to be shown. Every mapping is label → count; ``hours`` is what → counts by hour after opening.

    ``world`` is a digest of everything that happened at Razorpay: equal for equal seeds.
    """

    seed: int
    customers: int
    hours_long: float
    business: Mapping[str, int]
    wrong: Mapping[str, int]
    found: Mapping[str, int]
    repaired: Mapping[str, int]
    left: Mapping[str, int]
    hours: Mapping[str, tuple[int, ...]]
    crashes: tuple[Crash, ...]
    proofs: tuple[Proof, ...]
    world: str

    @property
    def holds(self) -> bool:
        """Whether every proof holds."""
        return all(proof.holds for proof in self.proofs)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "seed": self.seed,
            "customers": self.customers,
            "holds": self.holds,
            "world": self.world,
            "hours_long": self.hours_long,
            "business": dict(self.business),
            "wrong": dict(self.wrong),
            "found": dict(self.found),
            "repaired": dict(self.repaired),
            "left": dict(self.left),
            "hours": {what: list(counts) for what, counts in self.hours.items()},
            "crashes": [{"at_s": crash.at_s, "point": crash.point} for crash in self.crashes],
            "proofs": [proof.to_dict() for proof in self.proofs],
        }


def conclude(day: Day, reconciled: Reconciled, books: Books) -> Outcome:
    """Put everything together, and prove."""
    return Outcome(
        seed=day.seed,
        customers=len(day.people),
        hours_long=day.at_s / 3600,
        business=_business(day, books),
        wrong=_wrong(day, books),
        found=_kinds(_found(reconciled).values()),
        repaired=_kinds(_repaired(reconciled).values()),
        left=_kinds(reconciled.left.findings),
        hours=_hours(day),
        crashes=tuple(day.journal.crashes),
        proofs=tuple(prove(books)),
        world=world_digest(day.rz),
    )


def world_digest(rz: Emulator) -> str:
    """SHA-256 over Razorpay's objects and events. What was tried and refused is not in it."""
    state = rz.state()
    seen = {key: state[key] for key in ("orders", "payments", "refunds", "events")}
    return sha256(json.dumps(seen, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _business(day: Day, books: Books) -> dict[str, int]:
    captured = [one for one in books.payments_there.values() if one["captured"]]
    return {
        "orders": len(books.orders_there),
        "orders paid": sum(1 for one in books.orders_there.values() if one["status"] == "paid"),
        "payments": len(books.payments_there),
        "payments captured": len(captured),
        "refunds": len(books.refunds_there),
        "captured, paise": sum(one["amount"] for one in captured),
        "refunded, paise": sum(one["amount_refunded"] for one in captured),
        "events": len(day.rz.world.events),
    }


def _wrong(day: Day, books: Books) -> dict[str, int]:
    counts, log = day.journal.counts, day.rz.deliver.log
    attempts = Counter(attempt.event_id for attempt in log if attempt.copy == 0)
    payments = books.payments_there.values()
    wrong = {
        "webhooks lost for good": len(day.rz.deliver.lost),
        "webhooks delivered twice": len({attempt.event_id for attempt in log if attempt.copy > 0}),
        "webhooks tried again": sum(1 for count in attempts.values() if count > 1),
        "payments that failed": sum(1 for event in day.rz.world.events if event.name == "payment.failed"),
        "payments authorised late": sum(1 for one in payments if one.get("late_authorized")),
        "orders paid twice": sum(1 for one in books.payments.values() if one.surplus),
        "error pages for customers": counts["order refused"],
        "refunds asked for again": counts["refund not answered"],
        "handler attempts that failed": sum(max(0, row.attempts - 1) for row in books.effects),
    }
    return wrong | _api_faults(day) | _deaths(day)


def _api_faults(day: Day) -> dict[str, int]:
    found: Counter[str] = Counter()
    for rule in day.rz.faults.rules:
        name = rule.text.split(": ")[1].split()[0].partition("(")[0]
        found[f"API: {_FAULT_NAMES.get(name, name)}"] += sum(rule.fired.values())
    return dict(found)


_FAULT_NAMES: Final = {
    "do_then_hang": "did it, then hung",
    "do_then_reset": "did it, then cut the line",
    "do_then_502": "did it, then answered 502",
    "reset_before": "cut the line before doing it",
    "429": "429, too many requests",
    "502": "502, bad gateway",
    "503": "503, unavailable",
}


def _deaths(day: Day) -> dict[str, int]:
    found: Counter[str] = Counter()
    for crash in day.journal.crashes:
        found[f"SIGKILL: {POINTS[crash.point].when if crash.point else _FROM_OUTSIDE}"] += 1
    return dict(found)


def _found(reconciled: Reconciled) -> dict[tuple[str, str], Finding]:
    """Each once, whichever night it was found."""
    every = [one for night in reconciled.nights for one in night.found.findings]
    return {(one.kind, one.entity_id): one for one in every}


def _repaired(reconciled: Reconciled) -> dict[tuple[str, str], Finding]:
    """Each once: a run that goes on tells what its earlier pages found, too."""
    every = [one for night in reconciled.nights for run in night.repaired for one in run.findings]
    return {(one.kind, one.entity_id): one for one in every if one.state == "repaired"}


def _kinds(findings: Iterable[Finding]) -> dict[str, int]:
    return dict(sorted(Counter(f"{one.entity} {one.kind}" for one in findings).items()))


def _hours(day: Day) -> dict[str, tuple[int, ...]]:
    counted = day.journal.hours
    last = max((hour for hour, _ in counted), default=0)
    names = ("order", "payment captured", "delivered", "not delivered", "crash")
    return {name: tuple(counted[hour, name] for hour in range(last + 1)) for name in names}

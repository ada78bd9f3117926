"""The outcome of a day: what went wrong, what was found and repaired, and whether every proof holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from razorpay_hardened.demo.aftermath import Reconciled
from razorpay_hardened.demo.books import Books
from razorpay_hardened.demo.drive import Day, order_of
from razorpay_hardened.demo.faults import DELIVERIES, POINTS
from razorpay_hardened.demo.journal import Crash
from razorpay_hardened.demo.proofs import Proof, prove
from razorpay_hardened.emulator import DEFAULT_START, Attempt, Emulator
from razorpay_hardened.ports.store import Finding

__all__ = ["Outcome", "conclude", "world_digest"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATE: Final = timedelta(seconds=DELIVERIES.late_s[0])


@dataclass(frozen=True, slots=True)
class Outcome:
    """A day, ready to be shown. Amounts are paise.

    ``business`` is label → count. ``wrong`` is group → label → count. ``found``, ``repaired`` and ``left`` count
    findings by ``"<entity> <kind>"``, each finding once. ``hours`` is what → counts by hour after opening, up to the
    hour in which the last customer was done. ``before`` are the proofs on the books before reconciliation, ``proofs``
    on those at the end. ``world`` is a digest of everything that happened at Razorpay: equal for equal seeds.
    """

    seed: int
    customers: int
    hours_long: float
    business: Mapping[str, int]
    wrong: Mapping[str, Mapping[str, int]]
    found: Mapping[str, int]
    repaired: Mapping[str, int]
    left: Mapping[str, int]
    hours: Mapping[str, tuple[int, ...]]
    crashes: tuple[Crash, ...]
    before: tuple[Proof, ...]
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
            "wrong": {group: dict(counts) for group, counts in self.wrong.items()},
            "found": dict(self.found),
            "repaired": dict(self.repaired),
            "left": dict(self.left),
            "hours": {what: list(counts) for what, counts in self.hours.items()},
            "crashes": [
                {"at_s": one.at_s, "point": one.point, "when": POINTS[one.point].when if one.point else None}
                for one in self.crashes
            ],
            "before": [proof.to_dict() for proof in self.before],
            "proofs": [proof.to_dict() for proof in self.proofs],
        }

    def digest(self) -> str:
        """SHA-256 of all of it: equal for equal seeds, whatever the machine was doing meanwhile."""
        return sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


def conclude(day: Day, reconciled: Reconciled) -> Outcome:
    """Put everything together, and prove."""
    return Outcome(
        seed=day.seed,
        customers=len(day.people),
        hours_long=round(day.at_s / 3600, 2),
        business=_business(day, reconciled.after),
        wrong=_wrong(day, reconciled.after),
        found=_kinds(_found(reconciled).values()),
        repaired=_kinds(_repaired(reconciled).values()),
        left=_kinds(reconciled.left.findings),
        hours=_hours(day),
        crashes=tuple(day.journal.crashes),
        before=tuple(prove(reconciled.before)),
        proofs=tuple(prove(reconciled.after)),
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


# --- what went wrong


def _wrong(day: Day, books: Books) -> dict[str, dict[str, int]]:
    counts = day.journal.counts
    inside = sum(1 for crash in day.journal.crashes if crash.point is not None)
    return {
        "webhooks": _webhooks(day),
        "API": _api_faults(day),
        "payments": {
            "failed": sum(1 for event in day.rz.world.events if event.name == "payment.failed"),
            "authorised late": sum(1 for one in books.payments_there.values() if one.get("late_authorized")),
            "orders paid twice": sum(1 for one in books.payments.values() if one.surplus),
        },
        "shop": {
            "killed in the middle of its work": inside,
            "killed between two requests": len(day.journal.crashes) - inside,
            "handler attempts that failed": sum(max(0, row.attempts - 1) for row in books.effects),
            "error pages for customers": counts["order refused"],
            "refunds asked for again": counts["refund not answered"],
        },
    }


def _webhooks(day: Day) -> dict[str, int]:
    log = day.rz.deliver.log
    return {
        "lost for good": len(day.rz.deliver.lost),
        "delivered twice": len(list(_doubled(day))),
        "late": len(list(_late(day))),
        "overtaken by newer news": _overtaken(day),
        "not answered, and sent again": len({one.event_id for one in log if one.copy == 0 and one.attempt > 1}),
    }


def _doubled(day: Day) -> Iterator[Attempt]:
    """The first attempt of each needless copy."""
    return (one for one in day.rz.deliver.log if one.copy > 0 and one.attempt == 1)


def _late(day: Day) -> Iterator[Attempt]:
    """The first attempt of each event that nobody tried to deliver for ten minutes."""
    made = {event.id: _EPOCH + timedelta(milliseconds=event.at_ms) for event in day.rz.world.events}
    for one in day.rz.deliver.log:
        if one.copy == 0 and one.attempt == 1 and one.at - made[one.event_id] >= _LATE:
            yield one


def _overtaken(day: Day) -> int:
    """Events that arrived after something newer about the same order had arrived."""
    events = {event.id: (event.at_ms, order_of(json.loads(event.body))) for event in day.rz.world.events}
    newest: dict[str, int] = {}
    seen: set[str] = set()
    overtaken = 0
    for attempt in day.rz.deliver.log:
        if not attempt.acknowledged or attempt.event_id in seen:
            continue
        seen.add(attempt.event_id)
        at_ms, order = events[attempt.event_id]
        overtaken += at_ms < newest.get(order, 0)
        newest[order] = max(at_ms, newest.get(order, 0))
    return overtaken


def _api_faults(day: Day) -> dict[str, int]:
    found: Counter[str] = Counter()
    for rule in day.rz.faults.rules:
        name = rule.text.split(": ")[1].split()[0].partition("(")[0]
        found[_FAULT_NAMES.get(name, name)] += sum(rule.fired.values())
    return dict(found)


_FAULT_NAMES: Final = {
    "do_then_hang": "did it and hung",
    "do_then_reset": "did it and cut the line",
    "do_then_502": "did it and answered 502",
    "reset_before": "cut the line instead",
    "429": "429 too many requests",
    "502": "502 bad gateway",
    "503": "503 unavailable",
}


# --- what was found


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


# --- hour by hour


def _hours(day: Day) -> dict[str, tuple[int, ...]]:
    """Webhooks that were lost stand in the hour in which they were sent, the others in that in which they came."""
    length = int(day.journal.closed_s // 3600) + 1
    noted = {"orders": "order", "API faults": "API fault", "kills": "crash"}
    counted = {
        name: Counter({hour: count for (hour, what), count in day.journal.hours.items() if what == noted_as})
        for name, noted_as in noted.items()
    }
    captures = (event for event in day.rz.world.events if event.name == "payment.captured")
    counted["payments"] = Counter(_hour(_EPOCH + timedelta(milliseconds=event.at_ms)) for event in captures)
    counted["lost"] = Counter(_hour(_EPOCH + timedelta(milliseconds=event.at_ms)) for event in day.rz.deliver.lost)
    counted["doubled"] = Counter(_hour(one.at) for one in _doubled(day))
    counted["late"] = Counter(_hour(one.at) for one in _late(day))
    counted["unanswered"] = Counter(_hour(one.at) for one in day.rz.deliver.log if not one.acknowledged)
    return {name: tuple(counts[hour] for hour in range(length)) for name, counts in counted.items()}


def _hour(at: datetime) -> int:
    return int((at - DEFAULT_START).total_seconds() // 3600)

"""What a reconciliation hands out: frozen values, ready to be JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from razorpay_hardened.ledger import Applied
from razorpay_hardened.ports.store import Finding
from razorpay_hardened.reconcile.case import Case
from razorpay_hardened.reconcile.diff import reach_there, refunded_there
from razorpay_hardened.reconcile.plan import Action

__all__ = ["PlannedStep", "Reconciliation", "Sums", "Tally", "Totals"]


@dataclass(frozen=True, slots=True)
class Sums:
    """Money of one currency over the payments examined, in subunits; after a repair, ``here`` is what we hold now.

    Payments that were never captured count on neither side, their automatic refunds included (FAULTS P5).
    """

    captured_here: int = 0
    captured_there: int = 0
    refunded_here: int = 0
    refunded_there: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.captured_here + other.captured_here,
            self.captured_there + other.captured_there,
            self.refunded_here + other.refunded_here,
            self.refunded_there + other.refunded_there,
        )


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts and sums of a run. ``examined``: orders, payments and refunds looked at, on either side; ``found``: its
    findings; ``repaired`` and ``left`` what became of them; ``foreign``: rows at Razorpay that are not ours, by kind;
    ``currencies``: sums by currency. ``milestones``: what fired, by name; ``failed``: attempts of ``on`` handlers that
    failed, and wait for another. ``others``: entities of other kinds that a recovery looked at, by kind."""

    examined: int = 0
    found: int = 0
    repaired: int = 0
    left: int = 0
    foreign: Mapping[str, int] = field(default_factory=dict)
    currencies: Mapping[str, Sums] = field(default_factory=dict)
    milestones: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    others: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """What repairing does about one finding: ``apply``, ``register`` or ``report`` (a person must look)."""

    action: Action
    kind: str
    entity: str
    entity_id: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The result of a run. ``since`` and ``until`` are its whole window; ``findings`` are as they were found.

    ``complete`` is false when ``limit`` ended it; ``cursor`` is then where it goes on (aware, UTC). With repair it goes
    on by itself at the next call; without, pass ``since=result.cursor`` and ``overlap=timedelta(0)``.
    """

    run_id: str
    since: datetime
    until: datetime
    repair: bool
    findings: tuple[Finding, ...]
    plan: tuple[PlannedStep, ...]
    totals: Totals
    complete: bool
    cursor: datetime | None = None
    resumed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times in ISO 8601."""
        return {
            **asdict(self),
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "cursor": None if self.cursor is None else self.cursor.isoformat(),
            "findings": [{**asdict(one), "at": one.at.isoformat()} for one in self.findings],
            "plan": [asdict(step) for step in self.plan],
        }


class Tally:
    """Counts while a run is going on; survives it as JSON text."""

    def __init__(self, text: str = "{}") -> None:
        told = json.loads(text)
        self.examined: int = told.get("examined", 0)
        self._foreign: dict[str, int] = told.get("foreign", {})
        self._milestones: dict[str, int] = told.get("milestones", {})
        self._failed: int = told.get("failed", 0)
        self._others: dict[str, int] = told.get("others", {})
        self._currencies = {code: Sums(**sums) for code, sums in told.get("currencies", {}).items()}

    def hear(self, applied: Applied) -> None:
        """Count what fired in one transaction."""
        for milestone in applied.milestones:
            self._milestones[milestone.name] = self._milestones.get(milestone.name, 0) + 1
        self._failed += sum(1 for attempt in applied.attempts if attempt.error is not None)

    def add_others(self, kind: str, count: int) -> None:
        """Count a page of another kind."""
        self.examined += count
        if count:
            self._others[kind] = self._others.get(kind, 0) + count

    def add(self, examined: int, foreign: Mapping[str, int]) -> None:
        """Count one slice."""
        self.examined += examined
        for kind, count in foreign.items():
            self._foreign[kind] = self._foreign.get(kind, 0) + count

    def add_case(self, case: Case) -> None:
        """Add the money of the payments that this slice listed."""
        for pair in case.payments.values():
            if not pair.listed:
                continue
            here, there = pair.here, pair.there
            if here is not None and here.captured:
                self._add(here.currency, Sums(captured_here=here.amount, refunded_here=here.refunded))
            if there is not None and reach_there(there) == "captured":
                self._add(there.currency, Sums(captured_there=there.amount, refunded_there=refunded_there(there)))

    def _add(self, currency: str, sums: Sums) -> None:
        self._currencies[currency] = self._currencies.get(currency, Sums()) + sums

    def totals(self, findings: Mapping[Any, Finding]) -> Totals:
        """What has been counted so far."""
        states = [one.state for one in findings.values()]
        return Totals(
            examined=self.examined,
            found=len(states),
            repaired=states.count("repaired"),
            left=states.count("left"),
            foreign=dict(sorted(self._foreign.items())),
            currencies=dict(sorted(self._currencies.items())),
            milestones=dict(sorted(self._milestones.items())),
            failed=self._failed,
            others=dict(sorted(self._others.items())),
        )

    def to_json(self, findings: Mapping[Any, Finding]) -> str:
        """For :class:`Run.totals`."""
        return json.dumps(asdict(self.totals(findings)), separators=(",", ":"))

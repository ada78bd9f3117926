"""Repairing one case: the facts that its plan holds, through the ledger, in one transaction with what became of them.

The ledger decides as it does for a webhook. What it refuses becomes a note on the finding; nothing but the store or the
API can stop a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Literal

from razorpay_hardened.clock import Clock
from razorpay_hardened.domain.facts import Cause, Fact
from razorpay_hardened.errors import RazorpayHardenedError, StorageError
from razorpay_hardened.ledger import Applied, Ledger
from razorpay_hardened.ports.store import Finding, Store, Transaction
from razorpay_hardened.ports.unit import transact
from razorpay_hardened.reconcile.case import Case
from razorpay_hardened.reconcile.diff import (
    AMOUNT,
    CURRENCY,
    MISSING_THERE,
    ORDER,
    Difference,
    differences,
)
from razorpay_hardened.reconcile.plan import Plan, Step
from razorpay_hardened.signals import Bus

__all__ = ["Repairer", "as_finding"]

_ALARMING = frozenset({AMOUNT, CURRENCY, MISSING_THERE, ORDER})
"""What no rule can explain: somebody changed a book."""

Key = tuple[str, str, str]
State = Literal["open", "repaired", "left"]


def as_finding(run_id: str, one: Difference, state: State, at: datetime, note: str | None = None) -> Finding:
    """A difference as a row of its run."""
    return Finding(run_id, one.kind, one.entity, one.entity_id, one.here, one.there, state, note or one.note, at)


class Repairer:
    """Applies plans for one run. ``inline`` false leaves every effect to a worker; ``source`` is what the facts' cause
    says; ``hears`` is called with what became of each transaction, after its commit."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        *,
        clock: Clock,
        bus: Bus,
        run_id: str,
        inline: bool,
        source: str = "reconcile",
        hears: Callable[[Applied], object] = lambda applied: None,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._bus = bus
        self._run_id = run_id
        self._inline = inline
        self._source = source
        self._hears = hears

    def tell(self, facts: Iterable[Fact]) -> str | None:
        """Apply facts that no case is made of, in one transaction. Gives the code of a refusal by the ledger, or None.

        Raises :class:`StorageError` only.
        """
        told = tuple(facts)

        def work(tx: Transaction) -> Applied:
            return self._ledger.apply(tx, *told, cause=self._cause(), inline=self._inline)

        try:
            applied = transact(self._store, work, durable=True)
        except StorageError:
            raise
        except RazorpayHardenedError as error:
            return error.code
        self._announce(applied)
        return None

    def _cause(self) -> Cause:
        return Cause(self._source, self._clock.now(), self._run_id)

    def _announce(self, applied: Applied) -> None:
        applied.announce(self._bus)
        self._hears(applied)

    def repair(self, case: Case, plan: Plan) -> tuple[Case, tuple[Finding, ...]]:
        """The case as it is afterwards, and its findings. Raises :class:`StorageError` only."""
        after, findings = self._repaired(case, plan)
        for finding in findings:
            self._alarm(finding)
        return after, findings

    def _repaired(self, case: Case, plan: Plan) -> tuple[Case, tuple[Finding, ...]]:
        if not plan.facts:
            return case, self._judged(case, plan.steps, {})
        try:
            return self._apply(case, plan.facts, plan.steps)
        except StorageError:
            raise
        except RazorpayHardenedError as error:
            return self._apply_parts(case, plan, error)

    def _apply(self, case: Case, facts: Iterable[Fact], steps: tuple[Step, ...]) -> tuple[Case, tuple[Finding, ...]]:
        """One transaction: the facts, what follows from them, and the findings that say so."""
        told = tuple(facts)  # it may be run more than once

        def work(tx: Transaction) -> tuple[Applied, Case, tuple[Finding, ...]]:
            applied = self._ledger.apply(tx, *told, cause=self._cause(), inline=self._inline)
            after = case.after(applied.orders, applied.payments, applied.refunds)
            findings = self._judged(after, steps, _waiting(steps, applied))
            tx.put_findings(findings)
            return applied, after, findings

        applied, after, findings = transact(self._store, work, durable=True)
        self._announce(applied)
        return after, findings

    def _apply_parts(self, case: Case, plan: Plan, refusal: RazorpayHardenedError) -> tuple[Case, tuple[Finding, ...]]:
        """One fact contradicts what we hold: it must not keep the others of its order from being applied."""
        notes: dict[Key, str] = {step.difference.key: refusal.code for step in plan.steps if step.action != "report"}
        for part in plan.parts if len(plan.parts) > 1 else ():
            try:
                case, _ = self._apply(case, part, ())
            except StorageError:
                raise
            except RazorpayHardenedError as error:
                notes |= {step.difference.key: error.code for step in plan.steps if _is_about(step, part)}
        return case, self._judged(case, plan.steps, notes)

    def _judged(self, after: Case, steps: tuple[Step, ...], notes: Mapping[Key, str]) -> tuple[Finding, ...]:
        """Each difference that was planned for, and those that only the repair brought to light."""
        now = self._clock.now()
        remaining = {one.key: one for one in differences(after)}
        findings = []
        for step in steps:
            one = step.difference
            gone = step.action != "report" and remaining.pop(one.key, None) is None
            if step.action == "report":
                remaining.pop(one.key, None)
            note = None if gone else notes.get(one.key)
            findings.append(as_finding(self._run_id, one, "repaired" if gone else "left", now, note))
        if steps:
            findings += [as_finding(self._run_id, one, "left", now) for one in remaining.values()]
        return tuple(findings)

    def _alarm(self, finding: Finding) -> None:
        if finding.state == "left" and finding.kind in _ALARMING:
            detail = f"{finding.entity} {finding.entity_id}"
            self._bus.alarm(f"reconcile:{finding.kind}:{finding.entity_id}", finding.kind, detail)


def _waiting(steps: tuple[Step, ...], applied: Applied) -> dict[Key, str]:
    """What is applied to something that is not known here yet is not applied at all (see ``Ledger.apply``)."""
    if applied.parked_under is None:
        return {}
    return {step.difference.key: f"waits for {applied.parked_under}" for step in steps if step.action != "report"}


def _is_about(step: Step, part: tuple[Fact, ...]) -> bool:
    ids = {
        getattr(fact, name)
        for fact in part
        for name in ("payment_id", "refund_id", "local_id")
        if getattr(fact, name, None) is not None
    }
    return step.action != "report" and step.difference.entity_id in ids

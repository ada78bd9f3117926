"""The morning after: time for everything late to arrive, then reconciliation, repair, and the proofs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from razorpay_hardened.demo.books import Books, read_books
from razorpay_hardened.demo.day import Customer
from razorpay_hardened.demo.drive import CRON_S, Day
from razorpay_hardened.demo.shop import Shop
from razorpay_hardened.emulator import DEFAULT_START
from razorpay_hardened.errors import ApiError, RazorpayHardenedError, ReconcileStalled
from razorpay_hardened.reconcile import Reconciliation

__all__ = ["Night", "Reconciled", "settle"]

LADDER_S: Final = 26 * 3600
"""Razorpay redelivers for 24 hours; then come what those deliveries caused."""

_PAGE: Final = 200
_EVERYTHING: Final = 1_000_000
_ROUNDS: Final = 500
_REFUND_TRIES: Final = 60
_NIGHTS: Final = 5
"""A repair can cause news of its own, such as a surplus given back; if that is lost, the next night finds it."""

_SINCE: Final = DEFAULT_START - timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Night:
    """``found``: by a run that only looks; ``repaired``: the runs that repaired, in pages."""

    found: Reconciliation
    repaired: tuple[Reconciliation, ...]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Night after night, until a look finds nothing to repair; ``left`` is the last look, for a person.

    ``before`` are both sides' books when every webhook that was going to come had come, ``after`` those at the end.
    """

    before: Books
    nights: tuple[Night, ...]
    left: Reconciliation
    after: Books


def settle(day: Day, night: Shop) -> Reconciled:
    """Wait, look, repair, tidy up, look again. ``night`` is the nightly job: the shop's code in its own process."""
    day.journal.enter("waiting", day.at_s)
    day.wait_until(day.at_s + LADDER_S)
    before = _read_both(day, night)
    nights: list[Night] = []
    found = _look(day, night)
    while not nights or (len(nights) < _NIGHTS and _repairable(found)):
        nights.append(Night(found, _repair(day, night)))
        _tidy_up(day)
        found = _look(day, night)
    day.journal.enter("proving", day.at_s)
    return Reconciled(before, tuple(nights), found, _read_both(day, night))


def _repairable(look: Reconciliation) -> bool:
    return any(step.action != "report" for step in look.plan)


def _read_both(day: Day, night: Shop) -> Books:
    """Both sides' books as they are now."""
    return read_books(day.rz.state(), night.rzp.store, night.mailbox, day.journal)


def _now(night: Shop) -> datetime:
    night.clock.refresh()
    return night.clock.now()


def _look(day: Day, night: Shop) -> Reconciliation:
    day.journal.enter("looking", day.at_s)
    until = _now(night)
    return _persist(
        day, night, lambda: night.rzp.reconciler.run(since=_SINCE, until=until, limit=_EVERYTHING, repair=False)
    )


def _repair(day: Day, night: Shop) -> tuple[Reconciliation, ...]:
    """Page after page, until a run says that it is complete."""
    day.journal.enter("repairing", day.at_s)
    until = _now(night)
    runs: list[Reconciliation] = []
    while not runs or not runs[-1].complete:
        if len(runs) == _ROUNDS:
            raise ReconcileStalled("the demo's reconciliation does not come to an end")
        run = _persist(
            day, night, lambda: night.rzp.reconciler.run(since=_SINCE, until=until, limit=_PAGE, repair=True)
        )
        runs.append(run)
    return tuple(runs)


def _persist(day: Day, night: Shop, run: Callable[[], Reconciliation]) -> Reconciliation:
    """The scheduler's part: Razorpay's API fails here as it did all day, so run it again a minute later."""
    for _ in range(_ROUNDS):
        try:
            result = run()
            day.note_faults()
            return result
        except ApiError:
            day.note_faults()
            day.journal.note("reconcile again", day.at_s)
            day.rz.clock.advance(60)
            night.clock.refresh()
    return run()


def _tidy_up(day: Day) -> None:
    """The support desk asks again for refunds that were not possible; the cron job works until nothing is left."""
    day.journal.enter("tidying", day.at_s)
    asked, day.open_refunds = day.open_refunds, []
    for person, payment, amount in asked:
        _insist(day, person, payment, amount)
    day.wait_until(day.at_s + LADDER_S)
    for _ in range(_ROUNDS):
        if day.cron() == 0:
            return
        day.wait_until(day.at_s + CRON_S)


def _insist(day: Day, person: Customer, payment: str, amount: int | None) -> None:
    for _ in range(_REFUND_TRIES):
        answer = day.refund(person, payment, amount)
        if answer is not None and answer.status == 200:
            day.journal.note("refund", day.at_s)
            return
        day.wait_until(day.at_s + CRON_S)
    raise RazorpayHardenedError(f"the demo's shop still refuses to refund {payment} after {_REFUND_TRIES} tries")

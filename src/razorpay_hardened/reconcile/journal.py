"""The run's own record: who is running, until when, and how far it came.

A lease keeps a second run out; the cursor lets a run that was killed or limited go on. Only repairing runs are
recorded: a run that only looks writes nothing at all (FAULTS section 7, ``--dry-run``).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from razorpay_hardened.clock import Clock
from razorpay_hardened.errors import ReconcileBusy
from razorpay_hardened.ports.store import Finding, Run, Store, Touches, Transaction
from razorpay_hardened.ports.unit import transact

__all__ = ["LEASE", "Journal", "cursor_of", "new_run_id", "rest_of", "unfinished"]

LEASE: Final = timedelta(minutes=10)
"""How long a run may go without a sign of life. It is renewed after every slice, and within a busy one."""
_RECENT: Final = 100
"""How many runs are looked through for one of the same kind."""
_LOCK: Final = Touches(("reconcile",))
"""One anchor row of our own: whoever takes or gives back the lease holds it."""


def new_run_id(now: datetime, prefix: str = "run") -> str:
    """Sorts by time, and differs between processes that start in the same second. ``prefix`` is the kind of run."""
    return f"{prefix}_{now:%Y%m%dT%H%M%SZ}_{secrets.token_hex(4)}"


def cursor_of(run: Run) -> int:
    """The first second, Unix time, that ``run`` has not done."""
    return int(json.loads(run.cursor)["next"])


def rest_of(run: Run) -> dict[str, Any]:
    """How far ``run`` has come with what is not cut into slices of time: name → where it goes on."""
    return dict(json.loads(run.cursor).get("rest", {}))


def unfinished(store: Store, prefix: str = "run") -> Run | None:
    """The newest run of its kind, if it was cut short."""
    newest = next((run for run in store.runs(limit=_RECENT) if run.id.startswith(f"{prefix}_")), None)
    return newest if newest is not None and newest.state != "done" else None


class Journal:
    """Keeps one run's row."""

    def __init__(self, store: Store, clock: Clock, run: Run) -> None:
        self._store = store
        self._clock = clock
        self.run = run
        self.rest: Mapping[str, Any] = rest_of(run)
        """What :func:`rest_of` is to say from the next :meth:`save` on."""

    def begin(self) -> None:
        """Take the lease. Raises :class:`ReconcileBusy` while another run's lease lives."""
        before = self._bump()
        for other in self._store.runs(limit=10):
            if other.lease_until is not None and other.lease_until > self._clock.now():
                raise ReconcileBusy(f"{other.id} is running; its lease ends at {other.lease_until.isoformat()}")
        self._put(replace(self.run, lease_until=self._clock.now() + LEASE), version=before + 1)

    def save(self, cursor: int, totals: str, findings: Sequence[Finding]) -> None:
        """After a slice: everything before ``cursor`` is done. Renews the lease, as :meth:`renew` does."""
        self._ensure_ours()
        self._put(replace(self._at(cursor, totals), lease_until=self._clock.now() + LEASE), findings)

    def renew(self) -> None:
        """Give a sign of life if a good part of the lease is over. Raises :class:`ReconcileBusy` where it was lost."""
        until = self.run.lease_until
        if until is None or until - self._clock.now() > LEASE / 2:
            return
        self._ensure_ours()
        self._put(replace(self.run, updated_at=self._clock.now(), lease_until=self._clock.now() + LEASE))

    def end(self, state: Literal["running", "done", "failed"], cursor: int, totals: str) -> None:
        """Give the lease back: ``done``, ``running`` (the limit ended it: go on later) or ``failed`` (likewise)."""
        self._put(replace(self._at(cursor, totals), state=state, lease_until=None))

    def _at(self, cursor: int, totals: str) -> Run:
        text = json.dumps({"next": cursor, **({"rest": dict(self.rest)} if self.rest else {})})
        return replace(self.run, cursor=text, totals=totals, updated_at=self._clock.now())

    def _ensure_ours(self) -> None:
        """A process that was paused may wake up after its lease, when another run has taken over (FAULTS T2)."""
        until, now = self.run.lease_until, self._clock.now()
        if until is not None and until > now:
            return
        for run in self._store.runs(limit=10):
            taken = run.lease_until != until if run.id == self.run.id else (run.lease_until or now) > now
            if taken:
                raise ReconcileBusy("this run's lease ended, and another run has taken over")

    def _bump(self) -> int:
        """Mark that somebody looks at the lease now; gives the mark."""
        return transact(self._store, lambda tx: tx.load(_LOCK).anchors["reconcile"].version, durable=True)

    def _put(self, run: Run, findings: Sequence[Finding] = (), *, version: int | None = None) -> None:

        def work(tx: Transaction) -> None:
            held = tx.load(_LOCK).anchors["reconcile"]
            if version is not None and held.version != version:
                raise ReconcileBusy("another run is starting at this moment")
            tx.put_run(run)
            if findings:
                tx.put_findings(findings)

        transact(self._store, work, durable=True)
        self.run = run

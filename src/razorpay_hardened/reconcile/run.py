"""The run: slice by slice through the window, each compared, planned, repaired and recorded before the next is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from razorpay_hardened.clock import Clock, from_unix, to_unix
from razorpay_hardened.domain.ours import Ours
from razorpay_hardened.errors import FieldInvalid, ReconcileBusy, StorageError
from razorpay_hardened.ledger import Ledger
from razorpay_hardened.ports.gateway import Gateway
from razorpay_hardened.ports.store import Finding, Run, Store
from razorpay_hardened.reconcile.case import Case
from razorpay_hardened.reconcile.diff import Difference, differences
from razorpay_hardened.reconcile.journal import Journal, cursor_of, new_run_id, unfinished
from razorpay_hardened.reconcile.match import match
from razorpay_hardened.reconcile.outcome import PlannedStep, Reconciliation, Tally
from razorpay_hardened.reconcile.plan import Plan, plan_for
from razorpay_hardened.reconcile.repair import Repairer, as_finding
from razorpay_hardened.reconcile.sources import Slice, Sources, Span, Spans
from razorpay_hardened.signals import Bus

__all__ = ["LIMIT_MAX", "WINDOW", "Reconciler"]

WINDOW: Final = timedelta(hours=24)
"""What a run looks at when nobody says since when."""
OVERLAP: Final = timedelta(hours=1)
LIMIT_MAX: Final = 1_000_000

Key = tuple[str, str, str]


class Reconciler:
    """Compares what Razorpay lists with what we hold, and repairs what the law allows.

    ``inline`` false leaves effects to a worker, as it does for webhooks. ``settle`` keeps the youngest rows out of a
    run that has no ``until``. By default it is nothing: a row whose webhook is still on its way is repaired by the very
    call that the webhook will make, and then the webhook changes nothing. ``ours`` is the rule that tells our orders
    from those of other applications on the account: theirs are counted and left alone, ours that are missing are found.
    """

    def __init__(
        self,
        store: Store,
        gateway: Gateway,
        ledger: Ledger,
        *,
        clock: Clock,
        bus: Bus,
        inline: bool = True,
        settle: timedelta = timedelta(0),
        ours: Ours | None = None,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._ledger = ledger
        self._clock = clock
        self._bus = bus
        self._inline = inline
        self._settle = settle
        self._ours = ours

    def run(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 500,
        repair: bool = False,
        overlap: timedelta = OVERLAP,
    ) -> Reconciliation:
        """Look at everything that Razorpay or we created from ``since`` (less ``overlap``) to ``until``.

        Times are aware; the window is of Razorpay's ``created_at``, to the second, both ends included. By default it is
        the last 24 h; a payment can still be authorised days after it was created (FACTS section 9), so look back four
        days once a day. ``limit`` bounds the orders, payments and refunds examined, never splitting one second.

        Without ``repair`` nothing at all is written. With it, findings are repaired through the ledger and the run is
        recorded; one that was killed or limited goes on at the next call that names the same window, or none.

        Raises :class:`FieldInvalid` for a window or limit that makes no sense, :class:`ReconcileBusy` while another
        repairing run lives, :class:`ReconcileStalled` for a listing that does not advance, :class:`ApiError`,
        :class:`StorageError`. What was done by then stays done, and the next run goes on from there.
        """
        window = self._window(since, until, limit, overlap)
        run, resumed = self._start(window, since, until, repair=repair)
        work = _Work(self, run, limit, repair=repair)
        if repair:
            work.record(resumed=resumed)
        else:
            work.look()
        return work.result(resumed=resumed)

    # --- what to do

    def _window(self, since: datetime | None, until: datetime | None, limit: int, overlap: timedelta) -> Span:
        now = self._clock.now()
        if type(limit) is not int or not 1 <= limit <= LIMIT_MAX:
            raise FieldInvalid(f"limit must be an int from 1 to {LIMIT_MAX}")
        if overlap < timedelta(0):
            raise FieldInvalid("overlap cannot be negative")
        last = _second("until", min(_aware("until", until), now) if until is not None else now - self._settle)
        first = _second("since", since if since is not None else now - WINDOW)
        if since is not None and since > now:
            raise FieldInvalid("since lies in the future")
        if first > last:
            raise FieldInvalid("since must not be later than until")
        return Span(max(0, first - int(overlap.total_seconds())), last)

    def _start(self, window: Span, since: datetime | None, until: datetime | None, *, repair: bool) -> tuple[Run, bool]:
        """The run to do: the one that was cut short, if this call means it, else a new one."""
        cut = unfinished(self._store) if repair else None
        if cut is not None and _means(cut, window, since, until):
            return _extended(cut, window), True
        now = self._clock.now()
        cursor = f'{{"next": {window.first}}}'
        begin, end = from_unix(window.first), from_unix(window.last)
        return Run(new_run_id(now), begin, end, "running", cursor, "{}", now, now), False


def _second(name: str, moment: datetime) -> int:
    return to_unix(_aware(name, moment))


def _aware(name: str, moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise FieldInvalid(f"{name} must be an aware datetime, such as datetime(2026, 1, 1, tzinfo=UTC)")
    return moment


def _means(cut: Run, window: Span, since: datetime | None, until: datetime | None) -> bool:
    """Whether a call that gives this window means the run that was cut short."""
    same_begin = since is None or to_unix(cut.since) == window.first
    same_end = until is None or to_unix(cut.until) == window.last
    return same_begin and same_end


def _extended(cut: Run, window: Span) -> Run:
    return replace(cut, until=max(cut.until, from_unix(window.last)), state="running")


class _Work:
    """One run while it is going on."""

    def __init__(self, reconciler: Reconciler, run: Run, limit: int, *, repair: bool) -> None:
        self._store = reconciler._store
        self._gateway = reconciler._gateway
        self._clock = reconciler._clock
        self._ours = reconciler._ours
        self._run = run
        self._limit = limit
        self._repair = repair
        self._tally = Tally(run.totals)
        self._before = self._tally.examined
        self._spans = Spans(Span(cursor_of(run), to_unix(run.until)))
        self._found: dict[Key, Finding] = {}
        self._plan: dict[Key, PlannedStep] = {}
        self._journal = Journal(self._store, self._clock, run)
        self._repairer = Repairer(
            self._store,
            reconciler._ledger,
            clock=self._clock,
            bus=reconciler._bus,
            run_id=run.id,
            inline=reconciler._inline,
        )

    # --- the loop

    def look(self) -> None:
        """Compare and plan; write nothing."""
        for slice_ in self._slices():
            self._do(slice_)
            del slice_  # the next one is read while this name would still hold it

    def record(self, *, resumed: bool) -> None:
        """Compare, plan, repair; the run's row is ours while this lasts."""
        self._journal.begin()
        if resumed:
            self._found = {_key(one): one for one in self._store.findings(self._run.id, limit=LIMIT_MAX)}
        with self._ended_in_any_case():
            for slice_ in self._slices():
                fresh = self._do(slice_)
                self._journal.save(slice_.span.last + 1, self._totals(), fresh)
                del slice_

    @contextmanager
    def _ended_in_any_case(self) -> Iterator[None]:
        try:
            yield
        except ReconcileBusy:
            raise  # the lease is another's by now: what is on record is not ours to touch
        except BaseException as error:
            # Also for Ctrl-C: the next run need not wait for the lease to end. The error itself goes on its way.
            self._give_up(error)
            raise
        self._journal.end("done" if self._is_complete else "running", self._spans.first, self._totals())

    def _give_up(self, error: BaseException) -> None:
        run = self._journal.run
        try:
            self._journal.end("failed", cursor_of(run), run.totals)
        except StorageError as lost:
            error.add_note(f"and the run's lease could not be given back ({lost.code}): it ends by itself")

    def _slices(self) -> Iterator[Slice]:
        """Slices until the window or the limit ends. A slice counts as done once the next one is asked for."""
        sources = Sources(self._store, self._gateway)
        while (span := self._spans.current()) is not None:
            room = self._limit - (self._tally.examined - self._before)
            if room <= 0:
                return
            slice_ = sources.read(span)
            if slice_ is None or (slice_.rows > room and span.seconds > 1):
                self._spans.narrow(span)
                continue
            if slice_.rows > room < self._limit:
                return
            yield slice_
            self._spans.advance(span, slice_.busiest)
            del slice_

    def _do(self, slice_: Slice) -> list[Finding]:
        """Everything about one slice; gives the findings that are not stored yet."""
        matched = match(slice_, self._store, self._gateway, self._clock, self._ours)
        fresh: list[Finding] = []
        for case in matched.cases:
            found = differences(case)
            plan = plan_for(case, found)
            after, findings = self._settled(case, plan, found)
            self._tally.add_case(after)
            self._found |= {_key(one): one for one in findings}
            fresh += findings
        self._tally.add(matched.examined, matched.foreign)
        return fresh

    def _settled(self, case: Case, plan: Plan, found: tuple[Difference, ...]) -> tuple[Case, tuple[Finding, ...]]:
        for step in plan.steps:
            one = step.difference
            self._plan[one.key] = PlannedStep(step.action, one.kind, one.entity, one.entity_id)
        if not self._repair:
            now = self._clock.now()
            return case, tuple(as_finding(self._run.id, one, "open", now) for one in found)
        self._journal.renew()
        return self._repairer.repair(case, plan)

    # --- the result

    @property
    def _is_complete(self) -> bool:
        return self._spans.current() is None

    def _totals(self) -> str:
        return self._tally.to_json(self._found)

    def result(self, *, resumed: bool) -> Reconciliation:
        """What came of it."""
        return Reconciliation(
            run_id=self._run.id,
            since=self._run.since,
            until=self._run.until,
            repair=self._repair,
            findings=tuple(self._found.values()),
            plan=tuple(self._plan.values()),
            totals=self._tally.totals(self._found),
            complete=self._is_complete,
            cursor=None if self._is_complete else from_unix(self._spans.first),
            resumed=resumed,
        )


def _key(finding: Finding) -> Key:
    return (finding.kind, finding.entity, finding.entity_id)

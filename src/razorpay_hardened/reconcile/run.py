"""The run: slice by slice through the window, each compared, planned, repaired and recorded before the next is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from razorpay_hardened.clock import Clock, from_unix, to_unix
from razorpay_hardened.domain.ours import Ours
from razorpay_hardened.errors import FieldInvalid, ReconcileBusy, StorageError
from razorpay_hardened.ledger import Ledger
from razorpay_hardened.ports.gateway import Gateway
from razorpay_hardened.ports.store import Finding, Run, Store
from razorpay_hardened.reconcile.case import Case
from razorpay_hardened.reconcile.diff import Difference, differences
from razorpay_hardened.reconcile.journal import Journal, cursor_of, new_run_id, rest_of, unfinished
from razorpay_hardened.reconcile.match import match
from razorpay_hardened.reconcile.others import Others
from razorpay_hardened.reconcile.outcome import PlannedStep, Reconciliation, Tally
from razorpay_hardened.reconcile.plan import Plan, plan_for
from razorpay_hardened.reconcile.repair import Repairer, as_finding
from razorpay_hardened.reconcile.sources import PAGE, Both, Slice, Sources, Span, Spans
from razorpay_hardened.signals import Bus

__all__ = ["LIMIT_MAX", "OVERLAP", "RECONCILE", "WINDOW", "Reconciler", "Task", "Work"]

WINDOW: Final = timedelta(hours=24)
"""What a run looks at when nobody says since when."""
OVERLAP: Final = timedelta(hours=1)
LIMIT_MAX: Final = 1_000_000

_NOTHING: Final[Both[Any, Any]] = Both((), ())
_OPEN_PAYMENTS: Final = ("pending", "authorized")
_OPEN_REFUNDS: Final = ("pending",)


class Task(NamedTuple):
    """What kind of run it is: ``name`` begins its runs' ids, and ``source`` is what the causes of its facts say.

    ``rest``: it also looks at what no listing of orders, payments and refunds by their time of creation shows, and
    leaves the overlap for the end: what was made in the window is what somebody waits for.
    """

    name: str
    source: str
    rest: bool = False


RECONCILE: Final = Task("run", "reconcile")

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
        task: Task = RECONCILE,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._ledger = ledger
        self._clock = clock
        self._bus = bus
        self._inline = inline
        self._settle = settle
        self._ours = ours
        self._task = task

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
        begin = since if since is not None else self._clock.now() - WINDOW
        return self._carry_out(begin, since, until, limit, overlap, repair=repair).result()

    def _carry_out(
        self,
        begin: datetime,
        since: datetime | None,
        until: datetime | None,
        limit: int,
        overlap: timedelta,
        *,
        repair: bool,
    ) -> Work:
        """The run, finished as far as it comes. ``begin`` is where a window without ``since`` begins."""
        window = self._window(begin, until, limit, overlap)
        cursor: dict[str, Any] = {"next": window.first}
        if self._task.rest:
            cursor = {"next": to_unix(begin), "rest": {"from": window.first, "before": window.first}}
            window = window._replace(first=to_unix(begin))
        run, resumed = self._start(window, json.dumps(cursor), since, until, repair=repair)
        work = Work(self, run, limit, repair=repair, resumed=resumed)
        if repair:
            work.record()
        else:
            work.look()
        return work

    # --- what to do

    def _window(self, since: datetime, until: datetime | None, limit: int, overlap: timedelta) -> Span:
        now = self._clock.now()
        if type(limit) is not int or not 1 <= limit <= LIMIT_MAX:
            raise FieldInvalid(f"limit must be an int from 1 to {LIMIT_MAX}")
        if overlap < timedelta(0):
            raise FieldInvalid("overlap cannot be negative")
        last = _second("until", min(_aware("until", until), now) if until is not None else now - self._settle)
        first = _second("since", since)
        if since > now:
            raise FieldInvalid("since lies in the future")
        if first > last:
            raise FieldInvalid("since must not be later than until")
        return Span(max(0, first - int(overlap.total_seconds())), last)

    def _start(
        self, window: Span, cursor: str, since: datetime | None, until: datetime | None, *, repair: bool
    ) -> tuple[Run, bool]:
        """The run to do: the one that was cut short, if this call means it, else a new one."""
        cut = unfinished(self._store, self._task.name) if repair else None
        if cut is not None and _means(cut, window, since, until):
            return _extended(cut, window), True
        now = self._clock.now()
        begin, end = from_unix(window.first), from_unix(window.last)
        return Run(new_run_id(now, self._task.name), begin, end, "running", cursor, "{}", now, now), False


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


class Work:
    """One run while it is going on."""

    def __init__(self, reconciler: Reconciler, run: Run, limit: int, *, repair: bool, resumed: bool) -> None:
        self._store = reconciler._store
        self._gateway = reconciler._gateway
        self._clock = reconciler._clock
        self._ours = reconciler._ours
        self._run = run
        self._limit = limit
        self._repair = repair
        self._resumed = resumed
        self._rest = reconciler._task.rest
        self._tally = Tally(run.totals)
        self._before = self._tally.examined
        self._spans = Spans(Span(cursor_of(run), to_unix(run.until)))
        rest = rest_of(run)
        self._overlap = Spans(Span(rest.get("before", 0), to_unix(run.since) - 1 if self._rest else -1))
        whole = Span(rest.get("from", to_unix(run.since)), to_unix(run.until))
        self._others = Others(self._store, self._gateway, self._clock, whole, reconciler._ours)
        self._whole = whole
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
            source=reconciler._task.source,
            hears=self._tally.hear,
        )

    # --- the loop

    def look(self) -> None:
        """Compare and plan; write nothing."""
        for slice_ in self._slices(self._spans):
            self._do(slice_)
            del slice_  # the next one is read while this name would still hold it

    def record(self) -> None:
        """Compare, plan, repair; the run's row is ours while this lasts."""
        self._journal.begin()
        if self._resumed:
            self._found = {_key(one): one for one in self._store.findings(self._run.id, limit=LIMIT_MAX)}
        with self._ended_in_any_case():
            for slice_ in self._slices(self._spans):
                fresh = self._do(slice_)
                self._journal.save(slice_.span.last + 1, self._totals(), fresh)
                del slice_
            if self._rest and self._spans.current() is None:
                self._tell_the_rest()

    def _tell_the_rest(self) -> None:
        """What has moved since it was made, and what is no order, payment or refund; page by page, each recorded."""
        for name, slice_, place in self._unended():
            self._saved(name, place, self._do(slice_))
        for part in self._others.parts(self._journal.rest):
            for facts in part.news:
                self._journal.renew()
                refusal = self._repairer.tell(facts)
                if refusal is not None:
                    self._others.refused[facts[0].entity_id] = refusal
            self._tally.add_others(part.kind, part.size)
            self._tally.add(0, self._others.foreign)
            self._others.foreign.clear()
            self._saved(part.name, part.place, [])
            if self._room <= 0:
                return
        for slice_ in self._slices(self._overlap):
            self._saved("before", slice_.span.last + 1, self._do(slice_))
            del slice_

    def _saved(self, name: str, place: object, fresh: list[Finding]) -> None:
        self._journal.rest = {**self._journal.rest, name: place}
        self._journal.save(self._spans.first, self._totals(), fresh)

    def _unended(self) -> Iterator[tuple[str, Slice, object]]:
        """Payments and refunds from before the window whose end is not known here: a page of them, asked for by id."""
        before = from_unix(self._whole.first)
        for name in ("open payment", "open refund"):
            place = self._journal.rest.get(name)
            while place != "done" and self._room > 0:
                after = None if place is None else (datetime.fromisoformat(place[0]), place[1])
                if name == "open payment":
                    rows = self._store.payments(until=before, statuses=_OPEN_PAYMENTS, after=after, limit=PAGE)
                    last = (rows[-1].created_at, rows[-1].payment_id) if len(rows) == PAGE else None
                    slice_ = Slice(self._whole, _NOTHING, Both((), tuple(rows)), _NOTHING)
                else:
                    refunds = self._store.refunds(until=before, statuses=_OPEN_REFUNDS, after=after, limit=PAGE)
                    last = (refunds[-1].created_at, refunds[-1].refund_id) if len(refunds) == PAGE else None
                    slice_ = Slice(self._whole, _NOTHING, _NOTHING, Both((), tuple(refunds)))
                place = "done" if last is None else [last[0].isoformat(), last[1]]
                yield name, slice_, place

    @property
    def _room(self) -> int:
        """How many more may be examined."""
        return self._limit - (self._tally.examined - self._before)

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

    def _slices(self, spans: Spans) -> Iterator[Slice]:
        """Slices until ``spans`` or the limit end. A slice counts as done once the next one is asked for."""
        sources = Sources(self._store, self._gateway)
        while (span := spans.current()) is not None:
            room = self._room
            if room <= 0:
                return
            slice_ = sources.read(span)
            if slice_ is None or (slice_.rows > room and span.seconds > 1):
                spans.narrow(span)
                continue
            if slice_.rows > room < self._limit:
                return
            yield slice_
            spans.advance(span, slice_.busiest)
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
        if self._spans.current() is not None:
            return False
        rest = self._journal.rest
        ended = rest.get("open payment") == rest.get("open refund") == "done" and self._overlap.current() is None
        return not self._rest or (ended and self._others.is_done(rest))

    def _totals(self) -> str:
        return self._tally.to_json(self._found)

    @property
    def refused(self) -> dict[str, str]:
        """Kinds that the API would not list, and entities that the ledger would not take, with the error's code."""
        return dict(sorted(self._others.refused.items()))

    def result(self) -> Reconciliation:
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
            resumed=self._resumed,
        )


def _key(finding: Finding) -> Key:
    return (finding.kind, finding.entity, finding.entity_id)

"""The one writer: facts in, statuses changed, milestones out.

Nothing else changes the status of a payment, an order or a refund. Webhooks, the customer's return from checkout and
reconciliation all call :meth:`Ledger.apply`, and therefore cannot disagree and cannot race (DESIGN section 2, idea 1).

One call is a unit of work: lock the anchors, read once, decide on all facts, derive the order, write once (state, audit
and effect rows together), then run the ``on`` handlers. A fact that contradicts what we hold raises before anything is
written, so that the caller may still record the refusal in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from razorpay_hardened.clock import Clock
from razorpay_hardened.domain.audit import AuditRow, chained
from razorpay_hardened.domain.events import read_event
from razorpay_hardened.domain.facts import (
    Cause,
    EntityFact,
    Fact,
    OrderAsked,
    OrderClosed,
    OrderFact,
    OrderRegistered,
    OrderReopened,
    OrderSetback,
    PaymentFact,
    RefundFact,
)
from razorpay_hardened.domain.kinds import (
    ENTITY_MILESTONES,
    OF_ONE_ORDER,
    decide_entity,
    ends_twice,
    entity_milestones,
)
from razorpay_hardened.domain.lifecycle import (
    MILESTONES,
    ORDER_RANK,
    PAYMENT_RANK,
    Milestone,
    Verdict,
    advance_order,
    bind_capture,
    decide_order,
    decide_payment,
    decide_refund,
    decide_setback,
    payment_milestones,
    refund_milestones,
    with_refund,
)
from razorpay_hardened.domain.privacy import forgotten
from razorpay_hardened.domain.state import AnchorState, EntityState, OrderState, PaymentState, RefundState
from razorpay_hardened.domain.text import word
from razorpay_hardened.effects import Attempt, Registry, run_inline
from razorpay_hardened.effects.backoff import is_redelivered
from razorpay_hardened.effects.change import Row, delivery_of, detail
from razorpay_hardened.effects.pause import look
from razorpay_hardened.effects.relay import announce
from razorpay_hardened.errors import OrderMismatch, OrderUnknown, RazorpayHardenedError, StorageError
from razorpay_hardened.ports.store import Batch, EffectRow, Fired, Held, InboxRow, NewEffect, Touches, Transaction
from razorpay_hardened.signals import Bus, EventQuarantined, Signal, StatusChanged, TransitionRefused

__all__ = ["Applied", "Ledger", "Results", "PaidLate", "Told", "UnknownOrder"]

UnknownOrder: TypeAlias = Literal["park", "accept"]
"""What to do with news of an order that is not ours to know yet: keep it until the order is registered, or take it."""

PaidLate: TypeAlias = Literal["fulfil", "refund", "ask"]
"""What to do when money comes for an order that we have closed: ``order.paid`` as ever; or hold that back, and give the
money back (``refund``) or leave it to a person (``ask``)."""

_HELD_BACK: Final = "order.held_back"
_FIRING_ORDER: Final = {name: place for place, name in enumerate((*MILESTONES, *ENTITY_MILESTONES))}


@dataclass(slots=True)
class Applied:
    """What a call did. ``parked_under`` is the id that the facts wait for: then nothing was written of payments, orders
    and refunds. What was told of another entity in the same breath does not wait, and is in here.

    ``attempts`` are the ``on`` handlers that were due; ``waiting`` those of them that belong to this very delivery,
    have not succeeded, and may still wait for its redelivery. ``paused``: handlers were due, and none was called.
    Orders are by local id. Call :meth:`announce` once the transaction has committed.
    """

    milestones: list[Milestone] = field(default_factory=list)
    parked_under: str | None = None
    anchors: tuple[str, ...] = ()
    orders: dict[str, OrderState] = field(default_factory=dict)
    payments: dict[str, PaymentState] = field(default_factory=dict)
    refunds: dict[str, RefundState] = field(default_factory=dict)
    entities: dict[str, EntityState] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    waiting: list[Attempt] = field(default_factory=list)
    paused: bool = False
    signals: list[Signal] = field(default_factory=list)
    alarms: list[tuple[str, str, str]] = field(default_factory=list)
    doubtful: bool = False
    """Whether the facts left something open that Razorpay can tell."""

    def announce(self, bus: Bus) -> None:
        """Tell the bus: after the commit, because before it nothing is true yet."""
        for signal in self.signals:
            bus.emit(signal)
        for attempt in self.attempts:
            announce(bus, attempt)
        for alarm in self.alarms:
            bus.alarm(*alarm)

    def absorb(self, other: Applied) -> None:
        """Count what ``other`` did as done here too."""
        self.anchors += other.anchors
        self.milestones += other.milestones
        self.orders |= other.orders
        self.payments |= other.payments
        self.refunds |= other.refunds
        self.entities |= other.entities
        self.attempts += other.attempts
        self.paused = self.paused or other.paused
        self.signals += other.signals
        self.alarms += other.alarms
        self.doubtful = self.doubtful or other.doubtful


Results: TypeAlias = Sequence[Applied | RazorpayHardenedError]
"""For each piece of news what became of it, or the error that it would have raised by itself."""


class Told(NamedTuple):
    """One piece of news in a batch: its facts, and who told them. ``cause.digest`` tells it from the others."""

    facts: tuple[Fact, ...]
    cause: Cause


class Ledger:
    """Applies facts inside a transaction that the caller has opened."""

    def __init__(
        self,
        registry: Registry,
        *,
        clock: Clock,
        unknown_order: UnknownOrder = "park",
        paid_late: PaidLate = "fulfil",
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._unknown_order = unknown_order
        self._paid_late = paid_late

    def _unit(self, tx: Transaction, facts: Sequence[Fact], cause: Cause) -> _Unit:
        return _Unit(tx, facts, cause, self._registry, self._clock.now(), self._paid_late)

    @staticmethod
    def touches(facts: Sequence[Fact]) -> Touches:
        """What :meth:`apply` is going to load for ``facts``, as far as they tell it themselves."""
        return _Anchors(facts, {}).touches

    def apply(self, tx: Transaction, *facts: Fact, cause: Cause, inline: bool = True, again: bool = False) -> Applied:
        """Decide on ``facts`` together and write what follows from them.

        ``inline`` false leaves every effect to a worker. ``again``: what these facts say of other entities was applied
        when they were parked, and is left out while they have to wait on. Raises, before anything is written, the
        error that names the contradiction: :class:`AmountMismatch`, :class:`CurrencyMismatch`, :class:`OverRefund`,
        :class:`BindingError`, :class:`InconsistentEvent`, :class:`TransitionRefused`.
        """
        unit = self._unit(tx, facts, cause)
        awaited = unit.decide(self._unknown_order)
        if awaited is not None and (again or not any(isinstance(fact, EntityFact) for fact in facts)):
            return Applied(parked_under=awaited)
        unit.decide_entities()
        applied = unit.write(told=inline)
        applied.parked_under, applied.doubtful = awaited, bool(unit.doubts)
        self._drain(tx, unit.now_known, applied, inline=inline)
        if inline:
            self._run(tx, unit, applied, unit.due, redelivered=True)
        return applied

    def apply_many(
        self,
        tx: Transaction,
        news: Sequence[Told],
        *,
        inline: bool = True,
        decided: Callable[[Results], object] = lambda results: None,
    ) -> Results:
        """Decide on many pieces of news in their order, as if each had a call of its own, and write once.

        The news tells of orders, payments and refunds only: other entities are applied one by one. Gives for each what
        :meth:`apply` would give, or the error that it would raise: such a piece changes nothing,
        and its neighbours are not touched. What belongs to none of them alone (an older effect that was tried again, a
        parked delivery that was drained) is told with the first.

        ``decided`` is called with the results once all is written, before any handler runs: for what must be on record
        even where a handler commits.
        """
        unit = self._unit(tx, (), news[0].cause)
        unit.read_ahead(news, self._unknown_order)
        results = [unit.try_to_decide(place, told, self._unknown_order) for place, told in enumerate(news)]
        for place, told in enumerate(news):  # what waited for something that came later in the same batch
            before = results[place]
            if isinstance(before, Applied) and before.parked_under in unit.now_known:
                results[place] = unit.try_to_decide(place, told, self._unknown_order)
        parts = [one for one in results if isinstance(one, Applied) and one.parked_under is None]
        if not parts:
            decided(results)
            return results
        whole = unit.write(told=inline)
        unit.share(results, whole)
        decided(results)
        self._drain(tx, unit.now_known, parts[0], inline=inline)
        if inline:
            self._run_many(tx, unit, news, results)
        return results

    def _run_many(self, tx: Transaction, unit: _Unit, news: Sequence[Told], results: Results) -> None:
        """Call the handlers that are due, once, and tell each piece of news what became of its own."""
        parts = {
            told.cause.digest: one
            for told, one in zip(news, results, strict=True)
            if isinstance(one, Applied) and one.parked_under is None
        }
        first = next(iter(parts.values()))
        ran = Applied()
        self._run(tx, unit, ran, unit.due, redelivered=True)
        first.alarms += ran.alarms
        for attempt in ran.attempts:
            digest = delivery_of(attempt.row)
            mine = parts.get(digest, first)
            mine.attempts.append(attempt)
            mine.paused = mine.paused or ran.paused
            waits = attempt.state == "waiting" and not ran.paused and digest in parts
            if waits and is_redelivered(attempt.row.at, unit.now):
                mine.waiting.append(attempt)

    def resume(
        self, tx: Transaction, anchor: str, *, cause: Cause, redelivered: bool, due_by: datetime | None = None
    ) -> Applied:
        """Try the waiting ``on`` effects of one anchor again; with ``due_by``, only those due by then.

        ``redelivered``: Razorpay's deliveries are what retries them, so their age counts, not their attempts.
        """
        unit = self._unit(tx, (), cause)
        unit.read(Touches((anchor,)))
        applied = Applied(anchors=(anchor,))
        self._run(tx, unit, applied, unit.held.waiting, redelivered=redelivered, due_by=due_by)
        return applied

    def drain(self, tx: Transaction, row: InboxRow, *, inline: bool = True, again: bool = True) -> Applied:
        """Apply one parked delivery, if what it waits for is known by now; else it stays parked (``parked_under``).

        ``again`` false: what it says of other entities was held back when it was parked, and is applied now.
        """
        applied = Applied()
        applied.parked_under = self._apply_parked(tx, row, applied, inline=inline, again=again)
        return applied

    def take_back(self, tx: Transaction, row: InboxRow, anchor: str, *, inline: bool = True) -> Applied:
        """Apply a delivery that was set aside as another application's, now that its order ``anchor`` is ours."""
        anchors = {anchor}
        with suppress(RazorpayHardenedError):  # what cannot be used is quarantined below
            anchors |= set(self.touches(read_event(row.body, row.event_id).facts()).anchors)
        # Every anchor before the delivery's own row, in the order in which everybody does.
        tx.load(Touches(tuple(sorted(anchors))))
        tx.settle(row.digest, "parked", self._clock.now(), anchor=anchor)
        return self.drain(tx, row, inline=inline, again=False)

    def quarantined(self, tx: Transaction, digest: str, reason: str, *, cause: Cause) -> None:
        """Put on record that a rightly signed body could not be used. Its digest is its anchor."""
        self._note(tx, digest, "quarantined", "body", digest, reason, cause)

    def refused(self, tx: Transaction, anchor: str, kind: str, entity_id: str, reason: str, *, cause: Cause) -> None:
        """Put on record that somebody asked for what is not theirs, or for what does not fit. Nothing changes."""
        self._note(tx, anchor, "refused", kind, entity_id, reason, cause)

    def attempted(self, tx: Transaction, anchor: str, reason: str, *, cause: Cause) -> None:
        """Put on record that a browser says that somebody tried to pay an order in vain. Nothing changes."""
        self._note(tx, anchor, "attempted", "order", anchor, reason, cause)

    def replayed(self, tx: Transaction, digest: str, anchor: str, *, cause: Cause) -> None:
        """Put on record that somebody had a delivery processed again that was done already."""
        self._note(tx, anchor, "replayed", "body", digest, None, cause)

    def _note(
        self, tx: Transaction, anchor: str, what: str, kind: str, entity_id: str, reason: str | None, cause: Cause
    ) -> None:
        unit = self._unit(tx, (), cause)
        unit.read(Touches((anchor,)))
        unit.audit(anchor, what, kind, entity_id, None, None, note=reason)
        unit.write()

    def _run(
        self,
        tx: Transaction,
        unit: _Unit,
        applied: Applied,
        due: Sequence[EffectRow],
        *,
        redelivered: bool,
        due_by: datetime | None = None,
    ) -> None:
        """Call the handlers that are due, unless effects are paused: the one place that decides it for ``on``."""
        if not due:
            return
        pause = look(tx)
        if pause.on is not None:
            applied.paused = True
            applied.attempts += [Attempt(row, "waiting", row.attempts, ran=False) for row in due]
            alarm = pause.alarm(unit.now)
            applied.alarms += [] if alarm is None else [alarm]
            return
        attempts = run_inline(
            tx,
            due,
            self._registry,
            unit.rows_of,
            unit.now,
            redelivered=redelivered,
            due_by=due_by,
            paused_until=pause.ended,
        )
        applied.attempts += attempts
        applied.waiting += [one for one in attempts if one.state == "waiting" and _awaited(one.row, unit)]

    def _drain(self, tx: Transaction, known: Sequence[str], applied: Applied, *, inline: bool) -> None:
        """Apply what was parked for the orders and payments that this transaction made known."""
        if not known:
            return
        for row in tx.parked(known):
            self._apply_parked(tx, row, applied, inline=inline)

    def _apply_parked(
        self, tx: Transaction, row: InboxRow, applied: Applied, *, inline: bool, again: bool = True
    ) -> str | None:
        """Gives what it goes on waiting for, if it does."""
        now = self._clock.now()
        cause = Cause("webhook", now, "parked", row.event, row.event_id, row.digest)
        try:
            facts = read_event(row.body, row.event_id).facts()
            inner = self.apply(tx, *facts, cause=cause, inline=inline, again=again)
        except StorageError:
            raise
        except RazorpayHardenedError as error:
            # It was good enough to park, and contradicts what has become known since.
            self.quarantined(tx, row.digest, error.code, cause=cause)
            tx.settle(row.digest, "quarantined", now, reason=error.code)
            applied.signals.append(EventQuarantined(row.digest, word(row.event), error.code))
            applied.alarms.append((f"quarantined:{row.digest}", error.code, row.digest))
            return None
        applied.absorb(inner)
        if inner.parked_under is None:
            tx.settle(row.digest, "done", now)
        else:
            tx.settle(row.digest, "parked", now, anchor=inner.parked_under)
        return inner.parked_under


class _Fired(NamedTuple):
    milestone: Milestone
    anchor: str
    kind: str
    before: str | None
    after: str
    cause: Cause
    place: int
    """Which piece of news it was."""
    turn: int
    """When that was decided: its milestones fire in their own order, one piece of news after the other."""
    payment_id: str | None = None
    paid: tuple[int, str] | None = None


class _Mark(NamedTuple):
    """How far a unit had come, to go back to where a piece of news contradicts what is held."""

    held: Held
    changed: dict[tuple[str, str], Row]
    furthest: dict[str, int]
    anchors_changed: set[str]
    by_order: dict[str, str]
    lengths: tuple[int, ...]


class _Unit:
    """One unit of work: what was read, what changes, what follows."""

    def __init__(
        self,
        tx: Transaction,
        facts: Sequence[Fact],
        cause: Cause,
        registry: Registry,
        now: datetime,
        paid_late: PaidLate,
    ) -> None:
        self.tx = tx
        self.facts = facts
        self.cause = cause
        self.registry = registry
        self.now = now
        self.paid_late = paid_late
        self.place = self._turn = 0
        self.held = Held()
        self._by_order: dict[str, str] = {}
        """Razorpay's order id → local id, of the orders held."""
        self._asked: tuple[set[str], ...] = (set(), set(), set(), set(), set())
        """Local ids, payments, refunds, other entities and milestones that were read, found or not."""
        self._anchor_of: dict[str, str] = {}
        self._about: set[str] = set()
        """The anchors that the piece of news in hand is about."""
        self.due: list[EffectRow] = []
        self.doubts: list[str] = []
        self.now_known: list[str] = []
        self._touched = Batch()
        self._changed: dict[tuple[str, str], Row] = {}
        self._fired: list[_Fired] = []
        self._furthest: dict[str, int] = {}
        self._signals: list[Signal] = []
        self._alarms: list[tuple[str, str, str]] = []
        self._anchors_changed: set[str] = set()
        self._anchors = _Anchors((), {})

    # --- reading

    def read(self, touches: Touches) -> None:
        """Lock and read more. What this unit has changed stays as it made it; the rest is what is there now.

        A row may have been read before its own anchor was locked: somebody else may have written it in between.
        """
        held, got = self.held, self.tx.load(touches)
        # An anchor that is read again has told its waiting effects before.
        held.waiting = [*held.waiting, *(row for row in got.waiting if row.anchor not in held.anchors)]
        held.anchors = got.anchors | held.anchors
        self._about.update(got.anchors)
        for asked, ids in zip(self._asked, touches[1:], strict=True):
            asked.update(ids)
        self._by_order.update((row.order_id, id_) for id_, row in got.orders.items() if row.order_id is not None)
        held.orders |= {id_: row for id_, row in got.orders.items() if ("order", id_) not in self._changed}
        held.payments |= {id_: row for id_, row in got.payments.items() if ("payment", id_) not in self._changed}
        held.refunds |= {id_: row for id_, row in got.refunds.items() if ("refund", id_) not in self._changed}
        held.entities |= {id_: row for id_, row in got.entities.items() if ("entity", id_) not in self._changed}
        held.fired |= got.fired

    def _need(self, touches: Touches) -> None:
        """Read what was not read yet."""
        self._about.update(touches.anchors)
        if not self.held.anchors.keys() >= set(touches.anchors) or not all(
            asked.issuperset(ids) for asked, ids in zip(self._asked, touches[1:], strict=True)
        ):
            self.read(touches)

    def _order_of(self, anchor: str) -> OrderState | None:
        return self.held.orders.get(self._by_order.get(anchor, anchor))

    def rows_of(self, row: EffectRow) -> tuple[Row, OrderState | None]:
        """The rows that an effect is about, read under the anchor's lock where this unit did not need them before."""
        entity = self._find(row)
        if entity is None:
            self.read(_touches_of(row))
            entity = self._find(row)
        if entity is None:
            raise OrderUnknown(f"the {row.kind} of this effect is not on record")
        return entity, self._order_of(row.anchor)

    def _find(self, row: EffectRow) -> Row | None:
        if row.kind == "payment":
            return self.held.payments.get(row.entity_id)
        if row.kind == "refund":
            return self.held.refunds.get(row.entity_id)
        if row.kind == "order":
            return self._order_of(row.anchor)
        return self.held.entities.get(row.entity_id)

    # --- deciding

    def read_ahead(self, news: Sequence[Told], unknown_order: UnknownOrder) -> None:
        """Read for all of the news at once, in the one order in which everybody locks."""
        placed = _Anchors([fact for told in news for fact in told.facts], self._known_of(news))
        self.read(placed.touches)
        coming = {
            fact.payment_id
            for told in news
            for fact in told.facts
            if isinstance(fact, PaymentFact)
            and fact.payment_id not in self.held.payments
            and (unknown_order == "accept" or self._order_of(placed.of(fact)) is not None)
        }
        if missing := tuple(sorted(coming - self.held.anchors.keys())):
            self.read(Touches(missing))  # see _await_refunds

    def try_to_decide(self, place: int, told: Told, unknown_order: UnknownOrder) -> Applied | RazorpayHardenedError:
        """Decide on one piece of news among others. One that waits, or contradicts what is held, leaves nothing."""
        mark = self._mark()
        self._turn += 1
        self.place, self.facts, self.cause, self._about = place, told.facts, told.cause, set()
        try:
            awaited = self.decide(unknown_order)
        except StorageError:
            raise
        except RazorpayHardenedError as error:
            self._go_back(mark)
            return error
        if awaited is not None:
            self._go_back(mark)
            return Applied(parked_under=awaited)
        signals, alarms = mark.lengths[-2:]
        return Applied(
            anchors=tuple(sorted(self._about)),
            signals=self._signals[signals:],
            alarms=self._alarms[alarms:],
            doubtful=len(self.doubts) > mark.lengths[0],
        )

    def share(self, results: Results, whole: Applied) -> None:
        """Give each piece of news its part of what was written."""
        parts = {place: one for place, one in enumerate(results) if isinstance(one, Applied)}
        for fired in self._fired:
            parts[fired.place].milestones.append(fired.milestone)
        about: dict[str, list[Applied]] = {}
        for part in parts.values():
            for anchor in part.anchors:
                about.setdefault(anchor, []).append(part)
        for local_id, order in whole.orders.items():
            for part in about.get(order.order_id or local_id, ()):
                part.orders[local_id] = order
        for payment_id, payment in whole.payments.items():
            for part in about.get(payment.anchor, ()):
                part.payments[payment_id] = payment
        for refund_id, refund in whole.refunds.items():
            for part in about.get(refund.anchor, ()):
                part.refunds[refund_id] = refund

    def _lists(self) -> tuple[list[Any], ...]:
        touched = self._touched
        return (
            self.doubts,
            touched.audit,
            touched.fired,
            self._fired,
            self.now_known,
            self.held.waiting,
            self._signals,
            self._alarms,
        )

    def _mark(self) -> _Mark:
        held = self.held
        return _Mark(
            Held(
                dict(held.anchors),
                dict(held.orders),
                dict(held.payments),
                dict(held.refunds),
                entities=dict(held.entities),
                fired=set(held.fired),
            ),
            dict(self._changed),
            dict(self._furthest),
            set(self._anchors_changed),
            dict(self._by_order),
            tuple(map(len, self._lists())),
        )

    def _go_back(self, mark: _Mark) -> None:
        """Forget what was decided since. What was read since is forgotten too, and read again where it is needed."""
        for rows, length in zip(self._lists(), mark.lengths, strict=True):
            del rows[length:]
        waiting = self.held.waiting
        self.held = mark.held
        self.held.waiting = waiting
        self._changed, self._furthest = mark.changed, mark.furthest
        self._anchors_changed, self._by_order = mark.anchors_changed, mark.by_order
        for asked in self._asked:
            asked.clear()

    def _known_of(self, news: Sequence[Told]) -> dict[str, str]:
        """Payment → anchor, for those whose facts do not say it, as far as they are known here."""
        asked: set[str] = {
            fact.payment_id
            for told in news
            for fact in told.facts
            if isinstance(fact, (PaymentFact, RefundFact, EntityFact))
            and fact.order_id is None
            and fact.payment_id is not None
        }
        if not asked:
            return {}
        if missing := sorted(asked - self._anchor_of.keys() - self.held.payments.keys()):
            self._anchor_of |= dict.fromkeys(missing, "") | self.tx.anchors_of(missing)
        known = {one: self._anchor_of[one] for one in asked if self._anchor_of.get(one)}
        return known | {one: self.held.payments[one].anchor for one in asked if one in self.held.payments}

    def decide(self, unknown_order: UnknownOrder) -> str | None:
        """Decide on every fact. Gives the id to wait for, when the facts are about something not known here yet."""
        anchors = self._anchors = _Anchors(self.facts, self._known_of((Told(tuple(self.facts), self.cause),)))
        self._need(anchors.touches)
        for fact in self.facts:
            self._decide_local(fact)
        awaited = self._awaited(anchors, unknown_order)
        if awaited is not None:
            return awaited
        for fact in self.facts:
            if isinstance(fact, OrderFact):
                self._decide_order(fact)
        for fact in self.facts:
            if isinstance(fact, PaymentFact):
                self._decide_payment(fact, anchors.of(fact))
        for fact in self.facts:
            if isinstance(fact, RefundFact):
                self._decide_refund(fact)
        for anchor in sorted(self._about):
            self._derive_order(anchor)
        return None

    def decide_entities(self) -> None:
        """Decide on what is told of other entities: that waits for nothing."""
        for fact in self.facts:
            if isinstance(fact, EntityFact):
                self._decide_entity(fact, self._anchors)

    def _decide_entity(self, fact: EntityFact, anchors: _Anchors) -> None:
        held = self.held.entities.get(fact.entity_id)
        state, verdict = decide_entity(held, fact, anchors.home(fact), self.now)
        if state is not held:
            if state.erased_at is not None:
                state = forgotten(state, self.now)
            self.held.entities[fact.entity_id] = state
            self._changed["entity", fact.entity_id] = state
        was = None if held is None else held.status
        if verdict in (Verdict.NEW, Verdict.MOVED) or held is None:
            self._record(fact.entity_id, True, fact.kind, fact.entity_id, was, state)
        self._refuse(verdict, fact.entity_id, fact.kind, fact.entity_id, state.status, fact.status)
        if held is not None and ends_twice(held, state):
            self._alarms.append((f"ends_twice:{fact.entity_id}", "ends_twice", fact.entity_id))
        for milestone in entity_milestones(fact):
            if milestone.key not in self.held.fired:
                self.held.fired.add(milestone.key)
                self._touched.fired.append(Fired(milestone.key, self.now))
                about = (anchors.of(fact), fact.kind, was, state.status, self.cause, self.place, self._turn)
                self._fired.append(_Fired(milestone, *about, payment_id=fact.payment_id, paid=fact.paid))

    def _awaited(self, anchors: _Anchors, unknown_order: UnknownOrder) -> str | None:
        coming = {fact.payment_id for fact in self.facts if isinstance(fact, PaymentFact)}
        for fact in self.facts:
            if isinstance(fact, (PaymentFact, OrderFact)) and unknown_order == "park":
                anchor = anchors.of(fact)
                if anchor.startswith("order_") and self._order_of(anchor) is None:
                    return anchor
            if isinstance(fact, RefundFact) and fact.payment_id not in coming | self.held.payments.keys():
                return fact.payment_id
        return None

    def _decide_local(self, fact: Fact) -> None:
        if isinstance(fact, OrderAsked):
            self._ask(fact)
        elif isinstance(fact, OrderRegistered):
            self._register(self._local(fact.local_id), fact)
        elif isinstance(fact, OrderSetback):
            held = self._local(fact.local_id)
            self._put_order(held, decide_setback(held, fact, self.now), note=fact.reason or None)
        elif isinstance(fact, OrderClosed):
            held = self._local(fact.local_id)
            if held.closed_at is None:
                self._put_order(held, replace(held, closed_at=self.now, updated_at=self.now), note="closed")
        elif isinstance(fact, OrderReopened):
            self._reopen(self._local(fact.local_id))

    def _reopen(self, held: OrderState) -> None:
        if held.closed_at is None:
            return
        anchor = held.order_id or held.local_id
        held_back = Milestone(_HELD_BACK, anchor).key
        self.read(Touches((anchor,), milestones=(held_back,)))
        self._put_order(held, replace(held, closed_at=None, updated_at=self.now), note="reopened")
        if held_back in self.held.fired:
            self._fire("order.paid", anchor, "order", anchor, held.status, held.status)

    def _local(self, local_id: str) -> OrderState:
        held = self.held.orders.get(local_id)
        if held is None:
            raise OrderUnknown
        if held.order_id is not None and held.order_id not in self.held.anchors:
            # After the local id's: local_… sorts before order_…. Its row is read again, now under its own lock.
            self.read(Touches((held.order_id,), (local_id,)))
        return self.held.orders[local_id]

    def _ask(self, fact: OrderAsked) -> None:
        if fact.local_id in self.held.orders:
            return
        if fact.order_id is not None and self._order_of(fact.order_id) is not None:
            raise OrderMismatch("Razorpay's order is already registered under another local id")
        order = OrderState(
            local_id=fact.local_id,
            owner=fact.owner,
            plan=fact.plan,
            amount=fact.amount,
            currency=fact.currency,
            receipt=fact.receipt,
            status="pending" if fact.order_id is None else "created",
            created_at=self.now,
            updated_at=self.now,
            order_id=fact.order_id,
            partial_payment=fact.partial_payment,
            attempts=1,
        )
        self._put_order(None, order)
        if fact.order_id is not None:
            self.now_known.append(fact.order_id)

    def _register(self, held: OrderState, fact: OrderRegistered) -> None:
        if held.order_id == fact.order_id:
            return
        if held.order_id is not None:
            raise OrderMismatch("the order is already registered with another Razorpay id")
        other = next((o for o in self.held.orders.values() if o.order_id == fact.order_id), None)
        if other is not None:
            raise OrderMismatch("Razorpay's order is already registered under another local id")
        status = held.status if ORDER_RANK[held.status] >= ORDER_RANK["created"] else "created"
        self._put_order(held, replace(held, order_id=fact.order_id, status=status, updated_at=self.now))
        self.now_known.append(fact.order_id)

    def _decide_order(self, fact: OrderFact) -> None:
        held = self._order_of(fact.order_id)
        if held is None:
            return  # accepted without an order of ours: what was paid is told by the payment
        state, verdict = decide_order(held, fact, self.now)
        if verdict is Verdict.MOVED:
            self._put_order(held, state)
            return
        if held.snapshot is None and fact.snapshot is not None:
            self._keep_order(replace(held, snapshot=fact.snapshot))  # its first sight; nothing that we track changes
        self._refuse(verdict, fact.order_id, "order", fact.order_id, held.status, fact.status)

    def _decide_payment(self, fact: PaymentFact, anchor: str) -> None:
        held = self.held.payments.get(fact.payment_id)
        state, verdict = decide_payment(held, fact, anchor, self.now)
        if verdict in (Verdict.NEW, Verdict.MOVED):
            self._put_payment(held, self._captured(held, state, fact, anchor))
        elif verdict is Verdict.UNKNOWN_STATUS and held is None:
            self._put_payment(None, state)
        if fact.status == "refunded" and fact.captured is None:
            self.doubts.append(fact.payment_id)  # was it captured before it was given back? Only Razorpay can tell
        if held is None:
            self._await_refunds(fact.payment_id, anchor)
        self._refuse(verdict, anchor, "payment", fact.payment_id, state.status, fact.status)

    def _await_refunds(self, payment_id: str, anchor: str) -> None:
        """A refund may have come first and be parked under the payment's id: lock that id, then look."""
        if anchor != payment_id:
            self._need(Touches((payment_id,)))
        self.now_known.append(payment_id)

    def _captured(
        self, before: PaymentState | None, after: PaymentState, fact: PaymentFact, anchor: str
    ) -> PaymentState:
        """Bind a capture to its order, count it once, and see whether the order needed it."""
        if not after.captured or (before is not None and before.captured):
            return after
        order = self._order_of(anchor)
        held = self.held.anchors[anchor]
        surplus = False
        if order is not None:
            bind_capture(order, after, fact.customer_fee)
            surplus = 0 < order.amount <= held.captured
        captured = held.captured + after.amount
        self._set_anchor(AnchorState(held.key, held.version, captured, held.audit_seq, held.audit_head))
        if surplus:
            self._alarms.append((f"surplus:{after.payment_id}", "payment_surplus", after.payment_id))
        elif order is not None and order.closed_at is not None:
            self._alarms.append((f"late:{after.payment_id}", "paid_after_close", after.payment_id))
            was = None if before is None else before.status
            self._fire("payment.late", anchor, "payment", after.payment_id, was, after.status)
        return replace(after, surplus=surplus) if surplus != after.surplus else after

    def _decide_refund(self, fact: RefundFact) -> None:
        payment = self.held.payments[fact.payment_id]
        if payment.anchor not in self.held.anchors:
            self.read(Touches((payment.anchor,), payments=(fact.payment_id,), refunds=(fact.refund_id,)))
            payment = self.held.payments[fact.payment_id]
        self._about.add(payment.anchor)
        held = self.held.refunds.get(fact.refund_id)
        state, verdict = decide_refund(held, fact, payment, self.now)
        self._refuse(verdict, payment.anchor, "refund", fact.refund_id, state.status, fact.status)
        if state is held:
            return
        self._put_refund(held, state)
        after = with_refund(payment, held, state, self.now)
        if after is not payment:
            self._put_payment(payment, after)
        self._watch_refund(held, state, after)

    def _watch_refund(self, before: RefundState | None, after: RefundState, payment: PaymentState) -> None:
        if after.status == "failed":
            self._alarms.append((f"refund_failed:{after.refund_id}", "refund_failed", after.refund_id))
        if before is None and payment.refunded > payment.amount:
            self._alarms.append((f"over_refund:{payment.payment_id}", "over_refund", payment.payment_id))

    def _derive_order(self, anchor: str) -> None:
        order = self._order_of(anchor)
        if order is None:
            return
        after = advance_order(order, self.held.anchors[anchor], self._furthest.get(anchor, -1), self.now)
        if after is not order:
            self._put_order(order, after)

    # --- collecting what changes

    def _put_order(self, before: OrderState | None, after: OrderState, note: str | None = None) -> None:
        self._keep_order(after)
        anchor = after.order_id or after.local_id
        was = None if before is None else before.status
        moved = before is None or before.status != after.status or before.order_id != after.order_id
        paid = after.status == "paid" and was != "paid"
        held_back = paid and after.closed_at is not None and self.paid_late != "fulfil"
        if held_back:
            note = "held_back"
        self._record(anchor, moved, "order", after.order_id or after.local_id, was, after, note)
        if held_back:
            self._touched.fired.append(Fired(Milestone(_HELD_BACK, anchor).key, self.now))
        elif paid:
            self._fire("order.paid", anchor, "order", anchor, was, "paid")

    def _keep_order(self, order: OrderState) -> None:
        if order.erased_at is not None:
            order = forgotten(order, self.now)  # what is told about it now must not bring the person back
        self.held.orders[order.local_id] = order
        if order.order_id is not None:
            self._by_order[order.order_id] = order.local_id
        self._changed["order", order.local_id] = order

    def _put_payment(self, before: PaymentState | None, after: PaymentState) -> None:
        was = None if before is None else before.status
        fired = before.milestones if before is not None else frozenset[str]()
        for name in payment_milestones(before, after):
            if name not in fired:
                fired |= {name}
                self._fire(name, after.anchor, "payment", after.payment_id, was, after.status)
        if fired != after.milestones:
            after = replace(after, milestones=fired)
        if after.erased_at is not None:
            after = forgotten(after, self.now)
        self.held.payments[after.payment_id] = after
        self._changed["payment", after.payment_id] = after
        rank = PAYMENT_RANK[after.reach]
        self._furthest[after.anchor] = max(rank, self._furthest.get(after.anchor, -1))
        self._record(after.anchor, was != after.status, "payment", after.payment_id, was, after)

    def _put_refund(self, before: RefundState | None, after: RefundState) -> None:
        was = None if before is None else before.status
        payment = self.held.payments[after.payment_id]
        if payment.erased_at is not None or after.erased_at is not None:
            after = forgotten(after, self.now)
        self.held.refunds[after.refund_id] = after
        self._changed["refund", after.refund_id] = after
        for name in refund_milestones(before, after):
            self._fire(name, after.anchor, "refund", after.refund_id, was, after.status)
        self._record(after.anchor, was != after.status, "refund", after.refund_id, was, after)

    def _record(
        self, anchor: str, moved: bool, kind: str, entity_id: str, was: str | None, row: Row, note: str | None = None
    ) -> None:
        what = "changed" if moved else "noted"
        # The amount of another entity is in its snapshot: it is nothing that our books add up.
        amount, currency = (None, None) if isinstance(row, EntityState) else (row.amount, row.currency)
        self.audit(anchor, what, kind, entity_id, was, row.status, amount, currency, note)
        if moved:
            self._signals.append(StatusChanged(kind, entity_id, was and word(was), word(row.status), self.cause.source))

    def _refuse(self, verdict: Verdict, anchor: str, kind: str, entity_id: str, held: str, said: str) -> None:
        if verdict not in (Verdict.STALE, Verdict.UNKNOWN_STATUS):
            return
        if verdict is Verdict.UNKNOWN_STATUS and kind in ("payment", "order", "refund"):
            self.doubts.append(entity_id)
        self.audit(anchor, verdict.value, kind, entity_id, held, held, note=said[:64])  # kept raw, and no log shows it
        self._signals.append(TransitionRefused(entity_id, word(held), word(said), self.cause.source))

    def _fire(self, name: str, anchor: str, kind: str, entity_id: str, before: str | None, after: str) -> None:
        milestone = Milestone(name, entity_id)
        self._fired.append(_Fired(milestone, anchor, kind, before, after, self.cause, self.place, self._turn))

    def audit(
        self,
        anchor: str,
        what: str,
        kind: str,
        entity_id: str,
        before: str | None,
        after: str | None,
        amount: int | None = None,
        currency: str | None = None,
        note: str | None = None,
    ) -> None:
        held = self.held.anchors[anchor]
        cause = self.cause
        row = AuditRow(
            anchor=anchor,
            at=self.now,
            what=what,
            kind=kind,
            entity_id=entity_id,
            before=before,
            after=after,
            amount=amount,
            currency=currency,
            source=cause.source,
            actor=cause.actor,
            event=cause.event,
            event_id=cause.event_id,
            digest=cause.digest,
            note=note,
        )
        linked = chained(row, held.audit_seq + 1, held.audit_head)
        self._touched.audit.append(linked)
        self._set_anchor(AnchorState(held.key, held.version, held.captured, linked.seq, linked.hash))

    def _set_anchor(self, anchor: AnchorState) -> None:
        self.held.anchors[anchor.key] = anchor
        self._anchors_changed.add(anchor.key)

    # --- writing

    def write(self, *, told: bool = False) -> Applied:
        """Write everything once; gives what happened, and leaves in ``due`` the effects to try now, if ``told``."""
        fired = sorted(self._fired, key=lambda one: (one.turn, _FIRING_ORDER[one.milestone.name]))
        self._fired = fired
        batch = self._touched
        batch.anchors = [self.held.anchors[key] for key in sorted(self._anchors_changed)]
        for row in self._changed.values():
            if isinstance(row, OrderState):
                batch.orders.append(row)
            elif isinstance(row, PaymentState):
                batch.payments.append(row)
            elif isinstance(row, RefundState):
                batch.refunds.append(row)
            else:
                batch.entities.append(row)
        batch.effects = [effect for one in fired for effect in self._effects(one)]
        fresh = self.tx.write(batch, told=told and any(effect.mode == "on" for effect in batch.effects))
        self.due = [*self.held.waiting, *(row for row in fresh if row.mode == "on")]
        return Applied(
            milestones=[one.milestone for one in fired],
            anchors=tuple(sorted(self.held.anchors)),
            orders=dict(self.held.orders),
            payments=dict(self.held.payments),
            refunds=dict(self.held.refunds),
            entities=dict(self.held.entities),
            signals=self._signals,
            alarms=self._alarms,
        )

    def _effects(self, one: _Fired) -> Iterator[NewEffect]:
        # Only payments are anybody's: a settlement or a subscription is never another shop's order.
        bound = one.kind not in ("payment", "order", "refund") or self._order_of(one.anchor) is not None
        for handler in self.registry.wanting(one.milestone.name):
            if bound or handler.unbound:
                yield NewEffect(
                    key=one.milestone.key,
                    handler=handler.name,
                    mode=handler.mode,
                    anchor=one.anchor,
                    milestone=one.milestone.name,
                    kind=one.kind,
                    entity_id=one.milestone.entity_id,
                    detail=detail(
                        one.milestone, one.before, one.after, one.cause, payment_id=one.payment_id, paid=one.paid
                    ),
                    at=self.now,
                )


def _awaited(row: EffectRow, unit: _Unit) -> bool:
    """Whether the redelivery of this very delivery is to try the effect again."""
    return delivery_of(row) == unit.cause.digest and is_redelivered(row.at, unit.now)


def _touches_of(row: EffectRow) -> Touches:
    if row.kind == "payment":
        return Touches((row.anchor,), payments=(row.entity_id,))
    if row.kind == "refund":
        return Touches((row.anchor,), refunds=(row.entity_id,))
    return Touches((row.anchor,), entities=(row.entity_id,))


class _Anchors:
    """Which anchor each fact hangs on: its order, else its payment's anchor, else the payment itself."""

    def __init__(self, facts: Sequence[Fact], known: Mapping[str, str]) -> None:
        self._known = known
        # A refund beside its payment hangs where the payment hangs.
        self._beside = {f.payment_id: f.order_id for f in facts if isinstance(f, PaymentFact) and f.order_id}
        anchors: set[str] = set()
        local_ids: set[str] = set()
        payments: set[str] = set()
        refunds: set[str] = set()
        entities: set[str] = set()
        milestones: set[str] = set()
        for fact in facts:
            anchors |= set(self._keys(fact))
            if isinstance(fact, (OrderAsked, OrderRegistered, OrderSetback, OrderClosed, OrderReopened)):
                local_ids.add(fact.local_id)
            elif isinstance(fact, (PaymentFact, RefundFact)):
                payments.add(fact.payment_id)
                if isinstance(fact, RefundFact):
                    refunds.add(fact.refund_id)
            elif isinstance(fact, EntityFact):
                entities.add(fact.entity_id)
                milestones |= {milestone.key for milestone in entity_milestones(fact)}
                if fact.payment_id is not None:
                    payments.add(fact.payment_id)
        if entities:
            # An entity's own anchor sorts anywhere: so whatever may be locked is locked at once, in order.
            anchors |= payments
        self.touches = Touches(
            *(tuple(sorted(keys)) for keys in (anchors, local_ids, payments, refunds, entities, milestones))
        )

    def _keys(self, fact: Fact) -> tuple[str, ...]:
        if isinstance(fact, (OrderFact, PaymentFact, RefundFact)):
            return (self.of(fact),)
        if isinstance(fact, EntityFact):
            return (fact.entity_id, self.of(fact))
        if isinstance(fact, (OrderAsked, OrderRegistered)) and fact.order_id is not None:
            return (fact.local_id, fact.order_id)
        return (fact.local_id,)

    def home(self, fact: EntityFact) -> str:
        """The anchor that the entity belongs to for good."""
        anchor = self.of(fact)
        if fact.kind not in OF_ONE_ORDER:
            return fact.entity_id
        return fact.payment_id if anchor == fact.entity_id and fact.payment_id is not None else anchor

    def of(self, fact: OrderFact | PaymentFact | RefundFact | EntityFact) -> str:
        """The anchor that ``fact`` hangs on."""
        if isinstance(fact, OrderFact):
            return fact.order_id
        if isinstance(fact, EntityFact):
            # The order's, so that a handler is told of it; else its own, which every news of it locks in any case.
            known = self._known.get(fact.payment_id or "", "")
            return fact.order_id or (known if known.startswith("order_") else fact.entity_id)
        payment = fact.payment_id
        return fact.order_id or self._known.get(payment) or self._beside.get(payment) or payment

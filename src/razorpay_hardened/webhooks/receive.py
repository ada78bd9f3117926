"""The webhook endpoint: verify, parse, one transaction, answer.

Every answer says what has become durable. 2xx never precedes the outermost commit; 401 stores nothing; a body that is
rightly signed and will never be usable gets 200 and is kept, because redelivery cannot mend it and 24 h of failures
make Razorpay switch the endpoint off (FAULTS rules 1 to 5).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias

from razorpay_hardened.clock import Clock
from razorpay_hardened.domain.events import WebhookEvent
from razorpay_hardened.domain.facts import Cause, Fact
from razorpay_hardened.domain.privacy import subjects_of
from razorpay_hardened.effects import Attempt, Relay, misuse
from razorpay_hardened.effects.change import delivery_of
from razorpay_hardened.effects.inline import HandlerMisuse
from razorpay_hardened.effects.relay import announce
from razorpay_hardened.errors import (
    AccountMismatch,
    BodyErased,
    EventUnknown,
    RazorpayHardenedError,
    SignatureError,
    StorageError,
    TransactionMisuse,
)
from razorpay_hardened.ledger import Applied, Ledger
from razorpay_hardened.ports.gateway import Gateway
from razorpay_hardened.ports.store import Claim, Delivery, EffectRow, InboxRow, InboxState, Store, Touches, Transaction
from razorpay_hardened.ports.unit import transact
from razorpay_hardened.signals import (
    Bus,
    EventDuplicate,
    EventIgnored,
    EventParked,
    EventProcessed,
    EventQuarantined,
    EventReceived,
    EventRejected,
    Signal,
)
from razorpay_hardened.signing import VerifiedBody, WebhookVerifier
from razorpay_hardened.web import MAX_BODY_BYTES, Reply, Request
from razorpay_hardened.webhooks.guard import event_id_in, refuse
from razorpay_hardened.webhooks.parse import parse_event
from razorpay_hardened.webhooks.pending import Drained, Pending, PendingWork

__all__ = ["Ack", "Replayed", "Webhooks"]

Ack: TypeAlias = Literal["effect", "stored"]
"""When a delivery is answered 200: once its inline effects have succeeded (Razorpay's redelivery retries them, and no
worker is needed), or once state and effect rows are durable (a worker runs the effects)."""

STALE_AFTER: Final = timedelta(hours=24)
_AFTER_EFFECTS: Final = 20
_AFTER_BUDGET_S: Final = 2.0
_RETRY_AFTER: Final = "30"


class Replayed(NamedTuple):
    """What a replay came to: the state of the delivery before and after, and the milestones that fired."""

    before: InboxState
    after: InboxState
    milestones: tuple[str, ...] = ()


class _Outcome(NamedTuple):
    """The end of a transaction: what the sender is told, and what the bus is told once it has committed."""

    status: int
    word: str
    signals: tuple[Signal, ...] = ()
    alarms: tuple[tuple[str, str, str], ...] = ()
    applied: Applied | None = None


class Webhooks:
    """Handles deliveries. One instance serves all threads of a process."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        relay: Relay,
        verifier: WebhookVerifier,
        *,
        clock: Clock,
        bus: Bus,
        ack: Ack = "effect",
        account_id: str | None = None,
        gateway: Callable[[], Gateway] | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._relay = relay
        self._verifier = verifier
        self._clock = clock
        self._bus = bus
        self._inline = ack == "effect"
        self._account_id = account_id
        self._max_body_bytes = max_body_bytes
        self._pending = Pending(store, ledger, relay, clock=clock, bus=bus, ack=ack, gateway=gateway)

    def handle(self, request: Request) -> Reply:
        """Answer one delivery. Raises only what is not an ``Exception``, or what a handler's ``SystemExit`` is.

        ============ =========================================================================
        200          processed, duplicate, ignored, parked, quarantined, paused, or given up with an alarm
        401          not signed rightly: nothing was read or stored
        405 413 415  refused from the head of the request
        500          stored; an inline effect waits for the redelivery (``ack="effect"``)
        503          could not be stored now: please send it again
        ============ =========================================================================
        """
        refusal = refuse(request, self._max_body_bytes)
        if refusal is not None:
            self._rejected(request, refusal.reason)
            return refusal.reply
        try:
            body = self._verifier.verify(request.body, request.headers)
        except SignatureError as error:
            self._rejected(request, error.code)
            return Reply(401)  # the same for every cause
        try:
            return self._deliver(body, event_id_in(request))
        except HandlerMisuse as error:
            return self._misused(error, body.digest)
        except TransactionMisuse:
            self._bus.alarm("transaction_misuse", "TransactionMisuse", "a transaction was ended or joined by others")
            return _reply(500, "handler_ended_the_transaction")
        except StorageError as error:
            self._bus.alarm(f"storage:{error.code}", error.code, "deliveries are answered 503")
            return Reply.json(503, {"status": "not_stored"}, Retry_After=_RETRY_AFTER)

    def _misused(self, error: HandlerMisuse, digest: str) -> Reply:
        """A handler ended the transaction. What it has committed with it must not look as if it were done."""
        misuse.alarm(self._bus, error)
        try:
            attempt = misuse.record(self._store, error, redelivered=True)
            if attempt is None:
                return _reply(500, "handler_ended_the_transaction")  # all of it is undone
            announce(self._bus, attempt)
            dead = attempt.state == "dead"
            if delivery_of(attempt.row) == digest:
                self._settle(digest, "dead" if dead else "waiting", attempt)
        except StorageError as lost:
            self._bus.alarm(f"storage:{lost.code}", lost.code, "a handler's misuse could not be recorded")
            dead = False
        return _reply(200, "given_up") if dead else _reply(500, "handler_ended_the_transaction")

    def _settle(self, digest: str, state: InboxState, attempt: Attempt) -> None:
        row = attempt.row

        def work(tx: Transaction) -> None:
            tx.settle(digest, state, self._clock.now(), anchor=row.anchor, reason=row.handler)

        transact(self._store, work)

    def process_pending(self, *, limit: int = 100) -> PendingWork:
        """Do what waits: inline effects to retry, ``after`` effects, parked events. For a scheduler or a worker.

        ``limit`` bounds each kind. Several processes may call it at once. Raises :class:`StorageError`.
        """
        return self._pending.run(limit)

    def drain(self, *, limit: int = 100) -> Drained:
        """Try everything that waits once, oldest first, ``limit`` rows at a time: what :meth:`Razorpay.resume` does.

        Each order and each effect is a transaction of its own, so that it may be stopped and begun again at any point.
        Raises :class:`StorageError`.
        """
        return self._pending.drain(limit)

    def replay(self, reference: str, *, force: bool = False) -> Replayed:
        """Process a stored delivery again, by its digest or its event id: a quarantined or dead one, mostly.

        Effects of it that were given up get another try. A delivery that is ``done`` is left alone unless ``force``;
        even then a milestone that has fired does not fire again.
        Raises :class:`EventUnknown`, :class:`BodyErased` where retention has taken the body, or the payload's own error
        when it is still not usable.
        """
        row = self._stored(reference)
        if row.erased_at is not None:
            raise BodyErased(f"the body of this delivery was erased on {row.erased_at:%Y-%m-%d}: reconcile instead")
        given_up = self._pending.given_up(row)
        if row.state == "done" and not given_up and not force:
            return Replayed(row.state, row.state)
        cause = self._cause(row.event, row.event_id, row.digest, actor="replay")
        applied = transact(self._store, lambda tx: self._pending.reapply(tx, row, given_up, cause), durable=True)
        applied.announce(self._bus)
        self._run_after()
        after = self._store.inbox_state(row.digest)
        return Replayed(row.state, after or row.state, tuple(one.key for one in applied.milestones))

    def replay_effect(self, effect_id: int) -> EffectRow:
        """Try one effect that was given up again, with all its attempts before it, by the id of its row.

        Gives the row as it is afterwards: ``done``, or ``waiting`` or ``dead`` with the new error. Also for effects
        that came of no delivery. Raises :class:`EventUnknown` for one that is not given up, :class:`TransactionMisuse`.
        """
        return self._pending.replay_effect(effect_id)

    def _stored(self, reference: str) -> InboxRow:
        row = self._store.delivery(reference)
        if row is None:
            rows = self._store.deliveries(event_id=reference, limit=1)
            row = rows[0] if rows else None
        if row is None:
            raise EventUnknown
        return row

    # --- one delivery

    def _deliver(self, body: VerifiedBody, event_id: str | None) -> Reply:
        begun = self._clock.monotonic()
        known = None if self._store.claims_cheaply else self._store.inbox_state(body.digest)
        if known is not None and known != "waiting":
            return self._finish(_duplicate(body.digest, event_id, known))
        try:
            event = self._parse(body, event_id)
            facts = event.facts()
        except StorageError:
            raise
        except RazorpayHardenedError as error:
            return self._finish(self._quarantine_only(body, event_id, error))
        self._bus.emit(EventReceived(event.name, event_id, body.digest, self._clock.now()))
        delivery = self._delivery(body, event.name, event_id, event.created_at)

        def work(tx: Transaction) -> tuple[Claim, _Outcome]:
            claim = tx.claim(delivery, self._ledger.touches(facts))
            if claim.state == "new":
                return claim, self._first(tx, event, facts, body.digest)
            if claim.state == "waiting" and claim.anchor is not None:
                return claim, self._again(tx, event, body.digest, claim.anchor)
            return claim, _duplicate(body.digest, event_id, claim.state)

        claim, outcome = transact(self._store, work)
        if claim.conflict:
            self._bus.alarm(f"event_id_conflict:{event_id}", "event_id_conflict", "one event id, two signed bodies")
        applied = outcome.applied
        reply = self._finish(outcome)
        if applied is not None:
            self._store.after_commit(lambda: self._processed(event, body.digest, applied, begun))
        return reply

    def _parse(self, body: VerifiedBody, event_id: str | None) -> WebhookEvent:
        event = parse_event(body, event_id)
        if self._account_id is not None and event.account_id not in (None, self._account_id):
            raise AccountMismatch
        return event

    def _first(self, tx: Transaction, event: WebhookEvent, facts: tuple[Fact, ...], digest: str) -> _Outcome:
        now = self._clock.now()
        if not facts:
            tx.settle(digest, "ignored", now)
            return _Outcome(200, "ignored", (EventIgnored(digest, event.name[:64]),))
        cause = self._cause(event.name, event.id, digest)
        try:
            applied = self._ledger.apply(tx, *facts, cause=cause, inline=self._inline)
        except StorageError:
            raise
        except RazorpayHardenedError as error:
            return self._quarantine(tx, digest, event.name, error, cause)
        if applied.parked_under is not None:
            tx.settle(digest, "parked", now, anchor=applied.parked_under)
            return _Outcome(200, "parked", (EventParked(digest, applied.parked_under),))
        if not applied.waiting and event.created_at is not None and now - event.created_at > STALE_AFTER:
            tx.settle(digest, "done", now, anchor=applied.anchors[0], reason="stale")
        return self._answer(tx, digest, applied, fresh=True)

    def _again(self, tx: Transaction, event: WebhookEvent, digest: str, anchor: str) -> _Outcome:
        """A redelivery of a body whose inline effect waits: the facts are in, the effect is what is left."""
        cause = self._cause(event.name, event.id, digest)
        applied = self._ledger.resume(tx, anchor, cause=cause, redelivered=True)
        return self._answer(tx, digest, applied, fresh=False)

    def _answer(self, tx: Transaction, digest: str, applied: Applied, *, fresh: bool) -> _Outcome:
        if applied.paused:
            # State, audit and effect rows are durable. A 500 would make Razorpay try for 24 h, and then switch us off.
            if not fresh:
                tx.settle(digest, "done", self._clock.now())
            self._forget(tx, digest, applied)
            return _Outcome(200, "paused", applied=applied)
        if applied.waiting:
            names = sorted({attempt.row.handler for attempt in applied.waiting})
            # The order's own anchor: that is where its effects hang.
            tx.settle(digest, "waiting", self._clock.now(), anchor=applied.waiting[0].row.anchor, reason=names[0])
            return _Outcome(500, "effect_waits", applied=applied)
        dead = [attempt for attempt in applied.attempts if attempt.state == "dead"]
        if dead:
            tx.settle(digest, "dead", self._clock.now(), anchor=dead[0].row.anchor, reason=dead[0].row.handler)
            return _Outcome(200, "given_up", applied=applied)
        if not fresh:
            tx.settle(digest, "done", self._clock.now())
        self._forget(tx, digest, applied)
        return _Outcome(200, "processed", applied=applied)

    def _forget(self, tx: Transaction, digest: str, applied: Applied) -> None:
        """Late news of somebody who was erased: it counts, and its body is not kept, unless a legal hold wants it."""
        erased = any(row.erased_at is not None for row in applied.payments.values())
        if not (erased or any(row.erased_at is not None for row in applied.refunds.values())):
            return
        names = subjects_of(applied.orders.values(), applied.payments.values(), applied.refunds.values())
        if not tx.held(names):
            tx.erase_body(digest, self._clock.now())

    # --- bodies that cannot be used

    def _quarantine_only(self, body: VerifiedBody, event_id: str | None, error: RazorpayHardenedError) -> _Outcome:
        delivery = self._delivery(body, "", event_id, None)

        def work(tx: Transaction) -> _Outcome:
            claim = tx.claim(delivery, Touches(()))
            if claim.state != "new":
                return _duplicate(body.digest, event_id, claim.state)
            return self._quarantine(tx, body.digest, None, error, self._cause(None, event_id, body.digest))

        return transact(self._store, work)

    def _quarantine(
        self, tx: Transaction, digest: str, event: str | None, error: RazorpayHardenedError, cause: Cause
    ) -> _Outcome:
        self._ledger.quarantined(tx, digest, error.code, cause=cause)
        tx.settle(digest, "quarantined", self._clock.now(), reason=f"{error.code}: {error.message}"[:200])
        return _Outcome(
            200,
            "quarantined",
            (EventQuarantined(digest, event, error.code),),
            ((f"quarantined:{digest}", error.code, digest),),
        )

    # --- telling

    def _finish(self, outcome: _Outcome) -> Reply:
        """After the commit, the outermost one: tell the bus, run what may run now. The answer waits for neither."""
        self._store.after_commit(lambda: self._committed(outcome))
        return _reply(outcome.status, outcome.word)

    def _committed(self, outcome: _Outcome) -> None:
        for signal in outcome.signals:
            self._bus.emit(signal)
        for alarm in outcome.alarms:
            self._bus.alarm(*alarm)
        if outcome.applied is not None:
            outcome.applied.announce(self._bus)
            if self._inline:
                self._run_after()

    def _run_after(self) -> None:
        """Without a worker, ``after`` effects get their first attempt here, and late ones of other orders theirs."""
        try:
            self._relay.run(limit=_AFTER_EFFECTS, budget_s=_AFTER_BUDGET_S)
        except StorageError as error:
            # The delivery is durable and its effects are rows: they wait for the next delivery or process_pending.
            self._bus.alarm(f"storage:{error.code}", error.code, "after effects could not be run now")

    def _processed(self, event: WebhookEvent, digest: str, applied: Applied, begun: float) -> None:
        fired = tuple(one.name for one in applied.milestones)
        self._bus.emit(EventProcessed(digest, event.name, fired, self._clock.monotonic() - begun))

    def _rejected(self, request: Request, reason: str) -> None:
        self._bus.emit(EventRejected(reason, len(request.body), request.remote_addr))

    def _delivery(self, body: VerifiedBody, event: str, event_id: str | None, created_at: datetime | None) -> Delivery:
        return Delivery(body.digest, body.raw, event, event_id, self._clock.now(), created_at)

    def _cause(self, event: str | None, event_id: str | None, digest: str, actor: str = "razorpay") -> Cause:
        return Cause("webhook", self._clock.now(), actor, event, event_id, digest)


def _duplicate(digest: str, event_id: str | None, state: str) -> _Outcome:
    return _Outcome(200, "duplicate", (EventDuplicate(digest, event_id, state),))


@lru_cache(maxsize=16)
def _reply(status: int, word: str) -> Reply:
    return Reply.json(status, {"status": word})

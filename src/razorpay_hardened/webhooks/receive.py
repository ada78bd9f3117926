"""The webhook endpoint: verify, parse, one transaction, answer.

Every answer says what has become durable. 2xx never precedes the outermost commit; 401 stores nothing; a body that is
rightly signed and will never be usable gets 200 and is kept, because redelivery cannot mend it and 24 h of failures
make Razorpay switch the endpoint off (FAULTS rules 1 to 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from razorpay_hardened.clock import Clock, SystemClock
from razorpay_hardened.domain.events import WebhookEvent
from razorpay_hardened.domain.facts import Cause, EntityFact, Fact, PaymentFact, RefundFact
from razorpay_hardened.domain.ours import FOREIGN, Ours, Whose
from razorpay_hardened.domain.privacy import subjects_of
from razorpay_hardened.domain.state import EntityState, PaymentState, RefundState
from razorpay_hardened.domain.text import word
from razorpay_hardened.effects import Relay, misuse
from razorpay_hardened.effects.change import delivery_of
from razorpay_hardened.effects.inline import HandlerMisuse
from razorpay_hardened.effects.relay import announce
from razorpay_hardened.errors import (
    AccountMismatch,
    BodyErased,
    DeliveryInWork,
    EventUnknown,
    RazorpayHardenedError,
    SignatureError,
    SignatureMismatch,
    StorageError,
    TransactionMisuse,
)
from razorpay_hardened.ledger import Applied, Ledger, Results, Told
from razorpay_hardened.ports.gateway import Gateway
from razorpay_hardened.ports.store import Delivery, EffectRow, InboxRow, InboxState, Store, Touches, Transaction
from razorpay_hardened.ports.unit import BUDGET_S, transact
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
from razorpay_hardened.web import Reply, Request
from razorpay_hardened.webhooks._secret_watch import SecretWatch
from razorpay_hardened.webhooks._twins import InWork
from razorpay_hardened.webhooks.failing import Failing
from razorpay_hardened.webhooks.guard import Guard, event_id_in
from razorpay_hardened.webhooks.parse import parse_event
from razorpay_hardened.webhooks.pending import Drained, Pending, PendingWork
from razorpay_hardened.webhooks.sift import Sifter, filed_under
from razorpay_hardened.webhooks.truth import Fetch, Truth

if TYPE_CHECKING:
    from razorpay_hardened.webhooks.apps import AsgiApp, WsgiApp

__all__ = ["Ack", "Replayed", "Webhooks"]

Ack: TypeAlias = Literal["effect", "stored"]
"""When a delivery is answered 200: once its inline effects have succeeded (Razorpay's redelivery retries them, and no
worker is needed), or once state and effect rows are durable (a worker runs the effects)."""

STALE_AFTER: Final = timedelta(hours=24)
_AFTER_EFFECTS: Final = 20
_AFTER_BUDGET_S: Final = 2.0
_RETRY_AFTER: Final = "30"
_REAL: Final = SystemClock()  # waiting is real time, whatever the application's clock says
_TWIN_RETRY_AFTER: Final = "5"


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
    event: WebhookEvent | None = None
    digest: str = ""
    begun: float = 0.0
    conflict: str | None = None
    """The event id that another body has, too."""
    foreign: str | None = None
    """What it was filed under, as another application's."""


class _Usable(NamedTuple):
    """A verified body that could be read."""

    digest: str
    event: WebhookEvent
    facts: tuple[Fact, ...]
    whose: Whose
    delivery: Delivery


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
        guard: Guard | None = None,
        fetch: Fetch = "never",
        ours: Ours | None = None,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._relay = relay
        self._verifier = verifier
        self._clock = clock
        self._bus = bus
        self._inline = ack == "effect"
        self._account_id = account_id
        self._guard = guard or Guard(clock=clock, bus=bus)
        self._twins = InWork()
        self._failing = Failing(clock, bus)
        self._secret_watch = SecretWatch(clock, bus)
        self._fetch = fetch
        self._truth = Truth(store, ledger, clock=clock, bus=bus, gateway=gateway, inline=self._inline)
        self._sifter = Sifter(store, ours)
        self._pending = Pending(
            store, ledger, relay, clock=clock, bus=bus, ack=ack, gateway=gateway, sifter=self._sifter
        )

    def handle(self, request: Request) -> Reply:
        """Answer one delivery. Raises only what is not an ``Exception``, or what a handler's ``SystemExit`` is.

        ============ =========================================================================
        200          processed, duplicate, ignored, parked, quarantined, paused, or given up with an alarm
        401          not signed rightly: nothing was read or stored
        403 405      refused from the head of the request: source, method
        409          the very same delivery is still in work: please send it again
        413 415      refused from the head of the request: size, content coding
        429          too many bad signatures, or too many requests, from this source
        500          stored; an inline effect waits for the redelivery (``ack="effect"``)
        503          could not be stored now: please send it again
        ============ =========================================================================
        """
        refused = self.admit(request)
        return self.receive(request) if refused is None else refused

    def admit(self, request: Request) -> Reply | None:
        """The first half of :meth:`handle`: a refusal from the head of a request, or None where its body may be read.

        For servers that read the body themselves: ask with an empty body, read no more than :attr:`max_body_bytes`,
        then call :meth:`receive`. Each request is counted once here.
        """
        refusal = self._guard.refuse(request)
        if refusal is None:
            return None
        self._rejected(request, refusal.reason)
        return refusal.reply

    @property
    def max_body_bytes(self) -> int:
        """The largest body that is read."""
        return self._guard.max_body_bytes

    def receive(self, request: Request) -> Reply:
        """The second half of :meth:`handle`, for a request that was admitted: verify, store, answer."""
        body = self.verify(request)
        if isinstance(body, Reply):
            return body
        return self._stored(body, event_id_in(request))

    def _stored(self, body: VerifiedBody, event_id: str | None) -> Reply:
        status = 500  # what a server makes of whatever is raised
        try:
            reply = self._settled_alone(body, event_id)
            status = reply.status
        finally:
            self._failing.answered(status)
        return reply

    def _settled_alone(self, body: VerifiedBody, event_id: str | None) -> Reply:
        try:
            return self._deliver(body, event_id)
        except HandlerMisuse as error:
            return self._misused(error, body.digest)
        except RazorpayHardenedError as error:
            return self.not_stored(error)

    def verify(self, request: Request) -> VerifiedBody | Reply:
        """The proof that Razorpay signed the body of an admitted request, or the answer to its sender."""
        if len(request.body) > self._guard.max_body_bytes:
            return self.reject(request, "PayloadTooLarge", 413)
        try:
            verified = self._verifier.verify(request.body, request.headers)
        except SignatureError as error:
            self._rejected(request, error.code)
            if isinstance(error, SignatureMismatch):
                self._secret_watch.bad()
            self._guard.bad_signature(request)
            return Reply(401)  # the same for every cause
        self._secret_watch.good()
        return verified

    def reject(self, request: Request, reason: str, status: int) -> Reply:
        """Count a refusal and give the answer, for servers that read the body themselves."""
        self._rejected(request, reason)
        return Reply(status)

    def body_consumed(self, head: Request) -> Reply:
        """The answer where something in front of us has read the body: the fault is ours, and a person must hear."""
        self._bus.alarm("raw_body", "RawBodyRequired", "something reads webhook bodies before the endpoint does")
        return self.reject(head, "RawBodyRequired", 500)

    @staticmethod
    def too_busy() -> Reply:
        """503, with nothing stored and nothing wrong: more came than could be begun in time."""
        return _busy()

    @property
    def admitting_blocks(self) -> bool:
        """Whether :meth:`admit` may wait for a network: an event loop then calls it in a thread."""
        return self._guard.blocks

    def wsgi(self) -> WsgiApp:
        """The endpoint as a WSGI application: mount it where Razorpay calls."""
        from razorpay_hardened.webhooks.apps import WsgiApp

        return WsgiApp(self)

    def asgi(self, *, batch_max: int = 50) -> AsgiApp:
        """The endpoint as an ASGI application, which stores what comes together in one commit of at most ``batch_max``.

        Handlers run in its one writer's thread.
        """
        from razorpay_hardened.webhooks.apps import AsgiApp

        return AsgiApp(self, batch_max=batch_max)

    def not_stored(self, error: RazorpayHardenedError) -> Reply:
        """The answer where nothing was committed. Raises what the store does not raise."""
        if isinstance(error, DeliveryInWork):
            return Reply.json(409, {"status": "in_work"}, Retry_After=_TWIN_RETRY_AFTER)
        if isinstance(error, TransactionMisuse):
            self._bus.alarm("transaction_misuse", "TransactionMisuse", "a transaction was ended or joined by others")
            return _reply(500, "handler_ended_the_transaction")
        if not isinstance(error, StorageError):
            raise error
        self._bus.alarm(f"storage:{error.code}", error.code, "deliveries are answered 503")
        return _busy()

    def handle_many(self, requests: Sequence[Request]) -> list[Reply]:
        """:meth:`handle` for each, with one commit for all that can share one; the answers are in the order given.

        For deliveries that have queued up. A body that cannot be used and a handler that raises cost their neighbours
        nothing; where the shared transaction fails, each delivery gets one of its own. Raises what :meth:`handle`
        raises, once all the others have their answers on record.
        """
        replies = [self.admit(request) for request in requests]
        rest: list[tuple[int, VerifiedBody, str | None]] = []
        for place, request in enumerate(requests):
            if replies[place] is None:
                body = self.verify(request)
                if isinstance(body, Reply):
                    replies[place] = body
                else:
                    rest.append((place, body, event_id_in(request)))
        ends = self.deliver_many([(body, event_id) for _, body, event_id in rest])
        for (place, _, _), end in zip(rest, ends, strict=True):
            if isinstance(end, BaseException):
                raise end
            replies[place] = end
        return [reply for reply in replies if reply is not None]

    def _misused_together(self, error: HandlerMisuse, batch: Sequence[_Usable]) -> None:
        """The same amid a batch: if it has committed, each delivery whose handler has not run waits, and is tried."""
        misuse.alarm(self._bus, error)
        with self._telling("a handler's misuse could not be recorded"):
            if misuse.record(self._store, error, redelivered=True) is None:
                return  # all of it is undone
            digests = {one.digest for one in batch}
            for anchor in sorted({anchor for one in batch for anchor in self._ledger.touches(one.facts).anchors}):
                for row in self._store.effects(states=("waiting",), mode="on", anchor=anchor):
                    digest = delivery_of(row)
                    if digest in digests:
                        self._settle(digest, "waiting", row)

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """A store that fails here loses nothing that a worker would not find: say it, and go on."""
        try:
            yield
        except StorageError as lost:
            self._bus.alarm(f"storage:{lost.code}", lost.code, what)

    def _misused(self, error: HandlerMisuse, digest: str) -> Reply:
        """A handler ended the transaction. What it has committed with it must not look as if it were done."""
        misuse.alarm(self._bus, error)
        dead = False
        with self._telling("a handler's misuse could not be recorded"):
            attempt = misuse.record(self._store, error, redelivered=True)
            if attempt is not None:  # else all of it is undone
                announce(self._bus, attempt)
                dead = attempt.state == "dead"
                if delivery_of(attempt.row) == digest:
                    self._settle(digest, "dead" if dead else "waiting", attempt.row)
        return _reply(200, "given_up") if dead else _reply(500, "handler_ended_the_transaction")

    def _settle(self, digest: str, state: InboxState, row: EffectRow) -> None:
        def work(tx: Transaction) -> None:
            tx.settle(digest, state, self._clock.now(), anchor=row.anchor, reason=row.handler)

        transact(self._store, work)

    def process_pending(
        self,
        *,
        limit: int = 100,
        effects: bool = True,
        parked: bool = True,
        stop: Callable[[], bool] | None = None,
    ) -> PendingWork:
        """Do what waits: inline effects to retry, ``after`` effects, parked events. For a scheduler or a worker.

        ``limit`` bounds each kind. ``effects=False`` leaves the first two, ``parked=False`` the last: looking at parked
        events may ask Razorpay. No handler is called and no event looked at once ``stop()`` is true. Several processes
        may call it at once. Raises :class:`StorageError`.
        """
        return self._pending.run(limit, effects=effects, parked=parked, stop=stop)

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
        row = self._on_record(reference)
        if row.erased_at is not None:
            raise BodyErased(f"the body of this delivery was erased on {row.erased_at:%Y-%m-%d}: reconcile instead")
        given_up = self._pending.given_up(row)
        if row.state == "done" and not given_up and not force:
            return Replayed(row.state, row.state)
        cause = self._cause(row.event, row.event_id, row.digest, actor="replay")
        foreign = self._pending.foreign(row)
        applied = transact(
            self._store, lambda tx: self._pending.reapply(tx, row, given_up, cause, foreign), durable=True
        )
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

    def settle_doubt(self, row: EffectRow) -> None:
        """Ask Razorpay what a delivery left open: a task of a worker's. Raises :class:`ApiError` where it cannot be."""
        self._truth.settle(row, lambda delivery: self.replay(delivery.digest))

    def _on_record(self, reference: str) -> InboxRow:
        row = self._store.delivery(reference)
        if row is None:
            rows = self._store.deliveries(event_id=reference, limit=1)
            row = rows[0] if rows else None
        if row is None:
            raise EventUnknown
        return row

    # --- one delivery

    def _deliver(self, body: VerifiedBody, event_id: str | None) -> Reply:
        with self._twins.alone(body.digest):
            outcome = self._outcome(body, event_id)
        return self._finish(outcome)

    def _outcome(self, body: VerifiedBody, event_id: str | None) -> _Outcome:
        """What becomes of one delivery: committed, and not yet told."""
        begun = self._clock.monotonic()
        known = None if self._store.claims_cheaply else self._store.inbox_state(body.digest)
        if known is not None and known != "waiting":
            return _duplicate(body.digest, event_id, known)
        event: WebhookEvent | None = None
        try:
            event = self._parse(body, event_id)
            facts = event.facts()
        except RazorpayHardenedError as error:
            if event is None or self._sifter.whose(event) != "theirs":
                return self._quarantine_only(body, event_id, error, event)
            facts = ()  # a contradiction in another application's news is none of ours
        whose = self._sifter.whose(event)
        ahead = Touches(()) if whose == "theirs" else self._ledger.touches(facts)  # theirs leaves no anchor
        self._bus.emit(EventReceived(word(event.name), event_id, body.digest, self._clock.now()))
        delivery = self._delivery(body, event.name, event_id, event.created_at)

        def work(tx: Transaction) -> _Outcome:
            claim = tx.claim(delivery, ahead)
            if claim.state == "new":
                outcome = self._first(tx, event, facts, body.digest, whose)
            elif claim.state == "waiting" and claim.anchor is not None:
                outcome = self._again(tx, event, facts, body.digest, claim.anchor)
            else:
                outcome = _duplicate(body.digest, event_id, claim.state)
            return outcome._replace(
                conflict=event_id if claim.conflict else None, event=event, digest=body.digest, begun=begun
            )

        return transact(self._store, work)

    # --- many at once

    def deliver_many(self, verified: Sequence[tuple[VerifiedBody, str | None]]) -> list[Reply | BaseException]:
        """Answer verified bodies (each with its event id), with one commit for all that can share one.

        Nothing is raised but ``KeyboardInterrupt``: what :meth:`handle` would raise for a delivery takes its place.
        """
        until = _REAL.monotonic() + BUDGET_S
        once: dict[str, tuple[VerifiedBody, str | None]] = {}
        for body, event_id in verified:
            once.setdefault(body.digest, (body, event_id))
        ends: dict[str, Reply | BaseException] = {}
        if len(once) > 1:
            outcomes = self._together(list(once.values()))
            if outcomes:
                self._finish(*outcomes.values())
                for one in outcomes.values():
                    self._failing.answered(one.status)
            ends = {digest: _reply(one.status, one.word) for digest, one in outcomes.items()}
        seen: set[str] = set()
        given: list[Reply | BaseException] = []
        for body, event_id in verified:
            if body.digest not in ends:
                late = _REAL.monotonic() > until
                ends[body.digest] = _busy() if late else self._alone(body, event_id)
            elif body.digest in seen:
                ends[body.digest] = self._repeated(body, event_id, ends[body.digest])
            seen.add(body.digest)
            given.append(ends[body.digest])
        return given

    def _repeated(
        self, body: VerifiedBody, event_id: str | None, first: Reply | BaseException
    ) -> Reply | BaseException:
        """The answer to a body that is in the same batch twice: a duplicate where the first is done with."""
        if isinstance(first, Reply) and first.status == 200:
            return self._finish(_duplicate(body.digest, event_id, "done"))
        return first

    def _alone(self, body: VerifiedBody, event_id: str | None) -> Reply | BaseException:
        try:
            return self._stored(body, event_id)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # its own sender is told, and nobody else's
            return error

    def _together(self, verified: Sequence[tuple[VerifiedBody, str | None]]) -> dict[str, _Outcome]:
        """The outcomes, by digest, of those that one transaction could settle: all of them, some, or none.

        None where it failed: then each is tried by itself, and what was wrong with one shows there.
        """
        usable: list[_Usable] = []
        for body, event_id in verified:
            with suppress(RazorpayHardenedError):  # it is quarantined by itself
                event = self._parse(body, event_id)
                facts = event.facts()
                if not any(isinstance(fact, EntityFact) for fact in facts):  # other entities go one by one
                    whose = self._sifter.whose(event)
                    usable.append(_Usable(body.digest, event, facts, whose, self._received(body, event)))
        usable = _settled_apart(usable)
        with self._twins.those_free([one.digest for one in usable]) as free:
            usable = [one for one in usable if one.digest in free]
            if len(usable) < 2:
                return {}
            begun = self._clock.monotonic()
            try:
                return transact(self._store, lambda tx: self._settle_many(tx, usable, begun))
            except HandlerMisuse as error:
                self._misused_together(error, usable)
                return {}
            except KeyboardInterrupt:
                raise
            except BaseException:  # noqa: BLE001  # nothing is lost: each gets a transaction of its own, and raises there
                return {}

    def _settle_many(self, tx: Transaction, usable: Sequence[_Usable], begun: float) -> dict[str, _Outcome]:
        claims = tx.claim_many([one.delivery for one in usable])
        news: list[tuple[_Usable, Told]] = []
        outcomes: dict[str, _Outcome] = {}
        for one, claim in zip(usable, claims, strict=True):
            if claim.state == "new" and one.whose == "theirs":
                outcomes[one.digest] = self._foreign(tx, one.event, one.digest)
            elif claim.state == "new" and one.facts:
                cause = self._cause(one.event.name, one.event.id, one.digest)
                news.append((one, Told(one.facts, cause)))
            elif claim.state == "new":
                outcomes[one.digest] = self._ignored(tx, one.event, one.digest)
            elif claim.state != "waiting":  # a waiting one is tried again by itself
                outcomes[one.digest] = _duplicate(one.digest, one.event.id, claim.state)
        if news:

            def set_aside(results: Results) -> None:
                """What no handler is called for: a rogue commit must not leave it looking as if it were done."""
                for (one, told), result in zip(news, results, strict=True):
                    if not isinstance(result, Applied) or result.parked_under is not None:
                        outcomes[one.digest] = self._settled(tx, one.event, one.digest, result, told.cause)

            told = [told for _, told in news]
            results = self._ledger.apply_many(tx, told, inline=self._inline, decided=set_aside)
            for (one, its), result in zip(news, results, strict=True):
                if one.digest not in outcomes:
                    outcomes[one.digest] = self._settled(tx, one.event, one.digest, result, its.cause)
        for one, claim in zip(usable, claims, strict=True):
            if one.digest in outcomes:
                outcome, event = outcomes[one.digest], one.event
                received = EventReceived(word(event.name), event.id, one.digest, one.delivery.received_at)
                outcomes[one.digest] = outcome._replace(
                    signals=(received, *outcome.signals),
                    conflict=event.id if claim.conflict else None,
                    event=event,
                    digest=one.digest,
                    begun=begun,
                )
        return outcomes

    def _received(self, body: VerifiedBody, event: WebhookEvent) -> Delivery:
        return self._delivery(body, event.name, event.id, event.created_at)

    def _parse(self, body: VerifiedBody, event_id: str | None) -> WebhookEvent:
        event = parse_event(body, event_id)
        if self._account_id is not None and event.account_id not in (None, self._account_id):
            raise AccountMismatch
        return event

    def _first(
        self, tx: Transaction, event: WebhookEvent, facts: tuple[Fact, ...], digest: str, whose: Whose
    ) -> _Outcome:
        if whose == "theirs":
            return self._foreign(tx, event, digest)
        if not facts:
            return self._ignored(tx, event, digest)
        cause = self._cause(event.name, event.id, digest)
        result: Applied | RazorpayHardenedError
        try:
            back = self._sifter.holds_back(whose)
            result = self._ledger.apply(tx, *facts, cause=cause, inline=self._inline, again=back)
        except StorageError:
            raise
        except RazorpayHardenedError as error:
            result = error
        return self._settled(tx, event, digest, result, cause)

    def _doubts(self, event: WebhookEvent, result: Applied | RazorpayHardenedError) -> bool:
        """Whether Razorpay is to be asked about a delivery."""
        if self._fetch == "never" or (event.order, event.payment, event.refund) == (None, None, None):
            return False
        if isinstance(result, Applied):
            return result.doubtful or (self._fetch == "always" and result.parked_under is None)
        return not isinstance(result, AccountMismatch)

    def _ignored(self, tx: Transaction, event: WebhookEvent, digest: str) -> _Outcome:
        tx.settle(digest, "ignored", self._clock.now())
        return _Outcome(200, "ignored", (EventIgnored(digest, word(event.name)),))

    def _foreign(self, tx: Transaction, event: WebhookEvent, digest: str) -> _Outcome:
        """News of another application on this account: kept, filed under what it is about, and left alone."""
        anchor = filed_under(event)
        tx.settle(digest, "ignored", self._clock.now(), anchor=anchor, reason=FOREIGN)
        return _Outcome(200, "ignored", (EventIgnored(digest, word(event.name), FOREIGN),), foreign=anchor)

    def _settled(
        self, tx: Transaction, event: WebhookEvent, digest: str, result: Applied | RazorpayHardenedError, cause: Cause
    ) -> _Outcome:
        """What the ledger said of a first delivery, put on record."""
        if self._doubts(event, result):
            self._truth.doubt(tx, digest, cause)
        if isinstance(result, RazorpayHardenedError):
            return self._quarantine(tx, digest, event.name, result, cause)
        now = self._clock.now()
        if result.parked_under is not None and not result.waiting:
            return self._parked(tx, digest, result)
        if not result.waiting and event.created_at is not None and now - event.created_at > STALE_AFTER:
            tx.settle(digest, "done", now, anchor=result.anchors[0], reason="stale")
        return self._answer(tx, digest, result, fresh=True)

    def _again(
        self, tx: Transaction, event: WebhookEvent, facts: tuple[Fact, ...], digest: str, anchor: str
    ) -> _Outcome:
        """A redelivery of a body whose inline effect waits: the facts are in, the effect is what is left.

        But for one about an order that is not known here, and something else: only that is in, and the rest has waited
        for its effect (a delivery is in one state at a time).
        """
        cause = self._cause(event.name, event.id, digest)
        applied = self._ledger.resume(tx, anchor, cause=cause, redelivered=True)
        if not applied.waiting and len({isinstance(fact, EntityFact) for fact in facts}) == 2:
            rest = self._ledger.apply(tx, *facts, cause=cause, inline=self._inline, again=True)
            applied.absorb(rest)
            applied.waiting += rest.waiting
            if rest.parked_under is not None:
                applied.parked_under = rest.parked_under
                return self._parked(tx, digest, applied)
        return self._answer(tx, digest, applied, fresh=False)

    def _parked(self, tx: Transaction, digest: str, applied: Applied) -> _Outcome:
        """The order is not ours to know yet. What the body told of something else is in already."""
        assert applied.parked_under is not None
        tx.settle(digest, "parked", self._clock.now(), anchor=applied.parked_under)
        told = applied if applied.anchors else None
        return _Outcome(200, "parked", (EventParked(digest, applied.parked_under),), applied=told)

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
        rows: list[PaymentState | RefundState | EntityState]
        rows = [*applied.payments.values(), *applied.refunds.values(), *applied.entities.values()]
        if all(row.erased_at is None for row in rows):
            return
        names = subjects_of(
            applied.orders.values(), applied.payments.values(), applied.refunds.values(), applied.entities.values()
        )
        if not tx.held(names):
            tx.erase_body(digest, self._clock.now())

    # --- bodies that cannot be used

    def _quarantine_only(
        self, body: VerifiedBody, event_id: str | None, error: RazorpayHardenedError, event: WebhookEvent | None
    ) -> _Outcome:
        delivery = self._delivery(body, "", event_id, None)

        def work(tx: Transaction) -> _Outcome:
            claim = tx.claim(delivery, Touches(()))
            if claim.state != "new":
                return _duplicate(body.digest, event_id, claim.state)
            cause = self._cause(None, event_id, body.digest)
            if event is not None and self._doubts(event, error):
                self._truth.doubt(tx, body.digest, cause)
            return self._quarantine(tx, body.digest, None, error, cause)

        return transact(self._store, work)

    def _quarantine(
        self, tx: Transaction, digest: str, event: str | None, error: RazorpayHardenedError, cause: Cause
    ) -> _Outcome:
        self._ledger.quarantined(tx, digest, error.code, cause=cause)
        tx.settle(digest, "quarantined", self._clock.now(), reason=f"{error.code}: {error.message}"[:200])
        return _Outcome(
            200,
            "quarantined",
            (EventQuarantined(digest, event and word(event), error.code),),
            ((f"quarantined:{digest}", error.code, digest),),
        )

    # --- telling

    def _finish(self, *outcomes: _Outcome) -> Reply:
        """After the commit, the outermost one: tell the bus, run what may run now. Gives the answer to the last."""
        self._store.after_commit(lambda: self._committed(outcomes))
        return _reply(outcomes[-1].status, outcomes[-1].word)

    def _committed(self, outcomes: tuple[_Outcome, ...]) -> None:
        for outcome in outcomes:
            if outcome.conflict is not None:
                key = f"event_id_conflict:{outcome.conflict}"
                self._bus.alarm(key, "event_id_conflict", "one event id, two signed bodies")
            for signal in outcome.signals:
                self._bus.emit(signal)
            for alarm in outcome.alarms:
                self._bus.alarm(*alarm)
            if outcome.applied is not None:
                outcome.applied.announce(self._bus)
        applied = [outcome for outcome in outcomes if outcome.applied is not None]
        if applied and self._inline:
            self._run_after()
        for outcome in applied:
            self._processed(outcome)
        for outcome in outcomes:
            if outcome.foreign is not None:
                self._look_again(outcome.digest, outcome.foreign)

    def _look_again(self, digest: str, anchor: str) -> None:
        """Foreign news takes no lock, so its order may have been adopted since we looked. ``adopt`` looks for foreign
        news after its commit, and this after ours: whoever is later sees the other."""
        with self._telling("foreign news of an order that was just adopted could not be applied"):
            if not anchor.startswith("order_") or self._store.order(anchor) is None:
                return
            row = self._store.delivery(digest)
            if row is not None and row.state == "ignored":
                work = transact(self._store, lambda tx: self._ledger.take_back(tx, row, anchor, inline=self._inline))
                work.announce(self._bus)

    def _run_after(self) -> None:
        """Without a worker, ``after`` effects get their first attempt here, and late ones of other orders theirs."""
        try:
            self._relay.run(limit=_AFTER_EFFECTS, budget_s=_AFTER_BUDGET_S, own=False)
        except StorageError as error:
            # The delivery is durable and its effects are rows: they wait for the next delivery or process_pending.
            self._bus.alarm(f"storage:{error.code}", error.code, "after effects could not be run now")

    def _processed(self, outcome: _Outcome) -> None:
        event, applied, begun = outcome.event, outcome.applied, outcome.begun
        assert event is not None  # what could be applied could be read
        assert applied is not None
        fired = tuple(one.name for one in applied.milestones)
        self._bus.emit(EventProcessed(outcome.digest, word(event.name), fired, self._clock.monotonic() - begun))

    def _rejected(self, request: Request, reason: str) -> None:
        self._bus.emit(EventRejected(reason, len(request.body), request.remote_addr))

    def _delivery(self, body: VerifiedBody, event: str, event_id: str | None, created_at: datetime | None) -> Delivery:
        return Delivery(body.digest, body.raw, event, event_id, self._clock.now(), created_at)

    def _cause(self, event: str | None, event_id: str | None, digest: str, actor: str = "razorpay") -> Cause:
        return Cause("webhook", self._clock.now(), actor, event, event_id, digest)


def _settled_apart(usable: list[_Usable]) -> list[_Usable]:
    """Without foreign news of a payment that earlier news in this batch may bring on record: that comes afterwards."""
    if all(one.whose != "theirs" for one in usable):
        return usable
    kept: list[_Usable] = []
    coming: set[str] = set()
    for one in usable:
        payments = {fact.payment_id for fact in one.facts if isinstance(fact, (PaymentFact, RefundFact))}
        if one.whose != "theirs":
            coming |= payments
        elif not coming.isdisjoint(payments):
            continue
        kept.append(one)
    return kept


def _duplicate(digest: str, event_id: str | None, state: str) -> _Outcome:
    return _Outcome(200, "duplicate", (EventDuplicate(digest, event_id, state),))


@lru_cache(maxsize=1)
def _busy() -> Reply:
    return Reply.json(503, {"status": "not_stored"}, Retry_After=_RETRY_AFTER)


@lru_cache(maxsize=16)
def _reply(status: int, word: str) -> Reply:
    return Reply.json(status, {"status": word})

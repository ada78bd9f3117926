"""Parked deliveries: asked about, ever more rarely, until it is known whose they are or nobody claims them.

After 15 minutes Razorpay is asked what their order or payment is, then at twice the age each time: a dozen questions at
most in 72 hours, however often and in however many processes this is called. When a delivery was last asked about is in
its row, written before the question is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from razorpay_hardened.clock import Clock
from razorpay_hardened.domain.events import order_fact, payment_fact, read_event
from razorpay_hardened.domain.facts import Cause, Fact, OrderRegistered
from razorpay_hardened.domain.ids import order_id, payment_id
from razorpay_hardened.domain.ours import FOREIGN, Ours, Whose
from razorpay_hardened.domain.text import word
from razorpay_hardened.errors import ApiBadRequest, ApiError
from razorpay_hardened.ledger import Applied, Ledger
from razorpay_hardened.ports.gateway import Gateway
from razorpay_hardened.ports.receipts import local_order
from razorpay_hardened.ports.store import After, InboxRow, Store, Touches, Transaction
from razorpay_hardened.ports.unit import transact
from razorpay_hardened.signals import Bus, EventIgnored

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Order, Payment

__all__ = ["FETCH_AFTER", "IGNORE_AFTER", "Parked"]

FETCH_AFTER: Final = timedelta(minutes=15)
"""How long a parked event waits for us before Razorpay is asked what its order is."""
IGNORE_AFTER: Final = timedelta(hours=72)
"""How long it waits at all: late authorisation ends within three days (FACTS section 9)."""

_AT_LAST: Final = timedelta(hours=1)
"""How often the last question is repeated, where it could not be put: nothing is given up unasked."""
_PAGES: Final = 50
"""How far one call looks for deliveries that are due, in pages of ``limit``; the next call goes on from there."""
_TOLD: Final = "asked: not known to be foreign"
"""The reason of a parked delivery whose other entities are applied: whose it is was asked once, and it may be ours."""
_REFUSALS: Final = 3
"""After so many questions without an answer, the rest waits for the next call: Razorpay's API is down, or we are."""


def due_at(row: InboxRow) -> datetime:
    """When to ask about a parked delivery next: its own two times say when it came, and when it was last looked at."""
    looked = row.updated_at - row.received_at
    if looked >= IGNORE_AFTER:
        return row.updated_at + _AT_LAST
    return row.received_at + max(FETCH_AFTER, min(2 * looked, IGNORE_AFTER))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What Razorpay says of an order or a payment, and whose that makes it.

    ``facts`` are what makes it known here; ``order`` is the order of a payment.
    """

    facts: tuple[Fact, ...] = ()
    whose: Whose = "unknown"
    order: str | None = None


class Parked:
    """Looks after the parked deliveries of one store."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        *,
        clock: Clock,
        bus: Bus,
        gateway: Callable[[], Gateway] | None,
        ours: Ours | None,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._bus = bus
        self._gateway = gateway
        self._ours = ours
        self._cursor: After | None = None

    def look(self, limit: int, stop: Callable[[], bool] | None = None) -> tuple[int, int]:
        """Ask about up to ``limit`` deliveries that are due, and about none once ``stop()`` is true.

        Gives how many were applied, and how many ignored.
        """
        drained = ignored = refusals = 0
        for anchor in dict.fromkeys(row.anchor for row in self._due(limit) if row.anchor is not None):
            if stop is not None and stop():
                break
            rows = self._taken(anchor)
            if not rows:
                continue  # somebody else has asked, or its order was registered
            answer = self._ask(anchor)
            if answer is None:
                refusals += 1
                if refusals == _REFUSALS:
                    break
                continue
            states = self._decided(anchor, rows, answer)
            drained += states.count("done")
            ignored += states.count("ignored")
        return drained, ignored

    # --- which

    def _due(self, limit: int) -> list[InboxRow]:
        """Up to ``limit``, the oldest first; where the last call has seen enough, those that come after."""
        now = self._clock.now()
        found: list[InboxRow] = []
        for row in self._walk(limit):
            if row.received_at > now - FETCH_AFTER:
                self._cursor = None  # all that follow are younger
                break
            if due_at(row) <= now:
                found.append(row)
                if len(found) == limit:
                    break
        return found

    def _walk(self, limit: int) -> Iterator[InboxRow]:
        for _ in range(_PAGES):
            page = self._store.deliveries(states=("parked",), after=self._cursor, limit=limit)
            for row in page:
                self._cursor = (row.received_at, row.digest)
                yield row
            if len(page) < limit:
                self._cursor = None
                return

    def _taken(self, anchor: str) -> list[InboxRow]:
        """Those under ``anchor`` that are due still, marked as asked about: whoever comes next leaves them alone."""
        now = self._clock.now()

        def work(tx: Transaction) -> list[InboxRow]:
            # The anchor first: whoever registers the order holds it, and wants the rows (see _lock).
            tx.load(Touches((anchor,)))
            due = [row for row in tx.parked([anchor]) if due_at(row) <= now]
            for row in due:
                tx.settle(row.digest, "parked", now, reason=row.reason)
            return due

        return transact(self._store, work)

    # --- asking

    def _ask(self, anchor: str) -> _Answer | None:
        """What Razorpay says; None where it could not be asked now."""
        if self._gateway is None:
            return _Answer()
        try:
            if anchor.startswith("pay_"):
                return self._about_payment(self._gateway(), anchor)
            return self._about_order(self._gateway().orders.fetch(order_id(anchor)))
        except ApiBadRequest:
            return _Answer()  # Razorpay does not know it either
        except ApiError as error:
            self._bus.alarm("parked_fetch", error.code, "parked events could not be looked up; they stay parked")
            return None

    def _about_order(self, order: Order, payment: Payment | None = None) -> _Answer:
        """The receipt rule first: what is on record is ours. Then the rule that was set, if one was."""
        local = local_order(self._store, order.receipt)
        if local is not None and local.order_id is None:
            return _Answer((OrderRegistered(local.local_id, order.id), order_fact(order)), "ours", order.id)
        if local is not None or self._ours is None or self._store.order(order.id) is not None:
            return _Answer(order=order.id)
        return _Answer(whose=self._ours.whose_payment(payment, order), order=order.id)

    def _about_payment(self, gateway: Gateway, anchor: str) -> _Answer:
        payment = gateway.payments.fetch(payment_id(anchor))
        told = (payment_fact(payment),)
        if self._ours is None:
            return _Answer(told)
        if payment.order_id is None:
            return _Answer(told, self._ours.whose_entity(payment))
        if self._store.order(payment.order_id) is not None:
            return _Answer(told, "ours", payment.order_id)
        about = self._about_order(gateway.orders.fetch(payment.order_id), payment)
        return _Answer((*about.facts, *told), about.whose, about.order)

    # --- deciding

    def _decided(self, anchor: str, rows: list[InboxRow], answer: _Answer) -> list[str]:
        """The states in which the answer leaves the deliveries under ``anchor`` that were asked about."""
        now = self._clock.now()

        def work(tx: Transaction) -> tuple[Applied, list[EventIgnored]]:
            if answer.whose == "theirs" and (ignored := self._set_aside(tx, anchor, answer, now)) is not None:
                return Applied(), ignored
            return self._applied(tx, anchor, rows, answer, now)

        applied, ignored = transact(self._store, work, durable=True)
        applied.announce(self._bus)
        for signal in ignored:
            self._bus.emit(signal)
        digests = {row.digest for row in rows} | {signal.digest for signal in ignored}
        return [self._store.inbox_state(digest) or "" for digest in digests]

    def _set_aside(self, tx: Transaction, anchor: str, answer: _Answer, now: datetime) -> list[EventIgnored] | None:
        """Ignore all that is parked under ``anchor``, unless somebody has adopted its order meanwhile."""
        anchors = tuple(sorted({anchor, answer.order or anchor}))
        held = tx.load(Touches(anchors, payments=(anchor,)))
        if held.orders or held.payments:
            return None
        rows = tx.parked([anchor])
        for row in rows:
            tx.settle(row.digest, "ignored", now, anchor=answer.order, reason=FOREIGN)
        return [EventIgnored(row.digest, word(row.event), FOREIGN) for row in rows]

    def _applied(
        self, tx: Transaction, anchor: str, rows: list[InboxRow], answer: _Answer, now: datetime
    ) -> tuple[Applied, list[EventIgnored]]:
        """Make known what was told, which drains what waits for it, then try the rest and see whether it is too old."""
        cause = Cause("api", now, "process_pending")
        lock(tx, self._ledger, rows, answer.facts)
        applied = self._ledger.apply(tx, *answer.facts, cause=cause) if answer.facts else Applied()
        applied.parked_under = None
        ignored: list[EventIgnored] = []
        asked = {row.digest for row in rows}
        for row in tx.parked([anchor]):
            if row.digest not in asked:
                continue
            # With a rule, what it says of other entities was held back until it was asked about: Sifter.holds_back.
            drained = self._ledger.drain(tx, row, again=self._ours is None or row.reason == _TOLD)
            applied.absorb(drained)
            if drained.parked_under is None:
                continue
            if now - row.received_at >= IGNORE_AFTER:
                tx.settle(row.digest, "ignored", now, reason="its order is not ours")
                ignored.append(EventIgnored(row.digest, word(row.event), "unclaimed"))
            elif self._ours is not None:
                tx.settle(row.digest, "parked", now, anchor=drained.parked_under, reason=_TOLD)
        return applied, ignored


def lock(tx: Transaction, ledger: Ledger, rows: list[InboxRow], told: tuple[Fact, ...] = ()) -> None:
    """Take every anchor that these deliveries are about, in the order in which everybody does, before their own rows.

    Whoever registers the order holds the anchor and wants the row: the other way round is a deadlock.
    """
    facts = (*told, *(fact for row in rows for fact in read_event(row.body, row.event_id).facts()))
    anchors = {*ledger.touches(facts).anchors, *(row.anchor for row in rows if row.anchor)}
    tx.load(Touches(tuple(sorted(anchors))))

"""What a recovery lists beside orders, payments and refunds: disputes, subscriptions, links, invoices, settlements …

Two things of each kind: what was made in the window, and what we hold of older ones that has not ended, because an old
subscription may have been charged, and an old dispute lost, while no webhook came. Each is a page at a time, with a
place to go on from, so that a recovery that was killed repeats one page and no more.

A listing shows states, not events. What follows from a state alone is told (``domain.kinds``): a dispute that is won
was created and won. Beside that, three milestones that happen again and again are proven by what names their payment: a
paid invoice of a subscription (``subscription.charged``), a captured payment through a QR code or a virtual account
(``.credited``), and the payments of a link that is partly paid (``payment_link.partially_paid``). Nothing else is
made up: a milestone that Razorpay's own ``created_at`` tells apart (``subscription.halted``) has no proof but its
event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar

from razorpay_hardened.clock import Clock, from_unix
from razorpay_hardened.domain.events import entity_fact
from razorpay_hardened.domain.facts import EntityFact
from razorpay_hardened.domain.ids import OrderId, PaymentId, is_id
from razorpay_hardened.domain.kinds import LIVES
from razorpay_hardened.errors import ApiAuthError, ApiBadRequest, ApiResponseError, IdMalformed, ReconcileStalled
from razorpay_hardened.ports.gateway import Gateway, Page
from razorpay_hardened.ports.receipts import local_order
from razorpay_hardened.ports.store import Reader
from razorpay_hardened.reconcile.diff import reach_there
from razorpay_hardened.reconcile.sources import PAGE, ListPage, Span, Spans, listed

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Payment
    from razorpay_hardened.domain.ours import Ours

__all__ = ["LAG", "RESOURCES", "Others", "Part"]

RESOURCES: Final[Mapping[str, str]] = {
    "dispute": "disputes",
    "invoice": "invoices",
    "subscription": "subscriptions",
    "payment_link": "payment_links",
    "qr_code": "qr_codes",
    "virtual_account": "virtual_accounts",
    "transfer": "transfers",
    "settlement": "settlements",
}
"""Kind → the client's resource that lists it, in the order in which they are told: deadlines and money first."""

LAG: Final = timedelta(minutes=15)
"""How old the state in a listing may be (FACTS section 4: they lag by minutes). Only where a status may return, as
``active`` and ``pending`` do, does it matter: news that is younger than this is not overruled by a listing."""

_OPEN: Final[Mapping[str, tuple[str, ...]]] = {
    kind: tuple(status for status in LIVES[kind].statuses if not LIVES[kind].is_end(status)) for kind in RESOURCES
}
_AGAIN: Final[Mapping[str, tuple[str, ...]]] = {"dispute": ("won",)}
"""Ends that are none: a dispute that was won may come back in a later phase (FACTS section 9)."""
_AGAIN_FOR: Final = timedelta(days=180)
"""How old such an object may be to be asked for again."""
_PAGES_MAX: Final = 1_000
"""How far a listing without windows is read."""
_NOT_TO_BE_HAD: Final = (ApiBadRequest, ApiAuthError, ApiResponseError)
"""A product that the account does not have, or an answer that nobody can read: the other kinds go on."""
_DONE: Final = "done"

T = TypeVar("T")

Place: TypeAlias = "int | str | list[str]"
"""Where a part goes on, as JSON: the next second, the last row (its time and id), or ``done``."""


class Part(NamedTuple):
    """One page. ``news`` are the facts about each entity, to be applied together; ``place`` is where ``name`` goes on
    once all of them are."""

    name: str
    kind: str
    news: Iterator[tuple[EntityFact, ...]]
    size: int
    place: Place


class Others:
    """Reads one recovery's window; holds a page at a time. ``refused`` is what the API would not list, with the error's
    code; ``foreign`` counts by kind what is another application's, and was left alone."""

    def __init__(self, store: Reader, gateway: Gateway, clock: Clock, window: Span, ours: Ours | None = None) -> None:
        self._store = store
        self._ours = ours
        self._gateway = gateway
        self._clock = clock
        self._window = window
        self._subscriptions: dict[str, Any] = {}
        self.refused: dict[str, str] = {}
        self.foreign: dict[str, int] = {}

    def is_done(self, places: Mapping[str, Any]) -> bool:
        """Whether everything up to the window's end has been told."""
        return all(
            self._is_listed(places.get(kind)) and all(places.get(name) == _DONE for name in _parts_of(kind))
            for kind in RESOURCES
            if self._resource(kind) is not None
        )

    def _is_listed(self, place: Any) -> bool:
        return place == _DONE or (isinstance(place, int) and place > self._window.last)

    def parts(self, places: Mapping[str, Any]) -> Iterator[Part]:
        """Everything that is not done, from ``places`` on. A part counts as done once the next one is asked for.

        Raises the gateway's errors, except for those that are about one kind alone.
        """
        for kind in RESOURCES:
            resource = self._resource(kind)
            if resource is None:
                continue  # a gateway of the application's own, that has orders, payments and refunds only
            try:
                yield from self._made(kind, resource, places.get(kind, self._window.first))
                yield from self._unended(kind, places)
            except ReconcileStalled as error:
                self.refused[kind] = error.code
                yield Part(kind, kind, iter(()), 0, _DONE)
                yield from self._unended(kind, places)
            except _NOT_TO_BE_HAD as error:
                self.refused[kind] = error.code
                for name in (kind, *_parts_of(kind)):
                    yield Part(name, kind, iter(()), 0, _DONE)

    def _resource(self, kind: str) -> Any:
        return getattr(self._gateway, RESOURCES[kind], None)

    # --- pages

    def _made(self, kind: str, resource: Any, place: Any) -> Iterator[Part]:
        """What was made in the window."""
        if self._is_listed(place):
            return
        spans = Spans(Span(int(place), self._window.last))
        while (span := spans.current()) is not None:
            seen_at = self._clock.now() - LAG
            try:
                rows: Sequence[Any] | None = listed(_keeping(resource.list), span)
            except _WindowIgnored:
                yield from self._all_made(kind, resource)
                return
            if rows is None:
                spans.narrow(span)
                continue
            yield Part(kind, kind, self._news(kind, rows, seen_at), len(rows), span.last + 1)
            spans.advance(span, len(rows))

    def _all_made(self, kind: str, resource: Any) -> Iterator[Part]:
        """What was made in the window, from a listing that knows no windows (that of payment links documents none)."""
        first, last = self._window
        seen_at = self._clock.now() - LAG
        for made, ends in self._whole(resource.list):
            yield Part(kind, kind, self._news(kind, made, seen_at), len(made), last + 1 if ends else first)
            seen_at = self._clock.now() - LAG

    def _whole(self, list_page: ListPage[Any]) -> Iterator[tuple[list[Any], bool]]:
        """A listing from its beginning, the newest first as far as anybody has seen (FACTS section 13), until a page is
        all older than the window: of each page what is in the window, and whether it was the last.

        Raises :class:`ReconcileStalled` where it does not advance, or does not end.
        """
        first, last = self._window
        seen: set[str] = set()
        for number in range(_PAGES_MAX):
            page = list_page(count=PAGE, skip=number * PAGE)
            fresh = [row for row in page.items if row.id not in seen]
            seen.update(row.id for row in fresh)
            if not fresh and page.has_more:
                raise ReconcileStalled
            is_past = all(row.created_at is not None and row.created_at < first for row in page.items)
            ends = is_past or not page.has_more
            yield [row for row in fresh if row.created_at is None or first <= row.created_at <= last], ends
            if ends:
                return
        raise ReconcileStalled

    def _unended(self, kind: str, places: Mapping[str, Any]) -> Iterator[Part]:
        """What we hold from before the window, and may have moved since."""
        for name, statuses in _parts_of(kind).items():
            place = places.get(name)
            before = from_unix(self._window.first)
            since = before - _AGAIN_FOR if statuses is _AGAIN.get(kind) else None
            after = (datetime.fromisoformat(place[0]), place[1]) if isinstance(place, list) else None
            while place != _DONE:
                held = self._store.entities(
                    kind=kind, statuses=statuses, since=since, until=before, after=after, limit=PAGE
                )
                place = _DONE
                if len(held) == PAGE:
                    after = (held[-1].created_at, held[-1].entity_id)
                    place = [after[0].isoformat(), after[1]]
                yield Part(name, kind, self._asked(kind, [row.entity_id for row in held]), len(held), place)

    # --- facts

    def _asked(self, kind: str, ids: Sequence[str]) -> Iterator[tuple[EntityFact, ...]]:
        for entity_id in ids:
            seen_at = self._clock.now()
            found = self._fetched(kind, entity_id)
            if found is not None:
                yield from self._news(kind, (found,), seen_at)

    def _news(self, kind: str, rows: Sequence[Any], seen_at: datetime) -> Iterator[tuple[EntityFact, ...]]:
        for entity in rows:
            try:
                fact = entity_fact(entity, seen_at=seen_at)
            except IdMalformed:
                continue  # nothing that could be kept under it
            if self._is_foreign(entity, fact):
                self.foreign[kind] = self.foreign.get(kind, 0) + 1
                continue
            proven: Callable[[Any, EntityFact], Iterator[EntityFact]] = getattr(self, f"_of_{kind}", _nothing_more)
            yield (fact, *proven(entity, fact))

    def _is_foreign(self, entity: Any, fact: EntityFact) -> bool:
        """As for a webhook: what is on record is ours; else the rule's word, if need be after asking for its order."""
        if self._ours is None or self._is_on_record(fact):
            return False
        said = self._ours.whose_entity(entity)
        if said != "unknown":
            return said == "theirs"
        payment = None
        order_id = fact.order_id
        if order_id is None and fact.payment_id is not None:
            payment = _asked(self._gateway.payments.fetch, fact.payment_id)
            order_id = None if payment is None else payment.order_id
        order = None if order_id is None else _asked(self._gateway.orders.fetch, order_id)
        if order is not None and (self._store.order(order.id) or local_order(self._store, order.receipt)) is not None:
            return False
        return self._ours.whose_payment(payment, order) == "theirs"

    def _is_on_record(self, fact: EntityFact) -> bool:
        store = self._store
        return (
            store.entity(fact.entity_id) is not None
            or (fact.order_id is not None and store.order(fact.order_id) is not None)
            or (fact.payment_id is not None and store.payment(fact.payment_id) is not None)
        )

    def _of_invoice(self, invoice: Any, fact: EntityFact) -> Iterator[EntityFact]:
        """A paid invoice of a subscription is a charge."""
        subscription_id = invoice.subscription_id
        if not subscription_id or fact.status != "paid" or fact.payment_id is None:
            return
        if subscription_id not in self._subscriptions:
            self._subscriptions[subscription_id] = self._fetched("subscription", subscription_id)
        subscription = self._subscriptions[subscription_id]
        if subscription is None:
            return
        charged = entity_fact(subscription, seen_at=self._clock.now() - LAG)
        yield _told(charged, "subscription.charged", fact.payment_id, fact.order_id, _money(invoice, "amount_paid"))

    def _of_payment_link(self, link: Any, fact: EntityFact) -> Iterator[EntityFact]:
        """While a link is only partly paid, each of its payments paid a part."""
        for payment in (link.payments or ()) if fact.status == "partially_paid" else ():
            if is_id("payment", payment.payment_id) and payment.status == "captured":
                paid = None if payment.amount is None else (payment.amount, link.currency)
                made = PaymentId(payment.payment_id)
                yield _told(fact, "payment_link.partially_paid", made, fact.order_id, paid)

    def _of_qr_code(self, code: Any, fact: EntityFact) -> Iterator[EntityFact]:
        if code.payments_count_received != 0:
            yield from self._credits("qr_code", fact)

    def _of_virtual_account(self, account: Any, fact: EntityFact) -> Iterator[EntityFact]:
        if account.amount_paid != 0:
            yield from self._credits("virtual_account", fact)

    def _credits(self, kind: str, fact: EntityFact) -> Iterator[EntityFact]:
        """What was paid in within the window, each captured payment by itself."""
        try:
            for payment in self._paid_in(partial(self._resource(kind).payments, fact.entity_id)):
                if reach_there(payment) == "captured":
                    paid = (payment.amount, payment.currency)
                    yield _told(fact, f"{kind}.credited", payment.id, payment.order_id, paid)
        except (*_NOT_TO_BE_HAD, ReconcileStalled) as error:
            self.refused[f"payments of {kind}"] = error.code

    def _paid_in(self, list_page: ListPage[Payment]) -> Iterator[Payment]:
        spans = Spans(self._window)
        while (span := spans.current()) is not None:
            try:
                rows = listed(_keeping(list_page), span)
            except _WindowIgnored:
                for made, _ in self._whole(list_page):
                    yield from made
                return
            if rows is None:
                spans.narrow(span)
                continue
            yield from rows
            spans.advance(span, len(rows))

    def _fetched(self, kind: str, entity_id: str) -> Any:
        """What Razorpay says of it, or None where it has nothing to say of this one."""
        try:
            return getattr(self._resource(kind), "fetch", _unknown)(entity_id)
        except (ApiBadRequest, IdMalformed):
            return None
        except _NOT_TO_BE_HAD as error:
            self.refused[kind] = error.code
            return None


def _asked(fetch: Callable[[str], T], id: str) -> T | None:
    """What Razorpay says when asked by id; None where it does not know the id."""
    try:
        return fetch(id)
    except ApiBadRequest:
        return None


def _parts_of(kind: str) -> dict[str, tuple[str, ...]]:
    """What is asked for by its id: the name of each part, and the statuses that it looks for here."""
    again = {f"{status} {kind}": _AGAIN[kind] for status in _AGAIN.get(kind, ())}
    return {f"open {kind}": _OPEN[kind], **again}


class _WindowIgnored(Exception):
    """Never leaves this module: the listing gave what was made at another time than asked for."""


def _keeping(list_page: ListPage[Any]) -> ListPage[Any]:
    """The same listing, which raises where it does not keep to its window: cutting that would never end."""

    def kept(*, from_: Any = None, to: Any = None, count: int = PAGE, skip: int = 0) -> Page[Any]:
        page = list_page(from_=from_, to=to, count=count, skip=skip)
        if any(row.created_at is not None and not from_ <= row.created_at <= to for row in page.items):
            raise _WindowIgnored
        return page

    return kept


def _unknown(entity_id: str) -> None:
    return None


def _nothing_more(entity: Any, fact: EntityFact) -> Iterator[EntityFact]:
    return iter(())


def _told(
    fact: EntityFact, event: str, payment_id: PaymentId, order_id: OrderId | None, paid: tuple[int, str] | None
) -> EntityFact:
    """The same entity, with what ``event`` would have told of one payment: its milestone has the same key."""
    return replace(fact, event=event, payment_id=payment_id, order_id=order_id, paid=paid)


def _money(entity: Any, field: str) -> tuple[int, str] | None:
    amount, currency = getattr(entity, field), entity.currency
    return None if amount is None or currency is None else (amount, currency)

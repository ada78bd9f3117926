"""Silence: Razorpay has taken money, and no webhook says so. It only looks, and asks Razorpay a few questions.

Nobody tells an endpoint that it was switched off (Razorpay writes an e-mail, after 24 hours of failures). What can be
seen is the contradiction: captured payments or refunds that are older than a grace, and no delivery that tells of them.

Two forms, each built so that a quiet night raises nothing:

- ``nothing_comes``: no delivery of any kind since a moment, and money made after it. Without money there is no silence.
- ``none_of_ours``: deliveries come, and of the money of *our* orders none tells: three payments at least, because one
  event that was lost for good is for reconciliation. It looks into the stored bodies: a payment may well be known here
  from the customer's return alone.

Failed payments are no evidence, because an endpoint need not subscribe to them. On an account that several applications
share, their payments are evidence too where deliveries used to come (each endpoint gets every event); where none ever
came, only payments of orders that were made here are: an installation that was never connected is not told of others'
sales.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from razorpay_hardened.clock import Clock, from_unix, to_unix
from razorpay_hardened.ports.gateway import Gateway
from razorpay_hardened.ports.store import Reader
from razorpay_hardened.reconcile.diff import reach_there
from razorpay_hardened.reconcile.sources import PAGE, ListPage, ThereT

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Payment, Refund

__all__ = ["Reason", "Silence", "find_silence", "last_delivery"]

Reason: TypeAlias = Literal["nothing_comes", "none_of_ours"]

FAR: Final = timedelta(days=90)
"""A delivery that is older than this is as good as none: retention may have taken it."""
_UNHEARD_MIN: Final = 3
_DAY: Final = timedelta(days=1)
_PAGES: Final = 3
"""Pages of a listing that are read for evidence: most of what is listed first may be payments that only began."""
_BODIES: Final = 2_000
"""Stored deliveries that are looked into, at most."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Money without webhooks. ``since`` is when the last delivery of any kind came, None where none ever did.

    ``first`` and ``last`` are when the oldest and the newest unheard payment or refund were made, of those looked at;
    ``payments`` and ``refunds`` count these: at least so many. ``at`` is when we looked. Times are aware, UTC.
    """

    reason: Reason
    since: datetime | None
    first: datetime
    last: datetime
    payments: int
    refunds: int
    at: datetime

    @property
    def key(self) -> str:
        """What names it: a second look at the same silence has the same key."""
        begun = self.since if self.reason == "nothing_comes" else None
        return self.reason if begun is None else f"{self.reason}:{begun:%Y-%m-%dT%H:%M:%SZ}"

    @property
    def begins(self) -> datetime:
        """From when on deliveries may be missing."""
        return self.first if self.since is None or self.reason == "none_of_ours" else min(self.since, self.first)

    def __str__(self) -> str:
        money = f"at least {self.payments} captured payments and {self.refunds} refunds"
        newest = f"the newest of {self.last:%Y-%m-%dT%H:%M:%SZ}"
        if self.reason == "none_of_ours":
            return f"deliveries come, and none tells of {money} since {self.first:%Y-%m-%dT%H:%M:%SZ}, {newest}"
        since = "ever" if self.since is None else f"since {self.since:%Y-%m-%dT%H:%M:%SZ}"
        return f"no webhook {since}, and {money}, {newest}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times in ISO 8601."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(self).items()
        }


class _Money(NamedTuple):
    """What has been made and is old enough to have been told."""

    payments: tuple[Payment, ...]
    refunds: tuple[Refund, ...]

    @property
    def made(self) -> list[int]:
        """When, in Unix seconds."""
        return [one.created_at for one in (*self.payments, *self.refunds) if one.created_at is not None]


def find_silence(
    store: Reader, gateway: Gateway, clock: Clock, *, after: timedelta, grace: timedelta
) -> Silence | None:
    """The silence that there is now, or None. ``after``: how long nothing must have come; ``grace``: how old money must
    be, by its time of creation. Raises :class:`ApiError`, :class:`StorageError`.
    """
    now = clock.now()
    last = last_delivery(store, now)
    if last is not None and now - last < after:
        return _none_of_ours(store, gateway, now, last, grace)
    found = (
        _ours(store, _money(gateway, now - _DAY, now - grace)) if last is None else _money(gateway, last, now - grace)
    )
    if not found.made:
        return None
    came = last_delivery(store, clock.now())  # while Razorpay was asked
    return None if came != last else _silence("nothing_comes", last, found, now)


def _none_of_ours(store: Reader, gateway: Gateway, now: datetime, last: datetime, grace: timedelta) -> Silence | None:
    """Deliveries come; do any of them tell of what our orders were paid?"""
    found = _ours(store, _money(gateway, now - _DAY, now - grace))
    if len(found.payments) < _UNHEARD_MIN:
        return None
    oldest = from_unix(min(found.made))
    names = [one.id.encode() for one in found.payments] + [one.id.encode() for one in found.refunds]
    if _is_any_told(store, names, oldest):
        return None
    return _silence("none_of_ours", last, found, now)


def _silence(reason: Reason, since: datetime | None, found: _Money, at: datetime) -> Silence:
    first, last = from_unix(min(found.made)), from_unix(max(found.made))
    return Silence(reason, since, first, last, len(found.payments), len(found.refunds), at)


# --- at Razorpay


def _money(gateway: Gateway, since: datetime, until: datetime) -> _Money:
    """Captured payments and refunds made after ``since`` and by ``until``: the newest, as listings go."""
    first, last = to_unix(since) + 1, to_unix(until)
    if first > last:
        return _Money((), ())
    payments = [
        one for one in _newest(gateway.payments.list, first, last) if reach_there(one, "captured") == "captured"
    ]
    return _Money(tuple(payments), tuple(_newest(gateway.refunds.list, first, last)))


def _newest(list_page: ListPage[ThereT], first: int, last: int) -> Iterable[ThereT]:
    for number in range(_PAGES):
        page = list_page(from_=first, to=last, count=PAGE, skip=number * PAGE)
        # Whether a window includes its ends is not confirmed (FACTS section 13).
        yield from (one for one in page.items if one.created_at is not None and first <= one.created_at <= last)
        if not page.has_more:
            return


def _ours(store: Reader, found: _Money) -> _Money:
    """What belongs to orders that were made here."""
    known: dict[str, bool] = {}
    for order_id in {one.order_id for one in found.payments if one.order_id is not None}:
        known[order_id] = store.order(order_id) is not None
    ours = tuple(one for one in found.payments if one.order_id is not None and known[one.order_id])
    ids = {one.id for one in ours}
    refunds = tuple(one for one in found.refunds if one.payment_id in ids or _is_sold(store, one.payment_id))
    return _Money(ours, refunds)


def _is_sold(store: Reader, payment_id: str) -> bool:
    payment = store.payment(payment_id)
    return payment is not None and payment.anchor.startswith("order_") and store.order(payment.anchor) is not None


# --- here


def last_delivery(store: Reader, now: datetime) -> datetime | None:
    """When the last delivery was stored; None where none was in the last 90 days.

    Deliveries are read oldest first, so it asks for "any after …": further and further back, then in ever smaller
    steps, and reads the last second.
    """
    back = timedelta(minutes=15)
    while not (found := store.deliveries(after=(now - back, ""), limit=1)):
        if back >= FAR:
            return None
        back = min(back * 4, FAR)
    low, high = found[0], now
    while high - low.received_at > timedelta(seconds=1):
        middle = low.received_at + (high - low.received_at) / 2
        found = store.deliveries(after=(middle, ""), limit=1)
        if found:
            low = found[0]
        else:
            high = middle
    while found := store.deliveries(after=(low.received_at, low.digest), limit=PAGE):
        low = found[-1]
    return low.received_at


def _is_any_told(store: Reader, names: Sequence[bytes], since: datetime) -> bool:
    """Whether any delivery since then names one of these."""
    after, looked = (since, ""), 0
    while looked < _BODIES and (rows := store.deliveries(after=after, limit=PAGE)):
        if any(name in row.body for row in rows for name in names):
            return True
        looked += len(rows)
        after = (rows[-1].received_at, rows[-1].digest)
    return looked >= _BODIES  # so many, and not all were seen: that is no silence to wake anybody for

"""Both sides of one slice of time: what Razorpay lists, and what we hold.

Razorpay's listings have no cursor, tell no total, promise no order and shift while new rows come in (FACTS section 13).
So the window is cut into slices of ``created_at`` that fit in one page each: a slice is complete by itself, the past
does not shift, and the end of the last slice is a cursor that survives a crash (FAULTS R1, R6). Only a single second
with more than a page of rows is read with ``skip``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, Protocol, TypeVar

from razorpay_hardened.clock import from_unix
from razorpay_hardened.domain.state import OrderState, PaymentState, RefundState
from razorpay_hardened.errors import ReconcileStalled
from razorpay_hardened.ports.gateway import Gateway, Moment, Page
from razorpay_hardened.ports.store import After, Reader

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Order, Payment, Refund

__all__ = ["CROWD_MAX", "PAGE", "Both", "ListPage", "Slice", "Sources", "Span", "Spans", "listed"]

PAGE: Final = 100
"""Rows of a page: Razorpay's own maximum."""
CROWD_MAX: Final = 5_000
"""Rows that one second may hold; more than that is a listing that does not keep to its window."""
_AIM: Final = 0.7
"""How full a page is meant to be: some room is left, because an overfull one is read again in halves."""


class Span(NamedTuple):
    """From ``first`` to ``last``, Unix seconds, both included."""

    first: int
    last: int

    @property
    def seconds(self) -> int:
        return self.last - self.first + 1


class Spans:
    """Cuts a window into slices that follow how busy the time is."""

    def __init__(self, window: Span) -> None:
        self._first, self._last = window
        self._width = max(1, window.seconds)

    @property
    def first(self) -> int:
        """The first second that is not done yet."""
        return self._first

    def current(self) -> Span | None:
        """The slice to do next, or None at the end of the window."""
        if self._first > self._last:
            return None
        return Span(self._first, min(self._last, self._first + self._width - 1))

    def narrow(self, span: Span) -> None:
        """``span`` held too much."""
        self._width = max(1, span.seconds // 2)

    def advance(self, span: Span, busiest: int) -> None:
        """``span`` is done; its fullest list had ``busiest`` rows."""
        self._first = span.last + 1
        self._width = max(1, min(int(span.seconds * PAGE * _AIM / max(1, busiest)), span.seconds * 4))


class _Made(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def created_at(self) -> int | None: ...


ThereT = TypeVar("ThereT", bound=_Made)
HereT = TypeVar("HereT", OrderState, PaymentState, RefundState)
EntityT = TypeVar("EntityT")
StateT = TypeVar("StateT")


class Both(NamedTuple, Generic[EntityT, StateT]):
    """One kind of entity in one slice: Razorpay's rows and ours, in no order, each id once on each side."""

    there: tuple[EntityT, ...]
    here: tuple[StateT, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """Everything that was created in ``span``."""

    span: Span
    orders: Both[Order, OrderState]
    payments: Both[Payment, PaymentState]
    refunds: Both[Refund, RefundState]

    @property
    def busiest(self) -> int:
        """The rows of the longest list."""
        return max(len(side) for both in (self.orders, self.payments, self.refunds) for side in both)

    @property
    def rows(self) -> int:
        """How many orders, payments and refunds there are on either side."""
        there = {item.id for both in (self.orders, self.payments, self.refunds) for item in both.there}
        here = {row.order_id or row.local_id for row in self.orders.here}
        here |= {row.payment_id for row in self.payments.here} | {row.refund_id for row in self.refunds.here}
        return len(there | here)


class _TooMany(Exception):
    """Never leaves this module: it says "halve the slice"."""


class ListPage(Protocol[ThereT]):
    """A listing of one resource."""

    def __call__(
        self, *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, skip: int = 0
    ) -> Page[ThereT]: ...


class Sources:
    """Reads slices from both sides; holds nothing between them."""

    def __init__(self, store: Reader, gateway: Gateway) -> None:
        self._store = store
        self._gateway = gateway

    def read(self, span: Span) -> Slice | None:
        """Both sides of ``span``; None where some list has more than fits in a page and the span can be cut.

        Raises :class:`ReconcileStalled` where one second does not come to an end, and the gateway's errors.
        """
        store, gateway = self._store, self._gateway
        try:
            # Ours first: they cost no request where the slice is too wide anyway.
            orders = _here(store.orders, span, lambda row: row.local_id)
            payments = _here(store.payments, span, lambda row: row.payment_id)
            refunds = _here(store.refunds, span, lambda row: row.refund_id)
            return Slice(
                span,
                Both(_there(gateway.orders.list, span), orders),
                Both(_there(gateway.payments.list, span), payments),
                Both(_there(gateway.refunds.list, span), refunds),
            )
        except _TooMany:
            return None


def listed(list_page: ListPage[ThereT], span: Span) -> tuple[ThereT, ...] | None:
    """Razorpay's rows of ``span``; None where they do not fit in a page and the span can be cut.

    Raises :class:`ReconcileStalled` where one second does not come to an end, and the gateway's errors.
    """
    try:
        return _there(list_page, span)
    except _TooMany:
        return None


def _there(list_page: ListPage[ThereT], span: Span) -> tuple[ThereT, ...]:
    """Razorpay's rows of ``span``. Whether its window includes its ends is not confirmed (FACTS section 13), so one
    second more is asked for on each side, and cut off here."""
    found: dict[str, ThereT] = {}
    for skip in range(0, CROWD_MAX, PAGE):
        page = list_page(from_=max(0, span.first - 1), to=span.last + 1, count=PAGE, skip=skip)
        fresh = [item for item in page.items if item.id not in found]
        found.update((item.id, item) for item in fresh)
        if not page.has_more:
            return tuple(item for item in found.values() if _is_within(item.created_at, span))
        if span.seconds > 1:
            raise _TooMany
        if not fresh:
            raise ReconcileStalled
    raise ReconcileStalled(f"more than {CROWD_MAX} rows are listed for one second")


def _is_within(created_at: int | None, span: Span) -> bool:
    return created_at is None or span.first <= created_at <= span.last


class _Rows(Protocol[HereT]):
    def __call__(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        statuses: Sequence[str] = (),
        after: After | None = None,
        limit: int = 100,
    ) -> list[HereT]: ...


def _here(rows: _Rows[HereT], span: Span, id_of: Callable[[HereT], str]) -> tuple[HereT, ...]:
    since, until = from_unix(span.first), from_unix(span.last + 1)
    found: list[HereT] = []
    after: After | None = None
    while True:
        page = rows(since=since, until=until, after=after, limit=PAGE)
        found += page
        if len(page) < PAGE:
            return tuple(found)
        if span.seconds > 1:
            raise _TooMany
        after = (page[-1].created_at, id_of(page[-1]))

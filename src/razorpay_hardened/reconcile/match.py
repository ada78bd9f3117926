"""From one slice of both sides to cases: what belongs together, and the details that the listings do not show.

An id that only one side lists is looked up on the other side by id before anybody calls it missing: windows have edges,
clocks differ, and listings lag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from razorpay_hardened.clock import Clock
from razorpay_hardened.domain.ours import Ours, Whose
from razorpay_hardened.domain.state import OrderState, PaymentState, RefundState
from razorpay_hardened.errors import ApiBadRequest
from razorpay_hardened.ports.gateway import Gateway
from razorpay_hardened.ports.receipts import local_order
from razorpay_hardened.ports.store import Reader
from razorpay_hardened.reconcile.case import Case, OrderPair, Pair, PaymentPair, RefundPair
from razorpay_hardened.reconcile.diff import reach_there, refunded_there
from razorpay_hardened.reconcile.sources import Both, Slice

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Order, Payment, Refund

__all__ = ["STUCK_AFTER", "Matched", "match"]

STUCK_AFTER: Final = timedelta(minutes=15)
"""How long an order may be without a Razorpay id before that is a finding: sweeping ends before (FACTS section 4)."""

T = TypeVar("T")


@dataclass(slots=True)
class Matched:
    """The cases of a slice. ``examined`` are the rows looked at; ``foreign`` those that are not ours, by kind."""

    cases: list[Case] = field(default_factory=list)
    examined: int = 0
    foreign: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Open:
    """A case while it is being collected."""

    order: OrderPair | None = None
    payments: dict[str, PaymentPair] = field(default_factory=dict)
    refunds: dict[str, RefundPair] = field(default_factory=dict)


def match(slice_: Slice, store: Reader, gateway: Gateway, clock: Clock, ours: Ours | None = None) -> Matched:
    """The cases of ``slice_``, each with its details, in order of their anchors. Raises the gateway's errors.

    What is on record here is ours; ``ours`` says it of the rest. Without that rule, an order that is not on record is
    somebody else's, and a payment without an order is ours.
    """
    return _Matcher(store, gateway, clock, ours).match(slice_)


class _Matcher:
    def __init__(self, store: Reader, gateway: Gateway, clock: Clock, ours: Ours | None) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._ours = ours
        self._listed: dict[str, Order] = {}
        self._open: dict[str, _Open] = {}
        self._known: dict[str, OrderState | None] = {}
        self._payments_listed: dict[str, Payment] = {}
        self._result = Matched()

    def match(self, slice_: Slice) -> Matched:
        self._orders(slice_.orders)
        self._payments(slice_.payments)
        self._refunds(slice_.refunds)
        for open_ in self._open.values():
            self._add_details(open_)
        self._result.cases = [
            Case(anchor, open_.order, open_.payments, open_.refunds) for anchor, open_ in sorted(self._open.items())
        ]
        return self._result

    def _case(self, anchor: str) -> _Open:
        return self._open.setdefault(anchor, _Open())

    def _foreign(self, kind: str) -> None:
        self._result.foreign[kind] = self._result.foreign.get(kind, 0) + 1

    # --- orders

    def _orders(self, both: Both[Order, OrderState]) -> None:
        paired: set[str] = set()
        for there in both.there:
            self._result.examined += 1
            self._listed[there.id] = there
            here = self._order(there.id) or local_order(self._store, there.receipt)
            if here is None and self._whose(there) == "ours":
                self._case(there.id).order = Pair(None, there)
            elif here is None:
                self._foreign("order")
            elif here.order_id is not None or self._is_stuck(here):
                self._case(there.id).order = Pair(here, there)
            if here is not None and here.order_id in (None, there.id):
                paired.add(here.local_id)
        for row in both.here:
            if row.local_id not in paired:
                self._result.examined += 1
                self._order_only_here(row)

    def _order_only_here(self, here: OrderState) -> None:
        if here.order_id is not None:
            there = _ask(self._gateway.orders.fetch, here.order_id)
            self._case(here.order_id).order = Pair(here, there)
        elif self._is_stuck(here):
            there = self._gateway.orders.find_by_receipt(here.receipt)
            self._case(there.id if there is not None else here.local_id).order = Pair(here, there)

    def _is_stuck(self, here: OrderState) -> bool:
        return self._clock.now() - here.created_at >= STUCK_AFTER

    def _order(self, order_id: str) -> OrderState | None:
        """Our order by Razorpay's id; asked once for each slice."""
        if order_id not in self._known:
            found = self._store.order(order_id)
            self._known[order_id] = found if found is not None and found.order_id == order_id else None
        return self._known[order_id]

    def _whose(self, entity: Order | Payment, order: Order | None = None) -> Whose:
        """What the rule says of what is not on record here."""
        return "unknown" if self._ours is None else self._ours.whose_payment(entity, order)

    # --- payments

    def _payments(self, both: Both[Payment, PaymentState]) -> None:
        here = {row.payment_id: row for row in both.here}
        for there in both.there:
            self._result.examined += 1
            self._payments_listed[there.id] = there
            held = here.pop(there.id, None) or self._store.payment(there.id)
            anchor = self._anchor(held, there)
            if anchor is None:
                self._foreign("payment")
            else:
                self._case(anchor).payments[there.id] = Pair(held, there)
        for row in here.values():
            self._result.examined += 1
            there_or_none = _ask(self._gateway.payments.fetch, row.payment_id)
            self._case(row.anchor).payments[row.payment_id] = Pair(row, there_or_none)

    def _anchor(self, here: PaymentState | None, there: Payment) -> str | None:
        """Where a payment belongs; None where that is an order of somebody else on this account."""
        if here is not None:
            return here.anchor
        if there.order_id is None:
            return None if self._whose(there) == "theirs" else there.id
        if self._order(there.order_id) is not None:
            return there.order_id
        return there.order_id if self._whose(there, self._listed.get(there.order_id)) == "ours" else None

    # --- refunds

    def _refunds(self, both: Both[Refund, RefundState]) -> None:
        here = {row.refund_id: row for row in both.here}
        for there in both.there:
            self._result.examined += 1
            held = here.pop(there.id, None) or self._store.refund(there.id)
            anchor = held.anchor if held is not None else self._anchor_of_refund(there)
            if anchor is None:
                self._foreign("refund")
            else:
                self._case(anchor).refunds[there.id] = Pair(held, there)
        for row in here.values():
            self._result.examined += 1
            there_or_none = _ask(self._gateway.refunds.fetch, row.refund_id)
            self._case(row.anchor).refunds[row.refund_id] = Pair(row, there_or_none)

    def _anchor_of_refund(self, there: Refund) -> str | None:
        """A refund belongs where its payment does; a payment that nobody here knows is fetched and comes along."""
        held = self._store.payment(there.payment_id)
        if held is not None:
            return held.anchor
        payment = self._payments_listed.get(there.payment_id) or _ask(self._gateway.payments.fetch, there.payment_id)
        anchor = None if payment is None else self._anchor(None, payment)
        if payment is not None and anchor is not None:
            self._case(anchor).payments.setdefault(payment.id, Pair(None, payment, listed=False))
        return anchor

    # --- details

    def _add_details(self, open_: _Open) -> None:
        order = open_.order
        if order is None or order.here is None or order.there is None:
            pass
        elif _has_news(order) and not _is_explained(order.there, open_.payments):
            self._add_payments(open_, self._gateway.orders.payments(order.there.id))
        for payment_id, pair in list(open_.payments.items()):
            if pair.here is None or pair.there is None or pair.here.refunded == refunded_there(pair.there):
                continue
            self._add_refunds(open_, self._gateway.payments.refunds(payment_id))

    def _add_payments(self, open_: _Open, payments: Iterable[Payment]) -> None:
        for there in payments:
            if there.id not in open_.payments:
                open_.payments[there.id] = Pair(self._store.payment(there.id), there, listed=False)

    def _add_refunds(self, open_: _Open, refunds: Iterable[Refund]) -> None:
        for there in refunds:
            if there.id not in open_.refunds:
                open_.refunds[there.id] = Pair(self._store.refund(there.id), there, listed=False)


def _has_news(pair: OrderPair) -> bool:
    """Whether Razorpay's order is somewhere that only its payments explain."""
    here, there = pair.here, pair.there
    if here is None or there is None or here.order_id not in (None, there.id):
        return False
    return there.status != here.status and there.status != "created"


def _is_explained(there: Order, payments: Mapping[str, PaymentPair]) -> bool:
    """Whether the payments that this slice lists account for the order's status: then nobody need ask for each order.

    What else was tried for it is listed in its own time.
    """
    seen = [pair.there for pair in payments.values() if pair.there is not None]
    if there.status != "paid":
        return any(one.status != "created" for one in seen)
    paid = there.amount if there.amount_paid is None else there.amount_paid
    return 0 < paid <= sum(one.amount for one in seen if reach_there(one) == "captured")


def _ask(fetch: Callable[[str], T], id: str) -> T | None:
    """What Razorpay says when asked by id; None where it does not know the id (400 or 404, FACTS section 3)."""
    try:
        return fetch(id)
    except ApiBadRequest:
        return None

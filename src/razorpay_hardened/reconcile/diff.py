"""How two sides differ: pure, the same for the nightly run and for whatever finds keys that differ.

In: a :class:`Case`. Out: named differences, each of one entity. Nothing here decides what to do about them
(see ``plan``), and nothing here asks anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from razorpay_hardened.domain.lifecycle import ORDER_RANK, PAYMENT_RANK, REFUND_RANK
from razorpay_hardened.domain.state import OrderState, PaymentState, RefundState
from razorpay_hardened.reconcile.case import Case, OrderPair, PaymentPair, RefundPair

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Order, Payment, Refund

__all__ = [
    "AMOUNT",
    "BEHIND",
    "CURRENCY",
    "KINDS",
    "MISSING_HERE",
    "MISSING_THERE",
    "ORDER",
    "REFUND_SUM",
    "STATUS",
    "STUCK_ORDER",
    "SURPLUS_PAYMENT",
    "UNBOUND",
    "UNCLAIMED",
    "UNKNOWN_STATUS",
    "Difference",
    "differences",
    "reach_there",
    "refunded_there",
]

MISSING_HERE: Final = "missing_here"
MISSING_THERE: Final = "missing_there"
STATUS: Final = "status"
AMOUNT: Final = "amount"
CURRENCY: Final = "currency"
ORDER: Final = "order"
REFUND_SUM: Final = "refund_sum"
SURPLUS_PAYMENT: Final = "surplus_payment"
STUCK_ORDER: Final = "stuck_order"
UNBOUND: Final = "unbound"

KINDS: Final[dict[str, str]] = {
    MISSING_HERE: "Razorpay has a payment, refund or second order of an order of ours that we do not have,"
    " or an order that the rule says is ours",
    MISSING_THERE: "we hold an id that Razorpay, asked for it by id, does not know",
    STATUS: "the statuses differ; noted as `behind` where ours is further (Razorpay's listings lag)",
    AMOUNT: "the amounts differ, and an amount never changes",
    CURRENCY: "the currencies differ, and a currency never changes",
    ORDER: "a payment belongs to another order there, or a refund to another payment",
    REFUND_SUM: "what was refunded of a payment differs, and no single refund explains it",
    SURPLUS_PAYMENT: "an order was paid more than once, and the surplus is not refunded",
    STUCK_ORDER: "an order of ours has had no Razorpay id for 15 minutes",
    UNBOUND: "Razorpay has a payment without an order that we do not have",
}
"""Every kind of finding, and what it means."""

BEHIND: Final = "behind"
"""Note of a difference where Razorpay shows an earlier state than ours: reported, never written back (FAULTS R4)."""
UNCLAIMED: Final = "ours by its receipt or notes, and not on record: adopt it"
"""Note of an order that only a person can bring in: Razorpay does not know whose purchase it is."""
UNKNOWN_STATUS: Final = "UnknownStatus"
"""Note of a status that this version does not know: no rule says whether it is further or not."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One entity that is not the same on both sides. ``entity`` is ``order``, ``payment`` or ``refund``; ``here`` and
    ``there`` are what each side says, as text, None where it has nothing."""

    kind: str
    entity: str
    entity_id: str
    here: str | None
    there: str | None
    note: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it: a second look at the same difference has the same key."""
        return (self.kind, self.entity, self.entity_id)


def differences(case: Case) -> tuple[Difference, ...]:
    """Every difference in ``case``, each named once: a sum that a refund explains is not told beside that refund."""
    found: list[Difference] = []
    if case.order is not None:
        found += _order(case.order)
    refunds = [one for refund_id, pair in case.refunds.items() for one in _refund(refund_id, pair)]
    explained = {_payment_of(case.refunds[one.entity_id]) for one in refunds if one.kind in (MISSING_HERE, STATUS)}
    for payment_id, pair in case.payments.items():
        found += _payment(payment_id, pair)
        if payment_id not in explained or not _sum_is_whole(pair, case.refunds):
            found += _refund_sum(payment_id, pair)
    return (*found, *refunds)


# --- orders -------------------------------------------------------------------------------------------------


def _order(pair: OrderPair) -> Iterator[Difference]:
    here, there = pair.here, pair.there
    if here is None:
        if there is not None:
            yield Difference(MISSING_HERE, "order", there.id, None, _says(there), note=UNCLAIMED)
        return
    if there is None:
        if here.order_id is None and here.closed_at is not None:
            return  # nobody waits for it any more, and Razorpay never had it: as it should be
        kind = STUCK_ORDER if here.order_id is None else MISSING_THERE
        yield Difference(kind, "order", here.order_id or here.local_id, _says(here), None)
    elif here.order_id is None:
        money = tuple(_money("order", here.local_id, here, there))
        yield from money or (Difference(STUCK_ORDER, "order", here.local_id, _says(here), _says(there, there.id)),)
    elif here.order_id != there.id:
        said = f"{here.order_id} for receipt {here.receipt}"
        yield Difference(MISSING_HERE, "order", there.id, said, _says(there), note="second order for one receipt")
    else:
        yield from _money("order", there.id, here, there) or _status(
            "order", there.id, here.status, there.status, ORDER_RANK
        )


# --- payments -----------------------------------------------------------------------------------------------


def _payment(payment_id: str, pair: PaymentPair) -> Iterator[Difference]:
    here, there = pair.here, pair.there
    if here is None:
        # Razorpay announces nothing of a payment before it is pending, failed or authorised: nothing can be missed.
        if there is not None and there.status != "created":
            kind = UNBOUND if there.order_id is None else MISSING_HERE
            yield Difference(kind, "payment", payment_id, None, _says(there))
    elif there is None:
        yield Difference(MISSING_THERE, "payment", payment_id, _says(here), None)
    else:
        yield from _fixed_of_payment(payment_id, here, there) or _status(
            "payment", payment_id, here.reach, reach_there(there, here.reach), PAYMENT_RANK
        )
    if here is not None and here.surplus and here.refunded < here.amount:
        yield Difference(SURPLUS_PAYMENT, "payment", payment_id, _says(here), None if there is None else _says(there))


def _fixed_of_payment(payment_id: str, here: PaymentState, there: Payment) -> tuple[Difference, ...]:
    money = _money("payment", payment_id, here, there)
    if money or there.order_id is None or here.order_id == there.order_id:
        return money
    return (Difference(ORDER, "payment", payment_id, here.order_id, there.order_id),)


def reach_there(there: Payment, unsaid: str = "authorized") -> str:
    """The furthest status of a payment, refunds not counted.

    A refunded payment was captured only if it says so: an auto-refund gives back what was never captured (FACTS
    section 9). ``unsaid`` is what to take where Razorpay did not say.
    """
    if there.status != "refunded":
        return there.status
    if there.captured is None:
        return unsaid
    return "captured" if there.captured else "authorized"


def refunded_there(there: Payment) -> int:
    """Subunits refunded as Razorpay shows it; ``refunded`` without an amount means all of it."""
    if there.status == "refunded":
        return there.amount_refunded or there.amount
    return there.amount_refunded or 0


def _refund_sum(payment_id: str, pair: PaymentPair) -> Iterator[Difference]:
    here, there = pair.here, pair.there
    if here is None or there is None or _fixed_of_payment(payment_id, here, there):
        return
    ours, theirs = here.refunded, refunded_there(there)
    if ours != theirs:
        note = BEHIND if theirs < ours else None
        yield Difference(
            REFUND_SUM, "payment", payment_id, f"{ours} {here.currency}", f"{theirs} {there.currency}", note
        )


def _sum_is_whole(pair: PaymentPair, refunds: Mapping[str, RefundPair]) -> bool:
    """Whether the refunds that Razorpay shows add up to what it says was refunded."""
    if pair.there is None:
        return False
    shown = (one.there for one in refunds.values() if one.there is not None)
    mine = sum(refund.amount for refund in shown if refund.payment_id == pair.there.id and refund.status != "failed")
    return mine == refunded_there(pair.there)


# --- refunds ------------------------------------------------------------------------------------------------


def _refund(refund_id: str, pair: RefundPair) -> Iterator[Difference]:
    here, there = pair.here, pair.there
    if here is None:
        if there is not None:
            yield Difference(MISSING_HERE, "refund", refund_id, None, _says(there))
    elif there is None:
        yield Difference(MISSING_THERE, "refund", refund_id, _says(here), None)
    elif here.payment_id != there.payment_id:
        yield Difference(ORDER, "refund", refund_id, here.payment_id, there.payment_id)
    else:
        yield from _money("refund", refund_id, here, there) or _status(
            "refund", refund_id, here.status, there.status, REFUND_RANK
        )


def _payment_of(pair: RefundPair) -> str | None:
    if pair.there is not None:
        return pair.there.payment_id
    return None if pair.here is None else pair.here.payment_id


# --- what all have in common --------------------------------------------------------------------------------


def _says(row: OrderState | PaymentState | RefundState | Order | Payment | Refund, id: str | None = None) -> str:
    text = f"{row.status[:32]} {row.amount} {row.currency}"
    return text if id is None else f"{id} {text}"


def _money(
    entity: str,
    entity_id: str,
    here: OrderState | PaymentState | RefundState,
    there: Order | Payment | Refund,
) -> tuple[Difference, ...]:
    """Amounts of different currencies do not compare, so at most one of the two is told."""
    if here.currency != there.currency:
        return (Difference(CURRENCY, entity, entity_id, here.currency, there.currency),)
    if here.amount != there.amount:
        return (Difference(AMOUNT, entity, entity_id, str(here.amount), str(there.amount)),)
    return ()


def _status(entity: str, entity_id: str, here: str, there: str, ranks: Mapping[str, int]) -> tuple[Difference, ...]:
    if here == there:
        return ()
    if there not in ranks:
        return (Difference(STATUS, entity, entity_id, here, there[:32], UNKNOWN_STATUS),)
    note = BEHIND if ranks[there] < ranks[here] else None
    return (Difference(STATUS, entity, entity_id, here, there, note),)

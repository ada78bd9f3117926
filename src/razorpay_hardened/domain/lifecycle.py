"""The law: which facts change which state, and what became true for the first time.

Tables as data, and small pure functions. Every function only ever moves forward in its table, so that the same facts
in any order, any number of times, end in the same state (DESIGN section 4). Times never decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Generic, NamedTuple, TypeVar

from razorpay_hardened.domain.facts import OrderFact, OrderSetback, PaymentFact, RefundFact
from razorpay_hardened.domain.state import AnchorState, EntityState, OrderState, PaymentState, RefundState
from razorpay_hardened.errors import (
    AmountMismatch,
    CurrencyMismatch,
    InconsistentEvent,
    OrderMismatch,
    OverRefund,
    TransitionRefused,
)

__all__ = [
    "MILESTONES",
    "ORDER_RANK",
    "PAYMENT_RANK",
    "REFUND_RANK",
    "Decision",
    "Milestone",
    "Verdict",
    "advance_order",
    "bind_capture",
    "decide_order",
    "decide_payment",
    "decide_refund",
    "decide_setback",
    "fits_event",
    "payment_milestones",
    "payment_status",
    "refund_milestones",
    "with_refund",
]

PAYMENT_RANK: Final = {"created": 0, "pending": 1, "failed": 2, "authorized": 3, "captured": 4, "refunded": 5}
"""Any forward jump is legal, ``failed`` → ``authorized`` included (late authorisation); backward is stale."""

ORDER_RANK: Final = {
    "pending": 0,
    "outcome_unknown": 1,
    "remote_failed": 1,
    "created": 2,
    "attempted": 3,
    "paid": 4,
}
"""The first three are local: Razorpay does not have the order yet, or we do not know."""

REFUND_RANK: Final = {"pending": 0, "processed": 1, "failed": 2}
"""``failed`` wins in either order of arrival: better a second look at a refund than a customer left without money."""

MILESTONES: Final = (
    "payment.failed",
    "payment.authorized",
    "payment.captured",
    "payment.surplus",
    "payment.late",
    "order.paid",
    "refund.created",
    "refund.processed",
    "refund.failed",
    "payment.refunded",
)
"""What an application can subscribe to, in the order in which first attempts run; ``kinds`` has those of the rest."""

_EVENT_STATUS: Final = {
    "payment.authorized": ("payment", "authorized"),
    "payment.captured": ("payment", "captured"),
    "payment.failed": ("payment", "failed"),
    "payment.pending": ("payment", "pending"),
    "order.paid": ("order", "paid"),
    "refund.processed": ("refund", "processed"),
    "refund.failed": ("refund", "failed"),
}
_RANKS: Final = {"payment": PAYMENT_RANK, "order": ORDER_RANK, "refund": REFUND_RANK}


class Verdict(StrEnum):
    """What a fact did to a state."""

    NEW = "new"
    MOVED = "moved"
    SAME = "same"
    STALE = "stale"
    """An earlier status than the one we hold: refused, audited, harmless."""
    UNKNOWN_STATUS = "unknown_status"
    """A status that this version does not know: kept raw, no transition."""


StateT = TypeVar("StateT", PaymentState, RefundState, OrderState, EntityState)


class Decision(NamedTuple, Generic[StateT]):
    """A state and how it came about."""

    state: StateT
    verdict: Verdict


class Milestone(NamedTuple):
    """Something that became true for the first time. ``occasion`` tells apart what may become true again of one
    entity: the payment of a charge, the phase of a dispute."""

    name: str
    entity_id: str
    occasion: str = ""

    @property
    def key(self) -> str:
        """Stable for ever: ``order.paid:order_…``, ``subscription.charged:sub_…:pay_…``. Effects hang on it, once per
        handler."""
        return f"{self.name}:{self.entity_id}" + (f":{self.occasion}" if self.occasion else "")


# --- payment ----------------------------------------------------------------------------------------------


def payment_status(payment: PaymentState) -> str:
    """``refunded`` exactly while what is refunded reaches the amount; otherwise the furthest status seen."""
    if 0 < payment.amount <= payment.refunded:
        return "refunded"
    return payment.reach


def decide_payment(held: PaymentState | None, fact: PaymentFact, anchor: str, at: datetime) -> Decision[PaymentState]:
    """What ``fact`` makes of the payment we hold.

    Raises :class:`InconsistentEvent` where more is refunded than was paid, :class:`AmountMismatch`,
    :class:`CurrencyMismatch` or :class:`OrderMismatch` where an unchangeable field differs.
    """
    claimed = _claimed(fact)
    if claimed > fact.amount:
        raise InconsistentEvent("more is refunded than was paid")
    if held is not None:
        _check_unchanged(held, fact)
    if fact.status not in PAYMENT_RANK:
        return Decision(held or _first_sight(fact, "created", anchor, at), Verdict.UNKNOWN_STATUS)
    reach = _reach(fact)
    if held is None:
        state = replace(_first_sight(fact, reach, anchor, at), captured=reach == "captured", claimed=claimed)
        return Decision(replace(state, status=payment_status(state)), Verdict.NEW)
    return _advance_payment(held, fact, reach, claimed, at)


def _advance_payment(
    held: PaymentState, fact: PaymentFact, reach: str, claimed: int, at: datetime
) -> Decision[PaymentState]:
    ahead = PAYMENT_RANK[reach] > PAYMENT_RANK[held.reach]
    grown = claimed > held.claimed
    if not ahead and not grown:
        behind = PAYMENT_RANK[fact.status] < PAYMENT_RANK[held.status]
        return Decision(held, Verdict.STALE if behind else Verdict.SAME)
    furthest = reach if ahead else held.reach
    state = replace(
        held,
        reach=furthest,
        captured=furthest == "captured",
        claimed=max(claimed, held.claimed),
        snapshot=fact.snapshot or held.snapshot,
        updated_at=at,
    )
    return Decision(replace(state, status=payment_status(state)), Verdict.MOVED)


def _reach(fact: PaymentFact) -> str:
    """The furthest status a fact proves, refunds not counted.

    The status rules: a sample shows ``failed`` beside ``captured`` true, and it is failed. A refunded payment was
    captured only if it says so: an auto-refund gives back money that was never captured (FACTS section 9).
    """
    if fact.status == "captured" or (fact.status == "refunded" and fact.captured is True):
        return "captured"
    if fact.status == "refunded":
        return "authorized"
    return fact.status


def _claimed(fact: PaymentFact) -> int:
    """``refunded`` without an amount means all of it."""
    if fact.status == "refunded":
        return fact.amount_refunded or fact.amount
    return fact.amount_refunded or 0


def _first_sight(fact: PaymentFact, reach: str, anchor: str, at: datetime) -> PaymentState:
    return PaymentState(
        payment_id=fact.payment_id,
        anchor=anchor,
        order_id=fact.order_id,
        status=reach,
        reach=reach,
        amount=fact.amount,
        currency=fact.currency,
        created_at=fact.created_at or at,
        updated_at=at,
        snapshot=fact.snapshot,
    )


def _check_unchanged(held: PaymentState, fact: PaymentFact) -> None:
    if held.currency != fact.currency:
        raise CurrencyMismatch("the currency of a payment never changes")
    if held.amount != fact.amount:
        raise AmountMismatch("the amount of a payment never changes")
    if fact.order_id is not None and held.order_id != fact.order_id:
        raise OrderMismatch("the order of a payment never changes")


def bind_capture(order: OrderState, payment: PaymentState, customer_fee: int | None) -> None:
    """A captured payment must be for the order's amount; else nothing of it may have an effect (FAULTS P11).

    Less is right only where the order allows partial payment; more only by the fee that the customer bears.
    Raises :class:`CurrencyMismatch`, :class:`AmountMismatch`.
    """
    if payment.currency != order.currency:
        raise CurrencyMismatch("the payment is in another currency than the order")
    if payment.amount == order.amount:
        return
    if order.partial_payment and payment.amount < order.amount:
        return
    if customer_fee and payment.amount - customer_fee == order.amount:
        return
    raise AmountMismatch("the captured amount is not the order's amount")


def payment_milestones(before: PaymentState | None, after: PaymentState) -> Iterator[str]:
    """What became true of a payment for the first time, in order. A later status implies the earlier ones."""
    rank = PAYMENT_RANK[after.reach]
    if after.reach == "failed" and (before is None or before.reach != "failed"):
        yield "payment.failed"
    if rank >= PAYMENT_RANK["authorized"]:
        yield "payment.authorized"
    if after.captured:
        yield "payment.captured"
    if after.surplus:
        yield "payment.surplus"
    if after.status == "refunded":
        yield "payment.refunded"


# --- refund -----------------------------------------------------------------------------------------------


def decide_refund(
    held: RefundState | None, fact: RefundFact, payment: PaymentState, at: datetime
) -> Decision[RefundState]:
    """What ``fact`` makes of the refund we hold, given its payment.

    Raises :class:`OverRefund` for one refund above its payment; a *sum* above it is not for this function: honest
    news passes through it (one refund failed, a second took its place).
    """
    if fact.currency != payment.currency:
        raise CurrencyMismatch("the refund is in another currency than its payment")
    if fact.amount > payment.amount:
        raise OverRefund("one refund is larger than its payment")
    if held is not None and (held.amount != fact.amount or held.payment_id != fact.payment_id):
        raise AmountMismatch("the amount and the payment of a refund never change")
    known = fact.status in REFUND_RANK
    if held is None:
        return Decision(_new_refund(fact, payment, fact.status if known else "pending", at), Verdict.NEW)
    keyed = held if fact.key is None or held.key is not None else replace(held, key=fact.key)
    if not known:
        return Decision(keyed, Verdict.UNKNOWN_STATUS)
    step = REFUND_RANK[fact.status] - REFUND_RANK[held.status]
    if step <= 0:
        return Decision(keyed, Verdict.STALE if step < 0 else Verdict.SAME)
    moved = replace(keyed, status=fact.status, snapshot=fact.snapshot or held.snapshot, updated_at=at)
    return Decision(moved, Verdict.MOVED)


def _new_refund(fact: RefundFact, payment: PaymentState, status: str, at: datetime) -> RefundState:
    return RefundState(
        refund_id=fact.refund_id,
        payment_id=fact.payment_id,
        anchor=payment.anchor,
        status=status,
        amount=fact.amount,
        currency=fact.currency,
        created_at=fact.created_at or at,
        updated_at=at,
        key=fact.key,
        snapshot=fact.snapshot,
    )


def with_refund(payment: PaymentState, before: RefundState | None, after: RefundState, at: datetime) -> PaymentState:
    """The payment once a refund of it became known or failed: totals first, then the status they give.

    A failed refund gives the money back to the payment: ``refunded`` may return to ``captured``.
    """
    failed_now = after.status == "failed" and (before is None or before.status != "failed")
    if before is not None and not failed_now:
        return payment
    moved = replace(
        payment,
        refunds_known=payment.refunds_known + (after.amount if before is None else 0),
        refunds_failed=payment.refunds_failed + (after.amount if failed_now else 0),
        updated_at=at,
    )
    return replace(moved, status=payment_status(moved))


def refund_milestones(before: RefundState | None, after: RefundState) -> Iterator[str]:
    """What became true of a refund for the first time."""
    if before is None:
        yield "refund.created"
    if after.status != "pending" and (before is None or before.status != after.status):
        yield f"refund.{after.status}"


# --- order ------------------------------------------------------------------------------------------------


def decide_order(held: OrderState, fact: OrderFact, at: datetime) -> Decision[OrderState]:
    """What Razorpay's own news of the order makes of it. Raises :class:`AmountMismatch`, :class:`CurrencyMismatch`."""
    if fact.currency != held.currency:
        raise CurrencyMismatch("Razorpay has the order in another currency")
    if fact.amount != held.amount:
        raise AmountMismatch("Razorpay has the order with another amount")
    if fact.status not in ORDER_RANK:
        return Decision(held, Verdict.UNKNOWN_STATUS)
    step = ORDER_RANK[fact.status] - ORDER_RANK[held.status]
    if step <= 0:
        return Decision(held, Verdict.STALE if step < 0 else Verdict.SAME)
    state = replace(held, status=fact.status, snapshot=fact.snapshot or held.snapshot, updated_at=at)
    return Decision(state, Verdict.MOVED)


def advance_order(order: OrderState, anchor: AnchorState, furthest_attempt: int, at: datetime) -> OrderState:
    """The order as its payments make it: paid once captures reach the amount, attempted from the first attempt on.

    ``furthest_attempt`` is the highest payment rank among the payments just decided (-1 for none). ``paid`` never
    falls.
    """
    if 0 < anchor.captured >= order.amount:
        derived = "paid"
    elif furthest_attempt >= PAYMENT_RANK["failed"]:
        derived = "attempted"
    else:
        return order
    if ORDER_RANK[derived] <= ORDER_RANK[order.status]:
        return order
    return replace(order, status=derived, updated_at=at)


def decide_setback(held: OrderState, fact: OrderSetback, at: datetime) -> OrderState:
    """The local states of an order that Razorpay may not have: the one place where a status may return to ``pending``.

    Raises :class:`TransitionRefused` once Razorpay's id is known: from then on Razorpay's news rule.
    """
    if held.order_id is not None or ORDER_RANK[held.status] >= ORDER_RANK["created"]:
        raise TransitionRefused(f"the order is {held.status}: Razorpay has it")
    if fact.status not in ("pending", "outcome_unknown", "remote_failed"):
        raise TransitionRefused(f"{fact.status} is not a local status")
    attempts = held.attempts + (1 if fact.status == "pending" else 0)
    return replace(held, status=fact.status, attempts=attempts, updated_at=at)


# --- event against entity -----------------------------------------------------------------------------------


def fits_event(event: str, kind: str, status: str) -> bool:
    """Whether the entity can be what the event says: at the event's status or further along the same path.

    ``payment.authorized`` around a captured payment fits (the entity rules); ``payment.captured`` around a failed one
    is a contradiction.
    """
    said = _EVENT_STATUS.get(event)
    if said is None or said[0] != kind:
        return True
    ranks = _RANKS[kind]
    return status not in ranks or ranks[status] >= ranks[said[1]]

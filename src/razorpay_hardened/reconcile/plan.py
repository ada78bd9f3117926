"""What to do about differences: pure. In: a case and its differences. Out: one step each, and the facts to apply.

Only what the law can move forward is applied; whatever contradicts an unchangeable field, or would go backwards, is for
a person (FAULTS R4). Facts are the same that a webhook would have brought, so the ledger decides on them alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from razorpay_hardened.domain.events import order_fact, payment_fact, refund_fact
from razorpay_hardened.domain.facts import Fact, OrderRegistered
from razorpay_hardened.reconcile.case import Case, PaymentPair, RefundPair
from razorpay_hardened.reconcile.diff import (
    AMOUNT,
    CURRENCY,
    MISSING_HERE,
    ORDER,
    REFUND_SUM,
    STATUS,
    STUCK_ORDER,
    UNBOUND,
    Difference,
    reach_there,
)

__all__ = ["Action", "Plan", "Step", "action_for", "plan_for"]

Action: TypeAlias = Literal["apply", "register", "report"]
"""``apply`` what Razorpay shows; ``register`` the order found by its receipt; ``report``: a person must look."""

_FIXED: Final = frozenset({AMOUNT, CURRENCY, ORDER})
_APPLIED: Final = frozenset({STATUS, REFUND_SUM, UNBOUND})


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done about one difference."""

    action: Action
    difference: Difference


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps for one case. ``facts`` repair it in one transaction; ``parts`` are the same in pieces that stand
    alone, for when the ledger refuses the whole. An order's own news is in no piece: without its payment it proves
    nothing."""

    steps: tuple[Step, ...] = ()
    facts: tuple[Fact, ...] = ()
    parts: tuple[tuple[Fact, ...], ...] = ()


def action_for(difference: Difference) -> Action:
    """The one rule from a kind of difference to what is done about it."""
    if difference.note is not None:
        return "report"  # it is behind, or nobody knows what it means
    if difference.kind == STUCK_ORDER:
        return "report" if difference.there is None else "register"
    if difference.kind == MISSING_HERE or difference.kind in _APPLIED:
        return "apply"
    return "report"


def plan_for(case: Case, found: tuple[Difference, ...]) -> Plan:
    """The plan for ``case``, of which ``found`` are all the differences."""
    steps = tuple(Step(action_for(one), one) for one in found)
    wanted = {(step.difference.entity, step.difference.entity_id) for step in steps if step.action != "report"}
    if not wanted:
        return Plan(steps)
    refused = {(one.entity, one.entity_id) for one in found if one.kind in _FIXED}
    pieces = _pieces(case, wanted - refused, refused)
    head = _order_facts(case, wanted, pieces)
    alone = tuple((fact,) for fact in head if isinstance(fact, OrderRegistered))
    return Plan(steps, (*head, *(fact for piece in pieces.values() for fact in piece)), (*alone, *pieces.values()))


def _order_facts(case: Case, wanted: set[tuple[str, str]], pieces: dict[str, tuple[Fact, ...]]) -> tuple[Fact, ...]:
    pair = case.order
    if pair is None or pair.here is None or pair.there is None:
        return ()
    if pair.here.order_id is None and ("order", pair.here.local_id) in wanted:
        registered = OrderRegistered(pair.here.local_id, pair.there.id)
        return (registered, order_fact(pair.there)) if _is_proven(case, pieces) else (registered,)
    if ("order", pair.there.id) in wanted and _is_proven(case, pieces):
        return (order_fact(pair.there),)
    return ()


def _is_proven(case: Case, pieces: dict[str, tuple[Fact, ...]]) -> bool:
    """An order is only taken for paid together with a capture that we can bind to it (FAULTS P11)."""
    if case.order is None or case.order.there is None or case.order.there.status != "paid":
        return True
    seen = (pair.there for key, pair in case.payments.items() if key in pieces or pair.here is not None)
    return any(there is not None and reach_there(there) == "captured" for there in seen)


def _pieces(case: Case, wanted: set[tuple[str, str]], refused: set[tuple[str, str]]) -> dict[str, tuple[Fact, ...]]:
    """Payment id → the facts about it and its refunds. News of an order brings all its payments along."""
    pieces: dict[str, tuple[Fact, ...]] = {}
    whole = any(entity == "order" for entity, _ in wanted)
    for payment_id, pair in case.payments.items():
        refunds = _refund_facts(case, payment_id, wanted)
        itself = (whole or ("payment", payment_id) in wanted) and ("payment", payment_id) not in refused
        facts = (*_payment_facts(pair, needed=itself or (bool(refunds) and pair.here is None)), *refunds)
        if facts:
            pieces[payment_id] = facts
    for refund_id, refund in case.refunds.items():
        if ("refund", refund_id) in wanted and refund.there and refund.there.payment_id not in case.payments:
            held = pieces.get(refund.there.payment_id, ())
            pieces[refund.there.payment_id] = (*held, refund_fact(refund.there))
    return pieces


def _payment_facts(pair: PaymentPair, *, needed: bool) -> tuple[Fact, ...]:
    # A payment that only began is no news: Razorpay has not announced it, and may never.
    if not needed or pair.there is None or (pair.here is None and pair.there.status == "created"):
        return ()
    return (payment_fact(pair.there),)


def _refund_facts(case: Case, payment_id: str, wanted: set[tuple[str, str]]) -> tuple[Fact, ...]:
    return tuple(
        refund_fact(pair.there)
        for refund_id, pair in case.refunds.items()
        if ("refund", refund_id) in wanted and _is_of(pair, payment_id) and pair.there is not None
    )


def _is_of(pair: RefundPair, payment_id: str) -> bool:
    return pair.there is not None and pair.there.payment_id == payment_id

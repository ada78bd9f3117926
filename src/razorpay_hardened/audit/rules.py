"""Which rule decided an audit row. The rules are those of ``domain.lifecycle``, each in one sentence with a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from razorpay_hardened.domain.audit import AuditRow
from razorpay_hardened.domain.lifecycle import ORDER_RANK, PAYMENT_RANK, REFUND_RANK
from razorpay_hardened.ports.store import EffectRow, InboxRow

__all__ = ["RULES", "Rule", "rule_of", "rule_of_delivery", "rule_of_effect"]

RULES: Final = {
    "payment.first_sight": "a payment is taken at the status in which it is first seen",
    "payment.forward": "any forward jump in the rank of a payment's statuses is legal",
    "payment.late_authorisation": "failed is not final: authorized and captured rank above it (late authorisation)",
    "payment.refund_total": "a payment is refunded exactly while what was given back reaches its amount",
    "payment.refund_returned": "a refund that failed gives its money back to the payment",
    "payment.amounts": "amounts only grow; the status stays",
    "payment.stale": "a payment never goes back in rank: older news is refused, and does no harm",
    "payment.surplus": "a capture beyond what the order needs is surplus: the earlier captures decide",
    "order.asked": "our order is stored before Razorpay is asked for one",
    "order.adopted": "an order made elsewhere is registered with Razorpay's id at once",
    "order.registered": "Razorpay's id of the order is known from here on, and what waited for it is applied",
    "order.unanswered": "a request whose outcome is not known is not a failure, and is never repeated blindly",
    "order.retried": "the one way back: an order that Razorpay does not have may be asked for again",
    "order.derived": "an order's status is derived: attempted from the first attempt on, paid once captures reach it",
    "order.news": "Razorpay's own news of an order only moves it forward",
    "order.closed": "closing an order stands beside its status, never instead of it",
    "order.held_back": "money for an order that was closed is on record; that it is paid is held back, by policy",
    "order.reopened": "a closed order is wanted after all: what was held back becomes true",
    "order.noted": "the order's status stays",
    "order.stale": "an order never goes back in rank: older news is refused, and does no harm",
    "refund.first_sight": "a refund counts against its payment from its first sight on",
    "refund.forward": "a refund moves forward from pending to processed",
    "refund.failed": "failed wins over processed, in whatever order they arrive",
    "refund.noted": "the refund's status stays",
    "refund.stale": "a refund never goes back in rank: older news is refused, and does no harm",
    "entity.first_sight": "anything else is taken at the status in which it is first seen",
    "entity.forward": "a status follows the table of its kind; within a stage the event's own time decides",
    "entity.stale": "a kind never leaves a stage backwards, nor a status for older news: it is refused, with no harm",
    "unknown_status": "a status that this version does not know changes nothing, and is kept",
    "quarantined": "news that contradicts what is on record is kept, and has no effect",
    "replayed": "what was done already may be asked for again: milestones that have fired do not fire again",
    "attempted": "a browser says that a payment was not made: nobody can prove it, so nothing changes",
    "refused": "somebody asked for what is not theirs, or does not fit: nothing changes",
    "delivery.applied": "a signed delivery is claimed by its digest and applied once, whatever comes twice",
    "delivery.parked": "news of an order or payment that is not known here waits until it is",
    "delivery.waiting": "a handler has failed: Razorpay's redelivery tries it again, for 20 hours",
    "delivery.quarantined": "a signed body that cannot be used is kept, and answered 200: redelivery cannot help",
    "delivery.ignored": "a delivery that is about nothing here is kept, and has no effect",
    "delivery.dead": "a handler that has failed for 20 hours is given up, with an alarm",
    "effect.on": "an on handler runs in the transaction that records the milestone: exactly once",
    "effect.after": "an after handler runs once the milestone has committed: at least once, with the same key",
    "effect.waiting": "an effect that has not succeeded holds up only the same handler on the same order",
    "effect.dead": "an effect that was given up waits for a person: `events replay`",
}
"""Name → the rule in one sentence."""

_RANKS: Final = {"payment": PAYMENT_RANK, "order": ORDER_RANK, "refund": REFUND_RANK}


class Rule(NamedTuple):
    """A rule by name, with the case that it decided."""

    name: str
    case: str = ""

    @property
    def text(self) -> str:
        """The rule in one sentence, with the case in brackets."""
        return RULES[self.name] + (f" ({self.case})" if self.case else "")


def rule_of(row: AuditRow) -> Rule:
    """The rule that decided ``row``."""
    if row.what == "stale":
        return Rule(f"{row.kind if row.kind in _RANKS else 'entity'}.stale", _refusal(row))
    if row.what in ("unknown_status", "quarantined", "replayed", "attempted", "refused"):
        return Rule(row.what, row.note or "")
    if row.kind == "payment":
        return _payment_rule(row)
    if row.kind not in _RANKS:
        return Rule("entity.first_sight" if row.before is None else "entity.forward")
    return _order_rule(row) if row.kind == "order" else _refund_rule(row)


def _refusal(row: AuditRow) -> str:
    ranks: Mapping[str, int] = _RANKS.get(row.kind, {})
    said, held = row.note or "", row.before or ""
    return f"{said} {ranks[said]} < {held} {ranks[held]}" if said in ranks and held in ranks else f"{said}, is {held}"


def _step(row: AuditRow) -> str:
    ranks = _RANKS[row.kind]
    before, after = row.before or "", row.after or ""
    return f"{before} {ranks[before]} → {after} {ranks[after]}" if before in ranks and after in ranks else ""


def _payment_rule(row: AuditRow) -> Rule:
    if row.what == "noted":
        return Rule("payment.amounts")
    if row.before is None:
        return Rule("payment.first_sight")
    if row.after == "refunded":
        return Rule("payment.refund_total")
    if row.before == "refunded":
        return Rule("payment.refund_returned")
    if row.before == "failed":
        return Rule("payment.late_authorisation", _step(row))
    return Rule("payment.forward", _step(row))


def _order_rule(row: AuditRow) -> Rule:
    if row.note in ("closed", "reopened", "held_back"):
        return Rule(f"order.{row.note}")
    if row.before is None:
        return Rule("order.asked" if row.after == "pending" else "order.adopted")
    if row.after == "pending":
        return Rule("order.retried")
    if row.after in ("outcome_unknown", "remote_failed"):
        return Rule("order.unanswered", row.note or "")
    if row.what == "noted":
        return Rule("order.noted")
    if row.after == "created" or row.before == row.after:
        return Rule("order.registered")
    own_news = row.event is not None and row.event.startswith("order.")
    return Rule("order.news" if own_news else "order.derived", _step(row))


def _refund_rule(row: AuditRow) -> Rule:
    if row.before is None:
        return Rule("refund.first_sight")
    if row.what == "noted":
        return Rule("refund.noted")
    return Rule("refund.failed" if row.after == "failed" else "refund.forward", _step(row))


def rule_of_delivery(row: InboxRow) -> Rule:
    """The rule that put a delivery in its state."""
    return Rule("delivery.applied" if row.state == "done" else f"delivery.{row.state}", row.reason or "")


def rule_of_effect(row: EffectRow) -> Rule:
    """The rule that an effect is under now."""
    if row.state == "done":
        return Rule(f"effect.{row.mode}")
    return Rule("effect.dead" if row.state == "dead" else "effect.waiting")

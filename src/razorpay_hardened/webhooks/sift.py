"""Sifting: whose news a delivery brings, on an account that several applications share.

Our own records are asked first: an order, a payment or anything else that is on record is ours, whatever the rule says.
Without a rule nothing is ever called foreign.
"""

from __future__ import annotations

from collections.abc import Sequence

from razorpay_hardened.domain.events import WebhookEvent
from razorpay_hardened.domain.facts import EntityFact, Fact, OrderFact, PaymentFact, RefundFact
from razorpay_hardened.domain.ours import Ours, Whose
from razorpay_hardened.ports.receipts import local_order
from razorpay_hardened.ports.store import Reader

__all__ = ["Sifter", "anchor_of"]


class Sifter:
    """Reads outside of transactions: ask before one is begun. Whoever sets something aside looks again afterwards."""

    def __init__(self, store: Reader, ours: Ours | None) -> None:
        self._store = store
        self.ours = ours

    def whose(self, event: WebhookEvent, facts: Sequence[Fact]) -> Whose:
        """Whose news this is, as far as its body and our records tell."""
        if self.ours is None or not facts:
            return "unknown"
        said = self.ours.whose_event(event)
        # Only what would be set aside or held back is worth asking the records about: whether the order of the rest is
        # on record, the ledger sees for itself.
        asks = said == "theirs" or (said == "unknown" and any(isinstance(fact, EntityFact) for fact in facts))
        return "ours" if asks and self._is_on_record(facts) else said

    def holds_back(self, whose: Whose) -> bool:
        """Whether what the body says of other entities is to wait until Razorpay was asked whose it is."""
        return self.ours is not None and whose == "unknown"

    def _is_on_record(self, facts: Sequence[Fact]) -> bool:
        return any(self._knows(fact) for fact in facts)

    def _knows(self, fact: Fact) -> bool:
        store = self._store
        if not isinstance(fact, (OrderFact, PaymentFact, RefundFact, EntityFact)):
            return False
        if fact.order_id is not None and store.order(fact.order_id) is not None:
            return True
        if isinstance(fact, OrderFact):
            return local_order(store, fact.receipt) is not None
        if fact.payment_id is not None and store.payment(fact.payment_id) is not None:
            return True
        return isinstance(fact, EntityFact) and store.entity(fact.entity_id) is not None


def anchor_of(facts: Sequence[Fact]) -> str | None:
    """What foreign news is filed under: the order that it is about, else the payment, else the entity."""
    for name in ("order_id", "payment_id", "entity_id"):
        for fact in facts:
            found = getattr(fact, name, None)
            if isinstance(found, str):
                return found
    return None

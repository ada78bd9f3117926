"""Sifting: whose news a delivery brings, on an account that several applications share.

Our own records are asked first: an order, a payment or anything else that is on record is ours, whatever the rule says.
Without a rule nothing is ever called foreign.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from razorpay_hardened.domain.events import WebhookEvent
from razorpay_hardened.domain.ids import is_id
from razorpay_hardened.domain.ours import Ours, Whose
from razorpay_hardened.ports.receipts import local_order
from razorpay_hardened.ports.store import Reader

__all__ = ["Sifter", "filed_under"]


class Sifter:
    """Reads outside of transactions: ask before one is begun. Whoever sets something aside looks again afterwards."""

    def __init__(self, store: Reader, ours: Ours | None) -> None:
        self._store = store
        self.ours = ours

    def whose(self, event: WebhookEvent) -> Whose:
        """Whose news this is, as far as its body and our records tell. It need not be consistent: it is judged only."""
        if self.ours is None or not event.tracked:
            return "unknown"
        said = self.ours.whose_event(event)
        # Only what would be set aside or held back is worth asking the records about: whether the order of the rest is
        # on record, the ledger sees for itself.
        asks = said == "theirs" or (said == "unknown" and bool(event.entities))
        return "ours" if asks and self._is_on_record(event) else said

    def holds_back(self, whose: Whose) -> bool:
        """Whether what the body says of other entities is to wait until Razorpay was asked whose it is."""
        return self.ours is not None and whose == "unknown"

    def _is_on_record(self, event: WebhookEvent) -> bool:
        store = self._store
        if event.order is not None and local_order(store, event.order.receipt) is not None:
            return True
        return (
            any(store.order(one) is not None for one in set(_orders(event)))
            or any(store.payment(one) is not None for one in set(_payments(event)))
            or any(store.entity(one) is not None for one in _entities(event))
        )


def filed_under(event: WebhookEvent) -> str | None:
    """What foreign news is filed under: the order that it is about, else the payment, else the entity."""
    return next((one for ids in (_orders, _payments, _entities) for one in ids(event)), None)


def _orders(event: WebhookEvent) -> Iterator[str]:
    if event.order is not None:
        yield event.order.id
    if event.payment is not None and event.payment.order_id is not None:
        yield event.payment.order_id
    yield from _named(event, "order", "order_id", "source")


def _payments(event: WebhookEvent) -> Iterator[str]:
    if event.payment is not None:
        yield event.payment.id
    if event.refund is not None:
        yield event.refund.payment_id
    yield from _named(event, "payment", "payment_id", "source")


def _entities(event: WebhookEvent) -> Iterator[str]:
    named: list[Any] = [getattr(entity, "id", None) for entity in event.entities]
    yield from (one for one in named if isinstance(one, str))


def _named(event: WebhookEvent, kind: str, *fields: str) -> Iterator[str]:
    """The ids of this kind that other entities name: a dispute its payment, a transfer what it was made from."""
    named: list[Any] = [getattr(entity, field, None) for entity in event.entities for field in fields]
    yield from (one for one in named if is_id(kind, one))

"""Finding our order by the receipt that Razorpay shows."""

from __future__ import annotations

from razorpay_hardened.domain.ours import local_ids_in
from razorpay_hardened.domain.state import OrderState
from razorpay_hardened.ports.store import Reader

__all__ = ["local_order"]


def local_order(store: Reader, receipt: str | None) -> OrderState | None:
    """The receipt rule: an order is ours when its receipt is that of an order on record, known to Razorpay or not."""
    for local_id in local_ids_in(receipt):
        found = store.order(local_id)
        if found is not None and receipt in (found.local_id, found.receipt):
            return found
    return None

"""Sweeping: what a crash or an unknown outcome left open is looked up and finished.

Razorpay's listings may lag by minutes (FACTS section 4), so an order that is not found at first is looked for again
before it is called failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from razorpay_hardened.checkout._base import Tools
from razorpay_hardened.checkout.refund import send
from razorpay_hardened.checkout.start import register
from razorpay_hardened.domain.facts import OrderSetback
from razorpay_hardened.domain.state import OrderState, RefundIntent
from razorpay_hardened.errors import ApiError, RazorpayHardenedError, StorageError, TransitionRefused

__all__ = ["Swept", "sweep"]

LOOK_AFTER: Final = timedelta(minutes=1)
"""A request of ours ends within its total deadline: after this long nobody is working on it any more."""
FAILED_AFTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one call did. ``found``: orders that Razorpay had after all; ``failed``: orders it never had;
    ``refunded``: refunds brought to their end; ``left``: what could not be settled now and is tried again."""

    found: int = 0
    failed: int = 0
    refunded: int = 0
    left: int = 0


def sweep(tools: Tools, limit: int, stop: Callable[[], bool] | None = None) -> Swept:
    """See :meth:`Checkout.sweep`."""
    before = tools.clock.now() - LOOK_AFTER
    counts = {"found": 0, "failed": 0, "refunded": 0, "left": 0}
    for order in tools.store.orders(statuses=("pending", "outcome_unknown"), until=before, limit=limit):
        if stop is not None and stop():
            break
        counts[_settle_order(tools, order)] += 1
    for intent in tools.store.open_intents(before=before, limit=limit):
        if stop is not None and stop():
            break
        counts[_settle_refund(tools, intent)] += 1
    return Swept(**counts)


def _settle_order(tools: Tools, order: OrderState) -> str:
    try:
        found = tools.gateway().orders.find_by_receipt(order.receipt)
        if found is not None:
            register(tools, order, found, source="sweep")
            return "found"
        if tools.clock.now() - order.updated_at < FAILED_AFTER:
            return "left"
        tools.apply(OrderSetback(order.local_id, "remote_failed", "not found by receipt"), source="sweep")
    except StorageError:
        raise
    except TransitionRefused:
        return "found"  # somebody else registered it meanwhile
    except ApiError:
        return "left"
    except RazorpayHardenedError as error:
        # What Razorpay has under this receipt is not what we asked for: a person must look.
        tools.bus.alarm(f"sweep:{order.local_id}", error.code, order.local_id)
        return "left"
    return "failed"


def _settle_refund(tools: Tools, intent: RefundIntent) -> str:
    try:
        send(tools, intent)
    except StorageError:
        raise
    except RazorpayHardenedError as error:
        if not error.retryable:
            tools.bus.alarm(f"sweep:{intent.key}", error.code, intent.payment_id)
        return "left"
    return "refunded"

"""How doubts about the SDK's writes are settled: in the way of the typed client, with whose requests they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client.resources import orders, payments
from razorpay_hardened.domain.money import Money

__all__ = ["SETTLED"]


def _order(data: Mapping[str, Any]) -> Ask[Any]:
    return orders._creation(dict(data), Money(data["amount"], data["currency"]), data.get("receipt"))


def _capture(payment_id: str, data: Mapping[str, Any]) -> Ask[Any]:
    return payments._capture(payment_id, Money(data["amount"], data.get("currency", "INR")))


SETTLED: Final[dict[tuple[str, str], Callable[..., Ask[Any]]]] = {
    ("POST", "/v1/orders"): _order,
    ("POST", "/v1/payments/{}/capture"): _capture,
}
"""Method and path → the typed request for these ids and this body; what it raises means that there is none."""

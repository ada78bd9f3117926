"""Every operation that the client knows, as data: where it goes, and what makes it safe to repeat.

Paths and SDK methods are those of FACTS appendix D; the rules are those of FAULTS rule 6 and FACTS section 7.
"""

from __future__ import annotations

from typing import Final

from razorpay_hardened.client._values import Operation, Rule

__all__ = [
    "ORDER_CREATE",
    "ORDER_CREATE_ONCE",
    "ORDER_FETCH",
    "ORDER_LIST",
    "ORDER_PAYMENTS",
    "PAYMENT_CAPTURE",
    "PAYMENT_FETCH",
    "PAYMENT_LIST",
    "PAYMENT_REFUND",
    "PAYMENT_REFUNDS",
    "REFUND_FETCH",
    "REFUND_LIST",
]

ORDER_CREATE: Final = Operation("orders.create", "POST", "/v1/orders", ("order", "create"), Rule.LOOK_UP)
ORDER_CREATE_ONCE: Final = Operation("orders.create", "POST", "/v1/orders", ("order", "create"), Rule.ONCE)
"""Without a receipt there is nothing to look up, so nothing is sent twice (DESIGN section 10)."""
ORDER_FETCH: Final = Operation("orders.fetch", "GET", "/v1/orders/{}", ("order", "fetch"), Rule.READ)
ORDER_LIST: Final = Operation("orders.list", "GET", "/v1/orders", ("order", "all"), Rule.READ)
ORDER_PAYMENTS: Final = Operation("orders.payments", "GET", "/v1/orders/{}/payments", ("order", "payments"), Rule.READ)

PAYMENT_FETCH: Final = Operation("payments.fetch", "GET", "/v1/payments/{}", ("payment", "fetch"), Rule.READ)
PAYMENT_LIST: Final = Operation("payments.list", "GET", "/v1/payments", ("payment", "all"), Rule.READ)
PAYMENT_CAPTURE: Final = Operation(
    "payments.capture", "POST", "/v1/payments/{}/capture", ("payment", "capture"), Rule.SETTLE
)
PAYMENT_REFUND: Final = Operation(
    "payments.refund", "POST", "/v1/payments/{}/refund", ("payment", "refund"), Rule.KEYED
)
PAYMENT_REFUNDS: Final = Operation(
    "payments.refunds", "GET", "/v1/payments/{}/refunds", ("payment", "fetch_multiple_refund"), Rule.READ
)

REFUND_FETCH: Final = Operation("refunds.fetch", "GET", "/v1/refunds/{}", ("refund", "fetch"), Rule.READ)
REFUND_LIST: Final = Operation("refunds.list", "GET", "/v1/refunds", ("refund", "all"), Rule.READ)

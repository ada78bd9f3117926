"""Checkout: from "I want to buy" to money, and back.

In: owners, plans, amounts; the form that the customer's browser brings back. Out: orders, confirmations, refunds. Every
status change goes through the ledger.

- ``start``    our own order first, then Razorpay's
- ``confirm``  the browser's return: verified, bound, fetched, applied; the webhook says the same, to the same ledger
- ``adopt``    an order that was made elsewhere
- ``refund``   an intent with its key is stored before Razorpay is asked
- ``sweep``    finishes what a crash or an unknown outcome left open
"""

from razorpay_hardened.checkout._base import CheckoutOrder
from razorpay_hardened.checkout.confirm import Confirmation, http_status
from razorpay_hardened.checkout.sweep import Swept
from razorpay_hardened.checkout.workflow import Checkout

__all__ = ["Checkout", "CheckoutOrder", "Confirmation", "Swept", "http_status"]

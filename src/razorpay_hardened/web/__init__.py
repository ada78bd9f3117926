"""HTTP as plain values, so that no rule depends on a web framework.

In: what a framework knows about a request (method, headers, raw body, peer), as a :class:`Request`.
Out: a :class:`Reply` that the framework's adapter sends as it is, with safe headers already on it.

- ``values``    headers, request, reply
- ``asgi``      the same from and to an ASGI server
- ``source``    who sent it, and whether that address may
- ``security``  the headers every reply carries, and the content policy that Checkout needs
- ``messages``  sentences that are safe to show to the person who pays

Nothing here knows a signature, a payment or a store.
"""

from razorpay_hardened.web.messages import customer_message
from razorpay_hardened.web.security import SECURITY_HEADERS, checkout_csp
from razorpay_hardened.web.source import SourceCheck, SourceList, webhook_sources
from razorpay_hardened.web.values import MAX_BODY_BYTES, Headers, Reply, Request

__all__ = [
    "MAX_BODY_BYTES",
    "SECURITY_HEADERS",
    "Headers",
    "Reply",
    "Request",
    "SourceCheck",
    "SourceList",
    "checkout_csp",
    "customer_message",
    "webhook_sources",
]

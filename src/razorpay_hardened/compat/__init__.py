"""The official SDK's calls, with our protections underneath: harden a code base without rewriting it.

    import razorpay_hardened.compat as razorpay
    client = razorpay.Client(auth=("rzp_test_…", "…"))
    client.order.create({"amount": 49900, "currency": "INR", "receipt": "inv-42"})["id"]

Every resource and method of the installed SDK is here, with its own names and parameters: dicts in, dicts out. What is
different is what the SDK gets wrong (FACTS section 5):

- Calls end: a total deadline, and retries by the rules of each operation, with one idempotency key for all sends of a
  refund or a direct transfer. ``enable_retry`` changes nothing: it would repeat charges.
- No dict is shared between calls or written into, so that amounts cannot change places between threads.
- Errors are the SDK's *and* ours: ``except razorpay.errors.BadRequestError`` goes on working, and the error now has the
  HTTP status, the code, the field and the reason. ``str()`` of it is Razorpay's description, as with the SDK.
- A write whose answer was lost raises ``OutcomeUnknown``, which is also the error that the SDK would have raised.
- Capturing what is captured already, with the same amount, answers with the payment; the SDK raised.
- Signatures: bytes and text; an empty secret, a missing field or a malformed id never verifies.

- ``Client``   the SDK's client
- ``errors``   the SDK's own error classes
"""

from razorpay import errors

from razorpay_hardened.compat._client import Client

__all__ = ["Client", "errors"]

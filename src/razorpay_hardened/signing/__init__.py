"""Bytes and keys in, proof out.

In: the bytes of a body exactly as received, or the ids and the tag of a checkout answer, and the secrets.
Out: a proof (:class:`VerifiedBody`, :class:`VerifiedCheckout` and its kin) or a ``SignatureError``; nothing
    between. Only this room can make a proof, so a function that asks for one cannot be given an unverified
    body.

- ``keys``      secrets that never show themselves
- ``webhook``   the tag over a webhook's raw body, with rotation
- ``checkout``  the tags that come back through the customer's browser
- ``diagnose``  why a tag did not match: for people, never on the request path

Standard library only, without dataclasses or logging, because a process that only checks signatures should
start fast.
"""

from razorpay_hardened.signing.checkout import (
    VerifiedCheckout,
    VerifiedPaymentLink,
    VerifiedSubscription,
    sign_checkout_for_test,
    sign_payment_link_for_test,
    sign_subscription_for_test,
    verify_checkout,
    verify_payment_link,
    verify_subscription,
)
from razorpay_hardened.signing.diagnose import Diagnosis
from razorpay_hardened.signing.keys import Secret
from razorpay_hardened.signing.webhook import (
    SIGNATURE_HEADER,
    VerifiedBody,
    WebhookVerifier,
    sign_for_test,
    verify_webhook,
)

__all__ = [
    "SIGNATURE_HEADER",
    "Diagnosis",
    "Secret",
    "VerifiedBody",
    "VerifiedCheckout",
    "VerifiedPaymentLink",
    "VerifiedSubscription",
    "WebhookVerifier",
    "sign_checkout_for_test",
    "sign_for_test",
    "sign_payment_link_for_test",
    "sign_subscription_for_test",
    "verify_checkout",
    "verify_payment_link",
    "verify_subscription",
    "verify_webhook",
]

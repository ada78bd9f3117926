"""The tags that come back through the customer's browser.

All three kinds are joined with an unescaped ``|`` and keyed with the same API key secret, so the tag of one kind would
pass as another's. Every id is therefore checked for its kind before the tag is looked at (FAULTS section 1, fact 5, and
rule 7). A checkout tag proves that the payment was authorised for this order, not that it was captured (FACTS
section 11).
"""

from __future__ import annotations

from typing import Final, final

from razorpay_hardened.domain import ids
from razorpay_hardened.errors import FieldInvalid, SignatureMismatch
from razorpay_hardened.signing._proof import Proof
from razorpay_hardened.signing.diagnose import Diagnosis
from razorpay_hardened.signing.keys import Secret, as_secret, tag_from

__all__ = [
    "PAYMENT_LINK_STATUSES",
    "VerifiedCheckout",
    "VerifiedPaymentLink",
    "VerifiedSubscription",
    "sign_checkout_for_test",
    "sign_payment_link_for_test",
    "sign_subscription_for_test",
    "verify_checkout",
    "verify_payment_link",
    "verify_subscription",
]

PAYMENT_LINK_STATUSES: Final = frozenset({"created", "partially_paid", "paid", "expired", "cancelled"})
_REFERENCE_MAX: Final = 40  # FACTS section 1, field limits

_new = object.__new__
_put = object.__setattr__


@final
class VerifiedCheckout(Proof):
    """Razorpay states that payment ``payment_id`` was authorised for order ``order_id``."""

    __slots__ = ("order_id", "payment_id")

    order_id: ids.OrderId
    payment_id: ids.PaymentId

    def __repr__(self) -> str:
        return f"<VerifiedCheckout {self.order_id} {self.payment_id}>"


@final
class VerifiedSubscription(Proof):
    """Razorpay states that payment ``payment_id`` was authorised for subscription ``subscription_id``."""

    __slots__ = ("payment_id", "subscription_id")

    payment_id: ids.PaymentId
    subscription_id: ids.SubscriptionId

    def __repr__(self) -> str:
        return f"<VerifiedSubscription {self.subscription_id} {self.payment_id}>"


@final
class VerifiedPaymentLink(Proof):
    """Razorpay states the ``status`` of payment link ``payment_link_id`` after payment ``payment_id``."""

    __slots__ = ("payment_id", "payment_link_id", "reference_id", "status")

    payment_link_id: ids.PaymentLinkId
    reference_id: str
    status: str
    payment_id: ids.PaymentId

    def __repr__(self) -> str:
        return f"<VerifiedPaymentLink {self.payment_link_id} {self.status} {self.payment_id}>"


def verify_checkout(
    *, order_id: object, payment_id: object, signature: object, secret: Secret | str | bytes
) -> VerifiedCheckout:
    """Proof for what Checkout returned. Give the order id from YOUR database, not the one that the browser sent.

    Raises:
        ConfigError: the secret is empty or no text.
        IdMalformed: an id is not of its kind; the tag was not looked at.
        SignatureMissing, SignatureMalformed, SignatureMismatch: as for webhooks; the key is the API key secret.
    """
    secret = as_secret(secret, "key_secret")
    order, payment = ids.order_id(order_id), ids.payment_id(payment_id)
    _check(_message(order, payment), signature, secret)
    proof = _new(VerifiedCheckout)
    _put(proof, "order_id", order)
    _put(proof, "payment_id", payment)
    return proof


def verify_subscription(
    *, payment_id: object, subscription_id: object, signature: object, secret: Secret | str | bytes
) -> VerifiedSubscription:
    """Proof for what a subscription's Checkout returned. Here the payment comes first (FACTS section 6).

    Raises what :func:`verify_checkout` raises.
    """
    secret = as_secret(secret, "key_secret")
    payment, subscription = ids.payment_id(payment_id), ids.subscription_id(subscription_id)
    _check(_message(payment, subscription), signature, secret)
    proof = _new(VerifiedSubscription)
    _put(proof, "payment_id", payment)
    _put(proof, "subscription_id", subscription)
    return proof


def verify_payment_link(
    *,
    payment_link_id: object,
    reference_id: object,
    status: object,
    payment_id: object,
    signature: object,
    secret: Secret | str | bytes,
) -> VerifiedPaymentLink:
    """Proof for the query of a payment link's callback. ``reference_id`` is None or "" where none was set.

    Raises what :func:`verify_checkout` raises, and :class:`FieldInvalid` for a status that is not documented or a
    reference of more than 40 characters.
    """
    secret = as_secret(secret, "key_secret")
    link, payment = ids.payment_link_id(payment_link_id), ids.payment_id(payment_id)
    reference = _reference(reference_id)
    if not isinstance(status, str) or status not in PAYMENT_LINK_STATUSES:
        raise FieldInvalid("this is not the status of a payment link")
    _check(_message(link, reference, status, payment), signature, secret)
    proof = _new(VerifiedPaymentLink)
    _put(proof, "payment_link_id", link)
    _put(proof, "reference_id", reference)
    _put(proof, "status", status)
    _put(proof, "payment_id", payment)
    return proof


def _reference(value: object) -> str:
    """The merchant's own reference. It may hold ``|``: the strict ids at both ends keep the message unambiguous."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _REFERENCE_MAX or not _is_text(value):
        raise FieldInvalid(f"a reference id is text of at most {_REFERENCE_MAX} characters")
    return value


def _is_text(value: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in value)  # a lone surrogate has no UTF-8


def _message(*parts: str) -> bytes:
    return "|".join(parts).encode("utf-8")


def _check(message: bytes, signature: object, secret: Secret) -> None:
    """Compare the presented tag with ours; the message is already known to be of one kind only.

    It takes no bare text, so that no frame of a failing check holds the secret (FAULTS P6, traceback locals).
    """
    tag = tag_from(signature)
    if not secret.signs(message, tag):
        raise SignatureMismatch(explain=Diagnosis(message, tag, (secret,)))


def sign_checkout_for_test(*, order_id: str, payment_id: str, secret: Secret | str | bytes) -> str:
    """The tag that Checkout would return: for tests and emulators. The ids are taken as they are."""
    return _sign(_message(order_id, payment_id), secret)


def sign_subscription_for_test(*, payment_id: str, subscription_id: str, secret: Secret | str | bytes) -> str:
    """The tag that a subscription's Checkout would return: for tests and emulators."""
    return _sign(_message(payment_id, subscription_id), secret)


def sign_payment_link_for_test(
    *,
    payment_link_id: str,
    reference_id: str | None,
    status: str,
    payment_id: str,
    secret: Secret | str | bytes,
) -> str:
    """The tag on a payment link's callback: for tests and emulators."""
    return _sign(_message(payment_link_id, reference_id or "", status, payment_id), secret)


def _sign(message: bytes, secret: Secret | str | bytes) -> str:
    return as_secret(secret, "key_secret").tag(message).decode("ascii")

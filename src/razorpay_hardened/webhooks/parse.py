"""From a verified body to an event. The wrong order does not type-check."""

from __future__ import annotations

from collections.abc import Sequence

from razorpay_hardened.domain.events import WebhookEvent, read_event
from razorpay_hardened.errors import RawBodyRequired
from razorpay_hardened.signing import Secret, VerifiedBody, verify_webhook

__all__ = ["parse_event", "unwrap_webhook"]


def parse_event(body: VerifiedBody, event_id: str | None = None) -> WebhookEvent:
    """The event in ``body``. ``event_id`` is the value of ``x-razorpay-event-id``, which nobody signs: a hint.

    Raises :class:`PayloadMalformed`, :class:`PayloadInvalid`, :class:`IdMalformed` or :class:`CurrencyError` for a body
    that is rightly signed but not usable, and :class:`RawBodyRequired` for anything that is not a verified body.
    """
    if type(body) is not VerifiedBody:
        raise RawBodyRequired("verify the body first: parse_event takes what a verifier returned")
    return read_event(body.raw, event_id)


def unwrap_webhook(
    body: bytes, signature: str | bytes | None, *, secret: Sequence[Secret] | Secret | str
) -> WebhookEvent:
    """Verify and parse in one call, for code that brings its own storage.

    Raises :class:`SignatureError` or what :func:`parse_event` raises.
    """
    return parse_event(verify_webhook(body, signature, secret=secret))

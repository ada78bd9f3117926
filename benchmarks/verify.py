"""Checking a webhook's signature, and checking and parsing it, beside the SDK and beside the floor.

The body is what the emulator sends when a payment is captured. Targets: verify at most 1.0 x the SDK's, each further
rotated secret at most +60 %; verify and parse at most 1.3 x an HMAC and a bare ``model_validate_json``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import razorpay
from pydantic import BaseModel, ConfigDict

from benchmarks._measure import measure, show
from razorpay_hardened.domain.events import _Envelope
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.signing import Secret, WebhookVerifier
from razorpay_hardened.webhooks import parse_event

SECRET = "bench-secret-0123456789"
sdk: Any = razorpay.Utility(None)  # type: ignore[no-untyped-call]


class PlainEntity(BaseModel):
    """What a careful team writes by hand for one entity."""

    model_config = ConfigDict(extra="allow", frozen=True)
    id: str
    amount: int
    currency: str
    status: str
    order_id: str | None = None


class PlainPart(BaseModel):
    """An entity in its wrapper."""

    entity: PlainEntity


class PlainEvent(BaseModel):
    """What a careful team writes by hand for an event."""

    model_config = ConfigDict(extra="allow", frozen=True)
    event: str
    created_at: int
    payload: dict[str, PlainPart]


def captured_event() -> bytes:
    """The body of a ``payment.captured`` delivery."""
    with Emulator(in_process=True, webhook_secret=SECRET) as rz:
        order = rz.request("POST", "/v1/orders", {"amount": 49900, "currency": "INR", "receipt": "inv-42"})
        rz.pay(json.loads(order.body)["id"], method="card")
        return next(one.body for one in rz.deliver.pending() if one.event == "payment.captured")


def compare_verify(body: bytes, tag: str) -> None:
    """The signature alone."""
    one = WebhookVerifier(Secret(SECRET))
    two = WebhookVerifier([Secret("another-secret-987654321", name="next"), Secret(SECRET)])
    key, text = SECRET.encode(), body.decode()
    headers = {"Content-Type": "application/json", "X-Razorpay-Signature": tag}
    contenders: dict[str, Any] = {
        "SHA-256 of the body": lambda: hashlib.sha256(body).hexdigest(),
        "hmac.digest + compare": lambda: hmac.compare_digest(hmac.digest(key, body, "sha256").hex(), tag),
        "SDK, body given as str": lambda: sdk.verify_webhook_signature(text, tag, SECRET),
        "SDK, body decoded first": lambda: sdk.verify_webhook_signature(body.decode(), tag, SECRET),
        "ours": lambda: one.verify(body, tag),
        "ours, two secrets": lambda: two.verify(body, tag),
        "ours, from headers": lambda: one.verify(body, headers),
    }
    baseline = "SDK, body given as str"
    show(f"verify one signature ({len(body)} bytes)", measure(contenders, baseline=baseline), baseline=baseline)


def compare_parse(body: bytes, tag: str) -> None:
    """The signature and a typed event."""
    verifier, key = WebhookVerifier(Secret(SECRET)), SECRET.encode()

    def floor() -> _Envelope:
        hmac.compare_digest(hmac.digest(key, body, "sha256").hex(), tag)
        return _Envelope.model_validate_json(body)

    def by_hand(model: type[PlainEvent] | None) -> Any:
        text = body.decode()
        sdk.verify_webhook_signature(text, tag, SECRET)
        value = json.loads(text)
        return model.model_validate(value) if model else value

    contenders: dict[str, Any] = {
        "HMAC + bare model_validate_json": floor,
        "SDK + json.loads, untyped": lambda: by_hand(None),
        "SDK + json.loads + small pydantic": lambda: by_hand(PlainEvent),
        "ours: verify + parse_event": lambda: parse_event(verifier.verify(body, tag)),
        "ours: verify + parse + facts": lambda: parse_event(verifier.verify(body, tag)).facts(),
    }
    baseline = "HMAC + bare model_validate_json"
    show(f"verify and parse ({len(body)} bytes)", measure(contenders, baseline=baseline), baseline=baseline)


def main() -> None:
    """Both comparisons."""
    body = captured_event()
    tag = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
    compare_verify(body, tag)
    compare_parse(body, tag)


if __name__ == "__main__":
    main()

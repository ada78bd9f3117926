"""Webhook bodies as Razorpay sends them, signed, and a shop that receives them: shared by the tests of the core."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from razorpay_hardened import FrozenClock, Money, Razorpay, Secret, Settings, sign_for_test, web
from razorpay_hardened.ports.store import Store
from razorpay_hardened.signals import Signal

WEBHOOK_SECRET = "whsec-0123456789-abcdef"
ACCOUNT = "acc_BFQ7uQEaa7j2z7"
AMOUNT = 49900
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def payment(
    number: int, status: str, *, order: int | None = None, amount: int = AMOUNT, **fields: Any
) -> dict[str, Any]:
    """A payment entity; numbers become ids."""
    captured = status in ("captured", "refunded")
    entity = {
        "id": payment_id(number),
        "entity": "payment",
        "amount": amount,
        "currency": "INR",
        "status": status,
        "order_id": order_id(number if order is None else order),
        "invoice_id": None,
        "international": False,
        "method": "upi",
        "amount_refunded": amount if status == "refunded" else 0,
        "refund_status": "full" if status == "refunded" else None,
        "captured": captured,
        "description": None,
        "card_id": None,
        "bank": None,
        "wallet": None,
        "vpa": "success@razorpay",
        "email": "gaurav.kumar@example.com",
        "contact": "+919000090000",
        "notes": [],
        "fee": 1178 if captured else None,
        "tax": 180 if captured else None,
        "error_code": None,
        "error_description": None,
        "acquirer_data": {"rrn": "919842242468"},
        "created_at": 1772445600,
    }
    return entity | fields


def order(number: int, status: str, *, amount: int = AMOUNT, **fields: Any) -> dict[str, Any]:
    """An order entity."""
    paid = amount if status == "paid" else 0
    entity = {
        "id": order_id(number),
        "entity": "order",
        "amount": amount,
        "amount_paid": paid,
        "amount_due": amount - paid,
        "currency": "INR",
        "receipt": f"receipt-{number}",
        "offer_id": None,
        "status": status,
        "attempts": 1,
        "notes": [],
        "created_at": 1772445500,
    }
    return entity | fields


def refund(number: int, status: str, *, of: int | None = None, amount: int = AMOUNT, **fields: Any) -> dict[str, Any]:
    """A refund entity."""
    entity = {
        "id": f"rfnd_{number:014d}",
        "entity": "refund",
        "amount": amount,
        "currency": "INR",
        "payment_id": payment_id(number if of is None else of),
        "notes": [],
        "receipt": None,
        "acquirer_data": {"arn": None},
        "created_at": 1772446600,
        "batch_id": None,
        "status": status,
        "speed_processed": "normal",
        "speed_requested": "normal",
    }
    return entity | fields


def order_id(number: int) -> str:
    """The id of order ``number``."""
    return f"order_{number:014d}"


def payment_id(number: int) -> str:
    """The id of payment ``number``."""
    return f"pay_{number:014d}"


def body(event: str, *, created_at: int | None = 1772445700, **entities: Mapping[str, Any]) -> bytes:
    """A webhook's bytes, compact as Razorpay sends them."""
    envelope: dict[str, Any] = {
        "entity": "event",
        "account_id": ACCOUNT,
        "event": event,
        "contains": sorted(entities),
        "payload": {kind: {"entity": entity} for kind, entity in entities.items()},
    }
    if created_at is not None:
        envelope["created_at"] = created_at
    return json.dumps(envelope, separators=(",", ":")).encode()


def life_of(number: int) -> dict[str, bytes]:
    """The six events of one payment that is authorised, captured and refunded in full, with a failed try before."""
    refunded = payment(number, "refunded")
    return {
        "authorized": body("payment.authorized", payment=payment(number, "authorized")),
        "captured": body("payment.captured", payment=payment(number, "captured")),
        "order.paid": body("order.paid", payment=payment(number, "captured"), order=order(number, "paid")),
        "refund.created": body("refund.created", refund=refund(number, "pending"), payment=refunded),
        "refund.processed": body("refund.processed", refund=refund(number, "processed"), payment=refunded),
        "failed": body("payment.failed", payment=payment(number, "failed", error_code="BAD_REQUEST_ERROR")),
    }


def request(raw: bytes, *, event_id: str | None = None, **headers: str) -> web.Request:
    """A signed delivery of ``raw``."""
    lines = {"X-Razorpay-Signature": sign_for_test(raw, WEBHOOK_SECRET), "Content-Type": "application/json"} | headers
    if event_id is not None:
        lines["x-razorpay-event-id"] = event_id
    return web.Request("POST", lines, raw)


def settings(**values: Any) -> Settings:
    """Settings of a test account."""
    given = {
        "key_id": "rzp_test_1DP5mmOlF5G5ag",
        "key_secret": Secret("thisisnotthekey-9f8e7d", name="key_secret"),
        "webhook_secrets": (Secret(WEBHOOK_SECRET),),
        "mode": "test",
    }
    return Settings(**(given | values))


@dataclass
class Shop:
    """A wired library on ``store``, a clock that stands still, and everything that was announced."""

    store: Store
    ack: Any = "effect"
    client: Any = None
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = FrozenClock(START)
        self.heard: list[Signal] = []
        self.rzp = Razorpay(
            settings(**self.options), store=self.store, client=self.client, clock=self.clock, ack=self.ack
        )
        self.rzp.signals.subscribe(self.heard.append)

    def deliver(self, raw: bytes, **options: Any) -> int:
        """Deliver ``raw``, signed, a millisecond after the last one; gives the status of the answer."""
        self.clock.advance(0.001)
        return self.rzp.webhooks.handle(request(raw, **options)).status

    def adopt(self, number: int, *, owner: str = "user:7", amount: int = AMOUNT, **options: Any) -> None:
        """Register order ``number`` as ours."""
        self.rzp.checkout.adopt(order_id(number), owner=owner, amount=Money(amount), **options)

    def told(self, kind: type[Signal]) -> list[Any]:
        """The signals of one kind, in order."""
        return [signal for signal in self.heard if type(signal) is kind]

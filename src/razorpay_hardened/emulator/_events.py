"""Events: what Razorpay says happened, as the exact bytes that will be sent (FACTS section 10)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NamedTuple

from razorpay_hardened.emulator.wire import json_bytes

if TYPE_CHECKING:
    from razorpay_hardened.emulator.wire import Entity
    from razorpay_hardened.emulator.world import World

__all__ = ["Event", "make"]

# everywhere else the first part of the name is the subject
_SUBJECTS = {"payment.dispute": "dispute", "order.notification": "notification"}


class Event(NamedTuple):
    """One event. ``body`` and ``signature`` are of the moment it happened: a later secret does not re-sign it."""

    id: str
    name: str
    at_ms: int
    body: bytes
    signature: str

    def headers(self, signature: str | None = None) -> dict[str, str]:
        """As observed on the wire. ``User-Agent`` and ``Request-Id`` are known from third-party captures only."""
        return {
            "Content-Type": "application/json",
            "User-Agent": "Razorpay-Webhook/v1",
            "Request-Id": self.id,
            "X-Razorpay-Event-Id": self.id,
            "X-Razorpay-Signature": signature or self.signature,
        }

    def __repr__(self) -> str:
        return f"<Event {self.id} {self.name}>"


def make(world: World, name: str, entities: dict[str, Entity]) -> Event:
    """The event ``name`` about ``entities``, whose order is that of ``contains``."""
    stem = name.rpartition(".")[0]
    subject = entities[_SUBJECTS.get(stem, stem)]
    envelope = {
        "entity": "event",
        "account_id": world.account.id,
        "event": name,
        "contains": list(entities),
        "payload": {key: {"entity": entity} for key, entity in entities.items()},
        "created_at": world.clock.unix(),
    }
    return _signed(world, name, subject["id"], json_bytes(envelope))


def given(world: World, body: Entity) -> Event:
    """An event whose body is given as it is: of a product that is not emulated, or of a shape to come."""
    return _signed(world, body["event"], "given", json_bytes(body))


def _signed(world: World, name: str, about: str, body: bytes) -> Event:
    signature = hmac.digest(world.account.webhook_secret.encode(), body, "sha256").hex()
    return Event(world.event_id(name, about), name, world.clock.ms, body, signature)

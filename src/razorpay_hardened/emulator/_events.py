"""Events: what Razorpay says happened, as the exact bytes that will be sent (FACTS section 10)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from razorpay_hardened.signing import sign_for_test

if TYPE_CHECKING:
    from razorpay_hardened.emulator.wire import Entity
    from razorpay_hardened.emulator.world import World

__all__ = ["Event", "make"]

_SUBJECT = {"payment": "payment", "order": "order", "refund": "refund"}


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
    subject = entities[_SUBJECT[name.partition(".")[0]]]
    envelope = {
        "entity": "event",
        "account_id": world.account.id,
        "event": name,
        "contains": list(entities),
        "payload": {key: {"entity": entity} for key, entity in entities.items()},
        "created_at": world.clock.unix(),
    }
    body = json.dumps(envelope, separators=(",", ":")).encode("ascii")
    signature = sign_for_test(body, world.account.webhook_secret)
    return Event(world.event_id(name, subject["id"]), name, world.clock.ms, body, signature)

"""What a stored body names: kinds, ids and statuses, and none of what is personal in it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

__all__ = ["Entity", "entities_in"]


class Entity(NamedTuple):
    """One entity of a payload. ``ids`` are its own and those of the order and payment that it belongs to."""

    kind: str
    id: str
    status: str | None
    ids: tuple[str, ...]


def entities_in(body: bytes) -> list[Entity]:
    """The entities of an event's body; none where it is not one: a quarantined body need not look like anything."""
    try:
        payload = json.loads(body)["payload"]
        return [_entity(kind, payload[kind]["entity"]) for kind in payload]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _entity(kind: str, fields: Any) -> Entity:
    ids = tuple(str(fields[name]) for name in ("id", "order_id", "payment_id") if fields.get(name))
    return Entity(kind, str(fields.get("id", "")), fields.get("status"), ids)

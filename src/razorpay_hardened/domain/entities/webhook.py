"""Webhooks: the endpoint of an account, and the envelope of what is sent there (FACTS section 10, appendix A)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from razorpay_hardened.domain.entities._base import Entity
from razorpay_hardened.domain.entities._fields import At, Flag, Id, Kept, Text, Texts

__all__ = ["EventBody", "Webhook"]


class Webhook(Entity):
    """An endpoint that events are sent to. The secret is never shown, only whether there is one."""

    kind: ClassVar[str] = "webhook"
    id: Id
    entity: Literal["webhook"] = "webhook"
    url: Text = None
    active: Flag = None
    events: Kept[list[str] | dict[str, Any]] = None
    alert_email: Text = None
    secret_exists: Flag = None
    service: Text = None
    owner_id: Text = None
    owner_type: Text = None
    context: Kept[list[Any]] = None
    disabled_at: At = None
    created_at: At = None
    updated_at: At = None


class EventBody(Entity):
    """The body of a webhook, all kinds of entities included. Its shape proves nothing.

    What may change your books is :class:`~razorpay_hardened.WebhookEvent`, which only a verified body becomes. This
    one is for looking at bodies that are stored: reports, tools, tests. ``created_at`` is missing in some events, and
    inside ``payload`` in others.
    """

    kind: ClassVar[str] = "event"
    entity: Literal["event"] = "event"
    event: Id
    account_id: Text = None
    contains: Texts = None
    payload: Kept[dict[str, Any]] = None
    created_at: At = None

    def entities(self) -> tuple[Entity, ...]:
        """What the event carries, each as its own model, in the order of the payload.

        A part without an ``entity`` field of its own has the kind that the payload calls it by. What is not wrapped as
        an entity stays in ``payload``. Raises as ``parse_entity``.
        """
        from razorpay_hardened.domain.entities.collection import parse_entity

        payload: Any = self.payload
        return tuple(
            parse_entity(body, body["entity"] if isinstance(body.get("entity"), str) else name)
            for name, part in (payload.items() if isinstance(payload, dict) else ())
            if isinstance(part, dict)
            for body in _bodies(part.get("entity"))
        )


def _bodies(entity: Any) -> list[dict[str, Any]]:
    found = entity if isinstance(entity, list) else [entity]
    return [body for body in found if isinstance(body, dict)]

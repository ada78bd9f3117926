"""From an event's payload to facts about the entity that the event is about: everything but payments, orders, refunds.

The models are loaded when an event of their kind comes, and by nobody else (``entities`` says why).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from razorpay_hardened.domain.entities import Entity, Payment
from razorpay_hardened.domain.entities._base import LAST_SECOND
from razorpay_hardened.domain.entities._registry import model_of
from razorpay_hardened.domain.entities.collection import parse_entity
from razorpay_hardened.domain.facts import EntityFact
from razorpay_hardened.domain.ids import OrderId, PaymentId, is_id
from razorpay_hardened.domain.kinds import EVENTS, LIVES, fits_entity, listed_status, taken_status
from razorpay_hardened.domain.text import word
from razorpay_hardened.errors import IdMalformed, InconsistentEvent, PayloadInvalid

__all__ = ["About", "entity_facts", "listed_fact", "read_about", "when_made"]

_ENTITY_ID: Final = re.compile(r"(?!(?:order|pay|rfnd|local)_)[A-Za-z0-9_]{1,64}", re.ASCII)
"""An id that may name an anchor: not one of an order's or a payment's, whose anchors are theirs."""

_BARE: Final = {"accounts": "banking_accounts"}
"""The payload's name → the kind, where it is another one."""


class About:
    """What an event is about: its entities (most have one), and their ids as they are kept."""

    __slots__ = ("entities", "event", "ids", "kinds")

    def __init__(self, event: str, entities: tuple[Entity, ...], kinds: tuple[str, ...], ids: tuple[str, ...]) -> None:
        self.event = event
        self.entities = entities
        self.kinds = kinds
        self.ids = ids


def read_about(event: str, payload: Mapping[str, Any], account_id: str | None) -> About:
    """The entities that ``event``, one of ``kinds.EVENTS``, is about.

    An event that carries none, or one without an id, is about the account. Raises :class:`PayloadInvalid`,
    :class:`IdMalformed`, :class:`CurrencyError`.
    """
    told = EVENTS[event]
    bodies = _bodies(payload.get(told.part))
    if not bodies and told.part in LIVES:
        raise PayloadInvalid(f"missing or unusable: payload.{told.part}")
    kinds = tuple(_kind(told.part, body) for body in bodies)
    entities = tuple(parse_entity(body, kind) for body, kind in zip(bodies, kinds, strict=True))
    ids = tuple(_id(getattr(entity, "id", None) or account_id) for entity in entities)
    if not bodies and account_id is not None:
        kinds, ids = ("account",), (_id(account_id),)
    return About(event, entities, kinds, ids)


def _bodies(part: Any) -> list[Mapping[str, Any]]:
    """Most parts wrap their entity; some wrap a list of them, one is bare."""
    if not isinstance(part, Mapping):
        return []
    found = part.get("entity", part)
    return [body for body in (found if isinstance(found, list) else [found]) if isinstance(body, Mapping)]


def _kind(part: str, body: Mapping[str, Any]) -> str:
    own = body.get("entity")
    if part in LIVES or not isinstance(own, str) or model_of(own) is None:
        return _BARE.get(part, part)
    return own  # an account's event carries a merchant


def _id(value: object) -> str:
    if not isinstance(value, str) or not _ENTITY_ID.fullmatch(value):
        raise IdMalformed("the id of this entity is missing, or not one that Razorpay gives")
    return value


def _moment(made: object) -> datetime | None:
    return datetime.fromtimestamp(made, UTC) if isinstance(made, int) and 0 <= made <= LAST_SECOND else None


def when_made(created_at: int | None, payload: Mapping[str, Any]) -> int | None:
    """Seconds: from the envelope, or from the payload, where some bodies have it by slip."""
    slipped = payload.get("created_at")
    if created_at is None and isinstance(slipped, int) and 0 <= slipped <= LAST_SECOND:
        return slipped
    return created_at


def entity_facts(
    about: About, *, told_at: int | None, digest: str, payment: Payment | None, order_id: OrderId | None, snapshot: Any
) -> tuple[EntityFact, ...]:
    """What the event tells of its entities. ``snapshot`` makes an entity's JSON text.

    Raises :class:`InconsistentEvent` where the event contradicts the entity that it carries.
    """
    pairs: list[tuple[str, str, Entity | None]] = list(zip(about.kinds, about.ids, about.entities, strict=False))
    if not about.entities:
        pairs = [(kind, entity_id, None) for kind, entity_id in zip(about.kinds, about.ids, strict=True)]
    facts = []
    for kind, entity_id, entity in pairs:
        status = taken_status(kind, about.event, _status(entity))
        if not fits_entity(about.event, kind, status):
            raise InconsistentEvent(f"{about.event} carries a {kind} that is {word(status)}")
        made = getattr(entity, "created_at", None)
        facts.append(
            EntityFact(
                kind=kind,
                entity_id=entity_id,
                status=status,
                event=about.event,
                told_at=None if told_at is None else datetime.fromtimestamp(told_at, UTC),
                occasion=digest if told_at is None else str(told_at),
                phase=_phase(kind, entity),
                order_id=order_id or _order_of(entity),
                payment_id=payment.id if payment is not None else _payment_of(entity),
                paid=None if payment is None else (payment.amount, payment.currency),
                created_at=_moment(made),
                snapshot=None if entity is None else snapshot(entity),
            )
        )
    return tuple(facts)


def listed_fact(entity: Entity, *, seen_at: datetime, snapshot: Any) -> EntityFact:
    """What an entity that Razorpay listed, or gave by its id, tells: its status at ``seen_at`` (aware, UTC), no event.

    Raises :class:`IdMalformed`.
    """
    kind, made = entity.kind, getattr(entity, "created_at", None)
    return EntityFact(
        kind=kind,
        entity_id=_id(getattr(entity, "id", None)),
        status=listed_status(kind, _status(entity)),
        told_at=seen_at,
        phase=_phase(kind, entity),
        order_id=_order_of(entity),
        payment_id=_payment_of(entity),
        created_at=_moment(made),
        snapshot=snapshot(entity),
    )


def _phase(kind: str, entity: Entity | None) -> str | None:
    """The phase of a dispute, which begins its life again; what is no text is none."""
    phase = getattr(entity, "phase", None) if kind == "dispute" else None
    return phase if isinstance(phase, str) else None


def _status(entity: Entity | None) -> str | None:
    """An entity's own status: a mandate has it one level down, a product by another name."""
    recurring = getattr(getattr(entity, "recurring_details", None), "status", None)
    status = recurring or getattr(entity, "status", None) or getattr(entity, "activation_status", None)
    return status if isinstance(status, str) else None


def _order_of(entity: Entity | None) -> OrderId | None:
    """The order that an entity names itself: its own, or for a transfer the one that it was made from."""
    named: Any = getattr(entity, "order_id", None) or getattr(entity, "source", None)
    return OrderId(named) if is_id("order", named) else None


def _payment_of(entity: Entity | None) -> PaymentId | None:
    named: Any = getattr(entity, "payment_id", None) or getattr(entity, "source", None)
    return PaymentId(named) if is_id("payment", named) else None

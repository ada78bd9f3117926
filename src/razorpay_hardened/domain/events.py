"""The webhook envelope: signed bytes in, facts out.

One parse, by the model, from the bytes that the tag covered (FAULTS rule 9). What the fast parser refuses goes once
through a tolerant reading, because a lone surrogate in a customer's note is no reason to lose a payment; types that we
do not track are set aside before any schema.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Final, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from razorpay_hardened.domain.entities import Entity, Order, Payment, Refund, invalid
from razorpay_hardened.domain.entities._base import Seconds
from razorpay_hardened.domain.facts import EntityFact, Fact, OrderFact, PaymentFact, RefundFact
from razorpay_hardened.domain.ids import OrderId
from razorpay_hardened.domain.kinds import EVENTS, LIVES
from razorpay_hardened.domain.lifecycle import fits_event
from razorpay_hardened.domain.news import About, entity_facts, listed_fact, read_about, when_made
from razorpay_hardened.domain.text import word
from razorpay_hardened.errors import InconsistentEvent, PayloadInvalid, PayloadMalformed

__all__ = ["TRACKED", "WebhookEvent", "entity_fact", "order_fact", "payment_fact", "read_event", "refund_fact"]

_DEPTH_MAX: Final = 64
_NAME_MAX: Final = 128

TRACKED: Final[dict[str, tuple[str, ...]]] = {
    "payment.authorized": ("payment",),
    "payment.captured": ("payment",),
    "payment.failed": ("payment",),
    "payment.pending": ("payment",),
    "order.paid": ("order", "payment"),
    "refund.created": ("refund",),
    "refund.processed": ("refund",),
    "refund.failed": ("refund",),
    "refund.speed_changed": ("refund",),
    **{event: (told.part,) if told.part in LIVES else () for event, told in EVENTS.items()},
}
"""Event type → what its payload must carry (FACTS section 10). Many carry an order or a payment beside it: what they
say of that is news like any other. A type that is not here is stored and ignored."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)


class _PaymentPart(_Part):
    entity: Payment


class _OrderPart(_Part):
    entity: Order


class _RefundPart(_Part):
    entity: Refund


class _Payload(_Part):
    payment: _PaymentPart | None = None
    order: _OrderPart | None = None
    refund: _RefundPart | None = None


class _Envelope(_Part):
    event: Annotated[str, Field(strict=True, max_length=_NAME_MAX)]
    payload: _Payload = _Payload()
    account_id: Annotated[str, Field(strict=True)] | None = None
    created_at: Seconds | None = None


class WebhookEvent:
    """One event, as signed. ``id`` is Razorpay's event id from the (unsigned) header: a hint, never a key.

    ``tracked`` is false for types that no rule of ours is about; such an event has no entities and no facts.
    ``entities`` are what it is about beside an order, a payment and a refund: a dispute, a subscription, a link.
    ``created_at`` is aware, UTC, or None where Razorpay left it out.
    """

    __slots__ = (
        "_about",
        "_digest",
        "_told_at",
        "account_id",
        "created_at",
        "id",
        "name",
        "order",
        "payment",
        "refund",
        "tracked",
    )

    def __init__(
        self,
        name: str,
        *,
        tracked: bool,
        account_id: str | None = None,
        created_at: datetime | None = None,
        payload: _Payload | None = None,
        event_id: str | None = None,
        about: About | None = None,
        told_at: int | None = None,
        digest: str = "",
    ) -> None:
        self._about = about
        self._told_at = told_at
        self._digest = digest
        self.name = name
        self.id = event_id
        self.tracked = tracked
        self.account_id = account_id
        self.created_at = created_at
        self.payment = payload.payment.entity if payload is not None and payload.payment is not None else None
        self.order = payload.order.entity if payload is not None and payload.order is not None else None
        self.refund = payload.refund.entity if payload is not None and payload.refund is not None else None

    @property
    def entities(self) -> tuple[Entity, ...]:
        """What the event is about beside an order, a payment and a refund, each as the model of its kind."""
        return () if self._about is None else self._about.entities

    def facts(self) -> tuple[Fact, ...]:
        """What this event tells us, ready for ``ledger.apply``.

        Raises :class:`InconsistentEvent` where the event contradicts the entity that it carries (DESIGN section 4).
        """
        facts: list[Fact] = []
        if self.order is not None:
            facts.append(order_fact(self.order))
        if self.payment is not None:
            facts.append(payment_fact(self.payment))
        if self.refund is not None:
            facts.append(refund_fact(self.refund, self.payment.order_id if self.payment is not None else None))
        self._check_consistent()
        if self._about is not None:
            facts += entity_facts(
                self._about,
                told_at=self._told_at,
                digest=self._digest,
                payment=self.payment,
                order_id=self._order_id(),
                snapshot=_snapshot,
            )
        return tuple(facts)

    def _order_id(self) -> OrderId | None:
        if self.order is not None:
            return self.order.id
        return None if self.payment is None else self.payment.order_id

    def _check_consistent(self) -> None:
        for entity in (self.order, self.payment, self.refund):
            if entity is not None and not fits_event(self.name, entity.kind, entity.status):
                raise InconsistentEvent(f"{self.name} carries a {entity.kind} that is {word(entity.status)}")
        if (
            self.refund is not None
            and self.payment is not None
            and (self.refund.payment_id, self.refund.currency) != (self.payment.id, self.payment.currency)
        ):
            raise InconsistentEvent("the refund is of another payment than the one beside it")

    def __repr__(self) -> str:
        return f"<WebhookEvent {self.name}>"


def read_event(raw: bytes, event_id: str | None = None) -> WebhookEvent:
    """The event in ``raw``, which must have been verified: ``webhooks.parse_event`` sees to that.

    Raises :class:`PayloadMalformed` (not JSON in UTF-8, or deeper than 64), :class:`PayloadInvalid`,
    :class:`IdMalformed` or :class:`CurrencyError` (JSON, but not usable).
    """
    # A negative zero is not an amount, and the fast parser cannot tell it from zero; NaN and Infinity are not JSON, and
    # the fast parser takes them where no field of ours is.
    if b"NaN" in raw or b"Infinity" in raw or (b"-0" in raw and _MINUS_ZERO.search(raw)):
        return _read_tolerantly(raw, event_id)
    try:
        envelope = _Envelope.model_validate_json(raw)
    except ValidationError:
        return _read_tolerantly(raw, event_id)
    return _from_envelope(envelope, event_id, raw)


_MINUS_ZERO = re.compile(rb"[:\[,]\s*-0")


def _from_envelope(envelope: _Envelope, event_id: str | None, raw: bytes) -> WebhookEvent:
    created_at = _made_at(envelope.created_at)
    needed = TRACKED.get(envelope.event)
    if needed is None:
        return WebhookEvent(
            envelope.event,
            tracked=False,
            account_id=envelope.account_id,
            created_at=created_at,
            event_id=event_id,
        )
    about, told_at, digest = None, envelope.created_at, ""
    if envelope.event in EVENTS:
        extra = envelope.payload.model_extra or {}
        about = read_about(envelope.event, extra, envelope.account_id)
        told_at = when_made(told_at, extra)
        digest = sha256(raw).hexdigest()[:16] if told_at is None else ""
    else:
        for kind in needed:
            if getattr(envelope.payload, kind) is None:
                raise PayloadInvalid(f"missing or unusable: payload.{kind}")
    return WebhookEvent(
        envelope.event,
        tracked=True,
        account_id=envelope.account_id,
        created_at=created_at,
        payload=envelope.payload,
        event_id=event_id,
        about=about,
        told_at=told_at,
        digest=digest,
    )


def _read_tolerantly(raw: bytes, event_id: str | None) -> WebhookEvent:
    body = _loads(raw)
    if not isinstance(body, dict):
        raise PayloadInvalid("the body must be a JSON object")
    name = body.get("event")
    if not isinstance(name, str) or len(name) > _NAME_MAX or not _encodable(name):
        raise PayloadInvalid("missing or unusable: event")
    if name not in TRACKED:
        return WebhookEvent(name, tracked=False, event_id=event_id)
    try:
        envelope = _Envelope.model_validate(body)
    except ValidationError as error:
        raise invalid(error) from None  # pydantic's own text may quote the value
    return _from_envelope(envelope, event_id, raw)


def _loads(raw: bytes) -> Any:
    try:
        body = json.loads(raw.decode("utf-8"), parse_constant=_refuse, parse_int=_integer)
    except (ValueError, RecursionError):  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise PayloadMalformed from None
    _check_depth(body)
    return body


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and Infinity are not JSON


def _integer(digits: str) -> int | float:
    # -0.0 is refused wherever an integer is needed, and harmless elsewhere
    return -0.0 if digits == "-0" else int(digits)


def _check_depth(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(_DEPTH_MAX + 1):
        level = [child for node in level if isinstance(node, (dict, list)) for child in _children(node)]
        if not level:
            return
    raise PayloadMalformed("the body is nested too deeply")


def _children(node: dict[str, Any] | list[Any]) -> list[Any]:
    return list(node.values()) if isinstance(node, dict) else node


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# --- from entities to facts ---------------------------------------------------------------------------------


def payment_fact(payment: Payment) -> PaymentFact:
    """What a payment, as Razorpay shows it, tells the ledger."""
    bears_fee = payment.fee_bearer == "customer"
    return PaymentFact(
        payment_id=payment.id,
        order_id=payment.order_id,
        status=payment.status,
        amount=payment.amount,
        currency=payment.currency,
        captured=payment.captured,
        amount_refunded=payment.amount_refunded,
        customer_fee=payment.fee if bears_fee else None,
        snapshot=_snapshot(payment),
        created_at=_made_at(payment.created_at),
    )


def order_fact(order: Order) -> OrderFact:
    """What an order, as Razorpay shows it, tells the ledger."""
    return OrderFact(
        order_id=order.id,
        status=order.status,
        amount=order.amount,
        currency=order.currency,
        receipt=order.receipt,
        snapshot=_snapshot(order),
        created_at=_made_at(order.created_at),
    )


def refund_fact(refund: Refund, order_id: OrderId | None = None, key: str | None = None) -> RefundFact:
    """What a refund, as Razorpay shows it, tells the ledger.

    ``order_id`` where it is known from beside it; ``key`` is our idempotency key, where we asked for the refund.
    """
    return RefundFact(
        refund_id=refund.id,
        payment_id=refund.payment_id,
        status=refund.status,
        amount=refund.amount,
        currency=refund.currency,
        order_id=order_id,
        key=key,
        snapshot=_snapshot(refund),
        created_at=_made_at(refund.created_at),
    )


def entity_fact(entity: Entity, *, seen_at: datetime) -> EntityFact:
    """What anything else, as Razorpay showed it at ``seen_at`` (aware, UTC), tells the ledger: its status, no event.

    Raises :class:`IdMalformed` for an id that may not name it here.
    """
    return listed_fact(entity, seen_at=seen_at, snapshot=_snapshot)


def _made_at(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _snapshot(entity: Entity) -> str:
    try:
        return entity.model_dump_json(exclude_unset=True)
    except ValueError:
        # A lone surrogate has no UTF-8; escaped, it is kept as it came.
        return json.dumps(entity.as_sent(), separators=(",", ":"), ensure_ascii=True)

"""What all entities have in common: frozen, unknown fields kept, the same JSON out as came in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from razorpay_hardened.domain.entities._fields import Amount, AsSent, Currency, Kept, Text, Whole
from razorpay_hardened.domain.money import Money

__all__ = ["Collection", "Detail", "Entity", "MoneyEntity", "Priced", "UnknownEntity"]

_SHOWN = ("id", "status", "amount", "currency")

LAST_SECOND: Final = 253_370_764_800
"""The year 9999: a ``datetime`` ends with it, and needs room for a zone's hours."""

Seconds = Annotated[int, Field(strict=True, ge=0, le=LAST_SECOND)]
"""Unix seconds, UTC. The bound only keeps absurd numbers out of date arithmetic."""


class Detail(BaseModel):
    """An object inside an entity, as it was sent: a payment's ``upi``, an invoice's ``customer_details``.

    ``model_dump(exclude_unset=True)`` gives back the JSON that came in, unknown fields included: Razorpay
    adds fields at any time (FACTS section 1). Validators are built at the first use, not at import.
    """

    model_config = ConfigDict(
        extra="allow", frozen=True, hide_input_in_errors=True, protected_namespaces=(), defer_build=True
    )

    def as_sent(self) -> dict[str, Any]:
        """The JSON object that Razorpay sent."""
        return self.model_dump(exclude_unset=True)

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        # An entity carries people's e-mail, phone, VPA and notes: repr() ends in logs, so it shows none of them.
        for name in _SHOWN:
            value = getattr(self, name, None)
            if value is None or isinstance(value, str | int):
                yield name, value


class Entity(Detail):
    """An object of Razorpay's with a kind of its own, as it was sent."""

    kind: ClassVar[str]


class Priced(Entity):
    """An entity that is an amount of money: ``amount`` is raw subunits, ``money`` the same with its currency."""

    amount: Amount
    currency: Currency

    @property
    def money(self) -> Money:
        """The amount as :class:`Money`."""
        return Money(self.amount, self.currency)


class MoneyEntity(Priced):
    """What the ledger reads of an order, a payment and a refund alike. Built at import: webhooks wait for nothing."""

    model_config = ConfigDict(defer_build=False)
    status: str
    created_at: Seconds | None = None


class UnknownEntity(Entity):
    """An entity of a kind that has no model here: all fields are kept, none is checked."""

    kind: ClassVar[str] = "unknown"
    entity: Any = None
    id: Any = None


class Collection(Detail):
    """A list inside an entity, such as an order's ``payments`` (``expand[]=payments``), as it was sent."""

    entity: Text = None
    count: Whole = None
    items: Kept[list[Any]] = None

    def entities(self, kind: str | None = None) -> tuple[Entity, ...]:
        """The items, each as its own model: by ``kind`` if given, else by their own ``entity`` field.

        Raises as ``parse_entity``; :class:`PayloadInvalid` where ``items`` is no list.
        """
        from razorpay_hardened.domain.entities.collection import parse_entity
        from razorpay_hardened.errors import PayloadInvalid

        items: AsSent = self.items
        if not isinstance(items, list):
            raise PayloadInvalid("missing or unusable: items (list)")
        return tuple(parse_entity(item, kind) for item in items)

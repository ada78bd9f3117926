"""What all entities have in common: frozen, unknown fields kept, the same JSON out as came in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from razorpay_hardened.domain.entities._fields import Amount, Currency
from razorpay_hardened.domain.money import Money

__all__ = ["Entity", "MoneyEntity", "UnknownEntity"]

_SHOWN = ("id", "status", "amount", "currency")

Seconds = Annotated[int, Field(strict=True, ge=0, le=2**40)]
"""Unix seconds, UTC. The bound only keeps absurd numbers out of date arithmetic."""


class Entity(BaseModel):
    """An object of Razorpay's, as it was sent.

    ``model_dump(exclude_unset=True)`` gives back the JSON that came in, unknown fields included: Razorpay
    adds fields at any time (FACTS section 1).
    """

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True, protected_namespaces=())
    kind: ClassVar[str]

    def as_sent(self) -> dict[str, Any]:
        """The JSON object that Razorpay sent."""
        return self.model_dump(exclude_unset=True)

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        # An entity carries people's e-mail, phone, VPA and notes: repr() ends in logs, so it shows none of them.
        for name in _SHOWN:
            value = getattr(self, name, None)
            if value is None or isinstance(value, str | int):
                yield name, value


class MoneyEntity(Entity):
    """An entity with an amount: ``amount`` is raw subunits, ``money`` the same with its currency."""

    amount: Amount
    currency: Currency
    status: str
    created_at: Seconds | None = None

    @property
    def money(self) -> Money:
        """The amount as :class:`Money`."""
        return Money(self.amount, self.currency)


class UnknownEntity(Entity):
    """An entity of a kind that has no model here: all fields are kept, none is checked."""

    kind: ClassVar[str] = "unknown"
    entity: Any = None
    id: Any = None

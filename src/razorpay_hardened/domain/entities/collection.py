"""From mappings to entities, one or many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeVar, overload

from pydantic import ValidationError

from razorpay_hardened.domain.entities._base import Entity, UnknownEntity
from razorpay_hardened.domain.entities._errors import invalid
from razorpay_hardened.domain.entities.order import Order
from razorpay_hardened.domain.entities.payment import Payment
from razorpay_hardened.domain.entities.refund import Refund
from razorpay_hardened.errors import PayloadInvalid

__all__ = ["MODELS", "AnyEntity", "parse_as", "parse_collection", "parse_entity"]

AnyEntity = Order | Payment | Refund | UnknownEntity
EntityT = TypeVar("EntityT", bound=Entity)

MODELS: Final[dict[str, type[Order] | type[Payment] | type[Refund]]] = {
    "order": Order,
    "payment": Payment,
    "refund": Refund,
}
"""Kind → its model."""


def parse_as(model: type[EntityT], value: object) -> EntityT:
    """``value`` as a ``model``. Raises :class:`PayloadInvalid`, :class:`IdMalformed` or :class:`CurrencyError`."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(error) from None  # pydantic's own text may quote the value


@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["order"]) -> Order: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["payment"]) -> Payment: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["refund"]) -> Refund: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: str | None = None) -> AnyEntity: ...


def parse_entity(mapping: Mapping[str, Any], kind: str | None = None) -> AnyEntity:
    """A typed entity from a JSON object: by ``kind`` if given, else by its own ``entity`` field.

    Kinds without a model give :class:`UnknownEntity`. Raises :class:`PayloadInvalid` (naming the fields, never
    the values), :class:`IdMalformed`, :class:`CurrencyError`.
    """
    if not isinstance(mapping, Mapping):
        raise PayloadInvalid(f"an entity must be a JSON object, not {type(mapping).__name__}")
    chosen = kind if kind is not None else mapping.get("entity")
    model: type[AnyEntity] = MODELS.get(chosen, UnknownEntity) if isinstance(chosen, str) else UnknownEntity
    return parse_as(model, dict(mapping))


def parse_collection(value: object, model: type[EntityT]) -> tuple[EntityT, ...]:
    """The items of ``{"entity": "collection", "items": […]}``, of one kind; raises as :func:`parse_as`."""
    items = value.get("items") if isinstance(value, Mapping) else None
    if not isinstance(items, list):
        raise PayloadInvalid("missing or unusable: items (list)")
    return tuple(parse_as(model, item) for item in items)

"""Reading answers: entities, one or many, that echo what was asked.

The models are imported at the first answer: they cost more to load than all the rest of the client.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from razorpay_hardened.client._caller import EchoMismatch

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Entity, Order, Payment, Refund
    from razorpay_hardened.domain.money import Money

__all__ = ["ORDER", "PAYMENT", "REFUND", "Reader", "echo", "nothing", "same_money"]

E = TypeVar("E", bound="Entity")


class Reader(Generic[E]):
    """Reads answers of one kind."""

    __slots__ = ("_kind",)

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def _model(self) -> type[E]:
        from razorpay_hardened.domain.entities._registry import model_of

        found: Any = model_of(self._kind)
        model: type[E] = found
        return model

    def one(self, body: Any) -> E:
        """One entity. Raises :class:`PayloadError` and its kin for anything else."""
        from razorpay_hardened.domain.entities import parse_as

        return parse_as(self._model(), body)

    def many(self, body: Any) -> tuple[E, ...]:
        """The items of a collection."""
        from razorpay_hardened.domain.entities import parse_collection

        return parse_collection(body, self._model())

    def echoing(self, **asked: object) -> Callable[[Any], E]:
        """A parser for one entity whose fields repeat what was asked (FAULTS rule 13)."""

        def parse(body: Any) -> E:
            entity = self.one(body)
            for name, value in asked.items():
                echo(name, getattr(entity, name), value)
            return entity

        return parse


ORDER: Final[Reader[Order]] = Reader("order")
PAYMENT: Final[Reader[Payment]] = Reader("payment")
REFUND: Final[Reader[Refund]] = Reader("refund")


class _HasMoney(Protocol):
    @property
    def amount(self) -> Any: ...
    @property
    def currency(self) -> Any: ...


def echo(name: str, got: object, asked: object) -> None:
    """Raise :class:`EchoMismatch` unless the answer repeats what was asked (FAULTS rule 13)."""
    if got != asked:
        raise EchoMismatch(name)


def same_money(entity: _HasMoney, asked: Money) -> None:
    """The entity's amount and currency are the ones asked for."""
    echo("amount", entity.amount, asked.subunits)
    echo("currency", entity.currency, asked.currency)


def nothing(body: Any) -> None:
    """An answer that says no more than that it was done."""

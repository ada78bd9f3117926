"""Reading answers: entities, one or many, that echo what was asked.

The models are imported at the first answer: they cost more to load than all the rest of the client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from razorpay_hardened.client._caller import EchoMismatch
from razorpay_hardened.errors import PayloadInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import (
        Addon,
        Entity,
        Invoice,
        Item,
        Order,
        Payment,
        PaymentLink,
        QrCode,
        Refund,
        Subscription,
        SubscriptionPlan,
        VirtualAccount,
    )
    from razorpay_hardened.domain.money import Money

__all__ = [
    "ADDON",
    "INVOICE",
    "ITEM",
    "ORDER",
    "PAYMENT",
    "PAYMENT_LINK",
    "PLAN",
    "QR_CODE",
    "REFUND",
    "SUBSCRIPTION",
    "VIRTUAL_ACCOUNT",
    "Reader",
    "echo",
    "nothing",
    "same_money",
    "same_price",
    "success",
]

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


ADDON: Final[Reader[Addon]] = Reader("addon")
INVOICE: Final[Reader[Invoice]] = Reader("invoice")
ITEM: Final[Reader[Item]] = Reader("item")
ORDER: Final[Reader[Order]] = Reader("order")
PAYMENT: Final[Reader[Payment]] = Reader("payment")
PAYMENT_LINK: Final[Reader[PaymentLink]] = Reader("payment_link")
PLAN: Final[Reader[SubscriptionPlan]] = Reader("plan")
QR_CODE: Final[Reader[QrCode]] = Reader("qr_code")
REFUND: Final[Reader[Refund]] = Reader("refund")
SUBSCRIPTION: Final[Reader[Subscription]] = Reader("subscription")
VIRTUAL_ACCOUNT: Final[Reader[VirtualAccount]] = Reader("virtual_account")


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


def same_price(got: Money | None, price: Mapping[str, Any]) -> None:
    """What a nested item costs, where Razorpay says it, is what was asked for: ``amount`` and ``currency``."""
    if got is not None:
        echo("amount", got.subunits, price["amount"])
        echo("currency", got.currency, price["currency"])


def success(body: Any) -> None:
    """``{"success": true}``. Raises :class:`PayloadInvalid` for anything else."""
    if not isinstance(body, Mapping) or body.get("success") is not True:
        raise PayloadInvalid("the answer does not say that it was done")

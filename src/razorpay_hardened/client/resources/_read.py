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
        Account,
        AccountDocuments,
        Acknowledgement,
        Addon,
        BankAccount,
        BankTransfer,
        Card,
        CardReference,
        CreatedPayment,
        Customer,
        DeviceActivity,
        Dispute,
        Document,
        Eligibility,
        Entity,
        FundAccount,
        Iin,
        IinList,
        InstantSettlement,
        Invoice,
        Item,
        Methods,
        Order,
        OrderFulfilment,
        Payment,
        PaymentDowntime,
        PaymentLink,
        Product,
        QrCode,
        ReconItem,
        Refund,
        Reversal,
        RtoReview,
        Settlement,
        Stakeholder,
        Subscription,
        SubscriptionPlan,
        TncMap,
        Token,
        TransactionData,
        Transfer,
        UpiTransfer,
        VirtualAccount,
        VpaValidation,
        Webhook,
    )
    from razorpay_hardened.domain.money import Money

__all__ = [
    "ACCOUNT",
    "ACCOUNT_DOCUMENTS",
    "ACKNOWLEDGEMENT",
    "ADDON",
    "BANK_ACCOUNT",
    "BANK_TRANSFER",
    "CARD",
    "CARD_REFERENCE",
    "CREATED_PAYMENT",
    "CUSTOMER",
    "DEVICE_ACTIVITY",
    "DISPUTE",
    "DOCUMENT",
    "DOWNTIME",
    "ELIGIBILITY",
    "FULFILMENT",
    "FUND_ACCOUNT",
    "IIN",
    "IIN_LIST",
    "INSTANT_SETTLEMENT",
    "INVOICE",
    "ITEM",
    "METHODS",
    "ORDER",
    "PAYMENT",
    "PAYMENT_LINK",
    "PLAN",
    "PRODUCT",
    "QR_CODE",
    "RECON_ITEM",
    "REFUND",
    "REVERSAL",
    "RTO_REVIEW",
    "SETTLEMENT",
    "STAKEHOLDER",
    "SUBSCRIPTION",
    "TERMS",
    "TOKEN",
    "TRANSACTION_DATA",
    "TRANSFER",
    "UPI_TRANSFER",
    "VIRTUAL_ACCOUNT",
    "VPA_VALIDATION",
    "WEBHOOK",
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


ACCOUNT: Final[Reader[Account]] = Reader("account")
ACCOUNT_DOCUMENTS: Final[Reader[AccountDocuments]] = Reader("account.documents")
ACKNOWLEDGEMENT: Final[Reader[Acknowledgement]] = Reader("acknowledgement")
ADDON: Final[Reader[Addon]] = Reader("addon")
BANK_ACCOUNT: Final[Reader[BankAccount]] = Reader("bank_account")
BANK_TRANSFER: Final[Reader[BankTransfer]] = Reader("bank_transfer")
CARD: Final[Reader[Card]] = Reader("card")
CARD_REFERENCE: Final[Reader[CardReference]] = Reader("card.reference")
CREATED_PAYMENT: Final[Reader[CreatedPayment]] = Reader("payment.created")
CUSTOMER: Final[Reader[Customer]] = Reader("customer")
DEVICE_ACTIVITY: Final[Reader[DeviceActivity]] = Reader("device.activity")
DISPUTE: Final[Reader[Dispute]] = Reader("dispute")
DOCUMENT: Final[Reader[Document]] = Reader("document")
DOWNTIME: Final[Reader[PaymentDowntime]] = Reader("payment.downtime")
ELIGIBILITY: Final[Reader[Eligibility]] = Reader("eligibility")
FULFILMENT: Final[Reader[OrderFulfilment]] = Reader("order.fulfillment")
FUND_ACCOUNT: Final[Reader[FundAccount]] = Reader("fund_account")
IIN: Final[Reader[Iin]] = Reader("iin")
IIN_LIST: Final[Reader[IinList]] = Reader("iin.list")
INSTANT_SETTLEMENT: Final[Reader[InstantSettlement]] = Reader("settlement.ondemand")
INVOICE: Final[Reader[Invoice]] = Reader("invoice")
ITEM: Final[Reader[Item]] = Reader("item")
METHODS: Final[Reader[Methods]] = Reader("methods")
ORDER: Final[Reader[Order]] = Reader("order")
PAYMENT: Final[Reader[Payment]] = Reader("payment")
PAYMENT_LINK: Final[Reader[PaymentLink]] = Reader("payment_link")
PLAN: Final[Reader[SubscriptionPlan]] = Reader("plan")
PRODUCT: Final[Reader[Product]] = Reader("product")
QR_CODE: Final[Reader[QrCode]] = Reader("qr_code")
RECON_ITEM: Final[Reader[ReconItem]] = Reader("settlement.recon_item")
REFUND: Final[Reader[Refund]] = Reader("refund")
REVERSAL: Final[Reader[Reversal]] = Reader("reversal")
RTO_REVIEW: Final[Reader[RtoReview]] = Reader("order.rto_review")
SETTLEMENT: Final[Reader[Settlement]] = Reader("settlement")
STAKEHOLDER: Final[Reader[Stakeholder]] = Reader("stakeholder")
SUBSCRIPTION: Final[Reader[Subscription]] = Reader("subscription")
TERMS: Final[Reader[TncMap]] = Reader("tnc_map")
TOKEN: Final[Reader[Token]] = Reader("token")
TRANSACTION_DATA: Final[Reader[TransactionData]] = Reader("token.transaction_data")
TRANSFER: Final[Reader[Transfer]] = Reader("transfer")
UPI_TRANSFER: Final[Reader[UpiTransfer]] = Reader("upi_transfer")
VIRTUAL_ACCOUNT: Final[Reader[VirtualAccount]] = Reader("virtual_account")
VPA_VALIDATION: Final[Reader[VpaValidation]] = Reader("vpa.validation")
WEBHOOK: Final[Reader[Webhook]] = Reader("webhook")


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

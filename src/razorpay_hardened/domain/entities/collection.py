"""From mappings to entities, one or many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, overload

from pydantic import ValidationError

from razorpay_hardened.domain.entities._base import Entity, UnknownEntity
from razorpay_hardened.domain.entities._errors import invalid
from razorpay_hardened.domain.entities._registry import model_of
from razorpay_hardened.errors import PayloadInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities.account import Account, GmvLimitWarning
    from razorpay_hardened.domain.entities.answer import Acknowledgement, ErrorBody
    from razorpay_hardened.domain.entities.bank_account import BankAccount, SettlementAccount, Vpa, VpaValidation
    from razorpay_hardened.domain.entities.bank_transfer import BankTransfer, UpiTransfer
    from razorpay_hardened.domain.entities.bill import Bill
    from razorpay_hardened.domain.entities.card import Card
    from razorpay_hardened.domain.entities.customer import Customer
    from razorpay_hardened.domain.entities.device import DeviceActivity
    from razorpay_hardened.domain.entities.dispute import Dispute
    from razorpay_hardened.domain.entities.document import AccountDocuments, Document
    from razorpay_hardened.domain.entities.downtime import PaymentDowntime, PayoutDowntime
    from razorpay_hardened.domain.entities.fulfilment import OrderFulfilment, RtoReview
    from razorpay_hardened.domain.entities.fund_account import Contact, FundAccount, FundAccountValidation
    from razorpay_hardened.domain.entities.iin import CardReference, Iin, IinList
    from razorpay_hardened.domain.entities.invoice import Invoice, LineItem
    from razorpay_hardened.domain.entities.item import Item
    from razorpay_hardened.domain.entities.merchant import Merchant
    from razorpay_hardened.domain.entities.methods import Eligibility, Methods
    from razorpay_hardened.domain.entities.order import Order
    from razorpay_hardened.domain.entities.payment import Payment
    from razorpay_hardened.domain.entities.payment_created import CreatedPayment
    from razorpay_hardened.domain.entities.payment_link import PaymentLink
    from razorpay_hardened.domain.entities.payout import BankingAccounts, Payout, PayoutLink, Transaction
    from razorpay_hardened.domain.entities.plan import Addon, SubscriptionPlan
    from razorpay_hardened.domain.entities.product import MerchantProduct, Product, TncMap
    from razorpay_hardened.domain.entities.qr_code import QrCode
    from razorpay_hardened.domain.entities.refund import Refund
    from razorpay_hardened.domain.entities.settlement import InstantPayout, InstantSettlement, ReconItem, Settlement
    from razorpay_hardened.domain.entities.stakeholder import Stakeholder
    from razorpay_hardened.domain.entities.subscription import Subscription
    from razorpay_hardened.domain.entities.token import Notification, ServiceProviderToken, Token, TransactionData
    from razorpay_hardened.domain.entities.transfer import Reversal, Transfer
    from razorpay_hardened.domain.entities.virtual_account import VirtualAccount
    from razorpay_hardened.domain.entities.webhook import EventBody, Webhook

__all__ = ["AnyEntity", "parse_as", "parse_collection", "parse_entity"]

AnyEntity: TypeAlias = Entity
"""One of the models, or :class:`UnknownEntity`: what comes of a kind that is known at run time only."""

EntityT = TypeVar("EntityT", bound=Entity)


def parse_as(model: type[EntityT], value: object) -> EntityT:
    """``value`` as a ``model``. Raises :class:`PayloadInvalid`, :class:`IdMalformed` or :class:`CurrencyError`."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(error) from None  # pydantic's own text may quote the value


@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["account"]) -> Account: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["account.documents"]) -> AccountDocuments: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["account.gmv_limit_warning"]) -> GmvLimitWarning: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["acknowledgement"]) -> Acknowledgement: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["addon"]) -> Addon: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["bank_account"]) -> BankAccount: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["bank_transfer"]) -> BankTransfer: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["banking_accounts"]) -> BankingAccounts: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["bill"]) -> Bill: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["card"]) -> Card: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["card.reference"]) -> CardReference: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["contact"]) -> Contact: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["customer"]) -> Customer: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["device.activity"]) -> DeviceActivity: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["dispute"]) -> Dispute: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["document"]) -> Document: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["eligibility"]) -> Eligibility: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["error"]) -> ErrorBody: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["event"]) -> EventBody: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["fund_account"]) -> FundAccount: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["fund_account.validation"]) -> FundAccountValidation: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["iin"]) -> Iin: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["iin.list"]) -> IinList: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["invoice"]) -> Invoice: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["item"]) -> Item: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["line_item"]) -> LineItem: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["merchant"]) -> Merchant: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["merchant_product"]) -> MerchantProduct: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["methods"]) -> Methods: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["notification"]) -> Notification: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["order"]) -> Order: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["order.fulfillment"]) -> OrderFulfilment: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["order.rto_review"]) -> RtoReview: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["payment"]) -> Payment: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["payment.created"]) -> CreatedPayment: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["payment.downtime"]) -> PaymentDowntime: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["payment_link"]) -> PaymentLink: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["payout"]) -> Payout: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["payout.downtime"]) -> PayoutDowntime: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["payout_link"]) -> PayoutLink: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["plan"]) -> SubscriptionPlan: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["product"]) -> Product: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["qr_code"]) -> QrCode: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["refund"]) -> Refund: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["reversal"]) -> Reversal: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["service_provider_token"]) -> ServiceProviderToken: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["settlement"]) -> Settlement: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["settlement.ondemand"]) -> InstantSettlement: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["settlement.ondemand_payout"]) -> InstantPayout: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["settlement.recon_item"]) -> ReconItem: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["settlement_account"]) -> SettlementAccount: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["stakeholder"]) -> Stakeholder: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["subscription"]) -> Subscription: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["tnc_map"]) -> TncMap: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["token"]) -> Token: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["token.transaction_data"]) -> TransactionData: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["transaction"]) -> Transaction: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["transfer"]) -> Transfer: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["upi_transfer"]) -> UpiTransfer: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["virtual_account"]) -> VirtualAccount: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["vpa"]) -> Vpa: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["vpa.validation"]) -> VpaValidation: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: Literal["webhook"]) -> Webhook: ...
@overload
def parse_entity(mapping: Mapping[str, Any], kind: str | None = None) -> AnyEntity: ...


def parse_entity(mapping: Mapping[str, Any], kind: str | None = None) -> AnyEntity:
    """A typed entity from a JSON object: by ``kind`` if given, else by its own ``entity`` field.

    ``kind`` must be given where Razorpay sends no ``entity`` field: payment links, items, lines of the settlement
    report, and others (docs/reference/entities.md has all kinds). Kinds without a model give :class:`UnknownEntity`.
    Raises :class:`PayloadInvalid` (naming the fields, never the values), :class:`IdMalformed`, :class:`CurrencyError`.
    """
    if not isinstance(mapping, Mapping):
        raise PayloadInvalid(f"an entity must be a JSON object, not {type(mapping).__name__}")
    model = model_of(kind if kind is not None else mapping.get("entity"))
    return parse_as(UnknownEntity if model is None else model, dict(mapping))


def parse_collection(value: object, model: type[EntityT]) -> tuple[EntityT, ...]:
    """The items of ``{"entity": "collection", "items": […]}``, of one kind; raises as :func:`parse_as`."""
    items = value.get("items") if isinstance(value, Mapping) else None
    if not isinstance(items, list):
        raise PayloadInvalid("missing or unusable: items (list)")
    return tuple(parse_as(model, item) for item in items)

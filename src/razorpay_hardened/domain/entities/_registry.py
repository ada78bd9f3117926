"""Which models there are, without loading any: kind → class, class → module.

A process that only reads payments pays for no other model: a module is imported when one of its names is used, or
when an entity of one of its kinds is parsed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities._base import Entity

__all__ = ["KINDS", "MODULES", "load", "model_of"]

MODULES: Final[dict[str, tuple[str, ...]]] = {
    "account": (
        "Account",
        "AccountActivation",
        "AccountAddress",
        "AccountAddresses",
        "AccountApp",
        "AccountApps",
        "AccountBrand",
        "AccountContact",
        "AccountContacts",
        "AccountLegalInfo",
        "AccountProfile",
        "FundTransfer",
        "GmvLimitWarning",
    ),
    "answer": ("Acknowledgement", "ErrorBody", "ErrorDetail"),
    "bank_account": ("BankAccount", "SettlementAccount", "Vpa", "VpaValidation"),
    "bank_transfer": ("BankTransfer", "UpiTransfer"),
    "bill": (
        "Bill",
        "BillAddress",
        "BillCustomer",
        "BillEvent",
        "BillLineItem",
        "BillLoyalty",
        "BillPayment",
        "BillSummary",
        "BillTax",
        "NamedAmount",
    ),
    "card": ("Card",),
    "customer": ("Customer",),
    "device": ("DeviceActivity", "DeviceCheckout", "DeviceError"),
    "dispute": ("Dispute", "DisputeEvidence", "DisputeReason", "OtherEvidence"),
    "document": ("AccountDocuments", "Document", "UploadedProof"),
    "downtime": ("DowntimeInstrument", "PaymentDowntime", "PayoutDowntime"),
    "fulfilment": ("OrderFulfilment", "RtoReason", "RtoReview", "Shipping"),
    "fund_account": ("Contact", "FundAccount", "FundAccountValidation", "ValidationResults"),
    "iin": ("AuthenticationType", "Available", "CardReference", "Iin", "IinList"),
    "invoice": ("Invoice", "InvoiceAddress", "InvoiceCustomer", "LineItem"),
    "item": ("Item",),
    "mandate": ("MandateBankAccount", "MandateRequest", "NachForm"),
    "merchant": ("Merchant",),
    "methods": ("Eligibility", "EligibilityVerdict", "EligibleInstrument", "Methods"),
    "order": ("Order",),
    "payment": ("Payment",),
    "payment_created": ("CreatedPayment", "NextStep"),
    "payment_details": ("AcquirerData", "EmiDetails", "UpiDetails"),
    "payment_link": ("LinkCustomer", "LinkNotify", "LinkPayment", "LinkReminders", "PaymentLink"),
    "payout": ("BankingAccount", "BankingAccounts", "Payout", "PayoutLink", "PayoutStatusDetails", "Transaction"),
    "plan": ("Addon", "SubscriptionPlan"),
    "product": (
        "MerchantProduct",
        "Product",
        "ProductCheckout",
        "ProductConfiguration",
        "ProductNotifications",
        "ProductOtp",
        "ProductPaymentCapture",
        "ProductRefund",
        "ProductRequirement",
        "ProductSettlements",
        "ProductTnc",
        "TncMap",
    ),
    "qr_code": ("QrCode",),
    "refund": ("Refund",),
    "settlement": ("InstantPayout", "InstantPayouts", "InstantSettlement", "ReconItem", "Settlement"),
    "stakeholder": (
        "Stakeholder",
        "StakeholderAddress",
        "StakeholderAddresses",
        "StakeholderKyc",
        "StakeholderPhone",
        "StakeholderRelationship",
    ),
    "subscription": ("Subscription",),
    "tax_invoice": ("TaxInvoice",),
    "token": (
        "Notification",
        "ProviderData",
        "RecurringDetails",
        "ServiceProviderToken",
        "Token",
        "TokenBankDetails",
        "TokenVpa",
        "TransactionData",
    ),
    "transfer": ("Reversal", "Transfer", "TransferError"),
    "virtual_account": ("AllowedPayer", "VirtualAccount"),
    "webhook": ("EventBody", "Webhook"),
}
"""Module → the public classes that it defines."""

KINDS: Final[dict[str, str]] = {
    "account": "Account",
    "account.documents": "AccountDocuments",
    "account.gmv_limit_warning": "GmvLimitWarning",
    "acknowledgement": "Acknowledgement",
    "addon": "Addon",
    "bank_account": "BankAccount",
    "bank_transfer": "BankTransfer",
    "banking_accounts": "BankingAccounts",
    "bill": "Bill",
    "card": "Card",
    "card.reference": "CardReference",
    "contact": "Contact",
    "customer": "Customer",
    "device.activity": "DeviceActivity",
    "dispute": "Dispute",
    "document": "Document",
    "eligibility": "Eligibility",
    "error": "ErrorBody",
    "event": "EventBody",
    "fund_account": "FundAccount",
    "fund_account.validation": "FundAccountValidation",
    "iin": "Iin",
    "iin.list": "IinList",
    "invoice": "Invoice",
    "item": "Item",
    "line_item": "LineItem",
    "merchant": "Merchant",
    "merchant_product": "MerchantProduct",
    "methods": "Methods",
    "notification": "Notification",
    "order": "Order",
    "order.fulfillment": "OrderFulfilment",
    "order.rto_review": "RtoReview",
    "payment": "Payment",
    "payment.created": "CreatedPayment",
    "payment.downtime": "PaymentDowntime",
    "payment_link": "PaymentLink",
    "payout": "Payout",
    "payout.downtime": "PayoutDowntime",
    "payout_link": "PayoutLink",
    "plan": "SubscriptionPlan",
    "product": "Product",
    "qr_code": "QrCode",
    "refund": "Refund",
    "reversal": "Reversal",
    "service_provider_token": "ServiceProviderToken",
    "settlement": "Settlement",
    "settlement.ondemand": "InstantSettlement",
    "settlement.ondemand_payout": "InstantPayout",
    "settlement.recon_item": "ReconItem",
    "settlement_account": "SettlementAccount",
    "stakeholder": "Stakeholder",
    "subscription": "Subscription",
    "tnc_map": "TncMap",
    "token": "Token",
    "token.transaction_data": "TransactionData",
    "transaction": "Transaction",
    "transfer": "Transfer",
    "upi_transfer": "UpiTransfer",
    "virtual_account": "VirtualAccount",
    "vpa": "Vpa",
    "vpa.validation": "VpaValidation",
    "webhook": "Webhook",
}
"""Kind → its class. The kind is what Razorpay sends as ``entity``, where it sends one (docs/reference/entities.md)."""

_HOME: Final[dict[str, str]] = {name: module for module, names in MODULES.items() for name in names}
_loaded: dict[str, type[Entity]] = {}


def load(name: str) -> Any:
    """The class called ``name``; its module is imported if need be. Raises ``KeyError`` for a name that is no model."""
    return getattr(import_module(f"razorpay_hardened.domain.entities.{_HOME[name]}"), name)


def model_of(kind: object) -> type[Entity] | None:
    """The model of a kind; None for a kind that has none, and for what is no kind at all."""
    if not isinstance(kind, str):
        return None
    model = _loaded.get(kind)
    if model is None and kind in KINDS:
        model = _loaded[kind] = load(KINDS[kind])
    return model

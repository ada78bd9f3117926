"""Razorpay's objects as it sends them: one frozen model per kind, unknown fields kept.

In: JSON objects, or bytes as part of an envelope model (``model_validate_json``).
Out: ``Order``, ``Payment``, ``Refund``, ``Subscription`` …: frozen values that dump back to the same JSON. All
kinds, and the rules for fields, are in docs/reference/entities.md. A model is loaded when it is first used.

- ``parse_entity``      one object, by its kind
- ``parse_collection``  a page of a listing
- ``invalid``           pydantic's findings as one of our errors
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from razorpay_hardened.domain.entities._base import Collection, Detail, Entity, UnknownEntity
from razorpay_hardened.domain.entities._errors import invalid
from razorpay_hardened.domain.entities._registry import load
from razorpay_hardened.domain.entities.collection import AnyEntity, parse_as, parse_collection, parse_entity

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities.account import (
        Account,
        AccountActivation,
        AccountAddress,
        AccountAddresses,
        AccountApp,
        AccountApps,
        AccountBrand,
        AccountContact,
        AccountContacts,
        AccountLegalInfo,
        AccountProfile,
        FundTransfer,
        GmvLimitWarning,
    )
    from razorpay_hardened.domain.entities.answer import (
        Acknowledgement,
        ErrorBody,
        ErrorDetail,
    )
    from razorpay_hardened.domain.entities.bank_account import (
        BankAccount,
        SettlementAccount,
        Vpa,
        VpaValidation,
    )
    from razorpay_hardened.domain.entities.bank_transfer import (
        BankTransfer,
        UpiTransfer,
    )
    from razorpay_hardened.domain.entities.bill import (
        Bill,
        BillAddress,
        BillCustomer,
        BillEvent,
        BillLineItem,
        BillLoyalty,
        BillPayment,
        BillSummary,
        BillTax,
        NamedAmount,
    )
    from razorpay_hardened.domain.entities.card import (
        Card,
    )
    from razorpay_hardened.domain.entities.customer import (
        Customer,
    )
    from razorpay_hardened.domain.entities.device import (
        DeviceActivity,
        DeviceCheckout,
        DeviceError,
    )
    from razorpay_hardened.domain.entities.dispute import (
        Dispute,
        DisputeEvidence,
        DisputeReason,
        OtherEvidence,
    )
    from razorpay_hardened.domain.entities.document import (
        AccountDocuments,
        Document,
        UploadedProof,
    )
    from razorpay_hardened.domain.entities.downtime import (
        DowntimeInstrument,
        PaymentDowntime,
        PayoutDowntime,
    )
    from razorpay_hardened.domain.entities.fulfilment import (
        OrderFulfilment,
        RtoReason,
        RtoReview,
        Shipping,
    )
    from razorpay_hardened.domain.entities.fund_account import (
        Contact,
        FundAccount,
        FundAccountValidation,
        ValidationResults,
    )
    from razorpay_hardened.domain.entities.iin import (
        AuthenticationType,
        Available,
        CardReference,
        Iin,
        IinList,
    )
    from razorpay_hardened.domain.entities.invoice import (
        Invoice,
        InvoiceAddress,
        InvoiceCustomer,
        LineItem,
    )
    from razorpay_hardened.domain.entities.item import (
        Item,
    )
    from razorpay_hardened.domain.entities.mandate import (
        MandateBankAccount,
        MandateRequest,
        NachForm,
    )
    from razorpay_hardened.domain.entities.merchant import (
        Merchant,
    )
    from razorpay_hardened.domain.entities.methods import (
        Eligibility,
        EligibilityVerdict,
        EligibleInstrument,
        Methods,
    )
    from razorpay_hardened.domain.entities.order import (
        Order,
    )
    from razorpay_hardened.domain.entities.payment import (
        Payment,
    )
    from razorpay_hardened.domain.entities.payment_created import (
        CreatedPayment,
        NextStep,
    )
    from razorpay_hardened.domain.entities.payment_details import (
        AcquirerData,
        EmiDetails,
        UpiDetails,
    )
    from razorpay_hardened.domain.entities.payment_link import (
        LinkCustomer,
        LinkNotify,
        LinkPayment,
        LinkReminders,
        PaymentLink,
    )
    from razorpay_hardened.domain.entities.payout import (
        BankingAccount,
        BankingAccounts,
        Payout,
        PayoutLink,
        PayoutStatusDetails,
        Transaction,
    )
    from razorpay_hardened.domain.entities.plan import (
        Addon,
        SubscriptionPlan,
    )
    from razorpay_hardened.domain.entities.product import (
        MerchantProduct,
        Product,
        ProductCheckout,
        ProductConfiguration,
        ProductNotifications,
        ProductOtp,
        ProductPaymentCapture,
        ProductRefund,
        ProductRequirement,
        ProductSettlements,
        ProductTnc,
        TncMap,
    )
    from razorpay_hardened.domain.entities.qr_code import (
        QrCode,
    )
    from razorpay_hardened.domain.entities.refund import (
        Refund,
    )
    from razorpay_hardened.domain.entities.settlement import (
        InstantPayout,
        InstantPayouts,
        InstantSettlement,
        ReconItem,
        Settlement,
    )
    from razorpay_hardened.domain.entities.stakeholder import (
        Stakeholder,
        StakeholderAddress,
        StakeholderAddresses,
        StakeholderKyc,
        StakeholderPhone,
        StakeholderRelationship,
    )
    from razorpay_hardened.domain.entities.subscription import (
        Subscription,
    )
    from razorpay_hardened.domain.entities.tax_invoice import (
        TaxInvoice,
    )
    from razorpay_hardened.domain.entities.token import (
        Notification,
        ProviderData,
        RecurringDetails,
        ServiceProviderToken,
        Token,
        TokenBankDetails,
        TokenVpa,
        TransactionData,
    )
    from razorpay_hardened.domain.entities.transfer import (
        Reversal,
        Transfer,
        TransferError,
    )
    from razorpay_hardened.domain.entities.virtual_account import (
        AllowedPayer,
        VirtualAccount,
    )
    from razorpay_hardened.domain.entities.webhook import (
        EventBody,
        Webhook,
    )

__all__ = [
    "Account",
    "AccountActivation",
    "AccountAddress",
    "AccountAddresses",
    "AccountApp",
    "AccountApps",
    "AccountBrand",
    "AccountContact",
    "AccountContacts",
    "AccountDocuments",
    "AccountLegalInfo",
    "AccountProfile",
    "Acknowledgement",
    "AcquirerData",
    "Addon",
    "AllowedPayer",
    "AnyEntity",
    "AuthenticationType",
    "Available",
    "BankAccount",
    "BankTransfer",
    "BankingAccount",
    "BankingAccounts",
    "Bill",
    "BillAddress",
    "BillCustomer",
    "BillEvent",
    "BillLineItem",
    "BillLoyalty",
    "BillPayment",
    "BillSummary",
    "BillTax",
    "Card",
    "CardReference",
    "Collection",
    "Contact",
    "CreatedPayment",
    "Customer",
    "Detail",
    "DeviceActivity",
    "DeviceCheckout",
    "DeviceError",
    "Dispute",
    "DisputeEvidence",
    "DisputeReason",
    "Document",
    "DowntimeInstrument",
    "Eligibility",
    "EligibilityVerdict",
    "EligibleInstrument",
    "EmiDetails",
    "Entity",
    "ErrorBody",
    "ErrorDetail",
    "EventBody",
    "FundAccount",
    "FundAccountValidation",
    "FundTransfer",
    "GmvLimitWarning",
    "Iin",
    "IinList",
    "InstantPayout",
    "InstantPayouts",
    "InstantSettlement",
    "Invoice",
    "InvoiceAddress",
    "InvoiceCustomer",
    "Item",
    "LineItem",
    "LinkCustomer",
    "LinkNotify",
    "LinkPayment",
    "LinkReminders",
    "MandateBankAccount",
    "MandateRequest",
    "Merchant",
    "MerchantProduct",
    "Methods",
    "NachForm",
    "NamedAmount",
    "NextStep",
    "Notification",
    "Order",
    "OrderFulfilment",
    "OtherEvidence",
    "Payment",
    "PaymentDowntime",
    "PaymentLink",
    "Payout",
    "PayoutDowntime",
    "PayoutLink",
    "PayoutStatusDetails",
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
    "ProviderData",
    "QrCode",
    "ReconItem",
    "RecurringDetails",
    "Refund",
    "Reversal",
    "RtoReason",
    "RtoReview",
    "ServiceProviderToken",
    "Settlement",
    "SettlementAccount",
    "Shipping",
    "Stakeholder",
    "StakeholderAddress",
    "StakeholderAddresses",
    "StakeholderKyc",
    "StakeholderPhone",
    "StakeholderRelationship",
    "Subscription",
    "SubscriptionPlan",
    "TaxInvoice",
    "TncMap",
    "Token",
    "TokenBankDetails",
    "TokenVpa",
    "Transaction",
    "TransactionData",
    "Transfer",
    "TransferError",
    "UnknownEntity",
    "UpiDetails",
    "UpiTransfer",
    "UploadedProof",
    "ValidationResults",
    "VirtualAccount",
    "Vpa",
    "VpaValidation",
    "Webhook",
    "invalid",
    "parse_as",
    "parse_collection",
    "parse_entity",
]


def __getattr__(name: str) -> Any:
    try:
        model = load(name)
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    globals()[name] = model
    return model


def __dir__() -> list[str]:
    return sorted(__all__)

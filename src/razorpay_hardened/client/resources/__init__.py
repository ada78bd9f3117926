"""One module per resource of the API: typed in, typed out, checked on both sides.

In: checked ids, ``Money``, plain values. Out: entities, pages, or our errors. Each method is a function that says what
to ask (``_ask.Ask``, a plan of several, or a listing to walk); ``_surface`` makes the blocking and the awaited method
of it. How a call is repeated is not decided here: modules name their operations (``_operations``) and how a doubt
about a write is settled.

A resource's module is loaded when it is first used, and called like its attribute of the client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from razorpay_hardened.client.resources.accounts import Accounts, AsyncAccounts
    from razorpay_hardened.client.resources.addons import Addons, AsyncAddons
    from razorpay_hardened.client.resources.cards import AsyncCards, Cards
    from razorpay_hardened.client.resources.customers import AsyncCustomers, Customers
    from razorpay_hardened.client.resources.devices import AsyncDevices, Devices
    from razorpay_hardened.client.resources.disputes import AsyncDisputes, Disputes
    from razorpay_hardened.client.resources.documents import AsyncDocuments, Documents
    from razorpay_hardened.client.resources.fund_accounts import AsyncFundAccounts, FundAccounts
    from razorpay_hardened.client.resources.iins import AsyncIins, Iins
    from razorpay_hardened.client.resources.invoices import AsyncInvoices, Invoices
    from razorpay_hardened.client.resources.items import AsyncItems, Items
    from razorpay_hardened.client.resources.orders import AsyncOrders, Orders
    from razorpay_hardened.client.resources.payment_links import AsyncPaymentLinks, PaymentLinks
    from razorpay_hardened.client.resources.payments import AsyncPayments, Payments
    from razorpay_hardened.client.resources.plans import AsyncPlans, Plans
    from razorpay_hardened.client.resources.products import AsyncProducts, Products
    from razorpay_hardened.client.resources.qr_codes import AsyncQrCodes, QrCodes
    from razorpay_hardened.client.resources.refunds import AsyncRefunds, Refunds
    from razorpay_hardened.client.resources.registration_links import AsyncRegistrationLinks, RegistrationLinks
    from razorpay_hardened.client.resources.settlements import AsyncSettlements, Settlements
    from razorpay_hardened.client.resources.stakeholders import AsyncStakeholders, Stakeholders
    from razorpay_hardened.client.resources.subscriptions import AsyncSubscriptions, Subscriptions
    from razorpay_hardened.client.resources.tokens import AsyncTokens, Tokens
    from razorpay_hardened.client.resources.transfers import AsyncTransfers, Transfers
    from razorpay_hardened.client.resources.virtual_accounts import AsyncVirtualAccounts, VirtualAccounts
    from razorpay_hardened.client.resources.webhooks import AsyncWebhooks, Webhooks

__all__ = [
    "NAMES",
    "AsyncAccounts",
    "Accounts",
    "AsyncAddons",
    "Addons",
    "AsyncCards",
    "Cards",
    "AsyncCustomers",
    "Customers",
    "AsyncDevices",
    "Devices",
    "AsyncDisputes",
    "Disputes",
    "AsyncDocuments",
    "Documents",
    "AsyncFundAccounts",
    "FundAccounts",
    "AsyncIins",
    "Iins",
    "AsyncInvoices",
    "Invoices",
    "AsyncItems",
    "Items",
    "AsyncOrders",
    "Orders",
    "AsyncPaymentLinks",
    "PaymentLinks",
    "AsyncPayments",
    "Payments",
    "AsyncPlans",
    "Plans",
    "AsyncProducts",
    "Products",
    "AsyncQrCodes",
    "QrCodes",
    "AsyncRefunds",
    "Refunds",
    "AsyncRegistrationLinks",
    "RegistrationLinks",
    "AsyncSettlements",
    "Settlements",
    "AsyncStakeholders",
    "Stakeholders",
    "AsyncSubscriptions",
    "Subscriptions",
    "AsyncTokens",
    "Tokens",
    "AsyncTransfers",
    "Transfers",
    "AsyncVirtualAccounts",
    "VirtualAccounts",
    "AsyncWebhooks",
    "Webhooks",
    "load",
]

NAMES = (
    "accounts",
    "addons",
    "cards",
    "customers",
    "devices",
    "disputes",
    "documents",
    "fund_accounts",
    "iins",
    "invoices",
    "items",
    "orders",
    "payment_links",
    "payments",
    "plans",
    "products",
    "qr_codes",
    "refunds",
    "registration_links",
    "settlements",
    "stakeholders",
    "subscriptions",
    "tokens",
    "transfers",
    "virtual_accounts",
    "webhooks",
)
"""The client's attributes, one per module."""


def load(name: str, *, awaited: bool = False) -> Any:
    """The class of the resource ``name``. Raises :class:`AttributeError` for another name, as attributes do."""
    if name not in NAMES:
        raise AttributeError(f"the client has no {name!r}; it has {', '.join(NAMES)}")
    return getattr(import_module(f"{__name__}.{name}"), ("Async" if awaited else "") + _class_name(name))


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


_MODULES = {_class_name(name): name for name in NAMES}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name.removeprefix("Async"))
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)

"""Razorpay for teams who take real money.

    from razorpay_hardened import Money, Razorpay

    rzp = Razorpay.from_env()

In: environment variables, your handlers, requests as your framework received them. Out: orders to pay, replies to send,
effects that happen once. The public names are below; everything else may change. Importing this package loads nothing
but this file: each name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from razorpay_hardened._version import __version__

if TYPE_CHECKING:
    from razorpay_hardened import compat, emulator, errors, web
    from razorpay_hardened.audit import Explanation, Past, Verification
    from razorpay_hardened.checkout import CheckoutOrder, Confirmation
    from razorpay_hardened.client import AsyncClient, Client
    from razorpay_hardened.clock import Clock, FrozenClock, SystemClock
    from razorpay_hardened.domain.entities import Order, Payment, Refund, parse_entity
    from razorpay_hardened.domain.events import WebhookEvent
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.domain.ours import Ours
    from razorpay_hardened.domain.plans import Plan, PlanCatalog
    from razorpay_hardened.effects import Change, EffectTransaction, NonRetryable, Retry, RetryAfter, RetryAt
    from razorpay_hardened.errors import RazorpayHardenedError
    from razorpay_hardened.ports.store import Store
    from razorpay_hardened.reconcile import Reconciliation, Recovered, Silence
    from razorpay_hardened.retention import RetentionPolicy
    from razorpay_hardened.settings import Settings
    from razorpay_hardened.signing import (
        Secret,
        VerifiedBody,
        WebhookVerifier,
        sign_for_test,
        verify_checkout,
        verify_payment_link,
        verify_subscription,
        verify_webhook,
    )
    from razorpay_hardened.storage import DbApiStore, MemoryStore, PostgresStore, SQLiteStore
    from razorpay_hardened.webhooks import parse_event, unwrap_webhook
    from razorpay_hardened.wiring import Razorpay
    from razorpay_hardened.worker import Worked, Worker

_WHERE = {
    "AsyncClient": "client",
    "Change": "effects",
    "CheckoutOrder": "checkout",
    "Client": "client",
    "Clock": "clock",
    "Confirmation": "checkout",
    "DbApiStore": "storage",
    "EffectTransaction": "effects",
    "Explanation": "audit",
    "FrozenClock": "clock",
    "MemoryStore": "storage",
    "Money": "domain.money",
    "NonRetryable": "effects",
    "Order": "domain.entities",
    "Ours": "domain.ours",
    "Past": "audit",
    "Payment": "domain.entities",
    "Plan": "domain.plans",
    "PlanCatalog": "domain.plans",
    "PostgresStore": "storage",
    "Razorpay": "wiring",
    "RazorpayHardenedError": "errors",
    "Reconciliation": "reconcile",
    "Recovered": "reconcile",
    "Refund": "domain.entities",
    "RetentionPolicy": "retention",
    "Retry": "effects",
    "RetryAfter": "effects",
    "RetryAt": "effects",
    "SQLiteStore": "storage",
    "Secret": "signing",
    "Settings": "settings",
    "Silence": "reconcile",
    "Store": "ports.store",
    "SystemClock": "clock",
    "Verification": "audit",
    "VerifiedBody": "signing",
    "WebhookEvent": "domain.events",
    "WebhookVerifier": "signing",
    "Worked": "worker",
    "Worker": "worker",
    "parse_entity": "domain.entities",
    "parse_event": "webhooks",
    "sign_for_test": "signing",
    "unwrap_webhook": "webhooks",
    "verify_checkout": "signing",
    "verify_payment_link": "signing",
    "verify_subscription": "signing",
    "verify_webhook": "signing",
}
"""Public name → the room that it lives in."""

_ROOMS = ("compat", "emulator", "errors", "web")

__all__ = [
    "AsyncClient",
    "Change",
    "CheckoutOrder",
    "Client",
    "Clock",
    "Confirmation",
    "DbApiStore",
    "EffectTransaction",
    "Explanation",
    "FrozenClock",
    "MemoryStore",
    "Money",
    "NonRetryable",
    "Order",
    "Ours",
    "Past",
    "Payment",
    "Plan",
    "PlanCatalog",
    "PostgresStore",
    "Razorpay",
    "RazorpayHardenedError",
    "Reconciliation",
    "Recovered",
    "Refund",
    "RetentionPolicy",
    "Retry",
    "RetryAfter",
    "RetryAt",
    "SQLiteStore",
    "Secret",
    "Settings",
    "Silence",
    "Store",
    "SystemClock",
    "Verification",
    "VerifiedBody",
    "WebhookEvent",
    "WebhookVerifier",
    "Worked",
    "Worker",
    "__version__",
    "compat",
    "emulator",
    "errors",
    "parse_entity",
    "parse_event",
    "sign_for_test",
    "unwrap_webhook",
    "verify_checkout",
    "verify_payment_link",
    "verify_subscription",
    "verify_webhook",
    "web",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    room = _WHERE.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{room}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

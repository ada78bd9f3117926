"""Every endpoint and every event of the emulator, collected from the modules of its resources."""

from __future__ import annotations

from razorpay_hardened.emulator import (
    _accounts,
    _bank_accounts,
    _customers,
    _disputes,
    _documents,
    _downtimes,
    _eligibility,
    _fees,
    _invoices,
    _items,
    _links,
    _methods,
    _network_tokens,
    _orders,
    _otp,
    _payments,
    _plans,
    _qr_codes,
    _refunds,
    _registration,
    _s2s,
    _settlements,
    _shipping,
    _subscriptions,
    _transfers,
    _virtual_accounts,
)
from razorpay_hardened.emulator._route import EventKind, Route

__all__ = ["EVENTS", "ROUTES"]

_RESOURCES = (
    _orders,
    _shipping,
    _payments,
    _s2s,
    _otp,
    _fees,
    _methods,
    _refunds,
    _settlements,
    _disputes,
    _documents,
    _links,
    _customers,
    _bank_accounts,
    _eligibility,
    _network_tokens,
    _registration,
    _items,
    _plans,
    _subscriptions,
    _invoices,
    _qr_codes,
    _virtual_accounts,
    _transfers,
    _accounts,
    _downtimes,
)

ROUTES: tuple[Route, ...] = tuple(route for module in _RESOURCES for route in module.ROUTES)
EVENTS: tuple[EventKind, ...] = tuple(event for module in _RESOURCES for event in module.EVENTS)

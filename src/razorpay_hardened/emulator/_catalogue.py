"""Every endpoint and every event of the emulator, collected from the modules of its resources."""

from __future__ import annotations

from razorpay_hardened.emulator import (
    _accounts,
    _customers,
    _devices,
    _disputes,
    _documents,
    _downtimes,
    _fund_accounts,
    _iins,
    _invoices,
    _items,
    _links,
    _orders,
    _payments,
    _plans,
    _products,
    _proofs,
    _qr_codes,
    _refunds,
    _settlements,
    _stakeholders,
    _subscriptions,
    _transfers,
    _virtual_accounts,
    _webhooks,
)
from razorpay_hardened.emulator._route import EventKind, Route

__all__ = ["EVENTS", "ROUTES"]

_RESOURCES = (
    _orders,
    _payments,
    _refunds,
    _settlements,
    _disputes,
    _documents,
    _links,
    _customers,
    _items,
    _plans,
    _subscriptions,
    _invoices,
    _qr_codes,
    _virtual_accounts,
    _transfers,
    _accounts,
    _stakeholders,
    _proofs,
    _products,
    _webhooks,
    _fund_accounts,
    _iins,
    _devices,
    _downtimes,
)

ROUTES: tuple[Route, ...] = tuple(route for module in _RESOURCES for route in module.ROUTES)
EVENTS: tuple[EventKind, ...] = tuple(event for module in _RESOURCES for event in module.EVENTS)

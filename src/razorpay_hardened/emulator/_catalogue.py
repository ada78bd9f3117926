"""Every endpoint and every event of the emulator, collected from the modules of its resources."""

from __future__ import annotations

from razorpay_hardened.emulator import _orders, _payments, _refunds, _settlements
from razorpay_hardened.emulator._route import EventKind, Route

__all__ = ["EVENTS", "ROUTES"]

_RESOURCES = (_orders, _payments, _refunds, _settlements)

ROUTES: tuple[Route, ...] = tuple(route for module in _RESOURCES for route in module.ROUTES)
EVENTS: tuple[EventKind, ...] = tuple(event for module in _RESOURCES for event in module.EVENTS)

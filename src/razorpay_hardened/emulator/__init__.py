"""A deterministic Razorpay of our own: the real wire format over a world with a seed and a virtual clock.

In: API calls, customers who pay, time that is told to pass, and rules about what goes wrong.
Out: Razorpay's answers, signed webhooks, and the state of the account to compare one's own books with.

It is a second, independent reading of how Razorpay behaves: it shares no rule with the library, so that agreement
between the two means something. It stores nothing, and it must never be given a live key.

- ``emulator``     the account, its customers and its faces (:class:`Emulator`)
- ``world``        the state and the one door: ``World.handle(Request) -> Reply``, pure
- ``clock``        virtual time; due things happen in order while it advances
- ``deliver``      webhooks: lost, doubled, late, out of order, tampered, retried for a day
- ``faults``       the fault language
- ``instruments``  the published test cards and UPI ids
- ``checkout.js``  a stand-in for Razorpay's script, at ``/v1/checkout.js``, for shops in a real browser
- ``options``      what differs between accounts or is UNCONFIRMED
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from razorpay_hardened.emulator._events import Event
from razorpay_hardened.emulator.clock import VirtualClock
from razorpay_hardened.emulator.deliver import Attempt, Deliverer, Deliveries, Delivery, Notice, Webhook
from razorpay_hardened.emulator.emulator import DEFAULT_START, Emulator
from razorpay_hardened.emulator.faults import EVENT_FAULTS, FAULTS, Faults, Rule
from razorpay_hardened.emulator.options import Options
from razorpay_hardened.emulator.wire import Reply, Request
from razorpay_hardened.emulator.world import Account, World

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

__all__ = [
    "DEFAULT_START",
    "EVENT_FAULTS",
    "FAULTS",
    "Account",
    "Attempt",
    "Deliverer",
    "Deliveries",
    "Delivery",
    "Emulator",
    "Event",
    "Faults",
    "Notice",
    "Options",
    "Reply",
    "Request",
    "Rule",
    "VirtualClock",
    "Webhook",
    "World",
    "serve_forever",
]


def serve_forever(
    host: str = "127.0.0.1",
    port: int = 8765,
    *,
    speed: float = 1.0,
    ready: Callable[[Emulator], None] | None = None,
    stop: threading.Event | None = None,
    **settings: Any,
) -> None:
    """Serve an emulator until interrupted or until ``stop`` is set; ``settings`` go to :class:`Emulator`.

    ``speed`` is how many virtual seconds pass in a real one (0: none). ``ready`` is called with the emulator once it
    listens. Raises :class:`ConfigError`.
    """
    from razorpay_hardened.emulator._http import serve_forever as serve

    serve(Emulator(host=host, port=port, **settings), speed=speed, stop=stop, ready=ready)

"""The pytest plugin (entry point ``razorpay_hardened``): Razorpay in your tests, without network, account or waiting.

    def test_access_is_granted_once(razorpay, razorpay_emulator, razorpay_deliver):
        order = razorpay.checkout.start(owner="user:7", amount=Money.inr("499.00"))
        razorpay_emulator.pay(order.order_id)
        razorpay_deliver()
        razorpay_deliver()
        assert razorpay.checkout.status(order.order_id).status == "paid"

Fixtures, each new for every test and shared with nobody (safe under pytest-xdist):

- ``razorpay_emulator``  a Razorpay in this process: customers, banks, webhooks, faults, a clock that you move
- ``razorpay_store``     an empty store in memory, with its tables
- ``razorpay``           :class:`~razorpay_hardened.Razorpay`, wired to both, on the emulator's clock
- ``razorpay_deliver``   hands the emulator's webhooks to ``razorpay.webhooks.handle``

Your application's own ``Razorpay`` takes the place of ours by overriding the fixture ``razorpay`` in a ``conftest.py``.

pytest loads this module in every run on the machine, so it imports nothing of ours until a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from razorpay_hardened import MemoryStore, Razorpay
    from razorpay_hardened.emulator import Attempt, Emulator

__all__ = ["Deliver", "razorpay", "razorpay_deliver", "razorpay_emulator", "razorpay_store"]

_NOWHERE = "http://127.0.0.1:1"  # the client's session answers in process; a call that went around it reaches nobody


class Deliver:
    """Delivers the emulator's webhooks: ``deliver()`` now, ``deliver(3600)`` as they fall due within an hour."""

    def __init__(self, emulator: Emulator, rzp: Razorpay) -> None:
        self._emulator = emulator
        self._rzp = rzp
        emulator.deliver.to(self._handle)

    def _handle(self, method: str, headers: dict[str, str], body: bytes) -> int:
        from razorpay_hardened.web import Request

        return self._rzp.webhooks.handle(Request(method, headers, body)).status

    def __call__(self, seconds: float | None = None) -> list[Attempt]:
        """Make attempts; gives those that were made, each with the ``status`` that your side answered.

        Without ``seconds``, everything outstanding goes out once, due or not, and no time passes. With it, the
        emulator's clock advances, and deliveries, their retries and the bank's late answers happen in their order.
        """
        log = self._emulator.deliver.log
        before = len(log)
        if seconds is None:
            self._emulator.deliver.flush()
        else:
            self._emulator.clock.advance(seconds)
        return log[before:]


@pytest.fixture
def razorpay_emulator() -> Iterator[Emulator]:
    """An emulated Razorpay in this process, the same at every run: no socket, no sleeping.

    ``pay(order_id, …)`` is the customer, ``clock.advance(seconds)`` lets time pass, ``faults.add("…")`` breaks things.
    """
    from razorpay_hardened.emulator import Emulator

    with Emulator(in_process=True) as emulator:
        yield emulator


@pytest.fixture
def razorpay_store() -> Iterator[MemoryStore]:
    """An empty store in memory, with its tables: the same SQL as :class:`~razorpay_hardened.SQLiteStore`."""
    from razorpay_hardened.storage import MemoryStore

    store = MemoryStore()
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def razorpay(razorpay_emulator: Emulator, razorpay_store: MemoryStore) -> Iterator[Razorpay]:
    """:class:`~razorpay_hardened.Razorpay` on ``razorpay_emulator`` and ``razorpay_store``; time is the emulator's.

    Register handlers on it as in your application: ``@razorpay.on("order.paid")``. The environment is not looked at.
    """
    from razorpay_hardened.client import Client
    from razorpay_hardened.wiring import Razorpay

    rz = razorpay_emulator
    client = Client(rz.key_id, rz.key_secret, base_url=_NOWHERE, session=rz.session(), clock=rz.clock)
    environ = {
        "RAZORPAY_KEY_ID": rz.key_id,
        "RAZORPAY_KEY_SECRET": rz.key_secret,
        "RAZORPAY_WEBHOOK_SECRET": rz.webhook_secret,
    }
    with Razorpay.from_env(environ, store=razorpay_store, client=client, clock=rz.clock) as rzp:
        yield rzp
    client.close()


@pytest.fixture
def razorpay_deliver(razorpay_emulator: Emulator, razorpay: Razorpay) -> Deliver:
    """Webhooks from ``razorpay_emulator`` to ``razorpay.webhooks.handle``, when you call it: see :class:`Deliver`."""
    return Deliver(razorpay_emulator, razorpay)

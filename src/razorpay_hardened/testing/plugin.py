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
- ``razorpay_clock``     the emulator's clock, which is also ``razorpay``'s: ``advance(seconds)``
- ``signed_webhook``     makes any documented event, signed: ``signed_webhook("payment.captured")``

The bodies alone are in :mod:`razorpay_hardened.testing.factories`.

Your application's own ``Razorpay`` takes the place of ours by overriding the fixture ``razorpay`` in a ``conftest.py``.

pytest loads this module in every run on the machine, so it imports nothing of ours until a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from razorpay_hardened import MemoryStore, Razorpay
    from razorpay_hardened.emulator import Attempt, Emulator, VirtualClock
    from razorpay_hardened.web import Request

__all__ = [
    "Deliver",
    "SignedWebhook",
    "SignedWebhooks",
    "razorpay",
    "razorpay_clock",
    "razorpay_deliver",
    "razorpay_emulator",
    "razorpay_store",
    "signed_webhook",
]

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


class SignedWebhook(NamedTuple):
    """What Razorpay would POST. Its ``headers`` and ``body`` fit any framework's test client."""

    headers: dict[str, str]
    body: bytes

    def request(self) -> Request:
        """The same for ``razorpay.webhooks.handle``."""
        from razorpay_hardened.web import Request

        return Request("POST", self.headers, self.body)


class SignedWebhooks:
    """Makes signed webhooks: ``signed_webhook("refund.processed", refund={"amount": 500})``."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def __call__(
        self, name: str, /, *, n: int = 1, secret: str | None = None, event_id: str | None = None, **entities: Any
    ) -> SignedWebhook:
        """The event ``name`` of now, as in :func:`razorpay_hardened.testing.factories.event`.

        ``secret`` is the emulator's webhook secret unless given; ``event_id`` the header's, the same for the same
        ``name`` and ``n`` unless given. Raises :class:`ConfigError` for events that Razorpay does not have.
        """
        from razorpay_hardened.testing.factories import body

        raw = body(name, n=n, at=self._emulator.clock.now(), account_id=self._emulator.account_id, **entities)
        return self.sign(raw, secret=secret, event_id=event_id or _event_id(name, n))

    def sign(self, body: bytes, *, secret: str | None = None, event_id: str = "Sample00000000") -> SignedWebhook:
        """A body of your own, signed."""
        from razorpay_hardened.signing import SIGNATURE_HEADER, sign_for_test

        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Razorpay-Webhook/v1",
            "X-Razorpay-Event-Id": event_id,
            SIGNATURE_HEADER: sign_for_test(body, secret or self._emulator.webhook_secret),
        }
        return SignedWebhook(headers, body)


def _event_id(name: str, n: int) -> str:
    import hashlib

    return hashlib.sha256(f"{name} {n}".encode()).hexdigest()[:14]


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


@pytest.fixture
def razorpay_clock(razorpay_emulator: Emulator) -> VirtualClock:
    """The time of ``razorpay_emulator`` and of ``razorpay``. It stands still but for ``advance(seconds)``."""
    return razorpay_emulator.clock


@pytest.fixture
def signed_webhook(razorpay_emulator: Emulator) -> SignedWebhooks:
    """Any documented event, signed: ``signed_webhook("payment.captured")``; see :class:`SignedWebhooks`.

    What it says is made up: it is for your endpoint's own behaviour. For a whole story, let ``razorpay_emulator.pay``.
    """
    return SignedWebhooks(razorpay_emulator)

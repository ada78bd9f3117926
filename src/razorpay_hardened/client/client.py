"""The client: one object, the API's resources, and the limits under which they work."""

from __future__ import annotations

import os
import random as random_module
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from razorpay_hardened.client._base import ClientBase
from razorpay_hardened.client._caller import Caller, Options, Settings
from razorpay_hardened.client._credentials import Credentials
from razorpay_hardened.client._drive import Conductor
from razorpay_hardened.client._options import (
    LIVE_URL,
    changed,
    check_base_url,
    credentials_from,
    free_request,
    hidden,
    settings_from,
)
from razorpay_hardened.signing.keys import Secret

if TYPE_CHECKING:
    from razorpay_hardened.client._gateway import Gateway
    from razorpay_hardened.client.resources import (
        Accounts,
        Addons,
        Cards,
        Customers,
        Devices,
        Disputes,
        Documents,
        FundAccounts,
        Iins,
        Invoices,
        Items,
        Orders,
        PaymentLinks,
        Payments,
        Plans,
        Products,
        QrCodes,
        Refunds,
        RegistrationLinks,
        Settlements,
        Stakeholders,
        Subscriptions,
        Tokens,
        Transfers,
        VirtualAccounts,
        Webhooks,
    )
    from razorpay_hardened.clock import Clock
    from razorpay_hardened.ports.gateway import Gateway as GatewayPort
    from razorpay_hardened.signals import Bus

    def _satisfies(client: Client) -> GatewayPort:  # checked by the type checker, never run
        return client


__all__ = ["Client"]


class _Connection:
    """The gateway, made at the first call and again after a fork: a child must not share its parent's sockets."""

    __slots__ = ("_base_url", "_credentials", "_gateway", "_session")

    def __init__(self, base_url: str, credentials: Credentials, session: Any) -> None:
        self._base_url = base_url
        self._credentials = credentials
        self._session = session
        self._gateway: Gateway | None = None

    def get(self) -> Gateway:
        # No lock: two threads that race here make one pool too many, which the garbage collector takes back.
        gateway = self._gateway
        if gateway is None or gateway.pid != os.getpid():
            gateway = self._gateway = self._make()
        return gateway

    def _make(self) -> Gateway:
        from razorpay_hardened.client._gateway import Gateway

        if self._session is not None:
            from razorpay_hardened.client._requests import SessionTransport

            return Gateway(self._credentials, self._base_url, SessionTransport(self._session))
        from razorpay_hardened.client._transport import UrllibTransport

        return Gateway(self._credentials, self._base_url, UrllibTransport(self._base_url))

    def close(self) -> None:
        gateway, self._gateway = self._gateway, None
        if gateway is not None and gateway.pid == os.getpid():
            gateway.close()


class Client(ClientBase):
    """Razorpay's API: typed, bounded in time, and never charging twice.

        client = Client("rzp_test_…", secret)
        order = client.orders.create(amount=Money.inr("499.00"), receipt="inv-42")

    ``access_token`` takes a partner's OAuth token instead of the key and its secret.

    Times are seconds: ``connect_timeout_s`` for one connection, ``read_timeout_s`` between two bytes,
    ``total_timeout_s`` for a call with all its attempts and waits. ``max_attempts`` counts the first one.
    ``retries_per_call`` bounds what all calls together may retry (0.2: one retry for five calls, plus one a second), so
    that an outage is not answered with a multiple of its load. ``bulk_reads_per_s`` is the pace of listings; it gives
    way when Razorpay answers 429.

    ``session`` is a ``requests.Session`` of yours; without it, a thin session over urllib3 is made at the first call,
    which honours proxy variables and ``REQUESTS_CA_BUNDLE``. ``clock`` makes waits testable, ``bus`` hears an
    ``ApiAttempt`` per request and an ``ApiCall`` per call, ``random`` makes jitter repeatable.

    Safe to share between threads, and to use on both sides of a fork. ``repr`` shows the key id, never the secret; it
    cannot be pickled. After :meth:`close` the next call opens connections again. Raises :class:`ConfigError` for
    settings that are missing or unsafe: a live key goes to Razorpay and nowhere else (FAULTS rule 11).
    """

    __slots__ = ()
    _awaited = False

    accounts: Accounts
    addons: Addons
    cards: Cards
    customers: Customers
    devices: Devices
    disputes: Disputes
    documents: Documents
    fund_accounts: FundAccounts
    iins: Iins
    invoices: Invoices
    items: Items
    orders: Orders
    payment_links: PaymentLinks
    payments: Payments
    plans: Plans
    products: Products
    qr_codes: QrCodes
    refunds: Refunds
    registration_links: RegistrationLinks
    settlements: Settlements
    stakeholders: Stakeholders
    subscriptions: Subscriptions
    tokens: Tokens
    transfers: Transfers
    virtual_accounts: VirtualAccounts
    webhooks: Webhooks

    def __init__(
        self,
        key_id: str | None = None,
        key_secret: str | Secret | None = None,
        *,
        access_token: str | Secret | None = None,
        base_url: str = LIVE_URL,
        session: Any = None,
        clock: Clock | None = None,
        bus: Bus | None = None,
        connect_timeout_s: float = 5,
        read_timeout_s: float = 20,
        total_timeout_s: float = 30,
        max_attempts: int = 4,
        retries_per_call: float = 0.2,
        bulk_reads_per_s: float = 20,
        random: random_module.Random | None = None,
    ) -> None:
        # Rebound at once: were an error raised below, a crash report would show this frame's variables.
        key_secret, access_token = hidden(key_secret, "key_secret"), hidden(access_token, "access_token")
        credentials = credentials_from(key_id, key_secret, access_token)
        settings = settings_from(
            credentials,
            clock=clock,
            bus=bus,
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=read_timeout_s,
            bulk_reads_per_s=bulk_reads_per_s,
            retries_per_call=retries_per_call,
            random=random,
        )
        connection = _Connection(check_base_url(base_url, credentials), credentials, session)
        self._begin(connection, settings, changed(None, total_timeout_s, max_attempts))

    def _begin(self, connection: _Connection, settings: Settings, options: Options) -> None:
        self._connection = connection
        self._settings = settings
        self._options = options
        self._conductor = Conductor(Caller(settings, options), connection.get)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Any other endpoint: the answer's JSON as plain values; ``{}`` for an empty answer.

        ``path`` is ``/v1/…`` or ``/v2/…`` without a query. A GET is retried; anything else is sent once and raises
        :class:`OutcomeUnknown` when its answer is lost. Raises :class:`FieldInvalid` for a path that is not plain.
        """
        return self._conductor.do(free_request(method, path, params, body))

    def close(self) -> None:
        """Close idle connections; a session that you gave stays open."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

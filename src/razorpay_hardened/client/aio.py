"""The asynchronous client: the same resources, rules and errors, awaited."""

from __future__ import annotations

import os
import random as random_module
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from razorpay_hardened.client._aio import AsyncGateway
from razorpay_hardened.client._base import ClientBase
from razorpay_hardened.client._caller import Caller, Options, Settings
from razorpay_hardened.client._drive import AsyncConductor
from razorpay_hardened.client._options import (
    LIVE_URL,
    changed,
    check_base_url,
    credentials_from,
    free_request,
    hidden,
    settings_from,
)
from razorpay_hardened.clock import SystemClock
from razorpay_hardened.signing.keys import Secret

if TYPE_CHECKING:
    from razorpay_hardened.client._credentials import Credentials
    from razorpay_hardened.client.resources import (
        AsyncAccounts,
        AsyncAddons,
        AsyncCards,
        AsyncCustomers,
        AsyncDevices,
        AsyncDisputes,
        AsyncDocuments,
        AsyncFundAccounts,
        AsyncIins,
        AsyncInvoices,
        AsyncItems,
        AsyncOrders,
        AsyncPaymentLinks,
        AsyncPayments,
        AsyncPlans,
        AsyncProducts,
        AsyncQrCodes,
        AsyncRefunds,
        AsyncRegistrationLinks,
        AsyncSettlements,
        AsyncStakeholders,
        AsyncSubscriptions,
        AsyncTokens,
        AsyncTransfers,
        AsyncVirtualAccounts,
        AsyncWebhooks,
    )
    from razorpay_hardened.clock import AsyncClock
    from razorpay_hardened.signals import Bus

__all__ = ["AsyncClient"]


class _Connection:
    """The gateway, made at the first call and again after a fork."""

    __slots__ = ("_base_url", "_credentials", "_gateway", "_session")

    def __init__(self, base_url: str, credentials: Credentials, session: Any) -> None:
        self._base_url = base_url
        self._credentials = credentials
        self._session = session
        self._gateway: AsyncGateway | None = None

    def get(self) -> AsyncGateway:
        gateway = self._gateway
        if gateway is None or gateway.pid != os.getpid():
            from razorpay_hardened.client._aiohttp import AiohttpTransport

            transport = AiohttpTransport(self._base_url, session=self._session)
            gateway = self._gateway = AsyncGateway(self._credentials, self._base_url, transport)
        return gateway

    async def close(self) -> None:
        gateway, self._gateway = self._gateway, None
        if gateway is not None and gateway.pid == os.getpid():
            await gateway.close()


class AsyncClient(ClientBase):
    """Razorpay's API for ``async`` code: what :class:`Client` does, without blocking the event loop.

        async with AsyncClient("rzp_test_…", secret) as client:
            order = await client.orders.create(amount=Money.inr("499.00"), receipt="inv-42")
            async for payment in client.payments.iter(from_=…): ...

    Every option of :class:`Client` is here too, with the same meaning. ``session`` is an ``aiohttp.ClientSession`` of
    yours; without it one is made at the first call, in the running event loop. Needs the extra ``async``.

    Tasks may share it; each event loop gets connections of its own. A task that is cancelled while a write is under
    way leaves its outcome unknown: look before you repeat it.
    """

    __slots__ = ()
    _awaited = True

    accounts: AsyncAccounts
    addons: AsyncAddons
    cards: AsyncCards
    customers: AsyncCustomers
    devices: AsyncDevices
    disputes: AsyncDisputes
    documents: AsyncDocuments
    fund_accounts: AsyncFundAccounts
    iins: AsyncIins
    invoices: AsyncInvoices
    items: AsyncItems
    orders: AsyncOrders
    payment_links: AsyncPaymentLinks
    payments: AsyncPayments
    plans: AsyncPlans
    products: AsyncProducts
    qr_codes: AsyncQrCodes
    refunds: AsyncRefunds
    registration_links: AsyncRegistrationLinks
    settlements: AsyncSettlements
    stakeholders: AsyncStakeholders
    subscriptions: AsyncSubscriptions
    tokens: AsyncTokens
    transfers: AsyncTransfers
    virtual_accounts: AsyncVirtualAccounts
    webhooks: AsyncWebhooks

    def __init__(
        self,
        key_id: str | None = None,
        key_secret: str | Secret | None = None,
        *,
        access_token: str | Secret | None = None,
        base_url: str = LIVE_URL,
        session: Any = None,
        clock: AsyncClock | None = None,
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
            clock=clock or SystemClock(),
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
        clock: Any = settings.clock  # the constructor takes no other than one with sleep_async
        self._conductor = AsyncConductor(Caller(settings, options), connection.get, clock.sleep_async)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Any other endpoint: see :meth:`Client.request`."""
        return await self._conductor.do(free_request(method, path, params, body))

    async def close(self) -> None:
        """Close idle connections; a session that you gave stays open."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

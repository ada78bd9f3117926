"""The emulator's aiohttp session: what happens in process is what happens over a socket, error by error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from razorpay_hardened import Money
from razorpay_hardened.client._aiohttp import AiohttpTransport
from razorpay_hardened.client._credentials import Credentials
from razorpay_hardened.client._values import Answer, Fault, Limits
from razorpay_hardened.client.aio import AsyncClient
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.signing.keys import Secret

ORDER = {"amount": 50000, "currency": "INR", "receipt": "r-1"}
BRIEF, PATIENT = aiohttp.ClientTimeout(sock_read=0.05), aiohttp.ClientTimeout(sock_read=30)


@pytest.fixture(params=[True, False], ids=["in process", "http"])
def in_process(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@asynccontextmanager
async def facing(rz: Emulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with rz.aiohttp_session() if rz.in_process else aiohttp.ClientSession() as session:
        yield session


def key_of(rz: Emulator) -> dict[str, str]:
    return {"Authorization": Credentials(rz.key_id, Secret(rz.key_secret)).header()}


async def create(rz: Emulator, session: aiohttp.ClientSession, **options: Any) -> Any:
    async with session.post(f"{rz.url}/v1/orders", json=ORDER, headers=key_of(rz), **options) as response:
        return response.status, await response.json()


def test_aiohttp_speaks_to_the_emulator(in_process: bool) -> None:
    """Bodies, queries, keys and headers arrive; the connection is used again."""

    async def main() -> None:
        async with facing(rz) as session:
            status, order = await create(rz, session)
            assert (status, order["receipt"]) == (200, "r-1")
            params = {"receipt": "r-1", "count": "1"}
            async with session.get(f"{rz.url}/v1/orders", params=params, headers=key_of(rz)) as response:
                assert [one["id"] for one in (await response.json())["items"]] == [order["id"]]
                assert response.headers["Content-Type"] == "application/json"
            async with session.get(f"{rz.url}/v1/orders") as response:
                assert response.status == 401

    with Emulator(in_process=in_process) as rz:
        asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "error", "made"),
    [
        ("reset_before", aiohttp.ClientOSError, 0),
        ("do_then_reset", aiohttp.ClientOSError, 1),
        ("hang(20)", aiohttp.SocketTimeoutError, 0),
        ("do_then_hang(20)", aiohttp.SocketTimeoutError, 1),
        ("slow(20)", aiohttp.SocketTimeoutError, 1),
        ("truncate(20)", aiohttp.ClientPayloadError, 1),
        ("cut(20)", ValueError, 1),
        ("502", aiohttp.ContentTypeError, 0),
    ],
)
def test_faults_are_alike(in_process: bool, fault: str, error: type[Exception], made: int) -> None:
    """Each fault is the same exception of aiohttp on both faces, has done the same, and the next call works."""

    timeout = BRIEF if error is aiohttp.SocketTimeoutError else PATIENT

    async def main() -> None:
        async with facing(rz) as session:
            with pytest.raises(error):
                await create(rz, session, timeout=timeout)
            while not rz.faults.rules[0].fired:
                await asyncio.sleep(0)
            with rz.world.lock:
                assert len(rz.world.orders) == made
            assert (await create(rz, session))[0] == 200

    with Emulator(in_process=in_process) as rz:
        rz.faults.add(f"on POST /orders: {fault} once")
        asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("reset_before", ("connection", True)),
        ("do_then_reset", ("connection", True)),
        ("do_then_hang(20)", ("timeout", True)),
        ("slow(20)", ("timeout", True)),
        ("truncate(20)", ("connection", True)),
        ("truncate(0)", ("connection", True)),
    ],
)
def test_the_client_s_transport_over_it(in_process: bool, fault: str, what: tuple[str, bool]) -> None:
    """Faults reach the transport with the right word about sending, and nothing is sent twice."""

    async def main() -> None:
        async with facing(rz) as session:
            transport = AiohttpTransport(rz.url, session)
            for method in ("POST", "GET"):
                rz.faults.add(f"on {method} /orders: {fault} once")
                found = await ask(transport, method, read_s=0.2 if what[0] == "timeout" else 30)
                assert isinstance(found, Fault)
                assert (found.what, found.sent) == what
            assert isinstance(await ask(transport, "GET"), Answer)
            await transport.close()

    async def ask(transport: AiohttpTransport, method: str, read_s: float = 30) -> Answer | Fault:
        return await transport.send(
            method,
            f"{rz.url}/v1/orders",
            params=None,
            body='{"amount": 100, "currency": "INR"}' if method == "POST" else None,
            headers={"Content-Type": "application/json"},
            auth=Credentials(rz.key_id, Secret(rz.key_secret)),
            limits=Limits(30, read_s, 60),
        )

    with Emulator(in_process=in_process) as rz:
        asyncio.run(main())
        assert len(rz.world.orders) == (0 if fault == "reset_before" else 1)


def test_a_slow_answer_within_the_limit_comes_without_waiting() -> None:
    """In process, time is the emulator's: nothing waits."""

    async def main() -> None:
        async with rz.aiohttp_session() as session:
            assert (await create(rz, session, timeout=aiohttp.ClientTimeout(sock_read=60)))[0] == 200

    rz = Emulator(in_process=True)
    rz.faults.add("on POST /orders: slow(59) once")
    asyncio.run(asyncio.wait_for(main(), 30))


def test_a_body_without_a_length_is_refused_as_over_http(in_process: bool) -> None:
    """411: Razorpay's own answer to it is not documented."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"{}"

    async def main() -> None:
        async with facing(rz) as session, session.post(f"{rz.url}/v1/orders", data=parts()) as response:
            assert response.status == 411

    with Emulator(in_process=in_process) as rz:
        asyncio.run(main())


def test_a_cancelled_call_is_done_all_the_same() -> None:
    """What had been sent cannot be called back: the order exists."""

    async def main() -> None:
        async with rz.aiohttp_session() as session:
            task = asyncio.create_task(create(rz, session))
            while not rz.world.orders:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await create(rz, session))[0] == 200

    rz = Emulator(in_process=True)
    asyncio.run(main())


def test_the_asynchronous_client_over_it() -> None:
    """An order is made once although its first answer is lost, and paid; no socket is opened."""

    async def main() -> None:
        async with (
            rz.aiohttp_session() as session,
            AsyncClient(rz.key_id, rz.key_secret, base_url=rz.url, session=session, clock=rz.clock) as client,
        ):
            order = await client.orders.create(amount=Money.inr("499.00"), receipt="inv-42")
            rz.pay(order.id)
            assert (await client.orders.fetch(order.id)).status == "paid"

    rz = Emulator(in_process=True)
    rz.faults.add("on POST /orders: do_then_reset once")
    asyncio.run(main())

    assert len(rz.world.orders) == 1

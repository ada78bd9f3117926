"""The asynchronous client: the same surface and the same rules, awaited."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from client_fakes import Fixed
from razorpay_hardened import AsyncClient, Client, Money
from razorpay_hardened.client.resources import NAMES, load
from razorpay_hardened.clock import FrozenClock
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import (
    ApiBadRequest,
    ApiTimeout,
    ConfigError,
    FieldInvalid,
    IdMalformed,
    OutcomeUnknown,
)
from razorpay_hardened.signals import ApiAttempt, Bus

pytest.importorskip("aiohttp", reason="the asynchronous client needs aiohttp")

T = TypeVar("T")
INR = Money.inr("499.00")


def against(work: Callable[[Emulator, AsyncClient], Awaitable[T]], **options: Any) -> T:
    """The result of ``work`` with an emulator and a client of it, whose waits take no time."""

    async def run() -> T:
        with Emulator(in_process=True) as rz:
            async with (
                rz.aiohttp_session() as session,
                AsyncClient(
                    rz.key_id,
                    rz.key_secret,
                    base_url=rz.url,
                    session=session,
                    clock=FrozenClock(),
                    random=Fixed(),  # type: ignore[arg-type]  # all that is asked of it
                    **options,
                ) as client,
            ):
                return await work(rz, client)

    return asyncio.run(run())


# --- one surface ----------------------------------------------------------------------------------------------------


def public(thing: type) -> dict[str, Any]:
    """The methods that users see."""
    return {name: value for name, value in inspect.getmembers(thing, inspect.isfunction) if not name.startswith("_")}


@pytest.mark.parametrize("name", NAMES)
def test_a_resource_is_the_same_on_both_sides(name: str) -> None:
    """The same methods with the same parameters, defaults and words; awaited, or walked with ``async for``."""
    blocking, awaited = public(load(name)), public(load(name, awaited=True))

    assert blocking.keys() == awaited.keys()
    for method, ours in blocking.items():
        theirs = awaited[method]
        assert inspect.signature(ours).parameters == inspect.signature(theirs).parameters
        assert (ours.__doc__, ours.__name__) == (theirs.__doc__, theirs.__name__)
        assert ours.__doc__, f"{name}.{method} says nothing of itself"
        assert inspect.iscoroutinefunction(theirs) or "Listing" in str(inspect.signature(theirs).return_annotation)


def test_the_clients_are_the_same_on_both_sides() -> None:
    """The same settings, the same options, the same resources."""
    settings = [inspect.signature(client.__init__).parameters for client in (Client, AsyncClient)]
    assert [list(found) for found in settings[:1]] == [list(found) for found in settings[1:]]
    assert {name: found.default for name, found in settings[0].items()} == {
        name: found.default for name, found in settings[1].items()
    }
    for method in ("with_options", "request"):
        ours, theirs = (inspect.signature(getattr(client, method)) for client in (Client, AsyncClient))
        assert ours.parameters == theirs.parameters
    assert set(NAMES) == set(Client.__annotations__) == set(AsyncClient.__annotations__)


# --- one set of rules -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["do_then_hang", "do_then_reset", "truncate", "html", "503", "429", "reset_before"])
def test_one_order_one_capture_one_refund(fault: str) -> None:
    """Whatever happens to the first of each request, one of each exists."""

    async def work(rz: Emulator, client: AsyncClient) -> None:
        rz.faults.add(f"on POST *: {fault} once each")
        made = await client.orders.create(amount=INR, receipt="inv-42")
        paid = rz.pay(made.id, outcome="authorized")
        captured = await client.payments.capture(paid["id"], INR)
        refund = await client.payments.refund(paid["id"], Money(500))

        assert (captured.captured, refund.amount) == (True, 500)
        assert (len(rz.world.orders), len(rz.world.refunds)) == (1, 1)

    against(work)


def test_a_doubt_that_stays_is_said() -> None:
    """``OutcomeUnknown`` with the key, as in the blocking client."""

    async def work(rz: Emulator, client: AsyncClient) -> str | None:
        payment = rz.pay((await client.orders.create(amount=INR)).id)
        rz.faults.add("on POST /payments/:id/refund: do_then_hang always")
        with pytest.raises(OutcomeUnknown) as caught:
            await client.payments.refund(payment["id"], Money(500))
        rz.faults.clear()
        again = await client.payments.refund(payment["id"], Money(500), idempotency_key=caught.value.idempotency_key)
        assert list(rz.world.refunds) == [again.id]
        return caught.value.idempotency_key

    assert against(work)


def test_listings_are_walked_with_async_for() -> None:
    """Lazily, each item once, with a cursor to go on from."""

    async def work(rz: Emulator, client: AsyncClient) -> None:
        made = [(await client.orders.create(amount=INR, receipt=f"inv-{n}")).id for n in range(7)]
        walk = client.orders.iter(count=3)
        found = [order.id async for order in walk]
        assert sorted(found) == sorted(made)
        assert len((await client.orders.list(count=2)).items) == 2
        assert (await client.orders.find_by_receipt("inv-3")) is not None
        rest = [order.id async for order in client.orders.iter(count=3, cursor=walk.cursor)]
        assert set(rest) <= set(made)

    against(work)


def test_bad_input_is_refused_before_anything_is_sent() -> None:
    """The same errors from the same checks."""

    async def work(rz: Emulator, client: AsyncClient) -> None:
        with pytest.raises(IdMalformed):
            await client.orders.fetch("../payments")
        with pytest.raises(FieldInvalid):
            await client.orders.create(amount=INR, receipt="x" * 41)
        with pytest.raises(ApiBadRequest):
            await client.orders.fetch("order_00000000000000")
        assert await client.request("GET", "/v1/orders", params={"count": 1}) == {
            "entity": "collection",
            "count": 0,
            "items": [],
        }

    against(work)


def test_many_tasks_share_a_client() -> None:
    """Sixteen in flight: every answer belongs to its call."""

    async def work(rz: Emulator, client: AsyncClient) -> None:
        async def one(number: int) -> None:
            amount = Money(100 + number)
            order = await client.orders.create(amount=amount, receipt=f"inv-{number}")
            payment = rz.pay(order.id, outcome="authorized")
            captured = await client.payments.capture(payment["id"], amount)
            assert (captured.amount, captured.order_id) == (amount.subunits, order.id)

        await asyncio.gather(*(one(number) for number in range(16)))
        assert len(rz.world.orders) == 16

    against(work)


def test_cancelling_a_task_ends_its_call() -> None:
    """The cancellation reaches the caller; the client goes on working."""

    async def work(rz: Emulator, client: AsyncClient) -> None:
        task = asyncio.ensure_future(client.orders.create(amount=INR, receipt="inv-1"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await client.orders.create(amount=INR, receipt="inv-2")).receipt == "inv-2"

    against(work)


# --- the object -----------------------------------------------------------------------------------------------------


def test_the_client_shows_no_secret_and_does_not_travel() -> None:
    """As the blocking one."""
    client = AsyncClient("rzp_test_1DP5mmOlF5G5ag", "a-long-key-secret")

    assert "a-long-key-secret" not in repr(client)
    assert "rzp_test_1DP5mmOlF5G5ag" in repr(client)
    for travel in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="pickled"):
            travel(client)
    assert not hasattr(client, "payouts")
    for wrong in ({"base_url": "http://evil.example"}, {"max_attempts": 0}, {"connect_timeout_s": 0}):
        with pytest.raises(ConfigError):
            AsyncClient("rzp_test_1DP5mmOlF5G5ag", "a-long-key-secret", **wrong)  # type: ignore[arg-type]


def test_two_event_loops_one_client() -> None:
    """``asyncio.run`` twice: connections belong to a loop, the client does not."""
    client = None
    with Emulator() as rz:
        client = AsyncClient(rz.key_id, rz.key_secret, base_url=rz.url)

        async def work() -> int:
            return len((await client.orders.list()).items)

        assert asyncio.run(work()) == asyncio.run(work()) == 0


def test_with_options_and_the_bus() -> None:
    """Options make a clone over the same connections; every attempt is announced."""
    bus = Bus()
    heard: list[ApiAttempt] = []
    bus.subscribe(heard.append, ApiAttempt)

    async def work(rz: Emulator, client: AsyncClient) -> None:
        answers: list[Any] = []
        quick = client.with_options(timeout_s=1, max_attempts=1, on_response=answers.append)
        rz.faults.add("on GET *: hang once")
        with pytest.raises(ApiTimeout):
            await quick.orders.list()
        await quick.orders.list()
        assert [(answer.operation, answer.status) for answer in answers] == [("orders.list", 200)]
        assert [(attempt.operation, attempt.status) for attempt in heard] == [
            ("orders.list", None),
            ("orders.list", 200),
        ]

    against(work, bus=bus)

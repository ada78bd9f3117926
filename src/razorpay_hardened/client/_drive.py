"""Who carries out the steps of a flow: a thread that blocks, or an event loop that awaits. No rule lives here."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from razorpay_hardened.client._values import Flow, Send

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from razorpay_hardened.client._aio import AsyncGateway
    from razorpay_hardened.client._ask import Work
    from razorpay_hardened.client._caller import Caller
    from razorpay_hardened.client._gateway import Gateway

__all__ = ["AsyncConductor", "Conductor", "drive", "drive_async"]

T = TypeVar("T")


def drive(flow: Flow[T], gateway: Callable[[], Gateway], sleep: Callable[[float], None]) -> T:
    """The flow's result; its steps block this thread."""
    try:
        step = next(flow)
        while True:
            if isinstance(step, Send):
                step = flow.send(gateway().send(step.call, step.limits))
            else:
                sleep(step.seconds)
                step = next(flow)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        flow.close()


async def drive_async(flow: Flow[T], gateway: AsyncGateway, sleep: Callable[[float], Awaitable[None]]) -> T:
    """The flow's result; its steps are awaited."""
    try:
        step = next(flow)
        while True:
            if isinstance(step, Send):
                step = flow.send(await gateway.send(step.call, step.limits))
            else:
                await sleep(step.seconds)
                step = next(flow)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        flow.close()


class Conductor:
    """Carries out what resources ask, one thread at a time per call; threads may share it."""

    __slots__ = ("_caller", "_gateway")

    def __init__(self, caller: Caller, gateway: Callable[[], Gateway]) -> None:
        self._caller = caller
        self._gateway = gateway

    def do(self, work: Work[T]) -> T:
        """The result. Raises what the operation's rules say."""
        return drive(self._caller.do(work), self._gateway, self._caller.settings.clock.sleep)


class AsyncConductor:
    """The same, awaited. Tasks of one event loop may share it."""

    __slots__ = ("_caller", "_gateway", "_sleep")

    def __init__(
        self, caller: Caller, gateway: Callable[[], AsyncGateway], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._caller = caller
        self._gateway = gateway
        self._sleep = sleep

    async def do(self, work: Work[T]) -> T:
        """The result. A task that is cancelled while a write is under way leaves its outcome unknown."""
        return await drive_async(self._caller.do(work), self._gateway(), self._sleep)

"""Runs coroutines of ``after`` handlers: an event loop for each run of the relay, made when the first one needs it.

The relay is synchronous, and so are its store and its leases. Handlers of one run share the loop, one at a time, so
that a handler may keep a client that belongs to a loop for as long as the run lasts, and no longer.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextvars import copy_context
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from asyncio import Runner

__all__ = ["HandlerCancelled", "Loop"]


class HandlerCancelled(Exception):
    """Something cancelled the handler: a failure like others, and not the end of the worker."""


class Loop:
    """An event loop that is made when it is first needed. What handlers leave running is cancelled at its end."""

    def __init__(self, limit: timedelta) -> None:
        self._limit_s = limit.total_seconds()
        self._runner: Runner | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            self._runner.close()

    def run(self, awaitable: Awaitable[object]) -> None:
        """Await it to its end, in a context of its own.

        Raises what it raises; :class:`TimeoutError` once it has taken as long as the limit, having cancelled it;
        :class:`HandlerCancelled`; and :class:`RuntimeError` where this thread runs an event loop already.
        """
        import asyncio  # 30 ms, for those who use it

        if asyncio._get_running_loop() is not None:
            getattr(awaitable, "close", lambda: None)()
            raise RuntimeError("this thread runs an event loop already: call the library with asyncio.to_thread()")
        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            self._runner.run(_limited(awaitable, self._limit_s), context=copy_context())
        except asyncio.CancelledError as error:
            raise HandlerCancelled(str(error) or "the handler was cancelled") from error


async def _limited(awaitable: Awaitable[object], limit_s: float) -> None:
    import asyncio

    limit = asyncio.timeout(limit_s)
    try:
        async with limit:
            await awaitable
    except TimeoutError as error:
        if limit.expired():
            raise TimeoutError(f"the handler took longer than its lease of {limit_s:g} s") from error
        raise

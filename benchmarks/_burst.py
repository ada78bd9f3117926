"""A sale: a thousand deliveries that arrive within one second, whatever the endpoint makes of them.

The load does not wait for answers (an open loop): each delivery has its moment, a millisecond after the one before, and
its time runs from that moment to its answer. Who falls behind shows it in every later one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from razorpay_hardened import Razorpay, web

__all__ = ["EVENTS", "by_asgi", "by_threads", "percentiles"]

EVENTS = 1000
WITHIN_S = 1.0


def percentiles(seconds: Sequence[float]) -> str:
    """p50, p99 and the longest, in milliseconds, and how long all of it took."""
    found = sorted(seconds)
    at = [found[int(len(found) * share)] * 1e3 for share in (0.5, 0.99)]
    return f"p50 {at[0]:7.1f} ms   p99 {at[1]:7.1f} ms   longest {found[-1] * 1e3:7.1f} ms"


def by_asgi(rzp: Razorpay, requests: Sequence[web.Request]) -> list[float]:
    """Through the ASGI application, whose one writer commits what has come together."""
    app = rzp.webhooks.asgi()
    seconds: list[float] = []

    async def arrive(one: web.Request, moment: float) -> None:
        await asyncio.sleep(moment - time.perf_counter())
        seconds.append(await _answered(app, one) - moment)

    async def all_of_them() -> None:
        begun = time.perf_counter() + 0.1
        await asyncio.gather(*(arrive(one, begun + place / EVENTS * WITHIN_S) for place, one in enumerate(requests)))

    asyncio.run(all_of_them())
    app.close()
    return seconds


async def _answered(app: Any, one: web.Request) -> float:
    sent: list[Any] = []
    headers = [(name.lower().encode(), value.encode()) for name, value in one.headers]

    async def receive() -> Any:
        return {"type": "http.request", "body": one.body}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "http", "method": "POST", "headers": headers}, receive, send)
    if sent[0]["status"] != 200:
        raise AssertionError(f"answered {sent[0]['status']}")
    return time.perf_counter()


def by_threads(
    handle: Callable[[web.Request], web.Reply], requests: Sequence[web.Request], threads: int
) -> list[float]:
    """Through a server's pool of threads: who finds none free waits for one."""
    seconds: list[float] = []

    def serve(one: web.Request, moment: float) -> None:
        if handle(one).status != 200:
            raise AssertionError("not accepted")
        seconds.append(time.perf_counter() - moment)

    with ThreadPoolExecutor(threads) as pool:
        begun = time.perf_counter() + 0.1
        ends = []
        for place, one in enumerate(requests):
            moment = begun + place / EVENTS * WITHIN_S
            time.sleep(max(0.0, moment - time.perf_counter()))
            ends.append(pool.submit(serve, one, moment))
        for end in ends:
            end.result()
    return seconds

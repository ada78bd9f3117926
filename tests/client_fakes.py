"""A session that answers from a script, and remembers what it was sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from razorpay_hardened.client import Client
from razorpay_hardened.clock import FrozenClock
from razorpay_hardened.signals import Alarm, ApiAttempt, Bus

KEY_ID = "rzp_test_1DP5mmOlF5G5ag"
KEY_SECRET = "thisis/a+s3cret&long"
ORDER_ID = "order_RB58MiP5SPFYyM"
PAYMENT_ID = "pay_29QQoUBi66xm2f"
REFUND_ID = "rfnd_FP8QHiV938haTz"


def order(**changes: Any) -> dict[str, Any]:
    """An order as Razorpay answers it."""
    plain = {
        "id": ORDER_ID,
        "entity": "order",
        "amount": 49900,
        "amount_paid": 0,
        "amount_due": 49900,
        "currency": "INR",
        "receipt": "inv-42",
        "status": "created",
        "attempts": 0,
        "notes": [],
        "created_at": 1756455561,
    }
    return {**plain, **changes}


def payment(**changes: Any) -> dict[str, Any]:
    """A payment as Razorpay answers it."""
    plain = {
        "id": PAYMENT_ID,
        "entity": "payment",
        "amount": 49900,
        "currency": "INR",
        "status": "captured",
        "captured": True,
        "order_id": ORDER_ID,
        "notes": [],
        "created_at": 1756455562,
    }
    return {**plain, **changes}


def refund(**changes: Any) -> dict[str, Any]:
    """A refund as Razorpay answers it."""
    plain = {
        "id": REFUND_ID,
        "entity": "refund",
        "amount": 500,
        "currency": "INR",
        "payment_id": PAYMENT_ID,
        "status": "pending",
        "notes": [],
        "created_at": 1756455563,
    }
    return {**plain, **changes}


def collection(*items: dict[str, Any]) -> dict[str, Any]:
    """A page of a listing."""
    return {"entity": "collection", "count": len(items), "items": list(items)}


def refusal(description: str = "The id provided does not exist", **fields: Any) -> dict[str, Any]:
    """An error envelope."""
    return {"error": {"code": "BAD_REQUEST_ERROR", "description": description, **fields}}


class Sent(NamedTuple):
    """One request as the session saw it."""

    method: str
    path: str
    params: dict[str, Any]
    body: Any
    headers: dict[str, str]
    timeout: tuple[float, float]
    authorization: str


class _Prepared:
    def __init__(self) -> None:
        self.headers: dict[str, str] = {}


class Response:
    """What ``requests`` would give back."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.status_code = status
        self.headers = headers
        self.body = body

    def iter_content(self, size: int) -> Iterator[bytes]:
        for start in range(0, len(self.body), size):
            yield self.body[start : start + size]

    def close(self) -> None:
        pass


Step = Any
"""An exception to raise; a body (status 200); ``(status, body)``; with headers as a third; or a callable giving one."""


class ScriptedSession:
    """Plays ``steps`` in order; the last one is repeated when ``forever`` is set."""

    def __init__(self, steps: Iterable[Step], *, forever: bool = False) -> None:
        self.steps = list(steps)
        self.forever = forever
        self.sent: list[Sent] = []

    def request(self, method: str, url: str, **options: Any) -> Response:
        prepared = options["auth"](_Prepared())
        assert options["allow_redirects"] is False
        assert "verify" not in options
        body = options["data"]
        self.sent.append(
            Sent(
                method,
                urlsplit(url).path,
                dict(options["params"] or {}),
                json.loads(body) if isinstance(body, str) else body,
                options["headers"],
                options["timeout"],
                prepared.headers["Authorization"],
            )
        )
        return self._play(self._next())

    def _next(self) -> Step:
        assert self.steps, f"an unexpected request: {self.sent[-1][:4]}"
        return self.steps[0] if self.forever and len(self.steps) == 1 else self.steps.pop(0)

    def _play(self, step: Step) -> Response:
        if callable(step) and not isinstance(step, type):
            step = step()
        if isinstance(step, type):
            raise step("planned")
        if isinstance(step, BaseException):
            raise step
        status, body, headers = (200, step, {}) if not isinstance(step, tuple) else (*step, {})[:3]
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Response(status, raw, headers)

    @property
    def lines(self) -> list[str]:
        """What was asked, in order."""
        return [f"{sent.method} {sent.path}" for sent in self.sent]


class Fixed:
    """Jitter that always waits as long as it may."""

    def uniform(self, low: float, high: float) -> float:
        return high


class Rig(NamedTuple):
    """A client over a script, with a clock that only waits move, and everything it announced."""

    client: Client
    session: ScriptedSession
    clock: FrozenClock
    attempts: list[ApiAttempt]
    alarms: list[Alarm]


def rig(*steps: Step, forever: bool = False, jitter: Callable[[], Any] = Fixed, **options: Any) -> Rig:
    """A client whose session plays ``steps``."""
    session = ScriptedSession(steps, forever=forever)
    clock = FrozenClock()
    bus = Bus()
    attempts: list[ApiAttempt] = []
    alarms: list[Alarm] = []
    bus.subscribe(attempts.append, ApiAttempt)
    bus.subscribe(alarms.append, Alarm)
    made: dict[str, Any] = {"session": session, "clock": clock, "bus": bus, "random": jitter(), **options}
    client = Client(KEY_ID, KEY_SECRET, **made)
    return Rig(client, session, clock, attempts, alarms)

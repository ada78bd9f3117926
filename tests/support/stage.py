"""Staging a row of the scenario catalogue on the emulator, and saying which row it was."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any, TypeVar

from razorpay_hardened.emulator import Deliveries, Emulator, Options
from support.emulator_api import Api

DAY_S = 86_400
TRIO = ["payment.authorized", "payment.captured", "order.paid"]
REFUNDED = ["refund.created", "refund.processed"]

_Test = TypeVar("_Test", bound=Callable[..., None])


def scenario(*ids: str) -> Callable[[_Test], _Test]:
    """The test stages these rows: ``"ORD-01"`` or a range, ``"ORD-08…ORD-15"``. Read from the source by
    ``test_scenarios_all``, so that nothing depends on what was collected."""
    assert ids, "name the rows"
    return lambda test: test


def hmac_hex(message: str, secret: str) -> str:
    """HMAC-SHA256 as Razorpay writes it; the library's own signing is left out of it."""
    return hmac.digest(secret.encode(), message.encode(), "sha256").hex()


class Stage(Api):
    """An account, short calls to it, and the names of the events since one last asked.

    Webhooks take no time on the way, so that they come in the order in which things happened.
    """

    def __init__(self, *, seed: int = 1, options: Options | None = None, **settings: Any) -> None:
        settings.setdefault("deliveries", Deliveries(delay_s=(0, 0)))
        super().__init__(Emulator(seed, in_process=True, options=options, **settings))
        self._told = 0

    def order(self, amount: int = 50_000, **more: Any) -> str:
        """A new order's id."""
        return str(self.post("/orders", {"amount": amount, "currency": "INR", **more})["id"])

    def captured(self, amount: int = 50_000, method: str = "netbanking", **order: Any) -> str:
        """The id of a captured payment; its events are not counted as fired."""
        payment = self.rz.pay(self.order(amount, **order), method)
        assert payment["status"] == "captured"
        self.fired()
        return str(payment["id"])

    def authorized(self, amount: int = 50_000, **settings: Any) -> str:
        """The id of a payment that waits to be captured; its events are not counted as fired."""
        payment = self.rz.pay(self.order(amount, payment={"capture": "manual", **settings}), "netbanking")
        assert payment["status"] == "authorized"
        self.fired()
        return str(payment["id"])

    def payment(self, payment_id: str) -> Any:
        return self.get(f"/payments/{payment_id}")

    def fired(self) -> list[str]:
        """The names of the events since the last time, in order."""
        fresh, self._told = self.since(self._told), self.mark()
        return fresh

    def error(self, method: str, path: str, body: object = None, *, status: int = 400, **call: Any) -> Any:
        """The ``error`` object of a refusal, which fired nothing."""
        before = self.mark()
        reply = self.rz.request(method, f"/v1{path}", body, **call)
        assert reply.status == status, reply.body
        assert self.mark() == before
        return reply.json()["error"]

    def hook(self, *answers: int | None) -> Hook:
        """From now on webhooks are delivered; ``answers`` are given in turn, the last one for good (200 if none)."""
        hook = Hook(*answers or (200,))
        self.rz.deliver.to(hook)
        return hook


class Hook:
    """An endpoint that keeps what came. ``answers`` None is no answer within five seconds."""

    def __init__(self, *answers: int | None) -> None:
        self._answers = list(answers)
        self.got: list[tuple[dict[str, str], bytes]] = []

    def __call__(self, method: str, headers: dict[str, str], body: bytes) -> int | None:
        self.got.append((headers, body))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    @property
    def names(self) -> list[str]:
        return [json.loads(body)["event"] for _, body in self.got]

    @property
    def ids(self) -> list[str]:
        return [headers["X-Razorpay-Event-Id"] for headers, _ in self.got]

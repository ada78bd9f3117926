"""A shop on the emulator whose webhooks stop: what the tests of recovery drive and look at."""

from __future__ import annotations

from collections import Counter
from typing import Any

from razorpay_hardened import Client, MemoryStore, Money, Razorpay, web
from razorpay_hardened.domain.kinds import ENTITY_MILESTONES
from razorpay_hardened.domain.lifecycle import MILESTONES
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ApiTimeout
from razorpay_hardened.signals import Alarm

HOUR = 3600


class DeadLine:
    """A session to Razorpay that counts calls; from the ``fail_at``-th on it raises, as a dead line does."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.calls = 0
        self.fail_at: int | None = None

    def _call(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        if self.fail_at is not None and self.calls >= self.fail_at:
            raise ApiTimeout("the line is dead")
        return getattr(self._session, verb)(*args, **kwargs)

    def __getattr__(self, verb: str) -> Any:
        return lambda *args, **kwargs: self._call(verb, *args, **kwargs)


class Outage:
    """One shop, its Razorpay, one clock. ``down``: the endpoint answers 503 to everything. With
    an ``rz`` of another, nothing is delivered by itself."""

    def __init__(self, *, rz: Emulator | None = None, store: Any = None, **options: Any) -> None:
        self.rz = rz or Emulator(7, in_process=True)
        self.line = DeadLine(self.rz.session())
        client = Client(
            self.rz.key_id,
            self.rz.key_secret,
            base_url="http://127.0.0.1:1",
            session=self.line,
            clock=self.rz.clock,
            max_attempts=1,
        )
        self.store = store if store is not None else MemoryStore()
        self.store.migrate()
        self.rzp = Razorpay.from_env(self._environ(), store=self.store, client=client, clock=self.rz.clock, **options)
        self.down = False
        self._calls: list[tuple[str, str]] = []
        self.alarms: list[Alarm] = []
        self.rzp.signals.subscribe(self.alarms.append, Alarm)
        for milestone in (*MILESTONES, *ENTITY_MILESTONES):
            self.rzp.on(milestone, name="count", unbound=True)(self._count)
        if rz is None:
            self.rz.deliver.to(self.receive)

    def _environ(self) -> dict[str, str]:
        return {
            "RAZORPAY_KEY_ID": self.rz.key_id,
            "RAZORPAY_KEY_SECRET": self.rz.key_secret,
            "RAZORPAY_WEBHOOK_SECRET": self.rz.webhook_secret,
        }

    def _count(self, change: Any, tx: Any) -> None:
        self._calls.append((change.key, change.source))

    def receive(self, method: str, headers: dict[str, str], body: bytes) -> int:
        """The endpoint."""
        if self.down:
            return 503
        reply = self.rzp.webhooks.handle(web.Request(method=method, headers=headers, body=body))
        return reply.status

    def sell(self, amount: str = "499.00") -> tuple[str, str]:
        """One order, paid: Razorpay's order id and payment id. The customer's return from checkout is lost too."""
        order = self.rzp.checkout.start(owner="user:7", amount=Money.inr(amount))
        payment = self.rz.pay(order.order_id)
        return order.order_id, payment["id"]

    def passes(self, seconds: float) -> None:
        self.rz.clock.advance(seconds)

    @property
    def told(self) -> Counter[tuple[str, str]]:
        """How often a handler was called with each milestone, by its key and source."""
        return Counter(self._calls)

    @property
    def keys(self) -> Counter[str]:
        """How often each milestone reached the handler, however it was learnt."""
        return Counter(key for key, _ in self._calls)

    def books(self) -> list[Any]:
        """Every status that we hold."""
        store = self.store
        return [
            *((row.order_id, row.status) for row in store.orders(limit=100_000)),
            *((row.payment_id, row.status, row.refunded) for row in store.payments(limit=100_000)),
            *((row.refund_id, row.status) for row in store.refunds(limit=100_000)),
            *((row.entity_id, row.status, row.phase) for row in store.entities(limit=100_000)),
        ]

    def close(self) -> None:
        self.rzp.close()

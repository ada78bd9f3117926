"""A shop and its emulated Razorpay in one process: for tests of journeys, which ask Razorpay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from razorpay_hardened import Client, MemoryStore, Money, Razorpay, web
from razorpay_hardened.clock import FrozenClock
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.ports.store import Store
from razorpay_hardened.signals import Alarm, ApiAttempt, Bus

__all__ = ["Desk"]


@dataclass
class Desk:
    """A shop and its Razorpay, in one process, on clocks that stand still."""

    rz: Emulator = field(default_factory=lambda: Emulator(in_process=True))
    options: dict[str, str] = field(default_factory=dict)
    """Environment variables beside the keys."""
    store: Store = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.clock = FrozenClock(self.rz.clock.now())
        environ = self.options | {
            "RAZORPAY_KEY_ID": self.rz.key_id,
            "RAZORPAY_KEY_SECRET": self.rz.key_secret,
            "RAZORPAY_WEBHOOK_SECRET": self.rz.webhook_secret,
        }
        self.calls: list[ApiAttempt] = []
        bus = Bus()
        bus.subscribe(self.calls.append, ApiAttempt)
        client = Client(
            self.rz.key_id,
            self.rz.key_secret,
            base_url="http://127.0.0.1:1",
            session=self.rz.session(),
            clock=self.clock,
            bus=bus,
        )
        self.rzp = Razorpay.from_env(
            environ, store=self.store, client=client, clock=self.clock, plans={"gold": Money.inr(499)}
        )
        self.checkout = self.rzp.checkout
        self.alarms: list[Alarm] = []
        self.rzp.signals.subscribe(self.alarms.append, Alarm)
        self.granted: list[str] = []
        self.rzp.on("order.paid", name="grant")(lambda change, tx: self.granted.append(change.order.owner))
        self.rz.deliver.to(self.receive)

    def receive(self, method: str, headers: Mapping[str, str], body: bytes) -> int:
        return self.rzp.webhooks.handle(web.Request(method, headers, body)).status

    def bought(self, owner: str = "user:7") -> tuple[str, str]:
        """An order that is paid at Razorpay and not heard of here: its id and the payment's."""
        order = self.checkout.start(owner=owner, plan="gold").order_id
        return order, self.rz.pay(order)["id"]

    def paid(self, owner: str = "user:7") -> tuple[str, str]:
        """An order that is paid and confirmed."""
        order, payment = self.bought(owner)
        assert self.checkout.confirm(self.rz.checkout_form(payment), owner=owner).outcome == "paid"
        return order, payment

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.rz.clock.advance(seconds)

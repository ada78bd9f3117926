"""Asking Razorpay where a delivery leaves a doubt: it contradicts what is on record, or does not say enough.

The question is a task of a worker's, committed together with the delivery: nobody who waits for an answer waits for it,
and it is tried again while Razorpay cannot be reached. What Razorpay shows goes through the ledger like any news. A
signed body is never believed more than that, nor less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal, TypeAlias

from razorpay_hardened.clock import Clock
from razorpay_hardened.domain.events import WebhookEvent, order_fact, payment_fact, read_event, refund_fact
from razorpay_hardened.domain.facts import Cause, Fact
from razorpay_hardened.domain.lifecycle import Milestone
from razorpay_hardened.effects.change import detail
from razorpay_hardened.effects.registry import OWN
from razorpay_hardened.errors import ApiBadRequest, ApiError, RazorpayHardenedError, StorageError
from razorpay_hardened.ledger import Applied, Ledger
from razorpay_hardened.ports.gateway import Gateway
from razorpay_hardened.ports.store import Batch, EffectRow, InboxRow, NewEffect, Store, Transaction
from razorpay_hardened.ports.unit import transact
from razorpay_hardened.signals import Bus

__all__ = ["DOUBTED", "TASK", "Fetch", "Truth"]

Fetch: TypeAlias = Literal["never", "doubt", "always"]
"""When Razorpay is asked about what a delivery tells."""

DOUBTED: Final = "delivery.doubted"
TASK: Final = "fetch"


class Truth:
    """Notes doubts with the delivery that left them, and settles them later."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        *,
        clock: Clock,
        bus: Bus,
        gateway: Callable[[], Gateway] | None,
        inline: bool,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._bus = bus
        self._gateway = gateway
        self._inline = inline

    def doubt(self, tx: Transaction, digest: str, cause: Cause) -> None:
        """Have a worker ask: once for each delivery, however often it comes."""
        milestone = Milestone(DOUBTED, digest)
        effect = NewEffect(
            key=milestone.key,
            handler=OWN + TASK,
            mode="after",
            anchor=digest,
            milestone=DOUBTED,
            kind="delivery",
            entity_id=digest,
            detail=detail(milestone, None, "doubted", cause),
            at=self._clock.now(),
        )
        tx.write(Batch(effects=[effect]), told=False)

    def settle(self, row: EffectRow, replay: Callable[[InboxRow], object]) -> None:
        """Ask Razorpay about everything in the delivery, and apply what it shows.

        ``replay`` tries a delivery that was quarantined again, on the books as they are then. Raises
        :class:`ApiError` where Razorpay cannot be asked now, :class:`StorageError`.
        """
        delivery = self._store.delivery(row.entity_id)
        if self._gateway is None or delivery is None or delivery.erased_at is not None:
            return
        event = read_event(delivery.body, delivery.event_id)
        try:
            self._apply(tuple(_shown(event, self._gateway())))
            if delivery.state == "quarantined":
                replay(delivery)
        except ApiBadRequest as error:
            self._open(delivery, error, "a signed delivery is about something that Razorpay does not know")
        except (ApiError, StorageError):
            raise
        except RazorpayHardenedError as error:
            self._open(delivery, error, "a signed delivery contradicts the books, and Razorpay does not settle it")

    def _open(self, delivery: InboxRow, error: RazorpayHardenedError, what: str) -> None:
        self._bus.alarm(f"doubt:{delivery.digest}", error.code, what)

    def _apply(self, told: tuple[Fact, ...]) -> None:
        cause = Cause("api", self._clock.now(), TASK)

        def work(tx: Transaction) -> Applied:
            return self._ledger.apply(tx, *told, cause=cause, inline=self._inline)

        transact(self._store, work, durable=True).announce(self._bus)


def _shown(event: WebhookEvent, gateway: Gateway) -> Iterator[Fact]:
    """What Razorpay shows of the order, the payment and the refund in ``event``."""
    if event.order is not None:
        yield order_fact(gateway.orders.fetch(event.order.id))
    payments = {one.id for one in (event.payment,) if one} | {one.payment_id for one in (event.refund,) if one}
    for payment_id in sorted(payments):
        yield payment_fact(gateway.payments.fetch(payment_id))
    if event.refund is not None:
        yield refund_fact(gateway.refunds.fetch(event.refund.id))

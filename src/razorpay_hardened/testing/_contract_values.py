"""Values for the store contract: each builder gives one that is right, and takes what should differ."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from threading import Thread
from typing import Any, TypeVar

from razorpay_hardened.domain.audit import AuditRow
from razorpay_hardened.domain.state import EntityState, OrderState, PaymentState, RefundIntent, RefundState
from razorpay_hardened.errors import StorageConflict
from razorpay_hardened.ports.store import (
    Batch,
    Claim,
    Delivery,
    EffectRow,
    Finding,
    NewEffect,
    Run,
    Store,
    Touches,
    Transaction,
)
from razorpay_hardened.ports.unit import transact

__all__ = [
    "NOTHING",
    "T0",
    "audit",
    "claim",
    "delivery",
    "effect",
    "entity",
    "finding",
    "intent",
    "later",
    "order",
    "payment",
    "refund",
    "run",
    "started",
    "unit",
    "write",
]

T0 = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
NOTHING = Touches(())
T = TypeVar("T")


def later(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def delivery(body: bytes = b"{}", **changes: Any) -> Delivery:
    values: dict[str, Any] = {"event": "payment.captured", "event_id": None, "received_at": T0}
    return Delivery(sha256(body).hexdigest(), body, **(values | changes))


def order(number: int = 1, **changes: Any) -> OrderState:
    values: dict[str, Any] = {
        "local_id": f"local-{number}",
        "owner": "user:7",
        "plan": None,
        "amount": 49900,
        "currency": "INR",
        "receipt": f"receipt-{number}",
        "status": "created",
        "created_at": later(number),
        "updated_at": later(number),
    }
    return OrderState(**(values | changes))


def payment(number: int = 1, **changes: Any) -> PaymentState:
    values: dict[str, Any] = {
        "payment_id": f"pay_{number:014}",
        "anchor": "order_A",
        "order_id": None,
        "status": "created",
        "reach": "created",
        "amount": 49900,
        "currency": "INR",
        "created_at": later(number),
        "updated_at": later(number),
    }
    return PaymentState(**(values | changes))


def refund(number: int = 1, **changes: Any) -> RefundState:
    values: dict[str, Any] = {
        "refund_id": f"rfnd_{number:014}",
        "payment_id": "pay_A",
        "anchor": "order_A",
        "status": "pending",
        "amount": 100,
        "currency": "INR",
        "created_at": later(number),
        "updated_at": later(number),
    }
    return RefundState(**(values | changes))


def entity(number: int = 1, **changes: Any) -> EntityState:
    values: dict[str, Any] = {
        "entity_id": f"sub_{number:014}",
        "kind": "subscription",
        "anchor": f"sub_{number:014}",
        "status": "created",
        "created_at": later(number),
        "updated_at": later(number),
        "told_at": later(number),
    }
    return EntityState(**(values | changes))


def intent(number: int = 1, **changes: Any) -> RefundIntent:
    values: dict[str, Any] = {
        "key": f"key-{number}",
        "payment_id": "pay_A",
        "anchor": "order_A",
        "amount": 100,
        "currency": "INR",
        "state": "open",
        "created_at": later(number),
    }
    return RefundIntent(**(values | changes))


def effect(number: int = 1, **changes: Any) -> NewEffect:
    values: dict[str, Any] = {
        "key": f"payment.captured:pay_{number}",
        "handler": "grant",
        "mode": "after",
        "anchor": "order_A",
        "milestone": "payment.captured",
        "kind": "payment",
        "entity_id": f"pay_{number}",
        "detail": "{}",
        "at": T0,
    }
    return NewEffect(**(values | changes))


def audit(anchor: str = "order_A", **changes: Any) -> AuditRow:
    values: dict[str, Any] = {
        "at": T0,
        "what": "changed",
        "kind": "payment",
        "entity_id": "pay_A",
        "before": None,
        "after": "captured",
        "amount": 49900,
        "currency": "INR",
        "source": "webhook",
        "actor": "razorpay",
    }
    return AuditRow(anchor, **(values | changes))


def run(number: int = 1, **changes: Any) -> Run:
    values: dict[str, Any] = {
        "id": f"run-{number}",
        "since": T0,
        "until": later(60),
        "state": "running",
        "cursor": "{}",
        "totals": "{}",
        "started_at": later(number),
        "updated_at": later(number),
    }
    return Run(**(values | changes))


def finding(number: int = 1, **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "run_id": "run-1",
        "kind": "status",
        "entity": "payment",
        "entity_id": f"pay_{number}",
        "here": None,
        "there": None,
        "state": "open",
        "note": None,
        "at": T0,
    }
    return Finding(**(values | changes))


def write(store: Store, **rows: list[Any]) -> list[EffectRow]:
    """Write a batch in a transaction of its own; gives the new effects."""
    return unit(store, lambda tx: tx.write(Batch(**rows)))


def claim(store: Store, body: bytes = b"{}", **changes: Any) -> Claim:
    """Claim a delivery in a transaction of its own."""
    return unit(store, lambda tx: tx.claim(delivery(body, **changes), NOTHING))


def unit(store: Store, work: Callable[[Transaction], T]) -> T:
    """Run ``work`` in a transaction, and again while another one is in the way: as the port allows, and as we do."""
    for _ in range(50):
        try:
            return transact(store, work)
        except StorageConflict:
            continue
    raise AssertionError("another transaction was in the way two hundred times")


def started(work: Callable[[], T]) -> Callable[..., T]:
    """Run ``work`` in a thread at once; calling what is given waits for its end and gives its result, or raises."""
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the waiting thread
            errors.append(error)

    thread = Thread(target=body, daemon=True)
    thread.start()

    def join(within_s: float = 30) -> T:
        thread.join(within_s)
        if errors:
            raise errors[0]
        if thread.is_alive():
            raise TimeoutError
        return results[0]

    return join

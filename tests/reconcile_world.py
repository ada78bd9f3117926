"""A Razorpay of plain dictionaries and a shop with a real store: what the reconciliation tests compare."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from razorpay_hardened.clock import FrozenClock, from_unix, to_unix
from razorpay_hardened.domain.entities import parse_entity
from razorpay_hardened.domain.events import order_fact, payment_fact, refund_fact
from razorpay_hardened.domain.facts import Cause, Fact, OrderAsked, OrderRegistered, OrderSetback
from razorpay_hardened.effects import Registry
from razorpay_hardened.errors import ApiBadRequest, ApiTimeout
from razorpay_hardened.ledger import Applied, Ledger
from razorpay_hardened.ports.gateway import Page
from razorpay_hardened.reconcile import Reconciler
from razorpay_hardened.signals import Bus
from razorpay_hardened.storage import MemoryStore

START = datetime(2026, 1, 5, 3, 30, tzinfo=UTC)
KINDS = {"order": "order", "pay": "payment", "rfnd": "refund"}


def text_id(prefix: str, number: int) -> str:
    return f"{prefix}_{number:014d}"


class Kind:
    """One resource: rows by id, and listings that behave as Razorpay's may."""

    def __init__(self, razorpay: FakeRazorpay, kind: str) -> None:
        self.razorpay = razorpay
        self.kind = kind
        self.rows: dict[str, dict[str, Any]] = {}
        self.stale: dict[str, dict[str, Any]] = {}

    def add(self, id: str, **fields: Any) -> dict[str, Any]:
        row = {"id": id, "entity": self.kind, "amount": 49900, "currency": "INR", **fields}
        self.rows[id] = row
        return row

    def _parsed(self, row: dict[str, Any]) -> Any:
        return self.razorpay.watch(parse_entity(self.stale.get(row["id"], row), self.kind))

    def fetch(self, id: str) -> Any:
        self.razorpay.called(f"fetch {self.kind}")
        if id not in self.rows:
            raise ApiBadRequest(status=400, description="The id provided does not exist")
        return self._parsed(self.rows[id])

    def list(self, *, from_: Any = None, to: Any = None, count: int = 100, skip: int = 0, **_: Any) -> Page[Any]:
        self.razorpay.called(f"list {self.kind}")
        assert 1 <= count <= 100
        ends = 0 if self.razorpay.inclusive else 1
        rows = [row for row in self.rows.values() if from_ + ends <= row["created_at"] <= to - ends]
        rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=self.razorpay.newest_first)
        items = tuple(self._parsed(row) for row in rows[skip : skip + count])
        return Page(items, has_more=len(items) >= count)


class Orders(Kind):
    def find_by_receipt(self, receipt: str) -> Any:
        self.razorpay.called("find order")
        return next((self._parsed(row) for row in self.rows.values() if row.get("receipt") == receipt), None)

    def payments(self, order_id: str) -> tuple[Any, ...]:
        self.razorpay.called("order payments")
        payments = self.razorpay.payments
        return tuple(payments._parsed(row) for row in payments.rows.values() if row.get("order_id") == order_id)


class Payments(Kind):
    def refunds(self, payment_id: str) -> tuple[Any, ...]:
        self.razorpay.called("payment refunds")
        refunds = self.razorpay.refunds
        return tuple(refunds._parsed(row) for row in refunds.rows.values() if row["payment_id"] == payment_id)


class FakeRazorpay:
    """The gateway's port. ``fail_at`` is the call, counted from 1, at which the line goes dead."""

    def __init__(self) -> None:
        self.orders = Orders(self, "order")
        self.payments = Payments(self, "payment")
        self.refunds = Kind(self, "refund")
        self.inclusive = True
        self.newest_first = True
        self.calls: list[str] = []
        self.fail_at: int | None = None
        self.alive = 0
        self.most_alive = 0

    def called(self, what: str) -> None:
        self.calls.append(what)
        if self.fail_at is not None and len(self.calls) >= self.fail_at:
            raise ApiTimeout("the line is dead")

    def watch(self, entity: Any) -> Any:
        """Count how many entities live at the same time."""
        self.alive += 1
        self.most_alive = max(self.most_alive, self.alive)
        weakref.finalize(entity, self._gone)
        return entity

    def _gone(self) -> None:
        self.alive -= 1


class Shop:
    """Our side: a store, the ledger, and a handler that counts what it is told."""

    def __init__(self, store: Any = None, razorpay: FakeRazorpay | None = None) -> None:
        self.clock = FrozenClock(START)
        self.store = store if store is not None else MemoryStore()
        self.store.migrate()
        self.razorpay = razorpay or FakeRazorpay()
        self.registry = Registry()
        self.told: list[str] = []
        for milestone in ("payment.captured", "order.paid", "refund.processed"):
            self.registry.on(milestone, name=f"count {milestone}")(self._count)
        self.bus = Bus()
        self.ledger = Ledger(self.registry, clock=self.clock)
        self.reconciler = Reconciler(self.store, self.razorpay, self.ledger, clock=self.clock, bus=self.bus)
        self._numbers: Iterator[int] = iter(range(1, 10**9))

    def _count(self, change: Any, tx: Any) -> None:
        self.told.append(change.key)

    # --- what happens

    def order(self, *, at: int = 0, registered: bool = True, amount: int = 49900, **fields: Any) -> str:
        """An order at Razorpay and here, ``at`` seconds from the start; gives Razorpay's id."""
        number = next(self._numbers)
        local_id, order_id = f"local_{number:06d}", text_id("order", number)
        self.clock.set(START + timedelta(seconds=at))
        self.apply(OrderAsked(local_id, "user:7", amount, "INR", local_id))
        if registered:
            self.apply(OrderRegistered(local_id, order_id))  # type: ignore[arg-type]
        else:
            self.apply(OrderSetback(local_id, "outcome_unknown"))
        self.razorpay.orders.add(
            order_id, status="created", receipt=local_id, amount=amount, created_at=to_unix(START) + at, **fields
        )
        return order_id

    def pay(self, order_id: str | None, *, at: int = 10, status: str = "captured", **fields: Any) -> str:
        """A payment at Razorpay; nobody told us."""
        payment_id = text_id("pay", next(self._numbers))
        order = self.razorpay.orders.rows.get(order_id or "")
        captured = status == "captured"
        self.razorpay.payments.add(
            payment_id,
            **{
                "order_id": order_id,
                "status": status,
                "captured": captured,
                "amount": order["amount"] if order else 49900,
                "amount_refunded": 0,
                "created_at": to_unix(START) + at,
                **fields,
            },
        )
        if order is not None and status != "created":
            order["status"] = "paid" if captured or order["status"] == "paid" else "attempted"
        return payment_id

    def refund(self, payment_id: str, *, amount: int, at: int = 20, status: str = "processed") -> str:
        """A refund at Razorpay; nobody told us."""
        refund_id = text_id("rfnd", next(self._numbers))
        payment = self.razorpay.payments.rows[payment_id]
        payment["amount_refunded"] += amount
        if payment["amount_refunded"] == payment["amount"]:
            payment["status"] = "refunded"
        self.razorpay.refunds.add(
            refund_id, payment_id=payment_id, amount=amount, status=status, created_at=to_unix(START) + at
        )
        return refund_id

    def tell(self, *ids: str) -> Applied:
        """What a webhook about these entities, as they are at Razorpay now, would have done."""
        return self.apply(*(self.fact(id) for id in ids), source="webhook")

    def fact(self, id: str) -> Fact:
        kind = KINDS[id.split("_")[0]]
        row = getattr(self.razorpay, kind + "s").rows[id]
        made: Fact = {"order": order_fact, "payment": payment_fact, "refund": refund_fact}[kind](
            parse_entity(row, kind)
        )
        return made

    def apply(self, *facts: Fact, source: str = "checkout") -> Applied:
        with self.store.transaction() as tx:
            applied = self.ledger.apply(tx, *facts, cause=Cause(source, self.clock.now()))
        assert applied.parked_under is None
        return applied

    # --- looking

    def run(self, **options: Any) -> Any:
        """Reconcile everything since the start, an hour after the last thing happened."""
        latest = [
            row["created_at"]
            for kind in (self.razorpay.orders, self.razorpay.payments, self.razorpay.refunds)
            for row in kind.rows.values()
        ]
        self.clock.set(max(self.clock.now(), from_unix(max(latest, default=to_unix(START))) + timedelta(hours=1)))
        return self.reconciler.run(**{"since": START, "limit": 100_000, **options})

    def books(self) -> list[Any]:
        """Every status that we hold, and how far it is known."""
        store = self.store
        return [
            *((row.local_id, row.order_id, row.status) for row in store.orders(limit=100_000)),
            *((row.payment_id, row.status, row.refunded) for row in store.payments(limit=100_000)),
            *((row.refund_id, row.status) for row in store.refunds(limit=100_000)),
        ]


def found(result: Any) -> set[tuple[str, str, str]]:
    """What a run named: kind, entity and id."""
    return {(one.kind, one.entity, one.entity_id) for one in result.findings}

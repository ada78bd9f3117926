"""A small shop whose handlers leave traces that cannot be mistaken, and the events of its day.

Four orders. The first two are known here; Razorpay's answer to the request for the other two was lost, so that their
events are parked until a sweep finds them by their receipt. Orders 1 and 3 live the whole life: a failed try, a
capture, a refund. The tables of traces have no unique constraint on purpose: a second effect must be seen, not refused.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from bodies import AMOUNT, Shop, life_of, order, order_id, payment_id
from razorpay_hardened import Money, parse_entity
from razorpay_hardened.checkout._base import local_id_for
from razorpay_hardened.errors import ApiBadRequest, OutcomeUnknown
from razorpay_hardened.ports.store import Store

OWNER = "user:7"
KNOWN = (1, 2)
LOST = (3, 4)
ORDERS = KNOWN + LOST

_SALE = ("authorized", "captured", "order.paid")
_TABLES = (
    "CREATE TABLE access (order_id TEXT NOT NULL)",
    "CREATE TABLE book (entry TEXT NOT NULL, amount INTEGER NOT NULL)",
)


def is_refunded(number: int) -> bool:
    """Orders with odd numbers live the whole life; the others end paid."""
    return number % 2 == 1


def events(orders: Iterable[int] = ORDERS) -> list[bytes]:
    """Every body of the day, in the order in which things happened."""
    return [raw for number in orders for name, raw in life_of(number).items() if is_refunded(number) or name in _SALE]


def digest_of(raw: bytes) -> str:
    """The key of a delivery."""
    return sha256(raw).hexdigest()


# --- what must be there in the end


class Expected(NamedTuple):
    """What has happened once every event is through. ``book`` counts (entry, subunits), ``sends`` effects by key."""

    access: Counter[str]
    book: Counter[tuple[str, int]]
    sends: Counter[str]
    statuses: dict[str, str]


def expected(orders: Iterable[int] = ORDERS) -> Expected:
    """The one right end, whatever the order of arrival and whoever was killed."""
    numbers = list(orders)
    refunded = [number for number in numbers if is_refunded(number)]
    refunds = {number: f"rfnd_{number:014d}" for number in refunded}
    statuses = {order_id(number): "paid" for number in numbers}
    statuses |= {payment_id(number): "refunded" if number in refunds else "captured" for number in numbers}
    return Expected(
        Counter(order_id(number) for number in numbers),
        Counter([(payment_id(n), AMOUNT) for n in numbers] + [(refund, -AMOUNT) for refund in refunds.values()]),
        Counter([f"order.paid:{order_id(n)}" for n in numbers] + [f"refund.processed:{r}" for r in refunds.values()]),
        statuses | dict.fromkeys(refunds.values(), "processed"),
    )


# --- Razorpay, as far as this shop asks it


class LosesAnswers:
    """Orders are made, and the answer is lost: only the receipt finds them."""

    def __init__(self, orders: Iterable[int] = LOST) -> None:
        self.orders = self
        self._by_receipt = {local_id_for("start", OWNER, f"cart-{number}"): number for number in orders}

    def create(self, *, receipt: str | None = None, **_: Any) -> Any:
        raise OutcomeUnknown(receipt=receipt)

    def find_by_receipt(self, receipt: str) -> Any:
        return parse_entity(order(self._by_receipt[receipt], "created", receipt=receipt), "order")

    def fetch(self, wanted: str) -> Any:
        for receipt, number in self._by_receipt.items():
            if order_id(number) == wanted:
                return self.find_by_receipt(receipt)
        raise ApiBadRequest("The id provided does not exist")


# --- the shop


def insert(tx: Any, sql: str, values: tuple[Any, ...]) -> None:
    """The application's SQL, with the placeholder of the driver that it gets."""
    tx.execute(sql if isinstance(tx.connection, sqlite3.Connection) else sql.replace("?", "%s"), values)


def append(path: Path, line: str) -> None:
    """One line, in one write, with nothing buffered here: it survives the process that wrote it."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)


def lines(path: Path) -> list[str]:
    """What was appended, oldest first."""
    return path.read_text().splitlines() if path.exists() else []


def open_shop(
    store: Store,
    sends: Path,
    told: Callable[[str], None] = lambda moment: None,
    *,
    mails_inside: bool = False,
    **options: Any,
) -> Shop:
    """The shop on ``store``. Outer effects are lines of ``sends``; ``told`` hears ``in handler``, ``after effect``.

    ``mails_inside`` is a mistake, for proofs that it is found.
    """
    shop = Shop(store, client=LosesAnswers(), **options)

    def send(change: Any, tx: Any = None) -> None:
        append(sends, change.key)
        told("after effect")

    for milestone in ("order.paid", "refund.processed"):
        (shop.rzp.on if mails_inside else shop.rzp.after)(milestone, name="mail")(send)

    @shop.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        insert(tx, "INSERT INTO access (order_id) VALUES (?)", (change.order.razorpay_order_id,))
        told("in handler")

    @shop.rzp.on("payment.captured", name="book")
    def book(change: Any, tx: Any) -> None:
        values = (change.entity.payment_id, change.entity.amount)
        insert(tx, "INSERT INTO book (entry, amount) VALUES (?, ?)", values)
        told("in handler")

    @shop.rzp.on("refund.created", name="unbook")
    def unbook(change: Any, tx: Any) -> None:
        values = (change.entity.refund_id, -change.entity.amount)
        insert(tx, "INSERT INTO book (entry, amount) VALUES (?, ?)", values)
        told("in handler")

    return shop


def make_store(store: Store, known: Iterable[int] = KNOWN, lost: Iterable[int] = LOST) -> None:
    """The state of the shop when its day begins, in an empty store, which is closed."""
    store.migrate()
    shop = Shop(store, client=LosesAnswers())
    with store.transaction() as tx:
        for statement in _TABLES:
            tx.execute(statement)
    for number in known:
        shop.adopt(number, owner=OWNER)
    for number in lost:
        try:
            shop.rzp.checkout.start(owner=OWNER, amount=Money(AMOUNT), key=f"cart-{number}")
        except OutcomeUnknown:
            continue
        raise AssertionError("the answer was to be lost")
    store.close()

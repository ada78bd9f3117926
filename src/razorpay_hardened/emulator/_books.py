"""The account's money: one row for each movement, as the recon report has them, and their settlement.

The law that every sequence keeps: what came in, less what went out, is what was settled plus what is left (FACTS
section 14).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _hash
from razorpay_hardened.emulator.wire import Entity, json_bytes

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["Books", "answer_settlement", "fee_of", "in_paise", "move", "payment_in", "settle", "with_gst"]

DAY_S = 86_400
IST_S = 19_800
_SETTLES_AT_S = 9 * 3600  # the hour of the day is not published
_PROCESSED_AFTER_S = 120  # as in test mode (FACTS section 12)
_GST_PERCENT = 18


class Books:
    """``open`` rows wait, each with the time from which it may be settled; ``settled`` has those of each settlement.

    ``balance`` is in paise; ``opening`` is what the account held before the world began, which is never settled.
    """

    __slots__ = ("balance", "open", "opening", "planned", "settled")

    def __init__(self, opening: int = 0) -> None:
        self.balance = self.opening = opening
        self.open: list[tuple[int, Entity]] = []
        self.settled: dict[str, list[Entity]] = {}
        self.planned: set[int] = set()

    def rows(self) -> Iterator[Entity]:
        """Every row that is still known, settled ones first."""
        for rows in self.settled.values():
            yield from rows
        for _, row in self.open:
            yield row


# --- amounts --------------------------------------------------------------------------------------------------------


def in_paise(world: World, amount: int, currency: str) -> int:
    """Everything settles in INR; other currencies at the account's one rate."""
    return amount if currency == "INR" else amount * world.options.paise_per_foreign_subunit


def with_gst(base: int) -> tuple[int, int]:
    """A fee including its GST, and the GST in it."""
    tax = (base * _GST_PERCENT + 50) // 100
    return base + tax, tax


def fee_of(world: World, payment: Entity) -> tuple[int, int]:
    """``fee`` and ``tax`` of a captured payment, in paise."""
    rates = dict(world.options.fee_basis_points)
    rate = rates.get("international" if payment["international"] else payment["method"], rates["*"])
    return with_gst((in_paise(world, payment["amount"], payment["currency"]) * rate + 5_000) // 10_000)


# --- rows -----------------------------------------------------------------------------------------------------------


def payment_in(world: World, payment: Entity) -> None:
    """A captured payment comes in, less its fee; it may be settled some working days later."""
    amount = in_paise(world, payment["amount"], payment["currency"])
    notes = payment["notes"] if isinstance(payment["notes"], dict) else {}
    move(
        world,
        payment["id"],
        "payment",
        amount - payment["fee"],
        payment,
        wait_days=world.options.settlement_days,
        amount=amount,
        fee=payment["fee"],
        tax=payment["tax"],
        description=payment["description"],
        notes=json_bytes(notes).decode("ascii"),  # a string, even where it is ``{}`` (FACTS section 1)
        payment_id=None,
    )


def move(
    world: World,
    entity_id: str,
    kind: str,
    change: int,
    payment: Entity | None = None,
    *,
    wait_days: int = 0,
    **shown: object,
) -> Entity:
    """One row: ``change`` above zero is a credit. What does not wait goes into the next settlement."""
    paid: Entity = payment or {}
    card: Entity = paid.get("card") or {}
    row: Entity = {
        "entity_id": entity_id,
        "type": kind,
        "debit": max(0, -change),
        "credit": max(0, change),
        "amount": abs(change),
        "currency": "INR",
        "fee": 0,
        "tax": 0,
        "on_hold": False,
        "settled": False,
        "created_at": world.clock.unix(),
        "settled_at": None,
        "settlement_id": None,
        "posted_at": None,
        "credit_type": "default",
        "description": None,
        "notes": None,
        "payment_id": paid.get("id"),
        "settlement_utr": None,
        "order_id": paid.get("order_id"),
        "order_receipt": world.orders.get(paid.get("order_id") or "", {}).get("receipt"),
        "method": paid.get("method"),
        "card_network": card.get("network"),
        "card_issuer": card.get("issuer"),
        "card_type": card.get("type"),
        "dispute_id": None,
        **shown,
    }
    now = world.clock.unix()
    world.books.balance += change
    world.books.open.append((_working_day(now, wait_days) if wait_days else now, row))
    _plan(world, _working_day(now, max(1, wait_days)))
    return row


def _working_day(unix: int, days: int) -> int:
    """The settling hour ``days`` working days after ``unix``, in Indian time. Bank holidays are not emulated."""
    day = (unix + IST_S) // DAY_S
    while days:
        day += 1
        if (day + 3) % 7 < 5:  # day 0 was a Thursday
            days -= 1
    return day * DAY_S - IST_S + _SETTLES_AT_S


def _plan(world: World, due: int) -> None:
    if world.options.auto_settle and due not in world.books.planned:
        world.books.planned.add(due)
        world.clock.plan(due * 1000, partial(_run, world, due))


def _run(world: World, due: int) -> None:
    world.books.planned.discard(due)
    settlement = settle(world, due)
    if settlement is not None:
        world.clock.plan(
            world.clock.ms + _PROCESSED_AFTER_S * 1000, partial(answer_settlement, world, settlement["id"], "processed")
        )


# --- settlements ----------------------------------------------------------------------------------------------------


def settle(world: World, until: int | None = None) -> Entity | None:
    """A settlement, ``created``, of all rows that may be settled by ``until`` (None: of all rows).

    None where they do not come to more than zero: they wait for better days.
    """
    books = world.books
    ready = [row for due, row in books.open if until is None or due <= until]
    amount = sum(row["credit"] - row["debit"] for row in ready)
    if amount <= 0:
        return None
    settlement: Entity = {
        "id": world.mint("setl"),
        "entity": "settlement",
        "amount": amount,
        "status": "created",
        "fees": 0,  # although fees were taken of every payment (FACTS section 8)
        "tax": 0,
        "utr": None,
        "created_at": world.clock.unix(),
    }
    books.open = [(due, row) for due, row in books.open if until is not None and due > until]
    books.settled[settlement["id"]] = ready
    books.balance -= amount
    for row in ready:
        row["settlement_id"] = settlement["id"]
    world.save(settlement)
    return settlement


def answer_settlement(world: World, settlement_id: str, outcome: str) -> None:
    """The bank's word: ``processed`` or ``failed``. A failed one may still become processed; no event tells of it."""
    settlement = world.tables["settlement"][settlement_id]
    if settlement["status"] == "processed":
        return
    settlement["status"] = outcome
    if outcome == "processed":
        settlement["utr"] = _hash.digits(world.seed, "utr", settlement_id)
        for row in world.books.settled[settlement_id]:
            row.update(settled=True, settled_at=world.clock.unix(), settlement_utr=settlement["utr"])
    world.save(settlement)
    if outcome == "processed":
        world.emit("settlement.processed", settlement=settlement)

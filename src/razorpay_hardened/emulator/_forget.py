"""How a world that runs for months stays small: what is finished and old is dropped, with its events."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator._kinds import kind_of
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.emulator.wire import Entity
    from razorpay_hardened.emulator.world import World

__all__ = ["MIN_AGE_S", "forget", "forget_regularly"]

_DAY_S = 86_400
MIN_AGE_S = 5 * _DAY_S
"""A bank is asked for three days, an uncaptured payment waits for up to five: younger things may still change."""

_FINISHED = {
    "refund": ("processed", "failed"),
    "settlement": ("processed",),
    "settlement.ondemand": ("processed", "reversed"),
    "dispute": ("won", "lost", "closed"),
    "payment_link": ("paid", "cancelled", "expired"),
    "invoice": ("paid", "cancelled", "expired"),
    "qr_code": ("closed",),
    "virtual_account": ("closed",),
    "transfer": ("processed", "failed", "reversed", "partially_reversed"),
    "subscription": ("cancelled", "completed", "expired"),
    "payment.downtime": ("resolved",),
    "device.activity": ("processing", "completed", "failed"),
}
"""Statuses in which nothing more happens. Orders, payments and what hangs on them have rules of their own; what a
business keeps for years stays: customers, tokens, items, plans, accounts and the like."""


_PARENTS = {
    "bank_transfer": "payment_id",
    "upi_transfer": "payment_id",
    "reversal": "transfer_id",
    "addon": "subscription_id",
}
"""Kinds that go when what they name goes."""


def forget_regularly(world: World, age_s: int) -> None:
    """Forget what is older than ``age_s`` whenever a quarter of that time has passed."""
    if age_s < MIN_AGE_S:
        raise ConfigError(f"the emulator cannot forget before {MIN_AGE_S} seconds: things may still change")
    world.clock.plan(world.clock.ms + age_s * 250, partial(_again, world, age_s))


def _again(world: World, age_s: int) -> None:
    forget(world, age_s)
    forget_regularly(world, age_s)


def forget(world: World, age_s: float) -> int:
    """Drop what was finished before then; how many entities that were. Raises :class:`ConfigError`."""
    if age_s < MIN_AGE_S:
        raise ConfigError(f"the emulator cannot forget before {MIN_AGE_S} seconds: things may still change")
    before_ms = world.clock.ms - round(age_s * 1000)
    rest = _closed_rest(world, before_ms)
    gone = _closed_money(world, before_ms, rest) | rest
    gone |= _hanging_on(world, gone)
    for entity_id in gone:
        _drop(world, entity_id)
    world.disown_the_forgotten()
    _trim(world, before_ms)
    world.events = [event for event in world.events if event.at_ms >= before_ms]
    if world.on_forget is not None:
        world.on_forget(before_ms)
    return len(gone)


def _quiet(world: World, entity_id: str, before_ms: int) -> bool:
    return world.versions[entity_id][-1][0] < before_ms


def _closed_money(world: World, before_ms: int, rest: set[str]) -> set[str]:
    """Orders with all their payments, payments with all their refunds: together or not at all.

    An order stays with the open link or invoice that it is for; ``rest`` has those that go.
    """
    open_for = {world.private.get(link_id, {}).get("order_id") for link_id in world.table("payment_link").keys() - rest}
    open_for |= {bill["order_id"] for bill_id, bill in world.table("invoice").items() if bill_id not in rest}
    waiting = {row["entity_id"] for _, row in world.books.open} | {row["payment_id"] for _, row in world.books.open}
    gone: set[str] = set()
    for payment_id, payment in world.payments.items():
        refunds = world.payment_refunds.get(payment_id, ())
        if (
            payment["status"] in ("failed", "captured", "refunded")
            and payment_id not in waiting
            and _quiet(world, payment_id, before_ms)
            and not world.owned(payment_id, "dispute")
            and not any(refund in waiting for refund in refunds)
            and all(world.refunds[one]["status"] != "pending" and _quiet(world, one, before_ms) for one in refunds)
        ):
            gone.update((payment_id, *refunds))
    kept_orders: set[str] = set()
    for order_id in world.orders:
        payments = world.order_payments.get(order_id, ())
        if (
            order_id in open_for
            or not _quiet(world, order_id, before_ms)
            or any(payment_id not in gone for payment_id in payments)
        ):
            kept_orders.add(order_id)
            for payment_id in payments:
                gone.difference_update((payment_id, *world.payment_refunds.get(payment_id, ())))
    gone.update(order_id for order_id in world.orders if order_id not in kept_orders)
    return gone


def _closed_rest(world: World, before_ms: int) -> set[str]:
    waiting = {row["entity_id"] for _, row in world.books.open}
    return {
        entity_id
        for kind, finished in _FINISHED.items()
        if kind != "refund"
        for entity_id, entity in world.table(kind).items()
        if entity["status"] in finished and entity_id not in waiting and _quiet(world, entity_id, before_ms)
    }


def _hanging_on(world: World, gone: set[str]) -> set[str]:
    """What goes with something else: how a payment came in, an order's transfers that never were made, the reversals
    of a transfer, the add-ons of a subscription."""
    waiting = {row["entity_id"] for _, row in world.books.open}
    found = {
        entity_id
        for kind, parent in _PARENTS.items()
        for entity_id, entity in world.table(kind).items()
        if entity_id not in waiting
        and (entity[parent] in gone or entity[parent] not in world.table(kind_of(entity[parent]) or ""))
    }
    never_made = (one["id"] for one in world.table("transfer").values() if one["status"] == "created")
    found.update(transfer for transfer in never_made if world.table("transfer")[transfer]["source"] in gone)
    return found


def _drop(world: World, entity_id: str) -> None:
    kind = kind_of(entity_id) or ""
    entity: Entity = world.table(kind).pop(entity_id)
    order_of = entity.get("order_id") or world.private.get(entity_id, {}).get("order_id")
    for record in (world.versions, world.private, world.terms, world.order_payments, world.payment_refunds):
        record.pop(entity_id, None)
    world.private.pop(entity.get("card_id") or "", None)
    world.on_captured.pop(entity_id, None)
    world.on_authorized.pop(entity_id, None)
    world.waiting.pop(entity_id, None)
    world.books.settled.pop(entity_id, None)
    if kind == "order" and world.receipts.get(entity["receipt"]) == entity_id:
        del world.receipts[entity["receipt"]]
    if kind in ("payment_link", "invoice"):  # a late payment for its order finds nobody to tell
        world.on_captured.pop(order_of or "", None)


def _trim(world: World, before_ms: int) -> None:
    """What grows beside the entities: old versions, answers to keys, counters of ids, counts of calls."""
    for versions in world.versions.values():
        while len(versions) > 2 and versions[1][0] < before_ms:
            del versions[1]
    world.answers = {key: answer for key, answer in world.answers.items() if answer.at_ms >= before_ms}
    for known_id, known in list(world.private.items()):
        if known_id.startswith("elig_") and known["at_ms"] < before_ms:
            del world.private[known_id]
    old = {key: nth for key, (nth, at_ms) in world.minted.items() if at_ms < before_ms}
    world.minted_floor = max(world.minted_floor, *old.values(), 0)  # an id is never made twice
    for key in old:
        del world.minted[key]
    world.faults.forget()

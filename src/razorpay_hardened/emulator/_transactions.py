"""``expand[]=transaction`` and ``transaction.settlement``: which settlement a payment or a dispute is in.

The one published body has ``null`` there. What a transaction has besides its settlement is not published, so it is
``null`` until there is one that was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from razorpay_hardened.emulator.wire import Entity
    from razorpay_hardened.emulator.world import World

__all__ = ["with_transactions"]

_SETTLEMENT = "transaction.settlement"


def with_transactions(world: World, entities: list[Entity], wanted: set[str]) -> list[Entity]:
    """The entities, each with its transaction where that is ``wanted``. One look at the books, however many."""
    if not wanted & {"transaction", _SETTLEMENT}:
        return entities
    settled = _settlements(world, {entity["id"] for entity in entities}) if _SETTLEMENT in wanted else {}
    return [{**entity, "transaction": settled.get(entity["id"])} for entity in entities]


def _settlements(world: World, ids: set[str]) -> dict[str, Entity]:
    found: dict[str, Entity] = {}
    for settlement_id, rows in world.books.settled.items():
        settlement = world.table("settlement").get(settlement_id)
        for row in rows:
            for entity_id in ids & {row["entity_id"], row["dispute_id"]}:
                found[entity_id] = {"settlement": settlement and dict(settlement)}
    return found

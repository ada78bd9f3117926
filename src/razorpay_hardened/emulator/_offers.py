"""Offers: made in the dashboard, named by orders and subscriptions.

What they take off is not emulated: nobody pays less for them here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator.wire import Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["make", "said_in"]


def make(world: World) -> str:
    """An offer's id: all of it that any sample shows."""
    offer_id = world.mint("offer")
    world.offers.add(offer_id)
    return offer_id


def said_in(world: World, body: Entity) -> str | None:
    """``offer_id``, of an offer that there is."""
    offer_id = body.get("offer_id")
    if offer_id is None:
        return None
    if offer_id not in world.offers:
        raise refusal("Offer Not Found", field="offer_id")  # text: published for subscriptions
    return str(offer_id)

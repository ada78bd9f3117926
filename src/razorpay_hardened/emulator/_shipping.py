"""What Magic Checkout knows of an order's parcel: how it went, and whether it may come back (FACTS appendix D)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks
from razorpay_hardened.emulator._route import Route
from razorpay_hardened.emulator.wire import Call, Entity

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES"]


def fulfil(world: World, call: Call) -> Entity:
    """``POST /v1/orders/:id/fulfillment``. What may stand in it is not published: texts are kept as they are."""
    order = world.live("order", call.ids[0])
    _checks.known_fields(call.body, {"payment_method", "shipping"})
    shipping = _checks.object_in(call.body, "shipping")
    _checks.known_fields(shipping, {"waybill", "status", "provider"})
    method = _checks.text_in(call.body, "payment_method", 40)
    parts = {field: _checks.text_in(shipping, field, 255) for field in ("waybill", "status", "provider")}
    said = world.private[order["id"]].setdefault("fulfillment", {"payment_method": None, "shipping": {}})
    if method is not None:
        said["payment_method"] = method
    said["shipping"] = {**said["shipping"], **{field: text for field, text in parts.items() if text is not None}}
    bare = order["id"].removeprefix("order_")  # as the one sample has it
    return {"entity": "order.fulfillment", "order_id": bare, **said, "shipping": dict(said["shipping"])}


def review(world: World, call: Call) -> Entity:
    """``POST /v1/orders/:id/rto_review``: how likely it is that the parcel is returned. There is no address here that
    could be judged, so nothing speaks against it."""
    world.live("order", call.ids[0])
    _checks.known_fields(call.body, set())
    return {"risk_tier": "low", "rto_reasons": []}


ROUTES = (
    Route("POST", "/v1/orders/:id/fulfillment", fulfil),
    Route("POST", "/v1/orders/:id/rto_review", review),
)
EVENTS = ()

"""Point of sale: a checkout is begun and closed on a device (documents of the official Python SDK).

Callers show the key without its secret and say in ``X-Razorpay-Device-Mode`` how they reach the device. The customer
pays at the device as anywhere: once the order is paid, the activity is completed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES", "plug"]

_MODES = ("wired", "wireless")
_ACTIONS = ("initiate_checkout", "close_checkout")
_METHODS = ("upi", "card", "netbanking", "wallet")
_SAID = ("name", "amount", "currency", "description", "order_id")
_PREFILL = ("name", "email", "contact", "method")


def plug(world: World, device_id: str, connected: bool) -> None:
    """Connect a device, or take it off; every device is connected until it is taken off."""
    world.private[f"device {device_id}"]["off"] = not connected


def create(world: World, call: Call) -> Entity:
    """``POST /v1/devices/activity``. The texts of its refusals are not published."""
    body, mode = call.body, _mode(call)
    _checks.known_fields(body, {"device_id", "action", "notes", "initiate_checkout"})
    action = _checks.choice_in(body, "action", _ACTIONS)
    device = _checks.text_in(body, "device_id", 255, needed=mode == "wired")
    _checks.notes_in(body)
    said = _checkout(world, _checks.object_in(body, "initiate_checkout")) if action == _ACTIONS[0] else None
    activity: Entity = {
        "id": world.mint("pda", device),
        "entity": "device.activity",
        "device_id": device,
        "action": action,
        **({} if said is None else {"initiate_checkout": said}),
        "status": "processing" if said is not None else "completed",
        "error": None,
    }
    if world.private.get(f"device {device}", {}).get("off"):
        _fail(activity, "device_not_connected")
    elif said is None:
        _close(world, activity)
    world.save(activity)
    return dict(activity)


def _mode(call: Call) -> str:
    mode = call.headers.get("x-razorpay-device-mode")
    if mode not in _MODES:
        raise refusal("The device mode must be wired or wireless", field="X-Razorpay-Device-Mode")
    return mode


def _checkout(world: World, said: Entity) -> Entity:
    """What the device is to show: as sent, without ``type`` and ``method``."""
    _checks.known_fields(said, {*_SAID, "type", "method", "prefill"})
    amount, currency = _checks.amount_in(said), _checks.currency_in(said)
    for field in ("name", "description", "type"):
        _checks.text_in(said, field, 255, needed=True)
    _checks.choice_in(said, "method", _METHODS)
    if said.get("order_id") is None:
        raise refusal("The order_id field is required", field="order_id")
    order = world.live("order", said["order_id"])
    if amount < _checks.minimum(currency):
        raise refusal("The amount must be at least INR 1.00", field="amount")
    shown = {"name": said["name"], "amount": amount, "currency": currency, "description": said["description"]}
    shown["order_id"] = order["id"]
    if "prefill" in said:
        prefill = _checks.object_in(said, "prefill")
        _checks.known_fields(prefill, _PREFILL)
        shown["prefill"] = dict(prefill)
    return shown


def _fail(activity: Entity, reason: str) -> None:
    activity.update(status="failed", error={"code": "BAD_REQUEST_ERROR", "reason": reason})


def _close(world: World, closing: Entity) -> None:
    """The checkout that the device shows is gone. What its own activity then says is not published: as it was."""
    private = world.private
    for one in reversed(world.table("device.activity").values()):
        if one["device_id"] == closing["device_id"] and one["action"] == _ACTIONS[0]:
            if _now(world, one)["status"] == "processing" and not private[one["id"]].get("closed"):
                private[one["id"]]["closed"] = True
                return
            break
    _fail(closing, "checkout_not_found")


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/devices/activity/:id``."""
    _mode(call)
    return dict(_now(world, world.live("device.activity", call.ids[0])))


def _now(world: World, activity: Entity) -> Entity:
    """The activity, completed where its order was paid since."""
    order = world.orders.get(activity.get("initiate_checkout", {}).get("order_id", ""))
    if activity["status"] == "processing" and order is not None and order["status"] == "paid":
        activity["status"] = "completed"
        world.save(activity)
    return activity


ROUTES = (
    Route("POST", "/v1/devices/activity", create, public=True),
    Route("GET", "/v1/devices/activity/:id", fetch, public=True),
)
EVENTS: tuple[EventKind, ...] = ()

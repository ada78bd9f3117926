"""Subscriptions and their add-ons, as the API shows and changes them (FACTS sections 8 and 9).

How they are charged as time passes is in ``_charging``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from razorpay_hardened.emulator import _charging, _checks, _hash, _items, _offers, _plans
from razorpay_hardened.emulator._listing import collection, page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES"]

_HUNDRED_YEARS_S = 100 * 365 * 86_400
_FIELDS = {
    "plan_id",
    "total_count",
    "quantity",
    "start_at",
    "expire_by",
    "customer_notify",
    "addons",
    "offer_id",
    "notes",
    "notify_info",
}
_CHANGES = {
    "plan_id",
    "offer_id",
    "quantity",
    "remaining_count",
    "start_at",
    "schedule_change_at",
    "customer_notify",
}


def create(world: World, call: Call) -> Entity:
    """``POST /v1/subscriptions``, also as a link (``notify_info``). Without ``start_at`` it starts when it is paid."""
    body = call.body
    _checks.known_fields(body, _FIELDS)
    plan = world.live("plan", body.get("plan_id"))
    offer_id = _offers.said_in(world, body)
    total, quantity = _checks.whole_in(body, "total_count"), _checks.whole_in(body, "quantity", 1)
    now = world.clock.unix()
    start_at, expire_by = _checks.time_in(body, "start_at"), _checks.time_in(body, "expire_by")
    if expire_by is not None and expire_by < now:
        raise refusal("Link expire by cannot be lesser than the current time.", field="expire_by")
    if start_at is not None and start_at < now:  # text: not published
        raise refusal("start_at cannot be lesser than the current time.", field="start_at")
    start = start_at or now
    end_at = _end(plan, start, total)
    if end_at - now > _HUNDRED_YEARS_S:  # text: not published
        raise refusal("The subscription may not run for more than 100 years.", field="total_count")
    subscription: Entity = {
        "id": world.mint("sub", plan["id"]),
        "entity": "subscription",
        "plan_id": plan["id"],
        "status": "created",
        "current_start": None,
        "current_end": None,
        "ended_at": None,
        "quantity": quantity,
        "notes": _checks.notes_in(body),
        "charge_at": start,
        "start_at": start,
        "end_at": end_at,
        "auth_attempts": 0,
        "total_count": total,
        "paid_count": 0,
        "customer_notify": _checks.flag_in(body, "customer_notify", True),
        "created_at": now,
        "expire_by": expire_by,
        "short_url": None,
        "has_scheduled_changes": False,
        "change_scheduled_at": None,
        "source": "api",
        "offer_id": offer_id,
        "remaining_count": total,
    }
    subscription["short_url"] = f"https://rzp.io/i/{_hash.token(world.seed, 'short', subscription['id'], length=7)}"
    addons = _addons(body)
    world.save(subscription)
    world.private[subscription["id"]].update(starts_later=start_at is not None)
    for addon in addons:
        _add(world, subscription, addon)
    ends = min(one for one in (start_at, expire_by, _HUNDRED_YEARS_S + now) if one is not None)
    world.clock.plan(ends * 1000, partial(_charging.expire, world, subscription["id"]))
    return dict(subscription)


def _end(plan: Entity, start: int, total: int) -> int:
    try:
        return _plans.later(start, plan, total)
    except (ValueError, OverflowError):
        raise refusal("The subscription may not run for more than 100 years.", field="total_count") from None


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/subscriptions/:id``."""
    return world.seen("subscription", call.ids[0], call.as_of)


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/subscriptions``, newest first."""
    rows = world.newest_first(world.table("subscription"), call.as_of)
    if (plan_id := call.query.get("plan_id")) is not None:
        rows = (row for row in rows if row["plan_id"] == plan_id[-1])
    return collection(page(rows, call.query, ("plan_id",)))


# --- changes ----------------------------------------------------------------------------------------------------


def update(world: World, call: Call) -> Entity:
    """``PATCH /v1/subscriptions/:id``: now, or at the end of the cycle."""
    subscription = world.live("subscription", call.ids[0])
    body = call.body
    _checks.known_fields(body, _CHANGES)
    if subscription["status"] not in ("authenticated", "active"):
        raise refusal("Can't update Subscription when Subscription is not in Authenticated or Active state")
    _not_by_upi(subscription, "Subscriptions cannot be updated when payment mode is UPI")
    when = _checks.choice_in(body, "schedule_change_at", ("now", "cycle_end"), "now")
    changes = _changed(world, subscription, body)
    if when == "cycle_end" and subscription["status"] == "active":
        world.private[subscription["id"]]["scheduled"] = changes
        subscription.update(has_scheduled_changes=True, change_scheduled_at=subscription["current_end"])
    else:
        subscription.update(changes)
    world.save(subscription)
    world.emit("subscription.updated", subscription=subscription)
    return dict(subscription)


def _not_by_upi(subscription: Entity, text: str) -> None:
    if subscription.get("payment_method") == "upi":
        raise refusal(text)


def _changed(world: World, subscription: Entity, body: Entity) -> Entity:
    changes: Entity = {}
    if body.get("offer_id") is not None:
        changes["offer_id"] = _offers.said_in(world, body)
    if "plan_id" in body:
        changes["plan_id"] = world.live("plan", body["plan_id"])["id"]
    if "quantity" in body:
        changes["quantity"] = _checks.whole_in(body, "quantity")
    if "customer_notify" in body:
        changes["customer_notify"] = _checks.flag_in(body, "customer_notify")
    if "start_at" in body:
        start = _checks.time_in(body, "start_at")
        if subscription["status"] != "authenticated" or start is None or start < world.clock.unix():
            raise refusal("The start_at cannot be changed", field="start_at")  # text: not published
        changes.update(start_at=start, charge_at=start)
    if "remaining_count" in body:
        changes["remaining_count"] = _checks.whole_in(body, "remaining_count")
        done = subscription["total_count"] - subscription["remaining_count"]
        changes["total_count"] = done + changes["remaining_count"]
    if {"plan_id", "remaining_count", "start_at"} & set(changes):
        after = {**subscription, **changes}
        plan = world.table("plan")[after["plan_id"]]
        since = after["charge_at"] or after["start_at"]
        changes["end_at"] = _end(plan, since, after["remaining_count"])
    return changes


def pending_update(world: World, call: Call) -> Entity:
    """``GET /v1/subscriptions/:id/retrieve_scheduled_changes``: as it will be."""
    subscription = world.live("subscription", call.ids[0])
    scheduled = world.private[subscription["id"]].get("scheduled")
    if scheduled is None:
        raise refusal("No scheduled changes found for the subscription")  # text: not published
    return {**subscription, **scheduled}


def cancel_update(world: World, call: Call) -> Entity:
    """``POST /v1/subscriptions/:id/cancel_scheduled_changes``."""
    subscription = world.live("subscription", call.ids[0])
    if world.private[subscription["id"]].pop("scheduled", None) is None:
        raise refusal("No scheduled changes found for the subscription")  # text: not published
    subscription.update(has_scheduled_changes=False, change_scheduled_at=None)
    world.save(subscription)
    return dict(subscription)


def cancel(world: World, call: Call) -> Entity:
    """``POST /v1/subscriptions/:id/cancel``, at once or at the end of the cycle."""
    subscription = world.live("subscription", call.ids[0])
    _checks.known_fields(call.body, {"cancel_at_cycle_end"})
    if subscription["status"] in ("cancelled", "completed", "expired"):
        raise refusal(f"Subscription is not cancellable in {subscription['status']} status.", field="status")
    if _checks.flag_in(call.body, "cancel_at_cycle_end") and subscription["current_end"] is not None:
        world.private[subscription["id"]]["cancel_at_end"] = True
        subscription.update(has_scheduled_changes=True, change_scheduled_at=subscription["current_end"])
        world.save(subscription)
        world.clock.plan(subscription["current_end"] * 1000, partial(_charging.end_cycle, world, subscription["id"]))
    else:
        _charging.end(world, subscription, "cancelled")
    return dict(subscription)


def pause(world: World, call: Call) -> Entity:
    """``POST /v1/subscriptions/:id/pause``. One that has not started yet is cancelled by it (FACTS section 9)."""
    subscription = world.live("subscription", call.ids[0])
    _checks.known_fields(call.body, {"pause_at"})
    _checks.choice_in(call.body, "pause_at", ("now",), "now")
    if subscription["status"] == "authenticated":
        _charging.end(world, subscription, "cancelled")
        return dict(subscription)
    if subscription["status"] != "active":  # text: not published
        raise refusal(f"Subscription cannot be paused in {subscription['status']} status.", field="status")
    subscription.update(status="paused", charge_at=None, paused_at=world.clock.unix(), pause_initiated_by="self")
    world.save(subscription)
    world.emit("subscription.paused", subscription=subscription)
    return dict(subscription)


def resume(world: World, call: Call) -> Entity:
    """``POST /v1/subscriptions/:id/resume``: charged again from the next cycle on."""
    subscription = world.live("subscription", call.ids[0])
    _checks.known_fields(call.body, {"resume_at"})
    _checks.choice_in(call.body, "resume_at", ("now",), "now")
    if subscription["status"] != "paused":  # text: not published
        raise refusal(f"Subscription cannot be resumed in {subscription['status']} status.", field="status")
    subscription.update(status="active", pause_initiated_by=None)
    subscription["charge_at"] = max(subscription["current_end"], world.clock.unix())
    world.save(subscription)
    world.emit("subscription.resumed", subscription=subscription)
    _charging.plan_charge(world, subscription)
    return dict(subscription)


def delete_offer(world: World, call: Call) -> Entity:
    """``DELETE /v1/subscriptions/:id/:id``: its offer is taken off."""
    subscription = world.live("subscription", call.ids[0])
    if subscription["offer_id"] != call.ids[1]:
        raise refusal("Offer Not Found", field="offer_id")  # text: published for a new subscription
    subscription["offer_id"] = None
    world.save(subscription)
    return dict(subscription)


# --- add-ons ----------------------------------------------------------------------------------------------------


def _addons(body: Entity) -> list[Entity]:
    said = body.get("addons") or []
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise refusal("The addons must be an array.", field="addons")  # text: not published
    return said


def _add(world: World, subscription: Entity, said: Entity) -> Entity:
    _checks.known_fields(said, {"item", "quantity"})
    item = _items.make(world, _checks.object_in(said, "item"), "addon", subscription["id"])
    addon: Entity = {
        "id": world.mint("ao", subscription["id"]),
        "entity": "addon",
        "item": item,
        "quantity": _checks.whole_in(said, "quantity", 1),
        "created_at": world.clock.unix(),
        "subscription_id": subscription["id"],
        "invoice_id": None,
    }
    world.save(addon)
    world.own(subscription["id"], addon["id"])
    return addon


def create_addon(world: World, call: Call) -> Entity:
    """``POST /v1/subscriptions/:id/addons``: charged with the next invoice."""
    subscription = world.live("subscription", call.ids[0])
    _not_by_upi(subscription, "Add-ons can't be added for Subscriptions when payment mode is upi")
    if subscription["status"] in ("cancelled", "completed", "expired"):  # text: not published
        raise refusal(f"Add-ons can't be added for Subscriptions in {subscription['status']} status.")
    return dict(_add(world, subscription, call.body))


def fetch_addon(world: World, call: Call) -> Entity:
    """``GET /v1/addons/:id``."""
    return world.seen("addon", call.ids[0], call.as_of)


def list_addons(world: World, call: Call) -> Entity:
    """``GET /v1/addons``, newest first."""
    return collection(page(world.newest_first(world.table("addon"), call.as_of), call.query))


def delete_addon(world: World, call: Call) -> list[Any]:
    """``DELETE /v1/addons/:id``: as long as no invoice has it."""
    addon = world.live("addon", call.ids[0])
    if addon["invoice_id"] is not None:  # text: not published
        raise refusal("Addon cannot be deleted as it is already invoiced")
    world.disown(addon["subscription_id"], "addon", {addon["id"]})
    world.remove(addon["id"])
    return []


ROUTES = (
    Route("POST", "/v1/subscriptions", create),
    Route("GET", "/v1/subscriptions", list_all),
    Route("GET", "/v1/subscriptions/:id", fetch),
    Route("PATCH", "/v1/subscriptions/:id", update),
    Route("GET", "/v1/subscriptions/:id/retrieve_scheduled_changes", pending_update),
    Route("POST", "/v1/subscriptions/:id/cancel_scheduled_changes", cancel_update),
    Route("POST", "/v1/subscriptions/:id/cancel", cancel),
    Route("POST", "/v1/subscriptions/:id/pause", pause),
    Route("POST", "/v1/subscriptions/:id/resume", resume),
    Route("DELETE", "/v1/subscriptions/:id/:id", delete_offer),
    Route("POST", "/v1/subscriptions/:id/addons", create_addon),
    Route("GET", "/v1/addons", list_addons),
    Route("GET", "/v1/addons/:id", fetch_addon),
    Route("DELETE", "/v1/addons/:id", delete_addon),
)
EVENTS = (
    *(
        EventKind(f"subscription.{name}", (("subscription",),))
        for name in ("authenticated", "updated", "pending", "halted", "cancelled", "paused", "resumed")
    ),
    *(EventKind(f"subscription.{name}", (("subscription", "payment"),)) for name in ("charged", "completed")),
    EventKind("subscription.activated", (("subscription", "payment"), ("subscription",))),
)

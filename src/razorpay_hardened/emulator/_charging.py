"""How a subscription lives: authenticated, charged each cycle, retried, halted, ended (FACTS section 9)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _bank, _customers, _invoices, _plans
from razorpay_hardened.emulator.instruments import CARD_FAILURE, PLAIN_FAILURE, Instrument
from razorpay_hardened.emulator.wire import Entity
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["authenticate", "charge", "end", "end_cycle", "expire", "invoice_paid", "new_card", "plan_charge"]

_DAY_S = 86_400
_TRIES = 4  # the charge and its retries on each of the next three days
_DESCRIPTION = "Recurring Payment via Subscription"


# --- the start -------------------------------------------------------------------------------------------------


def authenticate(
    world: World, subscription: Entity, instrument: Instrument, customer: Entity, person: Entity
) -> Entity:
    """The customer agrees. What starts now is charged with it; what starts later costs a small sum, given back."""
    if subscription["status"] != "created":
        raise ConfigError(f"a subscription that is {subscription['status']} cannot be authenticated")
    private = world.private[subscription["id"]]
    private.update(instrument=instrument, person=person)
    if private["starts_later"]:
        payment = _authorisation(world, subscription, instrument, person)
    else:
        now = world.clock.unix()
        plan = world.table("plan")[subscription["plan_id"]]
        end_at = _plans.later(now, plan, subscription["total_count"])
        subscription.update(start_at=now, charge_at=now, end_at=end_at)
        payment = _pay(world, _invoice(world, subscription, customer), instrument, person)
    if instrument.failure is not None:
        subscription["auth_attempts"] += 1
        world.save(subscription)
        return payment
    private["token_id"] = _customers.make_token(world, customer["id"], payment)["id"]
    private["authenticated_by"] = payment["id"]
    subscription.update(status="authenticated", customer_id=customer["id"], payment_method=payment["method"])
    world.save(subscription)
    world.emit("subscription.authenticated", subscription=subscription)
    if private["starts_later"]:
        plan_charge(world, subscription)
    else:
        _paid(world, subscription, payment)
    return payment


def _authorisation(world: World, subscription: Entity, instrument: Instrument, person: Entity) -> Entity:
    amount = world.options.authentication_amount
    payment = _bank.begin(world, None, instrument, amount, "INR", **person, description=_DESCRIPTION)
    if instrument.failure is not None:
        _bank.fail(world, payment, instrument.failure)
    else:
        _bank.authorize(world, payment, capture_it=None)
        _bank.give_back(world, payment)
    return payment


def expire(world: World, subscription_id: str) -> None:
    """Nobody authenticated it in time. There is no event for that."""
    subscription = world.table("subscription").get(subscription_id)
    if subscription is not None and subscription["status"] == "created":
        subscription["status"] = "expired"
        subscription["charge_at"] = None
        world.save(subscription)


# --- the cycle -------------------------------------------------------------------------------------------------


def plan_charge(world: World, subscription: Entity) -> None:
    """Let it be charged when ``charge_at`` comes."""
    if subscription["charge_at"] is not None:
        due = subscription["charge_at"]
        world.clock.plan(due * 1000, partial(_due, world, subscription["id"], due))


def _due(world: World, subscription_id: str, planned: int) -> None:
    subscription = world.table("subscription").get(subscription_id)
    if subscription is None or subscription["charge_at"] != planned:
        return  # paused, ended, charged by hand or moved since
    charge(world, subscription)


def charge(world: World, subscription: Entity, failing: bool | None = None) -> Entity | None:
    """What is due now: the cycle's charge, or a retry; in halted only the invoice is made. Returns the payment.

    ``failing`` overrides whether the customer's bank refuses.
    """
    private = world.private[subscription["id"]]
    status = subscription["status"]
    if status not in ("authenticated", "active", "pending", "halted"):
        raise ConfigError(f"a subscription that is {status} is not charged")
    if status in ("authenticated", "active", "halted"):
        if private.get("cancel_at_end"):
            end(world, subscription, "cancelled")
            return None
        _apply_scheduled(world, subscription)
        customer = world.table("customer")[subscription["customer_id"]]
        private["order_id"] = _invoice(world, subscription, customer)["id"]
        private["tries"] = 0
        if status == "halted":
            _next_cycle(world, subscription)
            return None
    order = world.orders[private["order_id"]]
    refused = private.get("failing", False) if failing is None else failing
    payment = _pay(world, order, _refusing(private["instrument"], refused), private["person"])
    if payment["status"] == "failed":
        _not_paid(world, subscription)
    else:
        _paid(world, subscription, payment)
    return payment


def _refusing(instrument: Instrument, refused: bool) -> Instrument:
    if not refused:
        return instrument._replace(failure=None)
    return instrument._replace(failure=CARD_FAILURE if instrument.card else PLAIN_FAILURE)


def _apply_scheduled(world: World, subscription: Entity) -> None:
    scheduled = world.private[subscription["id"]].pop("scheduled", None)
    if scheduled is not None:
        subscription.update(scheduled, has_scheduled_changes=False, change_scheduled_at=None)


def _invoice(world: World, subscription: Entity, customer: Entity) -> Entity:
    """The cycle's invoice and its order; the cycle moves on, whether or not it is paid."""
    plan = world.table("plan")[subscription["plan_id"]]
    item, currency = plan["item"], plan["item"]["currency"]
    lines = [_invoices.line_of(world, item, item["amount"], subscription["quantity"], currency, "plan", None)]
    addons = [world.table("addon")[one] for one in world.owned(subscription["id"], "addon")]
    fresh = [addon for addon in addons if addon["invoice_id"] is None]
    for addon in fresh:
        extra = addon["item"]
        lines.append(_invoices.line_of(world, extra, extra["amount"], addon["quantity"], currency, "addon", None))
    start = subscription["charge_at"] or world.clock.unix()
    end_of_cycle = _plans.later(start, plan, 1)
    invoice = _invoices.new(world, customer, currency, lines)
    invoice.update(subscription_id=subscription["id"], billing_start=start, billing_end=end_of_cycle)
    order = _invoices.issue_for(world, invoice)
    about = world.private[order["id"]]["payment"]
    world.private[order["id"]]["payment"] = {**about, "description": _DESCRIPTION}
    for addon in fresh:
        addon["invoice_id"] = invoice["id"]
        world.save(addon)
    subscription.update(
        current_start=start, current_end=end_of_cycle, remaining_count=subscription["remaining_count"] - 1
    )
    world.own(subscription["id"], invoice["id"])
    return order


def _pay(world: World, order: Entity, instrument: Instrument, person: Entity) -> Entity:
    payment = _bank.begin(world, order, instrument, order["amount_due"], order["currency"], **person)
    if instrument.failure is not None:
        _bank.fail(world, payment, instrument.failure)
    else:
        _bank.authorize(world, payment, capture_it=True)  # subscription charges are always captured
    return payment


def _paid(world: World, subscription: Entity, payment: Entity) -> None:
    """A charge succeeded: from whatever it was, it is active, and completed if that was the last one."""
    entering = subscription["status"] != "active"
    subscription.update(
        status="active",
        auth_attempts=0,
        charge_at=subscription["current_end"] if subscription["remaining_count"] else None,
    )
    world.save(subscription)
    if entering:
        world.emit("subscription.activated", subscription=subscription, payment=payment)
    subscription["paid_count"] += 1
    world.save(subscription)
    world.emit("subscription.charged", subscription=subscription, payment=payment)
    if subscription["remaining_count"]:
        plan_charge(world, subscription)
    else:
        end(world, subscription, "completed", payment)


def _not_paid(world: World, subscription: Entity) -> None:
    """A charge failed: tried again on each of the next three days, then halted."""
    private = world.private[subscription["id"]]
    private["tries"] += 1
    subscription["auth_attempts"] = private["tries"]
    if private["tries"] < _TRIES:
        subscription.update(status="pending", charge_at=world.clock.unix() + _DAY_S)
        world.save(subscription)
        world.emit("subscription.pending", subscription=subscription)
        plan_charge(world, subscription)
        return
    subscription["status"] = "halted"
    world.emit("subscription.halted", subscription=_next_cycle(world, subscription))


def _next_cycle(world: World, subscription: Entity) -> Entity:
    """Halted: the next invoice will be made, if there is one to come."""
    subscription["charge_at"] = subscription["current_end"] if subscription["remaining_count"] else None
    world.save(subscription)
    plan_charge(world, subscription)
    return subscription


def new_card(world: World, subscription: Entity, instrument: Instrument) -> Entity | None:
    """The customer changes the card. A pending one is charged at once, a halted one is active again without."""
    private = world.private[subscription["id"]]
    private.update(instrument=instrument, failing=False)
    subscription["payment_method"] = instrument.method
    world.save(subscription)
    if subscription["status"] == "pending":
        return charge(world, subscription)
    if subscription["status"] == "halted":
        _active_again(world, subscription)
    return None


def invoice_paid(world: World, subscription: Entity, invoice: Entity, payment: Entity) -> None:
    """Somebody paid an invoice by hand: the current one of a pending subscription, or any of a halted one."""
    if subscription["status"] == "pending" and world.private[subscription["id"]]["order_id"] == invoice["order_id"]:
        _paid(world, subscription, payment)
    elif subscription["status"] == "halted":
        subscription["paid_count"] += 1
        _active_again(world, subscription)


def _active_again(world: World, subscription: Entity) -> None:
    """Halted no longer: the invoices made meanwhile are not charged again, the next one is."""
    subscription.update(status="active", auth_attempts=0)
    world.save(subscription)
    world.emit("subscription.activated", subscription=subscription)


# --- the end ---------------------------------------------------------------------------------------------------


def end_cycle(world: World, subscription_id: str) -> None:
    """The end of a cycle at which it is to be cancelled."""
    subscription = world.table("subscription").get(subscription_id)
    if subscription is None or not world.private[subscription_id].get("cancel_at_end"):
        return
    if subscription["status"] in ("active", "pending", "halted", "paused"):
        end(world, subscription, "cancelled")


def end(world: World, subscription: Entity, status: str, payment: Entity | None = None) -> None:
    """``cancelled`` or ``completed``: nothing more happens."""
    subscription.update(
        status=status,
        ended_at=world.clock.unix(),
        charge_at=None,
        has_scheduled_changes=False,
        change_scheduled_at=None,
    )
    world.save(subscription)
    about = {"subscription": subscription} if payment is None else {"subscription": subscription, "payment": payment}
    world.emit(f"subscription.{status}", **about)

"""The emulator's plans and subscriptions: the cycle of charges, its failures, every change of state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ConfigError
from support.emulator_api import DAY_S, Api

ITEM = {"name": "Gold", "amount": 69_900, "currency": "INR"}


@pytest.fixture
def api() -> Api:
    return Api(Emulator(in_process=True))


def plan(api: Api, period: str = "weekly", interval: int = 1) -> str:
    return str(api.post("/plans", {"period": period, "interval": interval, "item": ITEM})["id"])


def subscribe(api: Api, total_count: int = 3, **more: Any) -> str:
    said = {"plan_id": plan(api), "total_count": total_count, **more}
    return str(api.post("/subscriptions", said)["id"])


def look(api: Api, subscription: str) -> Any:
    return api.get(f"/subscriptions/{subscription}")


def subscription_events(api: Api, start: int = 0) -> list[str]:
    names = api.since(start)
    return [name.removeprefix("subscription.") for name in names if name.startswith("subscription.")]


def test_starting_at_once(api: Api) -> None:
    """The first charge authenticates: authenticated, activated, charged, and an invoice that is paid."""
    subscription = subscribe(api, addons=[{"item": {**ITEM, "name": "Set-up", "amount": 10_000}, "quantity": 2}])
    payment = api.rz.authenticate(subscription)
    now = look(api, subscription)
    invoice = api.get("/invoices", subscription_id=subscription)["items"][0]

    assert (payment["status"], payment["amount"], payment["invoice_id"]) == ("captured", 89_900, invoice["id"])
    assert subscription_events(api) == ["authenticated", "activated", "charged"]
    assert "invoice.paid" in api.since()
    assert (now["status"], now["paid_count"], now["remaining_count"]) == ("active", 1, 2)
    assert (now["current_end"], now["charge_at"]) == (now["current_start"] + 7 * DAY_S,) * 2
    assert [line["type"] for line in invoice["line_items"]] == ["plan", "addon"]
    assert api.get("/addons")["items"][0]["invoice_id"] == invoice["id"]


def test_starting_later(api: Api) -> None:
    """A small payment authenticates and is given back; the first charge comes at ``start_at``."""
    start = api.rz.clock.unix() + 3 * DAY_S
    subscription = subscribe(api, start_at=start)
    payment = api.rz.authenticate(subscription)
    assert (look(api, subscription)["status"], payment["amount"]) == ("authenticated", 500)
    assert (payment["status"], payment["captured"]) == ("refunded", False)

    api.rz.clock.advance(3 * DAY_S - 1)
    assert subscription_events(api) == ["authenticated"]
    api.rz.clock.advance(1)
    assert subscription_events(api) == ["authenticated", "activated", "charged"]
    assert look(api, subscription)["current_start"] == start


def test_the_whole_life(api: Api) -> None:
    """Each week a charge; the last one completes it, and nothing comes after."""
    subscription = subscribe(api)
    api.rz.authenticate(subscription)
    start = api.mark()
    api.rz.clock.advance(60 * DAY_S)
    done = look(api, subscription)

    assert subscription_events(api, start) == ["charged", "charged", "completed"]
    assert (done["status"], done["paid_count"], done["remaining_count"], done["charge_at"]) == ("completed", 3, 0, None)
    assert api.refused("POST", f"/subscriptions/{subscription}/cancel") == (
        "Subscription is not cancellable in completed status."
    )


def test_retries_and_halt(api: Api) -> None:
    """A charge that fails is tried on the next three days; then halted: invoices are made and not charged."""
    subscription = subscribe(api, 5)
    api.rz.authenticate(subscription)
    api.rz.charges_fail(subscription)
    start = api.mark()
    api.rz.clock.advance(7 * DAY_S)
    first = look(api, subscription)
    assert (first["status"], first["auth_attempts"], first["remaining_count"]) == ("pending", 1, 3)
    assert first["charge_at"] == api.rz.clock.unix() + DAY_S

    api.rz.clock.advance(3 * DAY_S)
    halted = look(api, subscription)
    assert subscription_events(api, start) == ["pending", "pending", "pending", "halted"]
    assert (halted["status"], halted["auth_attempts"], halted["charge_at"]) == ("halted", 4, halted["current_end"])
    order = api.rz.world.orders[api.get("/invoices", subscription_id=subscription)["items"][0]["order_id"]]
    assert (order["status"], order["attempts"]) == ("attempted", 4)

    failed = api.since().count("payment.failed")
    api.rz.clock.advance(7 * DAY_S)
    assert api.get("/invoices", subscription_id=subscription)["items"][0]["status"] == "issued"
    assert api.since().count("payment.failed") == failed


def test_a_retry_succeeds(api: Api) -> None:
    """From pending back to active: activated and charged, for the same invoice."""
    subscription = subscribe(api)
    api.rz.authenticate(subscription)
    api.rz.charges_fail(subscription)
    api.rz.clock.advance(7 * DAY_S)
    api.rz.charges_fail(subscription, False)
    start = api.mark()
    api.rz.clock.advance(DAY_S)

    assert subscription_events(api, start) == ["activated", "charged"]
    assert api.get("/invoices", subscription_id=subscription)["count"] == 2
    assert (look(api, subscription)["auth_attempts"], look(api, subscription)["paid_count"]) == (0, 2)


def test_a_new_card(api: Api) -> None:
    """A pending subscription is charged with it at once; a halted one is active again without."""
    pending, halted = subscribe(api, 9), subscribe(api, 9)
    for subscription in (pending, halted):
        api.rz.authenticate(subscription)
        api.rz.charges_fail(subscription)
    api.rz.clock.advance(7 * DAY_S)
    start = api.mark()
    api.rz.change_card(pending)
    assert subscription_events(api, start) == ["activated", "charged"]

    api.rz.clock.advance(3 * DAY_S)
    start = api.mark()
    again = api.rz.change_card(halted)
    assert subscription_events(api, start) == ["activated"]
    assert (again["status"], again["paid_count"]) == ("active", 1)


def test_an_old_invoice_is_paid(api: Api) -> None:
    """Paying its invoice by hand brings a halted subscription back."""
    subscription = subscribe(api, 9)
    api.rz.authenticate(subscription)
    api.rz.charges_fail(subscription)
    api.rz.clock.advance(10 * DAY_S)
    invoice = api.get("/invoices", subscription_id=subscription)["items"][0]
    api.rz.pay_invoice(invoice["id"])

    assert look(api, subscription)["status"] == "active"
    assert look(api, subscription)["paid_count"] == 2


def test_pause_and_resume(api: Api) -> None:
    """Nothing is charged while paused; the cycle goes on after."""
    subscription = subscribe(api)
    api.rz.authenticate(subscription)
    paused = api.post(f"/subscriptions/{subscription}/pause", {"pause_at": "now"})
    assert (paused["status"], paused["charge_at"], paused["pause_initiated_by"]) == ("paused", None, "self")
    start = api.mark()
    api.rz.clock.advance(20 * DAY_S)
    assert subscription_events(api, start) == []

    resumed = api.post(f"/subscriptions/{subscription}/resume", {"resume_at": "now"})
    assert (resumed["status"], resumed["charge_at"]) == ("active", api.rz.clock.unix())
    api.rz.clock.advance(0)
    assert subscription_events(api, start) == ["resumed", "charged"]


def test_pausing_before_the_start_cancels(api: Api) -> None:
    """An authenticated subscription that is paused is cancelled."""
    subscription = subscribe(api, start_at=api.rz.clock.unix() + DAY_S)
    api.rz.authenticate(subscription)
    assert api.post(f"/subscriptions/{subscription}/pause")["status"] == "cancelled"
    api.rz.clock.advance(2 * DAY_S)
    assert subscription_events(api) == ["authenticated", "cancelled"]


def test_cancelled_at_the_end_of_the_cycle(api: Api) -> None:
    """It stays active until then, and is not charged again."""
    subscription = subscribe(api)
    api.rz.authenticate(subscription)
    said = api.post(f"/subscriptions/{subscription}/cancel", {"cancel_at_cycle_end": True})
    assert (said["status"], said["has_scheduled_changes"]) == ("active", True)
    api.rz.clock.advance(7 * DAY_S)

    assert subscription_events(api) == ["authenticated", "activated", "charged", "cancelled"]
    assert look(api, subscription)["ended_at"] == api.rz.clock.unix()


def test_changes_now_and_later(api: Api) -> None:
    """``now`` changes at once; ``cycle_end`` is shown as pending and comes with the next charge."""
    subscription = subscribe(api, 9)
    api.rz.authenticate(subscription)
    assert api.patch(f"/subscriptions/{subscription}", {"quantity": 2})["quantity"] == 2
    later = api.patch(f"/subscriptions/{subscription}", {"quantity": 5, "schedule_change_at": "cycle_end"})
    assert (later["quantity"], later["change_scheduled_at"]) == (2, later["current_end"])
    assert api.get(f"/subscriptions/{subscription}/retrieve_scheduled_changes")["quantity"] == 5

    api.rz.clock.advance(7 * DAY_S)
    assert look(api, subscription)["quantity"] == 5
    assert api.get("/payments")["items"][0]["amount"] == 5 * 69_900
    assert subscription_events(api).count("updated") == 2


def test_nobody_authenticates(api: Api) -> None:
    """At ``expire_by`` or ``start_at``, whichever is first, it expires without a word."""
    subscription = subscribe(api, start_at=api.rz.clock.unix() + 5 * DAY_S, expire_by=api.rz.clock.unix() + DAY_S)
    api.rz.clock.advance(DAY_S)

    assert look(api, subscription)["status"] == "expired"
    assert api.since() == []
    with pytest.raises(ConfigError, match="expired"):
        api.rz.authenticate(subscription)


def test_authentication_fails(api: Api) -> None:
    """The customer may try again with another card."""
    subscription = subscribe(api)
    api.rz.authenticate(subscription, card="4100280000080001")
    assert (look(api, subscription)["status"], look(api, subscription)["auth_attempts"]) == ("created", 1)
    api.rz.authenticate(subscription)
    assert look(api, subscription)["status"] == "active"


def test_upi_subscriptions_cannot_be_changed(api: Api) -> None:
    """The published refusals for UPI."""
    subscription = subscribe(api)
    api.rz.authenticate(subscription, "upi")
    path = f"/subscriptions/{subscription}"
    assert api.refused("PATCH", path, {"quantity": 2}) == "Subscriptions cannot be updated when payment mode is UPI"
    assert api.refused("POST", f"{path}/addons", {"item": ITEM}) == (
        "Add-ons can't be added for Subscriptions when payment mode is upi"
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"plan_id": "plan_00000000000000"}, "The id provided does not exist"),
        ({"total_count": 0}, "The total count must be at least 1."),
        ({"expire_by": 946_684_801}, "Link expire by cannot be lesser than the current time."),
        ({"offer_id": "offer_00000000000000"}, "Offer Not Found"),
        ({"total_count": 99_999}, "The subscription may not run for more than 100 years."),
        ({"colour": "red"}, "colour is/are not required and should not be sent"),
    ],
)
def test_refused_subscriptions(api: Api, body: Any, text: str) -> None:
    """Bad requests are refused and make nothing."""
    assert api.refused("POST", "/subscriptions", {"plan_id": plan(api), "total_count": 3, **body}) == text
    assert api.get("/subscriptions")["items"] == []


def test_refused_in_the_wrong_state(api: Api) -> None:
    """Each call has its states."""
    path = f"/subscriptions/{subscribe(api)}"
    text = "Can't update Subscription when Subscription is not in Authenticated or Active state"
    assert api.refused("PATCH", path, {"quantity": 2}) == text
    assert "created status" in api.refused("POST", f"{path}/pause")
    assert "created status" in api.refused("POST", f"{path}/resume")
    assert api.refused("POST", f"{path}/cancel_scheduled_changes") == "No scheduled changes found for the subscription"
    api.post(f"{path}/cancel")
    assert api.refused("POST", f"{path}/cancel") == "Subscription is not cancellable in cancelled status."


@pytest.mark.parametrize(
    ("period", "interval", "start", "end"),
    [
        ("daily", 7, (2026, 1, 5), (2026, 1, 12)),
        ("weekly", 2, (2026, 1, 5), (2026, 1, 19)),
        ("monthly", 1, (2026, 1, 31), (2026, 2, 28)),
        ("quarterly", 1, (2026, 1, 31), (2026, 4, 30)),
        ("yearly", 1, (2028, 2, 29), (2029, 2, 28)),
    ],
)
def test_the_length_of_a_cycle(period: str, interval: int, start: Any, end: Any) -> None:
    """Days and weeks are counted; months keep the day or take their last one."""
    api = Api(Emulator(in_process=True, start=datetime(*start, 6, tzinfo=UTC)))
    said = {"plan_id": plan(api, period, interval), "total_count": 1}
    made = api.post("/subscriptions", said)
    assert made["end_at"] == int(datetime(*end, 6, tzinfo=UTC).timestamp())


def test_refused_plans(api: Api) -> None:
    """Published limits of plans."""
    good = {"period": "daily", "interval": 7, "item": ITEM}
    assert "at least 7" in api.refused("POST", "/plans", {**good, "interval": 6})
    assert api.refused("POST", "/plans", {**good, "period": "hourly"}) == "The selected period is invalid"
    assert (
        api.refused("POST", "/plans", {**good, "offer_id": "x"})
        == "offer_id is/are not required and should not be sent"
    )
    cheap = {**good, "item": {**ITEM, "amount": 99}}
    assert api.refused("POST", "/plans", cheap) == "The amount must be at least INR 1.00"

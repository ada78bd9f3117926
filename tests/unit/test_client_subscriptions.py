"""Subscriptions through the client: what is sent, what is refused before, and when a change counts as made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from client_fakes import collection, refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import AmountError, ApiBadRequest, FieldInvalid, IdMalformed, OutcomeUnknown
from support.billing import (
    ADDON_ID,
    OFFER_ID,
    PLAN_ID,
    SUBSCRIPTION_ID,
    WINDOW,
    Case,
    addon,
    ids,
    item,
    refuses,
    rejects,
    subscription,
    tried,
)

INR = Money.inr("499.00")
PATH = f"/v1/subscriptions/{SUBSCRIPTION_ID}"
OTHER = "sub_00000000000002"
ITEM = {"name": "Book", "amount": INR}
PRICE = {"name": "Book", "amount": 49900, "currency": "INR"}
CANCELLED = subscription(status="cancelled")
NOT_NOW = (400, refusal("Subscription is not cancellable in cancelled status.", field="status"))


def create(client: Client, **changes: Any) -> Any:
    return client.subscriptions.create(**{"plan_id": PLAN_ID, "total_count": 6, **changes})


def edit(client: Client, **changes: Any) -> Any:
    return client.subscriptions.edit(SUBSCRIPTION_ID, **changes)


def create_addon(client: Client, **changes: Any) -> Any:
    return client.subscriptions.create_addon(SUBSCRIPTION_ID, **{"item": ITEM, **changes})


def cancel(client: Client, **changes: Any) -> Any:
    return client.subscriptions.cancel(SUBSCRIPTION_ID, **changes)


CASES = {
    "create": Case(
        lambda client: create(client).id,
        "POST /v1/subscriptions",
        {"plan_id": PLAN_ID, "total_count": 6},
        subscription(status="created"),
        SUBSCRIPTION_ID,
    ),
    "create with everything": Case(
        lambda client: (
            create(
                client,
                quantity=2,
                start_at=datetime(2027, 1, 1, tzinfo=UTC),
                expire_by=1_800_000_000,
                customer_notify=False,
                addons=[{"item": ITEM}, {"item": ITEM, "quantity": 3}],
                offer_id=OFFER_ID,
                notes={"shop": "7"},
                notify_info={"notify_phone": "9123456780"},
                extra={"customer_id": "cust_00000000000001"},
            ).quantity
        ),
        "POST /v1/subscriptions",
        {
            "plan_id": PLAN_ID,
            "total_count": 6,
            "quantity": 2,
            "start_at": 1_798_761_600,
            "expire_by": 1_800_000_000,
            "customer_notify": False,
            "addons": [{"item": PRICE}, {"item": PRICE, "quantity": 3}],
            "offer_id": OFFER_ID,
            "notes": {"shop": "7"},
            "notify_info": {"notify_phone": "9123456780"},
            "customer_id": "cust_00000000000001",
        },
        subscription(quantity=2),
        2,
    ),
    "fetch": Case(
        lambda client: client.subscriptions.fetch(SUBSCRIPTION_ID).status, f"GET {PATH}", {}, subscription(), "active"
    ),
    "list": Case(
        lambda client: ids(client.subscriptions.list(plan_id=PLAN_ID, count=5, **WINDOW)),
        "GET /v1/subscriptions",
        {"plan_id": PLAN_ID, "from": 1_700_000_000, "to": 1_700_000_100, "count": 5, "skip": 0},
        collection(subscription()),
        [SUBSCRIPTION_ID],
    ),
    "iter": Case(
        lambda client: ids(client.subscriptions.iter(plan_id=PLAN_ID)),
        "GET /v1/subscriptions",
        {"plan_id": PLAN_ID, "count": 100, "skip": 0},
        collection(subscription()),
        [SUBSCRIPTION_ID],
    ),
    "edit": Case(
        lambda client: (
            edit(
                client,
                plan_id=PLAN_ID,
                offer_id=OFFER_ID,
                quantity=2,
                remaining_count=3,
                start_at=1_800_000_000,
                schedule_change_at="cycle_end",
                customer_notify=True,
            ).has_scheduled_changes
        ),
        f"PATCH {PATH}",
        {
            "plan_id": PLAN_ID,
            "offer_id": OFFER_ID,
            "quantity": 2,
            "remaining_count": 3,
            "start_at": 1_800_000_000,
            "schedule_change_at": "cycle_end",
            "customer_notify": True,
        },
        subscription(has_scheduled_changes=True),
        True,
    ),
    "pending update": Case(
        lambda client: client.subscriptions.pending_update(SUBSCRIPTION_ID).quantity,
        f"GET {PATH}/retrieve_scheduled_changes",
        {},
        subscription(quantity=2),
        2,
    ),
    "cancel pending update": Case(
        lambda client: client.subscriptions.cancel_pending_update(SUBSCRIPTION_ID).has_scheduled_changes,
        f"POST {PATH}/cancel_scheduled_changes",
        {},
        subscription(),
        False,
    ),
    "cancel": Case(lambda client: cancel(client).status, f"POST {PATH}/cancel", {}, CANCELLED, "cancelled"),
    "cancel later": Case(
        lambda client: cancel(client, cancel_at_cycle_end=True).status,
        f"POST {PATH}/cancel",
        {"cancel_at_cycle_end": True},
        subscription(has_scheduled_changes=True),
        "active",
    ),
    "pause": Case(
        lambda client: client.subscriptions.pause(SUBSCRIPTION_ID).status,
        f"POST {PATH}/pause",
        {"pause_at": "now"},
        subscription(status="paused"),
        "paused",
    ),
    "pause before the start": Case(
        lambda client: client.subscriptions.pause(SUBSCRIPTION_ID).status,
        f"POST {PATH}/pause",
        {"pause_at": "now"},
        CANCELLED,
        "cancelled",
    ),
    "resume": Case(
        lambda client: client.subscriptions.resume(SUBSCRIPTION_ID).status,
        f"POST {PATH}/resume",
        {"resume_at": "now"},
        subscription(),
        "active",
    ),
    "add-on": Case(
        lambda client: create_addon(client, quantity=2, extra={"description": "sweets"}).id,
        f"POST {PATH}/addons",
        {"item": PRICE, "quantity": 2, "description": "sweets"},
        addon(quantity=2),
        ADDON_ID,
    ),
    "delete offer": Case(
        lambda client: client.subscriptions.delete_offer(SUBSCRIPTION_ID, OFFER_ID).id,
        f"DELETE {PATH}/{OFFER_ID}",
        {},
        subscription(),
        SUBSCRIPTION_ID,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: create(client, plan_id="sub_00000000000001"), IdMalformed),
        (lambda client: create(client, total_count=None), FieldInvalid),
        (lambda client: create(client, total_count=0), FieldInvalid),
        (lambda client: create(client, quantity=0), FieldInvalid),
        (lambda client: create(client, quantity=1.0), FieldInvalid),
        (lambda client: create(client, start_at=datetime(2027, 1, 1)), FieldInvalid),  # no zone: so it must be
        (lambda client: create(client, expire_by=5_000_000_000), FieldInvalid),
        (lambda client: create(client, customer_notify=1), FieldInvalid),
        (lambda client: create(client, addons={"item": ITEM}), FieldInvalid),
        (lambda client: create(client, addons=["item"]), FieldInvalid),
        (lambda client: create(client, addons=[{}]), FieldInvalid),
        (lambda client: create(client, addons=[{"item": ITEM, "quantity": 0}]), FieldInvalid),
        (lambda client: create(client, addons=[{"item": {**ITEM, "amount": 49900}}]), AmountError),
        (lambda client: create(client, offer_id="offer"), IdMalformed),
        (lambda client: create(client, notes={str(n): "" for n in range(16)}), FieldInvalid),
        (lambda client: create(client, notify_info="9123456780"), FieldInvalid),
        (lambda client: create(client, extra={"quantity": 2}), FieldInvalid),
        (edit, FieldInvalid),
        (lambda client: edit(client, schedule_change_at="now"), FieldInvalid),
        (lambda client: edit(client, quantity=2, schedule_change_at="later"), FieldInvalid),
        (lambda client: edit(client, remaining_count=-1), FieldInvalid),
        (lambda client: client.subscriptions.fetch("sub_1"), IdMalformed),
        (lambda client: client.subscriptions.list(plan_id="x"), IdMalformed),
        (lambda client: client.subscriptions.pending_update("x"), IdMalformed),
        (lambda client: client.subscriptions.cancel_pending_update("x"), IdMalformed),
        (lambda client: client.subscriptions.cancel("x"), IdMalformed),
        (lambda client: cancel(client, cancel_at_cycle_end="yes"), FieldInvalid),
        (lambda client: client.subscriptions.pause("x"), IdMalformed),
        (lambda client: client.subscriptions.pause(SUBSCRIPTION_ID, pause_at=""), FieldInvalid),
        (lambda client: client.subscriptions.resume("x"), IdMalformed),
        (lambda client: create_addon(client, quantity=0), FieldInvalid),
        (lambda client: create_addon(client, item={"name": "Book", "amount": Money(0)}), AmountError),
        (lambda client: client.subscriptions.delete_offer(SUBSCRIPTION_ID, "../cancel"), IdMalformed),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What Razorpay would refuse, or what could be misread as money, is refused here."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (create, subscription(plan_id="plan_00000000000002"), "plan_id"),
        (create, subscription(total_count=60), "total_count"),
        (lambda client: create(client, quantity=2), subscription(quantity=20), "quantity"),
        (lambda client: client.subscriptions.fetch(SUBSCRIPTION_ID), subscription(id=OTHER), "id"),
        (lambda client: edit(client, quantity=2), subscription(id=OTHER), "id"),
        (cancel, subscription(id=OTHER, status="cancelled"), "id"),
        (create_addon, addon(subscription_id=OTHER), "subscription_id"),
        (create_addon, addon(item=item(amount=100)), "amount"),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """What is charged, and to whom, is what was asked for."""
    rejects(call, answer, field)


# --- cancelled, paused, resumed, and what lies between --------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reached"), [("cancel", "cancelled"), ("pause", "paused"), ("resume", "active")], ids=str
)
@pytest.mark.parametrize("first", [requests.ReadTimeout, (502, b""), (200, b""), (400, refusal("Some new words"))])
def test_a_change_that_was_made_already_counts_as_done(name: str, reached: str, first: Any) -> None:
    """After a lost answer, and after a refusal that may mean it: the subscription is asked, and nothing is repeated."""
    client, session, *_ = rig(first, subscription(status=reached))

    found = getattr(client.subscriptions, name)(SUBSCRIPTION_ID)

    assert found.status == reached
    assert session.lines == [f"POST {PATH}/{name}", f"GET {PATH}"]


@pytest.mark.parametrize("name", ["cancel", "pause"])
def test_a_success_that_is_none_is_asked_about_and_repeated(name: str) -> None:
    """The answer says that it is still active: whoever relied on it would go on charging."""
    reached = {"cancel": "cancelled", "pause": "paused"}[name]
    client, session, *_ = rig(subscription(), subscription(), subscription(status=reached))

    assert getattr(client.subscriptions, name)(SUBSCRIPTION_ID).status == reached

    assert [sent.method for sent in session.sent] == ["POST", "GET", "POST"]


@pytest.mark.parametrize(("name", "status"), [("cancel", "expired"), ("pause", "cancelled"), ("resume", "halted")])
def test_a_change_that_is_not_possible_is_refused(name: str, status: str) -> None:
    """The subscription is somewhere else: the refusal is the caller's."""
    client, *_ = rig((400, refusal("Not in this status.")), subscription(status=status))

    with pytest.raises(ApiBadRequest, match="HTTP 400"):
        getattr(client.subscriptions, name)(SUBSCRIPTION_ID)


def test_a_scheduled_change_is_no_sign_of_a_scheduled_end() -> None:
    """It may be a change of plan: the cancellation goes out again, rather than be believed."""
    changing = subscription(has_scheduled_changes=True)
    client, session, *_ = rig(requests.ReadTimeout, changing, changing)

    assert cancel(client, cancel_at_cycle_end=True).has_scheduled_changes

    assert [sent.method for sent in session.sent] == ["POST", "GET", "POST"]


def test_an_end_that_nobody_can_confirm_is_unknown() -> None:
    """The repeat is refused: perhaps because the first one was heard, and perhaps not."""
    client, *_ = rig(requests.ReadTimeout, subscription(), NOT_NOW, subscription(), forever=True)

    with pytest.raises(OutcomeUnknown, match="fetch it"):
        cancel(client, cancel_at_cycle_end=True)


@pytest.mark.parametrize("call", [create, lambda client: edit(client, quantity=2), create_addon])
def test_what_charges_is_never_sent_twice(call: Callable[[Client], Any]) -> None:
    """A second subscription, change or add-on would be a second charge."""
    client, session, *_ = rig(requests.ReadTimeout)

    with pytest.raises(OutcomeUnknown):
        call(client)

    assert len(session.sent) == 1

"""The emulator's refunds: limits, states, and the idempotency key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator, Options
from razorpay_hardened.emulator.wire import Reply
from razorpay_hardened.errors import ApiBadRequest, ConfigError

KEY = {"X-Refund-Idempotency": "refund-key-0001"}


@pytest.fixture
def rz() -> Emulator:
    return Emulator(in_process=True)


def paid(rz: Emulator, amount: int = 100_000, **how: Any) -> str:
    order = rz.request("POST", "/v1/orders", {"amount": amount, "currency": "INR"}).json()
    return str(rz.pay(order["id"], **how)["id"])


def refund(rz: Emulator, payment_id: str, headers: dict[str, str] | None = None, **body: Any) -> Reply:
    return rz.request("POST", f"/v1/payments/{payment_id}/refund", body, headers=headers)


def text(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json()["error"]["description"]


def names(rz: Emulator) -> list[str]:
    return [event.name for event in rz.world.events if event.name.startswith("refund.")]


def test_full_refund(rz: Emulator) -> None:
    """Without an amount everything goes back: pending first, processed as time passes, the order stays paid."""
    payment_id = paid(rz)
    answer = refund(rz, payment_id).json()
    payment = dict(rz.world.payments[payment_id])
    rz.clock.advance(60)

    assert tuple(answer[key] for key in ("entity", "amount", "status", "speed_processed")) == (
        "refund",
        100_000,
        "pending",
        "normal",
    )
    assert tuple(payment[key] for key in ("status", "amount_refunded", "refund_status", "captured")) == (
        "refunded",
        100_000,
        "full",
        True,
    )
    assert rz.request("GET", f"/v1/refunds/{answer['id']}").json()["status"] == "processed"
    assert rz.world.orders[payment["order_id"]]["status"] == "paid"
    assert names(rz) == ["refund.created", "refund.processed"]


def test_refund_events_carry_refund_and_payment(rz: Emulator) -> None:
    """refund.created holds both entities as they were."""
    payment_id = paid(rz)
    refund(rz, payment_id, amount=40_000)
    event = json.loads(rz.world.events[-1].body)

    assert event["contains"] == ["refund", "payment"]
    assert event["payload"]["payment"]["entity"]["amount_refunded"] == 40_000
    assert event["payload"]["refund"]["entity"]["status"] == "pending"


def test_refund_processed_at_once() -> None:
    """An account that settles at once says processed in the first answer; both events are sent."""
    rz = Emulator(in_process=True, options=Options(refund_after_s=0))

    assert refund(rz, paid(rz)).json()["status"] == "processed"
    assert names(rz) == ["refund.created", "refund.processed"]


def test_partial_refunds(rz: Emulator) -> None:
    """Parts add up to the captured amount and no further."""
    payment_id = paid(rz)
    statuses = []
    for amount in (60_000, 40_000):
        refund(rz, payment_id, amount=amount)
        payment = rz.world.payments[payment_id]
        statuses.append((payment["status"], payment["refund_status"]))

    assert statuses == [("captured", "partial"), ("refunded", "full")]
    assert text(refund(rz, payment_id, amount=100)) == (400, "The payment has been fully refunded already.")
    assert len(rz.world.refunds) == 2


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"amount": 100_001}, "The refund amount provided is greater than amount captured."),
        ({"amount": 99}, "The amount must be at least INR 1.00."),
        ({"amount": 0}, "The amount must be at least INR 1.00."),
        ({"amount": "1.5"}, "The amount must be an integer."),
        ({"colour": "red"}, "colour is/are not required and should not be sent"),
        ({"speed": "warp"}, "The selected speed is invalid"),
    ],
)
def test_refused_refunds(rz: Emulator, body: dict[str, Any], expected: str) -> None:
    """A refused refund changes nothing."""
    payment_id = paid(rz)

    assert (400, expected) == text(refund(rz, payment_id, **body))
    assert (rz.world.payments[payment_id]["amount_refunded"], rz.world.refunds) == (0, {})


def test_more_than_is_left(rz: Emulator) -> None:
    """What is left counts, not what was captured."""
    payment_id = paid(rz)
    refund(rz, payment_id, amount=60_000)

    assert text(refund(rz, payment_id, amount=50_000)) == (
        400,
        "The refund amount provided is greater than amount captured.",
    )


def test_uncaptured_payments(rz: Emulator) -> None:
    """Authorised and failed payments cannot be refunded by call."""
    for outcome in ("authorized", "failed"):
        assert refund(rz, paid(rz, outcome=outcome)).status == 400


def test_bad_payment_ids(rz: Emulator) -> None:
    """Unknown and malformed payment ids are 400."""
    assert text(refund(rz, "pay_00000000000000")) == (400, "The id provided does not exist")
    assert text(refund(rz, "pay_x")) == (400, "pay_x is not a valid id")


def test_a_bare_number_is_refused(rz: Emulator) -> None:
    """The body that the SDK's old refund call sends refunds nothing."""
    payment_id = paid(rz)

    assert rz.request("POST", f"/v1/payments/{payment_id}/refund", 100).status == 400
    assert rz.world.refunds == {}


def test_old_payments(rz: Emulator) -> None:
    """Past six months only instant refunds are possible."""
    payment_id = paid(rz)
    rz.clock.advance(184 * 86_400)

    assert text(refund(rz, payment_id)) == (
        400,
        "Refund is not supported by the bank because the payment is more than 6 months old",
    )
    assert refund(rz, payment_id, speed="optimum").status == 200


def test_instant_refunds(rz: Emulator) -> None:
    """An optimum refund is processed instantly and may be below one rupee."""
    answer = refund(rz, paid(rz), speed="optimum", amount=50).json()

    assert (answer["speed_requested"], answer["speed_processed"]) == ("optimum", "instant")


def test_instant_refund_falls_back(rz: Emulator) -> None:
    """The published amount makes an optimum refund fall back to normal speed on its way."""
    answer = refund(rz, paid(rz), speed="optimum", amount=2468).json()
    rz.clock.advance(60)
    after = rz.world.refunds[answer["id"]]

    assert (after["status"], after["speed_processed"]) == ("processed", "normal")
    assert names(rz) == ["refund.created", "refund.speed_changed", "refund.processed"]


def test_failed_refund_gives_back(rz: Emulator) -> None:
    """A refund that the bank refuses leaves its amount refundable again."""
    payment_id = paid(rz)
    first = refund(rz, payment_id).json()
    rz.settle_refund(first["id"], "failed")
    payment = dict(rz.world.payments[payment_id])
    rz.clock.advance(3600)

    assert tuple(payment[key] for key in ("status", "amount_refunded", "refund_status")) == ("captured", 0, None)
    assert rz.world.refunds[first["id"]]["status"] == "failed"
    assert refund(rz, payment_id).status == 200
    assert names(rz) == ["refund.created", "refund.failed", "refund.created"]


def test_settling_by_hand(rz: Emulator) -> None:
    """Settling is idempotent, and unknown refunds and outcomes are refused."""
    first = refund(rz, paid(rz)).json()
    rz.settle_refund(first["id"])
    rz.settle_refund(first["id"])

    assert names(rz) == ["refund.created", "refund.processed"]
    for refund_id, outcome in ((first["id"], "lost"), ("rfnd_00000000000000", "failed")):
        with pytest.raises(ConfigError):
            rz.settle_refund(refund_id, outcome)


def test_bank_reference_comes_later(rz: Emulator) -> None:
    """The ARN is filled in a day after the refund is processed."""
    first = refund(rz, paid(rz, card="4100280000001007")).json()
    rz.clock.advance(60)
    before = rz.world.refunds[first["id"]]["acquirer_data"]
    rz.clock.advance(86_400)

    assert before == {"arn": None}
    assert rz.world.refunds[first["id"]]["acquirer_data"]["arn"].isdigit()


def test_dashboard_refund(rz: Emulator) -> None:
    """An operator's refund is one that no code asked for; it obeys the same limits."""
    payment_id = paid(rz)
    made = rz.refund(payment_id, 30_000)

    assert rz.refund(payment_id)["amount"] == 70_000
    assert made["id"] in rz.world.refunds
    with pytest.raises(ApiBadRequest, match="fully refunded"):
        rz.refund(payment_id)


def test_same_key_same_body(rz: Emulator) -> None:
    """A repeat with the same key and body gets the first answer, whatever happened since."""
    payment_id = paid(rz)
    first = refund(rz, payment_id, KEY, amount=500, speed="normal")
    rz.clock.advance(3600)
    second = refund(rz, payment_id, {"x-refund-idempotency": KEY["X-Refund-Idempotency"]}, speed="normal", amount=500)

    assert (200, first.body) == (second.status, second.body)
    assert len(rz.world.refunds) == 1


def test_same_key_other_request(rz: Emulator) -> None:
    """Another body or another payment under the same key is 409 and refunds nothing."""
    payment_id, other_id = paid(rz), paid(rz)
    refund(rz, payment_id, KEY, amount=500)
    expected = (409, "Different request with the same idempotency key has already been processed.")

    assert expected == text(refund(rz, payment_id, KEY, amount=501))
    assert expected == text(refund(rz, other_id, KEY, amount=500))
    assert len(rz.world.refunds) == 1


def test_the_key_of_a_refused_refund_is_free(rz: Emulator) -> None:
    """A refusal does not use up the key."""
    payment_id = paid(rz)

    assert refund(rz, payment_id, KEY, amount=99).status == 400
    assert refund(rz, payment_id, KEY, amount=100).status == 200


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("ninechars", "The idempotency key must be at least 10 characters long."),
        (
            "with a space in it",
            "The idempotency key must only contain alphanumeric characters, underscores, and hyphens",
        ),
        ("full.stop.key", "The idempotency key must only contain alphanumeric characters, underscores, and hyphens"),
    ],
)
def test_bad_keys(rz: Emulator, key: str, expected: str) -> None:
    """Keys that are too short or hold other characters are 400."""
    reply = refund(rz, paid(rz), {"X-Refund-Idempotency": key})

    assert (400, expected) == text(reply)
    assert reply.json()["error"]["source"] == "NA"


def test_without_a_key_twice_is_twice(rz: Emulator) -> None:
    """Without a key every call is a new refund."""
    payment_id = paid(rz)
    refund(rz, payment_id, amount=500)
    refund(rz, payment_id, amount=500)

    assert len(rz.world.refunds) == 2


def test_fetching_refunds(rz: Emulator) -> None:
    """Refunds are listed over all, by payment, and fetched by either path; another payment's does not exist."""
    payment_id, other_id = paid(rz), paid(rz)
    first, second = (refund(rz, payment_id, amount=amount).json() for amount in (100, 200))
    third = refund(rz, other_id).json()
    listed = rz.request("GET", "/v1/refunds").json()["items"]
    of_payment = rz.request("GET", f"/v1/payments/{payment_id}/refunds").json()["items"]

    assert [third["id"], second["id"], first["id"]] == [one["id"] for one in listed]
    assert [second, first] == of_payment
    assert first == rz.request("GET", f"/v1/payments/{payment_id}/refunds/{first['id']}").json()
    assert rz.request("GET", f"/v1/payments/{payment_id}/refunds/{third['id']}").status == 400
    assert rz.request("GET", f"/v1/refunds/{payment_id}").status == 400


def test_refund_notes(rz: Emulator) -> None:
    """PATCH takes notes, and needs them."""
    path = f"/v1/refunds/{refund(rz, paid(rz)).json()['id']}"

    assert rz.request("PATCH", path, {"notes": {"a": "b"}}).json()["notes"] == {"a": "b"}
    assert text(rz.request("PATCH", path, {})) == (400, "The notes field is required")

"""Dead letters: listed, and tried again by command or by call, whatever they came of."""

from __future__ import annotations

from typing import Any

import pytest

from bodies import Shop, body, order_id, payment
from cli_shop import APP, Morning, Terminal
from razorpay_hardened import MemoryStore, NonRetryable
from razorpay_hardened.errors import EventUnknown

CAPTURED = body("payment.captured", payment=payment(1, "captured"))


class Handler:
    """Gives up until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.calls: list[str] = []

    def __call__(self, change: Any, tx: Any = None) -> None:
        self.calls.append(change.key)
        if not self.mended:
            raise NonRetryable("no")


@pytest.mark.parametrize("mode", ["on", "after"])
def test_one_effect_is_tried_again(mode: str) -> None:
    """Once it is mended it is done, and so is its delivery; then there is nothing left to replay."""
    ours = Shop(MemoryStore())
    ours.adopt(1)
    handler = Handler()
    getattr(ours.rzp, mode)("order.paid", name="grant")(handler)
    ours.deliver(CAPTURED)
    (row,) = ours.store.effects()
    again = ours.rzp.webhooks.replay_effect(row.id)
    assert (again.state, again.attempts, again.error) == ("dead", 1, "NonRetryable: no")
    handler.mended = True
    assert ours.rzp.webhooks.replay_effect(row.id).state == "done"
    assert [one.state for one in ours.store.deliveries()] == ["done"]
    assert handler.calls == [f"order.paid:{order_id(1)}"] * 3
    with pytest.raises(EventUnknown, match="is given up"):
        ours.rzp.webhooks.replay_effect(row.id)
    with pytest.raises(EventUnknown, match="no effect 999"):
        ours.rzp.webhooks.replay_effect(999)


def test_a_pause_holds_for_replays_too() -> None:
    """It waits, and the resume calls it."""
    ours = Shop(MemoryStore())
    ours.adopt(1)
    handler = Handler()
    ours.rzp.on("order.paid", name="grant")(handler)
    ours.deliver(CAPTURED)
    handler.mended = True
    ours.rzp.pause(actor="me")
    (row,) = ours.store.effects()
    assert ours.rzp.webhooks.replay_effect(row.id).state == "waiting"
    assert len(handler.calls) == 1
    ours.rzp.resume(actor="me")
    assert [one.state for one in ours.store.effects()] == ["done"]


# --- the commands


def dead(terminal: Terminal) -> list[Any]:
    rows: list[Any] = terminal("effects", "list", "--state", "dead", "--json").json["effects"]
    return rows


def test_the_list_shows_what_is_not_done(morning: Morning, idle: Terminal) -> None:
    """By state, handler and order; without the texts of secrets."""
    said = idle("effects", "list", "--json").json
    row, doubt = said["effects"]  # the morning's contradiction is Razorpay's to settle
    assert (row["handler"], row["state"], said["total"]) == ("grant-access", "waiting", 2)
    assert (doubt["handler"], doubt["milestone"]) == ("razorpay_hardened.fetch", "delivery.doubted")
    assert idle("effects", "list", "--about", row["about"], "--json").json["effects"] == [row]
    assert idle("effects", "list", "--handler", "nobody", "--json").json["effects"] == []
    done = idle("effects", "list", "--state", "done", "--limit", "1", "--json").json
    assert (len(done["effects"]), done["total"] > 1) == (1, True)
    table = idle.columns(200)("effects", "list")
    assert (table.code, "grant-access" in table.out, "2 effects" in table.out + table.err) == (0, True, True)
    assert row["error"].startswith("ConnectionError: access service down")
    assert morning.rz.key_secret not in row["error"] + table.out
    assert idle("effects", "list", "--state", "lost").code == 2


def test_dead_effects_are_replayed_by_id_and_by_handler(shop: Morning, working: Terminal) -> None:
    """Exit code 1 while the handler still fails, 0 once it is mended; done is done."""
    shop.passes(90_000)  # a day of redeliveries
    (row,) = dead(working)
    failed = working("effects", "replay", str(row["id"]), "--app", APP)
    assert failed.code == 1
    assert "ConnectionError" in failed.out + failed.err
    assert shop.rz.key_secret not in failed.out + failed.err
    shop.mended = True
    said = working("effects", "replay", "--handler", "grant-access", "--app", APP, "--json")
    assert (said.code, [one["state"] for one in said.json["effects"]]) == (0, ["done"])
    assert dead(working) == []
    assert "user:13" in shop.granted
    assert working("effects", "replay", "--handler", "grant-access", "--app", APP).code == 0
    assert working("effects", "replay", str(row["id"]), "--app", APP).code == 1


@pytest.mark.parametrize("argv", [(), ("1", "--handler", "grant-access"), ("0",), ("one",)])
def test_a_replay_names_one_thing(working: Terminal, argv: tuple[str, ...]) -> None:
    """An id or a handler: else usage, and nothing has run."""
    assert working("effects", "replay", *argv, "--app", APP).code == 2


def test_a_replay_needs_the_application(idle: Terminal) -> None:
    """Its handlers are called."""
    said = idle("effects", "replay", "1")
    assert (said.code, "--app module:attribute" in said.err) == (2, True)

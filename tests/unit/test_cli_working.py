"""Commands that may call handlers: `events replay` and `reconcile`, with the application and without it."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cli_shop import APP, SINCE, Morning, Terminal, contents
from razorpay_hardened import Razorpay

REPLAY = {"digest", "event_id", "before", "after", "milestones"}
RUN = ("reconcile", "--since", SINCE, "--app", APP)


def waiting(terminal: Terminal) -> dict[str, Any]:
    """The delivery whose handler failed."""
    rows = terminal("events", "list", "--state", "waiting", "--json").json["events"]
    assert len(rows) == 1
    row: dict[str, Any] = rows[0]
    return row


def captured(terminal: Terminal, order: str) -> str:
    """The id of the delivery that told of an order's capture first."""
    rows = terminal("events", "list", "--about", order, "--json").json["events"]
    found: str = next(row["event_id"] for row in rows if row["event"] in ("payment.captured", "order.paid"))
    return found


# --- the application


@pytest.mark.parametrize("argv", [("events", "replay", "evt_torn"), ("reconcile", "--repair")])
def test_without_the_application_nothing_runs(morning: Morning, idle: Terminal, argv: tuple[str, ...]) -> None:
    """Effects would be lost in a process that does not know the handlers: exit code 2, and how to name it."""
    before = contents(morning.url)
    said = idle(*argv)
    assert said.code == 2
    assert "--app module:attribute" in said.err
    assert "RAZORPAY_APP" in said.err
    assert contents(morning.url) == before


def test_the_application_may_be_named_in_the_environment(shop: Morning, working: Terminal) -> None:
    """RAZORPAY_APP is as good as --app."""
    working.environ(RAZORPAY_APP=APP)
    assert working("reconcile", "--repair", "--since", SINCE).code == 0


def test_a_handler_that_is_missing_is_refused_by_name(
    morning: Morning, idle: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store owes grant-access a call; an application without it would leave the customer without access."""
    bare = ModuleType("bare")
    bare.__dict__["rzp"] = Razorpay.from_env(morning.environ())
    monkeypatch.setitem(sys.modules, "bare", bare)
    before = contents(morning.url)
    for argv in (("events", "replay", "evt_torn"), ("reconcile", "--repair", "--since", SINCE)):
        said = idle(*argv, "--app", "bare:rzp")
        assert said.code == 2
        assert "does not have: grant-access" in said.err
    assert contents(morning.url) == before


def test_a_handler_that_was_given_up_is_needed_for_its_replay(
    shop: Morning, working: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dead effects do not stop other work; the delivery that they belong to does need their handlers."""
    row = waiting(working)
    shop.passes(90_000)  # a day of redeliveries
    assert working("events", "show", row["event_id"], "--json").json["event"]["state"] == "dead"
    bare = ModuleType("bare")
    bare.__dict__["rzp"] = Razorpay.from_env(shop.environ())
    monkeypatch.setitem(sys.modules, "bare", bare)
    said = working("events", "replay", row["event_id"], "--app", "bare:rzp")
    assert said.code == 2
    assert "grant-access" in said.err


def test_an_application_that_cannot_be_had_is_told(idle: Terminal) -> None:
    """With its place, and without the text of the application's own errors: they may quote a secret."""

    def fails() -> None:
        raise OSError("cannot reach db.example as admin with hunter22")

    def leaves() -> None:
        sys.exit("no configuration")

    def unwired() -> Razorpay:
        return Razorpay.from_env({})

    named = {"number": 7, "fails": fails, "leaves": leaves, "unwired": unwired}
    sys.modules["shop_under_test"].__dict__.update(named)
    for reference, says in (
        ("shop", "module:attribute"),
        (":rzp", "module:attribute"),
        ("shop_under_test:", "module:attribute"),
        ("no_such_module_of_ours:rzp", "ModuleNotFoundError: No module named 'no_such_module_of_ours'"),
        ("shop_under_test:nothing", "AttributeError"),
        ("shop_under_test:number", "neither a Razorpay object nor a function"),
        ("shop_under_test:fails", "OSError (" + __file__),
        ("shop_under_test:leaves", "SystemExit"),
        ("shop_under_test:unwired", "RAZORPAY_KEY_ID"),
    ):
        said = idle("events", "replay", "evt_torn", "--app", reference)
        assert (said.code, said.out) == (2, ""), reference
        assert says in said.err, reference
        assert "hunter22" not in said.err
        assert "Traceback" not in said.err


def test_an_application_in_the_folder_is_found(
    morning: Morning, idle: Terminal, tmp_path: Path, monkeypatch: Any
) -> None:
    """As `python -m` finds it; and an error in its source is told with the line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one not in ("", str(tmp_path))])
    monkeypatch.delitem(sys.modules, "shop_in_folder", raising=False)
    (tmp_path / "shop_in_folder.py").write_text("import os\nraise RuntimeError('with hunter22')\n")
    said = idle("reconcile", "--repair", "--app", "shop_in_folder:rzp")
    assert (said.code, "hunter22" in said.err) == (2, False)
    assert f"RuntimeError ({tmp_path / 'shop_in_folder.py'}:2)" in said.err


def test_another_store_than_the_applications_is_refused(shop: Morning, working: Terminal, tmp_path: Path) -> None:
    """--store cannot move an application that has its own."""
    other = f"sqlite:///{tmp_path / 'other.db'}"
    said = working("--store", other, "reconcile", "--repair", "--app", APP)
    assert said.code == 2
    assert "another store" in said.err
    assert not (tmp_path / "other.db").exists()
    assert working("--store", shop.url, "reconcile", "--repair", "--since", SINCE, "--app", APP).code == 0


# --- replay


def test_a_delivery_that_waits_is_done_by_a_replay(shop: Morning, working: Terminal) -> None:
    """Once the handler is mended; before that it fails again, with exit code 1."""
    row = waiting(working)
    said = working("events", "replay", row["event_id"], "--app", APP)
    assert (said.code, "a handler failed again" in said.out) == (1, True)
    shop.mended = True
    done = working("events", "replay", row["event_id"], "--app", APP, "--json")
    assert done.code == 0
    assert set(done.json) == REPLAY
    assert (done.json["before"], done.json["after"]) == ("waiting", "done")
    assert shop.granted.count("user:13") == 1


def test_a_delivery_that_is_done_is_left_alone(morning: Morning, idle: Terminal) -> None:
    """And it says so; exit code 0, and nothing is written."""
    name = captured(idle, morning.plain)
    before = contents(morning.url)
    said = idle("events", "replay", name, "--app", APP)
    assert said.code == 0
    assert "done already: nothing to do" in said.out
    assert idle("events", "replay", name, "--app", APP, "--json").json["milestones"] == []
    assert contents(morning.url) == before


def test_force_never_fires_what_has_fired(shop: Morning, working: Terminal) -> None:
    """The law holds for a replay too: no second effect; the attempt is on record."""
    name = captured(working, shop.plain)
    before, granted = contents(shop.url)[0], list(shop.granted)
    said = working("events", "replay", name, "--app", APP, "--force")
    assert said.code == 0
    assert "no milestone fired" in said.out
    assert shop.granted == granted
    after = contents(shop.url)[0]
    assert after["razorpay_audit"] > before["razorpay_audit"]
    assert {**after, "razorpay_audit": 0} == {**before, "razorpay_audit": 0}


def test_a_body_that_stays_unusable_stays_quarantined(morning: Morning, idle: Terminal) -> None:
    """With the reason as the error's name."""
    said = idle("events", "replay", "evt_torn", "--app", APP)
    assert (said.code, said.err.strip().endswith("[PayloadMalformed]")) == (1, True)
    assert {row["event_id"] for row in idle("events", "list", "--state", "quarantined", "--json").json["events"]} == {
        "evt_torn",
        "evt_contradiction",
    }


def test_a_replay_of_what_nobody_knows(morning: Morning, idle: Terminal) -> None:
    """EventUnknown, exit code 1."""
    said = idle("events", "replay", "evt_nobody", "--app", APP)
    assert (said.code, said.err) == (1, "error: no event 'evt_nobody' is on record here [EventUnknown]\n")


# --- reconcile


@pytest.mark.parametrize("argv", [RUN, (*RUN, "--dry-run"), (*RUN, "--json")])
def test_a_look_writes_nothing(morning: Morning, idle: Terminal, argv: tuple[str, ...]) -> None:
    """No row and no byte of the write-ahead log; findings are not a failure."""
    before = contents(morning.url)
    said = idle(*argv)
    assert said.code == 0
    assert morning.lost in said.out
    assert contents(morning.url) == before


def test_the_shape_of_a_run(morning: Morning, idle: Terminal) -> None:
    """For programs; what was lost is found, in subunits."""
    found = idle(*RUN, "--json").json
    assert set(found) == {
        *("run_id", "since", "until", "repair", "complete", "resumed", "cursor", "findings", "plan", "totals"),
        "timezone",
    }
    assert found["timezone"] == "Asia/Kolkata"
    assert {one["entity_id"]: one["there"] for one in found["findings"]}[morning.lost_payment] == "captured 49900 INR"


def test_a_repair_gives_the_customer_what_was_paid(shop: Morning, working: Terminal) -> None:
    """The webhooks of one order never came: it is paid now, its handler has run, and both sides agree."""
    said = working(*RUN, "--repair")
    assert said.code == 0
    assert "0 left" in said.out
    assert shop.granted.count("user:4") == 1
    assert "captured ₹499.00" in said.out
    assert "both sides agree" in working(*RUN).out
    assert working("orders", "show", shop.lost, "--json").json["order"]["status"] == "paid"


def test_a_run_that_its_limit_ended_goes_on(shop: Morning, working: Terminal) -> None:
    """It says where it stopped and how to go on; the next ones do the rest."""
    first = working(*RUN, "--repair", "--limit", "2")
    assert first.code == 0
    assert "run it again to go on" in first.out
    rest = working(*RUN, "--repair", "--json").json
    assert (rest["resumed"], rest["complete"]) == (True, True)
    assert "go on with --since 2026-01-05T" in working(*RUN, "--limit", "2").out
    assert "both sides agree" in working(*RUN).out


def test_times_are_told_with_their_zone(morning: Morning, idle: Terminal) -> None:
    """Also those of a window that was given across midnight in India."""
    out = idle("--tz", "UTC", *RUN).out
    assert "from 2026-01-04 23:00:00 to" in out  # an hour of overlap
    assert "times in UTC" in out
    assert "from 2026-01-04 23:00:00 to" in idle(*RUN).out


def test_a_second_run_leaves_at_once(shop: Morning, working: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 75 while the first is in the middle of a page; the first is not disturbed."""
    reached, go_on = threading.Event(), threading.Event()
    handle = shop.rz.handle

    def slow(request: Any) -> Any:
        reached.set()
        assert go_on.wait(30)
        return handle(request)

    monkeypatch.setattr(shop.rz, "handle", slow)
    since = shop.clock.now() - timedelta(hours=1)
    with ThreadPoolExecutor(1) as pool, closing(shop.wired()) as rzp:
        first = pool.submit(rzp.reconciler.run, since=since, repair=True)
        try:
            assert reached.wait(30)
            second = working(*RUN, "--repair")
        finally:
            go_on.set()
        assert first.result(30).complete
    assert (second.code, second.out) == (75, "")
    assert second.err.endswith("[ReconcileBusy]\n")
    assert shop.granted.count("user:4") == 1

"""Commands that only look: orders, payments and events, as tables for people and JSON for programs."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli_shop import EVENT_ID, SINCE, Morning, Terminal, contents

LISTS = (("orders", "list"), ("payments", "list"), ("events", "list"))
ORDER = {
    *("local_id", "order_id", "owner", "plan", "amount", "currency", "status", "partial_payment", "attempts"),
    *("created_at", "updated_at", "closed_at"),
}
PAYMENT = {
    *("payment_id", "order_id", "amount", "currency", "status", "captured", "refunded", "surplus", "milestones"),
    *("created_at", "updated_at"),
}
REFUND = {"refund_id", "payment_id", "amount", "currency", "status", "created_at", "updated_at"}
EVENT = {
    *("digest", "event_id", "event", "state", "reason", "about", "attempts", "received_at", "created_at"),
    *("updated_at", "body_bytes", "erased_at"),
}
LINE = {"at", "kind", "subject", "what", "why"}
ODD = "payment.tele\x1b[31mported"
CAPTURES = {"payment.captured", "order.paid"}
"""Both tell of a capture. Which comes first is chance, and only the first changes anything."""
UTC = re.compile(r"2026-01-05T03:[0-9:.]+Z")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def looks(morning: Morning) -> list[tuple[str, ...]]:
    """Every command that looks, at everything there is."""
    orders = (morning.plain, morning.given_back, morning.unpaid, morning.lost, morning.twice, morning.failing)
    payments = (morning.plain_payment, morning.given_back_payment, morning.surplus, morning.failing_payment)
    events = ("evt_torn", "evt_contradiction", morning.odd)
    return [
        *((*one, "--since", SINCE) for one in LISTS),
        *(("orders", "show", one) for one in orders),
        *(("payments", "show", one) for one in payments),
        *(("events", "show", one) for one in events),
        ("events", "list", "--state", "quarantined"),
        ("events", "list", "--about", morning.given_back),
        ("db", "status"),
        ("db", "migrate"),
    ]


# --- what holds for all of them


@pytest.mark.slow
def test_looking_changes_nothing_and_shows_nothing_secret(morning: Morning, looking: Terminal) -> None:
    """No control character, secret, address, UPI id or telephone number, in tables or in JSON (FAULTS P6, rule 14).

    The rows and the write-ahead log are as before.
    """
    before, environ = contents(morning.url), morning.environ()
    looking.environ(**environ)
    secrets = {environ["RAZORPAY_KEY_SECRET"], environ["RAZORPAY_WEBHOOK_SECRET"]}
    hidden = (*secrets, "asha.rao@", "customer@example.com", "9000090000", "success@razorpay")
    shown = ""
    for argv in looks(morning):
        for form in ((), ("--json",)):
            said = looking(*argv, *form)
            assert said.code == 0, argv
            assert CONTROL.search(said.out) is None, argv
            assert [one for one in hidden if one in said.out + said.err] == [], argv
            shown += said.out
    assert contents(morning.url) == before
    assert "access service down, key ***" in shown
    assert "a***@example.com" in shown
    assert r"payment.tele\x1b[31mported" in shown


@pytest.mark.slow
def test_a_narrow_terminal_cuts_no_line_and_no_id(morning: Morning, looking: Terminal) -> None:
    """80 columns hold every command; what has no room is left out and told, and the ids that are shown are whole."""
    looking.columns(80)
    for argv in looks(morning):
        said = looking(*argv)
        assert max(map(len, said.out.splitlines()), default=0) <= 80, argv
    for word, argv in (
        (morning.plain, ("orders", "list", "--since", SINCE)),
        (morning.plain_payment, ("payments", "list", "--since", SINCE)),
        ("evt_contradiction", ("events", "list", "--state", "quarantined")),
        ("InconsistentEvent:", ("events", "list", "--state", "quarantined")),
        ("left out for want of width: local id, owner, plan", ("orders", "list", "--since", SINCE)),
        ("webhook quarantined", ("events", "show", "evt_torn")),
    ):
        assert word in looking(*argv).out, argv


def test_a_pipe_gets_all_columns(morning: Morning, looking: Terminal) -> None:
    """For grep and awk: nothing is left out and no line is broken."""
    out = looking("orders", "list", "--since", SINCE).out
    line = next(line for line in out.splitlines() if morning.given_back in line)
    assert {"a***@example.com", "silver", "₹1,234.50", "paid"} <= set(line.split())
    assert "left out" not in out


@pytest.mark.parametrize("argv", LISTS)
def test_the_zone_is_printed_and_india_is_the_default(looking: Terminal, argv: tuple[str, str]) -> None:
    """Also with the moment that the window begins at."""
    assert f"since {SINCE} 00:00:00; times in Asia/Kolkata" in looking(*argv, "--since", SINCE).out
    assert f"since {SINCE} 00:00:00; times in UTC" in looking("--tz", "UTC", *argv, "--since", SINCE).out


def test_a_day_begins_at_midnight_of_the_zone(morning: Morning, looking: Terminal) -> None:
    """The shop's first order was at 09:00:07 in India, 03:30:07 in UTC, and the evening before in New York."""

    def count(*argv: str) -> int:
        found: int = looking(*argv, "--json").json["total"]
        return found

    orders = ("orders", "list", "--since")
    assert count(*orders, "2026-01-05T09:00:08") == count(*orders, "2026-01-05") - 1
    assert count(*orders, "2026-01-05T03:30:07Z") == count(*orders, "2026-01-05T03:30:08+00:00") + 1
    assert count("--tz", "America/New_York", *orders, "2026-01-04", "--until", "2026-01-04") == 7
    assert count("--tz", "UTC", *orders, "2026-01-04", "--until", "2026-01-04") == 0
    assert count("--tz", "UTC", *orders, "2026-01-05", "--until", "2026-01-05") == 7
    assert count("--tz", "UTC", *orders, "520w") == 7


def test_without_a_window_it_is_the_last_week(looking: Terminal) -> None:
    """The morning was long ago."""
    for argv in LISTS:
        said = looking(*argv)
        assert (said.code, said.out.split(" since ")[0]) == (0, f"0 {argv[0]}")


# --- shapes


def test_the_shape_of_lists(looking: Terminal) -> None:
    """Programs depend on it: names, UTC with Z, amounts in subunits."""
    for name, keys, count in (("orders", ORDER, 7), ("payments", PAYMENT, 6), ("events", EVENT, 23)):
        found = looking(name, "list", "--since", SINCE, "--json").json
        told = {name, "total", "paused"} if name == "events" else {name, "total"}
        assert (set(found), found["total"], len(found[name])) == (told, count, count)
        times = [value for row in found[name] for key, value in row.items() if key.endswith("_at") and value]
        assert all(set(row) == keys for row in found[name])
        assert all(UTC.fullmatch(value) for value in times)


def test_the_newest_are_shown_and_the_newest_is_last(looking: Terminal) -> None:
    """With --limit, and it says of how many."""
    for name in ("orders", "payments", "events"):
        every = looking(name, "list", "--since", SINCE, "--json").json[name]
        some = looking(name, "list", "--since", SINCE, "--limit", "2", "--json").json
        assert some[name] == every[-2:]
        out = looking(name, "list", "--since", SINCE, "--limit", "2").out
        assert f"the newest 2 of {len(every)} {name}" in out
    assert "\n1 order since" in looking("orders", "list", "--since", SINCE, "--owner", "user:1").out


def test_lists_by_status(morning: Morning, looking: Terminal) -> None:
    """The option repeats, and an owner is one owner."""

    def ids(name: str, key: str, *argv: str) -> set[str]:
        return {row[key] for row in looking(name, "list", "--since", SINCE, *argv, "--json").json[name]}

    assert ids("orders", "order_id", "--status", "attempted") == {morning.unpaid}
    both = ids("orders", "order_id", "--status", "attempted", "--status", "created")
    assert {morning.unpaid, morning.lost} < both
    assert ids("orders", "order_id", "--owner", "asha.rao@example.com") == {morning.given_back}
    assert ids("payments", "payment_id", "--status", "refunded") == {morning.surplus}
    assert ids("events", "event_id", "--state", "quarantined") == {"evt_torn", "evt_contradiction"}


def test_an_order_with_all_that_happened(morning: Morning, looking: Terminal) -> None:
    """By Razorpay's id or the local one: its state, its payments and its story, and that the audit is whole."""
    found = looking("orders", "show", morning.failing, "--json").json
    assert set(found) == {"order", "payments", "timeline", "audit"}
    assert set(found["order"]) == ORDER
    assert [set(one) for one in found["payments"]] == [PAYMENT]
    assert all(set(line) == LINE for line in found["timeline"])
    assert found["audit"] == {"whole": True, "broken_at": {}}
    assert (found["order"]["status"], found["order"]["amount"]) == ("paid", 49900)
    assert looking("orders", "show", found["order"]["local_id"], "--json").json == found
    told = [(line["kind"], line["what"]) for line in found["timeline"]]
    assert told[0] == ("audit", "(new) → pending")
    assert ("effect", "effect waiting") in told
    assert ("effect", "effect done") in told


def test_a_payment_with_its_refunds(morning: Morning, looking: Terminal) -> None:
    """And only its own story, not that of the order's other payments."""
    found = looking("payments", "show", morning.given_back_payment, "--json").json
    assert set(found) == {"payment", "refunds", "timeline", "audit"}
    assert [set(one) for one in found["refunds"]] == [REFUND]
    assert (found["payment"]["refunded"], found["refunds"][0]["refund_id"]) == (50000, morning.refund)
    first = looking("payments", "show", morning.first, "--json").json
    assert {line["subject"] for line in first["timeline"] if line["kind"] == "audit"} == {morning.first}


def test_an_event_with_what_it_changed(morning: Morning, looking: Terminal) -> None:
    """By its id, its digest or the beginning of that; its body stays in the store."""
    rows = looking("events", "list", "--about", morning.plain, "--json").json["events"]
    row = next(row for row in rows if row["event"] in CAPTURES)
    found = looking("events", "show", row["event_id"], "--json").json
    assert set(found) == {"event", "entities", "timeline", "audit"}
    assert found["event"] == row
    assert {"kind": "payment", "id": morning.plain_payment, "status": "captured"} in found["entities"]
    for name in (row["digest"], row["digest"][:8]):
        assert looking("events", "show", name, "--json").json == found


def test_an_event_whose_id_is_odd_is_named_by_its_digest(morning: Morning, looking: Terminal) -> None:
    """The id is not signed, and one with control characters counts as none."""
    rows = looking("events", "list", "--state", "ignored", "--json").json["events"]
    assert [(row["event"], row["event_id"], row["digest"]) for row in rows] == [(ODD, None, morning.odd)]
    assert looking("events", "show", EVENT_ID).code == 1
    assert morning.odd[:16] in looking("events", "list", "--state", "ignored").out


def test_events_about_a_payment_or_refund(morning: Morning, looking: Terminal) -> None:
    """Only those that changed it, of all time, also by state."""

    def names(*argv: str) -> set[str]:
        return {row["event"] for row in looking("events", "list", *argv, "--json").json["events"]}

    assert "refund.processed" in names("--about", morning.refund)
    assert CAPTURES & names("--about", morning.refund) == set()
    assert CAPTURES & names("--about", morning.given_back_payment)
    assert names("--about", morning.failing, "--state", "waiting") <= CAPTURES
    assert names("--about", morning.foreign) == {"order.paid", "payment.captured", "payment.authorized"}


def test_what_is_unknown_is_a_failure_with_its_name(looking: Terminal) -> None:
    """Exit code 1 and one line, in which what was typed does not steer the terminal either."""
    for argv, code in (
        (("orders", "show", "order_\x1b[2J"), "OrderUnknown"),
        (("payments", "show", "pay_nobodyhasthisone"), "OrderUnknown"),
        (("events", "show", "evt_nobody"), "EventUnknown"),
        (("events", "show", "0123456789abcdef"), "EventUnknown"),
    ):
        said = looking(*argv)
        assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
        assert said.err.endswith(f"[{code}]\n")
        assert CONTROL.search(said.err) is None


# --- what is wrong with a store


@pytest.mark.parametrize("kind", ["orders", "payments", "events"])
def test_a_broken_audit_chain_is_told(morning: Morning, looking: Terminal, copied: Path, kind: str) -> None:
    """Exit code 1, and where it is broken."""
    with closing(sqlite3.connect(copied)) as connection, connection:
        connection.execute("DROP TRIGGER IF EXISTS razorpay_audit_no_update")
        changed = connection.execute(
            "UPDATE razorpay_audit SET actor = 'nobody' WHERE anchor = ? AND seq = 2", (morning.plain,)
        )
        assert changed.rowcount == 1
    looking.environ(RAZORPAY_STORE_URL=f"sqlite:///{copied}")
    rows = looking("events", "list", "--about", morning.plain, "--json").json["events"]
    name = {"orders": morning.plain, "payments": morning.plain_payment, "events": rows[-1]["digest"]}[kind]
    said = looking(kind, "show", name)
    assert said.code == 1
    assert f"broken: {morning.plain} at row 2" in said.out
    found = looking(kind, "show", name, "--json")
    assert (found.code, found.json["audit"]) == (1, {"whole": False, "broken_at": {morning.plain: 2}})


@pytest.mark.parametrize(("version", "says"), [(99, "upgrade the package"), (None, "db migrate")])
def test_a_store_of_another_version_is_told_with_what_to_do(
    looking: Terminal, copied: Path, version: int | None, says: str
) -> None:
    """SchemaMismatch, exit code 1, and which store it is; `db status` shows it without failing first."""
    with closing(sqlite3.connect(copied)) as connection, connection:
        if version is None:
            connection.execute("DROP TABLE razorpay_schema")
        else:
            connection.execute("UPDATE razorpay_schema SET version = ?, serves = ?", (version, version))
    looking.environ(RAZORPAY_STORE_URL=f"sqlite:///{copied}")
    said = looking("orders", "list")
    assert (said.code, said.out) == (1, "")
    assert said.err.endswith("[SchemaMismatch]\n")
    assert says in said.err
    assert str(copied) in said.err
    status = looking("db", "status")
    assert status.code == 1
    assert says in status.out


def test_a_store_that_is_not_there_is_told_and_not_made(looking: Terminal, tmp_path: Path) -> None:
    """More often than not it is a wrong path."""
    path = tmp_path / "typo.db"
    for argv in LISTS:
        said = looking("--store", f"sqlite:///{path}", *argv)
        assert said.code == 1
        assert f"there is no store at sqlite:///{path}" in said.err
        assert "`razorpay-hardened db migrate`" in said.err
        assert said.err.endswith("[SchemaMismatch]\n")
    assert looking("--store", f"sqlite:///{path}", "db", "status").code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_told(looking: Terminal, tmp_path: Path) -> None:
    """A typed failure, not a traceback."""
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, and no database at all\n" * 50)
    said = looking("--store", f"sqlite:///{path}", "orders", "list")
    assert (said.code, said.out) == (1, "")
    assert "Traceback" not in said.err


def test_db_makes_the_tables_once(looking: Terminal, tmp_path: Path) -> None:
    """And says what it did; `db status` agrees, and `db sql` shows how."""
    url = f"sqlite:///{tmp_path / 'new.db'}"
    made = looking("--store", url, "db", "migrate", "--json").json
    assert set(made) == {"store", "version", "wanted", "current", "finished", "rows", "from"}
    assert (made["store"], made["current"], made["from"]) == (url, True, None)
    assert "already at schema version" in looking("--store", url, "db", "migrate").out
    status = looking("--store", url, "db", "status", "--json").json
    assert status.pop("paused") is None
    assert {**status, "from": None} == made
    sql = looking("--store", url, "db", "sql")
    assert "CREATE TABLE" in sql.out
    assert looking("--store", url, "db", "sql", "--json").json == {"sql": sql.out, "output": None}
    assert "as this package needs it" in looking("--store", url, "db", "status").out

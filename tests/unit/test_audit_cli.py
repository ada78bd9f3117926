"""The commands of the trail: ``audit verify``, ``seal`` and ``show``, ``explain``, and ``show --at``."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli_shop import Morning
from razorpay_hardened.cli import main


class Command:
    """Runs a command on the morning's store; gives its exit code, and what it printed."""

    def __init__(self, morning: Morning, capsys: pytest.CaptureFixture[str]) -> None:
        self._morning = morning
        self._capsys = capsys

    def __call__(self, *argv: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = main(["--store", self._morning.url, *argv])
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def json(self, *argv: str, code: int = 0) -> Any:
        found, out, err = self(*argv, "--json")
        assert (found, err) == (code, "")
        return json.loads(out)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Morning:
    return Morning(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def looking(shared: Morning, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """On a store that nobody changes."""
    monkeypatch.delenv("COLUMNS", raising=False)
    for name, value in shared.environ().items():
        monkeypatch.setenv(name, value)
    return Command(shared, capsys)


@pytest.fixture
def morning(tmp_path: Path) -> Morning:
    return Morning(tmp_path)


@pytest.fixture
def command(morning: Morning, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.delenv("COLUMNS", raising=False)
    return Command(morning, capsys)


def by_hand(morning: Morning, *statements: str) -> None:
    """What somebody with the file can do: the triggers are no wall to him."""
    with closing(sqlite3.connect(morning.url.removeprefix("sqlite:///"))) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


# --- verify and seal


def test_a_whole_trail_is_verified_and_sealed(morning: Morning, command: Command) -> None:
    """Exit code 0, before sealing and after it; a second sealing finds nothing to do."""
    before = command.json("audit", "verify")
    assert before["whole"]
    assert (before["first_broken"], before["broken"], before["seals"]) == (None, [], 0)
    assert before["unsealed"] == before["rows"] > 30
    sealed = command.json("audit", "seal")
    assert (sealed["seals"], sealed["rows"]) == (1, before["rows"])
    after = command.json("audit", "verify")
    assert (after["sealed"], after["unsealed"], after["witness"]) == (before["rows"], 0, sealed["witness"])
    assert command.json("audit", "seal") == {"seals": 0, "rows": 0, "witness": sealed["witness"]}
    code, out, _ = command("audit", "verify", "--witness", sealed["witness"])
    assert code == 0
    assert "whole" in out
    assert sealed["witness"] in out
    code, out, _ = command("audit", "seal")
    assert (code, "nothing new" in out) == (0, True)


def test_the_first_broken_row_is_named(morning: Morning, command: Command) -> None:
    """With exit code 1, and by its anchor and number; one chain shows it too."""
    by_hand(
        morning,
        "DROP TRIGGER razorpay_audit_no_update",
        f"UPDATE razorpay_audit SET amount = 1 WHERE anchor = '{morning.plain}' AND seq = 2",
        f"UPDATE razorpay_audit SET actor = 'x' WHERE anchor = '{morning.given_back}' AND seq = 3",
    )
    found = command.json("audit", "verify", code=1)
    assert found["broken_count"] == 2
    first = found["first_broken"]
    assert (first["anchor"], first["seq"], first["kind"]) == (morning.plain, 2, "altered")
    assert first == found["broken"][0]
    code, out, _ = command("audit", "verify")
    assert code == 1
    assert f"row 2 of {morning.plain}" in out
    assert f"row 3 of {morning.given_back}" in out
    code, out, _ = command("audit", "show", morning.plain)
    assert (code, "broken: row 2" in out) == (1, True)
    assert command.json("audit", "show", morning.plain, code=1)["broken"]["seq"] == 2
    assert command("payments", "show", morning.plain_payment, "--at", "2026-02-01")[0] == 1
    code, out, _ = command("explain", morning.plain_payment)
    assert (code, "broken: row 2" in out) == (1, True)


def test_a_long_list_of_broken_rows_is_cut(morning: Morning, command: Command) -> None:
    """The first hundred are told, and how many there are."""
    by_hand(
        morning,
        *(f"INSERT INTO razorpay_anchors VALUES ('order_{number}', 1, 0, 1, 'x')" for number in range(120)),
    )
    code, out, _ = command("audit", "verify")
    assert code == 1
    assert "the first 100 of 120" in out
    assert command.json("audit", "verify", code=1)["broken_count"] == 120


def test_a_broken_seal_is_named_and_not_sealed_upon(morning: Morning, command: Command) -> None:
    """Seals that were taken away are missed by their head."""
    command("audit", "seal")
    by_hand(morning, "DROP TRIGGER razorpay_audit_seals_no_delete", "DELETE FROM razorpay_audit_seals")
    code, out, _ = command("audit", "verify")
    assert (code, "The first broken seal" in out, "seal 1 is missing" in out) == (1, True, True)
    code, _, err = command("audit", "seal")
    assert (code, "[AuditBroken]" in err) == (1, True)


def test_a_witness_is_read(looking: Command) -> None:
    """A wrong one is a usage error; one that does not fit, a broken trail."""
    code, _, err = looking("audit", "verify", "--witness", "nonsense")
    assert (code, "witness" in err) == (2, True)
    found = looking.json("audit", "verify", "--witness", "1:" + "f" * 64, code=1)
    assert found["first_broken"]["kind"] == "witness"


# --- show


def test_a_chain_is_shown_row_by_row(shared: Morning, looking: Command) -> None:
    """With every field for programs; people's addresses are masked."""
    shown = looking.json("audit", "show", shared.given_back)
    assert shown["whole"]
    assert [row["seq"] for row in shown["rows"]] == list(range(1, len(shown["rows"]) + 1))
    assert shown["rows"][0]["hash"] == shown["rows"][1]["prev"]
    code, out, _ = looking("audit", "show", shared.given_back)
    assert (code, "the chain is whole" in out) == (0, True)
    order = looking.json("orders", "show", shared.given_back)["order"]
    code, out, _ = looking("audit", "show", order["local_id"])
    assert (code, "a***@example.com" in out, "asha.rao" in out) == (0, True, False)
    code, _, err = looking("audit", "show", "order_nobody")
    assert (code, "[OrderUnknown]" in err) == (1, True)


# --- the past


def test_a_payment_is_shown_as_it_was(shared: Morning, looking: Command) -> None:
    """Before it was made, and after a part of it was given back."""
    payment = shared.given_back_payment
    before = looking.json("payments", "show", payment, "--at", "2026-01-01")
    assert (before["status"], before["amount"], before["parts"]) == (None, None, [])
    after = looking.json("payments", "show", payment, "--at", "2026-01-05")  # its end
    assert (after["status"], after["captured"], after["refunded"]) == ("captured", True, 50000)
    assert [part["id"] for part in after["parts"]] == [shared.refund]
    code, out, _ = looking("payments", "show", payment, "--at", "2026-01-01T09:30")
    assert (code, "not on record then" in out) == (0, True)
    code, out, _ = looking("payments", "show", payment, "--at", "2026-01-06")
    assert (code, "₹500.00" in out, shared.refund in out) == (0, True, True)
    assert looking("payments", "show", payment, "--at", "yesterday")[0] == 2
    code, _, err = looking("payments", "show", shared.plain, "--at", "2026-01-06")
    assert (code, "it is the id of an order" in err) == (1, True)


def test_an_order_is_shown_as_it_was(shared: Morning, looking: Command) -> None:
    """With its payments, and what cannot be known."""
    shown = looking.json("orders", "show", shared.plain, "--at", "2026-01-06")
    assert (shown["status"], [part["id"] for part in shown["parts"]]) == ("paid", [shared.plain_payment])
    code, out, _ = looking("orders", "show", shared.plain, "--at", "2026-01-06")
    assert (code, "owner and plan are not in the audit" in out, "Payments" in out) == (0, True, True)


# --- explain


def test_a_story_is_told_in_words_with_its_rules(shared: Morning, looking: Command) -> None:
    """Payment, order or refund; every step has its time and, where one decided, its rule."""
    for reference, kind in (
        (shared.given_back_payment, "payment"),
        (shared.given_back, "order"),
        (shared.refund, "refund"),
    ):
        told = looking.json("explain", reference)
        assert (told["kind"], told["id"], told["audit"]["whole"]) == (kind, reference, True)
        assert f"refund {shared.refund} is processed (INR 500.00)" in told["summary"]
        assert {"payment.first_sight", "refund.forward", "effect.on"} <= {step["rule"] for step in told["steps"]}
        assert all(step["because"] for step in told["steps"])
    code, out, _ = looking("explain", shared.given_back_payment)
    assert (code, "What happened" in out, "asha.rao" in out) == (0, True, False)
    code, _, err = looking("explain", "pay_nobody")
    assert (code, "[OrderUnknown]" in err) == (1, True)


def test_a_story_shows_no_secret_and_says_what_is_open(shared: Morning, looking: Command) -> None:
    """A handler's error quoted one; the handler waits."""
    code, out, _ = looking("explain", shared.failing_payment)
    assert code == 0
    assert "Not at its end yet" in out
    assert "handler grant-access has not succeeded yet" in out
    assert shared.environ()["RAZORPAY_KEY_SECRET"] not in out

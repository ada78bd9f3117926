"""The commands that keep a store: pausing, retention, backup."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cli_shop
from razorpay_hardened.cli import main

SHOP: list[cli_shop.Shop] = []


def app() -> Any:
    """What ``--app`` names: the shop of the running test, wired anew as a process does it."""
    return SHOP[-1].wired()


APP = ("--app", f"{__name__}:app")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[cli_shop.Shop]:
    """A shop whose store the commands work on."""
    made = cli_shop.Shop(tmp_path)
    for name, value in made.environ().items():
        monkeypatch.setenv(name, value)
    SHOP.append(made)
    yield made
    SHOP.pop()
    made.rzp.close()


def told(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> Any:
    """What a command prints with --json."""
    assert main([*argv, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_pausing_and_resuming(shop: cli_shop.Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """pause needs no application; its state is shown where people look; resume calls what waited."""
    assert told(capsys, "pause", "--note", "bad deploy", "--actor", "asha")["paused"]["actor"] == "asha"
    shop.bought("user:1")
    assert shop.granted == []
    status = told(capsys, "db", "status")
    assert (status["paused"]["actor"], status["paused"]["note"]) == ("asha", "bad deploy")
    assert told(capsys, "events", "list", "--state", "done")["paused"]["actor"] == "asha"
    assert main(["db", "status"]) == 0
    assert "by asha: bad deploy" in capsys.readouterr().out
    ended = told(capsys, "resume", *APP)
    assert (ended["ended"]["actor"], ended["ran"], ended["failed"], ended["left"]) == ("asha", 2, 0, 0)
    assert shop.granted == ["user:1"]
    assert told(capsys, "db", "status")["paused"] is None


def test_resume_needs_the_application(shop: cli_shop.Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """It calls handlers: without them nothing happens, and the pause stays."""
    assert main(["pause"]) == 0
    assert main(["resume"]) == 2
    assert "--app" in capsys.readouterr().err
    assert shop.rzp.paused is not None


def test_a_handler_that_fails_is_an_exit_code(shop: cli_shop.Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """And the count of what waits."""
    assert main(["pause"]) == 0
    shop.bought("user:13")
    capsys.readouterr()
    ended = told(capsys, "resume", *APP, code=1)
    assert (ended["failed"], ended["left"]) == (1, 1)
    assert main(["resume", *APP]) == 1
    assert "it was not paused" in capsys.readouterr().out


# --- retention


def test_planning_and_applying(shop: cli_shop.Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """plan counts and writes nothing; apply erases as much; both need the application, because it has the policy."""
    shop.bought("user:1")
    shop.passes(400 * 86400.0)
    assert main(["retention", "plan"]) == 2
    assert "--app" in capsys.readouterr().err
    planned = told(capsys, "retention", "plan", *APP)
    assert planned["dry_run"]
    assert planned["classes"]["bodies"]["erased"] > 0
    assert [row.erased_at for row in shop.rzp.store.deliveries()] == [None] * len(shop.rzp.store.deliveries())
    applied = told(capsys, "retention", "apply", *APP)
    assert applied["classes"] == planned["classes"]
    assert all(row.erased_at for row in shop.rzp.store.payments())
    assert main(["retention", "plan", *APP]) == 0
    assert "kept for ever" in capsys.readouterr().out


def test_holding_releasing_and_erasing(shop: cli_shop.Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Holds need the store alone; a person who is on hold is not forgotten, and the exit code says so."""
    order, payment = shop.bought("user:1")
    assert told(capsys, "retention", "hold", payment, "--actor", "legal")["hold"]["actor"] == "legal"
    assert [one["subject"] for one in told(capsys, "retention", "holds")["holds"]] == [payment]
    assert told(capsys, "retention", "erase", "--owner", "user:1", code=1)["held"][0] == order
    assert told(capsys, "retention", "release", payment)["released"]
    assert not told(capsys, "retention", "release", payment, code=1)["released"]
    erased = told(capsys, "retention", "erase", "--owner", "user:1")
    assert (erased["rows"], erased["complete"]) == (2, True)
    assert erased["bodies"] > 0
    (digest, *_) = [row.digest for row in shop.rzp.store.deliveries()]
    assert told(capsys, "events", "show", digest)["event"]["erased_at"]
    assert main(["events", "show", digest]) == 0
    assert "erased by retention" in capsys.readouterr().out
    assert main(["events", "replay", digest, "--force", *APP]) == 1
    assert "BodyErased" in capsys.readouterr().err
    assert main(["retention", "erase"]) == 2
    assert main(["retention", "erase", "--owner", "user:9"]) == 1


def test_an_sqlite_store_has_no_months(shop: cli_shop.Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """And is told so, with nothing done."""
    assert main(["db", "partition"]) == 2
    assert "PostgreSQL" in capsys.readouterr().err


# --- backup


def test_a_backup_is_taken_and_verified(
    shop: cli_shop.Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its summary beside it; against the live store, which has grown since; never over a file."""
    shop.bought("user:1")
    path = str(tmp_path / "copy.db")
    made = told(capsys, "backup", "create", path)
    assert made["summary"]["sums"]["payment INR captured"] == 49900
    assert main(["backup", "create", path]) == 2
    assert "--overwrite" in capsys.readouterr().err
    shop.bought("user:2")
    found = told(capsys, "backup", "verify", path, "--live")
    assert found["whole"]
    assert found["checked"][-2:] == ["the summary taken with it", "the live store"]
    assert told(capsys, "backup", "create", path, "--overwrite")["summary"]["sums"]["payment INR captured"] == 2 * 49900
    (tmp_path / "copy.db.json").unlink()
    assert main(["backup", "verify", path]) == 0
    assert "there is no copy.db.json" in capsys.readouterr().out


def test_the_first_difference_is_named(shop: cli_shop.Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A lost row, a damaged file, something that is no backup: exit code 1, and a sentence."""
    import sqlite3

    shop.bought("user:1")
    path = tmp_path / "copy.db"
    assert main(["backup", "create", str(path)]) == 0
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DELETE FROM razorpay_payments")
    connection.close()
    capsys.readouterr()
    found = told(capsys, "backup", "verify", str(path), code=1)
    assert found["differences"][0] == "rows of razorpay_payments: 0, it was 1"
    path.write_bytes(path.read_bytes()[:20000])
    assert told(capsys, "backup", "verify", str(path), code=1)["differences"]
    path.write_bytes(b"no database at all " * 300)
    assert told(capsys, "backup", "verify", str(path), code=1)["differences"]
    assert main(["backup", "verify", str(tmp_path / "none")]) == 2


def test_a_scratch_database_is_verified_by_its_url(
    shop: cli_shop.Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after pg_restore: nothing is restored, and the live store is compared with it."""
    shop.bought("user:1")
    path = tmp_path / "restored.db"
    shop.rzp.store.back_up(path)  # type: ignore[attr-defined]
    assert told(capsys, "backup", "verify", f"sqlite:///{path}", "--live")["whole"]

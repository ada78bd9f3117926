"""`razorpay-hardened demo` as a command: its options, its files, its exit codes. The day itself is made by hand here;
`tests/integration/test_demo.py` plays a real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from demo_outcomes import broken, good
from razorpay_hardened.cli import main
from razorpay_hardened.demo import command
from razorpay_hardened.demo.journal import Journal
from razorpay_hardened.demo.outcome import Outcome

Played = list[tuple[int, int, Path]]


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Outcome], Played]:
    """Let the demo's day have this outcome; gives what it was asked for. The working directory is an empty folder."""
    monkeypatch.chdir(tmp_path)

    def arrange(outcome: Outcome) -> Played:
        played: Played = []

        def play(seed: int, customers: int, folder: Path, journal: Journal) -> tuple[Outcome, float]:
            assert folder.is_dir()
            (folder / "shop.db").write_text("the shop's")
            journal.enter("open", 0.0)
            played.append((seed, customers, folder))
            return outcome, 24.44

        monkeypatch.setattr(command, "play", play)
        return played

    return arrange


def test_a_day_on_which_everything_holds_is_exit_code_0(
    day: Callable[[Outcome], Played], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The summary on stdout, progress on stderr, the report in the working directory, the shop's folder gone."""
    played = day(good())
    assert main(["demo"]) == 0
    [(seed, customers, folder)] = played
    assert (seed, customers) == (1, 300)
    assert not folder.exists()
    told = capsys.readouterr()
    assert "All 10 proofs hold." in told.out
    assert "demo-report.html" in told.out
    assert "the shop is open" in told.err
    assert "All 10 proofs hold." in (tmp_path / "demo-report.html").read_text("utf-8")


def test_a_proof_that_fails_is_exit_code_1(day: Callable[[Outcome], Played], tmp_path: Path) -> None:
    """In every form of output; the report is written, too."""
    day(broken())
    for more in ([], ["--json"], ["--quiet"]):
        assert main(["demo", "--seed", "7", *more]) == 1
    assert len(list(tmp_path.glob("demo-report*.html"))) == 3


def test_json_is_one_document_and_nothing_else(
    day: Callable[[Outcome], Played], capsys: pytest.CaptureFixture[str]
) -> None:
    """No progress where no person watches."""
    day(broken())
    assert main(["demo", "--json", "--report", "out.html", "--keep", "kept"]) == 1
    told = capsys.readouterr()
    assert told.err == ""
    document = json.loads(told.out)
    assert set(document) == {
        *("seed", "customers", "holds", "world", "hours_long", "business", "wrong", "found", "repaired", "left"),
        *("hours", "crashes", "before", "proofs", "seconds", "report", "kept"),
    }
    assert document["holds"] is False
    assert document["report"] == "out.html"
    assert document["kept"] == "kept"
    assert document["seconds"] == 24.4
    assert len(document["proofs"]) == len(document["before"]) == 10
    assert set(document["proofs"][0]) == {"name", "code", "statement", "holds", "numbers", "broken", "offenders"}
    assert document["crashes"][1] == {"at_s": 7000.0, "point": None, "when": None}


def test_quiet_shows_no_progress(day: Callable[[Outcome], Played], capsys: pytest.CaptureFixture[str]) -> None:
    """And still the summary."""
    day(good())
    assert main(["demo", "--quiet"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "All 10 proofs hold." in told.out


def test_the_report_never_replaces_a_file_unless_told(
    day: Callable[[Outcome], Played], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Refused before the day, so that nobody waits half a minute for it."""
    played = day(good())
    mine = tmp_path / "mine.html"
    mine.write_text("mine")
    assert main(["demo", "--report", str(mine)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert mine.read_text() == "mine"
    assert played == []

    assert main(["demo", "--report", str(mine), "--overwrite"]) == 0
    assert mine.read_text("utf-8").startswith("<!doctype html>")


def test_without_a_name_the_report_takes_the_next_free_one(day: Callable[[Outcome], Played], tmp_path: Path) -> None:
    """--overwrite is about --report alone. A dangling link counts as taken."""
    day(good())
    (tmp_path / "demo-report.html").write_text("mine")
    (tmp_path / "demo-report-2.html").symlink_to(tmp_path / "nowhere")
    assert main(["demo", "--overwrite"]) == 0
    assert (tmp_path / "demo-report.html").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
    assert (tmp_path / "demo-report-3.html").exists()


@pytest.mark.parametrize("where", ["nowhere/report.html", "folder"])
def test_a_report_that_cannot_be_written_is_refused_at_once(
    day: Callable[[Outcome], Played], tmp_path: Path, where: str
) -> None:
    """Its folder is not there, or it is one."""
    played = day(good())
    (tmp_path / "folder").mkdir()
    assert main(["demo", "--report", str(tmp_path / where), "--overwrite"]) == 2
    assert played == []


def test_keep_keeps_the_shop(day: Callable[[Outcome], Played], tmp_path: Path) -> None:
    """In a folder that is made, or is empty."""
    day(good())
    assert main(["demo", "--keep", "a/b"]) == 0
    assert (tmp_path / "a/b/shop.db").read_text() == "the shop's"


def test_keep_refuses_a_folder_in_use(
    day: Callable[[Outcome], Played], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Another day's database in it would be a day that goes on."""
    played = day(good())
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "shop.db").write_text("older")
    assert main(["demo", "--keep", "used"]) == 2
    assert "not empty" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["demo", "--keep", "file"]) == 2
    assert played == []
    assert (tmp_path / "used" / "shop.db").read_text() == "older"


@pytest.mark.parametrize("arguments", [["--customers", "0"], ["--customers", "10001"], ["--seed", "x"]])
def test_arguments_that_make_no_day_are_usage_errors(day: Callable[[Outcome], Played], arguments: list[str]) -> None:
    """Exit code 2, and nothing has run."""
    played = day(good())
    assert main(["demo", *arguments]) == 2
    assert played == []

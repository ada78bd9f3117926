"""Arguments: what is refused before anything runs, and with which exit code (FAULTS section 7, rule 16)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cli_shop import SINCE, Morning, Said, Terminal, contents
from razorpay_hardened._version import __version__

REFUSED = [
    ("--key-secret", "X", "orders", "list"),
    ("orders", "list", "--key-secret", "X"),
    ("reconcile", "--webhook-secret", "X"),
    ("webhook", "send", "http://127.0.0.1:1/", "--secret", "X"),
    ("orders", "list", "--limit", "0"),
    ("orders", "list", "--limit", "-1"),
    ("payments", "list", "--limit", "abc"),
    ("events", "list", "--limit", "10**9"),
    ("events", "list", "--limit", "1000000000"),
    ("reconcile", "--limit", "1000001"),
    ("orders", "list", "--limit", ""),
    ("orders", "list", "--limit", "1.5"),
    ("orders", "list", "--since", "2999-01-01"),
    ("events", "list", "--since", "2999-01-01T00:00:00+05:30"),
    ("orders", "list", "--since", "2026-01-05", "--until", "2026-01-04"),
    ("orders", "list", "--since", "2026-01-05T09:00", "--until", "2026-01-05T09:00"),
    ("orders", "list", "--since", "yesterday"),
    ("orders", "list", "--since", "0d"),
    ("orders", "list", "--since", "7y"),
    ("orders", "list", "--since", "2026-02-30"),
    ("orders", "list", "--since", "0001-01-01"),
    ("orders", "list", "--until", "9999-12-31"),
    ("orders", "list", "--status", "payed"),
    ("payments", "list", "--status", "paid"),
    ("events", "list", "--state", "lost"),
    ("--tz", "Mars/Olympus", "orders", "list"),
    ("--tz", "../../etc/passwd", "orders", "list"),
    ("--tz", "", "orders", "list"),
    ("--store", "postgresql://user:pw@db.example/shop", "orders", "list"),
    ("--store", "oracle://db.example/shop", "orders", "list"),
    ("--store", "shop.db", "orders", "list"),
    ("reconcile", "--repair", "--dry-run"),
    ("orders", "show"),
    ("orders", "show", "order_1", "order_2"),
    ("orders", "replay"),
    ("unheard-of",),
    ("emulate", "--port", "65536"),
    ("emulate", "--speed", "-1"),
    ("demo", "--customers", "0"),
    ("webhook", "send", "not a url"),
    ("webhook", "send", "ftp://127.0.0.1/"),
    ("webhook", "send", "http://user:pw@127.0.0.1/"),
    ("webhook", "send", "http://127.0.0.1:99999/"),
    ("webhook", "explain", "no-such-file", "--signature", "a"),
]
"""Every one of them is wrong whatever the store holds."""


def test_wrong_arguments_are_told_and_nothing_runs(morning: Morning, looking: Terminal) -> None:
    """Exit code 2, one line that says what is wrong, and another store than before never."""
    looking.environ(RAZORPAY_WEBHOOK_SECRET="whsec-0123456789-abcdef")
    before = contents(morning.url)
    for argv in REFUSED:
        said = looking(*argv)
        assert (said.code, said.out) == (2, ""), (argv, said)
        assert said.err.startswith("error: "), (argv, said)
        assert "Traceback" not in said.err, argv
        assert "pw" not in said.err, argv
    assert contents(morning.url) == before


def test_an_end_in_the_future_is_now(looking: Terminal) -> None:
    """--until 2999-12-31 is a long window, not a mistake."""
    for until in ("2999-12-31", "9999-12-30"):
        said = looking("--tz", "UTC", "orders", "list", "--since", SINCE, "--until", until, "--json")
        assert said.json["total"] == 7, said


def test_limits_at_their_ends(looking: Terminal) -> None:
    """1 and 1,000,000 are taken."""
    for limit, shown in (("1", 1), ("1000000", 7)):
        said = looking("orders", "list", "--since", SINCE, "--limit", limit, "--json").json
        assert (len(said["orders"]), said["total"]) == (shown, 7)


def test_a_usage_error_names_the_help_of_its_command(looking: Terminal) -> None:
    """Not the help of the whole program."""
    assert looking("orders", "list", "--limit", "0").err.endswith("help:  razorpay-hardened orders list --help\n")


def test_a_group_without_a_command_shows_its_help(looking: Terminal) -> None:
    """Exit code 2: nothing was done."""
    for argv in ((), ("orders",), ("db",)):
        said = looking(*argv)
        assert said.code == 2
        assert "Usage: razorpay-hardened" in said.out + said.err


def test_version(looking: Terminal) -> None:
    """It comes before everything else."""
    assert looking("--version") == Said(0, f"razorpay-hardened {__version__}\n", "")


def options() -> Iterator[tuple[str, Any]]:
    """Every option and argument of every command, as typer has it."""
    from razorpay_hardened.cli._root import program

    waiting = [("", typer.main.get_command(program()))]
    while waiting:
        path, command = waiting.pop()
        yield from ((f"{path} {name}", one) for one in command.params for name in one.opts)
        waiting += [(f"{path} {name}", one) for name, one in getattr(command, "commands", {}).items()]


def test_no_option_takes_a_secret() -> None:
    """Arguments are seen by everybody on the machine, and kept by the shell."""
    names = [name for name, _ in options()]
    assert len(names) > 50
    assert [name for name in names if any(word in name for word in ("secret", "password", "token", "key"))] == []
    from_environment = {name: one.envvar for name, one in options() if one.envvar}
    assert set(from_environment.values()) == {"RAZORPAY_APP"}


def test_every_command_takes_json() -> None:
    """For programs, everywhere."""
    from razorpay_hardened.cli._root import program

    found = []
    waiting = [("", typer.main.get_command(program()))]
    while waiting:
        path, command = waiting.pop()
        children: dict[str, Any] = getattr(command, "commands", {})
        waiting += [(f"{path} {name}", one) for name, one in children.items()]
        if not children:
            found.append(path)
            assert any("--json" in one.opts for one in command.params), path
    assert len(found) > 10


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_it_says_what_to_install(
    looking: Terminal, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Not a traceback of an import."""
    monkeypatch.setitem(sys.modules, missing, None)
    said = looking("orders", "list")
    assert said == Said(2, "", "error: the command line needs: pip install 'razorpay-hardened[cli]'\n")


def test_a_broken_dependency_of_an_extra_is_not_hidden(looking: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """What typer itself does not find is not the extra's absence."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "typer"]:
        monkeypatch.delitem(sys.modules, name)

    class Broken:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "typer":
                raise ModuleNotFoundError("No module named 'colorama'", name="colorama")

    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(ModuleNotFoundError, match="colorama"):
        looking("orders", "list")


def test_a_mistake_of_ours_shows_everything_but_secrets(
    looking: Terminal, monkeypatch: pytest.MonkeyPatch, morning: Morning
) -> None:
    """Exit code 1, and a traceback that can be sent to us."""
    secret = morning.environ()["RAZORPAY_KEY_SECRET"]
    looking.environ(RAZORPAY_KEY_SECRET=secret)

    def fail(*_: object) -> None:
        raise LookupError(f"cannot be, with {secret}")

    monkeypatch.setattr("razorpay_hardened.cli.db._show", fail)
    said = looking("db", "status")
    assert said.code == 1
    assert "LookupError: cannot be, with ***" in said.err
    assert "please report it" in said.err
    assert secret not in said.err


# --- files


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("nowhere"), Path.mkdir])
def test_no_file_is_written_over(looking: Terminal, tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Nor a link, wherever it leads, nor a folder."""
    path = tmp_path / "out.sql"
    make(path)
    for argv in (("db", "sql", "--output", str(path)), ("demo", "--report", str(path))):
        said = looking(*argv)
        assert said.code == 2
        assert "there already" in said.err
    assert path.is_symlink() or path.is_dir() or path.read_bytes() == b""
    assert not (tmp_path / "nowhere").exists()


def test_overwrite_replaces_a_file(looking: Terminal, tmp_path: Path) -> None:
    """When it is asked for; and a file that is not there needs no asking."""
    path = tmp_path / "out.sql"
    assert looking("db", "sql", "--output", str(path)).code == 0
    written = path.read_text()
    assert "CREATE TABLE" in written
    path.write_text("mine")
    assert looking("db", "sql", "--output", str(path), "--overwrite").code == 0
    assert path.read_text() == written


def test_a_file_that_cannot_be_written_is_told(looking: Terminal, tmp_path: Path) -> None:
    """As a usage error: the folder is missing."""
    said = looking("db", "sql", "--output", str(tmp_path / "none" / "out.sql"))
    assert said.code == 2
    assert "No such file or directory" in said.err


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        ("emulate --port 0", "emulate"),
        ("--tz UTC --store sqlite:///orders orders list", "orders"),
        ("--store orders pause", "pause"),
        ("--store=x db status", "db"),
        ("--version", None),
        ("--help demo", "demo"),
        ("--store", None),
        ("nonsense demo", None),
        ("", None),
    ],
)
def test_only_the_command_that_is_named_is_loaded(argv: str, command: str | None) -> None:
    """A global option's value is no command; where none is named, or an unknown one, all are there to be shown."""
    from razorpay_hardened.cli._root import COMMANDS, named, program

    found = named(argv.split())
    registered = [one.name for one in program(found).registered_commands]
    groups = [one.name for one in program(found).registered_groups]

    assert found == command
    assert sorted(map(str, registered + groups)) == sorted([command] if command else COMMANDS)

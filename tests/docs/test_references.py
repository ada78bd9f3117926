"""What the pages point at exists: links, anchors, names of the library, commands, files and tests of this project."""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from docs.pages import ROOT, anchors, blocks, code_spans, links, pages, relative
from razorpay_hardened import MemoryStore, Razorpay
from razorpay_hardened.emulator import Emulator

_NAME = re.compile(r"(rzp|rz|razorpay_hardened)((?:\.[A-Za-z_]\w*)+)(?:\(.*\))?")
_TEST = re.compile(r"(tests/[\w/]+\.py)(?:::(\w+))?")
_FILE = re.compile(r"(?:src|tests|benchmarks|examples|docs)/[\w./-]+")
_COMMAND = re.compile(r"^(?:\$ )?razorpay-hardened((?: [a-z]\S*)*)", re.M)


@cache
def _bases() -> dict[str, Any]:
    rz = Emulator(in_process=True)
    environ = {name: value for name, value in rz.environ().items() if name != "RAZORPAY_BASE_URL"}
    return {"rz": rz, "rzp": Razorpay.from_env(environ, store=MemoryStore())}


@cache
def _program() -> Any:
    """The whole command line, with its groups: making it takes longer than reading a page."""
    import typer

    from razorpay_hardened.cli._root import program

    return typer.main.get_command(program())


def _resolve(base: str, path: list[str]) -> None:
    """Follow a dotted name; raises AttributeError or ImportError where it leads nowhere."""
    if base != "razorpay_hardened":
        value = _bases()[base]
        for name in path:
            value = getattr(value, name)
        return
    value = importlib.import_module(base)
    for depth, name in enumerate(path, 1):
        try:
            value = getattr(value, name)
        except AttributeError:
            value = importlib.import_module(".".join([base, *path[:depth]]))


def _names_in(page: Path) -> list[tuple[str, list[str]]]:
    found = (_NAME.fullmatch(span) for span in code_spans(page))
    return [(one[1], one[2].strip(".").split(".")) for one in found if one]


@pytest.mark.parametrize("page", pages(), ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    """Relative links name a file of this project; anchors name a heading of it."""
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{relative(page)} links to {target}, which is not there"
        if anchor:
            assert anchor in anchors(file), f"{relative(page)} links to {target}: no such heading"


@pytest.mark.parametrize("page", pages(), ids=relative)
def test_names_exist(page: Path) -> None:
    """A name of the library in backticks is one that a reader can type."""
    for base, path in _names_in(page):
        _resolve(base, path)


@pytest.mark.parametrize("page", pages(), ids=relative)
def test_files_and_tests_exist(page: Path) -> None:
    """A path of this project in backticks is there; a test after `::` is in its file."""
    for span in code_spans(page):
        if test := _TEST.fullmatch(span):
            file = ROOT / test[1]
            assert file.exists(), f"{relative(page)} names {span}"
            if test[2]:
                assert re.search(rf"\bdef {test[2]}\(", file.read_text("utf-8")), f"{relative(page)} names {span}"
        elif _FILE.fullmatch(span):
            assert (ROOT / span).exists(), f"{relative(page)} names {span}"


@pytest.mark.parametrize("page", pages(), ids=relative)
def test_commands_exist(page: Path) -> None:
    """A command that a page tells to type is one of ours."""
    texts = [*code_spans(page), *(block.text for block in blocks(page) if block.language == "sh")]
    for text in texts:
        for said in _COMMAND.findall(text):
            command = _program()
            for word in said.split():
                if not hasattr(command, "commands"):
                    break  # an argument of the command
                assert word in command.commands, f"{relative(page)} says razorpay-hardened{said}"
                command = command.commands[word]


def test_what_is_not_there_is_found(tmp_path: Path) -> None:
    """The tests above can fail."""
    page = tmp_path / "page.md"
    page.write_text("# A *page*\n\n[x](none.md) `rzp.checkout.nothing` `razorpay_hardened.errors.Nothing`\n", "utf-8")
    assert links(page) == ["none.md"]
    assert anchors(page) == {"a-page"}
    for base, path in _names_in(page):
        with pytest.raises((AttributeError, ImportError)):
            _resolve(base, path)
    assert len(_names_in(page)) == 2

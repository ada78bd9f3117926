"""Every Python block of the documentation runs, in the order of its page.

A page is one program: its blocks share a namespace. The environment is that of a shop in test mode whose Razorpay is an
emulator on this machine, and the folder is an empty one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from docs.pages import Block, blocks, pages, relative
from razorpay_hardened import Razorpay
from razorpay_hardened.emulator import Emulator

SKIPS_MAX = 6
"""A block that does not run is a block that may be wrong: few may be."""

_PAGES = [page for page in pages() if any(block.language == "python" for block in blocks(page))]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Variables of a shop in test mode, and an empty folder."""
    for name in [name for name in os.environ if name.startswith("RAZORPAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    with Emulator() as rz:
        for name, value in rz.environ().items():
            monkeypatch.setenv(name, value)
        yield


def _compiled(page: Path, block: Block) -> CodeType:
    # Empty lines in front: a traceback then shows the line of the page.
    return compile("\n" * (block.line - 1) + block.text, str(page), "exec", dont_inherit=True)


def _close(namespace: dict[str, Any]) -> None:
    for value in namespace.values():
        if isinstance(value, (Razorpay, Emulator)):
            value.close()


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("page", _PAGES, ids=relative)
def test_a_page_runs_as_it_is_printed(page: Path) -> None:
    """What a reader copies works."""
    namespace: dict[str, Any] = {"__name__": "page"}
    try:
        for block in blocks(page):
            if block.language == "python" and block.skip is None:
                exec(_compiled(page, block), namespace)
    finally:
        _close(namespace)


@pytest.mark.parametrize("page", pages(), ids=relative)
def test_blocks_are_closed_and_have_a_language(page: Path) -> None:
    """A fence that is left open would hide what follows from these tests."""
    found = list(blocks(page))
    assert len(re.findall(r"^ *```", page.read_text("utf-8"), re.M)) == 2 * len(found)
    assert all(block.language for block in found), "say `text` for what is no code"


def test_few_blocks_are_skipped_and_each_says_why() -> None:
    """Skipping is for what needs a network that a test has not."""
    skipped = [block.skip for page in pages() for block in blocks(page) if block.skip is not None]
    assert len(skipped) <= SKIPS_MAX
    assert all(len(reason) > 10 for reason in skipped)


def test_a_broken_block_is_found(tmp_path: Path) -> None:
    """The test above can fail, and names the line."""
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n```python\nfrom razorpay_hardened import Money\nMoney.inr(0.1)\n```\n", "utf-8")
    (block,) = blocks(page)
    with pytest.raises(Exception, match="amount") as caught:
        exec(_compiled(page, block), {})
    assert caught.traceback[1].lineno + 1 == 5

"""The pages of the documentation, taken apart: code blocks, links, names in backticks."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["ROOT", "Block", "anchors", "blocks", "code_spans", "links", "pages", "relative", "without_code"]

ROOT = Path(__file__).resolve().parents[2]
_TOP = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)(?P=fence)$", re.M | re.S
)
_SKIP = re.compile(r"<!-- skip: (?P<reason>[^>]*?) -->\s*\Z")
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"\[[^\]\n]*(?:\n[^\]\n]*)?\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.M)


class Block(NamedTuple):
    """One fenced block. ``line`` is where its text begins; ``skip`` is the reason not to run it, or None."""

    language: str
    text: str
    line: int
    skip: str | None


def pages() -> list[Path]:
    """Every page that we hand out, sorted."""
    top = [ROOT / name for name in _TOP if (ROOT / name).exists()]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]


def relative(page: Path) -> str:
    """A page's name for people: its path from the top."""
    return page.relative_to(ROOT).as_posix()


@cache
def _text(page: Path) -> str:
    return page.read_text("utf-8")


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = _text(page)
    for found in _FENCE.finditer(text):
        skip = _SKIP.search(text[: found.start()])
        line = text.count("\n", 0, found.start("text")) + 1
        yield Block(found["language"], textwrap.dedent(found["text"]), line, skip["reason"] if skip else None)


def without_code(page: Path) -> str:
    """The prose of a page: its fenced blocks are gone."""
    return _FENCE.sub("", _text(page))


def code_spans(page: Path) -> list[str]:
    """What stands in backticks in the prose."""
    return _SPAN.findall(without_code(page))


def links(page: Path) -> list[str]:
    """The targets of all links in the prose, as written."""
    return _LINK.findall(_SPAN.sub("", without_code(page)))


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings make, by the rule of the usual Git hosts."""
    made: set[str] = set()
    for heading in _HEADING.findall(without_code(page)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = 0
        while (name := slug if not number else f"{slug}-{number}") in made:
            number += 1
        made.add(name)
    return made

"""The map of the documentation is complete."""

from __future__ import annotations

from docs.pages import ROOT, links, pages


def test_every_page_can_be_reached_from_the_index() -> None:
    """Directly, or as a line of the checklist or a decision: by links alone."""
    index = ROOT / "docs" / "index.md"
    reached, waiting = set(), [index]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        if page != index and page.name != "README.md":
            continue
        found = {(page.parent / target.partition("#")[0]).resolve() for target in links(page) if ":" not in target}
        waiting += [one for one in found - reached if one.suffix == ".md"]
    assert set(pages()) - {ROOT / "README.md"} <= reached

"""The page of the client's methods, written from the code: ``python -m docs.client_reference`` in ``tests``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from docs.pages import ROOT
from razorpay_hardened.client._operations import OPERATIONS
from razorpay_hardened.client._values import Operation, Rule
from razorpay_hardened.client.resources import NAMES, load
from razorpay_hardened.compat._routes import operation_of
from support.sdk import METHODS, recorded

__all__ = ["PAGE", "methods", "page", "theirs"]

PAGE = ROOT / "docs" / "reference" / "client.md"

_HEAD = """# The client's methods

Written from the code by `python -m docs.client_reference` (in `tests`), and held to it by a test. Each method is on
`Client` and, awaited, on `AsyncClient`; parameters and errors are in the docstrings: `help(client.orders.create)`. How
they behave is told in [the client](../explanation/client.md).

"""

_RULES = {
    Rule.READ: "Sent again as long as time, attempts and the budget for retries allow.",
    Rule.ASK: "A POST that only asks: as a read.",
    Rule.KEYED: "Sent again with the same idempotency key, in the header of the table.",
    Rule.SETTLE: "The entity is fetched first: what is done already counts as done; only else is it sent again.",
    Rule.LOOK_UP: "Looked for by its receipt or reference, twice, because listings lag; only else is it sent again.",
    Rule.STATE: "Sent again: a second time changes nothing more.",
    Rule.ONCE: "Never sent again after a doubt: the caller gets `OutcomeUnknown`.",
}


def methods() -> dict[str, list[str]]:
    """Resource → its methods."""
    return {name: _public(name) for name in NAMES}


def _public(name: str) -> list[str]:
    return [method for method, _ in inspect.getmembers(load(name), inspect.isfunction) if not method.startswith("_")]


def theirs() -> dict[tuple[str, str], str]:
    """The SDK's method → ours, by what it sends; without an answer where we have none."""
    found: dict[tuple[str, str], str] = {}
    for name, method in METHODS:
        verb, path, _ = recorded(name, method)
        operation = operation_of(verb, path)
        if operation is not None:
            found[name, method] = operation.name
    return found


def _lines() -> Iterator[str]:
    yield _HEAD
    yield "## When a call is sent again\n\n| rule | after an answer that was lost |\n|---|---|\n"
    for rule, told in _RULES.items():
        yield f"| {rule.name} | {told} |\n"
    yield "\n## Operations\n\n| method | request | rule | header |\n|---|---|---|---|\n"
    for operation in OPERATIONS:
        yield _row(operation)
    yield "\n## From the SDK's methods\n\n"
    yield "Where two of our operations share a request, the one without a receipt is never repeated.\n\n"
    yield "| SDK | here |\n|---|---|\n"
    for (name, method), ours in theirs().items():
        yield f"| `{name}.{method}` | `{ours}` |\n"


def _row(operation: Operation) -> str:
    header = f"`{operation.key_header}`" if operation.key_header else ""
    path = operation.path.replace("{}", ":id")
    return f"| `{operation.name}` | `{operation.method} {path}` | {operation.rule.name} | {header} |\n"


def page() -> str:
    """The whole page."""
    return "".join(_lines())


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

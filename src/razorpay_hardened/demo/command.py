"""``razorpay-hardened demo``: play the day, show it, and answer with an exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from razorpay_hardened.demo.journal import Journal
from razorpay_hardened.demo.report import render
from razorpay_hardened.demo.run import play
from razorpay_hardened.errors import ConfigError, ExtraMissing

__all__ = ["run_command"]


def run_command(
    *,
    seed: int,
    customers: int,
    save: Callable[[str], Path],
    keep: Path | None = None,
    as_json: bool = False,
    quiet: bool = False,
) -> int:
    """Run the day and show it; 0 only if every proof holds, else 1.

    ``save`` takes the report's HTML and says where it put it. ``keep`` is a folder, new or empty, in which the shop's
    database (``shop.db``) and mails (``mails.jsonl``) stay; without it they are deleted. ``as_json`` prints one JSON
    document instead of the summary; ``quiet`` shows no progress. Progress goes to standard error.

    Raises :class:`ConfigError` before anything runs if ``keep`` cannot be used, and :class:`ExtraMissing` without
    rich.
    """
    _need_rich()
    with _folder(keep) as folder, _progress(as_json, quiet) as journal:
        outcome, seconds = play(seed, customers, folder, journal)
    report = str(save(render(outcome, seconds)))
    kept = None if keep is None else str(keep)
    if as_json:
        told = outcome.to_dict() | {"seconds": round(seconds, 1), "report": report, "kept": kept}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    else:
        from rich.console import Console

        from razorpay_hardened.demo.terminal import summary

        out = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
        summary(out, outcome, seconds=seconds, report=report, kept=kept)
    return 0 if outcome.holds else 1


def _need_rich() -> None:
    """Say so now rather than after the day."""
    try:
        import rich  # noqa: F401
    except ModuleNotFoundError as error:
        raise ExtraMissing("cli", "the demo in a terminal") from error


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Where the shop lives for the day."""
    if keep is None:
        with TemporaryDirectory(prefix="razorpay-demo-") as folder:
            yield Path(folder)
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
        used = any(keep.iterdir())
    except OSError as error:
        raise ConfigError(f"cannot keep anything in {keep}: {error.strerror}") from error
    if used:
        raise ConfigError(f"{keep} is not empty: name a new or an empty folder")
    if not os.access(keep, os.W_OK | os.X_OK):
        raise ConfigError(f"cannot write in {keep}")
    yield keep


@contextmanager
def _progress(as_json: bool, quiet: bool) -> Iterator[Journal]:
    """Progress for people: nothing when told so, nor where a program reads JSON and nobody watches."""
    if quiet or (as_json and not sys.stderr.isatty()):
        yield Journal()
        return
    from rich.console import Console

    from razorpay_hardened.demo.terminal import watched

    with watched(Console(file=sys.stderr, markup=False, emoji=False, highlight=False)) as journal:
        yield journal

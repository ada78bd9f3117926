"""``demo``: a payment provider's bad day, end to end, on this machine alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from razorpay_hardened.cli._files import refuse_existing, write_new
from razorpay_hardened.cli._options import JsonOption

__all__ = ["demo"]

_REPORT: Final = "demo-report"


def demo(
    seed: Annotated[int, typer.Option(help="The same seed gives the same day.")] = 1,
    customers: Annotated[int, typer.Option(min=1, max=10_000, help="How many people buy.")] = 300,
    report: Annotated[
        Path | None,
        typer.Option(help="Where the HTML report goes. Default: demo-report.html, or the next free number."),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(help="Keep the shop's database and mails in this folder, which must be new or empty."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Let --report replace a file.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, only the summary.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a day on which webhooks are lost, doubled and late, the API fails, and the shop is killed again and again.

    Needs no account, no network and no settings. Exit code 0 only if every proof holds at the end.
    """
    target = _free(_REPORT) if report is None else report
    refuse_existing(target, overwrite=overwrite and report is not None)
    _refuse_unwritable(target)
    from razorpay_hardened.demo import run_command

    def save(html: str) -> Path:
        path = _free(_REPORT) if report is None else report  # another demo may have taken the name meanwhile
        write_new(path, html, overwrite=overwrite and report is not None)
        return path

    code = run_command(seed=seed, customers=customers, save=save, keep=keep, as_json=as_json, quiet=quiet)
    raise typer.Exit(code)


def _free(stem: str) -> Path:
    """``stem.html``, or the first ``stem-2.html``, ``stem-3.html`` … that is not there yet."""
    names = [f"{stem}.html", *(f"{stem}-{number}.html" for number in range(2, 1000))]
    return Path(next((name for name in names if not os.path.lexists(name)), names[0]))


def _refuse_unwritable(path: Path) -> None:
    """A usage error now rather than a lost report after the day."""
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"cannot write {path}: it is a folder, or its folder is not there or not writable")

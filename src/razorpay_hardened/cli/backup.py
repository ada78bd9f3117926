"""``backup``: a copy of the store, and whether a copy is worth anything."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from razorpay_hardened.cli._app import Session, refuse_password, session_of
from razorpay_hardened.cli._files import refuse_existing
from razorpay_hardened.cli._options import JsonOption
from razorpay_hardened.cli._output import json_out, note
from razorpay_hardened.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from razorpay_hardened.backup import Summary
    from razorpay_hardened.ports.store import Store

__all__ = ["app"]

app = typer.Typer(help="Copy the store while it is in use, and prove that a copy is whole.", no_args_is_help=True)

_SHOWN: Final = 20
_Copy = Annotated[
    str, typer.Argument(metavar="PATH", help="A backup's file, or the URL of a scratch database it was restored into.")
]


@app.command()
def create(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="The file to make. Readable by you alone.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Copy an SQLite store into one file, while others read and write, with its summary beside it (PATH.json).

    PostgreSQL has its own tools: see docs/howto/back-up-and-restore.md.
    """
    from razorpay_hardened.backup import summary_of
    from razorpay_hardened.storage import SQLiteStore

    beside = _beside(path)
    refuse_existing(path, overwrite=overwrite)
    refuse_existing(beside, overwrite=overwrite)
    with session_of(context).store() as store:
        if not isinstance(store, SQLiteStore):
            raise ConfigError("backup create copies SQLite stores; for PostgreSQL use pg_dump and `backup verify URL`")
        store.back_up(path, overwrite=overwrite)
    with _opened(path) as copy:
        summary = summary_of(copy)
    _write(beside, summary)
    size = path.stat().st_size
    if as_json:
        json_out({"path": str(path), "bytes": size, "summary": summary.to_dict()})
    else:
        note(f"{path}: {size:,} bytes, {sum(summary.rows.values()):,} rows; what it holds is told in {beside.name}")


@app.command()
def verify(
    context: typer.Context,
    path: _Copy,
    live: Annotated[
        bool, typer.Option("--live", help="Also against the store in use, which may only have grown since.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Restore a backup into a scratch database, and compare rows, sums, audit chains and seals.

    Exit code 1 with the first difference. With a URL nothing is restored: it is the scratch database.
    """
    session = session_of(context)
    with _restored(path) as (copy, broken):
        checks = ["the file", "audit chains and totals"]
        told = None if "://" in path else _summary(_beside(Path(path)))
        differences = [broken] if broken is not None else list(islice(_differences(copy, told), _SHOWN))
        if told is not None:
            checks.append("the summary taken with it")
        if live and not differences:
            checks.append("the live store")
            differences = _against_live(session, copy)
    if as_json:
        json_out({"path": path, "whole": not differences, "checked": checks, "differences": differences})
    elif differences:
        for one in differences:
            note(one)
    else:
        note(f"whole: {', '.join(checks)}")
        if told is None and "://" not in path:
            note(f"there is no {_beside(Path(path)).name}: it could not be compared with what was taken")
    if differences:
        raise typer.Exit(1)


def _differences(copy: Store, told: Summary | None) -> Iterator[str]:
    from razorpay_hardened.backup import against_itself, against_summary

    status = copy.status()
    if not status.usable:
        yield f"the schema is version {status.version}, this package needs {status.wanted}: restore, then db migrate"
        return
    parts: list[Iterable[str]] = [] if told is None else [against_summary(copy, told)]
    for part in (*parts, against_itself(copy)):
        yield from part


def _against_live(session: Session, copy: Store) -> list[str]:
    from razorpay_hardened.backup import against_live

    with session.store() as store:
        return list(islice(against_live(copy, store), _SHOWN))


@contextmanager
def _restored(path: str) -> Iterator[tuple[Store, str | None]]:
    """The copy as a store, and what is wrong with its file."""
    from razorpay_hardened.storage import open_store
    from razorpay_hardened.storage._copy import integrity, restore

    if "://" in path:
        store = open_store(refuse_password(path) or path)
        try:
            yield store, None
        finally:
            store.close()
        return
    if not Path(path).is_file():
        raise typer.BadParameter(f"there is no backup at {path}")
    with tempfile.TemporaryDirectory(prefix="razorpay-backup-") as folder:  # ours alone: mode 0700
        scratch = Path(folder) / "restored.db"
        broken = _tried(lambda: restore(Path(path), scratch)) or _tried(lambda: integrity(scratch))
        with _opened(scratch) as copy:
            yield copy, broken


def _tried(work: object) -> str | None:
    assert callable(work)
    try:
        found = work()
    except StorageError as error:
        return str(error)
    return None if found is None else f"the file is damaged: {found}"


@contextmanager
def _opened(path: Path) -> Iterator[Store]:
    from razorpay_hardened.storage import SQLiteStore

    store = SQLiteStore(f"sqlite:///{path.absolute()}?mode=ro")
    try:
        yield store
    finally:
        store.close()


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _write(path: Path, summary: Summary) -> None:
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps(summary.to_dict(), indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise typer.BadParameter(f"cannot write {path}: {error.strerror}") from error


def _summary(path: Path) -> Summary | None:
    from razorpay_hardened.backup import Summary

    try:
        return Summary.from_dict(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} is not the summary of a backup") from error

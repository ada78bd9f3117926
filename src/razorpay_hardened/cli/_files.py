"""Files that commands write: never over one that is there, unless told to (FAULTS rule 16)."""

from __future__ import annotations

import os
from pathlib import Path

import typer

__all__ = ["refuse_existing", "write_new"]


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """A usage error if something is at ``path``: a link counts, wherever it leads."""
    if not overwrite and os.path.lexists(path):
        raise typer.BadParameter(f"{path} is there already: choose another name, or add --overwrite")


def write_new(path: Path, text: str, *, overwrite: bool) -> None:
    """Write ``text``. Opening decides, not a look before it, so that nothing can come in between."""
    try:
        with path.open("w" if overwrite else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        refuse_existing(path, overwrite=False)
    except OSError as error:
        raise typer.BadParameter(f"cannot write {path}: {error.strerror}") from error

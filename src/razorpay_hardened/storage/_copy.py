"""Copies of an SQLite store: taken while it is in use, and put back somewhere to see that they are whole.

SQLite's online backup reads one snapshot in a single step: in WAL mode nobody waits for it, and it waits for nobody.
A plain copy of the file would miss what is still in the log, or catch half of a checkpoint.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import suppress
from pathlib import Path

from razorpay_hardened.errors import ConfigError
from razorpay_hardened.storage._sqlite import connect, file_uri, translate

__all__ = ["back_up", "integrity", "restore"]


def back_up(source: sqlite3.Connection, path: Path, *, overwrite: bool) -> None:
    """Copy ``source`` to ``path``. See :meth:`SQLiteStore.back_up`."""
    if not overwrite and os.path.lexists(path):
        raise _taken(path)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # nobody else's from its first byte
        _copy(source, partial)
        _on_disk(partial)
        _place(partial, path, overwrite=overwrite)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or type(error).__name__}") from error
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def restore(path: Path, scratch: Path) -> None:
    """Put the backup at ``path`` back into the new file ``scratch``. Raises :class:`StorageError`."""
    if not path.is_file():
        raise ConfigError(f"there is no backup at {path}")
    source = connect(file_uri(str(path.absolute()), "ro"), 0, reader=True)
    try:
        os.close(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _copy(source, scratch)
    finally:
        source.close()


def integrity(path: Path) -> str | None:
    """What SQLite's own check finds first, or None where the file is whole."""
    connection = connect(file_uri(str(path.absolute()), "ro"), 0, reader=True)
    try:
        found = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    finally:
        connection.close()
    return None if found == "ok" else found


def _copy(source: sqlite3.Connection, path: Path) -> None:
    target = sqlite3.connect(path, isolation_level=None)
    try:
        source.backup(target, pages=-1)
        # A file by itself: without this, whoever opens it makes a log beside it, and needs the right to.
        target.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise translate(error) from error
    finally:
        target.close()


def _on_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _place(partial: Path, path: Path, *, overwrite: bool) -> None:
    """Give the whole file its name, and make that last."""
    if overwrite:
        os.replace(partial, path)
    else:
        try:
            os.link(partial, path)  # fails where something has come in between; a rename would replace it
        except FileExistsError:
            raise _taken(path) from None
    if os.name == "posix":
        _on_disk(path.parent)  # the name is in the folder


def _taken(path: Path) -> ConfigError:
    return ConfigError(f"{path} is there already: choose another name, or add --overwrite (overwrite=True)")

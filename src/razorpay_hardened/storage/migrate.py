"""The schema: its text, its version, and the steps from an older one. Databases differ; this does not.

``sql/<dialect>/schema.sql`` is the whole current truth. ``NNNN_pre_*.sql`` and ``NNNN_post_*.sql`` lead to version NNNN
from the one before it: what comes before the new code runs, and what waits until the last process of the old code has
gone. Code of version NNNN - 1 runs on what ``pre`` leaves, which is what ``serves`` in razorpay_schema says.
"""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

from razorpay_hardened.errors import SchemaMismatch

__all__ = ["VERSION", "Found", "Step", "check", "schema_text", "steps"]

VERSION = 3
"""The schema that this package needs."""

_ADVICE = "run `razorpay-hardened db migrate`, or call store.migrate() at start"


class Found(NamedTuple):
    """What a database says of itself: its version, and the oldest version whose code can still run on it."""

    version: int
    serves: int

    @property
    def finished(self) -> bool:
        """Whether nothing is left for ``migrate(finish=True)``."""
        return self.serves == self.version


class Step(NamedTuple):
    """One file: the SQL, and what the database is once it has run."""

    reached: Found
    sql: str


def schema_text(dialect: str) -> str:
    """The SQL that makes all tables of ``dialect``, and its functions where it has any, as one text."""
    folder = files("razorpay_hardened.storage").joinpath("sql", dialect)
    parts = [folder.joinpath(name) for name in ("schema.sql", "functions.sql")]
    return "\n".join(part.read_text("utf-8") for part in parts if part.is_file())


def check(found: Found | None) -> None:
    """Raise :class:`SchemaMismatch` unless this package can run on the tables that are there."""
    if found is None:
        raise SchemaMismatch(f"the store has no tables yet: {_ADVICE}")
    if found.version < VERSION:
        raise SchemaMismatch(f"the store's schema is version {found.version}, this package needs {VERSION}: {_ADVICE}")
    if found.serves > VERSION:
        raise SchemaMismatch(
            f"the store's schema is version {found.version}, which is too new for this package"
            f" (it knows {VERSION}): upgrade the package"
        )


def steps(dialect: str, found: Found, *, finish: bool) -> list[Step]:
    """What brings ``found`` to the current version, in order; ``finish`` includes what old code cannot survive.

    Raises :class:`SchemaMismatch` where there is no way: a schema from the future, or one that we never shipped.
    """
    if found.version > VERSION:
        check(found)
        return []
    way: list[Step] = []
    for number in range(found.version + 1, VERSION + 1):
        # Two versions at once: what waited for the end of the older one's code must not wait for ever.
        if number > found.version + 1 or not found.finished:
            way += _post(dialect, number - 1)
        way.append(Step(Found(number, number - 1), _one(dialect, number, "pre")))
    if finish and (way or not found.finished):
        way += _post(dialect, VERSION)
    return way


def _post(dialect: str, number: int) -> list[Step]:
    return [Step(Found(number, number), _one(dialect, number, "post"))]


def _one(dialect: str, number: int, when: str) -> str:
    folder = files("razorpay_hardened.storage").joinpath("sql", dialect)
    for entry in folder.iterdir():
        if entry.name.startswith(f"{number:04}_{when}_"):
            return entry.read_text("utf-8")
    raise SchemaMismatch(f"this package knows no way from schema version {number - 1} to {number}")

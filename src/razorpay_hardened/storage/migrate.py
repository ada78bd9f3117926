"""The schema: its text, its version, and the steps from an older one. Databases differ; this does not.

``sql/<dialect>/schema.sql`` is the whole current truth; ``sql/<dialect>/NNNN_pre_*.sql`` (before the new code runs) and
``NNNN_post_*.sql`` (after) lead from version NNNN - 1 to it. Old code must run on the new schema.
"""

from __future__ import annotations

from importlib.resources import files

from razorpay_hardened.errors import SchemaMismatch

__all__ = ["VERSION", "check", "schema_text", "steps"]

VERSION = 1
"""The schema that this package needs."""

_ADVICE = "run `razorpay-hardened db migrate`, or call store.migrate() at start"


def schema_text(dialect: str) -> str:
    """The SQL that makes all tables of ``dialect``, as one text."""
    return files("razorpay_hardened.storage").joinpath("sql", dialect, "schema.sql").read_text("utf-8")


def check(version: int | None) -> None:
    """Raise :class:`SchemaMismatch` unless the tables are those that this package needs."""
    if version is None:
        raise SchemaMismatch(f"the store has no tables yet: {_ADVICE}")
    if version < VERSION:
        raise SchemaMismatch(f"the store's schema is version {version}, this package needs {VERSION}: {_ADVICE}")
    if version > VERSION:
        raise SchemaMismatch(
            f"the store's schema is version {version}, newer than the {VERSION} of this package: upgrade the package"
        )


def steps(dialect: str, version: int) -> list[tuple[int, str]]:
    """(version reached, SQL) of each step from ``version`` to the current one, in order.

    Raises :class:`SchemaMismatch` where there is no way: a schema from the future, or one that we never shipped.
    """
    if version > VERSION:
        check(version)
    folder = files("razorpay_hardened.storage").joinpath("sql", dialect)
    found = sorted((entry.name, entry) for entry in folder.iterdir() if entry.name[:4].isdigit())
    way = [(int(name[:4]), entry.read_text("utf-8")) for name, entry in found if int(name[:4]) > version]
    if {number for number, _ in way} != set(range(version + 1, VERSION + 1)):
        raise SchemaMismatch(f"this package knows no way from schema version {version} to {VERSION}")
    return way

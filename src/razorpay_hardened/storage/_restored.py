"""A dump that was restored into another PostgreSQL server: its audit rows carry transaction ids of the old one.

The new server's counter may begin far below them. Rows written then would sort before rows that were sealed long since,
and no seal would ever cover them. So a store refuses to work on such tables, and ``migrate()`` adds to every new
transaction id what is missing (``razorpay_audit_xid`` in the schema). Physical copies and ``pg_upgrade`` keep the
counter: nothing is to be done for them.
"""

from __future__ import annotations

from typing import Any, Final

from razorpay_hardened.errors import SchemaMismatch

__all__ = ["mend_restored", "refuse_restored"]

_NEWEST: Final = (
    "SELECT CAST(CAST(newest.xid AS text) AS numeric) FROM"
    " (SELECT xid FROM razorpay_audit ORDER BY xid DESC, pos DESC LIMIT 1) AS newest"
    " WHERE newest.xid >= razorpay_audit_xid(pg_snapshot_xmax(pg_current_snapshot()))"
)
"""The newest row's transaction id, where this server has not come so far: no row that it wrote can have that."""

_LOCK: Final = "LOCK TABLE razorpay_audit IN SHARE ROW EXCLUSIVE MODE"


def refuse_restored(cursor: Any) -> None:
    """Raise :class:`SchemaMismatch` where the rows are from another server. One probe of one index."""
    if cursor.execute(_NEWEST).fetchone() is not None:
        raise SchemaMismatch(
            "the tables were restored from a dump of another server, whose transaction counter had come further:"
            " run `razorpay-hardened db migrate`, or call store.migrate(), before anything is written"
        )


def mend_restored(cursor: Any) -> None:
    """Let the order of arrival go on after the rows that are there, whatever server they are from."""
    if cursor.execute(_NEWEST).fetchone() is None:
        return
    cursor.execute(_LOCK)
    found = cursor.execute(_NEWEST).fetchone()
    if found is not None:
        shift = int(found[0]) + 1  # a number of ours, so that it may stand in the text
        cursor.execute(
            "CREATE OR REPLACE FUNCTION razorpay_audit_xid(xid8) RETURNS xid8 LANGUAGE sql STABLE AS "
            f"'SELECT CAST(CAST(CAST(CAST($1 AS text) AS numeric) + {shift} AS text) AS xid8)'"
        )

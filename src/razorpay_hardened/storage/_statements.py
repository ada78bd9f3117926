"""The SQL, one text for every database: built once for each dialect, never per call.

Written in what SQLite (3.37 and newer) and PostgreSQL have in common. ``?`` is the placeholder and becomes the
driver's own; ``{many}`` stands for as many placeholders as there are keys (see :func:`many`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

from razorpay_hardened.storage._rows import COLUMNS, Row
from razorpay_hardened.storage._trail_sql import Trail

T = TypeVar("T")

__all__ = [
    "POSTGRESQL",
    "SELECT",
    "SQLITE",
    "TABLES",
    "Dialect",
    "Saving",
    "Statements",
    "blocks",
    "inbox_by_digest",
    "many",
    "several",
]

TABLES = (
    *COLUMNS,
    "razorpay_holds",
    "razorpay_retention",
    "razorpay_schema",
    "razorpay_switches",
)
"""Every table that is ours."""

SELECT = {table: " ".join(("SELECT", ", ".join(columns), "FROM", table)) for table, columns in COLUMNS.items()}
"""table → SELECT of its columns, in the order that ``_rows`` reads."""

_OPEN = "state IN ('waiting', 'leased')"  # word for word what the partial indexes say, or they are not used


@dataclass(frozen=True, slots=True)
class Dialect:
    """What databases say differently. ``skip_locked`` ends a SELECT that takes rows which nobody else holds.

    ``partitioned``: the inbox is cut by time, so that the key of a body is in a table of its own (razorpay_digests).
    """

    name: str
    placeholder: str
    skip_locked: str
    partitioned: bool = False

    def text(self, sql: str) -> str:
        """``sql`` with this driver's placeholder."""
        return sql if self.placeholder == "?" else sql.replace("?", self.placeholder)


SQLITE = Dialect("sqlite", "?", "")  # one writer at a time holds everything: there is nothing to skip
POSTGRESQL = Dialect("postgresql", "%s", "FOR UPDATE SKIP LOCKED", partitioned=True)


@lru_cache(maxsize=512)
def many(sql: str, count: int, placeholder: str = "?") -> str:
    """``sql`` with ``{many}`` replaced by ``count`` placeholders: equal texts, so that drivers reuse them prepared."""
    return sql.replace("{many}", ", ".join([placeholder] * count))


def blocks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """``values`` cut into blocks of few different sizes, so that the texts made for them stay few, and prepared."""
    start = 0
    for size in _BLOCKS:
        while len(values) - start >= size:
            yield values[start : start + size]
            start += size


@lru_cache(maxsize=64)
def several(sql: str, count: int) -> str:
    """An INSERT of one row as an INSERT of ``count``."""
    head, _, rest = sql.partition(" VALUES ")
    row, _, tail = rest.partition(")")
    return " ".join((head, "VALUES", ", ".join([row + ")"] * count) + tail))


def _insert(table: str, columns: Iterable[str], conflict: str) -> str:
    names = tuple(columns)
    values = ", ".join("?" * len(names))
    return " ".join(("INSERT INTO", table, "(", ", ".join(names), ") VALUES (", values, ")", conflict)).rstrip()


def _upsert(table: str, *key: str) -> str:
    changes = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[table] if name not in key)
    return _insert(table, COLUMNS[table], f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}")


class Saving:
    """How the rows of one table are saved: ``put`` inserts or replaces; ``change`` is for a row whose indexed columns
    are as they were, and leaves every index alone (each costs a page of log at every commit).

    ``fixed`` picks the indexed columns of a row, ``changing`` the parameters of ``change``.
    """

    def __init__(self, dialect: Dialect, table: str, *indexed: str) -> None:
        columns = COLUMNS[table]
        key = columns[0]
        free = [name for name in columns if name != key and name not in indexed]
        sets = ", ".join(f"{name} = ?" for name in free)
        self.put = dialect.text(_upsert(table, key))
        self.change = dialect.text(" ".join(("UPDATE", table, "SET", sets, "WHERE", key, "= ?")))
        self.fixed: Callable[[Any], Any] = itemgetter(0, *(columns.index(name) for name in indexed))
        self.changing: Callable[[Any], Any] = itemgetter(*(columns.index(name) for name in free), 0)


_BLOCKS = (32, 8, 1)

_CLAIM = _insert("razorpay_inbox", COLUMNS["razorpay_inbox"], "ON CONFLICT (digest) DO NOTHING")
_CLAIMED = "SELECT state, received_at, created_at, attempts, anchor FROM razorpay_inbox WHERE digest = ?"

_SETTLE = (
    "UPDATE razorpay_inbox SET state = ?, updated_at = ?, attempts = attempts + 1,"
    " anchor = COALESCE(?, anchor), reason = ?"
)

_CLAIM_PARTITIONED = " ".join(
    (
        "WITH fresh AS (INSERT INTO razorpay_digests (digest, received_at) VALUES (?, ?)",
        "ON CONFLICT (digest) DO NOTHING RETURNING digest) INSERT INTO razorpay_inbox (",
        ", ".join(COLUMNS["razorpay_inbox"]),
        ") SELECT ?, ?, ?, ?, ?, CAST(? AS timestamptz), CAST(? AS timestamptz), CAST(? AS timestamptz),",
        "CAST(? AS bigint), ?, ?, CAST(? AS timestamptz) FROM fresh",
    )
)
_CLAIM_ARRAYS = " ".join(
    (
        "WITH given AS (SELECT * FROM unnest(?::text[], ?::bytea[], ?::text[], ?::text[], ?::timestamptz[],",
        "?::timestamptz[]) AS given (digest, body, event, event_id, received_at, created_at)),",
        "fresh AS (INSERT INTO razorpay_digests (digest, received_at)",
        "SELECT digest, received_at FROM given ORDER BY digest ON CONFLICT (digest) DO NOTHING RETURNING digest)",
        "INSERT INTO razorpay_inbox",
        "(digest, body, event, event_id, state, received_at, created_at, updated_at, attempts)",
        "SELECT digest, body, event, event_id, 'done', received_at, created_at, received_at, 0",
        "FROM given JOIN fresh USING (digest) ORDER BY digest RETURNING digest",
    )
)
# The row may be gone with its partition, while its key is kept: a duplicate of something that was done.
_CLAIMED_PARTITIONED = (
    "SELECT COALESCE(inbox.state, 'done'), key.received_at, inbox.created_at, COALESCE(inbox.attempts, 0), inbox.anchor"
    " FROM razorpay_digests AS key LEFT JOIN razorpay_inbox AS inbox"
    " ON inbox.digest = key.digest AND inbox.received_at = key.received_at WHERE key.digest = ?"
)


def _claiming_partitioned(row: Row) -> Row:
    digest, received_at = row[0], row[5]
    return (digest, received_at, *row)


def inbox_by_digest(dialect: Dialect) -> str:
    """The condition that finds one delivery: where the inbox is cut by time, in its own partition only."""
    if dialect.partitioned:
        return "(digest, received_at) = (SELECT digest, received_at FROM razorpay_digests WHERE digest = ?)"
    return "digest = ?"


def _lease(dialect: Dialect) -> str:
    columns = ", ".join(COLUMNS["razorpay_effects"])
    elder = (
        "SELECT 1 FROM razorpay_effects AS elder WHERE elder.anchor = effect.anchor"
        " AND elder.handler = effect.handler AND elder.id < effect.id AND elder.state IN ('waiting', 'leased')"
    )
    head = " ".join(
        (
            "WITH head AS MATERIALIZED (",  # once: a subquery that locks may be run again for each row
            "SELECT id FROM razorpay_effects AS effect WHERE mode = 'after' AND",
            _OPEN,
            "AND due_at <= ? AND (state = 'waiting' OR lease_until <= ?) AND handler IN ({many}) {where}",
            "AND NOT EXISTS (",
            elder,
            ") ORDER BY due_at, id LIMIT ?",
            dialect.skip_locked,
            ")",
        )
    )
    return " ".join(
        (
            head,
            "UPDATE razorpay_effects SET state = 'leased', token = ?, lease_until = ?"
            " WHERE id IN (SELECT id FROM head) RETURNING",
            columns,
        )
    )


class Statements:
    """Every fixed statement of a transaction, in one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        text = dialect.text
        self.dialect = dialect
        self.placeholder = dialect.placeholder
        self._inbox(dialect)
        self._state(dialect)
        self._effects(dialect)
        self.trail = Trail(dialect)
        self.intents = text(SELECT["razorpay_refund_intents"] + " WHERE payment_id = ? ORDER BY created_at, key")
        self.put_intent = text(_upsert("razorpay_refund_intents", "key"))
        self.put_run = text(_upsert("razorpay_runs", "id"))
        self.put_finding = text(_upsert("razorpay_findings", "run_id", "kind", "entity", "entity_id"))

    def _inbox(self, dialect: Dialect) -> None:
        text = dialect.text
        self.claim = text(_CLAIM_PARTITIONED if dialect.partitioned else _CLAIM)
        self.claiming = _claiming_partitioned if dialect.partitioned else tuple
        self.claim_several = text(_CLAIM_ARRAYS if dialect.partitioned else _CLAIM + " RETURNING digest")
        """One row's text, for :func:`several`; or, where a claim is more than one insert, one text for columns."""
        self.claims_columns = dialect.partitioned
        self.claimed = text(_CLAIMED_PARTITIONED if dialect.partitioned else _CLAIMED)
        self.same_event_id = text("SELECT 1 FROM razorpay_inbox WHERE event_id = ? AND digest <> ? LIMIT 1")
        self.same_event_ids = text("SELECT event_id, digest FROM razorpay_inbox WHERE event_id IN ({many})")
        self.settle = text(" ".join((_SETTLE, "WHERE", inbox_by_digest(dialect))))
        self.parked = text(
            SELECT["razorpay_inbox"]
            + " WHERE state = 'parked' AND anchor IN ({many}) ORDER BY received_at, digest "
            + dialect.skip_locked
        )

    def _state(self, dialect: Dialect) -> None:
        text = dialect.text
        self.lock_anchor = text(
            "INSERT INTO razorpay_anchors (key, version, captured, audit_seq, audit_head) VALUES (?, 1, 0, 0, '')"
            " ON CONFLICT (key) DO UPDATE SET version = razorpay_anchors.version + 1"
            " RETURNING key, version, captured, audit_seq, audit_head"
        )
        self.anchors_of = text("SELECT payment_id, anchor FROM razorpay_payments WHERE payment_id IN ({many})")
        self.orders_by_anchor = text(SELECT["razorpay_orders"] + " WHERE order_id IN ({many})")
        self.orders_by_local_id = text(SELECT["razorpay_orders"] + " WHERE local_id IN ({many})")
        self.payments = text(SELECT["razorpay_payments"] + " WHERE payment_id IN ({many})")
        self.refunds = text(SELECT["razorpay_refunds"] + " WHERE refund_id IN ({many})")
        self.entities = text(SELECT["razorpay_entities"] + " WHERE entity_id IN ({many})")
        self.fired = text("SELECT key FROM razorpay_milestones WHERE key IN ({many})")
        fired = COLUMNS["razorpay_milestones"]
        self.put_fired = text(_insert("razorpay_milestones", fired, "ON CONFLICT (key) DO NOTHING"))
        self.anchor = Saving(dialect, "razorpay_anchors")
        self.order = Saving(dialect, "razorpay_orders", "owner", "receipt", "created_at", "order_id")
        self.payment = Saving(dialect, "razorpay_payments", "anchor", "created_at")
        self.refund = Saving(dialect, "razorpay_refunds", "payment_id", "created_at")
        self.entity = Saving(dialect, "razorpay_entities", "kind", "anchor", "created_at")
        self.put_audit = text(_insert("razorpay_audit", COLUMNS["razorpay_audit"], ""))

    def _effects(self, dialect: Dialect) -> None:
        text = dialect.text
        self.waiting = text(
            SELECT["razorpay_effects"] + " WHERE anchor IN ({many}) AND mode = 'on' AND " + _OPEN + " ORDER BY id"
        )
        self.put_effect = text(
            _insert(
                "razorpay_effects",
                COLUMNS["razorpay_effects"][1:],
                "ON CONFLICT (key, handler) DO NOTHING RETURNING id, key, handler",
            )
        )
        self.finish_effect = text(
            "UPDATE razorpay_effects SET state = ?, attempts = ?, due_at = ?, error = ?, token = NULL,"
            " lease_until = NULL WHERE id = ?"
        )
        self.finish_leased = self.finish_effect + text(" AND state = 'leased' AND token = ?")
        lease = _lease(dialect)
        self.lease = text(lease.replace("{where}", ""))
        self.lease_of_anchor = text(lease.replace("{where}", "AND anchor = ?"))

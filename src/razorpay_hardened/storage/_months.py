"""Months of the inbox and the audit, as partitions on PostgreSQL: made ahead, dropped whole.

Optional: without them all rows are in the default partitions, and nothing is different but what it costs to take old
rows away. A month that is dropped gives its space back at once; row by row, VACUUM has to do it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from razorpay_hardened.errors import ConfigError
from razorpay_hardened.ports.store import Month
from razorpay_hardened.storage._transaction import SqlTransaction

__all__ = ["Months"]

_TABLES: Final = {"inbox": "razorpay_inbox", "audit": "razorpay_audit"}
_NAME: Final = re.compile(r"razorpay_(inbox|audit)_(\d{4})_(\d{2})", re.ASCII)
_LIMITS: Final = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '60s'"
_LIST: Final = (
    "SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid"
    " WHERE inhparent = to_regclass(?) ORDER BY child.relname"
)
_COUNT: Final = "SELECT count(*) FROM "
_ANY: Final = "SELECT count(*) FROM (SELECT FROM"
_AHEAD_MAX: Final = 60


class _DryRun(Exception):
    pass


class Months:
    """The part of :class:`PostgresStore` that knows of months: see :class:`ports.store.Partitioned`."""

    def _read(self, sql: str, parameters: tuple[Any, ...]) -> list[Any]:
        raise NotImplementedError

    def transaction(self, *, durable: bool = False) -> AbstractContextManager[SqlTransaction]:
        """See :class:`PostgresStore`."""
        raise NotImplementedError

    def months(self, kind: str) -> list[Month]:
        """The months that have a partition of their own, the oldest first."""
        found = (_NAME.fullmatch(row[0]) for row in self._read(_LIST, (_TABLES[kind],)))
        return [_month(kind, int(one[2]), int(one[3])) for one in found if one]

    def make_months(self, now: datetime, *, ahead: int = 3) -> list[Month]:
        """Make the partitions of the months to come, ``ahead`` of them, where they are missing. Gives those made.

        The month that has begun stays in the default partition, unless that is empty. Each is a short transaction that
        locks the table: it gives up after 2 s and raises :class:`StorageUnavailable`; try again.
        """
        if not 1 <= ahead <= _AHEAD_MAX:
            raise ConfigError(f"months are made 1 to {_AHEAD_MAX} ahead")
        made: list[Month] = []
        now = now.astimezone(UTC)
        for kind, table in _TABLES.items():
            there = {month.name for month in self.months(kind)}
            empty = not self._read(" ".join(("SELECT 1 FROM", f"{table}_default", "LIMIT 1")), ())
            for offset in range(0 if empty else 1, ahead + 1):
                year, place = divmod(now.year * 12 + now.month - 1 + offset, 12)
                month = _month(kind, year, place + 1)
                if month.name not in there:
                    self._make(table, month)
                    made.append(month)
        return made

    def _make(self, table: str, month: Month) -> None:
        begins, ends = month.begins.isoformat(), month.ends.isoformat()
        with self._limited() as tx:
            tx.execute(
                f"CREATE TABLE IF NOT EXISTS {month.name} PARTITION OF {table}"
                f" FOR VALUES FROM ('{begins}') TO ('{ends}')"
            )

    def drop_month(self, month: Month, *, dry: bool = False) -> int | None:
        """Drop a month that is over, and say so; gives its rows. None where it has to stay, whole:

        an inbox's month while it holds deliveries that are still work, or while any legal hold stands (its rows can go
        one by one); an audit's month while rows of it, or from before it, are not sealed or are in no month.
        """
        may_go = self._inbox_may_go if month.kind == "inbox" else self._audit_may_go
        with self._limited() as tx:  # without a lock: counting takes its time, and writers must not wait for it
            if not may_go(tx, month):
                return None
            rows = _one(tx, _COUNT + month.name)
        return rows if dry or self._drop(month, rows, may_go) else None

    def _drop(self, month: Month, rows: int, may_go: Callable[[SqlTransaction, Month], bool]) -> bool:
        with self._limited() as tx:
            # Nothing may change between the look and the drop. Writers wait for us meanwhile, or we for them.
            tx.execute("LOCK TABLE " + _TABLES[month.kind] + " IN ACCESS EXCLUSIVE MODE")
            if not may_go(tx, month):
                return False
            if month.kind == "audit":
                self._tell_dropped(tx, month, rows)
            tx.execute("DROP TABLE " + month.name)
        return True

    @staticmethod
    def _inbox_may_go(tx: SqlTransaction, month: Month) -> bool:
        work = " ".join((_ANY, month.name, "WHERE state NOT IN ('done', 'ignored', 'dead') LIMIT 1) AS x"))
        return not _one(tx, work) and not _one(tx, _ANY + " razorpay_holds LIMIT 1) AS x")

    @staticmethod
    def _audit_may_go(tx: SqlTransaction, month: Month) -> bool:
        """Every row up to the month's end is under a seal, and none of them is outside of the months."""
        seal = tx.last_seal()
        if seal is None:
            return False
        if _one(tx, _ANY + " razorpay_audit_default WHERE at < %s LIMIT 1) AS x", month.ends):
            return False
        unsealed = tx.sealable(seal, limit=1)
        return not unsealed or unsealed[0].at >= month.ends

    @staticmethod
    def _tell_dropped(tx: SqlTransaction, month: Month, rows: int) -> None:
        """The mark that verification reads: rows older than this are not missing, they were dropped."""
        tx.execute(
            "INSERT INTO razorpay_retention (class, upto, at, erased) VALUES ('audit', %s, now(), %s)"
            " ON CONFLICT (class) DO UPDATE SET upto = excluded.upto, at = excluded.at,"
            " erased = razorpay_retention.erased + excluded.erased",
            (month.ends.isoformat(), rows),
        )

    def forget_digests(self, before: datetime, *, limit: int = 1000) -> int:
        """Drop the dedupe keys of deliveries whose rows are gone, up to ``limit`` of those older than ``before``."""
        with self._limited() as tx:
            return int(
                tx.execute(
                    "DELETE FROM razorpay_digests WHERE digest IN (SELECT digest FROM razorpay_digests AS key"
                    " WHERE key.received_at < %s AND NOT EXISTS (SELECT FROM razorpay_inbox AS inbox"
                    " WHERE inbox.digest = key.digest AND inbox.received_at = key.received_at)"
                    " ORDER BY key.received_at LIMIT %s)",
                    (before, limit),
                ).rowcount
            )

    @contextmanager
    def _limited(self) -> Iterator[SqlTransaction]:
        with self.transaction(durable=True) as tx:
            tx.execute(_LIMITS)
            yield tx


def _month(kind: str, year: int, month: int) -> Month:
    begins = datetime(year, month, 1, tzinfo=UTC)
    ends = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return Month(kind, f"razorpay_{kind}_{year:04}_{month:02}", begins, ends)


def _one(tx: SqlTransaction, sql: str, *parameters: Any) -> int:
    return int(tx.execute(sql, parameters).fetchone()[0])

"""The SQL of keeping: switches, legal holds, erasing. Mixed into the transaction and the reader of every SQL store.

A module of its own because none of it is on the path of a payment, except the one look at the switches. Every
statement finds its rows through an index: a batch never scans a table (tests/unit/test_retention.py has the plans).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from razorpay_hardened.ports.store import EffectRow, Hold, InboxRow, Mark, Matter, Switch
from razorpay_hardened.storage._rows import COLUMNS, Row, Rows
from razorpay_hardened.storage._statements import Dialect, Statements, inbox_by_digest, many

__all__ = ["KeepingReader", "KeepingTransaction", "keeping"]

_CHUNK: Final = 500

KEEPING: Final[dict[str, str]] = {
    "switches": "SELECT name, at, actor, note FROM razorpay_switches",
    "put_switch": (
        "INSERT INTO razorpay_switches (name, at, actor, note) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET at = excluded.at, actor = excluded.actor, note = excluded.note"
    ),
    "drop_switch": "DELETE FROM razorpay_switches WHERE name = ?",
    "holds": "SELECT subject, at, actor, note FROM razorpay_holds WHERE subject > ? ORDER BY subject LIMIT ?",
    "any_hold": "SELECT subject FROM razorpay_holds LIMIT 1",
    "held": "SELECT subject FROM razorpay_holds WHERE subject IN ({many})",
    "put_hold": (
        "INSERT INTO razorpay_holds (subject, at, actor, note) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (subject) DO UPDATE SET at = excluded.at, actor = excluded.actor, note = excluded.note"
    ),
    "drop_hold": "DELETE FROM razorpay_holds WHERE subject = ?",
    "marks": (
        "SELECT class, upto, at, erased FROM razorpay_retention"
        " WHERE class > ? AND class >= ? AND class < ? ORDER BY class LIMIT ?"
    ),
    "put_mark": (
        "INSERT INTO razorpay_retention (class, upto, at, erased) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (class) DO UPDATE SET upto = excluded.upto, at = excluded.at, erased = excluded.erased"
    ),
    "drop_mark": "DELETE FROM razorpay_retention WHERE class = ?",
    "payments": "SELECT anchor, payment_id FROM razorpay_payments WHERE anchor IN ({many})",
    "refunds": "SELECT payment_id, refund_id FROM razorpay_refunds WHERE payment_id IN ({many})",
    "entities": "SELECT anchor, entity_id FROM razorpay_entities WHERE anchor IN ({many})",
    "unfinished": (
        "SELECT DISTINCT anchor FROM razorpay_effects WHERE anchor IN ({many}) AND state IN ('waiting', 'leased')"
    ),
    "pending": "SELECT payment_id FROM razorpay_refunds WHERE payment_id IN ({many}) AND status = 'pending'",
    "wanted": "SELECT payment_id FROM razorpay_refund_intents WHERE payment_id IN ({many}) AND state = 'open'",
    "parked": "SELECT DISTINCT anchor FROM razorpay_inbox WHERE anchor IN ({many}) AND state = 'parked'",
    "owners": "SELECT order_id, local_id, owner FROM razorpay_orders WHERE order_id IN ({many})",
    "received": " ".join(
        ("SELECT pos,", ", ".join(COLUMNS["razorpay_inbox"]), "FROM razorpay_inbox WHERE pos > ? ORDER BY pos LIMIT ?")
    ),
    "seal": "SELECT seq, hash FROM razorpay_audit_seals WHERE seq = ?",
    "last_seal": "SELECT seq, hash FROM razorpay_audit_seals ORDER BY seq DESC LIMIT 1",
    "erase": (
        "UPDATE razorpay_inbox SET body = ?, reason = ?, erased_at = ? WHERE digest = ? AND received_at = ?"
        " AND erased_at IS NULL AND state IN ('done', 'ignored', 'dead')"
    ),
    "drop": (
        "DELETE FROM razorpay_inbox WHERE digest = ? AND received_at = ? AND state IN ('done', 'ignored', 'dead')"
    ),
    "drop_digest": "DELETE FROM razorpay_digests WHERE digest = ?",
    "shorten": "UPDATE razorpay_effects SET error = ? WHERE id = ? AND state = 'dead' AND error = ?",
}
"""Every statement, in what SQLite and PostgreSQL have in common."""


@lru_cache
def keeping(dialect: Dialect) -> dict[str, str]:
    """name → SQL with the driver's placeholder. What finds one delivery by its digest depends on the dialect."""
    head, closed = "UPDATE razorpay_inbox SET body = ?, erased_at = ? WHERE", "AND state IN ('done', 'ignored', 'dead')"
    one = " ".join((head, inbox_by_digest(dialect), closed))
    return {name: dialect.text(sql) for name, sql in (*KEEPING.items(), ("erase_one", one))}


def _code(reason: str | None) -> str | None:
    """The code that a reason begins with: what follows it is text, and may quote."""
    return None if reason is None else reason.partition(":")[0][:64]


class KeepingTransaction:
    """See :class:`razorpay_hardened.ports.store.KeepingWork`."""

    _rows: Rows
    _sql: Statements

    def _run(self, sql: str, parameters: Row = ()) -> int:
        raise NotImplementedError

    def _all(self, sql: str, parameters: Row = ()) -> list[Any]:
        raise NotImplementedError

    def _keep(self, name: str, parameters: Row = ()) -> int:
        return self._run(keeping(self._sql.dialect)[name], parameters)

    def _among(self, name: str, keys: Iterable[str]) -> list[Any]:
        found: list[Any] = []
        wanted = sorted(set(keys))
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            found += self._all(many(keeping(self._sql.dialect)[name], len(part), self._sql.placeholder), tuple(part))
        return found

    # --- switches

    def switches(self) -> dict[str, Switch]:
        """All switches by name: one small table, one statement."""
        return _switches(self._all(keeping(self._sql.dialect)["switches"]), self._rows)

    def put_switch(self, switch: Switch) -> None:
        """Insert or replace by name."""
        self._keep("put_switch", (switch.name, self._rows.time(switch.at), switch.actor, switch.note))

    def drop_switch(self, name: str) -> None:
        """Take a switch away."""
        self._keep("drop_switch", (name,))

    # --- legal holds

    def put_hold(self, hold: Hold) -> None:
        """Insert or replace by subject."""
        self._keep("put_hold", (hold.subject, self._rows.time(hold.at), hold.actor, hold.note))

    def drop_hold(self, subject: str) -> bool:
        """Take a hold away. False: there was none."""
        return self._keep("drop_hold", (subject,)) == 1

    def held(self, subjects: Iterable[str]) -> set[str]:
        """Those of ``subjects`` on which a hold stands. Most shops have none at all, so that is asked first."""
        if not self._all(keeping(self._sql.dialect)["any_hold"]):
            return set()
        return {row[0] for row in self._among("held", subjects)}

    # --- erasing

    def marks(self, prefix: str, *, after: str = "", limit: int = 100) -> list[Mark]:
        """Marks whose name begins with ``prefix``, in order of name."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        rows = self._all(keeping(self._sql.dialect)["marks"], (after, prefix, end, limit))
        return [Mark(row[0], row[1], self._rows.moment(row[2]), row[3]) for row in rows]

    def put_mark(self, mark: Mark) -> None:
        """Insert or replace by name."""
        self._keep("put_mark", (mark.name, mark.upto, self._rows.time(mark.at), mark.count))

    def drop_mark(self, name: str) -> None:
        """Take a mark away."""
        self._keep("drop_mark", (name,))

    def matters(self, anchors: Sequence[str]) -> dict[str, Matter]:
        """What hangs on each of these anchors."""
        anchor_of = {payment: anchor for anchor, payment in self._among("payments", anchors)}
        payments: dict[str, list[str]] = {anchor: [] for anchor in anchors}
        refunds: dict[str, list[str]] = {anchor: [] for anchor in anchors}
        for payment, anchor in anchor_of.items():
            payments[anchor].append(payment)
        for payment, refund in self._among("refunds", anchor_of):
            refunds[anchor_of[payment]].append(refund)
        entities: dict[str, list[str]] = {anchor: [] for anchor in anchors}
        for anchor, entity in self._among("entities", anchors):
            entities[anchor].append(entity)
        return {
            anchor: Matter(*(tuple(sorted(found[anchor])) for found in (payments, refunds, entities)))
            for anchor in anchors
        }

    def open_matters(self, anchors: Sequence[str]) -> set[str]:
        """Those of ``anchors`` about which something is still to be done."""
        anchor_of = {payment: anchor for anchor, payment in self._among("payments", anchors)}
        keys = {*anchors, *anchor_of}
        open_ = {row[0] for row in self._among("unfinished", anchors)}
        open_ |= {anchor_of.get(row[0], row[0]) for row in self._among("parked", keys)}
        for name in ("pending", "wanted"):
            open_ |= {anchor_of[row[0]] for row in self._among(name, anchor_of)}
        return open_

    def owners(self, orders: Sequence[str]) -> dict[str, set[str]]:
        """Razorpay's order id → local id and owner."""
        return {order: {local, owner} for order, local, owner in self._among("owners", orders)}

    def erase_bodies(self, rows: Sequence[InboxRow], at: datetime) -> int:
        """Replace the bodies of these deliveries by nothing."""
        self._wipe()
        moment, time = self._rows.time(at), self._rows.time
        return sum(
            self._keep("erase", (b"", _code(row.reason), moment, row.digest, time(row.received_at))) for row in rows
        )

    def erase_body(self, digest: str, at: datetime) -> None:
        """The same for one delivery by its digest."""
        self._wipe()
        self._keep("erase_one", (b"", self._rows.time(at), digest))

    def drop_deliveries(self, rows: Sequence[InboxRow]) -> int:
        """Take these deliveries away, dedupe keys and all."""
        self._wipe()
        count = 0
        for row in rows:
            dropped = self._keep("drop", (row.digest, self._rows.time(row.received_at)))
            if dropped and self._sql.dialect.partitioned:
                self._keep("drop_digest", (row.digest,))
            count += dropped
        return count

    def shorten_error(self, row: EffectRow, error: str) -> bool:
        """Replace the error of a dead effect, if it is still that."""
        self._wipe()
        return self._keep("shorten", (error, row.id, row.error)) == 1

    def wipe(self) -> None:
        """What this transaction replaces is to leave no trace in the file: see :meth:`_wipe`."""
        self._wipe()

    def _wipe(self) -> None:
        """SQLite leaves what was replaced in the file's free space: have it written over, on this connection.

        PostgreSQL keeps the old version of a row until VACUUM, which nobody can hurry from inside a transaction.
        """
        if not self._sql.dialect.partitioned:
            self._all("PRAGMA secure_delete = ON")


class KeepingReader:
    """The same, outside of any transaction."""

    _rows: Rows
    _dialect: Dialect

    def _read(self, sql: str, parameters: Row) -> list[Any]:
        raise NotImplementedError

    def switches(self) -> dict[str, Switch]:
        """All switches by name."""
        return _switches(self._read(KEEPING["switches"], ()), self._rows)

    def holds(self, *, after: str = "", limit: int = 100) -> list[Hold]:
        """Legal holds in order of subject."""
        found = self._read(KEEPING["holds"], (after, limit))
        return [Hold(row[0], self._rows.moment(row[1]), row[2], row[3]) for row in found]

    def received(self, *, after: int = 0, limit: int = 100) -> list[tuple[int, InboxRow]]:
        """Stored deliveries with their positions, in the order in which they came."""
        return [(row[0], self._rows.delivery(row[1:])) for row in self._read(KEEPING["received"], (after, limit))]

    def seal(self, seq: int | None = None) -> tuple[int, str] | None:
        """Number and hash of a seal of the audit, the last one by default."""
        found = self._read(KEEPING["last_seal"], ()) if seq is None else self._read(KEEPING["seal"], (seq,))
        return (found[0][0], found[0][1]) if found else None


def _switches(found: list[Any], rows: Rows) -> dict[str, Switch]:
    return {row[0]: Switch(row[0], rows.moment(row[1]), row[2], row[3]) for row in found}

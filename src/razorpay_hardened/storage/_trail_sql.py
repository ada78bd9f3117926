"""The SQL of the audit trail: its order of arrival, its chains beside their anchors, its seals.

Order of arrival is where databases differ. SQLite has one writer at a time: ``pos`` alone is the order in which rows
were committed. On PostgreSQL a transaction may take a low ``pos`` and commit late, behind rows that are visible long
since; so the order is (``xid``, ``pos``), and a row is finished once every transaction up to its own has ended:
``xid < pg_snapshot_xmin(pg_current_snapshot())``, asked in the same statement, so that it is of the same snapshot.
``razorpay_audit_xid`` keeps the order where a dump was restored into another server: see ``_restored``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from razorpay_hardened.domain.seals import place
from razorpay_hardened.storage._rows import COLUMNS

if TYPE_CHECKING:
    from razorpay_hardened.storage._statements import Dialect

__all__ = ["Trail"]


class _Order(NamedTuple):
    """``position`` as text, the columns to ``sort`` by, a comparison ``after`` a position, when a row is ``finished``.

    ``{t}`` is the table's name or alias.
    """

    position: str
    sort: str
    after: str
    finished: str


_ORDERS: Final = {
    "sqlite": _Order("CAST({t}.pos AS TEXT)", "{t}.pos", "{t}.pos > ?", "1 = 1"),
    "postgresql": _Order(
        "{t}.xid::text || ':' || {t}.pos::text",
        "{t}.xid, {t}.pos",
        "({t}.xid, {t}.pos) > (CAST(CAST(? AS text) AS xid8), CAST(? AS bigint))",
        "{t}.xid < razorpay_audit_xid(pg_snapshot_xmin(pg_current_snapshot()))",
    ),
}
_ARRIVAL: Final = "at, anchor, seq, hash"


class Trail:
    """Statements, for one dialect. Those that :class:`Reader` runs keep ``?``: the store translates what it reads."""

    def __init__(self, dialect: Dialect) -> None:
        order = _ORDERS[dialect.name]
        own = _Order(*(part.replace("{t}", "razorpay_audit") for part in order))
        row = _Order(*(part.replace("{t}", "a") for part in order))
        self._numbers_first = dialect.name != "sqlite"
        arrivals = " ".join(("SELECT", own.position, ",", _ARRIVAL, "FROM razorpay_audit WHERE"))
        by_arrival = " ".join(("ORDER BY", own.sort, "LIMIT ?"))
        self.arrivals = " ".join((arrivals, "1 = 1", by_arrival))
        self.arrivals_after = " ".join((arrivals, own.after, by_arrival))
        self.sealable = dialect.text(" ".join((arrivals, own.finished, by_arrival)))
        self.sealable_after = dialect.text(" ".join((arrivals, own.after, "AND", own.finished, by_arrival)))
        seals = " ".join(("SELECT", ", ".join(COLUMNS["razorpay_audit_seals"]), "FROM razorpay_audit_seals"))
        self.seals = " ".join((seals, "WHERE seq > ? ORDER BY seq LIMIT ?"))
        self.last_seal = " ".join((seals, "ORDER BY seq DESC LIMIT 1"))
        names = COLUMNS["razorpay_audit_seals"]
        self.put_seal = dialect.text(
            " ".join(("INSERT INTO razorpay_audit_seals (", ", ".join(names), ") VALUES (", _marks(len(names)), ")"))
        )
        self._chains(row)

    def _chains(self, order: _Order) -> None:
        columns = ", ".join(f"a.{name}" for name in COLUMNS["razorpay_audit"])
        chains = " ".join(
            (
                "SELECT",
                order.position,
                ", g.audit_seq, g.audit_head,",
                columns,
                "FROM razorpay_audit AS a LEFT JOIN razorpay_anchors AS g ON g.key = a.anchor WHERE",
            )
        )
        by_chain = "ORDER BY a.anchor, a.seq, a.pos LIMIT ?"
        self.chains = " ".join((chains, "1 = 1", by_chain))
        self.chains_after = " ".join((chains, "(a.anchor, a.seq, a.pos) > (?, ?, ?)", by_chain))
        anchors = ", ".join(COLUMNS["razorpay_anchors"])
        self.anchors_without = " ".join(
            (
                "SELECT",
                anchors,
                "FROM razorpay_anchors AS g WHERE key > ? AND audit_seq > 0",
                "AND NOT EXISTS (SELECT 1 FROM razorpay_audit AS a WHERE a.anchor = g.key) ORDER BY key LIMIT ?",
            )
        )
        self.dropped = "SELECT upto FROM razorpay_retention WHERE class = 'audit'"

    def parameters(self, position: str) -> tuple[str | int, ...]:
        """A position as the parameters of ``after``. xid8 is wider than any integer that a driver sends: as text."""
        numbers = place(position)
        return (str(numbers[0]), *numbers[1:]) if self._numbers_first else numbers


def _marks(count: int) -> str:
    return ", ".join("?" * count)

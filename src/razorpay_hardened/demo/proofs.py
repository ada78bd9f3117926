"""The proofs: statements about both sides' books, each of which can fail.

Pure: in come :class:`Books`, out come :class:`Proof` values. They know nothing of how the library works; they compare
what Razorpay's side says with what the shop did (FAULTS section 2, P1, P3, P4, P5, P9, P12).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from razorpay_hardened.demo.books import Books
from razorpay_hardened.domain.audit import AuditRow, broken_at

__all__ = ["PROOFS", "Proof", "prove"]

_OFFENDERS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Proof:
    """One statement: whether it ``holds``, its ``numbers``, and where it does not, how many things break it
    (``broken``), with up to 20 of them by name (``offenders``)."""

    name: str
    code: str
    statement: str
    holds: bool
    numbers: Mapping[str, int]
    broken: int = 0
    offenders: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "code": self.code,
            "statement": self.statement,
            "holds": self.holds,
            "numbers": dict(self.numbers),
            "broken": self.broken,
            "offenders": list(self.offenders),
        }


def prove(books: Books) -> list[Proof]:
    """Every proof, in a fixed order."""
    return [one(books) for one in PROOFS]


def _proof(name: str, code: str, statement: str, numbers: Mapping[str, int], offenders: Iterable[str]) -> Proof:
    found = tuple(offenders)
    return Proof(name, code, statement, not found, numbers, len(found), found[:_OFFENDERS_SHOWN])


def _paid(books: Books) -> set[str]:
    return {key for key, order in books.orders_there.items() if order["status"] == "paid"}


def _not_once(wanted: Iterable[str], got: Iterable[str]) -> list[str]:
    """What is wanted and not there exactly once, or there and not wanted."""
    expected, counted = Counter(dict.fromkeys(wanted, 1)), Counter(got)
    return [f"{key}: {counted[key]} times" for key in sorted(expected | counted) if expected[key] != counted[key]]


def granted_once(books: Books) -> Proof:
    """P1, for what was bought."""
    paid = _paid(books)
    numbers = {"paid orders": len(paid), "grants": len(books.grants)}
    statement = "every paid order was granted exactly once, and nothing else was"
    return _proof("granted_once", "P1", statement, numbers, _not_once(paid, (order for order, _ in books.grants)))


def booked_once(books: Books) -> Proof:
    """P1, for what was given back."""
    processed = {key for key, refund in books.refunds_there.items() if refund["status"] == "processed"}
    numbers = {"processed refunds": len(processed), "bookings": len(books.bookings)}
    statement = "every processed refund was booked exactly once, and nothing else was"
    return _proof("booked_once", "P1", statement, numbers, _not_once(processed, (key for key, _ in books.bookings)))


def told_once(books: Books) -> Proof:
    """P1, for the world outside the transaction: at least once, and one by its key."""
    wanted = {f"order.paid:{key}" for key in _paid(books)}
    keys = set(books.mails)
    numbers = {"paid orders": len(wanted), "mails by key": len(keys), "mails sent": len(books.mails)}
    statement = "every paid order was mailed about; repeats carry the same key, so the provider sends one"
    return _proof("told_once", "P1", statement, numbers, _not_once(wanted, keys))


_RANKS: Final[Mapping[str, Mapping[str, int]]] = {
    # Written down here a second time on purpose: a proof that shared the law's table could not find it wrong.
    "payment": {"created": 0, "pending": 1, "failed": 2, "authorized": 3, "captured": 4, "refunded": 5},
    "order": {"pending": 0, "outcome_unknown": 1, "remote_failed": 1, "created": 2, "attempted": 3, "paid": 4},
    "refund": {"pending": 0, "processed": 1, "failed": 2},
}


def never_backwards(books: Books) -> Proof:
    """P3."""
    rows = [row for chain in books.audit.values() for row in chain if row.what == "changed"]
    last: dict[tuple[str, str], str | None] = {}
    offenders = []
    for row in rows:
        where = (row.anchor, row.entity_id)
        if _steps_back(row, books) or row.before != last.get(where, row.before):
            offenders.append(f"{row.entity_id}: {row.before} → {row.after}")
        last[where] = row.after
    statement = "no status ever went backwards, and each step begins where the one before it ended"
    return _proof("never_backwards", "P3", statement, {"steps": len(rows)}, offenders)


def _steps_back(row: AuditRow, books: Books) -> bool:
    ranks = _RANKS.get(row.kind, {})
    if ranks.get(row.after or "", -1) >= ranks.get(row.before or "", -1):
        return False
    if row.kind == "order":
        return row.after != "pending"  # asked again, which only an order that Razorpay does not have can be
    failed = any(one.payment_id == row.entity_id and one.status == "failed" for one in books.refunds.values())
    return not (row.kind == "payment" and row.before == "refunded" and failed)


def chain_whole(books: Books) -> Proof:
    """P4."""
    offenders = []
    for anchor in books.anchors:
        broken = broken_at(books.audit[anchor.key], anchor.audit_seq, anchor.audit_head)
        if broken is not None:
            offenders.append(f"{anchor.key}: row {broken}")
    numbers = {"chains": len(books.anchors), "rows": sum(len(chain) for chain in books.audit.values())}
    return _proof(
        "chain_whole", "P4", "every audit chain is whole: no row was changed, lost or added", numbers, offenders
    )


def money_equal(books: Books) -> Proof:
    """P5, for each order and so in total."""
    there, here = _sums_there(books), _sums_here(books)
    offenders = [
        f"{key}: captured − refunded {_pair(there, key)} there, {_pair(here, key)} here"
        for key in sorted(there.keys() | here.keys())
        if there.get(key, (0, 0)) != here.get(key, (0, 0))
    ]
    numbers = {
        "captured there": sum(one for one, _ in there.values()),
        "captured here": sum(one for one, _ in here.values()),
        "refunded there": sum(one for _, one in there.values()),
        "refunded here": sum(one for _, one in here.values()),
    }
    statement = "captured and refunded agree with Razorpay to the paisa, order by order and in total"
    return _proof("money_equal", "P5", statement, numbers, offenders)


def _pair(sums: Mapping[str, tuple[int, int]], key: str) -> str:
    captured, refunded = sums.get(key, (0, 0))
    return f"{captured} − {refunded}"


def _sums_there(books: Books) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for payment in books.payments_there.values():
        if payment["captured"]:  # an uncaptured payment that was given back counts on neither side
            _add(sums, payment["order_id"], payment["amount"], payment["amount_refunded"])
    return sums


def _sums_here(books: Books) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for payment in books.payments.values():
        if payment.captured:
            _add(sums, payment.anchor, payment.amount, payment.refunded)
    return sums


def _add(sums: dict[str, tuple[int, int]], key: str, captured: int, refunded: int) -> None:
    before = sums.get(key, (0, 0))
    sums[key] = (before[0] + captured, before[1] + refunded)


def same_status(books: Books) -> Proof:
    """P5, for what is not money: each object, on both sides."""
    there = {
        key: str(entity["status"])
        for entities in (books.orders_there, books.payments_there, books.refunds_there)
        for key, entity in entities.items()
    }
    here = {one.order_id: one.status for one in books.orders if one.order_id is not None}
    here |= {key: one.status for key, one in books.payments.items()}
    here |= {key: one.status for key, one in books.refunds.items()}
    offenders = [
        f"{key}: {there.get(key, 'nothing')} there, {here.get(key, 'nothing')} here"
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key)
    ]
    numbers = {"objects there": len(there), "objects here": len(here)}
    statement = "every order, payment and refund is on both sides, with the same status"
    return _proof("same_status", "P5", statement, numbers, offenders)


def nothing_waits(books: Books) -> Proof:
    """P9."""
    offenders = [f"{row.key} → {row.handler}: {row.state}" for row in books.effects if row.state != "done"]
    offenders += [f"{row.event} {row.anchor}: {row.state}" for row in books.deliveries if row.state not in _SETTLED]
    offenders += [f"{one.key}: refund {one.state}" for one in books.intents if one.state == "open"]
    offenders += [f"{one.local_id}: order {one.status}" for one in books.orders if one.status in _UNSETTLED]
    numbers = {"effects": len(books.effects), "events": len(books.deliveries), "refund intents": len(books.intents)}
    return _proof("nothing_waits", "P9", "nothing is pending, leased, parked, dead or in doubt", numbers, offenders)


_SETTLED: Final = ("done", "ignored")
_UNSETTLED: Final = ("pending", "outcome_unknown")


def one_movement(books: Books) -> Proof:
    """P12, for refunds: as many at Razorpay as somebody wanted, and each of the amount that was wanted."""
    asked = {
        key: refund["amount"]
        for key, refund in books.refunds_there.items()
        if key not in books.dashboard and books.payments_there[refund["payment_id"]]["captured"]
    }
    wanted = [one for one in books.intents if one.state == "bound" and one.refund_id is not None]
    offenders = _not_once(asked, (str(one.refund_id) for one in wanted))
    offenders += [
        f"{one.key}: another amount" for one in wanted if asked.get(str(one.refund_id), one.amount) != one.amount
    ]
    numbers = {"refunds by our code": len(asked), "intents": len(wanted), "by hand": len(books.dashboard)}
    statement = "one refund at Razorpay for each one intended, never two"
    return _proof("one_movement", "P12", statement, numbers, offenders)


def one_order(books: Books) -> Proof:
    """P12, for purchases: however often Buy was clicked or the shop died, one order can be paid."""
    by_receipt: Counter[str] = Counter(str(order["receipt"]) for order in books.orders_there.values())
    offenders = [f"{receipt}: {count} orders" for receipt, count in sorted(by_receipt.items()) if count > 1]
    known = {order.order_id for order in books.orders}
    offenders += [f"{key}: not in our books" for key in sorted(books.orders_there.keys() - known)]
    numbers = {"orders there": len(books.orders_there), "purchases": len(by_receipt)}
    return _proof(
        "one_order", "P12", "one order at Razorpay for each purchase, and we know all of them", numbers, offenders
    )


PROOFS: Final[tuple[Callable[[Books], Proof], ...]] = (
    granted_once,
    booked_once,
    told_once,
    never_backwards,
    chain_whole,
    money_equal,
    same_status,
    nothing_waits,
    one_movement,
    one_order,
)

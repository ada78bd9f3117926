"""The walk over what is old: bounded batches, each a transaction of its own, going on where the last one ended.

Each class of data has a mark in the store: how far the walk has come. What has to be left on the way (a legal hold,
something still to be done, news that is too fresh) gets a mark of its own and is looked at again at the next run, so
that no run begins at the start and nothing is forgotten behind it.

A dry run takes the same steps in the same transactions, and rolls each of them back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from razorpay_hardened.clock import Clock
from razorpay_hardened.domain.privacy import ids_in
from razorpay_hardened.errors import ConfigError, FieldInvalid, OrderUnknown
from razorpay_hardened.ports.store import After, EffectRow, Hold, InboxRow, Mark, Partitioned, Store, Transaction
from razorpay_hardened.ports.unit import transact
from razorpay_hardened.retention.about import held_anchors, held_bodies
from razorpay_hardened.retention.matter import Key, Told, erase_matters, key_of
from razorpay_hardened.retention.policy import RetentionPolicy

__all__ = ["Counts", "Erased", "Report", "Retention"]

T = TypeVar("T")

_MATTERS: Final = 50
"""Matters in one transaction: as many anchors are locked for its length, and deliveries about them wait."""
_BODIES: Final = 200
_CLOSED: Final = frozenset({"done", "ignored", "dead"})
_TEXT_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Counts:
    """One class of data: ``erased`` rows, and rows that were left: under a legal hold, because something is still to be
    done, or because something about them changed too lately."""

    erased: int = 0
    held: int = 0
    open: int = 0
    fresh: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did, or would do (``dry``). ``complete`` is false where ``limit`` ended it: run it again."""

    dry: bool
    complete: bool
    cutoffs: Mapping[str, datetime | None]
    counts: Mapping[str, Counts]

    @property
    def erased(self) -> int:
        """Rows erased, of all classes."""
        return sum(one.erased for one in self.counts.values())


@dataclass(frozen=True, slots=True)
class Erased:
    """What forgetting somebody came to. ``held`` and ``open`` are the orders (payments, where there is no order) and
    digests that were left, and why: a legal hold, or something that is still to be done."""

    rows: int = 0
    bodies: int = 0
    errors: int = 0
    held: tuple[str, ...] = ()
    open: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing was left."""
        return not self.held and not self.open


class Retention:
    """``rzp.retention``: plan, apply, hold, release, erase."""

    def __init__(self, store: Store, *, clock: Clock, policy: RetentionPolicy | None = None) -> None:
        self._store = store
        self._clock = clock
        self.policy = policy or RetentionPolicy()

    # --- by age

    def plan(self, *, limit: int | None = None) -> Report:
        """What :meth:`apply` would erase now. Nothing is written."""
        return _Walk(self._store, self._clock.now(), self.policy, dry=True, limit=limit).run()

    def apply(self, *, limit: int | None = None) -> Report:
        """Erase what the policy says is due. ``limit`` ends it after about so many rows looked at; it goes on there.

        Call it daily, from a scheduler, at a quiet hour; stop and repeat it as you like. Raises :class:`StorageError`.
        """
        return _Walk(self._store, self._clock.now(), self.policy, dry=False, limit=limit).run()

    # --- legal holds

    def hold(self, subject: str, *, actor: str, note: str | None = None) -> Hold:
        """Leave everything about ``subject`` alone, from now on: an order's or a payment's id, or an owner.

        It covers the whole order with its payments, refunds and deliveries, and what is still to come. What was erased
        before stays erased.
        """
        hold = Hold(_said(subject, "a subject"), self._clock.now(), _said(actor, "an actor"), _note(note))
        transact(self._store, lambda tx: tx.put_hold(hold), durable=True)
        return hold

    def release(self, subject: str) -> bool:
        """Take a hold away; the next :meth:`apply` erases what is due. False: there was none."""
        return transact(self._store, lambda tx: tx.drop_hold(subject), durable=True)

    def holds(self) -> list[Hold]:
        """All legal holds, in order of subject."""
        found: list[Hold] = []
        while page := self._store.holds(after=found[-1].subject if found else "", limit=1000):
            found += page
        return found

    # --- a person's right

    def erase(self, *, owner: str | None = None, payment: str | None = None, order: str | None = None) -> Erased:
        """Forget somebody now, whatever the age: an owner with all orders, or one order or payment.

        Legal holds stand, and what is still to be done is left (see ``open``): call it again later. It looks through
        all bodies that are still kept, a page at a time. Raises :class:`OrderUnknown` where nothing is on record.
        """
        if sum(one is not None for one in (owner, payment, order)) != 1:
            raise FieldInvalid("erase takes one of: owner, payment, order")
        walk = _Walk(self._store, self._clock.now(), self.policy, dry=False, limit=None)
        keys = list(self._keys(owner, payment, order))
        if not keys:
            raise OrderUnknown("nothing is on record about this")
        return walk.forget(keys)

    def _keys(self, owner: str | None, payment: str | None, order: str | None) -> Iterator[Key]:
        if owner is not None:
            after: After | None = None
            while page := self._store.orders(owner=owner, after=after, limit=1000):
                yield from map(key_of, page)
                after = (page[-1].created_at, page[-1].local_id)
            return
        anchor = order
        if payment is not None:
            row = self._store.payment(payment)
            anchor = None if row is None else row.anchor
        if anchor is None:
            return
        held = self._store.order(anchor)
        if held is not None:
            yield key_of(held)
        elif payment is not None:
            yield Key(anchor)


class _DryRun(Exception):
    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


@dataclass(slots=True)
class _Tally:
    """The counts of one class while they grow."""

    counts: Counter[str] = field(default_factory=Counter)

    def frozen(self) -> Counts:
        return Counts(*(self.counts[name] for name in ("erased", "held", "open", "fresh")))


class _Walk:
    """One run."""

    def __init__(self, store: Store, now: datetime, policy: RetentionPolicy, *, dry: bool, limit: int | None) -> None:
        self._store = store
        self._now = now
        self._policy = policy
        self._dry = dry
        self._left = limit
        self._tallies: dict[str, _Tally] = {}

    def run(self) -> Report:
        names = ("bodies", "snapshots", "errors", "deliveries", "audit")
        cutoffs = {name: self._policy.cutoff(name, self._now) for name in names}
        steps: dict[str, Callable[[datetime], None]] = {
            "bodies": self._bodies,
            "snapshots": self._snapshots,
            "errors": self._errors,
            "deliveries": self._deliveries,
            "audit": self._audit,
        }
        self._make_months()
        for name, cutoff in cutoffs.items():
            self._tallies[name] = _Tally()
            if cutoff is not None:
                steps[name](cutoff)
        counts = {name: tally.frozen() for name, tally in self._tallies.items()}
        return Report(self._dry, self._going, cutoffs, counts)

    @property
    def _going(self) -> bool:
        return self._left is None or self._left > 0

    def _spend(self, rows: int) -> None:
        if self._left is not None:
            self._left -= rows

    def _transact(self, work: Callable[[Transaction], T]) -> T:
        def rolled_back(tx: Transaction) -> T:
            raise _DryRun(work(tx))

        if not self._dry:
            return transact(self._store, work, durable=True)
        try:
            return transact(self._store, rolled_back, durable=True)
        except _DryRun as done:
            result: T = done.result
            return result

    # --- marks

    def _upto(self, name: str) -> tuple[str, int]:
        """Where a class goes on, and what was erased of it so far."""
        found = self._transact(lambda tx: tx.marks(name, limit=1))
        return (found[0].upto, found[0].count) if found and found[0].name == name else ("", 0)

    def _leftovers(self, name: str) -> Iterator[list[Mark]]:
        """What earlier runs had to leave, a page at a time."""
        prefix, after = f"left:{name}:", ""
        size = _MATTERS

        def page(tx: Transaction) -> list[Mark]:
            return tx.marks(prefix, after=after, limit=size)

        while self._going and (marks := self._transact(page)):
            after = marks[-1].name
            self._spend(len(marks))
            yield marks

    def _leave(self, tx: Transaction, name: str, id: str) -> None:
        tx.put_mark(Mark(f"left:{name}:{id}", id, self._now))

    # --- bodies, and rows of deliveries

    def _bodies(self, cutoff: datetime) -> None:
        self._inbox("bodies", cutoff, lambda tx, rows: tx.erase_bodies(rows, self._now))

    def _deliveries(self, cutoff: datetime) -> None:
        by_row = self._months("deliveries", "inbox", cutoff)
        if by_row is not None:
            self._inbox("deliveries", by_row, lambda tx, rows: tx.drop_deliveries(rows))
        if isinstance(self._store, Partitioned) and not self._dry:
            while self._going and (gone := self._store.forget_digests(cutoff, limit=_BODIES)):
                self._spend(gone)

    # --- months, where the store keeps them apart

    def _make_months(self) -> None:
        """Once there are months, there are some ahead."""
        store = self._store
        if isinstance(store, Partitioned) and not self._dry and any(store.months(kind) for kind in ("inbox", "audit")):
            store.make_months(self._now)

    def _audit(self, cutoff: datetime) -> None:
        if not isinstance(self._store, Partitioned):
            raise ConfigError("retention: audit is dropped by the month, which only PostgreSQL keeps apart: say None")
        self._months("audit", "audit", cutoff)

    def _months(self, name: str, kind: str, cutoff: datetime) -> datetime | None:
        """Drop the months that are over, the oldest first. Gives up to where rows have to go one by one, if any: in
        months that have to stay, and before the first month."""
        store = self._store
        months = store.months(kind) if isinstance(store, Partitioned) else []
        if not isinstance(store, Partitioned) or not months:
            return cutoff
        by_row = min(cutoff, months[0].begins)
        for month in months:
            if month.ends > cutoff or not self._going:
                break
            rows = store.drop_month(month, dry=self._dry)
            if rows is not None:
                self._tallies[name].counts["erased"] += rows
                self._spend(max(1, rows))
            elif kind == "audit":
                self._tallies[name].counts["open"] += 1
                break  # a trail is cut from its beginning, or not at all
            else:
                by_row = month.ends
        return by_row

    def _inbox(self, name: str, cutoff: datetime, erase: Callable[[Transaction, list[InboxRow]], int]) -> None:
        for marks in self._leftovers(name):
            found = [self._store.delivery(mark.upto) for mark in marks]
            rows = [row for row in found if row is not None]
            gone = [mark.upto for mark, row in zip(marks, found, strict=True) if row is None]
            self._inbox_batch(name, rows, erase, gone=gone)
        upto, erased = self._upto(name)
        place = int(upto or 0)
        while self._going and (page := self._store.received(after=place, limit=_BODIES)):
            due = [(pos, row) for pos, row in page if row.received_at < cutoff]
            # Rows come in the order of their positions, and that is the order of time but for a few that commit late.
            if not due:
                return
            place = due[-1][0]
            erased = self._inbox_batch(name, [row for _, row in due], erase, mark=(place, erased))
            self._spend(len(page))
            if len(due) < len(page):
                return

    def _inbox_batch(
        self,
        name: str,
        rows: Sequence[InboxRow],
        erase: Callable[[Transaction, list[InboxRow]], int],
        *,
        gone: Iterable[str] = (),
        mark: tuple[int, int] | None = None,
    ) -> int:
        """One transaction: judge, erase, leave, and say how far it has come. Gives what was erased of the class."""

        def work(tx: Transaction) -> tuple[Counter[str], int]:
            counts: Counter[str] = Counter()
            due: list[InboxRow] = []
            held = held_bodies(tx, rows)
            for row in rows:
                if name == "bodies" and row.erased_at is not None:
                    tx.drop_mark(f"left:{name}:{row.digest}")
                elif row.state not in _CLOSED or row.digest in held:
                    counts["open" if row.state not in _CLOSED else "held"] += 1
                    self._leave(tx, name, row.digest)
                else:
                    due.append(row)
            counts["erased"] = erase(tx, due)
            for digest in (*gone, *(row.digest for row in due)):
                tx.drop_mark(f"left:{name}:{digest}")
            total = counts["erased"]
            if mark is not None:
                total += mark[1]
                tx.put_mark(Mark(name, str(mark[0]), self._now, total))
            return counts, total

        counts, total = self._transact(work)
        self._tallies[name].counts += counts
        return total

    # --- snapshots

    def _snapshots(self, cutoff: datetime) -> None:
        for marks in self._leftovers("snapshots"):
            self._matters([self._key(mark.upto) for mark in marks], cutoff)
        for kind in ("orders", "payments", "entities"):
            self._snapshots_of(kind, cutoff)

    def _snapshots_of(self, kind: str, cutoff: datetime) -> None:
        """Orders bring their payments along, and what else hangs on them; the others by themselves are for those that
        no order of ours brings."""
        mark = f"snapshots:{kind}"
        upto, erased = self._upto(mark)
        after = _place(upto)
        while self._going:
            keys, last = self._page(kind, cutoff, after)
            if last is None:
                return
            after = last
            erased += self._matters(keys, cutoff, Mark(mark, _text(last), self._now, erased))
            self._spend(_MATTERS)

    def _page(self, kind: str, cutoff: datetime, after: After | None) -> tuple[list[Key], After | None]:
        """The matters of the next rows made before ``cutoff``; those that are erased already are passed by."""
        if kind == "orders":
            orders = self._store.orders(until=cutoff, after=after, limit=_MATTERS)
            last = (orders[-1].created_at, orders[-1].local_id) if orders else None
            return [key_of(row) for row in orders if row.erased_at is None], last
        if kind == "payments":
            payments = self._store.payments(until=cutoff, after=after, limit=_MATTERS)
            last = (payments[-1].created_at, payments[-1].payment_id) if payments else None
            anchors = dict.fromkeys(row.anchor for row in payments if row.erased_at is None)
        else:
            entities = self._store.entities(until=cutoff, after=after, limit=_MATTERS)
            last = (entities[-1].created_at, entities[-1].entity_id) if entities else None
            anchors = dict.fromkeys(row.anchor for row in entities if row.erased_at is None)
        orders_of = {anchor: self._store.order(anchor) for anchor in anchors}
        # One that was paid again after it was erased has gone by already: its new payment brings it here.
        alone = (anchor for anchor, row in orders_of.items() if row is None or row.erased_at is not None)
        return [self._key(anchor) for anchor in alone], last

    def _key(self, anchor: str) -> Key:
        order = self._store.order(anchor)
        return Key(anchor) if order is None else key_of(order)

    def _matters(self, keys: Sequence[Key], cutoff: datetime | None, mark: Mark | None = None) -> int:
        """One transaction over these matters. Gives the rows erased."""

        def work(tx: Transaction) -> list[Told]:
            told = erase_matters(tx, keys, cutoff, self._now) if keys else []
            for one in told:
                if one.verdict in ("fresh", "open", "held"):
                    self._leave(tx, "snapshots", one.key.anchor)
                else:
                    tx.drop_mark(f"left:snapshots:{one.key.anchor}")
            if mark is not None:
                rows = sum(one.rows for one in told)
                tx.put_mark(Mark(mark.name, mark.upto, mark.at, mark.count + rows))
            return told

        counts = self._tallies["snapshots"].counts
        erased = 0
        for one in self._transact(work):
            erased += one.rows
            if one.verdict == "erased":
                counts["erased"] += one.rows
            elif one.verdict != "already":
                counts[one.verdict] += 1
        return erased

    # --- what handlers' errors said

    def _errors(self, cutoff: datetime) -> None:
        after = 0
        while self._going and (page := self._store.effects(states=("dead",), after_id=after, limit=_BODIES)):
            after = page[-1].id
            self._shorten([row for row in page if row.at < cutoff and _is_long(row)])
            self._spend(len(page))

    def _shorten(self, rows: Sequence[EffectRow]) -> int:
        if not rows:
            return 0

        def work(tx: Transaction) -> Counter[str]:
            held = held_anchors(tx, {row.anchor for row in rows})
            due = [row for row in rows if row.anchor not in held]
            erased = sum(tx.shorten_error(row, _class_of(row.error)) for row in due)
            return Counter(erased=erased, held=len(rows) - len(due))

        counts = self._transact(work)
        self._tallies.setdefault("errors", _Tally()).counts += counts
        return counts["erased"]

    # --- forgetting somebody

    def forget(self, keys: Sequence[Key]) -> Erased:
        self._tallies["snapshots"] = _Tally()
        rows = 0
        left: dict[str, str] = {}
        names: set[str] = set()
        for start in range(0, len(keys), _MATTERS):
            part = keys[start : start + _MATTERS]
            told = self._transact(lambda tx, part=part: erase_matters(tx, part, None, self._now))  # type: ignore[misc]
            rows += sum(one.rows for one in told)
            left |= {one.key.anchor: one.verdict for one in told if one.verdict in ("held", "open")}
            for one in told:
                if one.verdict in ("erased", "already"):
                    names |= one.names
        bodies, open_bodies, held_bodies = self._forget_bodies(names)
        errors = self._forget_errors({key.anchor for key in keys} - left.keys())
        held = sorted(name for name, why in left.items() if why == "held") + held_bodies
        return Erased(
            rows, bodies, errors, tuple(held), tuple(sorted(n for n, w in left.items() if w == "open") + open_bodies)
        )

    def _forget_bodies(self, names: set[str]) -> tuple[int, list[str], list[str]]:
        erased, open_, held = 0, [], []
        for rows in self._bodies_kept():
            about = [row for row in rows if ids_in(row.body) & names]
            if not about:
                continue

            def work(tx: Transaction, about: list[InboxRow] = about) -> tuple[int, set[str]]:
                on_hold = held_bodies(tx, about)
                due = [row for row in about if row.state in _CLOSED and row.digest not in on_hold]
                return tx.erase_bodies(due, self._now), on_hold

            count, on_hold = self._transact(work)
            erased += count
            held += sorted(on_hold)
            open_ += [row.digest for row in about if row.state not in _CLOSED and row.digest not in on_hold]
        return erased, open_, held

    def _bodies_kept(self) -> Iterator[list[InboxRow]]:
        """All deliveries whose bodies are still here: what was left behind, then what the walk has not reached."""
        for marks in self._leftovers("bodies"):
            found = (self._store.delivery(mark.upto) for mark in marks)
            yield [row for row in found if row is not None and row.body]
        place = int(self._upto("bodies")[0] or 0)
        while page := self._store.received(after=place, limit=_BODIES):
            place = page[-1][0]
            yield [row for _, row in page if row.body]

    def _forget_errors(self, anchors: Iterable[str]) -> int:
        erased = 0
        for anchor in sorted(anchors):
            after = 0
            while page := self._store.effects(states=("dead",), anchor=anchor, after_id=after, limit=_BODIES):
                after = page[-1].id
                erased += self._shorten([row for row in page if _is_long(row)])
        return erased


# --- small things


def _is_long(row: EffectRow) -> bool:
    return row.error is not None and row.error != _class_of(row.error)


def _class_of(error: str | None) -> str:
    """An exception's class: what it said may quote a person."""
    return (error or "").partition(":")[0]


def _text(place: After) -> str:
    return f"{place[0].isoformat()} {place[1]}"


def _place(text: str) -> After | None:
    if not text:
        return None
    moment, _, name = text.partition(" ")
    return datetime.fromisoformat(moment), name


def _said(text: object, what: str) -> str:
    if not isinstance(text, str) or not text.strip() or len(text) > _TEXT_MAX:
        raise FieldInvalid(f"{what} is 1 to {_TEXT_MAX} characters of text")
    return text


def _note(text: str | None) -> str | None:
    return None if text is None else _said(text, "a note")

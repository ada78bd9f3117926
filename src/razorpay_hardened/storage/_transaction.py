"""The port's transaction over one DB-API connection, for any dialect. Beginning and ending it is the store's work.

Our own statements run on a cursor of their own, and an error in one becomes an error of the store; what the
application runs through :meth:`SqlTransaction.execute` keeps the driver's errors, for the application to handle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from razorpay_hardened.domain.state import RefundIntent
from razorpay_hardened.errors import EventUnknown, StorageConflict, StorageError, StorageUnavailable, TransactionMisuse
from razorpay_hardened.ports.store import (
    Batch,
    Claim,
    Delivery,
    EffectRow,
    EffectState,
    Finding,
    Held,
    InboxRow,
    InboxState,
    NewEffect,
    Run,
    Touches,
)
from razorpay_hardened.storage._keeping import KeepingTransaction
from razorpay_hardened.storage._rows import Row, Rows, storable
from razorpay_hardened.storage._sealing import Sealing
from razorpay_hardened.storage._statements import Saving, Statements, blocks, many, several

__all__ = ["Driver", "SqlTransaction", "cause_of", "run_theirs"]

T = TypeVar("T")

_CHUNK = 500  # keys in one IN list: far below every database's limit, and few different texts to prepare


class Driver(NamedTuple):
    """What a transaction must know of the database beneath it.

    ``errors`` are the driver's own; ``translate`` makes one of ours of one of them; ``ended`` says whether the
    application has ended the transaction, or tried to; ``spoiled`` whether an error in it makes the database refuse
    everything until something is rolled back.
    """

    statements: Statements
    rows: Rows
    errors: type[Exception]
    translate: Callable[[Exception], StorageError]
    ended: Callable[[], bool]
    spoiled: Callable[[], bool] = lambda: False


def run_theirs(connection: Any, sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> Any:
    """Run the application's SQL. Without parameters it is not looked at for placeholders: ``LIKE 'a%'`` is right."""
    return connection.execute(sql, parameters) if parameters else connection.execute(sql)


def cause_of(error: BaseException | None, kinds: type[Exception]) -> Exception | None:
    """The first of ``kinds`` on the way from ``error`` to its cause: ORMs wrap the driver's errors in their own."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, kinds):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def _first_seen(delivery: Delivery) -> datetime:
    created, received = delivery.created_at, delivery.received_at
    return received if created is None or created > received else created


def _distinct(effects: Sequence[NewEffect]) -> Iterable[NewEffect]:
    """Each (key, handler) once, the first of them: what the database does with the rest."""
    once: dict[tuple[str, str], NewEffect] = {}
    for effect in effects:
        once.setdefault((effect.key, effect.handler), effect)
    return once.values()


class _Over:
    """Stands in for the connection of a transaction that has ended, so that nothing runs outside of one."""

    def __getattr__(self, name: str) -> Any:
        raise TransactionMisuse("this transaction is over")


class SqlTransaction(Sealing, KeepingTransaction):
    """See :class:`razorpay_hardened.ports.store.Transaction`."""

    def __init__(self, connection: Any, cursor: Any, driver: Driver) -> None:
        self._connection = connection
        self._cursor = cursor
        self._driver = driver
        self._sql, self._rows = driver.statements, driver.rows
        self._depth = 0
        self._known: dict[str, Any] = {}
        """id → the indexed columns of its row, for the rows that were loaded: see :class:`Saving`."""

    @property
    def connection(self) -> Any:
        """The DB-API connection that this transaction runs on."""
        self._ready()
        return self._connection

    def _ready(self) -> None:
        """Called before every statement, for a store that has put something off to send it along."""

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
        """Run the application's own SQL; the driver's errors pass through.

        Raises :class:`TransactionMisuse` once the application has ended the transaction: it would commit by itself.
        """
        connection = self.connection
        self.refuse_if_ended()
        return run_theirs(connection, sql, parameters)

    def end(self) -> None:
        """Make this transaction unusable. For the store, once it has committed or rolled back."""
        self._connection = self._cursor = _Over()

    # --- running our own statements

    def _run(self, sql: str, parameters: Row = ()) -> int:
        self._ready()
        try:
            count: int = self._cursor.execute(sql, storable(parameters)).rowcount
        except self._driver.errors as error:
            raise self._driver.translate(error) from error
        return count

    def _all(self, sql: str, parameters: Row = ()) -> list[Any]:
        self._ready()
        # Always to the end: a cursor left half read keeps its statement, and COMMIT refuses to pass it.
        try:
            rows: list[Any] = self._cursor.execute(sql, storable(parameters)).fetchall()
        except self._driver.errors as error:
            raise self._driver.translate(error) from error
        return rows

    def _put(self, sql: str, make: Callable[[T], Row], values: Sequence[T]) -> int:
        """Run a statement for each of ``values``; gives how many rows it touched."""
        if len(values) == 1:
            return self._run(sql, make(values[0]))
        count = 0
        if values:
            self._ready()
            try:
                self._cursor.executemany(sql, [storable(make(value)) for value in values])
                count = self._cursor.rowcount
            except self._driver.errors as error:
                raise self._driver.translate(error) from error
        return count

    def _by_keys(self, sql: str, keys: Sequence[str]) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(keys), _CHUNK):
            part = keys[start : start + _CHUNK]
            found += self._all(many(sql, len(part), self._sql.placeholder), tuple(part))
        return found

    # --- savepoints

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that can be undone alone: rolled back if its block raises.

        Raises :class:`TransactionMisuse` when the block ended the transaction itself: our savepoint is gone with it,
        even if the block began another. Raises :class:`StorageConflict` when the block's own SQL met another
        transaction (a deadlock, a serialization failure): what it read is out of date, and the whole must be run again.
        """
        self._depth += 1
        name = f"razorpay_{self._depth}"
        try:
            self._run("SAVEPOINT " + name)
            try:
                yield
            except BaseException as error:
                conflict = self._conflict_in(error)
                if conflict is not None:
                    raise conflict from error
                self._undo(name, error)
                raise
            self.refuse_if_ended()
            try:
                self.refuse_if_spoiled()
            except StorageError as error:
                self._undo(name, error)
                raise
            self._run("RELEASE SAVEPOINT " + name)
        finally:
            self._depth -= 1

    def _conflict_in(self, error: BaseException) -> StorageConflict | None:
        """Ours for a conflict that the application's SQL met on this connection, however its ORM has wrapped it."""
        if not self._driver.spoiled():
            return None  # it was met elsewhere, or the application has dealt with it
        found = cause_of(error, self._driver.errors)
        conflict = None if found is None else self._driver.translate(found)
        return conflict if isinstance(conflict, StorageConflict) else None

    def _undo(self, name: str, error: BaseException) -> None:
        self.refuse_if_ended(error)
        self._run("ROLLBACK TO SAVEPOINT " + name)
        self._run("RELEASE SAVEPOINT " + name)
        self._undone()

    def _undone(self) -> None:
        """Called after a savepoint was rolled back, for a store that remembers what it read."""

    def refuse_if_ended(self, error: BaseException | None = None) -> None:
        """Raise if the transaction is no longer ours. A full disk ends it too, and that is nobody's misuse."""
        if not self._driver.ended():
            return
        if isinstance(error, StorageError):
            raise error
        if isinstance(error, self._driver.errors):
            cause = self._driver.translate(error)
            if isinstance(cause, StorageUnavailable):
                raise cause from error
        raise TransactionMisuse(
            "a handler tried to commit or roll back the transaction that it runs in: use tx.savepoint() instead"
        ) from error

    def refuse_if_spoiled(self) -> None:
        """Raise if the block has swallowed an error after which the database refuses everything, COMMIT too."""
        if self._driver.spoiled():
            raise StorageError("an error of the database was swallowed: put what may fail into a savepoint of its own")

    # --- inbox

    def claim(self, delivery: Delivery, ahead: Touches) -> Claim:
        """Insert the delivery as ``done``, or find it. ``ahead`` is not used here: the database is close by."""
        row = self._sql.claiming(self._rows.of_delivery(delivery))
        if self._run(self._sql.claim, row) == 1:
            return Claim("new", _first_seen(delivery), conflict=self._conflict(delivery))
        return self._claimed(delivery)

    def claim_many(self, deliveries: Sequence[Delivery]) -> list[Claim]:
        """:meth:`claim` for each, in sorted order of digests; the answers are in the order given."""
        if not deliveries:
            return []
        ordered = sorted(deliveries, key=lambda one: one.digest)
        rows = [storable(self._rows.of_delivery(delivery)) for delivery in ordered]
        if self._sql.claims_columns:
            # digest, body, event, event id, received, created: a list of each
            columns = tuple(list(column) for column in zip(*((*row[:4], *row[5:7]) for row in rows), strict=True))
            fresh = {found[0] for found in self._all(self._sql.claim_several, columns)}
        else:
            fresh = {found[0] for found in self._insert_several(self._sql.claim_several, rows)}
        known = tuple({delivery.event_id for delivery in deliveries if delivery.event_id is not None})
        bodies: dict[str, set[str]] = {}
        for event_id, digest in self._by_keys(self._sql.same_event_ids, known):
            bodies.setdefault(event_id, set()).add(digest)
        return [
            Claim("new", _first_seen(one), conflict=bool(bodies.get(one.event_id or "", set()) - {one.digest}))
            if one.digest in fresh
            else self._claimed(one)
            for one in deliveries
        ]

    def _insert_several(self, one_row: str, rows: Sequence[Row]) -> list[Any]:
        """Insert rows, several in one statement; gives what it returns, in no order."""
        if len(rows) == 1:
            return self._all(one_row, rows[0])
        found: list[Any] = []
        for block in blocks(rows):
            found += self._all(several(one_row, len(block)), tuple(chain.from_iterable(block)))
        return found

    def _claimed(self, delivery: Delivery) -> Claim:
        found = self._all(self._sql.claimed, (delivery.digest,))
        if not found:  # the twin's row was pruned between our two statements: let the sender try again
            raise StorageUnavailable("the delivery's row was there and is gone: try again")
        state, received, created, attempts, anchor = found[0]
        first = received if created is None else min(received, created)
        return Claim(state, self._rows.moment(first), attempts, anchor, self._conflict(delivery))

    def _conflict(self, delivery: Delivery) -> bool:
        if delivery.event_id is None:
            return False
        return bool(self._all(self._sql.same_event_id, (delivery.event_id, delivery.digest)))

    def settle(
        self, digest: str, state: InboxState, at: datetime, *, anchor: str | None = None, reason: str | None = None
    ) -> None:
        """Give a claimed delivery another state. Raises :class:`EventUnknown` for a digest that was never claimed."""
        if self._run(self._sql.settle, (state, self._rows.time(at), anchor, reason, digest)) != 1:
            raise EventUnknown(f"no delivery with digest {digest} is on record")

    def parked(self, anchors: Sequence[str]) -> list[InboxRow]:
        """Deliveries parked under these anchors, oldest first, locked; rows that another holds are left out."""
        rows = [self._rows.delivery(row) for row in self._by_keys(self._sql.parked, anchors)]
        if len(anchors) > _CHUNK:
            rows.sort(key=lambda row: (row.received_at, row.digest))
        return rows

    # --- state

    def anchors_of(self, payments: Iterable[str]) -> dict[str, str]:
        """Payment id → its anchor, for the payments that are known."""
        return dict(self._by_keys(self._sql.anchors_of, tuple(payments)))

    def load(self, touches: Touches) -> Held:
        """Lock and update the anchors in sorted order, then read the rows."""
        rows, sql, held = self._rows, self._sql, Held()
        locked = self._insert_several(sql.lock_anchor, [(key,) for key in sorted(touches.anchors)])
        for row in sorted(locked):
            held.anchors[row[0]] = rows.anchor(row)
            self._known[row[0]] = sql.anchor.fixed(row)
        # An anchor may be a payment, a delivery or another entity, too: nothing of those is an order's id.
        found = self._by_keys(sql.orders_by_anchor, [key for key in touches.anchors if key.startswith("order_")])
        found += self._by_keys(sql.orders_by_local_id, touches.local_ids)
        held.orders = self._held(found, sql.order, rows.order)
        held.payments = self._held(self._by_keys(sql.payments, touches.payments), sql.payment, rows.payment)
        held.refunds = self._held(self._by_keys(sql.refunds, touches.refunds), sql.refund, rows.refund)
        held.entities = self._held(self._by_keys(sql.entities, touches.entities), sql.entity, rows.entity)
        held.fired = {row[0] for row in self._by_keys(sql.fired, touches.milestones)}
        held.waiting = [rows.effect(row) for row in self._by_keys(sql.waiting, touches.anchors)]
        if len(touches.anchors) > _CHUNK:
            held.waiting.sort(key=lambda effect: effect.id)
        return held

    def _held(self, found: list[Any], saving: Saving, value: Callable[[Row], T]) -> dict[str, T]:
        for row in found:
            self._known[row[0]] = saving.fixed(row)
        return {row[0]: value(row) for row in found}

    def write(self, batch: Batch, *, told: bool = True) -> list[EffectRow]:
        """Write the batch; gives the effects that are new, in order."""
        rows, sql = self._rows, self._sql
        self._save(sql.anchor, map(rows.of_anchor, batch.anchors))
        self._save(sql.order, map(rows.of_order, batch.orders))
        self._save(sql.payment, map(rows.of_payment, batch.payments))
        self._save(sql.refund, map(rows.of_refund, batch.refunds))
        self._save(sql.entity, map(rows.of_entity, batch.entities))
        self._put(sql.put_fired, rows.of_fired, batch.fired)
        self._put(sql.put_audit, rows.of_audit, batch.audit)
        inserted = self._insert_several(sql.put_effect, list(map(rows.of_effect, batch.effects)))
        ids = {(key, handler): id_ for id_, key, handler in inserted}
        new = [effect for effect in batch.effects if (effect.key, effect.handler) in ids]
        return [rows.new_effect(ids.pop((effect.key, effect.handler)), effect) for effect in _distinct(new)]

    def _save(self, saving: Saving, rows: Iterable[Row]) -> None:
        changed: list[Row] = []
        put: list[Row] = []
        for row in rows:
            (changed if self._known.get(row[0]) == saving.fixed(row) else put).append(row)
        # Fewer rows than that changed: what we had loaded was undone by a savepoint since.
        if changed and self._put(saving.change, saving.changing, changed) != len(changed):
            put += changed
        self._put(saving.put, tuple, put)

    # --- effects

    def finish_effect(
        self,
        row: EffectRow,
        state: EffectState,
        *,
        attempts: int,
        due_at: datetime,
        error: str | None = None,
        token: str | None = None,
    ) -> bool:
        """Record an attempt. With ``token``, only if the lease is still ours: False means somebody else has it."""
        values = (state, attempts, self._rows.time(due_at), error, row.id)
        if token is None:
            return self._run(self._sql.finish_effect, values) == 1
        return self._run(self._sql.finish_leased, (*values, token)) == 1

    def lease_effects(
        self,
        now: datetime,
        until: datetime,
        token: str,
        *,
        handlers: Sequence[str],
        limit: int,
        anchor: str | None = None,
    ) -> list[EffectRow]:
        """Take due ``after`` effects, longest due first: the head of each (anchor, handler). In order of id."""
        if not handlers:
            return []
        time = self._rows.time(now)
        sql = self._sql.lease if anchor is None else self._sql.lease_of_anchor
        values: list[Any] = [time, time, *handlers]
        if anchor is not None:
            values.append(anchor)
        values += [limit, token, self._rows.time(until)]
        taken = self._all(many(sql, len(handlers), self._sql.placeholder), values)
        return sorted((self._rows.effect(row) for row in taken), key=lambda effect: effect.id)

    # --- refunds that we ask for

    def intents(self, payment_id: str) -> list[RefundIntent]:
        """All refund intents of a payment, oldest first."""
        return [self._rows.intent(row) for row in self._all(self._sql.intents, (payment_id,))]

    def put_intent(self, intent: RefundIntent) -> None:
        """Insert or replace by key."""
        self._run(self._sql.put_intent, self._rows.of_intent(intent))

    # --- reconciliation

    def put_run(self, run: Run) -> None:
        """Insert or replace by id."""
        self._run(self._sql.put_run, self._rows.of_run(run))

    def put_findings(self, findings: Sequence[Finding]) -> None:
        """Insert or replace by (run, kind, entity, entity id)."""
        self._put(self._sql.put_finding, self._rows.of_finding, findings)

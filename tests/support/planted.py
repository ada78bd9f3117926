"""Stores with one bug each, and the part of the contract that is to find it: see ``contract/test_planted_bugs.py``.

Each bug is one that stores have had. They are planted in sound stores of ours, so that everything else works.
Of a class with a bug only the one test is run that must find it; two of them wait for company that other tests lack.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Condition
from typing import Any

import pytest

from razorpay_hardened.ports.store import Batch
from razorpay_hardened.storage import MemoryStore, PostgresStore, SQLiteStore
from razorpay_hardened.storage._rows import Row
from razorpay_hardened.testing.store_contract import (
    AuditContract,
    EffectContract,
    InboxContract,
    LeakContract,
    ProcessContract,
    ReadingContract,
    StateContract,
    TransactionContract,
)
from support.mutants import _Altered, _altering, claims_first
from support.postgres import new_schema

_LONG_S = 30


class _Meeting:
    """Where the first waits for the second, so that the one is sure to come in between; later ones pass."""

    def __init__(self) -> None:
        self._came, self._all = 0, Condition()

    def wait(self) -> None:
        with self._all:
            self._came += 1
            self._all.notify_all()
            self._all.wait_for(lambda: self._came > 1, _LONG_S)


class Memory:
    """A bug over the store in memory: ``alter`` changes its transactions, ``made`` the store."""

    @staticmethod
    def alter(tx: Any) -> Any:
        return tx

    @staticmethod
    def made(folder: Path) -> Any:
        return MemoryStore()

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Any]:
        sound = self.made(tmp_path)
        sound.migrate()
        yield _altering(sound, self.alter)
        sound.close()


class File(Memory):
    """A bug over a file."""

    @staticmethod
    def made(folder: Path) -> Any:
        return SQLiteStore(folder / "planted.db")


class TestSound(
    Memory, TransactionContract, InboxContract, StateContract, EffectContract, ReadingContract, AuditContract
):
    """No bug: what stands between changes nothing."""


class TestSoundFile(File, TransactionContract, ProcessContract, LeakContract):
    """No bug, in a file."""


# --- claiming


class _LooksFirst:
    """A transaction that begins after it has looked."""

    def __init__(self, store: Any, first: str, answer: Any) -> None:
        self._store, self._first, self._answer = store, first, answer
        self._block: Any = None
        self._tx: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._block is None and name == self._first:
            return lambda *values, **named: self._answer(self, *values, **named)
        return getattr(self.begun(), name)

    def begun(self) -> Any:
        if self._block is None:
            self._block = self._store.transaction()
            self._tx = self._block.__enter__()
        return self._tx

    def end(self, *error: Any) -> None:
        if self._block is not None:
            self._block.__exit__(*error)


def _looking_first(store: Any, first: str, answer: Any) -> Any:
    @contextmanager
    def transaction(**_: Any) -> Iterator[Any]:
        tx = _LooksFirst(store, first, answer)
        try:
            yield tx
        except BaseException as error:
            tx.end(type(error), error, error.__traceback__)
            raise
        tx.end(None, None, None)

    return _Altered(store, transaction=transaction)


class TestClaimIsNotAtomic(File, InboxContract):
    """It looks whether the delivery is there, and inserts it afterwards."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Any]:
        sound, meeting = self.made(tmp_path), _Meeting()
        sound.migrate()

        def claim(tx: _LooksFirst, delivery: Any, ahead: Any) -> Any:
            there = sound.inbox_state(delivery.digest)
            meeting.wait()
            found = tx.begun().claim(delivery, ahead)
            return found if there else replace(found, state="new")

        yield _looking_first(sound, "claim", claim)
        sound.close()


class TestLostUpdate(File, StateContract):
    """It reads before it locks."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Any]:
        sound, meeting = self.made(tmp_path), _Meeting()
        sound.migrate()

        def load(tx: _LooksFirst, touches: Any) -> Any:
            with sound.transaction() as before:
                held = before.load(touches)
            meeting.wait()
            tx.begun().load(touches)
            return held

        yield _looking_first(sound, "load", load)
        sound.close()


class TestClaimsInATransactionOfItsOwn(File, ProcessContract):
    """The delivery is marked as known before the work: a crash in between loses it."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Any]:
        sound = self.made(tmp_path)
        sound.migrate()
        yield claims_first(sound)
        sound.close()


class TestAttemptsAreNotCounted(Memory, InboxContract):
    """settle() writes the state alone."""

    @staticmethod
    def alter(tx: Any) -> Any:
        def settle(digest: str, *values: Any, **named: Any) -> None:
            tx.settle(digest, *values, **named)
            tx.execute("UPDATE razorpay_inbox SET attempts = 0 WHERE digest = ?", (digest,))

        return _Altered(tx, settle=settle)


class TestEventIdIsTheKey(Memory, InboxContract):
    """Two bodies with one event id, which nobody has signed, are taken for duplicates."""

    @staticmethod
    def alter(tx: Any) -> Any:
        def claim(delivery: Any, ahead: Any) -> Any:
            found = tx.claim(delivery, ahead)
            return replace(found, state="done") if found.conflict else found

        return _Altered(tx, claim=claim)


# --- effects


class TestLeaseDoesNotLast(Memory, EffectContract):
    """It takes what another has leased."""

    @staticmethod
    def alter(tx: Any) -> Any:
        def lease_effects(now: Any, until: Any, token: str, **chosen: Any) -> Any:
            return tx.lease_effects(now + timedelta(hours=1), until, token, **chosen)

        return _Altered(tx, lease_effects=lease_effects)


class TestNoFencing(Memory, EffectContract):
    """A worker whose lease has ended finishes the effect all the same."""

    @staticmethod
    def alter(tx: Any) -> Any:
        def finish_effect(row: Any, state: Any, *, token: Any = None, **attempt: Any) -> Any:
            return tx.finish_effect(row, state, **attempt)

        return _Altered(tx, finish_effect=finish_effect)


class TestEffectsHaveNoUniqueKey(Memory, EffectContract):
    """A milestone that is told twice is an effect twice."""

    @staticmethod
    def alter(tx: Any) -> Any:
        def write(batch: Batch, **told: Any) -> Any:
            rows = list(tx.write(batch, **told))
            there = {(row.key, row.handler) for row in rows}
            doubles = [one for one in batch.effects if (one.key, one.handler) not in there]
            return rows + list(tx.write(Batch(effects=[replace(one, key=f"{one.key} ") for one in doubles]), **told))

        return _Altered(tx, write=write)


class TestYoungerEffectsOvertake(Memory, EffectContract):
    """The effects of one order and handler do not wait for each other."""

    @staticmethod
    def alter(tx: Any) -> Any:
        def lease_effects(now: Any, until: Any, token: str, **chosen: Any) -> Any:
            taken = tx.lease_effects(now, until, token, **chosen)
            while more := tx.lease_effects(now, until, token, **chosen):
                taken += more
            sql = "SELECT id FROM razorpay_effects WHERE mode = 'after' AND state = 'waiting' AND due_at <= ?"
            for (number,) in tx.execute(sql, (now.isoformat(timespec="microseconds")[:26] + "Z",)).fetchall():
                taken.append(replace(taken[0], id=number) if taken else None)
            return [row for row in taken if row is not None]

        return _Altered(tx, lease_effects=lease_effects)


# --- what is kept


class _Schema(Memory):
    """A bug in the tables."""

    was, now = "", ""

    @classmethod
    def made(cls, folder: Path) -> Any:
        class Store(MemoryStore):
            def schema(self) -> str:
                text = super().schema()
                assert cls.was in text
                return text.replace(cls.was, cls.now)

        return Store()


class TestReceiptsAreNotUnique(_Schema, StateContract):
    """Two orders may have one receipt."""

    was, now = "receipt          TEXT NOT NULL UNIQUE", "receipt          TEXT NOT NULL"


class TestAmountsMayBeNegative(_Schema, StateContract):
    """No table says what an amount is."""

    was, now = "CHECK (amount >= 0)", ""


class TestAuditCanBeChanged(_Schema, AuditContract):
    """The trail has no triggers."""

    was, now = "RAISE(ABORT, 'razorpay_audit is append-only')", "1"


class TestAmountsAreFloats(Memory, StateContract):
    """What is above 2**53 paise is rounded."""

    @staticmethod
    def alter(tx: Any) -> Any:
        def write(batch: Batch, **told: Any) -> Any:
            rounded = [replace(one, amount=int(float(one.amount))) for one in batch.payments]
            return tx.write(replace(batch, payments=rounded), **told)

        return _Altered(tx, write=write)


class TestTimesAreWholeSeconds(Memory, AuditContract):
    """The fraction of a second is lost, and with it the chain."""

    @staticmethod
    def alter(tx: Any) -> Any:
        def write(batch: Batch, **told: Any) -> Any:
            whole = [replace(one, at=one.at.replace(microsecond=0)) for one in batch.audit]
            return tx.write(replace(batch, audit=whole), **told)

        return _Altered(tx, write=write)


class TestPagesOverlap(Memory, ReadingContract):
    """The next page begins with the last row of the one before."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Any]:
        sound = MemoryStore()
        sound.migrate()

        def orders(*, after: Any = None, limit: int = 100, **narrowed: Any) -> Any:
            if after is None:
                return sound.orders(limit=limit, **narrowed)
            every = sound.orders(limit=1000, **narrowed)
            rest = [row for row in every if (row.created_at, row.local_id) >= after]
            return rest[:limit] if len(rest) > 1 else []

        yield _Altered(sound, orders=orders)
        sound.close()


# --- transactions


class TestCommitsWhatWasRaised(Memory, TransactionContract):
    """A block that raises is committed up to there."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Any]:
        sound = MemoryStore()
        sound.migrate()

        @contextmanager
        def transaction(**chosen: Any) -> Iterator[Any]:
            raised: list[BaseException] = []
            with sound.transaction(**chosen) as tx:
                try:
                    yield tx
                except BaseException as error:
                    raised.append(error)
            if raised:
                raise raised[0]

        yield _Altered(sound, transaction=transaction)
        sound.close()


class TestSavepointsDoNothing(Memory, TransactionContract):
    """A handler that raises leaves half of its writes."""

    @staticmethod
    def alter(tx: Any) -> Any:
        return _Altered(tx, savepoint=nullcontext)


class TestReadersSeeWhatIsNotCommitted(File, TransactionContract):
    """Readers look through the writer's connection."""

    @staticmethod
    def made(folder: Path) -> Any:
        class Store(SQLiteStore):
            def _read(self, sql: str, parameters: Row) -> list[Any]:
                return self._ready().connection.execute(sql, parameters).fetchall()

        return Store(folder / "planted.db")


class TestConnectionsLeak(LeakContract):
    """A block that raises keeps its connection."""

    @pytest.fixture
    def store(self) -> Iterator[Any]:
        class Store(PostgresStore):
            @contextmanager
            def _lent(self) -> Iterator[Any]:
                with super()._lent() as connection:
                    try:
                        yield connection
                    except BaseException:
                        kept.append(self._ready().getconn())
                        raise

        kept: list[Any] = []
        with new_schema() as url:
            sound = Store(url, wait_s=0.2)
            sound.migrate()
            yield sound
            for one in kept:
                one.close()
            sound.close()

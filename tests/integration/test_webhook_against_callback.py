"""Webhook and checkout callback tell of the same payment at the same instant: one effect each (FAULTS E10).

``make test`` runs a few hundred races, ``make storm`` all of them and prints how long either side waited for its lock.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from razorpay_hardened import MemoryStore, SQLiteStore
from razorpay_hardened.ports.store import Store
from support.duel import SIDES, Told, in_threads, wrong_in
from support.mutants import reads_before_it_locks
from support.postgres_faults import new_database, own_server

TESTS = Path(__file__).parents[1]
LOCK_WAIT_MS = 50.0
"""The wait for the lock that one in a hundred may exceed, at full size."""

pytestmark = [pytest.mark.slow]


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Store]:
    store = MemoryStore() if kind == "memory" else SQLiteStore(folder / "shop.db")
    yield store
    store.close()


def check(told: Told, races: int) -> None:
    """Both sides were answered rightly every time, each was first at times, and nobody slept."""
    assert told.answers == {"webhook: 200": races, "checkout: paid": races}
    assert sum(told.first.values()) == races
    assert set(told.first) == set(SIDES), "one side was always first: these were no races"
    assert len(told.waits) == 2 * races
    assert told.slept == 0


def race_processes(races: int, url: str) -> Told:
    """``support.duel`` in a process of its own: it forks, and a test runner has threads."""
    command = [sys.executable, "-W", "error", "-m", "support.duel", str(races), url]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == {}
    assert found["deadlocks"] == 0
    return Told(Counter(found["answers"]), Counter(found["first"]), found["waits"], found["slept"], found["seconds"])


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_webhook_and_callback_at_once_have_one_effect_each(kind: str, tmp_path: Path) -> None:
    """Threads of one process: whoever is first grants, the other one finds it done; both say paid."""
    races = 150
    with opened(kind, tmp_path) as store:
        told = in_threads(store, races)
        print(f"\n{races} races on {kind}: {told}")
        assert wrong_in(store, races) == {}
    check(told, races)


def test_webhook_and_callback_in_two_processes_have_one_effect_each() -> None:
    """The same on PostgreSQL, where only the database stands between the two."""
    with new_database() as url:
        told = race_processes(60, url)
    print(f"\n60 races on postgresql: {told}")
    check(told, 60)


def test_a_design_that_reads_before_it_locks_is_found(tmp_path: Path) -> None:
    """Status looked up, then acted on: alone it is right, and in these races it grants twice."""
    with opened("sqlite", tmp_path) as store:
        in_threads(store, 100, reads_before_it_locks)
        assert 2 in wrong_in(store, 100).values(), "a hundred races did no harm"


# --- at full size


@pytest.mark.campaign
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_ten_thousand_races_in_threads(kind: str) -> None:
    """One effect each, nobody sleeps, and 99 of 100 wait less than 50 ms for the lock, with every commit flushed."""
    races = 10_000
    # Not tmp_path, which may be in memory.
    with TemporaryDirectory() as folder, opened(kind, Path(folder)) as store:
        told = in_threads(store, races)
        print(f"\n{races} races on {kind}: {told}")
        assert wrong_in(store, races) == {}
    check(told, races)
    assert told.wait_ms()["p99"] < LOCK_WAIT_MS


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_a_thousand_races_in_processes() -> None:
    """The same in two processes, on a PostgreSQL server that flushes every commit to the disk."""
    with own_server() as server:
        told = race_processes(1000, server.url)
    print(f"\n1000 races on postgresql: {told}")
    check(told, 1000)
    assert told.wait_ms()["p99"] < LOCK_WAIT_MS

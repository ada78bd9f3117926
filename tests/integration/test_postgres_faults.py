"""A PostgreSQL that goes away, fills up, forgets its answer or says no (FAULTS D1 to D15, K11, H8)."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
import pytest

from bodies import Shop, body, life_of, order_id, payment
from razorpay_hardened.domain.audit import broken_at
from razorpay_hardened.errors import (
    CommitUnknown,
    SchemaMismatch,
    StorageConflict,
    StorageError,
    StorageReadOnly,
    StorageUnavailable,
)
from razorpay_hardened.ports.store import Batch, Touches
from razorpay_hardened.signals import Alarm
from razorpay_hardened.storage import PostgresStore, migrate, postgres
from razorpay_hardened.testing._contract_values import NOTHING, claim, delivery, order, started, write
from support.postgres import in_schema, new_schema, new_tables
from support.postgres_faults import OwnServer, Proxy, kill_a_connection, own_server, repeatedly
from support.till import deliver_until_done, granted, new_till, open_till, paid_events

PAID = life_of(1)["order.paid"]
T = TypeVar("T")


@pytest.fixture
def url() -> Iterator[str]:
    with new_tables() as made:
        yield made


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    made = PostgresStore(url)
    new_till(made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with own_server() as made:
        yield made


def once(store: PostgresStore, number: int = 1) -> bool:
    """Whether the two milestones of a paid order have had one effect each."""
    key = order_id(number)
    return {name: n for (one, name), n in granted(store).items() if one == key} == {
        "payment.captured": 1,
        "order.paid": 1,
    }


# --- the server goes away


@pytest.mark.slow
def test_a_server_that_is_down_is_503_in_a_second_and_nothing_is_kept_as_done(server: OwnServer) -> None:
    """D1: 503 with Retry-After while it is down, and one effect after the redelivery."""
    server.ensure()
    store = PostgresStore(in_schema(server.url, "d1"))
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA d1")
    new_till(store)
    shop = open_till(store)
    shop.adopt(1)
    server.stop()
    took = [_timed(lambda: shop.deliver(PAID)) for _ in range(3)]
    assert [answer for answer, _ in took] == [503, 503, 503]
    assert min(seconds for _, seconds in took) < 1.5  # the fastest: the others may have waited for this machine
    with pytest.raises(StorageUnavailable):
        store.orders()
    server.start()
    assert set(deliver_until_done(shop, PAID)) <= {200, 503}
    assert once(store)
    assert shop.deliver(PAID) == 200
    assert once(store)
    store.close()


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    begun = time.monotonic()
    return work(), time.monotonic() - begun


def _restarts(server: OwnServer, name: str, orders: int, every_s: float, modes: tuple[str, ...]) -> Counter[int]:
    """Deliver the events of ``orders`` from four threads while the server is stopped in these modes and started."""
    server.ensure()
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {name}")
    store = PostgresStore(in_schema(server.url, name))
    new_till(store)
    shop = open_till(store)
    for number in range(1, orders + 1):
        shop.adopt(number)
    done, left, struck = threading.Event(), list(modes), threading.Event()

    def strike() -> None:
        if left:
            server.restart(left.pop())
        struck.set()

    chaos = repeatedly(strike, every_s, done)
    answers: Counter[int] = Counter()

    def work(part: list[bytes]) -> Counter[int]:
        found: Counter[int] = Counter()
        for place, raw in enumerate(part, 1):
            if place == len(part):  # not all is through before anything went wrong
                assert struck.wait(60)
            found += deliver_until_done(shop, raw, tries=10_000)
        return found

    events = paid_events(range(1, orders + 1))
    for join in [started(lambda part=events[n::4]: work(part)) for n in range(4)]:  # type: ignore[misc]
        answers += join(7200)
    done.set()
    chaos.join(100)
    assert len(left) < len(modes)
    assert granted(store) == {
        (order_id(n), name): 1 for n in range(1, orders + 1) for name in ("payment.captured", "order.paid")
    }
    assert all(broken_at(store.audit(a.key), a.audit_seq, a.audit_head) is None for a in store.anchors(limit=100_000))
    store.close()
    return answers


@pytest.mark.slow
def test_a_server_that_is_restarted_under_load_loses_nothing(server: OwnServer) -> None:
    """D13: fast stops and crashes while four threads deliver; everything is through in the end, once."""
    answers = _restarts(server, "d13", 20, 0.2, ("fast", "immediate"))
    assert answers[200] == 60
    assert set(answers) <= {200, 503}


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_ten_thousand_events_through_restarts(server: OwnServer) -> None:
    """D13 at full size."""
    answers = _restarts(server, "d13_full", 3334, 3.0, ("fast", "immediate") * 1000)
    assert answers[200] == 10_002
    print(f"\nrestarts: {dict(answers)}")


# --- connections go away


def test_a_connection_killed_before_commit_leaves_nothing(store: PostgresStore, url: str) -> None:
    """D2: 503, the connection is thrown away, and the redelivery does the work once."""
    shop = open_till(store)
    shop.adopt(1)
    kills = [1]

    @shop.rzp.on("order.paid", name="killer")
    def killer(change: Any, tx: Any) -> None:
        pid = tx.connection.info.backend_pid
        if kills:
            kills.pop()
            with psycopg.connect(url, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 60000)", (pid,))  # and wait until it has gone

    assert shop.deliver(PAID) == 503
    assert store.deliveries() == []
    assert not granted(store)
    assert shop.deliver(PAID) == 200
    assert once(store)


def test_connections_that_died_in_the_pool_are_not_noticed(store: PostgresStore, url: str) -> None:
    """After a restart the first delivery and the first question find other connections."""
    named = PostgresStore(f"{url}&application_name=died")
    shop = open_till(named)
    shop.adopt(1)

    def kill() -> None:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'died'"
            )

    kill()
    assert shop.deliver(PAID) == 200
    kill()
    assert named.order(order_id(1)).status == "paid"  # type: ignore[union-attr]
    assert once(store)
    named.close()


def _killed_every_50_ms(orders: int, threads: int = 4) -> Counter[int]:
    name = "kill-me"
    with new_schema() as url:
        marked = f"{url}&application_name={name}"
        store = PostgresStore(marked)
        new_till(store)
        shop = open_till(store)
        for number in range(1, orders + 1):
            shop.adopt(number)
        done, answers = threading.Event(), Counter[int]()
        events = paid_events(range(1, orders + 1))
        random.Random(7).shuffle(events)

        def work(part: list[bytes]) -> Counter[int]:
            found: Counter[int] = Counter()
            for raw in part:
                found += deliver_until_done(shop, raw, tries=10_000)
            return found

        with psycopg.connect(url, autocommit=True) as admin:
            chaos = repeatedly(lambda: kill_a_connection(admin, name), 0.05, done)
            parts = [events[n::threads] for n in range(threads)]
            for join in [started(lambda part=part: work(part)) for part in parts]:  # type: ignore[misc]
                answers += join(7200)
            done.set()
            chaos.join(10)
        assert granted(store) == {
            (order_id(n), name): 1 for n in range(1, orders + 1) for name in ("payment.captured", "order.paid")
        }
        quiet = PostgresStore(url)
        assert all(broken_at(quiet.audit(a.key), a.audit_seq, a.audit_head) is None for a in quiet.anchors(limit=9999))
        quiet.close()
        store.close()
        return answers


@pytest.mark.slow
def test_connections_killed_every_50_ms_lose_and_double_nothing() -> None:
    """D2 under load: every event is answered 200 in the end, and has had its effects once."""
    answers = _killed_every_50_ms(50)
    assert answers[200] == 150
    assert set(answers) <= {200, 503}


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_ten_thousand_events_while_connections_are_killed() -> None:
    """D2 at full size."""
    answers = _killed_every_50_ms(3334)
    assert answers[200] == 10_002
    print(f"\nkilled every 50 ms: {dict(answers)}")


@pytest.mark.parametrize(("when", "committed"), [("after", True), ("before", False)])
def test_an_answer_to_commit_that_is_lost_is_never_200(
    store: PostgresStore, url: str, when: str, committed: bool
) -> None:
    """D3: the socket is cut at COMMIT; whether it was done or not, the redelivery ends with one effect."""
    proxy = Proxy(url)
    through = PostgresStore(proxy.url)
    shop = open_till(through)
    shop.adopt(1)
    proxy.cut(b"COMMIT\0", when)
    assert shop.deliver(PAID) == 503
    assert proxy.cuts == 1
    _until(lambda: (store.inbox_state(delivery(PAID).digest) == "done") is committed)
    assert shop.deliver(PAID) == 200
    assert once(store)
    through.close()
    proxy.close()


def _until(true: Any) -> None:
    """The server needs a moment to notice that its client is gone."""
    for _ in range(6000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to be")


@pytest.mark.parametrize("batch", [True, False], ids=["with what was put off", "alone"])
def test_a_lost_answer_to_commit_is_told_as_such(store: PostgresStore, url: str, batch: bool) -> None:
    """CommitUnknown, and not "nothing was committed"; it is not run again by itself."""
    proxy = Proxy(url)
    through = PostgresStore(proxy.url)
    with pytest.raises(CommitUnknown) as caught, through.transaction() as tx:  # noqa: PT012
        tx.claim(delivery(), NOTHING)
        if batch:
            tx.write(Batch(orders=[order()]), told=False)
        proxy.cut(b"COMMIT\0", "after")
    assert not isinstance(caught.value, StorageConflict)
    assert store.inbox_state(delivery().digest) == "done"
    through.close()
    proxy.close()


# --- other transactions


@pytest.fixture(params=["read committed", "repeatable read", "serializable"])
def isolated(request: pytest.FixtureRequest) -> Iterator[tuple[PostgresStore, str]]:
    with new_tables() as url:
        made = PostgresStore(url, isolation=request.param, max_connections=40)
        new_till(made)
        yield made, url
        made.close()


def test_a_handler_s_own_conflict_runs_everything_again(isolated: tuple[PostgresStore, str]) -> None:
    """D4: a serialization failure in the handler's SQL is not its failure: 200, and one effect."""
    store, url = isolated
    shop = open_till(store)
    shop.adopt(1)
    with store.transaction() as tx:
        tx.execute("CREATE TABLE stock (left_over INTEGER)")
        tx.execute("INSERT INTO stock VALUES (9)")
    calls: list[int] = []

    @shop.rzp.on("order.paid", name="sell")
    def sell(change: Any, tx: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            with psycopg.connect(url, autocommit=True) as other:
                other.execute("UPDATE stock SET left_over = left_over - 1")
        tx.execute("UPDATE stock SET left_over = left_over - 1")

    assert shop.deliver(PAID) == 200
    with store.transaction() as tx:
        assert tx.execute("SELECT left_over FROM stock").fetchone() == (7,)
    assert once(store)


def test_a_handler_in_a_deadlock_runs_everything_again(store: PostgresStore, url: str) -> None:
    """D5: whichever of the two PostgreSQL undoes, both have happened once in the end."""
    shop = open_till(store)
    shop.adopt(1)
    with store.transaction() as tx:
        tx.execute("CREATE TABLE stock (id INTEGER, n INTEGER)")
        tx.execute("INSERT INTO stock VALUES (1, 0), (2, 0)")
    crossed = threading.Event()
    calls: list[int] = []

    @shop.rzp.on("order.paid", name="sell")
    def sell(change: Any, tx: Any) -> None:
        calls.append(1)
        tx.execute("UPDATE stock SET n = n + 1 WHERE id = 1")
        crossed.set()
        if len(calls) == 1:
            _until(lambda: _waits(url))
        tx.execute("UPDATE stock SET n = n + 1 WHERE id = 2")

    def other() -> None:
        assert crossed.wait(60)
        with psycopg.connect(url) as connection:
            connection.execute("SET deadlock_timeout = '60s'")  # it is ours that is undone
            connection.execute("UPDATE stock SET n = n + 10 WHERE id = 2")
            connection.execute("UPDATE stock SET n = n + 10 WHERE id = 1")

    join = started(other)
    assert shop.deliver(PAID) == 200
    join()
    assert len(calls) == 2
    with store.transaction() as tx:
        assert tx.execute("SELECT n FROM stock ORDER BY id").fetchall() == [(11,), (11,)]
    assert once(store)


def _waits(url: str) -> bool:
    with psycopg.connect(url, autocommit=True) as admin:
        found = admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE stock%'"
        ).fetchone()
    return found is not None and found[0] > 0


def test_a_unit_that_is_undone_five_times_is_503(store: PostgresStore) -> None:
    """D4: the sender is asked to come again, and nothing is kept."""
    shop = open_till(store)
    shop.adopt(1)
    calls: list[int] = []

    @shop.rzp.on("order.paid", name="unlucky")
    def unlucky(change: Any, tx: Any) -> None:
        calls.append(1)
        tx.execute("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'serialization_failure'; END $$")

    assert shop.deliver(PAID) == 503
    assert len(calls) == 5
    assert store.deliveries() == []


def test_a_conflict_met_elsewhere_is_the_handler_s_own_failure(store: PostgresStore, url: str) -> None:
    """Only what our own transaction met makes us run it again: another database's trouble waits as any error does."""
    shop = open_till(store)
    shop.adopt(1)

    @shop.rzp.on("order.paid", name="elsewhere")
    def elsewhere(change: Any, tx: Any) -> None:
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'serialization_failure'; END $$")

    assert shop.deliver(PAID) == 500
    assert store.inbox_state(delivery(PAID).digest) == "waiting"


@pytest.mark.parametrize("raises", [True, False])
def test_a_handler_that_swallows_a_database_error_fails_alone(store: PostgresStore, raises: bool) -> None:
    """After an error PostgreSQL refuses everything: the handler is undone, and the state is stored all the same."""
    shop = open_till(store)
    shop.adopt(1)

    @shop.rzp.on("order.paid", name="careless")
    def careless(change: Any, tx: Any) -> None:
        try:
            tx.execute("INSERT INTO nowhere VALUES (1)")
        except psycopg.Error:
            if raises:
                raise

    assert shop.deliver(PAID) == 500
    row = store.delivery(delivery(PAID).digest)
    assert row is not None
    assert (row.state, row.reason) == ("waiting", "careless")
    assert once(store)


def test_a_statement_of_a_handler_that_takes_too_long_is_its_own_failure(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement timeout ends it; state is stored, and the effect waits."""
    monkeypatch.setattr(postgres, "STATEMENT_TIMEOUT_S", 1)  # and not less: ours must be through by then
    store.close()  # the limits are those of new connections
    shop = open_till(store)
    shop.adopt(1)

    @shop.rzp.on("order.paid", name="slow")
    def slow(change: Any, tx: Any) -> None:
        tx.execute("SELECT pg_sleep(30)")

    assert shop.deliver(PAID) == 500
    assert store.order(order_id(1)).status == "paid"  # type: ignore[union-attr]
    (waiting,) = store.effects(states=("waiting",))
    assert waiting.error is not None
    assert "QueryCanceled" in waiting.error


def test_waiting_for_a_row_ends_within_the_budget(
    store: PostgresStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D12: lock_timeout is 2 s and statement_timeout 3 s on our connections; who waits longer gets 503."""
    with store.transaction() as tx:
        assert tx.execute("SHOW lock_timeout").fetchone() == ("2s",)
        assert tx.execute("SHOW statement_timeout").fetchone() == ("3s",)
    monkeypatch.setattr(postgres, "LOCK_TIMEOUT_S", 0.1)
    store.close()
    shop = open_till(store)
    shop.adopt(1)
    with psycopg.connect(url) as other:
        other.execute("SELECT FROM razorpay_anchors FOR UPDATE")
        assert shop.deliver(PAID) == 503
        assert store.deliveries() == []
    assert shop.deliver(PAID) == 200
    assert once(store)


def test_twins_at_one_barrier_are_one_effect_and_no_error(isolated: tuple[PostgresStore, str]) -> None:
    """D6: sixteen threads deliver the same event at the same instant: 200 to all, one effect."""
    store, _ = isolated
    shop = open_till(store)
    shop.adopt(1)
    barrier = threading.Barrier(16)

    def twin() -> int:
        barrier.wait(60)
        return shop.deliver(PAID)

    answers = Counter(join() for join in [started(twin) for _ in range(16)])
    assert once(store)
    assert answers[200] + answers[503] == 16
    if store._opening.endswith(b"READ COMMITTED"):
        assert answers == {200: 16}


# --- the server says no


@pytest.mark.slow
def test_a_full_disk_is_unavailable_and_leaves_no_half_row(server: OwnServer) -> None:
    """D8: no file may grow any more; nothing is committed, and it works again when there is space."""
    server.ensure()
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA d8")
    store = PostgresStore(in_schema(server.url, "d8"), max_connections=1)
    store.migrate()
    store.close()
    server.stop()
    server.start(largest_file_mb=17)  # one segment of the log has 16 MB
    stored = 0
    with pytest.raises(StorageUnavailable):  # noqa: PT012
        for _ in range(40):
            claim(store, os.urandom(1 << 20))
            stored += 1
    with pytest.raises(StorageUnavailable), store.transaction() as tx:  # noqa: PT012
        tx.write(Batch(orders=[order(99)]))
        tx.claim(delivery(os.urandom(1 << 20)), NOTHING)
    assert len(store.deliveries(limit=1000)) == stored > 0
    assert store.order("local-99") is None
    store.close()
    server.restart()
    assert claim(store, os.urandom(1 << 20)).state == "new"
    store.close()


def test_a_server_that_only_reads_is_told_and_read(store: PostgresStore, url: str) -> None:
    """D9: StorageReadOnly by name, 503 to Razorpay, and reading goes on."""
    write(store, orders=[order()])
    replica = PostgresStore(url.replace("options=", "options=-c%20default_transaction_read_only%3Don%20"))
    assert replica.order("local-1") == order()
    with pytest.raises(StorageReadOnly):
        claim(replica)
    assert replica.migrate().finished
    shop = open_till(replica)
    assert shop.deliver(PAID) == 503
    assert [alarm.reason for alarm in shop.told(Alarm)] == ["StorageReadOnly"]
    replica.close()


@pytest.mark.parametrize(("version", "serves"), [(1, 1), (migrate.VERSION + 1, migrate.VERSION + 1)])
def test_another_schema_version_is_told_at_first_use(store: PostgresStore, url: str, version: int, serves: int) -> None:
    """D14: older or from the future: SchemaMismatch, and nothing is touched."""
    with store.transaction() as tx:
        tx.execute("UPDATE razorpay_schema SET version = %s, serves = %s", (version, serves))
    fresh = PostgresStore(url)
    with pytest.raises(SchemaMismatch):
        claim(fresh)
    with pytest.raises(SchemaMismatch):
        fresh.orders()
    with pytest.raises(SchemaMismatch):
        fresh.migrate()
    assert fresh.status().version == version
    fresh.close()


def test_every_altered_cell_of_the_trail_is_found(store: PostgresStore, url: str) -> None:
    """D15: each column of each row, changed or emptied by an owner who switched the triggers off."""
    shop = open_till(store)
    shop.adopt(1)
    for raw in life_of(1).values():
        assert shop.deliver(raw) == 200
    (anchor,) = [one for one in store.anchors() if one.key == order_id(1)]
    rows = store.audit(anchor.key)
    assert broken_at(rows, anchor.audit_seq, anchor.audit_head) is None
    spoil = {"at": "at + interval '1 s'", "amount": "amount + 1", "seq": "seq + 100"}
    columns = [name for name in type(rows[0]).__dataclass_fields__ if name != "anchor"]
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("ALTER TABLE razorpay_audit DISABLE TRIGGER USER")
        owner.execute("ALTER TABLE razorpay_audit_default DISABLE TRIGGER USER")
        for row in rows:
            for name in columns:
                if getattr(row, name) is None:
                    continue
                changed = spoil.get(name, f"{name} || 'x'")
                with owner.transaction(force_rollback=True):
                    owner.execute(
                        f"UPDATE razorpay_audit SET {name} = {changed} WHERE anchor = %s AND seq = %s",
                        (row.anchor, row.seq),
                    )
                    found = _audit_in(owner, anchor.key)
                    assert broken_at(found, anchor.audit_seq, anchor.audit_head) is not None, (row.seq, name)
            with owner.transaction(force_rollback=True):
                owner.execute("DELETE FROM razorpay_audit WHERE anchor = %s AND seq = %s", (row.anchor, row.seq))
                assert broken_at(_audit_in(owner, anchor.key), anchor.audit_seq, anchor.audit_head) is not None


def _audit_in(connection: psycopg.Connection[Any], anchor: str) -> list[Any]:
    """The chain as one transaction sees it, before it is rolled back."""
    from razorpay_hardened.storage import DbApiStore

    return DbApiStore(connection, outer=True).audit(anchor)


def test_a_commit_that_is_answered_is_on_the_disk(url: str) -> None:
    """K11: where the server's default is synchronous_commit=off, our sessions say on; a weaker wait is left alone."""
    for given, wanted in (("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")):
        store = PostgresStore(url.replace("options=", f"options=-c%20synchronous_commit%3D{given}%20"))
        store.migrate()
        with store.transaction() as tx:
            assert tx.execute("SHOW synchronous_commit").fetchone() == (wanted,)
        store.close()


# --- the pool


def test_a_pool_that_is_exhausted_is_503_in_a_second(url: str) -> None:
    """Who finds no free connection does not wait longer than it says, and the others are not disturbed."""
    store = PostgresStore(url, max_connections=1, wait_s=0.2)
    new_till(store)
    shop = open_till(store)
    shop.adopt(1)
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store.transaction() as tx:
            tx.load(Touches(("order_other",)))
            inside.set()
            leave.wait(60)

    join = started(hold)
    assert inside.wait(30)
    took = [_timed(lambda: shop.deliver(PAID)) for _ in range(3)]
    assert [answer for answer, _ in took] == [503, 503, 503]
    assert min(seconds for _, seconds in took) < 1  # the fastest: the others may have waited for this machine
    leave.set()
    join()
    assert shop.deliver(PAID) == 200
    store.close()


def test_no_connection_leaks_or_stays_in_a_transaction(url: str) -> None:
    """Whatever a block does, its connection is back in the pool afterwards, and idle."""
    store = PostgresStore(f"{url}&application_name=leaks", max_connections=2)
    new_till(store)
    for kind in (None, ValueError, KeyboardInterrupt, StorageError):
        for _ in range(3):
            with suppress(*(() if kind is None else (kind,))), store.transaction() as tx:
                tx.load(Touches(("order_A",)))
                if kind is not None:
                    raise kind
    assert store._pool is not None
    stats = store._pool.get_stats()
    assert stats["pool_size"] == stats["pool_available"] <= 2
    with psycopg.connect(url, autocommit=True) as admin:
        states = "SELECT state, count(*) FROM pg_stat_activity WHERE application_name = 'leaks' GROUP BY state"
        assert dict(admin.execute(states).fetchall()) == {"idle": stats["pool_size"]}
        store.close()
        _until(lambda: admin.execute(states).fetchall() == [])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_parent_and_child_each_have_connections_of_their_own(store: PostgresStore) -> None:
    """H8: a store that was used before the fork goes on in both processes, and in the child's child."""
    claim(store, b"parent")

    def child(depth: int) -> int:
        pid = os.fork()
        if pid:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        try:
            claim(store, b"child %d" % depth)
            code = child(depth - 1) if depth > 1 else 0
        except BaseException:
            os._exit(1)
        os._exit(code)

    assert child(2) == 0
    claim(store, b"parent again")
    assert {row.body for row in store.deliveries()} == {b"parent", b"child 1", b"child 2", b"parent again"}


# --- text that PostgreSQL has no room for


@pytest.mark.parametrize("unfit", ["proc\0essing", "\ud800", "a\udfff\0b"])
def test_an_unknown_status_that_no_database_takes_is_noted_and_the_chain_verifies(
    store: PostgresStore, unfit: str
) -> None:
    """The status is kept with U+FFFD for what cannot be stored, and the audit trail is whole (P4)."""
    shop = open_till(store)
    shop.adopt(1)
    assert shop.deliver(body("payment.captured", payment=payment(1, unfit, captured=False))) == 200
    (anchor,) = [one for one in store.anchors() if one.key == order_id(1)]
    rows = store.audit(anchor.key)
    assert "\ufffd" in (rows[-1].note or "")
    assert broken_at(rows, anchor.audit_seq, anchor.audit_head) is None


def test_an_event_s_name_that_no_database_takes_is_answered(store: PostgresStore) -> None:
    """A NUL or a lone surrogate in the name of an event is ignored or quarantined, never an error of ours."""
    shop = open_till(store)
    for name in ("payment.\0teleported", "payment.\ud800", "x\r\nERROR fake\u001b[2J\0"):
        assert shop.deliver(body(name, payment=payment(1, "captured"))) == 200
    assert {row.state for row in store.deliveries()} <= {"ignored", "quarantined"}


def test_a_handler_s_error_that_no_database_takes_is_recorded(store: PostgresStore) -> None:
    """Its text is kept as far as it can be."""
    shop = open_till(store)
    shop.adopt(1)

    @shop.rzp.on("order.paid", name="files")
    def files(change: Any, tx: Any) -> None:
        raise OSError("no such file: caf\udce9\0")

    assert shop.deliver(PAID) == 500
    (waiting,) = store.effects(states=("waiting",))
    assert waiting.error == "OSError: no such file: caf\ufffd\ufffd"


def test_asking_for_what_cannot_be_stored_finds_nothing(store: PostgresStore) -> None:
    """An id from outside that holds NUL or a lone surrogate is unknown, and no error."""
    assert store.order("order_\0") is None
    assert store.payment("pay_\ud800") is None


# --- not so urgent, and money all the same


def test_a_digest_pruned_amid_a_claim_is_neither_new_nor_lost(store: PostgresStore, url: str) -> None:
    """A twin whose first copy is pruned while it waits is run again, and is new then."""
    claim(store)
    with psycopg.connect(url) as retention:
        retention.execute("DELETE FROM razorpay_inbox")
        retention.execute("DELETE FROM razorpay_digests")
        shop = Shop(store)
        join = started(lambda: shop.deliver(b"{}"))
        retention.commit()
    assert join() == 200
    assert store.inbox_state(delivery().digest) == "quarantined"


def test_status_counts_tables_that_take_longer_than_a_statement_may(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement timeout of the request path does not hold for the operator's question."""
    monkeypatch.setattr(postgres, "STATEMENT_TIMEOUT_S", 0.5)
    store.close()
    with store.transaction() as tx:
        tx.execute("SET LOCAL statement_timeout = 0")
        tx.execute("ALTER TABLE razorpay_switches RENAME TO razorpay_switches_slow")
        tx.execute(
            "CREATE VIEW razorpay_switches AS SELECT *, pg_sleep(0.6)::text FROM razorpay_switches_slow"
            " UNION ALL SELECT 'x', now(), '', '', pg_sleep(0.6)::text"
        )
    assert store.status().counts["razorpay_switches"] == 1

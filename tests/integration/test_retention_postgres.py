"""Retention on a real PostgreSQL: the same law, and plans without a sequential scan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bodies import START, Shop, body, payment_id, refund
from razorpay_hardened import PostgresStore, RetentionPolicy
from razorpay_hardened.cli import main
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.retention import Counts, Retention
from razorpay_hardened.storage._keeping import keeping
from razorpay_hardened.storage._statements import POSTGRESQL, many
from support.postgres import new_schema, new_tables
from unit.test_retention import CANARIES, DAY, books, broken_chains, captured, everything, person, seen_in, shop


@pytest.fixture
def ours() -> Iterator[Shop]:
    """A shop on PostgreSQL that two people have paid."""
    with new_tables() as url:
        made = shop(1, 2, store=PostgresStore(url))
        yield made
        made.store.close()


def test_nobody_is_left_and_the_books_are_as_they_were(ours: Shop) -> None:
    """Plan, apply, and apply again; a redelivery is still a duplicate."""
    ours.deliver(body("refund.processed", refund=refund(1, "processed"), payment=person(1, "refunded")))
    assert seen_in(everything(ours.store)) == list(CANARIES)
    ours.clock.advance(400 * DAY)
    before = books(ours.store)
    planned = ours.rzp.retention.plan()
    assert seen_in(everything(ours.store)) == list(CANARIES)
    done = ours.rzp.retention.apply()
    assert planned.counts == done.counts
    assert done.counts["snapshots"] == Counts(erased=5)
    assert seen_in(everything(ours.store)) == []
    assert books(ours.store) == before
    assert broken_chains(ours.store) == []
    assert ours.rzp.retention.apply().erased == 0
    assert ours.deliver(captured(1)) == 200
    assert books(ours.store) == before


def test_holds_and_late_news(ours: Shop) -> None:
    """A hold keeps its order; the other is forgotten, and stays so."""
    ours.rzp.retention.hold(payment_id(1), actor="legal")
    told = ours.rzp.retention.erase(owner="user:1")
    assert told.held
    assert ours.rzp.retention.erase(owner="user:2").complete
    ours.deliver(body("refund.processed", refund=refund(2, "processed"), payment=person(2, "refunded")))
    assert [bool(row.body) for row in ours.store.deliveries()] == [True, False, False]
    ours.rzp.retention.release(payment_id(1))
    assert ours.rzp.retention.erase(owner="user:1").complete
    assert seen_in(everything(ours.store)) == []


def test_no_statement_scans_a_table(ours: Shop) -> None:
    """With sequential scans priced out, a plan that still has one has no index to use."""
    texts = keeping(POSTGRESQL)
    values = {"marks": ["", "a", "b", 5], "received": [0, 5], "holds": ["", 5], "seal": [1], "shorten": ["x", 1, "x"]}
    moment = ours.clock.now()
    values |= {"erase": [b"", "x", moment, "x", moment], "drop": ["x", moment], "erase_one": [b"", moment, "x"]}
    with ours.store.transaction() as tx:
        tx.execute("SET LOCAL enable_seqscan = off")
        for name, sql in texts.items():
            if name in ("switches", "any_hold") or name.startswith("put_"):
                continue
            text = many(sql, 3, "%s")
            plan = tx.execute(f"EXPLAIN {text}", values.get(name, ["x"] * text.count("%s"))).fetchall()
            assert not [row for row in plan if "Seq Scan" in str(row)], (name, plan)


# --- months


def _table_of(ours: Shop, raw: bytes) -> str:
    with ours.store.transaction() as tx:
        found = tx.execute("SELECT tableoid::regclass::text FROM razorpay_inbox WHERE body = %s", (raw,)).fetchone()
    return str(found[0])


@pytest.fixture
def monthly() -> Iterator[Shop]:
    """A shop that keeps months apart from its first day, in March 2026, and is paid in each of three months."""
    with new_schema() as url:
        store = PostgresStore(url)
        store.migrate()
        made = shop(store=store)
        store.make_months(made.clock.now(), ahead=5)
        for number in (1, 2, 3):
            made.adopt(number, owner=f"user:{number}")
            made.deliver(captured(number))
            made.clock.advance(31 * DAY)
        while made.rzp.audit.verify().unsealed:  # others use this server: what they have open holds the horizon back
            made.rzp.audit.seal()
        yield made
        store.close()


def _keeper(ours: Shop, **ages: int) -> Retention:
    policy = RetentionPolicy(**{name: timedelta(days=days) for name, days in ages.items()})  # type: ignore[arg-type]
    return Retention(ours.store, clock=ours.clock, policy=policy)


def test_months_are_made_once_and_ahead(monthly: Shop) -> None:
    """From the month that has begun, where nothing is in the default yet; rows go to their months."""
    store = monthly.store
    assert isinstance(store, PostgresStore)
    names = [month.name for month in store.months("inbox")]
    assert names == [f"razorpay_inbox_2026_{month:02}" for month in range(3, 9)]
    assert _table_of(monthly, captured(2)) == "razorpay_inbox_2026_04"
    assert store.make_months(START, ahead=5) == []
    later = store.make_months(START.replace(month=12), ahead=1)
    assert [month.name for month in later if month.kind == "inbox"] == [
        "razorpay_inbox_2026_12",
        "razorpay_inbox_2027_01",
    ]
    with pytest.raises(ConfigError):
        store.make_months(START, ahead=0)


def test_a_shop_that_is_open_keeps_this_month_where_it_is(ours: Shop) -> None:
    """Its rows are in the default partition: months begin with the next."""
    store = ours.store
    assert isinstance(store, PostgresStore)
    made = store.make_months(ours.clock.now(), ahead=1)
    assert [month.name for month in made] == ["razorpay_inbox_2026_04", "razorpay_audit_2026_04"]
    ours.clock.advance(31 * DAY)
    ours.rzp.retention.apply()
    assert [month.name for month in store.months("inbox")] == [f"razorpay_inbox_2026_0{n}" for n in (4, 5, 6, 7)]
    late = body("payment.failed", payment=person(9, "failed", order_id=None))
    assert ours.deliver(late) == 200
    assert _table_of(ours, late) == "razorpay_inbox_2026_04"


def test_old_months_are_dropped_whole_with_their_keys(monthly: Shop) -> None:
    """A dry run drops nothing; a body that comes again is then news, and changes nothing; the trail still verifies."""
    store = monthly.store
    assert isinstance(store, PostgresStore)
    keeper = _keeper(monthly, bodies=30, deliveries=30)  # it is the 3rd of June: March and April are over
    planned = keeper.plan()
    assert planned.counts["deliveries"] == Counts(erased=2)
    assert len(store.months("inbox")) == 6
    assert keeper.apply().counts["deliveries"] == Counts(erased=2)
    assert store.months("inbox")[0].name == "razorpay_inbox_2026_05"
    with store.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM razorpay_digests").fetchone() == (1,)
    before = books(store)["payments"]
    assert monthly.deliver(captured(1)) == 200
    assert books(store)["payments"] == before
    assert monthly.rzp.audit.verify().whole


def test_a_month_with_work_or_a_hold_goes_row_by_row(monthly: Shop) -> None:
    """What is still work stays, and so does what is on hold; the rest of the month goes."""
    store = monthly.store
    assert isinstance(store, PostgresStore)
    monthly.rzp.retention.hold("user:1", actor="legal")
    keeper = _keeper(monthly, bodies=30, deliveries=30)
    assert keeper.apply().counts["deliveries"] == Counts(erased=1, held=1)
    assert len(store.months("inbox")) >= 6
    assert store.deliveries()[0].body == captured(1)
    monthly.rzp.retention.release("user:1")
    assert keeper.apply().counts["deliveries"] == Counts(erased=1)  # the whole of March; April is empty
    assert store.months("inbox")[0].name == "razorpay_inbox_2026_05"


def test_the_trail_is_cut_by_sealed_months_and_verifies(monthly: Shop) -> None:
    """Never by default; where the policy says so, from its beginning, and the verification knows."""
    store = monthly.store
    assert isinstance(store, PostgresStore)
    monthly.clock.advance(365 * DAY)
    assert monthly.rzp.retention.apply().counts["audit"] == Counts()
    keeper = _keeper(monthly, audit=365)
    planned = keeper.plan().counts["audit"]
    done = keeper.apply().counts["audit"]
    assert planned == done
    assert done.erased > 0
    found = monthly.rzp.audit.verify()
    assert found.whole
    assert found.dropped == done.erased
    assert found.dropped_until == START.replace(month=6, day=1, hour=0)


def test_what_is_not_sealed_is_not_cut(monthly: Shop) -> None:
    """The seal is what is left of a row that was dropped."""
    store = monthly.store
    assert isinstance(store, PostgresStore)
    store.make_months(monthly.clock.now())
    monthly.adopt(4)  # in June, and nobody seals it
    monthly.clock.advance(500 * DAY)
    done = _keeper(monthly, audit=365).apply().counts["audit"]
    assert done.open == 1
    assert store.months("audit")[0].name == "razorpay_audit_2026_06"
    assert monthly.rzp.audit.verify().whole


def test_months_are_made_from_the_command_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named, and once."""
    with new_schema() as url:
        store = PostgresStore(url)
        store.migrate()
        store.close()
        monkeypatch.setenv("RAZORPAY_STORE_URL", url)
        assert main(["db", "partition", "--ahead", "1", "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)["made"]) == 4
        assert main(["db", "partition", "--ahead", "1"]) == 0
        assert "0 partitions made" in capsys.readouterr().out

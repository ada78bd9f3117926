"""Retention: people go, the books stay; holds, what is still to be done, and late news."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodies import Shop, body, life_of, order, order_id, payment, payment_id, refund
from razorpay_hardened import MemoryStore, RetentionPolicy, SQLiteStore
from razorpay_hardened.domain.audit import broken_at
from razorpay_hardened.domain.events import read_event
from razorpay_hardened.domain.privacy import KEPT, impersonal
from razorpay_hardened.errors import BodyErased, ConfigError, FieldInvalid, OrderUnknown
from razorpay_hardened.retention import Counts, Retention
from razorpay_hardened.storage._keeping import keeping
from razorpay_hardened.storage._statements import SQLITE, TABLES, many

pytestmark = pytest.mark.slow

DAY = 86400.0
PERSON = {
    "email": "canary.one@example.net",
    "contact": "+919812345670",
    "vpa": "canary.vpa@okbank",
    "card": {"last4": "7391", "name": "Canary Kumar", "network": "Visa"},
    "notes": {"address": "17 Canary Street", "canary_key": "canary note"},
    "customer_id": "cust_CanaryCanary0",
    "acquirer_data": {"rrn": "990000000017", "bank_transaction_id": "canarybank17"},
    "description": "Gift for Canary Kumar",
}
"""What a payment says about somebody. No part of it is a part of anything else in these tests."""
CANARIES = (
    *("canary.one@example.net", "9812345670", "canary.vpa@okbank", '"7391"', "Canary Kumar", "17 Canary Street"),
    *("canary note", "canary_key", "cust_CanaryCanary0", "990000000017", "canarybank17"),
)


def forms(canary: str) -> Iterator[bytes]:
    """A canary as it may lie in a table: raw, in hex, in base64 at any alignment."""
    raw = canary.encode()
    yield raw
    yield raw.hex().encode()
    for shift in range(3):
        yield b64encode(b"x" * shift + raw)[4 if shift else 0 : -4]


def everything(store: Any) -> bytes:
    """Every cell of every table of ours, as bytes, one a line."""
    with store.transaction() as tx:
        rows = [row for table in TABLES for row in tx.execute(" ".join(("SELECT * FROM", table))).fetchall()]
    cells = (cell for row in rows for cell in row)
    return b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells)


def seen_in(data: bytes) -> list[str]:
    """The canaries that are somewhere in ``data``."""
    return [canary for canary in CANARIES if any(form in data for form in forms(canary))]


def books(store: Any) -> dict[str, Any]:
    """What must be as it was: sums, statuses, digests, chains."""
    with store.transaction() as tx:

        def all_of(sql: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in tx.execute(sql).fetchall()]

        return {
            "orders": all_of("SELECT local_id, owner, amount, currency, status FROM razorpay_orders ORDER BY 1"),
            "payments": all_of(
                "SELECT payment_id, amount, currency, status, captured, claimed, refunds_known, milestones, updated_at"
                " FROM razorpay_payments ORDER BY 1"
            ),
            "refunds": all_of("SELECT refund_id, amount, currency, status FROM razorpay_refunds ORDER BY 1"),
            "totals": all_of("SELECT key, captured, audit_seq, audit_head FROM razorpay_anchors ORDER BY 1"),
            "digests": all_of("SELECT digest, state, event_id FROM razorpay_inbox ORDER BY 1"),
            "audit": all_of("SELECT * FROM razorpay_audit ORDER BY anchor, seq"),
            "effects": all_of("SELECT key, handler, state FROM razorpay_effects ORDER BY 1, 2"),
        }


def broken_chains(store: Any) -> list[str]:
    return [
        one.key for one in store.anchors() if broken_at(store.audit(one.key), one.audit_seq, one.audit_head) is not None
    ]


def person(number: int, status: str, **fields: Any) -> dict[str, Any]:
    return payment(number, status, **{**PERSON, **fields})


def captured(number: int) -> bytes:
    return body("payment.captured", payment=person(number, "captured"))


def shop(*numbers: int, store: Any = None, **options: Any) -> Shop:
    """A shop that was paid for these orders."""
    ours = Shop(store or MemoryStore(), **options)
    ours.store.migrate()
    for number in numbers:
        ours.adopt(number, owner=f"user:{number}")
        assert ours.deliver(captured(number)) == 200
    return ours


def snapshots(ours: Shop) -> list[str | None]:
    return [row.snapshot for row in ours.store.payments()]


# --- the policy


def test_the_defaults_keep_what_is_still_work() -> None:
    """Bodies and errors a quarter, snapshots a year, dedupe keys for ever."""
    policy = RetentionPolicy()
    assert (policy.bodies, policy.errors) == (timedelta(days=90), timedelta(days=90))
    assert (policy.snapshots, policy.deliveries) == (timedelta(days=365), None)


@pytest.mark.parametrize(
    ("ages", "text"),
    [
        ({"bodies": timedelta(days=3)}, "4 days or more"),
        ({"snapshots": timedelta(0)}, "4 days or more"),
        ({"errors": 90}, "timedelta"),
        ({"deliveries": timedelta(days=29)}, "30 days or more"),
        ({"audit": timedelta(days=364)}, "365 days or more"),
        ({"deliveries": timedelta(days=60)}, "longer than deliveries"),
        ({"deliveries": timedelta(days=60), "bodies": None}, "longer than deliveries"),
    ],
)
def test_ages_that_would_break_something_are_refused(ages: dict[str, Any], text: str) -> None:
    """At start, with a sentence: a dedupe key that is gone would let a replay in as news."""
    with pytest.raises(ConfigError, match=text):
        RetentionPolicy(**ages)


def test_only_a_store_with_months_can_cut_the_trail() -> None:
    """Told when it is asked to, not passed over."""
    ours = shop(1)
    with pytest.raises(ConfigError, match="PostgreSQL"):
        Retention(ours.store, clock=ours.clock, policy=RetentionPolicy(audit=timedelta(days=400))).apply()


def test_none_keeps_a_class_for_ever() -> None:
    """And is no error."""
    policy = RetentionPolicy(bodies=None, snapshots=None, errors=None)
    ours = shop(1)
    ours.clock.advance(9999 * DAY)
    report = Retention(ours.store, clock=ours.clock, policy=policy).apply()
    assert report.erased == 0
    assert seen_in(everything(ours.store)) == list(CANARIES)


# --- what is kept of a snapshot


@pytest.mark.parametrize("kind", list(KEPT))
def test_what_is_not_on_the_list_is_gone(kind: str) -> None:
    """Unknown fields may be personal; kept fields hold numbers, flags and codes, whatever stands in them."""
    entity = dict.fromkeys(KEPT[kind], "ok") | {"id": "pay_1", "shiny_new_field": "x", "contact": "+91", "amount": 5}
    kept = json.loads(impersonal(kind, json.dumps(entity)) or "")
    assert kept.keys() == KEPT[kind]
    for odd in ("a sentence", "+919812345670", "a@b.example", {"name": "x"}, ["x"], 1.5, "x" * 65):
        assert "status" not in json.loads(impersonal(kind, json.dumps({"status": odd})) or "")
    assert impersonal(kind, None) is None


def test_an_erased_row_can_still_be_read() -> None:
    """``.razorpay`` of each kind is an entity with its money, and without a person."""
    ours = shop(1)
    ours.deliver(body("order.paid", payment=person(1, "captured"), order=order(1, "paid")))
    given_back = person(1, "refunded")
    ours.deliver(body("refund.processed", refund=refund(1, "processed", notes={"n": "x"}), payment=given_back))
    ours.clock.advance(400 * DAY)
    ours.rzp.retention.apply()
    paid = ours.store.payment(payment_id(1))
    assert paid is not None
    assert paid.razorpay is not None
    assert (paid.razorpay.amount, paid.razorpay.method, paid.razorpay.email) == (49900, "upi", None)
    assert paid.erased_at == ours.clock.now()
    held = ours.store.order(order_id(1))
    assert held is not None
    assert held.erased_at is not None
    assert held.owner == "user:1"
    back = ours.store.refund("rfnd_00000000000001")
    assert back is not None
    assert back.razorpay is not None
    assert (back.razorpay.amount, back.erased_at) == (49900, ours.clock.now())


# --- the law


_VALUES = st.sampled_from(CANARIES) | st.just(PERSON)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    lives=st.lists(st.sets(st.sampled_from(sorted(life_of(1))), min_size=1), min_size=1, max_size=4),
    unknown=st.dictionaries(st.text("abcdef_", min_size=8, max_size=12), _VALUES, max_size=3),
    hidden_in=st.sampled_from(["method", "status_reason", "fee_bearer", "entity_extra"]),
    breaks=st.booleans(),
)
def test_nobody_is_left_and_the_books_are_as_they_were(
    lives: list[set[str]], unknown: dict[str, Any], hidden_in: str, breaks: bool
) -> None:
    """Planted anywhere in what Razorpay sends, or in what a handler raises: in no table afterwards, in no form."""
    ours = Shop(MemoryStore())

    @ours.rzp.on("payment.captured", name="quotes")
    def quotes(change: Any, tx: Any) -> None:
        if breaks:
            raise RuntimeError(f"no mail to {PERSON['email']}")

    sent: list[bytes] = []
    for number, events in enumerate(lives, 1):
        ours.adopt(number)
        if "refund.created" in events:
            events = events | {"refund.processed"}  # a refund that is pending keeps its payment
        for event in sorted(events):
            told = json.loads(life_of(number)[event])
            for one in told["payload"].values():
                one["entity"] |= PERSON | unknown | {hidden_in: PERSON}
            sent.append(json.dumps(told).encode())
            ours.deliver(sent[-1])
            ours.clock.advance(21 * 3600)
            ours.deliver(sent[-1])
    ours.clock.advance(400 * DAY)
    before = books(ours.store)
    planned = ours.rzp.retention.plan()
    assert books(ours.store) | {"totals": None} == before | {"totals": None}
    done = ours.rzp.retention.apply()
    assert (planned.counts, planned.dry, done.dry) == (done.counts, True, False)
    assert seen_in(everything(ours.store)) == []
    after = books(ours.store)
    assert after == before
    assert broken_chains(ours.store) == []
    assert ours.rzp.retention.apply().erased == 0
    assert all(ours.deliver(raw) == 200 for raw in sent)
    assert books(ours.store) == before


def _digest(raw: bytes) -> str:
    from hashlib import sha256

    return sha256(raw).hexdigest()


def test_the_file_forgets_too(tmp_path: Path) -> None:
    """SQLite leaves what was replaced in free space: here it is written over, and the log is emptied at the end."""
    path = tmp_path / "shop.db"
    ours = shop(*range(1, 30), store=SQLiteStore(path))
    assert seen_in(path.read_bytes() + path.with_name("shop.db-wal").read_bytes()) == list(CANARIES)
    ours.clock.advance(400 * DAY)
    ours.rzp.retention.apply()
    ours.store.close()
    assert not path.with_name("shop.db-wal").exists()
    assert seen_in(path.read_bytes()) == []


# --- step by step


@pytest.mark.parametrize("limit", [1, 50, 60])
def test_it_goes_on_where_it_stopped(limit: int) -> None:
    """However small the steps, all of it is erased once, and no step begins at the start."""
    ours = shop(*range(1, 120))
    ours.clock.advance(400 * DAY)
    runs = 0
    total = 0
    while not (report := ours.rzp.retention.apply(limit=limit)).complete:
        runs += 1
        total += report.erased
        assert runs < 40
    total += report.erased
    assert total == 119 * 3  # bodies, orders, payments
    assert runs > 1
    assert seen_in(everything(ours.store)) == []


def test_what_is_too_young_stays_and_goes_later() -> None:
    """Age counts from the last change of anything about the order, and what was left is not forgotten."""
    ours = shop(1, 2)
    ours.clock.advance(200 * DAY)
    given_back = person(2, "refunded")
    ours.deliver(body("refund.processed", refund=refund(2, "processed"), payment=given_back))
    ours.clock.advance(200 * DAY)
    report = ours.rzp.retention.apply()
    assert report.counts["snapshots"] == Counts(erased=2, fresh=1)
    assert [row.erased_at is not None for row in ours.store.payments()] == [True, False]
    ours.clock.advance(200 * DAY)
    assert ours.rzp.retention.apply().counts["snapshots"] == Counts(erased=3)
    assert seen_in(everything(ours.store)) == []


def test_what_is_still_to_be_done_is_left() -> None:
    """Parked and quarantined bodies, payments whose effects wait or whose refund is pending; and later they go."""
    ours = shop(1)
    broken = [True]

    @ours.rzp.after("refund.created", name="mail")
    def mail(change: Any) -> None:
        if broken:
            raise RuntimeError

    ours.deliver(captured(7))  # parked: nobody knows the order
    ours.deliver(body("payment.captured", payment=person(8, "failed")))  # a contradiction
    ours.deliver(body("refund.created", refund=refund(1, "pending"), payment=person(1, "captured")))
    ours.clock.advance(400 * DAY)
    report = ours.rzp.retention.apply()
    assert report.counts["bodies"] == Counts(erased=2, open=2)
    assert report.counts["snapshots"] == Counts(open=1)
    assert seen_in(everything(ours.store)) == list(CANARIES)
    broken.clear()
    ours.rzp.webhooks.process_pending()
    ours.deliver(body("refund.processed", refund=refund(1, "processed"), payment=person(1, "refunded")))
    ours.adopt(7)
    ours.clock.advance(400 * DAY)
    ours.rzp.retention.apply()
    left = [row for row in ours.store.deliveries() if row.body]
    assert [row.state for row in left] == ["quarantined"]
    assert all(row.erased_at for row in ours.store.payments())


def test_dedupe_rows_go_by_their_own_age() -> None:
    """Then a body that comes again is news, and the ledger says that it is stale: no effect runs twice."""
    ours = shop(1)
    calls: list[str] = []
    ours.rzp.on("order.paid", name="grant")(lambda change, tx: calls.append(change.key))
    policy = RetentionPolicy(bodies=timedelta(days=30), deliveries=timedelta(days=30))
    keeper = Retention(ours.store, clock=ours.clock, policy=policy)
    ours.clock.advance(29 * DAY)
    assert keeper.apply().erased == 0
    ours.clock.advance(2 * DAY)
    assert keeper.apply().counts["deliveries"] == Counts(erased=1)
    assert ours.store.deliveries() == []
    assert ours.deliver(captured(1)) == 200
    assert calls == []


# --- legal holds


@pytest.mark.parametrize("subject", [order_id(1), payment_id(1), "user:1"])
def test_a_hold_keeps_everything_about_it(subject: str) -> None:
    """By order, payment or owner: snapshots, bodies and errors; nothing of anybody else. Released, they go."""
    ours = Shop(MemoryStore())

    @ours.rzp.on("order.paid", name="quotes")
    def quotes(change: Any, tx: Any) -> None:
        raise RuntimeError(f"no mail to {PERSON['email']}")

    for number in (1, 2):
        ours.adopt(number, owner=f"user:{number}")
        ours.deliver(captured(number))
        ours.clock.advance(21 * 3600)
        ours.deliver(captured(number))
    ours.rzp.retention.hold(subject, actor="legal", note="case 7")
    ours.clock.advance(400 * DAY)
    for _ in range(2):
        report = ours.rzp.retention.apply()
        assert {name: one.held > 0 for name, one in report.counts.items()} == {
            "bodies": True,
            "snapshots": True,
            "errors": True,
            "deliveries": False,
            "audit": False,
        }
        assert ours.store.payment(payment_id(1)).razorpay.email == PERSON["email"]  # type: ignore[union-attr]
        assert [row.body == captured(1) for row in ours.store.deliveries()] == [True, False]
        assert [bool(row.error and "mail" in row.error) for row in ours.store.effects()] == [True, False]
    assert [(one.subject, one.actor, one.note) for one in ours.rzp.retention.holds()] == [(subject, "legal", "case 7")]
    assert not ours.rzp.retention.erase(owner="user:1").complete
    assert ours.rzp.retention.release(subject)
    assert not ours.rzp.retention.release(subject)
    ours.rzp.retention.apply()
    assert seen_in(everything(ours.store)) == []


def test_holds_are_listed_in_pages_and_need_somebody() -> None:
    """More of them than one page; and no hold without an actor."""
    ours = shop()
    for number in range(1100):
        ours.rzp.retention.hold(f"user:{number:04}", actor="legal")
    assert len(ours.rzp.retention.holds()) == 1100
    with pytest.raises(FieldInvalid):
        ours.rzp.retention.hold("user:1", actor=" ")
    with pytest.raises(FieldInvalid):
        ours.rzp.retention.hold("", actor="legal")


# --- late news


def test_late_news_does_not_bring_a_person_back() -> None:
    """A refund of an erased payment counts, fires, and is stored without the person; its body is not kept."""
    ours = shop(1)
    fired: list[str] = []
    ours.rzp.on("refund.processed", name="book")(lambda change, tx: fired.append(change.key))
    ours.rzp.retention.erase(owner="user:1")
    assert seen_in(everything(ours.store)) == []
    late = body(
        "refund.processed",
        refund=refund(1, "processed", **PERSON),
        payment=person(1, "refunded"),
        order=order(1, "paid"),
    )
    assert ours.deliver(late) == 200
    assert seen_in(everything(ours.store)) == []
    assert len(fired) == 1
    held = ours.store.payment(payment_id(1))
    assert held is not None
    assert (held.status, held.refunded) == ("refunded", 49900)
    assert held.razorpay is not None
    assert held.razorpay.status == "refunded"  # the news is in, reduced to what may stay
    assert broken_chains(ours.store) == []
    assert ours.deliver(late) == 200


def test_a_hold_keeps_the_body_of_late_news() -> None:
    """What was erased stays erased; what comes under the hold is evidence."""
    ours = shop(1)
    ours.rzp.retention.erase(payment=payment_id(1))
    ours.rzp.retention.hold("user:1", actor="legal")
    late = body("refund.processed", refund=refund(1, "processed"), payment=person(1, "refunded"))
    ours.deliver(late)
    assert [row.body for row in ours.store.deliveries() if row.body] == [late]
    assert not any(canary in (snapshots(ours)[0] or "") for canary in CANARIES)


def test_a_new_payment_of_an_erased_order_is_a_new_matter() -> None:
    """Somebody pays again: that is data of today."""
    ours = shop(1)
    ours.rzp.retention.erase(order=order_id(1))
    ours.deliver(body("payment.failed", payment=person(2, "failed", order_id=order_id(1))))
    again = ours.store.payment(payment_id(2))
    assert again is not None
    assert again.erased_at is None


def test_replaying_what_was_erased_says_so() -> None:
    """A typed error, not an empty body that cannot be read."""
    ours = shop(1)
    ours.clock.advance(100 * DAY)
    ours.rzp.retention.apply()
    for force in (False, True):
        with pytest.raises(BodyErased, match="reconcile"):
            ours.rzp.webhooks.replay(_digest(captured(1)), force=force)
    assert ours.deliver(captured(1)) == 200


# --- a person's right


def test_forgetting_an_owner_forgets_all_of_theirs_and_nobody_elses() -> None:
    """Orders, payments, refunds, bodies and errors, today; the owner's id stays, it is yours."""
    ours = shop(1, 2)
    ours.adopt(3, owner="user:1")
    ours.deliver(captured(3))
    ours.deliver(body("payment.teleported", payment=person(3, "captured")))  # a type that nothing tracks
    ours.clock.advance(DAY)
    told = ours.rzp.retention.erase(owner="user:1")
    assert (told.rows, told.bodies, told.complete) == (4, 3, True)
    assert [bool(row.body) for row in ours.store.deliveries()] == [False, True, False, False]
    assert [row.erased_at is None for row in ours.store.payments()] == [False, True, False]
    assert {row.owner for row in ours.store.orders()} == {"user:1", "user:2"}
    again = ours.rzp.retention.erase(owner="user:1")
    assert (again.rows, again.bodies, again.complete) == (0, 0, True)


def test_forgetting_finds_bodies_that_a_run_had_to_leave() -> None:
    """The walk is past them; they are not lost."""
    ours = shop(1)
    ours.rzp.retention.hold("user:1", actor="legal")
    ours.clock.advance(400 * DAY)
    ours.rzp.retention.apply()
    ours.rzp.retention.release("user:1")
    assert ours.rzp.retention.erase(owner="user:1").bodies == 1
    assert seen_in(everything(ours.store)) == []


def test_what_is_open_is_named() -> None:
    """A quarantined body about somebody is left for a person to judge, by its digest."""
    ours = shop(1)
    strange = body("payment.captured", payment=person(1, "failed"))
    ours.deliver(strange)
    told = ours.rzp.retention.erase(payment=payment_id(1))
    assert told.open == (_digest(strange),)
    assert not told.complete


def test_forgetting_nobody_is_an_error() -> None:
    """A slip in an id must not look like done."""
    ours = shop(1)
    for who in ({"owner": "user:9"}, {"payment": payment_id(9)}, {"order": order_id(9)}):
        with pytest.raises(OrderUnknown):
            ours.rzp.retention.erase(**who)
    with pytest.raises(FieldInvalid):
        ours.rzp.retention.erase()
    with pytest.raises(FieldInvalid):
        ours.rzp.retention.erase(owner="user:1", payment=payment_id(1))


# --- how


def test_no_statement_scans_a_table(tmp_path: Path) -> None:
    """Each finds its rows through an index, with a real table's statistics or without."""
    ours = shop(*range(1, 40), store=SQLiteStore(tmp_path / "shop.db"))
    numbers = {"marks": ("", "a", "b", 5), "received": (0, 5)}
    with ours.store.transaction() as tx:
        for name, sql in keeping(SQLITE).items():
            if name in ("switches", "any_hold", "last_seal", "drop_digest") or name.startswith("put_"):
                continue  # one row at most, or all of a handful
            text = many(sql, 3)
            values = numbers.get(name, ("x",) * text.count("?"))
            plan = [row[3] for row in tx.execute(f"EXPLAIN QUERY PLAN {text}", values).fetchall()]
            assert not [line for line in plan if line.startswith("SCAN")], (name, plan)
            assert not [line for line in plan if "TEMP B-TREE FOR ORDER" in line], (name, plan)
    ours.store.close()


def test_reading_an_event_is_what_the_ids_come_from() -> None:
    """The regular expression over the bytes finds what the parser finds."""
    from razorpay_hardened.domain.privacy import ids_in

    raw = life_of(3)["refund.processed"]
    facts = read_event(raw, None).facts()
    named = {getattr(fact, name, None) for fact in facts for name in ("payment_id", "order_id", "refund_id")} - {None}
    assert named <= ids_in(raw)
    assert ids_in(raw[:-40]) >= {payment_id(3)}

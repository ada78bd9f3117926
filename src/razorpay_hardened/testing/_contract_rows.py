"""The store contract, second half: state, reading, audit, and upkeep."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from razorpay_hardened.domain.audit import AuditRow, broken_at, chained
from razorpay_hardened.domain.state import (
    AnchorState,
    EntityState,
    OrderState,
    PaymentState,
    RefundIntent,
    RefundState,
)
from razorpay_hardened.errors import StorageError
from razorpay_hardened.ports.store import Batch, Fired, Held, InboxRow, Run, Store, Touches, Transaction
from razorpay_hardened.testing._contract_values import (
    NOTHING,
    T0,
    audit,
    claim,
    delivery,
    effect,
    entity,
    finding,
    intent,
    later,
    order,
    payment,
    refund,
    run,
    started,
    unit,
    write,
)

__all__ = ["AuditContract", "ReadingContract", "StateContract", "UpkeepContract"]

BIG = 2**53 + 1  # the first integer that a float cannot hold

ORDERS = [
    order(),
    order(
        owner="usér:☃",
        plan="gold",
        amount=BIG,
        currency="KWD",
        receipt="r'1",
        status="paid",
        order_id="order_A",
        partial_payment=True,
        attempts=3,
        closed_at=later(7),
        snapshot='{"a": "b"}',
        updated_at=later(8),
    ),
]
PAYMENTS = [
    payment(),
    payment(
        anchor="order_B",
        order_id="order_B",
        status="refunded",
        reach="captured",
        amount=BIG,
        currency="JPY",
        captured=True,
        claimed=5,
        refunds_known=4,
        refunds_failed=3,
        surplus=True,
        milestones=frozenset({"payment.captured", "payment.authorized"}),
        snapshot="{}",
        updated_at=later(8),
        created_at=later(-9),
    ),
]
REFUNDS = [
    refund(),
    refund(payment_id="pay_B", anchor="order_B", status="failed", amount=BIG, key="key-1", snapshot="{}"),
]
ENTITIES = [
    entity(),
    entity(
        kind="dispute",
        anchor="order_A",
        status="under_review",
        phase="chargeback",
        snapshot='{"a": "☃"}',
        created_at=later(-9),
        updated_at=later(8),
        told_at=later(7),
        erased_at=later(9),
    ),
]
INTENTS = [intent(), intent(state="refused", amount=BIG, refund_id="rfnd_1", reason="too much")]


def _load(store: Store, touches: Touches) -> Held:
    with store.transaction() as tx:
        return tx.load(touches)


class StateContract:
    """Rows come back as they were written; an anchor counts every visit; what is unique stays so."""

    def test_loading_makes_and_counts_anchors(self, store: Store) -> None:
        """Every load updates its anchors, known or not, and gives all of them."""
        assert _load(store, Touches(("order_A", "order_B"))).anchors == {
            "order_A": AnchorState("order_A", version=1),
            "order_B": AnchorState("order_B", version=1),
        }
        assert _load(store, Touches(("order_A",))).anchors["order_A"].version == 2
        assert _load(store, NOTHING) == Held()

    def test_an_anchor_keeps_what_was_written(self, store: Store) -> None:
        """Totals and the head of the chain survive, and the next load counts on."""
        state = AnchorState("order_A", version=1, captured=BIG, audit_seq=3, audit_head="abc")
        with store.transaction() as tx:
            tx.load(Touches(("order_A",)))
            tx.write(Batch(anchors=[state]))
        assert _load(store, Touches(("order_A",))).anchors["order_A"] == replace(state, version=2)

    def test_writers_about_one_order_go_one_after_the_other(self, store: Store) -> None:
        """Read, add and write from many threads at once loses nothing."""

        def add(tx: Transaction) -> None:
            anchor = tx.load(Touches(("order_A",))).anchors["order_A"]
            tx.write(Batch(anchors=[replace(anchor, captured=anchor.captured + 1)]))

        for join in [started(lambda: unit(store, add)) for _ in range(8)]:
            join()
        assert store.anchors() == [AnchorState("order_A", version=8, captured=8)]

    @pytest.mark.parametrize("state", ORDERS)
    def test_every_field_of_an_order_survives(self, store: Store, state: OrderState) -> None:
        """An order comes back equal, from a transaction and from a reader."""
        write(store, orders=[state])
        assert _load(store, Touches((), local_ids=("local-1",))).orders == {"local-1": state}
        assert store.order("local-1") == state

    @pytest.mark.parametrize("state", PAYMENTS)
    def test_every_field_of_a_payment_survives(self, store: Store, state: PaymentState) -> None:
        """A payment comes back equal, from a transaction and from a reader."""
        write(store, payments=[state])
        assert _load(store, Touches((), payments=(state.payment_id,))).payments == {state.payment_id: state}
        assert store.payment(state.payment_id) == state

    @pytest.mark.parametrize("state", REFUNDS)
    def test_every_field_of_a_refund_survives(self, store: Store, state: RefundState) -> None:
        """A refund comes back equal, from a transaction and from a reader."""
        write(store, refunds=[state])
        assert _load(store, Touches((), refunds=(state.refund_id,))).refunds == {state.refund_id: state}
        assert store.refund(state.refund_id) == state

    @pytest.mark.parametrize("state", ENTITIES)
    def test_every_field_of_an_entity_survives(self, store: Store, state: EntityState) -> None:
        """Any other kind comes back equal, from a transaction and from a reader; what is unknown is absent."""
        write(store, entities=[state])
        assert _load(store, Touches((), entities=(state.entity_id, "sub_none"))).entities == {state.entity_id: state}
        assert store.entity(state.entity_id) == state
        assert store.entity("sub_none") is None

    @pytest.mark.parametrize("loaded", [False, True])
    def test_an_entity_is_replaced_whole(self, store: Store, loaded: bool) -> None:
        """Every field, whether the transaction had loaded it or not."""
        write(store, entities=ENTITIES[:1])
        with store.transaction() as tx:
            if loaded:
                tx.load(Touches(("order_A",), entities=(ENTITIES[0].entity_id,)))
            tx.write(Batch(entities=ENTITIES[1:]))
            tx.load(Touches(("order_A",), entities=(ENTITIES[0].entity_id,)))
            tx.write(Batch(entities=[replace(ENTITIES[1], status="won")]))
        assert store.entities() == [replace(ENTITIES[1], status="won")]

    def test_a_milestone_that_has_fired_is_remembered_for_ever(self, store: Store) -> None:
        """Those that were asked for, and no others; writing one again changes nothing, and what was undone is not."""
        write(store, fired=[Fired("subscription.charged:sub_A:pay_1", T0), Fired("dispute.won:disp_A", T0)])
        with store.transaction() as tx, pytest.raises(ValueError), tx.savepoint():  # noqa: PT012, PT011
            tx.write(Batch(fired=[Fired("invoice.paid:inv_A", T0)]))
            raise ValueError
        write(store, fired=[Fired("dispute.won:disp_A", later(9))])
        asked = ("dispute.won:disp_A", "invoice.paid:inv_A", "subscription.charged:sub_A:pay_2")
        held = _load(store, Touches(("disp_A",), entities=("disp_A",), milestones=asked))
        assert held.fired == {"dispute.won:disp_A"}
        alone = _load(store, Touches(("order_A",), milestones=("dispute.won:disp_A", "dispute.lost:disp_A")))
        assert alone.fired == {"dispute.won:disp_A"}, "milestones are told where no other entity is asked for, too"
        assert _load(store, Touches(("disp_A",))).fired == set()

    def test_entities_are_listed(self, store: Store) -> None:
        """By kind, anchor, status and time, in order of (created_at, id), going on after the last one seen."""
        rows = [
            entity(1),
            entity(2, kind="dispute", anchor="order_A", status="won"),
            entity(3),
            entity(4, status="active"),
        ]
        write(store, entities=rows)
        assert store.entities() == rows
        assert store.entities(kind="dispute") == store.entities(anchor="order_A") == rows[1:2]
        assert store.entities(statuses=("active", "won")) == [rows[1], rows[3]]
        assert store.entities(since=later(2), until=later(4)) == rows[1:3]
        assert store.entities(kind="subscription", after=(later(1), rows[0].entity_id), limit=1) == [rows[2]]

    @pytest.mark.parametrize("loaded", [False, True])
    def test_a_row_is_replaced_whole(self, store: Store, loaded: bool) -> None:
        """Writing a row again replaces every field, whether the transaction had loaded it or not."""
        write(store, orders=ORDERS[:1], payments=PAYMENTS[:1], refunds=REFUNDS[:1])
        with store.transaction() as tx:
            if loaded:
                tx.load(Touches((), ("local-1",), (PAYMENTS[0].payment_id,), (REFUNDS[0].refund_id,)))
            tx.write(Batch(orders=ORDERS[1:], payments=PAYMENTS[1:], refunds=REFUNDS[1:]))
            changed = replace(ORDERS[1], status="attempted"), replace(PAYMENTS[1], claimed=6)
            tx.load(Touches((), ("local-1",), (PAYMENTS[0].payment_id,)))
            tx.write(Batch(orders=[changed[0]], payments=[changed[1]]))
        assert store.orders() == [changed[0]]
        assert store.payments() == [changed[1]]
        assert store.refunds() == REFUNDS[1:]

    def test_a_row_loaded_in_a_savepoint_that_was_undone_is_still_written(self, store: Store) -> None:
        """What a transaction remembers of a row is no reason to lose it."""
        with store.transaction() as tx:
            with pytest.raises(ValueError), tx.savepoint():  # noqa: PT012, PT011
                tx.write(Batch(orders=[order()]))
                tx.load(Touches(("order_A",), ("local-1",)))
                raise ValueError
            tx.write(Batch(anchors=[AnchorState("order_A", captured=5)], orders=[order()]))
        assert store.order("local-1") == order()
        assert store.anchors() == [AnchorState("order_A", captured=5)]

    def test_loading_reads_what_was_asked_and_no_more(self, store: Store) -> None:
        """Orders by local id and by anchor, payments and refunds by id; what is unknown is simply absent."""
        orders = [order(1, order_id="order_A"), order(2), order(3), order(4, order_id="order_D")]
        payments, refunds = [payment(1), payment(2)], [refund(1), refund(2)]
        write(store, orders=orders, payments=payments, refunds=refunds)
        held = _load(store, Touches(("order_A",), ("local-2", "local-9"), (payment(1).payment_id,), ("rfnd_none",)))
        assert held.orders == {"local-1": orders[0], "local-2": orders[1]}
        assert held.payments == {payments[0].payment_id: payments[0]}
        assert held.refunds == {}

    def test_the_anchors_of_payments_are_found(self, store: Store) -> None:
        """Known payments give their anchor, any number at once; unknown ones are absent."""
        write(store, payments=[payment(1), payment(2, anchor="order_B")])
        with store.transaction() as tx:
            found = tx.anchors_of([payment(n).payment_id for n in range(1200)])
            assert tx.anchors_of(iter(())) == {}
        assert found == {payment(1).payment_id: "order_A", payment(2).payment_id: "order_B"}

    @pytest.mark.parametrize(
        "rows",
        [
            {"orders": [order(1), order(2, receipt="receipt-1")]},
            {"orders": [order(1, order_id="order_A"), order(2, order_id="order_A")]},
            {"audit": [chained(audit(), 1, ""), chained(audit(what="noted"), 1, "")]},
            {"orders": [order(amount=-1)]},
            {"payments": [payment(amount=-1)]},
            {"payments": [payment(currency="")]},
            {"refunds": [refund(amount=-1)]},
        ],
        ids=["receipt", "order id", "audit number", "order amount", "payment amount", "currency", "refund amount"],
    )
    def test_what_breaks_a_rule_of_the_tables_is_refused_whole(self, store: Store, rows: dict[str, Any]) -> None:
        """Doubles of what is unique and impossible amounts raise StorageError, and nothing is committed."""
        with pytest.raises(StorageError) as caught:
            write(store, **rows)
        assert not caught.value.retryable
        assert store.orders() == []
        assert store.payments() == []

    @pytest.mark.parametrize("wanted", INTENTS)
    def test_every_field_of_a_refund_intent_survives(self, store: Store, wanted: RefundIntent) -> None:
        """An intent comes back equal, and replaces the one with its key."""
        with store.transaction() as tx:
            tx.put_intent(intent())
            tx.put_intent(wanted)
            tx.put_intent(intent(2, payment_id="pay_B"))
            assert tx.intents("pay_A") == [wanted]

    def test_open_intents_are_listed_oldest_first(self, store: Store) -> None:
        """Only those without an end, made before the moment."""
        with store.transaction() as tx:
            for one in (intent(3), intent(1), intent(2, state="bound", refund_id="rfnd_1"), intent(9)):
                tx.put_intent(one)
        assert store.open_intents(before=later(9)) == [intent(1), intent(3)]
        assert store.open_intents(before=later(99), limit=1) == [intent(1)]


def _pages(listing: Any, key: Any, **options: Any) -> list[Any]:
    """All rows, two at a time."""
    rows: list[Any] = []
    while page := listing(limit=2, after=key(rows[-1]) if rows else None, **options):
        rows += page
    return rows


class ReadingContract:
    """Lists are in order, go on after the last row seen, and miss nothing."""

    def test_orders_are_listed_in_order_and_in_pages(self, store: Store) -> None:
        """Orders made at the same instant are neither lost nor doubled at the end of a page."""
        rows = [order(n, created_at=later(n // 3)) for n in range(1, 8)]
        write(store, orders=rows[::-1])
        assert _pages(store.orders, lambda row: (row.created_at, row.local_id)) == rows

    def test_orders_are_narrowed(self, store: Store) -> None:
        """By time (until is not included), status and owner."""
        rows = [order(n, status=status, owner=f"user:{n}") for n, status in enumerate(["created", "paid", "paid"])]
        write(store, orders=rows)
        assert store.orders(since=later(1), until=later(2)) == [rows[1]]
        assert store.orders(statuses=["paid", "attempted"]) == rows[1:]
        assert store.orders(owner="user:2", statuses=["paid"]) == [rows[2]]
        assert store.orders(limit=1) == rows[:1]

    def test_an_order_is_found_by_either_id(self, store: Store) -> None:
        """By the local id or by Razorpay's; unknown is None."""
        write(store, orders=[order(order_id="order_A")])
        assert store.order("order_A") == store.order("local-1") == order(order_id="order_A")
        assert store.order("order_B") is None

    def test_payments_and_refunds_are_listed(self, store: Store) -> None:
        """In pages, by time, status, anchor and payment."""
        payments = [payment(n, anchor=f"order_{n % 2}", created_at=T0, status=f"s{n}") for n in range(5)]
        refunds = [refund(n, payment_id=f"pay_{n % 2}", created_at=T0, status=f"s{n}") for n in range(5)]
        write(store, payments=payments, refunds=refunds)
        assert _pages(store.payments, lambda row: (row.created_at, row.payment_id)) == payments
        assert _pages(store.refunds, lambda row: (row.created_at, row.refund_id)) == refunds
        assert store.payments(anchor="order_1", statuses=["s1", "s2"]) == [payments[1]]
        assert store.refunds(payment_id="pay_1", statuses=["s3"]) == [refunds[3]]
        assert store.payments(until=T0) == []
        assert store.refunds(since=later(1)) == []
        assert store.payment("pay_none") is None
        assert store.refund("rfnd_none") is None

    def test_a_delivery_comes_back_whole(self, store: Store) -> None:
        """Every field of a stored delivery, its bytes above all."""
        body = bytes(range(256))
        made = delivery(body, event_id="evt_1", created_at=later(-5))
        claim(store, body, event_id="evt_1", created_at=later(-5))
        wanted = InboxRow(made.digest, body, made.event, "evt_1", "done", T0, later(-5), T0)
        assert store.delivery(made.digest) == wanted
        assert store.delivery("0" * 64) is None
        assert store.inbox_state("0" * 64) is None

    def test_deliveries_are_listed(self, store: Store) -> None:
        """In order of receipt, in pages, by state, event id and anchor."""
        bodies = [b"%d" % n for n in range(5)]
        with store.transaction() as tx:
            for n, body in enumerate(bodies):
                tx.claim(delivery(body, event_id=f"evt_{n}", received_at=later(n // 2)), NOTHING)
                if n in (1, 3):
                    tx.settle(delivery(body).digest, "parked", T0, anchor=f"order_{n}")
        listed = _pages(store.deliveries, lambda row: (row.received_at, row.digest))
        assert {row.body for row in listed} == set(bodies)
        assert [row.received_at for row in listed] == [later(n // 2) for n in range(5)]
        assert [row.body for row in store.deliveries(states=["parked"])] == [b"1", b"3"]
        assert len(store.deliveries(states=["parked", "done"])) == 5
        assert [row.body for row in store.deliveries(event_id="evt_2")] == [b"2"]
        assert [row.body for row in store.deliveries(states=["parked"], anchor="order_3")] == [b"3"]

    def test_effects_are_listed(self, store: Store) -> None:
        """In order of id, in pages, by state, mode, anchor and time."""
        rows = write(store, effects=[effect(n, mode="on" if n == 1 else "after", at=later(n)) for n in range(4)])
        assert store.effects(limit=2) == rows[:2]
        assert store.effects(limit=2, after_id=rows[1].id) == rows[2:]
        assert store.effects(mode="on") == [rows[1]]
        assert store.effects(due=later(2), states=["waiting"]) == rows[:3]
        assert store.effects(states=["done"]) == store.effects(anchor="order_B") == []
        assert store.effects(states=["waiting", "dead"], anchor="order_A") == rows

    def test_the_heads_of_effects_are_listed(self, store: Store) -> None:
        """Those that wait for no elder of the same handler and anchor: what is done or dead is waited for no more."""
        lines = (("order_A", "grant"), ("order_A", "grant"), ("order_A", "mail"), ("order_B", "grant"))
        rows = write(store, effects=[effect(n, anchor=line[0], handler=line[1]) for n, line in enumerate(lines)])
        assert store.effects(heads=True) == [rows[0], *rows[2:]]
        assert store.effects(heads=True, due=T0, states=["waiting"], after_id=rows[0].id, limit=1) == [rows[2]]
        with store.transaction() as tx:
            tx.finish_effect(rows[0], "dead", attempts=1, due_at=T0, error="LookupError")
        assert [row.id for row in store.effects(heads=True, states=["waiting"])] == [row.id for row in rows[1:]]

    def test_anchors_are_listed_by_key(self, store: Store) -> None:
        """All of them, in pages."""
        _load(store, Touches(("order_A", "order_B", "pay_C")))
        assert [row.key for row in store.anchors(limit=2)] == ["order_A", "order_B"]
        assert [row.key for row in store.anchors(after_key="order_B")] == ["pay_C"]

    def test_runs_and_findings_survive_and_are_replaced(self, store: Store) -> None:
        """Runs newest first; a run and a finding replace the one of the same name."""
        ended = Run("run-1", later(-9), T0, "done", '{"page": 2}', '{"n": 1}', later(1), later(2), later(3))
        repaired = finding(1, here="created", there="captured", state="repaired", note="n", at=later(1))
        with store.transaction() as tx:
            for one in (run(1), run(2), ended):
                tx.put_run(one)
            tx.put_findings([finding(1), finding(2), finding(3, run_id="run-2")])
            tx.put_findings([repaired])
            tx.put_findings([])
        assert store.runs() == [run(2), ended]
        assert store.runs(limit=1) == [run(2)]
        assert store.findings("run-1") == [repaired, finding(2)]
        assert store.findings("run-1", limit=1) == [repaired]


def _chain(anchor: str, length: int) -> list[AuditRow]:
    rows: list[AuditRow] = []
    for seq in range(1, length + 1):
        full = {"event": "e", "event_id": "i", "digest": "d", "note": "ñ", "before": "b"} if seq % 2 else {}
        bare = {} if seq % 2 else {"amount": None, "currency": None, "after": None}
        rows.append(chained(audit(anchor, at=later(seq / 7), **full, **bare), seq, rows[-1].hash if rows else ""))
    return rows


class AuditContract:
    """The trail is only ever added to, and its chain verifies."""

    def test_an_audit_chain_verifies_when_read_back(self, store: Store) -> None:
        """Every field that the hash covers survives to the last digit."""
        rows = _chain("order_A", 7)
        write(store, audit=rows + _chain("order_B", 2))
        assert store.audit("order_A") == rows
        assert broken_at(store.audit("order_A"), 7, rows[-1].hash) is None
        assert store.audit("order_A", after_seq=2, limit=2) == rows[2:4]
        assert store.audit("order_C") == []

    def test_text_that_no_database_takes_is_kept_as_far_as_it_can_be(self, store: Store) -> None:
        """NUL and lone surrogates become U+FFFD before the row is hashed: the chain verifies when it is read back."""
        row = chained(audit(note="a\0b\ud800", event="\udfff", actor="c\0"), 1, "")
        write(store, audit=[row])
        assert store.audit("order_A") == [row]
        assert (row.note, row.event, row.actor) == ("a\ufffdb\ufffd", "\ufffd", "c\ufffd")
        assert broken_at(store.audit("order_A"), 1, row.hash) is None
        assert store.order("a\0\ud800") is None

    @pytest.mark.parametrize("sql", ["UPDATE razorpay_audit SET actor = 'nobody'", "DELETE FROM razorpay_audit"])
    def test_the_audit_trail_refuses_to_be_changed(self, store: Store, sql: str) -> None:
        """UPDATE and DELETE fail, and the rows stay."""
        rows = _chain("order_A", 2)
        write(store, audit=rows)
        with pytest.raises(Exception, match="append-only"), store.transaction() as tx:
            tx.execute(sql)
        assert store.audit("order_A") == rows


class UpkeepContract:
    """The schema is made once, by whoever comes first, and tells its state."""

    def test_migrating_again_changes_nothing(self, store: Store) -> None:
        """migrate() on a store in use keeps its rows."""
        write(store, orders=[order()])
        assert store.migrate() == store.status()
        assert store.order("local-1") == order()

    def test_migrating_from_many_threads_is_safe(self, store: Store) -> None:
        """All callers get the same answer."""
        joins = [started(store.migrate) for _ in range(4)]
        assert {join().version for join in joins} == {store.status().wanted}

    def test_the_status_counts_rows(self, store: Store) -> None:
        """The version is the one wanted, and each table has its count."""
        before = store.status()
        assert before.version == before.wanted
        write(store, orders=[order(1), order(2)])
        counts = store.status().counts
        assert counts["razorpay_orders"] == 2
        assert counts == before.counts | {"razorpay_orders": 2}

    def test_the_schema_is_told_as_text(self, store: Store) -> None:
        """Each table that the status counts is made by the schema's SQL."""
        text = store.schema()
        assert [table for table in store.status().counts if f"CREATE TABLE {table} (" not in text] == []

    def test_the_store_can_be_used_after_closing_it(self, store: Store) -> None:
        """close() twice is fine, and the next use opens again."""
        store.close()
        store.close()
        store.migrate()
        assert claim(store).state == "new"

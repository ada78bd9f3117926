"""What was, and why: states of the past and stories, from real runs of the shop's library against the emulator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

import bodies
from razorpay_hardened import Client, MemoryStore, Money, Razorpay, web
from razorpay_hardened.audit.rules import RULES, rule_of
from razorpay_hardened.domain.audit import AuditRow
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import OrderUnknown, OutcomeUnknown
from razorpay_hardened.ports.store import Batch


class Shop:
    """A shop on a clock of its own; ``works`` says whether its handler does."""

    def __init__(self) -> None:
        self.rz = Emulator(in_process=True)
        environ = {**self.rz.environ(), "RAZORPAY_BASE_URL": "http://127.0.0.1:1"}
        self.works = True
        self.store = MemoryStore()
        client = Client(
            self.rz.key_id,
            self.rz.key_secret,
            base_url="http://127.0.0.1:1",
            session=self.rz.session(),
            clock=self.rz.clock,
        )
        self.rzp = Razorpay.from_env(environ, store=self.store, client=client, clock=self.rz.clock)
        self.rzp.on("order.paid", name="grant")(self._grant)
        self.rzp.after("order.paid", name="mail")(lambda change: None)
        self.rz.deliver.to(self.receive)

    def _grant(self, change: Any, tx: Any) -> None:
        if not self.works:
            raise ConnectionError("the access service is down")

    def receive(self, method: str, headers: Any, body: bytes) -> int:
        return self.rzp.webhooks.handle(web.Request(method, headers, body)).status

    def order(self, rupees: int = 499) -> str:
        order_id = self.rzp.checkout.start(owner="user:7", amount=Money.inr(rupees)).order_id
        assert order_id is not None
        return order_id

    def passes(self, seconds: float) -> datetime:
        """Time goes by; gives the moment just before the next thing happens."""
        self.rz.clock.advance(seconds)
        return self.rz.clock.now()


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.rzp.close()


# --- the past


def test_a_payment_is_shown_as_it_was_at_each_moment(shop: Shop) -> None:
    """Before it was there, captured, given back in part, and given back."""
    order = shop.order()
    start = shop.passes(60)
    payment = str(shop.rz.pay(order)["id"])
    paid = shop.passes(3600)
    first = str(shop.rz.refund(payment, 10000)["id"])
    part = shop.passes(3600)
    shop.rz.refund(payment, 39900)
    end = shop.passes(3600)

    def at(moment: datetime) -> tuple[Any, ...]:
        past = shop.rzp.audit.at(payment, moment)
        return past.status, past.amount, past.captured, past.refunded, len(past.parts)

    assert at(start) == (None, None, None, None, 0)
    assert at(paid) == ("captured", 49900, True, 0, 0)
    assert at(part) == ("captured", 49900, True, 10000, 1)
    assert at(end) == ("refunded", 49900, True, 49900, 2)
    now = shop.store.payment(payment)
    assert now is not None
    assert (now.status, now.refunded) == at(end)[0:4:3]
    past = shop.rzp.audit.at(payment, part)
    assert (past.parts[0].id, past.parts[0].status, past.parts[0].amount) == (first, "processed", 10000)
    assert (past.kind, past.currency, past.whole, past.unknown) == ("payment", "INR", True, ())
    assert past.since is not None
    assert start <= past.since < paid
    assert shop.rzp.audit.at(first, paid).status is None
    assert shop.rzp.audit.at(first, end).status == "processed"


def test_an_order_is_shown_as_it_was_with_its_payments(shop: Shop) -> None:
    """By either of its ids; a failed attempt first, then paid, then closed."""
    start = shop.rz.clock.now()
    shop.passes(60)
    order = shop.order()
    created = shop.passes(60)
    shop.rz.pay(order, outcome="failed")
    tried = shop.passes(60)
    payment = str(shop.rz.pay(order)["id"])
    paid = shop.passes(60)
    local = shop.store.order(order)
    assert local is not None
    for reference in (order, local.local_id):
        told = [shop.rzp.audit.at(reference, moment) for moment in (start, created, tried, paid)]
        assert [one.status for one in told] == [None, "created", "attempted", "paid"]
        assert [[part.status for part in one.parts] for one in told] == [[], [], ["failed"], ["failed", "captured"]]
    assert told[-1].parts[-1].id == payment
    assert "owner" in told[-1].unknown[0]
    assert not told[-1].closed


def test_what_was_claimed_without_a_refund_is_said_to_be_unknown(shop: Shop) -> None:
    """Razorpay may show an amount that no refund explains: how much of it by then, nobody knows."""
    order = shop.order()
    payment = str(shop.rz.pay(order)["id"])
    shop.passes(60)
    held = shop.store.payment(payment)
    assert held is not None
    with shop.store.transaction() as tx:
        tx.write(Batch(payments=[replace(held, claimed=100)]))
    assert "claimed refunds" in shop.rzp.audit.at(payment, shop.rz.clock.now()).unknown[0]


def test_what_retention_dropped_is_said_to_be_unknown(shop: Shop) -> None:
    """The first row that is left remembers the status before it, not since when."""
    order = shop.order()
    payment = str(shop.rz.pay(order)["id"])
    early = shop.passes(60)
    late = shop.passes(86400 * 40)
    shop.rz.refund(payment)
    shop.passes(86400)
    shop.rzp.audit.seal()
    month = late.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    text = month.isoformat(timespec="microseconds").replace("+00:00", "Z")
    with shop.store.transaction() as tx:
        tx.execute("DROP TRIGGER razorpay_audit_no_delete")
        tx.execute("DELETE FROM razorpay_audit WHERE at < ?", (text,))
        tx.execute("INSERT INTO razorpay_retention VALUES ('audit', ?, ?, 0)", (text, text))
    assert shop.rzp.audit.verify().whole
    past = shop.rzp.audit.at(payment, early)
    assert (past.status, past.since, past.whole) == ("captured", None, True)
    assert "retention" in past.unknown[0]
    told = shop.rzp.audit.explain(payment)
    assert told.whole
    assert told.dropped


def test_a_broken_chain_is_said_with_the_answer(shop: Shop) -> None:
    """Nothing that such rows tell is to be relied on."""
    payment = str(shop.rz.pay(shop.order())["id"])
    shop.passes(60)
    with shop.store.transaction() as tx:
        tx.execute("DROP TRIGGER razorpay_audit_no_update")
        tx.execute("UPDATE razorpay_audit SET actor = 'x' WHERE entity_id = ?", (payment,))
    assert not shop.rzp.audit.at(payment, shop.rz.clock.now()).whole
    told = shop.rzp.audit.explain(payment)
    assert not told.whole
    assert [one.kind for one in told.broken] == ["altered"]


def test_what_nobody_knows_is_refused(shop: Shop) -> None:
    """An id that is not on record, and a time without a zone."""
    for ask in (shop.rzp.audit.explain, lambda one: shop.rzp.audit.at(one, shop.rz.clock.now())):
        with pytest.raises(OrderUnknown, match="pay_nobody"):
            ask("pay_nobody")
    with pytest.raises(ValueError, match="aware"):
        shop.rzp.audit.at("pay_nobody", datetime(2026, 1, 1))


# --- stories


def _told(shop: Shop, reference: str) -> list[tuple[str, str | None]]:
    return [(step.about, step.rule and step.rule.name) for step in shop.rzp.audit.explain(reference).steps]


def test_a_payment_is_told_from_the_order_to_the_effects(shop: Shop) -> None:
    """What was asked, what came, which rule decided, what the handlers did; nothing of it left open."""
    order = shop.order()
    payment = str(shop.rz.pay(order)["id"])
    shop.passes(120)
    told = shop.rzp.audit.explain(payment)
    rules = [step.rule.name for step in told.steps if step.rule]
    assert rules[:2] == ["order.asked", "order.registered"]
    assert {"delivery.applied", "payment.first_sight", "effect.on", "effect.after"} <= set(rules)
    assert {"order.derived", "order.news"} & set(rules)
    assert (told.kind, told.status, told.open, told.broken) == ("payment", "captured", (), ())
    assert told.summary.startswith(f"payment {payment} is captured (INR 499.00); order {order} is paid")
    assert told.summary.endswith("(INR 499.00 captured of INR 499.00).")
    assert [step.at for step in told.steps] == sorted(step.at for step in told.steps)
    rows = {step.row for step in told.steps if step.row}
    assert {anchor for anchor, _ in rows} == {order, told.steps[0].row and told.steps[0].row[0]}


def test_late_authorisation_is_told_as_the_forward_jump_that_it_is(shop: Shop) -> None:
    """failed, and captured ten minutes later: the step names the ranks."""
    payment = str(shop.rz.pay(shop.order(), outcome="late")["id"])
    shop.passes(86400)
    told = shop.rzp.audit.explain(payment)
    assert told.status == "captured"
    (step,) = [step for step in told.steps if step.rule and step.rule.name == "payment.late_authorisation"]
    assert step.words.startswith(f"payment {payment}: failed → ")
    assert step.rule is not None
    assert step.rule.text.startswith(RULES["payment.late_authorisation"] + " (failed 2 → ")


def test_older_news_is_told_as_refused(shop: Shop) -> None:
    """The status that was said, the one that is held, and both ranks."""
    row = _row(kind="payment", what="stale", before="captured", after="captured", note="authorized")
    assert rule_of(row).text.endswith("does no harm (authorized 3 < captured 4)")
    odd = _row(kind="payment", what="stale", before="captured", after="captured", note="odd")
    assert rule_of(odd).case == "odd, is captured"


def test_parked_news_is_told_until_it_is_applied(shop: Shop) -> None:
    """A payment of an order that is registered only afterwards."""
    made = shop.rz.request("POST", "/v1/orders", {"amount": 100, "currency": "INR"}).json()
    payment = str(shop.rz.pay(str(made["id"]))["id"])
    shop.passes(60)
    with pytest.raises(OrderUnknown):
        shop.rzp.audit.explain(payment)
    shop.rzp.checkout.adopt(str(made["id"]), owner="user:7", amount=Money(100, "INR"))
    told = shop.rzp.audit.explain(payment)
    assert told.status == "captured"
    assert "order.adopted" in [step.rule and step.rule.name for step in told.steps]
    assert any(step.source.startswith("the delivery that was parked") for step in told.steps)


def test_a_replay_by_hand_is_told() -> None:
    """Somebody asked for a delivery again that was done: that is in the story, with who it was."""
    store = MemoryStore()
    ours = bodies.Shop(store)
    ours.adopt(1)
    ours.deliver(bodies.body("payment.captured", payment=bodies.payment(1, "captured")), event_id="evt_1")
    ours.rzp.webhooks.replay("evt_1", force=True)
    steps = ours.rzp.audit.explain(bodies.payment_id(1)).steps
    (step,) = [step for step in steps if step.rule and step.rule.name == "replayed"]
    assert (step.words.endswith(": replayed"), step.source) == (True, "webhook payment.captured evt_1 by replay")
    store.close()


def test_a_handler_that_fails_is_told_as_open(shop: Shop) -> None:
    """It waits, and says when it is tried again; the payment itself is as it is."""
    shop.works = False
    payment = str(shop.rz.pay(shop.order())["id"])
    shop.passes(20)
    told = shop.rzp.audit.explain(payment)
    assert any(one.startswith("handler grant has not succeeded yet") for one in told.open)
    assert {"effect.waiting", "delivery.waiting"} & {step.rule.name for step in told.steps if step.rule}
    shop.works = True
    shop.passes(3600)
    assert shop.rzp.audit.explain(payment).open == ()


def test_a_surplus_payment_is_told() -> None:
    """Two captures of one order: the second was not needed."""
    store = MemoryStore()
    ours = bodies.Shop(store)
    ours.adopt(1)
    for number in (1, 2):
        second = bodies.payment(number, "captured", order=1)
        assert ours.deliver(bodies.body("payment.captured", payment=second)) == 200
    told = {
        number: [step.rule and step.rule.name for step in ours.rzp.audit.explain(bodies.payment_id(number)).steps]
        for number in (1, 2)
    }
    assert "payment.surplus" in told[2]
    assert "payment.surplus" not in told[1]
    assert "surplus" in ours.rzp.audit.explain(bodies.order_id(1)).summary
    store.close()


def test_a_refund_is_told_with_its_payment(shop: Shop) -> None:
    """It comes first in the summary; its steps are among the payment's."""
    payment = str(shop.rz.pay(shop.order())["id"])
    shop.passes(60)
    refund = str(shop.rz.refund(payment, 100)["id"])
    shop.passes(7200)
    told = shop.rzp.audit.explain(refund)
    assert (told.kind, told.id, told.status) == ("refund", refund, "processed")
    assert told.summary.startswith(f"refund {refund} is processed (INR 1.00); order ")
    assert "refund.forward" in [step.rule and step.rule.name for step in told.steps]
    assert told.steps == shop.rzp.audit.explain(payment).steps


def test_a_refund_that_was_asked_for_and_not_answered_is_open(shop: Shop) -> None:
    """The intent is on record, and the sweeper settles it."""
    payment = str(shop.rz.pay(shop.order())["id"])
    shop.passes(60)
    shop.rz.faults.add("on POST /payments/:id/refund: do_then_hang always")
    with pytest.raises(OutcomeUnknown):
        shop.rzp.checkout.refund(payment, Money.inr(1), key="refund-no-1")
    shop.passes(1)
    told = shop.rzp.audit.explain(payment)
    assert [one for one in told.open if "its outcome is not known" in one]
    assert [step.words for step in told.steps if step.kind == "intent"] == [
        "refund of INR 1.00 asked for, and not settled yet"
    ]


def test_every_step_of_a_busy_shop_has_a_rule(shop: Shop) -> None:
    """No row without a rule, no rule without a sentence."""
    order = shop.order()
    shop.rz.pay(order, outcome="failed")
    shop.passes(60)
    payment = str(shop.rz.pay(order)["id"])
    shop.passes(60)
    shop.rz.refund(payment)
    shop.passes(86400)
    for reference in (order, payment):
        for step in shop.rzp.audit.explain(reference).steps:
            assert step.rule is not None
            assert step.rule.name in RULES
            assert step.rule.text.startswith(RULES[step.rule.name])


def _row(**changes: Any) -> AuditRow:
    values: dict[str, Any] = {
        "anchor": "order_A",
        "at": datetime(2026, 1, 1) + timedelta(),
        "what": "changed",
        "kind": "payment",
        "entity_id": "x",
        "before": None,
        "after": None,
        "amount": None,
        "currency": None,
        "source": "webhook",
        "actor": "razorpay",
    }
    return AuditRow(**(values | changes))


@pytest.mark.parametrize(
    ("kind", "what", "before", "after", "more", "rule"),
    [
        ("payment", "changed", None, "captured", {}, "payment.first_sight"),
        ("payment", "changed", "created", "captured", {}, "payment.forward"),
        ("payment", "changed", "failed", "authorized", {}, "payment.late_authorisation"),
        ("payment", "changed", "captured", "refunded", {}, "payment.refund_total"),
        ("payment", "changed", "refunded", "captured", {}, "payment.refund_returned"),
        ("payment", "noted", "captured", "captured", {}, "payment.amounts"),
        ("payment", "stale", "captured", "captured", {"note": "failed"}, "payment.stale"),
        ("payment", "unknown_status", "captured", "captured", {"note": "on_hold"}, "unknown_status"),
        ("body", "quarantined", None, None, {"note": "InconsistentEvent"}, "quarantined"),
        ("order", "refused", None, None, {"note": "OwnershipMismatch"}, "refused"),
        ("body", "replayed", None, None, {}, "replayed"),
        ("order", "changed", None, "pending", {}, "order.asked"),
        ("order", "changed", None, "created", {}, "order.adopted"),
        ("order", "changed", "pending", "created", {}, "order.registered"),
        ("order", "changed", "attempted", "attempted", {}, "order.registered"),
        ("order", "changed", "pending", "outcome_unknown", {"note": "timeout"}, "order.unanswered"),
        ("order", "changed", "outcome_unknown", "remote_failed", {}, "order.unanswered"),
        ("order", "changed", "remote_failed", "pending", {}, "order.retried"),
        ("order", "changed", "created", "paid", {"event": "order.paid"}, "order.news"),
        ("order", "changed", "created", "paid", {"event": "payment.captured"}, "order.derived"),
        ("order", "changed", "created", "attempted", {}, "order.derived"),
        ("order", "noted", "created", "created", {"note": "closed"}, "order.closed"),
        ("order", "noted", "created", "created", {}, "order.noted"),
        ("order", "stale", "paid", "paid", {"note": "created"}, "order.stale"),
        ("refund", "changed", None, "pending", {}, "refund.first_sight"),
        ("refund", "changed", "pending", "processed", {}, "refund.forward"),
        ("refund", "changed", "processed", "failed", {}, "refund.failed"),
        ("refund", "noted", "pending", "pending", {}, "refund.noted"),
        ("refund", "stale", "processed", "processed", {"note": "pending"}, "refund.stale"),
    ],
)
def test_each_row_is_told_by_the_rule_that_decided_it(
    kind: str, what: str, before: str | None, after: str | None, more: dict[str, str], rule: str
) -> None:
    """Every kind of row that the ledger writes."""
    assert rule_of(_row(kind=kind, what=what, before=before, after=after, **more)).name == rule


def test_rules_are_one_sentence_each() -> None:
    """Short enough for a column, and without a full stop."""
    for name, text in RULES.items():
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", name)
        assert len(text) <= 110
        assert not text.endswith(".")

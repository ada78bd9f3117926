"""What users of other libraries complain of: webhooks, and bugs seen while reading their handlers.

Each test shows the complaint in as few lines as it takes, and then what happens here instead.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from razorpay_hardened import Money, Razorpay, RetentionPolicy, SQLiteStore, errors, unwrap_webhook, web
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.signals import Alarm, EventIgnored, SourceUnlisted
from razorpay_hardened.testing.factories import EVENTS
from razorpay_hardened.testing.plugin import Deliver, SignedWebhook, SignedWebhooks

PRICE = Money.inr(499)
DAY_S = 86_400


@pytest.fixture
def granted(razorpay: Razorpay) -> list[str]:
    """The owners to whom access was granted, once for each grant."""
    owners: list[str] = []

    @razorpay.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        owners.append(change.order.owner)

    return owners


def buy(razorpay: Razorpay, owner: str = "user:7") -> str:
    """A new order, ready to be paid."""
    return razorpay.checkout.start(owner=owner, amount=PRICE).order_id


def wired(razorpay: Razorpay, **options: Any) -> Razorpay:
    """The same account with other options."""
    given = {"store": razorpay.store, "client": razorpay.client, "clock": razorpay.clock} | options
    return Razorpay(given.pop("settings", razorpay.settings), **given)


def only(razorpay: Razorpay, road: str, deliver: Deliver, rz: Emulator, payment: str) -> None:
    """The news of a payment arrives by this road alone."""
    if road == "callback":
        razorpay.checkout.confirm(rz.checkout_form(payment), owner="user:7")
    elif road == "webhook":
        deliver()
    else:
        razorpay.reconciler.run(repair=True)


@pytest.mark.parametrize("road", ["callback", "webhook", "reconciliation"])
def test_paid_and_the_order_stays_pending(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver, granted: list[str], road: str
) -> None:
    """Complaint 4: the browser's return was the only road, and 4 to 5 of 100 customers do not return. Here each of
    three roads ends in the same place by itself, and with the others it ends there too."""
    order = buy(razorpay)
    payment = razorpay_emulator.pay(order)["id"]
    theirs = {order: "pending"}
    if road == "callback":  # nothing else ever wrote to their table
        theirs[razorpay_emulator.checkout_form(payment)["razorpay_order_id"]] = "paid"
    assert theirs == {order: "paid" if road == "callback" else "pending"}

    only(razorpay, road, razorpay_deliver, razorpay_emulator, payment)
    assert (granted, razorpay.checkout.status(order).status) == (["user:7"], "paid")
    for another in ("reconciliation", "webhook", "callback"):
        only(razorpay, another, razorpay_deliver, razorpay_emulator, payment)
    assert granted == ["user:7"]


def test_the_status_arrives_two_hours_late(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver, granted: list[str]
) -> None:
    """Complaint 5: deliveries were queued, and worked off by page views. Here the answer comes after the effect."""
    queue: list[str] = []
    order = buy(razorpay)
    razorpay_emulator.pay(order)
    queue.append(order)
    assert queue == [order], "theirs waits for a visitor"

    answered = razorpay_deliver()
    assert {one.status for one in answered} == {200}
    assert (granted, razorpay.checkout.status(order).status) == (["user:7"], "paid")


def test_one_payment_is_fulfilled_for_each_of_its_events(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver, granted: list[str]
) -> None:
    """Complaint 6: ``payment.captured``, ``order.paid`` and the callback are three deliveries of one sale, each with an
    event id of its own. Theirs sent three mails; here the milestone is the key."""
    order = buy(razorpay)
    payment = razorpay_emulator.pay(order)["id"]
    names = [one.event for one in razorpay_deliver()]
    theirs = [name for name in [*names, "callback"] if name in ("payment.captured", "order.paid", "callback")]
    assert len(theirs) == 3

    razorpay.checkout.confirm(razorpay_emulator.checkout_form(payment), owner="user:7")
    assert granted == ["user:7"]


def test_a_day_of_failing_mails_switches_the_webhook_off(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver
) -> None:
    """Complaint 7: a handler that fails for 24 h costs all later events, and nobody notices. Here it is given up after
    20 h, with an alarm and a 200; the money is on record all the while."""
    order = buy(razorpay)

    @razorpay.on("order.paid", name="mail")
    def mail(change: Any, tx: Any) -> None:
        raise ConnectionError("the mail server is down")

    razorpay_emulator.deliver.register(lambda method, headers, body: 500, name="theirs")
    alarms: list[Alarm] = []
    razorpay.signals.subscribe(alarms.append, Alarm)

    razorpay_emulator.pay(order)
    razorpay_deliver(2 * DAY_S)
    assert [hook.name for hook in razorpay_emulator.deliver.webhooks if hook.disabled] == ["theirs"]
    assert razorpay.checkout.status(order).status == "paid"
    assert [alarm.reason for alarm in alarms] == ["effect_dead"]


def test_there_are_no_sample_payloads_for_ones_own_desk(razorpay: Razorpay, signed_webhook: SignedWebhooks) -> None:
    """Complaint 19: webhooks cannot reach localhost. Here every documented event can be made, signed, without network,
    and the endpoint has an answer for each."""
    assert len(EVENTS) > 100
    answers = {name: razorpay.webhooks.handle(signed_webhook(name).request()).status for name in EVENTS}
    assert {name: status for name, status in answers.items() if status != 200} == {}


def test_an_event_of_a_new_kind_breaks_the_handler(razorpay: Razorpay, signed_webhook: SignedWebhooks) -> None:
    """Complaint 20: no types for events, and a table of handlers that raises KeyError for a name of next year's. Here
    known events are typed, and others are stored as ignored, with 200."""
    handlers: dict[str, Callable[[], None]] = {"payment.captured": lambda: None}
    with pytest.raises(KeyError):
        handlers["payment.teleported"]()

    ignored: list[EventIgnored] = []
    razorpay.signals.subscribe(ignored.append, EventIgnored)
    unheard = signed_webhook.sign(b'{"entity":"event","event":"payment.teleported","contains":[],"payload":{}}')
    assert razorpay.webhooks.handle(unheard.request()).status == 200
    assert [signal.event for signal in ignored] == ["payment.teleported"]

    captured = signed_webhook("payment.captured", payment={"amount": 100})
    event = unwrap_webhook(captured.body, captured.headers, secret=razorpay.settings.webhook_secrets)
    assert event.payment is not None
    assert event.payment.money == Money(100)


def test_an_authorised_payment_is_taken_for_a_paid_one(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver, granted: list[str]
) -> None:
    """Complaint 23: the callback's signature was right, so the goods went out; nobody captured, and the money went
    back. Here ``authorized`` grants nothing, and the capture does, whenever it comes."""
    order = buy(razorpay)
    payment = razorpay_emulator.pay(order, outcome="authorized")["id"]
    form = razorpay_emulator.checkout_form(payment)
    assert set(form) == {"razorpay_order_id", "razorpay_payment_id", "razorpay_signature"}, "theirs looked no further"

    assert razorpay.checkout.confirm(form, owner="user:7").outcome == "authorized"
    razorpay_deliver()
    assert granted == []
    razorpay_emulator.capture(payment)
    razorpay_deliver()
    assert granted == ["user:7"]


def test_an_old_list_of_addresses_refuses_razorpay(
    razorpay: Razorpay, signed_webhook: SignedWebhooks, granted: list[str]
) -> None:
    """Complaint 24: a list in the firewall was out of date, and every webhook got 403. Here the list can be watched
    first: nothing is refused, and what it would refuse is announced."""
    delivery = signed_webhook("payment.captured")
    new_address = "203.0.113.9"
    theirs = 200 if new_address in ("52.66.75.174", "52.66.76.63") else 403
    assert theirs == 403

    environ = {
        "RAZORPAY_KEY_ID": razorpay.settings.key_id,
        "RAZORPAY_KEY_SECRET": razorpay.settings.key_secret.reveal(),
        "RAZORPAY_WEBHOOK_SECRET": razorpay.settings.webhook_secrets[0].reveal(),
        "RAZORPAY_SOURCE_CHECK": "log",
    }
    watching = Razorpay.from_env(environ, store=razorpay.store, client=razorpay.client, clock=razorpay.clock)
    unlisted: list[SourceUnlisted] = []
    watching.signals.subscribe(unlisted.append, SourceUnlisted)
    request = web.Request("POST", delivery.headers, delivery.body, remote_addr=new_address)
    assert watching.webhooks.handle(request).status == 200
    assert [signal.source for signal in unlisted] == [new_address]


# --- the next ten


def test_the_table_of_events_grows_for_ever(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver
) -> None:
    """Rows were only ever inserted. Here they go by age; the money stays, and a body is known as a duplicate for as
    long as Razorpay could send it again."""
    with closing(sqlite3.connect(":memory:")) as theirs:
        theirs.execute("CREATE TABLE events (id TEXT PRIMARY KEY, body TEXT)")
        theirs.executemany("INSERT INTO events VALUES (?, '{}')", [(str(n),) for n in range(100)])
        assert theirs.execute("SELECT count(*) FROM events").fetchone() == (100,)

    payment = razorpay_emulator.pay(buy(razorpay))["id"]
    sent = {one.event for one in razorpay_deliver()}
    month = timedelta(days=30)

    def left() -> list[str | None]:
        return [row.event for row in razorpay.store.deliveries() if row.event in sent]  # others come with time

    keeping = wired(razorpay, retention=RetentionPolicy(bodies=month, deliveries=month))
    razorpay_emulator.clock.advance(29 * DAY_S)
    keeping.retention.apply()
    assert len(left()) == 3
    razorpay_emulator.clock.advance(2 * DAY_S)
    keeping.retention.apply()
    assert left() == []
    held = razorpay.store.payment(payment)
    assert held is not None
    assert (held.status, held.money) == ("captured", PRICE)


def test_work_that_takes_long_is_done_before_the_answer(razorpay: Razorpay, razorpay_emulator: Emulator) -> None:
    """Razorpay waits 5 s. Theirs did everything first; here, with ``ack="stored"``, the answer comes once the effects
    are rows, and a worker calls the handlers."""
    done: list[str] = []
    worker = wired(razorpay, ack="stored")

    @worker.on("order.paid", name="long work")
    def work(change: Any, tx: Any) -> None:
        done.append(change.order.owner)

    order = buy(worker)
    razorpay_emulator.pay(order)
    answers = Deliver(razorpay_emulator, worker)()
    assert {one.status for one in answers} == {200}
    assert (done, worker.checkout.status(order).status) == ([], "paid")
    worker.webhooks.process_pending()
    assert done == ["user:7"]


def test_of_two_events_of_one_second_the_second_is_lost(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver
) -> None:
    """Theirs kept the time of the last event and dropped what was not newer; Razorpay's times are whole seconds. Here
    no time decides anything."""
    refunds: list[str] = []

    @razorpay.on("refund.processed", name="book")
    def book(change: Any, tx: Any) -> None:
        refunds.append(change.entity.refund_id)

    payment = razorpay_emulator.pay(buy(razorpay))["id"]
    razorpay_deliver()
    two = sorted(razorpay_emulator.settle_refund(razorpay_emulator.refund(payment, 100)["id"])["id"] for _ in range(2))
    bodies = [json.loads(one.body) for one in razorpay_emulator.deliver.pending()]
    told = [body for body in bodies if body["event"] == "refund.processed"]
    last, theirs = 0, []
    for body in told:
        if body["created_at"] > last:
            last = body["created_at"]
            theirs.append(body)
    assert (len(told), len(theirs)) == (2, 1)

    razorpay_deliver()
    assert sorted(refunds) == two


def test_what_happened_while_the_endpoint_was_down_is_lost(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver, granted: list[str]
) -> None:
    """There is no list of events to fetch, so that theirs had nothing to recover from. Here the entities are compared,
    and the effects of what was missed happen once."""
    razorpay_emulator.faults.add("on EVENT *: lost always")
    orders = [buy(razorpay, owner=f"user:{number}") for number in range(3)]
    for order in orders:
        razorpay_emulator.pay(order)
    razorpay_deliver(6 * 3600)
    assert razorpay_emulator.deliver.log == [], "theirs hears of nothing"

    assert razorpay.reconciler.run(repair=True).complete
    assert sorted(granted) == ["user:0", "user:1", "user:2"]
    assert razorpay.reconciler.run(repair=True).totals.found == 0


def test_a_duplicate_is_an_integrity_error_and_500(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver, granted: list[str]
) -> None:
    """Theirs inserted the event id and let the second insert fail: 500, and again, until the webhook was switched off.
    Here a duplicate is 200, whatever id its unsigned header carries."""
    with closing(sqlite3.connect(":memory:")) as theirs:
        theirs.execute("CREATE TABLE events (id TEXT PRIMARY KEY)")
        theirs.execute("INSERT INTO events VALUES ('evt_1')")
        with pytest.raises(sqlite3.IntegrityError):
            theirs.execute("INSERT INTO events VALUES ('evt_1')")

    razorpay_emulator.pay(buy(razorpay))
    due = razorpay_emulator.deliver.pending()
    razorpay_deliver()
    for event_id in ("the same", "another"):
        for one in due:
            headers = one.headers if event_id == "the same" else one.headers | {"X-Razorpay-Event-Id": "another0000000"}
            assert razorpay.webhooks.handle(web.Request("POST", headers, one.body)).status == 200
    assert granted == ["user:7"]


def test_two_deliveries_lock_each_other_out(razorpay: Razorpay, razorpay_emulator: Emulator, tmp_path: Path) -> None:
    """Theirs read in one transaction and then wanted to write: of two that do so one fails at once. Here the lock is
    taken first, and batches that touch the same orders in opposite order wait for each other (on PostgreSQL, where rows
    are locked: ``tests/integration/test_postgres_races.py``)."""
    path = tmp_path / "theirs.db"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as one,
        closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as two,
    ):
        one.execute("PRAGMA journal_mode = WAL")
        one.execute("CREATE TABLE orders (id TEXT)")
        for connection in (one, two):
            connection.execute("BEGIN")
            connection.execute("SELECT * FROM orders").fetchall()
        one.execute("INSERT INTO orders VALUES ('a')")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            two.execute("INSERT INTO orders VALUES ('b')")

    store = SQLiteStore(tmp_path / "ours.db")
    store.migrate()
    shop = wired(razorpay, store=store)
    for number in range(4):
        razorpay_emulator.pay(buy(shop, owner=f"user:{number}"))
    requests = [web.Request("POST", one.headers, one.body) for one in razorpay_emulator.deliver.pending()]
    barrier, statuses = Barrier(2), []

    def deliver(batch: list[web.Request]) -> None:
        barrier.wait(30)
        statuses.extend(reply.status for reply in shop.webhooks.handle_many(batch))

    threads = [Thread(target=deliver, args=(batch,)) for batch in (requests, requests[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {order.status for order in shop.store.orders()} == {"paid"}
    assert set(statuses) <= {200, 409}, "409: the very same delivery is still in work"
    store.close()


def test_a_refund_is_booked_under_its_payments_reference(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver
) -> None:
    """Theirs looked a refund up by its payment, so that the second partial refund overwrote the first. Here the change
    is about the refund, and carries the order that it belongs to."""
    booked: dict[str, tuple[str, Money]] = {}

    @razorpay.on("refund.processed", name="book")
    def book(change: Any, tx: Any) -> None:
        booked[change.entity.refund_id] = (change.order.razorpay_order_id, change.entity.money)

    order = buy(razorpay)
    payment = razorpay_emulator.pay(order)["id"]
    refunds = [razorpay_emulator.refund(payment, amount) for amount in (100, 250)]
    theirs = {refund["payment_id"]: refund["amount"] for refund in refunds}
    assert theirs == {payment: 250}

    razorpay_deliver(7 * DAY_S)
    assert booked == {refund["id"]: (order, Money(refund["amount"])) for refund in refunds}


# --- bugs seen while reading


@pytest.mark.parametrize("notes", [{"cart": "17"}, []], ids=["an object", "empty"])
def test_notes_are_a_list_of_strings(razorpay: Razorpay, signed_webhook: SignedWebhooks, notes: Any) -> None:
    """hyperswitch-prism: Razorpay writes ``[]`` for no notes, and an object for some. Typed after the first kind, every
    payload of the second fails. Here both are read."""

    class Theirs(BaseModel):
        notes: list[str]

    if notes:
        with pytest.raises(ValidationError):
            Theirs(notes=notes)

    order = buy(razorpay)
    delivery = signed_webhook("payment.captured", payment={"order_id": order, "amount": 49900, "notes": notes})
    assert razorpay.webhooks.handle(delivery.request()).status == 200
    assert razorpay.checkout.status(order).status == "paid"


def test_a_failed_refund_is_a_success(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver
) -> None:
    """hyperswitch-prism: every ``refund.*`` event was a success. Here a failure is one, and the payment has its money
    again."""
    told: list[str] = []

    @razorpay.on("refund.*", name="book")
    def book(change: Any, tx: Any) -> None:
        told.append(change.milestone)

    payment = razorpay_emulator.pay(buy(razorpay))["id"]
    refund = razorpay_emulator.refund(payment)["id"]
    razorpay_emulator.settle_refund(refund, "failed")
    sent = [one.event for one in razorpay_deliver()]
    theirs = ["success" for event in sent if event.startswith("refund.")]
    assert "refund.failed" in sent
    assert set(theirs) == {"success"}

    held, of = razorpay.store.refund(refund), razorpay.store.payment(payment)
    assert held is not None
    assert of is not None
    assert (held.status, of.status, of.refunded) == ("failed", "captured", 0)
    assert "refund.failed" in told
    assert "refund.processed" not in told


def test_each_saved_event_overwrites_the_last(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver
) -> None:
    """A shop's plugin took a list of rows for one row. Here each body is a row of its own."""
    rows: list[dict[str, str]] = [{"event": "payment.authorized"}]
    for event in ("payment.captured", "order.paid"):
        rows[0]["event"] = event
    assert rows == [{"event": "order.paid"}]

    razorpay_emulator.pay(buy(razorpay))
    sent = [one.event for one in razorpay_deliver()]
    assert sorted(str(row.event) for row in razorpay.store.deliveries()) == sorted(sent)
    assert len(sent) == 3


def test_an_order_id_is_concatenated_into_sql(razorpay: Razorpay, signed_webhook: SignedWebhooks) -> None:
    """A shop's plugin put the id into the statement's text. Here an id has the shape of an id, and is a parameter."""
    order, hostile = buy(razorpay), "x' OR '1'='1"
    with closing(sqlite3.connect(":memory:")) as theirs:
        theirs.execute("CREATE TABLE orders (id TEXT, status TEXT)")
        theirs.execute("INSERT INTO orders VALUES ('order_a', 'created')")
        theirs.execute(f"UPDATE orders SET status = 'paid' WHERE id = '{hostile}'")
        assert theirs.execute("SELECT status FROM orders").fetchall() == [("paid",)]

    delivery: SignedWebhook = signed_webhook("payment.captured", payment={"order_id": hostile, "amount": 49900})
    assert razorpay.webhooks.handle(delivery.request()).status == 200
    assert [row.state for row in razorpay.store.deliveries()] == ["quarantined"]
    assert razorpay.checkout.status(order).status == "created"
    form = {"razorpay_order_id": hostile, "razorpay_payment_id": "pay_00000000000001", "razorpay_signature": "0" * 64}
    with pytest.raises(errors.IdMalformed):
        razorpay.checkout.confirm(form, owner="user:7")


@pytest.mark.parametrize("amount", [9007199254740993, 49900.0, "49900"])
def test_amounts_pass_through_a_float(razorpay: Razorpay, signed_webhook: SignedWebhooks, amount: Any) -> None:
    """razorpay-mcp-server: an amount became a float64, and above 2**53 another one. Here an amount is an int that every
    float could hold, or the body is set aside."""
    assert int(float(9007199254740993)) != 9007199254740993

    order = buy(razorpay)
    delivery = signed_webhook("payment.captured", payment={"order_id": order, "amount": amount})
    assert razorpay.webhooks.handle(delivery.request()).status == 200
    assert [row.state for row in razorpay.store.deliveries()] == ["quarantined"]
    assert razorpay.checkout.status(order).status == "created"
    with pytest.raises(errors.AmountError):
        Money(amount)

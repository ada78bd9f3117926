"""Eight mistakes that a careful team made, with every box of its checklist ticked, and two more of its nightly job.

Each test shows the mistake going wrong first, in as few lines as it takes, and then what happens here instead.
More of the kind, complaint by complaint: ``test_mistakes_signatures``, ``test_mistakes_webhooks``,
``test_mistakes_orders``.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from razorpay_hardened import Client, Money, Razorpay, SQLiteStore, errors, web
from razorpay_hardened.cli import main
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.testing.plugin import Deliver, SignedWebhooks

PRICE = Money.inr(499)


@pytest.fixture
def granted(razorpay: Razorpay) -> list[str]:
    """The owners to whom access was granted, once for each grant."""
    owners: list[str] = []

    @razorpay.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        owners.append(change.order.owner)

    return owners


def buy(razorpay: Razorpay, owner: str = "user:7", **more: Any) -> str:
    """A new order, ready to be paid."""
    return razorpay.checkout.start(owner=owner, amount=PRICE, **more).order_id


def test_rows_without_a_remote_id_are_unreachable_for_the_job_that_exists_for_them(
    razorpay: Razorpay, razorpay_emulator: Emulator
) -> None:
    """1. Theirs took the rows that failed remotely, less those without an id: none is left. Ours asks by receipt."""
    razorpay_emulator.faults.add("on POST /orders: do_then_hang always")
    razorpay_emulator.faults.add("on GET /orders: 503 always")
    with pytest.raises(errors.OutcomeUnknown) as caught:
        buy(razorpay)
    razorpay_emulator.faults.clear()
    razorpay_emulator.clock.advance(20 * 60)

    rows = razorpay.store.orders(statuses=("outcome_unknown", "remote_failed"))
    assert len(rows) == 1
    assert [row for row in rows if row.order_id is not None] == [], "this was their filter"

    assert razorpay.reconciler.run(repair=True).totals.repaired == 1
    held = razorpay.checkout.status(str(caught.value.receipt))
    assert (held.status, [held.order_id]) == ("created", list(razorpay_emulator.world.orders))


def test_a_receipt_with_a_timestamp_in_it_does_not_find_its_predecessor(
    razorpay: Razorpay, razorpay_emulator: Emulator
) -> None:
    """2. Theirs was a new receipt a second later, so that the retry made a second order. Ours is that of the cart."""

    def theirs(cart: str) -> None:
        receipt = f"{cart}-{razorpay_emulator.clock.now():%H%M%S}"
        if not razorpay_emulator.request("GET", "/v1/orders", query={"receipt": receipt}).json()["items"]:
            order = {"amount": 49900, "currency": "INR", "receipt": receipt}
            razorpay_emulator.request("POST", "/v1/orders", order)  # and the answer is lost

    theirs("cart-1")
    razorpay_emulator.clock.advance(1)
    theirs("cart-1")
    assert len(razorpay_emulator.world.orders) == 2
    razorpay_emulator.world.orders.clear()

    razorpay_emulator.faults.add("on POST /orders: do_then_hang always")
    razorpay_emulator.faults.add("on GET /orders: 503 always")
    with pytest.raises(errors.OutcomeUnknown):
        buy(razorpay, key="cart-1")
    razorpay_emulator.faults.clear()
    razorpay_emulator.clock.advance(1)
    assert [buy(razorpay, key="cart-1")] == list(razorpay_emulator.world.orders)


class Killed(BaseException):
    """The process is gone."""


def test_an_order_asked_for_inside_a_transaction_is_lost_with_it(
    razorpay: Razorpay, razorpay_emulator: Emulator
) -> None:
    """3. Theirs rolled the local row back with the crash: Razorpay has an order that nobody knows. Ours is durable
    before Razorpay is asked, and the sweep brings the two together."""
    ordered = {"amount": 49900, "currency": "INR", "receipt": "cart-1"}
    with closing(sqlite3.connect(":memory:")) as theirs:
        theirs.execute("CREATE TABLE orders (receipt TEXT)")
        theirs.commit()
        with suppress(Killed), theirs:
            theirs.execute("INSERT INTO orders VALUES ('cart-1')")
            razorpay_emulator.request("POST", "/v1/orders", ordered)
            raise Killed
        assert theirs.execute("SELECT * FROM orders").fetchall() == []
    assert len(razorpay_emulator.world.orders) == 1
    razorpay_emulator.world.orders.clear()

    class DiesOnTheWayBack:
        """The client of a process that is killed once its request has left."""

        def __init__(self, client: Client) -> None:
            self.orders = self
            self._client = client

        def create(self, **order: Any) -> None:
            self._client.orders.create(**order)
            raise Killed

    dying: Any = DiesOnTheWayBack(razorpay.client)
    process = Razorpay(razorpay.settings, store=razorpay.store, client=dying, clock=razorpay.clock)
    with suppress(Killed):
        process.checkout.start(owner="user:7", amount=PRICE)
    razorpay_emulator.clock.advance(90)
    assert razorpay.checkout.sweep().found == 1
    assert [row.order_id for row in razorpay.store.orders()] == list(razorpay_emulator.world.orders)


def test_a_handler_that_swallows_a_failing_database_answers_200(
    razorpay: Razorpay, razorpay_emulator: Emulator, tmp_path: Path
) -> None:
    """4. Theirs said 200 to what it could not store, and Razorpay never sent it again. Ours says 503, and gets it."""
    order = buy(razorpay)
    store = SQLiteStore(tmp_path / "shop.db", busy_timeout_s=0)
    store.migrate()
    shop = Razorpay(razorpay.settings, store=store, client=razorpay.client, clock=razorpay.clock)
    shop.checkout.adopt(order, owner="user:7", amount=PRICE)

    def theirs(method: str, headers: Any, body: bytes) -> int:
        try:
            with store.transaction() as tx:
                tx.execute("SELECT 1")
        except Exception:
            logging.getLogger("theirs").exception("webhook failed")
        return 200

    log = razorpay_emulator.deliver.log
    with closing(sqlite3.connect(store.path, isolation_level=None)) as somebody_else:
        somebody_else.execute("BEGIN IMMEDIATE")
        razorpay_emulator.deliver.to(theirs)
        razorpay_emulator.pay(order)
        razorpay_emulator.clock.advance(3)
        assert {one.status for one in log} == {200}
        assert razorpay_emulator.deliver.pending() == [], "nothing will be sent again"

        deliver = Deliver(razorpay_emulator, shop)
        for event in [one.event_id for one in log]:
            razorpay_emulator.deliver.replay(event)
        assert {one.status for one in deliver()} == {503}
        somebody_else.execute("ROLLBACK")
    assert {one.status for one in deliver(60)} == {200}
    assert shop.checkout.status(order).status == "paid"
    store.close()


def test_a_status_that_is_not_paid_is_no_proof_that_nothing_was_granted(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver, granted: list[str]
) -> None:
    """5. Theirs kept no event id: after a refund, the capture's redelivery found a status other than paid, and granted
    again. Ours knows the body by its digest and the milestone by its key."""
    status, theirs = "created", []
    for event in ("payment.captured", "payment.captured", "refund.processed", "payment.captured"):
        if event == "payment.captured" and status != "paid":
            theirs.append("user:7")
        status = {"payment.captured": "paid", "refund.processed": "refunded"}[event]
    assert theirs == ["user:7", "user:7"]

    payment = razorpay_emulator.pay(buy(razorpay))
    razorpay_deliver()
    razorpay_emulator.refund(payment["id"])
    razorpay_deliver(3600)
    for event_id in [one.event_id for one in razorpay_emulator.deliver.log]:
        razorpay_emulator.deliver.replay(event_id)
    again = razorpay_deliver()
    assert "payment.captured" in {one.event for one in again}
    assert {one.status for one in again} == {200}
    assert granted == ["user:7"]


@pytest.mark.parametrize("wrong", [{"amount": 100}, {"currency": "USD"}])
def test_an_order_of_499_rupees_is_paid_with_one(
    razorpay: Razorpay, signed_webhook: SignedWebhooks, granted: list[str], wrong: dict[str, Any]
) -> None:
    """6. Theirs looked at the event's name and order id, and not at its money. Ours sets it aside for a person."""
    order = buy(razorpay)
    paid = {"order_id": order, "amount": 49900, "currency": "INR"} | wrong
    delivery = signed_webhook("payment.captured", payment=paid)

    theirs = {order: "created"}
    theirs[paid["order_id"]] = "paid"
    assert theirs == {order: "paid"}

    assert razorpay.webhooks.handle(delivery.request()).status == 200
    assert granted == []
    assert razorpay.checkout.status(order).status == "created"
    assert [row.state for row in razorpay.store.deliveries()] == ["quarantined"]


def test_a_renewal_of_the_same_plan_is_paid_and_not_granted(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver, granted: list[str]
) -> None:
    """7a. Theirs extended a subscription where the plan had *changed*. Ours calls once for each order that is paid."""
    plan, months = "none", 0
    for bought in ("gold", "gold"):
        if plan != bought:
            plan, months = bought, months + 1
    assert months == 1

    for _ in range(2):
        razorpay_emulator.pay(buy(razorpay))
        razorpay_deliver()
    assert granted == ["user:7", "user:7"]


def test_a_reconciliation_without_a_lock_races_the_webhook(
    razorpay: Razorpay, razorpay_emulator: Emulator, granted: list[str]
) -> None:
    """7b. Theirs read the status, and wrote it later: in between came the webhook. Ours share one locked path."""
    row, theirs = {"status": "created"}, []
    read_by_the_job, read_by_the_webhook = row["status"], row["status"]
    for seen in (read_by_the_job, read_by_the_webhook):
        if seen != "paid":
            row["status"] = "paid"
            theirs.append("user:7")
    assert theirs == ["user:7", "user:7"]

    barrier = Barrier(2)

    def at_once(work: Any) -> None:
        barrier.wait(30)
        work()

    for number in range(12):
        order = buy(razorpay, owner=f"user:{number}")
        razorpay_emulator.pay(order)
        due = razorpay_emulator.deliver.pending()
        statuses: list[int] = []

        def hook(due: Any = due, statuses: list[int] = statuses) -> None:
            for one in due:
                statuses.append(razorpay.webhooks.handle(web.Request(one.method, one.headers, one.body)).status)

        works = (hook, lambda: razorpay.reconciler.run(repair=True))
        threads = [Thread(target=at_once, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one in due:
            razorpay_emulator.deliver.answered(one, 200)
        assert set(statuses) == {200}
    assert granted == [f"user:{number}" for number in range(12)]


def test_headers_and_bodies_are_printed(
    razorpay: Razorpay,
    signed_webhook: SignedWebhooks,
    razorpay_emulator: Emulator,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """8. Theirs printed every request: cookies, bearer tokens, bodies. Ours says nothing of them, whatever happens."""
    caplog.set_level(logging.DEBUG)

    @razorpay.on("order.paid", name="broken")
    def broken(change: Any, tx: Any) -> None:
        raise RuntimeError("a handler fails")

    order = buy(razorpay)
    paid = razorpay_emulator.pay(order)
    right = signed_webhook("payment.captured", payment=paid)
    private = {"Cookie": "session=c00kie-jar", "Authorization": "Bearer t0ken-7"}
    deliveries = [
        web.Request("POST", right.headers | private, right.body),
        web.Request("POST", right.headers | private, right.body + b" "),
        web.Request("POST", private, right.body),
        signed_webhook.sign(b"not JSON c00kie-jar").request(),
    ]
    print(dict(deliveries[0].headers), deliveries[0].body)  # theirs
    assert "c00kie-jar" in capfd.readouterr().out

    assert [razorpay.webhooks.handle(one).status for one in deliveries] == [500, 401, 401, 200]
    with suppress(errors.SignatureError):
        razorpay.checkout.confirm(
            razorpay_emulator.checkout_form(paid["id"]) | {"razorpay_signature": "0" * 64}, owner="user:7"
        )
    out, err = capfd.readouterr()
    said = out + err + caplog.text + repr(deliveries)
    for hidden in ("c00kie-jar", "t0ken-7", right.headers["X-Razorpay-Signature"], str(paid["email"])):
        assert hidden not in said


def test_a_nightly_job_that_leaves_failed_payments_out_never_finds_a_late_capture(
    razorpay: Razorpay, razorpay_emulator: Emulator, razorpay_deliver: Deliver, granted: list[str]
) -> None:
    """9. Theirs looked at created, attempted and pending rows. The bank said yes after all, the webhook was lost, and
    the money was found by the customer. Ours looks at everything of the window."""
    order = buy(razorpay)
    payment = razorpay_emulator.pay(order, outcome="failed")["id"]
    razorpay_deliver()
    razorpay_emulator.faults.add("on EVENT *: lost always")
    razorpay_emulator.bank_answers(payment)
    razorpay_deliver(3600)
    held = razorpay.store.payment(payment)
    assert held is not None
    assert held.status not in ("created", "attempted", "pending"), "this was their list"
    assert granted == []

    razorpay.reconciler.run(repair=True)
    assert granted == ["user:7"]
    assert razorpay.checkout.status(order).status == "paid"


def test_a_job_that_catches_everything_ends_with_0(
    razorpay: Razorpay, razorpay_emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10. Theirs went on to the next row, whatever happened, and told cron that all was well. Ours raises, and its
    command ends with a code that wakes somebody."""
    order = buy(razorpay)
    razorpay_emulator.faults.add("on GET *: 503 always")

    def theirs() -> int:
        for row in razorpay.store.orders():
            try:
                razorpay.client.orders.fetch(str(row.order_id))
            except Exception:
                continue
        return 0

    assert theirs() == 0
    with pytest.raises(errors.ApiError):
        razorpay.reconciler.run(repair=True)
    assert razorpay.checkout.status(order).status == "created"

    store = SQLiteStore(tmp_path / "shop.db")
    store.migrate()
    store.close()
    environ = {
        "RAZORPAY_KEY_ID": razorpay_emulator.key_id,
        "RAZORPAY_KEY_SECRET": razorpay_emulator.key_secret,
        "RAZORPAY_WEBHOOK_SECRET": razorpay_emulator.webhook_secret,
        "RAZORPAY_BASE_URL": "http://127.0.0.1:1",  # nobody is there
        "RAZORPAY_STORE_URL": store.url,
        "RAZORPAY_MAX_ATTEMPTS": "1",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert main(["reconcile"]) == 1

"""The endpoint: what is answered, what is kept, who is called (FAULTS sections 3, 4 and 7)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from bodies import ACCOUNT, AMOUNT, START, WEBHOOK_SECRET, Shop, body, order_id, payment, payment_id, request
from razorpay_hardened import MemoryStore, Money, parse_entity, sign_for_test, web
from razorpay_hardened.errors import (
    ApiBadRequest,
    ApiServerError,
    EventUnknown,
    InconsistentEvent,
    StorageReadOnly,
    StorageUnavailable,
)
from razorpay_hardened.signals import (
    Alarm,
    EffectDead,
    EffectDone,
    EffectFailed,
    EventDuplicate,
    EventIgnored,
    EventParked,
    EventProcessed,
    EventQuarantined,
    EventRejected,
)

AUTHORIZED = body("payment.authorized", payment=payment(1, "authorized"))
CAPTURED = body("payment.captured", payment=payment(1, "captured"))
HOUR = 3600.0


class Flaky:
    """A handler that fails while ``broken``, and counts."""

    def __init__(self) -> None:
        self.broken = True
        self.calls = 0
        self.changes: list[Any] = []

    def __call__(self, change: Any, tx: Any = None) -> None:
        self.calls += 1
        if tx is not None:
            tx.execute("CREATE TABLE IF NOT EXISTS touched (key TEXT)")
            tx.execute("INSERT INTO touched VALUES (?)", (change.key,))
        if self.broken:
            raise RuntimeError("the mail server\nis down")
        self.changes.append(change)


def shop(**options: Any) -> Shop:
    made = Shop(MemoryStore(), **options)
    made.store.migrate()
    made.adopt(1)
    return made


def state_of(ours: Shop, raw: bytes) -> str | None:
    (row,) = [row for row in ours.store.deliveries(limit=1000) if row.body == raw]
    return row.state


def touched(ours: Shop) -> list[str]:
    with ours.store.transaction() as tx:
        return [row[0] for row in tx.execute("SELECT key FROM touched").fetchall()]


# --- the head of a request --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "status", "reason"),
    [
        (lambda: web.Request("GET", {}, b""), 405, "MethodRefused"),
        (lambda: web.Request("PUT", {}, CAPTURED), 405, "MethodRefused"),
        (lambda: web.Request("POST", {"Content-Length": "1048577"}, b""), 413, "PayloadTooLarge"),
        (lambda: web.Request("POST", {}, b" " * 1048577), 413, "PayloadTooLarge"),
        (lambda: request(CAPTURED, **{"Content-Encoding": "gzip"}), 415, "EncodingRefused"),
        (lambda: web.Request("POST", {}, CAPTURED), 401, "SignatureMissing"),
        (lambda: request(CAPTURED, **{"X-Razorpay-Signature": "good"}), 401, "SignatureMalformed"),
        (lambda: request(CAPTURED, **{"X-Razorpay-Signature": "0" * 64}), 401, "SignatureMismatch"),
        (lambda: request(CAPTURED, X_Razorpay_Signature="0" * 64), 401, "SignatureMalformed"),
        (lambda: web.Request("POST", {}, CAPTURED, query="signature=x&secret=y"), 401, "SignatureMissing"),
    ],
)
def test_what_is_refused_stores_nothing(make: Callable[[], web.Request], status: int, reason: str) -> None:
    """R0: an answer without a word of why, a counter, and no row."""
    ours = shop()
    reply = ours.rzp.webhooks.handle(make())
    assert (reply.status, reply.body) == (status, b"")
    assert [signal.reason for signal in ours.told(EventRejected)] == [reason]
    assert ours.store.deliveries() == []
    if status == 405:
        assert reply.headers.get("Allow") == "POST"


def test_method_then_size_then_coding_then_tag() -> None:
    """A request that is wrong in every way is refused for the first."""
    ours = shop()
    wrong = {"Content-Length": "9999999", "Content-Encoding": "gzip"}
    assert ours.rzp.webhooks.handle(web.Request("GET", wrong, b"")).status == 405
    assert ours.rzp.webhooks.handle(web.Request("POST", wrong, b"")).status == 413
    assert ours.rzp.webhooks.handle(web.Request("POST", {"Content-Encoding": "gzip"}, b"x")).status == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"X-HTTP-Method-Override": "GET"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Encoding": "identity"},
    ],
)
def test_headers_that_mean_nothing_here(headers: dict[str, str]) -> None:
    """Overrides, content types and character sets are never looked at."""
    assert shop().deliver(CAPTURED, **headers) == 200


# --- what a delivery does ---------------------------------------------------------------------------------------


def test_a_delivery_is_processed_once_and_then_a_duplicate() -> None:
    """200 both times, one call, one row."""
    ours = shop()
    grant = Flaky()
    grant.broken = False
    ours.rzp.on("order.paid", name="grant")(grant)
    assert [ours.deliver(CAPTURED, event_id="evt-1") for _ in range(3)] == [200, 200, 200]
    assert grant.calls == 1
    assert touched(ours) == [f"order.paid:{order_id(1)}"]
    (change,) = grant.changes
    assert (change.order.owner, change.event_id, change.source, change.attempt) == ("user:7", "evt-1", "webhook", 1)
    assert [signal.state for signal in ours.told(EventDuplicate)] == ["done", "done"]
    (processed,) = ours.told(EventProcessed)
    assert processed.milestones == ("payment.authorized", "payment.captured", "order.paid")
    assert len(ours.told(EffectDone)) == 1


def test_the_same_body_under_another_event_id_is_a_duplicate() -> None:
    """The header is not signed: the digest decides (FAULTS E11)."""
    ours = shop()
    ours.deliver(CAPTURED, event_id="evt-1")
    ours.deliver(CAPTURED, event_id="evt-2")
    assert len(ours.told(EventDuplicate)) == 1


def test_another_body_under_the_same_event_id_is_processed_and_alarmed() -> None:
    """Never dropped (FAULTS rule 5)."""
    ours = shop()
    ours.deliver(AUTHORIZED, event_id="evt-1")
    ours.deliver(CAPTURED, event_id="evt-1")
    assert [signal.event for signal in ours.told(EventProcessed)] == ["payment.authorized", "payment.captured"]
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["event_id_conflict"]


@pytest.mark.parametrize("odd", ["x" * 129, "a b", "", "é"])
def test_an_odd_event_id_counts_as_absent(odd: str) -> None:
    """FAULTS rule 15."""
    ours = shop()
    ours.deliver(CAPTURED, event_id=odd)
    assert ours.store.deliveries()[0].event_id is None


def test_two_event_ids_count_as_none() -> None:
    """Which of the two would it be?"""
    ours = shop()
    lines = [("X-Razorpay-Signature", sign_for_test(CAPTURED, WEBHOOK_SECRET))]
    twice = [*lines, ("x-razorpay-event-id", "a"), ("X-Razorpay-Event-Id", "b")]
    assert ours.rzp.webhooks.handle(web.Request("POST", twice, CAPTURED)).status == 200
    assert ours.store.deliveries()[0].event_id is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "PayloadMalformed"),
        (b"{}", "PayloadInvalid"),
        (body("payment.captured", payment=payment(1, "captured", id="pay_../../x")), "IdMalformed"),
        (body("payment.captured", payment=payment(1, "captured", currency="inr")), "CurrencyError"),
        (body("payment.captured", payment=payment(1, "failed")), "InconsistentEvent"),
        (body("payment.captured", payment=payment(1, "captured", amount=100)), "AmountMismatch"),
        (body("payment.captured", payment=payment(1, "captured", amount_refunded=AMOUNT + 1)), "InconsistentEvent"),
    ],
)
def test_what_will_never_be_usable_is_quarantined(raw: bytes, reason: str) -> None:
    """RQ: 200, the bytes and the reason kept, on record, alarmed once; nothing else changes."""
    ours = shop()
    before = ours.store.order(order_id(1))
    assert [ours.deliver(raw), ours.deliver(raw)] == [200, 200]
    (row,) = ours.store.deliveries()
    assert (row.state, row.body) == ("quarantined", raw)
    assert (row.reason or "").startswith(reason)
    (line,) = ours.store.audit(row.digest)
    assert (line.what, line.note) == ("quarantined", reason)
    assert [signal.reason for signal in ours.told(EventQuarantined)] == [reason]
    assert [alarm.reason for alarm in ours.told(Alarm)] == [reason]
    assert ours.store.order(order_id(1)) == before


def test_another_accounts_event_is_quarantined() -> None:
    """Where the account is set; an absent account id contradicts nothing."""
    ours = shop(options={"account_id": "acc_00000000000000"})
    assert ours.deliver(CAPTURED) == 200
    assert state_of(ours, CAPTURED) == "quarantined"
    own = shop(options={"account_id": ACCOUNT})
    own.deliver(CAPTURED)
    assert state_of(own, CAPTURED) == "done"


def test_types_that_nothing_tracks_are_ignored() -> None:
    """RI: stored, 200, told."""
    ours = shop()
    raw = body("payment.teleported", payment=payment(1, "captured"))
    assert ours.deliver(raw) == 200
    assert state_of(ours, raw) == "ignored"
    assert [signal.event for signal in ours.told(EventIgnored)] == ["payment.teleported"]


def test_an_old_event_is_processed_and_marked() -> None:
    """Support can replay up to 15 days later (FAULTS E6)."""
    ours = shop()
    raw = body("payment.captured", payment=payment(1, "captured"), created_at=0)
    assert ours.deliver(raw) == 200
    (row,) = ours.store.deliveries()
    assert (row.state, row.reason) == ("done", "stale")


def test_news_of_an_unknown_order_is_parked_and_drained_by_its_registration() -> None:
    """RP: in the transaction that registers the order; the effect runs there too."""
    ours = shop()
    grant = Flaky()
    grant.broken = False
    ours.rzp.on("order.paid", name="grant")(grant)
    raw = body("payment.captured", payment=payment(2, "captured"))
    assert ours.deliver(raw) == 200
    assert [signal.anchor for signal in ours.told(EventParked)] == [order_id(2)]
    assert (state_of(ours, raw), grant.calls) == ("parked", 0)
    assert ours.deliver(raw) == 200
    ours.adopt(2)
    assert (state_of(ours, raw), grant.calls) == ("done", 1)


# --- failing handlers -------------------------------------------------------------------------------------------


def test_a_failing_handler_gets_500_and_the_redelivery_retries_it() -> None:
    """H1: its own writes are undone; state, audit and the waiting row stay; the next delivery tries again."""
    ours = shop()
    grant = Flaky()
    ours.rzp.on("order.paid", name="grant")(grant)
    assert ours.deliver(CAPTURED) == 500
    held = ours.store.order(order_id(1))
    assert held is not None
    assert held.status == "paid"
    (row,) = ours.store.effects()
    assert (row.state, row.attempts, row.error) == ("waiting", 1, "RuntimeError: the mail server is down")
    assert ours.deliver(CAPTURED) == 500
    grant.broken = False
    assert ours.deliver(CAPTURED) == 200
    assert touched(ours) == [f"order.paid:{order_id(1)}"]
    assert grant.changes[0].attempt == 3
    assert state_of(ours, CAPTURED) == "done"
    assert ours.deliver(CAPTURED) == 200
    assert grant.calls == 3
    assert [signal.error for signal in ours.told(EffectFailed)] == ["RuntimeError"] * 2


def test_a_broken_handler_holds_up_nobody_else() -> None:
    """Other handlers of the milestone, later news of the order, and other orders go on (DESIGN idea 3)."""
    ours = shop()
    ours.adopt(2)
    broken, fine = Flaky(), Flaky()
    fine.broken = False
    ours.rzp.on("payment.captured", name="broken")(broken)
    ours.rzp.on("payment.captured", name="fine")(fine)
    ours.rzp.on("payment.refunded", name="fine")(fine)
    assert ours.deliver(CAPTURED) == 500
    assert fine.calls == 1
    refunded = body("refund.created", payment=payment(1, "refunded"), refund=_refund(1))
    assert ours.deliver(refunded) == 200
    assert fine.calls == 2
    broken.broken = False
    assert ours.deliver(body("payment.captured", payment=payment(2, "captured"))) == 200


def _refund(number: int) -> dict[str, Any]:
    from bodies import refund

    return refund(number, "pending")


def test_the_same_handler_runs_in_order_on_one_order() -> None:
    """FIFO: a younger milestone waits for its elder, for this handler on this order only."""
    ours = shop()
    seen: list[str] = []
    broken = {"now": True}

    def note(change: Any, tx: Any) -> None:
        if broken["now"]:
            raise RuntimeError
        seen.append(change.milestone)

    for milestone in ("payment.authorized", "payment.captured", "order.paid"):
        ours.rzp.on(milestone, name="note")(note)
    assert ours.deliver(AUTHORIZED) == 500
    assert ours.deliver(CAPTURED) == 500
    broken["now"] = False
    assert ours.deliver(CAPTURED) == 200
    assert seen == ["payment.authorized", "payment.captured", "order.paid"]
    assert ours.deliver(AUTHORIZED) == 200
    assert len(seen) == 3


def test_after_20_hours_a_poison_event_is_given_up() -> None:
    """H4: dead letter, alarm, 200, because a webhook that fails for 24 h is switched off; replay brings it back."""
    ours = shop()
    grant = Flaky()
    ours.rzp.on("order.paid", name="grant")(grant)
    assert ours.deliver(CAPTURED) == 500
    ours.clock.advance(19 * HOUR)
    assert ours.deliver(CAPTURED) == 500
    ours.clock.advance(1 * HOUR)
    assert ours.deliver(CAPTURED) == 200
    assert state_of(ours, CAPTURED) == "dead"
    assert [signal.handler for signal in ours.told(EffectDead)] == ["grant"]
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["endpoint_failing", "effect_dead"]
    assert ours.deliver(CAPTURED) == 200
    assert grant.calls == 3
    grant.broken = False
    (row,) = ours.store.deliveries()
    assert ours.rzp.webhooks.replay(row.digest).after == "done"
    assert grant.calls == 4
    assert touched(ours) == [f"order.paid:{order_id(1)}"]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, MemoryError])
def test_what_is_not_an_exception_undoes_the_delivery(error: type[BaseException]) -> None:
    """H5: SystemExit and KeyboardInterrupt go up and nothing is committed; MemoryError is the handler's failure."""
    ours = shop()

    @ours.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        raise error

    if error is MemoryError:
        assert ours.deliver(CAPTURED) == 500
        return
    with pytest.raises(error):
        ours.deliver(CAPTURED)
    assert ours.store.deliveries() == []
    assert ours.store.payment(payment_id(1)) is None


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_handler_that_ends_our_transaction_is_found_out(end: str) -> None:
    """H3: 500 and an alarm."""
    ours = shop()

    @ours.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        getattr(tx.connection, end)()

    assert ours.deliver(CAPTURED) == 500
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["TransactionMisuse"]


def test_a_handler_that_this_process_does_not_have_waits_for_one_that_does() -> None:
    """A rolling deployment: the row stays, nobody counts an attempt."""
    store = MemoryStore()
    new, old = Shop(store), Shop(store)
    new.adopt(1)
    grant = Flaky()
    new.rzp.on("order.paid", name="grant")(grant)
    assert new.deliver(CAPTURED) == 500
    assert old.deliver(CAPTURED) == 500
    (row,) = store.effects()
    assert row.attempts == 1
    grant.broken = False
    assert new.deliver(CAPTURED) == 200


# --- effects after the commit -----------------------------------------------------------------------------------


def test_after_handlers_run_once_it_is_committed() -> None:
    """Without a worker, right after the delivery; a failure does not make it 500, and is retried later."""
    ours = shop()
    mail = Flaky()
    ours.rzp.after("order.paid", name="mail")(mail)
    assert ours.deliver(CAPTURED) == 200
    (row,) = ours.store.effects()
    assert (row.state, row.attempts) == ("waiting", 1)
    mail.broken = False
    assert ours.rzp.webhooks.process_pending().total == 0
    ours.clock.advance(61)
    work = ours.rzp.webhooks.process_pending()
    assert (work.ran, work.failed, work.total) == (1, 0, 1)
    assert mail.changes[0].key == f"order.paid:{order_id(1)}"
    assert mail.changes[0].order.owner == "user:7"


def test_a_later_delivery_runs_what_is_overdue() -> None:
    """No worker is needed for effects of other orders either."""
    ours = shop()
    ours.adopt(2)
    mail = Flaky()
    ours.rzp.after("payment.captured", name="mail")(mail)
    ours.deliver(CAPTURED)
    mail.broken = False
    ours.clock.advance(61)
    ours.deliver(body("payment.captured", payment=payment(2, "captured")))
    assert [change.entity.payment_id for change in mail.changes] == [payment_id(1), payment_id(2)]


def test_an_async_after_handler_is_run_to_its_end() -> None:
    """Coroutines are allowed after the commit."""
    ours = shop()
    seen: list[str] = []

    @ours.rzp.after("order.paid")
    async def mail(change: Any) -> None:
        seen.append(change.key)

    assert ours.deliver(CAPTURED) == 200
    assert seen == [f"order.paid:{order_id(1)}"]


def test_an_after_handler_is_given_up_after_eight_attempts() -> None:
    """Spread over 20 h; then dead, with an alarm."""
    ours = shop(ack="stored")
    mail = Flaky()
    ours.rzp.after("order.paid", name="mail")(mail)
    ours.deliver(CAPTURED)
    for _ in range(30):
        ours.rzp.webhooks.process_pending()
        ours.clock.advance(HOUR)
    assert mail.calls == 8
    assert [row.state for row in ours.store.effects()] == ["dead"]
    assert [alarm.reason for alarm in ours.told(Alarm)] == ["effect_dead"]


def test_refund_effects_see_the_refund() -> None:
    """The kind of the milestone decides what change.entity is."""
    ours = shop()
    mail = Flaky()
    mail.broken = False
    ours.rzp.after("refund.created", name="mail")(mail)
    ours.deliver(CAPTURED)
    ours.deliver(body("refund.created", payment=payment(1, "refunded"), refund=_refund(1)))
    (change,) = mail.changes
    assert (change.kind, change.entity.money, change.entity.razorpay.status) == ("refund", Money(AMOUNT), "pending")


# --- ack="stored" -----------------------------------------------------------------------------------------------


def test_stored_answers_once_it_is_durable_and_a_worker_runs_the_effects() -> None:
    """200 though the handler would fail; process_pending retries with its own pace and gives up after eight."""
    ours = shop(ack="stored")
    grant = Flaky()
    ours.rzp.on("order.paid", name="grant")(grant)
    assert ours.deliver(CAPTURED) == 200
    assert grant.calls == 0
    work = ours.rzp.webhooks.process_pending()
    assert (work.retried, work.failed) == (1, 1)
    assert ours.rzp.webhooks.process_pending().retried == 0
    ours.clock.advance(61)
    grant.broken = False
    assert ours.rzp.webhooks.process_pending().retried == 1
    assert touched(ours) == [f"order.paid:{order_id(1)}"]


def test_stored_gives_an_inline_effect_up_after_eight_attempts() -> None:
    """As for later effects."""
    ours = shop(ack="stored")
    grant = Flaky()
    ours.rzp.on("order.paid", name="grant")(grant)
    ours.deliver(CAPTURED)
    for _ in range(40):
        ours.rzp.webhooks.process_pending()
        ours.clock.advance(HOUR)
    assert grant.calls == 8
    assert len(ours.told(EffectDead)) == 1


def test_a_younger_effect_is_not_run_before_its_elder_is_due() -> None:
    """process_pending keeps FIFO per handler and order, even when the younger one is due first."""
    ours = shop(ack="stored")
    seen: list[str] = []
    broken = {"now": True}

    def note(change: Any, tx: Any) -> None:
        if broken["now"]:
            raise RuntimeError
        seen.append(change.milestone)

    ours.rzp.on("payment.authorized", name="note")(note)
    ours.rzp.on("payment.captured", name="note")(note)
    ours.deliver(AUTHORIZED)
    ours.rzp.webhooks.process_pending()
    broken["now"] = False
    ours.deliver(CAPTURED)
    ours.rzp.webhooks.process_pending()
    assert seen == []
    ours.clock.advance(61)
    ours.rzp.webhooks.process_pending()
    assert seen == ["payment.authorized", "payment.captured"]


# --- storage that fails -----------------------------------------------------------------------------------------


class Broken(MemoryStore):
    """A store whose next transactions fail, at their begin or at their commit."""

    fail_at: str | None = None
    error: type[Exception] = StorageUnavailable

    @contextmanager
    def transaction(self, **chosen: Any) -> Any:
        if self.fail_at == "begin":
            raise self.error
        with super().transaction(**chosen) as tx:
            yield tx
            if self.fail_at == "commit":
                raise self.error


@pytest.mark.parametrize("fail_at", ["begin", "commit"])
@pytest.mark.parametrize("error", [StorageUnavailable, StorageReadOnly])
def test_what_could_not_be_stored_gets_503_and_is_sent_again(fail_at: str, error: type[Exception]) -> None:
    """D1: nothing is kept as done; the redelivery does the work."""
    store = Broken()
    ours = Shop(store)
    ours.adopt(1)
    store.fail_at, store.error = fail_at, error
    reply = ours.rzp.webhooks.handle(request(CAPTURED))
    assert reply.status == 503
    assert reply.headers.get("Retry-After") == "30"
    assert ours.deliver(b"{}") == 503
    assert [alarm.reason for alarm in ours.told(Alarm)] == [error.__name__]
    store.fail_at = None
    assert store.deliveries() == []
    assert ours.deliver(CAPTURED) == 200


def test_a_store_that_fails_after_the_commit_does_not_take_the_answer_back() -> None:
    """The delivery is durable; the later effect waits for the next one."""
    store = Broken()
    ours = Shop(store)
    ours.adopt(1)
    mail = Flaky()
    mail.broken = False
    ours.rzp.after("order.paid", name="mail")(mail)
    stop = ours.rzp.signals.subscribe(lambda signal: setattr(store, "fail_at", "begin"), EffectDone)

    @ours.rzp.on("order.paid", name="last")
    def last(change: Any, tx: Any) -> None:
        return None

    assert ours.deliver(CAPTURED) == 200
    assert mail.calls == 0
    stop()
    store.fail_at = None
    ours.rzp.webhooks.process_pending()
    assert mail.calls == 1


# --- what is parked, and replay ---------------------------------------------------------------------------------


class Api:
    """Razorpay's API as far as parked events ask it."""

    def __init__(self, *, receipt: str | None = None, error: Exception | None = None) -> None:
        self.orders = self.payments = self
        self.receipt = receipt
        self.error = error
        self.asked: list[str] = []

    def fetch(self, reference: str) -> Any:
        self.asked.append(reference)
        if self.error is not None:
            raise self.error
        number = int(reference.partition("_")[2])
        if reference.startswith("pay_"):
            return parse_entity(payment(number, "captured"), "payment")
        from bodies import order

        return parse_entity(order(number, "paid", receipt=self.receipt), "order")


def test_a_parked_event_whose_receipt_is_ours_registers_its_order() -> None:
    """The answer to our create was lost: after 15 minutes Razorpay is asked, and its receipt tells (DESIGN 7)."""
    api = Api()
    ours = Shop(MemoryStore(), client=api)
    from razorpay_hardened.domain.facts import Cause, OrderAsked

    with ours.store.transaction() as tx:
        asked = OrderAsked("local_9", "user:9", AMOUNT, "INR", "local_9")
        ours.rzp._ledger.apply(tx, asked, cause=Cause("checkout", START))
    api.receipt = "local_9"
    raw = body("payment.captured", payment=payment(9, "captured"))
    ours.deliver(raw)
    assert ours.rzp.webhooks.process_pending().total == 0
    assert api.asked == []
    ours.clock.advance(15 * 60)
    assert ours.rzp.webhooks.process_pending().drained == 1
    held = ours.store.order("local_9")
    assert held is not None
    assert (held.status, held.order_id) == ("paid", order_id(9))
    assert state_of(ours, raw) == "done"


@pytest.mark.parametrize("receipt", [None, "somebody-elses", "local_of_nobody"])
def test_a_parked_event_of_somebody_elses_order_is_ignored_after_72_hours(receipt: str | None) -> None:
    """Late authorisation ends within three days."""
    ours = Shop(MemoryStore(), client=Api(receipt=receipt))
    ours.deliver(CAPTURED)
    ours.clock.advance(71 * HOUR)
    assert ours.rzp.webhooks.process_pending().total == 0
    ours.clock.advance(1 * HOUR)
    assert ours.rzp.webhooks.process_pending().ignored == 1
    (row,) = ours.store.deliveries()
    assert (row.state, row.reason) == ("ignored", "its order is not ours")


def test_a_parked_refund_fetches_its_payment() -> None:
    """The payment's own news was lost; asking for it makes the refund usable."""
    from bodies import refund

    api = Api()
    ours = Shop(MemoryStore(), client=api)
    ours.adopt(1)
    ours.deliver(body("refund.processed", refund=refund(1, "processed")))
    ours.clock.advance(16 * 60)
    assert ours.rzp.webhooks.process_pending().drained == 1
    assert api.asked == [payment_id(1)]
    held = ours.store.payment(payment_id(1))
    assert held is not None
    assert held.status == "refunded"


@pytest.mark.parametrize(("error", "alarms"), [(ApiBadRequest(), []), (ApiServerError(), ["ApiServerError"])])
def test_a_parked_event_that_cannot_be_looked_up_stays_parked(error: Exception, alarms: list[str]) -> None:
    """An order that Razorpay does not know, or an API that is down."""
    ours = Shop(MemoryStore(), client=Api(error=error))
    ours.deliver(CAPTURED)
    ours.clock.advance(16 * 60)
    assert ours.rzp.webhooks.process_pending().total == 0
    assert state_of(ours, CAPTURED) == "parked"
    assert [alarm.reason for alarm in ours.told(Alarm)] == alarms


def test_replay_of_a_quarantined_event_after_the_fix() -> None:
    """The order was registered with the wrong amount; once that is mended the event is taken in."""
    ours = Shop(MemoryStore())
    raw = body("payment.captured", payment=payment(1, "captured"))
    ours.adopt(1, amount=AMOUNT)
    bad = body("payment.captured", payment=payment(2, "failed", order=1))
    ours.deliver(bad, event_id="evt-bad")
    with pytest.raises(InconsistentEvent):
        ours.rzp.webhooks.replay("evt-bad")
    ours.deliver(raw, event_id="evt-1")
    assert ours.rzp.webhooks.replay("evt-1") == ("done", "done", ())
    forced = ours.rzp.webhooks.replay("evt-1", force=True)
    assert (forced.after, forced.milestones) == ("done", ())
    with pytest.raises(EventUnknown):
        ours.rzp.webhooks.replay("evt-none")


def test_replay_keeps_parked_and_ignored_what_they_are() -> None:
    """Until their order is known, and for types that nothing tracks."""
    ours = Shop(MemoryStore())
    ours.deliver(CAPTURED, event_id="parked")
    ours.deliver(body("payment.teleported"), event_id="ignored")
    assert ours.rzp.webhooks.replay("parked").after == "parked"
    assert ours.rzp.webhooks.replay("ignored").after == "ignored"


def test_replay_with_a_broken_handler_waits() -> None:
    """The effect is retried like any other."""
    ours = shop()
    grant = Flaky()
    ours.rzp.on("order.paid", name="grant")(grant)
    ours.deliver(CAPTURED, event_id="evt-1")
    assert ours.rzp.webhooks.replay("evt-1").after == "waiting"
    grant.broken = False
    assert ours.rzp.webhooks.replay("evt-1").after == "done"


def test_the_age_of_an_effect_is_not_the_age_of_the_order() -> None:
    """A milestone that fires a day later has its own 20 hours."""
    ours = shop()
    grant = Flaky()
    ours.rzp.on("payment.captured", name="grant")(grant)
    ours.deliver(AUTHORIZED)
    ours.clock.advance(timedelta(days=2).total_seconds())
    assert ours.deliver(CAPTURED) == 500

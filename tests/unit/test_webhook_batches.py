"""Many deliveries in one commit: the same code, the same law (DESIGN section 3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodies import Shop, body, life_of, order, order_id, payment, payment_id, refund, request
from razorpay_hardened import MemoryStore
from razorpay_hardened.domain.events import read_event
from razorpay_hardened.domain.facts import Cause
from razorpay_hardened.effects.registry import Registry
from razorpay_hardened.errors import StorageUnavailable
from razorpay_hardened.ledger import Ledger, Told
from razorpay_hardened.signals import Alarm, EventDuplicate, EventProcessed, EventQuarantined, EventReceived

LIVES = {f"{number}.{name}": raw for number in (1, 2, 3) for name, raw in life_of(number).items()}
ODD = {
    "not json": b"{",
    "contradiction": body("payment.captured", payment=payment(1, "failed")),
    "another amount": body("payment.captured", payment=payment(9, "captured", order=2, amount=1)),
    "second payment": body("payment.captured", payment=payment(8, "captured", order=1)),
    "ignored": body("payment.teleported", payment=payment(1, "captured")),
    "late": body("payment.captured", created_at=1, payment=payment(7, "captured", order=3)),
    "no order": body("payment.captured", payment=payment(6, "captured") | {"order_id": None}),
    "its refund": body("refund.created", refund=refund(6, "pending")),
}
ALL = LIVES | ODD


def shop(*, adopted: int = 2, ack: str = "effect", fails: str = "") -> tuple[Shop, list[tuple[str, str]]]:
    """A shop that knows the first orders, and what its handlers were called with; ``fails`` is the one that raises."""
    ours = Shop(MemoryStore(), ack=ack)
    calls: list[tuple[str, str]] = []
    for number in range(1, adopted + 1):
        ours.adopt(number)
    with ours.store.transaction() as tx:
        tx.execute("CREATE TABLE called (handler TEXT, key TEXT, PRIMARY KEY (handler, key))")

    def handler(name: str) -> Any:
        def call(change: Any, tx: Any) -> None:
            tx.execute("INSERT INTO called VALUES (?, ?)", (name, change.key))
            if name == fails:
                raise RuntimeError("broken")
            calls.append((name, change.key))

        return call

    for milestone in ("order.paid", "payment.captured", "refund.processed", "payment.refunded"):
        ours.rzp.on(milestone, name=f"on {milestone}", unbound=True)(handler(f"on {milestone}"))
    return ours, calls


def books(ours: Shop) -> dict[str, Any]:
    """Everything that must be the same, however the deliveries were grouped."""
    store = ours.store
    anchors = store.anchors()
    with store.transaction() as tx:
        called = sorted(tuple(row) for row in tx.execute("SELECT handler, key FROM called").fetchall())
    return {
        "inbox": sorted((row.digest, row.state, row.anchor, row.reason, row.attempts) for row in store.deliveries()),
        "orders": sorted((row.local_id[:5], row.order_id, row.status, row.closed_at) for row in store.orders()),
        "payments": sorted(
            (row.payment_id, row.status, row.captured, row.refunded, row.surplus, sorted(row.milestones))
            for row in store.payments()
        ),
        "refunds": sorted((row.refund_id, row.status, row.amount) for row in store.refunds()),
        "effects": sorted((row.key, row.handler, row.state, row.attempts) for row in store.effects()),
        "captured": {row.key: row.captured for row in anchors if row.captured},
        # An anchor that was only locked has no trail.
        "audit": {row.key: [_step(one) for one in store.audit(row.key)] for row in anchors if row.audit_seq},
        "called": called,
    }


def _step(row: Any) -> tuple[Any, ...]:
    return (row.seq, row.what, row.entity_id, row.before, row.after, row.digest, row.note)


def same_order(calls: list[tuple[str, str]], handler: str, number: int) -> list[str]:
    return [key for name, key in calls if name == handler and key.endswith(str(number))]


@pytest.mark.slow
@given(
    st.lists(st.sampled_from(sorted(ALL)), min_size=1, max_size=24),
    st.integers(2, 24),
    st.integers(0, 3),
    st.sampled_from(["effect", "stored"]),
    st.sampled_from(["", "on order.paid", "on payment.captured"]),
)
def test_grouped_or_one_by_one_the_books_are_the_same(
    names: list[str], size: int, adopted: int, ack: str, fails: str
) -> None:
    """Any deliveries, duplicated, contradictory, parked, with a handler that fails: statuses, money, effects, audit
    trail and answers do not depend on how many shared a commit."""
    raws = [ALL[name] for name in names]
    alone, calls_alone = shop(adopted=adopted, ack=ack, fails=fails)
    grouped, calls_grouped = shop(adopted=adopted, ack=ack, fails=fails)
    one_by_one = [alone.rzp.webhooks.handle(request(raw)).status for raw in raws]
    together: list[int] = []
    for start in range(0, len(raws), size):
        part = [request(raw) for raw in raws[start : start + size]]
        together += [reply.status for reply in grouped.rzp.webhooks.handle_many(part)]
    ones, others = books(alone), books(grouped)
    if fails:  # a batch tries an older effect once, where each of its deliveries would have
        for each in (ones, others):
            each["effects"] = [effect[:3] for effect in each["effects"]]
            each["inbox"] = [row[:2] for row in each["inbox"]]
    assert others == ones
    assert sorted(calls_grouped) == sorted(calls_alone)
    assert together == one_by_one
    for handler in {name for name, _ in calls_alone}:
        for number in (1, 2, 3):
            assert same_order(calls_grouped, handler, number) == same_order(calls_alone, handler, number)


def test_a_batch_is_one_commit_and_each_has_its_own_answer() -> None:
    """One transaction for all that can share one; refusals, quarantine and duplicates keep their own answers."""
    ours, calls = shop(adopted=3)
    begun = 0
    transaction = ours.store.transaction

    def counted(**options: Any) -> Any:
        nonlocal begun
        begun += 1
        return transaction(**options)

    ours.store.transaction = counted  # type: ignore[method-assign]
    captured = [life_of(number)["captured"] for number in (1, 2, 3)]
    forged = request(captured[0], **{"X-Razorpay-Signature": "0" * 64})
    replies = ours.rzp.webhooks.handle_many([forged, *map(request, [*captured, captured[0], ODD["ignored"]])])
    assert [reply.status for reply in replies] == [401, 200, 200, 200, 200, 200]
    told = [reply.body.decode() for reply in replies[1:]]
    assert [text.split('"')[3] for text in told] == ["processed"] * 3 + ["duplicate", "ignored"]
    assert begun == 1
    assert len(calls) == 6
    assert len(ours.told(EventReceived)) == 4
    assert [signal.milestones for signal in ours.told(EventProcessed)] == [
        ("payment.authorized", "payment.captured", "order.paid")
    ] * 3
    assert len(ours.told(EventDuplicate)) == 1


def test_a_poison_event_costs_its_neighbours_nothing() -> None:
    """A contradiction is quarantined with its alarm, in the same commit in which its neighbours are processed."""
    ours, calls = shop(adopted=2)
    raws = [life_of(1)["captured"], ODD["another amount"], ODD["contradiction"], life_of(2)["captured"]]
    assert [reply.status for reply in ours.rzp.webhooks.handle_many(list(map(request, raws)))] == [200] * 4
    states = {row.body: row.state for row in ours.store.deliveries()}
    assert [states[raw] for raw in raws] == ["done", "quarantined", "quarantined", "done"]
    assert {signal.reason for signal in ours.told(EventQuarantined)} == {"AmountMismatch", "InconsistentEvent"}
    assert len(ours.told(Alarm)) == 2
    assert ours.store.payment(payment_id(9)) is None
    assert [key for name, key in calls if name == "on order.paid"] == [
        f"order.paid:{order_id(1)}",
        f"order.paid:{order_id(2)}",
    ]


def test_a_handler_that_fails_is_answered_500_and_nobody_else_is() -> None:
    """The savepoint is its own: the others' writes and rows commit as done."""
    ours, _ = shop(adopted=2)

    @ours.rzp.on("order.paid", name="picky")
    def picky(change: Any, tx: Any) -> None:
        if change.order.order_id == order_id(1):
            raise RuntimeError("not this one")

    raws = [life_of(1)["captured"], life_of(2)["captured"]]
    assert [reply.status for reply in ours.rzp.webhooks.handle_many(list(map(request, raws)))] == [500, 200]
    assert [reply.status for reply in ours.rzp.webhooks.handle_many(list(map(request, raws)))] == [500, 200]


@pytest.mark.parametrize("error", [SystemExit, MemoryError])
def test_what_is_not_an_exception_undoes_its_own_delivery_alone(error: type[BaseException]) -> None:
    """The shared transaction is rolled back; then each has its own, and the guilty one's is raised."""
    ours, _ = shop(adopted=2)

    @ours.rzp.on("order.paid", name="exits")
    def exits(change: Any, tx: Any) -> None:
        if change.order.order_id == order_id(1):
            raise error

    raws = [life_of(1)["captured"], life_of(2)["captured"]]
    if issubclass(error, Exception):  # MemoryError is one: a failure like any other
        assert [reply.status for reply in ours.rzp.webhooks.handle_many(list(map(request, raws)))] == [500, 200]
        return
    with pytest.raises(error):
        ours.rzp.webhooks.handle_many(list(map(request, raws)))
    assert [row.body for row in ours.store.deliveries()] == [raws[1]]


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_handler_that_ends_the_transaction_spoils_its_own_delivery_alone(end: str) -> None:
    """500 for it; its neighbour gets a transaction of its own."""
    ours, _ = shop(adopted=2)

    @ours.rzp.on("order.paid", name="ends")
    def ends(change: Any, tx: Any) -> None:
        if change.order.order_id == order_id(1):
            getattr(tx.connection, end)()

    raws = [life_of(1)["captured"], life_of(2)["captured"]]
    assert [reply.status for reply in ours.rzp.webhooks.handle_many(list(map(request, raws)))] == [500, 200]
    assert [row.body for row in ours.store.deliveries()] == [raws[1]]


class Full(MemoryStore):
    """A store whose commits fail while ``full``."""

    full = False

    def _unit(self, writer: Any) -> Any:
        for tx in super()._unit(writer):
            yield tx
            if self.full:
                raise StorageUnavailable("disk full")


def test_a_commit_that_fails_leaves_nobody_with_200() -> None:
    """503 to all, nothing stored; sent again, each is processed once."""
    ours = Shop(Full())
    calls: list[str] = []
    for number in (1, 2, 3):
        ours.adopt(number)

    @ours.rzp.on("order.paid", name="grant")
    def grant(change: Any, tx: Any) -> None:
        calls.append(change.key)

    requests = [request(life_of(number)["captured"]) for number in (1, 2, 3)]
    ours.store.full = True
    replies = ours.rzp.webhooks.handle_many(requests)
    assert [(reply.status, reply.headers.get("Retry-After")) for reply in replies] == [(503, "30")] * 3
    ours.store.full = False
    assert ours.store.deliveries() == []
    calls.clear()
    assert [reply.status for reply in ours.rzp.webhooks.handle_many(requests)] == [200] * 3
    assert len(calls) == 3


def test_while_it_is_paused_a_batch_is_stored() -> None:
    """200 for all, no handler called; resuming calls each once."""
    ours, calls = shop(adopted=2)
    ours.rzp.pause(actor="asha")
    raws = [life_of(1)["captured"], life_of(2)["captured"]]
    replies = ours.rzp.webhooks.handle_many(list(map(request, raws)))
    assert [(reply.status, reply.body) for reply in replies] == [(200, b'{"status":"paused"}')] * 2
    assert calls == []
    ours.rzp.resume(actor="asha")
    assert len(calls) == 4


def test_a_refund_before_its_payment_in_one_batch_is_not_parked() -> None:
    """What it waits for comes in the same commit."""
    ours, _ = shop(adopted=1)
    raws = [
        body("refund.created", refund=refund(1, "pending")),
        body("order.paid", payment=payment(1, "captured"), order=order(1, "paid")),
    ]
    assert [reply.status for reply in ours.rzp.webhooks.handle_many(list(map(request, raws)))] == [200, 200]
    assert [row.state for row in ours.store.deliveries()] == ["done", "done"]
    assert [row.status for row in ours.store.refunds()] == ["pending"]


class _Fails:
    """A transaction whose database goes away while news is decided, after the reading for the whole batch."""

    def __init__(self, tx: Any) -> None:
        self._tx = tx
        self.readings = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    def load(self, touches: Any) -> Any:
        self.readings += 1
        if self.readings > 2:
            raise StorageUnavailable("gone")
        return self._tx.load(touches)


def test_a_store_that_fails_amid_a_batch_is_nobodys_contradiction() -> None:
    """The failure ends the batch, so that nothing of it is committed; it is not put on record as a bad delivery's."""
    ours, _ = shop()
    news = [
        Told(read_event(raw, None).facts(), Cause("webhook", ours.clock.now(), digest=str(number)))
        for number, raw in enumerate([ODD["another amount"], LIVES["1.captured"]])
    ]
    ledger = Ledger(Registry(), clock=ours.clock)

    with pytest.raises(StorageUnavailable, match="gone"), ours.store.transaction() as tx:
        ledger.apply_many(_Fails(tx), news)  # type: ignore[arg-type]

    assert ours.store.payments() == []
    assert ours.store.deliveries() == []

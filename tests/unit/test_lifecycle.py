"""The law, as tables and small functions: exhaustive where the space is small, hypothesis where it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened.domain.facts import OrderFact, OrderSetback, PaymentFact, RefundFact
from razorpay_hardened.domain.ids import OrderId, PaymentId, RefundId
from razorpay_hardened.domain.lifecycle import (
    MILESTONES,
    ORDER_RANK,
    PAYMENT_RANK,
    REFUND_RANK,
    Milestone,
    Verdict,
    advance_order,
    bind_capture,
    decide_order,
    decide_payment,
    decide_refund,
    decide_setback,
    fits_event,
    payment_milestones,
    payment_status,
    refund_milestones,
    with_refund,
)
from razorpay_hardened.domain.state import AnchorState, OrderState, PaymentState, RefundState
from razorpay_hardened.errors import (
    AmountMismatch,
    CurrencyMismatch,
    InconsistentEvent,
    OrderMismatch,
    OverRefund,
    TransitionRefused,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ORDER = OrderId("order_00000000000001")
PAYMENT = PaymentId("pay_00000000000001")
REFUND = RefundId("rfnd_00000000000001")
STATUSES = tuple(PAYMENT_RANK)


def told(status: str, **fields: Any) -> PaymentFact:
    captured = fields.pop("captured", status in ("captured", "refunded"))
    return PaymentFact(PAYMENT, ORDER, status, 1000, "INR", captured=captured, **fields)


def after(*statuses: str) -> PaymentState:
    state: PaymentState | None = None
    for status in statuses:
        state = decide_payment(state, told(status), ORDER, NOW).state
    assert state is not None
    return state


def refund_told(status: str, amount: int = 1000, **fields: Any) -> RefundFact:
    return RefundFact(REFUND, PAYMENT, status, amount, "INR", **fields)


def our_order(status: str = "created", **fields: Any) -> OrderState:
    known = {"order_id": ORDER} if ORDER_RANK[status] >= ORDER_RANK["created"] else {}
    return OrderState("local_1", "user:7", None, 1000, "INR", "local_1", status, NOW, NOW, **(known | fields))


# --- payments ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("held", "news"), list(product(STATUSES, STATUSES)))
def test_a_payment_only_moves_forward(held: str, news: str) -> None:
    """Each pair of statuses: the further one stays, whichever came first (FAULTS E3, E4, P3)."""
    before = after(held)
    state, verdict = decide_payment(before, told(news), ORDER, LATER)
    assert PAYMENT_RANK[state.status] == max(PAYMENT_RANK[held], PAYMENT_RANK[news])
    if PAYMENT_RANK[news] > PAYMENT_RANK[held]:
        assert verdict is Verdict.MOVED
        assert state.updated_at == LATER
    else:
        assert state == before
        assert verdict is (Verdict.SAME if news == held else Verdict.STALE)


@given(st.permutations(STATUSES))
def test_the_order_of_news_does_not_matter(news: list[str]) -> None:
    """Any permutation of all statuses ends in the same payment."""
    assert replace(after(*news), milestones=frozenset()) == replace(after(*STATUSES), milestones=frozenset())


def test_captured_is_sticky_through_a_refund() -> None:
    """A refunded payment that says captured was captured."""
    assert after("refunded").captured
    assert after("captured", "refunded").captured


def test_an_auto_refund_was_never_captured() -> None:
    """Refunded with captured false: money given back that never was ours (DESIGN section 4)."""
    state = decide_payment(None, told("refunded", captured=False), ORDER, NOW).state
    assert (state.status, state.captured, state.reach) == ("refunded", False, "authorized")
    assert list(payment_milestones(None, state)) == ["payment.authorized", "payment.refunded"]


def test_failed_with_captured_true_is_failed() -> None:
    """One of Razorpay's samples has it: the status rules."""
    state = decide_payment(None, told("failed", captured=True), ORDER, NOW).state
    assert (state.status, state.captured) == ("failed", False)


def test_captured_unknown_is_not_captured() -> None:
    """Refunded without the flag proves no capture."""
    assert not decide_payment(None, told("refunded", captured=None), ORDER, NOW).state.captured


def test_an_unknown_status_is_kept_out() -> None:
    """A status of a later version moves nothing."""
    first, verdict = decide_payment(None, told("processing"), ORDER, NOW)
    assert (first.status, verdict) == ("created", Verdict.UNKNOWN_STATUS)
    held = after("authorized")
    assert decide_payment(held, told("processing"), ORDER, NOW) == (held, Verdict.UNKNOWN_STATUS)


def test_claims_only_grow() -> None:
    """amount_refunded never falls, and a status alone never takes it back."""
    half = decide_payment(after("captured"), told("captured", amount_refunded=400), ORDER, LATER)
    assert (half.state.refunded, half.verdict, half.state.status) == (400, Verdict.MOVED, "captured")
    assert decide_payment(half.state, told("captured", amount_refunded=100), ORDER, LATER).verdict is Verdict.SAME


def test_refunded_is_what_the_sums_say() -> None:
    """A claim of the whole amount is refunded, whatever the status word."""
    state = decide_payment(None, told("captured", amount_refunded=1000), ORDER, NOW).state
    assert state.status == "refunded"


def test_a_payment_of_nothing_is_never_refunded() -> None:
    """Mandates are payments of 0: nothing can be given back of them."""
    fact = PaymentFact(PAYMENT, ORDER, "captured", 0, "INR", captured=True)
    assert decide_payment(None, fact, ORDER, NOW).state.status == "captured"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"currency": "USD"}, CurrencyMismatch),
        ({"amount": 999}, AmountMismatch),
        ({"order_id": OrderId("order_00000000000002")}, OrderMismatch),
    ],
)
def test_what_never_changes_is_never_changed(change: dict[str, Any], error: type[Exception]) -> None:
    """Amount, currency and order of a payment are for ever."""
    with pytest.raises(error):
        decide_payment(after("authorized"), replace(told("captured"), **change), ORDER, NOW)


def test_news_without_the_order_id_is_welcome() -> None:
    """A null order id contradicts nothing."""
    fact = replace(told("captured"), order_id=None)
    assert decide_payment(after("authorized"), fact, ORDER, NOW).state.order_id == ORDER


def test_more_refunded_than_paid_is_a_contradiction() -> None:
    """amount_refunded above the amount is quarantined (FAULTS section 7)."""
    with pytest.raises(InconsistentEvent):
        decide_payment(None, told("captured", amount_refunded=1001), ORDER, NOW)


def test_the_time_of_creation_is_razorpays_where_it_says() -> None:
    """Windows of reconciliation go by Razorpay's clock; decisions never do."""
    made = NOW - timedelta(days=2)
    assert decide_payment(None, told("created", created_at=made), ORDER, NOW).state.created_at == made


def test_milestones_are_implied_by_later_statuses() -> None:
    """A capture that comes first has authorised too."""
    assert list(payment_milestones(None, after("captured"))) == ["payment.authorized", "payment.captured"]
    assert list(payment_milestones(None, after("failed"))) == ["payment.failed"]
    assert list(payment_milestones(after("failed"), after("failed"))) == []
    assert "payment.failed" not in list(payment_milestones(after("failed"), after("failed", "captured")))


def test_a_surplus_is_a_milestone() -> None:
    """Money that the order did not need."""
    assert "payment.surplus" in list(payment_milestones(None, replace(after("captured"), surplus=True)))


# --- binding ----------------------------------------------------------------------------------------------------


def captured(amount: int, currency: str = "INR") -> PaymentState:
    fact = PaymentFact(PAYMENT, ORDER, "captured", amount, currency, captured=True)
    return decide_payment(None, fact, ORDER, NOW).state


@pytest.mark.parametrize(
    ("amount", "fee", "partial", "fits"),
    [
        (1000, None, False, True),
        (999, None, False, False),
        (1001, None, False, False),
        (999, None, True, True),
        (1001, None, True, False),
        (1024, 24, False, True),
        (1024, 23, False, False),
        (1024, 0, False, False),
    ],
)
def test_a_capture_must_be_for_the_orders_amount(amount: int, fee: int | None, partial: bool, fits: bool) -> None:
    """Less only with partial payment, more only by the customer's fee (FAULTS P11)."""
    order = our_order(partial_payment=partial)
    if fits:
        bind_capture(order, captured(amount), fee)
    else:
        with pytest.raises(AmountMismatch):
            bind_capture(order, captured(amount), fee)


def test_a_capture_must_be_in_the_orders_currency() -> None:
    """1,000 of another currency are not 1,000."""
    with pytest.raises(CurrencyMismatch):
        bind_capture(our_order(), captured(1000, "USD"), None)


# --- refunds ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("held", "news"), list(product(REFUND_RANK, REFUND_RANK)))
def test_a_refund_only_moves_forward_and_failed_wins(held: str, news: str) -> None:
    """pending < processed < failed, in either order of arrival."""
    payment = after("captured")
    before = decide_refund(None, refund_told(held), payment, NOW).state
    state, verdict = decide_refund(before, refund_told(news), payment, LATER)
    assert REFUND_RANK[state.status] == max(REFUND_RANK[held], REFUND_RANK[news])
    moved = REFUND_RANK[news] > REFUND_RANK[held]
    assert verdict is (Verdict.MOVED if moved else Verdict.SAME if news == held else Verdict.STALE)


def test_a_refund_of_an_unknown_status_is_pending() -> None:
    """First sight counts; the word does not."""
    payment = after("captured")
    first, verdict = decide_refund(None, refund_told("teleported"), payment, NOW)
    assert (first.status, verdict) == ("pending", Verdict.NEW)
    assert decide_refund(first, refund_told("teleported"), payment, NOW) == (first, Verdict.UNKNOWN_STATUS)


def test_our_key_is_kept_with_the_refund() -> None:
    """Whether the webhook or our own answer came first, the key ends up in the row, and stays."""
    payment = after("captured")
    first = decide_refund(None, refund_told("pending"), payment, NOW).state
    keyed = decide_refund(first, refund_told("pending", key="key-000001"), payment, NOW).state
    assert keyed.key == "key-000001"
    assert decide_refund(keyed, refund_told("pending", key="key-000002"), payment, NOW).state is keyed


def test_one_refund_above_its_payment_is_refused() -> None:
    """A sum above it may pass through honest news; one refund may not."""
    with pytest.raises(OverRefund):
        decide_refund(None, refund_told("pending", 1001), after("captured"), NOW)


def test_a_refund_in_another_currency_is_refused() -> None:
    """Refunds are in the payment's currency."""
    with pytest.raises(CurrencyMismatch):
        decide_refund(None, replace(refund_told("pending"), currency="USD"), after("captured"), NOW)


@pytest.mark.parametrize("change", [{"amount": 999}, {"payment_id": PaymentId("pay_00000000000002")}])
def test_a_refund_never_changes_its_amount_or_payment(change: dict[str, Any]) -> None:
    """They are for ever."""
    payment = after("captured")
    held = decide_refund(None, refund_told("pending"), payment, NOW).state
    with pytest.raises(AmountMismatch):
        decide_refund(held, replace(refund_told("processed"), **change), payment, NOW)


def refunds_of(*steps: tuple[str, str, int]) -> PaymentState:
    """A captured payment after these (refund, status, amount) in order."""
    payment, held = after("captured"), dict[str, RefundState]()
    for name, status, amount in steps:
        fact = RefundFact(RefundId(f"rfnd_{name * 14}"), PAYMENT, status, amount, "INR")
        state = decide_refund(held.get(name), fact, payment, NOW).state
        payment = with_refund(payment, held.get(name), state, NOW)
        held[name] = state
    return payment


def test_a_failed_refund_gives_the_money_back_to_the_payment() -> None:
    """refunded returns to captured, in either order of arrival."""
    assert refunds_of(("a", "processed", 1000)).status == "refunded"
    assert refunds_of(("a", "processed", 1000), ("a", "failed", 1000)).status == "captured"
    assert refunds_of(("a", "failed", 1000)).refunded == 0
    assert refunds_of(("a", "failed", 1000), ("a", "processed", 1000)).refunded == 0


def test_refunds_and_claims_are_not_counted_twice() -> None:
    """What Razorpay claims beyond the refunds that we know is theirs; the rest is the same money."""
    payment = decide_payment(refunds_of(("a", "processed", 300)), told("captured", amount_refunded=300), ORDER, NOW)
    assert payment.state.refunded == 300
    more = decide_payment(payment.state, told("captured", amount_refunded=500), ORDER, NOW).state
    assert more.refunded == 500


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(sorted(REFUND_RANK)), st.just(500)), min_size=1, max_size=8
    ),
    st.randoms(),
)
def test_the_order_of_refund_news_does_not_matter(steps: list[tuple[str, str, int]], random: Any) -> None:
    """Any order of the same refund news leaves the same totals."""
    other = list(steps)
    random.shuffle(other)
    one, two = refunds_of(*steps), refunds_of(*other)
    assert (one.status, one.refunded, one.refunds_known) == (two.status, two.refunded, two.refunds_known)
    assert 0 <= one.refunded <= one.amount


def test_refund_milestones_fire_at_first_sight_and_at_each_end() -> None:
    """created once; processed and failed when they become true."""
    payment = after("captured")
    pending = decide_refund(None, refund_told("pending"), payment, NOW).state
    processed = decide_refund(pending, refund_told("processed"), payment, NOW).state
    assert list(refund_milestones(None, pending)) == ["refund.created"]
    assert list(refund_milestones(None, processed)) == ["refund.created", "refund.processed"]
    assert list(refund_milestones(pending, processed)) == ["refund.processed"]
    assert list(refund_milestones(processed, processed)) == []


# --- orders -----------------------------------------------------------------------------------------------------

REMOTE = ("created", "attempted", "paid")


@pytest.mark.parametrize(("held", "news"), list(product(REMOTE, REMOTE)))
def test_an_order_only_moves_forward(held: str, news: str) -> None:
    """created < attempted < paid."""
    before = our_order(held)
    state, verdict = decide_order(before, OrderFact(ORDER, news, 1000, "INR"), LATER)
    step = ORDER_RANK[news] - ORDER_RANK[held]
    assert verdict is (Verdict.MOVED if step > 0 else Verdict.SAME if step == 0 else Verdict.STALE)
    assert state.status == (news if step > 0 else held)


def test_an_order_of_unknown_status_stays() -> None:
    """A word of a later version moves nothing."""
    held = our_order()
    assert decide_order(held, OrderFact(ORDER, "expired", 1000, "INR"), NOW) == (held, Verdict.UNKNOWN_STATUS)


@pytest.mark.parametrize(
    ("fact", "error"),
    [
        (OrderFact(ORDER, "paid", 1000, "USD"), CurrencyMismatch),
        (OrderFact(ORDER, "paid", 999, "INR"), AmountMismatch),
    ],
)
def test_razorpays_order_must_be_the_one_we_asked_for(fact: OrderFact, error: type[Exception]) -> None:
    """An order of ₹1 with our id on it pays for nothing."""
    with pytest.raises(error):
        decide_order(our_order(), fact, NOW)


@pytest.mark.parametrize(
    ("captured_total", "furthest", "status"),
    [
        (0, -1, "created"),
        (0, PAYMENT_RANK["created"], "created"),
        (0, PAYMENT_RANK["failed"], "attempted"),
        (999, PAYMENT_RANK["captured"], "attempted"),
        (1000, PAYMENT_RANK["captured"], "paid"),
        (2000, PAYMENT_RANK["captured"], "paid"),
    ],
)
def test_an_order_is_what_its_payments_make_it(captured_total: int, furthest: int, status: str) -> None:
    """paid once captures reach the amount, attempted from the first attempt on."""
    anchor = AnchorState(ORDER, captured=captured_total)
    assert advance_order(our_order(), anchor, furthest, NOW).status == status


def test_paid_never_falls() -> None:
    """A failed second try does not take the order back."""
    paid = our_order("paid")
    assert advance_order(paid, AnchorState(ORDER), PAYMENT_RANK["failed"], NOW) is paid


@pytest.mark.parametrize("status", ["outcome_unknown", "remote_failed"])
def test_an_order_that_razorpay_may_not_have_can_be_asked_for_again(status: str) -> None:
    """The one edge back: to pending, explicitly, and counted."""
    held = decide_setback(our_order("pending", attempts=1), OrderSetback("local_1", status), NOW)
    again = decide_setback(held, OrderSetback("local_1", "pending"), LATER)
    assert (held.status, held.attempts, again.status, again.attempts) == (status, 1, "pending", 2)


def test_once_razorpay_has_the_order_nothing_sets_it_back() -> None:
    """From then on its news rule."""
    with pytest.raises(TransitionRefused):
        decide_setback(our_order("created"), OrderSetback("local_1", "remote_failed"), NOW)
    with pytest.raises(TransitionRefused):
        decide_setback(our_order("pending"), OrderSetback("local_1", "paid"), NOW)


# --- events and names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "kind", "status", "fits"),
    [
        ("payment.authorized", "payment", "captured", True),
        ("payment.captured", "payment", "failed", False),
        ("payment.captured", "payment", "refunded", True),
        ("payment.captured", "payment", "teleported", True),
        ("payment.failed", "payment", "failed", True),
        ("order.paid", "order", "attempted", False),
        ("order.paid", "payment", "failed", True),
        ("refund.created", "refund", "pending", True),
        ("refund.processed", "refund", "pending", False),
        ("invoice.paid", "payment", "created", True),
    ],
)
def test_an_event_may_carry_what_is_further_along_and_no_contradiction(
    event: str, kind: str, status: str, fits: bool
) -> None:
    """The entity rules where it is further; what lies behind the event contradicts it."""
    assert fits_event(event, kind, status) is fits


def test_milestone_keys_are_stable() -> None:
    """They are stored: changing them would fire everything again."""
    assert Milestone("order.paid", ORDER).key == "order.paid:order_00000000000001"
    assert len(set(MILESTONES)) == len(MILESTONES) == 10


def test_a_held_status_is_derived_from_reach_and_sums() -> None:
    """payment_status is a function of the row alone."""
    held = after("captured")
    assert payment_status(held) == "captured"
    assert payment_status(replace(held, refunds_known=1000)) == "refunded"
    assert payment_status(replace(held, refunds_known=1000, refunds_failed=1000)) == "captured"

"""Slices of both sides: every row once, whatever the window's edges, the order of the listing and its ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from razorpay_hardened.clock import from_unix, to_unix
from razorpay_hardened.errors import ReconcileStalled
from razorpay_hardened.reconcile import sources
from razorpay_hardened.reconcile.sources import Sources, Span, Spans
from razorpay_hardened.storage import MemoryStore
from reconcile_world import START, FakeRazorpay, Shop, found

IST_MIDNIGHT = to_unix(START.replace(hour=18, minute=30))
EMPTY = MemoryStore()


def read_all(razorpay: FakeRazorpay, window: Span) -> list[Any]:
    """Every payment that the slices of ``window`` give, in the order of the slices."""
    reader, spans, got = Sources(EMPTY, razorpay), Spans(window), []
    while (span := spans.current()) is not None:
        slice_ = reader.read(span)
        if slice_ is None:
            spans.narrow(span)
            continue
        got += [(item.created_at, item.id) for item in slice_.payments.there]
        spans.advance(span, slice_.busiest)
    return got


def razorpay_with(seconds: list[int], **how: bool) -> FakeRazorpay:
    razorpay = FakeRazorpay()
    for name, value in how.items():
        setattr(razorpay, name, value)
    for number, second in enumerate(seconds):
        razorpay.payments.add(f"pay_{number:014d}", status="captured", captured=True, created_at=second)
    return razorpay


around = st.integers(IST_MIDNIGHT - 5, IST_MIDNIGHT + 5)


@given(
    seconds=st.lists(st.one_of(around, st.integers(IST_MIDNIGHT - 4000, IST_MIDNIGHT + 4000)), max_size=40),
    first=around,
    length=st.integers(0, 4000),
    inclusive=st.booleans(),
    newest_first=st.booleans(),
    page=st.integers(1, 12),
)
@pytest.mark.slow
@settings(max_examples=200)
@example([IST_MIDNIGHT] * 12, IST_MIDNIGHT, 0, True, True, 12)
@example([IST_MIDNIGHT, IST_MIDNIGHT + 1] * 6, IST_MIDNIGHT, 1, False, True, 12)
def test_every_row_of_the_window_comes_once(
    seconds: list[int], first: int, length: int, inclusive: bool, newest_first: bool, page: int
) -> None:
    """Rows on either edge, pages that are exactly full, crowded seconds: none missed, none twice (FAULTS R6)."""
    window = Span(first, first + length)
    razorpay = razorpay_with(seconds, inclusive=inclusive, newest_first=newest_first)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "PAGE", page)
        got = read_all(razorpay, window)

    expected = [
        (row["created_at"], id)
        for id, row in razorpay.payments.rows.items()
        if window.first <= row["created_at"] <= window.last
    ]
    assert sorted(expected) == sorted(got)


@pytest.mark.parametrize("count", [99, 100, 101, 200, 250])
def test_a_second_of_exactly_a_page(count: int) -> None:
    """A hundred payments of one second, one more and one less, are all read."""
    razorpay = razorpay_with([IST_MIDNIGHT] * count)

    assert count == len(read_all(razorpay, Span(IST_MIDNIGHT - 86_400, IST_MIDNIGHT + 86_400)))


def test_both_sides_page_through_a_crowded_second() -> None:
    """More rows of ours in one second than a page holds are read too, and none is taken for missing."""
    shop = Shop()
    payments = [shop.pay(None) for _ in range(230)]
    shop.tell(*payments)

    result = shop.run()

    assert (230, set()) == (result.totals.examined, found(result))


@pytest.mark.slow
def test_a_second_without_end_is_stalled() -> None:
    """A listing that does not keep to its window is given up, not read for ever (FAULTS P7)."""
    razorpay = razorpay_with([IST_MIDNIGHT] * 5_001)

    with pytest.raises(ReconcileStalled):
        read_all(razorpay, Span(IST_MIDNIGHT, IST_MIDNIGHT))


def test_new_rows_while_paging_hide_none() -> None:
    """Rows that come in at the top push others to the next page, where they are recognised."""
    razorpay = razorpay_with([IST_MIDNIGHT] * 150)
    listed = razorpay.payments.list

    def shifting(**query: Any) -> Any:
        page = listed(**query)
        number = len(razorpay.payments.rows)
        if number < 160:
            razorpay.payments.add(f"pay_z{number:013d}", status="captured", created_at=IST_MIDNIGHT)
        return page

    razorpay.payments.list = shifting  # type: ignore[method-assign]
    got = read_all(razorpay, Span(IST_MIDNIGHT, IST_MIDNIGHT))

    assert {f"pay_{number:014d}" for number in range(150)} <= {id for _, id in got}
    assert len({id for _, id in got}) == len(got)


def test_an_empty_window_costs_one_look() -> None:
    """A quiet day is one slice: three requests."""
    razorpay = razorpay_with([])

    assert read_all(razorpay, Span(IST_MIDNIGHT, IST_MIDNIGHT + 86_400)) == []
    assert razorpay.calls == ["list order", "list payment", "list refund"]


@pytest.mark.slow
def test_at_most_two_pages_are_alive() -> None:
    """Five thousand payments are compared with no more than two pages of entities in memory at a time (FAULTS P7)."""
    shop = Shop()
    for number in range(5_000):
        shop.razorpay.payments.add(
            f"pay_{number:014d}",
            status="captured",
            captured=True,
            order_id=None,
            created_at=to_unix(START) + number * 7,
        )

    result = shop.run()

    assert (result.totals.examined, result.totals.found) == (5_000, 5_000)
    assert shop.razorpay.most_alive <= 200
    assert len(shop.razorpay.calls) < 400


@given(
    offsets=st.lists(st.integers(-4000, 4000), min_size=1, max_size=25),
    cut=st.integers(-4000, 4000),
    known=st.sets(st.integers(0, 24)),
)
@pytest.mark.slow
@settings(max_examples=60)
def test_two_runs_that_meet_miss_nothing(offsets: list[int], cut: int, known: set[int]) -> None:
    """Wherever one run's window ends and the next one's begins, together they repair all, and nothing twice."""
    shop = Shop()
    payments = [shop.pay(None, at=offset) for offset in offsets]
    shop.tell(*(payments[number] for number in known if number < len(payments)))
    shop.clock.set(START + timedelta(hours=3))
    meet, begin = START + timedelta(seconds=cut), START - timedelta(hours=2)
    assert meet == from_unix(to_unix(meet))

    first = shop.reconciler.run(since=begin, until=meet, repair=True, overlap=timedelta(0))
    second = shop.reconciler.run(since=meet, repair=True)

    missing = {payment for number, payment in enumerate(payments) if number not in known}
    repaired = [one.entity_id for one in (*first.findings, *second.findings)]
    assert sorted(missing) == sorted(repaired)
    assert set() == found(shop.reconciler.run(since=begin))

"""Listings: every item once, however the pages shift, and an end to everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_fakes import PAYMENT_ID, collection, order, payment, refund, rig
from razorpay_hardened.client import _operations as op
from razorpay_hardened.client.resources import _listing
from razorpay_hardened.client.resources._listing import Listing, Walk
from razorpay_hardened.errors import ApiServerError, FieldInvalid, ReconcileStalled
from razorpay_hardened.ports.gateway import Page


class Item:
    """Something with an id."""

    def __init__(self, id: str) -> None:
        self.id = id


def iterate(fetch: Callable[[int], Page[Item]], count: int) -> Iterator[Item]:
    """Walk pages that ``fetch(skip)`` gives, as the client's iterators do."""
    walk: Walk[Item] = Walk(Listing(op.ORDER_LIST, lambda body: (), count=count))
    while not walk.done:
        yield from walk.take(fetch(walk.skip))


def shelf(size: int, count: int, arrivals: Callable[[int], int] = lambda page: 0) -> Any:
    """A listing, newest first, into which ``arrivals(page)`` new rows come before each page is read."""
    rows = [f"old-{n}" for n in range(size)]
    pages = 0

    def fetch(skip: int) -> Page[Item]:
        nonlocal pages
        rows[:0] = [f"new-{pages}-{n}" for n in range(arrivals(pages))]
        pages += 1
        items = tuple(Item(row) for row in rows[skip : skip + count])
        return Page(items, has_more=len(items) >= count)

    return fetch


@settings(max_examples=80)
@given(
    size=st.integers(0, 130), count=st.integers(1, 40), arrivals=st.lists(st.integers(0, 20), min_size=0, max_size=12)
)
def test_rows_that_arrive_meanwhile_hide_none(size: int, count: int, arrivals: list[int]) -> None:
    """Everything that was there at the start comes exactly once, whatever is pushed in front of it."""
    fetch = shelf(size, count, lambda page: min(arrivals[page], count - 1) if 0 < page < len(arrivals) else 0)

    found = [item.id for item in iterate(fetch, count)]

    assert [id for id in found if id.startswith("old")] == [f"old-{n}" for n in range(size)]
    assert len(found) == len(set(found))


def test_a_burst_that_fills_a_page_is_not_a_standstill() -> None:
    """A page may be pushed back whole, once."""
    fetch = shelf(50, 10, lambda page: 10 if page == 1 else 0)

    assert len(list(iterate(fetch, 10))) == 50


def test_a_listing_that_ignores_skip_is_stopped() -> None:
    """The same page again and again is a standstill, not an endless loop; what it held was handed out once."""
    page = Page(tuple(Item(str(n)) for n in range(10)), has_more=True)
    walk = iterate(lambda skip: page, 10)

    assert [next(walk).id for _ in range(10)] == [str(n) for n in range(10)]
    with pytest.raises(ReconcileStalled):
        next(walk)


def test_a_stalled_listing_of_the_client_is_stopped() -> None:
    """The client's own iterator ends too, after few requests."""
    r = rig(collection(payment()), forever=True)

    with pytest.raises(ReconcileStalled):
        list(r.client.payments.iter(count=1))

    assert len(r.session.sent) == 3


def test_pages_are_asked_for_as_they_are_used() -> None:
    """Nothing is asked before the first item is wanted, and no page before its time."""
    first = [order(id=f"order_{n:014}") for n in range(100)]
    r = rig(collection(*first), collection(first[95], order(id="order_AAAAAAAAAAAAAA")))
    walk = r.client.orders.iter(from_=1767225600, to=1767312000, receipt="inv")

    assert r.session.sent == []
    assert next(walk).id == "order_00000000000000"
    assert len(r.session.sent) == 1
    assert len(list(walk)) == 100
    assert [sent.params for sent in r.session.sent] == [
        {"from": 1767225600, "to": 1767312000, "count": 100, "skip": skip, "receipt": "inv"} for skip in (0, 95)
    ]


def test_a_page_is_repeated_like_any_read() -> None:
    """A page that fails is asked for again; one that keeps failing ends the walk with its error."""
    assert len(list(rig((503, b""), collection(refund())).client.refunds.iter())) == 1
    with pytest.raises(ApiServerError):
        list(rig((503, b""), forever=True).client.refunds.iter())


def test_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the last ids are remembered, and that is enough."""
    monkeypatch.setattr(_listing, "SEEN_MAX", 50)

    found = list(iterate(shelf(500, 20, lambda page: 3 if page else 0), 20))

    assert [item.id for item in found if item.id.startswith("old")] == [f"old-{n}" for n in range(500)]


def test_all_refunds_of_a_payment_come() -> None:
    """A payment may have more refunds than one page."""
    many = [refund(id=f"rfnd_{n:014}") for n in range(130)]
    r = rig(collection(*many[:100]), collection(*many[95:]))

    assert len(r.client.payments.refunds(PAYMENT_ID)) == 130


def test_a_receipt_is_found_exactly() -> None:
    """The oldest order with exactly this receipt, or none; the filter's other finds are passed over."""
    others = collection(order(receipt="inv-421"), order(receipt=None))
    assert rig(others).client.orders.find_by_receipt("inv-42") is None

    two = collection(order(id="order_BBBBBBBBBBBBBB", created_at=9), order(id="order_AAAAAAAAAAAAAA", created_at=3))
    found = rig(two).client.orders.find_by_receipt("inv-42")
    assert found is not None
    assert found.id == "order_AAAAAAAAAAAAAA"

    plain = rig(collection())
    plain.client.orders.list()
    assert "receipt" not in plain.session.sent[0].params

    undated = collection(order(), order(id="order_AAAAAAAAAAAAAA", created_at=None))
    found = rig(undated).client.orders.find_by_receipt("inv-42")
    assert found is not None
    assert found.id == "order_AAAAAAAAAAAAAA"


def test_a_walk_goes_on_where_another_stopped() -> None:
    """The cursor names the page that the last item came from: nothing is missed, and a foreign cursor is refused."""
    first = [order(id=f"order_{n:014}") for n in range(100)]
    second = [*first[95:], order(id="order_AAAAAAAAAAAAAA")]
    r = rig(collection(*first), collection(*second), collection(*second))
    walk = r.client.orders.iter()
    assert walk.cursor == "skip:0"
    for _ in range(100):
        next(walk)
    assert (walk.cursor, next(walk).id, walk.cursor) == ("skip:0", "order_AAAAAAAAAAAAAA", "skip:95")

    again = r.client.orders.iter(cursor=walk.cursor)

    assert [found.id for found in again] == [found["id"] for found in second]
    assert r.session.sent[-1].params["skip"] == 95
    for cursor in ("", "95", "skip:-1", "skip:95 ", "skip:9999999999", 95):
        with pytest.raises(FieldInvalid):
            r.client.orders.iter(cursor=cursor)  # type: ignore[arg-type]

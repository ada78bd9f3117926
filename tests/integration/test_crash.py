"""Kill -9 at every commit point of FAULTS section 6: whatever dies when, the books are those of a day without a crash.

The rounds run in a process of their own (``support.crash``): it forks, and a test runner has threads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from razorpay_hardened import SQLiteStore
from support.crash import POINTS, Place, left_behind
from support.grounds import SQLiteGround
from support.mutants import ANSWERS_FIRST, MAILS_INSIDE
from support.properties import Books, at_any_moment, in_the_end, p2_answered_is_stored, read_books
from support.workload import digest_of, events, expected, make_store, open_shop

TESTS = Path(__file__).parents[1]

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "20"))
"""Rounds of each point in a campaign; the answer that gets lost after its commit, K7, has four times as many."""


def crash(*arguments: str, store: str = "sqlite") -> dict[str, list[str]]:
    """Run ``support.crash``; gives what was wrong, by argument."""
    command = [sys.executable, "-W", "error", "-m", "support.crash", *arguments]
    environ = {**os.environ, "CRASH_STORE": store}
    done = subprocess.run(command, cwd=TESTS, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def rounds(point: str, count: int) -> str:
    return f"{point}={4 * count if point == 'K7' else count}"


# --- the rounds


@pytest.mark.slow
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@pytest.mark.parametrize("points", [POINTS[:5], POINTS[5:]], ids=["K1-K5", "K6-K10"])
def test_a_crash_at_any_commit_point_changes_nothing(points: tuple[str, ...], store: str) -> None:
    """After a kill at each point, redelivery leads to the same books: P1 to P5 hold at the crash and in the end."""
    found = crash(*(rounds(point, 2 if store == "sqlite" else 1) for point in points), store=store)
    assert [one for wrong in found.values() for one in wrong] == []


@pytest.mark.campaign
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@pytest.mark.parametrize("point", POINTS)
def test_many_crashes_at_one_commit_point_change_nothing(point: str, store: str) -> None:
    """As many kills at one point as ``CRASH_ROUNDS`` says: not one violation."""
    found = crash(rounds(point, ROUNDS), store=store)
    assert [one for wrong in found.values() for one in wrong] == []


# --- the rounds can fail

MISTAKES = {
    f"K3=1/{ANSWERS_FIRST}": "was answered 200 and is not on record",
    "K3=1/claims-first": "is on record although",
    f"K6=3/{MAILS_INSIDE}": "sent more than once",
    "K8=1/lease-for-ever": "effects left undone",
    "K8=1/done-when-taken": "marked as sent, and was not",
}


@pytest.mark.slow
def test_wrong_designs_are_found() -> None:
    """Five designs that lose or double effects when a process dies are each found by these rounds."""
    found = crash(*MISTAKES)
    for argument, told in MISTAKES.items():
        assert any(told in one for one in found[argument]), (argument, found[argument])


# --- the properties can fail


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Books:
    """The books of a day on which nothing went wrong."""
    folder = tmp_path_factory.mktemp("honest")
    make_store(SQLiteStore(folder / "shop.db"))
    store = SQLiteStore(folder / "shop.db")
    shop = open_shop(store, folder / "sends")
    assert {shop.deliver(raw) for raw in events()} == {200}
    shop.clock.advance(120)
    shop.rzp.checkout.sweep()
    shop.rzp.webhooks.process_pending()
    books = read_books(store, folder / "sends")
    store.close()
    return books


def wrong_in(books: Books) -> list[str]:
    return in_the_end(books, expected(), [digest_of(raw) for raw in events()])


def test_an_honest_day_has_no_violation(honest: Books) -> None:
    """A day without a crash fulfils every property."""
    assert wrong_in(honest) == []
    assert at_any_moment(honest) == []


def spoil_audit(books: Books, change: Callable[[list[Any]], object]) -> Books:
    """The books with the chain of order 1 changed by hand."""
    key = "order_00000000000001"
    rows = list(books.audit[key])
    change(rows)
    return replace(books, audit={**books.audit, key: rows})


def first_changed(rows: list[Any]) -> int:
    return next(place for place, row in enumerate(rows) if row.what == "changed" and row.before is not None)


def regress(rows: list[Any]) -> None:
    place = first_changed(rows)
    rows[place] = replace(rows[place], before=rows[place].after, after=rows[place].before)


def altered(rows: tuple[Any, ...], **values: Any) -> tuple[Any, ...]:
    return (replace(rows[0], **values), *rows[1:])


SPOILED: dict[str, tuple[str, Callable[[Books], Books]]] = {
    "a second inner effect": (
        "P1",
        lambda b: replace(b, access=b.access + Counter(["order_00000000000001"])),
    ),
    "an inner effect lost": ("P1", lambda b: replace(b, access=b.access - Counter(["order_00000000000001"]))),
    "an effect that is not done": ("P1", lambda b: replace(b, effects=altered(b.effects, state="waiting"))),
    "a mail sent twice": ("P1", lambda b: replace(b, sends=b.sends + Counter([next(iter(b.sends))]))),
    "a mail never sent": ("P1", lambda b: replace(b, sends=b.sends - Counter([next(iter(b.sends))]))),
    "an event lost": (
        "P2",
        lambda b: replace(b, inbox={k: row for k, row in b.inbox.items() if k != digest_of(events()[0])}),
    ),
    "an event left parked": (
        "P2",
        lambda b: replace(b, inbox={k: replace(row, state="parked") for k, row in b.inbox.items()}),
    ),
    "a status moved back": ("P3", lambda b: spoil_audit(b, regress)),
    "another final status": ("P3", lambda b: replace(b, payments=altered(b.payments, status="failed"))),
    "an order that nobody asked for": (
        "P3",
        lambda b: replace(b, orders=(*b.orders, replace(b.orders[0], order_id="order_99999999999999"))),
    ),
    "an audit row changed": (
        "P4: the chain",
        lambda b: spoil_audit(b, lambda rows: rows.append(replace(rows.pop(), actor="somebody"))),
    ),
    "a chain cut short": ("P4: the chain", lambda b: spoil_audit(b, list.pop)),
    "a change without a row": (
        "P4: order_00000000000001 was",
        lambda b: spoil_audit(b, lambda rows: rows.pop(first_changed(rows))),
    ),
    "two rows for a change": (
        "P4: order_00000000000001 was",
        lambda b: spoil_audit(b, lambda rows: rows.insert(0, rows[first_changed(rows)])),
    ),
    "an anchor's total": ("P5", lambda b: replace(b, anchors=altered(b.anchors, captured=1))),
    "money booked twice": ("P5", lambda b: replace(b, book=b.book + Counter([next(iter(b.book))]))),
    "a refund that is not in the totals": ("P5", lambda b: replace(b, refunds=altered(b.refunds, amount=1))),
    "more refunded than paid": ("P5", lambda b: replace(b, payments=altered(b.payments, claimed=10**9))),
    "an amount that is not whole": ("P5", lambda b: replace(b, payments=altered(b.payments, amount=49900.0))),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_every_property_can_fail(honest: Books, spoiled: str) -> None:
    """One value spoiled in honest books is told as a violation of its property."""
    told, spoil = SPOILED[spoiled]
    assert any(one.startswith(told) for one in wrong_in(spoil(honest))), wrong_in(spoil(honest))


def test_an_answer_without_a_record_is_told(honest: Books) -> None:
    """An answer of 200 for what is not on record, and any answer but 200, violate P2."""
    digest = next(iter(honest.inbox))
    assert list(p2_answered_is_stored(honest, {digest: 200})) == []
    assert list(p2_answered_is_stored(honest, {"f" * 64: 200}))
    assert list(p2_answered_is_stored(honest, {digest: 503}))


def test_a_trace_of_an_unfinished_delivery_is_told(honest: Books, tmp_path: Path) -> None:
    """A delivery killed before its commit must have left neither row nor audit nor effect; after it, its row."""
    place = Place(tmp_path, SQLiteGround(tmp_path), "")
    place.answers.write_text(f"{digest_of(events()[1])}\n")
    told = [one[:2] for one in left_behind("K5", place, honest)]
    assert set(told) == {"P1", "P2", "P4"}
    assert list(left_behind("K7", place, honest)) == []
    assert list(left_behind("K7", place, replace(honest, inbox={})))


def test_half_a_registration_is_told(honest: Books, tmp_path: Path) -> None:
    """An order that is registered while its events stay parked, or the other way round, violates P2."""
    place = Place(tmp_path, SQLiteGround(tmp_path), "")
    parked = {key: replace(row, state="parked") for key, row in honest.inbox.items()}
    unknown = tuple(replace(order, order_id=None) for order in honest.orders)
    assert list(left_behind("K10", place, honest)) == []
    assert list(left_behind("K10", place, replace(honest, inbox=parked)))
    assert list(left_behind("K10", place, replace(honest, orders=unknown)))
    assert list(left_behind("K10", place, replace(honest, inbox=parked, orders=unknown))) == []

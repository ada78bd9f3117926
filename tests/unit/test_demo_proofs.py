"""The demo's proofs: each holds on honest books and fails on every way of breaking them that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from razorpay_hardened.demo.books import Books
from razorpay_hardened.demo.proofs import PROOFS, Proof, prove
from razorpay_hardened.demo.simulate import live_through
from razorpay_hardened.domain.audit import AuditRow, chained
from razorpay_hardened.domain.state import RefundIntent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Books:
    """The books of a small real day, repaired: with refunds by our code and by hand."""
    _, reconciled = live_through(5, 45, tmp_path_factory.mktemp("day"))
    return reconciled.after


def by_name(books: Books) -> dict[str, Proof]:
    return {proof.name: proof for proof in prove(books)}


# --- ways to break books: each takes honest ones and gives broken ones, and names what is broken


def _first(mapping: Any, fits: Callable[[Any], bool]) -> Any:
    return next(value for value in mapping if fits(value))


def _paid(books: Books) -> str:
    return str(_first(books.orders_there.values(), lambda order: order["status"] == "paid")["id"])


def _granted_twice(books: Books) -> tuple[Books, str]:
    return replace(books, grants=(*books.grants, books.grants[0])), books.grants[0][0]


def _grant_lost(books: Books) -> tuple[Books, str]:
    return replace(books, grants=books.grants[1:]), books.grants[0][0]


def _granted_unpaid(books: Books) -> tuple[Books, str]:
    unpaid = _first(books.orders_there.values(), lambda order: order["status"] != "paid")["id"]
    return replace(books, grants=(*books.grants, (unpaid, f"order.paid:{unpaid}"))), unpaid


def _booked_twice(books: Books) -> tuple[Books, str]:
    return replace(books, bookings=(*books.bookings, books.bookings[0])), books.bookings[0][0]


def _booking_lost(books: Books) -> tuple[Books, str]:
    return replace(books, bookings=books.bookings[1:]), books.bookings[0][0]


def _mail_lost(books: Books) -> tuple[Books, str]:
    key = f"order.paid:{_paid(books)}"
    return replace(books, mails=tuple(mail for mail in books.mails if mail != key)), key


def _mail_for_nothing(books: Books) -> tuple[Books, str]:
    return replace(books, mails=(*books.mails, "order.paid:order_nobodys")), "order.paid:order_nobodys"


def _with_rows(books: Books, anchor: str, rows: tuple[AuditRow, ...]) -> Books:
    """Other audit rows for ``anchor``, in a chain that is whole: only the story is wrong."""
    whole: list[AuditRow] = []
    for row in rows:
        whole.append(chained(row, len(whole) + 1, whole[-1].hash if whole else ""))
    anchors = tuple(
        replace(one, audit_seq=len(whole), audit_head=whole[-1].hash) if one.key == anchor else one
        for one in books.anchors
    )
    return replace(books, anchors=anchors, audit={**books.audit, anchor: tuple(whole)})


def _changed(books: Books, kind: str, after: str) -> AuditRow:
    rows = (row for chain in books.audit.values() for row in chain)
    found = _first(rows, lambda row: row.what == "changed" and row.kind == kind and row.after == after)
    assert isinstance(found, AuditRow)
    return found


def _status_back(books: Books, kind: str, after: str, back_to: str) -> tuple[Books, str]:
    row = _changed(books, kind, after)
    back = replace(row, before=after, after=back_to)
    return _with_rows(books, row.anchor, (*books.audit[row.anchor], back)), row.entity_id


def _payment_back(books: Books) -> tuple[Books, str]:
    return _status_back(books, "payment", "captured", "failed")


def _order_back(books: Books) -> tuple[Books, str]:
    return _status_back(books, "order", "paid", "attempted")


def _refund_back(books: Books) -> tuple[Books, str]:
    return _status_back(books, "refund", "processed", "pending")


def _refunded_back_for_nothing(books: Books) -> tuple[Books, str]:
    return _status_back(books, "payment", "refunded", "captured")  # only a failed refund may do that


def _step_left_out(books: Books) -> tuple[Books, str]:
    row = _changed(books, "order", "paid")
    rows = tuple(replace(one, before="created") if one == row else one for one in books.audit[row.anchor])
    assert row.before != "created"
    return _with_rows(books, row.anchor, rows), row.entity_id


def _tampered(books: Books, change: Callable[[tuple[AuditRow, ...]], tuple[AuditRow, ...]]) -> tuple[Books, str]:
    anchor = _first(books.audit, lambda key: len(books.audit[key]) > 2)
    return replace(books, audit={**books.audit, anchor: change(books.audit[anchor])}), anchor


def _row_changed(books: Books) -> tuple[Books, str]:
    return _tampered(books, lambda rows: (rows[0], replace(rows[1], note="nothing happened"), *rows[2:]))


def _row_cut_out(books: Books) -> tuple[Books, str]:
    return _tampered(books, lambda rows: (rows[0], *rows[2:]))


def _end_cut_off(books: Books) -> tuple[Books, str]:
    return _tampered(books, lambda rows: rows[:-1])


def _rows_swapped(books: Books) -> tuple[Books, str]:
    return _tampered(books, lambda rows: (rows[1], rows[0], *rows[2:]))


def _captured(books: Books) -> Any:
    return _first(books.payments.values(), lambda payment: payment.captured)


def _with_payment(books: Books, payment: Any) -> Books:
    return replace(books, payments={**books.payments, payment.payment_id: payment})


def _a_paisa_off(books: Books) -> tuple[Books, str]:
    payment = _captured(books)
    return _with_payment(books, replace(payment, amount=payment.amount + 1)), payment.anchor


def _two_errors_that_cancel(books: Books) -> tuple[Books, str]:
    one = _captured(books)
    other = _first(books.payments.values(), lambda payment: payment.captured and payment.anchor != one.anchor)
    wrong = _with_payment(books, replace(one, amount=one.amount + 100))
    return _with_payment(wrong, replace(other, amount=other.amount - 100)), one.anchor


def _refund_not_counted(books: Books) -> tuple[Books, str]:
    payment = _first(books.payments.values(), lambda one: one.captured and one.refunded)
    return _with_payment(books, replace(payment, refunds_known=0, claimed=0)), payment.anchor


def _payment_unknown(books: Books) -> tuple[Books, str]:
    payment = _captured(books)
    return replace(books, payments={k: v for k, v in books.payments.items() if v is not payment}), payment.anchor


def _status_differs(books: Books) -> tuple[Books, str]:
    payment = _captured(books)
    return _with_payment(books, replace(payment, status="authorized")), payment.payment_id


def _refund_unknown(books: Books) -> tuple[Books, str]:
    gone = next(iter(books.refunds))
    return replace(books, refunds={k: v for k, v in books.refunds.items() if k != gone}), gone


def _payment_invented(books: Books) -> tuple[Books, str]:
    payment = _first(books.payments.values(), lambda one: not one.captured)
    return _with_payment(books, replace(payment, payment_id="pay_invented")), "pay_invented"


def _effect_waits(books: Books) -> tuple[Books, str]:
    first, *rest = books.effects
    return replace(books, effects=(replace(first, state="waiting"), *rest)), first.key


def _effect_dead(books: Books) -> tuple[Books, str]:
    first, *rest = books.effects
    return replace(books, effects=(replace(first, state="dead"), *rest)), first.key


def _event_parked(books: Books) -> tuple[Books, str]:
    first, *rest = books.deliveries
    return replace(books, deliveries=(replace(first, state="parked"), *rest)), f"{first.event} {first.anchor}"


def _order_in_doubt(books: Books) -> tuple[Books, str]:
    first, *rest = books.orders
    return replace(books, orders=(replace(first, status="outcome_unknown"), *rest)), first.local_id


def _bound(books: Books) -> RefundIntent:
    found = _first(books.intents, lambda intent: intent.state == "bound")
    assert isinstance(found, RefundIntent)
    return found


def _intent_open(books: Books) -> tuple[Books, str]:
    intent = _bound(books)
    others = tuple(one for one in books.intents if one is not intent)
    return replace(books, intents=(*others, replace(intent, state="open"))), intent.key


def _refunded_twice(books: Books) -> tuple[Books, str]:
    refund = books.refunds_there[str(_bound(books).refund_id)]
    again = {**refund, "id": "rfnd_again"}
    return replace(books, refunds_there={**books.refunds_there, "rfnd_again": again}), "rfnd_again"


def _refund_never_made(books: Books) -> tuple[Books, str]:
    gone = str(_bound(books).refund_id)
    return replace(books, refunds_there={k: v for k, v in books.refunds_there.items() if k != gone}), gone


def _refund_of_another_amount(books: Books) -> tuple[Books, str]:
    intent = _bound(books)
    others = tuple(one for one in books.intents if one is not intent)
    return replace(books, intents=(*others, replace(intent, amount=intent.amount + 1))), intent.key


def _one_refund_for_two_intents(books: Books) -> tuple[Books, str]:
    intent = _bound(books)
    return replace(books, intents=(*books.intents, replace(intent, key="another"))), str(intent.refund_id)


def _second_order(books: Books) -> tuple[Books, str]:
    order = next(iter(books.orders_there.values()))
    again = {**order, "id": "order_again"}
    return replace(books, orders_there={**books.orders_there, "order_again": again}), str(order["receipt"])


def _order_unknown(books: Books) -> tuple[Books, str]:
    return replace(books, orders=books.orders[1:]), str(books.orders[0].order_id)


_BREAKS: dict[str, list[Callable[[Books], tuple[Books, str]]]] = {
    "granted_once": [_granted_twice, _grant_lost, _granted_unpaid],
    "booked_once": [_booked_twice, _booking_lost],
    "told_once": [_mail_lost, _mail_for_nothing],
    "never_backwards": [_payment_back, _order_back, _refund_back, _refunded_back_for_nothing, _step_left_out],
    "chain_whole": [_row_changed, _row_cut_out, _end_cut_off, _rows_swapped],
    "money_equal": [_a_paisa_off, _two_errors_that_cancel, _refund_not_counted, _payment_unknown],
    "same_status": [_status_differs, _refund_unknown, _payment_invented],
    "nothing_waits": [_effect_waits, _effect_dead, _event_parked, _order_in_doubt, _intent_open],
    "one_movement": [_refunded_twice, _refund_never_made, _refund_of_another_amount, _one_refund_for_two_intents],
    "one_order": [_second_order, _order_unknown],
}


_CASES = [
    pytest.param(name, one, id=f"{name}-{one.__name__.strip('_')}") for name, ways in _BREAKS.items() for one in ways
]


def test_honest_books_prove_everything(honest: Books) -> None:
    """And there is something of everything in them, so that this says something."""
    proofs = by_name(honest)
    assert [name for name, proof in proofs.items() if not proof.holds] == []
    assert all(proof.broken == 0 and proof.offenders == () for proof in proofs.values())
    assert all(value > 0 for proof in proofs.values() for value in proof.numbers.values())


def test_every_proof_is_broken_here() -> None:
    """A new proof needs a way to fail."""
    assert set(_BREAKS) == {proof.__name__ for proof in PROOFS}


@pytest.mark.parametrize(("name", "breaks"), _CASES)
def test_broken_books_break_the_proof(honest: Books, name: str, breaks: Callable[[Books], tuple[Books, str]]) -> None:
    """The proof fails, and names what broke it."""
    books, offender = breaks(honest)
    proof = by_name(books)[name]
    assert not proof.holds
    assert proof.broken >= 1
    assert any(offender in one for one in proof.offenders), proof.offenders
    assert proof.to_dict()["holds"] is False


def test_a_mail_that_comes_twice_with_its_key_is_no_break(honest: Books) -> None:
    """At least once is what is promised for the world outside."""
    twice = replace(honest, mails=(*honest.mails, *honest.mails))
    assert by_name(twice)["told_once"].holds


def test_a_refund_that_failed_may_take_a_payment_back(honest: Books) -> None:
    """The one way in which a payment's status moves back (laws: refunded to captured)."""
    books, payment = _refunded_back_for_nothing(honest)
    refund = _first(books.refunds.values(), lambda one: one.payment_id == payment)
    failed = replace(books, refunds={**books.refunds, refund.refund_id: replace(refund, status="failed")})
    assert by_name(failed)["never_backwards"].holds


def test_many_offenders_are_counted_and_some_named(honest: Books) -> None:
    """20 names are enough; the count is of all."""
    proof = by_name(replace(honest, grants=()))["granted_once"]
    assert proof.broken == proof.numbers["paid orders"] > 20
    assert len(proof.offenders) == 20

"""Bad checkout forms, one row each: what the browser is answered and what is on record (section 7, second table).

A refusal is on record where an order of ours was found and the form is not its owner's or contradicts it; a stranger's
form leaves no row (decision 0007, which is narrower than the specification's RA on purpose).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest
import requests

from bodies import Shop, body, order_id, payment, payment_id
from client_fakes import Rig, rig
from razorpay_hardened import MemoryStore, Money
from razorpay_hardened.checkout import http_status
from razorpay_hardened.errors import (
    AmountMismatch,
    CurrencyMismatch,
    FormMalformed,
    IdMalformed,
    OrderMismatch,
    OrderUnknown,
    OwnerRequired,
    OwnershipMismatch,
    RazorpayHardenedError,
    SignatureMalformed,
    SignatureMismatch,
    SignatureMissing,
)
from razorpay_hardened.signals import Alarm
from razorpay_hardened.signing import (
    sign_checkout_for_test,
    sign_payment_link_for_test,
    sign_subscription_for_test,
)
from support.bad_inputs import holdings, params

KEY = "thisisnotthekey-9f8e7d"
MINE, DEAR = "user:7", "user:8"
ORDER, PAYMENT, SIGNATURE = "razorpay_order_id", "razorpay_payment_id", "razorpay_signature"


class Counter(NamedTuple):
    """A shop with orders 1 (ours), 2 (somebody else's) and 3 (ours, ₹10,000), beside a Razorpay that is a script."""

    shop: Shop
    razorpay: Rig
    granted: list[str]


def counter(*steps: Any) -> Counter:
    razorpay = rig(*steps, forever=True, max_attempts=1)
    ours = Shop(MemoryStore(), client=razorpay.client)
    ours.store.migrate()
    ours.adopt(1, owner=MINE)
    ours.adopt(2, owner=DEAR)
    ours.adopt(3, owner=MINE, amount=1_000_000)
    granted: list[str] = []
    ours.rzp.on("order.paid", name="grant")(lambda change, tx: granted.append(change.order.order_id))
    return Counter(ours, razorpay, granted)


def form(order: int = 1, pay: int = 1) -> dict[str, str]:
    """What Checkout hands over for payment ``pay`` of ``order``."""
    tag = sign_checkout_for_test(order_id=order_id(order), payment_id=payment_id(pay), secret=KEY)
    return {ORDER: order_id(order), PAYMENT: payment_id(pay), SIGNATURE: tag}


class Refusal(NamedTuple):
    """A form, who sent it, and how it is refused. ``record``: the audit row's order, or None for no row at all."""

    id: str
    form: Any
    error: type[RazorpayHardenedError]
    status: int
    record: int | None = None
    owner: Any = MINE
    order: str | None = None
    mark: str | None = None


_SUBSCRIPTION = {
    ORDER: payment_id(1),
    PAYMENT: "sub_00000000000001",
    SIGNATURE: sign_subscription_for_test(payment_id=payment_id(1), subscription_id="sub_00000000000001", secret=KEY),
}
_LINK_TAG = sign_payment_link_for_test(
    payment_link_id="plink_00000000000001", reference_id="ref", status="paid", payment_id=payment_id(1), secret=KEY
)
_X_TAG = sign_checkout_for_test(order_id=order_id(1), payment_id=payment_id(1), secret="x")


def _without(name: str) -> dict[str, str]:
    return {key: value for key, value in form().items() if key != name}


def _id(value: str, name: str = PAYMENT) -> dict[str, str]:
    return form() | {name: value}


FORMS = [
    Refusal("another owner's order", form(2), OwnershipMismatch, 403, record=2),
    Refusal("nobody signed in: None", form(), OwnerRequired, 403, owner=None),
    Refusal("nobody signed in: empty", form(), OwnerRequired, 403, owner=""),
    Refusal("nobody signed in: a space", form(), OwnerRequired, 403, owner=" "),
    Refusal("owner is a number", form(), OwnerRequired, 403, owner=7),
    Refusal("dear order, tag of the cheap one", form(1), OrderMismatch, 403, record=3, order=order_id(3)),
    Refusal("another owner's, claimed by session", form(1), OwnershipMismatch, 403, record=2, order=order_id(2)),
    Refusal("subscription's tag", _SUBSCRIPTION, IdMalformed, 400),
    Refusal(
        "payment link's tag, shifted", form() | {ORDER: "plink_1|ref|paid", SIGNATURE: _LINK_TAG}, IdMalformed, 400
    ),
    Refusal("payment link's tag alone", form() | {SIGNATURE: _LINK_TAG}, SignatureMismatch, 400),
    Refusal("ids swapped", form() | {ORDER: payment_id(1), PAYMENT: order_id(1)}, IdMalformed, 400),
    Refusal("payment id and newline", _id(payment_id(1) + "\n"), IdMalformed, 400),
    Refusal("order id and newline", _id(order_id(1) + "\n", ORDER), IdMalformed, 400),
    Refusal("id with NUL", _id(payment_id(1) + "\0"), IdMalformed, 400),
    Refusal("Cyrillic letter", _id("pаy_00000000000001"), IdMalformed, 400),
    Refusal("encoded twice", _id("pay_%252e%252e%252e"), IdMalformed, 400),
    Refusal("a path", _id("pay_../../refunds"), IdMalformed, 400),
    Refusal("empty payment id", _id(""), IdMalformed, 400),
    Refusal("empty order id", _id("", ORDER), IdMalformed, 400),
    Refusal("a bar in the id", _id(f"{payment_id(1)}|x"), IdMalformed, 400),
    Refusal("secret=x and its tag", form() | {"secret": "x", SIGNATURE: _X_TAG}, SignatureMismatch, 400),
    Refusal("key_secret=x and its tag", form() | {"key_secret": "x", SIGNATURE: _X_TAG}, SignatureMismatch, 400),
    Refusal("webhook_secret=x", form() | {"webhook_secret": "x", SIGNATURE: _X_TAG}, SignatureMismatch, 400),
    Refusal("auth=x", form() | {"auth": "x", SIGNATURE: _X_TAG}, SignatureMismatch, 400),
    Refusal("payment id twice", [*form().items(), (PAYMENT, payment_id(1))], FormMalformed, 400),
    Refusal("order id twice", [*form().items(), (ORDER, order_id(2))], FormMalformed, 400),
    Refusal("signature twice", [*form().items(), (SIGNATURE, "0" * 64)], FormMalformed, 400),
    Refusal("payment_id[]", _without(PAYMENT) | {f"{PAYMENT}[]": payment_id(1)}, FormMalformed, 400),
    Refusal("payment_id[0] beside it", form() | {f"{PAYMENT}[0]": payment_id(1)}, FormMalformed, 400),
    Refusal("payment id a list", form() | {PAYMENT: [payment_id(1)]}, FormMalformed, 400),
    Refusal("payment id bytes", form() | {PAYMENT: payment_id(1).encode()}, FormMalformed, 400),
    Refusal("payment id a file", form() | {PAYMENT: object()}, FormMalformed, 400),
    Refusal("payment id None", form() | {PAYMENT: None}, FormMalformed, 400),
    Refusal("payment id absent", _without(PAYMENT), FormMalformed, 400),
    Refusal("order id absent", _without(ORDER), FormMalformed, 400),
    Refusal("signature absent", _without(SIGNATURE), SignatureMissing, 400),
    Refusal("empty form", {}, FormMalformed, 400),
    Refusal("signature empty", form() | {SIGNATURE: ""}, SignatureMalformed, 400),
    Refusal("signature in upper case", form() | {SIGNATURE: form()[SIGNATURE].upper()}, SignatureMalformed, 400),
    Refusal("signature of 63 digits", form() | {SIGNATURE: form()[SIGNATURE][:63]}, SignatureMalformed, 400),
    Refusal("signature of 1 MiB", form() | {SIGNATURE: "a" * (1 << 20)}, FormMalformed, 400),
    Refusal("order of another mode", form(9, 9), OrderUnknown, 404),
    Refusal("our order, another's payment, no tag of it", form() | {PAYMENT: payment_id(2)}, SignatureMismatch, 400),
    Refusal(
        "tag with the ids the other way round", form() | {SIGNATURE: form(2, 1)[SIGNATURE]}, SignatureMismatch, 400
    ),
]


@pytest.mark.parametrize("row", params(FORMS))
def test_forms(row: Refusal) -> None:
    """The error and its status; Razorpay is not asked, no handler runs, no status moves."""
    desk = counter(payment(1, "captured"))
    store = desk.shop.store
    before = holdings(store)
    with pytest.raises(row.error) as caught:
        desk.shop.rzp.checkout.confirm(row.form, owner=row.owner, order=row.order)
    assert type(caught.value) is row.error
    assert http_status(caught.value) == row.status
    assert KEY not in repr(caught.value)
    after = holdings(store)
    if row.record is not None:
        last = after["audit"][order_id(row.record)].pop()
        assert (last.what, last.note, last.source) == ("refused", row.error.__name__, "checkout")
    assert after == before
    assert (desk.razorpay.session.lines, desk.granted) == ([], [])
    assert store.payment(payment_id(1)) is None


class Asked(NamedTuple):
    """A right form, what Razorpay says of its payment, and what comes of it."""

    id: str
    answer: Any
    outcome: str | type[RazorpayHardenedError]
    status: int
    payment: str | None = None
    alarms: tuple[str, ...] = ()
    granted: int = 0
    mark: str | None = None


ANSWERS = [
    Asked("paid", payment(1, "captured"), "paid", 200, "captured", granted=1),
    Asked("another amount", payment(1, "captured", amount=100), AmountMismatch, 409, alarms=("AmountMismatch",)),
    Asked("another currency", payment(1, "captured", currency="USD"), CurrencyMismatch, 409,
          alarms=("CurrencyMismatch",)),
    Asked("under another order", payment(1, "captured", order=2), OrderMismatch, 403),
    Asked("under no order", payment(1, "captured", order_id=None), OrderMismatch, 403),
    Asked("failed", payment(1, "failed"), "not_paid", 200, "failed"),
    Asked("authorised", payment(1, "authorized"), "authorized", 200, "authorized"),
    Asked("created", payment(1, "created"), "not_paid", 200, "created"),
    Asked("API down: 503", (503, b"<html>"), "pending", 202),
    Asked("API down: no connection", requests.ConnectionError, "pending", 202),
    Asked("API down: timeout", requests.ReadTimeout, "pending", 202),
    Asked("API: 429", (429, {"error": {}}), "pending", 202),
    Asked("API: 401", (401, {"error": {"code": "BAD_REQUEST_ERROR"}}), "pending", 202),
    Asked("API: HTML", (200, b"<html>"), "pending", 202),
    Asked("API: the payment of another id", payment(2, "captured"), "pending", 202),
]  # fmt: skip


@pytest.mark.parametrize("row", params(ANSWERS))
def test_what_razorpay_says_of_a_right_form(row: Asked) -> None:
    """The tag is right in every row; what it is worth is asked at Razorpay."""
    desk = counter(row.answer)
    confirm = desk.shop.rzp.checkout.confirm
    if isinstance(row.outcome, str):
        done = confirm(form(), owner=MINE)
        assert (done.outcome, done.http_status) == (row.outcome, row.status)
    else:
        with pytest.raises(row.outcome) as caught:
            confirm(form(), owner=MINE)
        assert http_status(caught.value) == row.status
        last = desk.shop.store.audit(order_id(1))[-1]
        assert (last.what, last.note) == ("refused", row.outcome.__name__)
    held = desk.shop.store.payment(payment_id(1))
    assert (held and held.status) == row.payment
    assert [alarm.reason for alarm in desk.shop.told(Alarm)] == list(row.alarms)
    assert desk.granted == [order_id(1)] * row.granted
    assert desk.shop.rzp.audit.verify().whole


class Failed(NamedTuple):
    """A form by which the browser says that nothing was paid."""

    id: str
    form: Any
    paid: bool = False
    mark: str | None = None


FAILURES = [
    Failed("error[code]", {"error[code]": "BAD_REQUEST_ERROR", "error[metadata]": f'{{"order_id":"{order_id(1)}"}}'}),
    Failed("error[code] with ids", {"error[code]": "X", ORDER: order_id(1), PAYMENT: payment_id(1)}),
    Failed("error alone", {"error": "x"}),
    Failed("forged, for a paid order", {"error[code]": "X", ORDER: order_id(1), PAYMENT: payment_id(1)}, paid=True),
]


@pytest.mark.parametrize("row", params(FAILURES))
def test_a_failure_form_never_changes_a_state(row: Failed) -> None:
    """200, ``not_paid``, and everything is as it was, but for a note of the attempt."""
    desk = counter(payment(1, "captured"))
    if row.paid:
        assert desk.shop.rzp.checkout.confirm(form(), owner=MINE).outcome == "paid"
    before = holdings(desk.shop.store)
    done = desk.shop.rzp.checkout.confirm(row.form, owner=MINE)
    assert (done.outcome, done.http_status) == ("not_paid", 200)
    assert holdings(desk.shop.store) | {"audit": None} == before | {"audit": None}


@pytest.mark.parametrize("row", params(FAILURES))
def test_a_failure_form_is_noted_as_an_attempt(row: Failed) -> None:
    """On the order that it names, if that is this customer's (RA); another's, and one that is nobody's, get no note."""
    desk = counter(payment(1, "captured"))
    for owner in ("user:8", MINE):
        done = desk.shop.rzp.checkout.confirm(row.form, owner=owner)
        notes = [one.note for one in desk.shop.store.audit(order_id(1)) if one.what == "attempted"]
        named = owner == MINE and row.form != {"error": "x"}
        assert (done.order is not None, notes) == (named, ["customer_returned_without_paying"] if named else [])
    sessions = desk.shop.rzp.checkout.confirm({"error": "x"}, owner=MINE, order=order_id(1))
    assert sessions.order is not None


@pytest.mark.parametrize("metadata", ["", "[1]", "{", '{"order_id": 7}', '{"order_id": "order_x"}', "x" * 5000])
def test_a_failure_form_whose_details_make_no_sense_names_nothing(metadata: str) -> None:
    """Whatever it holds: 200, and no note."""
    desk = counter(payment(1, "captured"))
    before = holdings(desk.shop.store)
    done = desk.shop.rzp.checkout.confirm({"error[code]": "X", "error[metadata]": metadata}, owner=MINE)
    assert (done.outcome, done.order) == ("not_paid", None)
    assert holdings(desk.shop.store) == before


def test_the_same_form_50_times_at_once_has_one_effect() -> None:
    """One answer, 50 times."""
    desk = counter(payment(1, "captured"))
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(desk.shop.rzp.checkout.confirm, form(), owner=MINE) for _ in range(50)]
    assert {call.result().outcome for call in calls} == {"paid"}
    assert desk.granted == [order_id(1)]


@pytest.mark.parametrize("first", ["callback", "webhook"])
def test_callback_and_webhook_have_one_effect(first: str) -> None:
    """Whoever comes first."""
    desk = counter(payment(1, "captured"))
    acts: list[Callable[[], Any]] = [
        lambda: desk.shop.rzp.checkout.confirm(form(), owner=MINE),
        lambda: desk.shop.deliver(body("payment.captured", payment=payment(1, "captured"))),
    ]
    for act in acts if first == "callback" else reversed(acts):
        act()
    assert desk.granted == [order_id(1)]


def test_the_amount_that_binds_is_ours() -> None:
    """₹10,000 here, ₹1 at Razorpay: no matter what the form said."""
    desk = counter(payment(3, "captured", order=3, amount=100))
    with pytest.raises(AmountMismatch):
        desk.shop.rzp.checkout.confirm(form(3, 3) | {"amount": "100"}, owner=MINE)
    held = desk.shop.store.order(order_id(3))
    assert held is not None
    assert (held.status, held.money) == ("created", Money(1_000_000))

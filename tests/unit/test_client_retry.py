"""When a call is repeated, what is asked first, how long it waits, and what it ends in (FAULTS A1 to A9, A12, A13)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from client_fakes import (
    ORDER_ID,
    PAYMENT_ID,
    Rig,
    collection,
    order,
    payment,
    refund,
    refusal,
    rig,
)
from razorpay_hardened.client import _circuit as circuit
from razorpay_hardened.client import _operations as operations
from razorpay_hardened.client._retry import FATES
from razorpay_hardened.client._values import Fate, Operation, Rule
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import (
    AmountMismatch,
    ApiAuthError,
    ApiBadRequest,
    ApiConnectionError,
    ApiError,
    ApiRateLimited,
    ApiResponseError,
    ApiServerError,
    ApiTimeout,
    CircuitOpen,
    IdempotencyConflict,
    OutcomeUnknown,
)

INR = Money.inr("499.00")
HTML = b"<html>Bad Gateway</html>"
IN_PROGRESS = refusal("Another request with the same idempotency key is still in progress.")
CONFLICT = refusal("Different request with the same idempotency key has already been processed.")
LOST: list[Any] = [
    requests.ReadTimeout,
    requests.ConnectionError,
    (500, refusal("Internal server error - Failed to parse request body")),
    (502, HTML),
    (503, b""),
    (504, HTML),
    (408, b""),
    (200, HTML),
    (200, b'{"id": "rfnd_'),
    (200, b""),
    (204, b""),
    (200, {"id": "nonsense"}),
    (200, b"\xff\xfe"),
    (200, b"[" * 100_000),
]
"""What leaves a write in doubt."""


def fetch(r: Rig) -> Any:
    return r.client.orders.fetch(ORDER_ID)


def create(r: Rig, **options: Any) -> Any:
    return r.client.orders.create(amount=INR, receipt="inv-42", **options)


def refund_it(r: Rig) -> Any:
    return r.client.payments.refund(PAYMENT_ID, Money(500), idempotency_key="refund-of-42")


def capture(r: Rig) -> Any:
    return r.client.payments.capture(PAYMENT_ID, INR)


# --- the rules as data ----------------------------------------------------------------------------------------------


def test_every_operation_has_a_rule_that_fits_its_method() -> None:
    """Reads are GETs; a write that has neither a key nor a question to ask is never repeated."""
    known = [value for value in vars(operations).values() if isinstance(value, Operation)]

    assert set(known) == set(operations.OPERATIONS)
    assert all((operation.method == "GET") == (operation.rule is Rule.READ) for operation in known)
    assert all((operation.key_header is not None) == (operation.rule is Rule.KEYED) for operation in known)
    assert all(operation.rule is Rule.READ for operation in known if operation.bulk)
    assert set(FATES) == set(Rule)
    assert all(Fate.REFUSED not in fates for fates in FATES.values())
    assert not FATES[Rule.ONCE]


# --- reads ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (requests.ConnectTimeout, ApiConnectionError),
        (requests.ConnectionError, ApiConnectionError),
        (requests.ReadTimeout, ApiTimeout),
        (ConnectionResetError, ApiConnectionError),
        (TimeoutError, ApiTimeout),
        ((429, b""), ApiRateLimited),
        ((500, refusal()), ApiServerError),
        ((502, HTML), ApiServerError),
        ((503, b""), ApiServerError),
        ((504, HTML), ApiServerError),
        ((408, b""), ApiTimeout),
    ],
)
def test_a_read_is_repeated_until_it_succeeds_or_the_attempts_end(step: Any, error: type[ApiError]) -> None:
    """Reads survive what passes, and say how often they tried when it does not."""
    once = rig(step, order())
    assert fetch(once).id == ORDER_ID
    assert len(once.session.sent) == 2

    always = rig(step, forever=True)
    with pytest.raises(error) as caught:
        fetch(always)

    assert type(caught.value) is error
    assert caught.value.retryable
    assert caught.value.attempts == 4
    assert len(always.session.sent) == 4
    assert [attempt.attempt for attempt in always.attempts] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ((400, refusal()), ApiBadRequest),
        ((404, refusal()), ApiBadRequest),
        ((409, refusal()), ApiBadRequest),
        ((401, refusal()), ApiAuthError),
        ((403, b"Access Denied"), ApiAuthError),
        ((400, refusal("Authentication failed.")), ApiAuthError),
        ((400, refusal("The api key provided is invalid")), ApiAuthError),
        ((400, refusal("The API `rzp_test_x` provided is invalid.")), ApiAuthError),
        ((302, b"", {"location": "https://evil.example/"}), ApiResponseError),
        ((301, b"", {"location": "http://api.razorpay.com/"}), ApiResponseError),
        ((304, b""), ApiResponseError),
        ((200, HTML), ApiResponseError),
        ((204, b""), ApiResponseError),
        ((200, b"null"), ApiResponseError),
        ((200, b"x" * (5 * 1024 * 1024 + 1)), ApiResponseError),
        ((200, {"id": ORDER_ID, "amount": 1.5, "currency": "INR", "status": "created"}), ApiResponseError),
        ((200, {"id": ORDER_ID, "amount": 1, "currency": "inr", "status": "created"}), ApiResponseError),
    ],
)
def test_a_read_that_is_answered_is_not_repeated(step: Any, error: type[ApiError]) -> None:
    """A refusal stays a refusal, and an answer of no use is not asked for twice."""
    r = rig(step)

    with pytest.raises(error) as caught:
        fetch(r)

    assert type(caught.value) is error
    assert not caught.value.retryable
    assert len(r.session.sent) == 1


def test_waits_double_and_are_capped() -> None:
    """Full jitter: each bound is twice the last, at most eight seconds."""
    r = rig((503, b""), forever=True, max_attempts=8, total_timeout_s=60)

    with pytest.raises(ApiServerError):
        fetch(r)

    # 0.5 + 1 + 2 + 4 + 8 + 8 + 8
    assert r.clock.monotonic() == pytest.approx(31.5)


@pytest.mark.slow
@settings(max_examples=30)
@given(draws=st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_jitter_is_full(draws: list[float]) -> None:
    """A wait may be anything from nothing to its bound."""

    class Drawn:
        def __init__(self) -> None:
            self.left = list(draws)

        def uniform(self, low: float, high: float) -> float:
            assert low == 0
            return high * self.left.pop(0)

    r = rig((503, b""), forever=True, jitter=Drawn)
    with pytest.raises(ApiServerError):
        fetch(r)

    assert r.clock.monotonic() == pytest.approx(0.5 * draws[0] + draws[1] + 2 * draws[2])


@pytest.mark.parametrize(("header", "waited"), [("2", 2.5), (" 3 ", 3.5), ("Thu, 01 Jan 2026 00:00:10 GMT", 10.5)])
def test_retry_after_is_honoured(header: str, waited: float) -> None:
    """Seconds or a date: at least that long is waited, and a little jitter on top."""
    r = rig((429, b"", {"Retry-After": header}), order())

    fetch(r)

    assert r.clock.monotonic() == pytest.approx(waited)


@pytest.mark.parametrize(
    "header",
    ["-1", "0", "soon", "1e3", "", "٣", "99999999999", "90000", "Wed, 31 Dec 2025 00:00:00 GMT",
     "Thu, 01 Jan 2026 00:00:10", "\x00"],
)  # fmt: skip
def test_a_nonsensical_retry_after_is_ignored(header: str) -> None:
    """What is not a sensible wait is as if it were not there."""
    r = rig((429, b"", {"Retry-After": header}), order())

    fetch(r)

    assert r.clock.monotonic() == pytest.approx(0.5)


def test_a_retry_after_beyond_the_deadline_is_told_to_the_caller() -> None:
    """Nobody waits for a time that will not come: the error says how long it would have been."""
    r = rig((429, b"", {"Retry-After": "60"}))

    with pytest.raises(ApiRateLimited) as caught:
        fetch(r)

    assert caught.value.retry_after_s == 60
    assert r.clock.monotonic() == 0


def test_the_deadline_covers_all_attempts_and_waits() -> None:
    """However slow each attempt is, the call ends in time, and each attempt is given what is left at most."""
    r = rig(forever=True, total_timeout_s=30, max_attempts=20)

    def slow() -> Any:
        r.clock.advance(r.session.sent[-1].timeout[1])
        return requests.ReadTimeout

    r.session.steps = [slow]
    with pytest.raises(ApiTimeout):
        fetch(r)

    assert r.clock.monotonic() <= 30
    assert [sent.timeout for sent in r.session.sent] == [(5, 20), (5, 9.5)]


def test_a_wall_clock_that_jumps_changes_nothing() -> None:
    """Only the monotonic clock counts."""
    for days in (-1, 1):
        r = rig(forever=True)

        def jump(r: Rig = r, days: int = days) -> Any:
            r.clock.set(r.clock.now() + timedelta(days=days))
            return 503, b""

        r.session.steps = [jump]
        with pytest.raises(ApiServerError):
            fetch(r)

        assert len(r.session.sent) == 4
        assert r.clock.monotonic() == pytest.approx(3.5)


def test_an_attempt_without_time_left_is_not_sent() -> None:
    """A clock that jumps over the deadline while waiting ends the call without another request."""
    r = rig((503, b""))
    sleep = r.clock.sleep
    r.clock.sleep = lambda seconds: sleep(seconds + 60)  # type: ignore[method-assign]

    with pytest.raises(ApiTimeout):
        fetch(r)

    assert len(r.session.sent) == 1


def test_one_attempt_is_one_attempt() -> None:
    """``max_attempts=1`` repeats nothing."""
    r = rig((503, b""), max_attempts=1)

    with pytest.raises(ApiServerError):
        fetch(r)


# --- what is announced ----------------------------------------------------------------------------------------------


def test_every_attempt_is_announced() -> None:
    """One signal per request, with ids but neither query nor body."""
    r = rig(requests.ReadTimeout, (500, b""), order())

    fetch(r)

    assert [(a.method, a.path, a.attempt, a.status, a.error) for a in r.attempts] == [
        ("GET", f"/v1/orders/{ORDER_ID}", 1, None, "ApiTimeout"),
        ("GET", f"/v1/orders/{ORDER_ID}", 2, 500, "ApiServerError"),
        ("GET", f"/v1/orders/{ORDER_ID}", 3, 200, None),
    ]


# --- creating an order ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", LOST, ids=repr)
def test_a_lost_order_is_found_by_its_receipt(step: Any) -> None:
    """After an unknown outcome the receipt is looked up, and the order that was made is the answer."""
    r = rig(step, collection(order()))

    assert create(r).id == ORDER_ID

    assert r.session.lines == ["POST /v1/orders", "GET /v1/orders"]
    assert r.session.sent[1].params["receipt"] == "inv-42"


@pytest.mark.parametrize("step", LOST, ids=repr)
def test_a_lost_order_that_is_not_there_is_looked_for_twice_before_it_is_sent_again(step: Any) -> None:
    """Listings lag: a second look comes before the second create."""
    r = rig(step, collection(), collection(), order())

    assert create(r).id == ORDER_ID

    assert r.session.lines == ["POST /v1/orders", "GET /v1/orders", "GET /v1/orders", "POST /v1/orders"]
    assert r.clock.monotonic() == pytest.approx(1.5)


def test_without_time_the_second_look_comes_at_once() -> None:
    """There is no pause that the deadline would not allow."""
    r = rig(requests.ReadTimeout, collection(), collection(), order(), total_timeout_s=1.5)

    assert create(r).id == ORDER_ID
    assert r.clock.monotonic() == pytest.approx(0.5)


def test_an_order_that_appears_late_is_found() -> None:
    """The second look finds what the first did not show."""
    r = rig(requests.ReadTimeout, collection(), collection(order()))

    assert create(r).id == ORDER_ID


def test_an_order_that_stays_unknown_says_so() -> None:
    """When nobody can say, the caller gets the receipt to look for, and a last look was made."""
    r = rig((503, b""), collection(), collection(), requests.ReadTimeout, collection(), max_attempts=2)

    with pytest.raises(OutcomeUnknown) as caught:
        create(r)

    assert (caught.value.receipt, caught.value.idempotency_key) == ("inv-42", None)
    assert caught.value.attempts == 2
    assert not caught.value.retryable


def test_the_last_look_may_find_it() -> None:
    """An order made by the very last attempt is not lost."""
    r = rig(requests.ReadTimeout, collection(order()), max_attempts=1)

    assert create(r).id == ORDER_ID


def test_nothing_is_created_while_nobody_can_look() -> None:
    """A look that fails keeps the second create from being sent."""
    r = rig(requests.ReadTimeout, (503, b""), (503, b""), (503, b""), (503, b""))

    with pytest.raises(OutcomeUnknown):
        create(r)

    assert r.session.lines == ["POST /v1/orders", *["GET /v1/orders"] * 4]


def test_a_look_that_is_refused_ends_the_call_in_doubt() -> None:
    """A key that was rolled meanwhile does not turn doubt into certainty."""
    r = rig(requests.ReadTimeout, (401, refusal()), (401, refusal()))

    with pytest.raises(OutcomeUnknown) as caught:
        create(r)

    assert caught.value.status == 401


@pytest.mark.parametrize(
    "other",
    [
        order(receipt="inv-421"),
        order(amount=49901),
        order(currency="USD"),
        order(notes={"shop": "8"}),
        order(receipt=None),
    ],
)
def test_another_order_is_not_taken_for_ours(other: dict[str, Any]) -> None:
    """The filter is loose: receipt, amount, currency and notes must all agree."""
    mine = order(id="order_BBBBBBBBBBBBBB", notes={"shop": "7"})
    r = rig(requests.ReadTimeout, collection(other), collection(other), mine)

    assert create(r, notes={"shop": "7"}).id == mine["id"]


def test_of_several_orders_with_the_receipt_the_oldest_is_taken() -> None:
    """Everybody who looks must come to the same order."""
    old = order(id="order_AAAAAAAAAAAAAA", created_at=1)
    r = rig(requests.ReadTimeout, collection(order(), old))

    assert create(r).id == old["id"]


def test_a_look_goes_through_pages() -> None:
    """Receipts that contain ours may fill a page."""
    noise = [order(id=f"order_{n:014}", receipt=f"inv-42{n}") for n in range(100)]
    r = rig(requests.ReadTimeout, collection(*noise), collection(order()))

    assert create(r).id == ORDER_ID
    assert [sent.params.get("skip") for sent in r.session.sent] == [None, 0, 100]


def test_a_look_ends() -> None:
    """Ten pages are enough for one receipt."""
    noise = [order(id=f"order_{n:014}", receipt=f"inv-42{n}") for n in range(100)]
    r = rig(requests.ReadTimeout, *[collection(*noise)] * 20, order())

    assert create(r).id == ORDER_ID
    assert len(r.session.sent) == 22


@pytest.mark.parametrize(
    "answer",
    [
        refusal("Order receipt should be unique.", reason="input_validation_failed"),
        refusal("An order with the same receipt value has already been created"),
        refusal("something new", field="receipt"),
    ],
)
def test_a_receipt_that_is_taken_gives_its_order(answer: dict[str, Any]) -> None:
    """The order that has our receipt, amount and notes is ours: an earlier request made it."""
    r = rig((400, answer), collection(order()))

    assert create(r).id == ORDER_ID


def test_a_receipt_taken_by_another_order_is_a_refusal() -> None:
    """Another amount under our receipt is the caller's mistake to see."""
    taken = (400, refusal("Order receipt should be unique."))

    with pytest.raises(ApiBadRequest):
        create(rig(taken, collection(order(amount=1))))
    with pytest.raises(ApiBadRequest):
        create(rig(taken, (503, b"")))


def test_a_refusal_after_doubt_leaves_the_doubt() -> None:
    """The first request may have been carried out, whatever the second was told."""
    r = rig(requests.ReadTimeout, collection(), collection(), (400, refusal("no")), collection())

    with pytest.raises(OutcomeUnknown) as caught:
        create(r)

    assert caught.value.status == 400


@pytest.mark.parametrize("step", [(429, b""), requests.ConnectTimeout])
def test_an_order_that_was_turned_away_unread_is_sent_again(step: Any) -> None:
    """Nothing can have happened, so nothing needs looking up."""
    r = rig(step, order())

    assert create(r).id == ORDER_ID
    assert r.session.lines == ["POST /v1/orders"] * 2


def test_an_order_without_a_receipt_is_sent_once() -> None:
    """There is nothing to look up (DESIGN section 10)."""
    for step, error in [
        (requests.ReadTimeout, OutcomeUnknown),
        ((503, b""), OutcomeUnknown),
        ((200, HTML), OutcomeUnknown),
        ((429, b""), ApiRateLimited),
        (requests.ConnectTimeout, ApiConnectionError),
        ((400, refusal("receipt")), ApiBadRequest),
    ]:
        r = rig(step)
        with pytest.raises(error):
            r.client.orders.create(amount=INR)
        assert len(r.session.sent) == 1


# --- capturing ------------------------------------------------------------------------------------------------------

AUTHORIZED = payment(status="authorized", captured=False)


@pytest.mark.parametrize("step", LOST, ids=repr)
def test_a_lost_capture_is_settled_by_a_fetch(step: Any) -> None:
    """Captured with our amount is success, and nothing is captured twice."""
    r = rig(step, payment())

    assert capture(r).captured
    assert r.session.lines == [f"POST /v1/payments/{PAYMENT_ID}/capture", f"GET /v1/payments/{PAYMENT_ID}"]


def test_a_capture_that_did_not_happen_is_sent_again() -> None:
    """Still authorised: the second capture is the first."""
    r = rig(requests.ReadTimeout, AUTHORIZED, payment())

    assert capture(r).captured
    assert [line.split()[0] for line in r.session.lines] == ["POST", "GET", "POST"]


@pytest.mark.parametrize("text", ["This payment has already been captured", "something new"])
def test_captured_before_is_success(text: str) -> None:
    """Whatever words the refusal has, the payment's state decides."""
    r = rig((400, refusal(text)), payment())

    assert capture(r).captured


def test_a_capture_that_was_refused_is_a_refusal() -> None:
    """Not captured, so the refusal stands."""
    with pytest.raises(ApiBadRequest):
        capture(rig((400, refusal("Capture amount must be equal to the amount authorized.")), AUTHORIZED))


def test_a_success_that_does_not_say_captured_is_asked_about() -> None:
    """An answer that shows the payment still authorised is no capture."""
    r = rig(AUTHORIZED, payment())

    assert capture(r).captured
    assert [line.split()[0] for line in r.session.lines] == ["POST", "GET"]


def test_a_capture_of_another_amount_is_told() -> None:
    """Captured, but not what we asked: nobody may take it for success."""
    for first in ((400, refusal()), requests.ReadTimeout):
        with pytest.raises(AmountMismatch):
            capture(rig(first, payment(amount=100)))


@pytest.mark.parametrize(
    ("found", "ok"),
    [
        (payment(status="refunded", captured=True), True),
        (payment(status="captured", captured=None), True),
        (payment(status="refunded", captured=False), False),
        (payment(status="failed", captured=False), False),
        (payment(status="authorized", captured=None), False),
    ],
)
def test_what_counts_as_captured(found: dict[str, Any], ok: bool) -> None:
    """Captured and refunded since is captured; refunded without capture is not."""
    r = rig((400, refusal()), found)
    if ok:
        assert capture(r).id == PAYMENT_ID
    else:
        with pytest.raises(ApiBadRequest):
            capture(r)


def test_a_capture_that_stays_unknown_says_so() -> None:
    """When the payment cannot be asked, the outcome is unknown."""
    with pytest.raises(OutcomeUnknown, match="fetch it"):
        capture(rig((503, b""), forever=True))


def test_the_last_look_settles_a_capture() -> None:
    """The answer to the last attempt was lost, and the payment tells."""
    assert capture(rig(requests.ReadTimeout, payment(), max_attempts=1)).captured


# --- refunding ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [*LOST, (409, IN_PROGRESS), (409, b"conflict"), (429, b"")], ids=repr)
def test_a_lost_refund_is_repeated_under_the_same_key(step: Any) -> None:
    """One key for every send of a call."""
    r = rig(step, step, refund())

    assert refund_it(r).amount == 500

    assert [sent.headers["X-Refund-Idempotency"] for sent in r.session.sent] == ["refund-of-42"] * 3
    assert len({str(sent.body) for sent in r.session.sent}) == 1


@pytest.mark.parametrize("step", [*LOST, (409, IN_PROGRESS)], ids=repr)
def test_a_refund_that_stays_unknown_hands_over_its_key(step: Any) -> None:
    """The key that was made for the call is the one to repeat with."""
    r = rig(step, forever=True)

    with pytest.raises(OutcomeUnknown) as caught:
        r.client.payments.refund(PAYMENT_ID, Money(500))

    assert {sent.headers["X-Refund-Idempotency"] for sent in r.session.sent} == {caught.value.idempotency_key}
    assert len(r.session.sent) == 4


@pytest.mark.parametrize("status", [400, 409])
def test_a_key_that_was_used_for_another_request_is_never_retried(status: int) -> None:
    """Both documented statuses for a different request."""
    r = rig((status, CONFLICT))
    with pytest.raises(IdempotencyConflict):
        refund_it(r)

    doubted = rig(requests.ReadTimeout, (status, CONFLICT))
    with pytest.raises(IdempotencyConflict):
        refund_it(doubted)


def test_a_refused_refund_is_a_refusal() -> None:
    """A first and definite refusal is no doubt."""
    with pytest.raises(ApiBadRequest) as caught:
        refund_it(rig((400, refusal("The payment has been fully refunded already."))))

    assert caught.value.description == "The payment has been fully refunded already."


def test_a_refusal_after_a_lost_refund_is_not_certainty() -> None:
    """ "Fully refunded already" may be our own first request."""
    r = rig(requests.ReadTimeout, (400, refusal("The payment has been fully refunded already.")))

    with pytest.raises(OutcomeUnknown) as caught:
        refund_it(r)

    assert (caught.value.idempotency_key, caught.value.status) == ("refund-of-42", 400)


def test_a_refund_that_was_never_sent_is_no_doubt() -> None:
    """No connection, no refund."""
    with pytest.raises(ApiConnectionError):
        refund_it(rig(requests.ConnectTimeout, forever=True))


# --- free requests --------------------------------------------------------------------------------------------------


def test_a_free_write_is_sent_once() -> None:
    """Nothing is known about it, so nothing is repeated."""
    for step in LOST[:6]:
        r = rig(step)
        with pytest.raises(OutcomeUnknown):
            r.client.request("POST", "/v1/transfers", body={})
        assert len(r.session.sent) == 1
    with pytest.raises(OutcomeUnknown):
        rig((409, IN_PROGRESS)).client.request("POST", "/v1/transfers", body={})
    with pytest.raises(IdempotencyConflict):
        rig((409, CONFLICT)).client.request("POST", "/v1/transfers", body={})


def test_a_free_read_is_repeated() -> None:
    """A GET is a GET."""
    assert rig((503, b""), {"ok": 1}).client.request("GET", "/v1/plans") == {"ok": 1}


# --- the circuit ----------------------------------------------------------------------------------------------------


def _fail(r: Rig, times: int, call: Callable[[Rig], Any] = fetch) -> None:
    for _ in range(times):
        with pytest.raises(ApiError):
            call(r)


def test_a_long_outage_opens_the_circuit_for_reads_alone() -> None:
    """After a minute of failures reads fail at once; refunds still try; one alarm is raised."""
    r = rig((429, b""), forever=True, total_timeout_s=600)
    _fail(r, 3)
    r.clock.advance(circuit.STREAK_S)
    _fail(r, 1)
    sent = len(r.session.sent)

    with pytest.raises(CircuitOpen) as caught:
        fetch(r)

    assert caught.value.retryable
    assert 0 < (caught.value.retry_after_s or 0) <= circuit.OPEN_S
    assert len(r.session.sent) == sent
    assert [alarm.reason for alarm in r.alarms] == ["Razorpay's API keeps failing"]
    _fail(r, 1, refund_it)
    assert len(r.session.sent) == sent + 4


def test_one_success_closes_the_circuit() -> None:
    """When the time is up one read tries, and its success lets all through again."""
    r = rig((429, b""), forever=True, total_timeout_s=600)
    _fail(r, 3)
    r.clock.advance(circuit.STREAK_S)
    _fail(r, 1)
    r.clock.advance(circuit.OPEN_S)
    r.session.steps = [order()]

    fetch(r)
    fetch(r)


def test_only_one_read_probes_an_open_circuit() -> None:
    """While the probe is under way the others go on failing fast, and a failed probe opens it again."""
    r = rig((429, b""), forever=True, total_timeout_s=600)
    _fail(r, 3)
    r.clock.advance(circuit.STREAK_S)
    _fail(r, 1)
    r.clock.advance(circuit.OPEN_S)
    breaker = r.client._settings.circuits

    assert breaker.wait("read") == 0
    assert breaker.wait("read") == pytest.approx(circuit.OPEN_S)
    assert not breaker.failed("read")
    assert breaker.wait("read") > 0


def test_a_short_burst_of_failures_opens_nothing() -> None:
    """Many failures in little time are an incident, not an outage; a refusal between them counts as life."""
    r = rig((503, b""), forever=True)
    _fail(r, 4)
    assert r.client._settings.circuits.wait("read") == 0

    r.session.steps = [(400, refusal()), (503, b"")]
    r.clock.advance(circuit.STREAK_S)
    _fail(r, 2)
    assert r.client._settings.circuits.wait("read") == 0


def test_the_circuit_needs_no_bus() -> None:
    """Without a bus it opens all the same."""
    r = rig((429, b""), forever=True, total_timeout_s=600, bus=None)
    _fail(r, 3)
    r.clock.advance(circuit.STREAK_S)
    _fail(r, 1)

    with pytest.raises(CircuitOpen):
        fetch(r)

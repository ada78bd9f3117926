"""Bad answers of Razorpay's API, one row each: typed, never success, never a secret (section 7, last table)."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import requests

from bodies import Shop, order_id, payment, payment_id
from client_fakes import KEY_ID, KEY_SECRET, ORDER_ID, PAYMENT_ID, Rig, order, refund, refusal, rig
from client_fakes import payment as answered
from razorpay_hardened import MemoryStore, Money
from razorpay_hardened.errors import (
    ApiAuthError,
    ApiBadRequest,
    ApiError,
    ApiRateLimited,
    ApiResponseError,
    ApiServerError,
    IdempotencyConflict,
    OutcomeUnknown,
    RazorpayHardenedError,
)
from razorpay_hardened.signing import sign_checkout_for_test
from support.bad_inputs import params

HTML = b"<html>Bad Gateway</html>"
IN_PROGRESS = refusal("Another request with the same idempotency key is still in progress.")
OTHER_REQUEST = refusal("Different request with the same idempotency key has already been processed.")


def fetch(r: Rig) -> Any:
    return r.client.orders.fetch(ORDER_ID)


def refund_it(r: Rig) -> Any:
    return r.client.payments.refund(PAYMENT_ID, Money(500), idempotency_key="refund-of-42")


def capture(r: Rig) -> Any:
    return r.client.payments.capture(PAYMENT_ID, Money.inr("499.00"))


class Row(NamedTuple):
    """A call, what is answered to it for ever, its error, and how often it was sent at most."""

    id: str
    call: Callable[[Rig], Any]
    answer: Any
    error: type[RazorpayHardenedError]
    sent: int
    mark: str | None = None


ROWS = [
    Row("read: HTML", fetch, (200, HTML), ApiResponseError, 1),
    Row("refund: HTML", refund_it, (200, HTML), OutcomeUnknown, 4),
    Row("refund: truncated", refund_it, (200, b'{"id": "rfnd_'), OutcomeUnknown, 4),
    Row("refund: of another payment", refund_it, refund(payment_id="pay_00000000000009"), ApiResponseError, 1),
    Row("read: 204", fetch, (204, b""), ApiResponseError, 1),
    Row("read: another id", fetch, order(id="order_00000000000009"), ApiResponseError, 1),
    Row("error is text", fetch, (400, {"error": "oops"}), ApiBadRequest, 1),
    Row("error is a list", fetch, (400, []), ApiBadRequest, 1),
    Row("error is null", fetch, (400, {"error": None}), ApiBadRequest, 1),
    Row("error is a number", fetch, (400, 7), ApiBadRequest, 1),
    Row("error is HTML", fetch, (400, HTML), ApiBadRequest, 1),
    Row("error with odd fields", fetch, (400, {"error": {"code": 7, "description": []}}), ApiBadRequest, 1),
    Row("read: 502", fetch, (502, HTML), ApiServerError, 4),
    Row("read: 503", fetch, (503, HTML), ApiServerError, 4),
    Row("read: 504", fetch, (504, HTML), ApiServerError, 4),
    Row("read: 429", fetch, (429, b""), ApiRateLimited, 4),
    Row("302 to another host", fetch, (302, b"", {"location": "https://evil.example/"}), ApiResponseError, 1),
    Row("301 to plain http", fetch, (301, b"", {"location": "http://api.razorpay.com/"}), ApiResponseError, 1),
    Row("5 MiB and a byte", fetch, (200, b" " * (5 * 1024 * 1024 + 1)), ApiResponseError, 1),
    Row("100,000 brackets", fetch, (200, b"[" * 100_000), ApiResponseError, 1),
    Row("not UTF-8", fetch, (200, b"\xff\xfe"), ApiResponseError, 1),
    Row("amount NaN", fetch, (200, b'{"id":"%s","amount":NaN}' % ORDER_ID.encode()), ApiResponseError, 1),
    Row("amount 1.5", fetch, order(amount=1.5), ApiResponseError, 1),
    Row("top-level null", fetch, (200, b"null"), ApiResponseError, 1),
    Row("401", fetch, (401, refusal("Authentication failed")), ApiAuthError, 1),
    Row("key in progress", refund_it, (409, IN_PROGRESS), OutcomeUnknown, 4),
    Row("key of another request", refund_it, (409, OTHER_REQUEST), IdempotencyConflict, 1),
    Row("refund: lost", refund_it, requests.ReadTimeout, OutcomeUnknown, 4),
]


@pytest.mark.parametrize("row", params(ROWS))
def test_answers(row: Row) -> None:
    """One documented error; a write is repeated under its key alone; no credential in any text of it."""
    r = rig(row.answer, forever=True)
    with pytest.raises(row.error) as caught:
        row.call(r)
    assert type(caught.value) is row.error
    assert 1 <= len(r.session.sent) <= row.sent
    assert len({sent.headers.get("X-Refund-Idempotency") for sent in r.session.sent}) == 1
    assert _quotes_no_credential(caught.value)


def _quotes_no_credential(error: BaseException) -> bool:
    text = "".join(traceback.format_exception(error)) + repr(error)
    basic = base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
    return KEY_SECRET not in text and basic not in text


def test_an_error_that_echoes_our_authorization_is_redacted() -> None:
    """What Razorpay, or a proxy on the way, quotes back does not reach a log."""
    basic = base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
    r = rig((400, refusal(f"bad header Authorization: Basic {basic} secret {KEY_SECRET}")))
    with pytest.raises(ApiError) as caught:
        fetch(r)
    assert _quotes_no_credential(caught.value)


def test_a_refund_of_another_amount_is_no_success() -> None:
    """Asked for 500, answered 400: an error and an alarm, whatever the status said."""
    r = rig(refund(amount=400), forever=True)
    with pytest.raises(ApiResponseError):
        refund_it(r)
    assert len(r.session.sent) == 1
    assert len(r.alarms) == 1


def test_retry_after_is_honoured() -> None:
    """Two seconds at least, and then the answer."""
    r = rig((429, b"", {"Retry-After": "2"}), order())
    begun = r.clock.monotonic()
    assert fetch(r).id == ORDER_ID
    assert r.clock.monotonic() - begun >= 2


def test_captured_before_after_our_timeout_is_success() -> None:
    """400 "already captured": fetched, and amount and order agree."""
    r = rig(requests.ReadTimeout, (400, refusal("This payment has already been captured")), answered(), forever=True)
    assert capture(r).captured


def test_an_unknown_status_moves_nothing() -> None:
    """Kept raw, told by the audit trail; the order is as it was."""
    client = rig({**payment(1, "captured"), "status": "processing", "captured": False}, forever=True).client
    ours = Shop(MemoryStore(), client=client)
    ours.store.migrate()
    ours.adopt(1)
    tag = sign_checkout_for_test(order_id=order_id(1), payment_id=payment_id(1), secret="thisisnotthekey-9f8e7d")
    form = {"razorpay_order_id": order_id(1), "razorpay_payment_id": payment_id(1), "razorpay_signature": tag}
    assert ours.rzp.checkout.confirm(form, owner="user:7").outcome == "not_paid"
    held = ours.store.order(order_id(1))
    assert held is not None
    assert held.status == "created"
    assert "unknown_status" in [row.what for row in ours.store.audit(order_id(1))]

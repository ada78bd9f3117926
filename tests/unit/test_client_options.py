"""What surrounds a call: options of a clone, what is heard of answers, limits that calls share, other credentials."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
import requests

from client_fakes import KEY_ID, KEY_SECRET, ORDER_ID, PAYMENT_ID, collection, order, payment, refund, refusal, rig
from razorpay_hardened.client import Client, Response
from razorpay_hardened.clock import FrozenClock
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import (
    ApiBadRequest,
    ApiError,
    ApiRateLimited,
    ApiServerError,
    ConfigError,
    IdMalformed,
    OutcomeUnknown,
)
from razorpay_hardened.signals import ApiCall, Bus

ACCOUNT = "acc_GRWKk7qQsLnDjX"


# --- answers --------------------------------------------------------------------------------------------------------


def test_the_request_id_of_a_success_can_be_had() -> None:
    """``on_response`` gets every answer's status, headers and request id, in the thread of the call."""
    r = rig(
        (503, b"", {"X-Razorpay-Request-Id": "req_1"}), (200, order(), {"X-Razorpay-Request-Id": "req_2", "A": "b"})
    )
    seen: list[Response] = []

    r.client.with_options(on_response=seen.append).orders.fetch(ORDER_ID)

    assert [(one.status, one.request_id, one.attempt) for one in seen] == [(503, "req_1", 1), (200, "req_2", 2)]
    assert (seen[1].operation, seen[1].method, seen[1].path) == ("orders.fetch", "GET", f"/v1/orders/{ORDER_ID}")
    assert seen[1].headers["a"] == "b"


def test_a_listener_that_raises_loses_no_result() -> None:
    """The refund is made and its answer is there: whoever only listens cannot take it away."""
    r = rig(refund())

    with pytest.warns(RuntimeWarning, match="ZeroDivisionError"):
        made = r.client.with_options(on_response=lambda answer: 1 / 0).payments.refund(PAYMENT_ID)

    assert made.id == refund()["id"]


def test_options_are_kept_by_clones_of_clones() -> None:
    """Each option stays until it is changed; None ends what can be ended."""
    r = rig(order(), order(), order())
    seen: list[Response] = []
    partner = r.client.with_options(account_id=ACCOUNT, on_response=seen.append)

    partner.with_options(timeout_s=3).orders.fetch(ORDER_ID)
    partner.with_options(account_id=None, on_response=None).orders.fetch(ORDER_ID)
    r.client.orders.fetch(ORDER_ID)

    assert [sent.headers.get("X-Razorpay-Account") for sent in r.session.sent] == [ACCOUNT, None, None]
    assert len(seen) == 1
    with pytest.raises(IdMalformed):
        r.client.with_options(account_id="acc_1\r\nX-Evil: 1")


def test_the_end_of_each_call_is_announced() -> None:
    """One ``ApiCall`` per call, however many attempts: its rule, its time, and the error that the caller got."""
    bus = Bus()
    heard: list[ApiCall] = []
    bus.subscribe(heard.append, ApiCall)
    r = rig((503, b""), order(), (400, refusal()), requests.ReadTimeout, bus=bus)

    r.client.orders.fetch(ORDER_ID)
    with pytest.raises(ApiBadRequest):
        r.client.orders.fetch(ORDER_ID)
    with pytest.raises(OutcomeUnknown):
        r.client.with_options(max_attempts=1).payments.refund(PAYMENT_ID)

    assert [(call.operation, call.rule, call.error) for call in heard] == [
        ("orders.fetch", "read", None),
        ("orders.fetch", "read", "ApiBadRequest"),
        ("payments.refund", "keyed", "OutcomeUnknown"),
    ]
    assert heard[0].seconds == 0.5  # the wait between the attempts


# --- limits that calls share ----------------------------------------------------------------------------------------


def test_an_outage_is_not_answered_with_many_times_its_load() -> None:
    """Calls that all fail retry until the budget is spent; then each is one request."""
    r = rig((503, b""), forever=True)

    for _ in range(60):
        with pytest.raises(ApiError):
            r.client.payments.fetch(PAYMENT_ID)
        r.client._settings.circuits.succeeded("read")  # that circuit has tests of its own

    waited = r.clock.monotonic()
    assert 60 < len(r.session.sent) <= 60 + 0.2 * 60 + waited + 10


def test_a_client_without_a_budget_for_retries_makes_none_but_the_burst() -> None:
    """``retries_per_call=0`` leaves one a second and ten at once."""
    r = rig((503, b""), forever=True, retries_per_call=0)
    for _ in range(10):
        with pytest.raises(ApiServerError):
            r.client.payments.fetch(PAYMENT_ID)
    assert len(r.session.sent) <= 10 + 10 + r.clock.monotonic()
    for wrong in (-1, float("nan"), float("inf")):
        with pytest.raises(ConfigError):
            Client(KEY_ID, KEY_SECRET, retries_per_call=wrong)
        with pytest.raises(ConfigError):
            Client(KEY_ID, KEY_SECRET, bulk_reads_per_s=wrong)


def test_listings_keep_to_a_pace_and_single_reads_do_not() -> None:
    """After the burst, ``bulk_reads_per_s``; a fetch for a waiting customer is not behind them."""
    r = rig(collection(), forever=True, bulk_reads_per_s=2)

    for _ in range(10):
        r.client.orders.list()
    assert r.clock.monotonic() == 0
    for _ in range(4):
        r.client.orders.list()
    assert r.clock.monotonic() == pytest.approx(2.0, abs=0.01)

    r.session.steps = [payment()]
    r.client.payments.fetch(PAYMENT_ID)
    assert r.clock.monotonic() == pytest.approx(2.0, abs=0.01)


def test_a_refusal_for_speed_slows_the_listings_down() -> None:
    """429 halves the pace, and ``Retry-After`` holds every listing back."""
    r = rig((429, b"", {"Retry-After": "5"}), collection(), collection(), bulk_reads_per_s=100)

    r.client.orders.list()
    assert r.clock.monotonic() >= 5
    assert r.client._settings.pace.rate() <= 51


def test_a_listing_for_which_no_time_is_left_says_so() -> None:
    """The deadline counts the wait for a turn; nothing is sent."""
    r = rig(collection(), forever=True, bulk_reads_per_s=0.01, total_timeout_s=5)
    for _ in range(10):
        r.client.orders.list()

    with pytest.raises(ApiRateLimited) as caught:
        r.client.orders.list()

    assert caught.value.retryable
    assert len(r.session.sent) == 10


# --- credentials ----------------------------------------------------------------------------------------------------


def test_an_access_token_is_a_bearer_token() -> None:
    """A partner's token instead of the key, on Razorpay's own scheme (FACTS section 1)."""
    r = rig()
    client = Client(access_token="a-long-access-token", session=r.session, clock=FrozenClock())
    r.session.steps = [order()]

    client.orders.fetch(ORDER_ID)

    assert r.session.sent[0].authorization == "Bearer a-long-access-token"
    assert repr(client) == "<Client access token>"


def test_a_token_goes_to_razorpay_or_stays_here() -> None:
    """Nobody can tell whether it is live, so it is treated as if it were."""
    for url in ("https://evil.example", "https://api.razorpay.com.evil.example", "http://api.razorpay.com"):
        with pytest.raises(ConfigError, match="access token"):
            Client(access_token="a-long-access-token", base_url=url)
    Client(access_token="a-long-access-token", base_url="http://127.0.0.1:8080").close()
    with Emulator(in_process=True) as rz:
        Client(access_token="a-long-access-token", base_url=rz.url).close()


@pytest.mark.parametrize(
    "given",
    [
        {"access_token": "a-long-access-token", "key_id": KEY_ID},
        {"access_token": "a-long-access-token", "key_secret": KEY_SECRET},
        {"key_id": KEY_ID},
        {"key_secret": KEY_SECRET},
        {},
        {"access_token": ""},
        {"access_token": "a-long-access-token", "base_url": "https://evil.example"},
    ],
)
def test_half_a_credential_is_none(given: dict[str, Any]) -> None:
    """Said at once, and no frame of it holds a secret."""
    with pytest.raises(ConfigError) as caught:
        Client(**given)

    own = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    own.stack[:] = own.stack[1:]  # this test's own frame
    told = "".join(own.format())
    assert KEY_SECRET not in told
    assert "a-long-access-token" not in told


def test_a_token_is_taken_out_of_what_is_echoed() -> None:
    """As the key secret is."""
    r = rig()
    client = Client(access_token="a-long-access-token", session=r.session, clock=FrozenClock())
    r.session.steps = [(400, refusal("Bearer a-long-access-token is not valid"))]

    with pytest.raises(ApiBadRequest) as caught:
        client.orders.fetch(ORDER_ID)

    assert "a-long-access-token" not in (caught.value.description or "")

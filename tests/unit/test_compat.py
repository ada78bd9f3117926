"""The SDK's calls over our client: what code written for the SDK sees, and what it no longer suffers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import razorpay
import requests

from client_fakes import KEY_ID, KEY_SECRET, ORDER_ID, PAYMENT_ID, Fixed, ScriptedSession, order, payment, refusal
from razorpay_hardened import compat
from razorpay_hardened.client._operations import OPERATIONS
from razorpay_hardened.client._values import Rule
from razorpay_hardened.clock import FrozenClock
from razorpay_hardened.compat._settling import SETTLED
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import (
    ApiBadRequest,
    ApiError,
    ApiTimeout,
    ConfigError,
    FieldInvalid,
    OutcomeUnknown,
    SignatureError,
)
from razorpay_hardened.signing import sign_checkout_for_test, sign_for_test
from support.sdk import METHODS, called, recorded


def scripted(*steps: Any, **options: Any) -> tuple[Any, ScriptedSession]:
    """A client whose session plays ``steps``."""
    session = ScriptedSession(steps)
    made: dict[str, Any] = {"clock": FrozenClock(), "random": Fixed(), **options}
    return compat.Client(session=session, auth=(KEY_ID, KEY_SECRET), **made), session  # type: ignore[arg-type]


@pytest.fixture
def rz() -> Iterator[Emulator]:
    with Emulator(in_process=True) as made:
        yield made


def over(rz: Emulator, **options: Any) -> Any:
    """A client of the emulator, whose waits take no time."""
    return compat.Client(
        session=rz.session(),
        auth=(rz.key_id, rz.key_secret),
        base_url=rz.url,
        clock=FrozenClock(),
        random=Fixed(),
        **options,
    )


# --- the same calls -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "method"), METHODS, ids=lambda value: str(value))
def test_every_method_of_the_sdk_asks_what_the_sdk_asks(name: str, method: str) -> None:
    """The same verb, path and body as the installed SDK, for every method that it has."""
    theirs = recorded(name, method)
    client, session = scripted(*[payment(amount=100)] * 3, max_retries=1)

    with suppress(ApiError):  # a payment is not what each of them can believe
        called(getattr(getattr(client, name), method))

    sent = session.sent[0]
    ours = (sent.method, sent.path, sent.params if sent.method == "GET" else sent.body)
    if theirs[1] == "/methods":  # the SDK forgets the version
        theirs = (theirs[0], "/v1/methods", theirs[2])
    if isinstance(sent.body, bytes):  # the SDK leaves the form to requests
        assert ours[:2] == theirs[:2]
        assert b'name="file"; filename="file"' in sent.body
    else:
        assert ours == theirs


def test_dicts_go_in_and_come_out() -> None:
    """As sent: unknown fields, and the empty list that stands for no notes."""
    client, session = scripted(order(surprise=1))

    made = client.order.create({"amount": 49900, "currency": "INR", "receipt": "inv-42"})

    assert made == order(surprise=1)
    assert type(made) is dict
    assert session.sent[0].body == {"amount": 49900, "currency": "INR", "receipt": "inv-42"}


def test_headers_and_timeouts_per_call_are_honoured() -> None:
    """An idempotency key given as the SDK takes it is the key of every send; other options are refused."""
    client, session = scripted((503, b""), {"id": "rfnd_1"})
    headers = {"X-Refund-Idempotency": "refund-of-42", "X-Razorpay-Account": "acc_GRWKk7qQsLnDjX"}

    client.payment.refund(PAYMENT_ID, {"amount": 100}, headers=headers, timeout=7)

    assert [sent.headers["X-Refund-Idempotency"] for sent in session.sent] == ["refund-of-42"] * 2
    assert session.sent[0].headers["X-Razorpay-Account"] == "acc_GRWKk7qQsLnDjX"
    assert session.sent[0].timeout == (5, 7)
    for option in ("verify", "auth", "proxies"):
        with pytest.raises(FieldInvalid, match=option):
            client.payment.fetch(PAYMENT_ID, **{option: False})


def test_a_bare_number_is_no_body() -> None:
    """``refund(id, 100)`` of old tutorials would have posted the number 100."""
    client, session = scripted()

    with pytest.raises(FieldInvalid):
        client.payment.refund(PAYMENT_ID, 100)

    assert session.sent == []


def test_an_id_cannot_become_another_path() -> None:
    """Nothing is sent for an id with a slash in it, which the SDK formats into its URL."""
    client, session = scripted()

    for bad in ("../customers", "pay_1/refund", "pay_1?x=1", "", "pay 1"):
        with pytest.raises(FieldInvalid):
            client.payment.fetch(bad)

    assert session.sent == []


def test_a_missing_resource_is_a_missing_attribute() -> None:
    """``hasattr`` works, and ``dir`` shows what there is."""
    client, _ = scripted()

    assert not hasattr(client, "payout")
    assert {"order", "payment", "utility", "typed"} <= set(dir(client))
    assert "capture" in dir(client.payment)
    assert repr(client).count(KEY_SECRET) == 0


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "theirs", "ours"),
    [
        ((400, refusal("No such id", field="id")), razorpay.errors.BadRequestError, ApiBadRequest),
        ((401, refusal("Authentication failed")), razorpay.errors.BadRequestError, ApiError),
        ((502, {"error": {"code": "GATEWAY_ERROR", "description": "x"}}), razorpay.errors.GatewayError, ApiError),
        ((500, {"error": {"code": "SERVER_ERROR", "description": "x"}}), razorpay.errors.ServerError, ApiError),
        ((503, b"<html>"), razorpay.errors.ServerError, ApiError),
        ((502, b"<html>"), requests.exceptions.RequestException, ApiError),
        (requests.ReadTimeout, requests.exceptions.Timeout, ApiTimeout),
        (requests.ConnectionError, requests.exceptions.ConnectionError, ApiError),
    ],
)
def test_errors_are_the_sdks_and_ours(step: Any, theirs: type[Exception], ours: type[Exception]) -> None:
    """Code that catches the SDK's classes goes on catching them, for reads and for writes that nobody can settle."""
    client, _ = scripted(step, max_retries=1)
    with pytest.raises(theirs) as caught:
        client.payment.fetch(PAYMENT_ID)
    assert isinstance(caught.value, ours)

    writing, _ = scripted(step, max_retries=1)
    with pytest.raises(theirs) as caught:
        writing.plan.create({"period": "monthly"})
    assert isinstance(caught.value, ApiError)


def test_an_error_says_what_the_sdk_said_and_more() -> None:
    """``str`` is Razorpay's description, on which code for the SDK may depend; the details are attributes."""
    client, _ = scripted((400, refusal("This payment has already been captured", field="amount", reason="x")))

    with pytest.raises(razorpay.errors.BadRequestError, match=r"^This payment has already been captured$") as caught:
        client.plan.create({})

    error: Any = caught.value
    assert (error.status, error.error_code, error.field, error.reason) == (400, "BAD_REQUEST_ERROR", "amount", "x")


def test_a_lost_write_is_an_unknown_outcome() -> None:
    """It names itself, and is still what the SDK raised for a timeout."""
    client, session = scripted(requests.ReadTimeout)

    with pytest.raises(requests.exceptions.Timeout) as caught:
        client.subscription.create({"plan_id": "plan_1"})

    assert isinstance(caught.value, OutcomeUnknown)
    assert len(session.sent) == 1


# --- protections ----------------------------------------------------------------------------------------------------


def test_every_settled_rule_is_settled_here_too() -> None:
    """What the typed client can settle, this client can: nothing falls back to "never repeat" by oversight."""
    settled = {
        (operation.method, operation.path) for operation in OPERATIONS if operation.rule in (Rule.SETTLE, Rule.LOOK_UP)
    }

    assert set(SETTLED) == settled


@pytest.mark.parametrize("fault", ["do_then_hang", "do_then_reset", "truncate", "html", "503", "429", "reset_before"])
def test_one_order_one_capture_one_refund(rz: Emulator, fault: str) -> None:
    """The SDK's own calls, with faults between: once each, where the SDK made several or none."""
    client = over(rz)
    rz.faults.add(f"on POST *: {fault} once each")

    made = client.order.create({"amount": 49900, "currency": "INR", "receipt": "inv-42"})
    paid = rz.pay(made["id"], outcome="authorized")
    client.payment.capture(paid["id"], 49900, {"currency": "INR"})
    client.payment.refund(paid["id"], {"amount": 100})

    assert len(rz.world.orders) == 1
    assert rz.world.payments[paid["id"]]["captured"]
    assert len(rz.world.refunds) == 1


@pytest.mark.parametrize("fault", ["do_then_hang", "do_then_reset", "truncate", "html", "503", "429", "reset_before"])
def test_links_and_items_are_settled_too(rz: Emulator, fault: str) -> None:
    """Created, cancelled and deleted once each, whatever happens to the first request of each."""
    client = over(rz)
    rz.faults.add(f"on POST *: {fault} once each\non DELETE *: {fault} once each")

    link = client.payment_link.create({"amount": 49900, "currency": "INR", "reference_id": "cart-7"})
    cancelled = client.payment_link.cancel(link["id"])
    rz.faults.clear()
    item = client.item.create({"name": "Gold", "amount": 69900, "currency": "INR"})
    rz.faults.add(f"on DELETE *: {fault} once")
    deleted = client.item.delete(item["id"])

    assert (cancelled["id"], cancelled["status"]) == (link["id"], "cancelled")
    assert len(client.payment_link.all()["payment_links"]) == 1
    assert deleted in ({}, [])
    assert client.item.all()["count"] == 0


def test_retries_cannot_be_turned_into_repeated_charges(rz: Emulator) -> None:
    """``enable_retry(True)`` makes the SDK create a subscription for every lost answer; here it stays one."""
    client = over(rz)
    client.enable_retry(True)
    client.set_app_details({"title": "Shop", "version": "1"})
    rz.faults.add("on POST /plans: do_then_reset once")

    with pytest.raises(OutcomeUnknown):
        client.plan.create(
            {"period": "monthly", "interval": 1, "item": {"name": "Gold", "amount": 69900, "currency": "INR"}}
        )

    assert client.plan.all()["count"] == 1


def test_the_callers_dict_is_left_alone(rz: Emulator) -> None:
    """``capture`` writes its amount into what it is given, ``transfer.all`` deletes from it: not from the caller's."""
    client = over(rz)
    made = client.order.create({"amount": 49900, "currency": "INR"})
    paid = rz.pay(made["id"], outcome="authorized")
    data = {"currency": "INR"}

    client.payment.capture(paid["id"], 49900, data)

    assert data == {"currency": "INR"}


# --- signatures -----------------------------------------------------------------------------------------------------


def test_signatures_are_checked_as_the_sdk_does_and_better() -> None:
    """True or the SDK's error: for bytes too, and never True for an empty secret."""
    client, _ = scripted()
    utility = client.utility
    tag = sign_checkout_for_test(order_id=ORDER_ID, payment_id=PAYMENT_ID, secret=KEY_SECRET)
    form = {"razorpay_order_id": ORDER_ID, "razorpay_payment_id": PAYMENT_ID, "razorpay_signature": tag}
    body = '{"event":"payment.captured","é":1}'.encode()
    secret = "a-webhook-secret"

    assert utility.verify_payment_signature(form) is True
    assert utility.verify_webhook_signature(body, sign_for_test(body, secret), secret) is True
    assert utility.verify_webhook_signature(body.decode(), sign_for_test(body, secret), secret) is True
    for broken in ({**form, "razorpay_signature": "0" * 64}, {**form, "razorpay_order_id": "x"}, {}):
        with pytest.raises(razorpay.errors.SignatureVerificationError) as caught:
            utility.verify_payment_signature(broken)
        assert isinstance(caught.value, SignatureError)
    for check in (utility.verify_subscription_payment_signature, utility.verify_payment_link_signature):
        with pytest.raises(razorpay.errors.SignatureVerificationError):
            check({"razorpay_payment_id": PAYMENT_ID})
    with pytest.raises(ConfigError):
        utility.verify_webhook_signature(body, sign_for_test(body, secret), "")


def test_auth_must_be_a_pair() -> None:
    """Said at construction, not at the first call."""
    for auth in (None, "key", ("key",), ("key", "")):
        with pytest.raises(ConfigError):
            compat.Client(auth=auth)  # type: ignore[arg-type]

"""The client's face: what it takes, what it sends, what it gives back, and what it never shows."""

from __future__ import annotations

import base64
import copy
import json
import os
import pickle
import subprocess
import sys
import threading
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import responses

from client_fakes import (
    KEY_ID,
    KEY_SECRET,
    ORDER_ID,
    PAYMENT_ID,
    REFUND_ID,
    Response,
    ScriptedSession,
    collection,
    order,
    payment,
    refund,
    refusal,
    rig,
)
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import (
    AmountError,
    ApiBadRequest,
    ApiError,
    ApiResponseError,
    ConfigError,
    FieldInvalid,
    IdMalformed,
)
from razorpay_hardened.ports.gateway import Gateway
from razorpay_hardened.signing.keys import Secret

INR = Money.inr("499.00")


# --- what is sent and what comes back -------------------------------------------------------------------------------


def test_a_client_is_a_gateway() -> None:
    """The client has the shape that checkout and reconciliation ask for."""
    gateway: Gateway = rig(order()).client

    assert gateway.orders.fetch(ORDER_ID).id == ORDER_ID


def test_creating_an_order_sends_only_what_was_said() -> None:
    """Amount and currency go out, and nothing that was not asked for: unknown fields are refused by Razorpay."""
    client, session, *_ = rig(order(receipt=None))

    made = client.orders.create(amount=INR)

    sent = session.sent[0]
    assert (sent.method, sent.path, sent.body) == ("POST", "/v1/orders", {"amount": 49900, "currency": "INR"})
    assert made.money == INR


def test_creating_an_order_sends_every_option() -> None:
    """Each option has its documented field."""
    client, session, *_ = rig(order())

    client.orders.create(
        amount=INR,
        receipt="inv-42",
        notes={"shop": "7"},
        partial_payment=True,
        first_payment_min_amount=100,
        capture=False,
        unique_receipt=True,
    )

    assert session.sent[0].body == {
        "amount": 49900,
        "currency": "INR",
        "receipt": "inv-42",
        "notes": {"shop": "7"},
        "partial_payment": True,
        "first_payment_min_amount": 100,
        "payment_capture": False,
        "unique_receipt": True,
    }


def test_an_account_that_does_not_know_unique_receipt_is_asked_again_without_it() -> None:
    """The field is newer than some accounts: its refusal is not the caller's problem."""
    unknown = refusal("unique_receipt is/are not required and should not be sent")
    client, session, *_ = rig((400, unknown), order())

    client.orders.create(amount=INR, receipt="inv-42", unique_receipt=True)

    assert ["unique_receipt" in sent.body for sent in session.sent] == [True, False]


def test_another_refusal_of_a_unique_receipt_is_the_caller_s() -> None:
    """Only the refusal of the field itself is worked around."""
    client, *_ = rig((400, refusal("The amount must be at least INR 1.00")))

    with pytest.raises(ApiBadRequest):
        client.orders.create(amount=INR, receipt="inv-42", unique_receipt=True)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"amount": Money(0)}, AmountError),
        ({"amount": Money(4991, "KWD")}, AmountError),
        ({"receipt": ""}, FieldInvalid),
        ({"receipt": "x" * 41}, FieldInvalid),
        ({"receipt": "a\nb"}, FieldInvalid),
        ({"receipt": 42}, FieldInvalid),
        ({"notes": {str(n): "" for n in range(16)}}, FieldInvalid),
        ({"notes": {"a": "x" * 257}}, FieldInvalid),
        ({"notes": {"a": 1}}, FieldInvalid),
        ({"notes": ["a"]}, FieldInvalid),
        ({"first_payment_min_amount": 100}, FieldInvalid),
        ({"first_payment_min_amount": 0, "partial_payment": True}, FieldInvalid),
        ({"first_payment_min_amount": 49901, "partial_payment": True}, FieldInvalid),
        ({"first_payment_min_amount": 1.5, "partial_payment": True}, AmountError),
        ({"unique_receipt": True}, FieldInvalid),
    ],
)
def test_a_bad_order_is_refused_before_anything_is_sent(options: dict[str, Any], error: type[Exception]) -> None:
    """Values that Razorpay would refuse never leave."""
    client, session, *_ = rig()

    with pytest.raises(error):
        client.orders.create(**{"amount": INR, **options})

    assert session.sent == []


def test_limits_are_accepted_at_the_limit() -> None:
    """A receipt of 40 characters and 15 notes of 256 are fine."""
    receipt = "x" * 40
    client, *_ = rig(order(receipt=receipt))

    made = client.orders.create(amount=INR, receipt=receipt, notes={f"{n:0256}": "x" * 256 for n in range(15)})

    assert made.receipt == receipt


def test_the_reads_go_to_their_paths() -> None:
    """Each read has its documented path, and gives its typed result."""
    client, session, *_ = rig(
        order(),
        payment(),
        refund(),
        collection(payment()),
        collection(refund()),
    )

    assert client.orders.fetch(ORDER_ID).id == ORDER_ID
    assert client.payments.fetch(PAYMENT_ID).id == PAYMENT_ID
    assert client.refunds.fetch(REFUND_ID).id == REFUND_ID
    assert [found.id for found in client.orders.payments(ORDER_ID)] == [PAYMENT_ID]
    assert [found.id for found in client.payments.refunds(PAYMENT_ID)] == [REFUND_ID]
    assert session.lines == [
        f"GET /v1/orders/{ORDER_ID}",
        f"GET /v1/payments/{PAYMENT_ID}",
        f"GET /v1/refunds/{REFUND_ID}",
        f"GET /v1/orders/{ORDER_ID}/payments",
        f"GET /v1/payments/{PAYMENT_ID}/refunds",
    ]


def test_a_capture_sends_amount_and_currency() -> None:
    """Capturing says what is captured."""
    client, session, *_ = rig(payment())

    assert client.payments.capture(PAYMENT_ID, INR).captured

    assert session.lines == [f"POST /v1/payments/{PAYMENT_ID}/capture"]
    assert session.sent[0].body == {"amount": 49900, "currency": "INR"}


def test_captures_do_not_leak_into_each_other() -> None:
    """The SDK keeps amounts in a shared default dict; ours is made for each call."""
    other = "pay_BBBBBBBBBBBBBB"
    client, session, *_ = rig(payment(), payment(id=other, amount=100))

    client.payments.capture(PAYMENT_ID, INR)
    client.payments.capture(other, Money.inr(1))

    assert [sent.body["amount"] for sent in session.sent] == [49900, 100]


def test_threads_never_capture_each_other_s_amounts() -> None:
    """With the SDK's shared dict, eight threads sent another payment's amount now and then."""

    class Echo:
        wrong = 0

        def request(self, method: str, url: str, **options: Any) -> Response:
            payment_id, amount = url.split("/")[-2], json.loads(options["data"])["amount"]
            self.wrong += amount != int(payment_id[-4:])
            return Response(200, json.dumps(payment(id=payment_id, amount=amount)).encode(), {})

    echo = Echo()
    client = Client(KEY_ID, KEY_SECRET, session=echo)

    def work(first: int) -> None:
        for amount in range(first, first + 100):
            client.payments.capture(f"pay_AAAAAAAAAA{amount:04}", Money(amount))

    threads = [threading.Thread(target=work, args=(1000 + 100 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert echo.wrong == 0


def test_a_refund_carries_a_key_and_its_options() -> None:
    """Every refund goes out under an idempotency key: the caller's or one made for the call."""
    client, session, *_ = rig(refund(), refund(), refund())

    client.payments.refund(
        PAYMENT_ID,
        Money(500),
        speed="optimum",
        notes={"why": "late"},
        receipt="r-1",
        idempotency_key="refund-of-42",
    )
    client.payments.refund(PAYMENT_ID, Money(500))
    client.payments.refund(PAYMENT_ID)

    first, second, third = session.sent
    assert first.path == f"/v1/payments/{PAYMENT_ID}/refund"
    assert first.body == {"amount": 500, "speed": "optimum", "notes": {"why": "late"}, "receipt": "r-1"}
    assert first.headers["X-Refund-Idempotency"] == "refund-of-42"
    keys = [second.headers["X-Refund-Idempotency"], third.headers["X-Refund-Idempotency"]]
    assert len(set(keys)) == 2
    assert all(len(key) == 36 for key in keys)
    assert third.body == {}


@pytest.mark.parametrize("key", ["123456789", "with a space", "ключ-ключ-ключ", "", "x" * 256, "line\nbreak-1"])
def test_a_bad_idempotency_key_is_refused(key: str) -> None:
    """Keys that Razorpay refuses never leave."""
    client, session, *_ = rig()

    with pytest.raises(FieldInvalid):
        client.payments.refund(PAYMENT_ID, Money(500), idempotency_key=key)

    assert session.sent == []


@pytest.mark.parametrize("options", [{"speed": "fast"}, {"notes": {"a": 1}}, {"receipt": ""}])
def test_a_bad_refund_is_refused(options: dict[str, Any]) -> None:
    """A refund's fields are checked before anything is sent."""
    client, session, *_ = rig()

    with pytest.raises(FieldInvalid):
        client.payments.refund(PAYMENT_ID, Money(500), **options)
    with pytest.raises(AmountError):
        client.payments.refund(PAYMENT_ID, Money(0))

    assert session.sent == []


BAD_IDS = [
    "pay_x/../refunds",
    "../refunds",
    "pay_x%2f..%2frefunds",
    "pay_29QQoUBi66xm2f;v=1",
    "",
    " pay_29QQoUBi66xm2f",
    "pay_29QQoUBi66xm2f\n",
    "pay_123456789",
    "pay_" + "a" * 41,
    "pay_२९QQoUBi66xm2f",
    "http://evil.example/pay_x",
    "//evil.example/x",
    "@evil.example",
    ":80@evil.example",
    "／..／",
    "x" * 10_000,
    None,
    7,
]


@pytest.mark.parametrize("value", BAD_IDS)
def test_a_malformed_id_never_reaches_a_url(value: Any) -> None:
    """Nothing is sent for an id that is not exactly one, of exactly the right kind."""
    client, session, *_ = rig()

    for call in (
        lambda: client.orders.fetch(value),
        lambda: client.orders.payments(value),
        lambda: client.payments.fetch(value),
        lambda: client.payments.refunds(value),
        lambda: client.payments.capture(value, INR),
        lambda: client.payments.refund(value, INR),
        lambda: client.refunds.fetch(value),
    ):
        with pytest.raises(IdMalformed):
            call()

    assert session.sent == []


def test_an_id_of_another_kind_never_reaches_a_url() -> None:
    """An order id is no payment id."""
    client, session, *_ = rig()

    with pytest.raises(IdMalformed):
        client.payments.fetch(ORDER_ID)

    assert session.sent == []


def test_a_listing_sends_its_window() -> None:
    """Aware times and Unix seconds both become Unix seconds; receipt is Razorpay's filter."""
    client, session, *_ = rig(collection(), collection(payment(), payment()), collection())

    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert not client.orders.list(from_=start, to=1767312000, count=7, skip=3, receipt="inv").has_more
    assert client.payments.list(count=2).has_more
    client.refunds.list()

    assert [sent.params for sent in session.sent] == [
        {"from": 1767225600, "to": 1767312000, "count": 7, "skip": 3, "receipt": "inv"},
        {"count": 2, "skip": 0},
        {"count": 100, "skip": 0},
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"count": 0},
        {"count": 101},
        {"count": True},
        {"skip": -1},
        {"skip": 1.0},
        {"from_": 946_684_799},
        {"to": 4_765_046_401},
        {"from_": datetime(2026, 1, 1)},
        {"from_": "yesterday"},
        {"from_": 1_767_225_601, "to": 1_767_225_600},
    ],
)
def test_a_bad_window_is_refused(options: dict[str, Any]) -> None:
    """Windows outside Razorpay's limits, and times whose zone would be a guess, never leave."""
    client, session, *_ = rig()

    with pytest.raises(FieldInvalid):
        client.payments.list(**options)

    assert session.sent == []


@pytest.mark.parametrize("count", [0, 101, 1.5])
def test_iterating_checks_its_page_size_at_once(count: Any) -> None:
    """A bad page size fails where the iterator is made, not where it is used."""
    client, *_ = rig()

    for resource in (client.orders, client.payments, client.refunds):
        with pytest.raises(FieldInvalid):
            resource.iter(count=count)


def test_a_free_request_gives_plain_json() -> None:
    """Any endpoint can be asked; an empty answer is an empty mapping, never text."""
    client, session, *_ = rig({"entity": "plan"}, (204, b""), {"id": 1}, {"ok": True}, {"ok": False})

    assert client.request("get", "/v1/plans/plan_1", params={"expand[]": ["a", "b"]}) == {"entity": "plan"}
    assert client.request("DELETE", "/v1/customers/cust_1/tokens/token_1") == {}
    assert client.request("POST", "/v1/items", params={"x": 1}, body={"name": "n"}) == {"id": 1}
    assert client.request("PUT", "/v2/accounts", body={}) == {"ok": True}
    assert client.request("PATCH", "/v2/accounts/acc_1", body={}) == {"ok": False}
    assert session.lines == [
        "GET /v1/plans/plan_1",
        "DELETE /v1/customers/cust_1/tokens/token_1",
        "POST /v1/items",
        "PUT /v2/accounts",
        "PATCH /v2/accounts/acc_1",
    ]
    assert session.sent[0].params == {"expand[]": ["a", "b"]}
    assert (session.sent[2].params, session.sent[2].body) == ({"x": 1}, {"name": "n"})


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "v1/orders", {}),
        ("GET", "/v1/../v2/x", {}),
        ("GET", "/v1//orders", {}),
        ("GET", "/v1/orders?count=1", {}),
        ("GET", "/v1/%2e%2e/x", {}),
        ("GET", "/v3/orders", {}),
        ("GET", "/v1/orders\n", {}),
        ("GET", "/v1/" + "a" * 600, {}),
        ("GET", "//evil.example/v1/x", {}),
        ("GET", "/v1/x", {"body": {}}),
        ("TRACE", "/v1/x", {}),
        ("POST", "/v1/x", {"body": {"a": float("nan")}}),
        ("POST", "/v1/x", {"body": {"a": object()}}),
    ],
)
def test_a_free_request_has_a_plain_path(method: str, path: str, options: dict[str, Any]) -> None:
    """A path that could become another one, and a body that is not JSON, never leave."""
    client, session, *_ = rig()

    with pytest.raises(FieldInvalid):
        client.request(method, path, **options)

    assert session.sent == []


def test_every_request_says_who_asks() -> None:
    """The SDK's name and ours are in the User-Agent, and the key in the Authorization header only."""
    client, session, *_ = rig(order())

    client.orders.fetch(ORDER_ID)

    sent = session.sent[0]
    assert sent.headers["User-Agent"].startswith("Razorpay-Python/")
    assert "razorpay-hardened/" in sent.headers["User-Agent"]
    assert sent.authorization == "Basic " + base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()


# --- answers that are about something else --------------------------------------------------------------------------

ECHOES: list[tuple[str, Any, Any]] = [
    ("create amount", order(amount=1), lambda c: c.orders.create(amount=INR, receipt="inv-42")),
    ("create currency", order(currency="USD"), lambda c: c.orders.create(amount=INR, receipt="inv-42")),
    ("create receipt", order(receipt="other"), lambda c: c.orders.create(amount=INR, receipt="inv-42")),
    ("order id", order(id="order_AAAAAAAAAAAAAA"), lambda c: c.orders.fetch(ORDER_ID)),
    ("payment id", payment(id="pay_AAAAAAAAAAAAAA"), lambda c: c.payments.fetch(PAYMENT_ID)),
    ("refund id", refund(id="rfnd_AAAAAAAAAAAAAA"), lambda c: c.refunds.fetch(REFUND_ID)),
    ("capture amount", payment(amount=1), lambda c: c.payments.capture(PAYMENT_ID, INR)),
    ("refund amount", refund(amount=501), lambda c: c.payments.refund(PAYMENT_ID, Money(500))),
    ("refund payment", refund(payment_id="pay_AAAAAAAAAAAAAA"), lambda c: c.payments.refund(PAYMENT_ID)),
    ("payments of", collection(payment(order_id=None)), lambda c: c.orders.payments(ORDER_ID)),
    (
        "refunds of",
        collection(refund(payment_id="pay_AAAAAAAAAAAAAA")),
        lambda c: c.payments.refunds(PAYMENT_ID),
    ),
]


@pytest.mark.parametrize(("answer", "call"), [echo[1:] for echo in ECHOES], ids=[echo[0] for echo in ECHOES])
def test_an_answer_about_something_else_is_an_error_and_an_alarm(answer: Any, call: Any) -> None:
    """What does not echo the id and the amount that were asked is refused, told to a person, and not repeated."""
    client, session, _, _, alarms = rig(answer)

    with pytest.raises(ApiResponseError, match="is not the one asked for"):
        call(client)

    assert len(session.sent) == 1
    assert len(alarms) == 1


def test_an_answer_about_something_else_needs_no_bus() -> None:
    """Without a bus the error is the same."""
    client = Client(KEY_ID, KEY_SECRET, session=ScriptedSession([order(id="order_AAAAAAAAAAAAAA")]))

    with pytest.raises(ApiResponseError):
        client.orders.fetch(ORDER_ID)


# --- settings -------------------------------------------------------------------------------------------------------

BAD_SETTINGS: list[dict[str, Any]] = [
    {"key_id": ""},
    {"key_id": None},
    {"key_id": "rzp test"},
    {"key_id": "rzp:test"},
    {"key_id": "rzp_tést"},
    {"key_id": "rzp_test\n"},
    {"key_secret": ""},
    {"key_secret": None},
    {"base_url": "http://api.razorpay.com"},
    {"base_url": "https://user:pw@api.razorpay.com"},
    {"base_url": "https://api.razorpay.com/v1"},
    {"base_url": "https://api.razorpay.com?x=1"},
    {"base_url": "ftp://127.0.0.1"},
    {"base_url": ""},
    {"base_url": None},
    {"base_url": "http://[::1"},
    {"base_url": "http://127.0.0.1:port"},
    {"base_url": "https://@api.razorpay.com"},
    {"base_url": "https://api.razorpay.com\n"},
    {"base_url": "https://äpi.razorpay.com"},
    {"base_url": "http://127.0.0.1.evil.example"},
    {"key_id": "rzp_live_1DP5mmOlF5G5ag", "base_url": "https://api.razorpay.com.evil.example"},
    {"key_id": "rzp_live_1DP5mmOlF5G5ag", "base_url": "http://127.0.0.1:8080"},
    *({name: value} for name in ("connect_timeout_s", "read_timeout_s", "total_timeout_s") for value in (
        0, None, -1, float("inf"), float("nan"), 601, "5", True
    )),
    *({"max_attempts": value} for value in (0, -1, 21, 1000, 1.5, None, True)),
]  # fmt: skip


def test_unsafe_settings_are_refused_at_construction() -> None:
    """Nothing endless, nothing in clear text, and a live key goes to Razorpay alone; the value is not repeated."""
    for settings in BAD_SETTINGS:
        with pytest.raises(ConfigError) as caught:
            pytest.fail(f"{settings} made {Client(**{'key_id': KEY_ID, 'key_secret': KEY_SECRET, **settings})}")

        assert KEY_SECRET not in str(caught.value), settings
        assert "evil.example" not in str(caught.value), settings


@pytest.mark.parametrize(
    "base_url",
    ["https://api.razorpay.com", "https://api.razorpay.com/", "http://127.0.0.1:8080", "http://[::1]:8080",
     "http://localhost:1", "http://emulator.invalid"],
)  # fmt: skip
def test_a_test_key_may_go_to_an_emulator(base_url: str) -> None:
    """Razorpay itself, and this machine."""
    assert Client(KEY_ID, KEY_SECRET, base_url=base_url)


def test_a_live_key_goes_to_razorpay() -> None:
    """The one base URL for live keys."""
    assert Client("rzp_live_1DP5mmOlF5G5ag", Secret(KEY_SECRET))


def test_verification_of_certificates_cannot_be_switched_off() -> None:
    """There is no such option."""
    with pytest.raises(TypeError):
        Client(KEY_ID, KEY_SECRET, verify_tls=False)  # type: ignore[call-arg]


def test_options_apply_to_the_copy_alone() -> None:
    """``with_options`` gives another client over the same connections, and checks like the constructor."""
    client, session, *_ = rig(order(), order())
    hasty = client.with_options(timeout_s=2)

    hasty.orders.fetch(ORDER_ID)
    client.orders.fetch(ORDER_ID)

    assert [sent.timeout for sent in session.sent] == [(2.0, 2.0), (5.0, 20.0)]
    with pytest.raises(ConfigError):
        client.with_options(max_attempts=0)
    with pytest.raises(ConfigError):
        client.with_options(timeout_s=0)


# --- secrets --------------------------------------------------------------------------------------------------------


def test_the_client_shows_no_secret_and_does_not_travel() -> None:
    """Neither repr, str, format nor vars shows the secret; copies and pickles are refused."""
    client, *_ = rig()

    for shown in (repr(client), str(client), f"{client}", "%r" % client, repr(client._settings.credentials)):  # noqa: UP031
        assert KEY_SECRET not in shown
        assert KEY_ID in shown
    with pytest.raises(TypeError):
        vars(client)
    for travel in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="pickled"):
            travel(client)
        with pytest.raises(TypeError, match="pickled"):
            travel(client._settings.credentials)


def test_no_frame_of_a_failing_construction_holds_the_secret() -> None:
    """Nor does a client that could not be made."""
    with pytest.raises(ConfigError) as caught:
        Client(KEY_ID, KEY_SECRET, base_url="http://evil.example")

    own = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    own.stack[:] = own.stack[1:]  # this test's frame holds the module's names, not the client's
    assert "credentials" in "".join(own.format())
    assert KEY_SECRET not in "".join(own.format())


def test_no_frame_of_a_failing_call_holds_the_secret() -> None:
    """A crash reporter that writes down local variables finds nothing."""
    client, *_ = rig(requests.ConnectionError, forever=True)

    with pytest.raises(ApiError) as caught:
        client.orders.fetch(ORDER_ID)

    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    encoded = base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    # The scripted session of this test keeps what it was sent; the client's own frames must not.
    assert KEY_SECRET not in told
    assert encoded not in told


# --- processes and connections --------------------------------------------------------------------------------------


def test_a_child_process_makes_its_own_connections() -> None:
    """After a fork the gateway is made anew."""
    client, *_ = rig(order(), order())
    client.orders.fetch(ORDER_ID)
    gateway = client._connection.get()
    assert client._connection.get() is gateway

    gateway.pid = os.getpid() + 1  # as a forked child would see it

    assert client._connection.get() is not gateway
    assert client.orders.fetch(ORDER_ID).id == ORDER_ID


def test_closing_is_harmless_and_not_final() -> None:
    """A closed client connects again; closing twice, or in a child, does nothing."""
    client, *_ = rig(order(), order())

    with client as same:
        same.orders.fetch(ORDER_ID)
    client.close()
    client.orders.fetch(ORDER_ID)
    client._connection.get().pid = os.getpid() + 1
    client.close()


def test_importing_the_client_loads_no_dependency() -> None:
    """The SDK, requests, pydantic and tenacity come with the first call."""
    code = (
        "import sys, razorpay_hardened.client as c; c.Client('rzp_test_x', 'secret');"
        "print([m for m in ('razorpay', 'requests', 'urllib3', 'pydantic', 'tenacity') if m in sys.modules])"
    )

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert out.stdout.strip() == "[]"


@responses.activate
def test_a_real_requests_session_works_too() -> None:
    """The usual doubles for requests see the request, and their answer comes back typed."""
    url = f"https://api.razorpay.com/v1/orders/{ORDER_ID}"
    responses.add(responses.GET, url, json=order(), status=200)
    with requests.Session() as session:
        client = Client(KEY_ID, KEY_SECRET, session=session)

        assert client.orders.fetch(ORDER_ID).id == ORDER_ID

    assert responses.calls[0].request.headers["Authorization"].startswith("Basic ")

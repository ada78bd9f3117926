"""Webhooks through the client: two APIs behind one name, and a secret that shows itself nowhere."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import collection, refusal, rig
from razorpay_hardened import Secret
from razorpay_hardened.client import Client
from razorpay_hardened.errors import (
    ApiBadRequest,
    ApiError,
    ConfigError,
    FieldInvalid,
    IdMalformed,
    OutcomeUnknown,
)
from support.billing import WINDOW, Case, ids, refuses, rejects, tried
from support.moving import ACCOUNT_ID, WEBHOOK_ID, webhook

URL = "https://shop.example/rzp"
EVENTS = ["payment.captured", "refund.processed"]
SECRET = "whsec/of+this webhook"
OWN = f"/v1/webhooks/{WEBHOOK_ID}"
THEIRS = f"/v2/accounts/{ACCOUNT_ID}/webhooks"

CASES = {
    "create": Case(
        lambda client: client.webhooks.create(url=URL, events=EVENTS, secret=SECRET).id,
        "POST /v1/webhooks",
        {"url": URL, "events": {"payment.captured": True, "refund.processed": True}, "secret": SECRET},
        webhook(),
        WEBHOOK_ID,
    ),
    "create for a sub-merchant": Case(
        lambda client: (
            client.webhooks.create(
                url=URL,
                events=EVENTS,
                secret=Secret(SECRET),
                alert_email="ops@shop.example",
                active=False,
                account_id=ACCOUNT_ID,
                extra={"description": "till"},
            ).id
        ),
        f"POST {THEIRS}",
        {
            "url": URL,
            "events": EVENTS,
            "secret": SECRET,
            "alert_email": "ops@shop.example",
            "active": False,
            "description": "till",
        },
        webhook(),
        WEBHOOK_ID,
    ),
    "fetch": Case(lambda client: client.webhooks.fetch(WEBHOOK_ID).secret_exists, f"GET {OWN}", {}, webhook(), True),
    "fetch a sub-merchant's": Case(
        lambda client: client.webhooks.fetch(WEBHOOK_ID, account_id=ACCOUNT_ID).url,
        f"GET {THEIRS}/{WEBHOOK_ID}",
        {},
        webhook(),
        URL,
    ),
    "list": Case(
        lambda client: ids(client.webhooks.list(count=3, **WINDOW)),
        "GET /v1/webhooks",
        {"from": 1_700_000_000, "to": 1_700_000_100, "count": 3, "skip": 0},
        collection(webhook()),
        [WEBHOOK_ID],
    ),
    "every one of a sub-merchant": Case(
        lambda client: ids(client.webhooks.iter(account_id=ACCOUNT_ID)),
        f"GET {THEIRS}",
        {"count": 100, "skip": 0},
        collection(webhook()),
        [WEBHOOK_ID],
    ),
    "list a sub-merchant's": Case(
        lambda client: ids(client.webhooks.list(account_id=ACCOUNT_ID)),
        f"GET {THEIRS}",
        {"count": 100, "skip": 0},
        collection(webhook()),
        [WEBHOOK_ID],
    ),
    "edit": Case(
        lambda client: client.webhooks.edit(WEBHOOK_ID, url=URL, events=EVENTS, active=True).active,
        f"PUT {OWN}",
        {"url": URL, "events": {"payment.captured": True, "refund.processed": True}, "active": True},
        webhook(),
        True,
    ),
    "edit a sub-merchant's": Case(
        lambda client: client.webhooks.edit(WEBHOOK_ID, secret=SECRET, account_id=ACCOUNT_ID).id,
        f"PATCH {THEIRS}/{WEBHOOK_ID}",
        {"secret": SECRET},
        webhook(),
        WEBHOOK_ID,
    ),
    "delete": Case(
        lambda client: client.webhooks.delete(WEBHOOK_ID, account_id=ACCOUNT_ID),
        f"DELETE {THEIRS}/{WEBHOOK_ID}",
        {},
        [],
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path, verb and the shape of ``events`` are those of the API that the webhook belongs to."""
    tried(CASES[name])


def create(client: Client, **changes: Any) -> Any:
    return client.webhooks.create(**{"url": URL, "events": EVENTS, **changes})


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: create(client, url="ftp://shop.example"), FieldInvalid),
        (lambda client: create(client, url="shop.example"), FieldInvalid),
        (lambda client: create(client, url="https://[shop"), FieldInvalid),
        (lambda client: create(client, url=URL + "x" * 240), FieldInvalid),
        (lambda client: create(client, url=URL + "\n"), FieldInvalid),
        (lambda client: create(client, events=[]), FieldInvalid),
        (lambda client: create(client, events="payment.captured"), FieldInvalid),
        (lambda client: create(client, events=["captured"]), FieldInvalid),
        (lambda client: create(client, events=None), FieldInvalid),
        (lambda client: create(client, secret=""), ConfigError),
        (lambda client: create(client, active=1), FieldInvalid),
        (lambda client: create(client, alert_email=""), FieldInvalid),
        (lambda client: create(client, account_id="x"), IdMalformed),
        (lambda client: create(client, extra={"secret": "x"}), FieldInvalid),
        (lambda client: client.webhooks.fetch("../orders"), IdMalformed),
        (lambda client: client.webhooks.fetch("short"), IdMalformed),
        (lambda client: client.webhooks.fetch(ACCOUNT_ID), IdMalformed),
        (lambda client: client.webhooks.list(account_id=WEBHOOK_ID), IdMalformed),
        (lambda client: client.webhooks.edit(WEBHOOK_ID), FieldInvalid),
        (lambda client: client.webhooks.delete(WEBHOOK_ID, account_id=None), IdMalformed),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """Events do not go to an address that is none; ``None`` is nobody's account."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (create, webhook(url="https://evil.example"), "url"),
        (lambda client: client.webhooks.fetch(WEBHOOK_ID), webhook(id="XX890egfiItP3H"), "id"),
        (lambda client: client.webhooks.edit(WEBHOOK_ID, url=URL), webhook(url="https://evil.example"), "url"),
        (lambda client: client.webhooks.edit(WEBHOOK_ID, active=True), webhook(id="XX890egfiItP3H"), "id"),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """Events go where they were sent to."""
    rejects(call, answer, field)


def test_gone_is_deleted_once_there_is_a_doubt() -> None:
    """A lost answer is settled by looking; a webhook that never was is a refusal."""
    nothing = (400, refusal("The id provided does not exist"))
    client, session, *_ = rig(requests.ReadTimeout, nothing)
    client.webhooks.delete(WEBHOOK_ID, account_id=ACCOUNT_ID)
    assert session.lines == [f"DELETE {THEIRS}/{WEBHOOK_ID}", f"GET {THEIRS}/{WEBHOOK_ID}"]

    client, session, *_ = rig(requests.ReadTimeout, webhook(), [])
    client.webhooks.delete(WEBHOOK_ID, account_id=ACCOUNT_ID)
    assert [sent.method for sent in session.sent] == ["DELETE", "GET", "DELETE"]

    client, *_ = rig(nothing)
    with pytest.raises(ApiBadRequest):
        client.webhooks.delete(WEBHOOK_ID, account_id=ACCOUNT_ID)


def test_a_webhook_is_made_once() -> None:
    """A second one would get every event a second time."""
    client, session, *_ = rig(requests.ReadTimeout)

    with pytest.raises(OutcomeUnknown):
        create(client)

    assert len(session.sent) == 1


# --- the secret -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step", [requests.ConnectionError, (500, b""), (400, refusal(f"secret {SECRET} is too simple", field=SECRET))]
)
@pytest.mark.parametrize(
    "call",
    [
        lambda client, secret: create(client, secret=secret),
        lambda client, secret: client.webhooks.edit(WEBHOOK_ID, secret=secret, url=URL),
    ],
    ids=["create", "edit"],
)
def test_no_frame_and_no_error_holds_the_webhooks_secret(call: Callable[[Client, Secret], Any], step: Any) -> None:
    """Not even where Razorpay echoes it; a crash reporter that writes down local variables finds nothing."""
    client, session, *_ = rig(step, forever=True)
    given = Secret(SECRET)

    with pytest.raises(ApiError) as caught:
        call(client, given)

    assert session.sent[0].body["secret"] == SECRET
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    told.stack[:] = told.stack[1:]  # this test's own frame has the script, and what was sent
    assert SECRET not in "".join(told.format())
    assert SECRET not in repr(vars(caught.value)) + str(caught.value)
    assert "is too simple" in (caught.value.description or "is too simple")


def test_a_secret_given_as_text_is_gone_from_every_frame_of_ours_too() -> None:
    """Once the request is built; a caller's own frame is the caller's."""
    client, *_ = rig(requests.ConnectionError, forever=True)
    options = {"url": URL, "events": EVENTS, "secret": SECRET}

    with pytest.raises(OutcomeUnknown) as caught:
        client.webhooks.create(**options)

    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    told.stack[:] = told.stack[1:]
    assert SECRET not in "".join(told.format())

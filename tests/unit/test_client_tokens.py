"""Tokens through the client: what is sent, what is refused before, and how doubts are settled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import PAYMENT_ID, collection, refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.errors import ApiBadRequest, FieldInvalid, IdMalformed, OutcomeUnknown
from razorpay_hardened.signing.keys import Secret
from support.billing import CUSTOMER_ID, Case, ids, refuses, rejects, tried
from support.people import CARD, CARD_NUMBER, PROVIDER_TOKEN_ID, TOKEN_ID, token

PATH = f"/v1/customers/{CUSTOMER_ID}/tokens/{TOKEN_ID}"
OTHER = "token_00000000000002"
AGREED = {"provider": "razorpay", "provider_reference_id": PAYMENT_ID}
CANCELLED = token(recurring_details={"status": "cancelled"})
GONE = (400, refusal())


def create(client: Client, **changes: Any) -> Any:
    return client.tokens.create(**{"card": CARD, "authentication": AGREED, **changes})


def with_card(client: Client, **changes: Any) -> Any:
    return create(client, card={**CARD, **changes})


CASES = {
    "list": Case(
        lambda client: [one.id for one in client.tokens.list(CUSTOMER_ID)],
        f"GET /v1/customers/{CUSTOMER_ID}/tokens",
        {},
        collection(token()),
        [TOKEN_ID],
    ),
    "fetch": Case(
        lambda client: client.tokens.fetch(CUSTOMER_ID, TOKEN_ID).card.last4, f"GET {PATH}", {}, token(), "1486"
    ),
    "delete": Case(
        lambda client: client.tokens.delete(CUSTOMER_ID, TOKEN_ID), f"DELETE {PATH}", {}, {"deleted": True}, None
    ),
    "cancel": Case(
        lambda client: client.tokens.cancel(CUSTOMER_ID, TOKEN_ID).status,
        f"PUT {PATH}/cancel",
        {},
        {"status": "cancellation_initiated"},
        "cancellation_initiated",
    ),
    "create": Case(
        lambda client: create(client).status,
        "POST /v1/tokens",
        {"method": "card", "card": CARD, "authentication": AGREED},
        token(status="active"),
        "active",
    ),
    "create with everything": Case(
        lambda client: (
            create(
                client,
                card={**CARD, "number": Secret(CARD_NUMBER), "cvv": Secret("100")},
                customer_id=CUSTOMER_ID,
                notes={"shop": "7"},
                extra={"source": "tokenhq"},
            ).id
        ),
        "POST /v1/tokens",
        {
            "customer_id": CUSTOMER_ID,
            "method": "card",
            "card": CARD,
            "authentication": AGREED,
            "notes": {"shop": "7"},
            "source": "tokenhq",
        },
        token(),
        TOKEN_ID,
    ),
    "fetch a network's": Case(
        lambda client: client.tokens.fetch_network_token(TOKEN_ID).id,
        "POST /v1/tokens/fetch",
        {"id": TOKEN_ID},
        token(),
        TOKEN_ID,
    ),
    "delete a network's": Case(
        lambda client: client.tokens.delete_network_token(TOKEN_ID),
        "POST /v1/tokens/delete",
        {"id": TOKEN_ID},
        [],
        None,
    ),
    "transaction data": Case(
        lambda client: client.tokens.transaction_data(PROVIDER_TOKEN_ID).cryptogram_value,
        "POST /v1/tokens/service_provider_tokens/token_transactional_data",
        {"id": PROVIDER_TOKEN_ID},
        {"token_number": "4016981500100002", "cryptogram_value": "AwAAAAAABk", "token_expiry_year": 2031},
        "AwAAAAAABk",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: client.tokens.list("x"), IdMalformed),
        (lambda client: client.tokens.fetch(CUSTOMER_ID, "x"), IdMalformed),
        (lambda client: client.tokens.delete(TOKEN_ID, CUSTOMER_ID), IdMalformed),
        (lambda client: client.tokens.cancel(CUSTOMER_ID, "../x"), IdMalformed),
        (lambda client: create(client, card=None), FieldInvalid),
        (lambda client: create(client, card=CARD_NUMBER), FieldInvalid),
        (lambda client: create(client, authentication=None), FieldInvalid),
        (lambda client: create(client, method=None), FieldInvalid),
        (lambda client: create(client, customer_id="x"), IdMalformed),
        (lambda client: create(client, extra={"card": CARD}), FieldInvalid),
        (lambda client: with_card(client, number=None), FieldInvalid),
        (lambda client: with_card(client, number="4539 5787"), FieldInvalid),
        (lambda client: with_card(client, number=int(CARD_NUMBER)), FieldInvalid),
        (lambda client: with_card(client, number="٤" * 16), FieldInvalid),
        (lambda client: with_card(client, cvv="10"), FieldInvalid),
        (lambda client: with_card(client, cvv=100), FieldInvalid),
        (lambda client: with_card(client, expiry_month=13), FieldInvalid),
        (lambda client: with_card(client, expiry_month=True), FieldInvalid),
        (lambda client: with_card(client, expiry_year="203"), FieldInvalid),
        (lambda client: with_card(client, name="A" * 256), FieldInvalid),
        (lambda client: with_card(client, tokenised="yes"), FieldInvalid),
        (lambda client: client.tokens.fetch_network_token("x"), IdMalformed),
        (lambda client: client.tokens.delete_network_token(PROVIDER_TOKEN_ID), IdMalformed),
        (lambda client: client.tokens.transaction_data(TOKEN_ID), IdMalformed),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """A card that is none is told so here."""
    refuses(call, error)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.tokens.fetch(CUSTOMER_ID, TOKEN_ID),
        lambda client: client.tokens.fetch_network_token(TOKEN_ID),
    ],
)
def test_an_answer_about_another_token_is_an_error(call: Callable[[Client], Any]) -> None:
    """Tokens are not mixed up."""
    rejects(call, token(id=OTHER), "id")


@pytest.mark.parametrize("first", [requests.ReadTimeout, (502, b""), (200, {"status": "active"}), GONE])
@pytest.mark.parametrize("status", ["cancelled", "cancellation_initiated"])
def test_a_mandate_that_ends_already_counts_as_cancelled(first: Any, status: str) -> None:
    """After a lost answer, after one that says otherwise, and after a refusal: the token is asked."""
    client, session, *_ = rig(first, token(recurring_details={"status": status}))

    assert client.tokens.cancel(CUSTOMER_ID, TOKEN_ID).status == status

    assert session.lines == [f"PUT {PATH}/cancel", f"GET {PATH}"]


def test_a_refused_cancellation_of_a_mandate_that_goes_on_is_refused() -> None:
    """The caller hears Razorpay's reason."""
    client, *_ = rig((400, refusal("The token is not a mandate")), token())

    with pytest.raises(ApiBadRequest):
        client.tokens.cancel(CUSTOMER_ID, TOKEN_ID)


@pytest.mark.parametrize(
    ("call", "lines"),
    [
        (lambda client: client.tokens.delete(CUSTOMER_ID, TOKEN_ID), [f"DELETE {PATH}", f"GET {PATH}"]),
        (
            lambda client: client.tokens.delete_network_token(TOKEN_ID),
            ["POST /v1/tokens/delete", "POST /v1/tokens/fetch"],
        ),
    ],
)
def test_a_delete_in_doubt_is_settled_by_fetching(call: Callable[[Client], Any], lines: list[str]) -> None:
    """What is gone is deleted; what is there is deleted once more; who cannot tell says so."""
    gone, session, *_ = rig(requests.ReadTimeout, GONE)
    there, other, *_ = rig(requests.ReadTimeout, token(), {"deleted": True})
    silent, *_ = rig(requests.ReadTimeout, (503, b""), forever=True)

    call(gone)
    call(there)
    with pytest.raises(OutcomeUnknown):
        call(silent)

    assert session.lines == lines
    assert other.lines == [*lines, lines[0]]


def test_tokens_are_an_exact_page() -> None:
    """No paging is asked for where none is documented."""
    client, session, *_ = rig(collection(token(), token(id=OTHER)))

    assert ids(client.tokens.list(CUSTOMER_ID)) == [TOKEN_ID, OTHER]
    assert session.sent[0].params == {}

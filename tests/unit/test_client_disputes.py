"""Disputes through the client: accepted once, contested with this evidence and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import collection, refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import (
    AmountError,
    ApiBadRequest,
    CurrencyMismatch,
    FieldInvalid,
    IdMalformed,
    OutcomeUnknown,
)
from support.billing import WINDOW, Case, ids, refuses, rejects, tried
from support.moving import DISPUTE_ID, DOCUMENT_ID, dispute

OTHER_DOCUMENT = "doc_EFtmUsbwpXwBH8"
PATH = f"/v1/disputes/{DISPUTE_ID}"
OTHERS = [{"type": "receipt_signed_by_customer", "document_ids": [DOCUMENT_ID, OTHER_DOCUMENT]}]
PROOFS = (
    "shipping_proof",
    "billing_proof",
    "cancellation_proof",
    "customer_communication",
    "proof_of_service",
    "explanation_letter",
    "refund_confirmation",
    "access_activity_log",
    "refund_cancellation_policy",
    "term_and_conditions",
)
SUBMITTED = {"submitted_at": 1590603200}
NOT_NOW = refusal("Action not allowed when dispute is in under_review status.")


def submit(client: Client, **evidence: Any) -> Any:
    return client.disputes.contest(DISPUTE_ID, action="submit", **evidence)


def draft(client: Client, **evidence: Any) -> Any:
    return client.disputes.contest(DISPUTE_ID, action="draft", **evidence)


CASES = {
    "fetch": Case(
        lambda client: client.disputes.fetch(DISPUTE_ID, expand=("payment", "transaction.settlement")).money,
        f"GET {PATH}",
        {"expand[]": ["payment", "transaction.settlement"]},
        dispute(),
        Money(10000),
    ),
    "list": Case(
        lambda client: ids(client.disputes.list(skip=3, **WINDOW)),
        "GET /v1/disputes",
        {"from": 1_700_000_000, "to": 1_700_000_100, "count": 100, "skip": 3},
        collection(dispute()),
        [DISPUTE_ID],
    ),
    "iter": Case(
        lambda client: ids(client.disputes.iter(expand=["payment"])),
        "GET /v1/disputes",
        {"expand[]": ["payment"], "count": 100, "skip": 0},
        collection(dispute()),
        [DISPUTE_ID],
    ),
    "accept": Case(
        lambda client: client.disputes.accept(DISPUTE_ID).deducted,
        f"POST {PATH}/accept",
        {},
        dispute(status="lost", amount_deducted=10000),
        Money(10000),
    ),
    "draft": Case(
        lambda client: draft(client, summary="delivered", **{name: [DOCUMENT_ID] for name in PROOFS}).status,
        f"PATCH {PATH}/contest",
        {"summary": "delivered", "action": "draft", **{name: [DOCUMENT_ID] for name in PROOFS}},
        dispute(),
        "open",
    ),
    "submit": Case(
        lambda client: submit(client, others=OTHERS, extra={"comments": "see there"}).status,
        f"PATCH {PATH}/contest",
        {"others": OTHERS, "action": "submit", "comments": "see there"},
        dispute(status="under_review"),
        "under_review",
    ),
    "submit the draft": Case(
        lambda client: submit(client).status,
        f"PATCH {PATH}/contest",
        {"action": "submit"},
        dispute(status="under_review"),
        "under_review",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: client.disputes.fetch("x"), IdMalformed),
        (lambda client: client.disputes.list(count=101), FieldInvalid),
        (lambda client: client.disputes.accept("disp_x/../y"), IdMalformed),
        (lambda client: client.disputes.contest("x", action="draft", summary="a"), IdMalformed),
        (lambda client: client.disputes.contest(DISPUTE_ID, action="send", summary="a"), FieldInvalid),
        (lambda client: client.disputes.contest(DISPUTE_ID, action=None), FieldInvalid),
        (draft, FieldInvalid),
        (lambda client: draft(client, summary="a" * 1001), FieldInvalid),
        (lambda client: draft(client, amount=10000), AmountError),
        (lambda client: draft(client, amount=Money(0)), AmountError),
        (lambda client: draft(client, billing_proof=DOCUMENT_ID), FieldInvalid),
        (lambda client: draft(client, billing_proof=["pay_29QQoUBi66xm2f"]), IdMalformed),
        (lambda client: draft(client, others=[{"type": "receipt"}]), FieldInvalid),
        (lambda client: draft(client, others=[{"type": "", "document_ids": [DOCUMENT_ID]}]), FieldInvalid),
        (lambda client: draft(client, others=[{"type": "receipt", "document_ids": ["x"]}]), IdMalformed),
        (lambda client: draft(client, others=[DOCUMENT_ID]), FieldInvalid),
        (lambda client: draft(client, summary="a", extra={"action": "submit"}), FieldInvalid),
        (lambda client: draft(client, summary="a", extra={"amount": 1}), FieldInvalid),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What cannot be taken back is checked first."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (lambda client: client.disputes.fetch(DISPUTE_ID), dispute(id="disp_X")),
        (lambda client: client.disputes.accept(DISPUTE_ID), dispute(id="disp_X", status="lost")),
        (submit, dispute(id="disp_X", status="under_review")),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any) -> None:
    """The dispute is the one that was asked about."""
    rejects(call, answer, "id")


@pytest.mark.parametrize("first", [requests.ReadTimeout, (500, b""), (400, refusal("… in lost status"))])
def test_accepted_already_counts_as_done(first: Any) -> None:
    """A lost answer and a refusal are settled by the dispute's own status."""
    client, session, *_ = rig(first, dispute(status="lost"))

    assert client.disputes.accept(DISPUTE_ID).status == "lost"

    assert session.lines == [f"POST {PATH}/accept", f"GET {PATH}"]


@pytest.mark.parametrize("status", ["under_review", "won", "closed"])
def test_what_cannot_be_accepted_is_a_refusal(status: str) -> None:
    """Nobody is told that money was given back which was not."""
    client, *_ = rig((400, NOT_NOW), dispute(status=status))

    with pytest.raises(ApiBadRequest):
        client.disputes.accept(DISPUTE_ID)


def test_an_acceptance_that_did_not_arrive_is_sent_again() -> None:
    """Still open: it was not accepted."""
    client, session, *_ = rig(requests.ReadTimeout, dispute(), dispute(status="lost"))

    assert client.disputes.accept(DISPUTE_ID).status == "lost"
    assert [sent.method for sent in session.sent] == ["POST", "GET", "POST"]


def test_the_contested_amount_is_in_the_disputes_currency() -> None:
    """Razorpay takes it without a currency, so the dispute is asked first; nothing is contested in another."""
    client, session, *_ = rig(dispute(currency="USD"), dispute(currency="USD"), dispute(status="under_review"))

    with pytest.raises(CurrencyMismatch):
        submit(client, amount=Money(5000, "INR"))
    assert submit(client, amount=Money(5000, "USD")).status == "under_review"

    assert session.lines == [f"GET {PATH}", f"GET {PATH}", f"PATCH {PATH}/contest"]
    assert session.sent[-1].body == {"amount": 5000, "action": "submit"}


EVIDENCE = {"summary": "delivered", "billing_proof": [OTHER_DOCUMENT, DOCUMENT_ID], "others": OTHERS}
THERE = {
    **EVIDENCE,
    "billing_proof": [DOCUMENT_ID, OTHER_DOCUMENT],
    "others": [{"type": "receipt_signed_by_customer", "document_ids": [OTHER_DOCUMENT, DOCUMENT_ID]}],
    "shipping_proof": None,
}


@pytest.mark.parametrize(
    ("found", "settled"),
    [
        (dispute(status="under_review", evidence={**THERE, **SUBMITTED}), True),
        (dispute(status="won", evidence={**THERE, **SUBMITTED}), True),
        (dispute(status="lost", evidence=THERE), False),  # nobody answered in time
        (dispute(status="open", evidence={**THERE, **SUBMITTED}), False),  # that was the round before
        (dispute(status="under_review", evidence={**THERE, **SUBMITTED, "summary": "other"}), False),
        (dispute(status="under_review", evidence={**THERE, **SUBMITTED, "billing_proof": [DOCUMENT_ID]}), False),
        (dispute(status="under_review", evidence={**THERE, **SUBMITTED, "others": None}), False),
        (dispute(status="under_review", evidence=None), False),
    ],
)
def test_only_this_evidence_settles_a_doubt(found: Any, settled: bool) -> None:
    """What somebody else submitted is not what was asked for; nobody is told that it was."""
    client, session, *_ = rig(requests.ReadTimeout, found, (400, NOT_NOW), found, found, forever=True)

    if settled:
        assert submit(client, **EVIDENCE).id == DISPUTE_ID
        assert [sent.method for sent in session.sent] == ["PATCH", "GET"]
    else:
        with pytest.raises(OutcomeUnknown):
            submit(client, **EVIDENCE)


def test_a_success_that_leaves_the_dispute_open_is_looked_at() -> None:
    """A submission that is none is not believed."""
    done = dispute(status="under_review", evidence={"summary": "delivered", **SUBMITTED})
    client, session, *_ = rig(dispute(), done)

    assert submit(client, summary="delivered").status == "under_review"
    assert [sent.method for sent in session.sent] == ["PATCH", "GET"]


def test_a_draft_in_doubt_is_there_or_is_sent_again() -> None:
    """Only a draft can be sent twice: the second says the same."""
    there = dispute(evidence={"summary": "delivered", "submitted_at": None})
    client, session, *_ = rig(requests.ReadTimeout, there)
    assert draft(client, summary="delivered").status == "open"
    assert [sent.method for sent in session.sent] == ["PATCH", "GET"]

    client, session, *_ = rig(requests.ReadTimeout, dispute(), there)
    assert draft(client, summary="delivered").status == "open"
    assert [sent.method for sent in session.sent] == ["PATCH", "GET", "PATCH"]

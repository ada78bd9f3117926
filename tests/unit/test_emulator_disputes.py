"""The emulator's disputes: every move of the state machine, every published refusal."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator, Options, Request
from razorpay_hardened.errors import ConfigError
from support.emulator_api import DAY_S, Api


@pytest.fixture
def api() -> Api:
    return Api(Emulator(in_process=True))


@pytest.fixture
def dispute(api: Api) -> Any:
    return api.rz.dispute(api.paid()["id"], 40_000)


def contest(api: Api, dispute: Any, **body: Any) -> Any:
    return api.patch(f"/disputes/{dispute['id']}/contest", body)


def test_a_new_dispute(api: Api, dispute: Any) -> None:
    """It is open, takes nothing yet, and is announced with its payment."""
    assert (dispute["status"], dispute["phase"], dispute["amount_deducted"]) == ("open", "chargeback", 0)
    assert dispute["evidence"]["amount"] == 40_000
    assert api.since()[-1] == "payment.dispute.created"
    assert api.rz.balance == 97_640


def test_won(api: Api, dispute: Any) -> None:
    """Contested with evidence, under review, won: no money moved."""
    draft = contest(api, dispute, summary="delivered", amount=30_000)
    sent = contest(api, dispute, action="submit")
    api.rz.decide_dispute(dispute["id"], "won")

    assert (draft["status"], draft["evidence"]["submitted_at"]) == ("open", None)
    assert (sent["status"], sent["evidence"]["summary"], sent["evidence"]["amount"]) == (
        "under_review",
        "delivered",
        30_000,
    )
    assert api.since()[-2:] == ["payment.dispute.under_review", "payment.dispute.won"]
    assert api.rz.balance == 97_640


def test_lost(api: Api, dispute: Any) -> None:
    """Accepted is lost: the amount is deducted once."""
    lost = api.post(f"/disputes/{dispute['id']}/accept")

    assert (lost["status"], lost["amount_deducted"]) == ("lost", 40_000)
    assert api.since()[-1] == "payment.dispute.lost"
    assert api.rz.balance == 57_640
    text = "Action not allowed when dispute is in lost status"
    assert api.refused("POST", f"/disputes/{dispute['id']}/accept") == text
    assert api.refused("PATCH", f"/disputes/{dispute['id']}/contest", {"action": "submit"}) == text


def test_more_evidence_is_asked_for(api: Api, dispute: Any) -> None:
    """action_required opens it again with a new date."""
    contest(api, dispute, action="submit")
    again = api.rz.decide_dispute(dispute["id"], "action_required", respond_within_s=2 * DAY_S)

    assert (again["status"], again["respond_by"]) == ("open", api.rz.clock.unix() + 2 * DAY_S)
    assert api.since()[-1] == "payment.dispute.action_required"
    assert contest(api, dispute, action="submit")["status"] == "under_review"


def test_nobody_answers(api: Api, dispute: Any) -> None:
    """After the deadline actions are refused and the dispute is lost; a submitted one waits for the bank."""
    other = api.rz.dispute(dispute["payment_id"], 100)
    contest(api, other, action="submit")
    api.rz.clock.advance(7 * DAY_S + 2)

    assert api.get(f"/disputes/{dispute['id']}")["status"] == "lost"
    assert api.get(f"/disputes/{other['id']}")["status"] == "under_review"


def test_the_deadline_itself(api: Api, dispute: Any) -> None:
    """Until ``respond_by`` it is open; a second later it is lost, and refused because the deadline has elapsed."""
    api.rz.clock.advance(7 * DAY_S)
    assert contest(api, dispute)["status"] == "open"
    api.rz.clock.advance(1)
    assert api.get(f"/disputes/{dispute['id']}")["status"] == "lost"
    text = "Action not allowed as deadline to respond has elapsed"
    assert api.refused("POST", f"/disputes/{dispute['id']}/accept") == text


def test_deducted_at_onset() -> None:
    """With the setting the amount goes at once, and comes back when the dispute is won."""
    api = Api(Emulator(in_process=True, options=Options(deduct_dispute_at_onset=True)))
    dispute = api.rz.dispute(api.paid()["id"])
    assert (dispute["amount_deducted"], api.rz.balance) == (100_000, -2360)

    contest(api, dispute, action="submit")
    assert api.rz.decide_dispute(dispute["id"], "won")["amount_deducted"] == 0
    assert api.rz.balance == 97_640


def test_a_fraud_warning_is_closed(api: Api) -> None:
    """Only the fraud phase ends as closed."""
    payment = api.paid()["id"]
    warning = api.rz.dispute(payment, phase="fraud")
    assert api.rz.decide_dispute(warning["id"], "closed")["status"] == "closed"
    with pytest.raises(ConfigError, match="cannot become closed"):
        api.rz.decide_dispute(api.rz.dispute(payment)["id"], "closed")


@pytest.mark.parametrize("outcome", ["won", "action_required", "settled"])
def test_illegal_decisions(api: Api, dispute: Any, outcome: str) -> None:
    """The bank cannot decide what the state machine does not allow."""
    with pytest.raises(ConfigError):
        api.rz.decide_dispute(dispute["id"], outcome)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"amount": 40_001}, "contest amount cannot be greater than dispute amount"),
        ({"action": "send"}, "The selected action is invalid"),
        ({"proof": []}, "proof is/are not required and should not be sent"),
        (
            {"billing_proof": ["doc_00000000000000"]},
            "Invalid file id provided or merchant is unauthorized to access the fileId(s) provided",
        ),
        ({"summary": "x" * 1001}, "The summary may not be greater than 1000 characters."),
    ],
)
def test_refused_evidence(api: Api, dispute: Any, body: Any, text: str) -> None:
    """The published refusals; nothing of the evidence is kept."""
    assert api.refused("PATCH", f"/disputes/{dispute['id']}/contest", body) == text
    assert api.get(f"/disputes/{dispute['id']}") == dispute


def test_fetching(api: Api, dispute: Any) -> None:
    """With its payment on request; what is no dispute does not exist; an unknown expansion is named."""
    path = f"/disputes/{dispute['id']}"
    assert api.get(path, **{"expand[]": "payment"})["payment"]["id"] == dispute["payment_id"]
    text = "Value of each expand must be one of following types: payment, transaction.settlement"
    assert api.refused("GET", path, **{"expand[]": "card"}) == text
    assert api.refused("GET", f"/disputes/{dispute['payment_id']}") == "The id provided does not exist"
    assert api.refused("GET", "/disputes/disp_1") == "disp_1 is not a valid id"


def test_a_document_is_given_back_as_it_came(api: Api) -> None:
    """The very bytes, by their media type; a file that nobody uploaded is refused."""
    form = b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\ndispute_evidence\r\n'
    form += b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n\x89PNG\r\n\xff\r\n--x--\r\n'
    token = b64encode(f"{api.rz.key_id}:{api.rz.key_secret}".encode()).decode("ascii")
    headers = {"Authorization": f"Basic {token}", "Content-Type": "multipart/form-data; boundary=x"}
    document = api.rz.handle(Request("POST", "/v1/documents", "", headers, form)).json()

    reply = api.rz.request("GET", f"/v1/documents/{document['id']}/content")

    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "image/png", b"\x89PNG\r\n\xff")
    assert document["size"] == len(reply.body)
    assert api.refused("GET", "/documents/doc_AAAAAAAAAAAAAA/content") == "The id provided does not exist"


def test_only_captured_payments_are_disputed(api: Api) -> None:
    """A wish that no bank could have is the test's mistake."""
    order = api.post("/orders", {"amount": 5000, "currency": "INR", "payment_capture": 0})
    held = api.rz.pay(order["id"])["id"]
    for wish in ({}, {"phase": "war"}):
        with pytest.raises(ConfigError):
            api.rz.dispute(held, **wish)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="some or all"):
        api.rz.dispute(api.paid()["id"], 100_001)
    with pytest.raises(ConfigError, match="knows no payment"):
        api.rz.dispute("pay_00000000000000")

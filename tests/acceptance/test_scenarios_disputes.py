"""Scenarios B6: disputes. Scenarios A5 and B7: settlements and the recon report."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from razorpay_hardened.emulator import Request
from razorpay_hardened.errors import ConfigError
from support.emulator_api import account
from support.stage import DAY_S, Stage, scenario


def _disputed(amount: int = 50_000, **how: Any) -> tuple[Stage, str, str]:
    """A stage, a payment and its open dispute."""
    stage = Stage()
    payment = stage.captured(amount)
    dispute = stage.rz.dispute(payment, **how)["id"]
    assert stage.fired() == ["payment.dispute.created"]
    return stage, payment, dispute


def _contest(stage: Stage, dispute: str, **body: object) -> Any:
    return stage.patch(f"/disputes/{dispute}/contest", body)


@scenario("RH-84")
def test_bank_opens_a_dispute() -> None:
    """Open, over the payment's amount, to be answered within a week; nothing is deducted yet."""
    stage, payment, dispute = _disputed()
    found = stage.get(f"/disputes/{dispute}")

    assert (found["status"], found["payment_id"], found["amount"]) == ("open", payment, 50_000)
    assert found["amount_deducted"] == 0
    assert found["respond_by"] == stage.rz.clock.unix() + 7 * DAY_S


@scenario("RH-85")
def test_dispute_is_accepted() -> None:
    """Lost, and its amount deducted from the balance."""
    stage, _, dispute = _disputed()
    before = stage.rz.balance
    lost = stage.post(f"/disputes/{dispute}/accept")

    assert (lost["status"], lost["amount_deducted"]) == ("lost", 50_000)
    assert stage.rz.balance == before - 50_000
    assert stage.fired() == ["payment.dispute.lost"]


@scenario("RH-86")
def test_dispute_is_contested() -> None:
    """Without an action it is a draft; submitted with a document it is under review, and only then is it told."""
    stage, _, dispute = _disputed()
    boundary = "b0undary"
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="'
    form = (
        f'{part}purpose"\r\n\r\ndispute_evidence\r\n'
        f'{part}file"; filename="proof.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--{boundary}--\r\n'
    )
    document = _upload(stage, form.encode("latin-1"), boundary)
    draft = _contest(stage, dispute, summary="goods delivered")
    silent = stage.fired()
    sent = _contest(stage, dispute, shipping_proof=[document], action="submit")

    assert (draft["status"], draft["evidence"]["submitted_at"], silent) == ("open", None, [])
    assert (sent["status"], sent["evidence"]["shipping_proof"]) == ("under_review", [document])
    assert sent["evidence"]["summary"] == "goods delivered"
    assert stage.fired() == ["payment.dispute.under_review"]


def _upload(stage: Stage, form: bytes, boundary: str) -> str:
    pair = b64encode(f"{stage.rz.key_id}:{stage.rz.key_secret}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "Content-Type": f"multipart/form-data; boundary={boundary}"}
    reply = stage.rz.handle(Request("POST", "/v1/documents", headers=headers, body=form))
    assert reply.status == 200, reply.body
    return str(reply.json()["id"])


@scenario("RH-87")
def test_deadline_is_over() -> None:
    """In the second after respond_by neither accept nor contest is allowed; after that it is lost by itself."""
    stage, _, dispute = _disputed(respond_within_s=3600)
    late = "Action not allowed as deadline to respond has elapsed"
    stage.rz.clock.advance(3600)
    stage.rz.clock.advance(0.999)
    open_still = stage.get(f"/disputes/{dispute}")["status"]
    stage.rz.clock.advance(0.001)

    assert open_still == "open"
    assert stage.fired() == ["payment.dispute.lost"]
    for method, path in (("POST", "accept"), ("PATCH", "contest")):
        assert stage.error(method, f"/disputes/{dispute}/{path}", {})["description"] == late


@pytest.mark.parametrize("status", ["won", "lost", "closed", "under_review"])
@scenario("RH-88")
def test_only_an_open_dispute_is_answered(status: str) -> None:
    """In every other status accept and contest are refused, and the status is named."""
    stage, _, dispute = _disputed(phase="fraud" if status == "closed" else "chargeback")
    if status in ("won", "under_review"):
        _contest(stage, dispute, action="submit")
    if status != "under_review":
        stage.rz.decide_dispute(dispute, status)
    stage.fired()

    for method, path in (("POST", "accept"), ("PATCH", "contest")):
        error = stage.error(method, f"/disputes/{dispute}/{path}", {})
        assert error["description"] == f"Action not allowed when dispute is in {status} status"
    assert stage.get(f"/disputes/{dispute}")["status"] == status


@scenario("RH-89", "RH-90")
def test_contest_is_refused() -> None:
    """An amount above the dispute's, an unknown action, another's document: each in the published words."""
    stage, _, dispute = _disputed()
    path = f"/disputes/{dispute}/contest"
    more = stage.error("PATCH", path, {"amount": 50_001})
    action = stage.error("PATCH", path, {"action": "shout"})
    foreign = stage.error("PATCH", path, {"shipping_proof": ["doc_00000000000000"], "action": "submit"})

    assert more["description"] == "contest amount cannot be greater than dispute amount"
    assert action["description"] == "The selected action is invalid"
    assert foreign["description"] == (
        "Invalid file id provided or merchant is unauthorized to access the fileId(s) provided"
    )
    assert stage.get(f"/disputes/{dispute}")["status"] == "open"


@scenario("RH-91")
def test_bank_wants_more() -> None:
    """Under review it is open again with a new date, and takes new evidence."""
    stage, _, dispute = _disputed()
    _contest(stage, dispute, action="submit")
    stage.rz.clock.advance(DAY_S)
    stage.rz.decide_dispute(dispute, "action_required")
    again = stage.get(f"/disputes/{dispute}")

    assert (again["status"], again["respond_by"]) == ("open", stage.rz.clock.unix() + 7 * DAY_S)
    assert _contest(stage, dispute, summary="more", action="submit")["status"] == "under_review"
    told = ["under_review", "action_required", "under_review"]
    assert stage.fired() == [f"payment.dispute.{name}" for name in told]


@scenario("RH-92")
def test_second_phase_and_events_out_of_order() -> None:
    """The chargeback is lost, pre-arbitration under another id is won, and the first loss is heard last."""
    stage, payment, first = _disputed()
    hook = stage.hook()
    stage.rz.clock.advance(1)
    stage.rz.faults.add("on EVENT payment.dispute.lost: late(600)")
    stage.rz.decide_dispute(first, "lost")
    second = stage.rz.dispute(payment, phase="pre_arbitration")["id"]
    _contest(stage, second, action="submit")
    stage.rz.decide_dispute(second, "won")
    stage.rz.clock.advance(601)

    told = [name.removeprefix("payment.dispute.") for name in hook.names if "dispute" in name]
    assert told == ["created", "created", "under_review", "won", "lost"]
    assert second != first
    rows = {row["id"]: (row["phase"], row["status"]) for row in stage.get("/disputes")["items"]}
    assert rows == {first: ("chargeback", "lost"), second: ("pre_arbitration", "won")}


# --- settlements


@scenario("SETL-01", "RH-98")
def test_settlement_is_scheduled() -> None:
    """Two working days later it is created and processed with a reference; the balance falls, the report lists it."""
    stage = Stage()
    payment = stage.captured(50_000)
    held = stage.rz.balance
    stage.rz.clock.advance(2 * DAY_S - 1)
    early = stage.get("/settlements")["count"]
    stage.rz.clock.advance(4 * 3600)
    (settlement,) = stage.get("/settlements")["items"]
    (row,) = stage.get("/settlements/recon/combined", year=2026, month="01")["items"]

    assert early == 0
    assert (settlement["status"], settlement["amount"], held) == ("processed", 50_000 - 1180, 50_000 - 1180)
    assert settlement["utr"].isalnum()
    assert stage.rz.balance == 0
    assert (row["entity_id"], row["settlement_id"], row["settled"]) == (payment, settlement["id"], True)
    assert row["settlement_utr"] == settlement["utr"]
    assert stage.fired() == ["settlement.processed"]


@scenario("SETL-?a")
def test_balance_is_too_low_to_settle() -> None:
    """Where refunds eat it all up, no settlement comes into being, by schedule or by hand."""
    stage = Stage()
    payment = stage.captured(50_000)
    stage.post(f"/payments/{payment}/refund", {})
    stage.rz.clock.advance(10 * DAY_S)

    assert stage.rz.balance == -1180
    assert stage.rz.settle() is None
    assert stage.get("/settlements")["count"] == 0
    assert "settlement.processed" not in stage.fired()


@scenario("SETL-?b")
def test_failed_settlement_arrives_later() -> None:
    """Failed is not final and tells nobody; processed does."""
    stage = Stage()
    stage.captured(50_000)
    settlement = stage.rz.settle("failed")
    assert settlement is not None
    path = f"/settlements/{settlement['id']}"
    failed, silent = stage.get(path), stage.fired()
    stage.rz.settlement_arrives(settlement["id"])

    assert (failed["status"], failed["utr"], silent) == ("failed", None, [])
    assert stage.get(path)["status"] == "processed"
    assert stage.get(path)["utr"]
    assert stage.fired() == ["settlement.processed"]


@scenario("RH-94", "RH-97")
def test_report_is_paged_and_adds_up() -> None:
    """Payments, a refund, a transfer and a dispute: credits less debits are what was settled, page by page."""
    stage = Stage()
    first = stage.captured(50_000)
    settled = stage.rz.settle()
    linked = account(stage)
    second, third = stage.captured(100_000), stage.captured(80_000)
    stage.post(f"/payments/{first}/refund", {"amount": 20_000})
    share = {"account": linked, "amount": 10_000, "currency": "INR"}
    stage.post(f"/payments/{second}/transfers", {"transfers": [share]})
    stage.post(f"/disputes/{stage.rz.dispute(third, 5000)['id']}/accept")
    net = stage.rz.settle()
    assert settled is not None
    assert net is not None

    rows, skip = [], 0
    while True:
        page = stage.get("/settlements/recon/combined", year=2026, month=1, count=4, skip=skip)["items"]
        rows += page
        skip += len(page)
        if len(page) < 4:
            break
    late = [row for row in rows if row["settlement_id"] == net["id"]]
    assert [row["entity_id"] for row in rows[:1]] == [first]
    assert sorted(row["type"] for row in late) == ["adjustment", "payment", "payment", "refund", "transfer"]
    debits = {row["type"]: row["debit"] for row in late}
    assert (debits["refund"], debits["adjustment"], debits["transfer"]) == (20_000, 5000, 10_030)
    fees = 2360 + 1888  # 2 % and GST on that, of the two payments
    assert net["amount"] == 180_000 - fees - 20_000 - 5000 - 10_030
    assert sum(row["credit"] - row["debit"] for row in late) == net["amount"]
    assert stage.fired() == [
        "refund.created",
        "transfer.processed",
        "payment.dispute.created",
        "payment.dispute.lost",
        "settlement.processed",
    ]


@pytest.mark.parametrize(
    ("asked", "description"),
    [
        ({"year": 26, "month": 1}, "The year must be 4 digits."),
        ({"year": 2026, "month": 13}, "The month is not a valid month."),
        ({"year": 2026, "month": 1, "day": 123}, "The day must be between 1 and 2 digits."),
        ({"year": 2026, "month": 1, "count": 0}, "The count must be at least 1."),
    ],
)
@scenario("RH-95")
def test_report_is_asked_for_wrongly(asked: dict[str, object], description: str) -> None:
    """Year, month, day and count out of bounds."""
    error = Stage().error("GET", "/settlements/recon/combined", query=asked)
    assert (error["code"], error["description"]) == ("BAD_REQUEST_ERROR", description)


@scenario("RH-96")
def test_time_is_before_the_millennium() -> None:
    """``from`` has bounds."""
    error = Stage().error("GET", "/settlements", query={"from": 946684799})
    assert error["description"].rstrip(".") == "from must be between 946684800 and 4765046400"


@scenario("RH-99")
def test_instant_settlement_of_half_a_rupee() -> None:
    """One rupee is the least."""
    stage = Stage()
    stage.captured(50_000)
    error = stage.error("POST", "/settlements/ondemand", {"amount": 50})

    assert error["description"] == "Minimum amount that can be settled is ₹ 1."
    assert stage.get("/settlements/ondemand")["count"] == 0


@scenario("RH-88")
def test_decided_dispute_is_not_decided_again() -> None:
    """The bank's word is final."""
    stage, _, dispute = _disputed()
    stage.rz.decide_dispute(dispute, "lost")
    with pytest.raises(ConfigError, match="lost"):
        stage.rz.decide_dispute(dispute, "won")

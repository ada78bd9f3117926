"""The emulator's money: fees, settlements, the recon report, instant settlements."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from razorpay_hardened.emulator import Emulator, Options
from razorpay_hardened.errors import ConfigError
from support.emulator_api import DAY_S, Api, account


@pytest.fixture
def api() -> Api:
    return Api(Emulator(in_process=True))


def test_the_published_example_balances(api: Api) -> None:
    """The official Route example: 97640 in, 90266 out, 7374 paise settled (FACTS section 14)."""
    share = {"account": account(api), "amount": 90_000, "currency": "INR"}
    payment = api.paid(transfers=[share])
    settlement = api.rz.settle()
    rows = {row["type"]: row for row in api.get("/settlements/recon/combined", year=2026, month=1)["items"]}

    assert settlement is not None
    assert (payment["fee"], payment["tax"]) == (2360, 360)
    assert (rows["payment"]["credit"], rows["payment"]["debit"]) == (97_640, 0)
    assert (rows["transfer"]["credit"], rows["transfer"]["debit"], rows["transfer"]["fee"]) == (0, 90_266, 266)
    assert (settlement["amount"], settlement["fees"], settlement["tax"]) == (7374, 0, 0)
    assert api.rz.balance == 0


def test_our_own_example_balances(api: Api) -> None:
    """Two payments, a part refund, a lost dispute: 116460 (FACTS section 14)."""
    first, second = api.paid(100_000), api.paid(50_000)
    api.post(f"/payments/{first['id']}/refund", {"amount": 20_000})
    dispute = api.rz.dispute(second["id"], 10_000)
    api.post(f"/disputes/{dispute['id']}/accept")
    settlement = api.rz.settle()
    rows = api.get("/settlements/recon/combined", year=2026, month=1)["items"]
    adjustment = next(row for row in rows if row["type"] == "adjustment")

    assert settlement is not None
    assert settlement["amount"] == 116_460
    assert (adjustment["debit"], adjustment["dispute_id"]) == (10_000, dispute["id"])
    assert {row["settlement_utr"] for row in rows} == {settlement["utr"]}


@pytest.mark.parametrize(
    ("paid_at", "settled_on"),
    [((2026, 1, 5), (2026, 1, 7)), ((2026, 1, 8), (2026, 1, 12)), ((2026, 1, 10), (2026, 1, 13))],
    ids=["Monday", "Thursday", "Saturday"],
)
def test_settled_two_working_days_later(paid_at: tuple[int, int, int], settled_on: tuple[int, int, int]) -> None:
    """T+2, and weekends do not count; nothing is settled before."""
    api = Api(Emulator(in_process=True, start=datetime(*paid_at, 6, tzinfo=UTC)))
    api.paid()
    due = datetime(*settled_on, 3, 30, tzinfo=UTC)
    api.rz.clock.advance((due - api.rz.clock.now()).total_seconds() - 1)
    assert api.get("/settlements")["items"] == []

    api.rz.clock.advance(1)
    created = api.get("/settlements")["items"][0]
    api.rz.clock.advance(120)
    processed = api.get(f"/settlements/{created['id']}")
    year, month, day = settled_on
    rows = api.get("/settlements/recon/combined", year=year, month=month, day=day)["items"]

    assert (created["status"], created["utr"], processed["status"]) == ("created", None, "processed")
    assert api.since()[-1] == "settlement.processed"
    assert [row["settlement_id"] for row in rows] == [created["id"]]
    assert api.get("/settlements/recon/combined", year=year, month=month, day=day + 1)["items"] == []


def test_debts_wait_for_better_days(api: Api) -> None:
    """A refund that nothing covers is not settled alone; the next payments pay it."""
    payment = api.paid()
    api.rz.settle()
    api.post(f"/payments/{payment['id']}/refund", {"amount": 100_000})
    assert api.rz.settle() is None
    assert api.rz.balance == -100_000

    api.paid(200_000)
    settlement = api.rz.settle()
    assert settlement is not None
    assert settlement["amount"] == 195_280 - 100_000


def test_a_failed_settlement_may_arrive_after_all(api: Api) -> None:
    """failed is not final, and only processed is announced and reported."""
    api.paid()
    settlement = api.rz.settle("failed")
    assert settlement is not None
    assert (settlement["status"], "settlement.processed" in api.since()) == ("failed", False)
    assert api.get("/settlements/recon/combined", year=2026, month=1)["items"] == []

    assert api.rz.settlement_arrives(settlement["id"])["status"] == "processed"
    assert api.since()[-1] == "settlement.processed"
    assert api.get("/settlements/recon/combined", year=2026, month=1)["count"] == 1
    assert api.rz.settlement_arrives(settlement["id"])["status"] == "processed"
    assert api.since().count("settlement.processed") == 1


def test_the_recon_report_is_paged(api: Api) -> None:
    """``count`` and ``skip`` page through the rows; there may be a thousand in one page."""
    for _ in range(5):
        api.paid()
    api.rz.settle()
    pages = [api.get("/settlements/recon/combined", year=2026, month=1, count=2, skip=skip) for skip in (0, 2, 4, 6)]

    assert [page["count"] for page in pages] == [2, 2, 1, 0]
    assert len({row["entity_id"] for page in pages for row in page["items"]}) == 5


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"month": 1}, "The year must be 4 digits."),
        ({"year": 26, "month": 1}, "The year must be 4 digits."),
        ({"year": 2026}, "The month is not a valid month."),
        ({"year": 2026, "month": 13}, "The month is not a valid month."),
        ({"year": 2026, "month": 1, "day": 123}, "The day must be between 1 and 2 digits."),
        ({"year": 2026, "month": 1, "count": 0}, "The count must be at least 1."),
        ({"year": 2026, "month": 1, "count": 1001}, "The count may not be greater than 1000."),
    ],
)
def test_refused_reports(api: Api, query: dict[str, int], text: str) -> None:
    """The published refusals."""
    assert api.refused("GET", "/settlements/recon/combined", **query) == text


def test_instant_settlement(api: Api) -> None:
    """The published sample: 200000 asked, 590 of it fees with 90 GST, 199410 settled after some two hours."""
    api.paid(300_000)
    instant = api.post("/settlements/ondemand", {"amount": 200_000, "notes": {"a": "b"}})
    assert (instant["status"], instant["fees"], instant["tax"], instant["amount_pending"]) == (
        "created",
        590,
        90,
        199_410,
    )

    api.rz.clock.advance(2)
    assert api.get(f"/settlements/ondemand/{instant['id']}")["status"] == "initiated"
    api.rz.clock.advance(3 * 3600)
    done = api.get(f"/settlements/ondemand/{instant['id']}", **{"expand[]": "ondemand_payouts"})
    payout = done["ondemand_payouts"]["items"][0]
    assert (done["status"], done["amount_settled"], done["amount_pending"]) == ("processed", 199_410, 0)
    assert (payout["status"], payout["amount_settled"], len(payout["utr"])) == ("processed", 199_410, 12)
    assert api.rz.balance == 300_000 - 7080 - 200_000
    full = api.post("/settlements/ondemand", {"amount": 1, "settle_full_balance": True})
    assert (full["amount_requested"], api.rz.balance) == (92_920, 0)


def test_refused_instant_settlements(api: Api) -> None:
    """Below one rupee the text is published; beyond the balance something is refused; nothing moves."""
    assert api.refused("POST", "/settlements/ondemand", {"amount": 99}) == "Minimum amount that can be settled is ₹ 1."
    assert "exceeds" in api.refused("POST", "/settlements/ondemand", {"amount": 100})
    assert list(api.rz.world.books.rows()) == []


def test_rates_are_settings() -> None:
    """The account's rates decide; bank transfers have their own; foreign cards count as international."""
    rates = (("*", 100), ("international", 300), ("wallet", 0))
    api = Api(Emulator(in_process=True, options=Options(fee_basis_points=rates)))
    foreign = api.post("/orders", {"amount": 10_000, "currency": "INR"})

    assert [api.paid(10_000, method)["fee"] for method in ("upi", "wallet")] == [118, 0]
    assert api.rz.pay(foreign["id"], card="5555 5555 5555 4444")["fee"] == 354


def test_foreign_money_settles_in_rupees() -> None:
    """A payment in dollars carries its value in INR, and the books have that."""
    api = Api(Emulator(in_process=True, options=Options(paise_per_foreign_subunit=90)))
    order = api.post("/orders", {"amount": 1000, "currency": "USD"})
    payment = api.rz.pay(order["id"], card="5555 5555 5555 4444")

    assert (payment["base_amount"], payment["base_currency"], payment["fee"]) == (90_000, "INR", 2124)
    assert api.rz.balance == 87_876


def test_settlements_can_be_left_to_the_test() -> None:
    """With ``auto_settle`` off nothing is settled unless :meth:`settle` is called, whose outcomes are two."""
    api = Api(Emulator(in_process=True, options=Options(auto_settle=False)))
    api.paid()
    api.rz.clock.advance(30 * DAY_S)
    assert api.get("/settlements")["count"] == 0
    with pytest.raises(ConfigError, match="processed or failed"):
        api.rz.settle("lost")


def test_refunds_and_the_balance() -> None:
    """A failed refund gives its money back to the balance; with the setting, one beyond the balance is refused."""
    api = Api(Emulator(in_process=True, options=Options(refunds_need_balance=True)))
    payment = api.paid()
    api.rz.settle()
    text = "Your account does not have enough balance to carry out the refund operation."
    assert api.refused("POST", f"/payments/{payment['id']}/refund", {"amount": 100}) == text

    api.paid()
    refund = api.post(f"/payments/{payment['id']}/refund", {"amount": 50_000})
    before = api.rz.balance
    api.rz.settle_refund(refund["id"], "failed")
    assert api.rz.balance - before == 50_000
    assert api.get(f"/payments/{payment['id']}")["amount_refunded"] == 0


def test_an_uncaptured_payment_moves_no_money(api: Api) -> None:
    """What was never captured never came in: neither it nor its refund is in the books."""
    order = api.post("/orders", {"amount": 5000, "currency": "INR", "payment_capture": 0})
    api.rz.pay(order["id"])
    api.rz.clock.advance(6 * DAY_S)

    assert api.since()[-1] == "refund.processed"
    assert list(api.rz.world.books.rows()) == []

"""Money that comes to the emulated account without Checkout: QR codes, virtual accounts, cash; and what leaves it."""

from __future__ import annotations

from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator, Options
from razorpay_hardened.errors import ConfigError
from support.emulator_api import DAY_S, Api, account

QR = {"type": "upi_qr", "usage": "multiple_use", "name": "Store_1"}


@pytest.fixture
def api() -> Api:
    return Api(Emulator(in_process=True))


def qr_code(api: Api, **more: Any) -> Any:
    return api.post("/payments/qr_codes", {**QR, **more})


def virtual_account(api: Api, *types: str, **more: Any) -> str:
    return str(api.post("/virtual_accounts", {"receivers": {"types": list(types)}, **more})["id"])


# --- QR codes ---------------------------------------------------------------------------------------------------


def test_a_qr_code_counts(api: Api) -> None:
    """Each payment is captured at once, announced with its code, and counted."""
    qr = qr_code(api)
    payment = api.rz.credit_qr(qr["id"], 500)
    api.rz.credit_qr(qr["id"], 300)
    now = api.get(f"/payments/qr_codes/{qr['id']}")

    assert (payment["status"], payment["order_id"], payment["method"]) == ("captured", None, "upi")
    assert (now["status"], now["payments_amount_received"], now["payments_count_received"]) == ("active", 800, 2)
    assert api.since()[:4] == ["qr_code.created", "payment.authorized", "payment.captured", "qr_code.credited"]
    assert api.rz.balance == 800 - 12 - 7


def test_a_single_use_code(api: Api) -> None:
    """One payment of its amount closes it."""
    qr = qr_code(api, usage="single_use", fixed_amount=True, payment_amount=300)
    with pytest.raises(ConfigError, match="takes 300"):
        api.rz.credit_qr(qr["id"], 301)
    api.rz.credit_qr(qr["id"])
    closed = api.get(f"/payments/qr_codes/{qr['id']}")

    assert (closed["status"], closed["close_reason"]) == ("closed", "paid")
    assert api.since()[-2:] == ["qr_code.credited", "qr_code.closed"]
    with pytest.raises(ConfigError, match="closed"):
        api.rz.credit_qr(qr["id"])


def test_codes_close(api: Api) -> None:
    """By hand, or when their time is up; never twice."""
    by_hand, by_time = qr_code(api), qr_code(api, close_by=api.rz.clock.unix() + DAY_S)
    assert api.send("POST", f"/payments/qr_codes/{by_hand['id']}/close")["close_reason"] == "on_demand"
    api.rz.clock.advance(DAY_S)
    late = api.get(f"/payments/qr_codes/{by_time['id']}")
    assert (late["status"], late["close_reason"]) == ("closed", None)
    assert "already closed" in api.refused("POST", f"/payments/qr_codes/{by_time['id']}/close")
    assert api.since().count("qr_code.closed") == 2


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"type": "barcode"}, "The selected type is invalid"),
        ({"usage": None}, "The usage field is required"),
        ({"fixed_amount": True}, "The payment_amount field is required"),
        ({"fixed_amount": True, "payment_amount": 0}, "The payment amount must be at least 1."),
        ({"ajshdas": 1}, "ajshdas is/are not required and should not be sent"),
        ({"close_by": 1}, "close_by must be between 946684800 and 4765046400"),
    ],
)
def test_refused_codes(api: Api, body: Any, text: str) -> None:
    """The published refusals."""
    assert api.refused("POST", "/payments/qr_codes", {**QR, **body}) == text


# --- virtual accounts -------------------------------------------------------------------------------------------


def test_a_bank_transfer(api: Api) -> None:
    """Captured at once, with the bank's reference, at the rate of bank transfers."""
    va = virtual_account(api, "bank_account")
    payment = api.rz.credit_virtual_account(va, 61_900)
    details = api.get(f"/payments/{payment['id']}/bank_transfer")

    assert (payment["method"], payment["status"], payment["fee"]) == ("bank_transfer", "captured", 730)
    assert (details["payment_id"], details["virtual_account"]["amount_paid"]) == (payment["id"], 61_900)
    assert api.since()[-1] == "virtual_account.credited"
    assert api.refused("GET", f"/payments/{payment['id']}/upi_transfer") == "The id provided does not exist"
    with pytest.raises(ConfigError, match="no receiver"):
        api.rz.credit_virtual_account(va, 100, "upi")


def test_money_for_a_closed_account_goes_back(api: Api) -> None:
    """It is refunded at once and never captured."""
    va = virtual_account(api, "vpa")
    api.post(f"/virtual_accounts/{va}/close")
    payment = api.rz.credit_virtual_account(va, 5000, "upi")

    assert (payment["status"], payment["captured"]) == ("refunded", False)
    assert api.since()[-2:] == ["payment.authorized", "refund.created"]
    assert api.rz.balance == 0
    assert api.refused("POST", f"/virtual_accounts/{va}/close") == "The Customer Identifier is closed"


def test_it_closes_when_all_is_paid_or_time_is_up(api: Api) -> None:
    """An expected amount that came, or ``close_by``."""
    paid = virtual_account(api, "bank_account", amount_expected=5000)
    timed = virtual_account(api, "bank_account", close_by=api.rz.clock.unix() + DAY_S)
    api.rz.credit_virtual_account(paid, 2000)
    assert api.get(f"/virtual_accounts/{paid}")["status"] == "active"
    api.rz.credit_virtual_account(paid, 3000)
    assert api.get(f"/virtual_accounts/{paid}")["status"] == "closed"
    api.rz.clock.advance(DAY_S)
    assert api.get(f"/virtual_accounts/{timed}")["closed_at"] == api.rz.clock.unix()


def test_a_virtual_account_is_given_more_time(api: Api) -> None:
    """``close_by``, description and notes change while it is active; what was planned before does not close it."""
    start = api.rz.clock.unix()
    va = virtual_account(api, "bank_account", close_by=start + DAY_S)
    path, more = f"/virtual_accounts/{va}", {"description": "rent", "notes": {"flat": "105"}}
    changed = api.patch(path, {"close_by": start + 2 * DAY_S, **more})

    assert {name: changed[name] for name in more} == more
    assert api.refused("PATCH", path, {"close_by": start + 60}).startswith("close by date should be atleast 15 min")
    api.rz.clock.advance(DAY_S)
    assert api.get(path) == changed
    api.rz.clock.advance(DAY_S)
    assert api.get(path)["status"] == "closed"
    assert api.refused("PATCH", path, more) == "Customer Identifier cannot be updated"


def test_allowed_payers(api: Api) -> None:
    """Only their money is kept; there are at most ten, none twice."""
    mine = {"type": "bank_account", "bank_account": {"ifsc": "KKBK0000007", "account_number": "765432123456789"}}
    va = virtual_account(api, "bank_account", allowed_payers=[mine])
    assert api.rz.credit_virtual_account(va, 500)["status"] == "captured"
    assert api.rz.credit_virtual_account(va, 500, account_number="1")["status"] == "refunded"

    path = f"/virtual_accounts/{va}/allowed_payers"
    assert api.refused("POST", path, mine) == "Payer detail already exist for virtual account."
    short = {"type": "bank_account", "bank_account": {"ifsc": "K", "account_number": "1"}}
    assert api.refused("POST", path, short) == "The ifsc must be 11 characters."
    for nth in range(9):
        api.post(path, {**mine, "bank_account": {**mine["bank_account"], "account_number": f"{nth}"}})  # type: ignore[dict-item]
    extra = {**mine, "bank_account": {"ifsc": "KKBK0000007", "account_number": "99"}}
    assert api.refused("POST", path, extra) == "Only 10 allowed payer accounts can be added"


def test_refused_virtual_accounts(api: Api) -> None:
    """The published refusals."""
    assert api.refused("POST", "/virtual_accounts", {}) == "Receivers field is required"
    body = {"receivers": {"types": ["vpa"], "vpa": {"descriptor": "gaurav"}}}
    api.post("/virtual_accounts", body)
    text = "An active Customer Identifier with the same descriptor already exists for your account."
    assert api.refused("POST", "/virtual_accounts", body) == text


# --- transfers --------------------------------------------------------------------------------------------------


def test_transfers_of_an_order(api: Api) -> None:
    """Made with the order, processed when it is paid, and shown with it."""
    share = {"account": account(api), "amount": 30_000, "currency": "INR"}
    order = api.post("/orders", {"amount": 100_000, "currency": "INR", "transfers": [share]})
    assert [one["status"] for one in order["transfers"]] == ["created"]
    payment = api.rz.pay(order["id"])
    after = api.get(f"/orders/{order['id']}", **{"expand[]": "transfers"})["transfers"]["items"][0]

    assert (after["status"], after["settlement_status"], after["source"]) == ("processed", "pending", order["id"])
    assert api.since()[-1] == "transfer.processed"
    assert api.get(f"/payments/{payment['id']}")["amount_transferred"] == 30_000
    assert api.get(f"/payments/{payment['id']}/transfers")["count"] == 1


def test_transfers_fail_without_money(api: Api) -> None:
    """An order's transfer fails later with its reason; the others are refused at once."""
    share = {"account": account(api), "amount": 100_000, "currency": "INR"}
    order = api.post("/orders", {"amount": 100_000, "currency": "INR", "transfers": [share]})
    api.rz.pay(order["id"])  # less its fee it does not cover all of it
    failed = api.get(f"/orders/{order['id']}", **{"expand[]": "transfers"})["transfers"]["items"][0]

    assert (failed["status"], failed["error"]["reason"]) == ("failed", "insufficient_balance")
    assert api.since()[-1] == "transfer.failed"
    assert api.refused("POST", "/transfers", share) == "Transfer cannot be made due to insufficient balance"


def test_reversals(api: Api) -> None:
    """Part by part, never more than was transferred; a refund can bring everything back."""
    payment = api.paid()
    shares = [{"account": account(api), "amount": 40_000, "currency": "INR"}]
    transfer = api.post(f"/payments/{payment['id']}/transfers", {"transfers": shares})["items"][0]
    before = api.rz.balance
    part = api.post(f"/transfers/{transfer['id']}/reversals", {"amount": 10_000})
    assert api.get(f"/transfers/{transfer['id']}")["status"] == "partially_reversed"
    text = "The linked account does not have sufficient balance to process reversal."
    assert api.refused("POST", f"/transfers/{transfer['id']}/reversals", {"amount": 30_001}) == text
    assert (part["amount"], api.rz.balance - before) == (10_000, 10_000)

    refund = api.post(f"/payments/{payment['id']}/refund", {"reverse_all": True})
    reversals = api.get(f"/transfers/{transfer['id']}/reversals")["items"]
    assert api.get(f"/transfers/{transfer['id']}")["status"] == "reversed"
    assert [one["customer_refund_id"] for one in reversals] == [refund["id"], None]
    assert api.get(f"/payments/{payment['id']}")["amount_transferred"] == 0


def test_a_direct_transfer_once_per_key(api: Api) -> None:
    """The same key and body is the same transfer; another body is 409."""
    api.paid()
    share = {"account": account(api), "amount": 5000, "currency": "INR"}
    key = {"X-Transfer-Idempotency": "key 1"}
    first, again = (api.rz.request("POST", "/v1/transfers", share, headers=key).json() for _ in range(2))
    other = api.rz.request("POST", "/v1/transfers", {**share, "amount": 6000}, headers=key)
    bad = api.rz.request("POST", "/v1/transfers", share, headers={"X-Transfer-Idempotency": "k"})

    assert first == again
    assert (other.status, bad.status) == (409, 400)
    assert api.get("/transfers")["count"] == 1


def test_refused_transfers(api: Api) -> None:
    """The published refusals."""
    payment = api.paid()
    share = {"account": account(api), "amount": 5000, "currency": "INR"}
    path = f"/payments/{payment['id']}/transfers"
    for change, text in (
        ({"amount": 99}, "The transfers.0.amount must be at least 100."),
        ({"currency": "USD"}, "The currency should be INR for transfers"),
        ({"amount": 100_001}, "The sum of amount requested for transfer is greater than the captured amount"),
        ({"amount": 98_000}, "Transfer cannot be made due to insufficient balance"),
        ({"linked_account_notes": ["x"]}, "Keys sent in linked_account_notes must exist in notes"),
        ({"account": "acc_00000000000000"}, "The id provided does not exist"),
    ):
        assert api.refused("POST", path, {"transfers": [{**share, **change}]}) == text
    order = {"amount": 10_000, "currency": "INR", "transfers": [share], "partial_payment": True}
    assert "partial payment" in api.refused("POST", "/orders", order)
    assert api.refused("GET", "/v2/accounts/acc_00000000000000") == "Linked account does not exist"


# --- payments of every method -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "shown"),
    [
        ("netbanking", {"bank": "HDFC"}),
        ("wallet", {"wallet": "payzapp"}),
        ("paylater", {"wallet": "lazypay"}),
        ("cardless_emi", {"wallet": "zestmoney"}),
        ("nach", {"bank": "UTIB"}),
        ("emandate", {"bank": "HDFC"}),
        ("app", {"wallet": "cred"}),
        ("bank_transfer", {"bank": None}),
        ("emi", {"emi": {"issuer": "HDFC", "rate": 1300, "duration": 6}}),
    ],
)
def test_methods_have_their_shapes(api: Api, method: str, shown: dict[str, Any]) -> None:
    """Each method is captured like any other and shows its own fields."""
    payment = api.paid(method=method)
    assert (payment["status"], payment["method"]) == ("captured", method)
    assert {key: payment[key] for key in shown} == shown


def test_cash_on_delivery(api: Api) -> None:
    """pending until the courier was paid, then captured and the order paid."""
    payment = api.paid(method="cod")
    assert (payment["status"], api.since()) == ("pending", ["payment.pending"])
    assert api.rz.collect_cash(payment["id"])["status"] == "captured"
    assert api.since()[1:] == ["payment.captured", "order.paid"]
    with pytest.raises(ConfigError, match="pending"):
        api.rz.collect_cash(payment["id"])


def test_the_bank_is_asked_for_three_days(api: Api) -> None:
    """A yes in time is a late authorisation, here given back as nobody captured in time; a later yes is never heard."""
    order = api.post("/orders", {"amount": 5000, "currency": "INR"})
    heard = api.rz.pay(order["id"], outcome="late", late_after_s=3 * DAY_S, concurrent=True)["id"]
    unheard = api.rz.pay(order["id"], outcome="late", late_after_s=3 * DAY_S + 1, concurrent=True)["id"]
    api.rz.clock.advance(3 * DAY_S + 601)
    statuses = [api.get(f"/payments/{payment}")["status"] for payment in (heard, unheard)]
    assert statuses == ["refunded", "failed"]
    assert api.since().count("payment.authorized") == 1


def test_account_settings() -> None:
    """One attempt per order where the account has it so; what three decimals do is a setting."""
    api = Api(Emulator(in_process=True, options=Options(attempts_per_order=1, three_decimals="refuse")))
    order = api.post("/orders", {"amount": 5000, "currency": "INR"})["id"]
    api.rz.pay(order, outcome="failed")
    with pytest.raises(Exception, match="no further payment"):
        api.rz.pay(order)
    assert "must end in 0" in api.refused("POST", "/orders", {"amount": 295_991, "currency": "KWD"})
    rounding = Api(Emulator(in_process=True, options=Options(three_decimals="round")))
    assert rounding.post("/orders", {"amount": 295_991, "currency": "KWD"})["amount"] == 295_990

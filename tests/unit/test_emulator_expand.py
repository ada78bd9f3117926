"""``expand[]``: each documented value adds what it says, any other is refused with the list of those."""

from __future__ import annotations

from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator
from support.emulator_api import Api, account


@pytest.fixture
def api() -> Api:
    return Api(Emulator(in_process=True))


def expanded(api: Api, path: str, *values: str, **query: Any) -> Any:
    return api.get(path, **{"expand[]": list(values)}, **query)


LISTS = {
    "/orders": "payments, payments.card, transfers, virtual_account",
    "/payments": "card, emi, transaction, refunds, offers, token, transaction.settlement",
    "/disputes": "payment, transaction.settlement",
    "/transfers": "recipient_settlement",
    "/settlements/ondemand": "ondemand_payouts",
    "/virtual_accounts": "vpas",
}


@pytest.mark.parametrize(("path", "values"), LISTS.items(), ids=LISTS)
def test_an_unknown_value_is_refused_with_the_known_ones(api: Api, path: str, values: str) -> None:
    """One wrong value among right ones is enough; each known value is taken."""
    first = values.split(", ")[0]
    refused = api.refused("GET", path, **{"expand[]": [first, "nope"]})

    assert refused == f"Value of each expand must be one of following types: {values}"
    for value in values.split(", "):
        expanded(api, path, value)


def test_a_payment_shows_what_is_asked_for(api: Api) -> None:
    """Card, plan, offers, refunds and token: one by one or together; without a wish none of them."""
    emi = api.paid(method="emi")["id"]
    api.post(f"/payments/{emi}/refund", {"amount": 100})
    plain, full = api.get(f"/payments/{emi}"), expanded(api, f"/payments/{emi}", "card", "emi", "offers", "refunds")

    assert set(full) - set(plain) == {"card", "emi", "offers", "refunds"}
    assert (full["emi"]["duration"], full["card"]["id"]) == (6, full["card_id"])
    assert (full["refunds"]["count"], full["offers"]["count"]) == (1, 0)
    assert set(expanded(api, f"/payments/{emi}", "card")) - set(plain) == {"card"}
    customer = api.post("/customers", {"name": "Gaurav Kumar", "contact": "9123456780"})["id"]
    token = api.rz.save_token(customer)["id"]
    order = api.post("/orders", {"amount": 5000, "currency": "INR"})["id"]
    said = {"amount": 5000, "currency": "INR", "order_id": order, "customer_id": customer, "token": token}
    charged = api.post("/payments/create/recurring", {**said, "recurring": True})["razorpay_payment_id"]
    assert expanded(api, f"/payments/{charged}", "token")["token"]["id"] == token


def test_a_payment_and_a_dispute_name_their_settlement(api: Api) -> None:
    """``transaction`` is null until the money is settled; then it has the settlement, if that was asked for."""
    payment = api.paid(method="card")["id"]
    lost = api.rz.dispute(payment, 500)["id"]
    wanted = "transaction.settlement"
    before = [expanded(api, path, wanted)["transaction"] for path in (f"/payments/{payment}", f"/disputes/{lost}")]
    api.rz.decide_dispute(lost, "lost")
    settlement = api.rz.settle()
    assert settlement is not None

    assert before == [None, None]
    for path in (f"/payments/{payment}", f"/disputes/{lost}"):
        assert expanded(api, path, wanted)["transaction"] == {"settlement": api.get(f"/settlements/{settlement['id']}")}
    assert expanded(api, f"/payments/{payment}", "transaction")["transaction"] is None
    assert "transaction" not in api.get(f"/payments/{payment}")
    for path in ("/payments", "/disputes"):
        (row,) = expanded(api, path, wanted)["items"]
        assert row["transaction"]["settlement"]["id"] == settlement["id"]
    assert expanded(api, f"/disputes/{lost}", "payment")["payment"]["id"] == payment


def test_an_order_shows_payments_cards_and_transfers(api: Api) -> None:
    """With their cards only if asked for; transfers can be narrowed to a status."""
    share = {"account": account(api), "amount": 1000, "currency": "INR"}
    order = api.paid(method="card", transfers=[share, share])["order_id"]
    path = f"/orders/{order}"

    (plain,) = expanded(api, path, "payments")["payments"]["items"]
    (full,) = expanded(api, path, "payments.card")["payments"]["items"]
    assert set(full) - set(plain) == {"card"}
    assert expanded(api, path, "transfers")["transfers"]["count"] == 2
    assert expanded(api, path, "transfers", status="processed")["transfers"]["count"] == 2
    assert expanded(api, path, "transfers", status="failed")["transfers"]["count"] == 0
    transfer = expanded(api, "/transfers", "recipient_settlement")["items"][0]
    assert (transfer["recipient_settlement"], transfer["recipient_settlement_id"]) == (None, None)
    assert set(expanded(api, path, "virtual_account")) == set(api.get(path))  # no order has one here

"""The emulator's mandates: orders that register one, tokens that are charged, and what is shown on request."""

from __future__ import annotations

from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ConfigError
from support.emulator_api import Api


@pytest.fixture
def api() -> Api:
    return Api(Emulator(in_process=True))


def customer(api: Api) -> str:
    return str(api.post("/customers", {"name": "Gaurav Kumar", "contact": "9123456780"})["id"])


def charge(api: Api, who: str, token: str, **changes: Any) -> dict[str, Any]:
    order = api.post("/orders", {"amount": 5000, "currency": "INR"})["id"]
    said = {"amount": 5000, "currency": "INR", "order_id": order, "customer_id": who, "token": token, "recurring": True}
    return {**said, **changes}


def test_an_order_registers_a_mandate(api: Api) -> None:
    """It may be over nothing; when it is paid, the payment carries the token that can be charged."""
    who = customer(api)
    terms = {"max_amount": 9_999_900, "expire_at": 4_102_444_799}
    body = {"amount": 0, "currency": "INR", "method": "emandate", "customer_id": who, "token": terms}
    order = api.post("/orders", body)
    payment = api.rz.pay(order["id"], "emandate")
    shown = api.get(f"/payments/{payment['id']}", **{"expand[]": "token"})

    assert (order["token"], order["customer_id"], order["amount"]) == (terms, who, 0)
    assert (shown["customer_id"], shown["token_id"]) == (who, shown["token"]["id"])
    assert api.get(f"/customers/{who}/tokens")["count"] == 1
    assert api.since() == ["payment.authorized", "payment.captured", "order.paid", "token.confirmed"]
    charged = api.post("/payments/create/recurring", charge(api, who, shown["token_id"]))
    assert api.get(f"/payments/{charged['razorpay_payment_id']}")["status"] == "captured"


def test_only_mandates_are_for_nothing(api: Api) -> None:
    """A card order over zero is refused, and a token without a customer."""
    text = "Order amount less than minimum amount allowed"
    assert api.refused("POST", "/orders", {"amount": 0, "currency": "INR", "method": "card"}) == text
    body = {"amount": 100, "currency": "INR", "token": {"max_amount": 5000}}
    assert "customer_id" in api.refused("POST", "/orders", body)


def test_an_order_for_one_bank_account(api: Api) -> None:
    """Third-party validation: the account is shown again, and has to be whole."""
    bank = {"account_number": "123456789012345", "name": "Gaurav Kumar", "ifsc": "HDFC0000053"}
    body = {"amount": 500, "currency": "INR", "method": "netbanking", "bank_account": bank}
    assert api.post("/orders", body)["bank_account"] == bank
    assert api.refused("POST", "/orders", {**body, "bank_account": {"name": "x"}}) == (
        "The account_number field is required"
    )


def test_refused_charges(api: Api) -> None:
    """A token that is not confirmed, or somebody else's, is not charged; nor another amount, nor a paid order."""
    who, other = customer(api), api.post("/customers", {"contact": "9123456781"})["id"]
    token = api.rz.save_token(who)["id"]
    path = "/payments/create/recurring"
    assert api.refused("POST", path, charge(api, other, token)) == "The id provided does not exist"
    assert "not that of the order" in api.refused("POST", path, charge(api, who, token, amount=100))
    paid = charge(api, who, token)
    api.post(path, paid)
    assert "already paid" in api.refused("POST", path, paid)
    api.rz.token_becomes(token, "paused")
    assert "not confirmed" in api.refused("POST", path, charge(api, who, token))
    api.rz.token_becomes(token, "confirmed")
    api.post(path, charge(api, who, token))
    with pytest.raises(ConfigError, match="a mandate becomes"):
        api.rz.token_becomes(token, "lost")


def test_emi_and_offers_on_request(api: Api) -> None:
    """The plan of an EMI payment is only shown when asked for; there are no offers."""
    payment = api.paid(method="emi")["id"]
    assert "emi" not in api.get(f"/payments/{payment}")
    shown = api.get(f"/payments/{payment}", **{"expand[]": ["emi", "offers", "card"]})
    assert shown["emi"] == {"issuer": "HDFC", "rate": 1300, "duration": 6}
    assert (shown["offers"]["count"], shown["card"]["emi"]) == (0, False)

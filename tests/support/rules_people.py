"""Rows for the writes of customers, tokens, fund accounts, registration links, devices and payments by a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from razorpay_hardened.client import Client
from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._values import Operation
from razorpay_hardened.domain.money import Money
from razorpay_hardened.emulator import Emulator
from support.people import ACCOUNT_NUMBER, CARD
from support.rules import INR, Row, order, payment
from support.rules_money import linked

__all__ = ["PERSON", "ROWS", "card_payment", "customer", "mandated", "network_token"]

PERSON = {"email": "asha@example.in", "contact": "9123456780"}
AGREED = {"provider": "razorpay", "provider_reference_id": "pay_123wkejnsakd"}
NOBODY = {"email": "nobody@example.in", "contact": "9123456789"}
_SHOWN = {"name": "Acme Corp", "amount": INR, "description": "At the counter", "type": "in_person", "method": "upi"}
_BANK = {"name": "Asha", "ifsc": "HDFC0000053", "account_number": ACCOUNT_NUMBER}


def _made(rz: Emulator, path: str, body: dict[str, Any], field: str = "id") -> str:
    """The id of what a call without the client made."""
    reply = rz.request("POST", f"/v1/{path}", body)
    assert reply.status == 200, reply.body
    return str(reply.json()[field])


def customer(rz: Emulator) -> str:
    return _made(rz, "customers", {"name": "Asha Rao", **PERSON})


def _with_bank(rz: Emulator) -> tuple[str, str]:
    """A customer, and a bank account of theirs."""
    who = customer(rz)
    body = {"account_number": ACCOUNT_NUMBER, "ifsc_code": "HDFC0000053", "beneficiary_name": "Asha"}
    return who, _made(rz, f"customers/{who}/bank_account", body)


def mandated(rz: Emulator) -> tuple[str, str]:
    """A customer, and the token by which they can be charged."""
    who = customer(rz)
    terms = {"max_amount": 9_999_900, "expire_at": 4_102_444_799}
    body = {"amount": 0, "currency": "INR", "method": "emandate", "customer_id": who, "token": terms}
    rz.pay(_made(rz, "orders", body), "emandate")
    [token] = rz.request("GET", f"/v1/customers/{who}/tokens").json()["items"]
    return who, str(token["id"])


def _to_charge(rz: Emulator) -> tuple[str, str, str]:
    """An order, the customer to be charged for it, and their token."""
    return (order(rz), *mandated(rz))


def network_token(rz: Emulator) -> str:
    return _made(rz, "tokens", {"method": "card", "card": {**CARD, "expiry_month": "11"}, "authentication": AGREED})


def _provided(rz: Emulator) -> str:
    """The network's own id of such a token."""
    token = rz.world.table("token")[network_token(rz)]
    return str(token["service_provider_tokens"][0]["id"])


def card_payment(rz: Emulator) -> str:
    """A card payment by a server, which waits for its customer."""
    body = {"amount": 49900, "currency": "INR", "order_id": order(rz), **PERSON, "method": "card", "card": CARD}
    return _made(rz, "payments/create/json", body, "razorpay_payment_id")


def _to_share(rz: Emulator) -> tuple[str, str]:
    """A captured payment, and a linked account."""
    return payment(rz), linked(rz)


def _counted(kind: str) -> Callable[[Emulator, Any], int]:
    """How many entities of the kind there are."""
    return lambda rz, _: len(rz.world.table(kind))


def _minted(prefix: str) -> Callable[[Emulator, Any], int]:
    """How many of something that is no entity: passwords, checks, cryptograms."""
    return lambda rz, _: sum(nth for (name, *_), (nth, _) in rz.world.minted.items() if name == prefix)


def _gone(kind: str) -> Callable[[Emulator, Any], int]:
    return lambda rz, made: int((made[-1] if isinstance(made, tuple) else made) not in rz.world.table(kind))


def _payments(rz: Emulator, made: Any) -> int:
    """Those of the order."""
    return len(rz.world.order_payments[made[0] if isinstance(made, tuple) else made])


def _creation(
    operation: Operation, kind: str, act: Callable[[Client, Any], Any], arrange: Callable[[Emulator], Any] | None = None
) -> Row:
    return Row(operation, arrange or (lambda rz: None), act, _counted(kind))


ROWS: list[Row] = [
    Row(
        op.ORDER_FULFILMENT,
        order,
        lambda client, made: client.orders.edit_fulfillment(made, shipping={"waybill": "9", "status": "rto"}),
        lambda rz, made: len(rz.world.private[made].get("fulfillment", ())) // 2,
    ),
    Row(
        op.PAYMENT_TRANSFER,
        _to_share,
        lambda client, made: client.payments.transfer(made[0], [{"account": made[1], "amount": Money(500)}]),
        _counted("transfer"),
    ),
    Row(
        op.PAYMENT_CREATE,
        order,
        lambda client, made: client.payments.create_json(
            amount=INR, order_id=made, **PERSON, method="card", card=CARD, ip="127.0.0.1", notes={"shop": "7"}
        ),
        _payments,
    ),
    Row(
        op.PAYMENT_CREATE_UPI,
        order,
        lambda client, made: client.payments.create_upi(
            amount=INR, order_id=made, **PERSON, upi={"flow": "collect", "vpa": "asha@okaxis"}
        ),
        _payments,
    ),
    Row(
        op.PAYMENT_CREATE_RECURRING,
        _to_charge,
        lambda client, made: client.payments.create_recurring(
            amount=INR, order_id=made[0], customer_id=made[1], token=made[2], **PERSON
        ),
        _payments,
    ),
    Row(
        op.PAYMENT_OTP_GENERATE,
        card_payment,
        lambda client, made: client.payments.otp_generate(made),
        _minted("otp"),
    ),
    Row(
        op.PAYMENT_OTP_RESEND,
        card_payment,
        lambda client, made: client.payments.otp_resend(made),
        _minted("otp"),
    ),
    Row(
        op.PAYMENT_OTP_SUBMIT,
        card_payment,
        lambda client, made: client.payments.otp_submit(made, "754081"),
        lambda rz, made: int(rz.world.payments[made]["status"] == "captured"),
    ),
    _creation(
        op.CUSTOMER_CREATE,
        "customer",
        lambda client, _: client.customers.create(name="Asha Rao", **PERSON, notes={"shop": "7"}),
    ),
    _creation(
        op.CUSTOMER_ENSURE,
        "customer",
        lambda client, _: client.customers.create(name="Asha Rao", **PERSON, fail_existing=False),
    ),
    Row(
        op.CUSTOMER_EDIT,
        customer,
        lambda client, made: client.customers.edit(made, **NOBODY),
        lambda rz, made: int(rz.world.table("customer")[made].items() >= NOBODY.items()),
    ),
    _creation(
        op.CUSTOMER_BANK_ADD,
        "bank_account",
        lambda client, made: client.customers.add_bank_account(
            made, account_number=ACCOUNT_NUMBER, ifsc_code="HDFC0000053", beneficiary_name="Asha"
        ),
        customer,
    ),
    Row(
        op.CUSTOMER_BANK_DELETE,
        _with_bank,
        lambda client, made: client.customers.delete_bank_account(*made),
        _gone("bank_account"),
    ),
    Row(
        op.CUSTOMER_ELIGIBILITY_CHECK,
        customer,
        lambda client, made: client.customers.check_eligibility(
            amount=INR, customer={"id": made, "contact": "9123456780"}, instruments=[{"method": "paylater"}]
        ),
        _minted("elig"),
    ),
    _creation(
        op.FUND_ACCOUNT_CREATE,
        "fund_account",
        lambda client, made: client.fund_accounts.create(made, bank_account=_BANK),
        customer,
    ),
    _creation(
        op.TOKEN_CREATE,
        "token",
        lambda client, made: client.tokens.create(customer_id=made, card=CARD, authentication=AGREED),
        customer,
    ),
    Row(op.TOKEN_DELETE, mandated, lambda client, made: client.tokens.delete(*made), _gone("token")),
    Row(
        op.TOKEN_CANCEL,
        mandated,
        lambda client, made: client.tokens.cancel(*made),
        lambda rz, made: int(rz.world.table("token")[made[1]]["recurring_details"]["status"] == "cancelled"),
    ),
    Row(
        op.TOKEN_NETWORK_DELETE,
        network_token,
        lambda client, made: client.tokens.delete_network_token(made),
        _gone("token"),
    ),
    Row(
        op.TOKEN_TRANSACTION_DATA,
        _provided,
        lambda client, made: client.tokens.transaction_data(made),
        _minted("cryptogram"),
    ),
    _creation(
        op.REGISTRATION_LINK_CREATE,
        "invoice",
        lambda client, _: client.registration_links.create(
            customer={"name": "Asha Rao", **PERSON},
            amount=Money(100),
            description="Meals",
            subscription_registration={"method": "card", "max_amount": Money(5000), "expire_at": 4_102_444_799},
            receipt="inv-42",
        ),
    ),
    _creation(
        op.DEVICE_ACTIVITY_CREATE,
        "device.activity",
        lambda client, made: client.devices.create_activity(
            "initiate_checkout", mode="wired", device_id="2841158834", initiate_checkout={**_SHOWN, "order_id": made}
        ),
        order,
    ),
]

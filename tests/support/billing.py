"""Billing entities as Razorpay answers them, and how a table of calls over them is tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from client_fakes import rig
from razorpay_hardened.client import Client
from razorpay_hardened.errors import ApiResponseError

__all__ = [
    "ADDON_ID",
    "CUSTOMER_ID",
    "INVOICE_ID",
    "ITEM_ID",
    "LINK_ID",
    "OFFER_ID",
    "PLAN_ID",
    "QR_ID",
    "SUBSCRIPTION_ID",
    "VA_ID",
    "WINDOW",
    "Case",
    "addon",
    "ids",
    "invoice",
    "item",
    "link",
    "plan",
    "qr_code",
    "refuses",
    "rejects",
    "subscription",
    "tried",
    "virtual_account",
]

ADDON_ID = "ao_00000000000001"
CUSTOMER_ID = "cust_00000000000001"
INVOICE_ID = "inv_E7q0tqkxBRzdau"
ITEM_ID = "item_00000000000001"
LINK_ID = "plink_ExjpAUN3gVHrPJ"
OFFER_ID = "offer_JHD834hjbxzhd38d"
PLAN_ID = "plan_00000000000001"
QR_ID = "qr_HMsVL8HOpbMcjU"
SUBSCRIPTION_ID = "sub_00000000000001"
VA_ID = "va_DlGmm7jInLudH9"
WINDOW = {"from_": 1_700_000_000, "to": 1_700_000_100}
"""Of a listing; goes out as ``from`` and ``to``."""


def item(**changes: Any) -> dict[str, Any]:
    return {"id": ITEM_ID, "name": "Book", "amount": 49900, "currency": "INR", "active": True, **changes}


def plan(**changes: Any) -> dict[str, Any]:
    plain = {"id": PLAN_ID, "entity": "plan", "period": "monthly", "interval": 1, "item": item(type="plan")}
    return {**plain, **changes}


def addon(**changes: Any) -> dict[str, Any]:
    plain = {"id": ADDON_ID, "entity": "addon", "item": item(type="addon"), "quantity": 1, "invoice_id": None}
    return {**plain, "subscription_id": SUBSCRIPTION_ID, **changes}


def subscription(**changes: Any) -> dict[str, Any]:
    plain = {"id": SUBSCRIPTION_ID, "entity": "subscription", "plan_id": PLAN_ID, "status": "active", "notes": []}
    return {**plain, "quantity": 1, "total_count": 6, "has_scheduled_changes": False, **changes}


def invoice(**changes: Any) -> dict[str, Any]:
    plain = {"id": INVOICE_ID, "entity": "invoice", "status": "issued", "amount": 49900, "currency": "INR"}
    return {**plain, "receipt": "inv-42", "customer_id": CUSTOMER_ID, "notes": [], "created_at": 1576826093, **changes}


def link(**changes: Any) -> dict[str, Any]:
    plain = {"id": LINK_ID, "status": "created", "amount": 49900, "currency": "INR", "reference_id": "ref-42"}
    return {**plain, "notes": None, "payments": None, "created_at": 1591097057, **changes}


def qr_code(**changes: Any) -> dict[str, Any]:
    plain = {"id": QR_ID, "entity": "qr_code", "status": "active", "usage": "single_use", "type": "upi_qr"}
    return {**plain, "fixed_amount": True, "payment_amount": 49900, "notes": [], "created_at": 1623660301, **changes}


def virtual_account(**changes: Any) -> dict[str, Any]:
    plain = {"id": VA_ID, "entity": "virtual_account", "status": "active", "receivers": [], "notes": []}
    return {**plain, "customer_id": CUSTOMER_ID, "amount_paid": 0, "created_at": 1577965559, **changes}


def ids(found: Any) -> list[str]:
    """Of the items of a page, or of a walk."""
    return [one.id for one in getattr(found, "items", found)]


class Case(NamedTuple):
    """A call, the one request that it makes, what is answered, and what an attribute of the result is."""

    call: Callable[[Client], Any]
    line: str
    sent: dict[str, Any]
    answer: Any
    result: Any


def tried(case: Case) -> None:
    """The request goes out as documented, its answer comes back typed. ``sent`` is the query of a GET, else JSON."""
    client, session, *_ = rig(case.answer)

    found = case.call(client)

    [sent] = session.sent
    assert f"{sent.method} {sent.path}" == case.line
    assert (sent.params if sent.method == "GET" else sent.body) == case.sent
    assert found == case.result


def refuses(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """The call ends in exactly this error of ours, and nothing leaves."""
    client, session, *_ = rig()

    with pytest.raises(error) as caught:
        call(client)

    assert type(caught.value) is error
    assert session.sent == []


def rejects(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """The answer is about something else than was asked: an error that names the field, an alarm, no second try."""
    r = rig(answer)

    with pytest.raises(ApiResponseError, match=f"the answer's {field} is not the one asked for"):
        call(r.client)

    assert len(r.session.sent) == 1
    assert len(r.alarms) == 1

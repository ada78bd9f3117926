"""Customers' fund accounts: where a refund may go (API reference, customers). Those of RazorpayX are not emulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks
from razorpay_hardened.emulator._listing import collection, page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES"]

_BANKS = {"HDFC": "HDFC Bank", "ICIC": "ICICI Bank", "KKBK": "Kotak Mahindra Bank", "SBIN": "State Bank of India"}
_IFSC, _ACCOUNT_MIN, _ACCOUNT_MAX = 11, 5, 35


def create(world: World, call: Call) -> Entity:
    """``POST /v1/fund_accounts`` of a customer; a bank account only."""
    body = call.body
    _checks.known_fields(body, {"customer_id", "account_type", "bank_account"})
    if body.get("customer_id") is None:
        raise refusal("The customer_id field is required", field="customer_id")
    customer = world.live("customer", body["customer_id"])
    kind = _checks.choice_in(body, "account_type", ("bank_account",))
    bank = _bank(_checks.object_in(body, "bank_account"))
    account: Entity = {
        "id": world.mint("fa", customer["id"]),
        "entity": "fund_account",
        "customer_id": customer["id"],
        "account_type": kind,
        "bank_account": bank,
        "batch_id": None,
        "active": True,
        "created_at": world.clock.unix(),
    }
    world.save(account)
    world.own(customer["id"], account["id"])
    return dict(account)


def _bank(said: Entity) -> Entity:
    """The account as it is shown. That its parts are checked so is published for linked accounts."""
    _checks.known_fields(said, {"name", "ifsc", "account_number"})
    name = _checks.text_in(said, "name", 120, needed=True)
    ifsc = _checks.text_in(said, "ifsc", _IFSC, needed=True) or ""
    number = str(said.get("account_number") or "")
    if not number:
        raise refusal("The account_number field is required", field="account_number")
    if len(ifsc) != _IFSC:
        raise refusal("Invalid IFSC Code", field="ifsc")
    if not _ACCOUNT_MIN <= len(number) <= _ACCOUNT_MAX:
        raise refusal("The bank account number must be between 5 and 35 characters", field="account_number")
    code = ifsc[:4].upper()
    return {"ifsc": ifsc, "bank_name": _BANKS.get(code, code), "name": name, "notes": [], "account_number": number}


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/fund_accounts`` of a customer, newest first."""
    if "customer_id" not in call.query:
        raise refusal("The customer_id field is required", field="customer_id")
    customer = world.live("customer", call.query["customer_id"][-1])
    rows = world.newest_first(world.owned(customer["id"], "fund_account"), call.as_of)
    return collection(page(rows, call.query, ("customer_id", "account_type")))


ROUTES = (Route("POST", "/v1/fund_accounts", create), Route("GET", "/v1/fund_accounts", list_all))
EVENTS: tuple[EventKind, ...] = ()

"""Customers' bank accounts (the API reference's pages on customers)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks
from razorpay_hardened.emulator._methods import BANKS
from razorpay_hardened.emulator._route import Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES"]

_TEXTS = ("name", "address1", "email", "mobile", "city", "state", "country", "pin")
_FIELDS = {"account_number", "ifsc_code", *(f"beneficiary_{field}" for field in _TEXTS), "beneficiary_address2"}
_IFSC = re.compile(r"[A-Z]{4}0[A-Z0-9]{6}", re.ASCII)


def add(world: World, call: Call) -> Entity:
    """``POST /v1/customers/:id/bank_account``. The page has no field as needed; one without a number would be none."""
    customer = world.live("customer", call.ids[0])
    _checks.known_fields(call.body, _FIELDS)
    said = {field: str(value) for field, value in call.body.items() if value is not None}  # numbers or texts alike
    number, ifsc = _checks.text_in(said, "account_number", 35, needed=True), said.get("ifsc_code", "")
    if not number or not re.fullmatch(r"[A-Za-z0-9]{5,35}", number, re.ASCII):
        raise refusal("The bank account number must be between 5 and 35 characters", field="account_number")
    if not _IFSC.fullmatch(ifsc):
        raise refusal("Invalid IFSC Code", field="ifsc_code")
    account: Entity = {
        "id": world.mint("ba", customer["id"]),
        "entity": "bank_account",
        "ifsc": ifsc,
        "bank_name": BANKS.get(ifsc[:4], f"{ifsc[:4]} Bank"),
        "name": _checks.text_in(said, "beneficiary_name", 120),
        "notes": [],
        "account_number": number[-4:].rjust(len(number), "X"),  # the rest is shown to nobody
    }
    world.save(account)
    world.own(customer["id"], account["id"])
    return dict(account)


def delete(world: World, call: Call) -> Entity:
    """``DELETE /v1/customers/:id/bank_account/:id``."""
    customer = world.live("customer", call.ids[0])
    account = world.live("bank_account", call.ids[1])
    if account["id"] not in world.owned(customer["id"], "bank_account"):
        raise refusal("The id provided does not exist")
    world.disown(customer["id"], "bank_account", {account["id"]})
    world.remove(account["id"])
    shown = ("id", "ifsc", "bank_name", "name", "account_number")
    return {**{field: account[field] for field in shown}, "status": "deleted"}


ROUTES = (
    Route("POST", "/v1/customers/:id/bank_account", add),
    Route("DELETE", "/v1/customers/:id/bank_account/:id", delete),
)
EVENTS = ()

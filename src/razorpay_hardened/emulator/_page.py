"""A stand-in for Checkout in the browser: the script, and the two questions that it asks.

The script is public, as Razorpay's is; what it may ask for is what a customer could do with the public key id.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from razorpay_hardened.emulator.wire import Entity, Reply, not_applicable, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.emulator import Emulator

__all__ = ["CROSS_ORIGIN", "SCRIPT_PATH", "order_shown", "pay_in_browser", "script"]

SCRIPT_PATH = "/v1/checkout.js"

CROSS_ORIGIN = {"Access-Control-Allow-Origin": "*"}
"""The shop's page is of another origin. Razorpay's API has no such header: calls to it from a browser fail."""

_WISHES = ("method", "vpa", "card", "outcome", "email", "contact", "notes")
_OUTCOMES = (None, "failed", "late", "created")


@cache
def _source() -> bytes:
    return files(__package__).joinpath("checkout.js").read_bytes()


def script() -> Reply:
    """The script itself."""
    headers = {"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-store"}
    return Reply(200, headers, _source())


def order_shown(emulator: Emulator, body: Entity) -> Entity:
    """What Checkout shows before anybody pays: the order's amount due, never the page's own figure."""
    _check_key(emulator, body)
    order = emulator.world.orders.get(str(body.get("order_id")))
    if order is None:
        raise refusal("The id provided does not exist")
    return {"amount": order["amount_due"], "currency": order["currency"]}


def pay_in_browser(emulator: Emulator, body: Entity) -> Entity:
    """One attempt: the three signed fields, ``{"error": …}`` as ``payment.failed`` has it, or ``{"pending": id}``."""
    _check_key(emulator, body)
    wishes = {name: body[name] for name in _WISHES if body.get(name) is not None}
    if wishes.get("outcome") not in _OUTCOMES:
        raise refusal("A customer cannot decide about capture")
    payment = emulator.pay(str(body.get("order_id")), **wishes)
    if payment["status"] == "created":
        return {"pending": payment["id"]}
    if payment["status"] == "failed":
        return {"error": _error(payment)}
    return dict(emulator.checkout_form(payment["id"]))


def _check_key(emulator: Emulator, body: Entity) -> None:
    if body.get("key") != emulator.key_id:
        raise not_applicable("The api key provided is invalid", 401)


def _error(payment: Entity) -> Entity:
    error = {name: payment[f"error_{name}"] for name in ("code", "description", "source", "step", "reason")}
    return {**error, "metadata": {"payment_id": payment["id"], "order_id": payment["order_id"]}}

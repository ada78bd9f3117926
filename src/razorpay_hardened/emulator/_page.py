"""A stand-in for Checkout in the browser: the script, the questions that it asks, and two pages that open it.

The script is public, as Razorpay's is; what it may ask for is what a customer could do with the public key id.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from razorpay_hardened.emulator import instruments
from razorpay_hardened.emulator._html import el, page
from razorpay_hardened.emulator.wire import Entity, Reply, Request, not_applicable, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.emulator import Emulator

__all__ = [
    "CROSS_ORIGIN",
    "HOSTED_PATH",
    "SCRIPT_PATH",
    "begin_in_browser",
    "finish_in_browser",
    "hosted",
    "instruments_shown",
    "order_page",
    "order_shown",
    "pay_in_browser",
    "script",
]

SCRIPT_PATH = "/v1/checkout.js"
HOSTED_PATH = "/v1/checkout/embedded"

CROSS_ORIGIN = {"Access-Control-Allow-Origin": "*"}
"""The shop's page is of another origin. Razorpay's API has no such header: calls to it from a browser fail."""

_WISHES = ("method", "vpa", "card", "outcome", "otp", "email", "contact", "notes")
_OUTCOMES = (None, "failed", "late", "created")


@cache
def _source() -> bytes:
    return files(__package__).joinpath("checkout.js").read_bytes()


def script() -> Reply:
    """The script itself."""
    headers = {"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-store"}
    return Reply(200, headers, _source())


# --- what the script asks


def order_shown(emulator: Emulator, body: Entity) -> Entity:
    """What Checkout shows before anybody pays: the order's amount due; the page's own figure only without an order."""
    _check_key(emulator, body)
    if body.get("order_id") is None and body.get("amount") is not None:
        return {"amount": _amount(body), "currency": str(body.get("currency") or "INR")}
    order = emulator.world.orders.get(str(body.get("order_id")))
    if order is None:
        raise refusal("The id provided does not exist")
    return {"amount": order["amount_due"], "currency": order["currency"]}


def instruments_shown(emulator: Emulator, _: Entity) -> Entity:
    """Razorpay's published test cards, by what they do."""
    return {"cards": instruments.published_cards()}


def begin_in_browser(emulator: Emulator, body: Entity) -> Entity:
    """The customer presses Pay: the payment exists, and the bank's page asks."""
    payment = emulator.begin(_order_id(emulator, body), **_wishes(body, without=("outcome", "otp")))
    return {"payment_id": payment["id"], "method": payment["method"]}


def finish_in_browser(emulator: Emulator, body: Entity) -> Entity:
    """What the customer did at the bank: the three signed fields, ``{"error": …}``, or ``{"pending": id}``."""
    _check_key(emulator, body)
    answer, otp = str(body.get("answer")), body.get("otp")
    payment = emulator.finish(str(body.get("payment_id")), answer, otp=None if otp is None else str(otp))
    return _told(emulator, payment)


def pay_in_browser(emulator: Emulator, body: Entity) -> Entity:
    """Both steps in one, answered like the second."""
    wishes = _wishes(body)
    order_id = _order_id(emulator, body)
    if wishes.get("outcome") not in _OUTCOMES:
        raise refusal("A customer cannot decide about capture")
    return _told(emulator, emulator.pay(order_id, **wishes))


def _told(emulator: Emulator, payment: Entity) -> Entity:
    if payment["status"] == "created":
        return {"pending": payment["id"]}
    if payment["status"] == "failed":
        return {"error": _error(payment)}
    return dict(emulator.checkout_form(payment["id"]))


def _check_key(emulator: Emulator, body: Entity) -> None:
    if body.get("key") != emulator.key_id:
        raise not_applicable("The api key provided is invalid", 401)


def _order_id(emulator: Emulator, body: Entity) -> str | None:
    """The order to pay; None only where the page names an amount instead."""
    _check_key(emulator, body)
    if body.get("order_id") is None and body.get("amount") is not None:
        return None
    return str(body.get("order_id"))


def _wishes(body: Entity, without: tuple[str, ...] = ()) -> Entity:
    wishes = {name: body[name] for name in _WISHES if body.get(name) is not None and name not in without}
    if body.get("order_id") is None and body.get("amount") is not None:
        wishes.update(amount=_amount(body), currency=str(body.get("currency") or "INR"))
    return wishes


def _amount(body: Entity) -> int:
    """Checkout takes the amount as a number or as text (FACTS section 11)."""
    text = str(body["amount"])
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 15):
        raise refusal("The amount must be an integer.", field="amount")
    return int(text)


def _error(payment: Entity) -> Entity:
    error = {name: payment[f"error_{name}"] for name in ("code", "description", "source", "step", "reason")}
    return {**error, "metadata": {"payment_id": payment["id"], "order_id": payment["order_id"]}}


# --- the pages


def order_page(emulator: Emulator, request: Request) -> Reply:
    """Pay one order without any shop: ``/_emulator/checkout?order_id=…``."""
    order_id = parse_qs(request.query).get("order_id", [""])[-1]
    if order_id not in emulator.world.orders:
        return _unknown("No such order", f"The emulator knows no order {order_id!r}.")
    options = {"key": emulator.key_id, "order_id": order_id, "name": "Emulated shop", "description": order_id}
    back = el("p", el("a", "Back to the dashboard", href="/_emulator/"))
    return _paying("Pay an order", options, None, back)


def hosted(request: Request) -> Reply:
    """The hosted flow: a form of the shop's own posts here, the answer goes to its ``callback_url`` (FACTS section 11).

    Failures go there too, as ``error[…]``; who leaves is sent to ``cancel_url``.
    """
    form = parse_qs(request.body.decode("utf-8", "replace"))
    options: Entity = {"redirect": True}
    for name, values in form.items():
        _put(options, name, values[-1])
    cancel = options.pop("cancel_url", None)
    if "key_id" in options:
        options["key"] = options.pop("key_id")
    for url in (options.get("callback_url"), cancel):
        if url is not None and urlsplit(str(url)).scheme not in ("http", "https"):
            return _unknown("Bad request", "callback_url and cancel_url begin with http:// or https://.", 400)
    if not options.get("key") or not options.get("callback_url"):
        return _unknown("Bad request", "The form needs key_id and callback_url.", 400)
    return _paying("Checkout", options, cancel)


def _put(options: Entity, name: str, value: str) -> None:
    """``prefill[email]`` is a field in an object, as PHP has it; anything deeper is left out."""
    outer, bracket, inner = name.partition("[")
    if not bracket:
        options[outer] = value
    elif inner.endswith("]") and isinstance(options.setdefault(outer, {}), dict):
        options[outer][inner[:-1]] = value


def _paying(title: str, options: Entity, cancel: str | None, *more: str) -> Reply:
    main = el(
        "main",
        el("h1", title),
        el("p", "An emulated payment: no money moves.", class_="note"),
        el("button", "Open Checkout", id="pay", type="button", class_="main"),
        el("pre", id="said", role="status"),
        *more,
        class_="narrow",
    )
    data = {"options": json.dumps(options), **({"cancel": cancel} if cancel else {})}
    return page(title, main, scripts=(SCRIPT_PATH, "/_emulator/static/pay.js"), data=data)


def _unknown(title: str, text: str, status: int = 404) -> Reply:
    return page(title, el("main", el("h1", title), el("p", text), class_="narrow"), status=status)

"""Payments that a business makes itself, server to server.

Such a payment waits for its customer as one of Checkout does: at the bank's page (``Emulator.finish``), for a password
(``_otp``), or in a UPI app. FACTS appendix D has the calls; their fields and answers are those of the official
pages on server-to-server integration, which FACTS does not hold.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checkout, _checks, _customers, _fees, _payments, instruments
from razorpay_hardened.emulator._route import Route
from razorpay_hardened.emulator.instruments import Instrument
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["API", "EVENTS", "ROUTES"]

API = "https://api.razorpay.com/v1"
_VPA = re.compile(r"[A-Za-z0-9._-]{2,255}@[A-Za-z0-9]{2,64}", re.ASCII)
_PAYER = "Gaurav Kumar"  # whom every UPI id belongs to
_FIELDS = {
    *("amount", "currency", "order_id", "email", "contact", "method", "notes", "description", "customer_id", "token"),
    *("save", "recurring", "callback_url", "ip", "referer", "referrer", "user_agent"),
}
_OF_A_METHOD = {
    "card": {"card", "auth_type", "authentication", "browser"},
    "emi": {"card", "auth_type", "authentication", "browser", "emi_duration"},
    "netbanking": {"bank", "bank_account"},
    "wallet": {"wallet"},
    "upi": {"upi", "vpa"},
    "cardless_emi": {"provider"},
    "paylater": {"provider"},
}
_CARD_FIELDS = {
    *("number", "name", "expiry_month", "expiry_year", "cvv"),
    *("tokenised", "token_provider", "provider_type", "cryptogram_value", "last4", "service_provider_token_data"),
}
_APP_ANSWERS_S = 5  # how soon Razorpay's two test ids answer; not published
_EXPIRY_MIN, _EXPIRY_MAX = 5, 5760  # minutes: what a UPI request waits for if nobody says, and the longest


# --- making one -----------------------------------------------------------------------------------------------------


def create_json(world: World, call: Call) -> Entity:
    """``POST /v1/payments/create/json``: the answer says how the payment goes on."""
    method = _checks.choice_in(call.body, "method", tuple(_OF_A_METHOD))
    payment = _create(world, call.body, method)
    return {"razorpay_payment_id": payment["id"], "next": _steps(world, payment)}


def create_upi(world: World, call: Call) -> Entity:
    """``POST /v1/payments/create/upi``: a request to the customer's app, or a link that opens it."""
    _checks.choice_in(call.body, "method", ("upi",), "upi")
    payment = _create(world, call.body, "upi")
    answer: Entity = {"razorpay_payment_id": payment["id"]}
    if payment["upi"]["flow"] == "intent":
        answer["link"] = _intent(world, payment)
    elif call.body.get("token") is not None:
        answer["next"] = _steps(world, payment)
    return answer


def _create(world: World, body: Entity, method: str) -> Entity:
    bears = world.options.fee_bearer == "customer"
    _checks.known_fields(body, _FIELDS | _OF_A_METHOD[method] | ({"fee"} if bears else set()))
    if body.get("order_id") is None:
        raise refusal("The order_id field is required", field="order_id")
    order = world.live("order", body["order_id"])
    amount, currency = _checks.amount_in(body), _checks.currency_in(body)
    fee = _checks.whole_in(body, "fee", 0, least=0)
    amount -= fee  # where the customer bears it, it is sent, and within the amount
    person = _person(world, body)
    instrument = _instrument(world, body, method, amount)
    _checkout.payable(world, order["id"])
    _checkout.due(world, order, amount, currency)
    whole = amount == (order["amount_due"] or order["amount"])
    if not whole and amount < _checks.minimum(currency):
        raise refusal("The amount must be at least INR 1.00.", field="amount")
    if currency != order["currency"] or not (whole or world.terms[order["id"]].partial):
        raise refusal(  # text: not published
            "The amount is not that of the order", field="amount", reason="order_amount_mismatch"
        )
    abroad = instrument.card is not None and instrument.card["international"]
    if fee != _fees.on_top(world, order, method, amount, currency, international=abroad)[0]:
        raise refusal("The fee is not that of the payment", field="fee")  # text: not published
    flow, silence_s = _upi_terms(body) if method == "upi" else (None, None)
    save = _checks.flag_in(body, "save")
    if save and "customer_id" not in person:
        raise refusal("The customer_id field is required when save is present", field="customer_id")  # unpublished
    payment = _checkout.press_pay(
        world, order, instrument, amount, currency, outcome="created", silence_s=silence_s, **person
    )
    if flow is not None:
        payment["upi"] = {**payment["upi"], "flow": flow}
        world.save(payment)
    if flow == "collect" and instrument.vpa in ("success@razorpay", "failure@razorpay"):
        world.clock.plan(world.clock.ms + _APP_ANSWERS_S * 1000, partial(_app_answers, world, payment["id"]))
    if method in ("card", "emi") and isinstance(body.get("card"), dict):
        world.private[payment["id"]]["iin"] = _digits(body["card"].get("number"))[:6] or None
    if save and "token" not in order:  # a mandate's own token is made when the order is paid
        world.on_authorized[payment["id"]] = partial(_save, world, person["customer_id"])
    return payment


def _person(world: World, body: Entity) -> Entity:
    """Who pays. The ``ip``, ``referer`` and ``user_agent`` that pages ask for are missing in the SDK's own examples."""
    email = _checks.text_in(body, "email", 40, needed=True)
    if body.get("contact") is None:
        raise refusal("The contact field is required", field="contact")
    person: Entity = {
        "email": email,
        "contact": _checks.text_in({"contact": str(body["contact"])}, "contact", 15),
        "notes": _checks.notes_in(body),
        "description": _checks.text_in(body, "description", 2048),
    }
    if body.get("customer_id") is not None:
        person["customer_id"] = world.live("customer", body["customer_id"])["id"]
    if body.get("token") is not None:
        person["token_id"] = _token(world, body)["id"]
    return person


def _token(world: World, body: Entity) -> Entity:
    """What was saved before: of this customer, where one is named."""
    token = world.live("token", body["token"])
    customer_id = body.get("customer_id")
    if customer_id is not None and token["id"] not in world.owned(customer_id, "token"):
        raise refusal("The id provided does not exist")
    return token


def _instrument(world: World, body: Entity, method: str, amount: int) -> Instrument:
    if body.get("token") is not None:
        token = _token(world, body)
        if token["method"] != method:  # text: not published
            raise refusal("The token is not for this method", field="token", reason="order_payment_method_mismatch")
        return _payments.instrument_of(token)
    if method in ("card", "emi"):
        card = _card(world, _checks.object_in(body, "card"))
        if method == "card":
            return card
        duration = _checks.whole_in(body, "emi_duration")
        return card._replace(method="emi", emi={"issuer": "HDFC", "rate": 1300, "duration": duration})
    if method == "upi":
        vpa = _vpa(body)
        return instruments.choose(method="upi", card=None, vpa=vpa, amount=amount)
    if method == "netbanking":
        return Instrument("netbanking", bank=_checks.text_in(body, "bank", 10, needed=True))
    field = "wallet" if method == "wallet" else "provider"
    return Instrument(method, wallet=_checks.text_in(body, field, 40, needed=True))


def _digits(value: object) -> str:
    return re.sub(r"[ -]", "", str(value)) if isinstance(value, (str, int)) else ""


def _card(world: World, said: Entity) -> Instrument:
    """The card of a request. Its number and code go no further than here. The texts are not published, the reasons
    are."""
    _checks.known_fields(said, _CARD_FIELDS)
    tokenised = _checks.flag_in(said, "tokenised")
    needed = ("number", "expiry_month", "expiry_year", *(() if tokenised else ("name", "cvv")))
    for field in needed:
        if said.get(field) in (None, ""):
            raise refusal(f"The {field} field is required", field=field)
    number = _digits(said["number"])
    if not re.fullmatch(r"[0-9]{12,19}", number, re.ASCII):
        raise refusal("The card number is invalid", field="number", reason="card_number_invalid")
    month, year = _checks.whole_in(said, "expiry_month"), _checks.whole_in(said, "expiry_year")
    today = datetime.fromtimestamp(world.clock.unix(), UTC)
    if month > 12 or (year + 2000 if year < 100 else year, month) < (today.year, today.month):
        raise refusal("The card has expired", field="expiry_year", reason="incorrect_card_expiry_date")
    instrument = instruments.choose(method="card", card=number, vpa=None, amount=0)
    name = _checks.text_in(said, "name", 255)
    return instrument if name is None else instrument._replace(card={**(instrument.card or {}), "name": name})


# --- UPI ------------------------------------------------------------------------------------------------------------


def _upi_terms(body: Entity) -> tuple[str, int | None]:
    """Its flow, and for how many seconds a request to the customer's app stands."""
    said = _checks.object_in(body, "upi")
    _checks.known_fields(said, {"flow", "vpa", "expiry_time", "type"})
    flow = _checks.choice_in(said, "flow", ("collect", "intent"), "collect")
    if flow == "intent":
        return flow, None
    minutes = _checks.whole_in(said, "expiry_time", _EXPIRY_MIN)
    if minutes > _EXPIRY_MAX:  # text: not published
        raise refusal(f"The expiry_time may not be greater than {_EXPIRY_MAX}.", field="expiry_time")
    return flow, minutes * 60


def _vpa(body: Entity) -> str | None:
    """Whom the request goes to; nobody in particular where a link opens whatever app there is."""
    said = _checks.object_in(body, "upi")
    vpa = said.get("vpa", body.get("vpa"))
    if said.get("flow") == "intent":
        return None
    if vpa is None:
        raise refusal("The vpa field is required", field="vpa")
    return _valid(vpa)


def _valid(vpa: object) -> str:
    if not isinstance(vpa, str) or not _VPA.fullmatch(vpa):  # text: not published
        raise refusal("Invalid VPA. Please enter a valid Virtual Payment Address", field="vpa", reason="invalid_vpa")
    return vpa


def _app_answers(world: World, payment_id: str) -> None:
    """Razorpay's own test ids say yes or no without anybody's doing (FACTS section 12)."""
    if payment_id in world.waiting and world.payments[payment_id]["status"] == "created":
        _checkout.finish(world, payment_id, "success")


def _intent(world: World, payment: Entity) -> str:
    rupees = f"{payment['amount'] // 100}.{payment['amount'] % 100:02}"
    name = world.account.id.removeprefix("acc_")
    return f"upi://pay?pa={name}@razorpay&pn={name}&tr={payment['id'].removeprefix('pay_')}&am={rupees}&cu=INR"


def _save(world: World, customer_id: str, payment: Entity) -> None:
    payment["token_id"] = _customers.make_token(world, customer_id, payment, recurring=False)["id"]


def validate_vpa(world: World, call: Call) -> Entity:
    """``POST /v1/payments/validate/vpa``. Whatever is spelt like a UPI id is somebody's."""
    _checks.known_fields(call.body, {"vpa"})
    if call.body.get("vpa") is None:
        raise refusal("The vpa field is required", field="vpa")
    return {"vpa": _valid(call.body["vpa"]), "success": True, "customer_name": _PAYER}


# --- how it goes on -------------------------------------------------------------------------------------------------


def _steps(world: World, payment: Entity) -> list[Entity]:
    """The actions that a new payment offers. Their addresses lead to Razorpay, not here."""
    payment_id = payment["id"]
    bare = payment_id.removeprefix("pay_")
    if payment["method"] == "upi":
        poll = {"action": "poll", "url": f"{API}/payments/{payment_id}"}
        opened = {"action": "intent", "url": _intent(world, payment)}
        return [opened, poll] if payment["upi"]["flow"] == "intent" else [poll]
    redirect = {"action": "redirect", "url": f"{API}/payments/{bare}/authenticate"}
    if "card" not in payment:
        return [redirect]
    otp = f"{API}/payments/{payment_id}/otp_generate?track_id={bare}&key_id={world.account.key_id}"
    return [redirect, {"action": "otp_generate", "url": otp}]


ROUTES = (
    Route("POST", "/v1/payments/create/json", create_json),
    Route("POST", "/v1/payments/create/upi", create_upi),
    Route("POST", "/v1/payments/validate/vpa", validate_vpa),
)
EVENTS = ()

"""Product configurations of linked accounts: what they want to use, and where their money goes (FACTS section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks, _hash
from razorpay_hardened.emulator._accounts import LOCKED, linked
from razorpay_hardened.emulator._review import NAMES, SETTLEMENTS, look, products_of
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, not_applicable, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES"]

_SETTINGS = ("notifications", "checkout", "refund", "payment_capture")
_IFSC, _ACCOUNT_MIN, _ACCOUNT_MAX = 11, 5, 20
_TERMS = {name: f"https://razorpay.com/{name}" for name in ("terms", "privacy", "agreement")}
_TERMS_SINCE = 1_640_589_653  # that of the sample


def request(world: World, call: Call) -> Entity:
    """``POST /v2/accounts/:id/products``. Asked for again, the same configuration is given back."""
    account, body = linked(world, call.ids[0]), call.body
    _checks.known_fields(body, {"product_name", "tnc_accepted", "ip"})
    name = body.get("product_name")
    if name not in NAMES:
        raise refusal("The product requested is invalid.", field="product_name")
    accepted = _accepted(body)
    if account["status"] == "suspended":
        raise refusal(LOCKED)
    twin = next((one for one in products_of(world, account["id"]) if one["product_name"] == name), None)
    if twin is not None:  # not published
        return dict(twin)
    product: Entity = {
        "requested_configuration": [] if name == "route" else {"payment_methods": []},
        "active_configuration": _defaults(account, name),
        "requirements": [],
        "tnc": _tnc(world, account["id"], accepted),
        "id": world.mint("acc_prd", account["id"]),
        "account_id": account["id"],
        "product_name": name,
        "activation_status": "requested",
        "requested_at": world.clock.unix(),
    }
    world.own(account["id"], product["id"])
    world.save(product)
    look(world, account["id"])
    return dict(product)


def _accepted(body: Entity) -> bool:
    if "tnc_accepted" in body and body["tnc_accepted"] not in (True, 1, "1", "true"):
        raise refusal("The selected tnc accepted is invalid.", field="tnc_accepted")
    return "tnc_accepted" in body


def _tnc(world: World, account_id: str, accepted: bool) -> Entity:
    """The terms as somebody accepted them, or not yet; how the latter is shown is not published."""
    given = world.mint("tnc", account_id)
    return {"id": given, "accepted": accepted, "accepted_at": world.clock.unix() if accepted else None}


def _defaults(account: Entity, name: str) -> Entity:
    settlements: Entity = dict.fromkeys(("account_number", "ifsc_code", "beneficiary_name"))
    if name == "route":
        return {"settlements": settlements}
    return {
        "payment_capture": {"mode": "automatic", "refund_speed": "normal", "automatic_expiry_period": 7200},
        "settlements": settlements,
        "checkout": {"theme_color": "#FFFFFF", "flash_checkout": True},
        "refund": {"default_refund_speed": "normal"},
        "notifications": {"whatsapp": True, "sms": False, "email": [account["email"]]},
        "payment_methods": {
            "netbanking": {"enabled": True, "instrument": [{"type": "retail", "bank": ["hdfc", "sbin", "utib"]}]},
            "wallet": {"enabled": True, "instrument": ["payzapp"]},
            "upi": {"enabled": True, "instrument": ["upi"]},
        },
    }


def fetch(world: World, call: Call) -> Entity:
    """``GET /v2/accounts/:id/products/:id``."""
    return dict(_find(world, call))


def _find(world: World, call: Call) -> Entity:
    account = linked(world, call.ids[0])
    product = next((one for one in products_of(world, account["id"]) if one["id"] == call.ids[1]), None)
    if product is None:
        raise not_applicable("The provided product config id doesn't exist for the merchant")
    return product


def update(world: World, call: Call) -> Entity:
    """``PATCH /v2/accounts/:id/products/:id``. What is under review or activated is locked."""
    product, body = _find(world, call), call.body
    mine = () if product["product_name"] == "route" else (*_SETTINGS, "payment_methods")
    _checks.known_fields(body, {"settlements", "tnc_accepted", "ip", *mine})
    if product["activation_status"] in ("under_review", "activated"):
        raise refusal(LOCKED)
    accepted = _accepted(body)
    active, changed = product["active_configuration"], {}
    if "settlements" in body:
        changed["settlements"] = {**active["settlements"], **_bank_account(_checks.object_in(body, "settlements"))}
    for field in _SETTINGS:
        if field in body:
            changed[field] = {**active[field], **_checks.object_in(body, field)}
    if "payment_methods" in body:  # asked for; whether they are granted is decided by people
        product["requested_configuration"] = {"payment_methods": _checks.object_in(body, "payment_methods")}
    product["active_configuration"] = {**active, **changed}
    if accepted and not product["tnc"]["accepted"]:
        product["tnc"] = {**product["tnc"], "accepted": True, "accepted_at": world.clock.unix()}
    world.save(product)
    look(world, product["account_id"])
    return dict(product)


def _bank_account(said: Entity) -> Entity:
    _checks.known_fields(said, SETTLEMENTS)
    found = {field: said[field] for field in SETTLEMENTS if said.get(field) is not None}
    if "account_number" in found and not _ACCOUNT_MIN <= len(str(found["account_number"])) <= _ACCOUNT_MAX:
        raise refusal("The account number must be between 5 and 20 characters.", field="account_number")
    if "ifsc_code" in found and len(str(found["ifsc_code"])) != _IFSC:
        raise refusal("Invalid IFSC Code.", field="ifsc_code")
    return found


def terms(world: World, call: Call) -> Entity:
    """``GET /v2/products/:product/tnc``: the one family there is, ``payments``."""
    if call.ids[0] != "payments":
        raise refusal("The product requested is invalid.", field="product_name")
    given = _hash.token(world.seed, "terms", "payments")
    return {
        "entity": "tnc_map",
        "product_name": "payments",
        "id": f"tnc_map_{given}",
        "tnc": dict(_TERMS),
        "last_published_at": _TERMS_SINCE,
    }


ROUTES = (
    Route("POST", "/v2/accounts/:id/products", request),
    Route("GET", "/v2/accounts/:id/products/:product", fetch),
    Route("PATCH", "/v2/accounts/:id/products/:product", update),
    Route("GET", "/v2/products/:product/tnc", terms),
)
EVENTS = tuple(
    EventKind(f"product.{name}.{status}", (("merchant_product",),))
    for name in NAMES
    for status in ("under_review", "activated")
)

"""Cards as tokens of their networks: made, looked at, used elsewhere, and the reference that a card keeps whatever its
token (the API reference's pages on card references; the official pages on TokenHQ, which FACTS does not hold)."""

from __future__ import annotations

import calendar
import re
from typing import TYPE_CHECKING, Any

from razorpay_hardened.emulator import _checks, _hash, instruments
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal
from razorpay_hardened.errors import ApiBadRequest, ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES", "STATUSES", "becomes"]

_IST_S = 19_800
_PAR_DIGITS = 25  # after a letter and three digits: 29 characters
_CARD = {"number", "cvv", "expiry_month", "expiry_year", "name"}
_AUTHENTICATION = {"provider", "provider_reference_id", "authentication_reference_number"}
_WITH_REFERENCE = ("Visa", "MasterCard", "RuPay")
_NETWORKS = {"MasterCard": "Mastercard"}  # as the page on references spells it

STATUSES = {"active": "activated", "suspended": "suspended", "deactivated": "deactivated"}
"""What becomes of a network token, and the event that tells of it."""


def _required(said: Entity, field: str) -> Any:
    if said.get(field) in (None, ""):
        raise refusal(f"The {field} is required", field=field, step="token_initiation")
    return said[field]


def _number(said: Entity) -> str:
    """The digits of a card's number. It is not kept."""
    digits = re.sub(r"[ -]", "", str(_required(said, "number")))
    if not re.fullmatch(r"[0-9]{12,19}", digits, re.ASCII):
        raise refusal(
            "The number is invalid", field="number", step="token_initiation", reason="input_validation_failed"
        )
    return digits


def _par(world: World, *about: object) -> str:
    """The payment account reference: the same for the same card, whoever asks."""
    return f"V001{_hash.digits(world.seed, 'par', *about, length=_PAR_DIGITS)}"


# --- tokens ---------------------------------------------------------------------------------------------------------


def create(world: World, call: Call) -> Entity:
    """``POST /v1/tokens``: active at once. A Visa card that its customer has saved already keeps its token."""
    body = call.body
    _checks.known_fields(body, {"customer_id", "method", "card", "authentication", "notes"})
    _required(body, "method")
    _checks.choice_in(body, "method", ("card",))
    said, authentication = _checks.object_in(body, "card"), _checks.object_in(body, "authentication")
    _checks.known_fields(said, _CARD)
    _checks.known_fields(authentication, _AUTHENTICATION)
    for field in ("provider", "provider_reference_id"):
        _required(authentication, field)
    number, (month, year) = _number(said), _expiry(said)
    customer = None if body.get("customer_id") is None else world.live("customer", body["customer_id"])
    card = instruments.choose(method="card", card=number, vpa=None, amount=0).card or {}
    reference = _par(world, number)
    if customer is not None and card["network"] == "Visa":
        for token_id in world.owned(customer["id"], "token"):
            if world.private.get(token_id, {}).get("par") == reference:
                return dict(world.table("token")[token_id])
    token = _token(world, customer, card, reference, (month, year), _checks.notes_in(body))
    world.save(token)
    world.private[token["id"]].update(par=reference, network=card["network"])
    if customer is not None:
        world.own(customer["id"], token["id"])
    world.emit("token.activated", token=token)
    return dict(token)


def _expiry(said: Entity) -> tuple[int, int]:
    """Month and full year."""
    month = _checks.whole_in({"expiry_month": _required(said, "expiry_month")}, "expiry_month")
    year = _checks.whole_in({"expiry_year": _required(said, "expiry_year")}, "expiry_year")
    if month > 12 or year > 9998:
        raise refusal("The expiry_month is invalid", field="expiry_month", step="token_initiation")
    return month, year + 2000 if year < 100 else year


def _token(
    world: World, customer: Entity | None, card: Entity, par: str, expiry: tuple[int, int], notes: object
) -> Entity:
    token_id = world.mint("token", customer and customer["id"])
    month, year = expiry
    ends = calendar.timegm((year, month, calendar.monthrange(year, month)[1], 23, 59, 59)) - _IST_S
    iin = _hash.digits(world.seed, "token iin", token_id, length=6)
    shown = {key: card[key] for key in ("last4", "network", "type", "issuer", "international", "emi", "sub_type")}
    token: Entity = {
        "id": token_id,
        "entity": "token",
        "method": "card",
        "card": {**shown, "token_iin": iin},
        "expired_at": ends,
        "compliant_with_tokenisation_guidelines": True,
        "service_provider_tokens": [
            {
                "id": world.mint("spt", token_id),
                "entity": "service_provider_token",
                "provider_type": "network",
                "provider_name": card["network"],
                "interoperable": True,
                "status": "active",
                "provider_data": {
                    "token_reference_number": _hash.token(world.seed, "trn", token_id, length=22),
                    "payment_account_reference": par,
                    "token_iin": iin,
                    "token_expiry_month": month,
                    "token_expiry_year": year,
                },
            }
        ],
        "status": "active",
        "notes": notes,
    }
    if customer is not None:
        token.update(customer=dict(customer), customer_id=customer["id"])
    return token


def fetch(world: World, call: Call) -> Entity:
    """``POST /v1/tokens/fetch``: a network's token, or any other."""
    _checks.known_fields(call.body, {"id"})
    _required(call.body, "id")
    return dict(world.live("token", call.body["id"]))


def delete(world: World, call: Call) -> list[Any]:
    """``POST /v1/tokens/delete``."""
    _checks.known_fields(call.body, {"id"})
    _required(call.body, "id")
    token = world.live("token", call.body["id"])
    for customer_id in world.table("customer"):
        if token["id"] in world.owned(customer_id, "token"):
            world.disown(customer_id, "token", {token["id"]})
    world.remove(token["id"])
    return []


def transactional_data(world: World, call: Call) -> Entity:
    """``POST /v1/tokens/service_provider_tokens/token_transactional_data``: what another gateway needs to charge an
    active token, named by its own id or its network's. The cryptogram is good for one payment, so each is another."""
    _checks.known_fields(call.body, {"id", "token_id"})
    found = next((one for one in world.table("token").values() if _named(one, call.body)), None)
    if found is None or found["status"] != "active":
        raise _invalid()
    provided = found["service_provider_tokens"][0]["provider_data"]
    rest = _hash.digits(world.seed, "token number", found["id"], length=10)
    return {
        "token_number": provided["token_iin"] + rest,
        "cryptogram_value": world.mint("cryptogram", found["id"]).removeprefix("cryptogram_"),
        "token_expiry_month": provided["token_expiry_month"],
        "token_expiry_year": provided["token_expiry_year"],
    }


def _named(token: Entity, body: Entity) -> bool:
    providers = token.get("service_provider_tokens", [])
    wanted = (body.get("id"), body.get("token_id"))
    return any(one["id"] in wanted or token["id"] in wanted for one in providers)


def _invalid() -> ApiBadRequest:
    return refusal("The token is invalid.", step="get_cryptogram", reason="invalid_token")


def becomes(world: World, token: Entity, status: str) -> None:
    """``active``, ``suspended`` or ``deactivated``, by the network's word, with its event."""
    if status not in STATUSES:
        raise ConfigError(f"a network's token becomes {', '.join(STATUSES)}; not {status!r}")
    provided = [{**one, "status": status} for one in token["service_provider_tokens"]]
    token.update(status=status, service_provider_tokens=provided)
    world.save(token)
    world.emit(f"token.{STATUSES[status]}", token=token)


# --- references -----------------------------------------------------------------------------------------------------


def reference(world: World, call: Call) -> Entity:
    """``POST /v1/cards/fingerprints``: by number or by token. For a card that was saved with a payment the reference is
    made from its token: its number was not kept."""
    _checks.known_fields(call.body, {"number", "tokenised", "token"})
    if call.body.get("token") is not None:
        token = world.live("token", call.body["token"])
        network = (token.get("card") or {}).get("network")
        known = world.private.get(token["id"], {}).get("par")
        return _reference("provider", network, known or _par(world, token["id"]))
    _checks.flag_in(call.body, "tokenised")
    number = _number(call.body)
    card = instruments.choose(method="card", card=number, vpa=None, amount=0).card or {}
    return _reference("network", card["network"], _par(world, number))


def _reference(field: str, network: str | None, par: str) -> Entity:
    if network not in _WITH_REFERENCE:
        error = refusal(
            "The card network was not able to provide card reference value for this request",
            step="card_reference_provision",
            reason="card_reference_not_found",
        )
        error.source = "gateway"
        raise error
    return {
        field: _NETWORKS.get(network, network),
        "payment_account_reference": par,
        "network_reference_id": None,
    }


ROUTES = (
    Route("POST", "/v1/tokens", create),
    Route("POST", "/v1/tokens/fetch", fetch),
    Route("POST", "/v1/tokens/delete", delete),
    Route("POST", "/v1/tokens/service_provider_tokens/token_transactional_data", transactional_data),
    Route("POST", "/v1/cards/fingerprints", reference),
)
EVENTS = tuple(EventKind(f"token.{name}", (("token",),)) for name in STATUSES.values())

"""Whether a customer may pay in parts or later (the official page on the Eligibility Check API)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks
from razorpay_hardened.emulator._route import Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "INSTRUMENTS", "ROUTES"]

INSTRUMENTS = (
    {"method": "emi", "issuer": "HDFC", "type": "debit"},
    {"method": "paylater", "provider": "getsimpl"},
    {"method": "paylater", "provider": "icic"},
    {"method": "paylater", "provider": "lazypay"},
    {"method": "cardless_emi", "provider": "walnut369"},
    {"method": "cardless_emi", "provider": "zestmoney"},
)
"""What is looked at where nobody says: the instruments of the official sample."""

_METHODS = ("emi", "paylater", "cardless_emi")
_PERSON = {"id", "contact", "ip", "referrer", "user_agent"}


def request(world: World, call: Call) -> Entity:
    """``POST /v1/customers/eligibility``. Everybody is eligible: there is no lender here."""
    body = call.body
    _checks.known_fields(body, {"inquiry", "amount", "currency", "customer", "instruments"})
    _checks.choice_in(body, "inquiry", ("affordability",), "affordability")
    amount = _checks.amount_in(body)
    _checks.currency_in(body)
    person = _checks.object_in(body, "customer")
    _checks.known_fields(person, _PERSON)
    customer: Entity = {} if person.get("id") is None else world.live("customer", person["id"])
    contact = person.get("contact") or customer.get("contact")
    if contact is None:
        raise refusal("The contact field is required", field="contact")
    check_id = world.mint("elig", contact, amount)
    said = [
        {**instrument, "eligibility_req_id": check_id, "eligibility": {"status": "eligible"}}
        for instrument in _asked(body)
    ]
    world.private[check_id].update(instruments=said, at_ms=world.clock.ms)
    shown = {"id": customer["id"].removeprefix("cust_"), "contact": str(contact)} if customer else {"contact": contact}
    return {"amount": str(amount), "customer": shown, "instruments": said}  # amount as text, as the sample has it


def _asked(body: Entity) -> list[Entity]:
    """The instruments to look at: all, or those of the methods, issuers and providers named."""
    wanted = body.get("instruments")
    if wanted is None:
        return [dict(one) for one in INSTRUMENTS]
    if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
        raise refusal("The instruments must be an array.", field="instruments")  # text: not published
    found: list[Entity] = []
    for one in wanted:
        _checks.known_fields(one, {"method", "issuers", "types", "providers"})
        method = _checks.choice_in(one, "method", _METHODS)
        field, names = ("issuer", "issuers") if method == "emi" else ("provider", "providers")
        more = {"type": "debit"} if method == "emi" else {}
        all_of_it = [known[field] for known in INSTRUMENTS if known["method"] == method]
        found += [{"method": method, field: name, **more} for name in one.get(names) or all_of_it]
    return found


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/customers/eligibility/:id``."""
    said = world.private.get(call.ids[0], {}).get("instruments")
    if said is None:
        raise refusal("The id provided does not exist")
    return {"instruments": said}


ROUTES = (
    Route("POST", "/v1/customers/eligibility", request),
    Route("GET", "/v1/customers/eligibility/:id", fetch),
)
EVENTS = ()

"""What the first digits of a card say (API reference, IIN): those of the published test cards are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks, instruments
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES"]

_CARD, _TOKEN = 6, 9


def _known() -> dict[str, Entity]:
    """Each IIN of a published card, with that card; the first card of several decides."""
    found: dict[str, Entity] = {}
    for cards in instruments.published_cards().values():
        for number, _ in cards:
            card = instruments.choose(method="card", card=number, vpa=None, amount=0).card or {}
            found.setdefault(number[:_CARD], card)
    return found


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/iins/:iin``. No card here is tokenised, so no token's IIN exists."""
    iin = call.ids[0]
    if len(iin) not in (_CARD, _TOKEN):
        kind, digits = ("card", _CARD) if len(iin) < _TOKEN else ("token", _TOKEN)
        text = f"The requested IIN is a {kind} IIN & should be {digits} digits long."
        raise refusal(text, step="NA", reason="invalid_iin_length")
    card = _known().get(iin)
    if card is None:
        raise refusal(f"IIN {iin} does not exist", source="merchant", step="NA", reason="iin_does_not_exist")
    return {
        "iin": iin,
        "entity": "iin",
        "network": card["network"],
        "type": card["type"],
        "sub_type": card["sub_type"],
        "issuer_code": "UNKNOWN",  # the published test cards have no issuer
        "issuer_name": "Unknown",
        "international": card["international"],
        "tokenised_iin": False,
        "card_iin": None,
        "emi": {"available": card["emi"]},
        "recurring": {"available": True},
        "authentication_types": [{"type": "3ds"}, {"type": "otp"}],
    }


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/iins/list``: by ``flow`` or ``sub_type``, the only values of which are ``otp`` and ``business``."""
    _checks.known_fields(call.query, {"flow", "sub_type"})
    for field, only in (("flow", "otp"), ("sub_type", "business")):
        if call.query.get(field, [only])[-1] != only:  # text: published for other fields
            raise refusal(f"The selected {field} is invalid", field=field)
    wanted = call.query.get("sub_type")
    iins = [iin for iin, card in _known().items() if wanted is None or card["sub_type"] == wanted[-1]]
    return {"count": len(iins), "iins": iins}


ROUTES = (Route("GET", "/v1/iins/list", list_all), Route("GET", "/v1/iins/:iin", fetch))
EVENTS: tuple[EventKind, ...] = ()

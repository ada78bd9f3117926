"""Cards: what is known of one that paid, and the reference numbers of any (API reference "Cards / IIN")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _sealed
from razorpay_hardened.client.resources._body import flag, said
from razorpay_hardened.client.resources._read import CARD, CARD_REFERENCE
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Card, CardReference
    from razorpay_hardened.signing.keys import Secret

__all__ = ["AsyncCards", "Cards"]


def _fetch(card_id: str) -> Ask[Card]:
    """The card of a payment (``card_…``): its network, issuer and last four digits."""
    card_id = check_id("card", card_id)
    return Ask(Call(op.CARD_FETCH, (card_id,)), CARD.echoing(id=card_id))


def _reference(
    *, number: str | Secret | None = None, tokenised: bool | None = None, token_id: str | None = None
) -> Ask[CardReference]:
    """The reference that a card keeps whatever its token: by its ``number``, or by Razorpay's token for it.

    ``tokenised`` says that the number is that of a network's token. Raises :class:`ApiBadRequest` where the network has
    no reference for the card.
    """
    if (number is None) == (token_id is None):
        raise FieldInvalid("give either number or token_id")
    if tokenised is not None and number is None:
        raise FieldInvalid("tokenised goes with a number")
    body = said(
        {
            "number": _sealed.card_number(number, "number"),
            "tokenised": flag("tokenised", tokenised),
            "token": None if token_id is None else check_id("token", token_id),
        }
    )
    return Ask(Call(op.CARD_FINGERPRINT, data=body), CARD_REFERENCE.one)


class Cards(Resource):
    """``client.cards``."""

    fetch = sync(_fetch)
    reference = sync(_reference)


class AsyncCards(AsyncResource):
    """``client.cards``, awaited."""

    fetch = awaited(_fetch)
    reference = awaited(_reference)

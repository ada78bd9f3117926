"""Cards and what is known about them (FACTS section 8, API_REFERENCE "Cards / IIN")."""

from __future__ import annotations

from typing import ClassVar, Literal

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import Flag, Kept, Loose, LooseList, Text, Texts, Whole

__all__ = ["AuthenticationType", "Available", "Card", "CardReference", "Iin", "IinList"]


class Card(Entity):
    """The card of a payment or a token. For network tokens ``last4`` is the token's, not the card's.

    ``expiry_month`` and ``expiry_year`` come as numbers or as text; ``emi`` is whether the card can pay in
    instalments.
    """

    kind: ClassVar[str] = "card"
    id: Text = None
    entity: Literal["card"] = "card"
    name: Text = None
    last4: Text = None
    network: Text = None
    type: Text = None
    issuer: Text = None
    international: Flag = None
    emi: Flag = None
    sub_type: Text = None
    iin: Text = None
    token_iin: Text = None
    expiry_month: Kept[int | str] = None
    expiry_year: Kept[int | str] = None
    flows: Kept[dict[str, bool]] = None
    cobranding_partner: Text = None


class CardReference(Entity):
    """The answer to a look-up of a card's reference numbers: the same card has the same at every merchant."""

    kind: ClassVar[str] = "card.reference"
    network: Text = None
    provider: Text = None
    payment_account_reference: Text = None
    network_reference_id: Text = None


class AuthenticationType(Detail):
    """One way to authenticate with a card: ``3ds``, ``otp``, ``otp_less_authentication`` …"""

    type: Text = None


class Available(Detail):
    """Whether something can be done with a card."""

    available: Flag = None


class Iin(Entity):
    """What the first digits of a card say: network, type, issuer, and what the card can do."""

    kind: ClassVar[str] = "iin"
    entity: Literal["iin"] = "iin"
    iin: Text = None
    network: Text = None
    type: Text = None
    sub_type: Text = None
    issuer_code: Text = None
    issuer_name: Text = None
    international: Flag = None
    tokenised_iin: Flag = None
    is_tokenized: Flag = None
    card_iin: Text = None
    emi: Loose[Available] = None
    recurring: Loose[Available] = None
    authentication_types: LooseList[AuthenticationType] = None


class IinList(Entity):
    """The IINs with a property that was asked for. Not a collection: ``iins`` are texts."""

    kind: ClassVar[str] = "iin.list"
    count: Whole = None
    iins: Texts = None

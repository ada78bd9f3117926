"""What is known about a card by its number: IINs and reference numbers (API_REFERENCE "Cards / IIN")."""

from __future__ import annotations

from typing import ClassVar, Literal

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import Flag, Loose, LooseList, Text, Texts, Whole

__all__ = ["AuthenticationType", "Available", "CardReference", "Iin", "IinList"]


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

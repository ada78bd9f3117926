"""The card of a payment or a token (FACTS section 8, API_REFERENCE "Cards / IIN")."""

from __future__ import annotations

from typing import ClassVar, Literal

from razorpay_hardened.domain.entities._base import Entity
from razorpay_hardened.domain.entities._fields import Flag, Kept, Text

__all__ = ["Card"]


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

"""The people behind a linked account (FACTS section 8, API_REFERENCE "Route linked accounts")."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import Flag, Id, Kept, Loose, Notes, NotesField, Text

__all__ = [
    "Stakeholder",
    "StakeholderAddress",
    "StakeholderAddresses",
    "StakeholderKyc",
    "StakeholderPhone",
    "StakeholderRelationship",
]


class StakeholderRelationship(Detail):
    """What the person is to the business."""

    director: Flag = None
    executive: Flag = None


class StakeholderPhone(Detail):
    """Numbers, as numbers or as text."""

    primary: Kept[int | str] = None
    secondary: Kept[int | str] = None


class StakeholderKyc(Detail):
    """The person's tax number."""

    pan: Text = None


class StakeholderAddress(Detail):
    """Where the person lives."""

    street: Text = None
    city: Text = None
    state: Text = None
    postal_code: Kept[int | str] = None
    country: Text = None


class StakeholderAddresses(Detail):
    """The person's addresses."""

    residential: Loose[StakeholderAddress] = None


class Stakeholder(Entity):
    """An owner or a director. ``percentage_ownership`` may have decimals."""

    kind: ClassVar[str] = "stakeholder"
    id: Id
    entity: Literal["stakeholder"] = "stakeholder"
    name: Text = None
    email: Text = None
    percentage_ownership: Kept[int | float] = None
    relationship: Loose[StakeholderRelationship] = None
    phone: Loose[StakeholderPhone] = None
    addresses: Loose[StakeholderAddresses] = None
    kyc: Loose[StakeholderKyc] = None
    notes: NotesField = Field(default_factory=Notes)

"""Plans and what is charged beside them (FACTS section 8, API_REFERENCE "Plans" and "Add-ons")."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Entity
from razorpay_hardened.domain.entities._fields import At, Id, Loose, Notes, NotesField, Text, Whole
from razorpay_hardened.domain.entities.item import Item
from razorpay_hardened.domain.money import Money

__all__ = ["Addon", "SubscriptionPlan"]


class SubscriptionPlan(Entity):
    """Razorpay's plan: an item, charged every ``interval`` ``period``\\ s. Plans cannot be edited or deleted.

    Not ``razorpay_hardened.Plan``, which is a price of your own catalogue.
    """

    kind: ClassVar[str] = "plan"
    id: Id
    entity: Literal["plan"] = "plan"
    interval: Whole = None
    period: Text = None
    item: Loose[Item] = None
    notes: NotesField = Field(default_factory=Notes)
    created_at: At = None

    @property
    def money(self) -> Money | None:
        """What one cycle costs per unit; None when Razorpay sent no item."""
        return self.item.money if isinstance(self.item, Item) else None


class Addon(Entity):
    """An amount charged once with a subscription's next invoice. ``invoice_id`` is null until then."""

    kind: ClassVar[str] = "addon"
    id: Id
    entity: Literal["addon"] = "addon"
    item: Loose[Item] = None
    quantity: Whole = None
    subscription_id: Text = None
    invoice_id: Text = None
    created_at: At = None

    @property
    def money(self) -> Money | None:
        """What one unit costs; None when Razorpay sent no item."""
        return self.item.money if isinstance(self.item, Item) else None

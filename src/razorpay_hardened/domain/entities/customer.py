"""Razorpay's customer (FACTS section 8, API_REFERENCE "Customers")."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Entity
from razorpay_hardened.domain.entities._fields import At, Id, Notes, NotesField, Text

__all__ = ["Customer"]


class Customer(Entity):
    """A person or a business that pays. Where Razorpay's own sample spells ``created_at`` with a space, it is kept."""

    kind: ClassVar[str] = "customer"
    id: Id
    entity: Literal["customer"] = "customer"
    name: Text = None
    email: Text = None
    contact: Text = None
    gstin: Text = None
    notes: NotesField = Field(default_factory=Notes)
    created_at: At = None

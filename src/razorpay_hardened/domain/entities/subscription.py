"""Razorpay's subscription (FACTS sections 8 and 9, API_REFERENCE "Subscriptions")."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from razorpay_hardened.domain.entities._base import Entity
from razorpay_hardened.domain.entities._fields import At, Flag, Id, Kept, Notes, NotesField, Status, Text, Whole

__all__ = ["Subscription"]


class Subscription(Entity):
    """A plan that a customer has agreed to. ``status`` is kept raw: created, authenticated, active, pending,
    halted, paused, cancelled, completed, expired, or new.

    A subscription names no amount: its plan does. ``charge_at`` is the next charge, ``current_start`` and
    ``current_end`` the cycle that was paid for.
    """

    kind: ClassVar[str] = "subscription"
    id: Id
    entity: Literal["subscription"] = "subscription"
    status: Status = None
    plan_id: Text = None
    customer_id: Text = None
    customer_email: Text = None
    quantity: Whole = None
    total_count: Whole = None
    paid_count: Whole = None
    remaining_count: Whole = None
    auth_attempts: Whole = None
    customer_notify: Kept[bool | int] = None
    current_start: At = None
    current_end: At = None
    start_at: At = None
    end_at: At = None
    ended_at: At = None
    charge_at: At = None
    expire_by: At = None
    paused_at: At = None
    pause_initiated_by: Text = None
    cancel_initiated_by: Text = None
    has_scheduled_changes: Flag = None
    change_scheduled_at: At = None
    schedule_change_at: Text = None
    offer_id: Text = None
    short_url: Text = None
    source: Text = None
    payment_method: Text = None
    type: Whole = None
    notes: NotesField = Field(default_factory=Notes)
    created_at: At = None

"""Razorpay's payment links (FACTS sections 8 and 9, API_REFERENCE "Payment Links")."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from razorpay_hardened.domain.entities._base import Detail, Priced
from razorpay_hardened.domain.entities._fields import (
    Amount,
    At,
    Flag,
    Id,
    Kept,
    Loose,
    LooseList,
    Notes,
    NotesField,
    Ref,
    Status,
    Text,
    money_or_none,
)
from razorpay_hardened.domain.money import Money

__all__ = ["LinkCustomer", "LinkNotify", "LinkPayment", "LinkReminders", "PaymentLink"]


class LinkCustomer(Detail):
    """Whom the link was made for."""

    name: Text = None
    email: Text = None
    contact: Text = None


class LinkNotify(Detail):
    """Which messages Razorpay sends."""

    sms: Flag = None
    email: Flag = None
    whatsapp: Flag = None


class LinkReminders(Detail):
    """Where the reminders stand; Razorpay sends ``[]`` where there are none."""

    status: Text = None


class LinkPayment(Detail):
    """A captured payment made through the link. ``amount`` is subunits of the link's currency."""

    amount: Amount | None = None
    method: Text = None
    payment_id: Ref = None
    plink_id: Text = None
    status: Text = None
    created_at: At = None
    updated_at: At = None


class PaymentLink(Priced):
    """A payment link. Razorpay sends no ``entity`` field; in times, 0 is "not yet".

    ``status`` is kept raw: created, partially_paid, paid, cancelled, expired, or new. ``order_id`` is there once
    somebody has tried to pay; ``upi_link`` comes as a boolean or as text.
    """

    kind: ClassVar[str] = "payment_link"
    id: Id
    status: Status = None
    amount_paid: Amount | None = None
    accept_partial: Flag = None
    first_min_partial_amount: Amount | None = None
    reference_id: Text = None
    description: Text = None
    customer: Loose[LinkCustomer] = None
    notify: Loose[LinkNotify] = None
    reminder_enable: Flag = None
    reminders: Loose[LinkReminders] = None
    callback_url: Text = None
    callback_method: Text = None
    short_url: Text = None
    upi_link: Kept[bool | str] = None
    whatsapp_link: Flag = None
    payments: LooseList[LinkPayment] = None
    order_id: Ref = None
    user_id: Text = None
    source: Text = None
    source_id: Text = None
    notes: NotesField = Field(default_factory=Notes)
    expire_by: At = None
    expired_at: At = None
    cancelled_at: At = None
    deleted_at: At = None
    created_at: At = None
    updated_at: At = None

    @property
    def paid(self) -> Money | None:
        """What has been paid; None when Razorpay did not say."""
        return money_or_none(self.amount_paid, self.currency)

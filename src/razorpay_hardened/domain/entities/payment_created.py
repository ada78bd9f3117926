"""The answer to creating a payment from a server (API_REFERENCE, recurring and addendum)."""

from __future__ import annotations

from typing import Any, ClassVar

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import Kept, LooseList, OrderIdField, PaymentIdField, Text

__all__ = ["CreatedPayment", "NextStep"]


class NextStep(Detail):
    """What the customer has to do next: ``redirect`` to a bank's page, ``otp_generate`` …"""

    action: Text = None
    url: Text = None


class CreatedPayment(Entity):
    """Ids only: the payment itself has to be fetched. Checkout's success form has the same three fields.

    ``razorpay_signature`` proves something only once it was verified (``verify_checkout``). ``next`` holds
    steps, or their bare names; ``link`` opens a UPI app; ``metadata`` tells of the card that a password is sent for.
    """

    kind: ClassVar[str] = "payment.created"
    razorpay_payment_id: PaymentIdField
    razorpay_order_id: OrderIdField | None = None
    razorpay_signature: Text = None
    next: LooseList[NextStep] = None
    link: Text = None
    metadata: Kept[dict[str, Any]] = None

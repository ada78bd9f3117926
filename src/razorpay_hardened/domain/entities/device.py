"""Point-of-sale devices: what a terminal was asked to do (FACTS appendix A)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import (
    Amount,
    Id,
    Kept,
    Loose,
    OpenCurrency,
    Ref,
    Status,
    Text,
    money_or_none,
)
from razorpay_hardened.domain.money import Money

__all__ = ["DeviceActivity", "DeviceCheckout", "DeviceError"]


class DeviceCheckout(Detail):
    """The checkout that a device shows. ``amount`` is subunits."""

    name: Text = None
    amount: Amount | None = None
    currency: OpenCurrency = None
    description: Text = None
    order_id: Ref = None
    prefill: Kept[dict[str, Any]] = None

    @property
    def money(self) -> Money | None:
        """What the customer is asked for; None when Razorpay did not say."""
        return money_or_none(self.amount, self.currency)


class DeviceError(Detail):
    """Why the device did not do it."""

    code: Text = None
    reason: Text = None
    description: Text = None


class DeviceActivity(Entity):
    """Something that a device was asked to do: ``action`` is initiate_checkout or close_checkout."""

    kind: ClassVar[str] = "device.activity"
    id: Id
    entity: Literal["device.activity"] = "device.activity"
    status: Status = None
    device_id: Text = None
    action: Text = None
    mode: Text = None
    initiate_checkout: Loose[DeviceCheckout] = None
    error: Loose[DeviceError] = None

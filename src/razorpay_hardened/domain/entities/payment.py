"""Razorpay's payment (FACTS section 8 and appendix A)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    field_serializer,
    field_validator,
    model_validator,
)

from razorpay_hardened.domain.entities._base import MoneyEntity
from razorpay_hardened.domain.entities._fields import (
    Amount,
    AsSent,
    Notes,
    NotesField,
    OrderIdField,
    PaymentIdField,
)

__all__ = ["Payment"]

_TRUTH = {"0": False, "1": True, "false": False, "true": True, 0: False, 1: True}
"""``captured`` is usually a boolean, in some of Razorpay's own samples ``"0"`` or ``"1"`` (FACTS appendix A)."""


class Payment(MoneyEntity):
    """A payment. Amounts are subunits; ``fee`` includes ``tax``, and both are null until capture.

    ``status`` is kept raw: created, authorized, captured, refunded, failed, or one that we do not know yet.
    ``captured`` is None where Razorpay did not say: unknown, so fetch; never "not captured".
    """

    kind: ClassVar[str] = "payment"
    id: PaymentIdField
    entity: Literal["payment"] = "payment"
    order_id: OrderIdField | None = None
    captured: bool | None = None
    amount_refunded: Amount | None = None
    refund_status: AsSent = None
    fee: Amount | None = None
    tax: Amount | None = None
    notes: NotesField = Field(default_factory=Notes)
    method: AsSent = None
    invoice_id: AsSent = None
    international: AsSent = None
    description: AsSent = None
    card_id: AsSent = None
    card: AsSent = None
    bank: AsSent = None
    wallet: AsSent = None
    vpa: AsSent = None
    upi: AsSent = None
    emi: AsSent = None
    email: AsSent = None
    contact: AsSent = None
    customer_id: AsSent = None
    token_id: AsSent = None
    error_code: AsSent = None
    error_description: AsSent = None
    error_source: AsSent = None
    error_step: AsSent = None
    error_reason: AsSent = None
    acquirer_data: AsSent = None
    base_amount: AsSent = None
    base_currency: AsSent = None
    amount_transferred: AsSent = None
    amount_captured: AsSent = None
    fee_bearer: AsSent = None
    offers: AsSent = None
    provider: AsSent = None
    reward: AsSent = None
    gateway_provider: AsSent = None
    terminal_id: AsSent = None
    late_authorized: AsSent = None
    service_tax: AsSent = None
    on_hold: AsSent = None
    on_hold_until: AsSent = None

    _captured_as_sent: Any = PrivateAttr(default=None)

    @property
    def refunded(self) -> int:
        """Subunits refunded so far; a null ``amount_refunded`` counts as 0."""
        return self.amount_refunded or 0

    @field_validator("captured", mode="before")
    @classmethod
    def _read_captured(cls, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        key = value.lower() if isinstance(value, str) else value
        # A float 1.0 would find the key 1: only text and integers are read.
        if isinstance(key, str | int) and key in _TRUTH:
            return _TRUTH[key]
        raise ValueError("captured must be a boolean")

    @model_validator(mode="wrap")
    @classmethod
    def _keep_captured(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        payment = handler(data)
        if isinstance(data, dict):
            payment._captured_as_sent = data.get("captured")
        return payment

    @field_serializer("captured")
    def _show_captured(self, value: bool | None) -> Any:
        # "1" goes out as "1": the snapshot that we store is what Razorpay said, not our reading of it.
        sent = self._captured_as_sent
        return value if sent is None else sent

"""Razorpay's payment (FACTS section 8 and appendix A)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import (
    Field,
    PrivateAttr,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler  # where pydantic 2.10 has it

from razorpay_hardened.domain.entities._base import Collection, MoneyEntity
from razorpay_hardened.domain.entities._fields import (
    Amount,
    AsSent,
    At,
    Flag,
    Loose,
    Notes,
    NotesField,
    OrderIdField,
    PaymentIdField,
    Text,
    Whole,
    money_or_none,
)
from razorpay_hardened.domain.entities.card import Card
from razorpay_hardened.domain.entities.payment_details import AcquirerData, EmiDetails, UpiDetails
from razorpay_hardened.domain.money import Money

__all__ = ["Payment"]

_TRUTH = {"0": False, "1": True, "false": False, "true": True, 0: False, 1: True}
"""``captured`` is usually a boolean, in some of Razorpay's own samples ``"0"`` or ``"1"`` (FACTS appendix A)."""


class Payment(MoneyEntity):
    """A payment. Amounts are subunits; ``fee`` includes ``tax``, and both are null until capture.

    ``status`` is kept raw: created, authorized, captured, refunded, failed, or one that we do not know yet.
    ``captured`` is None where Razorpay did not say: unknown, so fetch; never "not captured".
    The method's own details are in ``card``, ``upi``, ``emi``, ``bank``, ``wallet`` and ``acquirer_data``; of a bank
    transfer or a UPI transfer they are entities of their own, fetched by the payment's id.
    """

    kind: ClassVar[str] = "payment"
    id: PaymentIdField
    entity: Literal["payment"] = "payment"
    order_id: OrderIdField | None = None
    captured: bool | None = None
    amount_refunded: Amount | None = None
    refund_status: Text = None
    fee: Amount | None = None
    tax: Amount | None = None
    notes: NotesField = Field(default_factory=Notes)
    method: Text = None
    invoice_id: Text = None
    international: Flag = None
    description: Text = None
    card_id: Text = None
    card: Loose[Card] = None
    bank: Text = None
    wallet: Text = None
    vpa: Text = None
    upi: Loose[UpiDetails] = None
    emi: Loose[EmiDetails] = None
    email: Text = None
    contact: Text = None
    customer_id: Text = None
    token_id: Text = None
    error_code: Text = None
    error_description: Text = None
    error_source: Text = None
    error_step: Text = None
    error_reason: Text = None
    acquirer_data: Loose[AcquirerData] = None
    base_amount: Whole = None
    base_currency: Text = None
    amount_transferred: Whole = None
    amount_captured: Whole = None
    fee_bearer: Text = None
    offers: Loose[Collection] = None
    refunds: Loose[Collection] = None
    provider: Text = None
    reward: AsSent = None
    gateway_provider: Text = None
    terminal_id: Text = None
    late_authorized: Flag = None
    service_tax: Whole = None
    on_hold: Flag = None
    on_hold_until: At = None

    _captured_as_sent: Any = PrivateAttr(default=None)

    @property
    def refunded(self) -> int:
        """Subunits refunded so far; a null ``amount_refunded`` counts as 0."""
        return self.amount_refunded or 0

    @property
    def fee_money(self) -> Money | None:
        """What Razorpay keeps, tax included; None until capture."""
        return money_or_none(self.fee, self.currency)

    @property
    def tax_money(self) -> Money | None:
        """The tax in the fee; None until capture."""
        return money_or_none(self.tax, self.currency)

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

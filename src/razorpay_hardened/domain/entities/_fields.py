"""The field types that entities share: strict where the ledger reads, else as sent (FAULTS rule 9).

A wrong type in a field that moves money quarantines the body; a wrong type in a field that nobody here reads
must not, because the customer has paid all the same. So: ids, currency and every amount are checked, and the
rest is :data:`AsSent`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer
from pydantic_core import PydanticCustomError

from razorpay_hardened.domain.ids import OrderId, PaymentId, RefundId, is_id
from razorpay_hardened.domain.money import AMOUNT_MAX, EXPONENTS

__all__ = [
    "Amount",
    "AsSent",
    "Currency",
    "Notes",
    "NotesField",
    "OrderIdField",
    "PaymentIdField",
    "RefundIdField",
]

AsSent = Any
"""Razorpay's value, untouched and unchecked: no rule of ours depends on it."""

Amount = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MAX)]
"""Subunits. ``true``, ``100.0``, ``1e2``, ``"100"`` and anything below zero are refused."""


def _id_check(kind: str) -> AfterValidator:
    def check(value: str) -> str:
        if not is_id(kind, value):
            raise PydanticCustomError("id_malformed", "not a well-formed id")
        return value

    return AfterValidator(check)


OrderIdField = Annotated[OrderId, Field(strict=True), _id_check("order")]
PaymentIdField = Annotated[PaymentId, Field(strict=True), _id_check("payment")]
RefundIdField = Annotated[RefundId, Field(strict=True), _id_check("refund")]


def _currency(value: str) -> str:
    if value not in EXPONENTS:
        raise PydanticCustomError("currency_refused", "not a currency code that Razorpay takes")
    return value


Currency = Annotated[str, Field(strict=True), AfterValidator(_currency)]
"""Three upper-case letters from Razorpay's list; ``inr`` is refused."""


class Notes(dict[str, Any]):
    """Notes as a dict, whatever was sent: an empty map comes as ``[]`` (FACTS section 1). ``as_sent`` keeps that."""

    __slots__ = ("as_sent",)

    def __init__(self, as_sent: Any = None) -> None:
        super().__init__(as_sent if isinstance(as_sent, dict) else {})
        self.as_sent = as_sent

    def __reduce__(self) -> tuple[Any, ...]:
        return (Notes, (self.as_sent,))


def _notes(value: Any) -> Notes:
    return value if isinstance(value, Notes) else Notes(value)


NotesField = Annotated[
    Any,
    BeforeValidator(_notes),
    PlainSerializer(lambda notes: notes.as_sent if isinstance(notes, Notes) else notes),
]

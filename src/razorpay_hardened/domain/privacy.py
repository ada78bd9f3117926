"""What may stay when a person is forgotten: a list of what is kept, not of what is taken out.

Razorpay adds fields at any time, and a shop writes anything into notes: whatever is not known to be free of people is
gone. Kept are money, statuses, times and the ids that the books are kept by.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar

from razorpay_hardened.domain.state import EntityState, OrderState, PaymentState, RefundState

__all__ = ["KEPT", "forgotten", "ids_in", "impersonal", "subjects_of"]

RowT = TypeVar("RowT", OrderState, PaymentState, RefundState, EntityState)

_COMMON: Final = ("id", "entity", "amount", "currency", "status", "created_at")
_FAILURE: Final = ("error_code", "error_source", "error_step", "error_reason")

KEPT: Final[Mapping[str, frozenset[str]]] = {
    "order": frozenset(
        (*_COMMON, "amount_paid", "amount_due", "attempts", "partial_payment", "first_payment_min_amount", "offer_id")
    ),
    "payment": frozenset(
        (
            *_COMMON,
            *_FAILURE,
            *("order_id", "invoice_id", "method", "international", "captured", "late_authorized"),
            *("amount_refunded", "refund_status", "amount_captured", "amount_transferred"),
            *("fee", "tax", "service_tax", "fee_bearer", "base_amount", "base_currency"),
            *("on_hold", "on_hold_until"),
        )
    ),
    "refund": frozenset(
        (*_COMMON, "payment_id", "speed_requested", "speed_processed", "batch_id", "base_amount", "base_currency")
    ),
}
"""kind → the fields of a snapshot that stay. What fees depend on (method, international) is among them."""

_OTHERS: Final = frozenset(
    (
        *_COMMON,
        *("order_id", "payment_id", "invoice_id", "subscription_id", "plan_id", "settlement_id"),
        *("amount_paid", "amount_due", "amount_deducted", "amount_reversed", "amount_expected", "fees", "tax"),
        *("phase", "reason_code", "respond_by", "close_reason", "activation_status", "method", "severity"),
        *("paid_count", "total_count", "remaining_count", "quantity", "auth_attempts"),
        *("payments_amount_received", "payments_count_received", "attempt_count"),
        *("current_start", "current_end", "start_at", "end_at", "ended_at", "charge_at", "expire_by", "paused_at"),
        *("paid_at", "expired_at", "cancelled_at", "closed_at", "close_by", "begin", "end", "updated_at"),
    )
)
"""The same for every other kind."""

_KINDS: Final[Mapping[type, str]] = {OrderState: "order", PaymentState: "payment", RefundState: "refund"}

_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
"""A status, an id, a reason code: never a sentence, an address or a number with a plus."""
_ID: Final = re.compile(rb"(?:order|pay|rfnd)_[A-Za-z0-9]{14}")


def impersonal(kind: str, snapshot: str | None) -> str | None:
    """A snapshot (JSON) with nothing in it but what :data:`KEPT` names, and of that only numbers, flags and codes."""
    if snapshot is None:
        return None
    kept = KEPT.get(kind, _OTHERS)
    entity = json.loads(snapshot)
    return json.dumps(
        {name: value for name, value in entity.items() if name in kept and _is_plain(value)}, separators=(",", ":")
    )


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return _CODE.fullmatch(value) is not None
    return value is None or isinstance(value, (bool, int))


def forgotten(row: RowT, at: datetime) -> RowT:
    """``row`` without the person; its amounts, statuses and times are as they were. What is erased stays erased at the
    moment at which it first was."""
    return replace(row, snapshot=impersonal(_kind_of(row), row.snapshot), erased_at=row.erased_at or at)


def _kind_of(row: OrderState | PaymentState | RefundState | EntityState) -> str:
    return row.kind if isinstance(row, EntityState) else _KINDS[type(row)]


def ids_in(body: bytes) -> set[str]:
    """The orders, payments and refunds that a signed body names, wherever they stand; a torn body has them too."""
    return {found.decode("ascii") for found in _ID.findall(body)}


def subjects_of(
    orders: Iterable[OrderState],
    payments: Iterable[PaymentState],
    refunds: Iterable[RefundState] = (),
    entities: Iterable[EntityState] = (),
) -> set[str]:
    """Every name under which a legal hold on these rows may stand: order, payment, refund, entity, anchor, owner."""
    names: set[str] = set()
    for order in orders:
        names |= {order.local_id, order.owner} | ({order.order_id} if order.order_id else set())
    for payment in payments:
        names |= {payment.payment_id, payment.anchor}
    for refund in refunds:
        names |= {refund.refund_id, refund.payment_id, refund.anchor}
    for entity in entities:
        names |= {entity.entity_id, entity.anchor}
    return names

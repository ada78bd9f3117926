"""Views that several commands share: payments, and a timeline."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from razorpay_hardened.cli._app import Session
from razorpay_hardened.cli._output import Column, heading, money, note, table, utc, when, when_short
from razorpay_hardened.cli._timeline import Story
from razorpay_hardened.domain.state import PaymentState, RefundState

__all__ = ["payment_dict", "payments_table", "refund_dict", "show_story"]

_PAYMENTS = [
    Column("made"),
    Column("payment"),
    Column("order", 3),
    Column("amount", right=True),
    Column("refunded", 4, right=True),
    Column("status"),
]
_STORY = [Column("time"), Column("about"), Column("happened"), Column("because", wrap=True)]


def payments_table(payments: Iterable[PaymentState], session: Session, *, with_order: bool = True) -> None:
    """Payments for people; ``with_order`` false where they are all of one order, which stands above."""
    columns = [column for column in _PAYMENTS if with_order or column.title != "order"]
    rows = [
        (
            when(payment.created_at, session.zone),
            payment.payment_id,
            *((payment.order_id,) if with_order else ()),
            money(payment.amount, payment.currency),
            money(payment.refunded, payment.currency) if payment.refunded else "",
            f"{payment.status} (surplus)" if payment.surplus else payment.status,
        )
        for payment in payments
    ]
    table(columns, rows)


def payment_dict(payment: PaymentState) -> dict[str, Any]:
    """A payment for programs: amounts in subunits."""
    return {
        "payment_id": payment.payment_id,
        "order_id": payment.order_id,
        "amount": payment.amount,
        "currency": payment.currency,
        "status": payment.status,
        "captured": payment.captured,
        "refunded": payment.refunded,
        "surplus": payment.surplus,
        "milestones": sorted(payment.milestones),
        "created_at": utc(payment.created_at),
        "updated_at": utc(payment.updated_at),
    }


def refund_dict(refund: RefundState) -> dict[str, Any]:
    """A refund for programs."""
    return {
        "refund_id": refund.refund_id,
        "payment_id": refund.payment_id,
        "amount": refund.amount,
        "currency": refund.currency,
        "status": refund.status,
        "created_at": utc(refund.created_at),
        "updated_at": utc(refund.updated_at),
    }


def show_story(told: Story, session: Session) -> None:
    """A timeline for people."""
    heading("Timeline")
    table(_STORY, [(when_short(one.at, session.zone), one.subject, one.what, one.why) for one in told.lines])
    note(f"times in {session.zone_name}")

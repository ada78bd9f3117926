"""``payments``: what customers paid, and what was given back."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from razorpay_hardened.cli._app import Session, session_of
from razorpay_hardened.cli._lists import newest
from razorpay_hardened.cli._options import AtOption, JsonOption, LimitOption, SinceOption, UntilOption, chosen, window
from razorpay_hardened.cli._output import Column, card, heading, json_out, money, note, table, when
from razorpay_hardened.cli._past import show_past
from razorpay_hardened.cli._timeline import Story, story
from razorpay_hardened.cli._views import payment_dict, payments_table, refund_dict, show_story
from razorpay_hardened.domain.lifecycle import PAYMENT_RANK
from razorpay_hardened.domain.state import PaymentState, RefundState
from razorpay_hardened.errors import OrderUnknown

__all__ = ["app"]

app = typer.Typer(help="Payments: list them, show one with its refunds and its story.", no_args_is_help=True)

_REFUNDS = [Column("made"), Column("refund"), Column("amount", right=True), Column("status")]


@app.command("list")
def list_payments(
    context: typer.Context,
    since: SinceOption = None,
    until: UntilOption = None,
    status: Annotated[
        list[str] | None, typer.Option(help=f"Only these (repeat the option): {', '.join(PAYMENT_RANK)}.")
    ] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List the newest payments of a window (default: the last 7 days), the newest last."""
    session = session_of(context)
    begins, ends = window(since, until, session.zone, session.now(), default=timedelta(days=7))
    statuses = chosen(status, PAYMENT_RANK, option="--status")
    with session.store() as store:
        found = newest(
            lambda after, size: store.payments(since=begins, until=ends, statuses=statuses, after=after, limit=size),
            lambda payment: (payment.created_at, payment.payment_id),
            limit,
        )
    if as_json:
        json_out({"payments": [payment_dict(payment) for payment in found.rows], "total": found.total})
        return
    payments_table(found.rows, session)
    note(f"{found.words('payments')} since {when(begins, session.zone)}; times in {session.zone_name}")


@app.command()
def show(
    context: typer.Context,
    payment_id: Annotated[str, typer.Argument(metavar="PAYMENT", help="Razorpay's payment id.")],
    at: AtOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one payment: its state, its refunds, and everything that happened to it.

    Exit code 1 if its audit chain is not as it was written.
    """
    session = session_of(context)
    if at is not None:
        show_past(session, payment_id, at, "payment", as_json=as_json)
        return
    with session.store() as store:
        payment = store.payment(payment_id)
        if payment is None:
            raise OrderUnknown(f"no payment {payment_id!r} is on record here")
        refunds = store.refunds(payment_id=payment_id, limit=1000)
        about = frozenset({payment_id, *(refund.refund_id for refund in refunds)})
        told = story(store, [payment.anchor], about)
    if as_json:
        json_out(
            {
                "payment": payment_dict(payment),
                "refunds": [refund_dict(refund) for refund in refunds],
                "timeline": [line.to_dict() for line in told.lines],
                "audit": told.audit_dict(),
            }
        )
    else:
        _show(payment, refunds, told, session)
    if not told.whole:
        raise typer.Exit(1)


def _show(payment: PaymentState, refunds: list[RefundState], told: Story, session: Session) -> None:
    card(
        [
            ("payment", payment.payment_id),
            ("order", payment.order_id or "(none)"),
            ("status", payment.status),
            ("amount", money(payment.amount, payment.currency)),
            ("captured", "yes" if payment.captured else "no"),
            ("refunded", money(payment.refunded, payment.currency) if payment.refunded else ""),
            ("surplus", "yes: the order did not need it" if payment.surplus else ""),
            ("made", when(payment.created_at, session.zone)),
            ("changed", when(payment.updated_at, session.zone)),
            ("audit", told.verdict),
        ]
    )
    if refunds:
        heading("Refunds")
        rows = [
            (when(one.created_at, session.zone), one.refund_id, money(one.amount, one.currency), one.status)
            for one in refunds
        ]
        table(_REFUNDS, rows)
    show_story(told, session)

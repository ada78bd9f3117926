"""``orders``: what customers were asked to pay, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from razorpay_hardened.cli._app import Session, session_of
from razorpay_hardened.cli._hide import masked
from razorpay_hardened.cli._lists import newest
from razorpay_hardened.cli._options import (
    AppOption,
    AtOption,
    JsonOption,
    LimitOption,
    SinceOption,
    UntilOption,
    chosen,
    window,
)
from razorpay_hardened.cli._output import Column, card, heading, json_out, money, note, table, utc, when
from razorpay_hardened.cli._past import show_past
from razorpay_hardened.cli._timeline import Story, story
from razorpay_hardened.cli._views import payment_dict, payments_table, show_story
from razorpay_hardened.domain.lifecycle import ORDER_RANK
from razorpay_hardened.domain.state import OrderState, PaymentState
from razorpay_hardened.errors import OrderUnknown

__all__ = ["app"]

app = typer.Typer(help="Orders: list them, show one with all that happened to it.", no_args_is_help=True)

_COLUMNS = [
    Column("made"),
    Column("order"),
    Column("local id", 1),
    Column("owner", 3),
    Column("plan", 2),
    Column("amount", right=True),
    Column("status"),
]


@app.command("list")
def list_orders(
    context: typer.Context,
    since: SinceOption = None,
    until: UntilOption = None,
    status: Annotated[
        list[str] | None, typer.Option(help=f"Only these (repeat the option): {', '.join(ORDER_RANK)}.")
    ] = None,
    owner: Annotated[str | None, typer.Option(help="Only this owner's.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List the newest orders of a window (default: the last 7 days), the newest last."""
    session = session_of(context)
    begins, ends = window(since, until, session.zone, session.now(), default=timedelta(days=7))
    statuses = chosen(status, ORDER_RANK, option="--status")
    with session.store() as store:
        found = newest(
            lambda after, size: store.orders(
                since=begins, until=ends, statuses=statuses, owner=owner, after=after, limit=size
            ),
            lambda order: (order.created_at, order.local_id),
            limit,
        )
    if as_json:
        json_out({"orders": [order_dict(order) for order in found.rows], "total": found.total})
        return
    table(_COLUMNS, [_row(order, session) for order in found.rows])
    note(f"{found.words('orders')} since {when(begins, session.zone)}; times in {session.zone_name}")


@app.command()
def show(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="ORDER", help="Razorpay's order id, or the local id.")],
    at: AtOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one order: its state, its payments, and everything that happened to it.

    Exit code 1 if its audit chain is not as it was written.
    """
    session = session_of(context)
    if at is not None:
        show_past(session, reference, at, "order", as_json=as_json)
        return
    with session.store() as store:
        order = store.order(reference)
        if order is None:
            raise OrderUnknown(f"no order {reference!r} is on record here")
        anchors = [order.local_id, *([order.order_id] if order.order_id else [])]
        payments = [one for anchor in anchors for one in store.payments(anchor=anchor, limit=1000)]
        told = story(store, anchors)
    if as_json:
        json_out(
            {
                "order": order_dict(order),
                "payments": [payment_dict(payment) for payment in payments],
                "timeline": [line.to_dict() for line in told.lines],
                "audit": told.audit_dict(),
            }
        )
    else:
        _show(order, payments, told, session)
    if not told.whole:
        raise typer.Exit(1)


@app.command()
def reopen(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="ORDER", help="Razorpay's order id, or the local id.")],
    app: AppOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a closed order after all; if it was paid meanwhile, its handlers are called now. Needs --app.

    Refused where its money was given back, or is about to be.
    """
    session = session_of(context)
    with session.application(app, "orders reopen") as rzp:
        order = rzp.checkout.reopen(reference)
    if as_json:
        json_out({"order": order_dict(order)})
    else:
        note(f"order {order.order_id or order.local_id} is open, and {order.status}")


def order_dict(order: OrderState) -> dict[str, Any]:
    """An order for programs."""
    return {
        "local_id": order.local_id,
        "order_id": order.order_id,
        "owner": masked(order.owner),
        "plan": order.plan,
        "amount": order.amount,
        "currency": order.currency,
        "status": order.status,
        "partial_payment": order.partial_payment,
        "attempts": order.attempts,
        "created_at": utc(order.created_at),
        "updated_at": utc(order.updated_at),
        "closed_at": utc(order.closed_at),
    }


def _row(order: OrderState, session: Session) -> tuple[object, ...]:
    amount = money(order.amount, order.currency)
    made = when(order.created_at, session.zone)
    return made, order.order_id or order.local_id, order.local_id, masked(order.owner), order.plan, amount, order.status


def _show(order: OrderState, payments: list[PaymentState], told: Story, session: Session) -> None:
    card(
        [
            ("order", order.order_id or "(not known at Razorpay)"),
            ("local id", order.local_id),
            ("status", order.status),
            ("amount", money(order.amount, order.currency) + (" (in parts)" if order.partial_payment else "")),
            ("owner", masked(order.owner)),
            ("plan", order.plan),
            ("made", when(order.created_at, session.zone)),
            ("changed", when(order.updated_at, session.zone)),
            ("closed", when(order.closed_at, session.zone)),
            ("audit", told.verdict),
        ]
    )
    if payments:
        heading("Payments")
        payments_table(payments, session, with_order=False)
    show_story(told, session)

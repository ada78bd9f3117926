"""Money that no order needs: given back by policy, or taken after all.

A surplus is a second payment of an order; a late payment came after we had closed it. Giving back is a task of a
worker's, with a key that a repetition meets again. Taking it after all (``reopen``) and giving it back exclude each
other: both decide under the order's lock.
"""

from __future__ import annotations

from typing import Final

from razorpay_hardened.checkout._base import Tools
from razorpay_hardened.checkout.refund import intend, send
from razorpay_hardened.domain.events import payment_fact
from razorpay_hardened.domain.facts import Cause, OrderReopened
from razorpay_hardened.domain.ids import PaymentId, payment_id
from razorpay_hardened.domain.state import OrderState
from razorpay_hardened.errors import OverRefund, TransitionRefused
from razorpay_hardened.ledger import Applied
from razorpay_hardened.ports.store import EffectRow, Touches, Transaction
from razorpay_hardened.ports.unit import transact

__all__ = ["LATE", "SURPLUS", "give_back", "reopen"]

SURPLUS: Final = "payment.surplus"
LATE: Final = "payment.late"


class _NotAnyMore(Exception):
    """Never leaves this module: the order was opened again."""


def give_back(tools: Tools, row: EffectRow) -> None:
    """Refund all that is left of the payment that ``row`` is about.

    Razorpay is asked first: it gives back late money of a paid order by itself (FACTS section 9). What it refuses, for
    want of balance for one, is asked again later, with another key. Raises :class:`ApiError`, :class:`StorageError`,
    :class:`TransitionRefused` where the payment is not captured.
    """
    payment = payment_id(row.entity_id)
    tools.apply(payment_fact(tools.gateway().payments.fetch(payment)), source="api", actor="give_back", durable=True)
    refused = _refused_before(tools, payment)
    key = f"{'late' if row.milestone == LATE else 'surplus'}_{payment}" + (f"_{refused}" if refused else "")

    def still_wanted(tx: Transaction) -> None:
        if row.milestone == LATE and _is_open(tx, row.anchor):
            raise _NotAnyMore

    try:
        intent = intend(tools, payment, None, key, allow=still_wanted)
    except (_NotAnyMore, OverRefund):
        return  # somebody wants it after all; or it has gone back, or is on its way
    if intent.state == "open":
        send(tools, intent)


def _refused_before(tools: Tools, payment: PaymentId) -> int:
    """How many refunds of the payment Razorpay has refused: a key that was refused is used up."""
    return transact(tools.store, lambda tx: sum(1 for one in tx.intents(payment) if one.state == "refused"))


def _is_open(tx: Transaction, anchor: str) -> bool:
    orders = tx.load(Touches((anchor,))).orders.values()
    return any(order.order_id == anchor and order.closed_at is None for order in orders)


def reopen(tools: Tools, reference: str) -> OrderState:
    """See :meth:`Checkout.reopen`."""
    held = tools.order(reference)
    payments = _payments_of(tools, held)
    cause = Cause("local", tools.clock.now(), "reopen")

    def work(tx: Transaction) -> Applied:
        anchors = tuple(sorted({held.local_id, held.order_id or held.local_id}))
        rows = tx.load(Touches(anchors, (held.local_id,), payments)).payments.values()
        if any(row.refunded for row in rows) or any(_asked(tx, one) for one in payments):
            raise TransitionRefused("money of this order was given back, or is about to be: sell it anew")
        return tools.ledger.apply(tx, OrderReopened(held.local_id), cause=cause, inline=tools.inline)

    applied = transact(tools.store, work)
    tools.store.after_commit(lambda: applied.announce(tools.bus))
    return applied.orders[held.local_id]


def _payments_of(tools: Tools, order: OrderState) -> tuple[str, ...]:
    if order.order_id is None:
        return ()
    return tuple(sorted(row.payment_id for row in tools.store.payments(anchor=order.order_id)))


def _asked(tx: Transaction, payment: str) -> bool:
    return any(intent.state != "refused" for intent in tx.intents(payment))

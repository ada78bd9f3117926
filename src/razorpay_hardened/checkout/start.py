"""Starting: our own order is durable before Razorpay is asked for one.

Whatever happens to the request, the row says that it was made, and its receipt (made of the local id) finds what became
of it: ``outcome_unknown`` and ``remote_failed`` are states, not log lines (DESIGN section 2, idea 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from razorpay_hardened.checkout._base import CheckoutOrder, Tools, check_owner, local_id_for, new_local_id
from razorpay_hardened.domain.entities import Order
from razorpay_hardened.domain.events import order_fact
from razorpay_hardened.domain.facts import OrderAsked, OrderRegistered, OrderSetback
from razorpay_hardened.domain.ids import order_id as checked_order_id
from razorpay_hardened.domain.money import Money
from razorpay_hardened.domain.ours import FOREIGN
from razorpay_hardened.domain.plans import Plan
from razorpay_hardened.domain.state import OrderState
from razorpay_hardened.errors import (
    AmountMismatch,
    ApiError,
    FieldInvalid,
    OrderMismatch,
    OutcomeUnknown,
    OwnershipMismatch,
)
from razorpay_hardened.ports.store import After, InboxRow
from razorpay_hardened.ports.unit import transact

_PAGE: Final = 100

__all__ = ["adopt", "register", "start"]


def start(
    tools: Tools,
    owner: str,
    plan: str | None,
    amount: Money | None,
    key: str | None,
    notes: Mapping[str, str] | None,
) -> CheckoutOrder:
    """See :meth:`Checkout.start`."""
    wanted = _wanted(tools, plan, amount)
    marked = notes if tools.ours is None else tools.ours.marked(notes)
    local_id = new_local_id() if key is None else local_id_for("start", check_owner(owner), key)
    again = key is not None and tools.store.order(local_id) is not None
    held = _asked(tools, check_owner(owner), wanted, plan, local_id)
    if held.order_id is None and again:
        held = _look_first(tools, held)
    if held.order_id is None:
        held = _ask_razorpay(tools, held, marked)
    return CheckoutOrder(held, tools.key_id, {} if tools.ours is None else dict(tools.ours.notes))


def _wanted(tools: Tools, plan: str | None, amount: Money | None) -> Plan:
    if (plan is None) == (amount is None):
        raise FieldInvalid("give a plan or an amount: one of the two")
    if plan is not None:
        return tools.plans[plan]
    assert amount is not None
    return Plan("", amount.require_payable())


def _asked(tools: Tools, owner: str, wanted: Plan, plan: str | None, local_id: str) -> OrderState:
    """The local row: made now, or by an earlier call with the same key."""
    asked = OrderAsked(
        local_id=local_id,
        owner=owner,
        amount=wanted.amount.subunits,
        currency=wanted.amount.currency,
        receipt=local_id if tools.ours is None else tools.ours.receipt_for(local_id),
        plan=plan,
        partial_payment=wanted.partial_payment,
    )
    held = tools.apply(asked, source="checkout", actor=owner, durable=True).orders[local_id]
    if (held.owner, held.plan, held.money) != (owner, plan, wanted.amount):
        raise FieldInvalid("this key was used to start something else: use a new key for a new purchase")
    return held


def _look_first(tools: Tools, held: OrderState) -> OrderState:
    """An earlier call may have reached Razorpay, and died before it noted the answer: never ask twice blindly."""
    found = tools.gateway().orders.find_by_receipt(held.receipt)
    return held if found is None else register(tools, held, found, source="api")


def _ask_razorpay(tools: Tools, held: OrderState, notes: Mapping[str, str] | None) -> OrderState:
    if held.status in ("outcome_unknown", "remote_failed"):
        tools.apply(OrderSetback(held.local_id, "pending", "asked again"), source="checkout", durable=True)
    try:
        order = tools.gateway().orders.create(
            amount=held.money, receipt=held.receipt, notes=notes, partial_payment=held.partial_payment
        )
    except ApiError as error:
        _set_back(tools, held, error)
    try:
        return register(tools, held, order, source="api")
    except OrderMismatch:
        # A double click: the other request was first, and its order is the one to pay. This one stays unpaid.
        return tools.order(held.local_id)


def _set_back(tools: Tools, held: OrderState, error: ApiError) -> NoReturn:
    """Record how the request ended, then let the caller know."""
    status = "outcome_unknown" if isinstance(error, OutcomeUnknown) else "remote_failed"
    tools.apply(OrderSetback(held.local_id, status, error.code), source="api")
    raise error


def register(tools: Tools, held: OrderState, order: Order, *, source: str) -> OrderState:
    """Razorpay's order is known: bind it, and drain what was parked for it, in one transaction."""
    facts = (OrderRegistered(held.local_id, order.id), order_fact(order))
    return tools.apply(*facts, source=source).orders[held.local_id]


def adopt(
    tools: Tools, order_id: str, owner: str, amount: Money, plan: str | None, receipt: str | None, partial: bool
) -> OrderState:
    """See :meth:`Checkout.adopt`."""
    checked = checked_order_id(order_id)
    owner = check_owner(owner)
    local_id = local_id_for("adopt", checked)
    asked = OrderAsked(
        local_id=local_id,
        owner=owner,
        amount=amount.require_payable().subunits,
        currency=amount.currency,
        receipt=receipt or local_id,
        plan=plan,
        partial_payment=partial,
        order_id=checked,
    )
    held = tools.store.order(checked)
    if held is None:
        held = tools.apply(asked, source="checkout", actor=owner).orders[local_id]
    if held.owner != owner:
        raise OwnershipMismatch
    if held.money != amount:
        raise AmountMismatch("the order is on record with another amount")
    if tools.ours is not None:
        # After the commit, the outermost one: see Webhooks._look_again, which looks for the order after its own.
        tools.store.after_commit(lambda: _take_back(tools, checked))
        held = tools.store.order(checked) or held
    return held


def _take_back(tools: Tools, order_id: str) -> None:
    """Apply what had come of this order while the rule took it for another application's."""
    after: After | None = None
    while rows := tools.store.deliveries(states=("ignored",), anchor=order_id, after=after, limit=_PAGE):
        for row in rows:
            if row.reason == FOREIGN and row.erased_at is None:
                _apply_foreign(tools, order_id, row)
        after = (rows[-1].received_at, rows[-1].digest)


def _apply_foreign(tools: Tools, order_id: str, row: InboxRow) -> None:
    applied = transact(tools.store, lambda tx: tools.ledger.take_back(tx, row, order_id, inline=tools.inline))
    applied.announce(tools.bus)

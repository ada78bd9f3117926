"""``rzp.checkout``: the calls, in the order in which a shop makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from razorpay_hardened.checkout import confirm as _confirm
from razorpay_hardened.checkout import refund as _refund
from razorpay_hardened.checkout import start as _start
from razorpay_hardened.checkout._base import CheckoutOrder, Tools
from razorpay_hardened.checkout.confirm import Confirmation, Form
from razorpay_hardened.checkout.late import reopen
from razorpay_hardened.checkout.sweep import Swept, sweep
from razorpay_hardened.domain.facts import OrderClosed
from razorpay_hardened.domain.money import Money
from razorpay_hardened.domain.state import OrderState, RefundState

__all__ = ["Checkout"]


class Checkout:
    """From "I want to buy" to money, and back. Every call may be repeated."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def start(
        self,
        *,
        owner: str,
        plan: str | None = None,
        amount: Money | None = None,
        key: str | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> CheckoutOrder:
        """An order to pay: ours first, then Razorpay's. ``.options`` is what checkout.js needs.

        ``plan`` names a plan of the catalogue, or ``amount`` says how much. With ``key`` (yours, such as the cart's
        id) a repeated call, a double click or a retry after an error goes on with the same order.

        Raises:
            OwnerRequired, PlanUnknown, FieldInvalid, AmountError: nothing was stored.
            OutcomeUnknown: Razorpay may have the order; it is stored as ``outcome_unknown``, and :meth:`sweep` settles
                it. Call again with the same ``key``, or show a page that asks to try again.
            ApiError: Razorpay does not have it; stored as ``remote_failed``.
            StorageError: nothing was stored.
        """
        return _start.start(self._tools, owner, plan, amount, key, notes)

    def confirm(self, form: Form, *, owner: str, order: str | None = None) -> Confirmation:
        """What the browser brought back: verified, bound to the owner's order, checked at Razorpay, applied.

        ``order`` is the order that this customer was paying, by local or Razorpay id, if your session knows it. The
        same form may come any number of times. Fulfil in an ``order.paid`` handler, not after this call.

        Raises :class:`FormMalformed`, :class:`IdMalformed`, :class:`SignatureError` (answer 400),
        :class:`OwnershipMismatch`, :class:`OrderMismatch` (403), :class:`OrderUnknown` (404), :class:`AmountMismatch`,
        :class:`CurrencyMismatch` (409): ``checkout.http_status(error)`` says which.
        """
        return _confirm.confirm(self._tools, form, owner, order)

    def adopt(
        self,
        order_id: str,
        *,
        owner: str,
        amount: Money,
        plan: str | None = None,
        receipt: str | None = None,
        partial_payment: bool = False,
    ) -> OrderState:
        """Take in an order that was made elsewhere (a payment link, an existing shop). What was parked for it is
        applied in the same transaction. Idempotent; raises :class:`OwnershipMismatch` or :class:`AmountMismatch` when
        it is on record differently.
        """
        return _start.adopt(self._tools, order_id, owner, amount, plan, receipt, partial_payment)

    def refund(
        self,
        payment: str,
        amount: Money | None = None,
        *,
        key: str | None = None,
        speed: str | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> RefundState:
        """Give money back: ``amount``, or all that is left. With the same ``key`` it happens once.

        Raises :class:`OverRefund` or :class:`TransitionRefused` before anything is sent, :class:`OutcomeUnknown` when
        it may have happened (stored; :meth:`sweep` finishes it with the same key), :class:`IdempotencyConflict` when
        the key was used for something else, :class:`OrderUnknown` for a payment that is not on record.
        """
        return _refund.refund(self._tools, payment, amount, key, speed, notes)

    def status(self, order: str) -> OrderState:
        """Our order by its local id or Razorpay's. Raises :class:`OrderUnknown`."""
        return self._tools.order(order)

    def close(self, order: str) -> OrderState:
        """We no longer want this order paid. Its status stays what it is.

        Money that still comes raises an alarm and fires ``payment.late``; the setting ``paid_late`` says whether
        ``order.paid`` fires, too, the money goes back, or a person decides: with :meth:`reopen` or :meth:`refund`.
        """
        held = self._tools.order(order)
        applied = self._tools.apply(OrderClosed(held.local_id), source="local")
        return applied.orders[held.local_id]

    def reopen(self, order: str) -> OrderState:
        """We want a closed order after all: if it was paid meanwhile, ``order.paid`` fires now. Idempotent.

        Raises :class:`TransitionRefused` where money of it was given back or is about to be, :class:`OrderUnknown`.
        """
        return reopen(self._tools, order)

    def sweep(self, *, limit: int = 100, stop: Callable[[], bool] | None = None) -> Swept:
        """Finish what a crash or an unknown outcome left open: orders by their receipt, refunds by their key.

        Call it every minute or so, from a scheduler; several processes may. Nothing more is begun once ``stop()`` is
        true. Raises :class:`StorageError`.
        """
        return sweep(self._tools, limit, stop)

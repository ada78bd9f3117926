"""Confirming: what the customer's browser brings back from the payment page.

The order of the checks is the specification's (FAULTS rule 6): shape of the form → kinds of ids → our order and its
owner → the stored order id → the tag over the STORED order id → amount, currency and status at Razorpay → the ledger.
The tag proves that a payment was authorised, not that it was captured (FACTS section 11).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn, TypeAlias

from razorpay_hardened.checkout._base import Tools, check_owner
from razorpay_hardened.domain.entities import Payment
from razorpay_hardened.domain.events import payment_fact
from razorpay_hardened.domain.facts import Cause
from razorpay_hardened.domain.ids import is_id
from razorpay_hardened.domain.ids import order_id as checked_order_id
from razorpay_hardened.domain.ids import payment_id as checked_payment_id
from razorpay_hardened.domain.state import OrderState
from razorpay_hardened.errors import (
    AmountMismatch,
    ApiError,
    BindingError,
    CurrencyMismatch,
    FieldInvalid,
    FormMalformed,
    OrderBindingMissing,
    OrderMismatch,
    OrderUnknown,
    OutcomeUnknown,
    OwnershipMismatch,
    PlanUnknown,
    RazorpayHardenedError,
    SignatureError,
    SignatureMissing,
    StorageError,
)
from razorpay_hardened.ports.unit import transact
from razorpay_hardened.signing import verify_checkout

__all__ = ["Confirmation", "Form", "confirm", "http_status"]

Form: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]
"""A plain mapping, a framework's multi-dict (``getlist``), or pairs as :meth:`web.Request.form` gives them."""

Outcome: TypeAlias = Literal["paid", "authorized", "not_paid", "pending"]

_ORDER: Final = "razorpay_order_id"
_PAYMENT: Final = "razorpay_payment_id"
_SIGNATURE: Final = "razorpay_signature"
_FIELD_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is known of the payment now.

    ``paid``: captured, and every inline effect has run. ``authorized``: not captured yet, so do not fulfil.
    ``not_paid``: it failed, or the customer came back without paying. ``pending``: Razorpay could not be asked, or an
    effect waits; the webhook, a retry or reconciliation settles it. ``reason`` is a code, never text to show.
    """

    outcome: Outcome
    order: OrderState | None
    payment_id: str | None = None
    reason: str | None = None

    @property
    def http_status(self) -> int:
        """What the browser is answered: 202 while it is not settled, else 200."""
        return 202 if self.outcome == "pending" else 200


def http_status(error: RazorpayHardenedError) -> int:
    """What the browser is answered for an error of :meth:`Checkout.confirm` (FAULTS rule 6) or :meth:`Checkout.start`:
    503 where trying again may help, 500 where somebody of ours must look.
    """
    if isinstance(error, (OrderUnknown, PlanUnknown)):
        return 404
    if isinstance(error, BindingError):
        return 403
    if isinstance(error, (AmountMismatch, CurrencyMismatch)):
        return 409
    if isinstance(error, (FormMalformed, FieldInvalid, SignatureError)):
        return 400
    return 503 if error.retryable or isinstance(error, (StorageError, OutcomeUnknown)) else 500


def confirm(tools: Tools, form: Form, owner: str, order: str | None) -> Confirmation:
    """See :meth:`Checkout.confirm`."""
    owner = check_owner(owner)
    pairs = _pairs(form)
    fields = _fields(pairs)
    if fields is None:
        return _returned(tools, pairs, owner, order)
    posted_order, posted_payment, signature = fields
    checked_order_id(posted_order)
    payment_id = checked_payment_id(posted_payment)
    held = tools.order(order if order is not None else posted_order)
    if held.owner != owner:
        _refuse(tools, held, OwnershipMismatch())
    if held.order_id is None:
        raise OrderBindingMissing
    if held.order_id != posted_order:
        _refuse(tools, held, OrderMismatch("the form is about another order"))
    verify_checkout(order_id=held.order_id, payment_id=payment_id, signature=signature, secret=tools.key_secret)
    try:
        payment = tools.gateway().payments.fetch(payment_id)
    except ApiError as error:
        return Confirmation("pending", held, payment_id, error.code)
    return _settle(tools, held, payment)


def _returned(tools: Tools, pairs: list[tuple[str, Any]], owner: str, order: str | None) -> Confirmation:
    """The customer came back without paying, as the form says, which anybody can write: it is noted, if it is about an
    order of this customer's, and changes nothing."""
    reason = "customer_returned_without_paying"
    named = order if order is not None else _order_in(pairs)
    held = None if named is None else tools.store.order(named)
    if held is None or held.owner != owner:
        return Confirmation("not_paid", None, reason=reason)
    anchor = held.order_id or held.local_id
    cause = Cause("checkout", tools.clock.now(), "browser")
    transact(tools.store, lambda tx: tools.ledger.attempted(tx, anchor, reason, cause=cause))
    return Confirmation("not_paid", held, reason=reason)


def _settle(tools: Tools, held: OrderState, payment: Payment) -> Confirmation:
    if payment.order_id != held.order_id:
        _refuse(tools, held, OrderMismatch("Razorpay has the payment under another order"))
    try:
        applied = tools.apply(payment_fact(payment), source="checkout", actor=held.owner)
    except (AmountMismatch, CurrencyMismatch) as error:
        tools.bus.alarm(f"confirm:{payment.id}", error.code, payment.id)
        _refuse(tools, held, error)
    order = applied.orders[held.local_id]
    now = applied.payments[payment.id]
    waits = [attempt for attempt in applied.attempts if attempt.state == "waiting"]
    if waits:
        return Confirmation("pending", order, payment.id, "paused" if applied.paused else "effect_waits")
    if now.captured:
        return Confirmation("paid", order, payment.id)
    if now.status == "authorized":
        return Confirmation("authorized", order, payment.id)
    return Confirmation("not_paid", order, payment.id, now.status)


def _refuse(tools: Tools, held: OrderState, error: RazorpayHardenedError) -> NoReturn:
    """Put the refusal on the order's record, then raise it."""
    cause = Cause("checkout", tools.clock.now(), "browser")
    anchor = held.order_id or held.local_id
    transact(tools.store, lambda tx: tools.ledger.refused(tx, anchor, "order", anchor, error.code, cause=cause))
    raise error


# --- the form -------------------------------------------------------------------------------------------------


def _fields(pairs: list[tuple[str, Any]]) -> tuple[str, str, str] | None:
    """The three fields, each exactly once; None for a form that says that nothing was paid.

    Nothing else in the form is ever read: no secret, no amount, no status (FAULTS section 7).
    """
    if any(name.startswith("error[") or name == "error" for name, _ in pairs) and not any(
        name == _SIGNATURE for name, _ in pairs
    ):
        return None
    return _one(pairs, _ORDER), _one(pairs, _PAYMENT), _one(pairs, _SIGNATURE)


def _order_in(pairs: list[tuple[str, Any]]) -> str | None:
    """The order that a failure form names: in a field, or in Razorpay's ``error[metadata]`` (FACTS section 11)."""
    told = dict(pairs)
    named = told.get(_ORDER)
    if named is None:
        try:
            metadata = json.loads(str(told.get("error[metadata]", ""))[:_FIELD_MAX])
        except ValueError:
            return None
        named = metadata.get("order_id") if isinstance(metadata, dict) else None
    return str(named) if is_id("order", named) else None


def _pairs(form: Form) -> list[tuple[str, Any]]:
    getlist = getattr(form, "getlist", None)
    if callable(getlist) and isinstance(form, Mapping):
        return [(str(name), value) for name in form for value in getlist(name)]
    if isinstance(form, Mapping):
        return [(str(name), value) for name, value in form.items()]
    return [(str(name), value) for name, value in form]


def _one(pairs: list[tuple[str, Any]], name: str) -> str:
    values = [value for key, value in pairs if key == name or key.startswith(f"{name}[")]
    if not values:
        raise SignatureMissing if name == _SIGNATURE else FormMalformed
    if len(values) > 1 or not isinstance(values[0], str) or len(values[0]) > _FIELD_MAX:
        raise FormMalformed
    if any(key.startswith(f"{name}[") for key, _ in pairs):
        raise FormMalformed
    return values[0]

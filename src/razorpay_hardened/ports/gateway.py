"""Razorpay's API, as far as checkout and reconciliation call it. ``client.Client`` has this shape; so may your double.

What every implementation promises (FAULTS rules 12 and 13):

- Each call ends within its total deadline, and raises nothing but our errors.
- A read that raises a retryable :class:`ApiError` may be made again.
- A write raises :class:`OutcomeUnknown` when it may have been carried out. Never repeat it blindly: look the order up
  by its receipt, fetch the payment, or repeat the refund with ``OutcomeUnknown.idempotency_key``.
- Answers echo the ids and amounts that were asked, or are an :class:`ApiResponseError`.
- A malformed id is :class:`IdMalformed`, and nothing is sent.

Times are aware ``datetime`` values or Unix seconds; amounts are :class:`Money`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Order, Payment, Refund
    from razorpay_hardened.domain.money import Money

__all__ = ["Gateway", "Moment", "OrderGateway", "Page", "PaymentGateway", "RefundGateway"]

Moment: TypeAlias = datetime | int
"""A point in time for a listing's window: an aware ``datetime``, or Unix seconds."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing. ``has_more`` is a guess from its length: Razorpay tells no total (FACTS section 13)."""

    items: tuple[T, ...]
    has_more: bool


class OrderGateway(Protocol):
    """Orders at Razorpay."""

    def create(
        self,
        *,
        amount: Money,
        receipt: str | None = None,
        notes: Mapping[str, str] | None = None,
        partial_payment: bool = False,
        first_payment_min_amount: int | None = None,
        capture: bool | None = None,
        unique_receipt: bool = False,
    ) -> Order:
        """A new order, or the one that an earlier unanswered request with this receipt made.

        Raises :class:`OutcomeUnknown` (with ``receipt``) when it may exist; without a receipt nothing is retried.
        """
        ...

    def fetch(self, order_id: str) -> Order:
        """The order as Razorpay has it now."""
        ...

    def list(
        self,
        *,
        from_: Moment | None = None,
        to: Moment | None = None,
        count: int = 100,
        skip: int = 0,
        receipt: str | None = None,
    ) -> Page[Order]:
        """One page, newest first as far as anybody has seen (FACTS section 13); ``count`` is 1 to 100."""
        ...

    def iter(
        self,
        *,
        from_: Moment | None = None,
        to: Moment | None = None,
        count: int = 100,
        receipt: str | None = None,
    ) -> Iterator[Order]:
        """Every order in the window, page by page, each id once; one that does not advance is ReconcileStalled."""
        ...

    def find_by_receipt(self, receipt: str) -> Order | None:
        """The oldest order whose receipt equals ``receipt``, or None. Listings may lag by minutes (FACTS section 4)."""
        ...

    def payments(self, order_id: str) -> tuple[Payment, ...]:
        """Every payment that was attempted for the order."""
        ...


class PaymentGateway(Protocol):
    """Payments at Razorpay."""

    def fetch(self, payment_id: str) -> Payment:
        """The payment as Razorpay has it now."""
        ...

    def list(
        self, *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, skip: int = 0
    ) -> Page[Payment]:
        """One page; see :meth:`OrderGateway.list`."""
        ...

    def iter(self, *, from_: Moment | None = None, to: Moment | None = None, count: int = 100) -> Iterator[Payment]:
        """Every payment in the window; see :meth:`OrderGateway.iter`."""
        ...

    def capture(self, payment_id: str, amount: Money) -> Payment:
        """The captured payment: by this call, or by one whose answer was lost. A fetch settles every doubt.

        Raises :class:`AmountMismatch` when it was captured with another amount.
        """
        ...

    def refunds(self, payment_id: str) -> tuple[Refund, ...]:
        """Every refund of the payment."""
        ...

    def refund(
        self,
        payment_id: str,
        amount: Money | None = None,
        *,
        speed: str | None = None,
        notes: Mapping[str, str] | None = None,
        receipt: str | None = None,
        idempotency_key: str | None = None,
    ) -> Refund:
        """A refund of ``amount``, or of all that is left. Repeating it with the same key never refunds twice.

        Raises :class:`OutcomeUnknown` with the key; :class:`IdempotencyConflict` when it was used for another request.
        """
        ...


class RefundGateway(Protocol):
    """Refunds at Razorpay."""

    def fetch(self, refund_id: str) -> Refund:
        """The refund as Razorpay has it now."""
        ...

    def list(
        self, *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, skip: int = 0
    ) -> Page[Refund]:
        """One page; see :meth:`OrderGateway.list`."""
        ...

    def iter(self, *, from_: Moment | None = None, to: Moment | None = None, count: int = 100) -> Iterator[Refund]:
        """Every refund in the window; see :meth:`OrderGateway.iter`."""
        ...


class Gateway(Protocol):
    """The API: three resources. Thread-safe, usable after fork."""

    @property
    def orders(self) -> OrderGateway:
        """Orders."""
        ...

    @property
    def payments(self) -> PaymentGateway:
        """Payments."""
        ...

    @property
    def refunds(self) -> RefundGateway:
        """Refunds."""
        ...

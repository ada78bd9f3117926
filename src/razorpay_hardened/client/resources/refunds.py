"""Refunds, as they are found; they are made at their payment (``payments.refund``), the documented path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._checks import check_count, check_skip, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources._listing import iterate, one_page
from razorpay_hardened.domain.ids import refund_id as check_refund_id

if TYPE_CHECKING:
    from razorpay_hardened.client._caller import Caller
    from razorpay_hardened.domain.entities import Refund
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["Refunds"]


class Refunds:
    """``client.refunds``."""

    __slots__ = ("_caller",)

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def fetch(self, refund_id: str) -> Refund:
        """The refund as Razorpay has it now."""
        refund_id = check_refund_id(refund_id)

        def parse(answer: Any) -> Refund:
            refund = read.refund(answer)
            read.echo("id", refund.id, refund_id)
            return refund

        return self._caller.read(Call(op.REFUND_FETCH, (refund_id,)), parse)

    def list(
        self, *, from_: Moment | None = None, to: Moment | None = None, count: int = 100, skip: int = 0
    ) -> Page[Refund]:
        """One page of refunds created in the window."""
        query = {**window(from_, to), "count": check_count(count), "skip": check_skip(skip)}
        return one_page(self._caller, op.REFUND_LIST, (), query, read.refunds)

    def iter(self, *, from_: Moment | None = None, to: Moment | None = None, count: int = 100) -> Iterator[Refund]:
        """Every refund in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
        check_count(count)
        return iterate(lambda skip: self.list(from_=from_, to=to, count=count, skip=skip), count)

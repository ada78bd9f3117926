"""Two small records that the world keeps beside its entities."""

from __future__ import annotations

from razorpay_hardened.emulator.wire import Entity

__all__ = ["IdempotentRefund", "Terms"]


class Terms:
    """What an order said about its payments and does not show again: capture and partial payment.

    ``auto_until_s`` and ``window_s`` count from a payment's creation: until then it is captured by itself, and
    after ``window_s`` it is refunded if nobody captured it.
    """

    __slots__ = ("auto", "auto_until_s", "first_minimum", "partial", "window_s")

    def __init__(
        self, *, auto: bool, auto_until_s: int, window_s: int, partial: bool = False, first_minimum: int | None = None
    ) -> None:
        self.auto = auto
        self.auto_until_s = auto_until_s
        self.window_s = window_s
        self.partial = partial
        self.first_minimum = first_minimum


class IdempotentRefund:
    """The first answer to a refund key: given again to the same request, refused to another."""

    __slots__ = ("answer", "body", "payment_id")

    def __init__(self, payment_id: str, body: str, answer: Entity) -> None:
        self.payment_id = payment_id
        self.body = body
        self.answer = answer

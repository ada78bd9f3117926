"""Two small records that the world keeps beside its entities."""

from __future__ import annotations

from razorpay_hardened.emulator.wire import Entity

__all__ = ["IdempotentAnswer", "Terms"]


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


class IdempotentAnswer:
    """The first answer to an idempotency key: given again to the same request, refused to another."""

    __slots__ = ("answer", "at_ms", "request")

    def __init__(self, request: str, answer: Entity, at_ms: int) -> None:
        self.request = request
        self.answer = answer
        self.at_ms = at_ms

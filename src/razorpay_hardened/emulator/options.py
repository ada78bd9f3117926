"""What differs between accounts, and what nobody has confirmed: settings of the emulated account."""

from __future__ import annotations

from typing import NamedTuple

from razorpay_hardened.domain.money import AMOUNT_MAX

__all__ = ["Options"]

_DAY_S = 86_400


class Options(NamedTuple):
    """The account's settings. Where the documentation is silent, the default is the more dangerous reading."""

    auto_capture: bool = True
    """Whether the account captures what is authorised; an order's own setting wins (FACTS section 9)."""
    capture_window_s: int = 3 * _DAY_S
    """Seconds after which an uncaptured payment is refunded. Pages say 3 and 5 days (SCENARIOS RH-54)."""
    bank_silence_s: int = 600
    """Seconds without an answer from the bank after which a payment is marked failed (FACTS section 9)."""
    refund_after_s: int = 60
    """Seconds that a refund stays pending; 0 makes the first answer say ``processed``, as real ones often do."""
    knows_unique_receipt: bool = True
    """Whether ``unique_receipt`` is known on this account; if not, it is refused as an unknown field."""
    refuse_duplicate_receipts: bool = False
    """Whether a receipt may be used once only. When plain duplicates are refused is UNCONFIRMED (FACTS 17.3)."""
    max_amount: int = AMOUNT_MAX
    """The account's largest amount in subunits; the figure is not published (FACTS section 2)."""

"""What differs between accounts, and what nobody has confirmed: settings of the emulated account."""

from __future__ import annotations

from typing import Literal, NamedTuple

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
    route: bool = True
    """Whether the account has Route; if not, ``transfers`` on an order is refused as an unknown field (EI-02)."""
    refuse_duplicate_receipts: bool = False
    """Whether a receipt may be used once only. When plain duplicates are refused is UNCONFIRMED (FACTS 17.3)."""
    max_amount: int = AMOUNT_MAX
    """The account's largest amount in subunits; the figure is not published (FACTS section 2)."""
    bank_polled_s: int = 3 * _DAY_S
    """Seconds for which the bank of a failed payment is asked again; a later yes is never heard. One page says 5 days
    (FACTS section 9)."""
    attempts_per_order: int | None = None
    """How many payments an order takes; None is any number. Pages say any number (India) and one (Malaysia)."""
    three_decimals: Literal["round", "refuse", "accept"] = "accept"
    """What becomes of a last digit other than 0 in KWD, BHD and OMR. That it must be 0 is published, what happens
    otherwise is not (FACTS section 2)."""
    fee_basis_points: tuple[tuple[str, int], ...] = (("*", 200), ("bank_transfer", 100))
    """The fee before GST by method, in hundredths of a per cent; ``international`` counts before the method. The two
    figures are those of samples (FACTS section 14)."""
    fee_bearer: Literal["platform", "customer"] = "platform"
    """Who pays the fee: the business, or its customers on top of the order's amount (FACTS section 14). The latter do
    for INR payments of orders without transfers, and not for subscriptions and recurring debits."""
    paise_per_foreign_subunit: int = 80
    """The one rate at which payments in other currencies settle. A round figure, so that sums are easy to check."""
    auto_settle: bool = True
    """Whether settlements happen by themselves; if not, only :meth:`Emulator.settle` makes one."""
    settlement_days: int = 2
    """Working days from capture to settlement (FACTS section 14)."""
    opening_balance: int = 0
    """Paise that the account holds before the world begins."""
    refunds_need_balance: bool = False
    """Whether a refund beyond the balance is refused. The rule is published, its text is not (FACTS section 3)."""
    deduct_dispute_at_onset: bool = False
    """Whether a dispute takes its amount when it opens, instead of when it is lost (FACTS section 8)."""
    forget_after_s: int | None = None
    """Seconds after which finished things are dropped, so that a long run stays small; None keeps everything."""
    upi_links: bool = False
    """Whether UPI payment links can be made: in test mode they cannot (FACTS section 12)."""
    authentication_amount: int = 500
    """Paise of the payment that authenticates a subscription which starts later, given back at once. The figure is
    not published (FACTS section 9)."""
    recurring_debit_s: int = 0
    """Seconds until a recurring debit ends; test mode takes about 300 for cards (SCENARIOS CARDREC). 0 is at once."""

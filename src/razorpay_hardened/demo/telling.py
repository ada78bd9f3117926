"""What the terminal and the report both say: labels, figures and their order, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from razorpay_hardened.demo.faults import POINTS
from razorpay_hardened.demo.journal import Crash, Phase
from razorpay_hardened.demo.outcome import Outcome
from razorpay_hardened.demo.proofs import Proof

__all__ = [
    "GROUPS",
    "PHASES",
    "BookRow",
    "FoundRow",
    "amount",
    "books",
    "clock_time",
    "findings",
    "killed_where",
    "numbers",
    "verdict",
]

PHASES: Final[Mapping[Phase, str]] = {
    "open": "the shop is open",
    "waiting": "26 hours pass, in which Razorpay sends again what was not answered",
    "looking": "reconciliation looks at both sides",
    "repairing": "reconciliation repairs",
    "tidying": "the repairs' own news arrives, and asks for more work",
    "proving": "both sides' books are read, and the proofs judge them",
}

GROUPS: Final[Mapping[str, str]] = {
    "webhooks": "Webhooks",
    "API": "Razorpay's API",
    "payments": "Payments",
    "shop": "The shop itself",
}
"""The groups of ``Outcome.wrong``, with their headings."""

_FINDINGS: Final[Mapping[str, str]] = {
    "order missing_here": "orders that we did not have",
    "order missing_there": "orders that Razorpay does not know",
    "order status": "orders with an older status",
    "order stuck_order": "orders that Razorpay never had",
    "payment missing_here": "payments that we had not heard of",
    "payment refund_sum": "payments refunded by another sum",
    "payment status": "payments with an older status",
    "payment surplus_payment": "orders paid twice, surplus not returned",
    "refund missing_here": "refunds that we had not heard of",
    "refund status": "refunds with an older status",
}

_OPENS_H: Final = 9


def amount(paise: int) -> str:
    """Rupees, grouped as India reads them: 12345600 is ``1,23,456.00``."""
    rupees, rest = divmod(abs(paise), 100)
    head, tail = str(rupees)[:-3], str(rupees)[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)]
    return f"{'−' if paise < 0 else ''}{','.join([*reversed(pairs), tail])}.{rest:02}"


def clock_time(at_s: float) -> str:
    """India time of a moment in seconds after opening; later days count on: ``14:05``, ``09:00 +1``."""
    minutes = int(at_s // 60) + _OPENS_H * 60
    days, minutes = divmod(minutes, 24 * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f" +{days}" if days else "")


def killed_where(crash: Crash) -> str:
    """Where in its work the shop was."""
    return POINTS[crash.point].when if crash.point else "from outside, between two requests"


@dataclass(frozen=True, slots=True)
class FoundRow:
    """One kind of finding."""

    label: str
    found: int
    repaired: int
    left: int


def findings(outcome: Outcome) -> list[FoundRow]:
    """What reconciliation found, each kind on a row; a kind without words of its own is told by its name."""
    names = sorted({*outcome.found, *outcome.repaired, *outcome.left})
    return [
        FoundRow(
            _FINDINGS.get(name, name.replace("_", " ")),
            outcome.found.get(name, 0),
            outcome.repaired.get(name, 0),
            outcome.left.get(name, 0),
        )
        for name in names
    ]


@dataclass(frozen=True, slots=True)
class BookRow:
    """One line of the books: at Razorpay and in the shop, before reconciliation and after. ``unit`` paise or pieces."""

    label: str
    unit: Literal["paise", "pieces"]
    there_before: int
    here_before: int
    there_after: int
    here_after: int

    def text(self, value: int) -> str:
        """A value of this row for people."""
        return amount(value) if self.unit == "paise" else str(value)

    @property
    def missing_before(self) -> int:
        """What the shop's books lacked."""
        return self.there_before - self.here_before

    @property
    def missing_after(self) -> int:
        """What they lack at the end."""
        return self.there_after - self.here_after


def books(outcome: Outcome) -> dict[str, BookRow]:
    """Both sides' books, from the numbers of the proofs: ``captured``, ``refunded``, ``kept``, ``paid``, ``booked``."""
    before, after = _numbers(outcome.before), _numbers(outcome.proofs)

    def row(label: str, unit: Literal["paise", "pieces"], proof: str, there: str, here: str) -> BookRow:
        was, now = before[proof], after[proof]
        return BookRow(label, unit, was[there], was[here], now[there], now[here])

    captured = row("captured", "paise", "money_equal", "captured there", "captured here")
    refunded = row("refunded", "paise", "money_equal", "refunded there", "refunded here")
    kept = BookRow(
        "kept",
        "paise",
        captured.there_before - refunded.there_before,
        captured.here_before - refunded.here_before,
        captured.there_after - refunded.there_after,
        captured.here_after - refunded.here_after,
    )
    return {
        "captured": captured,
        "refunded": refunded,
        "kept": kept,
        "paid": row("orders paid / granted", "pieces", "granted_once", "paid orders", "grants"),
        "booked": row("refunds made / booked", "pieces", "booked_once", "processed refunds", "bookings"),
    }


def _numbers(proofs: tuple[Proof, ...]) -> dict[str, Mapping[str, int]]:
    return {proof.name: proof.numbers for proof in proofs}


def numbers(proof: Proof) -> str:
    """The figures behind a proof, on one line."""
    money = proof.name == "money_equal"
    return ", ".join(f"{label} {amount(value) if money else value}" for label, value in proof.numbers.items())


def verdict(outcome: Outcome) -> str:
    """The last word."""
    held = sum(1 for proof in outcome.proofs if proof.holds)
    if outcome.holds:
        return f"All {held} proofs hold."
    return f"{len(outcome.proofs) - held} of {len(outcome.proofs)} proofs do NOT hold."

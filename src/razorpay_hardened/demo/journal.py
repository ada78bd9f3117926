"""What happened: counted while the day runs, shown when it is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["Crash", "Journal", "Phase"]

Phase: TypeAlias = Literal["open", "waiting", "looking", "repairing", "tidying", "proving"]
"""Where the demo stands: the shop is open, late webhooks are waited for, reconciliation looks, repairs …"""


class Crash(NamedTuple):
    """One death of the shop. ``at_s`` is seconds after opening; ``point`` None means from outside."""

    at_s: float
    point: str | None


@dataclass(slots=True)
class Journal:
    """The day's record. ``hours`` counts by (hour after opening, what); ``closed_s`` is when everybody had gone home,
    in seconds after opening."""

    counts: Counter[str] = field(default_factory=Counter)
    hours: Counter[tuple[int, str]] = field(default_factory=Counter)
    crashes: list[Crash] = field(default_factory=list)
    dashboard_refunds: set[str] = field(default_factory=set)
    phase: Phase = "open"
    closed_s: float = 0.0
    listener: Callable[[Journal, float], None] | None = None
    """Called with the journal and the virtual seconds after each thing that was noted: for live progress."""

    def note(self, what: str, at_s: float, count: int = 1) -> None:
        """Count ``what``."""
        self.counts[what] += count
        self.hours[int(at_s // 3600), what] += count
        self._tell(at_s)

    def enter(self, phase: Phase, at_s: float) -> None:
        """The next phase begins."""
        self.phase = phase
        self._tell(at_s)

    def _tell(self, at_s: float) -> None:
        if self.listener is not None:
            self.listener(self, at_s)

    def crash(self, point: str | None, at_s: float) -> None:
        """The shop died."""
        self.crashes.append(Crash(at_s, point))
        self.note("crash", at_s)

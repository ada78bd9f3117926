"""How long each class of data is kept. What is not named here is kept for ever: the books."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final

from razorpay_hardened.errors import ConfigError

__all__ = ["AGE_MIN", "AUDIT_MIN", "DEDUPE_MIN", "RetentionPolicy"]

AGE_MIN: Final = timedelta(days=4)
"""Razorpay redelivers for a day, and late authorisation ends within three: until then bodies and snapshots are work."""

DEDUPE_MIN: Final = timedelta(days=30)
"""A body that comes again, by a replay from the dashboard for example, must still be known as a duplicate."""

AUDIT_MIN: Final = timedelta(days=365)
"""Disputes and audits ask about the year that has passed."""

_LEAST: Final = {"deliveries": DEDUPE_MIN, "audit": AUDIT_MIN}


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Ages after which personal data is erased; None keeps a class for ever. Raises :class:`ConfigError`.

    ``bodies``: raw webhook bodies, from their receipt. ``snapshots``: orders, payments and refunds as Razorpay showed
    them, from the last change of anything about the order; most banks refund for six months, and disputes come later.
    ``errors``: what handlers' exceptions said, from the milestone. ``deliveries``: the rows of deliveries, and with
    them the dedupe keys, from their receipt. ``audit``: whole months of the trail, where the store keeps months apart
    (PostgreSQL); it names nobody, and it is the proof, so that the default is for ever.
    """

    bodies: timedelta | None = timedelta(days=90)
    snapshots: timedelta | None = timedelta(days=365)
    errors: timedelta | None = timedelta(days=90)
    deliveries: timedelta | None = None
    audit: timedelta | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            age = getattr(self, field.name)
            if age is None:
                continue
            least = _LEAST.get(field.name, AGE_MIN)
            if not isinstance(age, timedelta) or age < least:
                raise ConfigError(
                    f"retention: {field.name} is kept for {least.days} days or more (a timedelta), or None"
                )
        if self.deliveries is not None and (self.bodies is None or self.bodies > self.deliveries):
            raise ConfigError(
                "retention: a delivery goes with its body: bodies must not be kept longer than deliveries"
            )

    def cutoff(self, name: str, now: datetime) -> datetime | None:
        """What is older than this moment is to be erased; None: nothing of this class."""
        age: timedelta | None = getattr(self, name)
        return None if age is None else now - age

"""What goes wrong on this day: the network, Razorpay's API, the shop's own code, and the power cord.

Whether something fails is a hash of the seed and of what is tried, by whom and for the how-manieth time: never of
the order in which things arrive, and never of the time (DESIGN section 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from razorpay_hardened.demo._toss import between, chance, unit
from razorpay_hardened.demo.day import DAY_S, Customer
from razorpay_hardened.emulator import Deliveries

__all__ = ["API_FAULTS", "DELIVERIES", "POINTS", "Point", "grant_breaks", "kills", "mail_breaks", "outage_s", "plugs"]

DELIVERIES: Final = Deliveries(lost=0.3, doubled=0.15, delay_s=(0.0, 90.0), late=0.10, late_s=(600.0, 10_800.0))
"""Three events in ten never come, one in seven comes twice, one in ten hours late; 90 s of jitter mix the order."""

API_FAULTS: Final = """
on POST /orders: do_then_hang(30) 4%
on POST /orders: do_then_reset 3%
on POST /payments/:id/refund: do_then_hang(30) 12%
on POST /payments/:id/refund: do_then_502 8%
on GET /payments/:id: 503 4%
on * *: 502 5%
on * *: 429 3%
on * *: reset_before 2%
"""
"""``do_then_…``: Razorpay does what was asked, and the answer is lost."""


class Point(NamedTuple):
    """Where the shop's process can be killed. ``paths`` are the requests that pass there; ``when`` is for people."""

    paths: tuple[str, ...]
    when: str


_NEWS = ("/webhook", "/confirm")

POINTS: Final[Mapping[str, Point]] = {
    "asked": Point(("/start",), "our order is stored, Razorpay not asked yet"),
    "answered": Point(("/start",), "Razorpay has made the order, we have not noted its id"),
    "claimed": Point(("/webhook",), "a webhook is claimed, nothing decided"),
    "loaded": Point(_NEWS, "the order is locked, nothing written"),
    "written": Point(_NEWS, "status, audit and effects are written, not committed"),
    "in_handler": Point(_NEWS, "inside the handler that grants what was bought"),
    "committed": Point(("/webhook",), "committed, but Razorpay not answered yet"),
    "leased": Point(("/webhook",), "a mail is leased, not sent"),
    "mailed": Point(("/webhook",), "a mail is sent, not noted as sent"),
    "intended": Point(("/refund",), "a refund is intended, Razorpay not asked yet"),
    "refunded": Point(("/refund",), "Razorpay has refunded, we have not noted it"),
}
"""The named points, in the order of a purchase's life."""


def kills(seed: int, people: Sequence[Customer], each: int = 1) -> dict[int, str]:
    """Customer → the point at which the shop dies while serving that customer, once. ``each`` victims a point."""
    chosen: dict[int, str] = {}
    for point in POINTS:
        fit = [one.number for one in people if one.number not in chosen and _passes(one, point)]
        fit.sort(key=lambda number: unit(seed, "kill", point, number))
        chosen |= dict.fromkeys(fit[:each], point)
    return chosen


def _passes(customer: Customer, point: str) -> bool:
    if POINTS[point].paths == ("/refund",):
        return customer.refund in ("full", "part")
    if POINTS[point].paths == ("/start",):
        return True
    return customer.story in ("pays", "fails_first", "late") and customer.refund is None


def plugs(seed: int, count: int = 2) -> Iterable[float]:
    """When somebody kills the process from outside: seconds after opening."""
    return sorted(between(0, DAY_S, seed, "plug", number) for number in range(count))


def outage_s(seed: int, *about: object) -> float:
    """How long the shop stays down after it died, in seconds."""
    return round(between(5, 240, seed, "outage", *about), 3)


def grant_breaks(seed: int, owner: str, attempt: int) -> bool:
    """Whether the shop's own grant handler has a bug for this customer at this attempt (from 1)."""
    return chance(0.06, seed, "grant breaks", owner) and attempt <= 2


def mail_breaks(seed: int, key: str, attempt: int) -> bool:
    """Whether the mail provider is down for this mail at this attempt (from 1)."""
    return chance(0.15, seed, "mail breaks", key, attempt)

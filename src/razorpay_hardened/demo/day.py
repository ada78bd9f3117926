"""The day: who buys what, when, how they pay, and what they want back. All of it follows from the seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from razorpay_hardened.demo._toss import between, chance, choose

__all__ = ["DAY_S", "PLANS", "Customer", "RefundWish", "Story", "customers", "number_of"]

DAY_S: Final = 12 * 3600
"""The shop is open from nine in the morning to nine in the evening, India time."""

PLANS: Final[Mapping[str, str]] = {"starter": "199.00", "gold": "499.00", "team": "2499.00"}
"""Plan → price in rupees."""

Story: TypeAlias = Literal[
    "pays", "fails_first", "late", "late_and_again", "pays_twice", "uncaptured", "gives_up", "looks_around"
]

_STORIES: Final[Mapping[Story, float]] = {
    "pays": 56,
    "fails_first": 12,
    "late": 8,  # the bank says yes long after the payment was marked failed
    "late_and_again": 5,  # … and meanwhile the customer has paid another way
    "pays_twice": 4,
    "uncaptured": 2,
    "gives_up": 6,
    "looks_around": 7,
}

RefundWish: TypeAlias = Literal["full", "part", "dashboard"]
"""``dashboard``: the shop's owner refunds by hand, and the shop's code is only told."""

_REFUNDS: Final[Mapping[RefundWish | None, float]] = {None: 84, "full": 6, "part": 6, "dashboard": 4}


class Customer(NamedTuple):
    """One customer. ``starts_at_s`` is seconds after opening; ``comes_back`` says whether the browser brings the form
    back after paying, which it does not when the tab is closed."""

    number: int
    story: Story
    plan: str
    method: str
    starts_at_s: float
    comes_back: bool
    refund: RefundWish | None
    refund_after_s: float
    late_after_s: float

    @property
    def owner(self) -> str:
        """What the shop calls this customer."""
        return f"customer:{self.number}"


def number_of(owner: str) -> int:
    """The customer's number in ``customer:17``."""
    return int(owner.partition(":")[2])


def customers(seed: int, count: int) -> list[Customer]:
    """The customers of a day. Each is made from (seed, number) alone: more of them change nobody."""
    return [_customer(seed, number) for number in range(1, count + 1)]


def _customer(seed: int, number: int) -> Customer:
    story = choose(_STORIES, seed, number, "story")
    pays = story in ("pays", "fails_first", "late")
    return Customer(
        number=number,
        story=story,
        plan=choose(list(PLANS), seed, number, "plan"),
        method=choose({"upi": 65, "card": 30, "netbanking": 5}, seed, number, "method"),
        starts_at_s=round(between(0, DAY_S, seed, number, "starts"), 3),
        comes_back=chance(0.8, seed, number, "comes back"),
        refund=choose(_REFUNDS, seed, number, "refund") if pays else None,
        refund_after_s=round(between(1200, 4 * 3600, seed, number, "refund after"), 3),
        late_after_s=round(between(900, 6 * 3600, seed, number, "late after"), 3),
    )

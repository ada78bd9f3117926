"""Plans: what is on offer, and for how much."""

from __future__ import annotations

import pytest

from razorpay_hardened import Money, Plan, PlanCatalog
from razorpay_hardened.errors import AmountError, ConfigError, PlanUnknown


def test_a_catalogue_finds_plans_by_name() -> None:
    """From a mapping, from plans, or from both."""
    plans = PlanCatalog({"gold": Money.inr("499.00")}, Plan("silver", Money.inr(199), partial_payment=True))
    assert plans["gold"].amount == Money(49900)
    assert list(plans) == ["gold", "silver"]
    assert len(plans) == 2
    assert repr(plans) == "<PlanCatalog gold, silver>"


@pytest.mark.parametrize("name", ["platinum", "", None, 7, ["gold"]])
def test_what_is_not_on_offer_is_plan_unknown(name: object) -> None:
    """Whatever is asked for, the error is ours, and a KeyError for those who expect one."""
    with pytest.raises(PlanUnknown, match="No such plan"):
        PlanCatalog({"gold": Money.inr(499)})[name]  # type: ignore[index]


def test_plans_that_cannot_be_sold_are_refused_at_start() -> None:
    """Twice the same name, no name, no money, or an amount of nothing."""
    with pytest.raises(ConfigError):
        PlanCatalog({"gold": Money.inr(1)}, Plan("gold", Money.inr(2)))
    with pytest.raises(ConfigError):
        PlanCatalog({"": Money.inr(1)})
    with pytest.raises(ConfigError):
        PlanCatalog({"x" * 65: Money.inr(1)})
    with pytest.raises(ConfigError):
        PlanCatalog({"gold": 499})  # type: ignore[dict-item]
    with pytest.raises(AmountError):
        PlanCatalog({"gold": Money(0)})

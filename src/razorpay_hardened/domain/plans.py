"""Plans: what is on offer, and for how much. Prices live here, never in a form that a browser sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import ConfigError, PlanUnknown

__all__ = ["Plan", "PlanCatalog"]

_NAME_MAX = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """Something that can be bought. ``partial_payment`` lets the customer pay the amount in parts."""

    name: str
    amount: Money
    description: str = ""
    partial_payment: bool = False


class PlanCatalog(Mapping[str, Plan]):
    """Plans by name: ``PlanCatalog({"gold-monthly": Money.inr("499.00")})``, or from :class:`Plan` values.

    Immutable. An amount that cannot be paid, an empty name or one given twice is a :class:`ConfigError`; looking up
    what is not on offer is :class:`PlanUnknown`.
    """

    def __init__(self, plans: Mapping[str, Money] | None = None, *more: Plan) -> None:
        every = [*(Plan(name, amount) for name, amount in (plans or {}).items()), *more]
        self._plans: dict[str, Plan] = {}
        for plan in every:
            _check(plan)
            if plan.name in self._plans:
                raise ConfigError(f"the plan {plan.name!r} is there twice")
            self._plans[plan.name] = plan

    def __getitem__(self, name: str) -> Plan:
        try:
            return self._plans[name]
        except (KeyError, TypeError):
            raise PlanUnknown from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._plans)

    def __len__(self) -> int:
        return len(self._plans)

    def __repr__(self) -> str:
        return f"<PlanCatalog {', '.join(self._plans)}>"


def _check(plan: Plan) -> None:
    if not plan.name or len(plan.name) > _NAME_MAX:
        raise ConfigError(f"a plan's name has 1 to {_NAME_MAX} characters")
    if not isinstance(plan.amount, Money):
        raise ConfigError(f"the plan {plan.name!r} needs its amount as Money, for example Money.inr('499.00')")
    plan.amount.require_payable()

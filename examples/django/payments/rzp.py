"""The library, wired once for each process. It opens nothing until it is used, and is safe after a fork."""

from __future__ import annotations

from razorpay_hardened import Money, Plan, PlanCatalog, Razorpay

PLANS = PlanCatalog(
    None,
    Plan("gold-monthly", Money.inr("499.00"), "Gold, one month"),
    Plan("gold-yearly", Money.inr("4990.00"), "Gold, one year"),
)
rzp = Razorpay.from_env(plans=PLANS)

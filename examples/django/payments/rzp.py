"""The library, wired once for each process, on Django's own connection. It opens nothing until it is used."""

from __future__ import annotations

from django.db import connection

from razorpay_hardened import DbApiStore, Money, Plan, PlanCatalog, Razorpay

PLANS = PlanCatalog(
    None,
    Plan("gold-monthly", Money.inr("499.00"), "Gold, one month"),
    Plan("gold-yearly", Money.inr("4990.00"), "Gold, one year"),
)
# outer: a view of yours may call it inside ATOMIC_REQUESTS or atomic(), and both are one commit then.
rzp = Razorpay.from_env(plans=PLANS, store=DbApiStore(connection, outer=True))

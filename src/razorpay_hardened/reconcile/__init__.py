"""Reconciliation: what Razorpay lists against what we hold, every difference named, and repaired by the law.

In: a window of time. Out: a :class:`Reconciliation`: findings, what is done about each, totals.

- ``sources``  both sides, slice by slice of ``created_at``, at most a page of each at a time
- ``match``    a slice → cases: all that belongs to one order, looked up on the side that did not list it
- ``case``     both sides of one order
- ``diff``     a case → differences, pure
- ``plan``     differences → what to do, and the facts for it, pure
- ``repair``   the facts → the ledger, in one transaction per order
- ``journal``  the run's own row: lease and cursor
- ``outcome``  what a run hands out
- ``run``      the loop
- ``silence``  money, and no webhook that tells of it
- ``others``   disputes, subscriptions, links …: what listing them proves
- ``recover``  after an outage: all of this, in the place of the webhooks that did not come

It calls :meth:`Ledger.apply` and nothing beneath it: what a webhook would have done happens here alike.
"""

from razorpay_hardened.reconcile.diff import KINDS
from razorpay_hardened.reconcile.outcome import PlannedStep, Reconciliation, Sums, Totals
from razorpay_hardened.reconcile.recover import Recovered, Recovery
from razorpay_hardened.reconcile.run import Reconciler
from razorpay_hardened.reconcile.silence import Silence

__all__ = [
    "KINDS",
    "PlannedStep",
    "Reconciler",
    "Reconciliation",
    "Recovered",
    "Recovery",
    "Silence",
    "Sums",
    "Totals",
]

"""The audit trail, for those who ask: is it whole, what was true then, and why.

In: the store, which holds what ``ledger`` wrote (nothing else writes audit rows). Out: seals, findings, states of the
past, stories in words. Reading only, apart from the seals.

- ``seal``     links finished rows of all anchors into one chain
- ``verify``   reads the whole trail, and names every place where it is not as it was written
- ``past``     what a payment, an order or a refund was at a moment
- ``explain``  one payment's, order's or refund's whole story, with the rule that decided each step (``rules``)
"""

from razorpay_hardened.audit.explain import Explanation, Step
from razorpay_hardened.audit.facade import Audit
from razorpay_hardened.audit.past import Past
from razorpay_hardened.audit.seal import Sealing
from razorpay_hardened.audit.verify import Verification

__all__ = ["Audit", "Explanation", "Past", "Sealing", "Step", "Verification"]

"""Retention: personal data goes when its time has come; money, digests and the audit chain stay and verify.

In: a policy (class of data → age), or a person who asks to be forgotten; legal holds. Out: bodies emptied, snapshots
reduced to what the books need, errors shortened, and a report of what was erased and what had to be left.

- ``policy``  the classes and their ages, argued
- ``matter``  one order or payment with everything that hangs on it: erased together or left together
- ``about``   what a delivery is about, and whether a legal hold covers it
- ``run``     the walk: bounded batches, each a transaction, going on where the last one ended
"""

from razorpay_hardened.retention.policy import RetentionPolicy
from razorpay_hardened.retention.run import Counts, Erased, Report, Retention

__all__ = ["Counts", "Erased", "RetentionPolicy", "Report", "Retention"]

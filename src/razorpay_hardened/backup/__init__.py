"""Backup: is a copy whole, and does it say what the store said?

In: a restored copy (any store), the summary that was taken with it, the live store. Out: the differences, the first
first. Taking the copy is the database's own work: ``SQLiteStore.back_up``, ``pg_dump``.

- ``summary``  what a store holds, in numbers: rows, sums, chain heads, seals
- ``compare``  a copy against itself, against its summary, and against the live store, which may only have grown
"""

from razorpay_hardened.backup.compare import against_itself, against_live, against_summary
from razorpay_hardened.backup.summary import Summary, summary_of

__all__ = ["Summary", "against_itself", "against_live", "against_summary", "summary_of"]

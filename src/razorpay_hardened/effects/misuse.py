"""What is left to do when an ``on`` handler has ended the transaction that it ran in.

Our own stores undo everything, and the news is told again. On the application's connection, a COMMIT by hand has
happened: half of the unit of work is in the database, the effect's row among it, with nothing to say that it was tried.
It is said here, in a transaction of its own, so that the row is tried again, and given up, like any other.
"""

from __future__ import annotations

from razorpay_hardened.effects.failure import judge
from razorpay_hardened.effects.inline import Attempt, HandlerMisuse
from razorpay_hardened.ports.store import Store, Touches, Transaction
from razorpay_hardened.ports.unit import transact
from razorpay_hardened.signals import Bus

__all__ = ["alarm", "record"]


def record(store: Store, misuse: HandlerMisuse, *, redelivered: bool) -> Attempt | None:
    """Count the attempt on the effect's row, if that is in the database; None where it was undone with the rest."""
    row = misuse.row

    def work(tx: Transaction) -> Attempt | None:
        # Under the anchor's lock, and by its name: an id that was undone may have been given to another row.
        for held in tx.load(Touches((row.anchor,))).waiting:
            if (held.key, held.handler) == (row.key, row.handler):
                judged = judge(misuse.error, held, misuse.at, redelivered=redelivered)
                tx.finish_effect(held, judged.state, attempts=judged.attempts, due_at=judged.due_at, error=judged.error)
                return Attempt(held, judged.state, held.attempts + 1, error=misuse.error)
        return None

    if not any(one.handler == row.handler for one in store.effects(states=("waiting",), anchor=row.anchor)):
        return None  # without making an anchor for it
    return transact(store, work)


def alarm(bus: Bus, misuse: HandlerMisuse) -> None:
    """Say aloud which handler it was."""
    name = misuse.row.handler
    bus.alarm(f"transaction_misuse:{name}", "TransactionMisuse", f"{name} ended the transaction that it runs in")

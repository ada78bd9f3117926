"""Sealing: a plain function for whoever runs your scheduled work, beside ``process_pending`` and ``sweep``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from razorpay_hardened.domain.seals import MOST_ROWS, SEALS_ANCHOR, Seal, seals_of
from razorpay_hardened.domain.state import AnchorState
from razorpay_hardened.errors import AuditBroken
from razorpay_hardened.ports.store import Batch, Store, Touches, Transaction
from razorpay_hardened.ports.unit import transact

__all__ = ["Sealing", "seal"]

_BATCH: Final = 10 * MOST_ROWS  # rows in one transaction: a fraction of a second, in which only other sealers wait


@dataclass(frozen=True, slots=True)
class Sealing:
    """What one call did: ``seals`` new ones over ``rows`` rows. ``last`` is the newest seal there is, or None."""

    seals: int = 0
    rows: int = 0
    last: Seal | None = None

    @property
    def witness(self) -> str | None:
        """The newest seal as ``number:hash``. Kept outside of the database, it proves all that was sealed so far."""
        return None if self.last is None else self.last.witness


def seal(store: Store) -> Sealing:
    """See :meth:`Audit.seal`."""
    done = Sealing()
    while True:
        made, taken, last = transact(store, _seal_batch, durable=True)
        done = Sealing(done.seals + made, done.rows + taken, last)
        if taken < _BATCH:
            return done


def _seal_batch(tx: Transaction) -> tuple[int, int, Seal | None]:
    anchor = tx.load(Touches((SEALS_ANCHOR,))).anchors[SEALS_ANCHOR]
    last = tx.last_seal()
    _check(anchor, last)
    rows = tx.sealable(last, limit=_BATCH)
    made = list(seals_of(rows, last))
    for one in made:
        tx.put_seal(one)
    if made:
        last = made[-1]
        head = AnchorState(anchor.key, anchor.version, audit_seq=last.seq, audit_head=last.hash)
        tx.write(Batch(anchors=[head]))
    return len(made), len(rows), last


def _check(anchor: AnchorState, last: Seal | None) -> None:
    """Sealing on top of seals that were cut short would make the cut look right."""
    if (anchor.audit_seq, anchor.audit_head) != ((0, "") if last is None else (last.seq, last.hash)):
        raise AuditBroken(
            "the newest seal is not the one that was written last: nothing was sealed. "
            "Run `razorpay-hardened audit verify`"
        )

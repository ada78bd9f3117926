"""What a delivery is about, and whether a legal hold covers it: by the ids that its bytes name."""

from __future__ import annotations

from collections.abc import Sequence

from razorpay_hardened.domain.privacy import ids_in
from razorpay_hardened.ports.store import InboxRow, Transaction

__all__ = ["held_anchors", "held_bodies"]


def held_bodies(tx: Transaction, rows: Sequence[InboxRow]) -> set[str]:
    """The digests of those that a legal hold covers: by any id in the body, by its order's, or by its owner."""
    named = {row.digest: ids_in(row.body) | ({row.anchor} if row.anchor else set()) for row in rows}
    everything = {name for names in named.values() for name in names}
    around = _around(tx, everything)
    on_hold = tx.held({other for name in everything for other in around[name]})
    return {digest for digest, names in named.items() if any(around[name] & on_hold for name in names)}


def held_anchors(tx: Transaction, anchors: set[str]) -> set[str]:
    """Those of the anchors whose matters a legal hold covers."""
    around = _around(tx, anchors)
    on_hold = tx.held({name for names in around.values() for name in names})
    return {anchor for anchor, names in around.items() if names & on_hold}


def _around(tx: Transaction, names: set[str]) -> dict[str, set[str]]:
    """name → every name of its matter that a hold may be on: anchor, order, owner, payments, refunds."""
    anchor_of = tx.anchors_of(sorted(name for name in names if name.startswith("pay_")))
    anchors = sorted({*names, *anchor_of.values()})
    owners, matters = tx.owners(anchors), tx.matters(anchors)
    found = {}
    for name in names:
        anchor = anchor_of.get(name, name)
        matter = matters[anchor]
        found[name] = {name, anchor, *owners.get(anchor, ()), *matter.payments, *matter.refunds, *matter.entities}
    return found

"""What a store holds, in numbers that two stores can be compared by."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from razorpay_hardened.domain.state import AnchorState, OrderState, PaymentState, RefundState
from razorpay_hardened.ports.store import After, Store

__all__ = ["Summary", "anchors", "orders", "payments", "refunds", "summary_of"]

T = TypeVar("T")

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Summary:
    """``rows`` by table; ``sums`` in subunits by ``kind currency status``; ``heads`` is one SHA-256 over the length and
    head of every anchor's audit chain, in order; ``seal`` the number and hash of the last seal, or ""."""

    version: int
    rows: dict[str, int]
    sums: dict[str, int]
    heads: str
    seal: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Summary:
        """What :meth:`to_dict` gave. Raises KeyError or TypeError for anything else."""
        return cls(
            int(told["version"]),
            {str(name): int(count) for name, count in told["rows"].items()},
            {str(name): int(amount) for name, amount in told["sums"].items()},
            str(told["heads"]),
            str(told["seal"]),
        )


def summary_of(store: Store) -> Summary:
    """Read everything once. The store must stand still: a copy, not the one that is in use."""
    status = store.status()
    sums: Counter[str] = Counter()
    walks: tuple[tuple[str, Callable[[Store], Iterator[Any]]], ...] = (
        ("order", orders),
        ("payment", payments),
        ("refund", refunds),
    )
    for kind, walk in walks:
        for row in walk(store):
            sums[f"{kind} {row.currency} {row.status}"] += row.amount
    heads = hashlib.sha256()
    for anchor in anchors(store):
        heads.update(f"{anchor.key} {anchor.audit_seq} {anchor.audit_head}\n".encode())
    seal = store.seal()
    return Summary(
        version=status.version or 0,
        rows=dict(sorted(status.counts.items())),
        sums=dict(sorted(sums.items())),
        heads=heads.hexdigest(),
        seal="" if seal is None else f"{seal[0]} {seal[1]}",
    )


# --- walks, in order of (created_at, id) or of key


def orders(store: Store) -> Iterator[OrderState]:
    """All orders."""
    return _walk(lambda after: store.orders(after=after, limit=_PAGE), lambda row: (row.created_at, row.local_id))


def payments(store: Store) -> Iterator[PaymentState]:
    """All payments."""
    return _walk(lambda after: store.payments(after=after, limit=_PAGE), lambda row: (row.created_at, row.payment_id))


def refunds(store: Store) -> Iterator[RefundState]:
    """All refunds."""
    return _walk(lambda after: store.refunds(after=after, limit=_PAGE), lambda row: (row.created_at, row.refund_id))


def anchors(store: Store) -> Iterator[AnchorState]:
    """All anchors."""
    after = ""
    while page := store.anchors(after_key=after, limit=_PAGE):
        yield from page
        after = page[-1].key


def _walk(page: Callable[[After | None], list[T]], place: Callable[[T], After]) -> Iterator[T]:
    after: After | None = None
    while rows := page(after):
        yield from rows
        after = place(rows[-1])

"""What the steps of checkout share: their tools, and the values that they hand out."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from razorpay_hardened.clock import Clock
from razorpay_hardened.domain.facts import Cause, Fact
from razorpay_hardened.domain.ours import Ours
from razorpay_hardened.domain.plans import PlanCatalog
from razorpay_hardened.domain.state import OrderState
from razorpay_hardened.domain.text import fits
from razorpay_hardened.errors import OrderBindingMissing, OrderUnknown, OwnerRequired
from razorpay_hardened.ledger import Applied, Ledger
from razorpay_hardened.ports.gateway import Gateway
from razorpay_hardened.ports.store import Store, Transaction
from razorpay_hardened.ports.unit import transact
from razorpay_hardened.signals import Bus
from razorpay_hardened.signing import Secret

__all__ = ["CheckoutOrder", "Tools", "check_owner", "local_id_for", "new_local_id"]

_OWNER_MAX = 200


@dataclass(frozen=True, slots=True)
class Tools:
    """What every step needs. ``gateway`` is called for when it is used, so that wiring opens nothing."""

    store: Store
    ledger: Ledger
    gateway: Callable[[], Gateway]
    clock: Clock
    bus: Bus
    plans: PlanCatalog
    key_id: str
    key_secret: Secret = field(repr=False)
    inline: bool = True
    ours: Ours | None = None

    def apply(self, *facts: Fact, source: str, actor: str = "system", durable: bool = False) -> Applied:
        """Apply facts in one transaction, and announce them once it has committed.

        ``durable``: Razorpay is told next, so this must not be part of a transaction that may still be rolled back.
        """
        cause = Cause(source, self.clock.now(), actor)

        def work(tx: Transaction) -> Applied:
            return self.ledger.apply(tx, *facts, cause=cause, inline=self.inline)

        applied = transact(self.store, work, durable=durable)
        self.store.after_commit(lambda: applied.announce(self.bus))
        return applied

    def order(self, reference: object) -> OrderState:
        """Our order by its local id or Razorpay's. Raises :class:`OrderUnknown`."""
        held = self.store.order(reference) if isinstance(reference, str) else None
        if held is None:
            raise OrderUnknown
        return held


@dataclass(frozen=True, slots=True)
class CheckoutOrder:
    """An order that is ready to be paid."""

    order: OrderState
    key_id: str
    notes: Mapping[str, str] = field(default_factory=dict)
    """What marks our orders and payments on an account that others use, too."""

    @property
    def local_id(self) -> str:
        """Our id of the order. Its receipt at Razorpay is ``order.receipt``: the same, where no prefix is set."""
        return self.order.local_id

    @property
    def order_id(self) -> str:
        """Razorpay's id of the order."""
        if self.order.order_id is None:
            raise OrderBindingMissing
        return self.order.order_id

    @property
    def options(self) -> dict[str, Any]:
        """What Razorpay's checkout.js needs (FACTS section 11): add your name, image and prefill. No secret is in it.

        ``amount`` is subunits. ``notes`` are there where a marker is set, so that the payment carries it too.
        """
        options: dict[str, Any] = {
            "key": self.key_id,
            "order_id": self.order_id,
            "amount": self.order.amount,
            "currency": self.order.currency,
        }
        return {**options, "notes": dict(self.notes)} if self.notes else options


def check_owner(owner: object) -> str:
    """Whose order it is: any stable text of yours, such as ``user:7``. Raises :class:`OwnerRequired`."""
    if not isinstance(owner, str) or not owner.strip():
        raise OwnerRequired
    if len(owner) > _OWNER_MAX:
        raise OwnerRequired(f"an owner is at most {_OWNER_MAX} characters")
    if not fits(owner):
        raise OwnerRequired("an owner is text that every database can store: without NUL and lone surrogates")
    return owner


def new_local_id() -> str:
    """An id that nobody can guess."""
    return f"local_{secrets.token_hex(13)}"


def local_id_for(*parts: str) -> str:
    """The same id for the same parts: a repeated request finds the order that the first one made."""
    whole = chr(0).join(parts).encode("utf-8", "surrogatepass")
    return f"local_{hashlib.sha256(whole).hexdigest()[:26]}"

"""The state of one Razorpay account, and the door to it.

``World.handle`` is a function from request to reply: no socket, no thread, no wall clock. The entities live in
three dicts by id; each change is kept with its time, so that a stale read can be answered honestly.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime

from razorpay_hardened.emulator import _events, _hash
from razorpay_hardened.emulator._router import answer, match
from razorpay_hardened.emulator._terms import IdempotentRefund, Terms
from razorpay_hardened.emulator.clock import VirtualClock
from razorpay_hardened.emulator.faults import Faults, operation
from razorpay_hardened.emulator.options import Options
from razorpay_hardened.emulator.wire import Entity, Reply, Request

__all__ = ["Account", "World"]


class Account:
    """The account's id and its keys, all made from the seed unless given. Never shown by ``repr``."""

    __slots__ = ("id", "key_id", "key_secret", "webhook_secret")

    def __init__(
        self, seed: int, *, key_id: str | None = None, key_secret: str | None = None, webhook_secret: str | None = None
    ) -> None:
        self.id = f"acc_{_hash.token(seed, 'account')}"
        self.key_id = key_id or f"rzp_test_{_hash.token(seed, 'key')}"
        self.key_secret = key_secret or _hash.token(seed, "key secret", length=24)
        self.webhook_secret = webhook_secret or _hash.token(seed, "webhook secret", length=32)

    def __repr__(self) -> str:
        return f"<Account {self.id} {self.key_id}>"


class World:
    """One account: ``orders``, ``payments`` and ``refunds`` by id, ``events`` in the order they happened."""

    def __init__(self, seed: int, start: datetime, account: Account | None = None, options: Options | None = None):
        self.seed = seed
        self.lock = threading.RLock()
        self.clock = VirtualClock(start, self.lock)
        self.account = account or Account(seed)
        self.options = options or Options()
        self.faults = Faults(seed)
        self.tables: dict[str, dict[str, Entity]] = {kind: {} for kind in ("order", "payment", "refund")}
        self.orders = self.tables["order"]
        self.payments = self.tables["payment"]
        self.refunds = self.tables["refund"]
        self.events: list[_events.Event] = []
        self.terms: dict[str, Terms] = {}
        self.receipts: dict[str, str] = {}
        self.order_payments: dict[str, list[str]] = defaultdict(list)
        self.payment_refunds: dict[str, list[str]] = defaultdict(list)
        self.refund_keys: dict[str, IdempotentRefund] = {}
        self.on_event: Callable[[_events.Event], None] | None = None
        self._versions: dict[str, list[tuple[int, Entity]]] = defaultdict(list)
        self._minted: dict[tuple[object, ...], int] = defaultdict(int)

    def __repr__(self) -> str:
        return f"<World seed={self.seed} {len(self.orders)} orders, {len(self.payments)} payments>"

    # --- the door -------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Reply:
        """Answer one call, as a fault rule or else the account itself has it. Safe from any thread."""
        with self.lock:
            route = match(request.method, request.path)
            fault = self.faults.decide(operation(request, route.template if route else None))
            if fault is None:
                return answer(self, request, route, None)
            if fault.instead is not None:
                return fault.instead
            as_of = None if fault.stale_s is None else self.clock.ms - round(fault.stale_s * 1000)
            return fault.spoil(answer(self, request, route, as_of))

    # --- state ----------------------------------------------------------------------------------------------

    def mint(self, prefix: str, *about: object) -> str:
        """A new id. It depends on the seed and on ``about``, not on what other customers did meanwhile."""
        nth = self._minted[(prefix, *about)] = self._minted[(prefix, *about)] + 1
        return f"{prefix}_{_hash.token(self.seed, prefix, *about, nth)}"

    def save(self, *entities: Entity) -> None:
        """Record what these entities are now. Each change must pass here, or stale reads would miss it."""
        for entity in entities:
            table = self.table(entity["entity"])
            table[entity["id"]] = entity
            versions = self._versions[entity["id"]]
            if versions and versions[-1][0] == self.clock.ms and len(versions) > 1:
                versions.pop()  # several changes at one instant are one version; the first is always kept
            versions.append((self.clock.ms, dict(entity)))

    def table(self, kind: str) -> dict[str, Entity]:
        """The entities of one kind by id, oldest first."""
        return self.tables[kind]

    def version(self, entity_id: str, as_of: int | None) -> Entity | None:
        """The entity as it was ``as_of`` (milliseconds; None is now); None if it did not exist then."""
        versions = self._versions.get(entity_id)
        if not versions:
            return None
        if as_of is None:
            return versions[-1][1]
        return next((entity for at, entity in reversed(versions) if at <= as_of), None)

    def first_version(self, entity_id: str) -> Entity | None:
        """The entity as it was created."""
        versions = self._versions.get(entity_id)
        return versions[0][1] if versions else None

    def newest_first(self, ids: Iterable[str], as_of: int | None) -> list[Entity]:
        """The entities of ``ids`` (given oldest first), without those that did not exist ``as_of``."""
        found = (self.version(entity_id, as_of) for entity_id in reversed(list(ids)))
        return [entity for entity in found if entity is not None]

    def remember_refund(self, key: str, payment_id: str, body: str, answer: Entity) -> None:
        """Keep the first answer to a refund key, for ever: how long Razorpay does is not documented."""
        self.refund_keys[key] = IdempotentRefund(payment_id, body, answer)

    def emit(self, name: str, **entities: Entity) -> None:
        """An event about what just happened; the bodies are snapshots (FACTS section 10)."""
        event = _events.make(self, name, entities)
        self.events.append(event)
        if self.on_event is not None:
            self.on_event(event)

    def event_id(self, name: str, entity_id: str) -> str:
        """14 characters without a prefix, unique per event."""
        return self.mint("event", name, entity_id).removeprefix("event_")

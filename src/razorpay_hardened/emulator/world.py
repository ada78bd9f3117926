"""The state of one Razorpay account, and the door to it.

``World.handle`` is a function from request to reply: no socket, no thread, no wall clock. The entities live in
one dict for each kind; each change is kept with its time, so that a stale read can be answered honestly.
"""

from __future__ import annotations

import threading
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _events, _hash
from razorpay_hardened.emulator._books import Books
from razorpay_hardened.emulator._forget import forget, forget_regularly
from razorpay_hardened.emulator._kinds import KINDS, kind_of
from razorpay_hardened.emulator._router import answer, match
from razorpay_hardened.emulator._terms import IdempotentAnswer, Terms
from razorpay_hardened.emulator.clock import VirtualClock
from razorpay_hardened.emulator.faults import Faults, operation
from razorpay_hardened.emulator.instruments import Instrument
from razorpay_hardened.emulator.options import Options
from razorpay_hardened.emulator.wire import Entity, Reply, Request, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.deliver import Deliverer

__all__ = ["Account", "World"]


class Account:
    """The account's id and its credentials, all made from the seed unless given. Never shown by ``repr``.

    ``partner_id`` and ``partner_secret`` are those of a partner who acts for the account (with
    ``X-Razorpay-Account``), ``access_token`` is an OAuth token for it.
    """

    __slots__ = (
        "access_token",
        "basic",
        "id",
        "key_id",
        "key_secret",
        "partner_id",
        "partner_secret",
        "retired",
        "webhook_secret",
    )

    def __init__(
        self, seed: int, *, key_id: str | None = None, key_secret: str | None = None, webhook_secret: str | None = None
    ) -> None:
        self.id = f"acc_{_hash.token(seed, 'account')}"
        self.key_id = key_id or f"rzp_test_{_hash.token(seed, 'key')}"
        self.key_secret = key_secret or _hash.token(seed, "key secret", length=24)
        self.webhook_secret = webhook_secret or _hash.token(seed, "webhook secret", length=32)
        self.partner_id = f"rzp_test_partner_{_hash.token(seed, 'partner')}"
        self.partner_secret = _hash.token(seed, "partner secret", length=24)
        self.access_token = f"rzp_test_oauth_{_hash.token(seed, 'access token', length=32)}"
        self.basic = self._basic()
        self.retired: list[tuple[bytes, int]] = []  # what an older key pair sends, and the millisecond it ends in

    def _basic(self) -> bytes:
        return b"Basic " + b64encode(f"{self.key_id}:{self.key_secret}".encode())

    def replace_key(self, key_id: str, key_secret: str, old_until_ms: int) -> None:
        """Another key pair; the present one is taken until then."""
        self.retired.append((self.basic, old_until_ms))
        self.key_id, self.key_secret = key_id, key_secret
        self.basic = self._basic()

    def __repr__(self) -> str:
        return f"<Account {self.id} {self.key_id}>"


class World:
    """One account: ``tables`` of entities by kind and id, ``books`` of its money, ``events`` as they happened.

    ``orders``, ``payments`` and ``refunds`` are the tables asked for most. ``private`` holds what an entity knows
    and never shows; ``owned`` the ids that belong to another, oldest first; ``waiting`` how those payments are made
    that the customer has not answered for yet; ``deliverer`` is where the webhooks are.
    """

    def __init__(self, seed: int, start: datetime, account: Account | None = None, options: Options | None = None):
        self.seed = seed
        self.lock = threading.RLock()
        self.clock = VirtualClock(start, self.lock)
        self.account = account or Account(seed)
        self.options = options or Options()
        self.faults = Faults(seed)
        self.tables: dict[str, dict[str, Entity]] = {kind: {} for kind in KINDS}
        self.orders = self.tables["order"]
        self.payments = self.tables["payment"]
        self.refunds = self.tables["refund"]
        self.books = Books(opening=self.options.opening_balance)
        self.events: list[_events.Event] = []
        self.terms: dict[str, Terms] = {}
        self.private: dict[str, Entity] = defaultdict(dict)
        self.receipts: dict[str, str] = {}
        self.order_payments: dict[str, list[str]] = defaultdict(list)
        self.payment_refunds: dict[str, list[str]] = defaultdict(list)
        self.answers: dict[tuple[str, str], IdempotentAnswer] = {}
        self.deliverer: Deliverer | None = None
        self.on_event: Callable[[_events.Event], None] | None = None
        self.on_forget: Callable[[int], None] | None = None
        self.on_captured: dict[str, Callable[[Entity, Entity], None]] = {}
        self.on_authorized: dict[str, Callable[[Entity], None]] = {}
        self.offers: set[str] = set()
        self.waiting: dict[str, Instrument] = {}
        self.versions: dict[str, list[tuple[int, Entity]]] = defaultdict(list)
        self.minted: dict[tuple[object, ...], tuple[int, int]] = {}
        self.minted_floor = 0
        self._owned: dict[tuple[str, str], list[str]] = defaultdict(list)
        if self.options.forget_after_s is not None:
            forget_regularly(self, self.options.forget_after_s)

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
        key = (prefix, *about)
        nth = self.minted.get(key, (self.minted_floor, 0))[0] + 1
        self.minted[key] = nth, self.clock.ms
        return f"{prefix}_{_hash.token(self.seed, prefix, *about, nth)}"

    def save(self, *entities: Entity) -> None:
        """Record what these entities are now. Each change must pass here, or stale reads would miss it."""
        for entity in entities:
            entity_id: str = entity["id"]
            self.table(kind_of(entity_id) or "")[entity_id] = entity
            versions = self.versions[entity_id]
            if versions and versions[-1][0] == self.clock.ms and len(versions) > 1:
                versions.pop()  # several changes at one instant are one version; the first is always kept
            versions.append((self.clock.ms, dict(entity)))

    def remove(self, entity_id: str) -> None:
        """Delete what the API lets one delete: drafts, items, tokens, add-ons."""
        self.table(kind_of(entity_id) or "").pop(entity_id)
        self.versions.pop(entity_id, None)
        self.private.pop(entity_id, None)

    def table(self, kind: str) -> dict[str, Entity]:
        """The entities of one kind by id, oldest first."""
        return self.tables[kind]

    def live(self, kind: str, entity_id: object) -> Entity:
        """The entity itself, to be changed. An id that is unknown, or of another kind, is refused."""
        found = self.tables[kind].get(entity_id) if isinstance(entity_id, str) else None
        if found is None:
            raise refusal("The id provided does not exist")
        return found

    def seen(self, kind: str, entity_id: str, as_of: int | None) -> Entity:
        """A copy of the entity as a call sees it; an unknown id is refused with 400 (not 404)."""
        if entity_id not in self.tables[kind]:
            raise refusal("The id provided does not exist")
        if as_of is None:
            return dict(self.tables[kind][entity_id])
        return dict(self.version(entity_id, as_of) or self.versions[entity_id][0][1])

    def own(self, parent_id: str, child_id: str) -> None:
        """``child_id`` belongs to ``parent_id``: a payment to a QR code, a reversal to a transfer."""
        self._owned[parent_id, kind_of(child_id) or ""].append(child_id)

    def owned(self, parent_id: str, kind: str) -> list[str]:
        """The ids of one kind that belong to ``parent_id``, oldest first."""
        return self._owned.get((parent_id, kind), [])

    def disown(self, parent_id: str, kind: str, gone: set[str]) -> None:
        """Forget that ``gone`` belonged to ``parent_id``."""
        rest = [child for child in self.owned(parent_id, kind) if child not in gone]
        if rest:
            self._owned[parent_id, kind] = rest
        else:
            self._owned.pop((parent_id, kind), None)

    def disown_the_forgotten(self) -> None:
        """Forget what belonged to whom, where either is no more."""
        for parent_id, kind in list(self._owned):
            here, children = self.tables[kind], self._owned[parent_id, kind]
            if parent_id not in self.tables[kind_of(parent_id) or ""]:
                del self._owned[parent_id, kind]
            elif gone := {child for child in children if child not in here}:
                self.disown(parent_id, kind, gone)

    def version(self, entity_id: str, as_of: int | None) -> Entity | None:
        """The entity as it was ``as_of`` (milliseconds; None is now); None if it did not exist then."""
        versions = self.versions.get(entity_id)
        if not versions:
            return None
        if as_of is None:
            return versions[-1][1]
        return next((entity for at, entity in reversed(versions) if at <= as_of), None)

    def first_version(self, entity_id: str) -> Entity | None:
        """The entity as it was created."""
        versions = self.versions.get(entity_id)
        return versions[0][1] if versions else None

    def newest_first(self, ids: dict[str, Entity] | list[str], as_of: int | None) -> Iterator[Entity]:
        """The entities of ``ids`` (given oldest first), without those that did not exist ``as_of``."""
        found = (self.version(entity_id, as_of) for entity_id in reversed(ids))
        return (entity for entity in found if entity is not None)

    def remember_answer(self, operation: str, key: str, request: str, answer: Entity) -> None:
        """Keep the first answer to an idempotency key, until it is forgotten with the rest: how long Razorpay keeps it
        is not documented."""
        self.answers[operation, key] = IdempotentAnswer(request, answer, self.clock.ms)

    def forget(self, older_than_s: float) -> int:
        """Drop what is finished and was last touched more than ``older_than_s`` ago; how many entities that were.

        What goes: orders with their payments and refunds, together or not at all, as long as none is held, pending,
        disputed or waiting for a settlement; closed links, invoices, disputes and the like, with what hangs on them;
        the events of then, and deliveries that no endpoint took. An order that nobody touched for so long goes too,
        paid or not, unless an open link or invoice is for it. Raises :class:`ConfigError` for less than five
        days, within which a bank or the clock may still speak.
        """
        with self.lock:
            return forget(self, older_than_s)

    def emit(self, name: str, **entities: Entity) -> None:
        """An event about what just happened; the bodies are snapshots (FACTS section 10)."""
        self.announce(_events.make(self, name, entities))

    def announce(self, event: _events.Event) -> None:
        """Put the event on its way."""
        self.events.append(event)
        if self.on_event is not None:
            self.on_event(event)

    def event_id(self, name: str, entity_id: str) -> str:
        """14 characters without a prefix, unique per event."""
        return self.mint("event", name, entity_id).removeprefix("event_")

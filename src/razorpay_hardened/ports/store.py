"""The store: where state, audit, inbox and effects live, and what a transaction promises.

A store must pass the contract suite that ships in ``razorpay_hardened.testing``. In short (DESIGN section 3):

- A transaction is atomic and durable: after ``commit`` returns, a power cut loses nothing; before, nothing is visible.
- :meth:`Transaction.load` locks and *updates* one anchor row for each key, in sorted order, before it reads anything
  else: two transactions about one order never run at the same time, at any isolation level.
- :meth:`Transaction.claim` inserts the body's digest or finds it; a twin waits for the first to end.
- Everything raises :class:`StorageUnavailable` when it cannot be done now, and then nothing was committed.

All times are aware and in UTC; amounts are integers in subunits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

from razorpay_hardened.domain.audit import AuditRow
from razorpay_hardened.domain.seals import Arrival, Seal
from razorpay_hardened.domain.state import (
    AnchorState,
    EntityState,
    OrderState,
    PaymentState,
    RefundIntent,
    RefundState,
)
from razorpay_hardened.domain.trail import Link

__all__ = [
    "After",
    "Batch",
    "Claim",
    "Delivery",
    "EffectMode",
    "EffectRow",
    "EffectState",
    "Finding",
    "Fired",
    "Held",
    "Hold",
    "InboxRow",
    "InboxState",
    "KeepingWork",
    "Mark",
    "Matter",
    "Month",
    "NewEffect",
    "Partitioned",
    "Reader",
    "Run",
    "Store",
    "StoreStatus",
    "Switch",
    "Touches",
    "Transaction",
]

InboxState = Literal["done", "waiting", "parked", "quarantined", "ignored", "dead"]
"""``waiting``: stored and applied, but an inline effect has not succeeded yet; ``dead``: it never did."""

EffectMode = Literal["on", "after"]
EffectState = Literal["waiting", "leased", "done", "dead"]

After: TypeAlias = tuple[datetime, str]
"""Where a listing goes on: ``created_at`` and id of the last row seen."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A signed body on its way into the inbox. ``digest`` is the SHA-256 of ``body``, in hex."""

    digest: str
    body: bytes
    event: str
    event_id: str | None
    received_at: datetime
    created_at: datetime | None = None
    """When Razorpay made the event: from the signed body, or None."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What :meth:`Transaction.claim` found.

    ``state`` is ``new`` when the row was made by this transaction, else the state of the row that was there.
    ``first_seen`` is the earlier of the first receipt and the event's own ``created_at``. ``conflict`` is true when
    the event id was seen before with another body (Razorpay's event id is not signed: a hint, never a key).
    """

    state: Literal["new"] | InboxState
    first_seen: datetime
    attempts: int = 0
    anchor: str | None = None
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A stored delivery. ``anchor`` is what it is about or waits for; ``reason`` why it is not ``done``."""

    digest: str
    body: bytes
    event: str
    event_id: str | None
    state: InboxState
    received_at: datetime
    created_at: datetime | None
    updated_at: datetime
    attempts: int = 0
    anchor: str | None = None
    reason: str | None = None
    erased_at: datetime | None = None
    """When retention dropped the body: ``body`` is empty since then, and its digest stays."""


@dataclass(frozen=True, slots=True)
class NewEffect:
    """A milestone that a handler is to be called for. (``key``, ``handler``) is unique for ever."""

    key: str
    handler: str
    mode: EffectMode
    anchor: str
    milestone: str
    kind: str
    entity_id: str
    detail: str
    """Small JSON: what the handler will see beside the current rows (statuses before and after, source, event id)."""
    at: datetime


@dataclass(frozen=True, slots=True)
class EffectRow:
    """A stored effect. ``id`` grows with time; ``due_at`` is when the next attempt may be made."""

    id: int
    key: str
    handler: str
    mode: EffectMode
    anchor: str
    milestone: str
    kind: str
    entity_id: str
    detail: str
    state: EffectState
    attempts: int
    at: datetime
    due_at: datetime
    token: str | None = None
    lease_until: datetime | None = None
    error: str | None = None


class Touches(NamedTuple):
    """What a set of facts is about: anchors to lock, rows to read. Each tuple is sorted and without repeats."""

    anchors: tuple[str, ...]
    local_ids: tuple[str, ...] = ()
    payments: tuple[str, ...] = ()
    refunds: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    milestones: tuple[str, ...] = ()
    """Keys of milestones of which it must be known whether they have fired."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A milestone of an entity that has fired, by its key: on record for ever, whether anybody listened or not."""

    key: str
    at: datetime


@dataclass(slots=True)
class Held:
    """What the store holds about :class:`Touches`.

    ``anchors`` has every key asked for. ``orders`` is by local id: those named by ``local_ids`` and those whose
    Razorpay id is one of the anchors. ``waiting`` are the ``on`` effects of the anchors that have not succeeded, in
    order of ``id``.
    """

    anchors: dict[str, AnchorState] = field(default_factory=dict)
    orders: dict[str, OrderState] = field(default_factory=dict)
    payments: dict[str, PaymentState] = field(default_factory=dict)
    refunds: dict[str, RefundState] = field(default_factory=dict)
    waiting: list[EffectRow] = field(default_factory=list)
    entities: dict[str, EntityState] = field(default_factory=dict)
    fired: set[str] = field(default_factory=set)
    """Those of the milestones asked for that have fired."""


@dataclass(slots=True)
class Batch:
    """Everything that one decision changes: written together, once. Rows are whole, inserted or replaced by id."""

    anchors: list[AnchorState] = field(default_factory=list)
    orders: list[OrderState] = field(default_factory=list)
    payments: list[PaymentState] = field(default_factory=list)
    refunds: list[RefundState] = field(default_factory=list)
    audit: list[AuditRow] = field(default_factory=list)
    effects: list[NewEffect] = field(default_factory=list)
    entities: list[EntityState] = field(default_factory=list)
    fired: list[Fired] = field(default_factory=list)
    """Written once; a key that is there already is left alone."""


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that an operator has switched. ``actor`` is who; ``note`` is theirs, and must name no customer."""

    name: str
    at: datetime
    actor: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: nothing about ``subject`` (an order's or payment's id, or an owner) is erased while it stands."""

    subject: str
    at: datetime
    actor: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """How far retention has come: ``name`` is a class of data, ``upto`` where it goes on, ``count`` what was erased so
    far. A name ``left:class:id`` is a row that it had to leave, to be looked at again."""

    name: str
    upto: str
    at: datetime
    count: int = 0


class Matter(NamedTuple):
    """Everything that hangs on one anchor, by id."""

    payments: tuple[str, ...] = ()
    refunds: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()


class KeepingWork(Protocol):
    """The part of a transaction that is about keeping: switches, legal holds, erasing."""

    def switches(self) -> dict[str, Switch]:
        """All switches by name, as this transaction sees them."""
        ...

    def put_switch(self, switch: Switch) -> None:
        """Insert or replace by name."""
        ...

    def drop_switch(self, name: str) -> None:
        """Take a switch away; nothing happens where it is not there."""
        ...

    # --- legal holds

    def put_hold(self, hold: Hold) -> None:
        """Insert or replace by subject."""
        ...

    def drop_hold(self, subject: str) -> bool:
        """Take a hold away. False: there was none."""
        ...

    def held(self, subjects: Iterable[str]) -> set[str]:
        """Those of ``subjects`` on which a hold stands."""
        ...

    # --- erasing

    def marks(self, prefix: str, *, after: str = "", limit: int = 100) -> list[Mark]:
        """Marks whose name begins with ``prefix``, in order of name, after the one named ``after``."""
        ...

    def put_mark(self, mark: Mark) -> None:
        """Insert or replace by name."""
        ...

    def drop_mark(self, name: str) -> None:
        """Take a mark away; nothing happens where it is not there."""
        ...

    def wipe(self) -> None:
        """Said first: what this transaction replaces is to leave no trace that the store can help."""
        ...

    def matters(self, anchors: Sequence[str]) -> dict[str, Matter]:
        """What hangs on each of these anchors."""
        ...

    def open_matters(self, anchors: Sequence[str]) -> set[str]:
        """Those of ``anchors`` with an effect that waits or runs, a refund that is pending or wanted, or a delivery
        that is parked."""
        ...

    def owners(self, orders: Sequence[str]) -> dict[str, set[str]]:
        """Razorpay's order id → local id and owner, for the orders that are known."""
        ...

    def erase_bodies(self, rows: Sequence[InboxRow], at: datetime) -> int:
        """Replace the bodies of these deliveries by nothing, and shorten their reasons to a code. Gives how many.

        Only of deliveries that are ``done``, ``ignored`` or ``dead`` now; the rest is left as it is.
        """
        ...

    def erase_body(self, digest: str, at: datetime) -> None:
        """The same for one delivery by its digest, within the transaction that has claimed it."""
        ...

    def drop_deliveries(self, rows: Sequence[InboxRow]) -> int:
        """Take these deliveries away, dedupe keys and all; the same states only. Gives how many."""
        ...

    def shorten_error(self, row: EffectRow, error: str) -> bool:
        """Replace the error of a dead effect, if it is still dead with the error that ``row`` has."""
        ...


class Transaction(KeepingWork, Protocol):
    """One unit of work. Entered through :meth:`Store.transaction`; committed when its block ends, else rolled back."""

    @property
    def connection(self) -> Any:
        """The DB-API connection that this transaction runs on: what ``@on`` handlers write through."""
        ...

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
        """Run the application's own SQL in this transaction; gives the DB-API cursor."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """A part that can be undone alone: rolled back if its block raises.

        Raises :class:`TransactionMisuse` when the block ended the transaction itself.
        """
        ...

    # --- inbox

    def claim(self, delivery: Delivery, ahead: Touches) -> Claim:
        """Insert the delivery as ``done``, or find it. ``ahead`` is what will be loaded next: a hint, so that a
        store on the far side of a network can fetch both in one trip."""
        ...

    def claim_many(self, deliveries: Sequence[Delivery]) -> list[Claim]:
        """:meth:`claim` for each, in as few statements as the store can; the answers are in the order given.

        No digest may be there twice. They are inserted in sorted order, so that two batches never wait for each other.
        """
        ...

    def settle(
        self, digest: str, state: InboxState, at: datetime, *, anchor: str | None = None, reason: str | None = None
    ) -> None:
        """Give a claimed delivery another state than ``done``, or a waiting one its next.

        ``attempts`` grows by one. ``anchor`` None keeps the one that is there.
        """
        ...

    def parked(self, anchors: Sequence[str]) -> list[InboxRow]:
        """Deliveries parked under these anchors, oldest first, locked; rows that another holds are left out."""
        ...

    # --- state

    def anchors_of(self, payments: Iterable[str]) -> dict[str, str]:
        """Payment id → its anchor, for the payments that are known. A payment never changes its anchor."""
        ...

    def load(self, touches: Touches) -> Held:
        """Lock and update the anchors (making those that are missing), then read the rows."""
        ...

    def write(self, batch: Batch, *, told: bool = True) -> list[EffectRow]:
        """Write the batch; gives the effects that are new, in order. An effect that exists already is left alone.

        Without ``told`` nobody looks at what is given: a store on the far side of a network may then give nothing, and
        send the batch along with the next statement, or with COMMIT.
        """
        ...

    # --- effects

    def finish_effect(
        self,
        row: EffectRow,
        state: EffectState,
        *,
        attempts: int,
        due_at: datetime,
        error: str | None = None,
        token: str | None = None,
    ) -> bool:
        """Record an attempt. With ``token``, only if the lease is still ours: False means somebody else has it."""
        ...

    def lease_effects(
        self,
        now: datetime,
        until: datetime,
        token: str,
        *,
        handlers: Sequence[str],
        limit: int,
        anchor: str | None = None,
    ) -> list[EffectRow]:
        """Take ``after`` effects that are due, or whose lease has ended, for ``handlers``; at most one for each
        (anchor, handler), and never one that has an unfinished elder there."""
        ...

    # --- refunds that we ask for

    def intents(self, payment_id: str) -> list[RefundIntent]:
        """All refund intents of a payment. Call it under the payment's anchor."""
        ...

    def put_intent(self, intent: RefundIntent) -> None:
        """Insert or replace by key."""
        ...

    # --- reconciliation

    def put_run(self, run: Run) -> None:
        """Insert or replace by id."""
        ...

    def put_findings(self, findings: Sequence[Finding]) -> None:
        """Insert or replace by (run, kind, entity)."""
        ...

    # --- seals

    def last_seal(self) -> Seal | None:
        """The seal with the highest number. Call it, and what follows, under the anchor of the seals."""
        ...

    def sealable(self, after: Seal | None, *, limit: int) -> list[Arrival]:
        """The audit rows that arrived after ``after``, in order, that no row can be put before any more.

        A transaction that is still running may yet commit a row with a lower position than one that is visible: rows
        behind such a transaction are left for the next time.
        """
        ...

    def put_seal(self, seal: Seal) -> None:
        """Append a seal. Raises where its number is taken."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """A reconciliation run. ``cursor`` is where a run that was cut short goes on (JSON); ``lease_until`` keeps a
    second run out while the first lives."""

    id: str
    since: datetime
    until: datetime
    state: Literal["running", "done", "failed"]
    cursor: str
    totals: str
    started_at: datetime
    updated_at: datetime
    lease_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One named difference between here and Razorpay. ``here`` and ``there`` are what each side says, as text."""

    run_id: str
    kind: str
    entity: str
    entity_id: str
    here: str | None
    there: str | None
    state: Literal["open", "repaired", "left"]
    note: str | None
    at: datetime


class Reader(Protocol):
    """Reading outside a transaction: what was committed, without locks. Lists are in order of (created_at, id)."""

    def inbox_state(self, digest: str) -> InboxState | None:
        """The state of a delivery that was committed, or None: the cheap answer to a duplicate."""
        ...

    def order(self, reference: str) -> OrderState | None:
        """An order by its local id or by Razorpay's."""
        ...

    def payment(self, payment_id: str) -> PaymentState | None: ...

    def refund(self, refund_id: str) -> RefundState | None: ...

    def entity(self, entity_id: str) -> EntityState | None:
        """Anything else by its id: a dispute, a subscription, a settlement."""
        ...

    def orders(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        statuses: Sequence[str] = (),
        owner: str | None = None,
        after: After | None = None,
        limit: int = 100,
    ) -> list[OrderState]:
        """Orders made in [since, until)."""
        ...

    def payments(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        statuses: Sequence[str] = (),
        anchor: str | None = None,
        after: After | None = None,
        limit: int = 100,
    ) -> list[PaymentState]: ...

    def refunds(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        statuses: Sequence[str] = (),
        payment_id: str | None = None,
        after: After | None = None,
        limit: int = 100,
    ) -> list[RefundState]: ...

    def entities(
        self,
        *,
        kind: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        statuses: Sequence[str] = (),
        anchor: str | None = None,
        after: After | None = None,
        limit: int = 100,
    ) -> list[EntityState]:
        """Everything else made in [since, until)."""
        ...

    def delivery(self, digest: str) -> InboxRow | None: ...

    def deliveries(
        self,
        *,
        states: Sequence[InboxState] = (),
        event_id: str | None = None,
        anchor: str | None = None,
        after: After | None = None,
        limit: int = 100,
    ) -> list[InboxRow]:
        """Stored deliveries, in order of (received_at, digest)."""
        ...

    def effects(
        self,
        *,
        states: Sequence[EffectState] = (),
        mode: EffectMode | None = None,
        anchor: str | None = None,
        due: datetime | None = None,
        heads: bool = False,
        after_id: int = 0,
        limit: int = 100,
    ) -> list[EffectRow]:
        """Effects in order of ``id``; with ``due``, only those due by then.

        ``heads``: only those without an unfinished elder of the same handler on the same anchor.
        """
        ...

    def effect_handlers(self) -> set[str]:
        """The names of all handlers that have an unfinished effect."""
        ...

    def switches(self) -> dict[str, Switch]:
        """All switches by name."""
        ...

    def holds(self, *, after: str = "", limit: int = 100) -> list[Hold]:
        """Legal holds in order of subject."""
        ...

    def seal(self, seq: int | None = None) -> tuple[int, str] | None:
        """Number and hash of a seal of the audit, the last one by default; None where there is none."""
        ...

    def received(self, *, after: int = 0, limit: int = 100) -> list[tuple[int, InboxRow]]:
        """Stored deliveries with their positions, in the order in which they came: one walk of one index."""
        ...

    def audit(self, anchor: str, *, after_seq: int = 0, limit: int = 1000) -> list[AuditRow]:
        """One anchor's chain, in order."""
        ...

    def anchors(self, *, after_key: str = "", limit: int = 1000) -> list[AnchorState]:
        """All anchors in order of key."""
        ...

    def anchor(self, key: str) -> AnchorState | None: ...

    # --- the whole trail, for verifying it

    def audit_chains(self, *, after: Link | None = None, limit: int = 1000) -> list[Link]:
        """All audit rows in order of (anchor, seq, arrival), each beside what its anchor says in the same moment."""
        ...

    def audit_arrivals(self, *, after: str | None = None, limit: int = 1000) -> list[Arrival]:
        """All audit rows in their order of arrival, after a position."""
        ...

    def anchors_without_audit(self, *, after_key: str = "", limit: int = 1000) -> list[AnchorState]:
        """Anchors that remember audit rows and have none, in order of key."""
        ...

    def seals(self, *, after_seq: int = 0, limit: int = 1000) -> list[Seal]:
        """Seals in order of ``seq``."""
        ...

    def audit_dropped(self) -> datetime | None:
        """Audit rows older than this have been dropped by retention; None where it never dropped any."""
        ...

    def open_intents(self, *, before: datetime, limit: int = 100) -> list[RefundIntent]:
        """Refund intents made before a moment whose end is not known yet."""
        ...

    def runs(self, *, limit: int = 10) -> list[Run]:
        """Reconciliation runs, newest first."""
        ...

    def findings(self, run_id: str, *, limit: int = 1000) -> list[Finding]: ...


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """The state of the schema: ``version`` None where there is none yet; ``wanted`` is what this package needs."""

    url: str
    version: int | None
    wanted: int
    counts: dict[str, int]
    """Rows in each of our tables."""
    serves: int | None = None
    """The oldest version whose code can still run on the tables; None where there are none."""

    @property
    def finished(self) -> bool:
        """False while ``migrate(finish=True)`` is still to be called: the version before can run on it, too."""
        return self.serves == self.version

    @property
    def usable(self) -> bool:
        """Whether this package can work on the tables as they are: they may be of the next version, unfinished."""
        if self.version is None or self.serves is None:
            return False
        return self.version >= self.wanted >= self.serves


class Store(Reader, Protocol):
    """A store: transactions, reading, and its own upkeep."""

    joins_application: bool
    """Whether ``@on`` handlers share the application's own transaction."""
    claims_cheaply: bool
    """Whether claiming a duplicate takes no lock that others wait for: then nobody asks :meth:`inbox_state` first."""

    def transaction(self, *, durable: bool = False) -> AbstractContextManager[Transaction]:
        """Begin; commit when the block ends, roll back when it raises. Not re-entrant in one thread.

        Where the application's own transaction is open around it, the block is a part of that, and what it wrote is
        durable when that commits. ``durable`` refuses to be such a part: for what must be on record before anybody
        else, Razorpay above all, is told of it.

        Raises :class:`StorageUnavailable` when it cannot begin or commit (:class:`StorageConflict` where it may be run
        again at once: see ``ports.unit.transact``), :class:`SchemaMismatch` when the tables are missing or of another
        version, :class:`TransactionMisuse` when called inside itself or inside a transaction that it may not join.
        """
        ...

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once all that was written so far in this thread is durable.

        At once, where nothing is open; after the outermost commit, where the application's own transaction is; never,
        if that is rolled back.
        """
        ...

    def migrate(self, *, finish: bool = False) -> StoreStatus:
        """Make or bring up the tables. Safe to call at every start, from many processes at once.

        Code of the version before still runs on the result, until ``finish`` does what it cannot survive.
        """
        ...

    def status(self) -> StoreStatus: ...

    def schema(self) -> str:
        """The SQL that makes the tables, as one text."""
        ...

    def close(self) -> None:
        """Close connections. The store opens them again when it is used again."""
        ...


class Month(NamedTuple):
    """A month of the inbox or of the audit that has a partition of its own; ``ends`` is the beginning of the next."""

    kind: str
    name: str
    begins: datetime
    ends: datetime


@runtime_checkable
class Partitioned(Protocol):
    """A store that can keep months apart: what retention asks of it, beyond :class:`Store`."""

    def months(self, kind: str) -> list[Month]:
        """The months of ``inbox`` or ``audit`` that have a partition of their own, the oldest first."""
        ...

    def make_months(self, now: datetime, *, ahead: int = 3) -> list[Month]:
        """Make the partitions of the months to come, where they are missing. Gives those made."""
        ...

    def drop_month(self, month: Month, *, dry: bool = False) -> int | None:
        """Drop a month and give its rows; None where it has to stay. ``dry``: only count."""
        ...

    def forget_digests(self, before: datetime, *, limit: int = 1000) -> int:
        """Drop dedupe keys older than ``before`` whose deliveries are gone, a bounded number. Gives how many."""
        ...

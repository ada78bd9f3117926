"""The law of everything that is not a payment, an order or a refund: disputes, subscriptions, links, settlements …

Tables as data, and small pure functions. Two things follow from a fact, and neither depends on what came before it:

- its **milestones** are read from the fact alone (:func:`entity_milestones`); each fires once per key, so that any
  order of arrival, with any duplicates, fires the same ones;
- its **status** is the greatest of what was told, in the order of (phase, stage, time of the event, place in the
  stage). Within a stage, and nowhere else, a status may return (``active`` ↔ ``pending``): there the event's own time
  decides, because nothing else could. Between stages time decides nothing, and no stage is ever left backwards.

Sources: FACTS section 9 for :data:`LIVES`, the collected table of events for :data:`EVENTS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Final, NamedTuple

from razorpay_hardened.domain.facts import EntityFact
from razorpay_hardened.domain.lifecycle import Decision, Milestone, Verdict
from razorpay_hardened.domain.state import EntityState
from razorpay_hardened.errors import InconsistentEvent

__all__ = [
    "ALIASES",
    "ENTITY_MILESTONES",
    "EVENTS",
    "LIVES",
    "OF_ONE_ORDER",
    "PHASE_RANK",
    "Life",
    "Once",
    "Told",
    "decide_entity",
    "ends_twice",
    "entity_milestones",
    "fits_entity",
    "leads_to",
    "listed_status",
    "taken_status",
]


class Life(NamedTuple):
    """The statuses of a kind. ``stages`` are ordered: a later one is never left for an earlier one. ``next`` is what
    Razorpay documents: status → what may come right after it."""

    stages: tuple[tuple[str, ...], ...]
    next: Mapping[str, tuple[str, ...]]

    @property
    def statuses(self) -> tuple[str, ...]:
        """All that are known, the earliest stage first."""
        return tuple(status for stage in self.stages for status in stage)

    def stage(self, status: str) -> int:
        """Which stage a status is in; -1, before all of them, for one that this version does not know."""
        return next((place for place, stage in enumerate(self.stages) if status in stage), -1)

    def is_end(self, status: str) -> bool:
        """Whether nothing is documented to come after it."""
        return self.stage(status) >= 0 and not self.next.get(status)


_DOWNTIME: Final = Life(
    (("scheduled",), ("started",), ("updated",), ("resolved",)),
    {"scheduled": ("started",), "started": ("updated", "resolved"), "updated": ("resolved",)},
)

LIVES: Final[Mapping[str, Life]] = {
    "dispute": Life(
        (("open", "under_review"), ("closed",), ("won",), ("lost",)),
        {"open": ("under_review", "won", "lost", "closed"), "under_review": ("open", "won", "lost")},
    ),
    "subscription": Life(
        (
            ("created",),
            ("authenticated",),
            ("active", "pending", "halted", "paused"),
            ("expired",),
            ("completed",),
            ("cancelled",),
        ),
        {
            "created": ("authenticated", "active", "expired", "cancelled"),
            "authenticated": ("active", "cancelled"),
            "active": ("pending", "paused", "completed", "cancelled"),
            "pending": ("active", "halted", "cancelled"),
            "halted": ("active", "cancelled"),
            "paused": ("active", "cancelled"),
        },
    ),
    "payment_link": Life(
        (("created",), ("partially_paid",), ("expired",), ("cancelled",), ("paid",)),
        {
            "created": ("partially_paid", "paid", "cancelled", "expired"),
            "partially_paid": ("paid", "expired", "cancelled"),
        },
    ),
    "invoice": Life(
        (("draft",), ("issued",), ("partially_paid",), ("deleted",), ("expired",), ("cancelled",), ("paid",)),
        {
            "draft": ("issued", "deleted"),
            "issued": ("partially_paid", "paid", "cancelled", "expired"),
            "partially_paid": ("paid", "expired"),
        },
    ),
    "qr_code": Life((("active",), ("closed",)), {"active": ("closed",)}),
    "virtual_account": Life((("active",), ("closed",)), {"active": ("closed",)}),
    "settlement": Life(
        (("created",), ("failed",), ("processed",)), {"created": ("processed", "failed"), "failed": ("processed",)}
    ),
    "settlement.ondemand": Life(
        (("created",), ("initiated",), ("partially_processed",), ("processed",), ("reversed",)),
        {
            "created": ("initiated",),
            "initiated": ("partially_processed", "processed", "reversed"),
            "partially_processed": ("processed", "reversed"),
        },
    ),
    "transfer": Life(
        (("created",), ("pending",), ("failed",), ("processed",), ("partially_reversed",), ("reversed",)),
        {
            "created": ("pending", "processed", "failed"),
            "pending": ("processed", "failed"),
            "processed": ("partially_reversed", "reversed"),
            "partially_reversed": ("reversed",),
        },
    ),
    "payout": Life(
        (
            ("pending",),
            ("scheduled",),
            ("queued",),
            ("processing",),
            ("rejected",),
            ("cancelled",),
            ("processed",),
            ("reversed", "failed"),
        ),
        {
            "pending": ("queued", "scheduled", "processing", "rejected"),
            "queued": ("processing", "cancelled", "failed"),
            "scheduled": ("processing", "cancelled", "failed"),
            "processing": ("processed", "reversed", "failed"),
            "processed": ("reversed",),
            "reversed": ("failed",),
            "failed": ("reversed",),
        },
    ),
    "payout_link": Life(
        (
            ("pending",),
            ("issued", "processing", "attempted"),
            ("rejected",),
            ("expired",),
            ("cancelled",),
            ("processed",),
        ),
        {
            "pending": ("issued", "rejected"),
            "issued": ("processing", "cancelled", "expired"),
            "processing": ("processed", "issued", "attempted"),
            "attempted": ("processing", "cancelled", "expired"),
        },
    ),
    "token": Life(
        (
            ("initiated",),
            ("confirmed", "paused", "active", "suspended"),
            ("cancellation_initiated",),
            ("rejected",),
            ("failed",),
            ("cancelled",),
            ("deactivated",),
        ),
        {
            "initiated": ("confirmed", "rejected", "active", "failed"),
            "confirmed": ("paused", "cancellation_initiated", "cancelled"),
            "paused": ("confirmed", "cancellation_initiated", "cancelled"),
            "active": ("suspended", "deactivated"),
            "suspended": ("active", "deactivated"),
            "cancellation_initiated": ("cancelled",),
        },
    ),
    "fund_account.validation": Life((("created",), ("failed",), ("completed",)), {"created": ("completed", "failed")}),
    "payment.downtime": _DOWNTIME,
    "payout.downtime": _DOWNTIME,
}
"""Kind → its life. Where two ends exclude each other, the later stage is the one that is dearer to miss: money that
came in (``paid``), a transfer that left (``processed``: made again, it would be paid twice). A kind that is not here
has no law: its status is whatever the newest event said."""

PHASE_RANK: Final[Mapping[str | None, int]] = {
    None: 0,
    "fraud": 0,
    "retrieval": 0,
    "chargeback": 1,
    "pre_arbitration": 2,
    "arbitration": 3,
}
"""A dispute that was won may come back in a later phase, under the same id: there its life begins again. A phase that
this version does not know counts as the first."""


OF_ONE_ORDER: Final = frozenset({"dispute", "payment_link", "invoice", "transfer", "notification"})
"""Kinds that belong to one order or payment for good. The others see many pass (a subscription has an order for each
charge), and belong to themselves."""


class Once(Enum):
    """What "once" means: what belongs to the key of a milestone, beside its name and the entity's id."""

    EVER = "ever"
    PHASE = "phase"
    """Once in each phase of a dispute."""
    PAYMENT = "payment"
    """Once for each payment: a subscription is charged many times. Without a payment beside it: as ``EVENT``."""
    EVENT = "event"
    """Once for each event that Razorpay made: its signed ``created_at``; where there is none, its signed bytes."""


class Told(NamedTuple):
    """What an event is about: ``part`` is the payload's name for the entity. ``status`` is what the event says of it,
    or None; with ``EVER`` and ``PHASE`` the status alone proves the milestone, whoever tells it. ``first_sight``: any
    news of the entity proves it."""

    milestone: str
    part: str
    once: Once
    status: str | None = None
    first_sight: bool = False


_EVER, _PHASE, _PAYMENT, _EVENT = Once.EVER, Once.PHASE, Once.PAYMENT, Once.EVENT
_ANY: Final[tuple[Once, str | None]] = (_EVENT, None)

_TABLE: Final[tuple[tuple[str, str, str, dict[str, tuple[Once, str | None]]], ...]] = (
    (
        "payment.dispute",
        "dispute",
        "dispute",
        {
            "created": (_PHASE, "open"),
            "under_review": (_EVENT, "under_review"),
            "action_required": (_EVENT, "open"),
            "closed": (_PHASE, "closed"),
            "won": (_PHASE, "won"),
            "lost": (_PHASE, "lost"),
        },
    ),
    (
        "subscription",
        "subscription",
        "subscription",
        {
            "authenticated": (_EVER, "authenticated"),
            "activated": (_EVENT, "active"),
            "charged": (_PAYMENT, None),
            "updated": _ANY,
            "pending": (_EVENT, "pending"),
            "halted": (_EVENT, "halted"),
            "paused": (_EVENT, "paused"),
            "resumed": (_EVENT, "active"),
            "completed": (_EVER, "completed"),
            "cancelled": (_EVER, "cancelled"),
        },
    ),
    (
        "payment_link",
        "payment_link",
        "payment_link",
        {
            "partially_paid": (_PAYMENT, "partially_paid"),
            "paid": (_EVER, "paid"),
            "cancelled": (_EVER, "cancelled"),
            "expired": (_EVER, "expired"),
        },
    ),
    (
        "invoice",
        "invoice",
        "invoice",
        {"partially_paid": (_PAYMENT, "partially_paid"), "paid": (_EVER, "paid"), "expired": (_EVER, "expired")},
    ),
    (
        "qr_code",
        "qr_code",
        "qr_code",
        {"created": (_EVER, "active"), "credited": (_PAYMENT, None), "closed": (_EVER, "closed")},
    ),
    (
        "virtual_account",
        "virtual_account",
        "virtual_account",
        {"created": (_EVER, "active"), "credited": (_PAYMENT, None), "closed": (_EVER, "closed")},
    ),
    ("transfer", "transfer", "transfer", {"processed": (_EVER, "processed"), "failed": (_EVER, "failed")}),
    ("settlement", "settlement", "settlement", {"processed": (_EVER, "processed")}),
    (
        "payment.downtime",
        "downtime",
        "payment.downtime",
        {"started": (_EVER, "started"), "updated": (_EVENT, "updated"), "resolved": (_EVER, "resolved")},
    ),
    (
        "token",
        "token",
        "token",
        {
            "initiated": (_EVER, "initiated"),
            "confirmed": (_EVER, "confirmed"),
            "activated": (_EVENT, "active"),
            "paused": (_EVENT, "paused"),
            "resumed": (_EVENT, "confirmed"),
            "suspended": (_EVENT, "suspended"),
            "expiry_updated": _ANY,
            "cancellation_initiated": (_EVER, "cancellation_initiated"),
            "rejected": (_EVER, "rejected"),
            "cancelled": (_EVER, "cancelled"),
            "deactivated": (_EVER, "deactivated"),
        },
    ),
    (
        "payout",
        "payout",
        "payout",
        {
            "pending": (_EVER, "pending"),
            "queued": (_EVER, "queued"),
            "initiated": (_EVER, "processing"),
            "updated": _ANY,
            "rejected": (_EVER, "rejected"),
            "processed": (_EVER, "processed"),
            "reversed": (_EVER, "reversed"),
            "failed": (_EVER, "failed"),
        },
    ),
    (
        "payout.downtime",
        "payout.downtime",
        "payout.downtime",
        {"started": (_EVER, "started"), "resolved": (_EVER, "resolved")},
    ),
    (
        "payout_link",
        "payout_link",
        "payout_link",
        {
            "pending": (_EVER, "pending"),
            "issued": (_EVENT, "issued"),
            "processing": (_EVENT, "processing"),
            "attempted": (_EVENT, "issued"),
            "rejected": (_EVER, "rejected"),
            "cancelled": (_EVER, "cancelled"),
            "expired": (_EVER, "expired"),
            "processed": (_EVER, "processed"),
        },
    ),
    (
        "fund_account.validation",
        "fund_account.validation",
        "fund_account.validation",
        {"completed": (_EVER, "completed"), "failed": (_EVER, "failed")},
    ),
    # From here on: kinds without a life.
    ("transaction", "transaction", "transaction", {"created": _ANY}),
    ("order.notification", "order.notification", "notification", {"delivered": _ANY, "failed": _ANY}),
    (
        "token.service_provider",
        "token.service_provider",
        "service_provider_token",
        {"activated": _ANY, "cancelled": _ANY, "deactivated": _ANY, "failed": _ANY},
    ),
    (
        "token.service_provider_token",
        "token.service_provider_token",
        "service_provider_token",
        {"activated": _ANY},
    ),
    (
        "account",
        "account",
        "account",
        {
            "under_review": _ANY,
            "needs_clarification": _ANY,
            "activated": _ANY,
            "activated_kyc_pending": _ANY,
            "instantly_activated": _ANY,
            "payments_enabled": _ANY,
            "rejected": _ANY,
            "suspended": _ANY,
            "funds_hold": _ANY,
            "funds_unhold": _ANY,
            "updated": _ANY,
            "instant_activation_gmv_limit_warning": _ANY,
            "app.authorization_revoked": _ANY,
            "payment_methods.updated": _ANY,
        },
    ),
    ("banking_accounts", "banking_accounts", "accounts", {"issued": _ANY}),
    *(
        (f"product.{product}", f"product.{product}", "merchant_product", dict.fromkeys(tails, _ANY))
        for product, tails in (
            (
                "payment_gateway",
                (
                    "under_review",
                    "needs_clarification",
                    "activated",
                    "activated_kyc_pending",
                    "instantly_activated",
                    "rejected",
                ),
            ),
            ("payment_links", ("under_review", "needs_clarification", "activated", "activated_kyc_pending")),
            ("payment_link", ("rejected",)),  # printed without its s
            ("route", ("under_review", "needs_clarification", "activated")),
        )
    ),
)
"""(prefix of the event, prefix of the milestone, part, last word → (once, status)), in the order of first attempts."""

EVENTS: Final[Mapping[str, Told]] = {
    f"{event}.{word}": Told(
        f"{milestone}.{word}", part, once, status, first_sight=word == "created" and once is not Once.EVENT
    )
    for event, milestone, part, words in _TABLE
    for word, (once, status) in words.items()
}
"""Event → what it is about. Every documented event is here or tells of a payment, an order or a refund only."""

ENTITY_MILESTONES: Final = tuple(told.milestone for told in EVENTS.values())
"""What an application can subscribe to, beside ``lifecycle.MILESTONES``, in the order in which first attempts run."""

ALIASES: Final = {event: told.milestone for event, told in EVENTS.items() if event != told.milestone}
"""Razorpay's name for an event → ours for its milestone, where they differ: ``payment.dispute.won``."""

_PROVEN: Final[Mapping[str, tuple[Told, ...]]] = {
    kind: tuple(told for told in EVENTS.values() if told.part == kind and told.once in (Once.EVER, Once.PHASE))
    for kind in LIVES
}

_SLIPS: Final[Mapping[tuple[str, str], str]] = {
    ("transfer.failed", "processed"): "failed",
    ("token.cancelled", "active"): "cancelled",
    ("payout_link.expired", "cancelled"): "expired",
}
"""(event, the status that its only printed sample shows) → the status to take: there the event's name is believed."""

_SAME: Final[Mapping[tuple[str, str], str]] = {
    ("subscription", "resumed"): "active",  # the events page has it as a state; the entity says active
    ("token", "resumed"): "confirmed",
    ("token", "activated"): "active",
}
"""(kind, status) → the same status by its usual name."""


def taken_status(kind: str, event: str, sent: str | None) -> str:
    """The status to hold an entity to have, from what was ``sent`` with it.

    The entity's own, but for slips that are known; where it has none, what the event says: its status, or for a kind
    without a life its last word.
    """
    if kind not in LIVES:
        return sent or event.rpartition(".")[2]
    if not sent:
        return EVENTS[event].status or ""
    sent = _SLIPS.get((event, sent), sent)
    return _SAME.get((kind, sent), sent)


def listed_status(kind: str, sent: str | None) -> str:
    """The status to hold an entity to have that was listed or fetched: its own, by its usual name; empty for none."""
    return _SAME.get((kind, sent or ""), sent or "")


def fits_entity(event: str, kind: str, status: str) -> bool:
    """Whether an entity can be what the event says: at the event's status, or where the documents lead from there.

    A status that is not known contradicts nothing.
    """
    said = EVENTS[event].status
    life = LIVES.get(kind)
    if life is None or said is None or life.stage(status) < 0:
        return True
    return status == said or leads_to(life, said, status)


def leads_to(life: Life, start: str, end: str) -> bool:
    """Whether documented steps, one or more, lead from one status to another."""
    seen: set[str] = set()
    ahead = list(life.next.get(start, ()))
    while ahead:
        status = ahead.pop()
        if status not in seen:
            seen.add(status)
            ahead += life.next.get(status, ())
    return end in seen


def entity_milestones(fact: EntityFact) -> Iterator[Milestone]:
    """What a fact proves, in the order in which handlers run: read from it alone, never from what is held."""
    told = None if fact.event is None else EVENTS.get(fact.event)
    proven = [one for one in _PROVEN.get(fact.kind, ()) if one.first_sight or one.status == fact.status]
    if told is not None and told not in proven:
        proven.append(told)
    for one in proven:
        yield Milestone(one.milestone, fact.entity_id, _occasion(one.once, fact))


def _occasion(once: Once, fact: EntityFact) -> str:
    if once is Once.EVER:
        return ""
    if once is Once.PHASE:
        return fact.phase or ""
    if once is Once.PAYMENT and fact.payment_id is not None:
        return fact.payment_id
    return fact.occasion


def decide_entity(held: EntityState | None, fact: EntityFact, anchor: str, at: datetime) -> Decision[EntityState]:
    """What ``fact`` makes of the entity we hold. ``at`` stands in where Razorpay did not say when it happened.

    Raises :class:`InconsistentEvent` where one id is that of two kinds.
    """
    told_at = fact.told_at or at
    known = _stage(fact.kind, fact.status) >= 0
    if held is None:
        state = EntityState(
            entity_id=fact.entity_id,
            kind=fact.kind,
            anchor=anchor,
            status=fact.status,
            created_at=fact.created_at or at,
            updated_at=at,
            told_at=told_at,
            phase=fact.phase,
            snapshot=fact.snapshot,
        )
        return Decision(state, Verdict.NEW if known else Verdict.UNKNOWN_STATUS)
    if held.kind != fact.kind:
        raise InconsistentEvent(f"this id is that of a {held.kind}, and now of a {fact.kind}")
    if held.anchor == held.entity_id != anchor:
        held = replace(held, anchor=anchor)  # only now is it known which order it belongs to
    here = _place(held.kind, held.phase, held.status, held.told_at)
    ahead = _place(fact.kind, fact.phase, fact.status, told_at) > here
    same = (held.phase, held.status) == (fact.phase, fact.status)
    if ahead:
        held = replace(
            held,
            status=fact.status,
            phase=fact.phase,
            told_at=told_at,
            snapshot=fact.snapshot or held.snapshot,
            updated_at=at,
        )
    if not known:
        return Decision(held, Verdict.UNKNOWN_STATUS)
    if same:
        return Decision(held, Verdict.SAME)
    return Decision(held, Verdict.MOVED if ahead else Verdict.STALE)


def _stage(kind: str, status: str) -> int:
    life = LIVES.get(kind)
    return 0 if life is None else life.stage(status)


def _place(kind: str, phase: str | None, status: str, told_at: datetime) -> tuple[int, int, datetime, int, str]:
    """Where a status stands: the greatest of all that were told is the one that holds, in whatever order they came."""
    life, stage = LIVES.get(kind), _stage(kind, status)
    inner = life.stages[stage].index(status) if life is not None and stage >= 0 else 0
    return PHASE_RANK.get(phase, 0), stage, told_at, inner, status


def ends_twice(before: EntityState, after: EntityState) -> bool:
    """Whether an end was followed by another, which nothing documents: an expired link that is paid after all."""
    life = LIVES.get(after.kind)
    if life is None or before.phase != after.phase or before.status == after.status:
        return False
    return life.is_end(before.status) and not leads_to(life, before.status, after.status)

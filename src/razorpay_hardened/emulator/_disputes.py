"""Disputes: a bank claims a payment back, the business accepts or contests (FACTS sections 8 and 9)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _books, _checks
from razorpay_hardened.emulator._listing import collection, expansions, page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator._transactions import with_transactions
from razorpay_hardened.emulator.wire import Call, Entity, refusal
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "OUTCOMES", "PHASES", "ROUTES", "decide", "open_dispute"]

PHASES = ("fraud", "retrieval", "chargeback", "pre_arbitration", "arbitration")
OUTCOMES = ("won", "lost", "closed", "action_required")
_PROOFS = (
    "shipping_proof",
    "billing_proof",
    "cancellation_proof",
    "customer_communication",
    "proof_of_service",
    "explanation_letter",
    "refund_confirmation",
    "access_activity_log",
    "refund_cancellation_policy",
    "term_and_conditions",
)
_EXPANSIONS = ("payment", "transaction.settlement")
_INVALID_FILE = "Invalid file id provided or merchant is unauthorized to access the fileId(s) provided"


# --- what the bank does ---------------------------------------------------------------------------------------------


def open_dispute(
    world: World, payment: Entity, amount: int, *, phase: str, reason_code: str, respond_within_s: int
) -> Entity:
    """The bank's claim. It takes its amount now or, by default, when it is lost."""
    dispute: Entity = {
        "id": world.mint("disp", payment["id"]),
        "entity": "dispute",
        "payment_id": payment["id"],
        "amount": amount,
        "currency": payment["currency"],
        "amount_deducted": 0,
        "reason_code": reason_code,
        "respond_by": world.clock.unix() + respond_within_s,
        "status": "open",
        "phase": phase,
        "created_at": world.clock.unix(),
        "evidence": _no_evidence(amount),
    }
    world.own(payment["id"], dispute["id"])
    if world.options.deduct_dispute_at_onset:
        _deduct(world, dispute)
    world.save(dispute)
    _tell(world, "created", dispute)
    world.clock.plan(dispute["respond_by"] * 1000 + 1000, partial(_deadline, world, dispute["id"]))
    return dispute


def _no_evidence(amount: int) -> Entity:
    return {"amount": amount, "summary": None, **dict.fromkeys(_PROOFS), "others": None, "submitted_at": None}


def _tell(world: World, what: str, dispute: Entity) -> None:
    world.emit(f"payment.dispute.{what}", payment=world.payments[dispute["payment_id"]], dispute=dispute)


def _deduct(world: World, dispute: Entity) -> None:
    """An adjustment in the books, with the id of the dispute (FACTS section 14)."""
    if not dispute["amount_deducted"]:
        dispute["amount_deducted"] = dispute["amount"]
        _adjust(world, dispute, -1)


def _adjust(world: World, dispute: Entity, sign: int) -> None:
    change = sign * _books.in_paise(world, dispute["amount"], dispute["currency"])
    payment = world.payments[dispute["payment_id"]]
    row_id = world.mint("adj", dispute["id"])
    _books.move(world, row_id, "adjustment", change, payment, dispute_id=dispute["id"], description="Dispute")


def _deadline(world: World, dispute_id: str) -> None:
    """Nobody answered in time: lost."""
    dispute = world.table("dispute").get(dispute_id)
    if dispute is not None and dispute["status"] == "open" and world.clock.unix() > dispute["respond_by"]:
        world.private[dispute_id]["lapsed"] = True
        _end(world, dispute, "lost")


def decide(world: World, dispute: Entity, outcome: str, respond_within_s: int) -> None:
    """The bank's word on a dispute: ``won``, ``lost``, ``closed`` (fraud phase only) or ``action_required``.

    After ``action_required`` the dispute is open again with a new date; that status is UNCONFIRMED. Raises
    :class:`ConfigError` where the state machine does not lead there.
    """
    status = dispute["status"]
    legal = {
        "won": status == "under_review",
        "lost": status in ("open", "under_review"),
        "closed": status == "open" and dispute["phase"] == "fraud",
        "action_required": status == "under_review",
    }
    if outcome not in legal:
        raise ConfigError(f"a dispute ends as one of {', '.join(OUTCOMES)}; not {outcome!r}")
    if not legal[outcome]:
        raise ConfigError(f"a dispute that is {status} in phase {dispute['phase']} cannot become {outcome}")
    if outcome == "action_required":
        dispute.update(status="open", respond_by=world.clock.unix() + respond_within_s)
        world.save(dispute)
        _tell(world, outcome, dispute)
        world.clock.plan(dispute["respond_by"] * 1000 + 1000, partial(_deadline, world, dispute["id"]))
    else:
        _end(world, dispute, outcome)


def _end(world: World, dispute: Entity, status: str) -> None:
    dispute["status"] = status
    if status == "lost":
        _deduct(world, dispute)
    elif dispute["amount_deducted"]:
        dispute["amount_deducted"] = 0
        _adjust(world, dispute, 1)
    world.save(dispute)
    _tell(world, status, dispute)


# --- what the business does -----------------------------------------------------------------------------------------


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/disputes/:id``."""
    wanted = expansions(call.query, _EXPANSIONS)
    return _expanded(world, [world.seen("dispute", call.ids[0], call.as_of)], wanted)[0]


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/disputes``, newest first."""
    wanted = expansions(call.query, _EXPANSIONS)
    rows = page(world.newest_first(world.table("dispute"), call.as_of), call.query)
    return collection(_expanded(world, [dict(row) for row in rows], wanted))


def _expanded(world: World, disputes: list[Entity], wanted: set[str]) -> list[Entity]:
    if "payment" in wanted:
        disputes = [{**one, "payment": dict(world.payments[one["payment_id"]])} for one in disputes]
    return with_transactions(world, disputes, wanted)


def accept(world: World, call: Call) -> Entity:
    """``POST /v1/disputes/:id/accept``: lost, and no way back."""
    dispute = world.live("dispute", call.ids[0])
    _checks.known_fields(call.body, ())
    _answerable(world, dispute)
    _end(world, dispute, "lost")
    return dict(dispute)


def contest(world: World, call: Call) -> Entity:
    """``PATCH /v1/disputes/:id/contest``: a draft is kept, ``submit`` puts the dispute under review."""
    dispute = world.live("dispute", call.ids[0])
    _checks.known_fields(call.body, ("amount", "summary", *_PROOFS, "others", "action"))
    _answerable(world, dispute)
    action = call.body.get("action", "draft")
    if action not in ("draft", "submit"):
        raise refusal("The selected action is invalid", field="action")
    evidence = {**dispute["evidence"], **_evidence(world, dispute, call.body)}
    if action == "submit":
        evidence["submitted_at"] = world.clock.unix()
        dispute["status"] = "under_review"
    dispute["evidence"] = evidence
    world.save(dispute)
    if action == "submit":
        _tell(world, "under_review", dispute)
    return dict(dispute)


def _answerable(world: World, dispute: Entity) -> None:
    """One that was lost because nobody answered is refused for that, not for its status (API reference, disputes)."""
    if world.private.get(dispute["id"], {}).get("lapsed"):
        raise refusal("Action not allowed as deadline to respond has elapsed")
    if dispute["status"] != "open":
        raise refusal(f"Action not allowed when dispute is in {dispute['status']} status")


def _evidence(world: World, dispute: Entity, body: Entity) -> Entity:
    found: Entity = {}
    if body.get("amount") is not None:
        found["amount"] = _checks.amount_in(body)
        if found["amount"] > dispute["amount"]:
            raise refusal("contest amount cannot be greater than dispute amount", field="amount")
    if (summary := _checks.text_in(body, "summary", 1000)) is not None:
        found["summary"] = summary
    for proof in _PROOFS:
        if proof in body:
            found[proof] = _documents(world, body[proof], proof)
    if "others" in body:
        found["others"] = _others(world, body["others"])
    return found


def _others(world: World, value: object) -> list[Entity] | None:
    others = value if isinstance(value, list) else [None]
    kept: list[Entity] = []
    for other in others:
        if not isinstance(other, dict) or not isinstance(other.get("type"), str):
            raise refusal("The others field is invalid", field="others")  # text: not published
        _documents(world, other.get("document_ids"), "others")
        kept.append(dict(other))
    return kept or None


def _documents(world: World, ids: object, field: str) -> list[str] | None:
    if not isinstance(ids, list) or not all(isinstance(one, str) and one in world.table("document") for one in ids):
        raise refusal(_INVALID_FILE, field=field)
    return list(ids) or None


ROUTES = (
    Route("GET", "/v1/disputes", list_all),
    Route("GET", "/v1/disputes/:id", fetch),
    Route("POST", "/v1/disputes/:id/accept", accept),
    Route("PATCH", "/v1/disputes/:id/contest", contest),
)
EVENTS = tuple(
    EventKind(f"payment.dispute.{name}", (("payment", "dispute"),))
    for name in ("created", "under_review", "action_required", "won", "lost", "closed")
)

"""The settlements endpoints, the recon report and instant settlements (FACTS sections 8, 9 and 14)."""

from __future__ import annotations

import re
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _books, _checks, _hash
from razorpay_hardened.emulator._listing import collection, expansions, page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, not_applicable, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES"]

_RECON_MAX = 1000
_INSTANT = "settlement.ondemand"
_INSTANT_FEE_BASIS_POINTS = 25  # 500 of 200000 before GST in the published sample
_INSTANT_MIN = 100
_INITIATED_S, _PROCESSED_S = 1, 7323  # from the published sample: one second, then some two hours


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/settlements/:id``."""
    return world.seen("settlement", call.ids[0], call.as_of)


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/settlements``, newest first."""
    return collection(page(world.newest_first(world.table("settlement"), call.as_of), call.query))


def recon(world: World, call: Call) -> Entity:
    """``GET /v1/settlements/recon/combined``: the rows settled in a month, or on a day of it.

    Days are Indian ones, and rows come settlement by settlement; both are UNCONFIRMED.
    """
    query = call.query
    _checks.known_fields(query, ("year", "month", "day", "count", "skip"))
    year = _part(query, "year", r"[0-9]{4}", "The year must be 4 digits.")
    month = _part(query, "month", r"0?[1-9]|1[0-2]", "The month is not a valid month.")
    day = _part(query, "day", r"[0-9]{1,2}", "The day must be between 1 and 2 digits.") if "day" in query else None
    count = _checks.number_in(query, "count", _RECON_MAX)  # the default is not published
    skip = _checks.number_in(query, "skip", 0)
    if count < 1:
        raise refusal("The count must be at least 1.", field="count")
    if count > _RECON_MAX:
        raise refusal(f"The count may not be greater than {_RECON_MAX}.", field="count")
    if skip < 0:
        raise refusal("The skip must be at least 0.", field="skip")  # text: not published
    rows = (row for row in world.books.rows() if row["settled"] and _falls_on(row["settled_at"], year, month, day))
    return collection([dict(row) for row in islice(rows, skip, skip + count)])


def _part(query: dict[str, list[str]], field: str, pattern: str, text: str) -> int:
    value = query.get(field, [""])[-1]
    if not re.fullmatch(pattern, value, re.ASCII):
        raise refusal(text, field=field)
    return int(value)


def _falls_on(unix: int, year: int, month: int, day: int | None) -> bool:
    date = _checks.indian_date(unix)
    return (date.year, date.month) == (year, month) and day in (None, date.day)


# --- instant settlements --------------------------------------------------------------------------------------------


def create_instant(world: World, call: Call) -> Entity:
    """``POST /v1/settlements/ondemand``. The texts of its refusals are not published, but for the minimum."""
    body = call.body
    _checks.known_fields(body, {"amount", "settle_full_balance", "description", "notes"})
    everything = _checks.flag_in(body, "settle_full_balance")
    description = _checks.text_in(body, "description", 30)
    available = world.books.balance - world.books.opening
    amount = available if everything else _checks.amount_in(body)
    if amount < _INSTANT_MIN:
        raise not_applicable("Minimum amount that can be settled is ₹ 1.")
    if amount > available:
        raise not_applicable("The requested amount exceeds the amount that can be settled.")
    fees, tax = _books.with_gst((amount * _INSTANT_FEE_BASIS_POINTS + 5_000) // 10_000)
    instant: Entity = {
        "id": world.mint("setlod"),
        "entity": _INSTANT,
        "amount_requested": amount,
        "amount_settled": 0,
        "amount_pending": amount - fees,
        "amount_reversed": 0,
        "fees": fees,
        "tax": tax,
        "currency": "INR",
        "settle_full_balance": everything,
        "status": "created",
        "description": description or "",
        "notes": _checks.notes_in(body),
        "created_at": world.clock.unix(),
    }
    world.save(instant)
    world.private[instant["id"]]["payout"] = _payout(world, instant)
    # how the recon report shows it is not published; some row must, or the books would not balance
    _books.move(world, instant["id"], _INSTANT, -amount, amount=amount - fees, fee=fees, tax=tax)
    for after_s, status in ((_INITIATED_S, "initiated"), (_PROCESSED_S, "processed")):
        world.clock.plan(world.clock.ms + after_s * 1000, partial(_advance, world, instant["id"], status))
    return dict(instant)


def _payout(world: World, instant: Entity) -> Entity:
    return {
        "id": world.mint("setlodp", instant["id"]),
        "entity": "settlement.ondemand_payout",
        "initiated_at": None,
        "processed_at": None,
        "reversed_at": None,
        "amount": instant["amount_requested"],
        "amount_settled": None,
        "fees": instant["fees"],
        "tax": instant["tax"],
        "utr": None,
        "status": "created",
        "created_at": instant["created_at"],
    }


def _advance(world: World, instant_id: str, status: str) -> None:
    instant, private = world.table(_INSTANT)[instant_id], world.private[instant_id]
    payout: Entity = {**private["payout"], "status": status, f"{status}_at": world.clock.unix()}
    instant["status"] = status
    if status == "processed":
        settled = instant["amount_pending"]
        instant.update(amount_settled=settled, amount_pending=0)
        payout.update(amount_settled=settled, utr=_hash.digits(world.seed, "utr", payout["id"]))
    private["payout"] = payout
    world.save(instant)


def fetch_instant(world: World, call: Call) -> Entity:
    """``GET /v1/settlements/ondemand/:id``."""
    wanted = expansions(call.query, ("ondemand_payouts",))
    return _expanded(world, world.seen(_INSTANT, call.ids[0], call.as_of), wanted)


def list_instant(world: World, call: Call) -> Entity:
    """``GET /v1/settlements/ondemand``, newest first."""
    wanted = expansions(call.query, ("ondemand_payouts",))
    rows = page(world.newest_first(world.table(_INSTANT), call.as_of), call.query)
    return collection([_expanded(world, dict(row), wanted) for row in rows])


def _expanded(world: World, instant: Entity, wanted: set[str]) -> Entity:
    if "ondemand_payouts" in wanted:
        instant["ondemand_payouts"] = collection([world.private[instant["id"]]["payout"]])
    return instant


ROUTES = (
    Route("GET", "/v1/settlements", list_all),
    Route("GET", "/v1/settlements/recon/combined", recon),
    Route("POST", "/v1/settlements/ondemand", create_instant),
    Route("GET", "/v1/settlements/ondemand", list_instant),
    Route("GET", "/v1/settlements/ondemand/:id", fetch_instant),
    Route("GET", "/v1/settlements/:id", fetch),
)
EVENTS = (EventKind("settlement.processed", (("settlement",),)),)

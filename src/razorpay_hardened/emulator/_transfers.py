"""Route: transfers to linked accounts and their reversals (FACTS sections 7.1, 8, 9 and 14)."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _books, _checks
from razorpay_hardened.emulator._idempotency import once
from razorpay_hardened.emulator._listing import collection, expansions, page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, not_applicable, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES", "for_order", "of_order", "reverse_all"]

_MIN = 100
_FEE_BASIS_POINTS = 25  # the official worked example (FACTS section 14)
_KEY = re.compile(r"[A-Za-z0-9_ -]{4,36}", re.ASCII)
_FIELDS = {"account", "amount", "currency", "notes", "linked_account_notes", "on_hold", "on_hold_until"}
_TOO_MUCH = "The sum of amount requested for transfer is greater than the captured amount"
_NO_BALANCE = "Transfer cannot be made due to insufficient balance"
_NO_ERROR = dict.fromkeys(("code", "description", "reason", "field", "step", "source", "metadata"))


# --- making them -------------------------------------------------------------------------------------------------


def _new(world: World, source: str, said: Entity, where: str) -> Entity:
    """A transfer in status ``created``, not yet saved."""
    _checks.known_fields(said, _FIELDS)
    if _checks.currency_in(said) != "INR":
        raise refusal("The currency should be INR for transfers", field="currency")
    amount = _checks.amount_in(said)
    if amount < _MIN:
        raise refusal(f"The {where}amount must be at least {_MIN}.", field="amount")
    recipient = said.get("account")
    if not isinstance(recipient, str):
        raise refusal("The account field is required", field="account")
    if recipient not in world.table("account"):
        raise refusal("The id provided does not exist", field="account")
    if world.table("account")[recipient]["status"] == "suspended":  # text: not published
        raise refusal("The linked account is suspended", field="account")
    notes = _checks.notes_in(said)
    shared = said.get("linked_account_notes") or []
    if not isinstance(shared, list) or not all(key in notes for key in shared):
        raise refusal("Keys sent in linked_account_notes must exist in notes", field="linked_account_notes")
    on_hold, until = _checks.flag_in(said, "on_hold"), _checks.time_in(said, "on_hold_until")
    fees, tax = _books.with_gst((amount * _FEE_BASIS_POINTS + 5_000) // 10_000)
    transfer_id = world.mint("trf", source)
    return {
        "id": transfer_id,
        "entity": "transfer",
        "status": "created",
        "source": source,
        "recipient": recipient,
        "amount": amount,
        "currency": "INR",
        "amount_reversed": 0,
        "fees": fees,
        "tax": tax,
        "notes": notes,
        "linked_account_notes": list(shared),
        "on_hold": on_hold,
        "on_hold_until": until,
        "settlement_status": None,
        "recipient_settlement_id": None,
        "created_at": world.clock.unix(),
        "processed_at": None,
        "error": {**_NO_ERROR, "id": transfer_id},
    }


def _process(world: World, transfer: Entity, payment: Entity | None) -> None:
    """The money goes to the linked account, or the transfer fails for want of it."""
    cost = transfer["amount"] + transfer["fees"]
    if cost > world.books.balance:
        transfer["status"] = "failed"
        transfer["error"] = {
            **transfer["error"],
            "code": "BAD_REQUEST_TRANSFER_INSUFFICIENT_BALANCE",
            "description": "Transfer failed due to insufficient balance",
            "reason": "insufficient_balance",
            "step": "balance_check",
            "source": "transfer",
        }
        world.save(transfer)
        world.emit("transfer.failed", transfer=transfer)
        return
    transfer.update(
        status="processed",
        processed_at=world.clock.unix(),
        settlement_status="on_hold" if transfer["on_hold"] else "pending",
    )
    world.save(transfer)
    fees, tax = transfer["fees"], transfer["tax"]
    _books.move(world, transfer["id"], "transfer", -cost, payment, amount=transfer["amount"], fee=fees, tax=tax)
    if payment is not None:
        payment["amount_transferred"] = payment.get("amount_transferred", 0) + transfer["amount"]
        world.save(payment)
    world.emit("transfer.processed", transfer=transfer)


def of_payment(world: World, call: Call) -> Entity:
    """``POST /v1/payments/:id/transfers``."""
    payment = world.live("payment", call.ids[0])
    _checks.known_fields(call.body, {"transfers"})
    transfers = _several(world, payment["id"], call.body)
    if not payment["captured"]:  # text: not published
        raise refusal("The payment status should be captured for action to be taken")
    asked = sum(transfer["amount"] for transfer in transfers)
    if asked > payment["amount"] - payment["amount_refunded"] - payment.get("amount_transferred", 0):
        raise refusal(_TOO_MUCH)
    if sum(transfer["amount"] + transfer["fees"] for transfer in transfers) > world.books.balance:
        raise refusal(_NO_BALANCE)
    for transfer in transfers:
        world.own(payment["id"], transfer["id"])
        _process(world, transfer, payment)
    return collection(dict(transfer) for transfer in transfers)


def _several(world: World, source: str, body: Entity) -> list[Entity]:
    said = body.get("transfers")
    if not isinstance(said, list) or not said or not all(isinstance(one, dict) for one in said):
        raise refusal("The transfers field is required", field="transfers")
    return [_new(world, source, one, f"transfers.{nth}.") for nth, one in enumerate(said)]


def for_order(world: World, order: Entity, body: Entity) -> None:
    """What ``POST /v1/orders`` says about transfers: made now, processed when the order is paid."""
    transfers = _several(world, order["id"], body)
    if order["currency"] != "INR":
        raise refusal("The currency should be INR for transfers", field="currency")
    if sum(transfer["amount"] for transfer in transfers) > order["amount"]:
        raise refusal(_TOO_MUCH)
    for transfer in transfers:
        world.save(transfer)
        world.own(order["id"], transfer["id"])
    world.on_captured[order["id"]] = partial(_order_captured, world)


def _order_captured(world: World, payment: Entity, order: Entity) -> None:
    if order["status"] == "paid":
        for transfer_id in world.owned(order["id"], "transfer"):
            transfer = world.table("transfer")[transfer_id]
            if transfer["status"] == "created":
                world.own(payment["id"], transfer_id)
                _process(world, transfer, payment)


def of_order(world: World, order_id: str, as_of: int | None) -> list[Entity]:
    """The transfers of an order, newest first."""
    return [dict(row) for row in world.newest_first(world.owned(order_id, "transfer"), as_of)]


def create(world: World, call: Call) -> Entity:
    """``POST /v1/transfers``: from the balance, with or without ``X-Transfer-Idempotency``."""
    key = call.headers.get("x-transfer-idempotency")
    if key is not None and not _KEY.fullmatch(key):  # text: not published
        raise not_applicable("The idempotency key must have 4 to 36 letters, digits, hyphens, underscores or spaces")
    return once(world, "transfer", key, call, _direct)


def _direct(world: World, call: Call) -> Entity:
    transfer = _new(world, world.account.id, call.body, "")
    if transfer["amount"] + transfer["fees"] > world.books.balance:
        raise refusal(_NO_BALANCE)
    _process(world, transfer, None)
    return dict(transfer)


# --- looking and changing ----------------------------------------------------------------------------------------


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/transfers/:id``."""
    wanted = expansions(call.query, ("recipient_settlement",))
    return _expanded(world.seen("transfer", call.ids[0], call.as_of), wanted)


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/transfers``. Linked accounts are not settled here, so no settlement has any."""
    wanted = expansions(call.query, ("recipient_settlement",))
    rows = world.newest_first(world.table("transfer"), call.as_of)
    if (settlement := call.query.get("recipient_settlement_id")) is not None:
        rows = (row for row in rows if row["recipient_settlement_id"] == settlement[-1])
    shown = page(rows, call.query, ("recipient_settlement_id", "transfer_type"))
    return collection(_expanded(dict(row), wanted) for row in shown)


def _expanded(transfer: Entity, wanted: set[str]) -> Entity:
    if "recipient_settlement" in wanted:
        transfer["recipient_settlement"] = None
    return transfer


def list_of_payment(world: World, call: Call) -> Entity:
    """``GET /v1/payments/:id/transfers``."""
    payment = world.live("payment", call.ids[0])
    return collection(dict(row) for row in world.newest_first(world.owned(payment["id"], "transfer"), call.as_of))


def update(world: World, call: Call) -> Entity:
    """``PATCH /v1/transfers/:id``: hold its settlement, or let it go."""
    transfer = world.live("transfer", call.ids[0])
    _checks.known_fields(call.body, {"on_hold", "on_hold_until"})
    if "on_hold" not in call.body:
        raise refusal("The on_hold field is required", field="on_hold")
    on_hold = _checks.flag_in(call.body, "on_hold")
    until = _checks.time_in(call.body, "on_hold_until")
    transfer.update(on_hold=on_hold, on_hold_until=until if on_hold else None)
    if transfer["settlement_status"] is not None:
        transfer["settlement_status"] = "on_hold" if on_hold else "pending"
    world.save(transfer)
    return dict(transfer)


# --- reversals ---------------------------------------------------------------------------------------------------


def reverse(world: World, call: Call) -> Entity:
    """``POST /v1/transfers/:id/reversals``: part of it, or all that is left."""
    transfer = world.live("transfer", call.ids[0])
    _checks.known_fields(call.body, {"amount", "notes", "linked_account_notes"})
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = left if call.body.get("amount") is None else _checks.amount_in(call.body)
    if amount < min(_MIN, left or _MIN):
        raise refusal("The amount must be at least INR 1.00", field="amount")
    if transfer["status"] not in ("processed", "partially_reversed"):  # text: not published
        raise refusal(f"The transfer cannot be reversed in {transfer['status']} status")
    if amount > left:
        raise refusal("The linked account does not have sufficient balance to process reversal.")
    return dict(_reverse(world, transfer, amount, _checks.notes_in(call.body)))


def _reverse(world: World, transfer: Entity, amount: int, notes: object, refund_id: str | None = None) -> Entity:
    reversal: Entity = {
        "id": world.mint("rvrsl", transfer["id"]),
        "entity": "reversal",
        "transfer_id": transfer["id"],
        "amount": amount,
        "fee": 0,
        "tax": 0,
        "currency": "INR",
        "notes": notes,
        "initiator_id": world.account.id,
        "customer_refund_id": refund_id,
        "created_at": world.clock.unix(),
    }
    reversed_amount = transfer["amount_reversed"] + amount
    whole = reversed_amount == transfer["amount"]
    transfer.update(amount_reversed=reversed_amount, status="reversed" if whole else "partially_reversed")
    world.save(reversal, transfer)
    world.own(transfer["id"], reversal["id"])
    payment = world.payments.get(_payment_of(world, transfer) or "")
    if payment is not None:
        payment["amount_transferred"] -= amount
        world.save(payment)
    # a type of its own in the recon report: not published, but open (FACTS section 8)
    _books.move(world, reversal["id"], "reversal", amount, payment)
    return reversal


def _payment_of(world: World, transfer: Entity) -> str | None:
    source: str = transfer["source"]
    if source.startswith("order_"):
        payments = world.order_payments.get(source, ())
        return next((one for one in payments if transfer["id"] in world.owned(one, "transfer")), None)
    return source if source.startswith("pay_") else None


def reverse_all(world: World, payment: Entity, refund_id: str) -> None:
    """``reverse_all`` of a refund: every transfer of the payment comes back."""
    for transfer_id in world.owned(payment["id"], "transfer"):
        transfer = world.table("transfer")[transfer_id]
        left = transfer["amount"] - transfer["amount_reversed"]
        if left and transfer["status"] in ("processed", "partially_reversed"):
            _reverse(world, transfer, left, [], refund_id)


def reversals(world: World, call: Call) -> Entity:
    """``GET /v1/transfers/:id/reversals``."""
    transfer = world.live("transfer", call.ids[0])
    return collection(dict(row) for row in world.newest_first(world.owned(transfer["id"], "reversal"), call.as_of))


ROUTES = (
    Route("POST", "/v1/transfers", create),
    Route("GET", "/v1/transfers", list_all),
    Route("GET", "/v1/transfers/:id", fetch),
    Route("PATCH", "/v1/transfers/:id", update),
    Route("POST", "/v1/transfers/:id/reversals", reverse),
    Route("GET", "/v1/transfers/:id/reversals", reversals),
    Route("POST", "/v1/payments/:id/transfers", of_payment),
    Route("GET", "/v1/payments/:id/transfers", list_of_payment),
)
EVENTS = tuple(EventKind(f"transfer.{name}", (("transfer",),)) for name in ("processed", "failed"))

"""Virtual accounts: bank accounts and UPI ids that somebody transfers money to (FACTS sections 8 and 9)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from razorpay_hardened.emulator import _bank, _checks, _hash
from razorpay_hardened.emulator._listing import collection, expansions, page
from razorpay_hardened.emulator._payments import shown
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.instruments import Instrument
from razorpay_hardened.emulator.wire import Call, Entity, refusal
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES", "credit"]

_NAME = "Acme Corp"
_CLOSE_MIN_S = 900
_PAYERS_MAX = 10
_ONLY_BANK = "Account validation is only applicable on bank account as a receiver type"


def create(world: World, call: Call) -> Entity:
    """``POST /v1/virtual_accounts``."""
    body = call.body
    _checks.known_fields(
        body,
        {"receivers", "description", "customer_id", "notes", "close_by", "amount_expected", "allowed_payers"},
    )
    receivers = _checks.object_in(body, "receivers")
    types = receivers.get("types")
    if not isinstance(types, list) or not types:
        raise refusal("Receivers field is required", field="receivers")
    customer = None if body.get("customer_id") is None else world.live("customer", body["customer_id"])
    close_by = _checks.time_in(body, "close_by")
    if close_by is not None and close_by < world.clock.unix() + _CLOSE_MIN_S:  # text: not published
        raise refusal("close_by should be at least 15 minutes after current time", field="close_by")
    expected = _checks.whole_in(body, "amount_expected") if body.get("amount_expected") is not None else None
    notes, description = _checks.notes_in(body), _checks.text_in(body, "description", 2048)
    payers = _payers(world, body)
    account_id = world.mint("va", description)
    account: Entity = {
        "id": account_id,
        "name": _NAME,
        "entity": "virtual_account",
        "status": "active",
        "description": description or "",
        "amount_expected": expected,
        "notes": notes,
        "amount_paid": 0,
        "customer_id": customer and customer["id"],
        "receivers": [_receiver(world, account_id, kind, receivers) for kind in types],
        "close_by": close_by,
        "closed_at": None,
        "created_at": world.clock.unix(),
    }
    if payers:
        if "vpa" in types:
            raise refusal(_ONLY_BANK, field="receivers", step="virtual_account_edit")
        account["allowed_payers"] = payers
    world.save(account)
    world.emit("virtual_account.created", virtual_account=account)
    if close_by is not None:
        world.clock.plan(close_by * 1000, partial(_time_is_up, world, account_id))
    return dict(account)


def _receiver(world: World, account_id: str, kind: object, said: Entity) -> Entity:
    detail = said.get(kind) if isinstance(kind, str) and isinstance(said.get(kind), dict) else {}
    descriptor = str((detail or {}).get("descriptor") or _hash.digits(world.seed, "va", account_id, kind, length=8))
    if kind == "bank_account":
        return {
            "id": world.mint("ba", account_id),
            "entity": "bank_account",
            "ifsc": "RATN0VAAPIS",
            "bank_name": "RBL Bank",
            "name": _NAME,
            "notes": [],
            "account_number": f"22233300{descriptor[-8:].rjust(8, '0')}",
        }
    if kind == "vpa":
        name = f"rpy.payto{descriptor.rjust(10, '0')}"
        _free(world, name)
        return {
            "id": world.mint("vpa", account_id),
            "entity": "vpa",
            "username": name,
            "handle": "icici",
            "address": f"{name}@icici",
        }
    raise refusal("The selected receivers is invalid", field="receivers")


def _free(world: World, name: str) -> None:
    for account in world.table("virtual_account").values():
        names = (receiver.get("username") for receiver in account["receivers"])
        if account["status"] == "active" and name in names:
            raise refusal("An active Customer Identifier with the same descriptor already exists for your account.")


def _payers(world: World, body: Entity) -> list[Entity]:
    said = body.get("allowed_payers") or []
    if not isinstance(said, list):
        raise refusal("The allowed_payers must be an array.", field="allowed_payers")  # text: not published
    if len(said) > _PAYERS_MAX:
        raise refusal("only 10 allowed payers can be added", field="allowed_payers")
    return [_payer(world, one if isinstance(one, dict) else {}) for one in said]


def _payer(world: World, said: Entity) -> Entity:
    _checks.choice_in(said, "type", ("bank_account",))
    bank = _checks.object_in(said, "bank_account")
    for field in ("account_number", "ifsc"):
        if not isinstance(bank.get(field), str):
            raise refusal(f"The bank account.{field.replace('_', ' ')} field is required when bank account is present.")
    if len(bank["ifsc"]) != 11:
        raise refusal("The ifsc must be 11 characters.", field="ifsc")
    kept = {"ifsc": bank["ifsc"], "account_number": bank["account_number"]}
    return {"type": "bank_account", "id": world.mint("ba", *kept.values()), "bank_account": kept}


def _time_is_up(world: World, account_id: str) -> None:
    account = world.table("virtual_account").get(account_id)
    if account is None or account["status"] != "active":
        return
    if account["close_by"] is not None and account["close_by"] <= world.clock.unix():  # unless it was given more time
        _close(world, account)


def _close(world: World, account: Entity) -> None:
    account.update(status="closed", closed_at=world.clock.unix())
    world.save(account)
    world.emit("virtual_account.closed", virtual_account=account)


def credit(world: World, account: Entity, amount: int, method: str, payer: Entity, person: Entity) -> Entity:
    """Somebody transfers money, by ``bank_transfer`` or ``upi``. To a closed account it is given back at once.

    So is a transfer from a payer who is not among ``allowed_payers``; what Razorpay does then is not published.
    """
    kinds = {receiver["entity"] for receiver in account["receivers"]}
    if {"bank_transfer": "bank_account", "upi": "vpa"}.get(method) not in kinds:
        raise ConfigError(f"the virtual account has no receiver for {method}")
    shared: Entity = {"description": "NA", "notes": []}
    if account["customer_id"] is not None:
        shared["customer_id"] = account["customer_id"]
    vpa = payer["vpa"] if method == "upi" else None
    payment = _bank.begin(world, None, Instrument(method, vpa=vpa), amount, "INR", **{**person, **shared})
    transfer = _transfer(world, account, payment, payer)
    world.save(transfer)
    world.private[payment["id"]]["transfer_id"] = transfer["id"]
    world.own(account["id"], payment["id"])
    if account["status"] == "closed" or not _allowed(account, payer):
        _bank.authorize(world, payment, capture_it=None)
        _bank.give_back(world, payment)
        return payment
    _bank.receive(world, payment)
    account["amount_paid"] += amount
    world.save(account)
    kind = transfer["entity"]
    world.emit("virtual_account.credited", payment=payment, virtual_account=account, **{kind: transfer})
    if account["amount_expected"] is not None and account["amount_paid"] >= account["amount_expected"]:
        _close(world, account)  # UNCONFIRMED for new accounts (FACTS section 9)
    return payment


def _allowed(account: Entity, payer: Entity) -> bool:
    allowed = account.get("allowed_payers")
    mine = {"ifsc": payer.get("ifsc"), "account_number": payer.get("account_number")}
    return not allowed or any(one["bank_account"] == mine for one in allowed)


def _transfer(world: World, account: Entity, payment: Entity, payer: Entity) -> Entity:
    reference = _hash.digits(world.seed, "utr", payment["id"])
    if payment["method"] == "upi":
        return {
            "id": world.mint("ut", payment["id"]),
            "entity": "upi_transfer",
            "amount": payment["amount"],
            "payer_vpa": payer["vpa"],
            "payer_bank": "ICICI Bank",
            "payer_account": payer["account_number"],
            "payer_ifsc": payer["ifsc"],
            "payment_id": payment["id"],
            "npci_reference_id": reference,
            "virtual_account_id": account["id"],
            "rrn": reference,
        }
    return {
        "id": world.mint("bt", payment["id"]),
        "entity": "bank_transfer",
        "payment_id": payment["id"],
        "mode": "NEFT",
        "bank_reference": reference,
        "amount": payment["amount"],
        "payer_bank_account": {
            "id": world.mint("ba", payment["id"]),
            "entity": "bank_account",
            "ifsc": payer["ifsc"],
            "bank_name": "Kotak Mahindra Bank",
            "name": payer["name"],
            "notes": [],
            "account_number": payer["account_number"],
        },
        "virtual_account_id": account["id"],
    }


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/virtual_accounts/:id``."""
    return world.seen("virtual_account", call.ids[0], call.as_of)


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/virtual_accounts``, newest first."""
    expansions(call.query, ("vpas",))
    return collection(page(world.newest_first(world.table("virtual_account"), call.as_of), call.query))


def payments(world: World, call: Call) -> Entity:
    """``GET /v1/virtual_accounts/:id/payments``."""
    account = world.live("virtual_account", call.ids[0])
    rows = page(world.newest_first(world.owned(account["id"], "payment"), call.as_of), call.query)
    return collection(shown(row) for row in rows)


def update(world: World, call: Call) -> Entity:
    """``PATCH /v1/virtual_accounts/:id``."""
    account = world.live("virtual_account", call.ids[0])
    body = call.body
    _checks.known_fields(body, {"close_by", "description", "notes"})
    if account["status"] == "closed":
        raise refusal("Customer Identifier cannot be updated")
    changes: Entity = {}
    if "close_by" in body:
        changes["close_by"] = _checks.time_in(body, "close_by")
        if changes["close_by"] is not None and changes["close_by"] < world.clock.unix() + _CLOSE_MIN_S:
            raise refusal("close by date should be atleast 15 min after current time")
    if "description" in body:
        changes["description"] = _checks.text_in(body, "description", 2048) or ""
    if "notes" in body:
        changes["notes"] = _checks.notes_in(body)
    account.update(changes)
    world.save(account)
    if changes.get("close_by") is not None:
        world.clock.plan(changes["close_by"] * 1000, partial(_time_is_up, world, account["id"]))
    return dict(account)


def close(world: World, call: Call) -> Entity:
    """``POST /v1/virtual_accounts/:id/close``: for good."""
    account = _active(world, call)
    _close(world, account)
    return dict(account)


def _active(world: World, call: Call) -> Entity:
    account = world.live("virtual_account", call.ids[0])
    if account["status"] == "closed":  # text: not published
        raise refusal("The Customer Identifier is closed")
    return account


def add_receiver(world: World, call: Call) -> Entity:
    """``POST /v1/virtual_accounts/:id/receivers``."""
    account = _active(world, call)
    _checks.known_fields(call.body, {"types", "vpa", "bank_account"})
    types = call.body.get("types")
    if not isinstance(types, list) or not types:
        raise refusal("The types field is required", field="types")
    if "vpa" in types and account.get("allowed_payers"):
        raise refusal(_ONLY_BANK, field="receivers", step="virtual_account_edit")
    account["receivers"] = [
        *account["receivers"],
        *(_receiver(world, account["id"], kind, call.body) for kind in types),
    ]
    world.save(account)
    return dict(account)


def add_payer(world: World, call: Call) -> Entity:
    """``POST /v1/virtual_accounts/:id/allowed_payers``."""
    account = _active(world, call)
    if all(receiver["entity"] != "bank_account" for receiver in account["receivers"]):
        raise refusal(_ONLY_BANK)
    payers = account.get("allowed_payers", [])
    payer = _payer(world, call.body)
    if any(one["bank_account"] == payer["bank_account"] for one in payers):
        raise refusal("Payer detail already exist for virtual account.")
    if len(payers) >= _PAYERS_MAX:
        raise refusal(
            "Only 10 allowed payer accounts can be added",
            field="allowed_payers",
            step="virtual_account_edit",
            reason="allowed_payer_limit_exceeded",
        )
    account["allowed_payers"] = [*payers, payer]
    world.save(account)
    return dict(account)


def delete_payer(world: World, call: Call) -> list[Any]:
    """``DELETE /v1/virtual_accounts/:id/allowed_payers/:id``."""
    account = _active(world, call)
    payers = account.get("allowed_payers", [])
    rest = [payer for payer in payers if payer["id"] != call.ids[1]]
    if len(rest) == len(payers):
        raise refusal("The id provided does not exist")
    account["allowed_payers"] = rest
    world.save(account)
    return []


def bank_transfer(world: World, call: Call) -> Entity:
    """``GET /v1/payments/:id/bank_transfer``."""
    return _details(world, call, "bank_transfer")


def upi_transfer(world: World, call: Call) -> Entity:
    """``GET /v1/payments/:id/upi_transfer``."""
    return _details(world, call, "upi_transfer")


def _details(world: World, call: Call, kind: str) -> Entity:
    payment = world.live("payment", call.ids[0])
    transfer = world.table(kind).get(world.private.get(payment["id"], {}).get("transfer_id", ""))
    if transfer is None:  # text: not published for a payment that was no such transfer
        raise refusal("The id provided does not exist")
    account = world.table("virtual_account").get(transfer["virtual_account_id"])
    return {**transfer, "virtual_account": account and dict(account)}


ROUTES = (
    Route("POST", "/v1/virtual_accounts", create),
    Route("GET", "/v1/virtual_accounts", list_all),
    Route("GET", "/v1/virtual_accounts/:id", fetch),
    Route("PATCH", "/v1/virtual_accounts/:id", update),
    Route("GET", "/v1/virtual_accounts/:id/payments", payments),
    Route("POST", "/v1/virtual_accounts/:id/close", close),
    Route("POST", "/v1/virtual_accounts/:id/receivers", add_receiver),
    Route("POST", "/v1/virtual_accounts/:id/allowed_payers", add_payer),
    Route("DELETE", "/v1/virtual_accounts/:id/allowed_payers/:id", delete_payer),
    Route("GET", "/v1/payments/:id/bank_transfer", bank_transfer),
    Route("GET", "/v1/payments/:id/upi_transfer", upi_transfer),
)
EVENTS = (
    EventKind("virtual_account.created", (("virtual_account",),)),
    EventKind(
        "virtual_account.credited",
        (("payment", "virtual_account", "bank_transfer"), ("payment", "virtual_account", "upi_transfer")),
    ),
    EventKind("virtual_account.closed", (("virtual_account",),)),
)

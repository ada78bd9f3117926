"""The orders endpoints (FACTS sections 7.2 and 8; the texts are those of the official error index)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks, _mandates, _offers, _payments, _transfers
from razorpay_hardened.emulator._listing import collection, expansions, page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator._terms import Terms
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.options import Options
    from razorpay_hardened.emulator.world import World

__all__ = ["create", "fetch", "list_all", "payments", "update"]

_FIELDS = {
    "amount",
    "currency",
    "receipt",
    "notes",
    "partial_payment",
    "first_payment_min_amount",
    "payment",
    "payment_capture",
    "transfers",
    "customer_id",
    "method",
    "bank_account",
    "token",
    "notification",
    "offer_id",
}
_MANDATES_AT_ZERO = ("emandate", "nach")
_EXPANSIONS = ("payments", "payments.card", "transfers", "virtual_account")
_AUTO_MIN, _MANUAL_MAX = 12, 7200  # minutes (FACTS section 9)


def create(world: World, call: Call) -> Entity:
    """``POST /v1/orders``."""
    body = call.body
    _checks.known_fields(body, _known(world.options))
    amount, currency = _amount(world, body)
    receipt, notes = _checks.receipt_in(body), _checks.notes_in(body)
    terms, said = _terms(world, body), _mandates.said_in(world, body)
    notice, offer_id = _mandates.notice_in(world, body), _offers.said_in(world, body)
    if (twin := _same_receipt(world, receipt)) is not None:
        if body.get("unique_receipt") is True:
            return dict(twin)  # whatever the amount: behaviour when it differs is UNCONFIRMED
        if world.options.refuse_duplicate_receipts:
            raise refusal("Order receipt should be unique.", field="receipt")
    order: Entity = {
        "id": world.mint("order", receipt),
        "entity": "order",
        "amount": amount,
        "amount_paid": 0,
        "amount_due": amount,
        "currency": currency,
        "receipt": receipt,
        "offer_id": offer_id,
        "status": "created",
        "attempts": 0,
        "notes": notes,
        "created_at": world.clock.unix(),
        **said,
    }
    if offer_id is not None:
        order["offers"] = [offer_id]
    world.terms[order["id"]] = terms
    if said.get("token") is not None:
        _mandates.expect(world, order)
    if receipt is not None:
        world.receipts.setdefault(receipt, order["id"])
    if notice is not None:
        _mandates.notify(world, order, notice)
    if body.get("transfers") is not None:
        if terms.partial:  # the rule is published, the text is not (FACTS section 9)
            raise refusal("Transfers cannot be made on orders with partial payment", field="transfers")
        _transfers.for_order(world, order, body)
    world.save(order)
    if body.get("transfers") is not None:
        return {**order, "transfers": _transfers.of_order(world, order["id"], None)}
    return dict(order)


def _known(options: Options) -> set[str]:
    """The fields that this account knows."""
    unknown = set() if options.route else {"transfers"}
    return (_FIELDS | ({"unique_receipt"} if options.knows_unique_receipt else set())) - unknown


def _amount(world: World, body: Entity) -> tuple[int, str]:
    amount = _checks.amount_in(body, missing="amount: is required.")
    currency = _checks.currency_in(body)
    if amount == 0 and body.get("method") in _MANDATES_AT_ZERO:
        return amount, currency  # a mandate may be registered for nothing
    if amount < _checks.minimum(currency):
        raise refusal(
            "Order amount less than minimum amount allowed",
            field="amount",
            step="order_creation",
            reason="amount_less_than_minimum_amount",
        )
    if currency in _checks.THREE_DECIMALS and amount % 10 and world.options.three_decimals != "accept":
        if world.options.three_decimals == "refuse":  # text: not published
            raise refusal("The amount must end in 0 for a currency with three decimals.", field="amount")
        amount -= amount % 10
    if amount > world.options.max_amount:
        raise refusal("Amount exceeds maximum amount allowed.", field="amount")
    return amount, currency


def _same_receipt(world: World, receipt: str | None) -> Entity | None:
    first = world.receipts.get(receipt) if receipt is not None else None
    return world.orders[first] if first is not None else None


def _terms(world: World, body: Entity) -> Terms:
    """What the order says about capturing; its own words win over the account's (FACTS section 9)."""
    window = world.options.capture_window_s
    terms = Terms(auto=world.options.auto_capture, auto_until_s=window, window_s=window)
    legacy = body.get("payment_capture")
    if legacy is not None:
        if legacy not in (0, 1, "0", "1", True, False):
            raise refusal("The payment capture field must be true or false.", field="payment_capture")  # unpublished
        terms.auto = legacy in (1, "1", True)
    payment = body.get("payment")
    if payment is not None:
        _capture_settings(terms, payment)
    _partial(terms, body)
    return terms


def _capture_settings(terms: Terms, payment: object) -> None:
    """``payment.capture`` and its windows in minutes. The texts of these refusals are not published."""
    settings = payment if isinstance(payment, dict) else {}
    if settings.get("capture") not in ("automatic", "manual"):
        raise refusal("The selected capture is invalid", field="capture")
    terms.auto = settings["capture"] == "automatic"
    options = settings.get("capture_options")
    if not isinstance(options, dict):
        options = {}
    manual = options.get("manual_expiry_period", _MANUAL_MAX)
    automatic = options.get("automatic_expiry_period", manual if terms.auto else _AUTO_MIN)
    if type(manual) is not int or type(automatic) is not int or not _AUTO_MIN <= automatic <= manual <= _MANUAL_MAX:
        raise refusal("The selected capture_options is invalid", field="capture_options")
    terms.auto_until_s, terms.window_s = automatic * 60, manual * 60


def _partial(terms: Terms, body: Entity) -> None:
    terms.partial = body.get("partial_payment") in (True, 1, "1")
    first = body.get("first_payment_min_amount")
    terms.first_minimum = first if type(first) is int else None


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/orders/:id``."""
    wanted = expansions(call.query, _EXPANSIONS)
    order = _expanded(world, find(world, call, call.ids[0]), wanted, call.as_of)
    if "transfers" in wanted and (status := call.query.get("status")) is not None:  # transfers in this status only
        rows = [row for row in order["transfers"]["items"] if row["status"] == status[-1]]
        order["transfers"] = collection(rows)
    return order


def find(world: World, call: Call, order_id: str) -> Entity:
    """The order as this call may see it; an unknown id is refused with 400 (not 404)."""
    order = world.version(order_id, call.as_of) or world.first_version(order_id)
    if order is None or order["entity"] != "order":
        raise refusal("The id provided does not exist")
    return dict(order)


def _expanded(world: World, order: Entity, wanted: set[str], as_of: int | None) -> Entity:
    if "transfers" in wanted:
        order = {**order, "transfers": collection(_transfers.of_order(world, order["id"], as_of))}
    if not wanted & {"payments", "payments.card"}:
        return order
    rows = world.newest_first(world.order_payments[order["id"]], as_of)
    shown = [_payments.shown(row, with_card="payments.card" in wanted) for row in rows]
    return {**order, "payments": collection(shown)}


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/orders``. ``receipt`` finds orders that *contain* it; ``authorized`` those with such a payment."""
    wanted = expansions(call.query, _EXPANSIONS)
    rows = world.newest_first(world.orders, call.as_of)
    if (receipt := call.query.get("receipt")) is not None:
        rows = (order for order in rows if receipt[-1] in (order["receipt"] or ""))
    if (authorized := call.query.get("authorized")) is not None:
        asked = authorized[-1] == "1"
        rows = (order for order in rows if _has_authorized(world, order, call.as_of) == asked)
    shown = page(rows, call.query, ("receipt", "authorized"))
    return collection([_expanded(world, dict(order), wanted, call.as_of) for order in shown])


def _has_authorized(world: World, order: Entity, as_of: int | None) -> bool:
    """Whether any payment was authorised, captured or not."""
    rows = world.newest_first(world.order_payments[order["id"]], as_of)
    return any(payment["status"] in ("authorized", "captured", "refunded") for payment in rows)


def payments(world: World, call: Call) -> Entity:
    """``GET /v1/orders/:id/payments``."""
    order = find(world, call, call.ids[0])
    rows = world.newest_first(world.order_payments[order["id"]], call.as_of)
    return collection([_payments.shown(row) for row in rows])


def update(world: World, call: Call) -> Entity:
    """``PATCH /v1/orders/:id``: only notes change."""
    find(world, call, call.ids[0])
    _checks.known_fields(call.body, {"notes"})
    order = world.orders[call.ids[0]]
    order["notes"] = _checks.notes_in(call.body)
    world.save(order)
    return dict(order)


ROUTES = (
    Route("POST", "/v1/orders", create),
    Route("GET", "/v1/orders", list_all),
    Route("GET", "/v1/orders/:id", fetch),
    Route("PATCH", "/v1/orders/:id", update),
    Route("GET", "/v1/orders/:id/payments", payments),
)
EVENTS = (
    EventKind("order.paid", (("payment", "order"),)),
    EventKind("order.notification.delivered", (("notification",),)),
    EventKind("order.notification.failed", (("notification",),)),
)
